//! The file format of `monomove block`: `monomove.block/1`.

use std::path::{Path, PathBuf};

use monomove::{Access, AccountAddress};
use serde::Deserialize;

use super::super::chain::{Chain, arguments};
use super::super::exit::{CliError, Exit};
use super::super::input;

/// Version of the format.
const SCHEMA: &str = "monomove.block/1";

/// A block with the chain it runs on.
#[derive(Debug, Deserialize)]
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

/// One call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transaction {
    /// The signer; with `signers`, the first of them.
    sender: Option<AccountAddress>,
    /// Further signers.
    #[serde(default)]
    signers: Vec<AccountAddress>,
    /// `0x1::module::function`.
    pub(super) function: String,
    /// Types.
    #[serde(default)]
    type_args: Vec<String>,
    /// Arguments in the Aptos syntax.
    #[serde(default)]
    pub(super) args: Vec<String>,
    /// Internal gas; the limit of the sandbox by default.
    gas_limit: Option<u64>,
}

fn default_chain_id() -> u8 {
    4
}

fn default_time() -> u64 {
    1_700_000_000_000_000
}

impl BlockFile {
    /// Reads a file; errors name the line and column.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
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

    /// Sets the chain up as the file says, modules relative to `base`, and gives the block's calls, each with at most `gas`.
    pub(super) fn prepare(
        &self,
        base: &Path,
        chain: &mut Chain,
        gas: u64,
    ) -> Result<Vec<monomove::Call>, CliError> {
        if self.std.unwrap_or(chain.is_fresh()) {
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
            let calls = calls(
                "genesis.calls",
                &genesis.calls,
                Access::Any,
                chain,
                u64::MAX,
            )?;
            for (index, (outcome, described)) in
                chain.execute(calls)?.transactions.iter().enumerate()
            {
                if !described.returned {
                    let text = format!("genesis.calls[{index}]: {}", described.ending());
                    return Err(CliError::failed(Exit::of(outcome), text));
                }
            }
        }
        calls(
            "transactions",
            &self.transactions,
            Access::Entry,
            chain,
            gas,
        )
    }

    /// The block's transactions as they stand in the file.
    pub(super) fn transactions(&self) -> &[Transaction] {
        &self.transactions
    }
}

impl Transaction {
    /// All signers, the sender first.
    pub(super) fn all_signers(&self) -> Vec<AccountAddress> {
        self.sender.iter().chain(&self.signers).copied().collect()
    }
}

fn calls(
    list: &str,
    transactions: &[Transaction],
    access: Access,
    chain: &mut Chain,
    gas: u64,
) -> Result<Vec<monomove::Call>, CliError> {
    let mut calls = Vec::with_capacity(transactions.len());
    for (index, transaction) in transactions.iter().enumerate() {
        let at =
            |field: &str, error: String| CliError::at(format!("{list}[{index}].{field}"), error);
        let function =
            input::function(&transaction.function).map_err(|error| at("function", error))?;
        let limit = transaction.gas_limit.map_or(gas, |limit| limit.min(gas));
        let mut call = chain.call(access, &transaction.all_signers(), function, limit);
        call.args = arguments(&transaction.args).map_err(|error| at("args", error))?;
        let types = transaction.type_args.iter().map(|text| {
            text.parse()
                .map_err(|error| format!("type `{text}`: {error}"))
        });
        call.ty_args = types
            .collect::<Result<_, _>>()
            .map_err(|error| at("type_args", error))?;
        calls.push(call);
    }
    Ok(calls)
}
