//! `monomove simulate`: what a transaction would do if its sender signed it.

use clap::Args;
use monomove::{AccountAddress, Genesis, Limits, Sandbox, TransactionPayload};
use serde::Serialize;

use super::call::CallArgs;
use super::chain::{Chain, Envelope, StateArgs};
use super::describe::Described;
use super::exit::{CliError, Exit};
use super::limits::echo;
use super::output::{DIM, HEADING, Output, escape_line, styled};
use super::progress::while_waiting;

/// Version of the JSON form.
const SCHEMA: &str = "monomove.simulate/1";
/// Balance of the sender on a fresh chain.
const FRESH_BALANCE: u64 = 1_000_000_000_000;

/// Arguments of `monomove simulate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  monomove simulate --sender 0xa11ce --function 0x1::native_coin::transfer --args address:0xb0b u64:5
  monomove simulate bank.mv --sender 0xcafe --function 0xcafe::bank::open_bank --max-gas 1000 --gas-price 2
  monomove simulate --state chain --sender 0xa11ce --function 0x1::account::create --args address:0xb0b --json

Runs prologue, payload and epilogue; nothing is signed and nothing is committed. Without --state the chain is a fresh one with our own
library, on which the sender has money. --signers are secondary signers.

Exit codes: 0 it would succeed, 3 it would fail or be discarded, 4 it would hit a limit.")]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    call: CallArgs,
    /// The entry function: 0x1::module::name
    #[arg(long, value_name = "FUNCTION")]
    function: String,
    /// Who would send it
    #[arg(long, value_name = "ADDRESS")]
    sender: AccountAddress,
    /// Transactions of the sender before it; by default what the state says
    #[arg(long, value_name = "NUMBER")]
    sequence_number: Option<u64>,
    /// Gas units; by default as many as --gas-limit gives
    #[arg(long, value_name = "UNITS")]
    max_gas: Option<u64>,
    /// Price of a gas unit
    #[arg(long, value_name = "PRICE")]
    gas_price: Option<u64>,
    /// Second since 1970 from which on it is void
    #[arg(long, value_name = "SECONDS")]
    expiration_seconds: Option<u64>,
    /// Number of the chain; by default what the state says
    #[arg(long, value_name = "ID")]
    chain_id: Option<u8>,
    #[command(flatten)]
    state: StateArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    sender: AccountAddress,
    function: &'a str,
    limits: &'a Limits,
    #[serde(flatten)]
    result: &'a Described,
}

pub(crate) fn run(args: &SimulateArgs, out: &mut Output) -> Result<Exit, CliError> {
    let limits = args.call.limits.limits()?;
    let engine = args.call.engine(limits)?;
    let mut chain = Chain::open(&engine, &args.state)?;
    let secondary = &args.call.signers;
    let accounts = std::iter::once(&args.sender).chain(secondary);
    chain.begin(
        &engine,
        &Genesis {
            accounts: accounts.map(|address| (*address, FRESH_BALANCE)).collect(),
            ..Genesis::default()
        },
    )?;
    let call = args
        .call
        .call(&args.function, &mut chain, limits.gas_per_transaction)?;
    let number = |bytes: Option<Vec<u8>>| {
        let bytes = bytes.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        bytes.map_or(0, u64::from_le_bytes)
    };
    let sequence_number = match args.sequence_number {
        Some(number) => number,
        None => {
            let sender = [format!("address:{}", args.sender)];
            number(chain.ask(&engine, "0x1::account::sequence_number", &sender)?)
        }
    };
    let chain_id = match args.chain_id {
        Some(id) => id,
        None => chain
            .chain_id(&engine)?
            .unwrap_or(Genesis::default().chain_id),
    };
    let envelope = Envelope {
        sender: args.sender,
        secondary: secondary.clone(),
        authentication_key: None,
        sequence_number,
        max_gas: args.max_gas,
        gas_price: args.gas_price,
        expiration_seconds: args.expiration_seconds,
        chain_id,
    };
    let payload = TransactionPayload::EntryFunction {
        module: call.module,
        function: call.function,
        ty_args: call.ty_args,
        args: call.args,
    };
    let transaction = envelope.seal(payload, limits.gas_per_transaction);
    let outcome = while_waiting(|| Sandbox::new(&engine).simulate(&transaction, &chain.state))?;
    let described = chain.book.describe(&outcome, &chain.state);
    if args.json {
        out.json(&Report {
            schema: SCHEMA,
            sender: args.sender,
            function: &args.function,
            limits: &limits,
            result: &described,
        })?;
        return Ok(Exit::of(&outcome));
    }
    out.line(styled(HEADING, escape_line(&args.function)))?;
    out.line(described.headline())?;
    for line in described.change_lines() {
        out.line(format_args!("  {line}"))?;
    }
    for line in described.event_lines() {
        out.line(format_args!("  {} {line}", styled(DIM, "event")))?;
    }
    out.line(described.cost_line())?;
    out.line(styled(DIM, described.fee_line()))?;
    out.line(styled(DIM, echo(&limits)))?;
    Ok(Exit::of(&outcome))
}
