//! Figures of a machine: what it keeps, and what its last transaction did. They tell of caches and memory, not of results.

use crate::ContextStats;
use serde::{Deserialize, Serialize};

/// The heap in the last transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeapStats {
    /// Bytes of all objects that were allocated, headers included.
    pub allocated: u64,
    /// Collections.
    pub collections: u64,
    /// Bytes that collections copied: all that was alive, each time.
    pub copied: u64,
    /// Bytes that were alive after the last collection.
    pub live: u64,
    /// Most bytes that were in use at once.
    pub peak: u64,
    /// Most bytes that were in use at once in any transaction so far.
    pub highest: u64,
    /// The step that the heap had grown to.
    pub size: u64,
    /// Most bytes that it may grow to.
    pub limit: u64,
}

/// Values of the state that are kept as flat images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueCacheStats {
    /// Values.
    pub values: u64,
    /// Bytes of their images and their BCS.
    pub bytes: u64,
    /// How often a value was copied from here.
    pub hits: u64,
    /// How often a value was decoded from BCS.
    pub decoded: u64,
    /// How often a value came as an image that another instance had made.
    pub shared: u64,
}

/// All figures of a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineStats {
    /// The code context: interner and lowered functions.
    pub context: ContextStats,
    /// The heap of the last transaction.
    pub heap: HeapStats,
    /// The cache of values.
    pub values: ValueCacheStats,
}
