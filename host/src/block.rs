//! A block of transactions, one after the other. This is the specification of block execution: whatever runs a block, its output is the
//! one defined here.

use crate::engine::Engine;
use crate::outcome::{HostError, TransactionOutcome};
use crate::sandbox::Sandbox;
use crate::state::{Fork, StateView};
use monomove_core::{Call, WriteOp};
use monomove_types::StateKey;

/// Transactions in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Each is a transaction of its own.
    pub transactions: Vec<Call>,
}

/// What a block did. Nothing of it is applied to the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockOutput {
    /// How each transaction ended, in the block's order.
    pub transactions: Vec<TransactionOutcome>,
    /// All changes against the state the block ran on, in the order of their keys, for [`StateCommit`](crate::StateCommit).
    pub writes: Vec<(StateKey, WriteOp)>,
}

/// Runs blocks on sandboxes that it keeps warm between them.
#[derive(Debug)]
pub struct BlockExecutor {
    sandbox: Sandbox,
}

impl BlockExecutor {
    /// An executor on `engine`.
    pub fn new(engine: &Engine) -> Self {
        Self {
            sandbox: Sandbox::new(engine),
        }
    }

    /// Runs `block` on `view`. Each transaction sees the writes of those before it that returned.
    pub fn execute(
        &mut self,
        block: &Block,
        view: &dyn StateView,
    ) -> Result<BlockOutput, HostError> {
        let mut overlay = Fork::new(view);
        let mut transactions = Vec::with_capacity(block.transactions.len());
        for call in &block.transactions {
            let outcome = self.sandbox.execute(call, &overlay)?;
            if let Some(output) = outcome.success() {
                overlay.apply(&output.writes);
            }
            transactions.push(outcome);
        }
        Ok(BlockOutput {
            transactions,
            writes: overlay.into_writes(),
        })
    }
}

/// Runs one block with an executor of its own.
pub fn execute_block(
    engine: &Engine,
    block: &Block,
    view: &dyn StateView,
) -> Result<BlockOutput, HostError> {
    BlockExecutor::new(engine).execute(block, view)
}
