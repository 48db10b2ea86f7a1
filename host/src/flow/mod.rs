//! The flow of transactions on a chain: who may send one, what runs before and after it, and what a fresh chain begins with.
//!
//! The rules themselves are Move code, named by [`FlowConfig`]: a prologue that admits a transaction or aborts with its reason, and an epilogue
//! that charges for it.

mod block;
mod config;
mod genesis;
mod run;
mod signed;
mod transaction;

pub use block::{BlockMetadata, BlockTransaction};
pub use config::{FlowConfig, FunctionName};
pub use genesis::{Genesis, GenesisError};
pub use run::Validation;
pub use transaction::{Authentication, UserTransaction};
