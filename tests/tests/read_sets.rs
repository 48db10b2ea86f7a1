//! What a call reads does not depend on what the machine has cached: the keys that it asks its view for are the same in a fresh machine and in one that ran
//! everything before.
//!
//! `MONOMOVE_MUTANTS` is the number of calls.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

use monomove::{
    Backend, Engine, EngineConfig, MemoryState, Sandbox, StateError, StateKey, StateView,
};
use monomove_tests::mutants::{Originals, Random, call};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// A state that notes what it is asked for.
struct Noting<'a> {
    state: &'a MemoryState,
    keys: Mutex<BTreeSet<StateKey>>,
}

impl StateView for Noting<'_> {
    fn get(&self, key: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        self.keys.lock().unwrap().insert(key.clone());
        self.state.get(key)
    }
}

#[test]
fn reads_do_not_depend_on_caches() {
    let originals = Originals::load().unwrap();
    let mut state = MemoryState::new();
    for bytes in &originals.binaries {
        state.insert_module(bytes.clone()).unwrap();
    }
    let engine = Engine::with_config(EngineConfig {
        backend: Backend::Native,
        ..EngineConfig::default()
    });
    let engine = engine.unwrap();
    let count = std::env::var("MONOMOVE_MUTANTS").map_or(1_500, |text| text.parse().unwrap());
    let mut random = Random(11);
    let mut calls = Vec::new();
    while calls.len() < count {
        let module = random.one_of(&originals.modules).unwrap();
        let index = random.below(module.function_defs.len());
        if index < module.function_defs.len() {
            calls.extend(call(
                &mut random,
                &originals.by_id,
                module,
                index,
                1_000_000,
            ));
        }
    }
    let read = |sandbox: &mut Sandbox, call| {
        let view = Noting {
            state: &state,
            keys: Mutex::default(),
        };
        let outcome = sandbox.execute(call, &view).unwrap();
        (view.keys.into_inner().unwrap(), outcome)
    };
    let mut warm = Sandbox::new(&engine);
    for call in &calls {
        warm.execute(call, &state).unwrap();
    }
    let mut different = Vec::new();
    for call in &calls {
        let (cold, expected) = read(&mut Sandbox::new(&engine), call);
        let (again, outcome) = read(&mut warm, call);
        assert_eq!(outcome, expected);
        if cold != again {
            let names = |keys: Vec<&StateKey>| {
                let names: Vec<_> = keys.iter().map(ToString::to_string).collect();
                names.join(", ")
            };
            different.push(format!(
                "{}::{}: only cold: {}; only warm: {}",
                call.module,
                call.function,
                names(cold.difference(&again).collect()),
                names(again.difference(&cold).collect())
            ));
        }
    }
    assert!(
        different.is_empty(),
        "{} of {count} calls\n{}",
        different.len(),
        different[..different.len().min(20)].join("\n")
    );
}
