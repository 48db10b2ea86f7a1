//! Real modules are accepted: the corpora of the repository, and with the shared data the genesis blobs and the libraries there.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says by panicking"
)]

mod common;

use monomove_format::{CompiledModule, DeserializerConfig, VERSION_MAX};
use monomove_types::ModuleId;
use monomove_types::{self as types, GenesisBlob, StateKey};
use monomove_verifier::{
    Loading, PublishOptions, PublishedModules, VerifierConfig, VerifierResult, check_bundle,
    verify_module,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
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
    let least = if common::shared().is_some() { 600 } else { 300 };
    assert!(modules.len() > least, "{} modules", modules.len());
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

/// The modules of a chain but those of one address.
struct Others<'a>(BTreeMap<ModuleId, &'a Arc<CompiledModule>>);

impl PublishedModules for Others<'_> {
    fn module(&self, id: &ModuleId) -> VerifierResult<Option<Arc<CompiledModule>>> {
        Ok(self.0.get(id).map(|module| Arc::clone(module)))
    }
}

fn by_name<'a>(
    modules: impl IntoIterator<Item = &'a Arc<CompiledModule>>,
) -> BTreeMap<ModuleId, &'a Arc<CompiledModule>> {
    let named = modules.into_iter().map(|module| (module.self_id(), module));
    named.collect()
}

/// The modules of each address are published as one bundle on top of all others, in the order of the blob and in reverse, and then once more as an upgrade.
#[test]
fn genesis_blobs_are_published() {
    for path in blobs() {
        let modules: Vec<_> = genesis(&path)
            .into_iter()
            .map(|(_, module)| Arc::new(module))
            .collect();
        let addresses: BTreeSet<_> = modules
            .iter()
            .map(|module| *module.self_address())
            .collect();
        for address in addresses {
            let (own, others): (Vec<_>, Vec<_>) = modules
                .iter()
                .partition(|module| *module.self_address() == address);
            let mut binaries: Vec<_> = own.iter().map(|one| one.serialize().unwrap()).collect();
            let before = by_name(others);
            let after = by_name(&modules);
            for loading in [Loading::Lazy, Loading::Eager] {
                let options = PublishOptions {
                    deserializer: DeserializerConfig::new(VERSION_MAX, 255),
                    loading,
                    user_rules: true,
                    ..PublishOptions::default()
                };
                for published in [&before, &after] {
                    binaries.reverse();
                    let published = Others(published.clone());
                    if let Err(error) = check_bundle(address, &binaries, &published, &options) {
                        panic!("{}, {address}: {error}", path.display());
                    }
                }
            }
        }
    }
}
