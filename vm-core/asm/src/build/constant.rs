//! Literals: numbers in range, constants to BCS.

use super::Builder;
use crate::ast::{ConstantData, Value};
use crate::diagnostic::{Result, Span};
use ethnum::U256;
use monomove_format::{Constant, ConstantPoolIndex, SignatureToken};
use monomove_types::codec::write_uleb;

/// A number as `bytes` bytes of an unsigned type, little endian; `None` if it is out of range.
pub(super) fn unsigned(magnitude: U256, is_negative: bool, bytes: usize) -> Option<[u8; 32]> {
    let fits = bytes >= 32 || magnitude >> (8 * bytes) == U256::ZERO;
    (fits && (!is_negative || magnitude == U256::ZERO)).then(|| magnitude.to_le_bytes())
}

/// A number as `bytes` bytes of a signed type, little endian; `None` if it is out of range.
pub(super) fn signed(magnitude: U256, is_negative: bool, bytes: usize) -> Option<[u8; 32]> {
    let limit = U256::ONE << (8 * bytes - 1);
    if is_negative {
        (magnitude <= limit).then(|| magnitude.wrapping_neg().to_le_bytes())
    } else {
        (magnitude < limit).then(|| magnitude.to_le_bytes())
    }
}

/// Width in bytes, and whether the type is signed.
pub(crate) fn integer(token: &SignatureToken) -> Option<(usize, bool)> {
    use SignatureToken as T;
    Some(match token {
        T::U8 => (1, false),
        T::U16 => (2, false),
        T::U32 => (4, false),
        T::U64 => (8, false),
        T::U128 => (16, false),
        T::U256 => (32, false),
        T::I8 => (1, true),
        T::I16 => (2, true),
        T::I32 => (4, true),
        T::I64 => (8, true),
        T::I128 => (16, true),
        T::I256 => (32, true),
        _ => return None,
    })
}

impl Builder<'_, '_> {
    /// Enters a constant.
    pub(super) fn constant(
        &mut self,
        type_: SignatureToken,
        data: &ConstantData,
        at: Span,
    ) -> Result<ConstantPoolIndex> {
        let data = match data {
            ConstantData::Bytes(bytes) => bytes.clone(),
            ConstantData::Value(value, value_at) => {
                let mut data = Vec::new();
                self.encode(&type_, value, *value_at, &mut data)?;
                data
            }
        };
        if u16::try_from(data.len()).is_err() {
            return self.reporter.fail(at, "a constant has at most 65535 bytes");
        }
        self.entry(|t| &mut t.constants, Constant { type_, data }, at)
            .map(ConstantPoolIndex)
    }

    /// Appends the BCS of a value; the parser bounds the nesting.
    fn encode(
        &mut self,
        type_: &SignatureToken,
        value: &Value,
        at: Span,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        match (type_, value) {
            (SignatureToken::Vector(element), Value::Vector(values)) => {
                write_uleb(out, values.len() as u64);
                for value in values {
                    self.encode(element, value, at, out)?;
                }
                Ok(())
            }
            (SignatureToken::Bool, &Value::Number(magnitude, false)) if magnitude <= 1 => {
                out.push(u8::from(magnitude == 1));
                Ok(())
            }
            (SignatureToken::Address, &Value::Number(magnitude, false)) => {
                out.extend_from_slice(&magnitude.to_be_bytes());
                Ok(())
            }
            (_, &Value::Number(magnitude, is_negative)) => {
                let Some((width, is_signed)) = integer(type_) else {
                    let what = match type_ {
                        SignatureToken::Bool => "0 or 1 for a bool",
                        SignatureToken::Address => "an address",
                        SignatureToken::Vector(_) => "`[`: the constant is a vector",
                        _ => "x\"hex\": there are no literals of this type",
                    };
                    return self.reporter.fail(at, format!("expected {what}"));
                };
                let bytes = if is_signed {
                    signed(magnitude, is_negative, width)
                } else {
                    unsigned(magnitude, is_negative, width)
                };
                let Some(bytes) = bytes else {
                    return self.out_of_range(is_signed, width, at);
                };
                out.extend_from_slice(&bytes[..width]);
                Ok(())
            }
            _ => self
                .reporter
                .fail(at, "expected a number: the constant is not a vector here"),
        }
    }

    pub(super) fn out_of_range<T>(&mut self, is_signed: bool, width: usize, at: Span) -> Result<T> {
        let letter = if is_signed { 'i' } else { 'u' };
        let bits = 8 * width;
        self.reporter.fail(
            at,
            format!("expected a number in the range of {letter}{bits}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let n = |value: u128| U256::new(value);
        assert_eq!(unsigned(n(255), false, 1).unwrap()[..2], [255, 0]);
        assert_eq!(unsigned(n(256), false, 1), None);
        assert_eq!(unsigned(n(1), true, 8), None);
        assert!(unsigned(U256::MAX, false, 32).is_some());
        assert_eq!(signed(n(128), true, 1).unwrap()[0], 128);
        assert_eq!(signed(n(129), true, 1), None);
        assert_eq!(signed(n(128), false, 1), None);
        assert_eq!(signed(n(1), true, 2).unwrap()[..2], [255, 255]);
        assert_eq!(signed(U256::MAX, false, 32), None);
        assert_eq!(signed(U256::ONE << 255, true, 32).unwrap()[31], 128);
    }
}
