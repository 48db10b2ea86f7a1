//! Signatures, signature tokens and ability sets (binary-format spec §4).

use super::BinaryReader;
use crate::{FormatError, Signature, SignatureToken, StructHandleIndex};
use monomove_types::{Ability, AbilitySet, StatusCode};

/// Most tokens in a signature.
pub(crate) const MAX_SIGNATURE_SIZE: u16 = 255;
/// Most type arguments of a struct in a token.
pub(crate) const MAX_TYPE_ARGUMENTS: u16 = 255;
/// Most parameters, and most results, of a function type.
pub(crate) const MAX_FUNCTION_TYPE_PARTS: u16 = 255;
/// Bound on the number of a type parameter as read; one more than the type can hold.
const MAX_TYPE_PARAMETER_INDEX: u64 = 65536;

/// The bytes that stand for types.
pub(crate) mod tag {
    pub(crate) const BOOL: u8 = 0x01;
    pub(crate) const U8: u8 = 0x02;
    pub(crate) const U64: u8 = 0x03;
    pub(crate) const U128: u8 = 0x04;
    pub(crate) const ADDRESS: u8 = 0x05;
    pub(crate) const REFERENCE: u8 = 0x06;
    pub(crate) const MUTABLE_REFERENCE: u8 = 0x07;
    pub(crate) const STRUCT: u8 = 0x08;
    pub(crate) const TYPE_PARAMETER: u8 = 0x09;
    pub(crate) const VECTOR: u8 = 0x0a;
    pub(crate) const STRUCT_INSTANTIATION: u8 = 0x0b;
    pub(crate) const SIGNER: u8 = 0x0c;
    pub(crate) const U16: u8 = 0x0d;
    pub(crate) const U32: u8 = 0x0e;
    pub(crate) const U256: u8 = 0x0f;
    pub(crate) const FUNCTION: u8 = 0x10;
    pub(crate) const I8: u8 = 0x11;
    pub(crate) const I16: u8 = 0x12;
    pub(crate) const I32: u8 = 0x13;
    pub(crate) const I64: u8 = 0x14;
    pub(crate) const I128: u8 = 0x15;
    pub(crate) const I256: u8 = 0x16;

    /// The first binary version that has the type.
    pub(crate) const fn first_version(tag: u8) -> u32 {
        match tag {
            U16 | U32 | U256 => 6,
            FUNCTION => 8,
            I8..=I256 => 9,
            _ => 1,
        }
    }
}

pub(super) fn signature(reader: &mut BinaryReader<'_>) -> Result<Signature, FormatError> {
    let count = reader.count(MAX_SIGNATURE_SIZE)?;
    reader.elements(count, token).map(Signature)
}

/// One type. It may nest [`SignatureToken::MAX_NESTING`] deep, itself and the innermost type included.
pub(super) fn token(reader: &mut BinaryReader<'_>) -> Result<SignatureToken, FormatError> {
    token_within(reader, SignatureToken::MAX_NESTING)
}

