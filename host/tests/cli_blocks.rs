//! `monomove block`, the built-in example and the bench from outside.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

mod cli_support;

use cli_support::{monomove, scratch};

const BLOCK: &str = r#"{
  "schema": "monomove.block/1",
  "modules": ["bank.mv"],
  "genesis": {
    "accounts": [{ "address": "0xa1", "balance": 1000 }],
    "calls": [{ "sender": "0xcafe", "function": "0xcafe::bank::open_bank" }]
  },
  "transactions": [
    { "sender": "0xa1", "function": "0xcafe::bank::open_account" },
    { "sender": "0xa1", "function": "0xcafe::bank::deposit", "args": ["u64:250"] },
    { "sender": "0xa1", "function": "0xcafe::bank::transfer_and_fail", "args": ["address:0xa1", "u64:1"] },
    { "sender": "0xa1", "function": "0xcafe::bank::withdraw", "args": ["u64:1"], "gas_limit": 1000 },
    { "sender": "0xa1", "function": "0xcafe::bank::balance", "args": ["address:0xa1"] }
  ]
}"#;

fn block_file(name: &str, text: &str) -> String {
    let directory = scratch(name);
    let bank = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/stdlib/bytecode/v8/examples/bank.mv"
    );
    std::fs::copy(bank, directory.join("bank.mv")).unwrap();
    let file = directory.join("block.json");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_block_as_json() {
    let json = monomove(&["block", &block_file("block-json", BLOCK), "--json"]).json();
    assert_eq!(json["schema"], "monomove.block-output/1");
    let transactions = json["transactions"].as_array().unwrap();
    assert_eq!(transactions.len(), 5);
    assert_eq!(transactions[0]["returned"], true);
    let balance = transactions[1]["changes"].as_array().unwrap().iter();
    let balance = balance
        .clone()
        .find(|change| change["key"] == "0xa1 0x1::native_coin::Balance")
        .unwrap();
    assert_eq!(balance["before"]["text"], "Balance { value: 1000 }");
    assert_eq!(balance["after"]["text"], "Balance { value: 750 }");
    assert_eq!(transactions[2]["failure"]["sub_status"], 0xb0007);
    assert_eq!(transactions[2]["changes"].as_array().unwrap().len(), 0);
    assert_eq!(transactions[3]["failure"]["status"], "OUT_OF_GAS");
    // Not an entry function.
    assert_eq!(transactions[4]["returned"], false);
    assert_eq!(json["summary"]["returned"], 2);
    assert_eq!(json["summary"]["failed"], 3);
}

#[test]
fn a_block_as_table() {
    let run = monomove(&["block", &block_file("block-table", BLOCK)]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.out
            .contains("Balance { value: 1000 } → Balance { value: 750 }"),
        "{}",
        run.out
    );
    assert!(run.out.contains("0xcafe::bank::Deposited"), "{}", run.out);
    assert!(
        run.out
            .contains("5 transactions: 2 returned, 3 failed, 0 sandbox faults"),
        "{}",
        run.out
    );
}

#[test]
fn the_gas_limit_is_one_of_the_block() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/blocks/bank.json");
    let json = monomove(&["block", file, "--json"]).json();
    assert_eq!(json["summary"]["returned"], 4);
    let json = monomove(&["block", file, "--json", "--gas-limit", "1000"]).json();
    assert_eq!(json["limits"]["gas_per_transaction"], 1000);
    for transaction in json["transactions"].as_array().unwrap() {
        assert_eq!(transaction["failure"]["status"], "OUT_OF_GAS");
    }
}

#[test]
fn workers_change_nothing_but_the_time() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/blocks/bank.json");
    let run = |workers: &str| monomove(&["block", file, "--json", "--workers", workers]).json();
    let (one, four) = (run("0"), run("4"));
    assert_eq!(one["transactions"], four["transactions"]);
    assert_eq!(one["output_hash"], four["output_hash"]);
    assert_eq!(four["metrics"]["committed"], 4);
    let metrics = scratch("block-metrics").join("metrics.prom");
    let run = monomove(&[
        "block",
        file,
        "--workers",
        "2",
        "--metrics",
        metrics.to_str().unwrap(),
    ]);
    assert!(run.out.contains("2 workers: "), "{}", run.out);
    let text = std::fs::read_to_string(metrics).unwrap();
    assert!(
        text.contains("monomove_transactions_committed_total 4"),
        "{text}"
    );
    let run = monomove(&["block", file, "--workers", "2", "--block-gas", "1"]);
    assert_eq!(run.code, 4);
    assert!(
        run.out.contains("cut off before transaction 2: block gas"),
        "{}",
        run.out
    );
    let json = monomove(&["block", file, "--json", "--block-memory", "0"]).json_of_code(4);
    assert_eq!(json["cut_off"]["at"], 0);
    assert_eq!(json["transactions"].as_array().unwrap().len(), 0);
}

#[test]
fn bad_blocks_name_the_place() {
    for (change, place) in [
        (("monomove.block/1", "monomove.block/9"), "schema"),
        (("u64:250", "u64:x"), "transactions[1].args"),
        (("bank::withdraw", "bank"), "transactions[3].function"),
        (("\"gas_limit\"", "\"gas\""), "unknown field"),
        (("bank.mv", "nothing.mv"), "nothing.mv"),
        (("\"transactions\": [", "\"transactions\": "), "line "),
    ] {
        let file = block_file("bad-block", &BLOCK.replace(change.0, change.1));
        let run = monomove(&["block", &file]);
        assert_eq!(run.code, 1, "{place}");
        assert!(run.err.contains(place), "{place}: {}", run.err);
    }
    let file = block_file(
        "bad-genesis",
        &BLOCK.replace("bank::open_bank", "bank::open_account"),
    );
    assert_eq!(monomove(&["block", &file]).code, 3);
}

#[test]
fn the_built_in_example() {
    let run = monomove(&[]);
    assert_eq!(run.code, 0, "{}", run.err);
    for text in [
        "0xcafe::bank::transfer_and_fail(address:0xb0b, u64:1000)",
        "Balance { value: 100000 } → Balance { value: 97500 }",
        "aborted with 65542 (0x10006) in 0xcafe::bank",
        "OUT_OF_GAS",
        "22 transactions: 17 returned, 5 failed, 0 sandbox faults",
        "transactions/s",
    ] {
        assert!(run.out.contains(text), "{text}\n{}", run.out);
    }
}

#[test]
fn the_bench_prints_a_table() {
    let run = monomove(&["bench", "--filter", "hanoi", "--rounds", "1"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let last = run.out.lines().last().unwrap();
    assert!(
        last.starts_with("geometric mean ") && last.ends_with("x over 1 kernels"),
        "{last}"
    );
    let json = monomove(&["bench", "--filter", "hanoi", "--rounds", "1", "--json"]).json();
    assert_eq!(json["schema"], "monomove.bench/1");
    assert_eq!(json["kernels"][0]["kernel"], "hanoi");
    assert!(json["kernels"][0]["ratio"].as_f64().unwrap() > 0.0);
}
