//! The error of reading, checking and writing binaries.

use crate::{CodeOffset, FunctionDefinitionIndex};
use monomove_types::StatusCode;
use std::fmt;

/// Why bytes are not a module or script, or why one cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FormatError {
    /// What the platform calls it.
    pub status: StatusCode,
    /// Byte offset in the binary, for errors of reading.
    pub offset: Option<usize>,
    /// Function definition, for a bounds error in code.
    pub function: Option<FunctionDefinitionIndex>,
    /// Instruction, for a bounds error in code.
    pub code_offset: Option<CodeOffset>,
    /// What was wrong: deterministic, of bounded length, without data from the binary except numbers.
    pub message: String,
}

impl FormatError {
    /// An error without a place.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            offset: None,
            function: None,
            code_offset: None,
            message: message.into(),
        }
    }

    /// An error at a byte of the binary.
    pub fn at(status: StatusCode, offset: usize, message: impl Into<String>) -> Self {
        Self {
            offset: Some(offset),
            ..Self::new(status, message)
        }
    }

    /// This error, placed in code.
    #[must_use]
    pub fn in_code(
        self,
        function: Option<FunctionDefinitionIndex>,
        code_offset: CodeOffset,
    ) -> Self {
        Self {
            function,
            code_offset: Some(code_offset),
            ..self
        }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}): {}",
            self.status,
            self.status.number(),
            self.message
        )?;
        if let Some(offset) = self.offset {
            write!(f, " at byte {offset}")?;
        }
        if let Some(function) = self.function {
            write!(f, " in function {function}")?;
        }
        if let Some(code_offset) = self.code_offset {
            write!(f, " at instruction {code_offset}")?;
        }
        Ok(())
    }
}
