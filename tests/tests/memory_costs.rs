//! What memory costs: collections, cached values, large transactions. Measured, so not run by default:
//! `cargo test --release -p monomove-tests --test memory_costs -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use monomove::{
    Access, AccountAddress, Backend, Call, Engine, EngineConfig, Limits, MemoryState, Sandbox,
    StateKey, TransactionOutcome,
};
use monomove_asm::{Options, Unit, assemble};

fn state() -> MemoryState {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("heap/heap.masm");
    let text = std::fs::read_to_string(path).unwrap();
    let options = Options {
        version: 8,
        ..Options::default()
    };
    let mut state = MemoryState::new();
    if let Ok(Unit::Module(module)) = assemble(&text, &options) {
        state.insert_module(module.serialize().unwrap()).unwrap();
    }
    state
}

fn call(function: &str, args: Vec<Vec<u8>>) -> Call {
    Call {
        module: "0x42::heap".parse().unwrap(),
        function: function.parse().unwrap(),
        ty_args: vec![],
        signers: vec![],
        args,
        access: Access::Entry,
        gas_limit: u64::MAX / 2,
        txn_hash: [0; 32],
    }
}

fn number(n: u64) -> Vec<u8> {
    n.to_le_bytes().to_vec()
}

fn sandbox(backend: Backend, heap_steps: [u32; 3]) -> Sandbox {
    let config = EngineConfig {
        limits: Limits {
            heap_steps,
            gas_per_transaction: u64::MAX / 2,
            ..Limits::default()
        },
        backend,
        ..EngineConfig::default()
    };
    Sandbox::new(&Engine::with_config(config).unwrap())
}

/// The shortest of some runs.
fn best(runs: u32, sandbox: &mut Sandbox, call: &Call, state: &MemoryState) -> Duration {
    let times = (0..runs).map(|_| {
        let start = Instant::now();
        let outcome = sandbox.execute(call, state).unwrap();
        let time = start.elapsed();
        assert!(
            matches!(&outcome, TransactionOutcome::Kept(_)) && outcome.success().is_some(),
            "{outcome:?}"
        );
        time
    });
    times.min().unwrap()
}

fn say(text: &str) {
    // Not `println!`: the test harness would keep that to itself.
    let _ = writeln!(std::io::stderr(), "{text}");
}

const DEFAULT_STEPS: [u32; 3] = [256 << 10, 1 << 20, 4 << 20];

#[test]
#[ignore = "measures time"]
fn collections_take_a_small_part_of_a_program_that_allocates() {
    let state = state();
    for backend in [Backend::Native, Backend::Wasm] {
        for live in [100, 500, 900, 3000, 20000] {
            let call = call("churn", vec![number(live), number(200_000)]);
            let mut small = sandbox(backend, DEFAULT_STEPS);
            let mut large = sandbox(backend, [8 << 20, 0, 0]);
            let (with, without) = (
                best(5, &mut small, &call, &state),
                best(5, &mut large, &call, &state),
            );
            let (s, l) = (small.figures().heap, large.figures().heap);
            let share = 1.0 - without.as_secs_f64() / with.as_secs_f64();
            say(&format!(
                "{backend:?}: alive {} of {} bytes, allocated {}: {} collections ({} in the large heap), {:.1} ms, share {:.1} %",
                s.live,
                s.size,
                s.allocated,
                s.collections,
                l.collections,
                with.as_secs_f64() * 1e3,
                share * 100.0
            ));
        }
    }
}

#[test]
#[ignore = "measures time"]
fn a_cached_value_is_read_in_less_than_a_microsecond() {
    let mut state = state();
    let address = |n: u64| {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&n.to_be_bytes());
        AccountAddress(bytes)
    };
    const COUNT: u64 = 1000;
    let mut blob = vec![0xe8, 0x07];
    blob.resize(2 + 1000, 7);
    for n in 0..COUNT {
        let tag = "0x42::heap::Blob".parse().unwrap();
        state.insert(StateKey::resource(address(n), tag), blob.clone());
    }
    let list = |count: u64| {
        let mut bytes = Vec::new();
        match count {
            0..128 => bytes.push(count as u8),
            _ => bytes.extend([count as u8 | 0x80, (count >> 7) as u8]),
        }
        (0..count).for_each(|n| bytes.extend(address(n).0));
        bytes
    };
    for backend in [Backend::Native, Backend::Wasm] {
        let mut sandbox = sandbox(backend, DEFAULT_STEPS);
        let all = call("read_all", vec![list(COUNT)]);
        let none = call("read_all", vec![list(0)]);
        let cold = best(1, &mut sandbox, &all, &state);
        let (warm, empty) = (
            best(30, &mut sandbox, &all, &state),
            best(30, &mut sandbox, &none, &state),
        );
        let each = |time: Duration| (time - empty).as_secs_f64() * 1e9 / COUNT as f64;
        say(&format!(
            "{backend:?}: a value of 1 KiB costs {:.0} ns when it is cached, {:.0} ns the first time",
            each(warm),
            each(cold)
        ));
    }
}

/// The median of some runs, each right after `before`.
fn right_after(
    mut before: impl FnMut(&mut Sandbox),
    sandbox: &mut Sandbox,
    call: &Call,
    state: &MemoryState,
) -> Duration {
    let times = (0..21).map(|_| {
        before(sandbox);
        best(1, sandbox, call, state)
    });
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// A large transaction leaves nothing that the next ones pay for; the one right after it finds the caches of the processor full of other
/// data, as after any work on so many bytes, in the sandbox or not.
#[test]
#[ignore = "measures time"]
fn a_transaction_after_a_large_one_costs_the_same() {
    let state = state();
    for backend in [Backend::Native, Backend::Wasm] {
        let mut sandbox = sandbox(backend, DEFAULT_STEPS);
        let small = call("churn", vec![number(20), number(200)]);
        let large = call("churn", vec![number(90_000), number(1)]);
        let before = best(200, &mut sandbox, &small, &state);
        let undisturbed = right_after(|_| (), &mut sandbox, &small, &state);
        let mut peak = 0;
        let run_large = |sandbox: &mut Sandbox| {
            best(1, sandbox, &large, &state);
            peak = sandbox.figures().heap.peak;
        };
        let first = right_after(run_large, &mut sandbox, &small, &state);
        let mut other = vec![0u64; peak as usize / 8];
        let sweep = |_: &mut Sandbox| other.iter_mut().for_each(|n| *n = n.wrapping_add(1));
        let swept = right_after(sweep, &mut sandbox, &small, &state);
        let after = best(200, &mut sandbox, &small, &state);
        let us = |time: Duration| time.as_secs_f64() * 1e6;
        say(&format!(
            "{backend:?}: {:.1} us before and {:.1} us after transactions of {peak} bytes; alone {:.1} us, right after one {:.1} us, right after \
             as many bytes were written elsewhere {:.1} us",
            us(before),
            us(after),
            us(undisturbed),
            us(first),
            us(swept)
        ));
    }
}
