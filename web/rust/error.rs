//! Errors as JavaScript gets them: a stable code, a message, and what belongs to the code.

use crate::outcome::Outcome;
use monomove_format::FormatError;
use monomove_verifier::VerifierError;
use serde::Serialize;

/// Where and why a binary is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    status: &'static str,
    status_code: u32,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u16>,
}

impl From<FormatError> for Problem {
    fn from(error: FormatError) -> Self {
        Self {
            status: error.status.name(),
            status_code: error.status.number() as u32,
            message: error.message,
            byte: error.offset.map(|offset| offset as u32),
            function: error.function.map(|function| function.0),
            offset: error.code_offset,
        }
    }
}

impl From<VerifierError> for Problem {
    fn from(error: VerifierError) -> Self {
        Self {
            status: error.status.name(),
            status_code: error.status.number() as u32,
            message: error.message,
            byte: None,
            function: error.function.map(|function| function.0),
            offset: error.code_offset,
        }
    }
}

/// Why something was not done.
#[derive(Clone, Debug, Serialize)]
pub struct Error {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Box<Outcome>>,
}

impl Error {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            problem: None,
            outcome: None,
        }
    }

    /// An argument is wrong.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new("invalid_argument", message)
    }

    /// Bytes are not what they should be.
    pub fn format(error: FormatError) -> Self {
        Self {
            message: error.to_string(),
            problem: Some(error.into()),
            ..Self::new("format", "")
        }
    }

    /// A bundle is refused.
    pub fn publish(message: impl Into<String>) -> Self {
        Self::new("publish", message)
    }

    /// A bundle is refused by the verifier, the linker, or the rules of upgrades.
    pub fn unverified(error: VerifierError) -> Self {
        Self {
            message: error.to_string(),
            problem: Some(error.into()),
            ..Self::new("publish", "")
        }
    }

    /// A bundle is refused because of one of its modules.
    pub fn bad_module(error: FormatError) -> Self {
        Self {
            code: "publish",
            ..Self::format(error)
        }
    }

    /// A call that had to return did not.
    pub fn failed(code: &'static str, what: &str, outcome: Outcome) -> Self {
        Self {
            message: format!("{what}: {}", outcome.headline()),
            outcome: Some(Box::new(outcome)),
            ..Self::new(code, "")
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}
