//! From the host's view of the state to the machine's: modules get tokens, so that the machine can keep what it made of them and only
//! ask whether they are still the same.

use crate::code::{CodeHash, CodeState, ScriptCache, VerifiedCode};
use crate::flat::{Answer, Given};
use crate::state::{StateError, StateView};
use monomove_core::{CheckedCode, CodeToken, FlatValue, ModuleCode, ValueToken};
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
    /// Hash of the code, once it was asked for.
    hash: Option<CodeHash>,
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

    /// Whether all the code that was given out is what `view` has.
    pub(crate) fn is_all_in(&self, view: &dyn StateView) -> Result<bool, StateError> {
        for entry in &self.entries {
            let code = view.get(&entry.key)?;
            if !code.is_some_and(|code| Arc::ptr_eq(&code, &entry.code) || code == entry.code) {
                return Ok(false);
            }
        }
        Ok(true)
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
            hash: None,
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

impl CodeTable {
    /// The hash of the code that `token` was given for.
    fn hash(&mut self, token: CodeToken) -> Option<CodeHash> {
        let entry = self.entries.get_mut(token.0 as usize)?;
        Some(*entry.hash.get_or_insert_with(|| CodeHash::of(&entry.code)))
    }
}

/// Scripts that a call may say it verified: it runs one.
const MAX_SCRIPTS: usize = 16;

/// What a call said that it verified. It is believed when the call has ended properly.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    modules: Vec<CodeHash>,
    scripts: Vec<CodeHash>,
}

impl Reports {
    /// Notes what was verified. False if it makes no sense: a token nobody gave, or more than there is.
    pub(crate) fn add(&mut self, table: &mut CodeTable, code: CheckedCode) -> bool {
        let (list, hash, most) = match code {
            CheckedCode::Module(token) => match table.hash(token) {
                Some(hash) => (&mut self.modules, hash, MAX_TOKENS),
                None => return false,
            },
            CheckedCode::Script(hash) => (&mut self.scripts, CodeHash(hash), MAX_SCRIPTS),
        };
        let fits = list.len() < most;
        if fits {
            list.push(hash);
        }
        fits
    }

    /// Before a call: forgets what was not believed.
    pub(crate) fn clear(&mut self) {
        self.modules.clear();
        self.scripts.clear();
    }

    /// After a call that ended properly.
    pub(crate) fn accept(&mut self, verified: &VerifiedCode) {
        self.modules
            .drain(..)
            .for_each(|hash| verified.add_module(hash));
        self.scripts
            .drain(..)
            .for_each(|hash| verified.insert_verified_script(hash));
    }
}

/// Whether code passed the verifier of this engine; `None` for a token nobody gave.
pub(crate) fn was_verified(
    verified: &VerifiedCode,
    table: &mut CodeTable,
    code: CheckedCode,
) -> Option<bool> {
    Some(match code {
        CheckedCode::Module(token) => verified.has_module(&table.hash(token)?),
        CheckedCode::Script(hash) => {
            verified.script_state(&CodeHash(hash)) == Some(CodeState::Verified)
        }
    })
}

/// Bytes and number of values that a table keeps alive before it starts over.
const MAX_VALUE_BYTES: usize = 64 << 20;
const MAX_VALUES: usize = 1 << 16;

/// The values a machine was given, by token, so that it can ask whether they are still the same. Recognised by address: a view that hands
/// out the same `Arc` makes the answer a comparison of pointers.
#[derive(Debug, Default)]
pub(crate) struct ValueTable {
    entries: Vec<(StateKey, Arc<[u8]>)>,
    /// Tokens that were given out before the first entry. They are forgotten, and never given out again.
    forgotten: u32,
    bytes: usize,
}

impl ValueTable {
    /// A token for a value that `view` gave; [`ValueToken::NONE`] when no more can be given out.
    pub(crate) fn token(&mut self, key: StateKey, value: &Arc<[u8]>) -> ValueToken {
        if self.bytes + value.len() > MAX_VALUE_BYTES || self.entries.len() >= MAX_VALUES {
            self.forgotten = self.forgotten.saturating_add(self.entries.len() as u32);
            self.entries.clear();
            self.bytes = 0;
        }
        let token = self.forgotten.saturating_add(self.entries.len() as u32 + 1);
        if token > i32::MAX as u32 {
            return ValueToken::NONE;
        }
        self.bytes += value.len();
        self.entries.push((key, value.clone()));
        ValueToken(token)
    }

