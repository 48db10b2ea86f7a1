//! The recorded verdicts of the native deserializer: same status for what it refused, no error for the rest.

mod common;

use base64::Engine;
use monomove_format::{CompiledModule, DeserializerConfig};
use serde_json::Value;

#[test]
fn deserializer_verdicts() {
    let Some(path) = common::shared().map(|shared| shared.join("verdicts/verdicts.jsonl")) else {
        return;
    };
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no verdicts at {}", path.display());
        return;
    };
    let config = DeserializerConfig::new(8, 255);
    let mut failures = Vec::new();
    let (mut refused, mut accepted, mut placed) = (0, 0, 0);
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(case["bytes"].as_str().unwrap())
            .unwrap();
        let verdict = &case["verdict"];
        let expected =
            (verdict["stage"] == "deserialize").then(|| verdict["code"].as_u64().unwrap());
        let got = CompiledModule::deserialize_with(&bytes, &config);
        let status = got.as_ref().err().map(|error| error.status.number());
        if status != expected {
            failures.push(format!(
                "{} ({}): {expected:?}, got {got:?}",
                case["id"], case["about"]
            ));
        }
        match got {
            Ok(_) => accepted += 1,
            Err(error) => {
                refused += 1;
                if let Some(function) = verdict["function_index"].as_u64() {
                    placed += 1;
                    assert_eq!(
                        error.function.map(|index| u64::from(index.0)),
                        Some(function),
                        "{error}"
                    );
                    assert_eq!(
                        error.code_offset.map(u64::from),
                        verdict["offset"].as_u64(),
                        "{error}"
                    );
                }
            }
        }
    }
    println!("{accepted} accepted, {refused} refused, {placed} of them with a place in code");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn modules_of_linking_bundles_are_read_and_written_back() {
    let Some(path) = common::shared().map(|shared| shared.join("verdicts/linking.jsonl")) else {
        return;
    };
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no bundles at {}", path.display());
        return;
    };
    let mut modules = 0;
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        for module in ["modules", "existing"]
            .iter()
            .flat_map(|key| case[*key].as_array().into_iter().flatten())
        {
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(module["bytes"].as_str().unwrap())
                .unwrap();
            let read = CompiledModule::deserialize(&bytes).unwrap();
            assert_eq!(read.serialize().unwrap(), bytes, "{}", module["name"]);
            modules += 1;
        }
    }
    println!("{modules} modules");
}
