//! The engine: a compiled guest with its limits, shared by every sandbox.

use crate::code::VerifiedCode;
use crate::flow::FlowConfig;
use crate::limits::{Limits, LimitsError};
use crate::store::{HostStore, imports};
use crate::watchdog::Watchdog;
use crate::{guest, wasm_config};
use monomove_core::{GasSchedule, MachineConfig};
use monomove_verifier::VerifierConfig;
use sha3::{Digest, Sha3_256};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use thiserror::Error;
use wasmtime::InstancePre;

/// Where the core runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backend {
    /// As wasm inside wasmtime: nothing it does reaches the process.
    #[default]
    Wasm,
    /// As native code in this process, for comparison and tests: panics are caught, but memory, time and stack are not bounded.
    Native,
}

/// How to make an [`Engine`].
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Bounds of every sandbox.
    pub limits: Limits,
    /// Where the core runs.
    pub backend: Backend,
    /// The guest as wasm; `None` is the embedded one.
    pub guest: Option<Vec<u8>>,
    /// Whether a call that broke its instance is tried once more in a fresh one. True by default.
    pub retry_faults: bool,
    /// Newest bytecode version accepted.
    pub max_bytecode_version: u32,
    /// Parameters of the gas schedule that differ from the defaults, by their on-chain keys
    /// ([`GasSchedule::entries_of_resource`] reads those of a chain).
    pub gas_schedule: Vec<(String, u64)>,
    /// Seed of the core's hash tables; it never changes a result. `None` draws one (hash flooding).
    pub hash_seed: Option<u64>,
    /// Runtime checks that make any bytecode, verified or not, end with a status. Off by default; they change no result of verified code.
    pub paranoid: bool,
    /// Whether garbage is collected before every allocation. Changes no result; for tests.
    pub gc_stress: bool,
    /// An enum whose largest variant takes more bytes is an object on the heap. Changes no result but where memory runs out; for tests.
    pub enum_inline_bytes: u32,
    /// Whether modules must pass the bytecode verifier when they are loaded. On by default; off is for experiments with paranoid mode.
    pub verify: bool,
    /// Whether code of unstable compilers may be published and run as a script. Off by default, as on chains of value.
    pub accept_unstable: bool,
    /// The functions that carry the flow of transactions.
    pub flow: FlowConfig,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            backend: Backend::default(),
            guest: None,
            retry_faults: true,
            max_bytecode_version: MachineConfig::default().max_bytecode_version,
            gas_schedule: Vec::new(),
            hash_seed: None,
            paranoid: false,
            gc_stress: false,
            enum_inline_bytes: MachineConfig::default().enum_inline_bytes,
            verify: true,
            accept_unstable: false,
            flow: FlowConfig::default(),
        }
    }
}

/// Why there is no engine.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EngineError {
    /// A limit cannot be met.
    #[error(transparent)]
    Limits(#[from] LimitsError),
    /// The guest is not a wasm module, or not a guest of this host.
    #[error("bad guest: {0}")]
    Guest(String),
    /// wasmtime cannot run on this machine.
    #[error("cannot set wasmtime up: {0}")]
    Runtime(String),
    /// The watchdog's thread could not be started.
    #[error("cannot start the watchdog: {0}")]
    Watchdog(String),
}

/// What decides about results: guest, protocol and gas schedule. Equal hashes give equal results.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VersionHash(pub [u8; 32]);

impl fmt::Display for VersionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for VersionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A compiled guest, its limits, and its watchdog. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    limits: Limits,
    retry_faults: bool,
    machine: MachineConfig,
    flow: FlowConfig,
    version_hash: VersionHash,
    wasm: Option<WasmEngine>,
    verified: VerifiedCode,
}

/// The wasm half of an engine.
pub(crate) struct WasmEngine {
    /// The guest with its imports resolved.
    pub(crate) guest: InstancePre<HostStore>,
    pub(crate) watchdog: Watchdog,
}

impl fmt::Debug for WasmEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmEngine").finish_non_exhaustive()
    }
}

impl Engine {
    /// The embedded guest under `limits`.
    pub fn new(limits: Limits) -> Result<Self, EngineError> {
        Self::with_config(EngineConfig {
            limits,
            ..EngineConfig::default()
        })
    }

