//! BCS to readable text, by type.

use std::fmt::Write as _;

use ethnum::{I256, U256};
use monomove_types::codec::Cursor;
use monomove_types::{AccountAddress, StructTag, TypeTag};

use crate::argument::is_string_struct;

/// A named part of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name of the field.
    pub name: String,
    /// Its type, type parameters replaced.
    pub ty: TypeTag,
}

/// What the BCS of a struct or enum consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StructLayout {
    /// The fields in order.
    Struct(Vec<Field>),
    /// The variants in order: name and fields.
    Enum(Vec<(String, Vec<Field>)>),
}

/// Knows structs and enums. Without it a struct is shown as hexadecimal digits.
pub trait StructLayouts {
    /// The layout of `tag`; `None` if it is not known.
    fn layout(&self, tag: &StructTag) -> Option<StructLayout>;
}

/// Knows no struct.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLayouts;

impl StructLayouts for NoLayouts {
    fn layout(&self, _: &StructTag) -> Option<StructLayout> {
        None
    }
}

/// Writes values as text: numbers in decimal, strings quoted with control characters escaped, byte vectors in hexadecimal,
/// structs with their fields; what it cannot decode as `0x…`.
#[derive(Clone, Copy)]
pub struct Renderer<'a> {
    layouts: &'a dyn StructLayouts,
}

/// Values nested deeper are shown as bytes.
const MAX_DEPTH: usize = 32;
/// Elements of one vector that are shown.
const MAX_ELEMENTS: usize = 64;
/// Bytes of a byte vector, a string or an undecoded value that are shown.
const MAX_BYTES: usize = 1024;
/// Length of the whole text at which no further part is decoded.
const MAX_TEXT: usize = 16 * 1024;

impl<'a> Renderer<'a> {
    /// Decodes structs with `layouts`.
    pub fn new(layouts: &'a dyn StructLayouts) -> Self {
        Self { layouts }
    }

    /// The value of type `ty` with these BCS bytes.
    pub fn render(&self, ty: &TypeTag, bytes: &[u8]) -> String {
        let mut text = String::new();
        let mut cursor = Cursor::new(bytes);
        if self.value(ty, &mut cursor, MAX_DEPTH, &mut text).is_some()
            && cursor.remaining().is_empty()
        {
            return text;
        }
        text.clear();
        push_hex(&mut text, bytes);
        text
    }

