//! Bounded reading and plain writing of BCS pieces by hand: ULEB128, byte strings, addresses, type tags.

use crate::{
    AbilitySet, AccountAddress, FunctionParamOrReturnTag, FunctionTag, Identifier,
    MAX_TYPE_TAG_NESTING, ModuleId, StructTag, TypeTag,
};
use thiserror::Error;

/// Longest byte string or sequence BCS allows.
pub const MAX_SEQUENCE_LENGTH: u64 = (1 << 31) - 1;

/// What was wrong with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodecErrorKind {
    /// The input ends inside a value.
    #[error("unexpected end of input")]
    UnexpectedEnd,
    /// A ULEB128 number has a superfluous zero group.
    #[error("ULEB128 number not in its shortest form")]
    NonCanonicalUleb,
    /// A ULEB128 number exceeds what its place allows.
    #[error("ULEB128 number out of range")]
    UlebOutOfRange,
    /// An enum tag that does not exist.
    #[error("unknown variant tag")]
    UnknownTag,
    /// A string is not UTF-8.
    #[error("string is not UTF-8")]
    InvalidUtf8,
    /// A name is not a Move identifier.
    #[error("invalid identifier")]
    InvalidIdentifier,
    /// An ability set above 15.
    #[error("invalid ability set")]
    InvalidAbilities,
    /// A type tag nests too deep.
    #[error("type tag nests deeper than {MAX_TYPE_TAG_NESTING}")]
    NestingTooDeep,
    /// Bytes are left over.
    #[error("trailing bytes")]
    TrailingBytes,
}

/// Bytes that do not decode, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind} at byte {offset}")]
pub struct CodecError {
    /// What was wrong.
    pub kind: CodecErrorKind,
    /// Byte offset at which the faulty piece begins.
    pub offset: usize,
}

/// Why a ULEB128 number does not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UlebError {
    /// The input ends inside the number.
    UnexpectedEnd,
    /// The last of several groups is zero.
    NonCanonical,
    /// The number does not fit 64 bits or exceeds the bound.
    OutOfRange,
}

/// Decodes one canonical ULEB128 number of at most `max` from the front of `bytes`; gives it and its length in bytes.
#[inline]
pub fn read_uleb(bytes: &[u8], max: u64) -> Result<(u64, usize), UlebError> {
    let mut value = 0u64;
    let mut shift = 0u32;
    for (&byte, length) in bytes.iter().zip(1usize..) {
        let group = u64::from(byte & 0x7f);
        if shift > 63 || (shift == 63 && group > 1) {
            return Err(UlebError::OutOfRange);
        }
        value |= group << shift;
        if byte & 0x80 == 0 {
            if group == 0 && shift > 0 {
                return Err(UlebError::NonCanonical);
            }
            if value > max {
                return Err(UlebError::OutOfRange);
            }
            return Ok((value, length));
        }
        shift += 7;
    }
    Err(UlebError::UnexpectedEnd)
}

/// Appends `value` as canonical ULEB128.
pub fn write_uleb(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let group = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(group);
            return;
        }
        out.push(group | 0x80);
    }
}

