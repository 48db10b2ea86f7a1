//! Guests that lie: whatever they name, return or ask for, the host answers with a typed result.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Guest, arith, reply, segment, small};
use monomove::abi::Rejection;
use monomove::{
    Engine, EngineError, FaultKind, HostError, MemoryState, Sandbox, SandboxFault, StateKey,
    TransactionOutcome,
};

/// What a guest with this body of `mm_call` comes to, on a state with a value of 10 bytes under the key in segment 0.
fn run(guest: &Guest) -> Result<TransactionOutcome, HostError> {
    let state = MemoryState::from_iter([
        (StateKey::Raw(vec![1]), vec![7; 10]),
        (StateKey::module("0xcafe::arith".parse().unwrap()), vec![1]),
    ]);
    Sandbox::new(&guest.engine()).execute(&arith("any", 0, 0), &state)
}

fn key() -> Vec<u8> {
    StateKey::Raw(vec![1]).encode()
}

#[track_caller]
fn fault_of(guest: &Guest) -> SandboxFault {
    match run(guest) {
        Ok(TransactionOutcome::SandboxFault(fault)) => fault,
        other => panic!("no fault but {other:?}"),
    }
}

#[track_caller]
fn breaks_the_protocol(guest: &Guest, message: &str) {
    let fault = fault_of(guest);
    assert_eq!(fault.kind, FaultKind::Trap, "{fault}");
    assert!(fault.message.contains(message), "{fault}");
}

#[test]
fn replies() {
    for (packed, message) in [
        (-1, "outside of its memory"),
        (reply(4 * 65536 - 1, 2), "outside of its memory"),
        (reply(u32::MAX, 0), "outside of its memory"),
        (reply(4 * 65536, 0), "not the output"),
        (reply(1, 0), "not the output"),
        (reply(1, 100), "not the output"),
        (reply(segment(0), 64), "not the output"),
        (reply(segment(1), 10), "not the output"),
        (reply(segment(2), 2000), "not the output"),
        (0, "unknown number"),
        (99, "unknown number"),
    ] {
        let guest = Guest::calling(format!("i64.const {packed}")).with_data([
            vec![0xff; 64],
            // Returned, with 2^31 - 1 values.
            vec![0, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0, 0, 0],
            // Returned, with one value whose type nests without end.
            [vec![0, 1], vec![6; 2000]].concat(),
        ]);
        breaks_the_protocol(&guest, message);
    }
}

#[test]
fn refusals() {
    let guest = Guest::calling("i64.const 4");
    assert_eq!(run(&guest), Err(HostError::Refused(Rejection::Request)));
    let guest = Guest {
        init: "i32.const 3",
        ..Guest::calling("i64.const 4")
    };
    assert_eq!(run(&guest), Err(HostError::Refused(Rejection::Config)));
}

