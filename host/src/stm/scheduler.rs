//! Who does what next: the collaborative scheduler of Block-STM, behind one lock. A task takes tens of microseconds, handing one out far
//! less than one.
//!
//! Each transaction is in one state; workers take tasks in the order commit, validation, execution, each from the lowest transaction on.
//! Transactions commit in order, one worker at a time.

use super::map::lock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// What a worker is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Execute an incarnation of a transaction.
    Execute(Execution),
    /// See whether what an incarnation read still stands.
    Validate { transaction: u32, incarnation: u32 },
    /// Commit this transaction, and those after it that can be.
    Commit(u32),
    /// The block is over.
    Done,
}

/// An execution to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Execution {
    pub(super) transaction: u32,
    pub(super) incarnation: u32,
    /// Everything before it is committed: what it reads cannot change any more.
    pub(super) is_final: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// To be executed.
    Ready,
    Executing,
    /// Waits for a lower transaction to be executed again.
    Suspended,
    Executed,
    /// Found stale; its writes are being marked as estimates.
    Aborting,
    Committed,
}

#[derive(Debug)]
struct Transaction {
    status: Status,
    incarnation: u32,
    /// Transactions that wait for this one.
    waiting: Vec<u32>,
}

#[derive(Debug)]
struct State {
    transactions: Vec<Transaction>,
    /// All transactions below are executing, or were executed since they were last found ready.
    next_execution: u32,
    /// All transactions below were validated, or are being, since something that they may have read changed.
    next_validation: u32,
    /// Number of committed transactions.
    committed: u32,
    /// Whether a worker is committing.
    is_committing: bool,
    is_over: bool,
    /// Workers that sleep.
    sleeping: usize,
}

/// The scheduler of one block.
#[derive(Debug)]
pub(super) struct Scheduler {
    state: Mutex<State>,
    wake: Condvar,
    /// Grows with every change that may make a task possible.
    changes: AtomicU64,
    /// How far execution may run ahead of commits.
    window: u32,
    /// Transactions so close to the last commit are validated by it alone.
    near: u32,
}

/// How far execution may run ahead of commits, for each worker.
const WINDOW: u32 = 32;

/// How far from the last commit validation begins, for each worker. Nearer transactions will be validated at their commit soon; doing it twice
/// costs more than finding a stale one a little earlier.
const NEAR: u32 = 2;

/// Times that a worker without a task gives its time slice away before it sleeps.
const YIELDS: u32 = 64;

/// A sleeping worker is woken for so many tasks. One is for whoever made it possible, and a few more are done before the other is awake:
/// in a chain of transactions that depend on each other, waking would cost more than it gains.
const WORTH_WAKING: usize = 4;

/// A sleeping worker looks by itself after this time.
const NAP: Duration = Duration::from_millis(1);

impl Scheduler {
    /// For `count` transactions, and so many workers.
    pub(super) fn new(count: u32, workers: u32) -> Self {
        let transaction = || Transaction {
            status: Status::Ready,
            incarnation: 0,
            waiting: Vec::new(),
        };
        Self {
            state: Mutex::new(State {
                transactions: std::iter::repeat_with(transaction)
                    .take(count as usize)
                    .collect(),
                next_execution: 0,
                next_validation: 0,
                committed: 0,
                is_committing: false,
                is_over: false,
                sleeping: 0,
            }),
            wake: Condvar::new(),
            changes: AtomicU64::new(0),
            window: workers.saturating_mul(WINDOW).max(1),
            near: workers.saturating_mul(NEAR),
        }
    }

    /// The next task; waits until there is one.
    pub(super) fn next(&self) -> Task {
        let mut yields = 0;
        loop {
            let changes = {
                let mut state = lock(&self.state);
                if let Some(task) = state.pick(self.window, self.near) {
                    return task;
                }
                if yields == YIELDS {
                    yields = 0;
                    state.sleeping += 1;
                    let (mut state, _) = self
                        .wake
                        .wait_timeout(state, NAP)
                        .unwrap_or_else(PoisonError::into_inner);
                    state.sleeping -= 1;
                    continue;
                }
                self.changes.load(Ordering::Relaxed)
            };
            while yields < YIELDS && self.changes.load(Ordering::Relaxed) == changes {
                yields += 1;
                std::thread::yield_now();
            }
        }
    }