/// Appends a length and the bytes.
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_uleb(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends an address and a name.
pub fn write_module_id(out: &mut Vec<u8>, id: &ModuleId) {
    out.extend_from_slice(&id.address.0);
    write_bytes(out, id.name.as_bytes());
}

/// Appends a struct tag. Nesting is not limited here: see [`StructTag::check_nesting`].
pub fn write_struct_tag(out: &mut Vec<u8>, tag: &StructTag) {
    out.extend_from_slice(&tag.address.0);
    write_bytes(out, tag.module.as_bytes());
    write_bytes(out, tag.name.as_bytes());
    write_uleb(out, tag.type_args.len() as u64);
    for arg in &tag.type_args {
        write_type_tag(out, arg);
    }
}

/// Appends a type tag. Nesting is not limited here: see [`TypeTag::check_nesting`].
pub fn write_type_tag(out: &mut Vec<u8>, tag: &TypeTag) {
    out.push(tag.bcs_tag());
    match tag {
        TypeTag::Vector(element) => write_type_tag(out, element),
        TypeTag::Struct(tag) => write_struct_tag(out, tag),
        TypeTag::Function(tag) => {
            for parts in [&tag.args, &tag.results] {
                write_uleb(out, parts.len() as u64);
                for part in parts {
                    out.push(part.bcs_tag());
                    write_type_tag(out, part.tag());
                }
            }
            out.push(tag.abilities.into_u8());
        }
        _ => {}
    }
}

impl TypeTag {
    /// Number of the variant in BCS.
    pub(crate) fn bcs_tag(&self) -> u8 {
        match self {
            Self::Bool => 0,
            Self::U8 => 1,
            Self::U64 => 2,
            Self::U128 => 3,
            Self::Address => 4,
            Self::Signer => 5,
            Self::Vector(_) => 6,
            Self::Struct(_) => 7,
            Self::U16 => 8,
            Self::U32 => 9,
            Self::U256 => 10,
            Self::Function(_) => 11,
            Self::I8 => 12,
            Self::I16 => 13,
            Self::I32 => 14,
            Self::I64 => 15,
            Self::I128 => 16,
            Self::I256 => 17,
        }
    }

    /// The variant without operand that has this number in BCS.
    pub(crate) fn leaf_from_bcs_tag(tag: u64) -> Option<Self> {
        Some(match tag {
            0 => Self::Bool,
            1 => Self::U8,
            2 => Self::U64,
            3 => Self::U128,
            4 => Self::Address,
            5 => Self::Signer,
            8 => Self::U16,
            9 => Self::U32,
            10 => Self::U256,
            12 => Self::I8,
            13 => Self::I16,
            14 => Self::I32,
            15 => Self::I64,
            16 => Self::I128,
            17 => Self::I256,
            _ => return None,
        })
    }

    /// The BCS form; refuses what nests deeper than [`MAX_TYPE_TAG_NESTING`].
    pub fn to_bcs(&self) -> Result<Vec<u8>, crate::NestingTooDeep> {
        self.check_nesting()?;
        let mut out = Vec::new();
        write_type_tag(&mut out, self);
        Ok(out)
    }

    /// Decodes the BCS form, which must fill `bytes`.
    pub fn from_bcs(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut cursor = Cursor::new(bytes);
        let tag = cursor.type_tag()?;
        cursor.finish()?;
        Ok(tag)
    }
}

impl StructTag {
    /// The BCS form; refuses what nests deeper than [`MAX_TYPE_TAG_NESTING`].
    pub fn to_bcs(&self) -> Result<Vec<u8>, crate::NestingTooDeep> {
        self.check_nesting()?;
        let mut out = Vec::new();
        write_struct_tag(&mut out, self);
        Ok(out)
    }

    /// Decodes the BCS form, which must fill `bytes`.
    pub fn from_bcs(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut cursor = Cursor::new(bytes);
        let tag = cursor.struct_tag()?;
        cursor.finish()?;
        Ok(tag)
    }
}

impl FunctionParamOrReturnTag {
    /// Number of the variant in BCS.
    pub(crate) fn bcs_tag(&self) -> u8 {
        match self {
            Self::Reference(_) => 0,
            Self::MutableReference(_) => 1,
            Self::Value(_) => 2,
        }
    }
}

/// Reads BCS pieces one after another. Never allocates more than the input can hold.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Byte offset of the next piece.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The bytes not yet read.
    pub fn remaining(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    /// Refuses bytes that are left over.
    pub fn finish(self) -> Result<(), CodecError> {
        if self.remaining().is_empty() {
            Ok(())
        } else {
            Err(self.error(CodecErrorKind::TrailingBytes))
        }
    }

    /// An error at the next byte.
    pub fn error(&self, kind: CodecErrorKind) -> CodecError {
        CodecError {
            kind,
            offset: self.offset,
        }
    }

    /// The next byte.
    pub fn u8(&mut self) -> Result<u8, CodecError> {
        self.array().map(|[byte]| byte)
    }

    /// The next eight bytes as a little-endian number.
    pub fn u64(&mut self) -> Result<u64, CodecError> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        match self.remaining().first_chunk::<N>() {
            Some(chunk) => {
                self.offset += N;
                Ok(*chunk)
            }
            None => Err(self.error(CodecErrorKind::UnexpectedEnd)),
        }
    }

    /// A canonical ULEB128 number of at most `max`.
    pub fn uleb(&mut self, max: u64) -> Result<u64, CodecError> {
        match read_uleb(self.remaining(), max) {
            Ok((value, length)) => {
                self.offset += length;
                Ok(value)
            }
            Err(error) => Err(self.error(match error {
                UlebError::UnexpectedEnd => CodecErrorKind::UnexpectedEnd,
                UlebError::NonCanonical => CodecErrorKind::NonCanonicalUleb,
                UlebError::OutOfRange => CodecErrorKind::UlebOutOfRange,
            })),
        }
    }

    /// A sequence length.
    pub fn length(&mut self) -> Result<usize, CodecError> {
        let length = self.uleb(MAX_SEQUENCE_LENGTH)?;
        usize::try_from(length).map_err(|_| self.error(CodecErrorKind::UlebOutOfRange))
    }

    /// An enum tag.
    pub fn tag(&mut self) -> Result<u64, CodecError> {
        self.uleb(u64::from(u32::MAX))
    }

    /// A length and that many bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let length = self.length()?;
        match self.remaining().get(..length) {
            Some(bytes) => {
                self.offset += length;
                Ok(bytes)
            }
            None => Err(self.error(CodecErrorKind::UnexpectedEnd)),
        }
    }

    /// An address.
    pub fn address(&mut self) -> Result<AccountAddress, CodecError> {
        self.array().map(AccountAddress)
    }

    /// A name.
    pub fn identifier(&mut self) -> Result<Identifier, CodecError> {
        let at = self.offset;
        let error = |kind| CodecError { kind, offset: at };
        let text =
            std::str::from_utf8(self.bytes()?).map_err(|_| error(CodecErrorKind::InvalidUtf8))?;
        Identifier::new(text).map_err(|_| error(CodecErrorKind::InvalidIdentifier))
    }

    /// A module identity.
    pub fn module_id(&mut self) -> Result<ModuleId, CodecError> {
        Ok(ModuleId::new(self.address()?, self.identifier()?))
    }

    /// A struct tag.
    pub fn struct_tag(&mut self) -> Result<StructTag, CodecError> {
        self.struct_tag_within(MAX_TYPE_TAG_NESTING)
    }

    /// A type tag.
    pub fn type_tag(&mut self) -> Result<TypeTag, CodecError> {
        self.type_tag_within(MAX_TYPE_TAG_NESTING)
    }

    fn struct_tag_within(&mut self, budget: usize) -> Result<StructTag, CodecError> {
        Ok(StructTag {
            address: self.address()?,
            module: self.identifier()?,
            name: self.identifier()?,
            type_args: self.sequence(|cursor| cursor.type_tag_within(budget))?,
        })
    }

    fn type_tag_within(&mut self, budget: usize) -> Result<TypeTag, CodecError> {
        let at = self.offset;
        let tag = self.tag()?;
        if let Some(leaf) = TypeTag::leaf_from_bcs_tag(tag) {
            return Ok(leaf);
        }
        let error = |kind| CodecError { kind, offset: at };
        let inner = || {
            budget
                .checked_sub(1)
                .ok_or_else(|| error(CodecErrorKind::NestingTooDeep))
        };
        match tag {
            6 => Ok(TypeTag::Vector(Box::new(self.type_tag_within(inner()?)?))),
            7 => Ok(self.struct_tag_within(inner()?)?.into()),
            11 => {
                let inner = inner()?;
                let args = self.sequence(|cursor| cursor.function_part(inner))?;
                let results = self.sequence(|cursor| cursor.function_part(inner))?;
                let abilities = AbilitySet::from_u8(self.u8()?)
                    .ok_or_else(|| self.error(CodecErrorKind::InvalidAbilities))?;
                Ok(FunctionTag {
                    args,
                    results,
                    abilities,
                }
                .into())
            }
            _ => Err(error(CodecErrorKind::UnknownTag)),
        }
    }

    fn function_part(&mut self, budget: usize) -> Result<FunctionParamOrReturnTag, CodecError> {
        let at = self.offset;
        let wrap = match self.tag()? {
            0 => FunctionParamOrReturnTag::Reference,
            1 => FunctionParamOrReturnTag::MutableReference,
            2 => FunctionParamOrReturnTag::Value,
            _ => {
                return Err(CodecError {
                    kind: CodecErrorKind::UnknownTag,
                    offset: at,
                });
            }
        };
        self.type_tag_within(budget).map(wrap)
    }

    /// A length and that many elements, each of at least one byte.
    pub fn sequence<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Vec<T>, CodecError> {
        let length = self.length()?;
        if length > self.remaining().len() {
            return Err(self.error(CodecErrorKind::UnexpectedEnd));
        }
        // Grown as elements arrive: a declared count alone must not allocate.
        let mut elements = Vec::with_capacity(length.min(64));
        for _ in 0..length {
            elements.push(element(self)?);
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uleb_round_trip_and_refusals() {
        for value in [0, 1, 127, 128, 16383, 16384, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            write_uleb(&mut out, value);
            assert_eq!(read_uleb(&out, u64::MAX), Ok((value, out.len())));
            assert_eq!(
                read_uleb(&out[..out.len() - 1], u64::MAX),
                Err(UlebError::UnexpectedEnd)
            );
        }
        assert_eq!(read_uleb(&[0x80, 0], 10), Err(UlebError::NonCanonical));
        assert_eq!(read_uleb(&[0x81, 0], 10), Err(UlebError::NonCanonical));
        assert_eq!(read_uleb(&[11], 10), Err(UlebError::OutOfRange));
        let mut long = vec![0xff; 9];
        long.push(2);
        assert_eq!(read_uleb(&long, u64::MAX), Err(UlebError::OutOfRange));
        assert_eq!(read_uleb(&[0x80; 11], u64::MAX), Err(UlebError::OutOfRange));
    }

    #[test]
    fn a_declared_length_does_not_allocate() {
        let mut out = Vec::new();
        write_uleb(&mut out, MAX_SEQUENCE_LENGTH);
        let mut cursor = Cursor::new(&out);
        assert_eq!(
            cursor.sequence(Cursor::u8).unwrap_err().kind,
            CodecErrorKind::UnexpectedEnd
        );
    }
}
