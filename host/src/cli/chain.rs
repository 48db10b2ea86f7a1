//! A chain: state, what printing needs, and the executor. The state is a fork of an empty state or of one on disk.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use monomove::{
    Access, AccountAddress, Authentication, Block, BlockConfig, BlockExecutor, BlockInfo,
    BlockInspector, BlockMemory, BlockMetrics, BlockTransaction, Call, CodeCacheMetrics, CutOff,
    DiskState, Engine, Fork, Genesis, Identifier, MemoryState, ModuleId, Outcome, Sandbox,
    StateCommit, StateKey, StateView, TransactionOutcome, TransactionPayload, UserTransaction,
};
use monomove_text::parse_argument;
use monomove_types::GenesisBlob;
use sha3::{Digest, Sha3_256};

use super::describe::{Book, Described};
use super::exit::{CliError, Exit};
use super::input::{self, ModuleFile};
use super::progress::{Progress, while_waiting};
use monomove_stdlib::Embedded;

/// Which state to work on.
#[derive(Debug, Default, Args)]
pub(crate) struct StateArgs {
    /// Work on the state in this directory instead of an empty one
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Commit what was done to the state, as one block; the directory is made if it is not there
    #[arg(long, requires = "state")]
    commit: bool,
}

impl StateArgs {
    /// The state in `dir`, if one is named, to commit to.
    pub(crate) fn new(dir: Option<PathBuf>, commit: bool) -> Self {
        Self {
            commit: commit && dir.is_some(),
            state: dir,
        }
    }
}

/// State, names for it, and a warm executor.
pub(crate) struct Chain {
    executor: BlockExecutor,
    /// The state as of now: what was there and what this process did.
    pub(crate) state: Fork<Box<dyn StateView + Send>>,
    /// Where the state comes from, and whether it goes back there.
    disk: Option<(DiskState, bool)>,
    pub(crate) book: Book,
    /// Transactions made so far: the seed of the next one's hash.
    made: u64,
}

/// What a block did, transaction by transaction.
pub(crate) struct BlockResult {
    /// Each with its raw outcome.
    pub(crate) transactions: Vec<(TransactionOutcome, Described)>,
    /// How long the execution took.
    pub(crate) time: Duration,
    /// Where the block was cut off.
    pub(crate) cut_off: Option<CutOff>,
    /// Hash of the block's output.
    pub(crate) hash: [u8; 32],
}

/// Moves the progress bar with every commit.
struct Watched(Progress);

impl BlockInspector for Watched {
    fn on_commit(&self, _: usize, _: u32) {
        self.0.step();
    }
}

