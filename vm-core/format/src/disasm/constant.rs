//! Constants as text, decoded by their type.

use super::text::{self, BoundedText};
use crate::{Constant, SignatureToken};
use monomove_types::codec::{CodecError, Cursor};
use std::fmt::{self, Write};

/// Deepest nesting of vectors that is decoded for printing.
const MAX_NESTING: usize = 32;

/// Longest constant that is decoded for printing; a longer one would be cut anyway.
const MAX_DECODED: usize = super::MAX_ITEM;

/// The value; its bytes in hex, with a remark, if they are not a value of the type.
pub(super) fn write(out: &mut BoundedText, constant: &Constant) -> fmt::Result {
    if constant.data.len() > MAX_DECODED {
        return text::hex_string(out, &constant.data);
    }
    // Checked first, so that nothing has been printed when the bytes turn out to be malformed at the end.
    if !is_well_formed(constant) {
        text::hex_string(out, &constant.data)?;
        return out.write_str(" /* malformed */");
    }
    let mut cursor = Cursor::new(&constant.data);
    match value(Some(out), &mut cursor, &constant.type_, MAX_NESTING) {
        Err(Stop::Full(error)) => Err(error),
        Ok(()) | Err(Stop::Malformed) => Ok(()),
    }
}

fn is_well_formed(constant: &Constant) -> bool {
    let mut cursor = Cursor::new(&constant.data);
    value(None, &mut cursor, &constant.type_, MAX_NESTING).is_ok() && cursor.finish().is_ok()
}

/// Why printing a value stopped.
enum Stop {
    /// The bytes are not a value of the type.
    Malformed,
    /// The text has reached its limit.
    Full(fmt::Error),
}

impl From<CodecError> for Stop {
    fn from(_: CodecError) -> Self {
        Self::Malformed
    }
}

impl From<fmt::Error> for Stop {
    fn from(error: fmt::Error) -> Self {
        Self::Full(error)
    }
}

/// Decodes one value and prints it if there is an `out`.
fn value(
    mut out: Option<&mut BoundedText>,
    cursor: &mut Cursor<'_>,
    token: &SignatureToken,
    budget: usize,
) -> Result<(), Stop> {
    use SignatureToken as T;
    let shown: &dyn fmt::Display = match token {
        T::Bool => match cursor.u8()? {
            0 => &false,
            1 => &true,
            _ => return Err(Stop::Malformed),
        },
        T::U8 => &cursor.u8()?,
        T::U16 => &u16::from_le_bytes(cursor.array()?),
        T::U32 => &u32::from_le_bytes(cursor.array()?),
        T::U64 => &u64::from_le_bytes(cursor.array()?),
        T::U128 => &u128::from_le_bytes(cursor.array()?),
        T::I8 => &i8::from_le_bytes(cursor.array()?),
        T::I16 => &i16::from_le_bytes(cursor.array()?),
        T::I32 => &i32::from_le_bytes(cursor.array()?),
        T::I64 => &i64::from_le_bytes(cursor.array()?),
        T::I128 => &i128::from_le_bytes(cursor.array()?),
        T::U256 => &text::decimal(&cursor.array()?),
        T::I256 => &text::signed_decimal(&cursor.array()?),
        T::Address => &format!("@{}", cursor.address()?),
        T::Vector(element) if **element == T::U8 => {
            let bytes = cursor.bytes()?;
            if let Some(out) = out {
                text::bytes(out, bytes)?;
            }
            return Ok(());
        }
        T::Vector(element) => {
            let budget = budget.checked_sub(1).ok_or(Stop::Malformed)?;
            let length = cursor.length()?;
            if length > cursor.remaining().len() {
                return Err(Stop::Malformed);
            }
            for i in 0..length {
                if let Some(out) = &mut out {
                    out.write_str(if i == 0 { "[" } else { ", " })?;
                }
                value(out.as_deref_mut(), cursor, element, budget)?;
            }
            if let Some(out) = out {
                out.write_str(if length == 0 { "[]" } else { "]" })?;
            }
            return Ok(());
        }
        _ => return Err(Stop::Malformed),
    };
    if let Some(out) = out {
        write!(out, "{shown}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::constant_to_string;
    use super::*;
    use SignatureToken as T;

    #[test]
    fn values() {
        let vector = |element| T::Vector(Box::new(element));
        let mut one = [0; 32];
        one[31] = 1;
        for (type_, data, text) in [
            (T::Bool, &[1][..], "true"),
            (T::Bool, &[2], "x\"02\" /* malformed */"),
            (T::U8, &[7], "7"),
            (T::I8, &[0xff], "-1"),
            (T::U64, &[1, 0, 0, 0, 0, 0, 0, 1], "72057594037927937"),
            (T::U64, &[1], "x\"01\" /* malformed */"),
            (T::I256, &[0xff; 32], "-1"),
            (T::Address, &one, "@0x1"),
            (vector(T::U8), b"\x02hi", "b\"hi\""),
            (vector(T::U8), &[1, 0x80], "x\"80\""),
            (vector(T::U8), &[1, 1, 1], "x\"010101\" /* malformed */"),
            (vector(T::U16), &[2, 1, 0, 2, 0], "[1, 2]"),
            (vector(vector(T::Bool)), &[2, 0, 1, 1], "[[], [true]]"),
            (
                vector(T::U16),
                &[0xff, 0xff, 0xff, 0xff, 7],
                "x\"ffffffff07\" /* malformed */",
            ),
            (T::Signer, &[], "x\"\" /* malformed */"),
        ] {
            let data = data.to_vec();
            assert_eq!(constant_to_string(&Constant { type_, data }), text);
        }
    }

    #[test]
    fn nested_too_deep() {
        let mut type_ = T::Bool;
        for _ in 0..200 {
            type_ = T::Vector(Box::new(type_));
        }
        let text = constant_to_string(&Constant {
            type_,
            data: vec![1; 201],
        });
        assert!(text.ends_with("malformed */"));
    }
}
