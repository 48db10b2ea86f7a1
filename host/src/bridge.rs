//! From the host's view of the state to the machine's: modules get tokens, so that the machine can keep what it made of them and only
//! ask whether they are still the same.

use crate::state::{StateError, StateView};
use monomove_core::{CodeToken, ModuleCode};
use monomove_types::{ModuleId, StateKey};
use std::collections::HashMap;
use std::sync::Arc;

/// Code bytes that a table keeps alive before it counts as full.
const MAX_BYTES: usize = 256 << 20;

/// Tokens that a table gives out before it counts as full.
const MAX_TOKENS: usize = 1 << 20;

/// Latest versions of a module whose tokens are given out again.
const VERSIONS: usize = 8;

/// Code and its token.
pub(crate) type TokenedCode = (CodeToken, Arc<[u8]>);

/// The module bytes a machine was given, by token. It lives as long as the machine does.
#[derive(Clone, Debug, Default)]
pub(crate) struct CodeTable {
    entries: Vec<CodeEntry>,
    /// Tokens of the versions of a module, oldest first.
    tokens: HashMap<StateKey, Vec<u32>>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct CodeEntry {
    key: StateKey,
    code: Arc<[u8]>,
}

impl CodeEntry {
    /// Whether `code` is the same; from then on recognised by its address.
    fn accept(&mut self, code: &Arc<[u8]>) -> bool {
        if Arc::ptr_eq(&self.code, code) {
            return true;
        }
        let same = self.code == *code;
        if same {
            self.code = code.clone();
        }
        same
    }
}

impl CodeTable {
    /// Whether the machine and this table should make way for new ones, so that memory stays bounded.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= MAX_BYTES || self.entries.len() >= MAX_TOKENS
    }

    /// The module under `id` in `view`, with its token.
    pub(crate) fn module(
        &mut self,
        view: &dyn StateView,
        id: ModuleId,
    ) -> Result<Option<TokenedCode>, StateError> {
        let key = StateKey::module(id);
        let Some(code) = view.get(&key)? else {
            return Ok(None);
        };
        let versions = self.tokens.entry(key.clone()).or_default();
        for &token in versions.iter().rev().take(VERSIONS) {
            if let Some(entry) = self.entries.get_mut(token as usize)
                && entry.accept(&code)
            {
                return Ok(Some((CodeToken(token), code)));
            }
        }
        let token = self.entries.len() as u32;
        versions.push(token);
        self.bytes += code.len();
        self.entries.push(CodeEntry {
            key,
            code: code.clone(),
        });
        Ok(Some((CodeToken(token), code)))
    }

    /// Whether the module that `token` was given for has the same bytes in `view`; `None` if the token was never given.
    pub(crate) fn is_current(
        &mut self,
        view: &dyn StateView,
        token: CodeToken,
    ) -> Result<Option<bool>, StateError> {
        let Some(entry) = self.entries.get_mut(token.0 as usize) else {
            return Ok(None);
        };
        Ok(Some(match view.get(&entry.key)? {
            Some(code) => entry.accept(&code),
            None => false,
        }))
    }
}

/// A host's view as the view of a machine in the same process.
pub(crate) struct NativeView<'a> {
    pub(crate) view: &'a dyn StateView,
    pub(crate) code: &'a mut CodeTable,
    /// The first error: the machine only learns that there was one.
    pub(crate) error: Option<StateError>,
}

impl NativeView<'_> {
    fn note<T>(&mut self, result: Result<T, StateError>) -> Result<T, monomove_core::StateError> {
        result.map_err(|error| {
            let text = error.to_string();
            self.error.get_or_insert(error);
            monomove_core::StateError(text)
        })
    }
}

impl monomove_core::StateView for NativeView<'_> {
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, monomove_core::StateError> {
        let found = self.code.module(self.view, id.clone());
        Ok(self.note(found)?.map(|(token, code)| ModuleCode {
            token,
            bytes: code.to_vec(),
        }))
    }

    fn is_current(&mut self, token: CodeToken) -> Result<bool, monomove_core::StateError> {
        let found = self.code.is_current(self.view, token);
        Ok(self.note(found)?.unwrap_or(false))
    }

    fn value(&mut self, key: &StateKey) -> Result<Option<Vec<u8>>, monomove_core::StateError> {
        let found = self.view.get(key);
        Ok(self.note(found)?.map(|value| value.to_vec()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::state::MemoryState;

    #[test]
    fn tokens_follow_the_bytes_in_any_view() {
        let id: ModuleId = "0x1::m".parse().unwrap();
        let key = StateKey::module(id.clone());
        let state = |bytes: &[u8]| MemoryState::from_iter([(key.clone(), bytes)]);
        let (one, same, other, none) = (state(b"1"), state(b"1"), state(b"2"), MemoryState::new());
        let mut table = CodeTable::default();
        let (first, _) = table.module(&one, id.clone()).unwrap().unwrap();
        assert_eq!(table.is_current(&one, first), Ok(Some(true)));
        assert_eq!(table.is_current(&same, first), Ok(Some(true)));
        assert_eq!(table.is_current(&other, first), Ok(Some(false)));
        assert_eq!(table.is_current(&none, first), Ok(Some(false)));
        let (second, _) = table.module(&other, id.clone()).unwrap().unwrap();
        assert_ne!(first, second);
        assert_eq!(table.is_current(&one, second), Ok(Some(false)));
        assert_eq!(table.module(&same, id.clone()).unwrap().unwrap().0, first);
        assert_eq!(table.module(&none, id).unwrap(), None);
        assert_eq!(table.is_current(&one, CodeToken(9)), Ok(None));
    }
}
