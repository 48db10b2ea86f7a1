//! `monomove state`, and `run` and `block` on a state on disk, from outside.
#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

mod cli_support;

use std::fs;
use std::path::Path;

use cli_support::{monomove, scratch};
use monomove::{AccountAddress, StateKey};
use monomove_types::codec::{write_bytes, write_uleb};

/// A genesis blob with these values and an event.
fn blob(values: &[(StateKey, Vec<u8>)]) -> Vec<u8> {
    let mut blob = vec![1, 0, 0];
    write_uleb(&mut blob, values.len() as u64);
    for (key, value) in values {
        blob.extend(key.encode());
        blob.push(0);
        write_bytes(&mut blob, value);
    }
    // One module event of type `u64`.
    blob.extend([1, 1, 2]);
    write_bytes(&mut blob, &5u64.to_le_bytes());
    blob
}

fn library(group: &str, name: &str) -> Vec<u8> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/stdlib/bytecode/v8");
    fs::read(format!("{root}/{group}/{name}.mv")).unwrap()
}

/// A blob with a module, a resource of it and a table item; where it is, and a directory for a state beside it.
fn genesis(name: &str) -> (String, String) {
    let directory = scratch(name);
    let resource = StateKey::resource(
        AccountAddress::ONE,
        "0x1::timestamp::CurrentTime".parse().unwrap(),
    );
    let values = [
        (
            StateKey::module("0x1::timestamp".parse().unwrap()),
            library("framework", "timestamp"),
        ),
        (resource, 5_000_000u64.to_le_bytes().to_vec()),
        (
            StateKey::table_item(AccountAddress::from_low_byte(7), vec![1, 2]),
            vec![3],
        ),
    ];
    let file = directory.join("genesis.blob");
    fs::write(&file, blob(&values)).unwrap();
    (text(&file), text(&directory.join("chain")))
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_genesis_is_imported_and_shown() {
    let (blob, chain) = genesis("state-import");
    let json = monomove(&[
        "state",
        "import-genesis",
        &blob,
        "--state",
        &chain,
        "--json",
    ])
    .json();
    assert_eq!(json["schema"], "monomove.state/1");
    assert_eq!(json["block"]["version"], 0);
    assert_eq!(json["values"], 3);
    assert_eq!(json["events"], 1);
    let again = monomove(&["state", "import-genesis", &blob, "--state", &chain]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("has block 0 already"), "{}", again.err);

    let key = "0x1/resource/0x1::timestamp::CurrentTime";
    let run = monomove(&["state", "get", key, "--state", &chain]);
    assert!(
        run.out.contains("CurrentTime { microseconds: 5000000 }"),
        "{}",
        run.out
    );
    let json = monomove(&["state", "get", key, "--state", &chain, "--json"]).json();
    assert_eq!(json["bcs"], "0x404b4c0000000000");
    assert_eq!(json["kind"], "resource");
    let module = format!("{chain}.mv");
    let args = [
        "state",
        "get",
        "0x1::timestamp",
        "--state",
        &chain,
        "-o",
        &module,
    ];
    assert_eq!(monomove(&args).code, 0);
    assert_eq!(
        fs::read(&module).unwrap(),
        library("framework", "timestamp")
    );
    for (key, message) in [
        ("0x1::nothing", "there is no 0x1::nothing in version 0"),
        ("x", "expected 0x1::module"),
    ] {
        let run = monomove(&["state", "get", key, "--state", &chain]);
        assert_ne!(run.code, 0);
        assert!(run.err.contains(message), "{}", run.err);
    }

    let json = monomove(&["state", "ls", "--state", &chain, "--json"]).json();
    assert_eq!(json["keys"], 3);
    let run = monomove(&["state", "ls", "0x7", "--state", &chain, "--values"]);
    assert!(run.out.contains("table/0x7/0102"), "{}", run.out);
    assert!(run.out.contains("1 keys, 1 bytes"), "{}", run.out);
    let args = [
        "state", "ls", "--state", &chain, "--kind", "module", "--json",
    ];
    assert_eq!(
        monomove(&args).json()["entries"][0]["key"],
        "0x1::timestamp"
    );
    let run = monomove(&["state", "ls", "--state", &chain, "--limit", "1"]);
    assert!(run.out.contains("first 1 keys"), "{}", run.out);

    // A call on the state, without our own library.
    let args = [
        "run",
        "--state",
        &chain,
        "--function",
        "0x1::timestamp::now_seconds",
        "--json",
    ];
    assert_eq!(monomove(&args).json()["values"][0]["text"], "5");
}

const BLOCK: &str = r#"{
  "schema": "monomove.block/1",
  "genesis": { "accounts": [{ "address": "0xa1", "balance": 1000 }, { "address": "0xa2", "balance": 10 }] },
  "transactions": [
    { "sender": "0xa1", "function": "0x1::native_coin::transfer", "args": ["address:0xa2", "u64:250"] }
  ]
}"#;

