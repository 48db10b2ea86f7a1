//! Programs with large enums (`enums/enums.masm`): inline or objects on the heap, in every mode, natively and in the sandbox, each comes to the
//! same result, changes and gas.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

use std::fmt::Write;
use std::path::Path;

use monomove::{
    Access, Backend, Call, Engine, EngineConfig, Limits, MemoryState, Outcome, Replay, Sandbox,
    StateKey, TraceLimits, TransactionOutcome, WriteOp,
};
use monomove_asm::{Options, Unit, assemble};

/// All inline, large ones objects, all objects.
const FORMS: [u32; 3] = [u32::MAX, 64, 0];

fn module(text: &str) -> Vec<u8> {
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

fn resource(address: &str, tag: &str) -> StateKey {
    StateKey::resource(address.parse().unwrap(), tag.parse().unwrap())
}

/// A resource with `Points` in it and three `Outer`.
fn stored() -> Vec<u8> {
    let mut bytes = vec![2];
    bytes.extend(77u64.to_le_bytes());
    bytes.extend([3; 4 * 32]);
    bytes.push(3);
    for n in 0..3u64 {
        bytes.extend([0, 0]);
        bytes.extend(n.to_le_bytes());
    }
    bytes
}

fn state() -> MemoryState {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("enums/enums.masm");
    let mut state = MemoryState::new();
    let text = std::fs::read_to_string(path).unwrap();
    state.insert_module(module(&text)).unwrap();
    state.insert(resource("0xb", "0x42::enums::Resource"), stored());
    state
}

fn call(module: &str, function: &str, signers: &[&str], args: Vec<Vec<u8>>) -> Call {
    Call {
        module: module.parse().unwrap(),
        function: function.parse().unwrap(),
        ty_args: vec![],
        signers: signers.iter().map(|s| s.parse().unwrap()).collect(),
        args,
        access: Access::Any,
        gas_limit: 2_000_000_000,
        txn_hash: [0; 32],
    }
}

/// Each function with what it returns; `None` where the variant is not that.
fn programs() -> Vec<(Call, Option<u64>)> {
    let at = |function, signers: &[&str], args| call("0x42::enums", function, signers, args);
    let owner = [vec![0; 31], vec![0xb]].concat();
    vec![
        (at("copies", &[], vec![]), Some(507)),
        (at("nested_field", &[], vec![]), Some(42)),
        (at("replaced", &[], vec![]), Some(1009)),
        (at("equal", &[], vec![]), Some(3)),
        (at("vectors", &[], vec![]), Some(403)),
        (at("nested", &[], vec![]), Some(13)),
        (at("mismatch_field", &[], vec![]), None),
        (at("mismatch_unpack", &[], vec![]), None),
        (at("closures", &[], vec![]), Some(31)),
        (
            at("garbage", &[], vec![2000u64.to_le_bytes().to_vec()]),
            Some(21),
        ),
        (at("store", &["0xa"], vec![]), Some(33)),
        (at("change", &[], vec![owner]), Some(11)),
        (at("whole", &["0xa"], vec![]), Some(14)),
    ]
}

fn sandbox(backend: Backend, (paranoid, gc_stress): (bool, bool), form: u32) -> Sandbox {
    let config = EngineConfig {
        limits: Limits {
            heap_bytes: 1 << 20,
            ..Limits::default()
        },
        backend,
        paranoid,
        gc_stress,
        enum_inline_bytes: form,
        ..EngineConfig::default()
    };
    Sandbox::new(&Engine::with_config(config).unwrap())
}

/// The result of a call that returned a number.
fn number(outcome: &TransactionOutcome) -> Option<u64> {
    let TransactionOutcome::Kept(output) = outcome else {
        panic!("{outcome:?}");
    };
    match &output.outcome {
        Outcome::Returned { values, .. } => {
            let bytes = values[0].bcs.as_slice().try_into().unwrap();
            Some(u64::from_le_bytes(bytes))
        }
        Outcome::Failed(failure) => {
            assert_eq!(failure.status.name(), "STRUCT_VARIANT_MISMATCH");
            None
        }
    }
}

#[test]
fn programs_end_alike_with_every_form_of_enums() {
    let state = state();
    let modes = [(false, false), (true, false), (false, true), (true, true)];
    let mut expected: Vec<TransactionOutcome> = Vec::new();
    for form in FORMS {
        for backend in [Backend::Native, Backend::Wasm] {
            for mode in modes {
                let mut sandbox = sandbox(backend, mode, form);
                for (n, (call, result)) in programs().iter().enumerate() {
                    let what = format!("{}, {form}, {backend:?}, {mode:?}", call.function);
                    let outcome = sandbox.execute(call, &state).unwrap();
                    assert_eq!(number(&outcome), *result, "{what}");
                    match expected.get(n) {
                        Some(first) => assert_eq!(outcome, *first, "{what}"),
                        None => expected.push(outcome),
                    }
                    let limits = TraceLimits {
                        checkpoint_steps: 16,
                        steps: 5000,
                        ..TraceLimits::default()
                    };
                    let (traced, trace) = sandbox.trace(call, &state, &limits).unwrap();
                    assert_eq!(traced, expected[n], "{what}, traced");
                    let trace = trace.unwrap();
                    let mut replay = Replay::new(&trace).unwrap();
                    for checkpoint in &trace.checkpoints {
                        while replay.step() < checkpoint.step as usize {
                            replay.forward().unwrap();
                        }
                        assert_eq!(replay.heap(), checkpoint.heap, "{what}");
                        assert_eq!(replay.stack(), checkpoint.stack, "{what}");
                    }
                }
            }
        }
    }
    assert_eq!(expected[10].writes().len(), 1);
    let [(_, WriteOp::Modify(bytes))] = expected[11].writes() else {
        panic!("{:?}", expected[11].writes());
    };
    assert_eq!(bytes[..5], [1, 3, 1, 2, 3]);
}

/// A resource of three enums of 30 KB each: too large for one inline value, and no matter when they are objects.
#[test]
fn only_a_variant_has_to_fit() {
    let mut text = "module 0x42::huge\nstruct K has copy+drop+store\n".to_owned();
    (0..32).for_each(|i| writeln!(text, "    f{i}: u256").unwrap());
    text.push_str("struct H has copy+drop+store\n");
    (0..30).for_each(|i| writeln!(text, "    f{i}: K").unwrap());
    text.push_str(
        "enum E has copy+drop+store
    None
    Some
        h: H
        n: u64
struct T has key
    a: E
    b: E
    c: E
entry public fun change(a: address): u64 acquires T
    local r: &mut T
    local n: u64
    move_loc a
    mut_borrow_global T
    st_loc r
    copy_loc r
    borrow_field T, b
    read_ref
    copy_loc r
    mut_borrow_field T, c
    write_ref
    ld_u64 6
    copy_loc r
    mut_borrow_field T, c
    mut_borrow_variant_field E, Some::n
    write_ref
    copy_loc r
    borrow_field T, b
    read_ref
    unpack_variant E, Some
    st_loc n
    pop
    move_loc r
    borrow_field T, c
    borrow_variant_field E, Some::n
    read_ref
    move_loc n
    add
    ret
",
    );
    let mut state = MemoryState::new();
    state.insert_module(module(&text)).unwrap();
    let some = |n: u64| [vec![1], vec![9; 30 * 32 * 32], n.to_le_bytes().to_vec()].concat();
    let key = resource("0xb", "0x42::huge::T");
    state.insert(key, [vec![0], some(5), vec![0]].concat());
    let owner = [vec![0; 31], vec![0xb]].concat();
    let call = call("0x42::huge", "change", &[], vec![owner]);
    for backend in [Backend::Native, Backend::Wasm] {
        for form in [0, EngineConfig::default().enum_inline_bytes] {
            let outcome = sandbox(backend, (true, true), form).execute(&call, &state);
            let outcome = outcome.unwrap();
            assert_eq!(number(&outcome), Some(11));
            let [(_, WriteOp::Modify(bytes))] = outcome.writes() else {
                panic!("{:?}", outcome.writes());
            };
            assert!(*bytes == [vec![0], some(5), some(6)].concat());
        }
        let outcome = sandbox(backend, (false, false), u32::MAX).execute(&call, &state);
        let TransactionOutcome::Kept(output) = outcome.unwrap() else {
            panic!("it executes up to there");
        };
        let Outcome::Failed(failure) = output.outcome else {
            panic!(
                "so large a value has no layout: what fails when code is lowered is a failure of its verification"
            );
        };
        assert_eq!(failure.status.name(), "VERIFICATION_ERROR");
    }
}
