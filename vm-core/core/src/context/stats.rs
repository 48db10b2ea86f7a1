//! Sizes of the tables of a context, and how often what was made once was used again.

use super::Context;
use serde::{Deserialize, Serialize};

/// Sizes of the tables of a context. They tell of caches: equal results may have different figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextStats {
    /// Interned names.
    pub names: u64,
    /// Module ids.
    pub modules: u64,
    /// Struct and enum definitions.
    pub templates: u64,
    /// Compound types.
    pub types: u64,
    /// Lists of types that are not inlined in their ids.
    pub type_lists: u64,
    /// Layouts.
    pub layouts: u64,
    /// Instantiated signatures, and how often one was asked for.
    pub signatures: u64,
    /// How often an instantiated signature was asked for.
    pub signature_lookups: u64,
    /// Kinds of function values.
    pub closures: u64,
    /// Lowered functions: one for each definition, type arguments and form.
    pub functions: u64,
    /// How often a lowered function was asked for.
    pub function_lookups: u64,
    /// Call targets.
    pub targets: u64,
    /// Bytes of the tables of names, modules, templates, types and lists.
    pub bytes: u64,
    /// Bytes of lowered code and of the tables of functions and targets.
    pub code_bytes: u64,
}

impl ContextStats {
    /// Signatures that were there when they were asked for.
    pub fn signature_hits(&self) -> u64 {
        self.signature_lookups.saturating_sub(self.signatures)
    }

    /// Lowered functions that were there when they were asked for.
    pub fn function_hits(&self) -> u64 {
        self.function_lookups.saturating_sub(self.functions)
    }
}

impl Context {
    /// The sizes of the context's own tables.
    pub(crate) fn stats(&self) -> ContextStats {
        let mut stats = self.types.stats();
        stats.layouts = self.layouts.len() as u64;
        stats.signatures = self.instantiations.len() as u64;
        stats.signature_lookups = self.instantiations.lookups;
        stats.closures = self.closures.len() as u64;
        stats
    }
}