    /// Tells those without a task that there may be one. The state is locked.
    fn announce(&self, state: &State) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        if state.sleeping > 0 && (state.is_over || state.has_many_tasks(self.window)) {
            self.wake.notify_all();
        }
    }

    /// An execution is done and its writes are visible. `wrote_elsewhere`: it wrote keys that its last incarnation did not. The task that
    /// follows for the same worker, if there is one.
    pub(super) fn executed(&self, execution: Execution, wrote_elsewhere: bool) -> Option<Task> {
        let transaction = execution.transaction;
        let mut state = lock(&self.state);
        state.finish(transaction, wrote_elsewhere);
        self.announce(&state);
        if state.next_validation > transaction && state.is_far(transaction, self.near) {
            return Some(Task::Validate {
                transaction,
                incarnation: execution.incarnation,
            });
        }
        state.pick(self.window, self.near)
    }

    /// An execution met an estimate of `writer` and waits for it. False if `writer` is done already: it is to be executed again at once.
    pub(super) fn suspend(&self, transaction: u32, writer: u32) -> bool {
        let mut state = lock(&self.state);
        let on = &mut state.transactions[writer as usize];
        if matches!(on.status, Status::Executed | Status::Committed) {
            return false;
        }
        on.waiting.push(transaction);
        state.transactions[transaction as usize].status = Status::Suspended;
        true
    }

    /// The last transaction before `reader` that is not executed.
    pub(super) fn pending_before(&self, reader: u32) -> Option<u32> {
        let state = lock(&self.state);
        let is_pending =
            |of: &Transaction| !matches!(of.status, Status::Executed | Status::Committed);
        let before = state.committed.min(reader)..reader;
        before
            .rev()
            .find(|at| is_pending(&state.transactions[*at as usize]))
    }

    /// An incarnation was found stale. True if it is this worker's to abort it: mark its writes, then [`requeue`](Self::requeue).
    pub(super) fn abort(&self, transaction: u32, incarnation: u32) -> bool {
        let mut state = lock(&self.state);
        if state.is_committing && state.committed == transaction {
            return false;
        }
        let of = &mut state.transactions[transaction as usize];
        let is_abort = of.status == Status::Executed && of.incarnation == incarnation;
        if is_abort {
            of.status = Status::Aborting;
        }
        is_abort
    }

    /// The writes of an aborted transaction are marked: it is to be executed again, and who read them to be validated.
    pub(super) fn requeue(&self, transaction: u32) {
        let mut state = lock(&self.state);
        let of = &mut state.transactions[transaction as usize];
        of.status = Status::Ready;
        of.incarnation += 1;
        state.next_execution = state.next_execution.min(transaction);
        state.next_validation = state.next_validation.min(transaction + 1);
        self.announce(&state);
    }

    /// The committing worker executes its transaction again, now that everything before is committed.
    pub(super) fn restart(&self, transaction: u32) -> Execution {
        let mut state = lock(&self.state);
        let of = &mut state.transactions[transaction as usize];
        of.status = Status::Executing;
        of.incarnation += 1;
        Execution {
            transaction,
            incarnation: of.incarnation,
            is_final: true,
        }
    }

    /// The committing worker executed its transaction again.
    pub(super) fn restarted(&self, transaction: u32) {
        let mut state = lock(&self.state);
        state.finish(transaction, true);
        self.announce(&state);
    }

    /// The transaction is committed. `revalidate`: it published what was not visible before. The task that follows for the same worker, if
    /// there is one: if possible, to commit the next transaction.
    pub(super) fn committed(&self, transaction: u32, revalidate: bool) -> Option<Task> {
        let mut state = lock(&self.state);
        state.transactions[transaction as usize].status = Status::Committed;
        state.committed += 1;
        if revalidate {
            state.next_validation = state.next_validation.min(transaction + 1);
        }
        state.is_committing = false;
        self.announce(&state);
        state.pick(self.window, self.near)
    }

    /// The block is over, whatever is left to do.
    pub(super) fn stop(&self) {
        let mut state = lock(&self.state);
        state.is_over = true;
        self.announce(&state);
    }
}

impl State {
    /// Whether the commit of a transaction is so far away that it is worth validating before.
    fn is_far(&self, transaction: u32, near: u32) -> bool {
        transaction >= self.committed.saturating_add(near)
    }

    fn pick(&mut self, window: u32, near: u32) -> Option<Task> {
        let count = self.transactions.len() as u32;
        if self.is_over || self.committed >= count {
            return Some(Task::Done);
        }
        if !self.is_committing
            && self.transactions[self.committed as usize].status == Status::Executed
        {
            self.is_committing = true;
            return Some(Task::Commit(self.committed));
        }
        let far = self.committed.saturating_add(near);
        self.next_validation = self.next_validation.max(far.min(count));
        while self.next_validation < self.next_execution {
            let transaction = self.next_validation;
            self.next_validation += 1;
            let of = &self.transactions[transaction as usize];
            if of.status == Status::Executed {
                return Some(Task::Validate {
                    transaction,
                    incarnation: of.incarnation,
                });
            }
        }
        while self.next_execution < count.min(self.committed.saturating_add(window)) {
            let transaction = self.next_execution;
            self.next_execution += 1;
            let of = &mut self.transactions[transaction as usize];
            if of.status == Status::Ready {
                of.status = Status::Executing;
                return Some(Task::Execute(Execution {
                    transaction,
                    incarnation: of.incarnation,
                    is_final: self.committed == transaction,
                }));
            }
        }
        None
    }

    /// Whether there are enough tasks to wake somebody.
    fn has_many_tasks(&self, window: u32) -> bool {
        let count = self.transactions.len() as u32;
        let end = count.min(self.committed.saturating_add(window));
        let of = |range: std::ops::Range<u32>, status: Status| {
            range.filter(move |at| self.transactions[*at as usize].status == status)
        };
        let validations = of(self.next_validation..self.next_execution, Status::Executed);
        let executions = of(self.next_execution..end, Status::Ready);
        self.committed >= count
            || validations.chain(executions).take(WORTH_WAKING).count() == WORTH_WAKING
    }

    /// The transaction is executed; those that waited for it are ready.
    fn finish(&mut self, transaction: u32, wrote_elsewhere: bool) {
        let of = &mut self.transactions[transaction as usize];
        of.status = Status::Executed;
        for waiting in std::mem::take(&mut of.waiting) {
            self.transactions[waiting as usize].status = Status::Ready;
            self.next_execution = self.next_execution.min(waiting);
        }
        if wrote_elsewhere {
            self.next_validation = self.next_validation.min(transaction + 1);
        }
    }
}
