//! Structs and enums: handles, definitions, fields and variants (binary-format spec §3, §5).

use super::{BinaryReader, tables, token};
use crate::index::*;
use crate::{
    FieldDefinition, FieldHandle, FieldInstantiation, FormatError, StructDefInstantiation,
    StructDefinition, StructFieldInformation, StructHandle, StructTypeParameter,
    StructVariantHandle, StructVariantInstantiation, TypeSignature, VariantDefinition,
    VariantFieldHandle, VariantFieldInstantiation,
};
use monomove_types::StatusCode;

/// Most type parameters of a struct or function.
pub(crate) const MAX_TYPE_PARAMETERS: u16 = 255;
/// Most fields of a struct or variant.
pub(crate) const MAX_FIELDS: u16 = 255;
/// Highest position of a field in a handle.
pub(crate) const MAX_FIELD_OFFSET: u16 = 255;
/// Most variants of an enum, and the highest position of one.
pub(crate) const MAX_VARIANTS: u16 = 127;
/// First version with phantom type parameters.
const VERSION_PHANTOM: u32 = 3;
/// First version with enums.
pub(crate) const VERSION_ENUM: u32 = 7;

/// The byte that tells what follows a struct handle index.
pub(crate) mod flag {
    pub(crate) const NATIVE: u8 = 1;
    pub(crate) const DECLARED: u8 = 2;
    pub(crate) const VARIANTS: u8 = 3;
}

pub(super) fn handle(reader: &mut BinaryReader<'_>) -> Result<StructHandle, FormatError> {
    Ok(StructHandle {
        module: ModuleHandleIndex(reader.uleb_u16(u16::MAX)?),
        name: tables::identifier_index(reader)?,
        abilities: token::struct_abilities(reader)?,
        type_parameters: {
            let count = reader.count(MAX_TYPE_PARAMETERS)?;
            reader.elements(count, type_parameter)?
        },
    })
}

fn type_parameter(reader: &mut BinaryReader<'_>) -> Result<StructTypeParameter, FormatError> {
    Ok(StructTypeParameter {
        constraints: token::constraints(reader)?,
        is_phantom: reader.version >= VERSION_PHANTOM && reader.uleb_u8(1)? == 1,
    })
}

pub(super) fn definition(reader: &mut BinaryReader<'_>) -> Result<StructDefinition, FormatError> {
    let struct_handle = StructHandleIndex(reader.uleb_u16(u16::MAX)?);
    let at = reader.clone();
    let field_information = match reader.u8()? {
        flag::NATIVE => StructFieldInformation::Native,
        flag::DECLARED => StructFieldInformation::Declared(fields(reader)?),
        flag::VARIANTS => {
            if reader.version < VERSION_ENUM {
                return Err(at.malformed("enum in this binary version"));
            }
            let count = reader.count(MAX_VARIANTS)?;
            StructFieldInformation::DeclaredVariants(reader.elements(count, variant)?)
        }
        _ => {
            return Err(at.error(
                StatusCode::UNKNOWN_NATIVE_STRUCT_FLAG,
                "unknown kind of struct definition",
            ));
        }
    };
    Ok(StructDefinition {
        struct_handle,
        field_information,
    })
}

fn fields(reader: &mut BinaryReader<'_>) -> Result<Vec<FieldDefinition>, FormatError> {
    let count = reader.count(MAX_FIELDS)?;
    reader.elements(count, |reader| {
        Ok(FieldDefinition {
            name: tables::identifier_index(reader)?,
            signature: TypeSignature(token::token(reader)?),
        })
    })
}

fn variant(reader: &mut BinaryReader<'_>) -> Result<VariantDefinition, FormatError> {
    Ok(VariantDefinition {
        name: tables::identifier_index(reader)?,
        fields: fields(reader)?,
    })
}

fn definition_index(reader: &mut BinaryReader<'_>) -> Result<StructDefinitionIndex, FormatError> {
    reader.uleb_u16(u16::MAX).map(StructDefinitionIndex)
}

pub(super) fn instantiation(
    reader: &mut BinaryReader<'_>,
) -> Result<StructDefInstantiation, FormatError> {
    Ok(StructDefInstantiation {
        def: definition_index(reader)?,
        type_parameters: tables::signature_index(reader)?,
    })
}

pub(super) fn field_handle(reader: &mut BinaryReader<'_>) -> Result<FieldHandle, FormatError> {
    Ok(FieldHandle {
        owner: definition_index(reader)?,
        field: reader.uleb_u16(MAX_FIELD_OFFSET)?,
    })
}

pub(super) fn field_instantiation(
    reader: &mut BinaryReader<'_>,
) -> Result<FieldInstantiation, FormatError> {
    Ok(FieldInstantiation {
        handle: FieldHandleIndex(reader.uleb_u16(u16::MAX)?),
        type_parameters: tables::signature_index(reader)?,
    })
}

pub(super) fn variant_field_handle(
    reader: &mut BinaryReader<'_>,
) -> Result<VariantFieldHandle, FormatError> {
    let struct_index = definition_index(reader)?;
    let field = reader.uleb_u16(MAX_FIELD_OFFSET)?;
    let count = reader.count(MAX_VARIANTS)?;
    let variants = reader.elements(count, |reader| reader.uleb_u16(MAX_VARIANTS))?;
    Ok(VariantFieldHandle {
        struct_index,
        variants,
        field,
    })
}

pub(super) fn variant_field_instantiation(
    reader: &mut BinaryReader<'_>,
) -> Result<VariantFieldInstantiation, FormatError> {
    Ok(VariantFieldInstantiation {
        handle: VariantFieldHandleIndex(reader.uleb_u16(u16::MAX)?),
        type_parameters: tables::signature_index(reader)?,
    })
}

pub(super) fn variant_handle(
    reader: &mut BinaryReader<'_>,
) -> Result<StructVariantHandle, FormatError> {
    Ok(StructVariantHandle {
        struct_index: definition_index(reader)?,
        variant: reader.uleb_u16(MAX_VARIANTS)?,
    })
}

pub(super) fn variant_instantiation(
    reader: &mut BinaryReader<'_>,
) -> Result<StructVariantInstantiation, FormatError> {
    Ok(StructVariantInstantiation {
        handle: StructVariantHandleIndex(reader.uleb_u16(u16::MAX)?),
        type_parameters: tables::signature_index(reader)?,
    })
}
