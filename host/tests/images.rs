//! Images: workers that start from one give the results of workers that start from nothing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{arith, arith_state, natively, small};
use monomove::abi::InjectedFault;
use monomove::{
    Access, Backend, Call, Engine, EngineConfig, ImageBuilder, LoadRequest, MemoryState, Outcome,
    Sandbox, TransactionOutcome,
};
use monomove_asm::{Options, Unit, assemble};

fn engine() -> Engine {
    Engine::with_config(EngineConfig {
        limits: small(),
        hash_seed: Some(7),
        ..EngineConfig::default()
    })
    .unwrap()
}

fn calls() -> Vec<Call> {
    vec![
        arith("add_u64", 1, 2),
        arith("mul_u64", 1, 2),
        arith("sub_u64", 1, 2),
        arith("nothing_of_that_name", 1, 2),
    ]
}

/// Runs calls, and what had to be lowered for them.
fn run(
    sandbox: &mut Sandbox,
    calls: &[Call],
    state: &MemoryState,
) -> (Vec<TransactionOutcome>, Vec<LoadRequest>) {
    let outcomes = calls
        .iter()
        .map(|call| sandbox.execute(call, state).unwrap());
    let outcomes = outcomes.collect();
    (outcomes, sandbox.take_load_requests())
}

#[test]
fn a_block_after_a_restore_is_one_without() {
    let (engine, state) = (engine(), arith_state());
    let mut cold = Sandbox::new(&engine);
    let (expected, requests) = run(&mut cold, &calls(), &state);
    assert_eq!(requests.len(), 3, "{requests:?}");
    assert!(cold.take_load_requests().is_empty());

    let mut builder = ImageBuilder::new(&engine);
    let image = builder.update(requests.clone(), false, &state).unwrap();
    let image = image.unwrap();
    assert_eq!(image.functions().len(), 3);
    assert!(image.stats().functions >= 3 && image.bytes() > 0);

    let mut warm = [Sandbox::new(&engine), Sandbox::new(&engine)];
    for sandbox in &mut warm {
        sandbox.restore(&image);
        let (outcomes, fresh) = run(sandbox, &calls(), &state);
        assert_eq!(outcomes, expected);
        assert!(fresh.is_empty(), "lowered again: {fresh:?}");
        // What it adds stays its own.
        let (_, fresh) = run(sandbox, &[arith("div_u64", 4, 2)], &state);
        assert_eq!(fresh.len(), 1);
    }
    // An instance that broke starts from the image again.
    warm[0].inject_fault(InjectedFault::Panic).unwrap();
    let (outcomes, fresh) = run(&mut warm[0], &calls(), &state);
    assert_eq!(outcomes, expected);
    assert!(fresh.is_empty());

    // Nothing new: the same image. Something new: an image with both.
    let same = builder.update(requests, false, &state).unwrap().unwrap();
    assert!(std::sync::Arc::ptr_eq(&same, &image));
    let (_, fresh) = run(&mut warm[1], &[arith("mod_u64", 4, 3)], &state);
    let next = builder.update(fresh, false, &state).unwrap().unwrap();
    assert_eq!(next.functions().len(), 4);
    warm[1].restore(&next);
    let (_, fresh) = run(&mut warm[1], &[arith("mod_u64", 4, 3)], &state);
    assert!(fresh.is_empty());
}

/// A module `0xcafe::arith` whose `add_u64` returns a constant.
fn constant(value: u64) -> MemoryState {
    let text = format!(
        "module 0xcafe::arith\npublic fun add_u64(a: u64, b: u64): u64\n    ld_u64 {value}\n    ret\n"
    );
    let Ok(Unit::Module(module)) = assemble(&text, &Options::default()) else {
        panic!("not a module");
    };
    let mut state = MemoryState::new();
    state.insert_module(module.serialize().unwrap()).unwrap();
    state
}

#[test]
fn changed_code_makes_a_new_image_and_old_images_stay_right() {
    let engine = engine();
    let (old, new) = (constant(1), constant(2));
    let call = [Call {
        access: Access::Any,
        ..arith("add_u64", 0, 0)
    }];
    let value = |outcomes: &[TransactionOutcome]| match &outcomes[0] {
        TransactionOutcome::Kept(output) => match &output.outcome {
            Outcome::Returned { values, .. } => values[0].bcs[0],
            Outcome::Failed(failure) => panic!("{failure:?}"),
        },
        other => panic!("{other:?}"),
    };
    let mut sandbox = Sandbox::new(&engine);
    let (_, requests) = run(&mut sandbox, &call, &old);
    let mut builder = ImageBuilder::new(&engine);
    let image = builder.update(requests, false, &old).unwrap().unwrap();
    sandbox.restore(&image);
    // An image of the old code on the state with the new code, and back.
    assert_eq!(value(&run(&mut sandbox, &call, &new).0), 2);
    assert_eq!(value(&run(&mut sandbox, &call, &old).0), 1);
    let next = builder.update([], true, &new).unwrap().unwrap();
    assert_eq!(next.functions().len(), 1);
    // What belonged to the old code is gone.
    assert!(next.bytes() <= image.bytes() + 4096);
    sandbox.restore(&next);
    let (outcomes, fresh) = run(&mut sandbox, &call, &new);
    assert_eq!(value(&outcomes), 2);
    assert!(fresh.is_empty());
    assert_eq!(value(&run(&mut sandbox, &call, &old).0), 1);
    // Functions that are gone are passed over.
    let empty = builder.update([], true, &MemoryState::new()).unwrap();
    sandbox.restore(&empty.unwrap());
    assert_eq!(value(&run(&mut sandbox, &call, &new).0), 2);
}

#[test]
fn images_of_other_engines_and_of_the_native_backend() {
    let state = arith_state();
    let (one, other) = (engine(), engine());
    let (_, requests) = run(&mut Sandbox::new(&one), &calls(), &state);
    let mut builder = ImageBuilder::new(&one);
    let image = builder.update(requests.clone(), false, &state).unwrap();
    let mut sandbox = Sandbox::new(&other);
    sandbox.restore(&image.unwrap());
    let call = arith("add_u64", 1, 2);
    let (outcomes, fresh) = run(&mut sandbox, std::slice::from_ref(&call), &state);
    assert_eq!(outcomes, [natively(&call, &state)]);
    assert_eq!(fresh.len(), 1, "an image of another engine is not used");
    let native = Engine::with_config(EngineConfig {
        backend: Backend::Native,
        ..EngineConfig::default()
    })
    .unwrap();
    let made = ImageBuilder::new(&native)
        .update(requests, true, &state)
        .unwrap();
    assert!(made.is_none());
}
