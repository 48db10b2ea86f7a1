//! The workers of a parallel run: what each does with a task, and what is committed.

use super::capture::{Captures, Read, TransactionView, still_valid};
use super::ledger::{BlockLimits, BlockRun, Cost, Ledger, Verdict};
use super::map::{KnownSlots, SlotMap, lock};
use super::metrics::{BlockInspector, BlockMetrics};
use super::mvmap::{Origin, Presence, Slot, Value};
use super::scheduler::{Execution, Scheduler, Task};
use super::{ParallelError, TransactionOutput, TransactionRunner};
use crate::code::module_of;
use crate::state::{StateView, value_of};
use monomove_core::WriteOp;
use monomove_types::StateKey;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What an execution came to.
enum Ending<O> {
    Output(O),
    /// Nothing that counts: it has to run once more when everything before is committed.
    Unsound,
}

/// The last execution of a transaction. Neighbours are used by other workers: they share no line of the processors' caches.
#[repr(align(128))]
struct Record<'a, O> {
    incarnation: u32,
    is_final: bool,
    reads: Vec<Read<'a>>,
    /// Slots of values it wrote, in the order of their numbers.
    writes: Vec<Write<'a>>,
    /// Modules it wrote, which nobody sees before its commit.
    code: Vec<(Write<'a>, Value)>,
    /// Of its output. Whoever executed it has them at hand, whoever commits it might have to fetch them from another processor's cache.
    cost: Cost,
    ending: Option<Ending<O>>,
}

/// Where a transaction wrote.
#[derive(Clone, Copy)]
struct Write<'a> {
    slot: &'a Slot,
    /// Whether it says that there was nothing.
    creates: bool,
}

/// What all workers share.
struct Shared<'a, R: TransactionRunner> {
    map: &'a SlotMap,
    transactions: &'a [R::Transaction],
    base: &'a dyn StateView,
    inspector: &'a dyn BlockInspector,
    scheduler: Scheduler,
    records: Vec<Mutex<Record<'a, R::Output>>>,
    ledger: Mutex<Ledger<R::Output>>,
    /// Why there will be no output.
    error: Mutex<Option<ParallelError>>,
    is_over: AtomicBool,
    workers: u32,
}

pub(super) fn run<R: TransactionRunner>(
    runners: &mut [R],
    transactions: &[R::Transaction],
    view: &dyn StateView,
    limits: &BlockLimits,
    inspector: &dyn BlockInspector,
) -> (Result<BlockRun<R::Output>, ParallelError>, BlockMetrics) {
    let mut metrics = BlockMetrics {
        blocks: 1,
        ..BlockMetrics::default()
    };
    let Ok(count) = u32::try_from(transactions.len()) else {
        let error = ParallelError::Inconsistent("more than 2^32 transactions".into());
        return (Err(error), metrics);
    };
    let _span =
        tracing::debug_span!("block", transactions = count, workers = runners.len()).entered();
    let map = SlotMap::new();
    let result = {
        let shared = Shared::<R>::new(&map, transactions, view, inspector, limits, runners.len());
        for worker in shared.work(runners) {
            metrics.add(&worker);
        }
        shared.close()
    };
    let result = result.and_then(|ledger| {
        let committed = metrics.committed as u32;
        let (writes, bytes) = merged(map, committed)?;
        metrics.version_bytes = bytes;
        Ok(ledger.close(writes))
    });
    (result, metrics)
}

/// A change set, and the bytes of all versions behind it.
type Merged = (Vec<(StateKey, WriteOp)>, u64);

/// All changes of the committed transactions as one change set, in the order of their keys.
fn merged(map: SlotMap, committed: u32) -> Result<Merged, ParallelError> {
    let (mut writes, mut bytes) = (Vec::new(), 0);
    for mut slot in map.into_slots() {
        bytes += slot.written_bytes();
        let Some((key, had, value)) = slot.into_final(committed) else {
            continue;
        };
        let had = had.ok_or_else(|| inconsistent("a write was committed unseen"))?;
        let op = match (had, value) {
            (false, Some(bytes)) => WriteOp::Create(bytes.to_vec()),
            (true, Some(bytes)) => WriteOp::Modify(bytes.to_vec()),
            (true, None) => WriteOp::Delete,
            (false, None) => continue,
        };
        writes.push((key, op));
    }
    writes.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok((writes, bytes))
}

