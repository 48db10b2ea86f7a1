//! Signed transactions from the command line: lists in BCS, and as entries of a block file.
#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

mod cli_support;

use cli_support::{monomove, scratch};
use ed25519_dalek::{Signer as _, SigningKey};
use monomove::{
    AccountAddress, AccountAuthenticator, Authenticator, EntryFunction, Payload, RawTransaction,
    SignedTransaction,
};
use std::path::PathBuf;

/// The account of a key, and the transfer of `amount` from it to `0xb0b`.
struct Sender(SigningKey);

impl Sender {
    fn address(&self) -> AccountAddress {
        AccountAddress(self.sign(&[]).authentication_key())
    }

    fn sign(&self, message: &[u8]) -> AccountAuthenticator {
        AccountAuthenticator {
            public_key: self.0.verifying_key().to_bytes(),
            signature: self.0.sign(message).to_bytes(),
        }
    }

    fn transfer(&self, sequence_number: u64, amount: u64) -> SignedTransaction {
        let to: AccountAddress = "0xb0b".parse().unwrap();
        let raw = RawTransaction {
            sender: self.address(),
            sequence_number,
            payload: Payload::EntryFunction(EntryFunction {
                module: "0x1::native_coin".parse().unwrap(),
                function: "transfer".parse().unwrap(),
                type_args: vec![],
                args: vec![to.0.to_vec(), amount.to_le_bytes().to_vec()],
            }),
            max_gas_amount: 100_000,
            gas_unit_price: 1,
            expiration_timestamp_secs: 1_900_000_000,
            chain_id: 7,
        };
        SignedTransaction {
            authenticator: Authenticator::Ed25519(self.sign(&raw.signing_message())),
            raw,
        }
    }
}

/// A sender, and a directory with a genesis in which it has money.
fn chain(name: &str) -> (Sender, PathBuf) {
    let sender = Sender(SigningKey::from_bytes(&[42; 32]));
    let directory = scratch(name);
    let genesis = serde_json::json!({
        "chain_id": 7,
        "accounts": [
            { "address": sender.address(), "balance": 1_000_000_000 },
            { "address": "0xb0b", "balance": 0 },
        ],
    });
    std::fs::write(directory.join("genesis.json"), genesis.to_string()).unwrap();
    (sender, directory)
}

/// What the transactions of a block ended as.
fn endings(json: &serde_json::Value) -> Vec<String> {
    let transactions = json["transactions"].as_array().unwrap().iter();
    transactions
        .map(|each| match each["failure"]["status"].as_str() {
            None => each["status"].as_str().unwrap().to_owned(),
            Some(failure) => format!("{} {failure}", each["status"].as_str().unwrap()),
        })
        .collect()
}

#[test]
fn a_list_in_bcs() {
    let (sender, directory) = chain("signed-bcs");
    let mut forged = sender.transfer(1, 7);
    forged.raw.max_gas_amount += 1;
    let list = [
        sender.transfer(0, 5),
        forged,
        sender.transfer(1, 6),
        sender.transfer(1, 6),
    ];
    let file = directory.join("block.bcs");
    std::fs::write(&file, SignedTransaction::encode_list(&list)).unwrap();
    let (file, genesis) = (file.to_str().unwrap(), directory.join("genesis.json"));
    let genesis = genesis.to_str().unwrap();
    let json = monomove(&["block", file, "--genesis", genesis, "--json"]).json();
    assert_eq!(
        endings(&json),
        [
            "kept",
            "discarded INVALID_SIGNATURE",
            "kept",
            "discarded SEQUENCE_NUMBER_TOO_OLD"
        ]
    );
    let first = &json["transactions"][0];
    assert_eq!(first["function"], "0x1::native_coin::transfer");
    assert_eq!(first["signers"][0], sender.address().to_string());

    // Cut short: nothing runs, and the byte is named.
    let bytes = std::fs::read(file).unwrap();
    std::fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
    let run = monomove(&["block", file, "--genesis", genesis]);
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(run.err.contains("at byte"), "{}", run.err);
}

#[test]
fn entries_of_a_block_file() {
    let (sender, directory) = chain("signed-entries");
    let mut unknown = sender.transfer(2, 1);
    unknown.raw.chain_id = 8;
    let block = serde_json::json!({
        "schema": "monomove.block/1",
        "transactions": [
            { "signed": format!("0x{}", hex::encode(sender.transfer(0, 5).encode())) },
            { "signed": sender.transfer(1, 6) },
            { "signed": unknown },
            { "signed": "0x00" },
        ],
    });
    let file = directory.join("block.json");
    std::fs::write(&file, block.to_string()).unwrap();
    let genesis = directory.join("genesis.json");
    let args = [
        "block",
        file.to_str().unwrap(),
        "--genesis",
        genesis.to_str().unwrap(),
    ];
    let json = monomove(&[&args[..], &["--json"]].concat()).json();
    assert_eq!(
        endings(&json),
        [
            "kept",
            "kept",
            "discarded BAD_CHAIN_ID",
            "discarded VALUE_DESERIALIZATION_ERROR"
        ]
    );
    let table = monomove(&args);
    assert!(
        table.out.contains("0x1::native_coin::transfer"),
        "{}",
        table.out
    );
}

#[test]
fn a_chain_begins_once() {
    let (_, directory) = chain("signed-genesis");
    let file = directory.join("block.json");
    let text = r#"{ "schema": "monomove.block/1", "genesis": {}, "transactions": [] }"#;
    std::fs::write(&file, text).unwrap();
    let genesis = directory.join("genesis.json");
    let run = monomove(&[
        "block",
        file.to_str().unwrap(),
        "--genesis",
        genesis.to_str().unwrap(),
    ]);
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(run.err.contains("genesis of its own"), "{}", run.err);

    let blob = directory.join("broken.blob");
    std::fs::write(&blob, [1, 2, 3]).unwrap();
    let run = monomove(&[
        "block",
        file.to_str().unwrap(),
        "--genesis",
        blob.to_str().unwrap(),
    ]);
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(run.err.contains("expected a genesis blob"), "{}", run.err);
}