impl Chain {
    /// An empty chain.
    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            executor: BlockExecutor::new(engine),
            state: Fork::new(Box::new(MemoryState::new())),
            disk: None,
            book: Book::default(),
            made: 0,
        }
    }

    /// A chain on the state that `args` name.
    pub(crate) fn open(engine: &Engine, args: &StateArgs) -> Result<Self, CliError> {
        let mut chain = Self::new(engine);
        if let Some(dir) = &args.state {
            let disk = if args.commit {
                DiskState::create(dir)?
            } else {
                DiskState::open(dir)?
            };
            chain.state = Fork::new(Box::new(disk.view()?));
            chain.disk = Some((disk, args.commit));
        }
        Ok(chain)
    }

    /// Executes blocks in this way from now on.
    pub(crate) fn configure(&mut self, engine: &Engine, config: BlockConfig) {
        self.executor = BlockExecutor::with_config(engine, config);
    }

    /// What the blocks since [`configure`](Self::configure) took.
    pub(crate) fn code_metrics(&self) -> CodeCacheMetrics {
        self.executor.code_metrics()
    }

    /// What all blocks so far took.
    pub(crate) fn metrics(&self) -> &BlockMetrics {
        self.executor.metrics()
    }

    /// What the executor holds in memory.
    pub(crate) fn memory(&mut self) -> BlockMemory {
        self.executor.memory()
    }

    /// Whether the chain begins with this process.
    pub(crate) fn is_fresh(&self) -> bool {
        self.last_block().is_none()
    }

    /// Whether nothing is on the chain yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_fresh() && self.state.writes().is_empty()
    }

    fn last_block(&self) -> Option<BlockInfo> {
        self.disk.as_ref().and_then(|(disk, _)| disk.latest())
    }

    /// Commits everything since the chain was opened as one block, if that was asked for.
    pub(crate) fn commit(&mut self) -> Result<Option<BlockInfo>, CliError> {
        let Some((disk, true)) = &mut self.disk else {
            return Ok(None);
        };
        let writes = self.state.writes();
        while_waiting(|| disk.commit(&writes))?;
        Ok(disk.latest())
    }

    /// Puts modules of the project into the state.
    pub(crate) fn publish_embedded(
        &mut self,
        modules: impl Iterator<Item = Embedded>,
    ) -> Result<(), CliError> {
        for (name, bytes) in modules {
            let path = format!("(embedded) {name}");
            self.publish(input::module(path.as_ref(), bytes.to_vec())?)?;
        }
        Ok(())
    }

    /// Puts a module into the state, in place of the one of the same name.
    pub(crate) fn publish(&mut self, file: ModuleFile) -> Result<(), CliError> {
        let key = StateKey::module(file.id.clone());
        self.state.insert(&key, Some(file.bytes.into()))?;
        self.book.layouts.insert(file.id, file.module);
        Ok(())
    }

    /// A call that runs as the next transaction of this chain.
    pub(crate) fn call(
        &mut self,
        access: Access,
        signers: &[AccountAddress],
        (module, function): (ModuleId, Identifier),
        gas_limit: u64,
    ) -> Call {
        let mut hasher = Sha3_256::new();
        hasher.update(b"MONOMOVE::TRANSACTION");
        if let Some(block) = self.last_block() {
            hasher.update(block.hash);
        }
        hasher.update(self.made.to_le_bytes());
        self.made += 1;
        Call {
            module,
            function,
            ty_args: Vec::new(),
            signers: signers.to_vec(),
            args: Vec::new(),
            access,
            gas_limit,
            txn_hash: hasher.finalize().into(),
        }
    }

    /// Executes `transactions` one after the other and applies what they did.
    pub(crate) fn execute(
        &mut self,
        transactions: Vec<BlockTransaction>,
    ) -> Result<BlockResult, CliError> {
        let block = Block::new(transactions);
        let watched = Watched(Progress::new(block.transactions.len()));
        let start = Instant::now();
        let (executor, state) = (&mut self.executor, &self.state);
        let mut run = || executor.execute_inspected(&block, state, &watched);
        let output = match block.transactions.len() {
            // Nothing to count.
            1 => while_waiting(run),
            _ => run(),
        };
        let time = start.elapsed();
        watched.0.finish();
        let output = output?;
        let (cut_off, hash) = (output.cut_off, output.hash());
        let mut transactions = Vec::with_capacity(output.transactions.len());
        for outcome in output.transactions {
            let described = self.book.describe(&outcome, &self.state);
            self.state.commit(outcome.writes())?;
            transactions.push((outcome, described));
        }
        Ok(BlockResult {
            transactions,
            time,
            cut_off,
            hash,
        })
    }

    /// Begins with the values of a genesis blob.
    pub(crate) fn import(&mut self, blob: GenesisBlob) -> Result<(), CliError> {
        for (key, value) in blob.writes {
            self.state.insert(&key, Some(value.into()))?;
        }
        Ok(())
    }

    /// The number of the chain, if the state says one.
    pub(crate) fn chain_id(&mut self, engine: &Engine) -> Result<Option<u8>, CliError> {
        if self.is_empty() {
            return Ok(None);
        }
        let id = self.ask(engine, "0x1::chain_id::get", &[])?;
        Ok(id.and_then(|bytes| bytes.first().copied()))
    }

    /// Runs the framework's genesis: the chain itself, then each account with its first balance.
    pub(crate) fn genesis(
        &mut self,
        chain_id: u8,
        time_micros: u64,
        accounts: &[(AccountAddress, u64)],
    ) -> Result<(), CliError> {
        let mut calls = vec![self.genesis_call(
            "initialize",
            &[format!("u8:{chain_id}"), format!("u64:{time_micros}")],
        )?];
        for (address, balance) in accounts {
            let args = [format!("address:{address}"), format!("u64:{balance}")];
            calls.push(self.genesis_call("create_account_with_balance", &args)?);
        }
        let names = calls
            .iter()
            .map(|call| call.function.clone())
            .collect::<Vec<_>>();
        let calls = calls.into_iter().map(Into::into).collect();
        for ((outcome, described), name) in self.execute(calls)?.transactions.iter().zip(names) {
            if !described.returned {
                return Err(CliError::failed(
                    Exit::of(outcome),
                    format!("genesis::{name}: {}", described.ending()),
                ));
            }
        }
        Ok(())
    }

    fn genesis_call(&mut self, function: &str, args: &[String]) -> Result<Call, CliError> {
        let function = input::function(&format!("0x1::genesis::{function}"))?;
        let mut call = self.call(Access::Any, &[AccountAddress::ONE], function, u64::MAX);
        call.args = arguments(args)?;
        Ok(call)
    }
}

