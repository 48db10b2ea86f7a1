//! Mutants of real modules, unverified, in paranoid mode: every call ends with a status, and the machine is sound afterwards.
//!
//! `MONOMOVE_MUTANTS` is the number of mutants, `MONOMOVE_MUTANTS_SEED` the first seed; `MONOMOVE_MUTANTS_ONLY` runs one seed,
//! `MONOMOVE_MUTANTS_LOG` names a file that always holds the current seed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

mod common;

use common::mutate::{mutate, mutate_bytes};
use common::random::Random;
use common::values::{Modules, call};
use common::{State, corpus};
use monomove_core::{Call, CallOutput, Machine, MachineConfig, Outcome};
use monomove_format::{CompiledModule, DeserializerConfig, VERSION_DEFAULT_MAX};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Functions called of each mutant.
const CALLS: usize = 4;
/// Mutants between two checks of the machine.
const CHECK_EVERY: u64 = 64;
/// No call may take longer, whatever else the machine under the test is doing.
const TOO_LONG: Duration = Duration::from_secs(30);

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn config() -> DeserializerConfig {
    DeserializerConfig::new(VERSION_DEFAULT_MAX, 255)
}

fn machine(paranoid: bool) -> Machine {
    Machine::new(MachineConfig {
        heap_bytes: 16 << 20,
        paranoid,
        verify: false,
        ..MachineConfig::default()
    })
}

/// A mutant that the reader accepts.
fn mutant(random: &mut Random, original: &CompiledModule) -> Option<Vec<u8>> {
    let mut module = original.clone();
    let bytes = if random.once_in(8) {
        let mut bytes = module.serialize().ok()?;
        mutate_bytes(random, &mut bytes);
        bytes
    } else {
        mutate(random, &mut module);
        module.serialize().ok()?
    };
    let read = CompiledModule::deserialize_with(&bytes, &config()).ok()?;
    (read != *original && read.self_id() == original.self_id()).then_some(bytes)
}

struct Corpus {
    modules: Vec<CompiledModule>,
    by_id: Modules,
    state: State,
}

fn load() -> Corpus {
    let mut state = State::default();
    let mut by_id = Modules::new();
    for bytes in corpus() {
        if let Ok(module) = CompiledModule::deserialize_with(&bytes, &config()) {
            by_id.insert(module.self_id(), module);
            state.add(bytes);
        }
    }
    Corpus {
        modules: by_id.values().cloned().collect(),
        by_id,
        state,
    }
}

/// Calls of functions as they are, to see whether a machine still does what it should.
fn samples(corpus: &Corpus) -> Vec<Call> {
    let mut random = Random(42);
    let mut samples = Vec::new();
    while samples.len() < 40 {
        let module = &corpus.modules[random.below(corpus.modules.len())];
        let index = random.below(module.function_defs.len());
        if index < module.function_defs.len() {
            samples.extend(call(&mut random, &corpus.by_id, module, index, 20_000_000));
        }
    }
    samples
}

fn outputs(machine: &mut Machine, state: &State, samples: &[Call]) -> Vec<CallOutput> {
    let mut state = state.clone();
    samples
        .iter()
        .map(|call| machine.call(call, &mut state))
        .collect()
}