/// Recursive; `budget` bounds the depth.
fn token_within(
    reader: &mut BinaryReader<'_>,
    budget: usize,
) -> Result<SignatureToken, FormatError> {
    let Some(budget) = budget.checked_sub(1) else {
        return Err(reader.malformed("type nests too deep"));
    };
    let at = reader.clone();
    let byte = reader.u8()?;
    if reader.version < tag::first_version(byte) {
        return Err(at.malformed("type does not exist in this binary version"));
    }
    Ok(match byte {
        tag::BOOL => SignatureToken::Bool,
        tag::U8 => SignatureToken::U8,
        tag::U16 => SignatureToken::U16,
        tag::U32 => SignatureToken::U32,
        tag::U64 => SignatureToken::U64,
        tag::U128 => SignatureToken::U128,
        tag::U256 => SignatureToken::U256,
        tag::I8 => SignatureToken::I8,
        tag::I16 => SignatureToken::I16,
        tag::I32 => SignatureToken::I32,
        tag::I64 => SignatureToken::I64,
        tag::I128 => SignatureToken::I128,
        tag::I256 => SignatureToken::I256,
        tag::ADDRESS => SignatureToken::Address,
        tag::SIGNER => SignatureToken::Signer,
        tag::VECTOR => SignatureToken::Vector(Box::new(token_within(reader, budget)?)),
        tag::REFERENCE => SignatureToken::Reference(Box::new(token_within(reader, budget)?)),
        tag::MUTABLE_REFERENCE => {
            SignatureToken::MutableReference(Box::new(token_within(reader, budget)?))
        }
        tag::STRUCT => SignatureToken::Struct(struct_handle(reader)?),
        tag::STRUCT_INSTANTIATION => {
            let handle = struct_handle(reader)?;
            let count = reader.count(MAX_TYPE_ARGUMENTS)?;
            if count == 0 {
                return Err(at.malformed("instantiation without type arguments"));
            }
            let args = reader.elements(count, |reader| token_within(reader, budget))?;
            SignatureToken::StructInstantiation(handle, args)
        }
        tag::TYPE_PARAMETER => {
            let index = reader.uleb(MAX_TYPE_PARAMETER_INDEX)?;
            let index = u16::try_from(index).map_err(|_| {
                at.error(
                    StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR,
                    "type parameter number does not fit 16 bits",
                )
            })?;
            SignatureToken::TypeParameter(index)
        }
        tag::FUNCTION => {
            let abilities = ability_set(reader)?;
            let args = reader.count(MAX_FUNCTION_TYPE_PARTS)?;
            let results = reader.count(MAX_FUNCTION_TYPE_PARTS)?;
            SignatureToken::Function(
                reader.elements(args, |reader| token_within(reader, budget))?,
                reader.elements(results, |reader| token_within(reader, budget))?,
                abilities,
            )
        }
        _ => return Err(at.error(StatusCode::UNKNOWN_SERIALIZED_TYPE, "unknown type")),
    })
}

fn struct_handle(reader: &mut BinaryReader<'_>) -> Result<StructHandleIndex, FormatError> {
    reader.uleb_u16(u16::MAX).map(StructHandleIndex)
}

/// A set of abilities as versions 2 and later write it.
pub(super) fn ability_set(reader: &mut BinaryReader<'_>) -> Result<AbilitySet, FormatError> {
    let at = reader.clone();
    let bits = reader.uleb_u8(AbilitySet::ALL.into_u8())?;
    AbilitySet::from_u8(bits).ok_or_else(|| at.malformed("unknown ability"))
}

/// The abilities of a struct; version 1 has one byte that tells resources (1) from other structs (2).
pub(super) fn struct_abilities(reader: &mut BinaryReader<'_>) -> Result<AbilitySet, FormatError> {
    if reader.version >= 2 {
        return ability_set(reader);
    }
    let at = reader.clone();
    match reader.u8()? {
        1 => Ok(AbilitySet::singleton(Ability::Store).with(Ability::Key)),
        2 => Ok(AbilitySet::PRIMITIVES),
        _ => Err(at.error(StatusCode::UNKNOWN_ABILITY, "unknown kind of struct")),
    }
}

/// Constraints of a type parameter; version 1 has a kind: all (1), copyable (2), resource (3).
pub(super) fn constraints(reader: &mut BinaryReader<'_>) -> Result<AbilitySet, FormatError> {
    if reader.version >= 2 {
        return ability_set(reader);
    }
    let at = reader.clone();
    match reader.u8()? {
        1 => Ok(AbilitySet::EMPTY),
        2 => Ok(AbilitySet::REFERENCES),
        3 => Ok(AbilitySet::singleton(Ability::Key)),
        _ => Err(at.error(StatusCode::UNKNOWN_ABILITY, "unknown kind of type")),
    }
}
