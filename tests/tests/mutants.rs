//! Mutants of real modules in a sandbox and natively, alike: unverified ones end with a status in paranoid mode, and leave the machine
//! sound; those that verifier and linker let through fail no check of that mode.
//!
//! `MONOMOVE_MUTANTS` is the number of mutants, `MONOMOVE_MUTANTS_SEED` the first seed, `MONOMOVE_MUTANTS_ONLY` runs one seed.
//! `MONOMOVE_MUTANTS_LOG` names a file that always holds the current seed, for when the process itself dies.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

use monomove::{
    Backend, Call, Engine, EngineConfig, Fork, Limits, MemoryState, Outcome, Sandbox, StateKey,
    StateView, TransactionOutcome,
};
use monomove_format::CompiledModule;
use monomove_tests::mutants::{ModulesById, Originals, Random, call, read};
use monomove_types::StatusFamily;
use monomove_verifier::{VerifierConfig, link_module, verify_module};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Functions called of each mutant.
const CALLS: usize = 5;
/// Mutants between two checks of the machines.
const CHECK_EVERY: u64 = 64;
/// Neither a call nor the check of a module may take longer, whatever else the machine under the test is doing.
const TOO_LONG: Duration = Duration::from_secs(30);

/// How often each end was met.
type Ends = BTreeMap<String, usize>;

/// One machine natively and one in the sandbox: whatever they are given, they must agree.
struct Pair {
    native: Sandbox,
    wasm: Sandbox,
}

impl Pair {
    fn new(paranoid: bool, verify: bool, enum_inline_bytes: u32) -> Self {
        let sandbox = |backend| {
            let config = EngineConfig {
                limits: Limits {
                    heap_bytes: 16 << 20,
                    watchdog_ms: TOO_LONG.as_millis() as u64,
                    ..Limits::default()
                },
                backend,
                // A fault is the bug that is looked for.
                retry_faults: false,
                paranoid,
                verify,
                enum_inline_bytes,
                ..EngineConfig::default()
            };
            Sandbox::new(&Engine::with_config(config).unwrap())
        };
        Self {
            native: sandbox(Backend::Native),
            wasm: sandbox(Backend::Wasm),
        }
    }

    /// The outcome of `call` on both. `what` names it.
    fn run(&mut self, call: &Call, view: &dyn StateView, what: &str) -> TransactionOutcome {
        let [native, wasm] = [&mut self.native, &mut self.wasm].map(|sandbox| {
            let started = Instant::now();
            let outcome = sandbox.execute(call, view).unwrap();
            let took = started.elapsed();
            if let TransactionOutcome::SandboxFault(fault) = &outcome {
                panic!("{what}: {}::{}: {fault}", call.module, call.function);
            }
            assert!(took < TOO_LONG, "{what}: {} takes {took:?}", call.function);
            outcome
        });
        assert_eq!(native, wasm, "{what}: {}::{}", call.module, call.function);
        if let TransactionOutcome::Kept(output) = &wasm {
            assert!(output.gas_used <= call.gas_limit, "{what}: too much gas");
        }
        wasm
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// The seeds to try, and how many mutants to find among them.
fn seeds(default: u64) -> (std::ops::RangeFrom<u64>, u64) {
    match setting("MONOMOVE_MUTANTS_ONLY") {
        Some(only) => (only.., 1),
        None => (
            setting("MONOMOVE_MUTANTS_SEED").unwrap_or(1)..,
            setting("MONOMOVE_MUTANTS").unwrap_or(default),
        ),
    }
}

fn log(seed: u64) {
    if let Some(path) = std::env::var_os("MONOMOVE_MUTANTS_LOG") {
        std::fs::write(path, seed.to_string()).unwrap();
    }
}

fn state(originals: &Originals) -> MemoryState {
    let mut state = MemoryState::new();
    for bytes in &originals.binaries {
        state.insert_module(bytes.clone()).unwrap();
    }
    state
}

/// The state with `bytes` as the module of this id.
fn with_module<'a>(
    state: &'a MemoryState,
    module: &CompiledModule,
    bytes: Vec<u8>,
) -> Fork<&'a MemoryState> {
    let mut fork = Fork::new(state);
    let key = StateKey::module(module.self_id());
    fork.insert(&key, Some(bytes.into())).unwrap();
    fork
}

/// How a call ended; a violated invariant with the check that found it.
fn end(outcome: &TransactionOutcome) -> String {
    let failure = match outcome {
        TransactionOutcome::Kept(output) => match &output.outcome {
            Outcome::Returned { .. } => return "returned".to_owned(),
            Outcome::Failed(failure) => failure,
        },
        TransactionOutcome::Discarded(failure) => failure,
        TransactionOutcome::SandboxFault(fault) => return fault.to_string(),
    };
    match failure.sub_status {
        Some(check) if failure.status.number() == 2000 => format!("{} {check}", failure.status),
        _ => failure.status.to_string(),
    }
}

/// Calls of functions as they are, to see whether a machine still does what it should.
fn samples(originals: &Originals) -> Vec<Call> {
    let mut random = Random(42);
    let mut samples = Vec::new();
    while samples.len() < 40 {
        let module = random.one_of(&originals.modules).unwrap();
        let index = random.below(module.function_defs.len());
        if index < module.function_defs.len() {
            let call = call(&mut random, &originals.by_id, module, index, 20_000_000);
            samples.extend(call);
        }
    }
    samples
}

#[test]
fn unverified_mutants_end_with_a_status() {
    end_with_a_status(u32::MAX, if cfg!(debug_assertions) { 100 } else { 1_500 });
}

/// The same with every enum an object.
#[test]
fn unverified_mutants_end_with_a_status_with_enums_as_objects() {
    end_with_a_status(0, if cfg!(debug_assertions) { 50 } else { 500 });
}

