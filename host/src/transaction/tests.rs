//! Known transactions, round trips, mutations, and what a check refuses.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a panic is the report"
)]

use super::*;
use ed25519_dalek::{Signer as _, SigningKey};
use monomove_core::Failure;
use monomove_types::{AccountAddress, StatusCode, TypeTag};
use proptest::prelude::*;

/// The key of the known transactions.
const SENDER_KEY: &str = "9bf49a6a0755f953811fce125f2683d50429c3bb49e074147e0089a52eae155f";
/// The key of the further signer.
const OTHER_KEY: &str = "0564f879d27ae3c02ce82834acfa8c793a629f2ca0de6919610be82f411326be";

fn key(hex: &str) -> SigningKey {
    SigningKey::from_bytes(&hex::decode(hex).unwrap().try_into().unwrap())
}

fn sign(key: &SigningKey, message: &[u8]) -> AccountAuthenticator {
    AccountAuthenticator {
        public_key: key.verifying_key().to_bytes(),
        signature: key.sign(message).to_bytes(),
    }
}

fn address(hex: &str) -> AccountAddress {
    AccountAddress::from_hex_literal(hex).unwrap()
}

/// `0x1222::aptos_coin::transfer(0xdd, 1)` from `0xa550c18`.
fn transfer() -> RawTransaction {
    RawTransaction {
        sender: address("0xa550c18"),
        sequence_number: 0,
        payload: Payload::EntryFunction(EntryFunction {
            module: "0x1222::aptos_coin".parse().unwrap(),
            function: "transfer".parse().unwrap(),
            type_args: vec![],
            args: vec![address("0xdd").0.to_vec(), 1u64.to_le_bytes().to_vec()],
        }),
        max_gas_amount: 2000,
        gas_unit_price: 0,
        expiration_timestamp_secs: u64::MAX,
        chain_id: 4,
    }
}

fn signed(raw: RawTransaction) -> SignedTransaction {
    let authenticator = sign(&key(SENDER_KEY), &raw.signing_message());
    SignedTransaction {
        raw,
        authenticator: Authenticator::Ed25519(authenticator),
    }
}

/// Test data of the public client libraries of Aptos: keys, bytes and signatures go together.
#[test]
fn a_known_transaction() {
    let raw = "000000000000000000000000000000000000000000000000000000000a550c18000000000000000002\
        00000000000000000000000000000000000000000000000000000000000012220a6170746f735f636f696e\
        087472616e7366657200022000000000000000000000000000000000000000000000000000000000000000\
        dd080100000000000000d0070000000000000000000000000000ffffffffffffffff04";
    let signature = "9c570996380897f38b8d7008d726fb45d6ded0689216e56b73f523492cba92deb6671c27e9a44d2a6fdfdb497420d00c\
        621297a23d6d0298895e0d58cff6060c";
    let public_key = "b9c6ee1630ef3e711144a648db06bbb2284f7274cfbee53ffcee503cc1a49200";
    let prefix = "b5e97db07fa0bd0e5598aa3643a9bc6f6693bddc1a9fec9e674a461eaa00b193";
    let transaction = signed(transfer());
    assert_eq!(hex::encode(transaction.raw.encode()), raw);
    assert_eq!(
        hex::encode(transaction.raw.signing_message()),
        format!("{prefix}{raw}")
    );
    let bytes = transaction.encode();
    assert_eq!(
        hex::encode(&bytes),
        format!("{raw}0020{public_key}40{signature}")
    );
    assert_eq!(SignedTransaction::decode(&bytes).as_ref(), Ok(&transaction));
    assert_eq!(
        RawTransaction::decode(&transaction.raw.encode()).as_ref(),
        Ok(&transaction.raw)
    );
    let checked = transaction.check(&TransactionRules::default()).unwrap();
    assert_eq!(checked.hash, transaction.hash());
    let call = checked.call().unwrap();
    assert_eq!(call.signers, [address("0xa550c18")]);
    assert_eq!((call.args.len(), call.gas_limit), (2, 2_000_000_000));
}

