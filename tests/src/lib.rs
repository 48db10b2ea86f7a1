//! The golden corpus as data: what its files say ([`Corpus`]), how to run it on any machine ([`Executor`], [`run`]) and how
//! results are compared. The formats are those of `golden/README.md` and `golden/GAS.md`.

mod compare;
mod gas;
mod load;
mod model;
mod run;

pub use compare::{Mismatch, compare_step};
pub use gas::{DepsKind, GasTable, StepGas};
pub use load::{Corpus, LoadError, ModuleBinary, mv_files};
pub use model::{Case, ErrorExpectation, Expect, Step};
pub use run::{CaseFailure, Executed, Executor, Options, Report, run};
