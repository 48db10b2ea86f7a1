//! A fork: changes on top of another view, which never sees them.

use super::{CommitError, StateCommit, StateError, StateView, checked, value_of};
use monomove_core::WriteOp;
use monomove_types::StateKey;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A view of `base` with changes on top. What the fork does not have is read through from the base; the base is never written.
pub struct Fork<V> {
    base: V,
    changes: BTreeMap<StateKey, Change>,
}

/// What became of one value.
#[derive(Clone)]
struct Change {
    /// Whether the base has it, as the first write of this key said.
    in_base: bool,
    /// What it is now.
    now: Option<Arc<[u8]>>,
}

impl<V: StateView> Fork<V> {
    /// No changes on top of `base`.
    pub fn new(base: V) -> Self {
        Self {
            base,
            changes: BTreeMap::new(),
        }
    }

    /// What it forks.
    pub fn base(&self) -> &V {
        &self.base
    }

    /// Puts the writes of one transaction on top. They are taken at their word: [`commit`](StateCommit::commit) checks them.
    pub fn apply(&mut self, writes: &[(StateKey, WriteOp)]) {
        for (key, op) in writes {
            let existed = !matches!(op, WriteOp::Create(_));
            self.put(key, existed, value_of(op).map(Into::into));
        }
    }

    /// Sets the value under `key`, or takes it away, whatever is there.
    pub fn insert(&mut self, key: &StateKey, value: Option<Arc<[u8]>>) -> Result<(), StateError> {
        let existed = self.get(key)?.is_some();
        self.put(key, existed, value);
        Ok(())
    }

    fn put(&mut self, key: &StateKey, existed: bool, now: Option<Arc<[u8]>>) {
        match self.changes.get_mut(key) {
            Some(change) => change.now = now,
            None => {
                let change = Change {
                    in_base: existed,
                    now,
                };
                self.changes.insert(key.clone(), change);
            }
        }
    }

    /// The changes as one change set against the base, in the order of their keys. What was created and deleted again is not in it.
    pub fn writes(&self) -> Vec<(StateKey, WriteOp)> {
        let changes = self.changes.iter();
        changes
            .filter_map(|(key, change)| Some((key.clone(), change.op()?)))
            .collect()
    }

    /// Like [`writes`](Self::writes), at the end of the fork.
    pub fn into_writes(self) -> Vec<(StateKey, WriteOp)> {
        let changes = self.changes.into_iter();
        changes
            .filter_map(|(key, change)| Some((key, change.op()?)))
            .collect()
    }
}

impl Change {
    fn op(&self) -> Option<WriteOp> {
        match (self.in_base, &self.now) {
            (false, Some(bytes)) => Some(WriteOp::Create(bytes.to_vec())),
            (true, Some(bytes)) => Some(WriteOp::Modify(bytes.to_vec())),
            (true, None) => Some(WriteOp::Delete),
            (false, None) => None,
        }
    }
}

impl<V> std::fmt::Debug for Fork<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fork")
            .field("changes", &self.changes.len())
            .finish_non_exhaustive()
    }
}

impl<V: StateView> StateView for Fork<V> {
    fn get(&self, key: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        match self.changes.get(key) {
            Some(change) => Ok(change.now.clone()),
            None => self.base.get(key),
        }
    }
}

impl<V: StateView> StateCommit for Fork<V> {
    fn commit(&mut self, writes: &[(StateKey, WriteOp)]) -> Result<(), CommitError> {
        checked(writes, |key| Ok(self.get(key)?.is_some()))?;
        self.apply(writes);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::state::MemoryState;
    use WriteOp::{Create, Delete, Modify};

    fn key(text: &str) -> StateKey {
        StateKey::Raw(text.into())
    }

    #[test]
    fn merges_into_one_change_set() {
        let base: MemoryState = [("b", "old"), ("c", "old"), ("d", "old")]
            .into_iter()
            .map(|(k, v)| (key(k), v.as_bytes()))
            .collect();
        let mut fork = Fork::new(&base);
        fork.apply(&[
            (key("a"), Create(vec![1])),
            (key("b"), Modify(vec![1])),
            (key("c"), Delete),
            (key("e"), Create(vec![1])),
        ]);
        fork.apply(&[
            (key("a"), Modify(vec![2])),
            (key("b"), Delete),
            (key("c"), Create(vec![2])),
            (key("e"), Delete),
        ]);
        assert_eq!(fork.get(&key("a")).unwrap().as_deref(), Some(&[2][..]));
        assert_eq!(fork.get(&key("b")).unwrap(), None);
        assert_eq!(fork.get(&key("d")).unwrap().as_deref(), Some(&b"old"[..]));
        let writes = [
            (key("a"), Create(vec![2])),
            (key("b"), Delete),
            (key("c"), Modify(vec![2])),
        ];
        assert_eq!(fork.writes(), writes);
        assert_eq!(fork.into_writes(), writes);
    }
}
