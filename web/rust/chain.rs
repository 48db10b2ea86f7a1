//! A chain in memory: a state, a warm machine, and calls on them.

use crate::data::Bytes;
use crate::error::Error;
use crate::layouts::ModuleLayouts;
use crate::outcome::{Outcome, Typed};
use crate::pool::Pooled;
use crate::state::{State, View, Writes};
use crate::value::{Input, Limits, Value};
use monomove_core::{Access, Call, CallOutput, MachineConfig};
use monomove_format::{CompiledModule, DeserializerConfig, SignatureToken};
use monomove_text::{parse_argument, signature_tags};
use monomove_types::{AccountAddress, Identifier, ModuleId, Path, StateKey, TypeTag};
use monomove_verifier::{PublishOptions, UpgradePolicy, check_bundle};
use serde::Serialize;
use sha3::{Digest, Sha3_256};
use std::collections::BTreeSet;

/// Gas of a call that does not say, and of a chain that does not.
const DEFAULT_GAS: u64 = 20_000_000 * 1_000_000;

/// Bounds of the calls of a chain; what is absent has the default.
#[derive(Clone, Debug, Default)]
pub struct ChainLimits {
    /// Internal gas of a call.
    pub gas: Option<u64>,
    /// Bytes of the heap.
    pub heap_bytes: Option<u32>,
    /// Bytes of the frame stack.
    pub stack_bytes: Option<u32>,
    /// Callers on the call stack.
    pub call_depth: Option<u32>,
}

/// How a chain begins.
#[derive(Clone, Debug, Default)]
pub struct ChainConfig {
    /// Whether standard library and framework are published and genesis runs.
    pub framework: bool,
    /// Chain id, for genesis.
    pub chain_id: u8,
    /// Microseconds since the Unix epoch, for genesis.
    pub time_micros: u64,
    /// [`MachineConfig::paranoid`].
    pub runtime_checks: bool,
    /// Bounds.
    pub limits: ChainLimits,
    /// [`MachineConfig::gas_schedule`].
    pub gas_schedule: Vec<(String, u64)>,
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub enum Argument {
    /// A JavaScript value for the parameter's type.
    Value(Input),
    /// Aptos syntax.
    Text(String),
    /// BCS.
    Bcs(Vec<u8>),
}

/// A call as JavaScript makes it.
#[derive(Clone, Debug)]
pub struct Request {
    /// `0x1::module::function`.
    pub function: String,
    /// Types.
    pub type_arguments: Vec<String>,
    /// Arguments without signers.
    pub args: Vec<Argument>,
    /// Signers.
    pub signers: Vec<String>,
    /// Internal gas.
    pub gas_limit: Option<u64>,
    /// Only `entry` functions may be named.
    pub entry_only: bool,
    /// Hash of the transaction; by default made from the number of the call.
    pub hash: Option<[u8; 32]>,
}

/// How a bundle is published.
#[derive(Clone, Debug)]
pub struct PublishRules {
    /// Who publishes; by default the account that the modules name.
    pub sender: Option<String>,
    /// Whether `init_module` of new modules runs.
    pub init: bool,
    /// Whether the modules are verified and linked, and upgrades are checked.
    pub verify: bool,
    /// What may replace a module.
    pub policy: UpgradePolicy,
}

/// A module that was published.
#[derive(Clone, Debug, Serialize)]
pub struct Published {
    id: String,
    replaced: bool,
}

/// A value of the state.
#[derive(Clone, Debug, Serialize)]
pub struct StateEntry {
    key: String,
    bytes: Bytes,
}

/// A saved state, with what is known of its modules.
#[derive(Clone, Debug)]
pub struct Saved {
    state: State,
    layouts: ModuleLayouts,
    made: u64,
}

impl Saved {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.state.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.state.is_empty()
    }
}

/// A chain.
#[derive(Debug)]
pub struct Chain {
    machine: Pooled,
    gas: u64,
    state: State,
    writes: Writes,
    layouts: ModuleLayouts,
    /// Calls made so far: the seed of the next one's hash.
    made: u64,
}

