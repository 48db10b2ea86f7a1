//! The Move machine: from module bytes to results. Deterministic, no I/O, no threads.

mod api;
mod machine;

pub use api::*;
pub use machine::Machine;
