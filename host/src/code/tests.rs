//! The condition of the caches shows in no output: blocks with publications and upgrades in their midst, on caches that are cold, warm, tiny, flushed after they were
//! poisoned, or forgetful, by any number of workers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::cache::{CachedModule, CodeState, CodeVersion, ModuleCode};
use crate::{
    AccountAddress, Authentication, Backend, Block, BlockConfig, BlockExecutor, BlockOutput,
    BlockTransaction, CodeCacheConfig, Engine, EngineConfig, Genesis, Lineage, MemoryState,
    StateCommit, TransactionPayload, UserTransaction,
};
use monomove_asm::{Options, Unit, assemble};
use monomove_types::ModuleId;
use proptest::prelude::*;
use std::sync::Arc;

const OWNER: &str = "0xa11ce";
const USER: &str = "0xb0b";

/// What a transaction does.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// Publishes or upgrades the counter, to return this number.
    Counter(u64),
    /// Publishes the user of the counter.
    User,
    /// Publishes both, the counter last or first.
    Both(u64, bool),
    /// Has the user abort with what the counter returns.
    Check,
    /// The same by a script.
    Script,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        2 => (1..5u64).prop_map(Action::Counter),
        1 => Just(Action::User),
        2 => (1..5u64, any::<bool>()).prop_map(|(n, last)| Action::Both(n, last)),
        6 => Just(Action::Check),
        1 => Just(Action::Script),
    ]
}

fn assembled(text: &str) -> Vec<u8> {
    let options = Options {
        version: 8,
        dependencies: &[],
    };
    match assemble(text, &options).unwrap() {
        Unit::Module(module) => module.serialize().unwrap(),
        Unit::Script(script) => script.serialize().unwrap(),
    }
}

fn counter(number: u64) -> Vec<u8> {
    assembled(&format!(
        "module {OWNER}::counter\npublic fun get(): u64\n    ld_u64 {number}\n    ret\n"
    ))
}

fn user() -> Vec<u8> {
    assembled(&format!(
        "module {OWNER}::user\nextern fun {OWNER}::counter::get(): u64\nentry public fun check()\n    call {OWNER}::counter::get\n    abort\n"
    ))
}

fn script() -> Vec<u8> {
    assembled(&format!(
        "script\nextern fun {OWNER}::counter::get(): u64\nfun main()\n    call {OWNER}::counter::get\n    abort\n"
    ))
}

fn address(text: &str) -> AccountAddress {
    AccountAddress::from_hex_literal(text).unwrap()
}

fn transaction(action: Action, numbers: &mut [u64; 2]) -> BlockTransaction {
    let call = |function: &str| TransactionPayload::EntryFunction {
        module: format!("{OWNER}::user").parse().unwrap(),
        function: function.parse().unwrap(),
        ty_args: Vec::new(),
        args: Vec::new(),
    };
    let (sender, payload) = match action {
        Action::Counter(n) => (0, TransactionPayload::Modules(vec![counter(n)])),
        Action::User => (0, TransactionPayload::Modules(vec![user()])),
        Action::Both(n, false) => (0, TransactionPayload::Modules(vec![counter(n), user()])),
        Action::Both(n, true) => (0, TransactionPayload::Modules(vec![user(), counter(n)])),
        Action::Check => (1, call("check")),
        Action::Script => (
            1,
            TransactionPayload::Script {
                code: script(),
                ty_args: Vec::new(),
                args: Vec::new(),
            },
        ),
    };
    let sequence_number = numbers[sender];
    numbers[sender] += 1;
    let sender = address([OWNER, USER][sender]);
    BlockTransaction::from(
        UserTransaction {
            sender,
            secondary_signers: Vec::new(),
            authentication: Authentication::Keys {
                sender: sender.0.to_vec(),
                secondary: Vec::new(),
            },
            sequence_number,
            payload,
            max_gas: 1_000,
            gas_price: 1,
            expiration_seconds: 1_900_000_000,
            chain_id: 4,
            hash: [0; 32],
            size: 0,
        }
        .sealed(),
    )
}

fn blocks(actions: &[Vec<Action>]) -> Vec<Block> {
    let mut numbers = [0; 2];
    let mut blocks = Vec::new();
    for (height, actions) in (1u8..).zip(actions) {
        let transactions = actions.iter().map(|each| transaction(*each, &mut numbers));
        blocks.push(Block {
            transactions: transactions.collect(),
            lineage: Some(Lineage {
                hash: [height; 32],
                parent: [height - 1; 32],
            }),
        });
    }
    blocks
}

fn engine(backend: Backend) -> Engine {
    Engine::with_config(EngineConfig {
        backend,
        ..EngineConfig::default()
    })
    .unwrap()
}

fn genesis(engine: &Engine) -> MemoryState {
    Genesis {
        accounts: [OWNER, USER].map(|a| (address(a), 100_000_000)).into(),
        ..Genesis::default()
    }
    .state(engine)
    .unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    /// A new executor for each block.
    Cold,
    Warm,
    /// No more than one module is kept.
    Tiny,
    /// Between blocks the caches are filled with other code, and then a block of another chain comes in between.
    Poisoned,
    /// Between blocks what was verified is forgotten.
    Forgetful,
}

