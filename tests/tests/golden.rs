//! The corpora, natively and in the sandbox, at every bytecode version, gas included where it is recorded. `areas.json` says which areas
//! of each must pass.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

use std::io::Write;
use std::path::{Path, PathBuf};

use monomove::{Backend, Engine, EngineConfig, Limits};
use monomove_tests::{Corpus, Options};

// One runner for the command `monomove conformance` and for these tests.
#[path = "../../host/src/cli/conformance/executor.rs"]
#[allow(dead_code, reason = "nothing is traced here")]
mod executor;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The areas of the corpus `name` in `areas.json`.
fn areas(name: &str) -> Vec<String> {
    let file: serde_json::Value = serde_json::from_str(include_str!("../areas.json")).unwrap();
    let areas = file[name].as_array().unwrap().iter();
    areas
        .map(|area| area.as_str().unwrap().to_owned())
        .collect()
}

/// Runs the areas of `name` on `corpus`, and expects at least `least` cases to run and all of them to pass.
fn check(name: &str, corpus: &Corpus, backend: Backend, least: usize) {
    check_with(name, corpus, backend, false, least);
}

/// The same, with a collection before every allocation or not.
fn check_with(name: &str, corpus: &Corpus, backend: Backend, gc_stress: bool, least: usize) {
    let config = EngineConfig {
        backend,
        gc_stress,
        ..EngineConfig::default()
    };
    check_on(name, corpus, config, least);
}

/// The same, on an engine with more to be said about it.
fn check_on(name: &str, corpus: &Corpus, config: EngineConfig, least: usize) {
    let areas = areas(name);
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
    let engine = Engine::with_config(EngineConfig { limits, ..config }).unwrap();
    let options = Options {
        versions: Vec::new(),
        areas,
        gas: corpus.gas.is_some(),
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
    assert!(
        report.passed >= least,
        "only {} cases ran, expected {least}",
        report.passed
    );
}

/// A corpus of this directory, with our own library in place of dependencies that it does not bring.
fn check_here(name: &str, backend: Backend, least: usize) {
    check(name, &load(name), backend, least);
}

/// A corpus of this directory, with a collection before every allocation, natively and in the sandbox.
fn check_collecting(name: &str, least: usize) {
    for backend in [Backend::Native, Backend::Wasm] {
        check_with(name, &load(name), backend, true, least);
    }
}

fn load(name: &str) -> Corpus {
    let own = [
        here("stdlib/bytecode/v8/std"),
        here("stdlib/bytecode/v8/framework"),
    ];
    // The library's tests have it next to them, together with the packages that only they use.
    let deps: &[PathBuf] = if name == "stdlib/tests" { &[] } else { &own };
    Corpus::load(&here(name), deps).unwrap()
}

/// A corpus of this directory with every enum an object, plainly and with run-time checks and a collection before every allocation.
fn check_boxed(name: &str, least: usize) {
    for checked in [false, true] {
        let config = EngineConfig {
            backend: Backend::Native,
            enum_inline_bytes: 0,
            paranoid: checked,
            gc_stress: checked,
            ..EngineConfig::default()
        };
        check_on(name, &load(name), config, least);
    }
}

#[test]
fn corpora_with_enums_as_objects() {
    check_boxed("golden", 1972);
    check_boxed("random", 2918);
    check_boxed("opcodes", 23752);
    check_boxed("stdlib/tests", 46);
}

#[test]
fn golden_with_collections() {
    check_collecting("golden", 1972);
}

#[test]
fn random_programs_with_collections() {
    check_collecting("random", 2918);
}

#[test]
fn opcodes_with_collections() {
    check_collecting("opcodes", 23752);
}

#[test]
fn library_with_collections() {
    check_collecting("stdlib/tests", 72);
}

#[test]
fn golden_in_the_sandbox() {
    check_here("golden", Backend::Wasm, 1972);
}

#[test]
fn golden_natively() {
    check_here("golden", Backend::Native, 1972);
}

#[test]
fn bench_kernels_in_the_sandbox() {
    check_here("golden/bench", Backend::Wasm, 60);
}

#[test]
fn bench_kernels_natively() {
    check_here("golden/bench", Backend::Native, 60);
}

#[test]
fn random_programs_in_the_sandbox() {
    check_here("random", Backend::Wasm, 2918);
}

#[test]
fn random_programs_natively() {
    check_here("random", Backend::Native, 2918);
}

#[test]
fn opcodes_in_the_sandbox() {
    check_here("opcodes", Backend::Wasm, 23752);
}

#[test]
fn opcodes_natively() {
    check_here("opcodes", Backend::Native, 23752);
}

#[test]
fn library_in_the_sandbox() {
    check_here("stdlib/tests", Backend::Wasm, 72);
}

#[test]
fn library_natively() {
    check_here("stdlib/tests", Backend::Native, 72);
}

/// The corpus' own dependencies are chain data and not part of the project: this runs where they lie next to the checkout.
#[test]
fn golden_with_the_recorded_library() {
    let shared =
        std::env::var_os("MONOMOVE_SHARED").map_or_else(|| here("../../shared"), PathBuf::from);
    let golden = shared.join("golden");
    if !golden.join("deps").is_dir() {
        // Not `eprintln!`: the test harness would keep that to itself.
        let deps = golden.join("deps");
        let _ = writeln!(
            std::io::stderr(),
            "skipped: no {} (set MONOMOVE_SHARED)",
            deps.display()
        );
        return;
    }
    let corpus = Corpus::load(&golden, &[]).unwrap();
    check("golden", &corpus, Backend::Wasm, 1000);
}
