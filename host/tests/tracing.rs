//! Recordings: through the library, and from the command line.

#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

mod cli_support;

use cli_support::{golden, monomove, scratch};
use monomove::{
    Access, Backend, Call, Engine, EngineConfig, Limits, MemoryState, Profile, ProfileFrame,
    Replay, Sandbox, StateKey, Trace, TraceEnd, TraceError, TraceLimits, TransactionOutcome,
};

/// A call of `0xcafe::recursion::<function>`.
fn recursion(function: &str, n: u64) -> Call {
    Call {
        module: "0xcafe::recursion".parse().unwrap(),
        function: function.parse().unwrap(),
        ty_args: vec![],
        signers: vec![],
        args: vec![n.to_le_bytes().to_vec()],
        access: Access::Any,
        gas_limit: 1_000_000_000_000,
        txn_hash: [7; 32],
    }
}

fn state() -> MemoryState {
    let key = StateKey::module("0xcafe::recursion".parse().unwrap());
    let bytes = std::fs::read(golden("bytecode/v8/recursion.mv")).unwrap();
    MemoryState::from_iter([(key, bytes)])
}

fn sandbox(backend: Backend, frame_stack_bytes: u32) -> Sandbox {
    let limits = Limits {
        frame_stack_bytes,
        ..Limits::default()
    };
    let config = EngineConfig {
        limits,
        backend,
        ..EngineConfig::default()
    };
    Sandbox::new(&Engine::with_config(config).unwrap())
}

fn trace(call: &Call, limits: TraceLimits) -> (TransactionOutcome, Trace) {
    let mut sandbox = sandbox(Backend::Wasm, 4 << 20);
    let plain = sandbox.execute(call, &state()).unwrap();
    let (outcome, trace) = sandbox.trace(call, &state(), &limits).unwrap();
    assert_eq!(outcome, plain);
    (outcome, trace.unwrap())
}

#[test]
fn any_step_can_be_reached_from_any_other() {
    let limits = TraceLimits {
        checkpoint_steps: 16,
        ..TraceLimits::default()
    };
    let (_, trace) = trace(&recursion("pushed", 20), limits);
    assert!(trace.checkpoints.len() > 4, "{}", trace.checkpoints.len());
    let mut forward = Replay::new(&trace).unwrap();
    let mut states = vec![];
    loop {
        states.push((forward.frames().to_vec(), forward.heap().to_vec()));
        if !forward.forward().unwrap() {
            break;
        }
    }
    let mut replay = Replay::new(&trace).unwrap();
    for n in 0..states.len() {
        let step = n * 37 % states.len();
        replay.seek(step).unwrap();
        let (frames, heap) = &states[step];
        assert_eq!((replay.frames(), replay.heap()), (&frames[..], &heap[..]));
    }
}

#[test]
fn values_are_where_the_trace_says() {
    let (_, trace) = trace(&recursion("fact", 5), TraceLimits::default());
    let mut replay = Replay::new(&trace).unwrap();
    let mut products = vec![];
    loop {
        let frame = *replay.frames().last().unwrap();
        let operands = replay.operands(&frame);
        let is_u64 = |ty: u32| trace.types[ty as usize] == "u64";
        if let [(a, x), (b, y)] = operands[..]
            && is_u64(a.ty)
            && is_u64(b.ty)
        {
            let value = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
            products.push((value(x), value(y)));
        }
        if !replay.forward().unwrap() {
            break;
        }
    }
    for operands in [(1, 1), (2, 1), (3, 2), (4, 6), (5, 24)] {
        assert!(products.contains(&operands), "{operands:?}: {products:?}");
    }
}

#[test]
fn limits_end_the_recording_and_not_the_run() {
    let call = recursion("fib", 12);
    for (limits, end) in [
        (
            TraceLimits {
                steps: 100,
                ..TraceLimits::default()
            },
            TraceEnd::Steps,
        ),
        (
            TraceLimits {
                bytes: 10_000,
                ..TraceLimits::default()
            },
            TraceEnd::Bytes,
        ),
    ] {
        let (outcome, trace) = trace(&call, limits);
        let output = outcome.success().unwrap();
        assert_eq!(trace.header.end, end);
        assert_eq!(trace.header.gas_used, output.gas_used);
        assert!((trace.len() as u64) < output.instructions);
        let mut replay = Replay::new(&trace).unwrap();
        let last = trace.checkpoints.last().unwrap();
        replay.seek(trace.len()).unwrap();
        assert_eq!(
            (last.step as usize, replay.step()),
            (trace.len(), trace.len())
        );
    }
}

