//! Access specifiers: each line of `access/cases.txt` on every machine.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

use std::path::Path;

use monomove::{
    Access, AccountAddress, Backend, Call, Engine, EngineConfig, Limits, MemoryState, Outcome,
    Sandbox, StateKey, TraceLimits, TransactionOutcome,
};
use monomove_asm::{Options, Unit, assemble};

/// `{SPEC}` stands for the specifiers of the case, `{CALL}` for the function that is called.
const MODULE: &str = "
module 0x42::m
extern fun 0x1::signer::address_of(&signer): address
struct R has key
    v: u64
struct T has key
    v: u64
struct G<X> has key
    v: X
fun read(s: &signer, a: address, b: address) acquires R
    copy_loc a
    borrow_global R
    pop
    ret
fun read_g(s: &signer, a: address, b: address) acquires G
    copy_loc a
    borrow_global G<u64>
    pop
    ret
fun exists_r(s: &signer, a: address, b: address)
    copy_loc a
    exists R
    pop
    ret
fun write(s: &signer, a: address, b: address) acquires R
    copy_loc a
    mut_borrow_global R
    pop
    ret
fun take(s: &signer, a: address, b: address) acquires R
    copy_loc a
    move_from R
    unpack R
    pop
    ret
fun put(s: &signer, a: address, b: address)
    copy_loc s
    ld_u64 7
    pack R
    move_to R
    ret
fun nothing(s: &signer, a: address, b: address)
    ret
fun narrowed(s: &signer, a: address, b: address) acquires R access(reads struct T)
    copy_loc s
    copy_loc a
    copy_loc b
    call read
    ret
fun widened(s: &signer, a: address, b: address) acquires R access(writes any)
    copy_loc s
    copy_loc a
    copy_loc b
    call write
    ret
fun after(s: &signer, a: address, b: address) acquires R
    copy_loc s
    copy_loc a
    copy_loc b
    call nothing_pure
    copy_loc s
    copy_loc a
    copy_loc b
    call read
    ret
fun nothing_pure(s: &signer, a: address, b: address) access()
    ret
fun by_value(s: &signer, a: address, b: address) acquires R
    copy_loc s
    copy_loc a
    copy_loc b
    pack_closure nothing_pure, 0
    call_closure<|&signer, address, address|>
    copy_loc s
    copy_loc a
    copy_loc b
    call read
    ret
fun nest(n: u64) access(reads any)
    copy_loc n
    ld_u64 1
    eq
    br_true end
    copy_loc n
    ld_u64 1
    sub
    call nest
end: ret
fun nest_256(s: &signer, a: address, b: address)
    ld_u64 256
    call nest
    ret
fun nest_257(s: &signer, a: address, b: address)
    ld_u64 257
    call nest
    ret
entry public fun f(s: &signer, a: address, b: address){ACQUIRES}{SPEC}
    copy_loc s
    copy_loc a
    copy_loc b
    call {CALL}
    ret
";

fn cases() -> Vec<[String; 3]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("access/cases.txt");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let parts: Vec<_> = line.split('|').map(|p| p.trim().to_owned()).collect();
            parts.try_into().unwrap()
        })
        .collect()
}

fn module(specifiers: &str, call: &str) -> Vec<u8> {
    let specifiers = match specifiers {
        "none" => String::new(),
        "pure" => " access()".to_owned(),
        some => format!(" access({some})"),
    };
    let call = if call == "exists" { "exists_r" } else { call };
    let acquires = match call {
        "read" | "write" | "take" | "narrowed" | "widened" | "after" | "by_value" => " acquires R",
        "read_g" => " acquires G",
        _ => "",
    };
    let text = MODULE
        .replace("{ACQUIRES}", acquires)
        .replace("{SPEC}", &specifiers)
        .replace("{CALL}", call);
    let options = Options {
        version: 8,
        ..Options::default()
    };
    match assemble(&text, &options) {
        Ok(Unit::Module(module)) => module.serialize().unwrap(),
        Ok(Unit::Script(_)) => panic!("a module was assembled as a script"),
        Err(diagnostics) => panic!("{specifiers}: {diagnostics}"),
    }
}

fn state(module: Vec<u8>) -> MemoryState {
    let mut state = MemoryState::new();
    state.insert_module(module).unwrap();
    for tag in ["0x42::m::R", "0x42::m::T", "0x42::m::G<u64>"] {
        let key = StateKey::resource("0xa".parse().unwrap(), tag.parse().unwrap());
        state.insert(key, 5u64.to_le_bytes().to_vec());
    }
    state
}

fn call() -> Call {
    let address = |text: &str| text.parse::<AccountAddress>().unwrap();
    Call {
        module: "0x42::m".parse().unwrap(),
        function: "f".parse().unwrap(),
        ty_args: vec![],
        signers: vec![address("0xc")],
        args: vec![address("0xa").0.to_vec(), address("0xb").0.to_vec()],
        access: Access::Entry,
        gas_limit: 100_000_000,
        txn_hash: [0; 32],
    }
}

fn ending(outcome: &TransactionOutcome) -> String {
    let failure = match outcome {
        TransactionOutcome::Kept(output) => match &output.outcome {
            Outcome::Returned { .. } => return "ok".to_owned(),
            Outcome::Failed(failure) => failure,
        },
        TransactionOutcome::Discarded(failure) => failure,
        fault => return format!("{fault:?}"),
    };
    failure.status.name().to_owned()
}

#[test]
fn every_case_ends_as_it_says() {
    let cases = cases();
    assert!(cases.len() > 40);
    for (backend, paranoid) in [
        (Backend::Native, false),
        (Backend::Native, true),
        (Backend::Wasm, false),
    ] {
        let engine = Engine::with_config(EngineConfig {
            limits: Limits::default(),
            backend,
            paranoid,
            ..EngineConfig::default()
        })
        .unwrap();
        let mut sandbox = Sandbox::new(&engine);
        for [specifiers, operation, end] in &cases {
            let state = state(module(specifiers, operation));
            let plain = sandbox.execute(&call(), &state).unwrap();
            assert_eq!(
                ending(&plain),
                *end,
                "{specifiers} | {operation} ({backend:?}, paranoid: {paranoid}): {plain:?}"
            );
            let (traced, _) = sandbox
                .trace(&call(), &state, &TraceLimits::default())
                .unwrap();
            assert_eq!(plain, traced, "{specifiers} | {operation}: traced");
        }
    }
}
