//! The recorded verdicts of the native verifier, linker and publisher: ours are the same.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::{Path, PathBuf};

use monomove_tests::compare_verdicts;

/// A file of the shared data: `MONOMOVE_SHARED`, or `../shared` beside the workspace. Says so if it is absent.
fn shared(file: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("MONOMOVE_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
    };
    let path = folder.join(file);
    if path.is_file() {
        return Some(path);
    }
    // Not with `eprintln!`: the test harness would keep that to itself.
    let _ = writeln!(std::io::stderr(), "skipped: no {}", path.display());
    None
}

fn all_agree(file: &str) {
    let Some(path) = shared(file) else { return };
    let report = compare_verdicts(&path).unwrap();
    assert!(
        report.differences.is_empty(),
        "{} agree, {} differ\n{}",
        report.agree,
        report.differences.len(),
        report.differences.join("\n")
    );
}

#[test]
fn modules() {
    all_agree("verdicts/verdicts.jsonl");
}

#[test]
fn bundles() {
    all_agree("verdicts/linking.jsonl");
}
