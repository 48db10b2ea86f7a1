//! Texts that the platform's assembler has assembled: ours makes the same bytes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod common;

use common::{bytes_of, first_difference, json_lines, resolved, shared};
use monomove_asm::{Options, Unit, assemble};
use monomove_format::CompiledModule;
use std::path::Path;

fn module(source: &str, version: u32, dependencies: &[CompiledModule]) -> CompiledModule {
    let options = Options {
        version,
        dependencies,
    };
    match assemble(source, &options) {
        Ok(Unit::Module(module)) => *module,
        Ok(Unit::Script(_)) => panic!("a script"),
        Err(errors) => panic!("{errors}"),
    }
}

#[test]
fn verdict_corpus() {
    let path = &shared("verdicts/verdicts.jsonl");
    let (mut identical, mut patched) = (0, 0);
    let mut different = Vec::new();
    for entry in json_lines(path) {
        let Some(source) = entry["source"].as_str() else {
            continue;
        };
        let id = entry["id"].as_str().unwrap();
        let version = entry["version"].as_u64().map_or(8, |v| v as u32);
        let ours = module(source, version, &[]);
        if entry.get("patch").is_some() {
            patched += 1;
            continue;
        }
        let bytes = bytes_of(&entry["bytes"]);
        if ours.serialize().unwrap() == bytes {
            identical += 1;
            continue;
        }
        let theirs = match CompiledModule::deserialize(&bytes) {
            Ok(theirs) => theirs,
            Err(error) => {
                different.push(format!("{id}: cannot be read: {error}"));
                continue;
            }
        };
        match first_difference(&resolved(&ours), &resolved(&theirs)) {
            None => different.push(format!("{id}: equivalent, other bytes")),
            Some(difference) => different.push(format!("{id}: {difference}")),
        }
    }
    eprintln!("{identical} identical, {patched} patched after assembly");
    assert!(different.is_empty(), "{different:#?}");
}

/// Bundles of modules that import from each other. Some binaries import another form of a declaration than the bundle
/// has; they differ in nothing but imports.
#[test]
fn linking_corpus() {
    let path = &shared("verdicts/linking.jsonl");
    let (mut identical, mut other_imports) = (0, 0);
    for entry in json_lines(path) {
        let id = &entry["id"];
        let list = |key: &str| entry[key].as_array().unwrap().clone();
        let all = [list("modules"), list("existing")].concat();
        let binaries: Vec<_> = all
            .iter()
            .map(|m| CompiledModule::deserialize(&bytes_of(&m["bytes"])).unwrap())
            .collect();
        for (m, theirs) in all.iter().zip(&binaries) {
            let options = Options {
                version: 8,
                dependencies: &binaries,
            };
            let ours = match assemble(m["source"].as_str().unwrap(), &options) {
                Ok(Unit::Module(module)) => *module,
                Ok(Unit::Script(_)) => panic!("a script"),
                Err(errors) => {
                    assert_eq!(id, "l_missing_module", "{errors}");
                    other_imports += 1;
                    continue;
                }
            };
            if ours.serialize().unwrap() == bytes_of(&m["bytes"]) {
                identical += 1;
                continue;
            }
            other_imports += 1;
            let without_imports = |module: &CompiledModule| {
                let mut lines = resolved(module);
                lines.retain(|line| {
                    !line.starts_with("handle 0x42::a::") && !line.starts_with("types ")
                });
                lines
            };
            let difference = first_difference(&without_imports(&ours), &without_imports(theirs));
            assert_eq!(difference, None, "{id}");
        }
    }
    eprintln!("{identical} identical, {other_imports} import another form");
    assert!(other_imports <= 13);
}

/// The texts that the random modules were made of.
#[test]
fn random_sources() {
    let archive = &shared("random/sources/sources.tar.xz");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("random-sources");
    std::fs::create_dir_all(&target).unwrap();
    let unpacked = std::process::Command::new("tar")
        .arg("-xJf")
        .arg(archive)
        .arg("-C")
        .arg(&target)
        .status();
    if !archive.exists() || !unpacked.is_ok_and(|status| status.success()) {
        common::skipped(archive);
        return;
    }
    let binaries = common::files(&common::root().join("tests/random"), "mv");
    let mut identical = 0;
    for path in common::files(&target, "masm") {
        let stem = path.file_stem().unwrap();
        let Some(binary) = binaries.iter().find(|b| b.file_stem() == Some(stem)) else {
            continue;
        };
        let source = std::fs::read_to_string(&path).unwrap();
        let ours = module(&source, 8, &[]).serialize().unwrap();
        assert!(ours == std::fs::read(binary).unwrap(), "{}", path.display());
        identical += 1;
    }
    eprintln!("{identical} identical");
}
