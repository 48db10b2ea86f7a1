//! What the tests of the host share: calls, a golden module, and guests written by hand.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support; every test file uses its part"
)]

use monomove::{
    Access, AccountAddress, Authentication, Backend, Call, CallOutput, Engine, EngineConfig,
    FunctionName, Limits, MemoryState, Outcome, Sandbox, StateKey, TransactionOutcome,
    TransactionPayload, UserTransaction, WriteOp,
};
use std::fmt::Write;

/// A call of `0xcafe::arith::<function>` with two `u64` arguments.
pub fn arith(function: &str, a: u64, b: u64) -> Call {
    Call {
        module: "0xcafe::arith".parse().unwrap(),
        function: function.parse().unwrap(),
        ty_args: vec![],
        signers: vec![],
        args: vec![a.to_le_bytes().to_vec(), b.to_le_bytes().to_vec()],
        access: Access::Any,
        gas_limit: 1_000_000_000,
        txn_hash: [7; 32],
    }
}

/// A call of the entry function `0x1::m::f`, without type arguments.
pub fn entry_function(function: &str, args: Vec<Vec<u8>>) -> TransactionPayload {
    let name: FunctionName = function.parse().unwrap();
    TransactionPayload::EntryFunction {
        module: name.module,
        function: name.function,
        ty_args: vec![],
        args,
    }
}

/// A transaction of an account whose key is its address, on the chain of the default genesis; not sealed yet.
pub fn transaction(
    sender: AccountAddress,
    sequence_number: u64,
    payload: TransactionPayload,
) -> UserTransaction {
    UserTransaction {
        sender,
        secondary_signers: vec![],
        authentication: Authentication::Keys {
            sender: sender.0.to_vec(),
            secondary: vec![],
        },
        sequence_number,
        payload,
        max_gas: 10_000,
        gas_price: 1,
        expiration_seconds: 1_900_000_000,
        chain_id: 4,
        hash: [0; 32],
        size: 0,
    }
}

/// A state with the golden module `0xcafe::arith`.
pub fn arith_state() -> MemoryState {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/golden/bytecode/v8/arith.mv"
    );
    let key = StateKey::module("0xcafe::arith".parse().unwrap());
    MemoryState::from_iter([(key, std::fs::read(path).unwrap())])
}

/// What the same call gives without wasm.
pub fn natively(call: &Call, state: &MemoryState) -> TransactionOutcome {
    let engine = Engine::with_config(EngineConfig {
        backend: Backend::Native,
        ..EngineConfig::default()
    })
    .unwrap();
    Sandbox::new(&engine).execute(call, state).unwrap()
}

/// An output with these writes.
pub fn output(writes: Vec<(StateKey, WriteOp)>) -> CallOutput {
    CallOutput {
        outcome: Outcome::Returned {
            values: vec![],
            mut_args: vec![],
        },
        gas_used: 3,
        instruction_gas: 2,
        instructions: 1,
        fees: monomove::Fees::default(),
        writes,
        events: vec![],
        new_tables: vec![],
        removed_tables: vec![],
        publish_request: None,
    }
}

/// Address of the `n`-th data segment of a [`Guest`].
pub const fn segment(n: u32) -> u32 {
    4096 * (n + 1)
}

/// The `i64` that `mm_call` returns for an output that lies at `ptr`.
pub fn reply(ptr: u32, len: usize) -> i64 {
    i64::from(ptr) << 32 | len as i64
}

/// A guest in wat: the bodies of its functions and its data.
pub struct Guest {
    pub version: &'static str,
    pub buffer: &'static str,
    pub init: &'static str,
    pub call: String,
    /// Further module fields.
    pub extra: &'static str,
    /// Data at [`segment`] 0, 1, ….
    pub data: Vec<Vec<u8>>,
}

impl Guest {
    /// A well-behaved guest but for the body of `mm_call`.
    pub fn calling(body: impl Into<String>) -> Self {
        Self {
            version: "i32.const 3",
            buffer: "i32.const 65536",
            init: "i32.const 0",
            call: body.into(),
            extra: r#"(memory (export "memory") 4)"#,
            data: vec![],
        }
    }

    pub fn with_data(mut self, data: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.data.extend(data);
        self
    }

    pub fn wasm(&self) -> Vec<u8> {
        let mut data = String::new();
        for (n, bytes) in self.data.iter().enumerate() {
            assert!(bytes.len() <= 4096);
            let text = bytes.iter().fold(String::new(), |mut text, byte| {
                write!(text, "\\{byte:02x}").unwrap();
                text
            });
            writeln!(data, r#"(data (i32.const {}) "{text}")"#, segment(n as u32)).unwrap();
        }
        let Self {
            version,
            buffer,
            init,
            call,
            extra,
            ..
        } = self;
        let text = format!(
            r#"(module
            (import "monomove" "module" (func $module (param i32 i32 i32 i32) (result i64)))
            (import "monomove" "value" (func $value (param i32 i32 i32 i32) (result i64)))
            (import "monomove" "is_current" (func $is_current (param i32) (result i32)))
            (import "monomove" "module_verified" (func $module_verified (param i32)))
            (import "monomove" "module_was_verified" (func $module_was_verified (param i32) (result i32)))
            (import "monomove" "script_verified" (func $script_verified (param i32)))
            (import "monomove" "script_was_verified" (func $script_was_verified (param i32) (result i32)))
            (import "monomove" "fetch" (func $fetch (param i32 i32)))
            (import "monomove" "panic" (func $panic (param i32 i32)))
            {extra}
            (func (export "mm_abi_version") (result i32) {version})
            (func (export "mm_buffer") (param i32) (result i32) {buffer})
            (func (export "mm_init") (param i32) (result i32) {init})
            (func $call (export "mm_call") (param i32) (result i64) {call})
            {data})"#
        );
        wat::parse_str(text).unwrap()
    }

    pub fn engine(&self) -> Engine {
        Engine::with_guest(&self.wasm(), small()).unwrap()
    }
}

/// Limits that are hit soon.
pub fn small() -> Limits {
    Limits {
        guest_memory_bytes: 32 << 20,
        heap_bytes: 8 << 20,
        wasm_stack_bytes: 512 << 10,
        watchdog_ms: 100,
        ..Limits::default()
    }
}
