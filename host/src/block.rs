//! Blocks of transactions. What a block gives is defined by executing its transactions one after the other; how many workers really do
//! it changes nothing but the time.

use crate::code::{CodeCacheConfig, CodeCacheMetrics, CodeManager, Feeding, Finished};
use crate::engine::Engine;
use crate::flat::FlatValues;
use crate::flow::BlockTransaction;
use crate::inspector::NoInspector;
use crate::maintenance::Maintenance;
use crate::outcome::{HostError, TransactionOutcome};
use crate::sandbox::Sandbox;
use crate::state::{Fork, StateView};
use crate::stm::{
    BlockInspector, BlockLimits, BlockMetrics, BlockRun, CutOff, NoBlockInspector, ParallelError,
    TransactionOutput, TransactionRunner, run_in_parallel, run_in_sequence,
};
use monomove_core::{Event, Outcome, WriteOp};
use monomove_types::StateKey;
use sha3::{Digest, Sha3_256};
use std::sync::Arc;

/// Bytes that a write, an event, a returned value and a transaction as such count for in [`BlockLimits::bytes`], besides the data.
const OVERHEAD_BYTES: u64 = 160;

/// Transactions in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Each is a transaction of its own.
    pub transactions: Vec<BlockTransaction>,
    /// Where the block stands in its chain, if the caller wants that to be checked.
    pub lineage: Option<Lineage>,
}

impl Block {
    /// A block of these transactions, which follows whatever it is executed on.
    pub fn new<T: Into<BlockTransaction>>(transactions: impl IntoIterator<Item = T>) -> Self {
        Self {
            transactions: transactions.into_iter().map(Into::into).collect(),
            lineage: None,
        }
    }
}

/// The place of a block in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// Its hash.
    pub hash: [u8; 32],
    /// Hash of the block before it.
    pub parent: [u8; 32],
}

/// What a block did. Nothing of it is applied to the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockOutput {
    /// How each transaction ended, in the block's order; of those before the cut-off.
    pub transactions: Vec<TransactionOutcome>,
    /// All changes against the state the block ran on, in the order of their keys, for [`StateCommit`](crate::StateCommit).
    pub writes: Vec<(StateKey, WriteOp)>,
    /// Where the block was cut off, if it was: the transactions from there on were not executed.
    pub cut_off: Option<CutOff>,
}

impl BlockOutput {
    /// The events of all transactions, in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        let outputs = self
            .transactions
            .iter()
            .filter_map(|outcome| match outcome {
                TransactionOutcome::Kept(output) => Some(output),
                _ => None,
            });
        outputs.flat_map(|output| &output.events)
    }

    /// Internal gas of all transactions.
    pub fn gas_used(&self) -> u64 {
        let gas = self.transactions.iter().map(TransactionOutput::gas_used);
        gas.fold(0, u64::saturating_add)
    }

    /// A hash of all of it: outcomes, events, gas, changes, cut-off. Equal hashes, equal outputs.
    pub fn hash(&self) -> [u8; 32] {
        let mut hasher = Sha3_256::new();
        hasher.update(b"MONOMOVE::BLOCK_OUTPUT");
        let mut add = |tag: u8, bytes: Result<Vec<u8>, bcs::Error>| {
            // What has no byte form is hashed as the reason why.
            let bytes = bytes.unwrap_or_else(|error| error.to_string().into_bytes());
            hasher.update([tag]);
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(&bytes);
        };
        for outcome in &self.transactions {
            match outcome {
                TransactionOutcome::Kept(output) => add(0, bcs::to_bytes(output)),
                TransactionOutcome::Discarded(failure) => add(1, bcs::to_bytes(failure)),
                TransactionOutcome::SandboxFault(fault) => add(2, Ok(fault.to_string().into())),
            }
        }
        add(3, bcs::to_bytes(&self.writes));
        let cut_off = self
            .cut_off
            .map(|cut_off| (cut_off.at as u64, cut_off.reason as u8));
        add(4, bcs::to_bytes(&cut_off));
        hasher.finalize().into()
    }

    fn of(run: BlockRun<TransactionOutcome>) -> Self {
        Self {
            transactions: run.outputs,
            writes: run.writes,
            cut_off: run.cut_off,
        }
    }
}