impl Chain {
    /// A chain; with the framework, genesis has run.
    pub fn new(config: &ChainConfig) -> Result<Self, Error> {
        let mut this = Self {
            machine: Pooled::new(&machine_config(config)),
            gas: config.limits.gas.unwrap_or(DEFAULT_GAS),
            state: State::default(),
            writes: Writes::default(),
            layouts: ModuleLayouts::default(),
            made: 0,
        };
        if config.framework {
            for (_, bytes) in monomove_stdlib::std_and_framework() {
                let module = CompiledModule::deserialize(bytes).map_err(Error::format)?;
                this.put_module(bytes, module);
            }
            let args = [
                format!("u8:{}", config.chain_id),
                format!("u64:{}", config.time_micros),
            ];
            this.genesis_call("initialize", &args)?;
        }
        Ok(this)
    }

    fn put_module(&mut self, bytes: &[u8], module: CompiledModule) -> bool {
        let id = module.self_id();
        let key = StateKey::module(id.clone());
        let replaced = self.state.get(&key).is_some();
        self.state.insert(key, bytes, &mut self.writes);
        self.layouts.insert(id, module);
        replaced
    }

    /// The layouts of the structs of all modules that the chain had so far.
    pub fn layouts(&self) -> &ModuleLayouts {
        &self.layouts
    }

    /// The state as it is, and the numbers of its writes.
    pub fn state(&self) -> (&State, &Writes) {
        (&self.state, &self.writes)
    }

    /// The bounds of its calls.
    pub fn machine_config(&self) -> &MachineConfig {
        self.machine.config()
    }

    /// Publishes a bundle, all or none.
    pub fn publish(
        &mut self,
        bundle: &[Vec<u8>],
        rules: &PublishRules,
    ) -> Result<Vec<Published>, Error> {
        let max_version = self.machine.config().max_bytecode_version;
        let config = DeserializerConfig::new(max_version, DeserializerConfig::MAX_IDENTIFIER_SIZE);
        let modules = bundle.iter().map(|bytes| {
            CompiledModule::deserialize_with(bytes, &config).map_err(Error::bad_module)
        });
        let modules = modules.collect::<Result<Vec<_>, _>>()?;
        let sender = match &rules.sender {
            Some(text) => Some(address(text)?),
            None => modules.first().map(|module| *module.self_address()),
        };
        let mut names = BTreeSet::new();
        for module in &modules {
            let id = module.self_id();
            if Some(id.address) != sender {
                return Err(Error::publish(format!(
                    "{id} is not at the sender's address"
                )));
            }
            if !names.insert(id.clone()) {
                return Err(Error::publish(format!("{id} is in the bundle twice")));
            }
        }
        if let Some(sender) = sender.filter(|_| rules.verify) {
            let options = PublishOptions {
                deserializer: config,
                policy: rules.policy,
                ..PublishOptions::default()
            };
            check_bundle(sender, bundle, &self.layouts, &options).map_err(Error::unverified)?;
        }
        let saved = self.save();
        let (mut published, mut fresh) = (Vec::new(), Vec::new());
        for (bytes, module) in bundle.iter().zip(modules) {
            let id = module.self_id();
            let initializes = takes_one_signer(&module, "init_module");
            let replaced = self.put_module(bytes, module);
            if rules.init && initializes && !replaced {
                fresh.push(id.clone());
            }
            published.push(Published {
                id: id.to_string(),
                replaced,
            });
        }
        for id in fresh {
            let what = format!("{id}::init_module");
            let call = Call {
                signers: vec![id.address],
                ..self.call_of(id, "init_module")?
            };
            let outcome = self.execute(&call, true);
            if !outcome.returned() {
                self.restore(&saved);
                return Err(Error::failed("publish", &what, outcome));
            }
        }
        Ok(published)
    }

