//! `monomove run`: one call in the sandbox.

use clap::{Args, ValueEnum};
use monomove::abi::InjectedFault;
use monomove::{
    Limits, MachineStats, Sandbox, StateCommit, TransactionOutcome, TransactionPayload,
};
use serde::Serialize;

use super::call::CallArgs;
use super::chain::{Chain, StateArgs};
use super::describe::Described;
use super::exit::{CliError, Exit};
use super::limits::echo;
use super::output::{DIM, HEADING, Output, escape_line, grouped, styled};
use super::progress::while_waiting;
use super::state::CommittedBlock;

/// Version of the JSON form.
const SCHEMA: &str = "monomove.run/1";

/// Arguments of `monomove run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  monomove run arith.mv --function 0xcafe::arith::add_u8 --args u8:1 u8:2
  monomove run build/ --function 0xcafe::m::init --signers 0xa1 --json
  monomove run m.mv --function 0xcafe::m::f --type-args 'u8,vector<bool>' --gas-limit 1000000
  monomove run m.mv --function 0xcafe::m::f --gas-schedule genesis.blob
  monomove run --state chain --function 0x1::timestamp::now_seconds
  monomove run script.mv --signers 0xa1 --args u64:5

With --state DIR the call runs on that state, and our own library is left out unless the state is empty.

Arguments: u8: … u256:, i8: … i256:, bool:, address:, string:, hex:, vector<T>:[v,v], vector<u8>:0x…, bcs:0x…")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    call: CallArgs,
    /// The function: 0x1::module::name; without it, one of the files is a script to run
    #[arg(long, value_name = "FUNCTION")]
    function: Option<String>,
    #[command(flatten)]
    state: StateArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Also print what the machine keeps: interner, heap and collections, cache of values
    #[arg(long)]
    stats: bool,
    /// Break the sandbox on purpose
    #[arg(long, hide = true, value_name = "FAULT")]
    inject_fault: Option<Fault>,
}

/// Ways to break the sandbox.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Fault {
    Panic,
    Loop,
    Memory,
    Recursion,
    LargeFrames,
    Trap,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    function: Option<&'a str>,
    backend: &'static str,
    limits: &'a Limits,
    /// The block that was committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<CommittedBlock>,
    #[serde(flatten)]
    result: &'a Described,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<MachineStats>,
}

pub(crate) fn run(args: &RunArgs, out: &mut Output) -> Result<Exit, CliError> {
    let limits = args.call.limits.limits()?;
    let engine = args.call.engine(limits)?;
    let mut chain = Chain::open(&engine, &args.state)?;
    let mut sandbox = Sandbox::new(&engine);
    let outcome = match args.inject_fault {
        Some(fault) => {
            TransactionOutcome::SandboxFault(while_waiting(|| sandbox.inject_fault(fault.into()))?)
        }
        None => call(args, &mut sandbox, &mut chain)?,
    };
    let stats = args.stats.then(|| sandbox.figures());
    let described = chain.book.describe(&outcome, &chain.state);
    let block = match outcome.success() {
        Some(output) => {
            chain.state.commit(&output.writes)?;
            chain.commit()?.map(CommittedBlock::from)
        }
        None => None,
    };
    if args.json {
        let function = args.function.as_deref();
        out.json(&Report {
            schema: SCHEMA,
            function,
            backend: args.call.backend(),
            limits: &limits,
            block,
            result: &described,
            stats,
        })?;
    } else {
        print(args, &limits, &described, out)?;
        if let Some(block) = &block {
            out.line(block)?;
        }
        if let Some(stats) = &stats {
            print_stats(stats, out)?;
        }
    }
    Ok(Exit::of(&outcome))
}

fn call(
    args: &RunArgs,
    sandbox: &mut Sandbox,
    chain: &mut Chain,
) -> Result<TransactionOutcome, CliError> {
    let gas = sandbox.engine().limits().gas_per_transaction;
    let Some(function) = args.function.as_deref() else {
        let (code, modules) = args.call.script()?;
        args.call.load(&modules, chain)?;
        let payload = TransactionPayload::Script {
            code,
            ty_args: args.call.types()?,
            args: args.call.arguments()?,
        };
        return Ok(while_waiting(|| {
            sandbox.execute_payload(&args.call.signers, payload, gas, &chain.state)
        })?);
    };
    let call = args.call.call(function, chain, gas)?;
    Ok(while_waiting(|| sandbox.execute(&call, &chain.state))?)
}

fn print_stats(stats: &MachineStats, out: &mut Output) -> Result<(), CliError> {
    out.line(styled(HEADING, "stats"))?;
    let (context, heap, values) = (&stats.context, &stats.heap, &stats.values);
    let lines = [
        (
            "interner",
            vec![
                ("types", context.types),
                ("type lists", context.type_lists),
                ("names", context.names),
                ("modules", context.modules),
                ("layouts", context.layouts),
                ("bytes", context.bytes),
            ],
        ),
        (
            "code",
            vec![
                ("functions", context.functions),
                ("hits", context.function_hits()),
                ("signatures", context.signatures),
                ("hits", context.signature_hits()),
            ],
        ),
        (
            "heap",
            vec![
                ("allocated", heap.allocated),
                ("peak", heap.peak),
                ("size", heap.size),
                ("limit", heap.limit),
            ],
        ),
        (
            "collections",
            vec![
                ("count", heap.collections),
                ("copied", heap.copied),
                ("alive after the last", heap.live),
            ],
        ),
        (
            "values",
            vec![
                ("decoded", values.decoded),
                ("cached", values.values),
                ("bytes", values.bytes),
                ("hits", values.hits),
            ],
        ),
    ];
    for (name, figures) in lines {
        let figures = figures.into_iter();
        let figures = figures.map(|(what, count)| format!("{what} {}", grouped(count)));
        let figures = figures.collect::<Vec<_>>().join(", ");
        out.line(format_args!("  {name}: {figures}"))?;
    }
    Ok(())
}

fn print(
    args: &RunArgs,
    limits: &Limits,
    described: &Described,
    out: &mut Output,
) -> Result<(), CliError> {
    if let Some(function) = &args.function {
        out.line(styled(HEADING, escape_line(function)))?;
    }
    out.line(described.headline())?;
    for line in described.value_lines() {
        out.line(format_args!("  {line}"))?;
    }
    for (title, lines) in [
        ("writes", described.change_lines()),
        ("events", described.event_lines()),
    ] {
        if !lines.is_empty() {
            out.line(styled(HEADING, title))?;
        }
        for line in lines {
            out.line(format_args!("  {line}"))?;
        }
    }
    out.line(described.cost_line())?;
    out.line(styled(DIM, echo(limits)))?;
    Ok(())
}

impl From<Fault> for InjectedFault {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Panic => Self::Panic,
            Fault::Loop => Self::Loop,
            Fault::Memory => Self::Memory,
            Fault::Recursion => Self::Recursion,
            Fault::LargeFrames => Self::LargeFrames,
            Fault::Trap => Self::Unreachable,
        }
    }
}
