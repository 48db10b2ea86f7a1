//! The Move machine: from module bytes to results. Deterministic, no I/O, no threads.
//!
//! Module bytes are loaded and interned (`context`), lowered to micro-ops (`lower`) and run over flat values
//! (`interp`, `value`, `memory`). Everything outside is reached through [`StateView`].

mod access;
mod api;
mod arguments;
mod cached;
mod collect;
mod context;
mod gas;
mod globals;
mod interp;
mod invoke;
mod lower;
mod machine;
mod memory;
mod natives;
mod paranoid;
mod phase;
mod prepare;
mod stats;
mod stop;
mod trace;
mod transaction;
mod value;
mod verify;

pub use api::*;
pub use context::inspect::{LayoutSlot, SlotKind, TypeLayout};
pub use context::{ContextStats, Measure};
pub use gas::GasSchedule;
pub use lower::listing::Stage;
pub use machine::Machine;
pub use phase::{
    ExecutionGuard, HEADROOM_BYTES, Interned, MaintenanceGuard, RawTypeId, StaleId, TypeFacts,
};
pub use prepare::LoadRequest;
pub use stats::{HeapStats, MachineStats, ValueCacheStats};
pub use trace::*;
pub use verify::VerifyRequest;
