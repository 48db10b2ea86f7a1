//! The state as later sessions of a transaction see it: what earlier ones left, on top of the view.

use super::charges::Written;
use crate::context::Context;
use crate::globals::{Change as Kind, Checkpoint, Globals};
use crate::stop::Run;
use crate::{CheckedCode, CodeToken, ModuleCode, StateError, StateView, ValueToken, WriteOp};
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

impl Change {
    /// What it does to the view; `None` if nothing.
    fn kind(&self) -> Option<Kind> {
        match (&self.original, &self.now) {
            (None, None) => None,
            (None, Some(_)) => Some(Kind::Create),
            (Some(old), Some(now)) => (old != now).then_some(Kind::Modify),
            (Some(_), None) => Some(Kind::Delete),
        }
    }
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

    /// What a session had changed when `checkpoint` was taken; nothing before it changed anything.
    pub(super) fn of(ctx: &Context, globals: &Globals, checkpoint: Checkpoint) -> Run<Self> {
        let changes = checkpoint.into_changes(ctx, globals)?;
        let change = |(key, original, now)| (key, Change { original, now });
        Ok(Self(changes.into_iter().map(change).collect()))
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

    /// What was changed so far against the view, by sizes.
    pub(super) fn written(&self) -> Vec<Written> {
        let size = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, |b| b.len() as u64);
        let written = |(key, change): (&StateKey, &Change)| {
            Some(Written {
                change: change.kind()?,
                key: key.encode().len() as u64,
                old: size(&change.original),
                new: size(&change.now),
            })
        };
        self.0.iter().filter_map(written).collect()
    }

    /// Everything as one change set against the view.
    pub(super) fn into_writes(self) -> Vec<(StateKey, WriteOp)> {
        let write = |(key, change): (StateKey, Change)| {
            let op = match (change.kind()?, change.now) {
                (Kind::Create, Some(bytes)) => WriteOp::Create(bytes),
                (_, Some(bytes)) => WriteOp::Modify(bytes),
                (_, None) => WriteOp::Delete,
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

    fn tokened_value(
        &mut self,
        key: &StateKey,
    ) -> Result<Option<(ValueToken, Vec<u8>)>, StateError> {
        match self.changes.0.get(key) {
            Some(change) => {
                let unnamed = |bytes| (ValueToken::NONE, bytes);
                Ok(change.now.clone().map(unnamed))
            }
            None => self.view.tokened_value(key),
        }
    }

    fn is_same_value(&mut self, token: ValueToken) -> Result<bool, StateError> {
        // Whose token it is only the view knows: above changes, values are read again.
        if self.changes.0.is_empty() {
            return self.view.is_same_value(token);
        }
        Ok(false)
    }
}
