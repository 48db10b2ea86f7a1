//! What the tests share: a state in memory.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "test code, used in part by each test"
)]

use monomove_core::{CodeToken, ModuleCode, StateError, StateView, WriteOp};
use monomove_format::CompiledModule;
use monomove_types::{ModuleId, StateKey};
use std::collections::BTreeMap;

/// A state in memory: modules that stay, modules that come and go, values.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    base: BTreeMap<ModuleId, (u32, Vec<u8>)>,
    changed: BTreeMap<ModuleId, (u32, Vec<u8>)>,
    pub(crate) values: BTreeMap<StateKey, Vec<u8>>,
    next_token: u32,
}

impl State {
    /// Adds a module that stays.
    pub(crate) fn add(&mut self, bytes: Vec<u8>) {
        if let Ok(module) = CompiledModule::deserialize(&bytes) {
            self.next_token += 1;
            self.base.insert(module.self_id(), (self.next_token, bytes));
        }
    }

    /// Puts a module in the place of another until [`State::restore`].
    pub(crate) fn replace(&mut self, id: ModuleId, bytes: Vec<u8>) {
        self.next_token += 1;
        self.changed.insert(id, (self.next_token, bytes));
    }

    /// Goes back to the modules that stay and no values.
    pub(crate) fn restore(&mut self) {
        self.changed.clear();
        self.values.clear();
    }

    /// Applies the writes of a call.
    pub(crate) fn commit(&mut self, writes: &[(StateKey, WriteOp)]) {
        for (key, op) in writes {
            match op {
                WriteOp::Create(bytes) | WriteOp::Modify(bytes) => {
                    self.values.insert(key.clone(), bytes.clone());
                }
                WriteOp::Delete => {
                    self.values.remove(key);
                }
            }
        }
    }

    fn find(&self, id: &ModuleId) -> Option<&(u32, Vec<u8>)> {
        self.changed.get(id).or_else(|| self.base.get(id))
    }
}

impl StateView for State {
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, StateError> {
        Ok(self.find(id).map(|(token, bytes)| ModuleCode {
            token: CodeToken(*token),
            bytes: bytes.clone(),
        }))
    }

    fn is_current(&mut self, token: CodeToken) -> Result<bool, StateError> {
        let current = |(id, (each, _)): (&ModuleId, &(u32, Vec<u8>))| {
            *each == token.0 && self.find(id).is_some_and(|(now, _)| *now == token.0)
        };
        Ok(self.changed.iter().any(current) || self.base.iter().any(current))
    }

    fn value(&mut self, key: &StateKey) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.values.get(key).cloned())
    }
}