/// Frames of the traced form are larger, and yet the stack overflows at the same call; where they really do not fit, the recording ends.
#[test]
fn the_frame_stack_overflows_where_it_does_without_tracing() {
    let (mut whole, mut cut, mut overflowed) = (0, 0, 0);
    for bytes in (64..8000).step_by(184) {
        let mut sandbox = sandbox(Backend::Native, bytes);
        for n in [3, 20, 60] {
            let call = recursion("down", n);
            let plain = sandbox.execute(&call, &state()).unwrap();
            let (outcome, trace) = sandbox
                .trace(&call, &state(), &TraceLimits::default())
                .unwrap();
            assert_eq!(outcome, plain, "{bytes} bytes, {n} calls");
            overflowed += u32::from(outcome.success().is_none());
            match trace.unwrap().header.end {
                TraceEnd::Frames => cut += 1,
                _ => whole += 1,
            }
        }
    }
    assert!(
        whole > 0 && cut > 0 && overflowed > 0,
        "{whole} {cut} {overflowed}"
    );
}

#[test]
fn a_profile_has_all_the_gas() {
    let limits = TraceLimits {
        memory: false,
        ..TraceLimits::default()
    };
    let (outcome, trace) = trace(&recursion("fib", 8), limits);
    let output = outcome.success().unwrap();
    let profile = Profile::of(&trace);
    assert_eq!(profile.gas(), output.gas_used);
    let instructions = profile
        .stacks
        .iter()
        .map(|(_, _, count)| count)
        .sum::<u64>();
    assert_eq!(instructions, output.instructions);
    for (stack, ..) in &profile.stacks {
        assert!(matches!(stack.last(), Some(ProfileFrame::Block(..))));
    }
    assert_eq!(Replay::new(&trace).unwrap_err(), TraceError::NoMemory);
}

#[test]
fn a_file_reads_back() {
    let file = scratch("trace").join("t.json");
    let (path, module) = (file.to_str().unwrap(), golden("bytecode/v8/recursion.mv"));
    for backend in [&[][..], &["--native"]] {
        let mut args = vec!["trace", &module, "--function", "0xcafe::recursion::fact"];
        args.extend(["--args", "u64:5", "-o", path]);
        args.extend(backend);
        let run = monomove(&args);
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(run.out.contains("calls 5"), "{}", run.out);
        let text = std::fs::read_to_string(path).unwrap();
        let trace: Trace = serde_json::from_str(&text).unwrap();
        assert!(run.out.contains(&format!("steps {}", trace.len())));
        let mut replay = Replay::new(&trace).unwrap();
        replay.seek(trace.len()).unwrap();
        assert_eq!(replay.heap(), trace.checkpoints.last().unwrap().heap);
    }
    let mut other: Trace = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    other.header.version += 1;
    assert!(matches!(Replay::new(&other), Err(TraceError::Version(..))));
}

#[test]
fn trace_has_a_summary_and_the_exit_code_of_the_call() {
    let module = golden("bytecode/v8/recursion.mv");
    let abort = [
        "trace",
        &module,
        "--function",
        "0xcafe::recursion::abort_at",
    ];
    let run = monomove(&[&abort[..], &["--args", "u64:3"]].concat());
    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
    assert!(run.out.contains("aborted with 77"), "{}", run.out);
    let json = monomove(
        &[
            &abort[..],
            &["--args", "u64:3", "--json", "--max-steps", "5"],
        ]
        .concat(),
    );
    let json = json.json_of_code(3);
    assert_eq!(json["schema"], "monomove.trace-summary/1");
    assert_eq!(
        (&json["summary"]["steps"], &json["summary"]["end"]),
        (&5.into(), &"steps".into())
    );
    let run = monomove(&["trace", &module, "--function", "0xcafe::recursion::nothing"]);
    assert!(run.code != 0 && run.out.is_empty() && !run.err.is_empty());
}

#[test]
fn profiles_in_both_formats() {
    let module = golden("bytecode/v8/recursion.mv");
    let call = [
        "profile",
        &module,
        "--function",
        "0xcafe::recursion::fib",
        "--args",
        "u64:4",
    ];
    let plain = monomove(&["run", &module, "--json", call[2], call[3], call[4], call[5]]).json();
    let folded = monomove(&call);
    assert_eq!(folded.code, 0, "{}", folded.err);
    let gas = folded.out.lines().map(|line| {
        let (stack, gas) = line.rsplit_once(' ').unwrap();
        assert!(stack.starts_with("0xcafe::recursion::fib;"), "{line}");
        assert!(stack.rsplit(';').next().unwrap().contains("fib#"), "{line}");
        gas.parse::<u64>().unwrap()
    });
    assert_eq!(Some(gas.sum()), plain["gas_used"].as_u64());
    let file = scratch("profile").join("p.json");
    let path = file.to_str().unwrap();
    let run = monomove(&[&call[..], &["--format", "speedscope", "-o", path]].concat());
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(
        json["$schema"],
        "https://www.speedscope.app/file-format-schema.json"
    );
    let profile = &json["profiles"][0];
    assert_eq!(profile["endValue"], plain["gas_used"]);
    let (samples, weights) = (&profile["samples"], &profile["weights"]);
    assert_eq!(
        samples.as_array().unwrap().len(),
        weights.as_array().unwrap().len()
    );
}
