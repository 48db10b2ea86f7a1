//! The code of a block: what is read below it, and what its transactions published.
//!
//! Transactions see each other's modules through the executor, which shows a published module from the commit of its transaction on. So questions that come here
//! are about the state below the block, and are answered from it whatever is published meanwhile; what was published is kept for the next block.

use super::cache::{CachedModule, CodeState, CodeVersion, ModuleCache, ModuleCode, Outdated};
use super::global::GlobalModules;
use super::storage::{ModuleBytesStorage, ModuleStorage};
use super::verified::VerifiedCode;
use crate::state::{StateError, StateView};
use crate::stm::BlockInspector;
use monomove_types::{ModuleId, Path, StateKey};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The modules that a block read or published, by name.
#[derive(Debug, Default)]
pub(crate) struct BlockModules(Mutex<HashMap<ModuleId, CachedModule>>);

impl BlockModules {
    /// Each change of the map is one call, so that it is sound whatever a panic left behind.
    fn lock(&self) -> MutexGuard<'_, HashMap<ModuleId, CachedModule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, id: ModuleId, module: CachedModule) -> Result<CachedModule, Outdated> {
        match self.lock().entry(id) {
            Entry::Vacant(free) => Ok(free.insert(module).clone()),
            Entry::Occupied(mut there) => {
                let (old, new) = (there.get().version, module.version);
                if new < old {
                    return Err(Outdated);
                }
                if new > old || module.state > there.get().state {
                    there.insert(module);
                }
                Ok(there.get().clone())
            }
        }
    }
}

impl ModuleCache for BlockModules {
    type Key = ModuleId;

    fn insert_deserialized_module(
        &self,
        key: ModuleId,
        code: Arc<ModuleCode>,
        version: CodeVersion,
    ) -> Result<CachedModule, Outdated> {
        let state = CodeState::Deserialized;
        let module = CachedModule {
            code,
            state,
            version,
        };
        self.insert(key, module)
    }

    fn insert_verified_module(
        &self,
        key: ModuleId,
        code: Arc<ModuleCode>,
        version: CodeVersion,
    ) -> Result<CachedModule, Outdated> {
        let state = CodeState::Verified;
        let module = CachedModule {
            code,
            state,
            version,
        };
        self.insert(key, module)
    }

    fn get_module_or_build_with<E>(
        &self,
        key: &ModuleId,
        builder: impl FnOnce() -> Result<Option<Arc<[u8]>>, E>,
    ) -> Result<Option<CachedModule>, E> {
        if let Some(module) = self.lock().get(key) {
            return Ok(Some(module.clone()));
        }
        // Built without the lock: reading may take long. Who comes second gets what the first one entered.
        let Some(bytes) = builder()? else {
            return Ok(None);
        };
        let code = Arc::new(ModuleCode::new(bytes));
        let entered =
            self.insert_deserialized_module(key.clone(), code.clone(), CodeVersion::Storage);
        Ok(Some(entered.unwrap_or(CachedModule {
            code,
            state: CodeState::Deserialized,
            version: CodeVersion::Storage,
        })))
    }
}

/// Where questions for modules were answered.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) global_hits: AtomicU64,
    pub(crate) block_hits: AtomicU64,
    pub(crate) misses: AtomicU64,
    pub(crate) invalidations: AtomicU64,
    pub(crate) published: AtomicU64,
}

impl Counts {
    fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The state below a block, its modules out of the caches.
pub(crate) struct BlockCode<'a> {
    base: &'a dyn StateView,
    global: &'a GlobalModules,
    verified: &'a VerifiedCode,
    modules: BlockModules,
    pub(crate) counts: Counts,
    /// Whether something went wrong in the block: the caches are neither asked nor fed any more.
    is_abandoned: AtomicBool,
}

impl<'a> BlockCode<'a> {
    pub(crate) fn new(
        base: &'a dyn StateView,
        global: &'a GlobalModules,
        verified: &'a VerifiedCode,
    ) -> Self {
        Self {
            base,
            global,
            verified,
            modules: BlockModules::default(),
            counts: Counts::default(),
            is_abandoned: AtomicBool::new(false),
        }
    }

