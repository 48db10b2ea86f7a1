//! `monomove view`: asks the state by calling a public function.

use clap::Args;
use monomove::{Access, Genesis, Limits, Sandbox};
use serde::Serialize;

use super::call::CallArgs;
use super::chain::{Chain, StateArgs};
use super::describe::Described;
use super::exit::{CliError, Exit};
use super::output::Output;
use super::progress::while_waiting;

/// Version of the JSON form.
const SCHEMA: &str = "monomove.view/1";

/// Arguments of `monomove view`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  monomove view --function 0x1::native_coin::supply
  monomove view --state chain --function 0x1::native_coin::balance --args address:0xa11ce
  monomove view bank.mv --function 0xcafe::bank::totals --json

The function must be public, take no signers, and only such arguments as a transaction may have; whatever it changes is dropped.
Without --state the chain is a fresh one with our own library.")]
pub(crate) struct ViewArgs {
    #[command(flatten)]
    call: CallArgs,
    /// The function: 0x1::module::name
    #[arg(long, value_name = "FUNCTION")]
    function: String,
    #[command(flatten)]
    state: StateArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    function: &'a str,
    limits: &'a Limits,
    #[serde(flatten)]
    result: &'a Described,
}

pub(crate) fn run(args: &ViewArgs, out: &mut Output) -> Result<Exit, CliError> {
    let limits = args.call.limits.limits()?;
    let engine = args.call.engine(limits)?;
    let mut chain = Chain::open(&engine, &args.state)?;
    if !args.call.no_std {
        chain.begin(&engine, &Genesis::default())?;
    }
    let mut call = args
        .call
        .call(&args.function, &mut chain, limits.gas_per_transaction)?;
    call.access = Access::View;
    let outcome = while_waiting(|| Sandbox::new(&engine).view(&call, &chain.state))?;
    let described = chain.book.describe(&outcome, &chain.state);
    if args.json {
        out.json(&Report {
            schema: SCHEMA,
            function: &args.function,
            limits: &limits,
            result: &described,
        })?;
        return Ok(Exit::of(&outcome));
    }
    if !described.returned {
        out.line(described.headline())?;
    }
    for line in described.value_lines() {
        out.line(line)?;
    }
    Ok(Exit::of(&outcome))
}
