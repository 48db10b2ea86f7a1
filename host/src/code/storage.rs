//! Where code is asked for: bytes of modules at the bottom, modules with what is known about them above. Scripts come with
//! transactions, and what is known of them is asked of [`VerifiedCode`](super::VerifiedCode) by hash.

use super::cache::CachedModule;
use crate::state::{StateError, StateView};
use monomove_types::{ModuleId, StateKey};
use std::sync::Arc;

/// Bytes of modules. A state is one.
pub(crate) trait ModuleBytesStorage {
    /// The module in the binary format, if there is one of this name.
    fn fetch_module_bytes(&self, id: &ModuleId) -> Result<Option<Arc<[u8]>>, StateError>;
}

impl<S: StateView + ?Sized> ModuleBytesStorage for S {
    fn fetch_module_bytes(&self, id: &ModuleId) -> Result<Option<Arc<[u8]>>, StateError> {
        self.get(&StateKey::module(id.clone()))
    }
}

/// Modules with what is known about them, out of caches as far as these have them.
pub(crate) trait ModuleStorage {
    /// The module of this name as it is below the running block.
    fn fetch_module(&self, id: &ModuleId) -> Result<Option<CachedModule>, StateError>;
}
