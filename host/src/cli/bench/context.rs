//! `monomove bench --context`: the tables of the context, and images, inside the sandbox.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use monomove::{
    Engine, Image, ImageBuilder, Limits, LoadRequest, Measure, MemoryState, Sandbox, TypeTag,
};
use monomove_format::CompiledModule;
use monomove_types::{Path as StatePath, StateKey};
use serde::Serialize;

use super::super::exit::{CliError, Exit};
use super::super::input;
use super::super::output::{HEADING, Output, styled};
use monomove_stdlib as stdlib;

/// Version of the JSON form.
const SCHEMA: &str = "monomove.bench.context/1";
/// Types in a small table, which stays in the caches of the processor.
const FEW: u32 = 1000;
/// Types in a large table.
const MANY: u32 = 1_000_000;
/// Lookups of each measurement.
const LOOKUPS: u32 = 10_000_000;
/// Restores that are timed; the figure is their median.
const RESTORES: usize = 21;

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    /// A lookup of one of 1,000 types; of one of 1,000 among 1,000,000; and of any of 1,000,000, which misses the caches of the processor.
    lookup_ns: f64,
    lookup_hot_ns: f64,
    lookup_slowdown: f64,
    lookup_all_ns: f64,
    bytes_per_type: f64,
    /// Tables after a reset.
    bytes_after_reset: u64,
    /// The image of the functions of `modules`.
    modules: usize,
    functions: usize,
    lowered: u64,
    image_bytes: usize,
    image_build_ms: f64,
    restore_ms: f64,
    unchanged_us: f64,
}

pub(crate) fn run(genesis: Option<&Path>, json: bool, out: &mut Output) -> Result<Exit, CliError> {
    let engine = Engine::new(Limits {
        guest_memory_bytes: 1 << 30,
        watchdog_ms: 600_000,
        ..Limits::default()
    })?;
    let mut report = interning(&engine)?;
    images(&engine, genesis, &mut report)?;
    if json {
        out.json(&report)?;
    } else {
        print(&report, out)?;
    }
    Ok(Exit::Ok)
}

fn interning(engine: &Engine) -> Result<Report, CliError> {
    let mut few = Sandbox::new(engine);
    few.measure(Measure::Intern, FEW)?;
    let lookup = timed(|| few.measure(Measure::LookAll, LOOKUPS))?;
    let mut many = Sandbox::new(engine);
    let empty = many.measure(Measure::Intern, 1)?;
    let full = many.measure(Measure::Intern, MANY)?;
    let lookup_hot = timed(|| many.measure(Measure::LookHot, LOOKUPS))?;
    let lookup_all = timed(|| many.measure(Measure::LookAll, LOOKUPS))?;
    let bytes_after_reset = many.measure(Measure::Reset, 0)?;
    let each = |time: Duration| time.as_nanos() as f64 / f64::from(LOOKUPS);
    Ok(Report {
        schema: SCHEMA,
        lookup_ns: each(lookup),
        lookup_hot_ns: each(lookup_hot),
        lookup_slowdown: each(lookup_hot) / each(lookup),
        lookup_all_ns: each(lookup_all),
        bytes_per_type: (full - empty) as f64 / f64::from(MANY),
        bytes_after_reset,
        modules: 0,
        functions: 0,
        lowered: 0,
        image_bytes: 0,
        image_build_ms: 0.0,
        restore_ms: 0.0,
        unchanged_us: 0.0,
    })
}

fn timed<T>(work: impl FnOnce() -> Result<T, monomove::HostError>) -> Result<Duration, CliError> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

