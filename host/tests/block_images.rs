//! What workers of blocks share: blocks whose workers start from images, and copy values that others decoded, give what they give without.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod common;

use common::transaction;
use monomove::{
    Access, AccountAddress, Backend, Block, BlockConfig, BlockExecutor, BlockTransaction, Call,
    Engine, EngineConfig, Genesis, Limits, MemoryState, StateCommit, StateKey, TransactionPayload,
};
use monomove_asm::{Options, Unit, assemble};
use std::fmt::Write;
use std::time::Instant;

const ACCOUNTS: u64 = 12;
const FUNCTIONS: u64 = 24;

fn address(n: u64) -> AccountAddress {
    format!("0xa{n:02}").parse().unwrap()
}

fn engine() -> Engine {
    Engine::with_config(EngineConfig {
        limits: Limits {
            guest_memory_bytes: 64 << 20,
            ..Limits::default()
        },
        ..EngineConfig::default()
    })
    .unwrap()
}

/// A module `0xa00::m` with a resource and functions that change it in a way that depends on the version.
fn module(version: u64) -> Vec<u8> {
    let mut text = "module 0xa00::m\n\
        struct R has key\n    n: u64\n    items: vector<u64>\n\
        entry public fun make(s: &signer)\n    move_loc s\n    ld_u64 1\n    vec_pack<u64>, 0\n    pack R\n    move_to R\n    ret\n"
        .to_owned();
    for k in 0..FUNCTIONS {
        write!(
            text,
            "entry public fun f{k}(at: address) acquires R\n    local r: &mut u64\n    move_loc at\n    mut_borrow_global R\n    \
             mut_borrow_field R, n\n    st_loc r\n    copy_loc r\n    read_ref\n    ld_u64 {}\n    add\n    move_loc r\n    write_ref\n    ret\n",
            100 * version + k
        )
        .unwrap();
    }
    let options = Options {
        version: 8,
        ..Options::default()
    };
    match assemble(&text, &options) {
        Ok(Unit::Module(module)) => module.serialize().unwrap(),
        Ok(_) => panic!("not a module"),
        Err(errors) => panic!("{errors:?}"),
    }
}

/// Sends transactions, each with the next sequence number of its sender.
#[derive(Default)]
struct Users([u64; ACCOUNTS as usize]);

impl Users {
    fn send(&mut self, from: u64, payload: TransactionPayload) -> BlockTransaction {
        let sender = address(from);
        let sequence_number = self.0[from as usize];
        self.0[from as usize] += 1;
        transaction(sender, sequence_number, payload)
            .sealed()
            .into()
    }

    fn call(&mut self, from: u64, function: &str, args: Vec<Vec<u8>>) -> BlockTransaction {
        let payload = TransactionPayload::EntryFunction {
            module: "0xa00::m".parse().unwrap(),
            function: function.parse().unwrap(),
            ty_args: vec![],
            args,
        };
        self.send(from, payload)
    }

    /// Calls of `functions`, spread over the accounts.
    fn calls(&mut self, functions: impl Iterator<Item = u64>) -> Vec<BlockTransaction> {
        functions
            .map(|k| {
                let to = address((k * 5 + 3) % ACCOUNTS).0.to_vec();
                self.call(k % (ACCOUNTS - 1) + 1, &format!("f{k}"), vec![to])
            })
            .collect()
    }
}

/// Blocks that use more and more functions, two of which are upgraded: once in a block of their own, once in the middle of calls.
fn blocks() -> Vec<Block> {
    let users = &mut Users::default();
    let publish = |users: &mut Users, version| {
        users.send(0, TransactionPayload::Modules(vec![module(version)]))
    };
    let mut blocks = vec![vec![publish(users, 1)]];
    blocks.push(
        (0..ACCOUNTS)
            .map(|n| users.call(n, "make", vec![]))
            .collect(),
    );
    for end in [2, 3, 20, FUNCTIONS] {
        blocks.push(users.calls((0..end).chain(0..end)));
    }
    blocks.push(vec![publish(users, 2)]);
    blocks.push(users.calls((0..FUNCTIONS).chain(0..FUNCTIONS)));
    let mut middle = users.calls(0..FUNCTIONS);
    middle.push(publish(users, 3));
    middle.extend(users.calls(0..FUNCTIONS));
    blocks.push(middle);
    for _ in 0..2 {
        blocks.push(users.calls((0..FUNCTIONS).chain(0..FUNCTIONS)));
    }
    blocks.into_iter().map(Block::new).collect()
}

fn genesis(engine: &Engine) -> MemoryState {
    let genesis = Genesis {
        accounts: (0..ACCOUNTS).map(|n| (address(n), 1_000_000_000)).collect(),
        ..Genesis::default()
    };
    genesis.state(engine).unwrap()
}

fn config(workers: usize) -> BlockConfig {
    BlockConfig {
        workers,
        ..BlockConfig::default()
    }
}

