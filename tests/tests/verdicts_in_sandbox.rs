//! Mutants of real modules through reader, verifier and linker in the sandbox: the verdicts are those of native code, none takes long, and the guest's memory stays
//! within a bound that leaves no room for growth.
//!
//! `MONOMOVE_MUTANTS` is the number of mutants, `MONOMOVE_MUTANTS_SEED` the first seed.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

use monomove::{Backend, Engine, EngineConfig, Limits, MemoryState, Sandbox, VerifyRequest};
use monomove_tests::mutants::{Originals, Random};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Mutants that are judged in one call.
const BATCH: usize = 100;
/// No batch may take longer, whatever else the machine under the test is doing.
const TOO_LONG: Duration = Duration::from_secs(60);
/// Memory of the guest: what its machine is given from the start, and a little for the modules at hand.
const GUEST_MEMORY: u64 = 64 << 20;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn sandbox(backend: Backend) -> Sandbox {
    let config = EngineConfig {
        limits: Limits {
            guest_memory_bytes: GUEST_MEMORY,
            watchdog_ms: TOO_LONG.as_millis() as u64,
            ..Limits::default()
        },
        backend,
        // A fault is the bug that is looked for.
        retry_faults: false,
        ..EngineConfig::default()
    };
    Sandbox::new(&Engine::with_config(config).unwrap())
}

#[test]
fn verdicts_are_those_of_native_code() {
    let originals = Originals::load().unwrap();
    let mut state = MemoryState::new();
    for bytes in &originals.binaries {
        state.insert_module(bytes.clone()).unwrap();
    }
    let count = setting("MONOMOVE_MUTANTS", 8_000);
    let first = setting("MONOMOVE_MUTANTS_SEED", 1);
    let (mut native, mut wasm) = (sandbox(Backend::Native), sandbox(Backend::Wasm));
    let mut verdicts: BTreeMap<String, u64> = BTreeMap::new();
    let (mut slowest, mut total) = (Duration::ZERO, 0);
    let mut seeds = first..first + count;
    loop {
        let batch: Vec<u64> = seeds.by_ref().take(BATCH).collect();
        let Some(from) = batch.first() else { break };
        let mutant =
            |seed: &u64| originals.renamed_mutant(&mut Random(seed.wrapping_mul(0x9e37_79b9)));
        let request = VerifyRequest {
            modules: batch.iter().filter_map(mutant).collect(),
            link: true,
        };
        let started = Instant::now();
        let judged = wasm.verify(&request, &state).unwrap().unwrap();
        let took = started.elapsed();
        slowest = slowest.max(took);
        assert!(took < TOO_LONG, "the batch from seed {from} takes {took:?}");
        let expected = native.verify(&request, &state).unwrap().unwrap();
        assert_eq!(judged, expected, "the batch from seed {from}");
        for verdict in judged {
            let status = verdict.map_or("ok".to_owned(), |failure| failure.status.to_string());
            *verdicts.entry(status).or_default() += 1;
            total += 1;
        }
    }
    println!("{total} mutants, the slowest batch of {BATCH} in {slowest:?}: {verdicts:#?}");
    assert!(verdicts.len() > 10 && verdicts["ok"] > 0);
}
