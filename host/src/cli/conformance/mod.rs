//! `monomove conformance`: golden cases against the sandbox or the native core.

mod executor;
mod watched;

use std::path::PathBuf;

use clap::Args;
use monomove::{Backend, Engine, EngineConfig, Limits, TraceLimits};
use monomove_tests::{
    COLUMNS, CaseFailure, Corpus, Coverage, DepsKind, Executor, ModuleBinary, Options,
    Report as Run,
};
use serde::Serialize;

use super::exit::{CliError, Exit};
use super::limits::{ModeArgs, Tier};
use super::output::{self, BAD, GOOD, Output, escape_line, styled};
use super::progress::Progress;
use executor::SandboxExecutor;
use monomove_stdlib as stdlib;
use watched::{WATCHED, Watched};

/// Steps between checkpoints: few, so that there are some in short runs.
const CHECKPOINT_STEPS: u32 = 32;

/// Memory of a guest that holds a recording and its encoded form.
const TRACE_MEMORY_BYTES: u64 = 1 << 30;

/// Version of the JSON form.
const SCHEMA: &str = "monomove.conformance/1";

/// Arguments of `monomove conformance`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  monomove conformance tests/golden --gas
  monomove conformance tests/golden --deps tests/stdlib/bytecode/v8
  monomove conformance tests/golden --area arith,casts --bytecode 6 --native
  monomove conformance tests/stdlib/tests
  monomove conformance tests/random --gas
  monomove conformance tests/golden tests/opcodes --native --coverage

A line for each failure; the last line is `N passed, M failed`.")]
pub(crate) struct ConformanceArgs {
    /// Corpus directories (cases.jsonl, stateful.jsonl, bytecode/v*), or one .jsonl file of one
    #[arg(required = true)]
    corpus: Vec<PathBuf>,
    /// Run natively, without the sandbox
    #[arg(long)]
    native: bool,
    /// What executes the calls
    #[arg(long, value_enum, default_value_t)]
    tier: Tier,
    #[command(flatten)]
    mode: ModeArgs,
    /// Only this bytecode version
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    bytecode: Vec<u32>,
    /// Only these areas
    #[arg(long, value_name = "AREAS", value_delimiter = ',')]
    area: Vec<String>,
    /// Modules in place of the corpus' own dependencies; searched recursively. A corpus without any gets our own library
    #[arg(long, value_name = "DIR")]
    deps: Vec<PathBuf>,
    /// Also compare instruction counts and gas with gas.jsonl
    #[arg(long)]
    gas: bool,
    /// Also trace every call: it must come to the same, and the recording must replay
    #[arg(long)]
    trace: bool,
    /// Also print how many calls execute each instruction at each operand width
    #[arg(long)]
    coverage: bool,
    /// Fail if an instruction is not executed at a width that it can have
    #[arg(long)]
    require_coverage: bool,
    /// Also charge every call instruction by instruction, and compare
    #[arg(long)]
    meter: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ConformanceArgs {
    fn covers(&self) -> bool {
        self.coverage || self.require_coverage
    }

    fn records(&self) -> bool {
        self.trace || self.meter || self.covers()
    }
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    backend: &'static str,
    tier: Tier,
    limits: &'a Limits,
    passed: usize,
    failed: usize,
    failures: Vec<FailureReport<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<CoverageReport<'a>>,
}

#[derive(Serialize)]
struct CoverageReport<'a> {
    columns: [&'static str; COLUMNS.len()],
    rows: Vec<(&'static str, &'a [u64; COLUMNS.len()])>,
    uncovered: Vec<(&'static str, &'static str)>,
}

#[derive(Serialize)]
struct FailureReport<'a> {
    id: &'a str,
    version: u32,
    step: Option<usize>,
    expected: &'a str,
    got: &'a str,
}

pub(crate) fn run(args: &ConformanceArgs, out: &mut Output) -> Result<Exit, CliError> {
    let corpora = load(args)?;
    let limits = Limits {
        gas_per_transaction: u64::MAX,
        guest_memory_bytes: match args.records() {
            true => TRACE_MEMORY_BYTES,
            false => Limits::default().guest_memory_bytes,
        },
        ..Limits::default()
    };
    let backend = if args.native {
        Backend::Native
    } else {
        Backend::Wasm
    };
    if args.native {
        output::log_panics();
    }
    let engine = Engine::with_config(EngineConfig {
        limits,
        backend,
        paranoid: args.mode.paranoid,
        gc_stress: args.mode.gc_stress,
        enum_inline_bytes: args.mode.enum_inline_bytes,
        gas_schedule: args.mode.gas_schedule()?,
        ..EngineConfig::default()
    })?;
    let options = Options {
        versions: args.bytecode.clone(),
        areas: args.area.clone(),
        gas: args.gas,
    };
    let cases = corpora.iter().map(|corpus| corpus.selected(&options).len());
    let progress = Progress::new(cases.sum());
    let (mut report, mut coverage) = (Run::default(), Coverage::default());
    for corpus in &corpora {
        let mut machine = SandboxExecutor::new(&engine);
        if args.records() {
            machine = machine.traced(recorded(args));
        }
        let mut watched = None;
        let machine: &mut dyn Executor = if args.meter || args.covers() {
            watched.insert(Watched::new(machine, args.meter))
        } else {
            &mut { machine }
        };
        let run = monomove_tests::run(corpus, &options, machine, &mut || progress.step())?;
        report.passed += run.passed;
        report.failures.extend(run.failures);
        if let Some(watched) = watched {
            coverage.merge(&watched.coverage);
        }
    }
    progress.finish();
    print(args, &limits, &report, &coverage, out)?;
    let missing = args.require_coverage && !coverage.uncovered().is_empty();
    Ok(if report.failures.is_empty() && !missing {
        Exit::Ok
    } else {
        Exit::Mismatch
    })
}

