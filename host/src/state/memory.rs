//! A state in memory.

use super::{CommitError, StateCommit, StateError, StateView, checked};
use foldhash::quality::RandomState;
use monomove_core::WriteOp;
use monomove_format::{CompiledModule, FormatError};
use monomove_types::{ModuleId, StateKey};
use std::collections::HashMap;
use std::sync::Arc;
use thiserror::Error;

/// The bytes are not a module.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a module: {0}")]
pub struct ModuleError(#[from] FormatError);

/// A state in memory. Keys come from users, so that the hash has a seed of its own in each process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryState {
    values: HashMap<StateKey, Arc<[u8]>, RandomState>,
}

impl MemoryState {
    /// An empty state.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a module under the key of its own identity, which is returned. It is not verified: that happens when it is used.
    pub fn insert_module(&mut self, bytes: impl Into<Arc<[u8]>>) -> Result<ModuleId, ModuleError> {
        let bytes = bytes.into();
        let module = CompiledModule::deserialize(&bytes)?;
        let id = module.self_id();
        self.values.insert(StateKey::module(id.clone()), bytes);
        Ok(id)
    }

    /// Sets the value under `key`; returns what was there.
    pub fn insert(&mut self, key: StateKey, value: impl Into<Arc<[u8]>>) -> Option<Arc<[u8]>> {
        self.values.insert(key, value.into())
    }

    /// Takes the value under `key` away.
    pub fn remove(&mut self, key: &StateKey) -> Option<Arc<[u8]>> {
        self.values.remove(key)
    }

    /// All values in the order of their keys, which are sorted for that.
    pub fn iter(&self) -> impl Iterator<Item = (&StateKey, &Arc<[u8]>)> {
        let mut values: Vec<_> = self.values.iter().collect();
        values.sort_unstable_by_key(|(key, _)| *key);
        values.into_iter()
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<B: Into<Arc<[u8]>>> FromIterator<(StateKey, B)> for MemoryState {
    fn from_iter<I: IntoIterator<Item = (StateKey, B)>>(values: I) -> Self {
        Self {
            values: values
                .into_iter()
                .map(|(key, value)| (key, value.into()))
                .collect(),
        }
    }
}

impl StateView for MemoryState {
    fn get(&self, key: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        Ok(self.values.get(key).cloned())
    }
}

impl StateCommit for MemoryState {
    fn commit(&mut self, writes: &[(StateKey, WriteOp)]) -> Result<(), CommitError> {
        for (key, value) in checked(writes, |key| Ok(self.values.contains_key(key)))? {
            match value {
                Some(bytes) => self.values.insert(key.clone(), bytes.into()),
                None => self.values.remove(key),
            };
        }
        Ok(())
    }
}
