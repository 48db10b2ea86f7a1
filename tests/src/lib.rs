//! The golden corpus as data: what its files say ([`Corpus`]), how to run it on any machine ([`Executor`], [`run`]) and how
//! results are compared; which instructions it executes ([`Coverage`]) and what they cost one by one ([`check_gas`]). Beside it, the recorded verdicts of the native verifier
//! ([`compare_verdicts`]), [`mutants`] of the modules, and the bodies of the [`fuzz`] targets. The formats are those of `golden/README.md` and `golden/GAS.md`.

mod compare;
mod coverage;
mod fields;
pub mod fuzz;
mod gas;
mod load;
mod meter;
mod model;
mod modules;
pub mod mutants;
mod run;
mod sizes;
mod verdicts;

pub use compare::{Mismatch, compare_step};
pub use coverage::{COLUMNS, Coverage, CoverageRow};
pub use gas::{DepsKind, GasTable, StepGas};
pub use load::{Corpus, LoadError, ModuleBinary, mv_files};
pub use meter::{Metered, check_gas};
pub use model::{Case, ErrorExpectation, Expect, Step};
pub use modules::Modules;
pub use run::{CaseFailure, Executed, Executor, Options, Report, run};
pub use verdicts::{VerdictReport, compare_verdicts};
