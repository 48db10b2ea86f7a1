//! The recorded verdicts of the native verifier: same status, same function and instruction, for every module.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says by panicking"
)]

mod common;

use std::collections::BTreeMap;

use base64::Engine;
use monomove_format::{CompiledModule, DeserializerConfig};
use monomove_types::StatusCode;
use monomove_verifier::{VerifierConfig, verify_module};
use serde_json::Value;

#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    status: Option<u64>,
    function: Option<u64>,
    offset: Option<u64>,
}

fn verdict(bytes: &[u8], config: &VerifierConfig) -> Verdict {
    let module = match CompiledModule::deserialize_with(bytes, &DeserializerConfig::new(8, 255)) {
        Ok(module) => module,
        Err(error) => {
            return Verdict {
                status: Some(error.status.number()),
                function: error.function.map(|index| index.0.into()),
                offset: error.code_offset.map(Into::into),
            };
        }
    };
    match verify_module(&module, config) {
        Ok(()) => Verdict {
            status: None,
            function: None,
            offset: None,
        },
        Err(error) => Verdict {
            status: Some(error.status.number()),
            function: error.function.map(|index| index.0.into()),
            offset: error.code_offset.map(Into::into),
        },
    }
}

/// Compares under one configuration; gives the differences, and per status how many agree and how many there are.
fn compare(config: &VerifierConfig, verdict_of: impl Fn(&Value) -> &Value) -> Option<Vec<String>> {
    let path = common::shared()?.join("verdicts/verdicts.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut differences = Vec::new();
    let mut by_status: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(case["bytes"].as_str().unwrap())
            .unwrap();
        let recorded = verdict_of(&case);
        let expected = Verdict {
            status: recorded["code"].as_u64(),
            function: recorded["function_index"].as_u64(),
            offset: recorded["offset"].as_u64(),
        };
        let got = verdict(&bytes, config);
        let place_differs = expected.function.is_some() && got.function != expected.function
            || expected.offset.is_some() && got.offset != expected.offset;
        let (agree, all) = by_status
            .entry(expected.status.unwrap_or_default())
            .or_default();
        *all += 1;
        if got.status != expected.status || place_differs {
            differences.push(format!(
                "{} ({}): recorded {expected:?}, got {got:?}",
                case["id"], case["about"]
            ));
        } else {
            *agree += 1;
        }
    }
    for (status, (agree, all)) in by_status {
        let name = StatusCode::from_number(status).filter(|_| status > 0);
        let name = name.map_or("ok", StatusCode::name);
        if agree < all {
            println!("{status} {name}: {agree} of {all}");
        }
    }
    Some(differences)
}

#[test]
fn chain_configuration() {
    let found = compare(&VerifierConfig::aptos(), |case| &case["verdict"]);
    let differences = found.unwrap_or_default();
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
fn production_configuration() {
    let found = compare(&VerifierConfig::production(), |case| {
        case.get("verdict_production").unwrap_or(&case["verdict"])
    });
    let differences = found.unwrap_or_default();
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        differences.join("\n")
    );
}