    /// A transaction that published a module is committed. The machine verified it then.
    fn publish(&self, transaction: u32, id: &ModuleId, bytes: &[u8]) {
        if self.is_abandoned() {
            return;
        }
        Counts::count(&self.counts.published);
        if self.global.invalidate(id) {
            Counts::count(&self.counts.invalidations);
        }
        let code = Arc::new(ModuleCode::new(bytes.into()));
        self.verified.add_module(code.hash());
        let version = CodeVersion::Transaction(transaction);
        // Transactions commit in order, so that there is no later version.
        let _entered = self
            .modules
            .insert_verified_module(id.clone(), code, version);
    }

    fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::Release);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Acquire)
    }

    /// What the block has over for the next one: the latest versions, as far as they are verified.
    pub(crate) fn into_verified(self) -> Vec<(ModuleId, CachedModule)> {
        let entries: Vec<_> = self.modules.lock().drain().collect();
        let mut verified = Vec::with_capacity(entries.len());
        for (id, mut module) in entries {
            if self.verified.has_module(&module.code.hash()) {
                module.state = CodeState::Verified;
            }
            if module.state == CodeState::Verified {
                verified.push((id, module));
            }
        }
        verified
    }
}

impl ModuleStorage for BlockCode<'_> {
    fn fetch_module(&self, id: &ModuleId) -> Result<Option<CachedModule>, StateError> {
        if let Some(code) = self.global.get(id) {
            Counts::count(&self.counts.global_hits);
            return Ok(Some(CachedModule {
                code: code.clone(),
                state: CodeState::Verified,
                version: CodeVersion::Storage,
            }));
        }
        let mut was_built = false;
        let found = self.modules.get_module_or_build_with(id, || {
            was_built = true;
            self.base.fetch_module_bytes(id)
        })?;
        match found {
            // Of a module that was published since, the question is for what it replaced.
            Some(module) if module.version != CodeVersion::Storage => {
                Counts::count(&self.counts.misses);
                let bytes = self.base.fetch_module_bytes(id)?;
                Ok(bytes.map(|bytes| CachedModule {
                    code: Arc::new(ModuleCode::new(bytes)),
                    state: CodeState::Deserialized,
                    version: CodeVersion::Storage,
                }))
            }
            found => {
                Counts::count(match was_built {
                    true => &self.counts.misses,
                    false => &self.counts.block_hits,
                });
                Ok(found)
            }
        }
    }
}

/// The module that a key names, if it is the key of one.
pub(crate) fn module_of(key: &StateKey) -> Option<&ModuleId> {
    match key {
        StateKey::AccessPath {
            address,
            path: Path::Code(id),
        } if *address == id.address => Some(id),
        _ => None,
    }
}

impl StateView for BlockCode<'_> {
    fn get(&self, key: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        match module_of(key) {
            Some(id) if !self.is_abandoned() => {
                let module = self.fetch_module(id)?;
                Ok(module.map(|module| module.code.bytes().clone()))
            }
            _ => self.base.get(key),
        }
    }
}

/// Feeds the caches with what is committed, and tells everything to another inspector.
pub(crate) struct Feeding<'a> {
    pub(crate) code: &'a BlockCode<'a>,
    pub(crate) inner: &'a dyn BlockInspector,
}

