//! Parts of recordings: what a run shows when it is recorded piece by piece is what one recording of all of it shows.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a panic is the report"
)]

mod common;

use common::State;
use monomove_core::{
    Access, Call, CallOutput, FrameRef, Machine, MachineConfig, Replay, Trace, TraceLimits,
};
use monomove_tests::mutants::Originals;
use std::path::Path;
use std::time::Instant;

const ALL: TraceLimits = TraceLimits {
    steps: u32::MAX,
    bytes: u64::MAX,
    checkpoint_steps: 64,
    memory: true,
};

fn state() -> State {
    let mut state = State::default();
    let corpora = Originals::load().unwrap().binaries;
    corpora.into_iter().for_each(|bytes| state.add(bytes));
    let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/bench/bytecode/v8");
    for entry in std::fs::read_dir(bench).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "mv") {
            state.add(std::fs::read(path).unwrap());
        }
    }
    state
}

fn call(function: &str, argument: Option<u64>, gas_limit: u64) -> Call {
    let (module, name) = function.rsplit_once("::").unwrap();
    Call {
        module: module.parse().unwrap(),
        function: name.parse().unwrap(),
        ty_args: Vec::new(),
        signers: Vec::new(),
        args: argument.iter().map(|n| n.to_le_bytes().to_vec()).collect(),
        access: Access::Any,
        gas_limit,
        txn_hash: [0; 32],
    }
}

/// Programs with calls, vectors, structs, enums, function values and natives; one that fails in the middle, one that runs out of gas.
fn calls() -> Vec<Call> {
    let plenty = |function, n| call(&format!("0xcafe::{function}"), Some(n), u64::MAX);
    vec![
        plenty("bench::bench_fib", 9),
        plenty("bench::bench_sieve", 60),
        plenty("bench::bench_merge_sort", 24),
        plenty("bench::bench_bst", 12),
        plenty("bench::bench_sha3", 3),
        plenty("bench::bench_string", 3),
        plenty("bench::bench_mulmod_u256", 5),
        plenty("bench_closure::bench_closure_loop", 20),
        plenty("bench_enum::bench_enum_match", 20),
        call("0xcafe::bench::bench_fib", Some(12), 300_000),
        call("0xcafe::bench::bench_balls", None, u64::MAX),
    ]
}

/// The call stack with names instead of indices.
fn stack(trace: &Trace, frames: &[FrameRef]) -> Vec<(String, u16, u32)> {
    let named = |frame: &FrameRef| {
        let function = &trace.functions[frame.function as usize];
        (function.path(), frame.offset, frame.fp)
    };
    frames.iter().map(named).collect()
}

/// `a` and `b` but for zeros at the end.
fn same_but_for_zeros(a: &[u8], b: &[u8]) -> bool {
    let both = a.len().min(b.len());
    a[..both] == b[..both] && a[both..].iter().chain(&b[both..]).all(|&byte| byte == 0)
}

fn check(machine: &mut Machine, call: &Call, state: &mut State, plain: &CallOutput, size: u32) {
    let (output, whole) = machine.trace(call, state, &ALL);
    let (measured, steps) = machine.call_counting_steps(call, state);
    assert_eq!((&output, &measured), (plain, plain));
    assert_eq!(steps, whole.len() as u64);
    if whole.is_empty() {
        return;
    }
    let mut all = Replay::new(&whole).unwrap();
    let limits = TraceLimits { steps: size, ..ALL };
    for first in (0..whole.len() as u64).step_by(size as usize) {
        let part = machine.trace_part(call, state, first, &limits);
        let range = first as usize..(first as usize + part.len());
        assert_eq!(part.len(), (size as usize).min(whole.len() - range.start));
        assert_eq!(part.steps.offset, whole.steps.offset[range.clone()]);
        assert_eq!(part.steps.depth, whole.steps.depth[range.clone()]);
        assert_eq!(part.steps.gas, whole.steps.gas[range.clone()]);
        assert_eq!(part.steps.function, whole.steps.function[range.clone()]);
        for (index, function) in part.functions.iter().enumerate() {
            assert_eq!(function.path(), whole.functions[index].path());
        }
        let mut some = Replay::new(&part).unwrap();
        for step in range {
            all.seek(step).unwrap();
            let (ours, theirs) = (stack(&part, some.frames()), stack(&whole, all.frames()));
            assert_eq!(ours, theirs, "step {step}");
            assert_eq!(some.heap(), all.heap(), "step {step}");
            assert!(same_but_for_zeros(some.stack(), all.stack()), "step {step}");
            assert_eq!(
                part.events_of(step - first as usize).len(),
                whole.events_of(step).len(),
            );
            some.forward().unwrap();
        }
    }
    let beyond = machine.trace_part(call, state, whole.len() as u64, &limits);
    assert!(beyond.is_empty());
}

#[test]
fn parts_show_what_the_whole_shows() {
    let mut state = state();
    for call in calls() {
        let mut machine = Machine::new(MachineConfig::default());
        let plain = machine.call(&call, &mut state);
        for size in [1000, 61] {
            check(&mut machine, &call, &mut state, &plain, size);
        }
        assert_eq!(machine.call(&call, &mut state), plain);
    }
}

/// What recording costs, in times of a plain run: `cargo test --release -p monomove-core --test parts -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn recording_cost() {
    let mut state = state();
    let kernels = [
        ("bench::bench_fib", 21),
        ("bench::bench_sum_loop", 80_000),
        ("bench::bench_sieve", 30_000),
        ("bench::bench_merge_sort", 2_000),
        ("bench_enum::bench_enum_match", 10_000),
        ("bench_closure::bench_closure_loop", 20_000),
    ];
    for (function, n) in kernels {
        let call = call(&format!("0xcafe::{function}"), Some(n), u64::MAX);
        let mut machine = Machine::new(MachineConfig::default());
        let best = |work: &mut dyn FnMut()| {
            let times = (0..5).map(|_| {
                let start = Instant::now();
                work();
                start.elapsed()
            });
            times.min().unwrap().as_secs_f64() * 1e3
        };
        let steps = machine.call_counting_steps(&call, &mut state).1;
        let run = best(&mut || drop(machine.call(&call, &mut state)));
        let measure = best(&mut || drop(machine.call_counting_steps(&call, &mut state)));
        let part = TraceLimits { steps: 8192, ..ALL };
        let late = best(&mut || drop(machine.trace_part(&call, &mut state, steps * 9 / 10, &part)));
        let outline = TraceLimits {
            memory: false,
            ..ALL
        };
        let outline = best(&mut || drop(machine.trace_part(&call, &mut state, 0, &outline)));
        let whole = best(&mut || drop(machine.trace(&call, &mut state, &ALL)));
        println!(
            "{function:36} {steps:8} steps: run {run:.2} ms, measured {:.1}x, outline {:.1}x, whole {:.1}x, 8192 steps late {late:.2} ms",
            measure / run,
            outline / run,
            whole / run,
        );
    }
}
