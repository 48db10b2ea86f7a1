//! Real binaries: every one parses and is written back byte for byte; the genesis blobs hold what the spec counts.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers are test code as well"
)]

mod common;

use monomove_format::{CompiledModule, CompiledScript};
use monomove_types::{GenesisBlob, Path, StateKey};
use std::collections::BTreeMap;

fn round_trip(name: &str, bytes: &[u8], versions: &mut BTreeMap<u32, usize>) {
    let (version, written) = match CompiledModule::deserialize(bytes) {
        Ok(module) => (module.version, module.serialize()),
        Err(as_module) => match CompiledScript::deserialize(bytes) {
            Ok(script) => (script.version, script.serialize()),
            Err(as_script) => panic!("{name}: as module {as_module}; as script {as_script}"),
        },
    };
    assert!(written.unwrap() == bytes, "{name} is written differently");
    *versions.entry(version).or_default() += 1;
}

#[test]
fn real_binaries_round_trip() {
    let mut versions = BTreeMap::new();
    for (path, bytes) in common::binaries() {
        round_trip(&path.display().to_string(), &bytes, &mut versions);
    }
    println!("files by version: {versions:?}");
    let mut versions = BTreeMap::new();
    for (path, bytes) in common::genesis_modules() {
        round_trip(&path.display().to_string(), &bytes, &mut versions);
        let module = CompiledModule::deserialize(&bytes).unwrap();
        assert!(path.ends_with(module.self_id().to_string()));
    }
    println!("genesis modules by version: {versions:?}");
}

#[test]
fn genesis_blobs_hold_what_is_known_of_them() {
    for (path, bytes) in common::genesis_blobs() {
        let blob = GenesisBlob::parse(&bytes).unwrap();
        let mut counts = BTreeMap::<&str, usize>::new();
        for (key, value) in &blob.writes {
            assert_eq!(StateKey::decode(&key.encode()).as_ref(), Ok(key));
            let kind = match key {
                StateKey::AccessPath {
                    path: Path::Code(_),
                    ..
                } => {
                    assert!(value.starts_with(&[0xa1, 0x1c, 0xeb, 0x0b]));
                    "modules"
                }
                StateKey::AccessPath {
                    path: Path::Resource(_),
                    ..
                } => "resources",
                StateKey::AccessPath {
                    path: Path::ResourceGroup(_),
                    ..
                } => "groups",
                StateKey::TableItem { .. } => "table items",
                StateKey::Raw(_) => "raw",
            };
            *counts.entry(kind).or_default() += 1;
        }
        let (v1, v2): (Vec<_>, Vec<_>) =
            blob.events.iter().partition(|event| event.handle.is_some());
        let name = path.file_name().unwrap().to_str().unwrap();
        println!(
            "{name}: {counts:?}, {} handle and {} module events",
            v1.len(),
            v2.len()
        );
        let expected: &[(&str, usize)] = match name {
            "mainnet.blob" => &[("modules", 70), ("resources", 1323), ("table items", 1)],
            "devnet-2026-07-16.blob" => &[
                ("modules", 190),
                ("resources", 99),
                ("groups", 9),
                ("table items", 4),
            ],
            _ => continue,
        };
        assert_eq!(counts, expected.iter().copied().collect());
        let events = if name == "mainnet.blob" {
            (1499, 0)
        } else {
            (2, 35)
        };
        assert_eq!((v1.len(), v2.len()), events);
    }
}

#[test]
fn truncated_genesis_blobs_are_refused() {
    for (_, bytes) in common::genesis_blobs() {
        for length in (0..bytes.len()).step_by(20_011) {
            assert!(GenesisBlob::parse(&bytes[..length]).is_err());
        }
    }
}
