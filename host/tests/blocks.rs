//! Blocks: what each transaction sees, what the block's change set is, and that nothing is applied before the commit.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Guest, arith, arith_state, natively, output, reply, segment, small};
use monomove::{
    Block, BlockExecutor, BlockOutput, CommitError, Engine, MemoryState, Sandbox, StateCommit,
    StateKey, StatusCode, TransactionOutcome, TypeTag, WriteOp, execute_block,
};

fn key(n: u8) -> StateKey {
    StateKey::Raw(vec![n])
}

/// A guest whose call creates key 1, or modifies it if it is there.
fn counter() -> Guest {
    let create = bcs::to_bytes(&output(vec![(key(1), WriteOp::Create(vec![1]))])).unwrap();
    let modify = bcs::to_bytes(&output(vec![(key(1), WriteOp::Modify(vec![2]))])).unwrap();
    Guest::calling(format!(
        "(if (result i64) (i64.lt_s (call $value (i32.const {}) (i32.const 3) (i32.const 0) (i32.const 8)) (i64.const 0))
            (then (i64.const {})) (else (i64.const {})))",
        segment(0),
        reply(segment(1), create.len()),
        reply(segment(2), modify.len()),
    ))
    .with_data([key(1).encode(), create, modify])
}

#[test]
fn each_transaction_sees_its_predecessors() {
    let engine = counter().engine();
    let block = Block::new(vec![arith("any", 0, 0); 2]);
    let mut state = MemoryState::new();
    let result = execute_block(&engine, &block, &state).unwrap();
    let kept = |op| TransactionOutcome::Kept(output(vec![(key(1), op)]));
    assert_eq!(
        result,
        BlockOutput {
            transactions: vec![
                kept(WriteOp::Create(vec![1])),
                kept(WriteOp::Modify(vec![2])),
            ],
            writes: vec![(key(1), WriteOp::Create(vec![2]))],
            cut_off: None,
        }
    );
    assert!(state.is_empty());
    state.commit(&result.writes).unwrap();
    assert_eq!(state.iter().count(), 1);
    let again = execute_block(&engine, &block, &state).unwrap();
    assert_eq!(again.writes, [(key(1), WriteOp::Modify(vec![2]))]);
}

#[test]
fn an_executor_gives_what_single_calls_give() {
    let engine = Engine::new(small()).unwrap();
    let state = arith_state();
    let calls = [
        arith("add_u64", 1, 2),
        arith("no_such_function", 1, 2),
        arith("add_u64", u64::MAX, 2),
    ];
    let block = Block::new(calls.clone());
    let mut executor = BlockExecutor::new(&engine);
    for _ in 0..2 {
        let result = executor.execute(&block, &state).unwrap();
        let singly = calls.iter().map(|call| natively(call, &state));
        assert_eq!(result.transactions, singly.collect::<Vec<_>>());
        assert!(result.writes.is_empty());
    }
}

#[test]
fn a_commit_is_all_or_nothing() {
    let mut state = MemoryState::from_iter([(key(1), vec![1])]);
    let create = |n| (key(n), WriteOp::Create(vec![9]));
    for (bad, error) in [
        (create(1), CommitError::Exists(Box::new(key(1)))),
        (
            (key(2), WriteOp::Modify(vec![])),
            CommitError::Missing(Box::new(key(2))),
        ),
        (
            (key(2), WriteOp::Delete),
            CommitError::Missing(Box::new(key(2))),
        ),
        (create(3), CommitError::Twice(Box::new(key(3)))),
    ] {
        let before: Vec<_> = state
            .clone()
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        assert_eq!(state.commit(&[create(3), bad]), Err(error));
        let after: Vec<_> = state.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        assert_eq!(after, before);
    }
    state
        .commit(&[create(3), (key(1), WriteOp::Delete)])
        .unwrap();
    let keys: Vec<_> = state.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(keys, [key(3)]);
}

#[test]
fn a_sandbox_serves_any_view_at_any_time() {
    let engine = Engine::new(small()).unwrap();
    let mut sandbox = Sandbox::new(&engine);
    let (with, without) = (arith_state(), MemoryState::new());
    let call = arith("add_u64", 1, 2);
    let expected = [&with, &without].map(|state| natively(&call, state));
    for _ in 0..3 {
        for (state, expected) in [&with, &without, &with.clone()].into_iter().zip([
            &expected[0],
            &expected[1],
            &expected[0],
        ]) {
            assert_eq!(sandbox.execute(&call, state).as_ref(), Ok(expected));
        }
    }
}

#[test]
fn type_arguments_without_a_byte_form_are_refused() {
    let engine = Engine::new(small()).unwrap();
    let mut call = arith("add_u64", 1, 2);
    let mut tag = TypeTag::U8;
    for _ in 0..1000 {
        tag = TypeTag::Vector(Box::new(tag));
    }
    call.ty_args.push(tag);
    let outcome = Sandbox::new(&engine)
        .execute(&call, &arith_state())
        .unwrap();
    assert_eq!(outcome, natively(&call, &arith_state()));
    assert!(matches!(
        outcome,
        TransactionOutcome::Discarded(failure) if failure.status == StatusCode::TYPE_TAG_LIMIT_EXCEEDED
    ));
}
