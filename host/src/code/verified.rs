//! Contents that passed the verifier, for all sandboxes of an engine. An engine has one configuration of the verifier, so that a content that passed once passes
//! always.

use super::cache::{CodeHash, CodeState, ScriptCache};
use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

/// Contents of either kind that are remembered at most; then all are forgotten.
const MAX_REMEMBERED: usize = 1 << 16;

/// The contents that passed the verifier.
#[derive(Debug, Default)]
pub(crate) struct VerifiedCode {
    modules: Contents,
    scripts: Contents,
}

impl VerifiedCode {
    /// Whether a module with this content passed the verifier.
    pub(crate) fn has_module(&self, hash: &CodeHash) -> bool {
        self.modules.has(hash)
    }

    /// A module with this content passed the verifier.
    pub(crate) fn add_module(&self, hash: CodeHash) {
        self.modules.add(hash);
    }

    /// Modules and scripts that are remembered.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.modules.len(), self.scripts.len())
    }

    /// Forgets everything. Results do not depend on it.
    pub(crate) fn clear(&self) {
        self.modules.clear();
        self.scripts.clear();
    }
}

impl ScriptCache for VerifiedCode {
    fn insert_verified_script(&self, hash: CodeHash) {
        self.scripts.add(hash);
    }

    fn script_state(&self, hash: &CodeHash) -> Option<CodeState> {
        self.scripts.has(hash).then_some(CodeState::Verified)
    }
}

/// A bounded set of hashes. Whatever a panic left behind, a set of hashes is sound.
#[derive(Debug, Default)]
struct Contents(RwLock<HashSet<CodeHash>>);

impl Contents {
    fn has(&self, hash: &CodeHash) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.contains(hash)
    }

    fn add(&self, hash: CodeHash) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        known.insert(hash);
    }

    fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn clear(&self) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_and_scripts_are_told_apart_and_bounded() {
        let known = VerifiedCode::default();
        let hash = |n: usize| CodeHash::of(&n.to_le_bytes());
        known.add_module(hash(0));
        assert!(known.has_module(&hash(0)));
        assert_eq!(known.script_state(&hash(0)), None);
        known.insert_verified_script(hash(1));
        assert_eq!(known.script_state(&hash(1)), Some(CodeState::Verified));
        assert!(!known.has_module(&hash(1)));
        for n in 0..=MAX_REMEMBERED {
            known.add_module(hash(n));
        }
        assert!(known.sizes().0 <= MAX_REMEMBERED && known.has_module(&hash(MAX_REMEMBERED)));
        known.clear();
        assert_eq!(known.sizes(), (0, 0));
    }
}
