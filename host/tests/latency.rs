//! What the sandbox itself costs: printed, and bounded generously in release builds.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Guest, arith, arith_state, output, reply, segment};
use monomove::{Access, Call, Engine, Limits, MemoryState, Sandbox};
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
