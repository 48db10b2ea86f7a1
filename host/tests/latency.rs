//! What the sandbox itself costs: printed, and bounded generously in release builds.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Guest, arith, arith_state, entry_function, output, reply, segment, transaction};
use monomove::{
    Access, AccountAddress, Backend, Call, Engine, EngineConfig, Genesis, Limits, MemoryState,
    Sandbox, StateCommit, TransactionOutcome, UserTransaction,
};
use monomove_format::{
    AddressIdentifierIndex, Bytecode, CodeUnit, CompiledModule, FunctionDefinition, FunctionHandle,
    FunctionHandleIndex, IdentifierIndex, ModuleHandle, ModuleHandleIndex, Signature,
    SignatureIndex, Visibility,
};
use std::time::{Duration, Instant};

/// The least time of `rounds` rounds of one `run`, without the drop of what it makes.
fn best<T>(rounds: u32, mut run: impl FnMut() -> T) -> Duration {
    (0..rounds)
        .map(|_| {
            let start = Instant::now();
            let made = run();
            let took = start.elapsed();
            drop(made);
            took
        })
        .min()
        .unwrap()
}

/// The least mean time over batches of 1000.
fn best_mean(mut run: impl FnMut()) -> Duration {
    best(20, || (0..1000).for_each(|_| run())) / 1000
}

/// A state with `0xcafe::m::f`, an entry function that takes nothing and does nothing, and a call of it.
fn empty_entry_function() -> (MemoryState, Call) {
    let module = CompiledModule {
        version: 8,
        module_handles: vec![ModuleHandle {
            address: AddressIdentifierIndex(0),
            name: IdentifierIndex(0),
        }],
        identifiers: vec!["m".parse().unwrap(), "f".parse().unwrap()],
        address_identifiers: vec!["0xcafe".parse().unwrap()],
        signatures: vec![Signature(vec![])],
        function_handles: vec![FunctionHandle {
            module: ModuleHandleIndex(0),
            name: IdentifierIndex(1),
            parameters: SignatureIndex(0),
            return_: SignatureIndex(0),
            type_parameters: vec![],
            access_specifiers: None,
            attributes: vec![],
        }],
        function_defs: vec![FunctionDefinition {
            function: FunctionHandleIndex(0),
            visibility: Visibility::Private,
            is_entry: true,
            acquires_global_resources: vec![],
            code: Some(CodeUnit {
                locals: SignatureIndex(0),
                code: vec![Bytecode::Ret],
            }),
        }],
        ..CompiledModule::default()
    };
    let mut state = MemoryState::new();
    let module = state.insert_module(module.serialize().unwrap()).unwrap();
    let call = Call {
        module,
        function: "f".parse().unwrap(),
        args: vec![],
        access: Access::Entry,
        ..arith("f", 0, 0)
    };
    (state, call)
}

