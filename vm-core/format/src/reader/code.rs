//! Code units and instructions (binary-format spec §6, §10).

use super::{BinaryReader, tables};
use crate::{Bytecode, CodeUnit, FormatError};
use monomove_types::StatusCode;

/// Most instructions of a function.
pub(crate) const MAX_INSTRUCTIONS: u16 = 65535;

pub(super) fn code_unit(reader: &mut BinaryReader<'_>) -> Result<CodeUnit, FormatError> {
    let locals = tables::signature_index(reader)?;
    let count = reader.count(MAX_INSTRUCTIONS)?;
    let code = reader.elements(count, instruction)?;
    Ok(CodeUnit { locals, code })
}

fn instruction(reader: &mut BinaryReader<'_>) -> Result<Bytecode, FormatError> {
    let at = reader.offset();
    let opcode = reader.u8()?;
    let unknown = || FormatError::at(StatusCode::UNKNOWN_OPCODE, at, "unknown opcode");
    let first_version = Bytecode::first_version(opcode).ok_or_else(unknown)?;
    if reader.version < first_version {
        return Err(FormatError::at(
            StatusCode::MALFORMED,
            at,
            "instruction does not exist in this binary version",
        ));
    }
    Bytecode::read_operands(opcode, reader)?.ok_or_else(unknown)
}
