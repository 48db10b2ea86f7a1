//! How a command ends: exit codes and errors.

use std::fmt::{self, Display};
use std::io;
use std::process::ExitCode;

use monomove::{Failure, Outcome, StatusCode, TransactionOutcome};

/// Exit codes of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Ok = 0,
    /// Wrong usage, or input that cannot be read.
    Usage = 1,
    /// Results differ from what was expected.
    Mismatch = 2,
    /// A Move abort or an execution error.
    Failed = 3,
    /// A limit of the machine, or out of gas.
    Limit = 4,
    /// The sandbox broke.
    Fault = 5,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum CliError {
    /// To be shown to the user, and the exit code.
    Message(Exit, String),
    /// Nobody reads standard output any more; that is nobody's error.
    ClosedPipe,
}

impl CliError {
    /// Wrong usage or unreadable input at `place`: a file, an argument.
    pub(crate) fn at(place: impl Display, message: impl Display) -> Self {
        Self::Message(Exit::Usage, format!("{place}: {message}"))
    }

    /// A failure on the way that has an exit code of its own.
    pub(crate) fn failed(exit: Exit, message: String) -> Self {
        Self::Message(exit, message)
    }

    /// The same error, whose place is a field of `whole`.
    pub(crate) fn field_of(self, whole: impl Display) -> Self {
        match self {
            Self::Message(exit, message) => Self::Message(exit, format!("{whole}.{message}")),
            Self::ClosedPipe => Self::ClosedPipe,
        }
    }

    /// The same error, in the file `place`.
    pub(crate) fn within(self, place: impl Display) -> Self {
        match self {
            Self::Message(exit, message) => Self::Message(exit, format!("{place}: {message}")),
            Self::ClosedPipe => Self::ClosedPipe,
        }
    }
}

impl Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(_, message) => f.write_str(message),
            Self::ClosedPipe => f.write_str("standard output is closed"),
        }
    }
}

impl From<String> for CliError {
    fn from(message: String) -> Self {
        Self::Message(Exit::Usage, message)
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::at("standard output", error),
        }
    }
}

macro_rules! message_from {
    ($($error:ty),*) => {$(
        impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::from(error.to_string())
            }
        }
    )*};
}
message_from!(
    monomove::HostError,
    monomove::EngineError,
    monomove::CommitError,
    monomove::OpenError,
    monomove::StateError,
    monomove_tests::LoadError
);

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

impl Exit {
    /// What a transaction's end means for the command that ran it.
    pub(crate) fn of(outcome: &TransactionOutcome) -> Self {
        match outcome {
            TransactionOutcome::Kept(output) => match &output.outcome {
                Outcome::Returned { .. } => Self::Ok,
                Outcome::Failed(failure) => Self::of_failure(failure),
            },
            TransactionOutcome::Discarded(failure) => Self::of_failure(failure),
            TransactionOutcome::SandboxFault(_) => Self::Fault,
        }
    }

    fn of_failure(failure: &Failure) -> Self {
        Self::of_status(failure.status)
    }

    /// What a failing status means for the command.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::OUT_OF_GAS
            | StatusCode::EXECUTION_LIMIT_REACHED
            | StatusCode::IO_LIMIT_REACHED
            | StatusCode::STORAGE_LIMIT_REACHED
            | StatusCode::MEMORY_LIMIT_EXCEEDED
            | StatusCode::CALL_STACK_OVERFLOW
            | StatusCode::EXECUTION_STACK_OVERFLOW
            | StatusCode::VM_MAX_VALUE_DEPTH_REACHED
            | StatusCode::VM_MAX_TYPE_DEPTH_REACHED => Self::Limit,
            _ => Self::Failed,
        }
    }
}