    /// The key and value that `token` was given for, unless it is forgotten.
    pub(crate) fn named(&self, token: ValueToken) -> Option<&(StateKey, Arc<[u8]>)> {
        let at = token.0.checked_sub(self.forgotten)?.checked_sub(1)?;
        self.entries.get(at as usize)
    }

    /// Whether the key that `token` was given for has the same value in `view`. No for tokens that are not known.
    pub(crate) fn is_same(
        &self,
        view: &dyn StateView,
        token: ValueToken,
    ) -> Result<bool, StateError> {
        let Some((key, value)) = self.named(token) else {
            return Ok(false);
        };
        let now = view.get(key)?;
        Ok(now.is_some_and(|now| Arc::ptr_eq(&now, value) || now == *value))
    }
}

/// A host's view as the view of a machine in the same process.
pub(crate) struct NativeView<'a> {
    pub(crate) view: &'a dyn StateView,
    pub(crate) code: &'a mut CodeTable,
    pub(crate) values: &'a mut ValueTable,
    pub(crate) verified: &'a VerifiedCode,
    pub(crate) reports: &'a mut Reports,
    pub(crate) flat: &'a mut Given,
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

    fn tokened_value(
        &mut self,
        key: &StateKey,
    ) -> Result<Option<(ValueToken, Vec<u8>)>, monomove_core::StateError> {
        let found = self.view.get(key);
        Ok(self.note(found)?.map(|value| {
            let token = self.values.token(key.clone(), &value);
            (token, value.to_vec())
        }))
    }

    fn was_verified(&mut self, code: CheckedCode) -> bool {
        was_verified(self.verified, self.code, code).unwrap_or(false)
    }

    fn verified(&mut self, code: CheckedCode) {
        self.reports.add(self.code, code);
    }

    fn is_same_value(&mut self, token: ValueToken) -> Result<bool, monomove_core::StateError> {
        let found = self.values.is_same(self.view, token);
        self.note(found)
    }

    fn flat_value(&mut self, token: ValueToken) -> Result<FlatValue, monomove_core::StateError> {
        let named = self.values.named(token);
        let answer = named.and_then(|(key, bytes)| self.flat.ask(key, bytes));
        Ok(match answer {
            None => FlatValue::Unwanted,
            Some(Answer::Missing) => FlatValue::Missing,
            Some(Answer::Here(image)) => FlatValue::Here(image.to_vec()),
        })
    }

    fn share_value(&mut self, _: ValueToken, image: Option<&[u8]>) {
        self.flat.decoded(image);
    }

    fn wants_flat_values(&mut self) -> bool {
        self.flat.is_shared()
    }

    fn share_written(&mut self, key: &StateKey, bytes: &[u8], image: &[u8]) {
        self.flat.wrote(key.clone(), bytes.into(), image);
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

    #[test]
    fn values_are_the_same_by_their_bytes_until_they_are_forgotten() {
        let key = StateKey::Raw(b"k".to_vec());
        let state = |bytes: &[u8]| MemoryState::from_iter([(key.clone(), bytes)]);
        let (one, same, other) = (state(b"1"), state(b"1"), state(b"2"));
        let mut table = ValueTable::default();
        let value = one.get(&key).unwrap().unwrap();
        let token = table.token(key.clone(), &value);
        assert_eq!(table.is_same(&one, token), Ok(true));
        assert_eq!(table.is_same(&same, token), Ok(true));
        assert_eq!(table.is_same(&other, token), Ok(false));
        assert_eq!(table.is_same(&MemoryState::new(), token), Ok(false));
        assert_eq!(table.is_same(&one, ValueToken::NONE), Ok(false));
        assert_eq!(table.is_same(&one, ValueToken(9)), Ok(false));
        for _ in 0..MAX_VALUES {
            assert_ne!(table.token(key.clone(), &value), token);
        }
        assert_eq!(table.is_same(&one, token), Ok(false));
    }
}
