//! The file formats of `monomove block`: `monomove.block/1`, and lists of signed transactions in BCS.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use monomove::{
    Access, AccountAddress, BlockMetadata, BlockTransaction, Engine, Executable, Payload,
    SignedTransaction, TransactionPayload, TransactionRules, UserTransaction,
};
use monomove_format::CompiledModule;
use serde::Deserialize;

use super::super::chain::{Chain, Envelope, arguments};
use super::super::exit::{CliError, Exit};
use super::super::input;

/// Version of the format.
const SCHEMA: &str = "monomove.block/1";

/// A block with the chain it runs on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockFile {
    /// `monomove.block/1`.
    schema: String,
    /// Whether our own standard library and framework are put at `0x1`; by default on a chain that begins with this block.
    std: Option<bool>,
    /// Modules, or directories with modules, to put on the chain first; relative to the file.
    #[serde(default)]
    modules: Vec<PathBuf>,
    /// The chain's beginning; without it the chain starts with modules only.
    genesis: Option<Genesis>,
    /// What the block says of itself; without it, the chain is not told that a block begins.
    block: Option<Metadata>,
    /// The block.
    transactions: Vec<Transaction>,
}

/// The framework's genesis.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Genesis {
    /// Number of the chain; 4 by default.
    #[serde(default = "default_chain_id")]
    chain_id: u8,
    /// Time of the chain's beginning in microseconds since 1970.
    #[serde(default = "default_time")]
    time_micros: u64,
    /// First accounts.
    #[serde(default)]
    accounts: Vec<Account>,
    /// Calls to run before the block, in order; any function may be called. Each must return.
    #[serde(default)]
    calls: Vec<Transaction>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    address: AccountAddress,
    balance: u64,
}

/// Height, time and proposer of the block.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    height: u64,
    time_micros: u64,
    #[serde(default)]
    proposer: AccountAddress,
}

/// One call, or, with a sequence number, a transaction from prologue to epilogue.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transaction {
    /// The signer; with `signers`, the first of them.
    sender: Option<AccountAddress>,
    /// Further signers.
    #[serde(default)]
    signers: Vec<AccountAddress>,
    /// `0x1::module::function`.
    function: Option<String>,
    /// A script (.mv), in place of a function.
    script: Option<PathBuf>,
    /// Modules to publish through `0x1::code`, in place of a function.
    publish: Option<Publish>,
    /// A signed transaction: hexadecimal bytes, or JSON; in place of everything else.
    signed: Option<Signed>,
    /// Types.
    #[serde(default)]
    type_args: Vec<String>,
    /// Arguments in the Aptos syntax.
    #[serde(default)]
    args: Vec<String>,
    /// Internal gas of a call; the limit of the sandbox by default.
    gas_limit: Option<u64>,
    /// Transactions of the sender before this one.
    sequence_number: Option<u64>,
    /// Hexadecimal; without it the signers are taken at their word.
    authentication_key: Option<String>,
    /// Gas units.
    max_gas: Option<u64>,
    /// Price of a gas unit.
    gas_price: Option<u64>,
    /// Second since 1970 from which on it is void.
    expiration_seconds: Option<u64>,
    /// The chain it is for; that of the genesis by default.
    chain_id: Option<u8>,
}

/// A signed transaction.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Signed {
    /// Its byte form, in hexadecimal.
    Bytes(String),
    /// Its JSON form.
    Json(Box<SignedTransaction>),
}

impl Signed {
    /// What it says, if it can be read.
    fn decoded(&self) -> Option<Cow<'_, SignedTransaction>> {
        match self {
            Self::Bytes(text) => {
                let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok()?;
                SignedTransaction::decode(&bytes).ok().map(Cow::Owned)
            }
            Self::Json(signed) => Some(Cow::Borrowed(signed)),
        }
    }

    /// Who signed, the sender first.
    fn signers(&self) -> Vec<AccountAddress> {
        let Some(signed) = self.decoded() else {
            return Vec::new();
        };
        let secondary = signed.authenticator.secondary_addresses();
        [&[signed.raw.sender], secondary].concat()
    }

    /// What it does, in a few words.
    fn title(&self) -> String {
        let Some(signed) = self.decoded() else {
            return "signed".to_owned();
        };
        match &signed.raw.payload {
            Payload::EntryFunction(call)
            | Payload::V1 {
                executable: Executable::EntryFunction(call),
                ..
            } => format!("{}::{}", call.module, call.function),
            Payload::Script(_)
            | Payload::V1 {
                executable: Executable::Script(_),
                ..
            } => "script".to_owned(),
            Payload::Multisig { address, .. } => format!("multisig {address}"),
            Payload::V1 {
                executable: Executable::Empty,
                ..
            } => "empty payload".to_owned(),
        }
    }

    /// The transaction, or why it is discarded.
    fn transaction(&self, chain_id: u8) -> Result<BlockTransaction, CliError> {
        let rules = TransactionRules {
            chain_id,
            max_gas_amount: u64::MAX,
            ..TransactionRules::default()
        };
        Ok(match self {
            Self::Bytes(text) => {
                let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text))
                    .map_err(|error| CliError::at("signed", error))?;
                UserTransaction::from_bytes(&bytes, &rules).into()
            }
            Self::Json(signed) => UserTransaction::from_signed(signed, &rules).into(),
        })
    }
}

