//! The Aptos argument syntax, `<type>:<value>`, to BCS.

use ethnum::{I256, U256};
use monomove_types::codec::{write_bytes, write_uleb};
use monomove_types::{
    AccountAddress, AddressParseError, StructTag, TagParseError, TagParseErrorKind, TypeTag,
};
use thiserror::Error;

/// Why a text is not an argument.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ArgumentErrorKind {
    /// There is no `:` between type and value.
    #[error("expected `<type>:<value>`, for example `u64:5`")]
    NoType,
    /// The part before `:` is not a type.
    #[error("expected a type: {0}")]
    Type(TagParseErrorKind),
    /// Values of the type cannot be written as text.
    #[error("values of type `{0}` cannot be written like this; use `bcs:0x…`")]
    NoTextForm(TypeTag),
    /// The value is not an integer of the type.
    #[error("expected a decimal number that fits `{0}`")]
    Integer(TypeTag),
    /// The value is neither `true` nor `false`.
    #[error("expected `true` or `false`")]
    Bool,
    /// The value is not an address.
    #[error("expected an address: {0}")]
    Address(AddressParseError),
    /// The value is not a run of hexadecimal digit pairs.
    #[error("expected pairs of hexadecimal digits")]
    Hex,
    /// A list does not begin with `[`.
    #[error("expected a list `[…]` or bytes `0x…`")]
    List,
    /// A list element is not followed by `,` or `]`.
    #[error("expected `,` or `]`")]
    ListEnd,
    /// A quoted text is not closed.
    #[error("expected a closing `\"`")]
    QuoteEnd,
    /// `\` is followed by something other than `"`, `\`, `n`, `r` or `t`.
    #[error("unknown escape; expected one of `\\\"`, `\\\\`, `\\n`, `\\r`, `\\t`")]
    Escape,
    /// Text follows the value.
    #[error("unexpected text after the value")]
    TrailingText,
}

/// Why a text is not an argument, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("at position {position}: {kind}")]
pub struct ArgumentError {
    /// What was wrong.
    pub kind: ArgumentErrorKind,
    /// Byte offset in the text.
    pub position: usize,
}

/// Encodes one argument, `<type>:<value>`; the first colon that stands alone separates the two.
///
/// | form | value |
/// |---|---|
/// | `u8:` … `u256:`, `i8:` … `i256:` | decimal |
/// | `bool:` | `true` or `false` |
/// | `address:` | `0x` and 1 to 64 digits |
/// | `string:` | text, taken as it is (the BCS of `0x1::string::String`) |
/// | `hex:` | a byte vector, with or without `0x` |
/// | `vector<u8>:0x…` | a byte vector; also inside lists |
/// | `vector<T>:[v,v]` | a list; inside lists, strings are quoted or run to the next `,` or `]` |
/// | `T:[v,v]` | the same as `vector<T>:[v,v]` (not for `string`) |
/// | `bcs:0x…` | the bytes themselves |
pub fn parse_argument(text: &str) -> Result<Vec<u8>, ArgumentError> {
    let colon = lone_colon(text).ok_or(ArgumentError {
        kind: ArgumentErrorKind::NoType,
        position: text.len(),
    })?;
    let (name, value) = (&text[..colon], &text[colon + 1..]);
    let mut out = Vec::new();
    match name.trim() {
        "bcs" | "raw" => return bytes_only(value, colon + 1, true),
        "hex" => {
            let bytes = bytes_only(value, colon + 1, false)?;
            write_bytes(&mut out, &bytes);
            return Ok(out);
        }
        "string" => {
            write_bytes(&mut out, value.as_bytes());
            return Ok(out);
        }
        _ => {}
    }
    let ty = parse_type(name)?;
    if is_string(&ty) {
        write_bytes(&mut out, value.as_bytes());
        return Ok(out);
    }
    let mut reader = Reader {
        text,
        position: colon + 1,
    };
    reader.skip_space();
    if reader.rest().starts_with('[') && !matches!(ty, TypeTag::Vector(_)) {
        reader.list(&ty, &mut out)?;
    } else {
        reader.value(&ty, &mut out)?;
    }
    reader.end()?;
    Ok(out)
}

/// Encodes `text` as a value of type `ty`, in the syntax of the part after the colon; strings are taken as they are.
pub fn parse_value(ty: &TypeTag, text: &str) -> Result<Vec<u8>, ArgumentError> {
    let mut out = Vec::new();
    if is_string(ty) {
        write_bytes(&mut out, text.as_bytes());
        return Ok(out);
    }
    let mut reader = Reader { text, position: 0 };
    reader.value(ty, &mut out)?;
    reader.end()?;
    Ok(out)
}