fn inconsistent(text: impl Into<String>) -> ParallelError {
    ParallelError::Inconsistent(text.into())
}

/// The text of a panic.
fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or(panic.downcast_ref::<String>().map(String::as_str));
    format!("a worker panicked: {}", text.unwrap_or("no message"))
}

impl<'a, R: TransactionRunner> Shared<'a, R> {
    fn new(
        map: &'a SlotMap,
        transactions: &'a [R::Transaction],
        base: &'a dyn StateView,
        inspector: &'a dyn BlockInspector,
        limits: &BlockLimits,
        workers: usize,
    ) -> Self {
        let record = || {
            Mutex::new(Record {
                incarnation: 0,
                is_final: false,
                reads: Vec::new(),
                writes: Vec::new(),
                code: Vec::new(),
                cost: Cost::default(),
                ending: None,
            })
        };
        Self {
            map,
            transactions,
            base,
            inspector,
            scheduler: Scheduler::new(transactions.len() as u32, workers as u32),
            records: std::iter::repeat_with(record)
                .take(transactions.len())
                .collect(),
            ledger: Mutex::new(Ledger::new(*limits, transactions.len())),
            error: Mutex::new(None),
            is_over: AtomicBool::new(false),
            workers: workers as u32,
        }
    }

    /// Lets every runner work until the block is over; the first one in this thread.
    fn work(&self, runners: &mut [R]) -> Vec<BlockMetrics> {
        thread::scope(|scope| {
            let mut runners = runners.iter_mut();
            let own = runners.next();
            let mut threads = Vec::new();
            for (runner, number) in runners.zip(1..) {
                let builder = thread::Builder::new()
                    .name(format!("worker-{number}"))
                    .stack_size(runner.stack_bytes());
                // Without threads there are fewer workers, that is all.
                let spawned = builder.spawn_scoped(scope, move || self.worker(runner));
                threads.extend(spawned);
            }
            let mut metrics = Vec::with_capacity(threads.len() + 1);
            metrics.extend(own.map(|runner| self.worker(runner)));
            metrics.extend(threads.into_iter().filter_map(|thread| thread.join().ok()));
            metrics
        })
    }

    fn worker(&self, runner: &mut R) -> BlockMetrics {
        let mut worker = Worker {
            shared: self,
            runner,
            captures: Mutex::new(Captures::new(KnownSlots::new(self.map))),
            metrics: BlockMetrics::default(),
        };
        // A panic outside of a transaction is a bug of the executor; the others must not wait for this worker.
        let result = catch_unwind(AssertUnwindSafe(|| worker.work()));
        match result {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(error),
            Err(panic) => self.fail(inconsistent(text_of(panic.as_ref()))),
        }
        worker.into_metrics()
    }

    fn fail(&self, error: ParallelError) {
        lock(&self.error).get_or_insert(error);
        self.stop();
    }

    fn stop(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.scheduler.stop();
    }

    fn close(self) -> Result<Ledger<R::Output>, ParallelError> {
        let error = lock(&self.error).take();
        let ledger = self.ledger.into_inner();
        error.map_or(Ok(ledger.unwrap_or_else(PoisonError::into_inner)), Err)
    }

    fn record(&self, transaction: u32) -> &Mutex<Record<'a, R::Output>> {
        &self.records[transaction as usize]
    }
}

/// One worker.
struct Worker<'w, 'a, R: TransactionRunner> {
    shared: &'w Shared<'a, R>,
    runner: &'w mut R,
    /// Behind a lock because views are shared; nobody else ever takes it.
    captures: Mutex<Captures<'a>>,
    metrics: BlockMetrics,
}

