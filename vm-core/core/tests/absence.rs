//! Modules that are missing, or not what the state should hold: how a call ends, and that a machine sees them once the state has them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

use monomove_core::{
    Access, Call, CodeToken, Machine, MachineConfig, ModuleCode, Outcome, StateError, StateView,
};
use monomove_format::{Bytecode, CompiledModule};
use monomove_types::{AccountAddress, Identifier, ModuleId, StateKey, StatusCode};
use std::collections::BTreeMap;

#[derive(Default)]
struct Modules(BTreeMap<String, Vec<u8>>);

impl Modules {
    fn add(&mut self, name: &str) {
        let path = format!(
            "{}/../../tests/golden/bytecode/v8/{name}.mv",
            env!("CARGO_MANIFEST_DIR")
        );
        self.0.insert(name.to_owned(), std::fs::read(path).unwrap());
    }
}

impl StateView for Modules {
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, StateError> {
        let bytes = self.0.get(id.name.as_str()).cloned();
        Ok(bytes.map(|bytes| ModuleCode {
            token: CodeToken(0),
            bytes,
        }))
    }

    fn is_current(&mut self, _: CodeToken) -> Result<bool, StateError> {
        Ok(true)
    }

    fn value(&mut self, _: &StateKey) -> Result<Option<Vec<u8>>, StateError> {
        Ok(None)
    }
}

#[test]
fn a_module_that_was_missing_is_found_later() {
    let address = AccountAddress::from_hex_literal("0xcafe").unwrap();
    let mut owner = [0; 32];
    owner[31] = 9;
    let call = Call {
        module: ModuleId::new(address, Identifier::new("multi_b").unwrap()),
        function: Identifier::new("one").unwrap(),
        ty_args: Vec::new(),
        signers: Vec::new(),
        args: vec![5u64.to_le_bytes().to_vec(), owner.to_vec()],
        access: Access::Any,
        gas_limit: u64::MAX,
        txn_hash: [0; 32],
    };
    let mut machine = Machine::new(MachineConfig::default());
    let mut modules = Modules::default();
    modules.add("multi_b");
    let missing = machine.call(&call, &mut modules);
    assert!(matches!(missing.outcome, Outcome::Failed(_)), "{missing:?}");
    modules.add("multi_a");
    modules.add("multi_p");
    let found = machine.call(&call, &mut modules);
    assert!(
        matches!(found.outcome, Outcome::Returned { .. }),
        "{found:?}"
    );
    let fresh = Machine::new(MachineConfig::default()).call(&call, &mut modules);
    assert_eq!(found, fresh);
}

/// The status of a call of `multi_b::one` with these bytes in the place of the module.
fn status_with(bytes: Option<Vec<u8>>) -> StatusCode {
    let mut modules = Modules::default();
    modules
        .0
        .extend(bytes.map(|bytes| ("multi_b".to_owned(), bytes)));
    let call = Call {
        module: "0xcafe::multi_b".parse().unwrap(),
        function: Identifier::new("one").unwrap(),
        ty_args: Vec::new(),
        signers: Vec::new(),
        args: Vec::new(),
        access: Access::Any,
        gas_limit: u64::MAX,
        txn_hash: [0; 32],
    };
    let mut machine = Machine::new(MachineConfig::default());
    let first = machine.call(&call, &mut modules);
    assert_eq!(machine.call(&call, &mut modules), first);
    match first.outcome {
        Outcome::Failed(failure) => failure.status,
        returned => panic!("{returned:?}"),
    }
}

#[test]
fn stored_modules_that_are_not_what_they_should_be() {
    let mut modules = Modules::default();
    modules.add("multi_b");
    modules.add("multi_a");
    let good = modules.0["multi_b"].clone();
    assert_eq!(status_with(None), StatusCode::LINKER_ERROR);
    for bytes in [vec![], b"garbage".to_vec(), good[..good.len() / 2].to_vec()] {
        assert_eq!(
            status_with(Some(bytes)),
            StatusCode::CODE_DESERIALIZATION_ERROR
        );
    }
    // Another module under this name.
    let other = modules.0["multi_a"].clone();
    assert_eq!(status_with(Some(other)), StatusCode::STORAGE_ERROR);
    // One that does not pass the verifier: a function that gives nothing back although it should.
    let mut module = CompiledModule::deserialize(&good).unwrap();
    for definition in &mut module.function_defs {
        if let Some(unit) = &mut definition.code {
            unit.code = vec![Bytecode::LdTrue, Bytecode::Ret];
        }
    }
    let unverified = module.serialize().unwrap();
    assert_eq!(
        status_with(Some(unverified)),
        StatusCode::UNEXPECTED_VERIFIER_ERROR
    );
}
