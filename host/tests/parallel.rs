//! Blocks on the real machine, by any number of workers: outputs are those of one transaction after the other, byte for byte.
//!
//! `cargo test --release -p monomove --test parallel -- --ignored --nocapture` measures what the workers gain and cost.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test code: a panic is the report"
)]

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use monomove::abi::InjectedFault;
use monomove::{
    Access, AccountAddress, Backend, Block, BlockConfig, BlockExecutor, BlockInspector,
    BlockLimits, BlockTransaction, Call, CutOff, CutOffReason, Engine, EngineConfig, HostError,
    Limits, Lineage, MemoryState, NoBlockInspector, NoInspector, Sandbox, StateCommit, StateView,
    TransactionOutcome, TransactionRunner, run_in_parallel,
};
use proptest::prelude::*;

fn engine(backend: Backend) -> Engine {
    Engine::with_config(EngineConfig {
        backend,
        limits: Limits {
            guest_memory_bytes: 96 << 20,
            ..Limits::default()
        },
        ..EngineConfig::default()
    })
    .unwrap()
}

fn address(n: u64) -> AccountAddress {
    let mut bytes = [0; 32];
    bytes[0] = 0xa;
    bytes[24..].copy_from_slice(&n.to_be_bytes());
    AccountAddress(bytes)
}

/// A call, its hash made of `number`.
fn call(function: &str, signer: AccountAddress, args: Vec<Vec<u8>>, number: u64) -> Call {
    let (module, name) = function.rsplit_once("::").unwrap();
    let mut txn_hash = [7; 32];
    txn_hash[..8].copy_from_slice(&number.to_le_bytes());
    Call {
        module: module.parse().unwrap(),
        function: name.parse().unwrap(),
        ty_args: vec![],
        signers: vec![signer],
        args,
        access: Access::Any,
        gas_limit: 1_000_000_000_000,
        txn_hash,
    }
}

fn u64_arg(n: u64) -> Vec<u8> {
    n.to_le_bytes().into()
}

/// Library, framework and examples, with this many accounts that have money, of which the even ones are customers of the bank.
fn world(accounts: u64) -> MemoryState {
    let mut state = MemoryState::new();
    for group in ["std", "framework", "examples"] {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/stdlib/bytecode/v8");
        for file in std::fs::read_dir(format!("{root}/{group}")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "mv") {
                state.insert_module(std::fs::read(path).unwrap()).unwrap();
            }
        }
    }
    let framework = AccountAddress::ONE;
    let mut calls = vec![call(
        "0x1::genesis::initialize",
        framework,
        vec![vec![4], u64_arg(1)],
        0,
    )];
    let owner: AccountAddress = "0xcafe".parse().unwrap();
    let all = (0..accounts).map(address);
    for account in all.clone().chain([owner]) {
        let args = vec![account.0.to_vec(), u64_arg(1_000_000)];
        calls.push(call(
            "0x1::genesis::create_account_with_balance",
            framework,
            args,
            1,
        ));
    }
    calls.push(call("0xcafe::bank::open_bank", owner, vec![], 2));
    for customer in all.step_by(2) {
        calls.push(call("0xcafe::bank::open_account", customer, vec![], 3));
        calls.push(call(
            "0xcafe::bank::deposit",
            customer,
            vec![u64_arg(1000)],
            4,
        ));
    }
    let count = calls.len();
    let mut executor = BlockExecutor::new(&engine(Backend::Native));
    let output = executor.execute(&Block::new(calls), &state).unwrap();
    let returned = output
        .transactions
        .iter()
        .filter(|one| one.success().is_some());
    assert_eq!(returned.count(), count);
    state.commit(&output.writes).unwrap();
    state
}

/// Something that an account does.
#[derive(Clone, Debug)]
struct Action {
    kind: u8,
    from: u64,
    to: u64,
    amount: u64,
}