impl TransactionOutput for TransactionOutcome {
    fn writes(&self) -> &[(StateKey, WriteOp)] {
        self.writes()
    }

    fn gas_used(&self) -> u64 {
        match self {
            Self::Kept(output) => output.gas_used,
            Self::Discarded(_) | Self::SandboxFault(_) => 0,
        }
    }

    fn bytes(&self) -> u64 {
        let Self::Kept(output) = self else {
            return OVERHEAD_BYTES;
        };
        let value = |len: usize| OVERHEAD_BYTES + len as u64;
        let writes = output.writes.iter().map(|(key, op)| {
            let key = match key {
                StateKey::TableItem { key, .. } | StateKey::Raw(key) => key.len(),
                StateKey::AccessPath { .. } => 0,
            };
            value(key + crate::state::value_of(op).map_or(0, <[u8]>::len))
        });
        let events = output.events.iter().map(|event| value(event.data.len()));
        let values: u64 = match &output.outcome {
            Outcome::Returned { values, mut_args } => {
                let mut_args = mut_args.iter().map(|(_, arg)| arg);
                let all = values.iter().chain(mut_args);
                all.map(|typed| value(typed.bcs.len())).sum()
            }
            Outcome::Failed(_) => 0,
        };
        OVERHEAD_BYTES + values + writes.sum::<u64>() + events.sum::<u64>()
    }

    fn is_fault(&self) -> bool {
        matches!(self, Self::SandboxFault(_))
    }
}

/// Runs the transactions of a block in a sandbox of its own.
#[derive(Debug)]
pub struct SandboxRunner {
    pub(crate) sandbox: Sandbox,
}

impl SandboxRunner {
    /// A runner on `engine`.
    pub fn new(engine: &Engine) -> Self {
        Self {
            sandbox: Sandbox::new(engine),
        }
    }

    /// A runner that shares large values with others.
    fn sharing(engine: &Engine, values: &Arc<FlatValues>) -> Self {
        Self {
            sandbox: Sandbox::sharing(engine, values.clone()),
        }
    }
}

impl TransactionRunner for SandboxRunner {
    type Transaction = BlockTransaction;
    type Output = TransactionOutcome;

    fn run(
        &mut self,
        _: usize,
        transaction: &BlockTransaction,
        view: &dyn StateView,
    ) -> Result<TransactionOutcome, HostError> {
        self.sandbox
            .execute_in_block(transaction, view, &mut NoInspector)
    }

    fn reset(&mut self) {
        self.sandbox.reset();
    }

    fn stack_bytes(&self) -> usize {
        // What wasm may use, and as much as a thread usually has for the host.
        self.sandbox.engine().limits().wasm_stack_bytes as usize + (2 << 20)
    }
}

/// How blocks are executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockConfig {
    /// Workers, each a thread with a sandbox of its own; 0 means one after the other, without Block-STM.
    pub workers: usize,
    /// Bounds of a block.
    pub limits: BlockLimits,
    /// Bounds of the modules that are kept between blocks.
    pub code_cache: CodeCacheConfig,
}

/// What an executor holds in memory, by what it is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct BlockMemory {
    /// The frame stack of each worker: as much as it may use; pages that no call ever reached are not backed by memory.
    pub frame_stack_bytes: u64,
    /// Values that workers share, as images and as BCS.
    pub shared_value_bytes: u64,
    /// The image that workers start from.
    pub image_bytes: u64,
    /// Most bytes of values that transactions of a block wrote, of all versions that its multi-version map had at its end.
    pub version_bytes: u64,
    /// Most bytes of outputs of a block, as [`BlockLimits::bytes`] counts them.
    pub output_bytes: u64,
    /// The workers.
    pub workers: Vec<WorkerMemory>,
}