    fn value(
        &self,
        ty: &TypeTag,
        cursor: &mut Cursor<'_>,
        depth: usize,
        text: &mut String,
    ) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        if text.len() > MAX_TEXT {
            return None;
        }
        match ty {
            TypeTag::Bool => text.push_str(match cursor.u8().ok()? {
                0 => "false",
                1 => "true",
                _ => return None,
            }),
            TypeTag::U8 => show(text, cursor.u8().ok()?),
            TypeTag::U16 => show(text, u16::from_le_bytes(cursor.array().ok()?)),
            TypeTag::U32 => show(text, u32::from_le_bytes(cursor.array().ok()?)),
            TypeTag::U64 => show(text, u64::from_le_bytes(cursor.array().ok()?)),
            TypeTag::U128 => show(text, u128::from_le_bytes(cursor.array().ok()?)),
            TypeTag::U256 => show(text, U256::from_le_bytes(cursor.array().ok()?)),
            TypeTag::I8 => show(text, i8::from_le_bytes(cursor.array().ok()?)),
            TypeTag::I16 => show(text, i16::from_le_bytes(cursor.array().ok()?)),
            TypeTag::I32 => show(text, i32::from_le_bytes(cursor.array().ok()?)),
            TypeTag::I64 => show(text, i64::from_le_bytes(cursor.array().ok()?)),
            TypeTag::I128 => show(text, i128::from_le_bytes(cursor.array().ok()?)),
            TypeTag::I256 => show(text, I256::from_le_bytes(cursor.array().ok()?)),
            TypeTag::Address | TypeTag::Signer => show(text, cursor.address().ok()?),
            TypeTag::Vector(element) => self.vector(element, cursor, depth, text)?,
            TypeTag::Struct(tag) => self.structure(tag, cursor, depth, text)?,
            TypeTag::Function(_) => return None,
        }
        Some(())
    }

    fn vector(
        &self,
        element: &TypeTag,
        cursor: &mut Cursor<'_>,
        depth: usize,
        text: &mut String,
    ) -> Option<()> {
        if *element == TypeTag::U8 {
            push_hex(text, cursor.bytes().ok()?);
            return Some(());
        }
        let length = cursor.length().ok()?;
        let mut unseen = String::new();
        text.push('[');
        for index in 0..length {
            // An element of no bytes would make the length cost nothing.
            if cursor.remaining().is_empty() {
                return None;
            }
            if index < MAX_ELEMENTS {
                text.push_str(if index == 0 { "" } else { ", " });
                self.value(element, cursor, depth, text)?;
            } else {
                unseen.clear();
                self.value(element, cursor, depth, &mut unseen)?;
            }
        }
        if length > MAX_ELEMENTS {
            let _ = write!(text, ", … {} more", length - MAX_ELEMENTS);
        }
        text.push(']');
        Some(())
    }

    fn structure(
        &self,
        tag: &StructTag,
        cursor: &mut Cursor<'_>,
        depth: usize,
        text: &mut String,
    ) -> Option<()> {
        if is_string_struct(tag) {
            let bytes = cursor.bytes().ok()?;
            let shown = std::str::from_utf8(bytes).ok()?;
            push_quoted(text, shown);
            return Some(());
        }
        if let Some(element) = option_element(tag) {
            match cursor.u8().ok()? {
                0 => text.push_str("none"),
                1 => {
                    text.push_str("some(");
                    self.value(element, cursor, depth, text)?;
                    text.push(')');
                }
                _ => return None,
            }
            return Some(());
        }
        match self.layouts.layout(tag)? {
            StructLayout::Struct(fields) => {
                text.push_str(tag.name.as_str());
                self.fields(&fields, cursor, depth, text)
            }
            StructLayout::Enum(variants) => {
                let variant = usize::try_from(cursor.tag().ok()?).ok()?;
                let (name, fields) = variants.get(variant)?;
                let _ = write!(text, "{}::{name}", tag.name);
                self.fields(fields, cursor, depth, text)
            }
        }
    }

    fn fields(
        &self,
        fields: &[Field],
        cursor: &mut Cursor<'_>,
        depth: usize,
        text: &mut String,
    ) -> Option<()> {
        if fields.is_empty() {
            return Some(());
        }
        text.push_str(" { ");
        for (index, field) in fields.iter().enumerate() {
            let _ = write!(
                text,
                "{}{}: ",
                if index == 0 { "" } else { ", " },
                field.name
            );
            self.value(&field.ty, cursor, depth, text)?;
        }
        text.push_str(" }");
        Some(())
    }
}

/// The type inside a `0x1::option::Option`, whose BCS is a vector of at most one element.
fn option_element(tag: &StructTag) -> Option<&TypeTag> {
    let option =
        tag.address == AccountAddress::ONE && tag.module == *"option" && tag.name == *"Option";
    match tag.type_args.as_slice() {
        [element] if option => Some(element),
        _ => None,
    }
}

fn show(text: &mut String, value: impl std::fmt::Display) {
    let _ = write!(text, "{value}");
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    text.push_str("0x");
    text.push_str(&hex::encode(&bytes[..bytes.len().min(MAX_BYTES)]));
    if bytes.len() > MAX_BYTES {
        let _ = write!(text, "… {} bytes more", bytes.len() - MAX_BYTES);
    }
}