/// What a transaction says besides its payload; what is left out has a default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Envelope {
    /// Who sends it.
    pub(crate) sender: AccountAddress,
    /// Who else signs it.
    pub(crate) secondary: Vec<AccountAddress>,
    /// The sender's key; without it the signers are taken at their word.
    pub(crate) authentication_key: Option<Vec<u8>>,
    /// Transactions of the sender before it.
    pub(crate) sequence_number: u64,
    /// Gas units; as many as the limit gives by default.
    pub(crate) max_gas: Option<u64>,
    /// Price of a gas unit; nothing by default.
    pub(crate) gas_price: Option<u64>,
    /// Never by default.
    pub(crate) expiration_seconds: Option<u64>,
    /// The chain.
    pub(crate) chain_id: u8,
}

/// Internal gas of a gas unit.
const GAS_UNIT: u64 = 1_000_000;

impl Envelope {
    /// The transaction with this payload, with at most `gas` of internal gas unless it says more.
    pub(crate) fn seal(&self, payload: TransactionPayload, gas: u64) -> UserTransaction {
        let authentication = match &self.authentication_key {
            None => Authentication::Trusted,
            Some(key) => Authentication::Keys {
                sender: key.clone(),
                secondary: self.secondary.iter().map(|a| a.0.to_vec()).collect(),
            },
        };
        UserTransaction {
            sender: self.sender,
            secondary_signers: self.secondary.clone(),
            authentication,
            sequence_number: self.sequence_number,
            payload,
            max_gas: self.max_gas.unwrap_or(gas / GAS_UNIT),
            gas_price: self.gas_price.unwrap_or(0),
            expiration_seconds: self.expiration_seconds.unwrap_or(u64::MAX),
            chain_id: self.chain_id,
            hash: [0; 32],
            size: 0,
        }
        .sealed()
    }
}

impl Chain {
    /// Makes a chain that has nothing yet a chain with our own library.
    pub(crate) fn begin(&mut self, engine: &Engine, genesis: &Genesis) -> Result<(), CliError> {
        if !self.is_fresh() {
            return Ok(());
        }
        let writes = genesis.writes(engine).map_err(|error| error.to_string())?;
        self.state.commit(&writes)?;
        for (name, bytes) in monomove_stdlib::std_and_framework() {
            let path = format!("(embedded) {name}");
            let file = input::module(path.as_ref(), bytes.to_vec())?;
            self.book.layouts.insert(file.id, file.module);
        }
        Ok(())
    }

    /// What a view of the framework says: the BCS of its only result, or nothing if it fails.
    pub(crate) fn ask(
        &mut self,
        engine: &Engine,
        function: &str,
        args: &[String],
    ) -> Result<Option<Vec<u8>>, CliError> {
        let function = input::function(function)?;
        let mut call = self.call(Access::View, &[], function, u64::MAX);
        call.args = arguments(args)?;
        let outcome = Sandbox::new(engine).view(&call, &self.state)?;
        Ok(match outcome.success().map(|output| &output.outcome) {
            Some(Outcome::Returned { values, .. }) => values.first().map(|value| value.bcs.clone()),
            _ => None,
        })
    }
}

/// Arguments in the Aptos syntax as BCS.
pub(crate) fn arguments(texts: &[String]) -> Result<Vec<Vec<u8>>, String> {
    let parse =
        |text: &String| parse_argument(text).map_err(|error| format!("argument `{text}`: {error}"));
    texts.iter().map(parse).collect()
}
