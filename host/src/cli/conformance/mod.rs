//! `monomove conformance`: golden cases against the sandbox or the native core.

mod executor;

use std::path::PathBuf;

use clap::Args;
use monomove::{Backend, Engine, EngineConfig, Limits, TraceLimits};
use monomove_tests::{CaseFailure, Corpus, DepsKind, ModuleBinary, Options};
use serde::Serialize;

use super::exit::{CliError, Exit};
use super::output::{self, BAD, GOOD, Output, escape_line, styled};
use super::progress::Progress;
use super::stdlib;
use executor::SandboxExecutor;

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

A line for each failure; the last line is `N passed, M failed`.")]
pub(crate) struct ConformanceArgs {
    /// A corpus directory (cases.jsonl, stateful.jsonl, bytecode/v*), or one .jsonl file of it
    corpus: PathBuf,
    /// Run natively, without the sandbox
    #[arg(long)]
    native: bool,
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
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    backend: &'static str,
    limits: &'a Limits,
    passed: usize,
    failed: usize,
    failures: Vec<FailureReport<'a>>,
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
    let mut corpus = Corpus::load(&args.corpus, &args.deps)?;
    if args.deps.is_empty() && corpus.deps_kind == DepsKind::Own {
        add_own_library(&mut corpus);
    }
    if args.gas && corpus.gas.is_none() {
        return Err(CliError::at(
            args.corpus.display(),
            "expected a gas.jsonl for --gas",
        ));
    }
    let options = Options {
        versions: args.bytecode.clone(),
        areas: args.area.clone(),
        gas: args.gas,
    };
    check_selection(args, &corpus)?;
    let limits = Limits {
        gas_per_transaction: u64::MAX,
        guest_memory_bytes: match args.trace {
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
        ..EngineConfig::default()
    })?;
    let mut machine = SandboxExecutor::new(&engine);
    if args.trace {
        machine = machine.traced(TraceLimits {
            checkpoint_steps: CHECKPOINT_STEPS,
            ..TraceLimits::default()
        });
    }
    let progress = Progress::new(corpus.selected(&options).len());
    let report = monomove_tests::run(&corpus, &options, &mut machine, &mut || progress.step())?;
    progress.finish();
    if args.json {
        out.json(&Report {
            schema: SCHEMA,
            backend: if args.native { "native" } else { "wasm" },
            limits: &limits,
            passed: report.passed,
            failed: report.failures.len(),
            failures: report.failures.iter().map(FailureReport::of).collect(),
        })?;
    } else {
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
        out.line(format_args!(
            "{} passed, {} failed",
            report.passed,
            report.failures.len()
        ))?;
    }
    Ok(if report.failures.is_empty() {
        Exit::Ok
    } else {
        Exit::Mismatch
    })
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

/// Refuses areas and versions that the corpus does not have: a misspelt one must not pass with no case run.
fn check_selection(args: &ConformanceArgs, corpus: &Corpus) -> Result<(), CliError> {
    for area in &args.area {
        if !corpus.cases.iter().any(|case| case.area == *area) {
            return Err(CliError::at(
                "--area",
                format!("no area `{area}` in {}", args.corpus.display()),
            ));
        }
    }
    for version in &args.bytecode {
        if !corpus.modules.contains_key(version) {
            return Err(CliError::at(
                "--bytecode",
                format!("no bytecode version {version} in {}", args.corpus.display()),
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
