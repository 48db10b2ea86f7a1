//! What transactions pay: dependencies, access to the state, storage; the same whatever is cached.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{entry_function, transaction};
use monomove::{
    AccountAddress, Backend, CallOutput, Engine, EngineConfig, Genesis, MemoryState, Outcome,
    Sandbox, StateCommit, StateKey, StatusCode, TransactionOutcome, UserTransaction, stdlib,
};

const PLAYGROUND: &[u8] = include_bytes!("../../tests/stdlib/bytecode/v8/examples/playground.mv");
const PRICE: u64 = 100;
const MAX_GAS: u64 = 1_000_000;
/// On the platform, per slot and byte.
const SLOT_FEE: u64 = 400_000;
const BYTE_FEE: u64 = 400;

fn engine(backend: Backend, schedule: &[(&str, u64)]) -> Engine {
    let entry = |(key, value): &(&str, u64)| ((*key).to_owned(), *value);
    Engine::with_config(EngineConfig {
        backend,
        gas_schedule: schedule.iter().map(entry).collect(),
        ..EngineConfig::default()
    })
    .unwrap()
}

fn with_storage_fees(backend: Backend) -> Engine {
    engine(
        backend,
        &[
            ("txn.storage_fee_per_state_slot", SLOT_FEE),
            ("txn.storage_fee_per_state_byte", BYTE_FEE),
        ],
    )
}

/// A chain with two rich accounts and the example packages.
fn chain(engine: &Engine) -> MemoryState {
    let accounts = [alice(), owner()].map(|a| (a, 1_000_000_000_000));
    let genesis = Genesis {
        accounts: accounts.into(),
        ..Genesis::default()
    };
    let mut state = genesis.state(engine).unwrap();
    for bytes in [stdlib::BANK.1, PLAYGROUND] {
        state.insert_module(bytes).unwrap();
    }
    state
}

fn alice() -> AccountAddress {
    "0xa11ce".parse().unwrap()
}

fn owner() -> AccountAddress {
    "0xcafe".parse().unwrap()
}

fn send(
    sender: AccountAddress,
    sequence_number: u64,
    function: &str,
    args: &[&[u8]],
) -> UserTransaction {
    let args = args.iter().map(|arg| arg.to_vec()).collect();
    UserTransaction {
        max_gas: MAX_GAS,
        gas_price: PRICE,
        ..transaction(sender, sequence_number, entry_function(function, args))
    }
    .sealed()
}

fn kept(outcome: TransactionOutcome) -> CallOutput {
    match outcome {
        TransactionOutcome::Kept(output) => output,
        other => panic!("{other:?}"),
    }
}

fn balance(state: &MemoryState, account: AccountAddress) -> u64 {
    let tag = "0x1::native_coin::Balance".parse().unwrap();
    let key = StateKey::resource(account, tag);
    let (_, bytes) = state.iter().find(|(k, _)| **k == key).unwrap();
    u64::from_le_bytes(bytes[..8].try_into().unwrap())
}

