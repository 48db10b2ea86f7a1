//! What the tests share: where the corpora lie, and when two modules are equivalent.
#![allow(dead_code, unused_imports, reason = "each test uses a part")]

mod equivalent;

pub(crate) use equivalent::{first_difference, resolved, resolved_script};

use base64::Engine;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The directory of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A path in the shared data, which may lie beside the workspace: `MONOMOVE_SHARED`, or `../shared`.
pub(crate) fn shared(path: &str) -> PathBuf {
    std::env::var_os("MONOMOVE_SHARED")
        .map_or_else(|| root().join("../shared"), PathBuf::from)
        .join(path)
}

/// Says what is missing. Not with `eprintln!`: the test harness would keep that to itself.
pub(crate) fn skipped(path: &Path) {
    let _ = writeln!(std::io::stderr(), "skipped: there is no {}", path.display());
}

/// The files with this extension below a directory, sorted; none (and a message) if there is no such directory.
pub(crate) fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            skipped(&directory);
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The lines of a file as JSON; none (and a message) if there is no such file.
pub(crate) fn json_lines(path: &Path) -> Vec<serde_json::Value> {
    let Ok(text) = std::fs::read_to_string(path) else {
        skipped(path);
        return Vec::new();
    };
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The bytes of a base64 field.
pub(crate) fn bytes_of(value: &serde_json::Value) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD
        .decode(value.as_str().unwrap())
        .unwrap()
}
