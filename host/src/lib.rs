//! Move in a sandbox.
//!
//! The Move machine runs as a wasm module inside wasmtime, so that whatever a transaction, a module or a bug of the machine does, the
//! process it runs in lives on. The map from the outside in:
//!
//! - [`Engine`]: the compiled guest and its [`Limits`]; make one, clone it, share it between threads;
//! - [`Sandbox`]: one instance of it, which runs one [`Call`] after the other on any [`StateView`];
//! - [`UserTransaction`]: a transaction from prologue to epilogue, for [`Sandbox::execute_transaction`], [`Sandbox::validate`] and
//!   [`Sandbox::simulate`], on a chain that [`Genesis`] makes;
//! - [`execute_block`] and [`BlockExecutor`]: a list of calls and transactions, each on the state its predecessors left, by one worker or many;
//! - [`TransactionOutcome`]: *kept*, *discarded* or *sandbox fault*, never confused;
//! - [`SignedTransaction`] and [`Transaction`]: what senders sign, as bytes and JSON, and what is left of it once it is checked;
//! - [`StateView`] and [`StateCommit`]: the state, which nothing here changes before the caller commits; [`MemoryState`], [`DiskState`]
//!   and [`Fork`] implement them.
//!
//! ```
//! use monomove::{Access, AccountAddress, Call, Engine, Limits, MemoryState, Sandbox, TransactionOutcome};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(Limits::default())?;
//! let mut sandbox = Sandbox::new(&engine);
//! let call = Call {
//!     module: "0x1::nowhere".parse()?,
//!     function: "nothing".parse()?,
//!     ty_args: vec![],
//!     signers: vec![],
//!     args: vec![],
//!     access: Access::Entry,
//!     gas_limit: 1_000_000,
//!     txn_hash: [0; 32],
//! };
//! let outcome = sandbox.execute(&call, &MemoryState::new())?;
//! assert!(matches!(outcome, TransactionOutcome::Discarded(_)));
//! # Ok(())
//! # }
//! ```

mod block;
mod bridge;
mod code;
mod engine;
mod flat;
mod flow;
mod gas;
mod guest;
mod image;
mod inspector;
mod instance;
mod limits;
mod maintenance;
#[cfg(target_os = "linux")]
mod memory;
mod native;
mod outcome;
mod sandbox;
mod state;
mod stm;
mod store;
mod transaction;
mod wasm_config;
mod watchdog;

pub use block::{
    Block, BlockConfig, BlockExecutor, BlockMemory, BlockOutput, Lineage, SandboxRunner,
    WorkerMemory, execute_block,
};
pub use code::{CodeCacheConfig, CodeCacheMetrics};
pub use engine::{Backend, Engine, EngineConfig, EngineError, VersionHash};
pub use flow::{
    Authentication, BlockMetadata, BlockTransaction, FlowConfig, FunctionName, Genesis,
    GenesisError, UserTransaction, Validation,
};
pub use gas::{GasScheduleError, gas_schedule_of};
pub use image::{Image, ImageBuilder};
pub use inspector::{Inspector, NoInspector};
pub use limits::{Limits, LimitsError};
pub use outcome::{FaultKind, HostError, LimitHit, SandboxFault, TransactionOutcome};
pub use sandbox::Sandbox;
pub use state::{
    BlockInfo, CommitError, DiskState, DiskView, Fork, MemoryState, ModuleError, OpenError,
    PruneReport, Scan, StateCommit, StateError, StateView, StoreInfo,
};

pub use stm::{
    BlockInspector, BlockLimits, BlockMetrics, BlockRun, CutOff, CutOffReason, NoBlockInspector,
    ParallelError, TransactionOutput, TransactionRunner, run_in_parallel, run_in_sequence,
};
pub use transaction::{
    AccountAuthenticator, Authenticator, DecodeError, DecodeErrorKind, EntryFunction, Executable,
    Payload, RawTransaction, ReplayProtection, Script, ScriptArgument, SignedTransaction, Signer,
    Transaction, TransactionRules,
};

pub use monomove_core::{
    Access, Call, CallOutput, ContextStats, Event, Failure, Fees, GasSchedule, HeapStats,
    LoadRequest, Location, MachineStats, Measure, NewTable, Outcome, PublishRequest,
    TransactionPayload, TypedValue, ValueCacheStats, VerifyRequest, WriteOp,
};
pub use monomove_core::{
    Checkpoint, EventColumns, EventKind, FrameRef, Profile, ProfileFrame, Replay, StepColumns,
    Trace, TraceEnd, TraceError, TraceEvent, TraceFunction, TraceHeader, TraceLimits, TracePlace,
    WriteColumns,
};
pub use monomove_guest::abi;
pub use monomove_stdlib as stdlib;
pub use monomove_types::{
    AccountAddress, Identifier, ModuleId, StateKey, StatusCode, StructTag, TypeTag,
};
