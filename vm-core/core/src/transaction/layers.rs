//! The state as later sessions of a transaction see it: what earlier ones left, on top of the view.

use crate::context::Context;
use crate::globals::Globals;
use crate::{CheckedCode, CodeToken, ModuleCode, StateError, StateView, WriteOp};
use monomove_types::{ModuleId, StateKey};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Names staged modules. No view gives it out, and the context that gets it does not outlive the transaction.
const STAGED: CodeToken = CodeToken(u32::MAX);

/// A value that earlier sessions changed.
#[derive(Clone, Debug)]
struct Change {
    /// In the view.
    original: Option<Vec<u8>>,
    /// After the last session.
    now: Option<Vec<u8>>,
}

/// What sessions changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes(BTreeMap<StateKey, Change>);

impl Changes {
    /// Adds what the session in `globals` changed, given as `writes`.
    pub(super) fn apply(
        &mut self,
        ctx: &Context,
        globals: &Globals,
        writes: Vec<(StateKey, WriteOp)>,
    ) {
        if writes.is_empty() {
            return;
        }
        let originals = globals.originals(ctx);
        for (key, op) in writes {
            let now = match op {
                WriteOp::Create(bytes) | WriteOp::Modify(bytes) => Some(bytes),
                WriteOp::Delete => None,
            };
            let original = originals.get(&key).copied().flatten().map(<[u8]>::to_vec);
            let change = self.0.entry(key).or_insert(Change {
                original,
                now: None,
            });
            change.now = now;
        }
    }

    /// Adds what a later session changed.
    pub(super) fn extend(&mut self, later: Self) {
        for (key, change) in later.0 {
            match self.0.entry(key) {
                Entry::Occupied(mut earlier) => earlier.get_mut().now = change.now,
                Entry::Vacant(free) => {
                    free.insert(change);
                }
            }
        }
    }

    /// What was changed so far, as one change set against the view.
    pub(super) fn writes(&self) -> Vec<(StateKey, WriteOp)> {
        self.clone().into_writes()
    }

    /// Everything as one change set against the view.
    pub(super) fn into_writes(self) -> Vec<(StateKey, WriteOp)> {
        let write = |(key, change): (StateKey, Change)| {
            let op = match (change.original, change.now) {
                (None, None) => return None,
                (None, Some(bytes)) => WriteOp::Create(bytes),
                (Some(old), Some(bytes)) if old == bytes => return None,
                (Some(_), Some(bytes)) => WriteOp::Modify(bytes),
                (Some(_), None) => WriteOp::Delete,
            };
            Some((key, op))
        };
        self.0.into_iter().filter_map(write).collect()
    }
}

/// The view with changes on top.
pub(super) struct Layers<'a> {
    view: &'a mut dyn StateView,
    pub(super) changes: Changes,
    /// Modules that are about to be published.
    pub(super) staged: BTreeMap<ModuleId, Vec<u8>>,
}

impl<'a> Layers<'a> {
    pub(super) fn new(view: &'a mut dyn StateView) -> Self {
        Self {
            view,
            changes: Changes::default(),
            staged: BTreeMap::new(),
        }
    }
}

impl StateView for Layers<'_> {
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, StateError> {
        match self.staged.get(id) {
            Some(bytes) => Ok(Some(ModuleCode {
                token: STAGED,
                bytes: bytes.clone(),
            })),
            None => self.view.module(id),
        }
    }

    fn is_current(&mut self, token: CodeToken) -> Result<bool, StateError> {
        if token == STAGED {
            return Ok(true);
        }
        self.view.is_current(token)
    }

    fn was_verified(&mut self, code: CheckedCode) -> bool {
        // The bundle passed the verifier before it was staged.
        code == CheckedCode::Module(STAGED) || self.view.was_verified(code)
    }

    fn verified(&mut self, code: CheckedCode) {
        if code != CheckedCode::Module(STAGED) {
            self.view.verified(code);
        }
    }

    fn value(&mut self, key: &StateKey) -> Result<Option<Vec<u8>>, StateError> {
        match self.changes.0.get(key) {
            Some(change) => Ok(change.now.clone()),
            None => self.view.value(key),
        }
    }
}