/// What one worker holds in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct WorkerMemory {
    /// The linear memory of its instance, in which all of the following lie; 0 for the native backend.
    pub linear_bytes: u64,
    /// The largest heap that a transaction had.
    pub heap_bytes: u64,
    /// Tables of the context.
    pub context_bytes: u64,
    /// Lowered code.
    pub code_bytes: u64,
    /// Values of the state that are kept decoded, with their BCS.
    pub value_cache_bytes: u64,
}

/// Runs blocks on sandboxes that it keeps warm between them.
#[derive(Debug)]
pub struct BlockExecutor {
    runners: Vec<SandboxRunner>,
    config: BlockConfig,
    /// Hash of the last block, if it had one.
    last: Option<[u8; 32]>,
    metrics: BlockMetrics,
    maintenance: Maintenance,
    values: Arc<FlatValues>,
    engine: Engine,
    pub(crate) code: CodeManager,
}

impl BlockExecutor {
    /// An executor on `engine` that runs transactions one after the other.
    pub fn new(engine: &Engine) -> Self {
        Self::with_config(engine, BlockConfig::default())
    }

    /// An executor on `engine`.
    pub fn with_config(engine: &Engine, config: BlockConfig) -> Self {
        let values = Arc::default();
        let runners = std::iter::repeat_with(|| SandboxRunner::sharing(engine, &values));
        Self {
            runners: runners.take(config.workers.max(1)).collect(),
            config,
            last: None,
            metrics: BlockMetrics::default(),
            maintenance: Maintenance::new(engine),
            values,
            engine: engine.clone(),
            code: CodeManager::new(config.code_cache),
        }
    }

    /// What all blocks so far took.
    pub fn metrics(&self) -> &BlockMetrics {
        &self.metrics
    }

    /// What became of the modules that are kept within blocks and between them.
    pub fn code_metrics(&self) -> CodeCacheMetrics {
        self.code.metrics(&self.engine)
    }

    /// Runs `block` on `view`. Each transaction sees the writes of those before it that were kept.
    pub fn execute(
        &mut self,
        block: &Block,
        view: &dyn StateView,
    ) -> Result<BlockOutput, HostError> {
        self.execute_inspected(block, view, &NoBlockInspector)
    }

    /// Like [`execute`](Self::execute), watched by `inspector`.
    pub fn execute_inspected(
        &mut self,
        block: &Block,
        view: &dyn StateView,
        inspector: &dyn BlockInspector,
    ) -> Result<BlockOutput, HostError> {
        let follows = self.check_lineage(block.lineage);
        let engine = self.engine.clone();
        // Lost if the block has no output.
        let mut manager =
            std::mem::replace(&mut self.code, CodeManager::new(self.config.code_cache));
        manager.start_block(&engine, follows, view);
        let code = manager.block(&engine, view);
        let inspector = Feeding {
            code: &code,
            inner: inspector,
        };
        let maintained = self.maintenance.before_block(&mut self.runners, &code);
        self.metrics.add(&maintained);
        let output = self.run(block, &code, &inspector);
        self.metrics.add(&self.values.take_metrics());
        let output = output?;
        let finished = Finished::from(code);
        manager.finish_block(finished);
        self.code = manager;
        self.maintenance.after_block(&output.writes);
        Ok(output)
    }