/// An image with every function of the modules, and what it costs to start from it.
fn images(engine: &Engine, genesis: Option<&Path>, report: &mut Report) -> Result<(), CliError> {
    let (state, requests) = functions(genesis)?;
    report.modules = state.len();
    report.functions = requests.len();
    let mut builder = ImageBuilder::new(engine);
    let start = Instant::now();
    let image = builder.update(requests, false, &state)?;
    report.image_build_ms = milliseconds(start.elapsed());
    let Some(image) = image else {
        return Err(CliError::at("the image", "lowering broke the sandbox"));
    };
    report.lowered = image.stats().functions;
    report.image_bytes = image.bytes();
    let mut times = (0..RESTORES)
        .map(|_| restore(engine, &image))
        .collect::<Result<Vec<_>, _>>()?;
    times.sort_unstable();
    report.restore_ms = milliseconds(times[RESTORES / 2]);
    let mut worker = Sandbox::new(engine);
    let start = Instant::now();
    for _ in 0..1000 {
        let same = builder.update(worker.take_load_requests(), false, &state)?;
        if let Some(same) = same {
            worker.restore(&same);
        }
    }
    report.unchanged_us = start.elapsed().as_nanos() as f64 / 1e6;
    Ok(())
}

/// How long a worker takes to be ready for a call.
fn restore(engine: &Engine, image: &Arc<Image>) -> Result<Duration, CliError> {
    let mut worker = Sandbox::new(engine);
    worker.restore(image);
    timed(|| worker.warm_up())
}

/// The state with the modules, and every function of them; type parameters are taken as `u64`.
fn functions(genesis: Option<&Path>) -> Result<(MemoryState, Vec<LoadRequest>), CliError> {
    let mut state = MemoryState::new();
    match genesis {
        Some(path) => {
            let blob = input::genesis_blob(path, &input::read(path)?)?;
            let all: MemoryState = blob.writes.into_iter().collect();
            for (key, bytes) in all.iter().filter(|(key, _)| is_code(key)) {
                state.insert(key.clone(), bytes.clone());
            }
        }
        None => {
            for (name, bytes) in stdlib::std_and_framework() {
                let error = |error| CliError::at(name, error);
                state.insert_module(bytes).map_err(error)?;
            }
        }
    }
    let mut requests = Vec::new();
    for (key, bytes) in state.iter() {
        let module = CompiledModule::deserialize(bytes)
            .map_err(|error| CliError::at(key, input::BadBinary(error)))?;
        for def in &module.function_defs {
            let handle = module.function_handle_at(def.function);
            requests.push(LoadRequest {
                module: module.self_id(),
                function: module.identifier_at(handle.name).clone(),
                ty_args: vec![TypeTag::U64; handle.type_parameters.len()],
            });
        }
    }
    Ok((state, requests))
}

fn is_code(key: &StateKey) -> bool {
    matches!(
        key,
        StateKey::AccessPath {
            path: StatePath::Code(_),
            ..
        }
    )
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn print(report: &Report, out: &mut Output) -> Result<(), CliError> {
    let interning = [
        ("a lookup, of 1,000 types", ns(report.lookup_ns)),
        (
            "a lookup, of 1,000 among 1,000,000",
            ns(report.lookup_hot_ns),
        ),
        ("  slowdown", format!("{:.2} x", report.lookup_slowdown)),
        ("a lookup, of 1,000,000 types", ns(report.lookup_all_ns)),
        (
            "memory of a type",
            format!("{:.1} bytes", report.bytes_per_type),
        ),
        (
            "tables after a reset",
            format!("{} bytes", report.bytes_after_reset),
        ),
    ];
    let images = [
        ("modules", report.modules.to_string()),
        ("functions", report.functions.to_string()),
        ("  lowered", report.lowered.to_string()),
        ("image", format!("{} bytes", report.image_bytes)),
        ("building it", format!("{:.1} ms", report.image_build_ms)),
        (
            "starting a worker from it",
            format!("{:.3} ms", report.restore_ms),
        ),
        (
            "starting a block without news",
            format!("{:.3} µs", report.unchanged_us),
        ),
    ];
    for (title, rows) in [
        ("interning, in the sandbox", &interning[..]),
        ("images", &images),
    ] {
        out.line(styled(HEADING, title))?;
        for (what, figure) in rows {
            out.line(format_args!("  {what:<36}{figure:>16}"))?;
        }
    }
    Ok(())
}

fn ns(figure: f64) -> String {
    format!("{figure:.1} ns")
}