/// What has to be recorded.
fn recorded(args: &ConformanceArgs) -> TraceLimits {
    TraceLimits {
        checkpoint_steps: match args.trace {
            true => CHECKPOINT_STEPS,
            false => u32::MAX,
        },
        memory: args.trace || args.meter,
        ..if args.native {
            WATCHED
        } else {
            TraceLimits::default()
        }
    }
}

/// All corpora, with what they need; areas and versions that are asked for are there.
fn load(args: &ConformanceArgs) -> Result<Vec<Corpus>, CliError> {
    let mut corpora = Vec::new();
    for path in &args.corpus {
        let mut corpus = Corpus::load(path, &args.deps)?;
        if args.deps.is_empty() && corpus.deps_kind == DepsKind::Own {
            add_own_library(&mut corpus);
        }
        if args.gas && corpus.gas.is_none() {
            return Err(CliError::at(
                path.display(),
                "expected a gas.jsonl for --gas",
            ));
        }
        corpora.push(corpus);
    }
    check_selection(args, &corpora)?;
    Ok(corpora)
}

fn print(
    args: &ConformanceArgs,
    limits: &Limits,
    report: &Run,
    coverage: &Coverage,
    out: &mut Output,
) -> Result<(), CliError> {
    if args.json {
        let coverage = args.covers().then(|| CoverageReport {
            columns: COLUMNS,
            rows: coverage.rows().map(|row| (row.name, row.calls)).collect(),
            uncovered: coverage.uncovered(),
        });
        return Ok(out.json(&Report {
            schema: SCHEMA,
            backend: if args.native { "native" } else { "wasm" },
            tier: args.tier,
            limits,
            passed: report.passed,
            failed: report.failures.len(),
            failures: report.failures.iter().map(FailureReport::of).collect(),
            coverage,
        })?);
    }
    for failure in &report.failures {
        let step = failure
            .step
            .map(|step| format!(" step {step}"))
            .unwrap_or_default();
        out.line(format_args!(
            "{} v{}{step}: expected {}, got {}",
            failure.id,
            failure.version,
            styled(GOOD, escape_line(&failure.mismatch.expected)),
            styled(BAD, escape_line(&failure.mismatch.got))
        ))?;
    }
    if args.covers() {
        out.line(coverage)?;
        for (instruction, width) in coverage.uncovered() {
            out.line(format_args!("not executed: {instruction}, {width}"))?;
        }
    }
    let (passed, failed) = (report.passed, report.failures.len());
    Ok(out.line(format_args!("{passed} passed, {failed} failed"))?)
}

/// Puts our own standard library and framework under the modules of a corpus that brings no dependencies.
fn add_own_library(corpus: &mut Corpus) {
    for modules in corpus.modules.values_mut() {
        let own = stdlib::std_and_framework().map(|(name, bytes)| ModuleBinary {
            path: format!("(embedded) {name}").into(),
            bytes: bytes.to_vec(),
        });
        modules.splice(0..0, own);
    }
}

/// Refuses areas and versions that no corpus has: a misspelt one must not pass with no case run.
fn check_selection(args: &ConformanceArgs, corpora: &[Corpus]) -> Result<(), CliError> {
    let paths = args.corpus.iter().map(|path| path.display().to_string());
    let paths = paths.collect::<Vec<_>>().join(", ");
    for area in &args.area {
        let mut cases = corpora.iter().flat_map(|corpus| &corpus.cases);
        if !cases.any(|case| case.area == *area) {
            return Err(CliError::at(
                "--area",
                format!("no area `{area}` in {paths}"),
            ));
        }
    }
    for version in &args.bytecode {
        if !corpora
            .iter()
            .any(|corpus| corpus.modules.contains_key(version))
        {
            return Err(CliError::at(
                "--bytecode",
                format!("no bytecode version {version} in {paths}"),
            ));
        }
    }
    Ok(())
}

impl<'a> FailureReport<'a> {
    fn of(failure: &'a CaseFailure) -> Self {
        Self {
            id: &failure.id,
            version: failure.version,
            step: failure.step,
            expected: &failure.mismatch.expected,
            got: &failure.mismatch.got,
        }
    }
}