    fn run(
        &mut self,
        block: &Block,
        view: &dyn StateView,
        inspector: &dyn BlockInspector,
    ) -> Result<BlockOutput, HostError> {
        let (calls, limits) = (&block.transactions, &{ self.config.limits });
        if self.config.workers > 0 {
            let (result, metrics) =
                run_in_parallel(&mut self.runners, calls, view, limits, inspector);
            self.metrics.add(&metrics);
            let result = match result {
                Ok(_) if self.values.take_taint() => Err(ParallelError::Inconsistent(
                    "an instance broke after others took values from it".into(),
                )),
                result => result,
            };
            match result {
                Ok(run) => {
                    self.note(&run);
                    return Ok(BlockOutput::of(run));
                }
                Err(ParallelError::Host(error)) => return Err(error),
                Err(ParallelError::Inconsistent(reason)) => {
                    tracing::warn!(reason, "the block is run in sequence after all");
                    inspector.on_fallback(&reason);
                    self.metrics.fallbacks += 1;
                    self.reset();
                }
            }
        }
        let Some(runner) = self.runners.first_mut() else {
            return Err(HostError::Instantiate("no sandbox".into()));
        };
        let run = run_in_sequence(runner, calls, view, limits, inspector)?;
        if self.config.workers == 0 {
            let executed = run.outputs.len() as u64;
            self.metrics.add(&BlockMetrics {
                blocks: 1,
                committed: executed,
                executions: executed,
                final_executions: executed,
                ..BlockMetrics::default()
            });
        }
        self.note(&run);
        Ok(BlockOutput::of(run))
    }

    fn note(&mut self, run: &BlockRun<TransactionOutcome>) {
        self.metrics.output_bytes = self.metrics.output_bytes.max(run.bytes);
    }

    /// The memory that the executor and its workers hold, by what it is for.
    pub fn memory(&mut self) -> BlockMemory {
        let mut memory = BlockMemory {
            frame_stack_bytes: self.engine.limits().frame_stack_bytes.into(),
            shared_value_bytes: self.values.bytes(),
            image_bytes: self.maintenance.image_bytes(),
            version_bytes: self.metrics.version_bytes,
            output_bytes: self.metrics.output_bytes,
            workers: Vec::with_capacity(self.runners.len()),
        };
        for runner in &mut self.runners {
            let figures = runner.sandbox.figures();
            memory.workers.push(WorkerMemory {
                linear_bytes: runner.sandbox.linear_bytes(),
                heap_bytes: figures.heap.highest,
                context_bytes: figures.context.bytes,
                code_bytes: figures.context.code_bytes,
                value_cache_bytes: figures.values.bytes,
            });
        }
        memory
    }

    /// Runs blocks one after the other, each on the state that the one before left, to the same outputs as if each had been committed
    /// before the next. A block that is cut off does not stop those after it.
    pub fn execute_chunk(
        &mut self,
        blocks: &[Block],
        view: &dyn StateView,
    ) -> Result<Vec<BlockOutput>, HostError> {
        let mut fork = Fork::new(view);
        let mut outputs = Vec::with_capacity(blocks.len());
        for block in blocks {
            let output = self.execute(block, &fork)?;
            fork.apply(&output.writes);
            outputs.push(output);
        }
        Ok(outputs)
    }

    /// Drops everything that is kept between blocks. Results do not depend on it.
    pub fn reset(&mut self) {
        self.values = Arc::default();
        for runner in &mut self.runners {
            *runner = SandboxRunner::sharing(&self.engine, &self.values);
        }
        self.code.flush();
        self.maintenance = Maintenance::new(&self.engine);
    }

    /// Whether a block says that it follows the last one. If it says that it follows another, it may be of another chain: what is kept
    /// would be checked module by module, but it is of no use.
    fn check_lineage(&mut self, lineage: Option<Lineage>) -> bool {
        let follows = self
            .last
            .zip(lineage)
            .map(|(last, lineage)| last == lineage.parent);
        if follows == Some(false) {
            tracing::warn!("the block does not follow the last one; its caches start cold");
            self.reset();
        }
        self.last = lineage.map(|lineage| lineage.hash);
        follows == Some(true)
    }
}

/// Runs one block with an executor of its own, one transaction after the other.
pub fn execute_block(
    engine: &Engine,
    block: &Block,
    view: &dyn StateView,
) -> Result<BlockOutput, HostError> {
    BlockExecutor::new(engine).execute(block, view)
}
