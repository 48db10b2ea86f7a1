//! Constants: literals where the bytes are canonical, the bytes themselves where they are not.

use super::Printer;
use ethnum::{I256, U256};
use monomove_format::{Constant, SignatureToken};
use monomove_types::codec::read_uleb;

impl Printer<'_> {
    /// `<T> VALUE`
    pub(super) fn constant(&mut self, constant: &Constant) {
        self.out.push("<");
        self.type_(&constant.type_);
        self.out.push("> ");
        let mut text = String::new();
        match literal(&constant.type_, &constant.data, &mut text, 1) {
            Some([]) => self.out.push(&text),
            _ => self.bytes(&constant.data),
        }
    }

    /// `x"hex"`
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        use std::fmt::Write;
        let mut text = String::with_capacity(3 + 2 * bytes.len());
        text.push_str("x\"");
        for byte in bytes {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.push('"');
        self.out.push(&text);
    }
}

/// Appends the literal of the value at the start of `data`; what follows it, or `None` if that is no canonical value.
fn literal<'a>(
    type_: &SignatureToken,
    mut data: &'a [u8],
    text: &mut String,
    depth: usize,
) -> Option<&'a [u8]> {
    let SignatureToken::Vector(element) = type_ else {
        return scalar(type_, data, text);
    };
    if depth >= SignatureToken::MAX_NESTING {
        return None;
    }
    // No element is empty, so there are no more than bytes.
    let (length, size) = read_uleb(data, data.len() as u64).ok()?;
    data = data.get(size..)?;
    text.push('[');
    for index in 0..length {
        if index > 0 {
            text.push_str(", ");
        }
        data = literal(element, data, text, depth + 1)?;
    }
    text.push(']');
    Some(data)
}

fn scalar<'a>(type_: &SignatureToken, data: &'a [u8], text: &mut String) -> Option<&'a [u8]> {
    use SignatureToken as T;
    if *type_ == T::Address {
        let (bytes, rest) = data.split_first_chunk::<32>()?;
        text.push_str(&format!("0x{:x}", U256::from_be_bytes(*bytes)));
        return Some(rest);
    }
    if *type_ == T::Bool {
        let (&byte, rest) = data.split_first()?;
        text.push_str(match byte {
            0 => "0",
            1 => "1",
            _ => return None,
        });
        return Some(rest);
    }
    let (width, is_signed) = crate::build::integer(type_)?;
    let (bytes, rest) = data.split_at_checked(width)?;
    text.push_str(&integer_text(bytes, is_signed)?);
    Some(rest)
}

/// An integer of at most 32 bytes, little endian, as a decimal number.
pub(super) fn integer_text(bytes: &[u8], is_signed: bool) -> Option<String> {
    let is_negative = is_signed && bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut wide = [if is_negative { 0xff } else { 0 }; 32];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(if is_signed {
        I256::from_le_bytes(wide).to_string()
    } else {
        U256::from_le_bytes(wide).to_string()
    })
}
