//! Constants: each is exactly one value of a type that constants can have (verifier spec §7). Linear, without recursion.

use crate::{VerifierError, VerifierResult};
use monomove_format::{CompiledModule, SignatureToken};
use monomove_types::{
    StatusCode,
    codec::{MAX_SEQUENCE_LENGTH, read_uleb},
};

pub(crate) fn verify(module: &CompiledModule) -> VerifierResult {
    for (index, constant) in module.constant_pool.iter().enumerate() {
        if !constant.type_.is_valid_for_constant() {
            return Err(VerifierError::new(
                StatusCode::INVALID_CONSTANT_TYPE,
                format!("type of constant {index}"),
            ));
        }
        if !is_value(&constant.type_, &constant.data) {
            return Err(VerifierError::new(
                StatusCode::MALFORMED_CONSTANT_DATA,
                format!("bytes of constant {index}"),
            ));
        }
    }
    Ok(())
}

/// Whether `bytes` are one value of `type_`: a vector of any depth over a primitive type.
fn is_value(type_: &SignatureToken, mut bytes: &[u8]) -> bool {
    let mut depth = 0;
    let mut element = type_;
    while let SignatureToken::Vector(inner) = element {
        depth += 1;
        element = inner;
    }
    let Some(width) = width(element) else {
        return false;
    };
    // How many values are still to come at each depth. A vector takes at least a byte, so there are no more steps than bytes.
    let mut open = vec![1u64];
    while let Some(left) = open.last().copied() {
        if left == 0 {
            open.pop();
        } else if open.len() > depth {
            let size = usize::try_from(left)
                .ok()
                .and_then(|n| n.checked_mul(width));
            let Some((values, rest)) = size.and_then(|size| bytes.split_at_checked(size)) else {
                return false;
            };
            if *element == SignatureToken::Bool && values.iter().any(|byte| *byte > 1) {
                return false;
            }
            bytes = rest;
            open.pop();
        } else {
            let Ok((length, size)) = read_uleb(bytes, MAX_SEQUENCE_LENGTH) else {
                return false;
            };
            bytes = &bytes[size..];
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            open.push(length);
        }
    }
    bytes.is_empty()
}

/// Bytes of a primitive value; `None` for types that constants cannot have.
fn width(type_: &SignatureToken) -> Option<usize> {
    use SignatureToken as T;
    Some(match type_ {
        T::Bool | T::U8 | T::I8 => 1,
        T::U16 | T::I16 => 2,
        T::U32 | T::I32 => 4,
        T::U64 | T::I64 => 8,
        T::U128 | T::I128 => 16,
        T::U256 | T::I256 | T::Address => 32,
        _ => return None,
    })
}
