//! `monomove bench`: the golden kernels in the sandbox, gas on, against native Rust in the same process.

mod churn;
mod context;
mod kernels;

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use monomove::{
    Call, Engine, Limits, MemoryState, Outcome, Sandbox, StateCommit, TransactionOutcome,
};
use monomove_tests::{Case, Step};
use serde::Serialize;

use super::describe::Book;
use super::exit::{CliError, Exit};
use super::limits::Tier;
use super::output::{BAD, DIM, HEADING, Output, styled};
use super::progress::Progress;
use kernels::Native;
use monomove_stdlib as stdlib;

/// Version of the JSON form.
const SCHEMA: &str = "monomove.bench/1";
/// A native measurement repeats its kernel for at least this long.
const NATIVE_TIME: Duration = Duration::from_millis(2);

/// The golden cases of the kernels.
const CASES: &str = include_str!("../../../../tests/golden/bench/cases.jsonl");

/// The modules of the kernels.
const MODULES: [stdlib::Embedded; 4] = [
    (
        "bench",
        include_bytes!("../../../../tests/golden/bench/bytecode/v8/bench.mv"),
    ),
    (
        "bench_bank",
        include_bytes!("../../../../tests/golden/bench/bytecode/v8/bench_bank.mv"),
    ),
    (
        "bench_closure",
        include_bytes!("../../../../tests/golden/bench/bytecode/v8/bench_closure.mv"),
    ),
    (
        "bench_enum",
        include_bytes!("../../../../tests/golden/bench/bytecode/v8/bench_enum.mv"),
    ),
];

/// Arguments of `monomove bench`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  monomove bench
  monomove bench --filter sort --rounds 11 --json
  monomove bench --context --genesis genesis.blob
  monomove bench --churn

Sandboxed and native runs take turns in one process; the times are medians. Build with --release.")]
pub(crate) struct BenchArgs {
    /// Only kernels whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Measurements of each kernel
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// What executes the kernels
    #[arg(long, value_enum, default_value_t)]
    tier: Tier,
    /// Measure the context instead: interning, images
    #[arg(long)]
    context: bool,
    /// Measure collections instead: a program that allocates a thousand times what it keeps
    #[arg(long, conflicts_with = "context")]
    churn: bool,
    /// With --context: a genesis blob whose modules the image has, in place of the embedded library
    #[arg(long, value_name = "FILE", requires = "context")]
    genesis: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    tier: Tier,
    limits: Limits,
    rounds: u32,
    kernels: Vec<Row>,
    measured: usize,
    geometric_mean: f64,
}

/// What came of one kernel.
#[derive(Serialize)]
struct Row {
    kernel: String,
    sandboxed_ns: Option<u64>,
    native_ns: Option<u64>,
    ratio: Option<f64>,
    error: Option<String>,
    /// Whether the error is a wrong result.
    mismatch: bool,
}

/// Why a kernel has no times.
struct Unmeasured {
    error: String,
    mismatch: bool,
}

pub(crate) fn run(args: &BenchArgs, out: &mut Output) -> Result<Exit, CliError> {
    if args.churn {
        return churn::run(args.json, out);
    }
    if args.context {
        return context::run(args.genesis.as_deref(), args.json, out);
    }
    let cases = CASES
        .lines()
        .map(Case::parse)
        .collect::<Result<Vec<_>, _>>()?;
    let cases = cases
        .into_iter()
        .filter(|case| case.id.contains(&args.filter))
        .collect::<Vec<_>>();
    if cases.is_empty() {
        return Err(CliError::at(
            "--filter",
            format!("no kernel contains `{}`", args.filter),
        ));
    }
    let limits = Limits {
        gas_per_transaction: i64::MAX as u64,
        ..Limits::default()
    };
    let engine = Engine::new(limits)?;
    let mut state = MemoryState::new();
    for (name, bytes) in stdlib::STD.iter().chain(&MODULES) {
        state
            .insert_module(*bytes)
            .map_err(|error| CliError::at(name, error))?;
    }
    let progress = Progress::new(cases.len());
    let mut rows = Vec::new();
    for case in &cases {
        rows.push(Row::new(
            &case.id,
            measure(case, &engine, &state, args.rounds)?,
        ));
        progress.step();
    }
    progress.finish();
    let ratios = rows.iter().filter_map(|row| row.ratio).collect::<Vec<_>>();
    let mean = geometric_mean(&ratios);
    let exit = if rows.iter().any(|row| row.mismatch) {
        Exit::Mismatch
    } else {
        Exit::Ok
    };
    if args.json {
        let (rounds, measured) = (args.rounds, ratios.len());
        out.json(&Report {
            schema: SCHEMA,
            tier: args.tier,
            limits,
            rounds,
            kernels: rows,
            measured,
            geometric_mean: mean,
        })?;
        return Ok(exit);
    }
    out.line(styled(
        HEADING,
        format_args!(
            "{:<16} {:>14} {:>14} {:>9}",
            "kernel", "sandboxed", "native Rust", "ratio"
        ),
    ))?;
    for row in &rows {
        out.line(row)?;
    }
    if cfg!(debug_assertions) {
        out.line(styled(
            DIM,
            "this is a debug build: the ratios mean nothing",
        ))?;
    }
    out.line(styled(DIM, super::limits::echo(&limits)))?;
    out.line(format_args!(
        "geometric mean {mean:.2}x over {} kernels",
        ratios.len()
    ))?;
    Ok(exit)
}