fn push_quoted(text: &mut String, value: &str) {
    let end = value.floor_char_boundary(MAX_BYTES);
    let _ = write!(text, "\"{}\"", value[..end].escape_debug());
    if end < value.len() {
        let _ = write!(text, "… {} bytes more", value.len() - end);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse_argument;

    fn render(ty: &str, bytes: &[u8]) -> String {
        Renderer::new(&Sample).render(&ty.parse().unwrap(), bytes)
    }

    /// `0x1::m::P { a: u8, b: vector<u16> }`, `0x1::m::E { A, B { x: bool } }`.
    struct Sample;

    impl StructLayouts for Sample {
        fn layout(&self, tag: &StructTag) -> Option<StructLayout> {
            let field = |name: &str, ty: TypeTag| Field {
                name: name.to_owned(),
                ty,
            };
            match tag.name.as_str() {
                "P" => Some(StructLayout::Struct(vec![
                    field("a", TypeTag::U8),
                    field("b", TypeTag::Vector(Box::new(TypeTag::U16))),
                ])),
                "E" => Some(StructLayout::Enum(vec![
                    ("A".to_owned(), vec![]),
                    ("B".to_owned(), vec![field("x", TypeTag::Bool)]),
                ])),
                "Loop" => Some(StructLayout::Struct(vec![field(
                    "next",
                    TypeTag::from(tag.clone()),
                )])),
                _ => None,
            }
        }
    }

    #[test]
    fn values_read_as_written() {
        for (argument, shown) in [
            (
                "u256:115792089237316195423570985008687907853269984665640564039457584007913129639935",
                None,
            ),
            (
                "i256:-57896044618658097711785492504343953926634992332820282019728792003956564819968",
                None,
            ),
            ("i8:-7", None),
            ("bool:true", None),
            ("address:0xcafe", None),
            ("vector<u8>:0x0102", None),
            ("vector<vector<u16>>:[[1, 2], []]", None),
            (
                "0x1::string::String:a\"b\u{1b}[0m",
                Some("\"a\\\"b\\u{1b}[0m\""),
            ),
        ] {
            let (ty, value) = argument.rsplit_once(':').unwrap();
            let bytes = parse_argument(argument).unwrap();
            assert_eq!(render(ty, &bytes), shown.unwrap_or(value));
        }
    }

    #[test]
    fn structs_with_and_without_layout() {
        assert_eq!(render("0x1::m::P", &[1, 1, 2, 0]), "P { a: 1, b: [2] }");
        assert_eq!(render("0x1::m::E", &[0]), "E::A");
        assert_eq!(
            render("vector<0x1::m::E>", &[2, 0, 1, 1]),
            "[E::A, E::B { x: true }]"
        );
        assert_eq!(render("0x1::m::Q", &[1, 2]), "0x0102");
        assert_eq!(render("vector<0x1::m::Q>", &[1, 2]), "0x0102");
        assert_eq!(render("0x1::option::Option<u8>", &[1, 2]), "some(2)");
        assert_eq!(render("0x1::option::Option<u8>", &[0]), "none");
        assert_eq!(render("0x1::m::Loop", &[9]), "0x09");
    }

    #[test]
    fn what_does_not_decode_is_shown_as_bytes() {
        assert_eq!(render("u64", &[1]), "0x01");
        assert_eq!(render("u8", &[1, 2]), "0x0102");
        assert_eq!(render("bool", &[2]), "0x02");
        assert_eq!(render("0x1::string::String", &[1, 0xff]), "0x01ff");
        assert_eq!(
            render("vector<vector<u64>>", &[0xff, 0xff, 0xff, 0xff, 0x07]),
            "0xffffffff07"
        );
    }

    #[test]
    fn long_values_are_cut() {
        let ty = "vector<u16>";
        let bytes = parse_argument(&format!("{ty}:{:?}", vec![7; 100])).unwrap();
        assert!(render(ty, &bytes).ends_with("7, … 36 more]"));
        let bytes = parse_argument(&format!("string:{}", "é".repeat(1000))).unwrap();
        assert!(render("0x1::string::String", &bytes).ends_with("\"… 976 bytes more"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(
            ty in "(vector<|){0,3}(u8|bool|0x1::string::String|0x1::m::P|0x1::m::E|0x1::m::Loop|0x1::option::Option<u8>)",
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let ty = format!("{ty}{}", ">".repeat(ty.matches("vector<").count()));
            let text = render(&ty, &bytes);
            prop_assert!(!text.contains(|c: char| c.is_control()));
        }
    }
}