    /// A call of a function of any visibility, with nothing in it yet.
    fn call_of(&mut self, module: ModuleId, function: &str) -> Result<Call, Error> {
        let function = Identifier::new(function)
            .map_err(|_| Error::argument(format!("{function} is not an identifier")))?;
        let mut hasher = Sha3_256::new();
        hasher.update(b"MONOMOVE::TRANSACTION");
        hasher.update(self.made.to_le_bytes());
        self.made += 1;
        Ok(Call {
            module,
            function,
            ty_args: Vec::new(),
            signers: Vec::new(),
            args: Vec::new(),
            access: Access::Any,
            gas_limit: self.gas,
            txn_hash: hasher.finalize().into(),
        })
    }

    /// The call that a request means.
    pub fn call(&mut self, request: &Request) -> Result<Call, Error> {
        let (module, function) = function(&request.function)?;
        let ty_args = request.type_arguments.iter().map(|text| tag(text));
        let ty_args = ty_args.collect::<Result<Vec<_>, _>>()?;
        let args = self.arguments(&module, &function, &ty_args, request)?;
        let signers = request.signers.iter().map(|text| address(text));
        let signers = signers.collect::<Result<Vec<_>, _>>()?;
        let mut call = self.call_of(module, &function)?;
        call.ty_args = ty_args;
        call.args = args;
        call.signers = signers;
        if request.entry_only {
            call.access = Access::Entry;
        }
        if let Some(limit) = request.gas_limit {
            call.gas_limit = limit;
        }
        if let Some(hash) = request.hash {
            call.txn_hash = hash;
        }
        Ok(call)
    }

    fn arguments(
        &self,
        module: &ModuleId,
        function: &str,
        ty_args: &[TypeTag],
        request: &Request,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let parameters = self
            .layouts
            .module(module)
            .filter(|_| self.state.get(&StateKey::module(module.clone())).is_some())
            .and_then(|module| parameters(module, function, ty_args));
        let skipped = request.signers.len();
        let parameters = parameters.unwrap_or_default();
        encode_arguments(
            &request.args,
            parameters.get(skipped..).unwrap_or_default(),
            &self.layouts,
        )
    }

    /// Runs a call on the state as it is; applies nothing.
    fn output(&mut self, call: &Call) -> CallOutput {
        let mut view = View {
            state: &self.state,
            writes: &self.writes,
        };
        self.machine.call(call, &mut view)
    }

    fn outcome(&self, output: &CallOutput) -> Outcome {
        Outcome::new(output, &self.layouts, |key| self.state.get(key))
    }

    /// Runs a call, and applies what it did if it returned and `commit`.
    pub fn execute(&mut self, call: &Call, commit: bool) -> Outcome {
        let output = self.output(call);
        let outcome = self.outcome(&output);
        if commit && outcome.returned() {
            self.state.apply(&output.writes, &mut self.writes);
        }
        outcome
    }

    /// Runs a request as a transaction of its own.
    pub fn run(&mut self, request: &Request, commit: bool) -> Result<Outcome, Error> {
        let call = self.call(request)?;
        Ok(self.execute(&call, commit))
    }

    /// The values of a call that must return.
    pub fn view(&mut self, request: &Request) -> Result<Vec<Typed>, Error> {
        let outcome = self.run(request, false)?;
        let failed = |outcome: Box<Outcome>| Error::failed("move", &request.function, *outcome);
        outcome.into_values().map_err(failed)
    }

    /// Runs requests one after the other, each on the changes of those before it.
    pub fn execute_block(
        &mut self,
        requests: &[Request],
        commit: bool,
    ) -> Result<Vec<Outcome>, Error> {
        let saved = self.save();
        let outcomes = requests.iter().map(|request| self.run(request, true));
        let outcomes = outcomes.collect::<Result<Vec<_>, _>>();
        if outcomes.is_err() || !commit {
            self.restore(&saved);
        }
        outcomes
    }

