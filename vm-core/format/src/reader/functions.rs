//! Functions: handles with access specifiers and attributes, definitions (binary-format spec §3, §6, §8, §9).

use super::{BinaryReader, code, structs, tables, token};
use crate::index::*;
use crate::{
    AccessKind, AccessSpecifier, AddressSpecifier, FormatError, FunctionAttribute,
    FunctionDefinition, FunctionHandle, ResourceSpecifier, Visibility,
};
use monomove_types::{AbilitySet, StatusCode};

/// Most structs in an acquires list.
pub(crate) const MAX_ACQUIRES: u16 = 255;
/// Most access specifiers.
pub(crate) const MAX_ACCESS_SPECIFIERS: u16 = 64;
/// Most attributes of a function.
pub(crate) const MAX_ATTRIBUTES: u16 = 16;
/// First version with access specifiers on function handles.
pub(crate) const VERSION_ACCESS: u32 = 7;
/// First version with function attributes and with access specifiers on scripts.
pub(crate) const VERSION_ATTRIBUTES: u32 = 8;
/// First version with the entry flag, and without the old script visibility.
const VERSION_ENTRY: u32 = 5;

/// Flag bit of native functions.
pub(crate) const FLAG_NATIVE: u8 = 2;
/// Flag bit of entry functions.
pub(crate) const FLAG_ENTRY: u8 = 4;
/// Flag bit of public functions in version 1.
const FLAG_PUBLIC_V1: u8 = 1;

/// The bytes of visibilities.
pub(crate) mod visibility {
    pub(crate) const PRIVATE: u8 = 0;
    pub(crate) const PUBLIC: u8 = 1;
    pub(super) const SCRIPT: u8 = 2;
    pub(crate) const FRIEND: u8 = 3;
}

pub(super) fn handle(reader: &mut BinaryReader<'_>) -> Result<FunctionHandle, FormatError> {
    Ok(FunctionHandle {
        module: ModuleHandleIndex(reader.uleb_u16(u16::MAX)?),
        name: tables::identifier_index(reader)?,
        parameters: tables::signature_index(reader)?,
        return_: tables::signature_index(reader)?,
        type_parameters: type_parameters(reader)?,
        access_specifiers: if reader.version >= VERSION_ACCESS {
            access_specifiers(reader)?
        } else {
            None
        },
        attributes: if reader.version >= VERSION_ATTRIBUTES {
            let count = reader.count(MAX_ATTRIBUTES)?;
            reader.elements(count, attribute)?
        } else {
            Vec::new()
        },
    })
}

/// Constraints of the type parameters of a function or script.
pub(super) fn type_parameters(
    reader: &mut BinaryReader<'_>,
) -> Result<Vec<AbilitySet>, FormatError> {
    let count = reader.count(structs::MAX_TYPE_PARAMETERS)?;
    reader.elements(count, token::constraints)
}

fn attribute(reader: &mut BinaryReader<'_>) -> Result<FunctionAttribute, FormatError> {
    let at = reader.clone();
    let byte = reader.u8()?;
    let first_version =
        attribute_version(byte).ok_or_else(|| at.malformed("unknown function attribute"))?;
    if reader.version < first_version {
        return Err(at.malformed("function attribute does not exist in this binary version"));
    }
    // The operand is of fixed width here, unlike everywhere else.
    let mut operand = || reader.array(StatusCode::BAD_U16).map(u16::from_le_bytes);
    Ok(match byte {
        1 => FunctionAttribute::Persistent,
        2 => FunctionAttribute::ModuleLock,
        3 => FunctionAttribute::Pack,
        4 => FunctionAttribute::PackVariant(operand()?),
        5 => FunctionAttribute::Unpack,
        6 => FunctionAttribute::UnpackVariant(operand()?),
        7 => FunctionAttribute::TestVariant(operand()?),
        8 => FunctionAttribute::BorrowFieldImmutable(operand()?),
        9 => FunctionAttribute::BorrowFieldMutable(operand()?),
        0x0a => FunctionAttribute::Immutable,
        _ => FunctionAttribute::ConstantAccessor,
    })
}

/// The first binary version that has the attribute.
pub(crate) const fn attribute_version(byte: u8) -> Option<u32> {
    match byte {
        1 | 2 => Some(8),
        3..=9 => Some(10),
        0x0a | 0x0b => Some(11),
        _ => None,
    }
}

/// Byte 1 for nothing, 2 for something that follows.
fn option<'a, T>(
    reader: &mut BinaryReader<'a>,
    value: impl FnOnce(&mut BinaryReader<'a>) -> Result<T, FormatError>,
) -> Result<Option<T>, FormatError> {
    let at = reader.clone();
    match reader.u8()? {
        1 => Ok(None),
        2 => value(reader).map(Some),
        _ => Err(at.malformed("unknown option byte")),
    }
}

pub(super) fn access_specifiers(
    reader: &mut BinaryReader<'_>,
) -> Result<Option<Vec<AccessSpecifier>>, FormatError> {
    option(reader, |reader| {
        let count = reader.count(MAX_ACCESS_SPECIFIERS)?;
        reader.elements(count, access_specifier)
    })
}

