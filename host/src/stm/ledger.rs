//! What a block has accepted so far, and where it is cut off. Sequential and parallel execution share it, so that both end a block at
//! the same transaction.

use super::TransactionOutput;
use monomove_core::WriteOp;
use monomove_types::StateKey;

/// Bounds of a block. Where one is met depends on the block alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockLimits {
    /// Internal gas: the transaction with which the block reaches it is the last.
    pub gas: u64,
    /// Bytes of all outputs together: the transaction that would exceed it is not part of the block, nor what follows.
    pub bytes: u64,
}

impl Default for BlockLimits {
    fn default() -> Self {
        Self {
            gas: u64::MAX,
            bytes: 1 << 30,
        }
    }
}

/// Which bound cut a block off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CutOffReason {
    /// [`BlockLimits::gas`].
    Gas,
    /// [`BlockLimits::bytes`].
    Bytes,
}

/// Where and why a block ends before its last transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CutOff {
    /// The first transaction that is not part of it.
    pub at: usize,
    /// The bound.
    pub reason: CutOffReason,
}

/// What a block gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockRun<O> {
    /// The outputs in order, of the transactions before the cut-off.
    pub outputs: Vec<O>,
    /// All changes against the state the block ran on, in the order of their keys.
    pub writes: Vec<(StateKey, WriteOp)>,
    /// Where it was cut off, if it was.
    pub cut_off: Option<CutOff>,
    /// Bytes of all outputs, as [`BlockLimits::bytes`] counts them.
    pub bytes: u64,
}

/// Whether an output becomes part of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted,
    /// The block ends before it.
    Refused,
}

/// What an output takes from the bounds of the block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    gas: u64,
    bytes: u64,
}

impl Cost {
    pub(super) fn of(output: &impl TransactionOutput) -> Self {
        Self {
            gas: output.gas_used(),
            bytes: output.bytes(),
        }
    }
}

/// The outputs of a block, in order.
#[derive(Debug)]
pub(super) struct Ledger<O> {
    limits: BlockLimits,
    /// Transactions in the block.
    count: usize,
    outputs: Vec<O>,
    gas: u64,
    bytes: u64,
    cut_off: Option<CutOff>,
}

impl<O> Ledger<O> {
    pub(super) fn new(limits: BlockLimits, count: usize) -> Self {
        Self {
            limits,
            count,
            outputs: Vec::with_capacity(count),
            gas: 0,
            bytes: 0,
            cut_off: None,
        }
    }

    /// Whether another transaction may follow.
    pub(super) fn is_open(&self) -> bool {
        self.cut_off.is_none()
    }

    /// Whether an output that costs so much can be the next. If not, the block ends here.
    pub(super) fn judge(&mut self, cost: Cost) -> Verdict {
        if self.bytes.saturating_add(cost.bytes) > self.limits.bytes {
            self.cut_off = Some(CutOff {
                at: self.outputs.len(),
                reason: CutOffReason::Bytes,
            });
            return Verdict::Refused;
        }
        Verdict::Accepted
    }

    /// Takes the next output, which was judged.
    pub(super) fn accept(&mut self, output: O, cost: Cost) {
        self.gas = self.gas.saturating_add(cost.gas);
        self.bytes = self.bytes.saturating_add(cost.bytes);
        self.outputs.push(output);
        if self.gas >= self.limits.gas && self.outputs.len() < self.count {
            self.cut_off = Some(CutOff {
                at: self.outputs.len(),
                reason: CutOffReason::Gas,
            });
        }
    }

    pub(super) fn close(self, writes: Vec<(StateKey, WriteOp)>) -> BlockRun<O> {
        BlockRun {
            outputs: self.outputs,
            writes,
            cut_off: self.cut_off,
            bytes: self.bytes,
        }
    }
}