    /// A resource.
    pub fn resource(&self, account: &str, ty: &str) -> Result<Option<Typed>, Error> {
        let account = address(account)?;
        let TypeTag::Struct(tag) = tag(ty)? else {
            return Err(Error::argument(format!("{ty} is not a struct")));
        };
        let key = StateKey::resource(account, (*tag).clone());
        Ok(self.typed(&key, &TypeTag::Struct(tag)))
    }

    /// An item of a table; `key` is its BCS.
    pub fn table_item(
        &self,
        handle: &str,
        key: Vec<u8>,
        value_type: &str,
    ) -> Result<Option<Typed>, Error> {
        let key = StateKey::table_item(address(handle)?, key);
        Ok(self.typed(&key, &tag(value_type)?))
    }

    fn typed(&self, key: &StateKey, ty: &TypeTag) -> Option<Typed> {
        let bytes = self.state.get(key)?;
        Some(Typed::new(ty, bytes, &self.layouts, Limits::default()))
    }

    /// The bytes of a module.
    pub fn module(&self, id: &str) -> Result<Option<&[u8]>, Error> {
        Ok(self.state.get(&StateKey::module(module_id(id)?)))
    }

    /// Ids of all modules.
    pub fn modules(&self) -> Vec<String> {
        let id = |key: &StateKey| match key {
            StateKey::AccessPath {
                path: Path::Code(id),
                ..
            } => Some(id.to_string()),
            _ => None,
        };
        self.state.iter().filter_map(|(key, _)| id(key)).collect()
    }

    /// All values.
    pub fn entries(&self, modules: bool) -> Vec<StateEntry> {
        let is_code = |key: &StateKey| {
            matches!(
                key,
                StateKey::AccessPath {
                    path: Path::Code(_),
                    ..
                }
            )
        };
        let entries = self
            .state
            .iter()
            .filter(|(key, _)| modules || !is_code(key));
        entries
            .map(|(key, bytes)| StateEntry {
                key: key.to_string(),
                bytes: bytes.into(),
            })
            .collect()
    }

    /// Mints native coins.
    pub fn fund(&mut self, account: &str, amount: u64) -> Result<(), Error> {
        let account = address(account)?;
        let args = [format!("address:{account}"), format!("u64:{amount}")];
        self.genesis_call("create_account_with_balance", &args)
    }

    fn genesis_call(&mut self, function: &str, args: &[String]) -> Result<(), Error> {
        let args = args.iter().map(|text| parse_argument(text));
        let args = args.collect::<Result<Vec<_>, _>>();
        let call = Call {
            signers: vec![AccountAddress::ONE],
            args: args.map_err(|error| Error::argument(error.to_string()))?,
            gas_limit: u64::MAX,
            ..self.call_of(module_id("0x1::genesis")?, function)?
        };
        let outcome = self.execute(&call, true);
        if outcome.returned() {
            return Ok(());
        }
        let what = format!("0x1::genesis::{function}");
        Err(Error::failed("move", &what, outcome))
    }

    /// Native coins of an account.
    pub fn balance(&mut self, account: &str) -> Result<u64, Error> {
        let account = address(account)?;
        let call = Call {
            args: vec![account.0.to_vec()],
            ..self.call_of(module_id("0x1::native_coin")?, "balance")?
        };
        let output = self.output(&call);
        if let monomove_core::Outcome::Returned { values, .. } = &output.outcome
            && let Some(value) = values.first()
            && let Ok(bytes) = value.bcs.as_slice().try_into()
        {
            return Ok(u64::from_le_bytes(bytes));
        }
        let outcome = self.outcome(&output);
        Err(Error::failed("move", "0x1::native_coin::balance", outcome))
    }

    /// Saves the state.
    pub fn save(&self) -> Saved {
        Saved {
            state: self.state.clone(),
            layouts: self.layouts.clone(),
            made: self.made,
        }
    }

    /// Goes back to a saved state.
    pub fn restore(&mut self, saved: &Saved) {
        self.state = saved.state.clone();
        self.layouts = saved.layouts.clone();
        self.made = saved.made;
    }

