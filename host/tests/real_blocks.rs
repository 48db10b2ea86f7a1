//! Random blocks of real transactions, from prologue to epilogue, by any number of workers, with faults and delays: outputs are those of one
//! transaction after the other, byte for byte. `MONOMOVE_BLOCKS` says how many blocks; blocks follow each other on chains of their own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test code: a panic is the report"
)]

mod common;

use common::{entry_function, transaction};
use monomove::abi::InjectedFault;
use monomove::{
    AccountAddress, Authentication, Backend, Block, BlockConfig, BlockExecutor, BlockLimits,
    BlockTransaction, CutOffReason, Engine, EngineConfig, Genesis, HostError, MemoryState,
    NoBlockInspector, NoInspector, Sandbox, StateCommit, StateKey, StateView, TransactionOutcome,
    TransactionPayload, TransactionRunner, UserTransaction, WriteOp, run_in_parallel, stdlib,
};
use monomove_asm::{Options, Unit, assemble};
use monomove_format::CompiledModule;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const PLAYGROUND: &[u8] = include_bytes!("../../tests/stdlib/bytecode/v8/examples/playground.mv");
/// Blocks on one chain before a fresh one begins.
const CHAIN: u64 = 20;

/// The tests run one after the other: one of them watches the memory of the process.
static ALONE: Mutex<()> = Mutex::new(());

/// A small generator (splitmix64), so that a seed says everything.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

