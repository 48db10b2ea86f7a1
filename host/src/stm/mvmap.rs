//! The multi-version map: for each key, what each transaction of the block made of it.

use super::map::lock;
use crate::state::{StateError, StateView};
use monomove_types::{Path, StateKey};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// A value in the state, or its absence.
pub(super) type Value = Option<Arc<[u8]>>;

/// Which write a value comes from: that of an incarnation of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) transaction: u32,
    pub(super) incarnation: u32,
}

/// What a stale read adds to the heat of its slot, and where the heat ends.
const STALE_HEAT: u32 = 4;
const MAX_HEAT: u32 = 16;

/// From this heat on, readers wait for everybody before them.
const HOT: u32 = 8;

/// What a transaction made of a key.
#[derive(Clone, Debug)]
struct Entry {
    origin: Origin,
    value: Value,
    /// The value is that of an incarnation that will be replaced.
    is_estimate: bool,
}

/// One key of the block. Neighbours are used by other workers: they share no line of the processors' caches.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Slot {
    /// Its number among the slots of the block.
    pub(super) number: u32,
    pub(super) key: StateKey,
    /// Whether it holds a module, whose writes become visible at commit.
    pub(super) is_code: bool,
    /// What the state has, once anybody asked.
    base: OnceLock<Value>,
    /// Whether there ever was an entry; a hint that saves the lock.
    is_written: AtomicBool,
    /// How often reads of it were stale lately. It decides who waits, never what anybody sees.
    heat: AtomicU32,
    /// In the order of their transactions.
    entries: Mutex<Vec<Entry>>,
}

/// What a transaction sees under a key.
#[derive(Clone, Debug)]
pub(super) enum Seen {
    /// What the state has.
    Base,
    /// What a transaction before it wrote.
    Written(Origin, Value),
    /// Something that is about to change: this transaction will be executed again.
    Estimate(u32),
}

/// Whether there is anything under a key, for a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// If the state has something.
    Base,
    /// If this is so: a transaction before it wrote.
    Written(bool),
    /// Nobody knows yet.
    Estimate,
}

impl Slot {
    pub(super) fn new(number: u32, key: StateKey) -> Self {
        let is_code = matches!(
            key,
            StateKey::AccessPath {
                path: Path::Code(_),
                ..
            }
        );
        Self {
            number,
            key,
            is_code,
            base: OnceLock::new(),
            is_written: AtomicBool::new(false),
            heat: AtomicU32::new(0),
            entries: Mutex::default(),
        }
    }

    /// What the state has under the key.
    pub(super) fn base(&self, view: &dyn StateView) -> Result<&Value, StateError> {
        if let Some(value) = self.base.get() {
            return Ok(value);
        }
        let value = view.get(&self.key)?;
        // Of two that asked, the first decides which `Arc` it is.
        Ok(self.base.get_or_init(|| value))
    }

    /// Whether the state was asked already.
    pub(super) fn has_base(&self) -> bool {
        self.base.get().is_some()
    }

    /// Whether any transaction ever wrote it.
    pub(super) fn is_written(&self) -> bool {
        self.is_written.load(Ordering::Acquire)
    }

    /// What `reader` sees: the last write before it.
    pub(super) fn seen_by(&self, reader: u32) -> Seen {
        if !self.is_written() {
            return Seen::Base;
        }
        let entries = lock(&self.entries);
        let before = entries.partition_point(|entry| entry.origin.transaction < reader);
        match before.checked_sub(1).and_then(|last| entries.get(last)) {
            None => Seen::Base,
            Some(entry) if entry.is_estimate => Seen::Estimate(entry.origin.transaction),
            Some(entry) => Seen::Written(entry.origin, entry.value.clone()),
        }
    }

    /// Whether there is anything for `reader`. Unlike [`seen_by`](Self::seen_by), it leaves the value alone.
    pub(super) fn presence_before(&self, reader: u32) -> Presence {
        if !self.is_written() {
            return Presence::Base;
        }
        let entries = lock(&self.entries);
        let before = entries.partition_point(|entry| entry.origin.transaction < reader);
        match before.checked_sub(1).and_then(|last| entries.get(last)) {
            None => Presence::Base,
            Some(entry) if entry.is_estimate => Presence::Estimate,
            Some(entry) => Presence::Written(entry.value.is_some()),
        }
    }

