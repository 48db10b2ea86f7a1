//! Why execution stopped, before it is given a place in the code.

use crate::context::ids::ModuleRef;
use monomove_types::StatusCode;

/// Result of anything that can end a transaction.
pub(crate) type Run<T> = Result<T, Stop>;

/// A reason to end the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The transaction fails with a status.
    Fail(Box<Fail>),
    /// The traced form of a function cannot run where its fast form can.
    Untraceable,
    /// The tracer has seen what it wanted: nothing came of the run.
    Enough,
    /// Cached code no longer is what the state holds: the context is dropped and the transaction starts anew.
    Stale,
}

/// A failing status and its details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fail {
    pub(crate) status: StatusCode,
    pub(crate) sub_status: Option<u64>,
    pub(crate) message: Option<String>,
    /// The module at fault when it is not the one that is executing (natives).
    pub(crate) module: Option<ModuleRef>,
    /// The failing instruction was not charged before it failed (see `specs/gas.md`: failures).
    pub(crate) uncharged: bool,
}

impl Stop {
    /// A failure with nothing but a status.
    #[cold]
    pub(crate) fn status(status: StatusCode) -> Self {
        Self::Fail(Box::new(Fail {
            status,
            sub_status: None,
            message: None,
            module: None,
            uncharged: false,
        }))
    }

    #[cold]
    pub(crate) fn with_sub_status(status: StatusCode, sub_status: u64) -> Self {
        Self::Fail(Box::new(Fail {
            status,
            sub_status: Some(sub_status),
            message: None,
            module: None,
            uncharged: false,
        }))
    }

    /// A failure with an explanation, which must be deterministic and short.
    #[cold]
    pub(crate) fn with_message(status: StatusCode, message: impl Into<String>) -> Self {
        Self::Fail(Box::new(Fail {
            status,
            sub_status: None,
            message: Some(message.into()),
            module: None,
            uncharged: false,
        }))
    }

    /// Marks a failure that happens before its instruction is charged.
    #[cold]
    pub(crate) fn uncharged(mut self) -> Self {
        if let Self::Fail(fail) = &mut self {
            fail.uncharged = true;
        }
        self
    }

    /// Names the module at fault, unless one is named already.
    #[cold]
    pub(crate) fn in_module(mut self, module: ModuleRef) -> Self {
        if let Self::Fail(fail) = &mut self {
            fail.module.get_or_insert(module);
        }
        self
    }
}

impl From<StatusCode> for Stop {
    #[cold]
    fn from(status: StatusCode) -> Self {
        Self::status(status)
    }
}

impl From<crate::StateError> for Stop {
    #[cold]
    fn from(error: crate::StateError) -> Self {
        Self::with_message(StatusCode::STORAGE_ERROR, error.0)
    }
}

impl From<crate::memory::OutOfHeap> for Stop {
    #[cold]
    fn from(_: crate::memory::OutOfHeap) -> Self {
        Self::status(StatusCode::MEMORY_LIMIT_EXCEEDED)
    }
}
