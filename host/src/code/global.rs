//! Modules across blocks. Within a block the cache does not change but for marks that entries are outdated, so that reads need no lock.

use super::cache::{CachedModule, ModuleCode};
use monomove_types::ModuleId;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes that an entry counts for besides its code.
const ENTRY_BYTES: usize = 160;

#[derive(Debug)]
struct Entry {
    /// False once a module of this name was published: the entry is outdated.
    is_valid: AtomicBool,
    code: Arc<ModuleCode>,
}

/// Verified modules as they were at the end of the last block.
#[derive(Debug, Default)]
pub(crate) struct GlobalModules {
    entries: HashMap<ModuleId, Entry>,
    bytes: usize,
}

impl GlobalModules {
    /// The module, if there is an entry that is not outdated.
    pub(crate) fn get(&self, id: &ModuleId) -> Option<&Arc<ModuleCode>> {
        let entry = self.entries.get(id)?;
        entry
            .is_valid
            .load(Ordering::Acquire)
            .then_some(&entry.code)
    }

    /// Marks an entry as outdated; whether there was one to mark.
    pub(crate) fn invalidate(&self, id: &ModuleId) -> bool {
        match self.entries.get(id) {
            Some(entry) => entry.is_valid.swap(false, Ordering::AcqRel),
            None => false,
        }
    }

    /// At the end of a block: takes what the block has over, and drops what is outdated.
    pub(crate) fn promote(&mut self, modules: impl IntoIterator<Item = (ModuleId, CachedModule)>) {
        self.entries.retain(|_, entry| *entry.is_valid.get_mut());
        for (id, module) in modules {
            let entry = Entry {
                is_valid: AtomicBool::new(true),
                code: module.code,
            };
            self.entries.insert(id, entry);
        }
        let sizes = self.entries.values();
        self.bytes = sizes
            .map(|entry| entry.code.bytes().len() + ENTRY_BYTES)
            .sum();
    }

    /// Drops everything.
    pub(crate) fn flush(&mut self) {
        *self = Self::default();
    }

    /// Entries.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of code and entries.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::cache::{CodeState, CodeVersion};
    use super::*;

    fn module(bytes: &[u8]) -> CachedModule {
        CachedModule {
            code: Arc::new(ModuleCode::new(bytes.into())),
            state: CodeState::Verified,
            version: CodeVersion::Storage,
        }
    }

    #[test]
    fn entries_are_valid_until_they_are_marked() {
        let [a, b]: [ModuleId; 2] = ["0x1::a", "0x1::b"].map(|id| id.parse().unwrap());
        let mut modules = GlobalModules::default();
        modules.promote([(a.clone(), module(b"1")), (b.clone(), module(b"22"))]);
        assert_eq!((modules.len(), modules.bytes()), (2, 3 + 2 * ENTRY_BYTES));
        assert!(modules.invalidate(&a) && !modules.invalidate(&a));
        assert!(modules.get(&a).is_none() && modules.get(&b).is_some());
        modules.promote([]);
        assert_eq!((modules.len(), modules.bytes()), (1, 2 + ENTRY_BYTES));
        modules.promote([(b.clone(), module(b"4444")), (a.clone(), module(b"1"))]);
        assert_eq!(&**modules.get(&b).unwrap().bytes(), b"4444");
        modules.flush();
        assert_eq!((modules.len(), modules.bytes()), (0, 0));
    }
}