fn access_specifier(reader: &mut BinaryReader<'_>) -> Result<AccessSpecifier, FormatError> {
    let at = reader.clone();
    let kind = match reader.u8()? {
        1 => AccessKind::Reads,
        2 => AccessKind::Writes,
        _ => return Err(at.malformed("unknown kind of access")),
    };
    let at = reader.clone();
    let negated = match reader.u8()? {
        1 => false,
        2 => true,
        _ => return Err(at.malformed("unknown boolean byte")),
    };
    Ok(AccessSpecifier {
        kind,
        negated,
        resource: resource_specifier(reader)?,
        address: address_specifier(reader)?,
    })
}

fn resource_specifier(reader: &mut BinaryReader<'_>) -> Result<ResourceSpecifier, FormatError> {
    let at = reader.clone();
    Ok(match reader.u8()? {
        1 => ResourceSpecifier::Any,
        2 => {
            ResourceSpecifier::DeclaredAtAddress(AddressIdentifierIndex(reader.uleb_u16(u16::MAX)?))
        }
        3 => ResourceSpecifier::DeclaredInModule(ModuleHandleIndex(reader.uleb_u16(u16::MAX)?)),
        4 => ResourceSpecifier::Resource(StructHandleIndex(reader.uleb_u16(u16::MAX)?)),
        5 => ResourceSpecifier::ResourceInstantiation(
            StructHandleIndex(reader.uleb_u16(u16::MAX)?),
            tables::signature_index(reader)?,
        ),
        _ => return Err(at.malformed("unknown kind of resource specifier")),
    })
}

fn address_specifier(reader: &mut BinaryReader<'_>) -> Result<AddressSpecifier, FormatError> {
    let at = reader.clone();
    Ok(match reader.u8()? {
        1 => AddressSpecifier::Any,
        2 => AddressSpecifier::Literal(AddressIdentifierIndex(reader.uleb_u16(u16::MAX)?)),
        3 => AddressSpecifier::Parameter(
            reader.uleb_u8(u8::MAX)?,
            option(reader, |reader| {
                reader.uleb_u16(u16::MAX).map(FunctionInstantiationIndex)
            })?,
        ),
        _ => return Err(at.malformed("unknown kind of address specifier")),
    })
}

pub(super) fn definition(reader: &mut BinaryReader<'_>) -> Result<FunctionDefinition, FormatError> {
    let function = FunctionHandleIndex(reader.uleb_u16(u16::MAX)?);
    let (visibility, is_entry, is_native) = if reader.version == 1 {
        flags_v1(reader)?
    } else {
        visibility_and_flags(reader)?
    };
    let count = reader.count(MAX_ACQUIRES)?;
    let acquires_global_resources = reader.elements(count, |reader| {
        reader.uleb_u16(u16::MAX).map(StructDefinitionIndex)
    })?;
    let code = if is_native {
        None
    } else {
        Some(code::code_unit(reader)?)
    };
    Ok(FunctionDefinition {
        function,
        visibility,
        is_entry,
        acquires_global_resources,
        code,
    })
}

/// Visibility, entry and native as version 1 packs them into one byte.
fn flags_v1(reader: &mut BinaryReader<'_>) -> Result<(Visibility, bool, bool), FormatError> {
    let at = reader.clone();
    let flags = reader.u8()?;
    if flags & !(FLAG_PUBLIC_V1 | FLAG_NATIVE) != 0 {
        return Err(at.error(StatusCode::INVALID_FLAG_BITS, "unknown function flag"));
    }
    let visibility = if flags & FLAG_PUBLIC_V1 != 0 {
        Visibility::Public
    } else {
        Visibility::Private
    };
    Ok((visibility, false, flags & FLAG_NATIVE != 0))
}

/// Visibility, entry and native from version 2 on.
fn visibility_and_flags(
    reader: &mut BinaryReader<'_>,
) -> Result<(Visibility, bool, bool), FormatError> {
    let has_entry_flag = reader.version >= VERSION_ENTRY;
    let at = reader.clone();
    let (visibility, is_script) = match reader.u8()? {
        visibility::PRIVATE => (Visibility::Private, false),
        visibility::PUBLIC => (Visibility::Public, false),
        visibility::FRIEND => (Visibility::Friend, false),
        visibility::SCRIPT if !has_entry_flag => (Visibility::Public, true),
        _ => return Err(at.malformed("unknown visibility")),
    };
    let at = reader.clone();
    let flags = reader.u8()?;
    let known = if has_entry_flag {
        FLAG_NATIVE | FLAG_ENTRY
    } else {
        FLAG_NATIVE
    };
    if flags & !known != 0 {
        return Err(at.error(StatusCode::INVALID_FLAG_BITS, "unknown function flag"));
    }
    Ok((
        visibility,
        is_script || flags & FLAG_ENTRY != 0,
        flags & FLAG_NATIVE != 0,
    ))
}