/// Runs `count` mutants from `seed` on one machine. Returns how calls ended.
fn run(corpus: &mut Corpus, paranoid: bool, seed: u64, count: u64) -> BTreeMap<String, usize> {
    let samples = samples(corpus);
    let expected = outputs(&mut machine(paranoid), &corpus.state, &samples);
    let mut machine = machine(paranoid);
    let mut ends = BTreeMap::new();
    let (mut seed, mut done) = (seed, 0);
    while done < count {
        seed += 1;
        let mut random = Random(seed);
        let original = &corpus.modules[random.below(corpus.modules.len())];
        let Some(bytes) = mutant(&mut random, original) else {
            continue;
        };
        done += 1;
        if let Some(path) = std::env::var_os("MONOMOVE_MUTANTS_LOG") {
            // Where to look when the process itself dies.
            std::fs::write(path, seed.to_string()).unwrap();
        }
        let module = CompiledModule::deserialize_with(&bytes, &config()).unwrap();
        corpus.state.replace(module.self_id(), bytes);
        for _ in 0..CALLS {
            let index = random.below(module.function_defs.len());
            let gas = if random.once_in(10) {
                100_000_000
            } else {
                4_000_000
            };
            if index >= module.function_defs.len() {
                continue;
            }
            let Some(call) = call(&mut random, &corpus.by_id, &module, index, gas) else {
                continue;
            };
            let started = Instant::now();
            let result = catch_unwind(AssertUnwindSafe(|| machine.call(&call, &mut corpus.state)));
            let Ok(output) = result else {
                panic!("seed {seed}: {}::{} panics", call.module, call.function);
            };
            assert!(
                started.elapsed() < TOO_LONG,
                "seed {seed}: {}::{} takes {:?}",
                call.module,
                call.function,
                started.elapsed()
            );
            assert!(
                output.gas_used <= gas,
                "seed {seed}: more gas than there was"
            );
            corpus.state.commit(&output.writes);
            let end = match &output.outcome {
                Outcome::Returned { .. } => "returned".to_owned(),
                Outcome::Failed(failure) => format!(
                    "{}{}",
                    failure.status,
                    failure
                        .sub_status
                        .filter(|_| failure.status.number() == 2000)
                        .map(|s| format!(" {s}"))
                        .unwrap_or_default()
                ),
            };
            *ends.entry(end).or_default() += 1;
        }
        corpus.state.restore();
        if done % CHECK_EVERY == 0 {
            let found = outputs(&mut machine, &corpus.state, &samples);
            for ((call, found), expected) in samples.iter().zip(&found).zip(&expected) {
                assert_eq!(
                    (&found.outcome, found.gas_used, &found.writes),
                    (&expected.outcome, expected.gas_used, &expected.writes),
                    "seed {seed}: {}::{} has another result now",
                    call.module,
                    call.function
                );
            }
        }
    }
    ends
}

#[test]
fn mutants_end_with_a_status() {
    let mut corpus = load();
    if corpus.modules.is_empty() {
        return;
    }
    let default = if cfg!(debug_assertions) { 300 } else { 3_000 };
    let seed = setting("MONOMOVE_MUTANTS_SEED").unwrap_or(0);
    let ends = match setting("MONOMOVE_MUTANTS_ONLY") {
        Some(only) => run(&mut corpus, true, only - 1, 1),
        None => run(
            &mut corpus,
            true,
            seed,
            setting("MONOMOVE_MUTANTS").unwrap_or(default),
        ),
    };
    println!("{ends:#?}");
    assert!(ends.len() > 1);
}

/// Without gas a function is lowered and then fails at its first instruction: lowering must not panic in the unchecked mode either.
#[test]
fn mutants_lower_without_panic() {
    let mut corpus = load();
    let default = if cfg!(debug_assertions) { 300 } else { 3_000 };
    let count = setting("MONOMOVE_MUTANTS").unwrap_or(default);
    let mut seed = setting("MONOMOVE_MUTANTS_SEED").unwrap_or(0) + (1 << 32);
    let mut machine = machine(false);
    for _ in 0..count {
        seed += 1;
        let mut random = Random(seed);
        let Some(original) = random.one_of(&corpus.modules) else {
            return;
        };
        let Some(bytes) = mutant(&mut random, original) else {
            continue;
        };
        let module = CompiledModule::deserialize_with(&bytes, &config()).unwrap();
        corpus.state.replace(module.self_id(), bytes);
        for index in 0..module.function_defs.len().min(30) {
            let Some(call) = call(&mut random, &corpus.by_id, &module, index, 0) else {
                continue;
            };
            let result = catch_unwind(AssertUnwindSafe(|| machine.call(&call, &mut corpus.state)));
            assert!(
                result.is_ok(),
                "seed {seed}: lowering {}::{} panics",
                call.module,
                call.function
            );
        }
        corpus.state.restore();
    }
}