/// Sandboxed and native median of a case, whose last step is the kernel and whose other steps set it up.
fn measure(
    case: &Case,
    engine: &Engine,
    state: &MemoryState,
    rounds: u32,
) -> Result<Result<(Duration, Duration), Unmeasured>, CliError> {
    let Some(native) = kernels::native(&case.id) else {
        return Ok(Err(Unmeasured {
            error: "no native kernel".to_owned(),
            mismatch: false,
        }));
    };
    let Some((kernel, set_up)) = case.steps.split_last() else {
        return Ok(Err(Unmeasured {
            error: "no steps".to_owned(),
            mismatch: false,
        }));
    };
    let mut sandbox = Sandbox::new(engine);
    let mut state = state.clone();
    for step in set_up {
        let outcome = sandbox.execute(&step.call, &state)?;
        match outcome.success() {
            Some(output) => state.commit(&output.writes)?,
            None => return Ok(Err(Unmeasured::failed(&outcome))),
        }
    }
    let args = native_args(&kernel.call);
    let expected = expected_result(kernel);
    // Warm up, and look at the results.
    for result in [
        sandboxed(&mut sandbox, &kernel.call, &state)?,
        Ok((time_native(native, &args, 1).1, Duration::ZERO)),
    ] {
        match result {
            Err(unmeasured) => return Ok(Err(unmeasured)),
            Ok((result, _)) if Some(result) == expected => {}
            Ok((result, _)) => {
                let error = format!("result {result}, expected {}", expected.unwrap_or_default());
                return Ok(Err(Unmeasured {
                    error,
                    mismatch: true,
                }));
            }
        }
    }
    let once = time_native(native, &args, 1).0.as_nanos().max(1);
    let repeats = u32::try_from(NATIVE_TIME.as_nanos() / once)
        .unwrap_or(u32::MAX)
        .max(1);
    let (mut sandbox_times, mut native_times) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        match sandboxed(&mut sandbox, &kernel.call, &state)? {
            Ok((_, time)) => sandbox_times.push(time),
            Err(unmeasured) => return Ok(Err(unmeasured)),
        }
        native_times.push(time_native(native, &args, repeats).0);
    }
    Ok(Ok((median(sandbox_times), median(native_times))))
}

/// One sandboxed call: result and time.
fn sandboxed(
    sandbox: &mut Sandbox,
    call: &Call,
    state: &MemoryState,
) -> Result<Result<(u64, Duration), Unmeasured>, CliError> {
    let start = Instant::now();
    let outcome = sandbox.execute(call, state)?;
    let time = start.elapsed();
    let result = match outcome.success().map(|output| &output.outcome) {
        Some(Outcome::Returned { values, .. }) => values
            .first()
            .and_then(|value| value.bcs.as_slice().try_into().ok()),
        _ => None,
    };
    Ok(match result {
        Some(bytes) => Ok((u64::from_le_bytes(bytes), time)),
        None => Err(Unmeasured::failed(&outcome)),
    })
}

/// Time of one of `repeats` native runs, and the result.
fn time_native(native: Native, args: &[u64], repeats: u32) -> (Duration, u64) {
    let start = Instant::now();
    let mut result = 0;
    for _ in 0..repeats {
        result = black_box(black_box(native)(black_box(args)));
    }
    (start.elapsed() / repeats, result)
}

/// The arguments, all of which are small unsigned integers.
fn native_args(call: &Call) -> Vec<u64> {
    let number = |bytes: &Vec<u8>| {
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| (number << 8) | u64::from(*byte))
    };
    call.args.iter().map(number).collect()
}

fn expected_result(kernel: &Step) -> Option<u64> {
    let value = kernel.expect.returns.as_ref()?.first()?;
    Some(u64::from_le_bytes(
        hex::decode(&value.bcs).ok()?.try_into().ok()?,
    ))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn geometric_mean(ratios: &[f64]) -> f64 {
    if ratios.is_empty() {
        return 0.0;
    }
    (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp()
}

impl Unmeasured {
    fn failed(outcome: &TransactionOutcome) -> Self {
        let described = Book::default().describe(outcome, &MemoryState::new());
        Self {
            error: described.ending(),
            mismatch: false,
        }
    }
}

impl Row {
    fn new(kernel: &str, measured: Result<(Duration, Duration), Unmeasured>) -> Self {
        let mut row = Self {
            kernel: kernel.to_owned(),
            sandboxed_ns: None,
            native_ns: None,
            ratio: None,
            error: None,
            mismatch: false,
        };
        match measured {
            Ok((sandboxed, native)) => {
                row.sandboxed_ns = u64::try_from(sandboxed.as_nanos()).ok();
                row.native_ns = u64::try_from(native.as_nanos()).ok();
                row.ratio = Some(sandboxed.as_secs_f64() / native.as_secs_f64().max(1e-9));
            }
            Err(unmeasured) => {
                row.error = Some(unmeasured.error);
                row.mismatch = unmeasured.mismatch;
            }
        }
        row
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let milliseconds = |time: Option<u64>| time.map_or(f64::NAN, |time| time as f64 / 1e6);
        match (&self.error, self.ratio) {
            (None, Some(ratio)) => write!(
                f,
                "{:<16} {:>11.3} ms {:>11.3} ms {:>8.2}x",
                self.kernel,
                milliseconds(self.sandboxed_ns),
                milliseconds(self.native_ns),
                ratio
            ),
            (error, _) => {
                let word = if self.mismatch { "wrong" } else { "failed" };
                let error = error.as_deref().unwrap_or_default();
                write!(
                    f,
                    "{:<16} {}",
                    self.kernel,
                    styled(BAD, format_args!("{word}: {error}"))
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_medians() {
        assert!((geometric_mean(&[2.0, 8.0]) - 4.0).abs() < 1e-9);
        assert!(geometric_mean(&[]).abs() < 1e-9);
        let times = [3, 1, 2].map(Duration::from_millis).to_vec();
        assert_eq!(median(times), Duration::from_millis(2));
    }
}