/// The first colon that is not part of `::`.
fn lone_colon(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b':' {
            if bytes.get(at + 1) != Some(&b':') {
                return Some(at);
            }
            at += 1;
        }
        at += 1;
    }
    None
}

/// A type, where `string` as a type argument stands for `0x1::string::String`.
fn parse_type(text: &str) -> Result<TypeTag, ArgumentError> {
    let spelled = text.replace("<string>", "<0x1::string::String>");
    spelled
        .parse()
        .map_err(|error: TagParseError| ArgumentError {
            kind: ArgumentErrorKind::Type(error.kind),
            position: error.position.min(text.len()),
        })
}

fn is_string(ty: &TypeTag) -> bool {
    matches!(ty, TypeTag::Struct(tag) if is_string_struct(tag))
}

/// Whether `tag` is `0x1::string::String`.
pub(crate) fn is_string_struct(tag: &StructTag) -> bool {
    tag.address == AccountAddress::ONE
        && tag.module == *"string"
        && tag.name == *"String"
        && tag.type_args.is_empty()
}

/// The bytes that `value`, all of it, spells in hexadecimal.
fn bytes_only(value: &str, position: usize, prefix_needed: bool) -> Result<Vec<u8>, ArgumentError> {
    let error = ArgumentError {
        kind: ArgumentErrorKind::Hex,
        position,
    };
    let digits = match value.trim().strip_prefix("0x") {
        Some(digits) => digits,
        None if prefix_needed => return Err(error),
        None => value.trim(),
    };
    hex::decode(digits).map_err(|_| error)
}

/// Reads values from the front of what is left of the text.
struct Reader<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn error<T>(&self, kind: ArgumentErrorKind) -> Result<T, ArgumentError> {
        Err(ArgumentError {
            kind,
            position: self.position,
        })
    }

    fn skip_space(&mut self) {
        self.position += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, token: char) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(token);
        if found {
            self.position += token.len_utf8();
        }
        found
    }

    fn end(mut self) -> Result<(), ArgumentError> {
        self.skip_space();
        if self.rest().is_empty() {
            Ok(())
        } else {
            self.error(ArgumentErrorKind::TrailingText)
        }
    }

    /// The run up to the next `,`, `]` or the end, without the white space around it.
    fn word(&mut self) -> &'a str {
        self.skip_space();
        let rest = self.rest();
        rest[..rest.find([',', ']']).unwrap_or(rest.len())].trim_end()
    }

    /// Appends the BCS of one value. The nesting is that of the type, which its parser bounds.
    fn value(&mut self, ty: &TypeTag, out: &mut Vec<u8>) -> Result<(), ArgumentError> {
        match ty {
            TypeTag::Vector(element) => return self.vector(element, out),
            TypeTag::Struct(tag) if is_string_struct(tag) => return self.string(out),
            TypeTag::Struct(_) | TypeTag::Function(_) | TypeTag::Signer => {
                return self.error(ArgumentErrorKind::NoTextForm(ty.clone()));
            }
            _ => {}
        }
        let word = self.word();
        let appended = match ty {
            TypeTag::Bool => match word {
                "true" => append(out, [1]),
                "false" => append(out, [0]),
                _ => return self.error(ArgumentErrorKind::Bool),
            },
            TypeTag::Address => match AccountAddress::from_hex_literal(word) {
                Ok(address) => append(out, address.0),
                Err(error) => return self.error(ArgumentErrorKind::Address(error)),
            },
            _ => integer(ty, word, out),
        };
        if appended.is_none() {
            return self.error(ArgumentErrorKind::Integer(ty.clone()));
        }
        self.position += word.len();
        Ok(())
    }

    fn vector(&mut self, element: &TypeTag, out: &mut Vec<u8>) -> Result<(), ArgumentError> {
        self.skip_space();
        if self.rest().starts_with('[') {
            return self.list(element, out);
        }
        let word = self.word();
        if *element != TypeTag::U8 || !word.starts_with("0x") {
            return self.error(ArgumentErrorKind::List);
        }
        let bytes = bytes_only(word, self.position, true)?;
        write_bytes(out, &bytes);
        self.position += word.len();
        Ok(())
    }

    /// `[v,v]`, a comma after the last value allowed.
    fn list(&mut self, element: &TypeTag, out: &mut Vec<u8>) -> Result<(), ArgumentError> {
        if !self.take('[') {
            return self.error(ArgumentErrorKind::List);
        }
        let mut items = Vec::new();
        let mut length = 0u64;
        while !self.take(']') {
            self.value(element, &mut items)?;
            length += 1;
            if !self.take(',') {
                if self.take(']') {
                    break;
                }
                return self.error(ArgumentErrorKind::ListEnd);
            }
        }
        write_uleb(out, length);
        out.extend(items);
        Ok(())
    }

    /// A string inside a list: quoted, or bare up to the next `,` or `]`.
    fn string(&mut self, out: &mut Vec<u8>) -> Result<(), ArgumentError> {
        if !self.take('"') {
            let word = self.word();
            self.position += word.len();
            write_bytes(out, word.as_bytes());
            return Ok(());
        }
        let mut value = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.position += at + 1;
                    write_bytes(out, value.as_bytes());
                    return Ok(());
                }
                '\\' => match characters.next() {
                    Some((_, quoted @ ('"' | '\\'))) => value.push(quoted),
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, 't')) => value.push('\t'),
                    _ => {
                        self.position += at;
                        return self.error(ArgumentErrorKind::Escape);
                    }
                },
                _ => value.push(character),
            }
        }
        self.position = self.text.len();
        self.error(ArgumentErrorKind::QuoteEnd)
    }
}