#[test]
fn blocks_on_images_are_blocks_without() {
    let engine = engine();
    let mut state = genesis(&engine);
    let mut executors: Vec<_> = [0, 1, 2, 3, 5, 8]
        .map(|workers| BlockExecutor::with_config(&engine, config(workers)))
        .into();
    for (number, block) in blocks().iter().enumerate() {
        // What has nothing from before starts from nothing.
        let mut cold = BlockExecutor::new(&engine);
        let expected = cold.execute(block, &state).unwrap();
        for outcome in &expected.transactions {
            assert!(outcome.success().is_some(), "block {number}: {outcome:?}");
        }
        for executor in &mut executors {
            let output = executor.execute(block, &state).unwrap();
            assert_eq!(output.hash(), expected.hash(), "block {number}");
            assert_eq!(output, expected);
        }
        assert_eq!(cold.metrics().images_built, 0);
        state.commit(&expected.writes).unwrap();
    }
    for executor in &executors {
        let metrics = executor.metrics();
        assert!(metrics.images_built >= 4, "{metrics:?}");
        // Changed code takes warm workers along.
        assert!(metrics.workers_restored >= 1, "{metrics:?}");
        assert_eq!((metrics.fallbacks, metrics.unsound), (0, 0));
    }
    // Nothing new: nothing made.
    let last = &mut executors[2];
    let before = *last.metrics();
    let block = Block::new(Vec::<BlockTransaction>::new());
    for _ in 0..3 {
        last.execute(&block, &state).unwrap();
    }
    let after = last.metrics();
    assert_eq!(
        (before.images_built, before.workers_restored),
        (after.images_built, after.workers_restored)
    );
}

/// What the start of a block costs when nothing is new: that of an empty block, which has no work for its workers.
#[test]
fn a_block_without_news_starts_at_once() {
    let engine = engine();
    let mut state = genesis(&engine);
    let mut executor = BlockExecutor::with_config(&engine, config(0));
    for block in blocks().iter().take(6) {
        let output = executor.execute(block, &state).unwrap();
        state.commit(&output.writes).unwrap();
    }
    let empty = Block::new(Vec::<BlockTransaction>::new());
    executor.execute(&empty, &state).unwrap();
    let made = executor.metrics().images_built;
    let times = (0..1000).map(|_| {
        let start = Instant::now();
        executor.execute(&empty, &state).unwrap();
        start.elapsed()
    });
    let best = times.min().unwrap();
    println!("an empty block on a warm executor  {best:?}");
    assert_eq!(executor.metrics().images_built, made);
    if !cfg!(debug_assertions) {
        assert!(best.as_micros() <= 20, "{best:?}");
    }
}

/// Each of some values is read and changed by several transactions.
#[test]
fn a_large_value_is_decoded_once_in_a_block() {
    let items: Vec<_> = (0..300u64).flat_map(u64::to_le_bytes).collect();
    let value = [&1u64.to_le_bytes()[..], &[0xac, 0x02], &items].concat();
    let mut state = MemoryState::new();
    state.insert_module(module(1)).unwrap();
    for n in 0..ACCOUNTS {
        let tag = "0xa00::m::R".parse().unwrap();
        state.insert(StateKey::resource(address(n), tag), value.clone());
    }
    let calls = (0..4 * ACCOUNTS).map(|n| Call {
        module: "0xa00::m".parse().unwrap(),
        function: format!("f{}", n % FUNCTIONS).parse().unwrap(),
        ty_args: vec![],
        signers: vec![],
        args: vec![address(n * 5 % ACCOUNTS).0.to_vec()],
        access: Access::Any,
        gas_limit: 1_000_000_000,
        txn_hash: [0; 32],
    });
    let block = Block::new(calls);
    let native = Engine::with_config(EngineConfig {
        backend: Backend::Native,
        ..EngineConfig::default()
    })
    .unwrap();
    for engine in [engine(), native] {
        let expected = BlockExecutor::new(&engine).execute(&block, &state).unwrap();
        assert_eq!(expected.writes.len() as u64, ACCOUNTS);
        for workers in [0, 1, 2, 4, 8] {
            let mut executor = BlockExecutor::with_config(&engine, config(workers));
            assert_eq!(executor.execute(&block, &state).unwrap(), expected);
            let metrics = *executor.metrics();
            assert_eq!(metrics.flat_values_decoded, ACCOUNTS, "{metrics:?}");
            assert!(metrics.flat_values_used >= 3 * ACCOUNTS, "{metrics:?}");
            assert!(metrics.flat_values_written >= 4 * ACCOUNTS, "{metrics:?}");
            // The next block has them already.
            assert_eq!(executor.execute(&block, &state).unwrap(), expected);
            assert_eq!(executor.metrics().flat_values_decoded, ACCOUNTS);
        }
    }
}
