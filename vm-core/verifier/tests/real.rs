//! Real modules are accepted: the corpora of the repository, and with the shared data the genesis blobs and the libraries there.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says by panicking"
)]

mod common;

use monomove_format::{CompiledModule, DeserializerConfig, VERSION_MAX};
use monomove_types::{self as types, GenesisBlob, StateKey};
use monomove_verifier::{VerifierConfig, verify_module};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

fn read(bytes: &[u8]) -> CompiledModule {
    CompiledModule::deserialize_with(bytes, &DeserializerConfig::new(VERSION_MAX, 255)).unwrap()
}

/// Verifies all; says which are refused.
fn accept(modules: &[(String, CompiledModule)]) {
    let config = VerifierConfig::aptos();
    let refused: Vec<String> = modules
        .iter()
        .filter_map(|(name, module)| Some((name, verify_module(module, &config).err()?)))
        .map(|(name, error)| format!("{name}: {error}"))
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// All modules in files below a directory.
fn below(folder: &Path, modules: &mut Vec<(String, CompiledModule)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, modules);
        } else if path.extension().is_some_and(|extension| extension == "mv") {
            modules.push((path.display().to_string(), read(&fs::read(&path).unwrap())));
        }
    }
}

fn genesis(path: &Path) -> Vec<(String, CompiledModule)> {
    GenesisBlob::parse(&fs::read(path).unwrap())
        .unwrap()
        .writes
        .iter()
        .filter(|(key, _)| {
            matches!(
                key,
                StateKey::AccessPath {
                    path: types::Path::Code(_),
                    ..
                }
            )
        })
        .map(|(key, bytes)| (key.to_string(), read(bytes)))
        .collect()
}

fn blobs() -> Vec<std::path::PathBuf> {
    let Some(shared) = common::shared() else {
        return Vec::new();
    };
    let mut paths: Vec<_> = fs::read_dir(shared.join("data/genesis"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

#[test]
fn corpora() {
    let mut modules = Vec::new();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    for folder in ["golden", "random", "stdlib"] {
        below(&own.join(folder), &mut modules);
        if let Some(shared) = common::shared() {
            below(&shared.join(folder), &mut modules);
        }
    }
    assert!(modules.len() > 600);
    accept(&modules);
}

#[test]
fn genesis_blobs() {
    for path in blobs() {
        let modules = genesis(&path);
        println!("{}: {} modules", path.display(), modules.len());
        assert!(!modules.is_empty());
        accept(&modules);
    }
}

/// The time that the modules of the newest blob take. `MONOMOVE_VERIFY_MILLISECONDS` is a bound on the best of several rounds.
#[test]
fn speed() {
    let Some(path) = blobs()
        .into_iter()
        .rfind(|path| path.to_string_lossy().contains("devnet"))
    else {
        return;
    };
    let modules = genesis(&path);
    let best = (0..5)
        .map(|_| {
            let start = Instant::now();
            accept(&modules);
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    println!("{} modules in {best:?}", modules.len());
    if let Ok(bound) = std::env::var("MONOMOVE_VERIFY_MILLISECONDS") {
        assert!(
            best <= Duration::from_millis(bound.parse().unwrap()),
            "{best:?}"
        );
    }
}