/// A chain with three accounts, the no-op module and a bank in which two of them have money; the transactions to measure on it.
fn transactions(engine: &Engine) -> (MemoryState, [(&'static str, UserTransaction); 4]) {
    let [owner, alice, bob] = ["0xcafe", "0xa11ce", "0xb0b"].map(|a| a.parse().unwrap());
    let genesis = Genesis {
        accounts: [owner, alice, bob].map(|a| (a, 1_000_000_000)).into(),
        ..Genesis::default()
    };
    let mut state = genesis.state(engine).unwrap();
    let (modules, _) = empty_entry_function();
    for (key, bytes) in modules.iter() {
        state.insert(key.clone(), bytes.clone());
    }
    state.insert_module(monomove::stdlib::BANK.1).unwrap();
    let word = |n: u64| n.to_le_bytes().to_vec();
    let send = |sender: AccountAddress, sequence_number, function: &str, args| {
        transaction(sender, sequence_number, entry_function(function, args)).sealed()
    };
    let mut sandbox = Sandbox::new(engine);
    let setup = [
        send(owner, 0, "0xcafe::bank::open_bank", vec![]),
        send(alice, 0, "0xcafe::bank::open_account", vec![]),
        send(bob, 0, "0xcafe::bank::open_account", vec![]),
        send(alice, 1, "0xcafe::bank::deposit", vec![word(1000)]),
    ];
    for transaction in &setup {
        let outcome = sandbox.execute_transaction(transaction, &state).unwrap();
        assert!(outcome.success().is_some(), "{outcome:?}");
        state.commit(outcome.writes()).unwrap();
    }
    let (to, much) = (bob.0.to_vec(), vec![bob.0.to_vec(), word(u64::MAX)]);
    let transfer = "0x1::native_coin::transfer";
    let measured = [
        ("no-op", send(alice, 2, "0xcafe::m::f", vec![])),
        (
            "coin transfer",
            send(alice, 2, transfer, vec![to.clone(), word(1)]),
        ),
        (
            "bank transfer",
            send(alice, 2, "0xcafe::bank::transfer", vec![to, word(1)]),
        ),
        ("failing transfer", send(alice, 2, transfer, much)),
    ];
    (state, measured)
}

#[test]
fn transactions_from_prologue_to_epilogue() {
    for backend in [Backend::Wasm, Backend::Native] {
        let engine = Engine::with_config(EngineConfig {
            backend,
            ..EngineConfig::default()
        })
        .unwrap();
        let (state, measured) = transactions(&engine);
        let mut sandbox = Sandbox::new(&engine);
        let (_, empty_call) = empty_entry_function();
        let call = best_mean(|| drop(sandbox.execute(&empty_call, &state).unwrap()));
        println!("{backend:?}: a call of an empty function  {call:?}");
        for (name, transaction) in &measured {
            let outcome = sandbox.execute_transaction(transaction, &state).unwrap();
            let TransactionOutcome::Kept(output) = &outcome else {
                panic!("{name}: {outcome:?}");
            };
            assert_eq!(outcome.success().is_some(), *name != "failing transfer");
            let gas = output.gas_used;
            let whole = best_mean(|| {
                drop(sandbox.execute_transaction(transaction, &state).unwrap());
            });
            let admission = best_mean(|| drop(sandbox.validate(transaction, &state).unwrap()));
            let ratio = whole.as_secs_f64() / call.as_secs_f64();
            println!(
                "{backend:?}: {name:<18} {whole:?}, {ratio:.1} calls; validation {admission:?}; gas {gas}"
            );
            if !cfg!(debug_assertions) {
                assert!(whole < Duration::from_micros(200), "{name}");
            }
        }
    }
}

#[test]
fn costs() {
    let load = best(10, || Engine::new(Limits::default()).unwrap());
    let engine = Engine::new(Limits::default()).unwrap();
    let state = arith_state();
    let absent = arith("no_such_function", 1, 2);
    let mut sandbox = Sandbox::new(&engine);
    let first = best(20, || {
        sandbox.reset();
        sandbox.execute(&absent, &MemoryState::new()).unwrap();
    });
    let refused = best_mean(|| drop(sandbox.execute(&absent, &state).unwrap()));
    let (empty_state, empty_call) = empty_entry_function();
    let mut empty_sandbox = Sandbox::new(&engine);
    let empty_entry = best_mean(|| {
        let outcome = empty_sandbox.execute(&empty_call, &empty_state).unwrap();
        assert!(outcome.success().is_some());
    });
    let call = arith("add_u64", 1, 2);
    let add = best_mean(|| drop(sandbox.execute(&call, &state).unwrap()));

    let answer = bcs::to_bytes(&output(vec![])).unwrap();
    let empty = Guest::calling(format!("i64.const {}", reply(segment(0), answer.len())))
        .with_data([answer]);
    let mut sandbox = Sandbox::new(&empty.engine());
    let crossing = best_mean(|| drop(sandbox.execute(&call, &state).unwrap()));

    println!("engine from the embedded guest     {load:?}");
    println!("fresh instance and its first call  {first:?}");
    println!("refused call, warm                 {refused:?}");
    println!("empty entry function, warm         {empty_entry:?}");
    println!("add_u64, warm                      {add:?}");
    println!("empty guest (crossings alone)      {crossing:?}");
    if !cfg!(debug_assertions) {
        assert!(load < Duration::from_millis(5));
        assert!(crossing < Duration::from_micros(20));
        assert!(empty_entry < Duration::from_micros(50));
    }
}
