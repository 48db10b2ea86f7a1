//! `reflect::native_resolve`: function values by name, on every machine. The module `reflect` here declares the native only.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

use monomove::{
    Access, Backend, Call, Engine, EngineConfig, MemoryState, Outcome, Sandbox, TransactionOutcome,
};
use monomove_asm::{Options, Unit, assemble};

const RESULT: &str = "
module 0x1::result
enum Result<T, E> has copy + drop + store
    Ok
    _0: T
    Err
    _0: E
";

const STRING: &str = "
module 0x1::string
struct String has copy + drop + store
    bytes: vector<u8>
";

const REFLECT: &str = "
module 0x1::reflect
extern struct 0x1::string::String has copy + drop + store
extern struct 0x1::result::Result<T, E> has copy + drop + store
enum ReflectionError has copy + drop + store
    InvalidIdentifier
    FunctionNotFound
    FunctionNotAccessible
    FunctionIncompatibleType
    FunctionNotInstantiated
public native fun native_resolve<F>(addr: address, m: &0x1::string::String, f: &0x1::string::String): 0x1::result::Result<F, ReflectionError>
";

/// Looks a function up as `{TYPE}`.
const CALLER: &str = "
module 0x42::caller
extern struct 0x1::string::String has copy + drop + store
extern struct 0x1::result::Result<T, E> has copy + drop + store
extern fun 0x1::reflect::native_resolve<F>(address, &0x1::string::String, &0x1::string::String): 0x1::result::Result<F, 0x1::reflect::ReflectionError>
extern struct 0x1::reflect::ReflectionError has copy + drop + store
public fun resolve(m: 0x1::string::String, f: 0x1::string::String): 0x1::result::Result<{TYPE}, 0x1::reflect::ReflectionError>
    ld_const<address> 0x42
    borrow_loc m
    borrow_loc f
    call 0x1::reflect::native_resolve<{TYPE}>
    ret
";

const TARGETS: &str = "
module 0x42::targets
public fun double(x: u64): u64
    copy_loc x
    move_loc x
    add
    ret
public fun same<T: drop>(x: T, y: u64): T
    move_loc x
    ret
public fun nowhere<T>(x: u64): u64
    move_loc x
    ret
public fun only_copy<T: copy + drop>(x: T): u64
    ld_u64 1
    ret
#[persistent] public fun kept(x: &u64): bool
    ld_true
    ret
fun private(x: u64): u64
    move_loc x
    ret
";

fn binary(text: &str) -> Vec<u8> {
    let options = Options {
        version: 9,
        ..Options::default()
    };
    match assemble(text, &options) {
        Ok(Unit::Module(module)) => module.serialize().unwrap(),
        Ok(Unit::Script(_)) => panic!("a module was assembled as a script"),
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

fn resolve(sandbox: &mut Sandbox, module: &str, function: &str, ty: &str) -> String {
    let mut state = MemoryState::new();
    let caller = CALLER.replace("{TYPE}", ty);
    for text in [RESULT, STRING, REFLECT, TARGETS, &caller] {
        state.insert_module(binary(text)).unwrap();
    }
    let string = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    let call = Call {
        module: "0x42::caller".parse().unwrap(),
        function: "resolve".parse().unwrap(),
        ty_args: vec![],
        signers: vec![],
        args: vec![string(module), string(function)],
        access: Access::Any,
        gas_limit: 1_000_000,
        txn_hash: [0; 32],
    };
    match sandbox.execute(&call, &state).unwrap() {
        TransactionOutcome::Kept(output) => match output.outcome {
            Outcome::Returned { values, .. } => match values[0].bcs[..] {
                [0, ..] => "found".to_owned(),
                [1, error] => format!("error {error}"),
                _ => panic!("{values:?}"),
            },
            Outcome::Failed(failure) => failure.status.name().to_owned(),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_resolve_to_what_their_type_allows() {
    for (backend, paranoid) in [
        (Backend::Native, false),
        (Backend::Native, true),
        (Backend::Wasm, false),
    ] {
        let engine = Engine::with_config(EngineConfig {
            backend,
            paranoid,
            ..EngineConfig::default()
        })
        .unwrap();
        let mut sandbox = Sandbox::new(&engine);
        for (module, function, ty, end) in [
            (
                "targets",
                "double",
                "|u64|u64 has copy + drop + store",
                "found",
            ),
            ("targets", "kept", "|&u64|bool has store", "found"),
            ("targets", "double", "|u64|(u64, u64) has store", "error 3"),
            ("targets", "double", "|u8|u64 has store", "error 3"),
            ("targets", "double", "u64", "error 3"),
            ("targets", "private", "|u64|u64 has store", "error 2"),
            ("targets", "missing", "|u64|u64 has store", "error 1"),
            ("nobody", "double", "|u64|u64 has store", "error 1"),
            ("targets", "not a name", "|u64|u64 has store", "error 0"),
            ("", "double", "|u64|u64 has store", "error 0"),
            ("targets", "same", "|bool, u64|bool has store", "found"),
            ("targets", "same", "|bool, u64|u8 has store", "error 3"),
            ("targets", "nowhere", "|u64|u64 has store", "error 4"),
            ("targets", "only_copy", "|u8|u64 has store", "found"),
            ("targets", "only_copy", "|signer|u64 has store", "error 3"),
        ] {
            assert_eq!(
                resolve(&mut sandbox, module, function, ty),
                end,
                "{module}::{function} as {ty} ({backend:?}, paranoid: {paranoid})"
            );
        }
    }
}
