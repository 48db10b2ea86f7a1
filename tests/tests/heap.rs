//! The programs in `heap/heap.masm` at many heap limits: collecting always or only when it must be, traced or not, with or without run-time
//! checks, natively or in the sandbox, each ends the same way, at the same instruction, for the same gas.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

use std::path::Path;

use monomove::{
    Access, AccountAddress, Backend, Call, Engine, EngineConfig, Limits, MemoryState, Outcome,
    Replay, Sandbox, StateKey, Trace, TraceEvent, TraceLimits, TransactionOutcome,
};
use monomove_asm::{Options, Unit, assemble};

/// Heap limits in bytes: from too little for anything to enough for everything.
const HEAPS: [u32; 12] = [
    0,
    64,
    200,
    512,
    1000,
    1 << 11,
    3000,
    5000,
    1 << 13,
    20_000,
    1 << 16,
    1 << 18,
];

fn module() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("heap/heap.masm");
    let text = std::fs::read_to_string(path).unwrap();
    let options = Options {
        version: 8,
        ..Options::default()
    };
    match assemble(&text, &options) {
        Ok(Unit::Module(module)) => module.serialize().unwrap(),
        Ok(Unit::Script(_)) => panic!("a module was assembled as a script"),
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

/// A `Store` of one pair.
fn stored() -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.extend(7u64.to_le_bytes());
    bytes.push(3);
    (1..=3u64).for_each(|n| bytes.extend(n.to_le_bytes()));
    bytes
}

fn state() -> MemoryState {
    let mut state = MemoryState::new();
    state.insert_module(module()).unwrap();
    let tag = "0x42::heap::Store".parse().unwrap();
    let key = StateKey::resource("0xb".parse().unwrap(), tag);
    state.insert(key, stored());
    state
}

fn number(n: u64) -> Vec<u8> {
    n.to_le_bytes().to_vec()
}

