//! Pending changes on top of a state.

use crate::state::{StateError, StateView};
use monomove_core::WriteOp;
use monomove_types::StateKey;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A view of `base` with changes on top that nobody has committed.
pub struct Overlay<'a> {
    base: &'a dyn StateView,
    changes: BTreeMap<StateKey, Change>,
}

/// What became of one value.
struct Change {
    /// Whether the base has it, as the first write of this key said.
    in_base: bool,
    /// What it is now.
    now: Option<Arc<[u8]>>,
}

impl<'a> Overlay<'a> {
    /// No changes on top of `base`.
    pub fn new(base: &'a dyn StateView) -> Self {
        Self {
            base,
            changes: BTreeMap::new(),
        }
    }

    /// Puts the writes of one transaction on top.
    pub fn apply(&mut self, writes: &[(StateKey, WriteOp)]) {
        for (key, op) in writes {
            let (existed, now) = match op {
                WriteOp::Create(bytes) => (false, Some(bytes.as_slice().into())),
                WriteOp::Modify(bytes) => (true, Some(bytes.as_slice().into())),
                WriteOp::Delete => (true, None),
            };
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
    }

    /// The changes as one change set against the base, in the order of their keys. What was created and deleted again is not in it.
    pub fn into_writes(self) -> Vec<(StateKey, WriteOp)> {
        self.changes
            .into_iter()
            .filter_map(|(key, change)| {
                let op = match (change.in_base, change.now) {
                    (false, Some(bytes)) => WriteOp::Create(bytes.to_vec()),
                    (true, Some(bytes)) => WriteOp::Modify(bytes.to_vec()),
                    (true, None) => WriteOp::Delete,
                    (false, None) => return None,
                };
                Some((key, op))
            })
            .collect()
    }
}

impl std::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overlay")
            .field("changes", &self.changes.len())
            .finish_non_exhaustive()
    }
}

impl StateView for Overlay<'_> {
    fn get(&self, key: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        match self.changes.get(key) {
            Some(change) => Ok(change.now.clone()),
            None => self.base.get(key),
        }
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
        let mut overlay = Overlay::new(&base);
        overlay.apply(&[
            (key("a"), Create(vec![1])),
            (key("b"), Modify(vec![1])),
            (key("c"), Delete),
            (key("e"), Create(vec![1])),
        ]);
        overlay.apply(&[
            (key("a"), Modify(vec![2])),
            (key("b"), Delete),
            (key("c"), Create(vec![2])),
            (key("e"), Delete),
        ]);
        assert_eq!(overlay.get(&key("a")).unwrap().as_deref(), Some(&[2][..]));
        assert_eq!(overlay.get(&key("b")).unwrap(), None);
        assert_eq!(
            overlay.get(&key("d")).unwrap().as_deref(),
            Some(&b"old"[..])
        );
        assert_eq!(
            overlay.into_writes(),
            [
                (key("a"), Create(vec![2])),
                (key("b"), Delete),
                (key("c"), Modify(vec![2])),
            ]
        );
    }
}