    /// Another guest, as wasm, under `limits`. It need not be trusted.
    pub fn with_guest(wasm: &[u8], limits: Limits) -> Result<Self, EngineError> {
        Self::with_config(EngineConfig {
            limits,
            guest: Some(wasm.to_vec()),
            ..EngineConfig::default()
        })
    }

    /// An engine with every setting given.
    pub fn with_config(config: EngineConfig) -> Result<Self, EngineError> {
        config.limits.check()?;
        let hash_seed = config
            .hash_seed
            .unwrap_or_else(|| RandomState::new().hash_one(0));
        let wasm = match config.backend {
            Backend::Wasm => Some(WasmEngine::new(&config.limits, config.guest.as_deref())?),
            Backend::Native => None,
        };
        let entries = config.gas_schedule.iter();
        let gas = GasSchedule::with_entries(entries.map(|(key, value)| (key.as_str(), *value)));
        let machine = MachineConfig {
            hash_seed,
            max_bytecode_version: config.max_bytecode_version,
            gas_schedule: config.gas_schedule,
            paranoid: config.paranoid,
            gc_stress: config.gc_stress,
            enum_inline_bytes: config.enum_inline_bytes,
            verify: config.verify,
            accept_unstable: config.accept_unstable,
            ..config.limits.machine_config()
        };
        let version_hash = guest::version_hash(
            config.guest.as_deref(),
            &gas,
            &machine,
            config.limits.gas_per_transaction,
            &config.flow,
        );
        Ok(Self {
            inner: Arc::new(Inner {
                version_hash: VersionHash(version_hash),
                machine,
                limits: config.limits,
                retry_faults: config.retry_faults,
                flow: config.flow,
                wasm,
                verified: VerifiedCode::default(),
            }),
        })
    }

    /// Whether both are clones of one engine.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The limits of every sandbox.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Where the core runs.
    pub fn backend(&self) -> Backend {
        match self.inner.wasm {
            Some(_) => Backend::Wasm,
            None => Backend::Native,
        }
    }

    /// Hash of all that decides results: guest, protocol, gas schedule, bounds of the machine, functions of the flow. The native backend has the hash of the guest it stands in for.
    pub fn version_hash(&self) -> VersionHash {
        self.inner.version_hash
    }

    /// The functions that carry the flow of transactions.
    pub fn flow(&self) -> &FlowConfig {
        &self.inner.flow
    }

    /// The code that passed the verifier in a sandbox of this engine.
    pub(crate) fn verified(&self) -> &VerifiedCode {
        &self.inner.verified
    }

    /// Forgets which code passed the verifier, so that it is verified again. Results do not depend on it.
    pub fn forget_verified_code(&self) {
        self.inner.verified.clear();
    }

    /// Hash of all that the engine decides about code.
    pub(crate) fn environment(&self) -> [u8; 32] {
        let mut hasher = Sha3_256::new();
        hasher.update(self.inner.version_hash.0);
        hasher.update(format!("{:?}", VerifierConfig::aptos()));
        hasher.update(format!("{:?}", self.inner.machine));
        hasher.finalize().into()
    }

    pub(crate) fn retry_faults(&self) -> bool {
        self.inner.retry_faults
    }

    pub(crate) fn machine_config(&self) -> &MachineConfig {
        &self.inner.machine
    }

    pub(crate) fn wasm(&self) -> Option<&WasmEngine> {
        self.inner.wasm.as_ref()
    }
}

impl WasmEngine {
    fn new(limits: &Limits, wasm: Option<&[u8]>) -> Result<Self, EngineError> {
        let mut config = wasm_config::wasm_config();
        config.max_wasm_stack(limits.wasm_stack_bytes as usize);
        #[cfg(target_os = "linux")]
        config.with_host_memory(Arc::new(crate::memory::Memories));
        let engine = wasmtime::Engine::new(&config)
            .map_err(|error| EngineError::Runtime(format!("{error:#}")))?;
        let module = match wasm {
            Some(wasm) => guest::compile(&engine, wasm)?,
            None => guest::load_embedded(&engine)?,
        };
        let guest = imports(&engine)
            .and_then(|linker| linker.instantiate_pre(&module))
            .map_err(|error| EngineError::Guest(format!("{error:#}")))?;
        let watchdog = Watchdog::start(engine.weak(), limits.watchdog_ms)
            .map_err(|error| EngineError::Watchdog(error.to_string()))?;
        Ok(Self { guest, watchdog })
    }
}
