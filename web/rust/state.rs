//! The state of a chain: values by key. Cheap to save: a copy shares everything until one of the two changes.

use monomove_core::{CodeToken, ModuleCode, StateError, StateView, WriteOp};
use monomove_types::{ModuleId, StateKey};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A value and the number of the write that put it there, which is the token of a module.
#[derive(Clone, Debug)]
struct Entry {
    bytes: Rc<[u8]>,
    written: u32,
}

/// Values by key.
#[derive(Clone, Debug, Default)]
pub struct State {
    values: Rc<BTreeMap<StateKey, Entry>>,
}

impl State {
    /// The value under `key`.
    pub fn get(&self, key: &StateKey) -> Option<&[u8]> {
        self.values.get(key).map(|entry| &*entry.bytes)
    }

    /// All values in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&StateKey, &[u8])> {
        self.values.iter().map(|(key, entry)| (key, &*entry.bytes))
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Puts a value under `key`.
    pub fn insert(&mut self, key: StateKey, bytes: &[u8], writes: &mut Writes) {
        let entry = Entry {
            bytes: bytes.into(),
            written: writes.next(&key),
        };
        Rc::make_mut(&mut self.values).insert(key, entry);
    }

    /// Applies the changes of a call.
    pub fn apply(&mut self, changes: &[(StateKey, WriteOp)], writes: &mut Writes) {
        for (key, change) in changes {
            match change {
                WriteOp::Create(bytes) | WriteOp::Modify(bytes) => {
                    self.insert(key.clone(), bytes, writes);
                }
                WriteOp::Delete => {
                    Rc::make_mut(&mut self.values).remove(key);
                }
            }
        }
    }
}

/// Numbers writes over all states of a chain, so that a number names bytes.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// By number: the module that was written. Other values need no number.
    modules: Vec<StateKey>,
}

impl Writes {
    fn next(&mut self, key: &StateKey) -> u32 {
        let is_module = matches!(
            key,
            StateKey::AccessPath {
                path: monomove_types::Path::Code(_),
                ..
            }
        );
        let number = self.modules.len() as u32;
        if is_module {
            self.modules.push(key.clone());
        }
        number
    }
}

/// A state as a machine sees it.
#[derive(Debug)]
pub struct View<'a> {
    /// What it holds.
    pub state: &'a State,
    /// The numbers of its writes.
    pub writes: &'a Writes,
}

impl StateView for View<'_> {
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, StateError> {
        let entry = self.state.values.get(&StateKey::module(id.clone()));
        Ok(entry.map(|entry| ModuleCode {
            token: CodeToken(entry.written),
            bytes: entry.bytes.to_vec(),
        }))
    }

    fn is_current(&mut self, token: CodeToken) -> Result<bool, StateError> {
        let key = self.writes.modules.get(token.0 as usize);
        let entry = key.and_then(|key| self.state.values.get(key));
        Ok(entry.is_some_and(|entry| entry.written == token.0))
    }

    fn value(&mut self, key: &StateKey) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.state.get(key).map(<[u8]>::to_vec))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn tokens_name_bytes_over_saved_states() {
        let id: ModuleId = "0x1::m".parse().unwrap();
        let (mut writes, mut state) = (Writes::default(), State::default());
        let token = |state: &State, writes: &Writes| {
            let mut view = View { state, writes };
            view.module(&id).unwrap().unwrap().token
        };
        state.insert(StateKey::module(id.clone()), b"1", &mut writes);
        let (saved, first) = (state.clone(), token(&state, &writes));
        state.insert(StateKey::module(id.clone()), b"2", &mut writes);
        let second = token(&state, &writes);
        assert_ne!(first, second);
        for (state, is_first) in [(&saved, true), (&state, false)] {
            let mut view = View {
                state,
                writes: &writes,
            };
            assert_eq!(view.is_current(first).unwrap(), is_first);
            assert_eq!(view.is_current(second).unwrap(), !is_first);
            assert!(!view.is_current(CodeToken(7)).unwrap());
        }
    }

    #[test]
    fn a_copy_does_not_see_later_changes() {
        let key = StateKey::Raw(vec![1]);
        let (mut writes, mut state) = (Writes::default(), State::default());
        state.insert(key.clone(), b"a", &mut writes);
        let saved = state.clone();
        state.apply(&[(key.clone(), WriteOp::Delete)], &mut writes);
        assert_eq!((state.get(&key), saved.get(&key)), (None, Some(&b"a"[..])));
    }
}