impl<'a, R: TransactionRunner> Worker<'_, 'a, R> {
    fn work(&mut self) -> Result<(), ParallelError> {
        let mut follow_up = None;
        loop {
            let task = follow_up
                .take()
                .unwrap_or_else(|| self.shared.scheduler.next());
            match task {
                Task::Execute(execution) => {
                    if let Some(wrote_elsewhere) = self.execute(execution)? {
                        follow_up = self.shared.scheduler.executed(execution, wrote_elsewhere);
                    }
                }
                Task::Validate {
                    transaction,
                    incarnation,
                } => self.validate(transaction, incarnation),
                Task::Commit(transaction) => follow_up = self.commit(transaction)?,
                Task::Done => return Ok(()),
            }
        }
    }

    fn into_metrics(self) -> BlockMetrics {
        let counts = lock(&self.captures).counts;
        BlockMetrics {
            reads: counts.reads,
            captured_reads: counts.captured,
            base_reads: counts.base_reads,
            bytes_read: counts.bytes,
            ..self.metrics
        }
    }

    /// Executes until there is something to record. `None` if it waits for another transaction, or the block is over; else whether it
    /// wrote where its last incarnation did not.
    fn execute(&mut self, execution: Execution) -> Result<Option<bool>, ParallelError> {
        let shared = self.shared;
        let Execution {
            transaction,
            incarnation,
            is_final,
        } = execution;
        let index = transaction as usize;
        let _span = tracing::trace_span!("execute", transaction, incarnation).entered();
        self.metrics.highest_incarnation = self.metrics.highest_incarnation.max(incarnation.into());
        let mut may_panic = is_final;
        loop {
            shared.inspector.on_execute(index, incarnation);
            self.metrics.executions += 1;
            self.metrics.final_executions += u64::from(is_final);
            lock(&self.captures).start();
            let view = TransactionView {
                captures: &self.captures,
                base: shared.base,
                scheduler: &shared.scheduler,
                reader: transaction,
                is_over: &shared.is_over,
            };
            let runner = &mut *self.runner;
            let what = &shared.transactions[index];
            let result = catch_unwind(AssertUnwindSafe(|| runner.run(index, what, &view)));
            if result.is_err() {
                self.runner.reset();
            }
            if shared.is_over.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let (reads, blocked_on) = lock(&self.captures).finish();
            if let Some(writer) = blocked_on {
                if is_final {
                    return Err(inconsistent("an estimate of a committed transaction"));
                }
                self.metrics.suspensions += 1;
                shared.inspector.on_suspend(index, writer as usize);
                if shared.scheduler.suspend(transaction, writer) {
                    return Ok(None);
                }
                continue;
            }
            let ending = match result {
                Ok(Ok(output)) if is_final || !output.is_fault() => Ending::Output(output),
                Ok(Err(error)) if is_final => return Err(error.into()),
                Err(_) if may_panic => {
                    // Once more, with a fresh runner.
                    may_panic = false;
                    self.metrics.unsound += 1;
                    continue;
                }
                Err(panic) if is_final => return Err(inconsistent(text_of(panic.as_ref()))),
                _ => {
                    self.metrics.unsound += 1;
                    Ending::Unsound
                }
            };
            return Ok(Some(self.enter(execution, reads, ending)));
        }
    }

    /// Makes the writes of an execution visible and records it. Whether it wrote where its last incarnation did not.
    fn enter(
        &mut self,
        execution: Execution,
        reads: Vec<Read<'a>>,
        ending: Ending<R::Output>,
    ) -> bool {
        let origin = Origin {
            transaction: execution.transaction,
            incarnation: execution.incarnation,
        };
        let mut record = lock(self.shared.record(execution.transaction));
        let (mut writes, mut code) = (Vec::new(), Vec::new());
        let mut cost = Cost::default();
        if let Ending::Output(output) = &ending {
            cost = Cost::of(output);
            let known = &mut lock(&self.captures).known;
            writes.reserve_exact(output.writes().len());
            for (key, op) in output.writes() {
                let slot = known.slot(key);
                let value: Value = value_of(op).map(Into::into);
                self.metrics.bytes_written += value.as_ref().map_or(0, |value| value.len() as u64);
                let write = Write {
                    slot,
                    creates: matches!(op, WriteOp::Create(_)),
                };
                if slot.is_code {
                    code.push((write, value));
                } else {
                    slot.write(origin, value);
                    writes.push(write);
                }
            }
        }
        writes.sort_unstable_by_key(|write| write.slot.number);
        let is_in = |writes: &[Write<'_>], slot: &Slot| {
            let found = writes.binary_search_by_key(&slot.number, |other| other.slot.number);
            found.is_ok()
        };
        for old in &record.writes {
            if !is_in(&writes, old.slot) {
                old.slot.remove(execution.transaction);
            }
        }
        let wrote_elsewhere = writes
            .iter()
            .any(|write| !is_in(&record.writes, write.slot));
        *record = Record {
            incarnation: execution.incarnation,
            is_final: execution.is_final,
            reads,
            writes,
            code,
            cost,
            ending: Some(ending),
        };
        wrote_elsewhere
    }

    fn validate(&mut self, transaction: u32, incarnation: u32) {
        let shared = self.shared;
        let record = lock(shared.record(transaction));
        if record.incarnation != incarnation {
            return;
        }
        self.metrics.validations += 1;
        let is_valid = still_valid(transaction, &record.reads);
        shared
            .inspector
            .on_validate(transaction as usize, incarnation, is_valid);
        if !is_valid && shared.scheduler.abort(transaction, incarnation) {
            self.abort(transaction, &record);
            shared.scheduler.requeue(transaction);
        }
    }

    fn abort(&mut self, transaction: u32, record: &Record<'a, R::Output>) {
        self.metrics.aborts += 1;
        self.shared
            .inspector
            .on_abort(transaction as usize, record.incarnation);
        for write in &record.writes {
            write.slot.mark_estimate(transaction);
        }
    }

    /// Commits `first` and what can be committed after it. The task that follows, if there is one.
    fn commit(&mut self, first: u32) -> Result<Option<Task>, ParallelError> {
        let shared = self.shared;
        let mut next = Some(Task::Commit(first));
        while let Some(Task::Commit(transaction)) = next {
            if !self.settle(transaction)? {
                return Ok(None);
            }
            let mut record = lock(shared.record(transaction));
            let Some(Ending::Output(output)) = record.ending.take() else {
                return Err(inconsistent("a transaction is committed without an output"));
            };
            self.check_writes(transaction, &record)?;
            let mut ledger = lock(&shared.ledger);
            if ledger.judge(record.cost) == Verdict::Refused {
                shared.stop();
                return Ok(None);
            }
            let origin = Origin {
                transaction,
                incarnation: record.incarnation,
            };
            let publishes = !record.code.is_empty();
            for (Write { slot, .. }, value) in record.code.drain(..) {
                if let (Some(module), Some(code)) = (module_of(&slot.key), &value) {
                    shared
                        .inspector
                        .on_publish(transaction as usize, module, code);
                }
                slot.write(origin, value);
            }
            ledger.accept(output, record.cost);
            self.metrics.committed += 1;
            shared
                .inspector
                .on_commit(transaction as usize, record.incarnation);
            if !ledger.is_open() {
                shared.stop();
                return Ok(None);
            }
            for read in std::mem::take(&mut record.reads) {
                read.slot.cool_down(&read.seen, transaction, shared.workers);
            }
            drop(ledger);
            drop(record);
            next = shared.scheduler.committed(transaction, publishes);
        }
        Ok(next)
    }

    /// Makes sure that the record of a transaction, everything before which is committed, is what counts. False if the block is over.
    fn settle(&mut self, transaction: u32) -> Result<bool, ParallelError> {
        let shared = self.shared;
        {
            let record = lock(shared.record(transaction));
            let is_sound = matches!(record.ending, Some(Ending::Output(_)));
            if is_sound && (record.is_final || still_valid(transaction, &record.reads)) {
                return Ok(true);
            }
            self.abort(transaction, &record);
        }
        let execution = shared.scheduler.restart(transaction);
        let done = self.execute(execution)?;
        shared.scheduler.restarted(transaction);
        Ok(done.is_some())
    }

    /// Checks the writes of a transaction that is being committed against what is there: what is created is missing, what is changed or
    /// deleted is not. Every later reader of the merged change set relies on it.
    fn check_writes(
        &self,
        transaction: u32,
        record: &Record<'a, R::Output>,
    ) -> Result<(), ParallelError> {
        let code = record.code.iter().map(|(write, _)| write);
        for Write { slot, creates } in record.writes.iter().chain(code) {
            let exists = match slot.presence_before(transaction) {
                Presence::Base => {
                    let base = slot.base(self.shared.base);
                    base.map_err(|error| inconsistent(error.to_string()))?
                        .is_some()
                }
                Presence::Written(exists) => exists,
                Presence::Estimate => return Err(inconsistent("an estimate was committed")),
            };
            if exists == *creates {
                let key = &slot.key;
                return Err(inconsistent(format!("{key} is written as what it is not")));
            }
        }
        Ok(())
    }
}
