//! All corpora together execute every instruction at every operand width, and the machine charges by blocks what a meter that goes
//! instruction by instruction charges.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

use std::path::{Path, PathBuf};

use monomove::{Backend, Engine, EngineConfig, Limits};
use monomove_tests::{Corpus, Coverage, Options};

// One runner for the command `monomove conformance` and for these tests.
#[path = "../../host/src/cli/conformance/executor.rs"]
mod executor;
#[path = "../../host/src/cli/conformance/watched.rs"]
mod watched;

use executor::SandboxExecutor;
use watched::{WATCHED, Watched};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs a corpus, traced and metered.
fn watch(name: &str) -> Watched {
    let own = [
        here("stdlib/bytecode/v8/std"),
        here("stdlib/bytecode/v8/framework"),
    ];
    let deps: &[PathBuf] = if name == "stdlib/tests" { &[] } else { &own };
    let corpus = Corpus::load(&here(name), deps).unwrap();
    let limits = Limits {
        gas_per_transaction: u64::MAX,
        ..Limits::default()
    };
    let engine = Engine::with_config(EngineConfig {
        limits,
        backend: Backend::Native,
        ..EngineConfig::default()
    })
    .unwrap();
    let machine = SandboxExecutor::new(&engine).traced(WATCHED);
    let mut watched = Watched::new(machine, true);
    let options = Options::default();
    let report = monomove_tests::run(&corpus, &options, &mut watched, &mut || {}).unwrap();
    let failures = report.failures.iter().take(60).map(|failure| {
        let (id, version, step) = (&failure.id, failure.version, failure.step);
        format!("{id} v{version} {step:?}: {}\n", failure.mismatch.got)
    });
    let failures = failures.collect::<String>();
    assert!(failures.is_empty(), "{name}:\n{failures}");
    watched
}

#[test]
fn every_instruction_runs_at_every_width_and_costs_what_it_should() {
    let mut coverage = Coverage::default();
    let (mut instructions, mut bounded, mut complete) = (0, 0, 0);
    for name in ["golden", "random", "stdlib/tests", "opcodes"] {
        let watched = watch(name);
        coverage.merge(&watched.coverage);
        instructions += watched.metered.instructions;
        bounded += watched.metered.bounded;
        complete += watched.complete;
    }
    assert!(coverage.uncovered().is_empty(), "{coverage}");
    assert!(instructions > 1_000_000, "only {instructions} instructions");
    // Copies and comparisons of function values.
    assert!(bounded * 500 < instructions, "{bounded} of {instructions}");
    assert_eq!(complete, coverage.calls(), "some recordings were cut off");
}
