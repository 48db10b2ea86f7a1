//! Blocks in parallel: Block-STM. The output is that of running the transactions one after the other, whatever the number of workers
//! and however the system schedules them.
//!
//! Every worker has a [`TransactionRunner`] of its own and takes tasks from the [`scheduler`]: execute a transaction on a view of the
//! [multi-version map](mvmap) that shows the writes of the transactions before it; validate that what it read still stands; commit.
//! Transactions commit in order, and what decides is the validation at that moment, when everything before is final; earlier validation
//! only saves time. What a transaction read is [captured](capture): values, their absence, and modules alike.
//!
//! - A transaction that is found stale is executed anew (its next *incarnation*). Until then its writes are *estimates*: who meets one
//!   waits for its writer.
//! - Modules that a transaction writes are visible from its commit on, not before: code is never speculative. Who read the old ones is
//!   found stale like any other reader.
//! - A result that a sound run cannot have (a fault, a panic, an unreadable state) may be due to a view that no order of transactions
//!   explains. It never counts: when everything before is committed, the transaction runs once more, and that result counts.
//! - What breaks the rules of the executor itself ends the parallel run; the block is then executed in sequence.

mod capture;
mod ledger;
mod map;
mod metrics;
mod mvmap;
mod scheduler;
mod worker;

pub use ledger::{BlockLimits, BlockRun, CutOff, CutOffReason};
pub use metrics::{BlockInspector, BlockMetrics, NoBlockInspector};

use crate::code::module_of;
use crate::outcome::HostError;
use crate::state::{Fork, StateView, value_of};
use ledger::{Cost, Ledger, Verdict};
use monomove_core::WriteOp;
use monomove_types::StateKey;
use thiserror::Error;

/// What the execution of one transaction gave.
pub trait TransactionOutput: Send {
    /// What later transactions see of it. Each key at most once.
    fn writes(&self) -> &[(StateKey, WriteOp)];
    /// Internal gas charged.
    fn gas_used(&self) -> u64;
    /// Bytes it occupies until the block ends: the same on every machine.
    fn bytes(&self) -> u64;
    /// Whether it says that the sandbox broke, which another run may not repeat.
    fn is_fault(&self) -> bool;
}

/// Executes transactions, one at a time. Every worker has one of its own.
///
/// Results must be a function of the transaction and of what the view says: whatever is kept between transactions may save time only.
pub trait TransactionRunner: Send {
    /// What it executes.
    type Transaction: Sync;
    /// What comes of it.
    type Output: TransactionOutput;

    /// Executes the transaction at `index` on `view`. An error of the view must come back as an error.
    fn run(
        &mut self,
        index: usize,
        transaction: &Self::Transaction,
        view: &dyn StateView,
    ) -> Result<Self::Output, HostError>;

    /// Forgets everything that is kept between transactions: it may be damaged.
    fn reset(&mut self);

    /// Bytes of stack that a thread needs for it.
    fn stack_bytes(&self) -> usize {
        2 << 20
    }
}

/// Why a block has no output from a parallel run.
#[derive(Debug, Error)]
pub enum ParallelError {
    /// A transaction could not be executed, which would stop a sequential run at the same place.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The executor broke its own rules. The block should be run in sequence, with fresh runners.
    #[error("the parallel run is inconsistent: {0}")]
    Inconsistent(String),
}

/// Runs `transactions` one after the other: the specification.
pub fn run_in_sequence<R: TransactionRunner>(
    runner: &mut R,
    transactions: &[R::Transaction],
    view: &dyn StateView,
    limits: &BlockLimits,
    inspector: &dyn BlockInspector,
) -> Result<BlockRun<R::Output>, HostError> {
    let mut fork = Fork::new(view);
    let mut ledger = Ledger::new(*limits, transactions.len());
    for (index, transaction) in transactions.iter().enumerate() {
        if !ledger.is_open() {
            break;
        }
        inspector.on_execute(index, 0);
        let output = runner.run(index, transaction, &fork)?;
        let cost = Cost::of(&output);
        match ledger.judge(cost) {
            Verdict::Accepted => {
                for (key, op) in output.writes() {
                    if let (Some(module), Some(code)) = (module_of(key), value_of(op)) {
                        inspector.on_publish(index, module, code);
                    }
                }
                fork.apply(output.writes());
                ledger.accept(output, cost);
                inspector.on_commit(index, 0);
            }
            Verdict::Refused => break,
        }
    }
    Ok(ledger.close(fork.into_writes()))
}

/// Runs `transactions` in parallel, one worker for each runner. Second: what it took.
pub fn run_in_parallel<R: TransactionRunner>(
    runners: &mut [R],
    transactions: &[R::Transaction],
    view: &dyn StateView,
    limits: &BlockLimits,
    inspector: &dyn BlockInspector,
) -> (Result<BlockRun<R::Output>, ParallelError>, BlockMetrics) {
    worker::run(runners, transactions, view, limits, inspector)
}

#[cfg(test)]
mod tests;