fn calls() -> Vec<Call> {
    let call = |function: &str, signers: &[&str], args: Vec<Vec<u8>>| Call {
        module: "0x42::heap".parse().unwrap(),
        function: function.parse().unwrap(),
        ty_args: vec![],
        signers: signers.iter().map(|s| s.parse().unwrap()).collect(),
        args,
        access: Access::Any,
        gas_limit: 200_000_000,
        txn_hash: [0; 32],
    };
    let owner = "0xb".parse::<AccountAddress>().unwrap().0.to_vec();
    let mut nested = vec![2, 3];
    (1..=3u64).for_each(|n| nested.extend(number(n)));
    nested.push(0);
    vec![
        call("churn", &[], vec![number(5), number(40)]),
        call("churn", &[], vec![number(20), number(100)]),
        call("hoard", &[], vec![]),
        call("grow", &[], vec![]),
        call("grow_two", &[], vec![]),
        call("copies", &[], vec![]),
        call("interior", &[], vec![number(40)]),
        call("orphan", &[], vec![vec![0], number(30)]),
        call("orphan", &[], vec![vec![1], number(30)]),
        call("orphan_local", &[], vec![vec![0], number(30)]),
        call("orphan_local", &[], vec![vec![1], number(30)]),
        call("assign", &[], vec![number(60)]),
        call("operands", &[], vec![number(20)]),
        call("recurse", &[], vec![number(30)]),
        call("shapes", &[], vec![number(20)]),
        call("closures", &[], vec![number(20)]),
        call("global", &["0xa"], vec![number(8)]),
        call("stored", &[], vec![owner, number(30)]),
        call("parameters", &[], vec![nested, number(30)]),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Mode {
    backend: Backend,
    paranoid: bool,
    gc_stress: bool,
    enum_inline_bytes: u32,
}

impl Mode {
    /// Natively, without anything added.
    fn plain(enum_inline_bytes: u32) -> Self {
        Self {
            backend: Backend::Native,
            paranoid: false,
            gc_stress: false,
            enum_inline_bytes,
        }
    }

    fn sandbox(self, heap_bytes: u32) -> Sandbox {
        let limits = Limits {
            heap_bytes,
            heap_steps: [1 << 10, 1 << 12, 1 << 14],
            ..Limits::default()
        };
        let config = EngineConfig {
            limits,
            backend: self.backend,
            paranoid: self.paranoid,
            gc_stress: self.gc_stress,
            enum_inline_bytes: self.enum_inline_bytes,
            ..EngineConfig::default()
        };
        Sandbox::new(&Engine::with_config(config).unwrap())
    }
}

/// All modes with one form of enums.
fn modes(enum_inline_bytes: u32) -> impl Iterator<Item = Mode> {
    [Backend::Native, Backend::Wasm]
        .into_iter()
        .flat_map(move |backend| {
            [(false, false), (false, true), (true, false), (true, true)].map(
                move |(paranoid, gc_stress)| Mode {
                    backend,
                    paranoid,
                    gc_stress,
                    enum_inline_bytes,
                },
            )
        })
}

/// Every program at one heap limit in a mode: what all others must come to.
fn expected(state: &MemoryState, mode: Mode, heap: u32) -> Vec<TransactionOutcome> {
    let mut sandbox = mode.sandbox(heap);
    let outcomes = calls()
        .into_iter()
        .map(|call| sandbox.execute(&call, state));
    outcomes.map(Result::unwrap).collect()
}

#[test]
fn the_heap_runs_out_at_the_same_instruction_in_every_mode() {
    let state = state();
    let (mut returned, mut ran_out) = (0, 0);
    // Every enum inline, and every enum an object: the heap runs out elsewhere, but in each at the same instruction in every mode.
    let runs = [u32::MAX, 0]
        .into_iter()
        .flat_map(|e| HEAPS.map(|h| (e, h)));
    for (enum_inline_bytes, heap) in runs {
        let expected = expected(&state, Mode::plain(enum_inline_bytes), heap);
        for mode in modes(enum_inline_bytes) {
            let mut sandbox = mode.sandbox(heap);
            for (call, expected) in calls().iter().zip(&expected) {
                let name = call.function.as_str();
                let plain = sandbox.execute(call, &state).unwrap();
                assert_eq!(plain, *expected, "{name}, heap {heap}, {mode:?}");
                let (traced, _) = sandbox.trace(call, &state, &limits()).unwrap();
                assert_eq!(traced, *expected, "{name}, heap {heap}, {mode:?}, traced");
            }
        }
        for outcome in expected {
            match outcome {
                TransactionOutcome::Kept(output) => match output.outcome {
                    Outcome::Returned { .. } => returned += 1,
                    Outcome::Failed(failure) if failure.status.name() == "OUT_OF_GAS" => {}
                    Outcome::Failed(failure) => {
                        assert_eq!(failure.status.name(), "MEMORY_LIMIT_EXCEEDED");
                        assert!(failure.offset.is_some());
                        ran_out += 1;
                    }
                },
                TransactionOutcome::Discarded(failure) => {
                    assert_eq!(failure.status.name(), "MEMORY_LIMIT_EXCEEDED");
                }
                TransactionOutcome::SandboxFault(fault) => panic!("{fault}"),
            }
        }
    }
    assert!(returned > 60 && ran_out > 60, "{returned}, {ran_out}");
}

fn limits() -> TraceLimits {
    TraceLimits {
        checkpoint_steps: 16,
        bytes: 16 << 20,
        ..TraceLimits::default()
    }
}

/// Whether going from checkpoint to checkpoint, either way, gives the same memory.
fn replays(trace: &Trace) {
    let mut replay = Replay::new(trace).unwrap();
    for checkpoint in &trace.checkpoints {
        while replay.step() < checkpoint.step as usize {
            replay.forward().unwrap();
        }
        assert_eq!(replay.heap(), checkpoint.heap, "step {}", checkpoint.step);
    }
    for checkpoint in trace.checkpoints.iter().rev() {
        while replay.step() > checkpoint.step as usize {
            replay.back().unwrap();
        }
        assert_eq!(replay.heap(), checkpoint.heap, "step {}", checkpoint.step);
    }
}

#[test]
fn collections_are_recorded_and_change_no_digest() {
    let state = state();
    let run = |heap, gc_stress| {
        let mode = Mode {
            gc_stress,
            ..Mode::plain(0)
        };
        let mut sandbox = mode.sandbox(heap);
        let call = &calls()[1];
        let (_, trace) = sandbox.trace(call, &state, &limits()).unwrap();
        trace.unwrap()
    };
    let collections = |trace: &Trace| {
        let events = (0..trace.events.len()).filter_map(|row| trace.events.at(row));
        events
            .filter(|event| matches!(event, TraceEvent::Collect { .. }))
            .count()
    };
    let (few, some, often) = (run(1 << 18, false), run(1 << 13, false), run(1 << 18, true));
    assert!((1..5).contains(&collections(&few)));
    assert!((5..50).contains(&collections(&some)));
    assert!(collections(&often) > 100);
    for trace in [&few, &some, &often] {
        replays(trace);
        assert_eq!(trace.digest().unwrap(), few.digest().unwrap());
    }
}

#[test]
fn values_are_decoded_once_while_they_stay_the_same() {
    for backend in [Backend::Native, Backend::Wasm] {
        let mode = Mode {
            backend,
            ..Mode::plain(0)
        };
        let mut sandbox = mode.sandbox(1 << 18);
        let mut state = state();
        let call = calls()
            .into_iter()
            .find(|call| call.function.as_str() == "stored")
            .unwrap();
        let first = sandbox.execute(&call, &state).unwrap();
        for hits in 1..4 {
            assert_eq!(sandbox.execute(&call, &state).unwrap(), first);
            let values = sandbox.figures().values;
            assert_eq!((values.decoded, values.values, values.hits), (1, 1, hits));
        }
        // Other bytes under the same key, then the old ones again.
        let tag = "0x42::heap::Store".parse().unwrap();
        let key = StateKey::resource("0xb".parse().unwrap(), tag);
        let mut other = stored();
        other[10] = 100;
        state.insert(key.clone(), other);
        let second = sandbox.execute(&call, &state).unwrap();
        assert_ne!(second, first);
        assert_eq!(
            mode.sandbox(1 << 18).execute(&call, &state).unwrap(),
            second
        );
        assert_eq!(sandbox.figures().values.decoded, 2);
        state.insert(key.clone(), stored());
        assert_eq!(sandbox.execute(&call, &state).unwrap(), first);
        state.remove(&key);
        assert_ne!(sandbox.execute(&call, &state).unwrap(), first);
    }
}