impl Action {
    fn call(&self, number: u64) -> Call {
        let (from, to) = (address(self.from), address(self.to).0.to_vec());
        let amount = u64_arg(self.amount);
        let to_and_amount = vec![to.clone(), amount.clone()];
        let simple = |function: &str, args| call(function, from, args, number);
        match self.kind {
            0..=3 => simple("0xcafe::bank::transfer", to_and_amount),
            4 => simple("0xcafe::bank::deposit", vec![amount]),
            5 => simple("0xcafe::bank::withdraw", vec![amount]),
            6 => simple("0xcafe::bank::open_account", vec![]),
            7 => simple("0xcafe::bank::transfer_and_fail", to_and_amount),
            8 => simple("0x1::native_coin::transfer", to_and_amount),
            // To an account that may not exist yet.
            9 => simple(
                "0x1::native_coin::transfer",
                vec![address(1000 + self.to).0.to_vec(), u64_arg(1)],
            ),
            10 => simple("0xcafe::playground::create_counter", vec![amount]),
            11 => simple("0xcafe::playground::bump_counter", to_and_amount),
            12 => simple("0xcafe::playground::delete_counter", vec![]),
            13 => Call {
                gas_limit: self.amount * 3000,
                ..simple("0xcafe::bank::transfer", to_and_amount)
            },
            14 => simple("0xcafe::bank::no_such_function", vec![]),
            15 => simple("0xcafe::bank::deposit", vec![vec![1, 2, 3]]),
            16 => Call {
                signers: vec![],
                args: vec![u64_arg(self.amount % 20), u64_arg(64)],
                ..simple("0xcafe::playground::churn", vec![])
            },
            _ => Call {
                gas_limit: 5_000_000,
                signers: vec![],
                ..simple("0xcafe::playground::spin", vec![])
            },
        }
    }
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    (1u64..24).prop_flat_map(|accounts| {
        let account = move || 0..accounts;
        let action = (0u8..18, account(), account(), 0u64..2500);
        let action = action.prop_map(|(kind, from, to, amount)| Action {
            kind,
            from,
            to,
            amount,
        });
        prop::collection::vec(action, 0..60)
    })
}

fn block(actions: &[Action]) -> Block {
    let calls = (100..)
        .zip(actions)
        .map(|(number, action)| action.call(number));
    Block::new(calls)
}

fn executor(engine: &Engine, workers: usize, limits: BlockLimits) -> BlockExecutor {
    BlockExecutor::with_config(
        engine,
        BlockConfig {
            workers,
            limits,
            ..BlockConfig::default()
        },
    )
}

fn cases() -> u32 {
    let cases = std::env::var("MONOMOVE_BLOCKS").ok();
    cases.and_then(|n| n.parse().ok()).unwrap_or(25)
}

#[test]
fn blocks_of_any_kind_by_any_number_of_workers() {
    let state = world(24);
    let engines = [engine(Backend::Native), engine(Backend::Wasm)];
    let executors: [_; 7] = [(0, 1), (0, 2), (0, 5), (0, 8), (1, 0), (1, 1), (1, 3)]
        .map(|(engine, workers)| executor(&engines[engine], workers, BlockLimits::default()));
    let sequential = executor(&engines[0], 0, BlockLimits::default());
    let executors = RefCell::new((sequential, executors));
    let config = ProptestConfig::with_cases(cases());
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&actions(), |actions| {
            let block = block(&actions);
            let (sequential, executors) = &mut *executors.borrow_mut();
            let expected = sequential.execute(&block, &state).unwrap();
            prop_assert_eq!(expected.transactions.len(), actions.len());
            for executor in executors {
                let output = executor.execute(&block, &state).unwrap();
                prop_assert_eq!(output.hash(), expected.hash());
                prop_assert_eq!(&output, &expected);
            }
            state.clone().commit(&expected.writes).unwrap();
            Ok(())
        })
        .unwrap();
    for executor in &executors.borrow().1 {
        assert_eq!(executor.metrics().fallbacks, 0);
    }
}

/// Runs calls in a sandbox that breaks now and then.
struct Unlucky<'a> {
    sandbox: Sandbox,
    noise: &'a AtomicU64,
}

impl TransactionRunner for Unlucky<'_> {
    type Transaction = BlockTransaction;
    type Output = TransactionOutcome;

    fn run(
        &mut self,
        _: usize,
        transaction: &BlockTransaction,
        view: &dyn StateView,
    ) -> Result<TransactionOutcome, HostError> {
        let n = self.noise.fetch_add(1, Ordering::Relaxed);
        let luck = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60;
        if luck == 0 {
            self.sandbox
                .inject_fault(InjectedFault::ALL[(n / 16 % 6) as usize])?;
        }
        self.sandbox
            .execute_in_block(transaction, view, &mut NoInspector)
    }

    fn reset(&mut self) {
        self.sandbox.reset();
    }
}

