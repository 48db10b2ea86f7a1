//! Whatever breaks inside the sandbox: the process lives, the report is right, and the next transaction runs as if nothing had been.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Guest, arith, arith_state, natively, output, reply, segment, small};
use monomove::abi::InjectedFault;
use monomove::{
    Backend, Call, Engine, EngineConfig, FaultKind, HostError, Inspector, Sandbox, SandboxFault,
    StateError, StateKey, StateView, TransactionOutcome,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[test]
fn every_fault_is_reported_and_survived() {
    let engine = Engine::new(small()).unwrap();
    let mut sandbox = Sandbox::new(&engine);
    let (call, state) = (arith("add_u64", 2, 3), arith_state());
    let expected = natively(&call, &state);
    for (fault, kind, limit, message) in [
        (
            InjectedFault::Panic,
            FaultKind::Panic,
            None,
            "injected panic",
        ),
        (
            InjectedFault::Loop,
            FaultKind::Time,
            Some(("watchdog_ms", 100)),
            "too long",
        ),
        (
            InjectedFault::Memory,
            FaultKind::Memory,
            Some(("guest_memory_bytes", 32 << 20)),
            "asked for",
        ),
        (
            InjectedFault::Recursion,
            FaultKind::Stack,
            Some(("wasm_stack_bytes", 512 << 10)),
            "wasm stack",
        ),
        (
            InjectedFault::LargeFrames,
            FaultKind::Stack,
            Some(("guest_stack_bytes", 1 << 20)),
            "in its memory",
        ),
        (
            InjectedFault::Unreachable,
            FaultKind::Trap,
            None,
            "unreachable",
        ),
    ] {
        // Once in a fresh instance, once in a warm one.
        for _ in 0..2 {
            let report = sandbox.inject_fault(fault).unwrap();
            assert_eq!(report.kind, kind, "{fault:?}: {report}");
            let hit = report.limit.as_ref().map(|limit| (limit.name, limit.value));
            assert_eq!(hit, limit, "{fault:?}: {report}");
            assert!(report.message.contains(message), "{fault:?}: {report}");
            assert_eq!(sandbox.execute(&call, &state), Ok(expected.clone()));
        }
    }
}

#[test]
fn a_looping_sandbox_does_not_disturb_the_others() {
    let engine = Engine::new(small()).unwrap();
    let (call, state) = (arith("add_u64", 2, 3), arith_state());
    let expected = natively(&call, &state);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut sandbox = Sandbox::new(&engine);
                for _ in 0..3 {
                    let report = sandbox.inject_fault(InjectedFault::Loop).unwrap();
                    assert_eq!(report.kind, FaultKind::Time);
                }
            });
            scope.spawn(|| {
                let mut sandbox = Sandbox::new(&engine);
                for _ in 0..1000 {
                    assert_eq!(sandbox.execute(&call, &state), Ok(expected.clone()));
                }
            });
        }
    });
}

#[test]
fn the_watchdog_fires_in_time() {
    let engine = Engine::new(small()).unwrap();
    let mut sandbox = Sandbox::new(&engine);
    for _ in 0..3 {
        let start = Instant::now();
        sandbox.inject_fault(InjectedFault::Loop).unwrap();
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(100), "{took:?}");
        assert!(took < Duration::from_millis(1000), "{took:?}");
    }
}

#[test]
fn a_sandbox_moves_between_threads() {
    let engine = Engine::new(small()).unwrap();
    let (call, state) = (arith("add_u64", 2, 3), arith_state());
    let mut sandbox = Sandbox::new(&engine);
    let here = sandbox.execute(&call, &state).unwrap();
    let there = std::thread::spawn(move || sandbox.execute(&call, &state).unwrap());
    assert_eq!(there.join().unwrap(), here);
}

/// Shows a value under its key from the second look on.
struct Later(AtomicBool);

impl StateView for Later {
    fn get(&self, _: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        let seen = self.0.swap(true, Ordering::SeqCst);
        Ok(seen.then(|| [1].into()))
    }
}