fn engine(backend: Backend) -> Engine {
    Engine::with_config(EngineConfig {
        backend,
        // Storage that costs something, so that its fees are compared too.
        gas_schedule: vec![
            ("txn.storage_fee_per_state_slot".to_owned(), 50),
            ("txn.storage_fee_per_state_byte".to_owned(), 1),
        ],
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

fn word(n: u64) -> Vec<u8> {
    n.to_le_bytes().to_vec()
}

/// A counter at `owner` that grows by `step`; its `init_module` makes it. Without `bump` it is no compatible upgrade.
fn counter(owner: AccountAddress, step: u64, whole: bool) -> Vec<u8> {
    let mut text = format!(
        "module {owner}::counter
struct Counter has key
    value: u64

fun init_module(owner: &signer)
    move_loc owner
    ld_u64 {step}
    pack Counter
    move_to Counter
    ret

entry public fun reset(owner: &signer) acquires Counter
    local c: &mut Counter
    ld_const<address> {owner}
    mut_borrow_global Counter
    st_loc c
    ld_u64 {step}
    move_loc c
    mut_borrow_field Counter, value
    write_ref
    ret
"
    );
    if whole {
        text.push_str(&format!(
            "
entry public fun bump() acquires Counter
    local c: &mut Counter
    ld_const<address> {owner}
    mut_borrow_global Counter
    st_loc c
    copy_loc c
    borrow_field Counter, value
    read_ref
    ld_u64 {step}
    add
    move_loc c
    mut_borrow_field Counter, value
    write_ref
    ret
"
        ));
    }
    unit(&text).serialize().unwrap()
}

fn unit(text: &str) -> Unit {
    let dependencies: Vec<_> = stdlib::std_and_framework()
        .map(|(_, bytes)| CompiledModule::deserialize(bytes).unwrap())
        .collect();
    let options = Options {
        version: 8,
        dependencies: &dependencies,
    };
    assemble(text, &options).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// A chain in progress.
struct World {
    dice: Dice,
    state: MemoryState,
    accounts: u64,
    /// Kept transactions of each account.
    sent: BTreeMap<AccountAddress, u64>,
    script: Vec<u8>,
}

impl World {
    fn new(seed: u64, engine: &Engine, script: &[u8]) -> Self {
        let mut dice = Dice(seed);
        let accounts = 2 + dice.below(12);
        let owner = "0xcafe".parse().unwrap();
        let genesis = Genesis {
            accounts: (0..accounts)
                .map(address)
                .chain([owner])
                .map(|account| (account, 100_000_000))
                .collect(),
            ..Genesis::default()
        };
        let mut state = genesis.state(engine).unwrap();
        for bytes in [stdlib::BANK.1, PLAYGROUND] {
            state.insert_module(bytes).unwrap();
        }
        let mut this = Self {
            dice,
            state,
            accounts,
            sent: BTreeMap::new(),
            script: script.to_vec(),
        };
        let open = this.send(owner, "0xcafe::bank::open_bank", vec![]);
        let mut sandbox = Sandbox::new(engine);
        let outcome = sandbox.execute_transaction(&open, &this.state).unwrap();
        assert!(outcome.success().is_some(), "{outcome:?}");
        this.state.commit(outcome.writes()).unwrap();
        this
    }

    fn transaction(
        &mut self,
        sender: AccountAddress,
        payload: TransactionPayload,
    ) -> UserTransaction {
        let sent = self.sent.entry(sender).or_default();
        let sequence_number = *sent;
        *sent += 1;
        UserTransaction {
            max_gas: 3_000,
            ..transaction(sender, sequence_number, payload)
        }
    }

    fn send(
        &mut self,
        sender: AccountAddress,
        function: &str,
        args: Vec<Vec<u8>>,
    ) -> UserTransaction {
        let payload = entry_function(function, args);
        self.transaction(sender, payload).sealed()
    }

    /// A transaction that is discarded: the sender's next one has the same number.
    fn spoiled(
        &mut self,
        sender: AccountAddress,
        spoil: impl FnOnce(&mut UserTransaction),
    ) -> UserTransaction {
        let to = sender.0.to_vec();
        let mut transaction = self.send(sender, "0x1::native_coin::transfer", vec![to, word(1)]);
        *self.sent.get_mut(&sender).unwrap() -= 1;
        spoil(&mut transaction);
        transaction.sealed()
    }

    fn any(&mut self) -> UserTransaction {
        let (from, to) = (
            self.dice.below(self.accounts),
            self.dice.below(self.accounts),
        );
        // Some blocks crowd around one account.
        let to = if self.dice.0 & 1 == 0 { to } else { 0 };
        let amount = self.dice.below(3000);
        let sender = address(from);
        let (to_bytes, owner) = (address(to).0.to_vec(), address(to));
        let pay = vec![to_bytes.clone(), word(amount)];
        match self.dice.below(26) {
            0..=3 => self.send(sender, "0x1::native_coin::transfer", pay),
            4 => {
                let stranger = address(1000 + to).0.to_vec();
                self.send(
                    sender,
                    "0x1::native_coin::transfer",
                    vec![stranger, word(1)],
                )
            }
            5 | 6 => self.send(sender, "0xcafe::bank::open_account", vec![]),
            7 | 8 => self.send(sender, "0xcafe::bank::deposit", vec![word(amount)]),
            9 | 10 => self.send(sender, "0xcafe::bank::transfer", pay),
            11 => self.send(sender, "0xcafe::bank::withdraw", vec![word(amount)]),
            12 => self.send(sender, "0xcafe::bank::transfer_and_fail", pay),
            13 => self.send(
                sender,
                "0xcafe::playground::create_counter",
                vec![word(amount)],
            ),
            14 => self.send(sender, "0xcafe::playground::bump_counter", pay),
            15 => self.send(sender, "0xcafe::playground::delete_counter", vec![]),
            16 => {
                let mut transaction = self.send(sender, "0xcafe::playground::spin", vec![]);
                transaction.max_gas = 28 + self.dice.below(30);
                transaction.sealed()
            }
            17 => self.send(sender, "0xcafe::playground::no_such_function", vec![]),
            18 => self.send(sender, "0xcafe::bank::deposit", vec![vec![1, 2, 3]]),
            19 | 20 => {
                let whole = self.dice.below(8) != 0;
                let module = counter(sender, 1 + self.dice.below(5), whole);
                let payload = TransactionPayload::Modules(vec![module]);
                self.transaction(sender, payload).sealed()
            }
            21 | 22 => self.send(sender, &format!("{owner}::counter::bump"), vec![]),
            23 => self.send(sender, &format!("{owner}::counter::reset"), vec![]),
            24 => {
                let payload = TransactionPayload::Script {
                    code: self.script.clone(),
                    ty_args: vec![],
                    args: vec![to_bytes, address(0).0.to_vec(), word(amount)],
                };
                self.transaction(sender, payload).sealed()
            }
            _ => match self.dice.below(5) {
                0 => self.spoiled(sender, |t| t.sequence_number += 1),
                1 => self.spoiled(sender, |t| t.expiration_seconds = 0),
                2 => self.spoiled(sender, |t| t.chain_id = 5),
                3 => self.spoiled(sender, |t| t.max_gas = 1),
                _ => self.spoiled(sender, |t| {
                    t.authentication = Authentication::Keys {
                        sender: vec![1; 32],
                        secondary: vec![],
                    };
                }),
            },
        }
    }

    fn block(&mut self) -> Block {
        let count = 1 + self.dice.below(40);
        let transactions: Vec<_> = (0..count).map(|_| self.any()).collect();
        Block::new(transactions)
    }

    /// Goes on after a block. What was discarded against expectation did not use up its number.
    fn commit(&mut self, writes: &[(StateKey, WriteOp)]) {
        self.state.commit(writes).unwrap();
        for (account, sent) in &mut self.sent {
            let key = format!("{account}/resource/0x1::account::Account");
            let account = self.state.get(&key.parse().unwrap()).unwrap().unwrap();
            // The number is its first field.
            *sent = u64::from_le_bytes(account[..8].try_into().unwrap());
        }
    }
}

/// A sandbox that breaks and dawdles now and then.
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
        let mut dice = Dice(self.noise.fetch_add(1, Ordering::Relaxed));
        if dice.below(16) == 0 {
            let fault = InjectedFault::ALL[dice.below(3) as usize * 2];
            self.sandbox.inject_fault(fault)?;
        }
        match dice.below(8) {
            0 => std::thread::sleep(Duration::from_micros(dice.below(200))),
            1 => std::thread::yield_now(),
            _ => {}
        }
        self.sandbox
            .execute_in_block(transaction, view, &mut NoInspector)
    }

    fn reset(&mut self) {
        self.sandbox.reset();
    }
}

fn blocks() -> u64 {
    let blocks = std::env::var("MONOMOVE_BLOCKS").ok();
    blocks.and_then(|n| n.parse().ok()).unwrap_or(40)
}

fn with_workers(engine: &Engine, workers: usize) -> BlockExecutor {
    let limits = BlockLimits::default();
    BlockExecutor::with_config(
        engine,
        BlockConfig {
            workers,
            limits,
            ..BlockConfig::default()
        },
    )
}

#[test]
fn blocks_of_real_transactions() {
    let _alone = ALONE.lock().unwrap();
    let script = unit(include_str!("../../tests/flow/transfer_twice.masm"))
        .serialize()
        .unwrap();
    let [native, wasm] = [Backend::Native, Backend::Wasm].map(engine);
    let mut sequential = with_workers(&native, 0);
    let mut parallel: Vec<_> = (1..=8)
        .map(|workers| with_workers(&native, workers))
        .collect();
    let mut sandboxed: Vec<_> = [0, 1, 2, 4]
        .map(|workers| with_workers(&wasm, workers))
        .into();
    let (mut kept, mut failed, mut discarded, mut published) = (0, 0, 0, 0);
    let noise = AtomicU64::new(1);
    let mut world = World::new(0, &native, &script);
    for n in 0..blocks() {
        if n % CHAIN == 0 {
            world = World::new(n, &native, &script);
        }
        let block = world.block();
        let expected = sequential.execute(&block, &world.state).unwrap();
        for outcome in &expected.transactions {
            match outcome {
                TransactionOutcome::Kept(output) => {
                    kept += 1;
                    failed += u64::from(outcome.success().is_none());
                    let is_code = |key: &StateKey| key.to_string().ends_with("::counter");
                    published += u64::from(output.writes.iter().any(|(key, _)| is_code(key)));
                }
                TransactionOutcome::Discarded(_) => discarded += 1,
                TransactionOutcome::SandboxFault(fault) => panic!("{fault}"),
            }
        }
        let one = world.dice.below(8) as usize;
        let other = world.dice.below(4) as usize;
        for executor in [&mut parallel[one], &mut sandboxed[other]] {
            let output = executor.execute(&block, &world.state).unwrap();
            assert_eq!(output.hash(), expected.hash(), "block {n}");
            assert_eq!(output, expected, "block {n}");
        }
        if n % 4 == 0 {
            let unlucky = || Unlucky {
                sandbox: Sandbox::new(&wasm),
                noise: &noise,
            };
            let workers = 1 + world.dice.below(4);
            let mut runners: Vec<_> = (0..workers).map(|_| unlucky()).collect();
            let (run, _) = run_in_parallel(
                &mut runners,
                &block.transactions,
                &world.state,
                &BlockLimits::default(),
                &NoBlockInspector,
            );
            let run = run.unwrap();
            assert_eq!(run.outputs, expected.transactions, "block {n}");
            assert_eq!(run.writes, expected.writes, "block {n}");
        }
        world.commit(&expected.writes);
    }
    println!(
        "{} blocks: {kept} kept (of these {failed} failed, {published} published), {discarded} discarded",
        blocks()
    );
    assert!(failed > 0 && discarded > 0 && published > 0 && kept > 5 * discarded);
    for executor in parallel.iter().chain(&sandboxed) {
        assert_eq!(executor.metrics().fallbacks, 0);
    }
}

/// Resident memory of this process, in bytes; 0 where that cannot be known.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().split(' ').next());
    number.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// The most resident memory while it is watched.
fn peak_during<A>(work: impl FnOnce() -> A) -> (A, u64) {
    let (peak, over) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while over.load(Ordering::Relaxed) == 0 {
                peak.fetch_max(resident(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let made = work();
        over.store(1, Ordering::Relaxed);
        (made, peak.load(Ordering::Relaxed))
    })
}

#[test]
fn a_large_block_stays_within_its_cap() {
    const COUNT: u64 = 10_000;
    const CAP: u64 = 8 << 20;
    let _alone = ALONE.lock().unwrap();
    let engine = engine(Backend::Wasm);
    let sender = address(0);
    let genesis = Genesis {
        accounts: [(sender, u64::MAX / 4), (address(1), 1)].into(),
        ..Genesis::default()
    };
    let mut state = genesis.state(&engine).unwrap();
    state.insert_module(PLAYGROUND).unwrap();
    let mut world = World {
        dice: Dice(0),
        state: MemoryState::new(),
        accounts: 2,
        sent: BTreeMap::new(),
        script: vec![],
    };
    let transactions: Vec<_> = (0..COUNT)
        .map(|_| {
            let args = vec![address(1).0.to_vec(), word(1)];
            world.send(sender, "0x1::native_coin::transfer", args)
        })
        .collect();
    let block = Block::new(transactions);
    let limits = BlockLimits {
        bytes: CAP,
        ..BlockLimits::default()
    };
    let run = |workers: usize, limits| {
        let config = BlockConfig {
            workers,
            limits,
            ..BlockConfig::default()
        };
        let mut executor = BlockExecutor::with_config(&engine, config);
        // Sandboxes that are warm count before.
        executor
            .execute(&Block::new(block.transactions[..50].to_vec()), &state)
            .unwrap();
        let before = resident();
        let (output, peak) = peak_during(|| executor.execute(&block, &state).unwrap());
        (output, peak.saturating_sub(before))
    };
    let (expected, sequential) = run(0, limits);
    let cut_off = expected.cut_off.unwrap();
    assert_eq!(cut_off.reason, CutOffReason::Bytes);
    assert_eq!(expected.transactions.len(), cut_off.at);
    assert!(cut_off.at > 1000, "{cut_off:?}");
    let (output, parallel) = run(2, limits);
    assert_eq!(output, expected);
    let (whole, uncut) = run(0, BlockLimits::default());
    assert_eq!(whole.cut_off, None);
    assert_eq!(whole.transactions[..cut_off.at], expected.transactions[..]);
    println!(
        "10 000 transactions: a cap of {CAP} bytes cuts off at {}; resident memory grew by {sequential} bytes in sequence, {parallel} with two \
         workers, {uncut} without the cap",
        cut_off.at
    );
    // Besides what is kept there are the tables of the executor, and what allocators round up.
    let most = 4 * CAP + (32 << 20);
    assert!(
        sequential < most && parallel < most,
        "{sequential} {parallel}"
    );
}