/// Appends an integer, little endian; `None` if `word` is no number of the type, or the type is no integer.
fn integer(ty: &TypeTag, word: &str, out: &mut Vec<u8>) -> Option<()> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match ty {
        TypeTag::U8 => append(out, word.parse::<u8>().ok()?.to_le_bytes()),
        TypeTag::U16 => append(out, word.parse::<u16>().ok()?.to_le_bytes()),
        TypeTag::U32 => append(out, word.parse::<u32>().ok()?.to_le_bytes()),
        TypeTag::U64 => append(out, word.parse::<u64>().ok()?.to_le_bytes()),
        TypeTag::U128 => append(out, word.parse::<u128>().ok()?.to_le_bytes()),
        TypeTag::U256 => append(out, U256::from_str_radix(word, 10).ok()?.to_le_bytes()),
        TypeTag::I8 => append(out, word.parse::<i8>().ok()?.to_le_bytes()),
        TypeTag::I16 => append(out, word.parse::<i16>().ok()?.to_le_bytes()),
        TypeTag::I32 => append(out, word.parse::<i32>().ok()?.to_le_bytes()),
        TypeTag::I64 => append(out, word.parse::<i64>().ok()?.to_le_bytes()),
        TypeTag::I128 => append(out, word.parse::<i128>().ok()?.to_le_bytes()),
        TypeTag::I256 => append(out, I256::from_str_radix(word, 10).ok()?.to_le_bytes()),
        _ => None,
    }
}

