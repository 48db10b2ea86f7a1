//! The view of one transaction, and what it captured: every key that was asked for and what the answer was.

use super::map::{KnownSlots, lock};
use super::mvmap::{Seen, Slot, Value};
use super::scheduler::Scheduler;
use crate::state::{StateError, StateView};
use monomove_types::StateKey;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// One read of a transaction.
#[derive(Debug)]
pub(super) struct Read<'a> {
    pub(super) slot: &'a Slot,
    pub(super) seen: Seen,
}

/// Whether a transaction still sees what it captured.
pub(super) fn still_valid(reader: u32, reads: &[Read<'_>]) -> bool {
    let stale = reads
        .iter()
        .find(|read| !read.slot.still_shows(reader, &read.seen));
    if let Some(stale) = stale {
        stale.slot.heat_up();
    }
    stale.is_none()
}

/// What a worker keeps for the views of its transactions.
pub(super) struct Captures<'a> {
    pub(super) known: KnownSlots<'a>,
    /// By number of the slot: the run in which it was read last, and where in `reads` that read is.
    last: Vec<(u32, u32)>,
    /// Copies of modules in the state, by number of their slots: everybody reads them, and counting references to one `Arc` in many
    /// threads is slow.
    modules: Vec<Option<Arc<[u8]>>>,
    /// Number of the current run.
    run: u32,
    /// What the current run read so far.
    reads: Vec<Read<'a>>,
    /// The transaction whose writes the current run has to wait for.
    blocked_on: Option<u32>,
    pub(super) counts: ReadCounts,
}

/// Numbers about reads.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReadCounts {
    /// Answers.
    pub(super) reads: u64,
    /// Of those, the first in their transactions.
    pub(super) captured: u64,
    /// Questions to the state below the block.
    pub(super) base_reads: u64,
    /// Bytes of the answers but for modules, which are compared, not copied.
    pub(super) bytes: u64,
}

impl<'a> Captures<'a> {
    pub(super) fn new(known: KnownSlots<'a>) -> Self {
        Self {
            known,
            last: Vec::new(),
            modules: Vec::new(),
            run: 0,
            reads: Vec::new(),
            blocked_on: None,
            counts: ReadCounts::default(),
        }
    }

    /// Before a transaction.
    pub(super) fn start(&mut self) {
        self.run = self.run.wrapping_add(1);
        if self.run == 0 {
            self.last.clear();
            self.run = 1;
        }
        self.reads.clear();
        self.blocked_on = None;
    }

    /// After a transaction: what it read, or for whom it has to wait.
    pub(super) fn finish(&mut self) -> (Vec<Read<'a>>, Option<u32>) {
        let capacity = self.reads.len();
        let reads = std::mem::replace(&mut self.reads, Vec::with_capacity(capacity));
        (reads, self.blocked_on.take())
    }
}

/// The state as one transaction of the block sees it. The same question always has the same answer.
pub(super) struct TransactionView<'v, 'a> {
    pub(super) captures: &'v Mutex<Captures<'a>>,
    pub(super) base: &'v dyn StateView,
    pub(super) scheduler: &'v Scheduler,
    /// The transaction.
    pub(super) reader: u32,
    /// Whether the block is over: there is no use in going on.
    pub(super) is_over: &'v AtomicBool,
}

/// Ends a run that came to nothing; nobody but the worker sees it.
fn stopped() -> StateError {
    StateError::Unavailable("the run of the transaction was given up".into())
}

impl TransactionView<'_, '_> {
    fn value(
        &self,
        slot: &Slot,
        seen: &Seen,
        modules: &mut Vec<Option<Arc<[u8]>>>,
    ) -> Result<Value, StateError> {
        let number = slot.number as usize;
        match seen {
            Seen::Base if slot.is_code => {
                if let Some(Some(copy)) = modules.get(number) {
                    return Ok(Some(copy.clone()));
                }
                let Some(value) = slot.base(self.base)? else {
                    return Ok(None);
                };
                let copy: Arc<[u8]> = (&**value).into();
                if modules.len() <= number {
                    modules.resize(number + 1, None);
                }
                modules[number] = Some(copy.clone());
                Ok(Some(copy))
            }
            Seen::Base => slot.base(self.base).cloned(),
            Seen::Written(_, value) => Ok(value.clone()),
            Seen::Estimate(_) => Err(stopped()),
        }
    }
}

impl StateView for TransactionView<'_, '_> {
    fn get(&self, key: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        let captures = &mut *lock(self.captures);
        if captures.blocked_on.is_some() || self.is_over.load(Ordering::Relaxed) {
            return Err(stopped());
        }
        let slot = captures.known.slot(key);
        let number = slot.number as usize;
        if captures.last.len() <= number {
            captures.last.resize(number + 1, (0, 0));
        }
        captures.counts.reads += 1;
        let (run, at) = captures.last[number];
        let value = match captures.reads.get(at as usize) {
            Some(read) if run == captures.run => {
                self.value(slot, &read.seen, &mut captures.modules)?
            }
            _ => {
                let seen = slot.seen_by(self.reader);
                let wait_for = match seen {
                    Seen::Estimate(writer) => Some(writer),
                    _ if slot.is_hot() => self.scheduler.pending_before(self.reader),
                    _ => None,
                };
                if wait_for.is_some() {
                    captures.blocked_on = wait_for;
                    return Err(stopped());
                }
                captures.counts.captured += 1;
                captures.counts.base_reads +=
                    u64::from(matches!(seen, Seen::Base) && !slot.has_base());
                captures.last[number] = (captures.run, captures.reads.len() as u32);
                let value = self.value(slot, &seen, &mut captures.modules);
                captures.reads.push(Read { slot, seen });
                value?
            }
        };
        if !slot.is_code {
            captures.counts.bytes += value.as_ref().map_or(0, |value| value.len() as u64);
        }
        Ok(value)
    }
}
