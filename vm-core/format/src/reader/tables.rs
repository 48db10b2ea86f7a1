//! Elements of the tables that modules and scripts share and that are neither types, structs nor functions
//! (binary-format spec §3, §7, §11, §12).

use super::{BinaryReader, token};
use crate::index::*;
use crate::{Constant, FormatError, FunctionInstantiation, Metadata, ModuleHandle};
use monomove_types::{AccountAddress, Identifier, StatusCode};

/// Longest constant, in bytes.
pub(crate) const MAX_CONSTANT_SIZE: u64 = 65535;
/// Longest metadata key, in bytes.
pub(crate) const MAX_METADATA_KEY_SIZE: u64 = 1023;
/// Longest metadata value, in bytes.
pub(crate) const MAX_METADATA_VALUE_SIZE: u64 = 65535;
/// First version in which an identifier may contain `$`.
pub(crate) const VERSION_DOLLAR: u32 = 9;

pub(super) fn module_handle(reader: &mut BinaryReader<'_>) -> Result<ModuleHandle, FormatError> {
    Ok(ModuleHandle {
        address: AddressIdentifierIndex(reader.uleb_u16(u16::MAX)?),
        name: identifier_index(reader)?,
    })
}

pub(super) fn function_instantiation(
    reader: &mut BinaryReader<'_>,
) -> Result<FunctionInstantiation, FormatError> {
    Ok(FunctionInstantiation {
        handle: FunctionHandleIndex(reader.uleb_u16(u16::MAX)?),
        type_parameters: signature_index(reader)?,
    })
}

pub(super) fn constant(reader: &mut BinaryReader<'_>) -> Result<Constant, FormatError> {
    Ok(Constant {
        type_: token::token(reader)?,
        data: reader.bytes(MAX_CONSTANT_SIZE)?.to_vec(),
    })
}

pub(super) fn identifier(reader: &mut BinaryReader<'_>) -> Result<Identifier, FormatError> {
    let at = reader.clone();
    let text = std::str::from_utf8(reader.bytes(reader.max_identifier_size)?)
        .map_err(|_| at.malformed("identifier is not text"))?;
    if reader.version < VERSION_DOLLAR && text.contains('$') {
        return Err(at.malformed("`$` in an identifier of this binary version"));
    }
    Identifier::new(text).map_err(|_| at.malformed("invalid identifier"))
}

pub(super) fn address(reader: &mut BinaryReader<'_>) -> Result<AccountAddress, FormatError> {
    reader.array(StatusCode::MALFORMED).map(AccountAddress)
}

pub(super) fn metadata(reader: &mut BinaryReader<'_>) -> Result<Metadata, FormatError> {
    Ok(Metadata {
        key: reader.bytes(MAX_METADATA_KEY_SIZE)?.to_vec(),
        value: reader.bytes(MAX_METADATA_VALUE_SIZE)?.to_vec(),
    })
}

pub(super) fn identifier_index(
    reader: &mut BinaryReader<'_>,
) -> Result<IdentifierIndex, FormatError> {
    reader.uleb_u16(u16::MAX).map(IdentifierIndex)
}

pub(super) fn signature_index(
    reader: &mut BinaryReader<'_>,
) -> Result<SignatureIndex, FormatError> {
    reader.uleb_u16(u16::MAX).map(SignatureIndex)
}
