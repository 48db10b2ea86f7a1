//! Texts that the platform's assembler has assembled: ours makes equivalent modules of them, and mostly the same bytes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod common;

use common::{bytes_of, first_difference, json_lines, resolved};
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
    let path = Path::new("/work/shared/verdicts/verdicts.jsonl");
    let (mut identical, mut equivalent, mut patched) = (0, 0, 0);
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
            None => {
                equivalent += 1;
                eprintln!("other bytes: {id}");
            }
            Some(difference) => different.push(format!("{id}: {difference}")),
        }
    }
    eprintln!("{identical} identical, {equivalent} equivalent, {patched} patched");
    assert!(different.is_empty(), "{different:#?}");
}

#[test]
fn linking_corpus() {
    let path = Path::new("/work/shared/verdicts/linking.jsonl");
    let (mut identical, mut equivalent, mut other_import) = (0, 0, 0);
    for entry in json_lines(path) {
        let about = entry["about"].as_str().unwrap();
        let list = |key: &str| entry[key].as_array().unwrap().clone();
        let all = [list("modules"), list("existing")].concat();
        let binaries: Vec<_> = all
            .iter()
            .map(|m| CompiledModule::deserialize(&bytes_of(&m["bytes"])).unwrap())
            .collect();
        for (m, theirs) in all.iter().zip(&binaries) {
            let id = &entry["id"];
            let source = m["source"].as_str().unwrap();
            let options = Options {
                version: 8,
                dependencies: &binaries,
            };
            let ours = match assemble(source, &options) {
                Ok(Unit::Module(module)) => *module,
                other => {
                    eprintln!("{id} ({about}): {other:?}");
                    other_import += 1;
                    continue;
                }
            };
            if ours.serialize().unwrap() == bytes_of(&m["bytes"]) {
                identical += 1;
                continue;
            }
            match first_difference(&resolved(&ours), &resolved(theirs)) {
                None => {
                    eprintln!("other bytes: {id}");
                    equivalent += 1;
                }
                Some(difference) => {
                    eprintln!("{id} ({about}): {difference}");
                    other_import += 1;
                }
            }
        }
    }
    eprintln!("{identical} identical, {equivalent} equivalent, {other_import} other imports");
}