/// A guest that breaks unless there is a value under a raw key.
fn picky() -> Guest {
    let key = StateKey::Raw(vec![1]).encode();
    let answer = bcs::to_bytes(&output(vec![])).unwrap();
    Guest::calling(format!(
        "(if (i64.lt_s (call $value (i32.const {}) (i32.const {}) (i32.const 0) (i32.const 8)) (i64.const 0))
            (then unreachable))
         i64.const {}",
        segment(0),
        key.len(),
        reply(segment(1), answer.len()),
    ))
    .with_data([key, answer])
}

#[derive(Default)]
struct Log(Vec<String>);

impl Inspector for Log {
    fn before_call(&mut self, _: &Call) {
        self.0.push("before".into());
    }
    fn after_call(&mut self, _: &Call, outcome: &TransactionOutcome) {
        let kept = matches!(outcome, TransactionOutcome::Kept(_));
        self.0.push(format!("after kept={kept}"));
    }
    fn on_fault(&mut self, fault: &SandboxFault, retry: bool) {
        self.0.push(format!("{} retry={retry}", fault.kind));
    }
}

#[test]
fn a_fault_is_tried_once_more_in_a_fresh_instance() {
    let mut sandbox = Sandbox::new(&picky().engine());
    let mut log = Log::default();
    let outcome = sandbox
        .execute_inspected(&arith("any", 0, 0), &Later(false.into()), &mut log)
        .unwrap();
    assert_eq!(outcome, TransactionOutcome::Kept(output(vec![])));
    assert_eq!(log.0, ["before", "trap retry=true", "after kept=true"]);
}

#[test]
fn a_second_fault_is_the_outcome() {
    let mut sandbox = Sandbox::new(&picky().engine());
    let mut log = Log::default();
    let empty = monomove::MemoryState::new();
    let outcome = sandbox
        .execute_inspected(&arith("any", 0, 0), &empty, &mut log)
        .unwrap();
    assert!(
        matches!(outcome, TransactionOutcome::SandboxFault(fault) if fault.kind == FaultKind::Trap)
    );
    assert_eq!(
        log.0,
        [
            "before",
            "trap retry=true",
            "trap retry=false",
            "after kept=false"
        ]
    );
}

#[test]
fn without_retry_the_first_fault_is_the_outcome() {
    let engine = Engine::with_config(EngineConfig {
        limits: small(),
        guest: Some(picky().wasm()),
        retry_faults: false,
        ..EngineConfig::default()
    })
    .unwrap();
    let outcome = Sandbox::new(&engine)
        .execute(&arith("any", 0, 0), &Later(false.into()))
        .unwrap();
    assert!(matches!(outcome, TransactionOutcome::SandboxFault(_)));
}

/// A store that is down.
struct Down;

impl StateView for Down {
    fn get(&self, _: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        Err(StateError::Unavailable("down".into()))
    }
}

#[test]
fn state_errors_reach_the_caller_typed() {
    let error = HostError::State(StateError::Unavailable("down".into()));
    let mut sandbox = Sandbox::new(&picky().engine());
    let call = arith("any", 0, 0);
    assert_eq!(sandbox.execute(&call, &Down), Err(error));
    // And the sandbox goes on.
    let later = Later(true.into());
    assert!(matches!(
        sandbox.execute(&call, &later),
        Ok(TransactionOutcome::Kept(_))
    ));
}

/// A store with a bug.
struct Panics;

impl StateView for Panics {
    fn get(&self, _: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        panic!("a bug of the embedder")
    }
}

#[test]
fn a_panic_of_the_view_goes_through_to_its_owner() {
    let mut sandbox = Sandbox::new(&picky().engine());
    let call = arith("any", 0, 0);
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        sandbox.execute(&call, &Panics)
    }));
    assert!(unwound.is_err());
    assert!(matches!(
        sandbox.execute(&call, &Later(true.into())),
        Ok(TransactionOutcome::Kept(_))
    ));
}

#[test]
fn the_native_backend_has_nothing_to_break() {
    let engine = Engine::with_config(EngineConfig {
        backend: Backend::Native,
        ..EngineConfig::default()
    })
    .unwrap();
    assert_eq!(
        Sandbox::new(&engine).inject_fault(InjectedFault::Panic),
        Err(HostError::NotSandboxed)
    );
}