#[test]
fn sandboxes_that_break_are_replaced() {
    let state = world(6);
    let engine = engine(Backend::Wasm);
    let actions: Vec<_> = (0..60)
        .map(|n| Action {
            kind: (n * 7 % 13) as u8,
            from: n % 6,
            to: n * 5 % 6,
            amount: n,
        })
        .collect();
    let block = block(&actions);
    let expected = executor(&engine, 0, BlockLimits::default())
        .execute(&block, &state)
        .unwrap();
    let noise = AtomicU64::new(0);
    let unlucky = || Unlucky {
        sandbox: Sandbox::new(&engine),
        noise: &noise,
    };
    let mut runners = [unlucky(), unlucky(), unlucky()];
    let limits = BlockLimits::default();
    let (run, _) = run_in_parallel(
        &mut runners,
        &block.transactions,
        &state,
        &limits,
        &NoBlockInspector,
    );
    let run = run.unwrap();
    assert_eq!(run.outputs, expected.transactions);
    assert_eq!(run.writes, expected.writes);
}

#[test]
fn blocks_are_cut_off_alike() {
    let state = world(16);
    let engine = engine(Backend::Native);
    let actions: Vec<_> = (0..120)
        .map(|n| Action {
            kind: 0,
            from: n * 2 % 16,
            to: n * 6 % 16,
            amount: 1,
        })
        .collect();
    let block = block(&actions);
    let whole = executor(&engine, 0, BlockLimits::default())
        .execute(&block, &state)
        .unwrap();
    assert_eq!(whole.cut_off, None);
    for limits in [
        BlockLimits {
            gas: whole.gas_used() / 2,
            ..BlockLimits::default()
        },
        BlockLimits {
            bytes: 20_000,
            ..BlockLimits::default()
        },
        BlockLimits {
            bytes: 1,
            ..BlockLimits::default()
        },
        BlockLimits {
            gas: 0,
            ..BlockLimits::default()
        },
    ] {
        let expected = executor(&engine, 0, limits)
            .execute(&block, &state)
            .unwrap();
        let CutOff { at, reason } = expected.cut_off.unwrap();
        assert_eq!(expected.transactions, whole.transactions[..at]);
        let is_gas = limits.gas < u64::MAX;
        assert_eq!(reason == CutOffReason::Gas, is_gas);
        if is_gas {
            assert!(expected.gas_used() >= limits.gas);
        }
        for workers in [1, 2, 6] {
            let output = executor(&engine, workers, limits)
                .execute(&block, &state)
                .unwrap();
            assert_eq!(output, expected);
        }
    }
}

#[test]
fn change_sets_of_many_keys_are_in_order() {
    const COUNT: u64 = 600;
    let state = world(COUNT);
    let engine = engine(Backend::Native);
    // Each writes four keys of its own: its sender's, and those of an account that begins to exist.
    let actions: Vec<_> = (0..COUNT)
        .map(|n| Action {
            kind: 9,
            from: n,
            to: n,
            amount: 1,
        })
        .collect();
    let block = block(&actions);
    let expected = executor(&engine, 0, BlockLimits::default())
        .execute(&block, &state)
        .unwrap();
    assert!(expected.writes.len() > 1500, "{}", expected.writes.len());
    for workers in [2, 3, 7] {
        let output = executor(&engine, workers, BlockLimits::default())
            .execute(&block, &state)
            .unwrap();
        assert_eq!(output, expected);
    }
}

#[test]
fn a_chunk_is_its_blocks_one_by_one() {
    let mut state = world(8);
    let engine = engine(Backend::Native);
    let blocks: Vec<_> = (0..5)
        .map(|b| {
            let actions: Vec<_> = (0..30)
                .map(|n| Action {
                    kind: ((n + b) % 13) as u8,
                    from: n % 8,
                    to: (n + b) % 8,
                    amount: n + b,
                })
                .collect();
            block(&actions)
        })
        .collect();
    let outputs = executor(&engine, 3, BlockLimits::default())
        .execute_chunk(&blocks, &state)
        .unwrap();
    let mut single = executor(&engine, 2, BlockLimits::default());
    for (block, output) in blocks.iter().zip(&outputs) {
        assert_eq!(&single.execute(block, &state).unwrap(), output);
        state.commit(&output.writes).unwrap();
    }
    assert!(
        outputs
            .iter()
            .any(|output| output.events().next().is_some())
    );
}

