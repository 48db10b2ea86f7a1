//! Whole transactions from the command line: blocks, publishing, views, simulation, scripts.
#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

mod cli_support;

use cli_support::{monomove, scratch};

/// Assembles a file of `tests/flow` into `directory`; its path there.
fn assembled(directory: &std::path::Path, name: &str) -> String {
    let source = format!("{}/../tests/flow/{name}.masm", env!("CARGO_MANIFEST_DIR"));
    let out = directory.join(format!("{name}.mv"));
    let deps = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/stdlib/bytecode/v8");
    let out = out.to_str().unwrap().to_owned();
    let run = monomove(&["asm", &source, "-o", &out, "--deps", deps]);
    assert_eq!(run.code, 0, "{}", run.err);
    out
}

const BLOCK: &str = r#"{
  "schema": "monomove.block/1",
  "genesis": { "accounts": [{ "address": "0xa11ce", "balance": 100000000 }] },
  "block": { "height": 1, "time_micros": 1700000001000000 },
  "transactions": [
    { "sender": "0xa11ce", "sequence_number": 0, "gas_price": 1, "max_gas": 5000,
      "publish": { "package": "counter", "modules": ["counter_v1.mv"] } },
    { "sender": "0xa11ce", "sequence_number": 1, "gas_price": 1, "max_gas": 1000, "function": "0xa11ce::counter::bump" },
    { "sender": "0xa11ce", "sequence_number": 2, "gas_price": 1, "max_gas": 1000, "script": "transfer_twice.mv",
      "args": ["address:0x7777", "address:0x8888", "u64:21"] },
    { "sender": "0xa11ce", "sequence_number": 2, "function": "0xa11ce::counter::bump" },
    { "sender": "0xa11ce", "sequence_number": 3, "chain_id": 9, "function": "0xa11ce::counter::bump" },
    { "sender": "0xa11ce", "sequence_number": 3, "expiration_seconds": 1700000001, "function": "0xa11ce::counter::bump" },
    { "sender": "0xa11ce", "sequence_number": 3, "authentication_key": "0x00", "function": "0xa11ce::counter::bump" },
    { "function": "0xa11ce::counter::bump" }
  ]
}"#;

#[test]
fn a_block_of_whole_transactions_and_what_comes_after() {
    let directory = scratch("flow-block");
    for name in ["counter_v1", "transfer_twice", "counter_v2", "counter_v3"] {
        assembled(&directory, name);
    }
    let file = directory.join("block.json");
    std::fs::write(&file, BLOCK).unwrap();
    let (file, state) = (file.to_str().unwrap(), directory.join("chain"));
    let state = state.to_str().unwrap();
    let json = monomove(&["block", file, "--state", state, "--commit", "--json"]).json();
    let endings: Vec<String> = json["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| match each["failure"]["status"].as_str() {
            None => each["status"].as_str().unwrap().to_owned(),
            Some(failure) => format!("{} {failure}", each["status"].as_str().unwrap()),
        })
        .collect();
    assert_eq!(
        endings,
        [
            "kept",
            "kept",
            "kept",
            "discarded SEQUENCE_NUMBER_TOO_OLD",
            "discarded BAD_CHAIN_ID",
            "discarded TRANSACTION_EXPIRED",
            "discarded INVALID_AUTH_KEY",
            "kept",
        ]
    );

    let view = |function: &str, args: &[&str]| {
        let mut line = vec!["view", "--state", state, "--json", "--function", function];
        if !args.is_empty() {
            line.push("--args");
            line.extend(args);
        }
        monomove(&line).json()["values"][0]["text"].clone()
    };
    assert_eq!(view("0xa11ce::counter::get", &[]), "12");
    assert_eq!(view("0x1::native_coin::balance", &["address:0x7777"]), "21");
    assert_eq!(
        view("0x1::account::sequence_number", &["address:0xa11ce"]),
        "3"
    );

    let simulate = |extra: &[&str]| {
        let mut line = vec![
            "simulate",
            "--state",
            state,
            "--sender",
            "0xa11ce",
            "--function",
        ];
        line.extend(["0xa11ce::counter::bump", "--json"]);
        line.extend(extra);
        monomove(&line)
    };
    let done = simulate(&["--gas-price", "2", "--max-gas", "1000"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.json()["returned"], true);
    let old = simulate(&["--sequence-number", "1"]);
    assert_eq!(
        old.json_of_code(3)["failure"]["status"],
        "SEQUENCE_NUMBER_TOO_OLD"
    );
    assert_eq!(view("0xa11ce::counter::get", &[]), "12");

    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let bad = monomove(&[
        "publish",
        &path("counter_v3.mv"),
        "--state",
        state,
        "--json",
    ]);
    let status = &bad.json_of_code(3)["failure"]["status"];
    assert_eq!(status, "BACKWARD_INCOMPATIBLE_MODULE_UPDATE");
    let v2 = path("counter_v2.mv");
    assert_eq!(
        monomove(&["publish", &v2, "--state", state, "--dry-run"]).code,
        0
    );
    assert_eq!(monomove(&["publish", &v2, "--state", state]).code, 0);
    assert_eq!(view("0xa11ce::counter::get", &[]), "12");
    let other = monomove(&[
        "publish", &v2, "--state", state, "--sender", "0xb0b", "--json",
    ]);
    let status = &other.json_of_code(3)["failure"]["status"];
    assert_eq!(status, "MODULE_ADDRESS_DOES_NOT_MATCH_SENDER");
}

#[test]
fn scripts_run_by_themselves() {
    let directory = scratch("flow-script");
    let script = assembled(&directory, "abort_with");
    let run = monomove(&["run", &script, "--args", "u64:77", "--json"]);
    let failure = run.json_of_code(3)["failure"].clone();
    assert_eq!(failure["sub_status"], 77);
    assert_eq!(failure["module"], "script");
    let generic = assembled(&directory, "generic_script");
    assert_eq!(monomove(&["run", &generic, "--type-args", "u8"]).code, 0);
    let bad = assembled(&directory, "bad_script");
    let refused = monomove(&["run", &bad, "--json"]).json_of_code(3);
    assert_eq!(
        refused["failure"]["status"],
        "POSITIVE_STACK_SIZE_AT_BLOCK_END"
    );
    assert_eq!(monomove(&["run"]).code, 1);
}

#[test]
fn a_fresh_chain_answers() {
    let supply = monomove(&["view", "--function", "0x1::native_coin::supply", "--json"]).json();
    assert_eq!(supply["values"][0]["text"], "0");
    let private = ["view", "--function", "0x1::block::block_prologue"];
    assert_eq!(monomove(&private).code, 3);
    let args = ["address:0xb0b", "u64:5"];
    let mut line = vec!["simulate", "--sender", "0xa11ce", "--function"];
    line.extend([
        "0x1::native_coin::transfer",
        "--gas-price",
        "1",
        "--max-gas",
        "1000",
        "--args",
    ]);
    line.extend(args);
    assert_eq!(monomove(&line).code, 0);
}

#[test]
fn a_chain_may_begin_with_another_library() {
    let directory = scratch("flow-no-std");
    let state = directory.join("chain");
    let state = state.to_str().unwrap();
    let std = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/stdlib/bytecode/v8/std"
    );
    let run = monomove(&["publish", std, "--state", state, "--no-std"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let list = monomove(&["state", "ls", "--state", state, "--kind", "module"]);
    assert!(list.out.contains("0x1::vector"), "{}", list.out);
    assert!(!list.out.contains("0x1::native_coin"), "{}", list.out);
}
