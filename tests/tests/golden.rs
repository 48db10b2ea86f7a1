//! The golden corpus, natively and in the sandbox, at every bytecode version, gas included. `areas.json` says which areas must pass.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

use std::path::{Path, PathBuf};

use monomove::{Backend, Engine, EngineConfig, Limits};
use monomove_tests::{Corpus, Options};

// One runner for the command `monomove conformance` and for these tests.
#[path = "../../host/src/cli/conformance/executor.rs"]
mod executor;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The areas under `key` of `areas.json`.
fn areas(key: &str) -> Vec<String> {
    let file: serde_json::Value = serde_json::from_str(include_str!("../areas.json")).unwrap();
    let areas = file[key].as_array().unwrap().iter();
    areas
        .map(|area| area.as_str().unwrap().to_owned())
        .collect()
}

fn check(corpus: &Corpus, backend: Backend) {
    let areas = areas("golden");
    for area in &areas {
        assert!(
            corpus.cases.iter().any(|case| case.area == *area),
            "no area {area}"
        );
    }
    let limits = Limits {
        gas_per_transaction: u64::MAX,
        ..Limits::default()
    };
    let engine = Engine::with_config(EngineConfig {
        limits,
        backend,
        ..EngineConfig::default()
    })
    .unwrap();
    let options = Options {
        versions: Vec::new(),
        areas,
        gas: true,
    };
    let mut machine = executor::SandboxExecutor::new(&engine);
    let report = monomove_tests::run(corpus, &options, &mut machine, &mut || {}).unwrap();
    let text = report.failures.iter().map(|failure| {
        let (expected, got) = (&failure.mismatch.expected, &failure.mismatch.got);
        format!(
            "{} v{} {:?}: expected {expected}, got {got}\n",
            failure.id, failure.version, failure.step
        )
    });
    let failures = text.collect::<String>();
    assert!(
        failures.is_empty(),
        "{} passed; failed:\n{failures}",
        report.passed
    );
    assert!(report.passed > 1000, "only {} cases ran", report.passed);
}

fn with_own_library() -> Corpus {
    let deps = [
        here("stdlib/bytecode/v8/std"),
        here("stdlib/bytecode/v8/framework"),
    ];
    Corpus::load(&here("golden"), &deps).unwrap()
}

#[test]
fn golden_with_our_library_in_the_sandbox() {
    check(&with_own_library(), Backend::Wasm);
}

#[test]
fn golden_with_our_library_natively() {
    check(&with_own_library(), Backend::Native);
}

/// The corpus' own dependencies are chain data and not part of the project: this runs where they lie next to the checkout.
#[test]
fn golden_with_the_recorded_library() {
    let shared =
        std::env::var_os("MONOMOVE_SHARED").map_or_else(|| here("../../shared"), PathBuf::from);
    let golden = shared.join("golden");
    if !golden.join("deps").is_dir() {
        eprintln!(
            "skipped: no {} (set MONOMOVE_SHARED)",
            golden.join("deps").display()
        );
        return;
    }
    check(&Corpus::load(&golden, &[]).unwrap(), Backend::Wasm);
}