#[test]
fn questions() {
    let at = segment(0);
    let out = "i32.const 0x7fffffff";
    let zero = "i32.const 0";
    for (body, message) in [
        // The key's range.
        (
            format!("(call $value ({out}) (i32.const 9) ({zero}) ({zero}))"),
            "outside",
        ),
        (
            format!("(call $value (i32.const -1) (i32.const 1) ({zero}) ({zero}))"),
            "outside",
        ),
        (
            format!("(call $value ({zero}) (i32.const -1) ({zero}) ({zero}))"),
            "outside",
        ),
        (
            format!("(call $module ({out}) (i32.const 9) ({zero}) ({zero}))"),
            "outside",
        ),
        // The key itself.
        (
            format!("(call $value ({zero}) ({zero}) ({zero}) ({zero}))"),
            "not a state key",
        ),
        (
            format!("(call $value ({zero}) (i32.const 64) ({zero}) ({zero}))"),
            "not a state key",
        ),
        (
            format!("(call $module ({zero}) (i32.const 64) ({zero}) ({zero}))"),
            "not a module id",
        ),
        // The inbox.
        (
            format!("(call $value (i32.const {at}) (i32.const 3) ({out}) (i32.const 10))"),
            "outside",
        ),
        (
            format!("(call $value (i32.const {at}) (i32.const 3) (i32.const -1) (i32.const -1))"),
            "outside",
        ),
        // Fetching.
        (
            format!("(call $fetch ({zero}) (i32.const 100)) (i64.const 0)"),
            "no answer",
        ),
        (
            format!(
                "(drop (call $value (i32.const {at}) (i32.const 3) ({zero}) ({zero})))
                 (call $fetch ({zero}) (i32.const 9)) (i64.const 0)"
            ),
            "too little room",
        ),
        (
            format!(
                "(drop (call $value (i32.const {at}) (i32.const 3) ({zero}) ({zero})))
                 (call $fetch ({out}) (i32.const 10)) (i64.const 0)"
            ),
            "outside",
        ),
        // Tokens.
        (
            "(i64.extend_i32_s (call $is_current (i32.const 0)))".into(),
            "token",
        ),
        (
            "(i64.extend_i32_s (call $is_current (i32.const -1)))".into(),
            "token",
        ),
        // Code that was verified.
        (
            "(i64.extend_i32_s (call $module_was_verified (i32.const 0)))".into(),
            "token",
        ),
        (
            "(call $module_verified (i32.const -1)) (i64.const 0)".into(),
            "nobody gave",
        ),
        (
            format!("(i64.extend_i32_s (call $script_was_verified ({out})))"),
            "outside",
        ),
        (
            format!("(call $script_verified ({out})) (i64.const 0)"),
            "outside",
        ),
        (
            format!("(loop (call $script_verified ({zero})) (br 0)) (i64.const 0)"),
            "nobody gave",
        ),
        // A panic that lies about its text.
        (
            format!("(call $panic ({out}) (i32.const 5)) (i64.const 0)"),
            "outside",
        ),
    ] {
        breaks_the_protocol(&Guest::calling(body).with_data([key()]), message);
    }
}

#[test]
fn panics_are_bounded_text() {
    let guest = Guest::calling("(call $panic (i32.const 4096) (i32.const -1)) (i64.const 0)")
        .with_data([vec![0xff; 4096]]);
    let fault = fault_of(&guest);
    assert_eq!(fault.kind, FaultKind::Panic);
    assert_eq!(fault.message.chars().count(), 1024);
}

#[test]
fn traps_and_limits() {
    for (body, kind) in [
        ("unreachable", FaultKind::Trap),
        ("(i64.div_s (i64.const 1) (i64.const 0))", FaultKind::Trap),
        ("(i64.load (i32.const -1))", FaultKind::Trap),
        ("(loop (br 0)) (i64.const 0)", FaultKind::Time),
        ("(call $call (i32.const 0))", FaultKind::Stack),
        (
            "(i64.extend_i32_s (memory.grow (i32.const 60000)))",
            FaultKind::Memory,
        ),
        (
            "(loop (drop (memory.grow (i32.const 1))) (br 0)) (i64.const 0)",
            FaultKind::Memory,
        ),
    ] {
        let fault = fault_of(&Guest::calling(body));
        assert_eq!(fault.kind, kind, "{body}: {fault}");
    }
    let tables = Guest {
        extra: r#"(memory (export "memory") 4) (table $t 0 funcref)"#,
        ..Guest::calling("(i64.extend_i32_s (table.grow $t (ref.null func) (i32.const 100000000)))")
    };
    assert_eq!(fault_of(&tables).kind, FaultKind::Memory);
}

