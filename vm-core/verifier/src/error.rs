//! Why code was refused, and where.

use monomove_format::{CodeOffset, FunctionDefinitionIndex};
use monomove_types::{ModuleId, StatusCode};
use std::fmt;

/// What an error is attached to.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ErrorLocation {
    /// Nothing.
    #[default]
    Undefined,
    /// A module.
    Module(ModuleId),
    /// The script.
    Script,
}

/// Why code was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct VerifierError {
    /// What the platform calls it.
    pub status: StatusCode,
    /// The module or script that is wrong. Passes leave it undefined; the entry points fill it in.
    pub location: ErrorLocation,
    /// The function, where it is in one.
    pub function: Option<FunctionDefinitionIndex>,
    /// The instruction, where it is at one; of an error of stack usage, the first of its basic block.
    pub code_offset: Option<CodeOffset>,
    /// What was wrong: deterministic and of bounded length.
    pub message: String,
}

/// Result of a check.
pub type VerifierResult<T = ()> = Result<T, VerifierError>;

impl VerifierError {
    /// An error without a place.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            location: ErrorLocation::Undefined,
            function: None,
            code_offset: None,
            message: message.into(),
        }
    }

    /// This error, placed in a function.
    #[must_use]
    pub fn in_function(self, function: FunctionDefinitionIndex) -> Self {
        Self {
            function: Some(function),
            ..self
        }
    }

    /// This error, placed at an instruction.
    #[must_use]
    pub fn at(self, function: FunctionDefinitionIndex, code_offset: CodeOffset) -> Self {
        Self {
            function: Some(function),
            code_offset: Some(code_offset),
            ..self
        }
    }

    /// This error, attached to a module or script.
    #[must_use]
    pub fn located(self, location: ErrorLocation) -> Self {
        Self { location, ..self }
    }
}

impl fmt::Display for ErrorLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undefined => f.write_str("undefined"),
            Self::Module(id) => write!(f, "module {id}"),
            Self::Script => f.write_str("script"),
        }
    }
}

impl fmt::Display for VerifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.status, self.status.number())?;
        if self.location != ErrorLocation::Undefined {
            write!(f, " in {}", self.location)?;
        }
        if let Some(function) = self.function {
            write!(f, " in function {function}")?;
        }
        if let Some(offset) = self.code_offset {
            write!(f, " at instruction {offset}")?;
        }
        write!(f, ": {}", self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text() {
        let error = VerifierError::new(StatusCode::TYPE_MISMATCH, "no vector")
            .at(FunctionDefinitionIndex(3), 7)
            .located(ErrorLocation::Module("0x1::coin".parse().unwrap()));
        assert_eq!(
            error.to_string(),
            "TYPE_MISMATCH (1020) in module 0x1::coin in function 3 at instruction 7: no vector"
        );
    }
}