const NEXT: &str = r#"{
  "schema": "monomove.block/1",
  "transactions": [
    { "sender": "0xa2", "function": "0x1::native_coin::transfer", "args": ["address:0xa1", "u64:50"] }
  ]
}"#;

#[test]
fn blocks_are_committed_to_a_state() {
    let directory = scratch("state-blocks");
    let (first, next) = (directory.join("first.json"), directory.join("next.json"));
    fs::write(&first, BLOCK).unwrap();
    fs::write(&next, NEXT).unwrap();
    let (first, next, chain) = (text(&first), text(&next), text(&directory.join("chain")));

    assert_eq!(monomove(&["block", &first, "--state", &chain]).code, 1);
    let json = monomove(&["block", &first, "--state", &chain, "--commit", "--json"]).json();
    assert_eq!(json["block"]["version"], 0);
    // Without --commit nothing stays.
    for _ in 0..2 {
        let json = monomove(&["block", &next, "--state", &chain, "--json"]).json();
        assert_eq!(json["summary"]["returned"], 1);
        assert!(json["block"].is_null());
    }
    let run = monomove(&["block", &next, "--state", &chain, "--commit"]);
    assert!(
        run.out
            .contains("Balance { value: 260 } → Balance { value: 210 }"),
        "{}",
        run.out
    );
    assert!(run.out.contains("block 1, hash "), "{}", run.out);
    let run = monomove(&["state", "diff", "--state", &chain]);
    assert!(
        run.out
            .contains("Balance { value: 750 } → Balance { value: 800 }"),
        "{}",
        run.out
    );
    assert!(
        run.out.contains("0 created, 2 modified, 0 deleted"),
        "{}",
        run.out
    );
    let json = monomove(&[
        "state", "diff", "--state", &chain, "--from", "1", "--to", "0", "--json",
    ])
    .json();
    assert_eq!(json["modified"], 2);
    let json = monomove(&["state", "info", "--state", &chain, "--verify", "--json"]).json();
    assert_eq!(
        (&json["oldest"], &json["latest"]["version"]),
        (&0.into(), &1.into())
    );
    assert_eq!(json["verified"], true);
    let json = monomove(&["state", "prune", "--state", &chain, "--keep", "1", "--json"]).json();
    assert_eq!(
        (&json["oldest"], &json["removed_entries"]),
        (&1.into(), &2.into())
    );
    let run = monomove(&["state", "diff", "--state", &chain]);
    assert_eq!(run.code, 1);
    assert!(
        run.err
            .contains("version 0 is not in the store, which has versions 1 to 1"),
        "{}",
        run.err
    );
    // A failing call commits nothing.
    let args = [
        "run",
        "--state",
        &chain,
        "--commit",
        "--signers",
        "0xa1",
        "--function",
        "0x1::native_coin::transfer",
        "--args",
        "address:0xa2",
        "u64:100000",
    ];
    assert_eq!(monomove(&args).code, 3);
    let json = monomove(&["state", "info", "--state", &chain, "--json"]).json();
    assert_eq!(json["latest"]["version"], 1);
}

#[test]
fn bad_stores_are_named() {
    let directory = scratch("state-bad");
    let chain = text(&directory);
    for (contents, message) in [
        (None, "there is no state here"),
        (Some(&b"hello"[..]), "not a state of monomove"),
    ] {
        if let Some(contents) = contents {
            fs::write(directory.join("state.redb"), contents).unwrap();
        }
        for command in ["info", "ls"] {
            let run = monomove(&["state", command, "--state", &chain]);
            assert_eq!(run.code, 1);
            assert!(run.err.contains(message), "{}", run.err);
        }
    }
    let file = directory.join("bad.blob");
    fs::write(&file, [1, 0, 0, 9]).unwrap();
    let fresh = text(&directory.join("fresh"));
    let run = monomove(&["state", "import-genesis", &text(&file), "--state", &fresh]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("expected a genesis blob"), "{}", run.err);
    assert_eq!(
        monomove(&["run", "--commit", "--function", "0x1::m::f"]).code,
        1
    );
}