/// The same, with a further signer. The address of an account is its first authentication key, which thereby is known too.
#[test]
fn a_known_transaction_of_two_signers() {
    let raw = "7deeccb1080854f499ec8b4c1b213b82c5e34b925cf6875fec02d4b77adbd2d60b00000000000000020000000000000000000000000000000000\
        00000000000000000000000000000305746f6b656e166469726563745f7472616e736665725f7363726970740004202d133ddd281bb6205558357cc6ac\
        75661817e9aaeac3afebc32842759cbf7fa9100f636f6c6c656374696f6e5f6e616d650b0a746f6b656e5f6e616d65080100000000000000d007000000\
        0000000100000000000000d20296490000000004";
    let authenticator = "020020b9c6ee1630ef3e711144a648db06bbb2284f7274cfbee53ffcee503cc1a4920040343e7b10aa323c480391a5d7cd2d0c\
        f708d51529b96b5a2be08cbb365e4f11dcc2cf0655766cf70d40853b9c395b62dad7a9f58ed998803d8bf1901ba7a7a401012d133ddd281bb6205558357\
        cc6ac75661817e9aaeac3afebc32842759cbf7fa9010020aef3f4a4b8eca1dfc343361bf8e436bd42de9259c04b8314eb8e2054dd6e82ab408a7f06e404\
        ae8d9535b0cbbeafb7c9e34e95fe1425e4529758150a4f7ce7a683354148ad5c313ec36549e3fb29e669d90010f97467c9074ff0aec3ed87f76608";
    let bytes = hex::decode(format!("{raw}{authenticator}")).unwrap();
    let transaction = SignedTransaction::decode(&bytes).unwrap();
    assert_eq!(transaction.encode(), bytes);
    let checked = transaction.check(&TransactionRules::default()).unwrap();
    let signers: Vec<_> = checked.signers().collect();
    assert_eq!(signers.len(), 2);
    for signer in &signers {
        assert_eq!(signer.address.0, signer.authentication_key);
    }
    assert_eq!(
        hex::encode(signers[1].address.0),
        "2d133ddd281bb6205558357cc6ac75661817e9aaeac3afebc32842759cbf7fa9"
    );
    // Signed anew, the same bytes: the message is the right one.
    let others = [signers[1].address];
    let message = transaction.raw.signing_message_with(&others, None);
    let again = SignedTransaction {
        raw: transaction.raw.clone(),
        authenticator: Authenticator::MultiAgent {
            sender: sign(&key(SENDER_KEY), &message),
            secondary_addresses: others.to_vec(),
            secondary: vec![sign(&key(OTHER_KEY), &message)],
        },
    };
    assert_eq!(again, transaction);
}

#[test]
fn somebody_else_pays() {
    let raw = transfer();
    let (payer, other) = (address("0xfee"), address("0xb0b"));
    let message = raw.signing_message_with(&[other], Some(payer));
    let open = raw.signing_message_with(&[other], Some(AccountAddress::ZERO));
    let payer_key = SigningKey::from_bytes(&[7; 32]);
    let make = |sender_message: &[u8], payer_message: &[u8]| SignedTransaction {
        raw: raw.clone(),
        authenticator: Authenticator::FeePayer {
            sender: sign(&key(SENDER_KEY), sender_message),
            secondary_addresses: vec![other],
            secondary: vec![sign(&key(OTHER_KEY), &message)],
            fee_payer: payer,
            fee_payer_authenticator: sign(&payer_key, payer_message),
        },
    };
    let rules = TransactionRules::default();
    for sender_message in [&message, &open] {
        let transaction = make(sender_message, &message);
        let bytes = transaction.encode();
        assert_eq!(SignedTransaction::decode(&bytes).as_ref(), Ok(&transaction));
        let checked = transaction.check(&rules).unwrap();
        assert_eq!(checked.fee_payer.unwrap().address, payer);
    }
    for (sender_message, payer_message) in [(&message, &open), (&raw.signing_message(), &message)] {
        let failure = make(sender_message, payer_message)
            .check(&rules)
            .unwrap_err();
        assert_eq!(failure.status, StatusCode::INVALID_SIGNATURE);
    }
}

