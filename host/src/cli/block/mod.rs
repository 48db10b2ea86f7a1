//! `monomove block`: a block of transactions in the sandbox.

mod format;
pub(super) mod table;

use std::num::NonZero;
use std::path::{Path, PathBuf};

use clap::Args;
use monomove::{
    BlockConfig, BlockLimits, BlockMemory, BlockMetrics, CutOff, CutOffReason, Engine,
    EngineConfig, Limits, WorkerMemory,
};
use serde::Serialize;

use super::chain::{BlockResult, Chain, StateArgs};
use super::describe::Described;
use super::exit::{CliError, Exit};
use super::limits::{LimitArgs, ModeArgs, size};
use super::output::{BAD, DIM, Output, styled};
use super::state::CommittedBlock;
use format::BlockFile;
use table::Row;

/// Version of the JSON form of the output.
const SCHEMA: &str = "monomove.block-output/1";

/// Arguments of `monomove block`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file:
  {
    \"schema\": \"monomove.block/1\",
    \"std\": true,                          our own standard library and framework at 0x1 (the
                                          default, unless --state has a chain already)
    \"modules\": [\"bank.mv\", \"build\"],     files or directories, relative to this file
    \"genesis\": {                          the framework's genesis; may be left out
      \"chain_id\": 4, \"time_micros\": 1700000000000000,
      \"accounts\": [{ \"address\": \"0xa1\", \"balance\": 1000000 }],
      \"calls\": []                         calls before the block, any function, same form as transactions
    },
    \"block\": {                            tells the chain that a block begins; may be left out
      \"height\": 1, \"time_micros\": 1700000001000000, \"proposer\": \"0x1\"
    },
    \"transactions\": [
      { \"sender\": \"0xa1\", \"function\": \"0xcafe::bank::deposit\", \"args\": [\"u64:5\"],
        \"type_args\": [], \"signers\": [], \"gas_limit\": 1000000000 },
      { \"sender\": \"0xa1\", \"sequence_number\": 0, \"max_gas\": 1000, \"gas_price\": 1,
        \"expiration_seconds\": 1800000000, \"chain_id\": 4,
        \"function\": \"0x1::native_coin::transfer\", \"args\": [\"address:0xb0b\", \"u64:5\"] },
      { \"sender\": \"0xa1\", \"sequence_number\": 1, \"script\": \"pay.mv\", \"args\": [] },
      { \"sender\": \"0xa1\", \"sequence_number\": 2,
        \"publish\": { \"package\": \"bank\", \"modules\": [\"bank.mv\"], \"policy\": 1 } },
      { \"signed\": \"0x…\" }                 BCS of a signed transaction, or its JSON
    ]
  }

Without a sequence number a transaction is a call of an entry function and nothing else. With one it runs from prologue to
epilogue on a chain with accounts: it is discarded, or it pays for its gas, in units of 1000000 internal gas. Its signers are
taken at their word unless `authentication_key` is given. By default max_gas is the gas limit, gas_price 0, and it never expires.

Example:
  monomove block block.json --json
  monomove block block.json --state chain --commit
  monomove block block.json --workers 4 --metrics metrics.prom")]
pub(crate) struct BlockArgs {
    /// The block: JSON, or a list of signed transactions in BCS (.bcs)
    file: PathBuf,
    /// How the chain begins: a genesis blob, or JSON like `genesis` below (.json)
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    workers: WorkerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    mode: ModeArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// Transactions that make a worker of its own worth its start.
const WORTH_A_WORKER: usize = 64;
/// Workers that are started unasked.
const MOST_WORKERS: usize = 16;

/// Who executes the block, and its bounds.
#[derive(Debug, Args)]
struct WorkerArgs {
    /// Execute in parallel (Block-STM), by this many workers; 0 means one transaction after the other. The output is the same. By default one
    /// for each core, if the block has 64 transactions for each
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(..=256))]
    workers: Option<u16>,
    /// Internal gas of the block: the transaction that reaches it is the last
    #[arg(long, value_name = "GAS")]
    block_gas: Option<u64>,
    /// Bytes that the outputs of the block may have together
    #[arg(long, value_name = "SIZE", value_parser = size)]
    block_memory: Option<u64>,
    /// Write what the execution took, in the text format of Prometheus
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
}

impl WorkerArgs {
    /// How many workers a block of so many transactions gets. One alone gains nothing over going through them in order.
    fn count(&self, transactions: usize) -> u16 {
        self.workers.unwrap_or_else(|| {
            let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
            match cores.min(transactions / WORTH_A_WORKER).min(MOST_WORKERS) {
                0 | 1 => 0,
                workers => workers as u16,
            }
        })
    }

    fn config(&self, workers: u16) -> BlockConfig {
        let default = BlockLimits::default();
        BlockConfig {
            workers: workers.into(),
            limits: BlockLimits {
                gas: self.block_gas.unwrap_or(default.gas),
                bytes: self.block_memory.unwrap_or(default.bytes),
            },
            ..BlockConfig::default()
        }
    }
}

/// Where and why a block ends early.
#[derive(Clone, Copy, Debug, Serialize)]
struct CutOffText {
    at: usize,
    reason: &'static str,
}

impl From<CutOff> for CutOffText {
    fn from(cut_off: CutOff) -> Self {
        let reason = match cut_off.reason {
            CutOffReason::Gas => "block gas",
            CutOffReason::Bytes => "block memory",
        };
        Self {
            at: cut_off.at,
            reason,
        }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    limits: &'a Limits,
    transactions: Vec<TransactionReport<'a>>,
    summary: Summary,
    workers: u16,
    output_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_off: Option<CutOffText>,
    metrics: BlockMetrics,
    /// What all of it takes in memory.
    memory: BlockMemory,
    /// The block that was committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<CommittedBlock>,
}

#[derive(Serialize)]
struct TransactionReport<'a> {
    signers: &'a [monomove::AccountAddress],
    function: String,
    #[serde(flatten)]
    result: &'a Described,
}

/// What a block amounts to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Summary {
    transactions: usize,
    returned: usize,
    failed: usize,
    faults: usize,
    gas_used: u64,
    instructions: u64,
    seconds: f64,
    transactions_per_second: f64,
}

pub(crate) fn run(args: &BlockArgs, out: &mut Output) -> Result<Exit, CliError> {
    let limits = args.limits.limits()?;
    let mut file = BlockFile::read(&args.file)?;
    // The gas limit is one of the block's transactions, not of the genesis.
    let gas_per_transaction = limits
        .gas_per_transaction
        .max(Limits::default().gas_per_transaction);
    let engine = Engine::with_config(EngineConfig {
        limits: Limits {
            gas_per_transaction,
            ..limits
        },
        paranoid: args.mode.paranoid,
        gc_stress: args.mode.gc_stress,
        enum_inline_bytes: args.mode.enum_inline_bytes,
        gas_schedule: args.mode.gas_schedule()?,
        ..EngineConfig::default()
    })?;
    let mut chain = Chain::open(&engine, &args.state)?;
    if let Some(genesis) = &args.genesis {
        file.begin(genesis, &mut chain)?;
    }
    let base = args.file.parent().unwrap_or(Path::new(""));
    let transactions = file
        .prepare(base, &mut chain, &engine, limits.gas_per_transaction)
        .map_err(|error| error.within(args.file.display()))?;
    let workers = args.workers.count(transactions.len());
    chain.configure(&engine, args.workers.config(workers));
    let mut result = chain.execute(transactions)?;
    if file.has_prologue() && !result.transactions.is_empty() {
        let (outcome, described) = result.transactions.remove(0);
        if !described.returned {
            let text = format!("{}: block: {}", args.file.display(), described.ending());
            return Err(CliError::failed(Exit::of(&outcome), text));
        }
    }
    let metrics = *chain.metrics();
    let memory = chain.memory();
    if let Some(file) = &args.workers.metrics {
        let text = metrics.to_prometheus() + &chain.code_metrics().to_prometheus();
        std::fs::write(file, text).map_err(|error| CliError::at(file.display(), error))?;
    }
    let cut_off = result.cut_off.map(CutOffText::from);
    let block = chain.commit()?.map(CommittedBlock::from);
    let summary = Summary::of(&result);
    let exit = if summary.has_faults() {
        Exit::Fault
    } else if cut_off.is_some() {
        Exit::Limit
    } else {
        Exit::Ok
    };
    let signers = file
        .transactions()
        .iter()
        .map(format::Transaction::all_signers)
        .collect::<Vec<_>>();
    let rows = file
        .transactions()
        .iter()
        .zip(&signers)
        .zip(&result.transactions);
    if args.json {
        let transactions = rows.map(|((transaction, signers), (_, result))| TransactionReport {
            signers,
            function: transaction.title(),
            result,
        });
        out.json(&Report {
            schema: SCHEMA,
            limits: &limits,
            transactions: transactions.collect(),
            summary,
            workers,
            output_hash: hex::encode(result.hash),
            cut_off,
            metrics,
            memory,
            block,
        })?;
        return Ok(exit);
    }
    let rows = rows.map(|((transaction, signers), (_, result))| Row {
        sender: signers.first().map_or("-".to_owned(), ToString::to_string),
        call: transaction.line(),
        result,
    });
    table::print(&rows.collect::<Vec<_>>(), &summary, &limits, out)?;
    out.line(styled(
        DIM,
        format_args!("output hash {}", hex::encode(result.hash)),
    ))?;
    out.line(styled(DIM, memory_line(&memory)))?;
    if args.workers.workers.is_some() && workers > 0 {
        out.line(styled(DIM, metrics_line(workers, &metrics)))?;
    }
    if let Some(cut_off) = cut_off {
        out.line(styled(
            BAD,
            format_args!(
                "cut off before transaction {}: {}",
                cut_off.at + 1,
                cut_off.reason
            ),
        ))?;
    }
    if let Some(block) = &block {
        out.line(block)?;
    }
    Ok(exit)
}

/// Where the memory is, in one line.
fn memory_line(memory: &BlockMemory) -> String {
    let most = |of: fn(&WorkerMemory) -> u64| memory.workers.iter().map(of).max().unwrap_or(0);
    format!(
        "memory: {} KiB of outputs; heap {} KiB, context {} KiB, code {} KiB, values {} KiB a worker; shared values {} KiB",
        memory.output_bytes.div_ceil(1024),
        most(|worker| worker.heap_bytes).div_ceil(1024),
        most(|worker| worker.context_bytes).div_ceil(1024),
        most(|worker| worker.code_bytes).div_ceil(1024),
        most(|worker| worker.value_cache_bytes).div_ceil(1024),
        memory.shared_value_bytes.div_ceil(1024)
    )
}

/// What the workers did, in one line.
fn metrics_line(workers: u16, metrics: &BlockMetrics) -> String {
    format!(
        "{workers} workers: {} executions, {} validations, {} aborts, {} suspensions, {} reads of which {} below the block",
        metrics.executions,
        metrics.validations,
        metrics.aborts,
        metrics.suspensions,
        metrics.reads,
        metrics.base_reads
    )
}

impl Summary {
    /// Sums a block up.
    pub(super) fn of(result: &BlockResult) -> Self {
        let described = || result.transactions.iter().map(|(_, described)| described);
        let returned = described().filter(|described| described.returned).count();
        let is_fault =
            |exit: &(monomove::TransactionOutcome, Described)| Exit::of(&exit.0) == Exit::Fault;
        let faults = result
            .transactions
            .iter()
            .filter(|exit| is_fault(exit))
            .count();
        let transactions = result.transactions.len();
        let seconds = result.time.as_secs_f64();
        Self {
            transactions,
            returned,
            failed: transactions - returned - faults,
            faults,
            gas_used: described().fold(0, |sum, described| sum.saturating_add(described.gas_used)),
            instructions: described().fold(0, |sum, described| {
                sum.saturating_add(described.instructions)
            }),
            seconds,
            transactions_per_second: if seconds > 0.0 {
                transactions as f64 / seconds
            } else {
                0.0
            },
        }
    }

    /// Whether the sandbox broke.
    pub(super) fn has_faults(&self) -> bool {
        self.faults > 0
    }

    /// One line.
    pub(super) fn line(&self) -> String {
        format!(
            "{} transactions: {} returned, {} failed, {} sandbox faults; gas {}, {} instructions; {:.2} ms, {:.0} transactions/s",
            self.transactions,
            self.returned,
            self.failed,
            self.faults,
            super::output::grouped(self.gas_used),
            super::output::grouped(self.instructions),
            self.seconds * 1000.0,
            self.transactions_per_second
        )
    }
}
