//! What the host knows about code: which contents passed the verifier, and the modules of a chain between and within blocks (AIP-107).
//!
//! The machine verifies, links and lowers inside a sandbox; nothing here reads a binary. So *deserialized* means for a cache: these are the bytes of the
//! module; and *verified*: a machine of this engine found that they pass the verifier.
//!
//! | what | lives | says |
//! |---|---|---|
//! | [`VerifiedCode`] | as long as its engine, shared by all its sandboxes | by content: this module, this script passed the verifier |
//! | [`GlobalModules`](global::GlobalModules) | across blocks, unchanging within one | by name: the bytes of the module at the end of the last block |
//! | [`BlockModules`](block::BlockModules) | for a block | by name: modules first read in it, and those published by committed transactions |
//! | [`CodeManager`] | as long as its block executor | whether what is kept is still of use for the next block |
//!
//! **What the host trusts.** That a content is verified is believed of an instance of the same engine (hence the same guest and configuration) whose call
//! ended properly; what an instance said in a call that faulted is dropped. An instance that could lie about this could as well lie about the output of
//! its calls, which the host takes from it.
//!
//! No result and no gas depends on what is cached: the tests of this module compare caches in every condition.

mod block;
mod cache;
mod global;
mod manager;
mod storage;
mod verified;

pub use manager::{CodeCacheConfig, CodeCacheMetrics};

pub(crate) use block::{Feeding, module_of};
pub(crate) use cache::{CodeHash, CodeState, ScriptCache};
pub(crate) use manager::{CodeManager, Finished};
pub(crate) use verified::VerifiedCode;

#[cfg(test)]
mod tests;