    /// Whether `reader` still sees what it saw. A value that was written anew with the same bytes is the same.
    pub(super) fn still_shows(&self, reader: u32, seen: &Seen) -> bool {
        if !self.is_written() {
            return matches!(seen, Seen::Base);
        }
        let entries = lock(&self.entries);
        let before = entries.partition_point(|entry| entry.origin.transaction < reader);
        let now = before.checked_sub(1).and_then(|last| entries.get(last));
        match (now, seen) {
            (None, Seen::Base) => true,
            (Some(now), _) if now.is_estimate => false,
            (Some(now), Seen::Written(then, old)) => now.origin == *then || now.value == *old,
            (Some(now), Seen::Base) => self.base.get() == Some(&now.value),
            (None, Seen::Written(_, value)) => self.base.get() == Some(value),
            (_, Seen::Estimate(_)) => false,
        }
    }

    /// Whether one transaction after the other writes it, so that reading it ahead of them is of no use.
    pub(super) fn is_hot(&self) -> bool {
        self.heat.load(Ordering::Relaxed) >= HOT
    }

    /// A read of it was stale. Modules stay cold: their writes are rare, and everybody reads them.
    pub(super) fn heat_up(&self) {
        if !self.is_code {
            let heat = self.heat.load(Ordering::Relaxed);
            let heat = (heat + STALE_HEAT).min(MAX_HEAT);
            self.heat.store(heat, Ordering::Relaxed);
        }
    }

    /// A committed transaction saw what none of the last few before it wrote: waiting for them was, or would have been, in vain.
    pub(super) fn cool_down(&self, seen: &Seen, reader: u32, few: u32) {
        let heat = self.heat.load(Ordering::Relaxed);
        let is_near = matches!(seen, Seen::Written(origin, _) if origin.transaction.saturating_add(few) >= reader);
        if heat > 0 && !is_near {
            self.heat.store(heat - 1, Ordering::Relaxed);
        }
    }

    /// Enters what an incarnation wrote.
    pub(super) fn write(&self, origin: Origin, value: Value) {
        let mut entries = lock(&self.entries);
        self.is_written.store(true, Ordering::Release);
        let at = entries.partition_point(|entry| entry.origin.transaction < origin.transaction);
        let entry = Entry {
            origin,
            value,
            is_estimate: false,
        };
        match entries.get_mut(at) {
            Some(old) if old.origin.transaction == origin.transaction => *old = entry,
            _ => entries.insert(at, entry),
        }
    }

    fn change(&self, writer: u32, change: impl FnOnce(&mut Vec<Entry>, usize)) {
        let mut entries = lock(&self.entries);
        let found = entries.binary_search_by_key(&writer, |entry| entry.origin.transaction);
        if let Ok(at) = found {
            change(&mut entries, at);
        }
    }

    /// Marks the entry of `writer`, if there is one, as about to change.
    pub(super) fn mark_estimate(&self, writer: u32) {
        self.change(writer, |entries, at| entries[at].is_estimate = true);
    }

    /// Bytes of the values that transactions wrote.
    pub(super) fn written_bytes(&mut self) -> u64 {
        let entries = self.entries.get_mut();
        let entries = entries.unwrap_or_else(std::sync::PoisonError::into_inner);
        let values = entries.iter().filter_map(|entry| entry.value.as_ref());
        values.map(|value| value.len() as u64).sum()
    }

    /// What is under the key after the first `count` transactions, all of them committed, if any of them wrote it: whether the state
    /// had a value (`None`: nobody asked), and the value now.
    pub(super) fn into_final(self, count: u32) -> Option<(StateKey, Option<bool>, Value)> {
        let entries = self.entries.into_inner();
        let mut entries = entries.unwrap_or_else(std::sync::PoisonError::into_inner);
        entries.retain(|entry| entry.origin.transaction < count);
        let value = entries.pop()?.value;
        let had = self.base.get().map(Option::is_some);
        Some((self.key, had, value))
    }

    /// Removes the entry of `writer`.
    pub(super) fn remove(&self, writer: u32) {
        self.change(writer, |entries, at| {
            entries.remove(at);
        });
    }
}
