//! The state that transactions run on: how it is read, how changes are applied, and what implements that.

mod disk;
mod fork;
mod memory;

pub use disk::{BlockInfo, DiskState, DiskView, OpenError, PruneReport, Scan, StoreInfo};
pub use fork::Fork;
pub use memory::{MemoryState, ModuleError};

use monomove_core::WriteOp;
use monomove_types::StateKey;
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

impl<V: StateView + Send + ?Sized> StateView for Box<V> {
    fn get(&self, key: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        (**self).get(key)
    }
}

impl<V: StateView + Send + ?Sized> StateView for Arc<V> {
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
    /// A block of another version than the one after the last.
    #[error("the next block has version {expected}, not {given}")]
    Version {
        /// The version after the last one.
        expected: u64,
        /// The block's.
        given: u64,
    },
    /// A block that does not follow the last one.
    #[error("the block's parent is not the last block (version {latest})")]
    Parent {
        /// Version of the last block.
        latest: u64,
    },
    /// What the state holds could not be looked up.
    #[error(transparent)]
    Read(#[from] StateError),
    /// The store failed.
    #[error("cannot write the state: {0}")]
    Store(String),
}

/// Write access to a state.
pub trait StateCommit {
    /// Applies all of `writes`, or none of them.
    fn commit(&mut self, writes: &[(StateKey, WriteOp)]) -> Result<(), CommitError>;
}

/// The changes by key, `None` for a deletion, after checking them against what is there: each key once, creations of what is
/// missing, changes and deletions of what `exists`.
fn checked(
    writes: &[(StateKey, WriteOp)],
    mut exists: impl FnMut(&StateKey) -> Result<bool, CommitError>,
) -> Result<BTreeMap<&StateKey, Option<&[u8]>>, CommitError> {
    let mut changes = BTreeMap::new();
    for (key, op) in writes {
        let boxed = || Box::new(key.clone());
        match (op, exists(key)?) {
            (WriteOp::Create(_), true) => return Err(CommitError::Exists(boxed())),
            (WriteOp::Modify(_) | WriteOp::Delete, false) => {
                return Err(CommitError::Missing(boxed()));
            }
            _ => {}
        }
        if changes.insert(key, value_of(op)).is_some() {
            return Err(CommitError::Twice(boxed()));
        }
    }
    Ok(changes)
}

/// What is under the key after `op`.
pub(crate) fn value_of(op: &WriteOp) -> Option<&[u8]> {
    match op {
        WriteOp::Create(bytes) | WriteOp::Modify(bytes) => Some(bytes),
        WriteOp::Delete => None,
    }
}
