//! Tracing over every corpus: a traced call comes to the same as an untraced one, its recording replays both ways, and what it recorded is
//! what it recorded before: `traces/*.txt` keep a digest of each case. `MONOMOVE_BLESS=1` writes them anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use monomove::{Backend, Engine, EngineConfig, Limits, Outcome, TraceLimits};
use monomove_tests::{Corpus, Executed, Executor, Options};
use sha3::{Digest, Sha3_256};

// One runner for the command `monomove conformance` and for these tests.
#[path = "../../host/src/cli/conformance/executor.rs"]
mod executor;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Memory of a guest that holds a recording and its encoded form.
const TRACE_MEMORY_BYTES: u64 = 1 << 30;

fn engine(backend: Backend) -> Engine {
    let limits = Limits {
        gas_per_transaction: u64::MAX,
        guest_memory_bytes: TRACE_MEMORY_BYTES,
        ..Limits::default()
    };
    Engine::with_config(EngineConfig {
        limits,
        backend,
        ..EngineConfig::default()
    })
    .unwrap()
}

fn machine(backend: Backend) -> executor::SandboxExecutor {
    executor::SandboxExecutor::new(&engine(backend)).traced(TraceLimits {
        checkpoint_steps: 32,
        ..TraceLimits::default()
    })
}

/// Traces every case of a corpus, each at its newest bytecode version, and returns a line per case.
fn digests(corpus: &Corpus, machine: &mut executor::SandboxExecutor) -> String {
    let mut lines = String::new();
    let newest = *corpus.modules.keys().last().unwrap();
    let options = Options {
        versions: vec![newest],
        ..Options::default()
    };
    machine.load(&corpus.modules[&newest]).unwrap();
    for (_, case) in corpus.selected(&options) {
        machine.reset();
        let mut hasher = Sha3_256::new();
        for step in &case.steps {
            let output = match machine.execute(&step.call) {
                Executed::Output(output) => output,
                Executed::Fault(fault) => panic!("{}: {fault}", case.id),
            };
            if let Some(trace) = machine.recorded.take() {
                match trace.digest() {
                    Ok(digest) => hasher.update(digest),
                    // It failed before its first step.
                    Err(error) => hasher.update(error.to_string()),
                }
            }
            if case.sequence && matches!(output.outcome, Outcome::Returned { .. }) {
                machine.commit(&output.writes).unwrap();
            }
        }
        let digest = hasher.finalize();
        writeln!(lines, "{} {}", case.id, hex::encode(&digest[..8])).unwrap();
    }
    lines
}

/// Compares with the digests on file, or writes them.
fn golden(name: &str, corpus: &Corpus) {
    let ours = digests(corpus, &mut machine(Backend::Native));
    let path = here("traces").join(name);
    if std::env::var_os("MONOMOVE_BLESS").is_some() {
        std::fs::create_dir_all(here("traces")).unwrap();
        std::fs::write(&path, &ours).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let differing = ours
        .lines()
        .filter(|line| !golden.lines().any(|old| old == *line))
        .collect::<Vec<_>>();
    assert!(
        ours == golden,
        "{} traces are not what {} says (MONOMOVE_BLESS=1 writes it anew):\n{}",
        differing.len(),
        path.display(),
        differing.join("\n")
    );
}

fn with_own_library() -> Corpus {
    let deps = [
        here("stdlib/bytecode/v8/std"),
        here("stdlib/bytecode/v8/framework"),
    ];
    Corpus::load(&here("golden"), &deps).unwrap()
}

#[test]
fn traces_of_the_golden_corpus() {
    golden("golden.txt", &with_own_library());
}

#[test]
fn traces_of_random_programs() {
    golden("random.txt", &Corpus::load(&here("random"), &[]).unwrap());
}

#[test]
fn traces_of_the_library() {
    golden(
        "stdlib.txt",
        &Corpus::load(&here("stdlib/tests"), &[]).unwrap(),
    );
}

/// The sandbox records the same as the native core.
#[test]
fn traces_in_the_sandbox() {
    let corpus = with_own_library();
    let sandboxed = digests(&corpus, &mut machine(Backend::Wasm));
    let native = digests(&corpus, &mut machine(Backend::Native));
    let differing = sandboxed
        .lines()
        .zip(native.lines())
        .filter(|(a, b)| a != b)
        .map(|(a, _)| a)
        .collect::<Vec<_>>();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
