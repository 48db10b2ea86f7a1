//! `monomove trace`: one recorded call.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use monomove::{Sandbox, Trace, TraceEnd, TraceEvent, TraceLimits, TransactionOutcome};
use serde::Serialize;

use super::call::CallArgs;
use super::chain::Chain;
use super::describe::Described;
use super::exit::{CliError, Exit};
use super::limits::{echo, size};
use super::output::{self, DIM, HEADING, Output, escape_line, grouped, styled};
use super::progress::while_waiting;

/// Version of the JSON form of the summary. The trace has a version of its own.
const SCHEMA: &str = "monomove.trace-summary/1";

/// Memory of a sandbox that holds a recording and its encoded form, unless `--memory` says otherwise.
pub(crate) const MEMORY_BYTES: u64 = 2 << 30;

/// Arguments of `monomove trace`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  monomove trace arith.mv --function 0xcafe::arith::add_u8 --args u8:1 u8:2 -o t.json
  monomove trace build/ --function 0xcafe::m::init --signers 0xa1 --max-steps 10000000 --max-bytes 256MiB -o t.json

The format of the file is described in vm-core/core/TRACE.md. Arguments are those of `monomove run`.")]
pub(crate) struct TraceArgs {
    #[command(flatten)]
    call: CallArgs,
    /// The function: 0x1::module::name
    #[arg(long, value_name = "FUNCTION")]
    function: String,
    /// Where the recording goes
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Steps recorded at most; the call goes on without being recorded
    #[arg(long, value_name = "STEPS", default_value_t = TraceLimits::default().steps)]
    max_steps: u32,
    /// Bytes recorded at most: bytes, or with KiB, MiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_bytes: Option<u64>,
    /// Steps between two checkpoints at least
    #[arg(long, value_name = "STEPS", default_value_t = TraceLimits::default().checkpoint_steps)]
    checkpoint_steps: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    function: &'a str,
    backend: &'static str,
    summary: Summary,
    #[serde(flatten)]
    result: &'a Described,
}

/// What a recording consists of.
#[derive(Serialize)]
struct Summary {
    steps: usize,
    instructions: u64,
    gas_used: u64,
    calls: usize,
    writes: usize,
    events: usize,
    checkpoints: usize,
    end: TraceEnd,
}

impl Summary {
    fn of(trace: &Trace) -> Self {
        let is_call = |row: &usize| matches!(trace.events.at(*row), Some(TraceEvent::Call { .. }));
        Self {
            steps: trace.len(),
            instructions: trace.header.instructions,
            gas_used: trace.header.gas_used,
            calls: (0..trace.events.len()).filter(is_call).count(),
            writes: trace.writes.address.len(),
            events: trace.events.len(),
            checkpoints: trace.checkpoints.len(),
            end: trace.header.end,
        }
    }
}

pub(crate) fn run(args: &TraceArgs, out: &mut Output) -> Result<Exit, CliError> {
    let default = TraceLimits::default();
    let limits = TraceLimits {
        steps: args.max_steps,
        bytes: args.max_bytes.unwrap_or(default.bytes),
        checkpoint_steps: args.checkpoint_steps,
        memory: true,
    };
    let traced = record(&args.call, &args.function, &limits)?;
    let (mut chain, outcome, trace) = (traced.chain, traced.outcome, traced.trace);
    if let Some(path) = &args.output {
        write(path, &trace)?;
    }
    let described = chain.book.describe(&outcome, &chain.state);
    let summary = Summary::of(&trace);
    if args.json {
        out.json(&Report {
            schema: SCHEMA,
            function: &args.function,
            backend: args.call.backend(),
            summary,
            result: &described,
        })?;
        return Ok(Exit::of(&outcome));
    }
    out.line(styled(HEADING, escape_line(&args.function)))?;
    out.line(described.headline())?;
    let Summary {
        steps,
        calls,
        writes,
        events,
        checkpoints,
        ..
    } = summary;
    out.line(format_args!(
        "steps {}  calls {}  gas {}",
        grouped(steps as u64),
        grouped(calls as u64),
        grouped(summary.gas_used)
    ))?;
    out.line(format_args!(
        "writes {}  events {}  checkpoints {}",
        grouped(writes as u64),
        grouped(events as u64),
        grouped(checkpoints as u64)
    ))?;
    out.line(styled(DIM, echo(&traced.limits)))?;
    note_end(&trace);
    Ok(Exit::of(&outcome))
}

/// A recorded call.
pub(crate) struct Traced {
    pub(crate) chain: Chain,
    pub(crate) limits: monomove::Limits,
    pub(crate) outcome: TransactionOutcome,
    pub(crate) trace: Trace,
}

/// Makes the call and records it. A call of which there is no recording is an error.
pub(crate) fn record(
    args: &CallArgs,
    function: &str,
    limits: &TraceLimits,
) -> Result<Traced, CliError> {
    let sandbox_limits = args.limits.limits_with_memory(MEMORY_BYTES)?;
    let engine = args.engine(sandbox_limits)?;
    let mut chain = Chain::new(&engine);
    let call = args.call(function, &mut chain, sandbox_limits.gas_per_transaction)?;
    let (outcome, trace) =
        while_waiting(|| Sandbox::new(&engine).trace(&call, &chain.state, limits))?;
    match trace.filter(|_| matches!(outcome, TransactionOutcome::Kept(_))) {
        Some(trace) => Ok(Traced {
            chain,
            limits: sandbox_limits,
            outcome,
            trace,
        }),
        None => {
            let described = chain.book.describe(&outcome, &chain.state);
            let text = anstream::adapter::strip_str(&described.headline().to_string()).to_string();
            Err(CliError::failed(Exit::of(&outcome), text))
        }
    }
}

/// Says on the log that a recording is not complete.
pub(crate) fn note_end(trace: &Trace) {
    let what = match trace.header.end {
        TraceEnd::Complete => return,
        TraceEnd::Steps => "--max-steps",
        TraceEnd::Bytes => "--max-bytes",
        TraceEnd::Frames => "the frame stack",
    };
    let steps = trace.len();
    output::log(&format!(
        "note: the recording ends after {steps} steps, by {what}; the call went on without it"
    ));
}

fn write(path: &Path, trace: &Trace) -> Result<(), CliError> {
    let at = |error: std::io::Error| CliError::at(path.display(), error);
    let mut file = BufWriter::new(File::create(path).map_err(at)?);
    serde_json::to_writer(&mut file, trace)
        .map_err(std::io::Error::from)
        .map_err(at)?;
    file.write_all(b"\n")
        .and_then(|()| file.flush())
        .map_err(at)
}