/// A bundle of modules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Publish {
    /// Name of the package.
    package: String,
    /// Modules, or directories with modules.
    modules: Vec<PathBuf>,
    /// 1: compatible upgrades, 2: immutable.
    #[serde(default = "compatible")]
    policy: u8,
}

fn compatible() -> u8 {
    1
}

fn default_chain_id() -> u8 {
    4
}

fn default_time() -> u64 {
    1_700_000_000_000_000
}

impl BlockFile {
    /// Reads a file: a list of signed transactions if its name ends in `.bcs`, else JSON. Errors name the byte, or line and column.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        if path.extension().is_some_and(|extension| extension == "bcs") {
            let signed = SignedTransaction::decode_list(&input::read(path)?)
                .map_err(|error| CliError::at(path.display(), error))?;
            let transaction = |signed| Transaction {
                signed: Some(Signed::Json(Box::new(signed))),
                ..Transaction::default()
            };
            return Ok(Self {
                transactions: signed.into_iter().map(transaction).collect(),
                ..Self::default()
            });
        }
        let file: Self = serde_json::from_str(&input::read_text(path)?)
            .map_err(|error| CliError::at(path.display(), error))?;
        if file.schema != SCHEMA {
            return Err(CliError::at(
                path.display(),
                format!("`schema`: expected \"{SCHEMA}\""),
            ));
        }
        Ok(file)
    }

    /// Gives the chain this beginning: a genesis blob, or JSON of the same form as `genesis` in a block (by the name of the file).
    pub(super) fn begin(&mut self, genesis: &Path, chain: &mut Chain) -> Result<(), CliError> {
        let at = |error: String| CliError::at(genesis.display(), error);
        if !chain.is_fresh() {
            return Err(at("the state has a chain already".to_owned()));
        }
        if genesis
            .extension()
            .is_none_or(|extension| extension != "json")
        {
            let blob = input::genesis_blob(genesis, &input::read(genesis)?)?;
            return chain.import(blob);
        }
        if self.genesis.is_some() {
            return Err(at("the block has a genesis of its own".to_owned()));
        }
        let text = input::read_text(genesis)?;
        self.genesis = Some(serde_json::from_str(&text).map_err(|error| at(error.to_string()))?);
        Ok(())
    }

    /// Sets the chain up as the file says, paths relative to `base`, and gives the block's transactions, each with at most `gas`. If the
    /// block says something of itself, one more comes first.
    pub(super) fn prepare(
        &self,
        base: &Path,
        chain: &mut Chain,
        engine: &Engine,
        gas: u64,
    ) -> Result<Vec<BlockTransaction>, CliError> {
        if self.std.unwrap_or(chain.is_empty()) {
            chain.publish_embedded(monomove_stdlib::std_and_framework())?;
        }
        for path in &self.modules {
            for module in input::modules(&base.join(path))? {
                chain.publish(module)?;
            }
        }
        if let Some(genesis) = &self.genesis {
            let accounts = genesis
                .accounts
                .iter()
                .map(|account| (account.address, account.balance));
            chain.genesis(
                genesis.chain_id,
                genesis.time_micros,
                &accounts.collect::<Vec<_>>(),
            )?;
            let mut calls = Vec::with_capacity(genesis.calls.len());
            for (index, transaction) in genesis.calls.iter().enumerate() {
                let at = |error: CliError| error.field_of(format!("genesis.calls[{index}]"));
                let call = transaction.call(Access::Any, chain, u64::MAX);
                calls.push(call.map_err(at)?.into());
            }
            for (index, (outcome, described)) in
                chain.execute(calls)?.transactions.iter().enumerate()
            {
                if !described.returned {
                    let text = format!("genesis.calls[{index}]: {}", described.ending());
                    return Err(CliError::failed(Exit::of(outcome), text));
                }
            }
        }
        let mut all = Vec::with_capacity(self.transactions.len() + 1);
        if let Some(metadata) = &self.block {
            let metadata = BlockMetadata {
                height: metadata.height,
                time_micros: metadata.time_micros,
                proposer: metadata.proposer,
            };
            all.push(metadata.prologue(engine.flow()));
        }
        let chain_id = match &self.genesis {
            Some(genesis) => genesis.chain_id,
            None => chain.chain_id(engine)?.unwrap_or(default_chain_id()),
        };
        for (index, transaction) in self.transactions.iter().enumerate() {
            let at = |error: CliError| error.field_of(format!("transactions[{index}]"));
            if let Some(signed) = &transaction.signed {
                all.push(signed.transaction(chain_id).map_err(at)?);
                continue;
            }
            all.push(match transaction.sequence_number {
                None => transaction
                    .call(Access::Entry, chain, gas)
                    .map_err(at)?
                    .into(),
                Some(number) => {
                    let payload = transaction.payload(base).map_err(at)?;
                    let envelope = transaction.envelope(number, chain_id).map_err(at)?;
                    envelope.seal(payload, gas).into()
                }
            });
        }
        Ok(all)
    }

    /// Whether the block's first transaction is not one of the file's.
    pub(super) fn has_prologue(&self) -> bool {
        self.block.is_some()
    }

    /// The block's transactions as they stand in the file.
    pub(super) fn transactions(&self) -> &[Transaction] {
        &self.transactions
    }
}

