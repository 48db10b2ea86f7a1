//! A machine that met a missing module must see it once the state has it.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

use monomove_core::{
    Access, Call, CodeToken, Machine, MachineConfig, ModuleCode, Outcome, StateError, StateView,
};
use monomove_types::{AccountAddress, Identifier, ModuleId, StateKey};
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