#[test]
fn blocks_of_another_chain_start_cold() {
    let state = world(4);
    let engine = engine(Backend::Native);
    let mut executor = executor(&engine, 2, BlockLimits::default());
    let action = Action {
        kind: 0,
        from: 0,
        to: 2,
        amount: 1,
    };
    let mut block = block(&[action]);
    let expected = executor.execute(&block, &state).unwrap();
    for (hash, parent) in [(1, 0), (2, 1), (9, 8), (10, 9)] {
        block.lineage = Some(Lineage {
            hash: [hash; 32],
            parent: [parent; 32],
        });
        assert_eq!(executor.execute(&block, &state).unwrap(), expected);
    }
}

/// Counts the commits that it is told of.
#[derive(Default)]
struct Counting(AtomicU64);

impl BlockInspector for Counting {
    fn on_commit(&self, _: usize, _: u32) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn inspectors_and_metrics_see_every_commit() {
    let state = world(8);
    let engine = engine(Backend::Native);
    let actions: Vec<_> = (0..50)
        .map(|n| Action {
            kind: 0,
            from: n * 2 % 8,
            to: 0,
            amount: 1,
        })
        .collect();
    let counting = Counting::default();
    let mut executor = executor(&engine, 4, BlockLimits::default());
    executor
        .execute_inspected(&block(&actions), &state, &counting)
        .unwrap();
    assert_eq!(counting.0.load(Ordering::Relaxed), 50);
    let metrics = executor.metrics();
    assert_eq!((metrics.blocks, metrics.committed), (1, 50));
    assert!(metrics.executions >= 50 && metrics.cache_hits() > 0 && metrics.bytes_read > 0);
}

/// Processor time of this process so far, in ticks of the system.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let times = fields.skip(11).take(2);
    times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// The shortest time of `block` by each executor, and the processor time of all its rounds. They take turns, so that whatever else the
/// machine does meets all alike.
fn fastest(
    executors: &mut [BlockExecutor],
    block: &Block,
    state: &MemoryState,
) -> Vec<(Duration, u64)> {
    let rounds = std::env::var("MONOMOVE_ROUNDS").map_or(20, |n| n.parse().unwrap());
    let mut times = vec![(Duration::MAX, 0); executors.len()];
    for _ in 0..rounds {
        for (executor, (best, used)) in executors.iter_mut().zip(&mut times) {
            let (before, start) = (ticks(), Instant::now());
            let output = executor.execute(block, state).unwrap();
            *best = start.elapsed().min(*best);
            // What becomes of the output is for the caller.
            drop(output);
            *used += ticks() - before;
        }
    }
    times
}

#[test]
#[ignore = "a measurement"]
fn what_workers_gain_and_cost() {
    const BLOCK: u64 = 1000;
    let state = world(4 * BLOCK);
    let transfers = |to: &dyn Fn(u64) -> u64| {
        let actions: Vec<_> = (0..BLOCK)
            .map(|n| Action {
                kind: 0,
                from: 4 * n,
                to: to(n),
                amount: 1,
            })
            .collect();
        block(&actions)
    };
    let uncontended = transfers(&|n| 4 * n + 2);
    let contended = transfers(&|_| 2);
    for backend in [Backend::Wasm, Backend::Native] {
        let engine = engine(backend);
        for (name, block) in [("uncontended", &uncontended), ("contended", &contended)] {
            let mut executors =
                [0, 1, 2].map(|workers| executor(&engine, workers, BlockLimits::default()));
            let times = fastest(&mut executors, block, &state);
            println!("{backend:?} {name}: {times:?} {:?}", executors[2].metrics());
            let times: Vec<_> = times.iter().map(|(time, _)| time.as_secs_f64()).collect();
            let metrics = executors[2].metrics();
            println!(
                "{backend:?} {name}: {:.1} us each in sequence; one worker costs {:+.1} %; two are {:.2}x one, {:.2}x sequence; \
                 with two, of 1000 executions {} are aborted and {} suspended",
                times[0] * 1e6 / BLOCK as f64,
                (times[1] / times[0] - 1.0) * 100.0,
                times[1] / times[2],
                times[0] / times[2],
                1000 * metrics.aborts / metrics.executions,
                1000 * metrics.suspensions / metrics.executions,
            );
        }
    }
}
