//! How a transaction ended, and what a sandbox fault is.

use crate::abi::Rejection;
use crate::state::StateError;
use monomove_core::{CallOutput, Failure, Location, Outcome, WriteOp};
use monomove_types::StateKey;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// How a transaction ended. The three are never confused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one: a box would cost every call an allocation"
)]
pub enum TransactionOutcome {
    /// It was executed or aborted: its gas is charged, and its writes count. A call that failed has none; those of a transaction that failed
    /// are what it was charged.
    Kept(CallOutput),
    /// It was refused before its first instruction: unknown function, wrong arguments and the like. Nothing is charged.
    Discarded(Failure),
    /// The sandbox broke: a bug or a limit of the embedding, not a result of Move. Another run may end differently.
    SandboxFault(SandboxFault),
}

impl TransactionOutcome {
    /// Sorts the output of a call into kept and discarded.
    pub(crate) fn of(mut output: CallOutput) -> Self {
        if matches!(output.outcome, Outcome::Failed(_)) {
            output.writes.clear();
        }
        match output {
            CallOutput {
                outcome: Outcome::Failed(failure),
                instructions: 0,
                ..
            } if failure.location == Location::Undefined => Self::Discarded(failure),
            output => Self::Kept(output),
        }
    }

    /// What is to be applied to the state.
    pub fn writes(&self) -> &[(StateKey, WriteOp)] {
        match self {
            Self::Kept(output) => &output.writes,
            Self::Discarded(_) | Self::SandboxFault(_) => &[],
        }
    }

    /// The output, if the transaction was kept and returned.
    pub fn success(&self) -> Option<&CallOutput> {
        match self {
            Self::Kept(output) if matches!(output.outcome, Outcome::Returned { .. }) => {
                Some(output)
            }
            _ => None,
        }
    }
}

/// What kind of thing broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The core panicked.
    Panic,
    /// The guest executed a trap, or broke the protocol with the host.
    Trap,
    /// The guest asked for more memory than it may have.
    Memory,
    /// The watchdog fired.
    Time,
    /// The guest's call stack is used up.
    Stack,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panic => "panic",
            Self::Trap => "trap",
            Self::Memory => "memory",
            Self::Time => "time",
            Self::Stack => "stack",
        })
    }
}

/// The limit that was hit: its name, value and unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitHit {
    /// Field of [`Limits`](crate::Limits), or `guest_stack_bytes` for the stack in the guest's memory, which is fixed when it is linked.
    pub name: &'static str,
    /// Its value.
    pub value: u64,
    /// Its unit: `bytes`, `ms` or `elements`.
    pub unit: &'static str,
}

impl fmt::Display for LimitHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} {}", self.name, self.value, self.unit)
    }
}

/// A fault of the sandbox. The instance that had it is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Error)]
pub struct SandboxFault {
    /// What kind of thing broke.
    pub kind: FaultKind,
    /// The limit that was hit, if it was one.
    pub limit: Option<LimitHit>,
    /// A bounded text for people. It comes from inside the sandbox: escape it before showing it on a terminal.
    pub message: String,
}

impl fmt::Display for SandboxFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sandbox fault ({}): {}", self.kind, self.message)?;
        match &self.limit {
            Some(limit) => write!(f, " [{limit}]"),
            None => Ok(()),
        }
    }
}

/// Why the host could not carry a transaction out. The transaction has no outcome then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HostError {
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The call has no byte form: it is nested too deeply.
    #[error("the call cannot be encoded: {0}")]
    Request(String),
    /// The guest and the host do not fit together.
    #[error("the guest refused the request: {0:?}")]
    Refused(Rejection),
    /// The guest module lacks something, or the system had no memory for an instance.
    #[error("cannot instantiate the guest: {0}")]
    Instantiate(String),
    /// This backend cannot do that.
    #[error("the native backend has no sandbox to break")]
    NotSandboxed,
}
