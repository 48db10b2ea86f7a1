//! Scenarios as data: a genesis, blocks of transactions with what is expected of each, and views at the end.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test support"
)]

use monomove::{
    Access, AccountAddress, Authentication, Backend, Block, BlockExecutor, BlockMetadata,
    BlockTransaction, Call, Engine, EngineConfig, Failure, FunctionName, Genesis, Limits,
    MemoryState, Outcome, Sandbox, StateCommit, TransactionOutcome, TransactionPayload, TypeTag,
    UserTransaction, Validation, stdlib,
};
use monomove_asm::{Options, Unit, assemble};
use monomove_format::CompiledModule;
use monomove_text::parse_argument;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A scenario; the file format is described in `tests/flow/README.md`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub about: String,
    #[serde(default)]
    accounts: BTreeMap<AccountAddress, u64>,
    /// Modules that are there from the beginning: names of example packages, or `.masm` files.
    #[serde(default)]
    modules: Vec<String>,
    blocks: Vec<BlockSpec>,
    #[serde(default)]
    views: Vec<ViewSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockSpec {
    /// Seconds since 1970; without it the block has no prologue.
    time: Option<u64>,
    transactions: Vec<TransactionSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TransactionSpec {
    sender: AccountAddress,
    #[serde(default)]
    secondary: Vec<AccountAddress>,
    /// The next one by default.
    sequence_number: Option<u64>,
    /// That of a new account by default.
    key: Option<String>,
    #[serde(default)]
    secondary_keys: Option<Vec<String>>,
    #[serde(default = "default_max_gas")]
    max_gas: u64,
    #[serde(default = "one")]
    gas_price: u64,
    #[serde(default = "default_expiration")]
    expiration: u64,
    #[serde(default = "default_chain")]
    chain_id: u8,
    function: Option<String>,
    script: Option<String>,
    publish: Option<Vec<String>>,
    #[serde(default)]
    package: Option<String>,
    #[serde(default)]
    names: Option<Vec<String>>,
    #[serde(default)]
    bundle: Option<Vec<String>>,
    #[serde(default)]
    type_args: Vec<String>,
    #[serde(default)]
    args: Vec<String>,
    expect: String,
    #[serde(default)]
    events: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ViewSpec {
    function: String,
    #[serde(default)]
    type_args: Vec<String>,
    #[serde(default)]
    args: Vec<String>,
    /// BCS of the results, or how it fails.
    is: String,
}

fn default_max_gas() -> u64 {
    1_000
}

fn one() -> u64 {
    1
}

fn default_expiration() -> u64 {
    1_900_000_000
}

fn default_chain() -> u8 {
    4
}

pub fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/flow")
}

/// Both backends with defaults.
pub fn engines() -> [(&'static str, Engine); 2] {
    let engine = |backend| {
        Engine::with_config(EngineConfig {
            backend,
            limits: Limits::default(),
            ..EngineConfig::default()
        })
        .unwrap()
    };
    [
        ("native", engine(Backend::Native)),
        ("wasm", engine(Backend::Wasm)),
    ]
}

impl Scenario {
    pub fn read(path: &Path) -> Self {
        serde_json::from_str(&std::fs::read_to_string(path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Runs everything; the outcomes of all transactions and the last state.
    pub fn run(&self, engine: &Engine) -> (Vec<TransactionOutcome>, MemoryState) {
        let genesis = Genesis {
            accounts: self.accounts.iter().map(|(a, b)| (*a, *b)).collect(),
            ..Genesis::default()
        };
        let mut state = genesis.state(engine).unwrap();
        let mut library = Library::default();
        for name in &self.modules {
            state.insert_module(library.module(name)).unwrap();
        }
        let mut numbers: BTreeMap<AccountAddress, u64> = BTreeMap::new();
        let (mut outcomes, mut executor) = (Vec::new(), BlockExecutor::new(engine));
        let mut sandbox = Sandbox::new(engine);
        for (height, spec) in (1..).zip(&self.blocks) {
            let mut transactions = Vec::new();
            let mut on = state.clone();
            if let Some(time) = spec.time {
                let metadata = BlockMetadata {
                    height,
                    time_micros: time * 1_000_000,
                    proposer: AccountAddress::ONE,
                };
                let prologue = metadata.prologue(engine.flow());
                commit(&mut on, &mut sandbox, &prologue);
                transactions.push(prologue);
            }
            let first = transactions.len();
            for (n, each) in spec.transactions.iter().enumerate() {
                let next = numbers.entry(each.sender).or_default();
                let user = each.transaction(*next, &mut library);
                let at = format!("block {height}, transaction {n}");
                self.check_alone(&at, &user, each, &mut sandbox, &on);
                let transaction = BlockTransaction::from(user);
                if let TransactionOutcome::Kept(_) = commit(&mut on, &mut sandbox, &transaction) {
                    *next += 1;
                }
                transactions.push(transaction);
            }
            let output = executor.execute(&Block::new(transactions), &state).unwrap();
            if first == 1 {
                assert_eq!(ending(&output.transactions[0]), "kept", "block {height}");
            }
            for (n, (each, outcome)) in spec
                .transactions
                .iter()
                .zip(&output.transactions[first..])
                .enumerate()
            {
                assert_eq!(
                    ending(outcome),
                    each.expect,
                    "block {height}, transaction {n}: {outcome:?}"
                );
                if let (Some(events), TransactionOutcome::Kept(output)) = (each.events, outcome) {
                    assert_eq!(
                        output.events.len(),
                        events,
                        "block {height}, transaction {n}"
                    );
                }
            }
            state.commit(&output.writes).unwrap();
            assert!(
                state.iter().eq(on.iter()),
                "block {height}: block and single transactions differ"
            );
            outcomes.extend(output.transactions);
        }
        for spec in &self.views {
            let call = call(&spec.function, &spec.type_args, &spec.args);
            let outcome = sandbox.view(&call, &state).unwrap();
            let is = match &outcome {
                TransactionOutcome::Kept(output) => match &output.outcome {
                    Outcome::Returned { values, .. } => {
                        let bytes: Vec<u8> = values.iter().flat_map(|v| v.bcs.clone()).collect();
                        format!("0x{}", hex::encode(bytes))
                    }
                    Outcome::Failed(failure) => failing(failure),
                },
                _ => ending(&outcome),
            };
            assert_eq!(is, spec.is, "view {}", spec.function);
        }
        (outcomes, state)
    }

    /// What must hold of a transaction by itself: validation says what execution does, and a simulation is an execution.
    fn check_alone(
        &self,
        at: &str,
        user: &UserTransaction,
        spec: &TransactionSpec,
        sandbox: &mut Sandbox,
        state: &MemoryState,
    ) {
        let executed = sandbox.execute_transaction(user, state).unwrap();
        match (sandbox.validate(user, state).unwrap(), &executed) {
            (Validation::Accepted, TransactionOutcome::Kept(_)) => {}
            (Validation::Rejected(a), TransactionOutcome::Discarded(b)) => {
                assert_eq!(a, *b, "{at}")
            }
            (validation, executed) => panic!("{at}: {validation:?}, but {executed:?}"),
        }
        if spec.key.is_none() && spec.secondary_keys.is_none() {
            let simulated = sandbox.simulate(user, state).unwrap();
            assert_eq!(simulated, executed, "{at}: simulation and execution");
        }
    }
}

fn commit(
    state: &mut MemoryState,
    sandbox: &mut Sandbox,
    transaction: &BlockTransaction,
) -> TransactionOutcome {
    let outcome = sandbox
        .execute_in_block(transaction, state, &mut monomove::NoInspector)
        .unwrap();
    state.commit(outcome.writes()).unwrap();
    outcome
}

impl TransactionSpec {
    fn transaction(&self, next: u64, library: &mut Library) -> UserTransaction {
        let key = |text: &String| hex::decode(text.trim_start_matches("0x")).unwrap();
        let secondary = match &self.secondary_keys {
            Some(keys) => keys.iter().map(key).collect(),
            None => self.secondary.iter().map(|a| a.0.to_vec()).collect(),
        };
        UserTransaction {
            sender: self.sender,
            secondary_signers: self.secondary.clone(),
            authentication: Authentication::Keys {
                sender: self.key.as_ref().map_or(self.sender.0.to_vec(), key),
                secondary,
            },
            sequence_number: self.sequence_number.unwrap_or(next),
            payload: self.payload(library),
            max_gas: self.max_gas,
            gas_price: self.gas_price,
            expiration_seconds: self.expiration,
            chain_id: self.chain_id,
            hash: [0; 32],
            size: 0,
        }
        .sealed()
    }

    fn payload(&self, library: &mut Library) -> TransactionPayload {
        if let Some(function) = &self.function {
            let Call {
                module,
                function,
                ty_args,
                args,
                ..
            } = call(function, &self.type_args, &self.args);
            return TransactionPayload::EntryFunction {
                module,
                function,
                ty_args,
                args,
            };
        }
        if let Some(script) = &self.script {
            let Call { ty_args, args, .. } = call("0x1::m::f", &self.type_args, &self.args);
            return TransactionPayload::Script {
                code: library.script(script),
                ty_args,
                args,
            };
        }
        if let Some(bundle) = &self.bundle {
            let bundle = bundle.iter().map(|name| library.module(name));
            return TransactionPayload::Modules(bundle.collect());
        }
        let publish = self.publish.as_ref().expect("a payload");
        let bundle: Vec<Vec<u8>> = publish.iter().map(|name| library.module(name)).collect();
        let names = match &self.names {
            Some(names) => names.clone(),
            None => bundle
                .iter()
                .map(|bytes| {
                    CompiledModule::deserialize(bytes)
                        .unwrap()
                        .self_id()
                        .name
                        .to_string()
                })
                .collect(),
        };
        let package = self.package.as_deref().unwrap_or("package");
        TransactionPayload::EntryFunction {
            module: "0x1::code".parse().unwrap(),
            function: "publish".parse().unwrap(),
            ty_args: vec![],
            args: vec![bcs_of(&package), bcs_of(&names), bcs_of(&bundle), vec![1]],
        }
    }
}

fn bcs_of<T: serde::Serialize>(value: &T) -> Vec<u8> {
    bcs::to_bytes(value).unwrap()
}

fn call(function: &str, type_args: &[String], args: &[String]) -> Call {
    let name: FunctionName = function.parse().unwrap();
    Call {
        module: name.module,
        function: name.function,
        ty_args: type_args.iter().map(|t| type_argument(t)).collect(),
        signers: vec![],
        args: args.iter().map(|a| argument(a)).collect(),
        access: Access::View,
        gas_limit: 1_000_000_000,
        txn_hash: [0; 32],
    }
}

/// `fill:N`: so many bytes; others are in the syntax of the command line.
fn argument(text: &str) -> Vec<u8> {
    match text.strip_prefix("fill:") {
        Some(count) => bcs_of(&vec![7u8; count.parse().unwrap()]),
        None => parse_argument(text).unwrap(),
    }
}

/// `nested:N`: `u8` inside so many vectors.
fn type_argument(text: &str) -> TypeTag {
    match text.strip_prefix("nested:") {
        Some(depth) => (0..depth.parse::<u32>().unwrap())
            .fold(TypeTag::U8, |inner, _| TypeTag::Vector(Box::new(inner))),
        None => text.parse().unwrap(),
    }
}

/// `kept`, `kept STATUS [sub-status]`, `discarded STATUS` or `fault`.
pub fn ending(outcome: &TransactionOutcome) -> String {
    match outcome {
        TransactionOutcome::Kept(output) => match &output.outcome {
            Outcome::Returned { .. } => "kept".into(),
            Outcome::Failed(failure) => format!("kept {}", failing(failure)),
        },
        TransactionOutcome::Discarded(failure) => format!("discarded {}", failure.status.name()),
        TransactionOutcome::SandboxFault(fault) => format!("fault {fault}"),
    }
}

fn failing(failure: &Failure) -> String {
    match failure.sub_status {
        Some(code) => format!("{} {code:#x}", failure.status.name()),
        None => failure.status.name().into(),
    }
}

/// Binaries by name: packages of the examples, or assembled from `tests/flow`.
#[derive(Default)]
struct Library {
    dependencies: Option<Vec<CompiledModule>>,
}

impl Library {
    fn dependencies(&mut self) -> &mut Vec<CompiledModule> {
        self.dependencies.get_or_insert_with(|| {
            stdlib::std_and_framework()
                .map(|(_, bytes)| CompiledModule::deserialize(bytes).unwrap())
                .collect()
        })
    }

    fn assemble(&mut self, name: &str) -> Unit {
        let source = std::fs::read_to_string(dir().join(name)).unwrap();
        let options = Options {
            version: 8,
            dependencies: self.dependencies(),
        };
        assemble(&source, &options).unwrap_or_else(|error| panic!("{name}: {error:?}"))
    }

    /// A module; later ones may use it.
    fn module(&mut self, name: &str) -> Vec<u8> {
        if name.ends_with(".masm") {
            let Unit::Module(module) = self.assemble(name) else {
                panic!("{name} is no module")
            };
            let id = module.self_id();
            self.dependencies().retain(|each| each.self_id() != id);
            self.dependencies().push((*module).clone());
            return module.serialize().unwrap();
        }
        if let Some(hex) = name.strip_prefix("hex:") {
            return hex::decode(hex).unwrap();
        }
        let path = format!("stdlib/bytecode/v8/examples/{name}.mv");
        std::fs::read(dir().join("..").join(path)).unwrap()
    }

    fn script(&mut self, name: &str) -> Vec<u8> {
        if let Some(hex) = name.strip_prefix("hex:") {
            return hex::decode(hex).unwrap();
        }
        self.assemble(name).serialize().unwrap()
    }
}