fn status(result: Result<Transaction, Failure>) -> StatusCode {
    result.unwrap_err().status
}

#[test]
fn what_is_discarded() {
    let rules = TransactionRules::default();
    let with = |change: &dyn Fn(&mut RawTransaction)| {
        let mut raw = transfer();
        change(&mut raw);
        status(signed(raw).check(&rules))
    };
    let entry = |raw: &RawTransaction| match &raw.payload {
        Payload::EntryFunction(function) => function.clone(),
        _ => unreachable!(),
    };
    use StatusCode::*;
    assert_eq!(with(&|raw| raw.chain_id = 1), BAD_CHAIN_ID);
    assert_eq!(
        with(&|raw| raw.max_gas_amount = u64::MAX),
        MAX_GAS_UNITS_EXCEEDS_MAX_GAS_UNITS_BOUND
    );
    assert_eq!(
        with(&|raw| raw.gas_unit_price = u64::MAX),
        GAS_UNIT_PRICE_ABOVE_MAX_BOUND
    );
    assert_eq!(
        with(&|raw| {
            raw.payload = Payload::V1 {
                executable: Executable::Empty,
                multisig_address: None,
                nonce: Some(1),
            }
        }),
        EMPTY_PAYLOAD_PROVIDED
    );
    for multisig in [
        Payload::Multisig {
            address: AccountAddress::ONE,
            function: None,
        },
        Payload::V1 {
            executable: Executable::EntryFunction(entry(&transfer())),
            multisig_address: Some(AccountAddress::ONE),
            nonce: None,
        },
    ] {
        assert_eq!(
            with(&|raw| raw.payload = multisig.clone()),
            FEATURE_UNDER_GATING
        );
    }
    assert_eq!(
        with(&|raw| {
            let mut function = entry(raw);
            function.args.push(vec![0; 70_000]);
            raw.payload = Payload::EntryFunction(function);
        }),
        EXCEEDED_MAX_TRANSACTION_SIZE
    );
    // A nonce takes the place of the sequence number.
    let mut raw = transfer();
    raw.payload = Payload::V1 {
        executable: Executable::EntryFunction(entry(&raw)),
        multisig_address: None,
        nonce: Some(77),
    };
    assert_eq!(
        signed(raw).check(&rules).unwrap().replay,
        ReplayProtection::Nonce(77)
    );
    // Another key, another message, a signature of another kind.
    let transaction = signed(transfer());
    let mut forged = transaction.clone();
    forged.raw.sender = AccountAddress::ONE;
    assert_eq!(status(forged.check(&rules)), INVALID_SIGNATURE);
    let bytes = transaction.raw.encode();
    for kind in [1u8, 4, 5, 99] {
        let bytes = [&bytes[..], &[kind, 1, 2, 3]].concat();
        let transaction = SignedTransaction::decode(&bytes).unwrap();
        assert_eq!(transaction.encode(), bytes);
        assert_eq!(status(transaction.check(&rules)), FEATURE_UNDER_GATING);
    }
    // A further signer with a key of another kind: its end cannot be known.
    let message = transaction.raw.signing_message_with(&[], None);
    let one = sign(&key(SENDER_KEY), &message);
    let mut mixed = [
        &bytes[..],
        &[2, 0, 32],
        &one.public_key,
        &[64],
        &one.signature,
    ]
    .concat();
    mixed.extend([1; 33]);
    mixed.extend([1, 2, 9, 9, 9]);
    let transaction = SignedTransaction::decode(&mixed).unwrap();
    assert!(matches!(
        transaction.authenticator,
        Authenticator::Unsupported { .. }
    ));
    // Two signatures of one account, and too few.
    let multi = |addresses: Vec<AccountAddress>, count: usize| {
        let raw = transfer();
        let message = raw.signing_message_with(&addresses, None);
        let one = sign(&key(SENDER_KEY), &message);
        let transaction = SignedTransaction {
            raw,
            authenticator: Authenticator::MultiAgent {
                sender: one.clone(),
                secondary_addresses: addresses,
                secondary: vec![one; count],
            },
        };
        status(transaction.check(&rules))
    };
    assert_eq!(
        multi(vec![address("0xa550c18")], 1),
        SIGNERS_CONTAIN_DUPLICATES
    );
    assert_eq!(
        multi(vec![address("0x1")], 0),
        SECONDARY_KEYS_ADDRESSES_COUNT_MISMATCH
    );
    // Payloads that do not decode.
    for (tag, what) in [(1u8, "module bundles"), (5, "encrypted payloads")] {
        let mut bytes = signed(transfer()).encode();
        bytes[40] = tag;
        let error = SignedTransaction::decode(&bytes).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::Unsupported(what));
        assert_eq!(error.offset, 40);
        assert_eq!(
            status(Transaction::from_bytes(&bytes, &rules)),
            FEATURE_UNDER_GATING
        );
    }
    assert_eq!(
        status(Transaction::from_bytes(&[1, 2, 3], &rules)),
        VALUE_DESERIALIZATION_ERROR
    );
    assert_eq!(
        status(Transaction::from_bytes(&vec![0; 70_000], &rules)),
        EXCEEDED_MAX_TRANSACTION_SIZE
    );
}

