//! What the sandbox itself costs: printed, and bounded generously in release builds.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Guest, arith, arith_state, output, reply, segment};
use monomove::{Engine, Limits, MemoryState, Sandbox};
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
    println!("add_u64, warm                      {add:?}");
    println!("empty guest (crossings alone)      {crossing:?}");
    if !cfg!(debug_assertions) {
        assert!(load < Duration::from_millis(5));
        assert!(crossing < Duration::from_micros(20));
    }
}