fn end_with_a_status(enum_inline_bytes: u32, default: u64) {
    let originals = Originals::load().unwrap();
    let state = state(&originals);
    let samples = samples(&originals);
    let outcomes = |pair: &mut Pair| -> Vec<_> {
        let calls = samples.iter();
        calls.map(|call| pair.run(call, &state, "sample")).collect()
    };
    let expected = outcomes(&mut Pair::new(true, false, enum_inline_bytes));
    let mut pair = Pair::new(true, false, enum_inline_bytes);
    let mut ends = Ends::new();
    let (seeds, count) = seeds(default);
    let mut found = 0;
    for seed in seeds {
        if found == count {
            break;
        }
        let mut random = Random(seed);
        let Some((module, bytes)) = originals.mutant(&mut random) else {
            continue;
        };
        found += 1;
        log(seed);
        let mut fork = with_module(&state, &module, bytes);
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
            let Some(call) = call(&mut random, &originals.by_id, &module, index, gas) else {
                continue;
            };
            let outcome = pair.run(&call, &fork, &format!("seed {seed}"));
            fork.apply(outcome.writes());
            *ends.entry(end(&outcome)).or_default() += 1;
        }
        if found % CHECK_EVERY == 0 {
            assert!(
                outcomes(&mut pair) == expected,
                "seed {seed} or one before it changed what the machine does"
            );
        }
    }
    println!("{found} mutants: {ends:#?}");
    assert!(ends.len() > 1);
}

/// Without gas a function is lowered and then fails at its first instruction: lowering takes anything in the unchecked mode too.
#[test]
fn unverified_mutants_are_lowered() {
    let originals = Originals::load().unwrap();
    let state = state(&originals);
    let mut pair = Pair::new(false, false, u32::MAX);
    let (seeds, count) = seeds(if cfg!(debug_assertions) { 100 } else { 1_500 });
    for seed in seeds.skip(1 << 20).take(count as usize) {
        let mut random = Random(seed);
        let Some((module, bytes)) = originals.mutant(&mut random) else {
            continue;
        };
        log(seed);
        let fork = with_module(&state, &module, bytes);
        for index in 0..module.function_defs.len().min(30) {
            if let Some(call) = call(&mut random, &originals.by_id, &module, index, 0) {
                pair.run(&call, &fork, &format!("seed {seed}"));
            }
        }
    }
}

/// What the reader, the verifier and the linker say.
fn admit(bytes: &[u8], modules: &ModulesById) -> Result<CompiledModule, String> {
    let module = read(bytes).map_err(|error| error.status.to_string())?;
    verify_module(&module, &VerifierConfig::aptos()).map_err(|error| error.status.to_string())?;
    let named = module.immediate_dependencies();
    let dependencies: Vec<_> = named.iter().filter_map(|id| modules.get(id)).collect();
    link_module(&module, dependencies).map_err(|error| error.status.to_string())?;
    Ok(module)
}

fn has_natives(module: &CompiledModule) -> bool {
    let definitions = &module.function_defs;
    definitions.iter().any(|definition| definition.is_native())
}

/// Whether a call says that verified code did what such code cannot do.
fn is_violation(outcome: &TransactionOutcome) -> bool {
    let failure = match outcome {
        TransactionOutcome::Kept(output) => match &output.outcome {
            Outcome::Returned { .. } => return false,
            Outcome::Failed(failure) => failure,
        },
        TransactionOutcome::Discarded(failure) => failure,
        TransactionOutcome::SandboxFault(_) => return true,
    };
    failure.status.family() == StatusFamily::InvariantViolation
}

#[test]
fn mutants_that_verify_fail_no_check() {
    let originals = Originals::load().unwrap();
    let state = state(&originals);
    let mut pair = Pair::new(true, true, 0);
    let (mut verdicts, mut ends) = (Ends::new(), Ends::new());
    let mut violations = Vec::new();
    let (seeds, count) = seeds(if cfg!(debug_assertions) { 300 } else { 4_000 });
    for seed in seeds.take(count as usize) {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9));
        let Some(bytes) = originals.renamed_mutant(&mut random) else {
            continue;
        };
        log(seed);
        let started = Instant::now();
        let admitted = catch_unwind(AssertUnwindSafe(|| admit(&bytes, &originals.by_id)));
        assert!(started.elapsed() < TOO_LONG, "seed {seed} takes long");
        let Ok(admitted) = admitted else {
            panic!("seed {seed}: a check panics");
        };
        let verdict = admitted.as_ref().err().cloned();
        *verdicts.entry(verdict.unwrap_or("ok".into())).or_default() += 1;
        let Ok(module) = admitted else { continue };
        // Under its own name it would change what others call; under this one there are no natives for it.
        if originals.by_id.contains_key(&module.self_id()) || has_natives(&module) {
            continue;
        }
        let mut fork = with_module(&state, &module, bytes);
        for _ in 0..CALLS {
            let index = random.below(module.function_defs.len());
            if index >= module.function_defs.len() {
                continue;
            }
            let Some(call) = call(&mut random, &originals.by_id, &module, index, 4_000_000) else {
                continue;
            };
            let outcome = pair.run(&call, &fork, &format!("seed {seed}"));
            if is_violation(&outcome) {
                violations.push(format!("seed {seed}: {}: {outcome:?}", call.function));
            }
            fork.apply(outcome.writes());
            *ends.entry(end(&outcome)).or_default() += 1;
        }
    }
    println!("{verdicts:#?}\n{ends:#?}");
    assert!(
        violations.is_empty(),
        "{} violations\n{}",
        violations.len(),
        violations[..violations.len().min(40)].join("\n")
    );
}