    /// BCS as a value.
    pub fn decode(&self, ty: &str, bcs: &[u8], limits: Limits) -> Result<Value, Error> {
        Ok(Value::decode(&tag(ty)?, bcs, &self.layouts, limits))
    }

    /// A value as BCS.
    pub fn encode(&self, ty: &str, value: &Input) -> Result<Vec<u8>, Error> {
        value.encode(&tag(ty)?, &self.layouts)
    }
}

fn machine_config(config: &ChainConfig) -> MachineConfig {
    let default = MachineConfig::default();
    let limits = &config.limits;
    MachineConfig {
        stack_bytes: limits.stack_bytes.unwrap_or(default.stack_bytes),
        heap_bytes: limits.heap_bytes.unwrap_or(default.heap_bytes),
        call_depth: limits.call_depth.unwrap_or(default.call_depth),
        gas_schedule: config.gas_schedule.clone(),
        paranoid: config.runtime_checks,
        // The checks are for code that no verifier has seen.
        verify: !config.runtime_checks,
        ..default
    }
}

/// Arguments as BCS. There may be fewer parameters than arguments: the machine says so later, unless an argument needs its type.
pub fn encode_arguments(
    args: &[Argument],
    parameters: &[TypeTag],
    layouts: &dyn monomove_text::StructLayouts,
) -> Result<Vec<Vec<u8>>, Error> {
    let encode = |(index, arg): (usize, &Argument)| match arg {
        Argument::Bcs(bytes) => Ok(bytes.clone()),
        Argument::Text(text) => parse_argument(text)
            .map_err(|error| Error::argument(format!("argument {index}: {error}"))),
        Argument::Value(value) => match parameters.get(index) {
            Some(ty) => value.encode(ty, layouts),
            None => Err(Error::argument(format!(
                "argument {index}: no parameter with a known type; give {{ text }} or {{ bcs }}"
            ))),
        },
    };
    args.iter().enumerate().map(encode).collect()
}

/// The types of all parameters of a function of `module`.
pub fn parameters(
    module: &CompiledModule,
    function: &str,
    ty_args: &[TypeTag],
) -> Option<Vec<TypeTag>> {
    let (_, definition) = module.find_function(function)?;
    let handle = module.handle_of_definition(definition);
    signature_tags(module, handle.parameters, ty_args)
}

/// Whether a module has a function of this name that takes a signer and gives nothing.
fn takes_one_signer(module: &CompiledModule, function: &str) -> bool {
    let Some((_, definition)) = module.find_function(function) else {
        return false;
    };
    let handle = module.handle_of_definition(definition);
    let parameters = module.signature_at(handle.parameters).0.as_slice();
    let is_signer = |token: &SignatureToken| match token {
        SignatureToken::Reference(to) => **to == SignatureToken::Signer,
        token => *token == SignatureToken::Signer,
    };
    matches!(parameters, [only] if is_signer(only))
        && module.signature_at(handle.return_).0.is_empty()
}

/// A type.
pub fn tag(text: &str) -> Result<TypeTag, Error> {
    text.parse()
        .map_err(|error| Error::argument(format!("type {text}: {error}")))
}

fn address(text: &str) -> Result<AccountAddress, Error> {
    AccountAddress::from_hex_literal(text)
        .map_err(|error| Error::argument(format!("address {text}: {error}")))
}

fn module_id(text: &str) -> Result<ModuleId, Error> {
    text.parse()
        .map_err(|_| Error::argument(format!("{text}: expected a module such as 0x1::coin")))
}

fn function(text: &str) -> Result<(ModuleId, String), Error> {
    let expected = || {
        Error::argument(format!(
            "{text}: expected a function such as 0x1::coin::transfer"
        ))
    };
    let (module, name) = text.rsplit_once("::").ok_or_else(expected)?;
    let module = module.parse().map_err(|_| expected())?;
    Ok((module, name.to_owned()))
}
