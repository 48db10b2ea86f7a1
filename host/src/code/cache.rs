//! What caches of code hold, and how they are asked: modules with states and versions, scripts by their hashes.

use sha3::{Digest, Sha3_256};
use std::sync::{Arc, OnceLock};

/// SHA3-256 of the bytes of a module or a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CodeHash(pub(crate) [u8; 32]);

impl CodeHash {
    /// The hash of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha3_256::digest(bytes).into())
    }
}

/// The bytes of a module with their hash, which is found when somebody asks for it.
#[derive(Debug)]
pub(crate) struct ModuleCode {
    bytes: Arc<[u8]>,
    hash: OnceLock<CodeHash>,
}

impl ModuleCode {
    /// Code with these bytes.
    pub(crate) fn new(bytes: Arc<[u8]>) -> Self {
        Self {
            bytes,
            hash: OnceLock::new(),
        }
    }

    /// The module in the binary format.
    pub(crate) fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// The hash of its bytes.
    pub(crate) fn hash(&self) -> CodeHash {
        *self.hash.get_or_init(|| CodeHash::of(&self.bytes))
    }
}

/// How far cached code was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CodeState {
    /// Nobody said that it passed the verifier.
    Deserialized,
    /// It passed the verifier.
    Verified,
}

/// Where a module comes from. Later versions take the place of earlier ones, never the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CodeVersion {
    /// The state below the block.
    #[default]
    Storage,
    /// The transaction of the block that published it.
    Transaction(u32),
}

/// An entry of a module cache.
#[derive(Clone, Debug)]
pub(crate) struct CachedModule {
    /// The module.
    pub(crate) code: Arc<ModuleCode>,
    /// How far it was checked.
    pub(crate) state: CodeState,
    /// Where it comes from.
    pub(crate) version: CodeVersion,
}

/// A module was not entered: there is a later version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outdated;

/// Modules by name, in the state and version in which they were entered last. An entry only gets later versions, and a version only becomes verified.
pub(crate) trait ModuleCache {
    /// Names of modules.
    type Key;

    /// Enters code that nobody has verified. If there is the same version already, that one stays and is given back.
    fn insert_deserialized_module(
        &self,
        key: Self::Key,
        code: Arc<ModuleCode>,
        version: CodeVersion,
    ) -> Result<CachedModule, Outdated>;

    /// Enters code that passed the verifier.
    fn insert_verified_module(
        &self,
        key: Self::Key,
        code: Arc<ModuleCode>,
        version: CodeVersion,
    ) -> Result<CachedModule, Outdated>;

    /// The module, entered as the builder has it if it is not there. What the builder does not have is not entered.
    fn get_module_or_build_with<E>(
        &self,
        key: &Self::Key,
        builder: impl FnOnce() -> Result<Option<Arc<[u8]>>, E>,
    ) -> Result<Option<CachedModule>, E>;
}

/// Scripts by hash. What they link against is checked whenever one is loaded, so that nothing makes them stale.
pub(crate) trait ScriptCache {
    /// Enters a script that passed the verifier.
    fn insert_verified_script(&self, hash: CodeHash);

    /// How far the script was checked; `None` if it is not known.
    fn script_state(&self, hash: &CodeHash) -> Option<CodeState>;
}
