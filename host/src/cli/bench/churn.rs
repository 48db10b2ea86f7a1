//! `monomove bench --churn`: what collections cost a program that allocates a thousand times what it keeps, and how much heap it takes.
//!
//! The machine has no clock. The time of a copied byte comes from two runs of the same program, one in the heap as it is and one in a heap that
//! hardly ever fills: what the first takes longer, by what it copies more.

use std::time::{Duration, Instant};

use monomove::{Access, Call, Engine, HeapStats, Limits, MemoryState, Sandbox};
use monomove_asm::{Options, Unit, assemble};
use serde::Serialize;

use super::super::exit::{CliError, Exit};
use super::super::output::{HEADING, Output, grouped, styled};

/// Version of the JSON form.
const SCHEMA: &str = "monomove.bench.churn/1";

/// The program: `churn` keeps a ring of small vectors, and replaces one of them in each round.
const PROGRAM: &str = include_str!("../../../../tests/heap/heap.masm");

/// What is allocated, in terms of what is kept.
const TIMES: u64 = 1000;

/// Bytes that are kept.
const LIVE: [u64; 6] = [10 << 10, 100 << 10, 180 << 10, 500 << 10, 1 << 20, 3 << 20];

/// A heap that hardly ever fills.
const LARGE: u32 = 96 << 20;

/// Free bytes that the bound allows besides what is kept.
const SLACK: u64 = 64 << 10;

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    limits: Limits,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    /// Bytes that are alive after the last collection.
    live: u64,
    allocated: u64,
    collections: u64,
    copied: u64,
    /// Most bytes in use at once, and the step that the heap had grown to.
    peak: u64,
    size: u64,
    milliseconds: f64,
    /// Part of the time that collections take.
    share: f64,
    /// What is kept and 64 KiB, rounded up to a step; and the part of the time that collections take with that as the heap's limit.
    bound: u64,
    bound_share: f64,
}

/// One run.
struct Run {
    time: Duration,
    heap: HeapStats,
}

pub(crate) fn run(json: bool, out: &mut Output) -> Result<Exit, CliError> {
    let limits = Limits {
        watchdog_ms: 600_000,
        gas_per_transaction: i64::MAX as u64,
        ..Limits::default()
    };
    let mut rows = Vec::new();
    for live in LIVE {
        rows.push(measure(live, limits)?);
    }
    if json {
        out.json(&Report {
            schema: SCHEMA,
            limits,
            rows,
        })?;
        return Ok(Exit::Ok);
    }
    out.line(styled(
        HEADING,
        format_args!(
            "{:>12} {:>15} {:>12} {:>12} {:>12} {:>10} {:>7}   {:>12} {:>7}",
            "alive", "allocated", "collections", "peak", "heap", "ms", "share", "bound", "share"
        ),
    ))?;
    for row in &rows {
        out.line(format_args!(
            "{:>12} {:>15} {:>12} {:>12} {:>12} {:>10.1} {:>5.1} %   {:>12} {:>5.1} %",
            grouped(row.live),
            grouped(row.allocated),
            row.collections,
            grouped(row.peak),
            grouped(row.size),
            row.milliseconds,
            100.0 * row.share,
            grouped(row.bound),
            100.0 * row.bound_share
        ))?;
    }
    Ok(Exit::Ok)
}

fn measure(live: u64, limits: Limits) -> Result<Row, CliError> {
    // How much a vector of the ring takes, and how much a round allocates.
    const SAMPLE: u64 = 1000;
    let ring = churn(limits, SAMPLE, 0)?.heap.allocated;
    let round = (churn(limits, SAMPLE, SAMPLE)?.heap.allocated - ring) / SAMPLE;
    let kept = 84;
    let count = (live / kept).max(1);
    let rounds = TIMES * live / round.max(1);
    let usual = churn(limits, count, rounds)?;
    let steps = limits.heap_steps.map(u64::from).into_iter();
    let bound = steps
        .chain([u64::from(limits.heap_bytes)])
        .filter(|step| *step >= usual.heap.live + SLACK)
        .min()
        .unwrap_or(u64::from(limits.heap_bytes));
    let bounded = Limits {
        heap_bytes: bound as u32,
        ..limits
    };
    let large = Limits {
        heap_bytes: LARGE,
        heap_steps: [0; 3],
        ..limits
    };
    let bounded = churn(bounded, count, rounds)?;
    let large = churn(large, count, rounds)?;
    let seconds = |run: &Run| run.time.as_secs_f64();
    // From the run that copies most.
    let more = (bounded.heap.copied - large.heap.copied) as f64;
    let byte = ((seconds(&bounded) - seconds(&large)) / more).max(0.0);
    let share = |run: &Run| byte * run.heap.copied as f64 / seconds(run);
    Ok(Row {
        live: usual.heap.live,
        allocated: usual.heap.allocated,
        collections: usual.heap.collections,
        copied: usual.heap.copied,
        peak: usual.heap.peak,
        size: usual.heap.size,
        milliseconds: seconds(&usual) * 1e3,
        share: share(&usual),
        bound,
        bound_share: share(&bounded),
    })
}

/// Runs the program with a ring of `count` vectors for `rounds` rounds.
fn churn(limits: Limits, count: u64, rounds: u64) -> Result<Run, CliError> {
    let options = Options {
        version: 8,
        ..Options::default()
    };
    let Ok(Unit::Module(module)) = assemble(PROGRAM, &options) else {
        return Err(CliError::at("the program", "it does not assemble"));
    };
    let bytes = module
        .serialize()
        .map_err(|error| CliError::at("the program", error))?;
    let mut state = MemoryState::new();
    let module = state
        .insert_module(bytes)
        .map_err(|error| CliError::at("the program", error))?;
    let call = |count: u64, rounds: u64| {
        Ok::<_, CliError>(Call {
            module: module.clone(),
            function: "churn"
                .parse()
                .map_err(|error| CliError::at("churn", error))?,
            ty_args: vec![],
            signers: vec![],
            args: [count, rounds].map(|n| n.to_le_bytes().to_vec()).into(),
            access: Access::Entry,
            gas_limit: limits.gas_per_transaction,
            txn_hash: [0; 32],
        })
    };
    let mut sandbox = Sandbox::new(&Engine::new(limits)?);
    sandbox.execute(&call(1, 1)?, &state)?;
    let call = call(count, rounds)?;
    let start = Instant::now();
    let outcome = sandbox.execute(&call, &state)?;
    let time = start.elapsed();
    if outcome.success().is_none() {
        return Err(CliError::at("churn", "it fails"));
    }
    Ok(Run {
        time,
        heap: sandbox.figures().heap,
    })
}
