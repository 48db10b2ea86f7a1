//! How operands of instructions are encoded: as ULEB128 numbers bounded by their type, or in fixed width.

use crate::index::*;
use crate::reader::BinaryReader;
use crate::{FormatError, I256Bytes, U256Bytes};
use monomove_types::{StatusCode, codec::write_uleb};

/// One way of encoding a `T`.
pub(crate) trait OperandCodec<T> {
    /// Reads one operand.
    fn read(reader: &mut BinaryReader<'_>) -> Result<T, FormatError>;
    /// Appends one operand.
    fn write(operand: &T, out: &mut Vec<u8>);
}

/// As a ULEB128 number.
pub(crate) struct Uleb;

/// In fixed width, little endian.
pub(crate) struct Fixed;

impl OperandCodec<u8> for Uleb {
    fn read(reader: &mut BinaryReader<'_>) -> Result<u8, FormatError> {
        reader.uleb_u8(u8::MAX)
    }

    fn write(operand: &u8, out: &mut Vec<u8>) {
        write_uleb(out, u64::from(*operand));
    }
}

impl OperandCodec<u16> for Uleb {
    fn read(reader: &mut BinaryReader<'_>) -> Result<u16, FormatError> {
        reader.uleb_u16(u16::MAX)
    }

    fn write(operand: &u16, out: &mut Vec<u8>) {
        write_uleb(out, u64::from(*operand));
    }
}

impl OperandCodec<ClosureMask> for Uleb {
    fn read(reader: &mut BinaryReader<'_>) -> Result<ClosureMask, FormatError> {
        reader.uleb(u64::MAX).map(ClosureMask)
    }

    fn write(operand: &ClosureMask, out: &mut Vec<u8>) {
        write_uleb(out, operand.0);
    }
}

macro_rules! index_operands {
    ($($name:ident)*) => {$(
        impl OperandCodec<$name> for Uleb {
            fn read(reader: &mut BinaryReader<'_>) -> Result<$name, FormatError> {
                reader.uleb_u16(u16::MAX).map($name)
            }

            fn write(operand: &$name, out: &mut Vec<u8>) {
                write_uleb(out, u64::from(operand.0));
            }
        }
    )*};
}

index_operands! {
    FieldHandleIndex StructDefInstantiationIndex FunctionHandleIndex FunctionInstantiationIndex
    FieldInstantiationIndex ConstantPoolIndex SignatureIndex StructDefinitionIndex StructVariantHandleIndex
    StructVariantInstantiationIndex VariantFieldHandleIndex VariantFieldInstantiationIndex
}

/// `$status` is that of an operand cut short; it names the unsigned type of the same width.
macro_rules! fixed_operands {
    ($($name:ty, $status:ident;)*) => {$(
        impl OperandCodec<$name> for Fixed {
            fn read(reader: &mut BinaryReader<'_>) -> Result<$name, FormatError> {
                reader
                    .array(StatusCode::$status)
                    .map(<$name>::from_le_bytes)
            }

            fn write(operand: &$name, out: &mut Vec<u8>) {
                out.extend_from_slice(&operand.to_le_bytes());
            }
        }
    )*};
}

fixed_operands! {
    u8, MALFORMED;
    i8, MALFORMED;
    u16, BAD_U16;
    i16, BAD_U16;
    u32, BAD_U32;
    i32, BAD_U32;
    u64, BAD_U64;
    i64, BAD_U64;
    u128, BAD_U128;
    i128, BAD_U128;
}

impl OperandCodec<U256Bytes> for Fixed {
    fn read(reader: &mut BinaryReader<'_>) -> Result<U256Bytes, FormatError> {
        reader.array(StatusCode::BAD_U256).map(U256Bytes)
    }

    fn write(operand: &U256Bytes, out: &mut Vec<u8>) {
        out.extend_from_slice(&operand.0);
    }
}

impl OperandCodec<I256Bytes> for Fixed {
    fn read(reader: &mut BinaryReader<'_>) -> Result<I256Bytes, FormatError> {
        reader.array(StatusCode::BAD_U256).map(I256Bytes)
    }

    fn write(operand: &I256Bytes, out: &mut Vec<u8>) {
        out.extend_from_slice(&operand.0);
    }
}