#[test]
fn before_the_first_call() {
    let base = || Guest::calling("unreachable");
    let memory = r#"(memory (export "memory") 4)"#;
    for (guest, kind) in [
        (
            Guest {
                version: "unreachable",
                ..base()
            },
            FaultKind::Trap,
        ),
        (
            Guest {
                version: "(loop (br 0)) i32.const 3",
                ..base()
            },
            FaultKind::Time,
        ),
        (
            Guest {
                init: "(loop (br 0)) i32.const 3",
                ..base()
            },
            FaultKind::Time,
        ),
        (
            Guest {
                init: "i32.const 77",
                ..base()
            },
            FaultKind::Trap,
        ),
        (
            Guest {
                buffer: "i32.const -5",
                ..base()
            },
            FaultKind::Trap,
        ),
        (
            Guest {
                extra: r#"(memory (export "memory") 4) (func $f (loop (br 0))) (start $f)"#,
                ..base()
            },
            FaultKind::Time,
        ),
        (
            // Questions before the host knows the memory.
            Guest {
                extra: r#"(memory (export "memory") 4) (func $f (call $fetch (i32.const 0) (i32.const 0))) (start $f)"#,
                ..base()
            },
            FaultKind::Trap,
        ),
        (
            Guest {
                extra: r#"(memory (export "memory") 4) (func $f (drop (call $is_current (i32.const 0)))) (start $f)"#,
                ..base()
            },
            FaultKind::Trap,
        ),
        (
            Guest {
                init: "(drop (call $is_current (i32.const 0))) i32.const 0",
                extra: memory,
                ..base()
            },
            FaultKind::Trap,
        ),
        (
            Guest {
                extra: r#"(memory (export "memory") 60000)"#,
                ..base()
            },
            FaultKind::Memory,
        ),
    ] {
        let fault = fault_of(&guest);
        assert_eq!(fault.kind, kind, "{fault}");
    }
    let guest = Guest {
        version: "i32.const 9",
        ..base()
    };
    assert!(matches!(run(&guest), Err(HostError::Instantiate(text)) if text.contains("version 9")));
}

/// What an instance says in a call that faults is not believed by the next one.
#[test]
fn reports_of_a_fault_are_dropped() {
    let guest = Guest::calling(
        "(if (call $script_was_verified (i32.const 0)) (then (call $panic (i32.const 0) (i32.const 0))))
         (call $script_verified (i32.const 0)) unreachable",
    );
    let engine = guest.engine();
    for _ in 0..3 {
        let outcome = Sandbox::new(&engine).execute(&arith("any", 0, 0), &MemoryState::new());
        match outcome {
            Ok(TransactionOutcome::SandboxFault(fault)) => assert_eq!(fault.kind, FaultKind::Trap),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn no_guest_at_all() {
    let refused = |wasm: &[u8]| match Engine::with_guest(wasm, small()) {
        Err(EngineError::Guest(text)) => text,
        other => panic!("{other:?}"),
    };
    refused(b"");
    refused(b"\0asm\x01\0\0\0\xff");
    assert!(refused(&wat::parse_str("(module)").unwrap()).contains("memory"));
    let wasm =
        wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "mm_abi_version")))"#);
    assert!(refused(&wasm.unwrap()).contains("mm_buffer"));
    let foreign = wat::parse_str(
        r#"(module (import "wasi" "fd_write" (func)) (memory (export "memory") 1)
            (func (export "mm_abi_version") (result i32) i32.const 3)
            (func (export "mm_buffer") (param i32) (result i32) i32.const 0)
            (func (export "mm_init") (param i32) (result i32) i32.const 0)
            (func (export "mm_call") (param i32) (result i64) i64.const 0))"#,
    );
    assert!(refused(&foreign.unwrap()).contains("wasi"));
    let wrong_type = wat::parse_str(
        r#"(module (memory (export "memory") 1)
            (func (export "mm_abi_version") (result i32) i32.const 3)
            (func (export "mm_buffer") (param i32) (result i32) i32.const 0)
            (func (export "mm_init") (param i32) (result i32) i32.const 0)
            (func (export "mm_call")))"#,
    );
    let engine = Engine::with_guest(&wrong_type.unwrap(), small()).unwrap();
    let result = Sandbox::new(&engine).execute(&arith("any", 0, 0), &MemoryState::new());
    assert!(
        matches!(result, Err(HostError::Instantiate(_))),
        "{result:?}"
    );
}
