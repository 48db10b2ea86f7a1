//! The state a transaction runs on: how it is read, how changes are applied, and a state in memory.

use monomove_core::WriteOp;
use monomove_format::{CompiledModule, FormatError};
use monomove_types::{ModuleId, StateKey};
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;

/// The state could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StateError {
    /// The store failed.
    #[error("cannot read {key}: {reason}")]
    Read {
        /// What was asked for.
        key: String,
        /// What the store said.
        reason: String,
    },
    /// The store does not answer at all.
    #[error("the state is not available: {0}")]
    Unavailable(String),
}

/// Read access to a state. One view shows one version of the state for as long as it lives.
///
/// Modules are values under their code path ([`StateKey::module`]). A view may be used by several workers at once. Handing out the
/// same `Arc` for the same value makes checking cached modules a comparison of pointers.
pub trait StateView: Sync {
    /// The value under `key`, if there is one.
    fn get(&self, key: &StateKey) -> Result<Option<Arc<[u8]>>, StateError>;
}

impl<V: StateView + ?Sized> StateView for &V {
    fn get(&self, key: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        (**self).get(key)
    }
}

/// Why changes were not applied. None of them was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommitError {
    /// A creation of something that is there.
    #[error("{0} exists already")]
    Exists(Box<StateKey>),
    /// A change or deletion of something that is not there.
    #[error("{0} does not exist")]
    Missing(Box<StateKey>),
    /// Two changes of one key.
    #[error("{0} is written twice")]
    Twice(Box<StateKey>),
    /// The store failed.
    #[error("cannot write the state: {0}")]
    Store(String),
}

/// The bytes are not a module.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a module: {0}")]
pub struct ModuleError(#[from] FormatError);

/// Write access to a state.
pub trait StateCommit {
    /// Applies all of `writes`, or none of them.
    fn commit(&mut self, writes: &[(StateKey, WriteOp)]) -> Result<(), CommitError>;
}

/// A state in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryState {
    values: BTreeMap<StateKey, Arc<[u8]>>,
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

    /// All values in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&StateKey, &Arc<[u8]>)> {
        self.values.iter()
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
        let mut changes: BTreeMap<&StateKey, Option<&[u8]>> = BTreeMap::new();
        for (key, op) in writes {
            let boxed = || Box::new(key.clone());
            let (must_exist, value) = match op {
                WriteOp::Create(bytes) => (false, Some(bytes.as_slice())),
                WriteOp::Modify(bytes) => (true, Some(bytes.as_slice())),
                WriteOp::Delete => (true, None),
            };
            match (must_exist, self.values.contains_key(key)) {
                (true, false) => return Err(CommitError::Missing(boxed())),
                (false, true) => return Err(CommitError::Exists(boxed())),
                _ => {}
            }
            if changes.insert(key, value).is_some() {
                return Err(CommitError::Twice(boxed()));
            }
        }
        for (key, value) in changes {
            match value {
                Some(bytes) => self.values.insert(key.clone(), bytes.into()),
                None => self.values.remove(key),
            };
        }
        Ok(())
    }
}