impl Transaction {
    /// All signers, the sender first.
    pub(super) fn all_signers(&self) -> Vec<AccountAddress> {
        if let Some(signed) = &self.signed {
            return signed.signers();
        }
        self.sender.iter().chain(&self.signers).copied().collect()
    }

    /// What it does, in a few words.
    pub(super) fn title(&self) -> String {
        if let Some(signed) = &self.signed {
            return signed.title();
        }
        match (&self.function, &self.script, &self.publish) {
            (Some(function), ..) => function.clone(),
            (None, Some(script), _) => format!("script {}", script.display()),
            (None, None, Some(publish)) => format!("publish {}", publish.package),
            (None, None, None) => String::new(),
        }
    }

    /// What it does, with arguments.
    pub(super) fn line(&self) -> String {
        format!("{}({})", self.title(), self.args.join(", "))
    }

    /// A call with at most `gas`.
    fn call(
        &self,
        access: Access,
        chain: &mut Chain,
        gas: u64,
    ) -> Result<monomove::Call, CliError> {
        let Some(function) = &self.function else {
            let expected = "expected a function, or a sequence number for anything else";
            return Err(CliError::at("function", expected));
        };
        let function =
            input::function(function).map_err(|error| CliError::at("function", error))?;
        let limit = self.gas_limit.map_or(gas, |limit| limit.min(gas));
        let mut call = chain.call(access, &self.all_signers(), function, limit);
        call.args = self.arguments()?;
        call.ty_args = self.types()?;
        Ok(call)
    }

    fn arguments(&self) -> Result<Vec<Vec<u8>>, CliError> {
        arguments(&self.args).map_err(|error| CliError::at("args", error))
    }

    fn types(&self) -> Result<Vec<monomove::TypeTag>, CliError> {
        let types = self.type_args.iter().map(|text| {
            text.parse()
                .map_err(|error| CliError::at("type_args", format!("type `{text}`: {error}")))
        });
        types.collect()
    }

    fn payload(&self, base: &Path) -> Result<TransactionPayload, CliError> {
        match (&self.function, &self.script, &self.publish) {
            (Some(function), None, None) => {
                let (module, function) =
                    input::function(function).map_err(|error| CliError::at("function", error))?;
                Ok(TransactionPayload::EntryFunction {
                    module,
                    function,
                    ty_args: self.types()?,
                    args: self.arguments()?,
                })
            }
            (None, Some(script), None) => Ok(TransactionPayload::Script {
                code: input::read(&base.join(script))?,
                ty_args: self.types()?,
                args: self.arguments()?,
            }),
            (None, None, Some(publish)) => publish.payload(base),
            _ => Err(CliError::at(
                "function",
                "expected one of function, script and publish",
            )),
        }
    }

    fn envelope(&self, sequence_number: u64, chain_id: u8) -> Result<Envelope, CliError> {
        let key = self.authentication_key.as_ref().map(|text| {
            hex::decode(text.strip_prefix("0x").unwrap_or(text))
                .map_err(|error| CliError::at("authentication_key", error))
        });
        Ok(Envelope {
            sender: self
                .sender
                .ok_or_else(|| CliError::at("sender", "expected an address"))?,
            secondary: self.signers.clone(),
            authentication_key: key.transpose()?,
            sequence_number,
            max_gas: self.max_gas,
            gas_price: self.gas_price,
            expiration_seconds: self.expiration_seconds,
            chain_id: self.chain_id.unwrap_or(chain_id),
        })
    }
}

impl Publish {
    /// A call of `0x1::code::publish`.
    fn payload(&self, base: &Path) -> Result<TransactionPayload, CliError> {
        let (mut names, mut bundle) = (Vec::new(), Vec::new());
        for path in &self.modules {
            for file in input::modules(&base.join(path))? {
                names.push(CompiledModule::self_id(&file.module).name.to_string());
                bundle.push(file.bytes);
            }
        }
        let (module, function) = input::function("0x1::code::publish")?;
        let encode = |bytes: Result<Vec<u8>, bcs::Error>| {
            bytes.map_err(|error| CliError::at("publish", error))
        };
        Ok(TransactionPayload::EntryFunction {
            module,
            function,
            ty_args: Vec::new(),
            args: vec![
                encode(bcs::to_bytes(&self.package))?,
                encode(bcs::to_bytes(&names))?,
                encode(bcs::to_bytes(&bundle))?,
                vec![self.policy],
            ],
        })
    }
}
