//! Mutants of real modules through reader, verifier and linker: none panics or takes long, and what they let through fails no check of
//! paranoid mode.
//!
//! `MONOMOVE_MUTANTS` is the number of mutants, `MONOMOVE_MUTANTS_SEED` the first seed, `MONOMOVE_MUTANTS_ONLY` runs one seed.

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
use monomove_core::{Failure, Machine, MachineConfig, Outcome};
use monomove_format::{
    CompiledModule, DeserializerConfig, Identifier, ModuleId, VERSION_DEFAULT_MAX,
};
use monomove_types::StatusFamily;
use monomove_verifier::{VerifierConfig, link_module, verify_module};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Functions called of each mutant that is let through.
const CALLS: usize = 6;
/// No mutant may take longer to be checked, whatever else the machine under the test is doing.
const TOO_LONG: Duration = Duration::from_secs(5);
/// Gas of a call.
const GAS: u64 = 4_000_000;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn config() -> DeserializerConfig {
    DeserializerConfig::new(VERSION_DEFAULT_MAX, 255)
}

/// The module under another name, so that no other module depends on the mutant.
fn rename(module: &mut CompiledModule) {
    let name = "mutant".parse::<Identifier>().unwrap();
    let handle = module.module_handles[module.self_module_handle_idx.into_index()];
    let users = module
        .module_handles
        .iter()
        .filter(|other| other.name == handle.name)
        .count();
    let is_free = |index| {
        module
            .struct_handles
            .iter()
            .all(|handle| handle.name != index)
            && module
                .function_handles
                .iter()
                .all(|handle| handle.name != index)
    };
    if users == 1 && is_free(handle.name) {
        module.identifiers[handle.name.into_index()] = name;
    } else {
        let index = module.identifiers.len() as u16;
        module.identifiers.push(name);
        module.module_handles[module.self_module_handle_idx.into_index()].name =
            monomove_format::IdentifierIndex(index);
    }
}

fn mutant(random: &mut Random, original: &CompiledModule) -> Option<Vec<u8>> {
    let mut module = original.clone();
    rename(&mut module);
    if random.once_in(8) {
        let mut bytes = module.serialize().ok()?;
        mutate_bytes(random, &mut bytes);
        Some(bytes)
    } else {
        mutate(random, &mut module);
        module.serialize().ok()
    }
}

/// Whether a failure says that verified code did what such code cannot do.
fn is_violation(failure: &Failure) -> bool {
    failure.status.family() == StatusFamily::InvariantViolation
}

fn has_natives(module: &CompiledModule) -> bool {
    module
        .function_defs
        .iter()
        .any(|definition| definition.is_native())
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

/// What the reader, the verifier and the linker say.
fn admit(bytes: &[u8], modules: &Modules) -> Result<CompiledModule, String> {
    let module = CompiledModule::deserialize_with(bytes, &config())
        .map_err(|error| error.status.to_string())?;
    verify_module(&module, &VerifierConfig::aptos()).map_err(|error| error.status.to_string())?;
    let dependencies: Vec<&CompiledModule> = module
        .immediate_dependencies()
        .iter()
        .filter_map(|id: &ModuleId| modules.get(id))
        .collect();
    link_module(&module, dependencies).map_err(|error| error.status.to_string())?;
    Ok(module)
}

#[test]
fn mutants_that_verify_fail_no_check() {
    let mut corpus = load();
    let default = if cfg!(debug_assertions) { 300 } else { 4_000 };
    let (first, count) = match setting("MONOMOVE_MUTANTS_ONLY") {
        Some(only) => (only, 1),
        None => (
            setting("MONOMOVE_MUTANTS_SEED").unwrap_or(0),
            setting("MONOMOVE_MUTANTS").unwrap_or(default),
        ),
    };
    let mut machine = Machine::new(MachineConfig {
        heap_bytes: 16 << 20,
        paranoid: true,
        ..MachineConfig::default()
    });
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut violations = Vec::new();
    for seed in first..first + count {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9));
        let original = &corpus.modules[random.below(corpus.modules.len())];
        let Some(bytes) = mutant(&mut random, original) else {
            continue;
        };
        let started = Instant::now();
        let admitted = catch_unwind(AssertUnwindSafe(|| admit(&bytes, &corpus.by_id)));
        assert!(started.elapsed() < TOO_LONG, "seed {seed} takes long");
        let Ok(admitted) = admitted else {
            panic!("seed {seed}: a check panics");
        };
        let module = match admitted {
            Ok(module) => {
                *verdicts.entry("ok".to_owned()).or_default() += 1;
                module
            }
            Err(status) => {
                *verdicts.entry(status).or_default() += 1;
                continue;
            }
        };
        // Under its own name it would change what others call; under this one there are no natives for it.
        if corpus.by_id.contains_key(&module.self_id()) || has_natives(&module) {
            continue;
        }
        corpus.state.replace(module.self_id(), bytes);
        for _ in 0..CALLS {
            let index = random.below(module.function_defs.len());
            if index >= module.function_defs.len() {
                continue;
            }
            let Some(call) = call(&mut random, &corpus.by_id, &module, index, GAS) else {
                continue;
            };
            let output = machine.call(&call, &mut corpus.state);
            corpus.state.commit(&output.writes);
            let end = match &output.outcome {
                Outcome::Returned { .. } => "returned".to_owned(),
                Outcome::Failed(failure) => {
                    if is_violation(failure) {
                        violations.push(format!(
                            "seed {seed}: {}::{}: {failure:?}",
                            original.self_id(),
                            call.function
                        ));
                    }
                    failure.status.to_string()
                }
            };
            *ends.entry(end).or_default() += 1;
        }
        corpus.state.restore();
    }
    println!("{verdicts:#?}\n{ends:#?}");
    assert!(
        violations.is_empty(),
        "{} violations\n{}",
        violations.len(),
        violations[..violations.len().min(40)].join("\n")
    );
}