fn run(
    engine: &Engine,
    state: &MemoryState,
    blocks: &[Block],
    condition: Condition,
    workers: usize,
) -> (Vec<BlockOutput>, crate::CodeCacheMetrics) {
    let mut state = state.clone();
    let config = BlockConfig {
        workers,
        code_cache: match condition {
            Condition::Tiny => CodeCacheConfig {
                max_modules: 1,
                ..CodeCacheConfig::default()
            },
            _ => CodeCacheConfig::default(),
        },
        ..BlockConfig::default()
    };
    let mut executor = BlockExecutor::with_config(engine, config);
    let mut outputs = Vec::new();
    for block in blocks {
        match condition {
            Condition::Cold => executor = BlockExecutor::with_config(engine, config),
            Condition::Forgetful => engine.forget_verified_code(),
            Condition::Poisoned => {
                let ids = ["counter", "user"].map(|name| format!("{OWNER}::{name}"));
                let poison = ids.map(|id| {
                    let module = CachedModule {
                        code: Arc::new(ModuleCode::new(b"poison".as_slice().into())),
                        state: CodeState::Verified,
                        version: CodeVersion::Storage,
                    };
                    (id.parse::<ModuleId>().unwrap(), module)
                });
                executor.code.modules_mut().promote(poison);
                let mut stranger = Block::new(Vec::<BlockTransaction>::new());
                stranger.lineage = Some(Lineage {
                    hash: block.lineage.unwrap().parent,
                    parent: [99; 32],
                });
                executor.execute(&stranger, &state).unwrap();
            }
            Condition::Warm | Condition::Tiny => {}
        }
        let output = executor.execute(block, &state).unwrap();
        state.commit(&output.writes).unwrap();
        outputs.push(output);
    }
    (outputs, executor.code_metrics())
}

const CONDITIONS: [Condition; 5] = [
    Condition::Cold,
    Condition::Warm,
    Condition::Tiny,
    Condition::Poisoned,
    Condition::Forgetful,
];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("MONOMOVE_BLOCKS").ok().and_then(|n| n.parse().ok()).unwrap_or(24),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_condition_of_the_caches_shows(
        actions in prop::collection::vec(prop::collection::vec(action(), 1..10), 1..5),
    ) {
        let engine = engine(Backend::Native);
        let state = genesis(&engine);
        let blocks = blocks(&actions);
        let expected = run(&engine, &state, &blocks, Condition::Cold, 0).0;
        for condition in CONDITIONS {
            for workers in 0..=4 {
                let outputs = run(&engine, &state, &blocks, condition, workers).0;
                prop_assert_eq!(&outputs, &expected, "{:?}, {} workers", condition, workers);
            }
        }
    }
}

#[test]
fn caches_are_used() {
    let mut actions = vec![vec![Action::Both(1, true), Action::Check, Action::Script]];
    actions.push(vec![Action::Check, Action::Counter(2), Action::Check]);
    actions.push(vec![Action::Check; 4]);
    let mut expected = None;
    for backend in [Backend::Native, Backend::Wasm] {
        let engine = engine(backend);
        let state = genesis(&engine);
        let blocks = blocks(&actions);
        for (condition, workers) in [
            (Condition::Cold, 0),
            (Condition::Warm, 0),
            (Condition::Warm, 3),
        ] {
            let (outputs, metrics) = run(&engine, &state, &blocks, condition, workers);
            assert_eq!(*expected.get_or_insert(outputs.clone()), outputs);
            let (modules, scripts) = engine.verified().sizes();
            assert!(
                modules > 5 && scripts == 1,
                "{modules} modules, {scripts} scripts"
            );
            if condition == Condition::Warm {
                assert_eq!(
                    (metrics.published, metrics.invalidations),
                    (3, 1),
                    "{metrics:?}"
                );
                assert!(metrics.global_hits > 0, "{metrics:?}");
                assert!(metrics.modules > 5, "{metrics:?}");
                assert!(
                    metrics
                        .to_prometheus()
                        .contains("code_cache_global_hits_total")
                );
            }
        }
    }
}

/// A chain that changes its rules finds nothing of what was kept.
#[test]
fn another_environment_flushes() {
    let engine = engine(Backend::Native);
    let mut state = genesis(&engine);
    let all = blocks(&[
        vec![Action::Both(1, true)],
        vec![Action::Check],
        vec![Action::Check],
    ]);
    let mut executor = BlockExecutor::new(&engine);
    for block in &all[..2] {
        let output = executor.execute(block, &state).unwrap();
        state.commit(&output.writes).unwrap();
    }
    assert_eq!(executor.code_metrics().flushes, 0);
    let features = "0x1::features::Features".parse().unwrap();
    state.insert(
        crate::StateKey::resource(AccountAddress::ONE, features),
        vec![1, 1],
    );
    executor.execute(&all[2], &state).unwrap();
    assert_eq!(executor.code_metrics().flushes, 1);
}
