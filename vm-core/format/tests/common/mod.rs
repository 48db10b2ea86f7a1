//! Real modules and genesis blobs: those of the project, and those of the shared data where it lies beside the workspace. Tests that need
//! the latter skip, with a message, where it is absent.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::panic,
    clippy::unwrap_used,
    reason = "each test uses its part"
)]

pub mod binary;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder with the shared data: `MONOMOVE_SHARED`, or `../shared` beside the workspace.
pub fn shared() -> Option<PathBuf> {
    let folder = match std::env::var_os("MONOMOVE_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    skipped("shared data", &folder);
    None
}

/// Says what is missing. Not with `eprintln!`: the test harness would keep that to itself.
fn skipped(what: &str, folder: &Path) {
    let _ = writeln!(
        std::io::stderr(),
        "skipped: no {what} at {}",
        folder.display()
    );
}

/// All `.mv` files of the project's tests and under the shared folder, ordered by path.
pub fn binaries() -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = shared().into_iter().collect();
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests"));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "mv") {
                let bytes = fs::read(&path).unwrap();
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

/// All modules in the genesis blobs, with the name of the blob.
pub fn genesis_modules() -> Vec<(PathBuf, Vec<u8>)> {
    use monomove_types::{GenesisBlob, StateKey};
    let mut found = Vec::new();
    for (path, bytes) in genesis_blobs() {
        let blob = GenesisBlob::parse(&bytes)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (key, value) in blob.writes {
            if let StateKey::AccessPath {
                path: monomove_types::Path::Code(_),
                ..
            } = key
            {
                found.push((path.join(key.to_string()), value));
            }
        }
    }
    found
}

/// The genesis blobs, ordered by path.
pub fn genesis_blobs() -> Vec<(PathBuf, Vec<u8>)> {
    let Some(folder) = shared().map(|shared| shared.join("data/genesis")) else {
        return Vec::new();
    };
    let Ok(entries) = fs::read_dir(&folder) else {
        skipped("genesis blobs", &folder);
        return Vec::new();
    };
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "blob")
        })
        .map(|path| {
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect();
    found.sort();
    found
}