impl BlockInspector for Feeding<'_> {
    fn on_execute(&self, transaction: usize, incarnation: u32) {
        self.inner.on_execute(transaction, incarnation);
    }

    fn on_suspend(&self, transaction: usize, writer: usize) {
        self.inner.on_suspend(transaction, writer);
    }

    fn on_validate(&self, transaction: usize, incarnation: u32, is_valid: bool) {
        self.inner.on_validate(transaction, incarnation, is_valid);
    }

    fn on_abort(&self, transaction: usize, incarnation: u32) {
        self.inner.on_abort(transaction, incarnation);
    }

    fn on_commit(&self, transaction: usize, incarnation: u32) {
        self.inner.on_commit(transaction, incarnation);
    }

    fn on_publish(&self, transaction: usize, module: &ModuleId, code: &[u8]) {
        // A block has less than 2^32 transactions.
        self.code.publish(transaction as u32, module, code);
        self.inner.on_publish(transaction, module, code);
    }

    fn on_fallback(&self, reason: &str) {
        self.code.abandon();
        self.inner.on_fallback(reason);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::cache::CodeHash;
    use super::*;
    use crate::state::MemoryState;

    fn code(bytes: &[u8]) -> Arc<ModuleCode> {
        Arc::new(ModuleCode::new(bytes.into()))
    }

    #[test]
    fn lower_versions_never_take_the_place_of_higher_ones() {
        let id: ModuleId = "0x1::a".parse().unwrap();
        let modules = BlockModules::default();
        let [storage, third, fifth] = [
            CodeVersion::Storage,
            CodeVersion::Transaction(3),
            CodeVersion::Transaction(5),
        ];
        let enter = |bytes: &[u8], version| {
            modules.insert_deserialized_module(id.clone(), code(bytes), version)
        };
        assert_eq!(&**enter(b"old", storage).unwrap().code.bytes(), b"old");
        // Of one version, the first one stays, and becomes verified.
        assert_eq!(&**enter(b"OLD", storage).unwrap().code.bytes(), b"old");
        let verified = modules
            .insert_verified_module(id.clone(), code(b"old"), storage)
            .unwrap();
        assert_eq!(verified.state, CodeState::Verified);
        assert_eq!(
            enter(b"old", storage).unwrap().state,
            CodeState::Verified,
            "verified code becomes unverified again"
        );
        assert_eq!(
            enter(b"5", fifth).unwrap().state,
            CodeState::Deserialized,
            "what was known of another version is taken over"
        );
        assert_eq!(enter(b"3", third).unwrap_err(), Outdated);
        let verified = modules.insert_verified_module(id.clone(), code(b"3"), third);
        assert_eq!(verified.unwrap_err(), Outdated);
        let never = || -> Result<_, ()> { Err(()) };
        let found = modules.get_module_or_build_with(&id, never).unwrap();
        assert_eq!(&**found.unwrap().code.bytes(), b"5");
    }

    #[test]
    fn questions_are_about_the_state_below() {
        let id: ModuleId = "0x1::a".parse().unwrap();
        let state = MemoryState::from_iter([(StateKey::module(id.clone()), b"old".as_slice())]);
        let verified = VerifiedCode::default();
        let mut global = GlobalModules::default();
        let promoted = {
            let block = BlockCode::new(&state, &global, &verified);
            for _ in 0..2 {
                let found = block.get(&StateKey::module(id.clone())).unwrap();
                assert_eq!(&*found.unwrap(), b"old");
            }
            assert_eq!(block.counts.misses.load(Ordering::Relaxed), 1);
            assert_eq!(block.counts.block_hits.load(Ordering::Relaxed), 1);
            verified.add_module(CodeHash::of(b"old"));
            block.into_verified()
        };
        global.promote(promoted);
        let promoted = {
            let nothing = MemoryState::new();
            let block = BlockCode::new(&nothing, &global, &verified);
            let key = StateKey::module(id.clone());
            assert_eq!(&*block.get(&key).unwrap().unwrap(), b"old");
            assert_eq!(block.counts.global_hits.load(Ordering::Relaxed), 1);
            block.publish(7, &id, b"new");
            assert_eq!(block.counts.invalidations.load(Ordering::Relaxed), 1);
            assert_eq!(block.get(&key).unwrap(), None, "answered with the new one");
            block.into_verified()
        };
        global.promote(promoted);
        assert_eq!(&**global.get(&id).unwrap().bytes(), b"new");
    }

    #[test]
    fn nothing_unverified_is_promoted_and_nothing_of_an_abandoned_block_answers() {
        let id: ModuleId = "0x1::a".parse().unwrap();
        let key = StateKey::module(id.clone());
        let state = MemoryState::from_iter([(key.clone(), b"old".as_slice())]);
        let verified = VerifiedCode::default();
        let global = GlobalModules::default();
        let block = BlockCode::new(&state, &global, &verified);
        block.get(&key).unwrap();
        block.abandon();
        block.publish(0, &id, b"new");
        assert_eq!(&*block.get(&key).unwrap().unwrap(), b"old");
        assert!(block.is_abandoned());
        assert!(block.into_verified().is_empty());
    }
}