fn append<const N: usize>(out: &mut Vec<u8>, bytes: [u8; N]) -> Option<()> {
    out.extend(bytes);
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(text: &str) -> String {
        match parse_argument(text) {
            Ok(bytes) => hex::encode(bytes),
            Err(error) => format!("{error}"),
        }
    }

    #[test]
    fn scalars() {
        assert_eq!(encode("u8:255"), "ff");
        assert_eq!(encode("u16:258"), "0201");
        assert_eq!(encode("u64:5"), "0500000000000000");
        assert_eq!(
            encode("u128:340282366920938463463374607431768211455"),
            "ff".repeat(16)
        );
        let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(encode(&format!("u256:{max}")), "ff".repeat(32));
        assert_eq!(encode("i8:-128"), "80");
        assert_eq!(encode("i64:-1"), "ff".repeat(8));
        assert_eq!(encode("i256:-2"), format!("fe{}", "ff".repeat(31)));
        assert_eq!(encode("bool:true"), "01");
        assert_eq!(encode("address:0x1"), format!("{}01", "00".repeat(31)));
    }

    #[test]
    fn bytes_and_text() {
        assert_eq!(encode("vector<u8>:0x0102"), "020102");
        assert_eq!(encode("vector<u8>:0x"), "00");
        assert_eq!(encode("vector<u8>:[1,2]"), "020102");
        assert_eq!(encode("hex:0102"), "020102");
        assert_eq!(encode("hex:0x0102"), "020102");
        assert_eq!(encode("bcs:0x0102"), "0102");
        assert_eq!(encode("bcs:0x"), "");
        assert_eq!(
            encode("string:a:b, [c]"),
            format!("08{}", hex::encode("a:b, [c]"))
        );
        assert_eq!(encode("0x1::string::String:ab"), "026162");
        assert_eq!(encode("string:"), "00");
    }

    #[test]
    fn lists() {
        assert_eq!(encode("vector<bool>:[]"), "00");
        assert_eq!(encode("vector<bool>:[ true , false ]"), "020100");
        assert_eq!(encode("u8:[1,2]"), "020102");
        assert_eq!(
            encode("vector<vector<u8>>:[0x01,0x,[2,3]]"),
            "03010100020203"
        );
        assert_eq!(encode("vector<vector<u16>>:[[1],[]]"), "0201010000");
        assert_eq!(encode("vector<string>:[\"a,]\", b]"), "0203612c5d0162");
        assert_eq!(encode("vector<string>:[\"\\\"\\n\"]"), "0102220a");
    }

    #[test]
    fn errors_have_positions() {
        for (text, expected) in [
            (
                "5",
                "at position 1: expected `<type>:<value>`, for example `u64:5`",
            ),
            (
                "u64:",
                "at position 4: expected a decimal number that fits `u64`",
            ),
            (
                "u64:+1",
                "at position 4: expected a decimal number that fits `u64`",
            ),
            (
                "u8:256",
                "at position 3: expected a decimal number that fits `u8`",
            ),
            (
                "i8:-129",
                "at position 3: expected a decimal number that fits `i8`",
            ),
            (
                "u256:-1",
                "at position 5: expected a decimal number that fits `u256`",
            ),
            ("bool:1", "at position 5: expected `true` or `false`"),
            (
                "vector<u64>:[1,x]",
                "at position 15: expected a decimal number that fits `u64`",
            ),
            ("vector<u64>:[1", "at position 14: expected `,` or `]`"),
            (
                "vector<u64>:0x01",
                "at position 12: expected a list `[…]` or bytes `0x…`",
            ),
            (
                "vector<u8>:0x1",
                "at position 11: expected pairs of hexadecimal digits",
            ),
            (
                "bcs:01",
                "at position 4: expected pairs of hexadecimal digits",
            ),
            ("u64:5]", "at position 5: unexpected text after the value"),
            (
                "vector<string>:[\"a",
                "at position 18: expected a closing `\"`",
            ),
            (
                "vector<string>:[\"\\x\"]",
                "at position 17: unknown escape; expected one of `\\\"`, `\\\\`, `\\n`, `\\r`, `\\t`",
            ),
        ] {
            assert_eq!(encode(text), expected, "{text}");
        }
        assert!(
            encode("0x1::m::S:5").starts_with("at position 10: values of type `0x1::m::S` cannot")
        );
        assert!(encode("u65:5").starts_with("at position 0: expected a type"));
        assert!(encode("address:1").starts_with("at position 8: expected an address"));
    }

    #[test]
    fn deep_nesting_is_refused() {
        let text = format!(
            "{}u8{}:{}",
            "vector<".repeat(100_000),
            ">".repeat(100_000),
            "[".repeat(100_000)
        );
        assert!(matches!(
            parse_argument(&text),
            Err(ArgumentError {
                kind: ArgumentErrorKind::Type(_),
                ..
            })
        ));
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,60}") {
            let _ = parse_argument(&text);
        }

        #[test]
        fn near_misses_are_answered(
            ty in "(u8|u64|u256|i128|bool|address|hex|bcs|string|vector<u8>|vector<vector<string>>|0x1::a::B<u8>)",
            value in "[-0-9x\\[\\],\" \\\\trueéfals]{0,40}",
        ) {
            if let Err(error) = parse_argument(&format!("{ty}:{value}")) {
                prop_assert!(error.position <= ty.len() + 1 + value.len());
            }
        }

        #[test]
        fn numbers_agree_with_bcs(a in any::<u128>(), b in any::<i128>(), c in proptest::collection::vec(any::<u32>(), 0..20)) {
            prop_assert_eq!(parse_argument(&format!("u128:{a}")).unwrap(), bcs::to_bytes(&a).unwrap());
            prop_assert_eq!(parse_argument(&format!("i128:{b}")).unwrap(), bcs::to_bytes(&b).unwrap());
            prop_assert_eq!(parse_argument(&format!("vector<u32>:{c:?}")).unwrap(), bcs::to_bytes(&c).unwrap());
        }
    }
}