#[test]
fn storage_is_paid_for_and_given_back() {
    for backend in [Backend::Native, Backend::Wasm] {
        let engine = with_storage_fees(backend);
        let mut state = chain(&engine);
        let mut sandbox = Sandbox::new(&engine);
        let value = 7u64.to_le_bytes();
        let create = send(alice(), 0, "0xcafe::playground::create_counter", &[&value]);
        let before = balance(&state, alice());
        let simulated = kept(sandbox.simulate(&create, &state).unwrap());
        let output = kept(sandbox.execute_transaction(&create, &state).unwrap());
        assert_eq!(simulated, output);
        assert!(
            matches!(output.outcome, Outcome::Returned { .. }),
            "{output:?}"
        );
        let counter: StateKey = "0xa11ce/resource/0xcafe::playground::Counter"
            .parse()
            .unwrap();
        let created = output
            .writes
            .iter()
            .find(|(key, _)| *key == counter)
            .unwrap();
        let monomove::WriteOp::Create(bytes) = &created.1 else {
            panic!("{created:?}");
        };
        let size = (counter.encode().len() + bytes.len()) as u64;
        let fees = output.fees;
        assert_eq!(fees.storage_fee, SLOT_FEE + BYTE_FEE * size);
        assert_eq!(fees.storage_gas, fees.storage_fee * 1_000_000 / PRICE);
        assert_eq!(fees.storage_refund, 0);
        assert!(fees.intrinsic_gas > 0 && fees.io_gas > 0);
        state.commit(&output.writes).unwrap();
        let paid = before - balance(&state, alice());
        assert_eq!(paid, output.gas_used.div_ceil(1_000_000) * PRICE);

        let before = balance(&state, alice());
        let delete = send(alice(), 1, "0xcafe::playground::delete_counter", &[]);
        let output = kept(sandbox.execute_transaction(&delete, &state).unwrap());
        state.commit(&output.writes).unwrap();
        let cost = output.gas_used.div_ceil(1_000_000) * PRICE;
        // No more than it costs is given back.
        let refund = (SLOT_FEE + BYTE_FEE * size).min(cost);
        assert_eq!(output.fees.storage_fee, 0);
        assert_eq!(output.fees.storage_refund, refund);
        assert_eq!(before - balance(&state, alice()), cost - refund);
    }
}

#[test]
fn too_much_storage_is_a_failure_that_is_paid_for() {
    let schedule = [
        ("txn.storage_fee_per_state_slot", SLOT_FEE),
        ("txn.max_storage_fee", SLOT_FEE - 1),
    ];
    let engine = engine(Backend::Native, &schedule);
    let mut state = chain(&engine);
    let mut sandbox = Sandbox::new(&engine);
    let create = send(alice(), 0, "0xcafe::playground::create_counter", &[&[0; 8]]);
    let output = kept(sandbox.execute_transaction(&create, &state).unwrap());
    let Outcome::Failed(failure) = &output.outcome else {
        panic!("{output:?}");
    };
    assert_eq!(failure.status, StatusCode::STORAGE_LIMIT_REACHED);
    let before = balance(&state, alice());
    state.commit(&output.writes).unwrap();
    assert_eq!(
        before - balance(&state, alice()),
        output.gas_used.div_ceil(1_000_000) * PRICE
    );
}

#[test]
fn dependencies_are_charged_once_whatever_is_cached() {
    let no_dependencies = [
        ("txn.dependency_per_module", 0),
        ("txn.dependency_per_byte", 0),
    ];
    for backend in [Backend::Native, Backend::Wasm] {
        let engine_with = engine(backend, &[]);
        let engine_without = engine(backend, &no_dependencies);
        let state = chain(&engine_with);
        let open = send(owner(), 0, "0xcafe::bank::open_bank", &[]);
        let gas = |sandbox: &mut Sandbox| {
            kept(sandbox.execute_transaction(&open, &state).unwrap()).gas_used
        };
        let mut warm = Sandbox::new(&engine_with);
        let cold = gas(&mut warm);
        assert_eq!(gas(&mut warm), cold);
        warm.reset();
        assert_eq!(gas(&mut warm), cold);
        // The bank is the only module that is not the framework's.
        let free = gas(&mut Sandbox::new(&engine_without));
        assert_eq!(cold - free, 744_600 + 420 * stdlib::BANK.1.len() as u64);
    }
    let limited = engine(Backend::Native, &[("txn.max_num_dependencies", 0)]);
    let open = send(owner(), 0, "0xcafe::bank::open_bank", &[]);
    let state = chain(&limited);
    let output = kept(
        Sandbox::new(&limited)
            .execute_transaction(&open, &state)
            .unwrap(),
    );
    let Outcome::Failed(failure) = &output.outcome else {
        panic!("{output:?}");
    };
    assert_eq!(failure.status, StatusCode::DEPENDENCY_LIMIT_REACHED);
}