/// Keys and points of small order verify anything under lax rules; here they do not.
#[test]
fn weak_keys_are_refused() {
    let mut transaction = signed(transfer());
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    transaction.authenticator = Authenticator::Ed25519(AccountAuthenticator {
        public_key: identity,
        signature,
    });
    assert_eq!(
        status(transaction.check(&TransactionRules::default())),
        StatusCode::INVALID_SIGNATURE
    );
}

fn tag() -> impl Strategy<Value = TypeTag> {
    prop::sample::select(vec![
        "u8",
        "vector<vector<bool>>",
        "0x1::a::B<u64, vector<0x2::c::D>>",
        "|u8|(u64) has copy",
        "i256",
    ])
    .prop_map(|text| text.parse().unwrap())
}

fn any_address() -> impl Strategy<Value = AccountAddress> {
    any::<[u8; 32]>().prop_map(AccountAddress)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

fn script_argument() -> impl Strategy<Value = ScriptArgument> {
    prop_oneof![
        any::<u8>().prop_map(ScriptArgument::U8),
        any::<u64>().prop_map(ScriptArgument::U64),
        any::<u128>().prop_map(ScriptArgument::U128),
        any_address().prop_map(ScriptArgument::Address),
        bytes().prop_map(ScriptArgument::U8Vector),
        any::<bool>().prop_map(ScriptArgument::Bool),
        any::<u16>().prop_map(ScriptArgument::U16),
        any::<u32>().prop_map(ScriptArgument::U32),
        any::<[u8; 32]>().prop_map(ScriptArgument::U256),
        bytes().prop_map(ScriptArgument::Serialized),
        any::<i8>().prop_map(ScriptArgument::I8),
        any::<i16>().prop_map(ScriptArgument::I16),
        any::<i32>().prop_map(ScriptArgument::I32),
        any::<i64>().prop_map(ScriptArgument::I64),
        any::<i128>().prop_map(ScriptArgument::I128),
        any::<[u8; 32]>().prop_map(ScriptArgument::I256),
    ]
}

fn entry_function() -> impl Strategy<Value = EntryFunction> {
    let parts = (
        any_address(),
        prop::collection::vec(tag(), 0..3),
        prop::collection::vec(bytes(), 0..4),
    );
    parts.prop_map(|(address, type_args, args)| EntryFunction {
        module: monomove_types::ModuleId::new(address, "m".parse().unwrap()),
        function: "some_function".parse().unwrap(),
        type_args,
        args,
    })
}

fn script() -> impl Strategy<Value = Script> {
    let parts = (
        bytes(),
        prop::collection::vec(tag(), 0..3),
        prop::collection::vec(script_argument(), 0..6),
    );
    parts.prop_map(|(code, type_args, args)| Script {
        code,
        type_args,
        args,
    })
}

fn payload() -> impl Strategy<Value = Payload> {
    let executable = prop_oneof![
        script().prop_map(Executable::Script),
        entry_function().prop_map(Executable::EntryFunction),
        Just(Executable::Empty),
    ];
    let v1 = (
        executable,
        prop::option::of(any_address()),
        prop::option::of(any::<u64>()),
    );
    prop_oneof![
        script().prop_map(Payload::Script),
        entry_function().prop_map(Payload::EntryFunction),
        (any_address(), prop::option::of(entry_function()))
            .prop_map(|(address, function)| Payload::Multisig { address, function }),
        v1.prop_map(|(executable, multisig_address, nonce)| Payload::V1 {
            executable,
            multisig_address,
            nonce
        }),
    ]
}

fn one() -> impl Strategy<Value = AccountAuthenticator> {
    (any::<[u8; 32]>(), any::<[u8; 64]>()).prop_map(|(public_key, signature)| {
        AccountAuthenticator {
            public_key,
            signature,
        }
    })
}

fn authenticator() -> impl Strategy<Value = Authenticator> {
    let agents = || {
        (
            one(),
            prop::collection::vec(any_address(), 0..3),
            prop::collection::vec(one(), 0..3),
        )
    };
    prop_oneof![
        one().prop_map(Authenticator::Ed25519),
        agents().prop_map(|(sender, secondary_addresses, secondary)| {
            Authenticator::MultiAgent {
                sender,
                secondary_addresses,
                secondary,
            }
        }),
        (agents(), any_address(), one()).prop_map(
            |((sender, secondary_addresses, secondary), fee_payer, fee_payer_authenticator)| {
                Authenticator::FeePayer {
                    sender,
                    secondary_addresses,
                    secondary,
                    fee_payer,
                    fee_payer_authenticator,
                }
            }
        ),
        bytes().prop_map(|bytes| Authenticator::Unsupported {
            bytes: [&[4][..], &bytes].concat()
        }),
    ]
}

fn transaction() -> impl Strategy<Value = SignedTransaction> {
    let numbers = any::<[u64; 4]>();
    let parts = (
        any_address(),
        numbers,
        payload(),
        any::<u8>(),
        authenticator(),
    );
    parts.prop_map(
        |(sender, numbers, payload, chain_id, authenticator)| SignedTransaction {
            raw: RawTransaction {
                sender,
                sequence_number: numbers[0],
                payload,
                max_gas_amount: numbers[1],
                gas_unit_price: numbers[2],
                expiration_timestamp_secs: numbers[3],
                chain_id,
            },
            authenticator,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn bytes_and_json_read_back(transaction in transaction()) {
        let bytes = transaction.encode();
        prop_assert_eq!(SignedTransaction::decode(&bytes), Ok(transaction.clone()));
        let raw = transaction.raw.encode();
        prop_assert_eq!(RawTransaction::decode(&raw), Ok(transaction.raw.clone()));
        let text = serde_json::to_string(&transaction).unwrap();
        prop_assert_eq!(serde_json::from_str::<SignedTransaction>(&text).unwrap(), transaction.clone());
        // Random signatures are none.
        let rules = TransactionRules { chain_id: transaction.raw.chain_id, ..Default::default() };
        let result = transaction.check(&rules);
        prop_assert!(result.is_err());
        // Cut short, it is an error, unless the authenticator is one that has no end.
        let unsupported = matches!(transaction.authenticator, Authenticator::Unsupported { .. });
        let first = if unsupported { raw.len() } else { bytes.len() };
        for len in 0..first {
            prop_assert!(SignedTransaction::decode(&bytes[..len]).is_err());
        }
    }

    #[test]
    fn mutations_end_with_an_error_or_read_back(
        transaction in transaction(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = transaction.encode();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        match SignedTransaction::decode(&bytes) {
            Ok(read) => prop_assert_eq!(&read.encode(), &bytes),
            Err(error) => prop_assert!(error.offset <= bytes.len()),
        }
        let _ = Transaction::from_bytes(&bytes, &TransactionRules::default());
    }

    #[test]
    fn any_bytes_end_with_an_error_or_read_back(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(read) = SignedTransaction::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }
}
