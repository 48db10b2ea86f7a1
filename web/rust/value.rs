//! Move values as JavaScript sees them: from BCS, and to BCS.

use crate::data::{Bytes, Wide};
use crate::error::Error;
use crate::layouts::ModuleLayouts;
use ethnum::{I256, U256};
use monomove_text::{Field, StructLayout, StructLayouts, parse_value};
use monomove_types::codec::{Cursor, write_bytes, write_uleb};
use monomove_types::{AccountAddress, StructTag, TypeTag};
use serde::Serialize;

/// Nesting of values, as the machine has it.
const MAX_DEPTH: usize = 128;

/// A number that a JavaScript number can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Small {
    /// Not negative.
    Unsigned(u32),
    /// Signed.
    Signed(i32),
}

/// A decoded value: `Value` of the TypeScript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the TypeScript type describes the fields")]
pub enum Value {
    Bool {
        kind: &'static str,
        value: bool,
    },
    Small {
        kind: &'static str,
        value: Small,
    },
    Wide {
        kind: &'static str,
        value: Wide,
    },
    Text {
        kind: &'static str,
        value: String,
    },
    Bytes {
        kind: &'static str,
        value: Bytes,
    },
    Vector {
        kind: &'static str,
        r#type: String,
        length: u32,
        elements: Vec<Value>,
    },
    Option {
        kind: &'static str,
        r#type: String,
        value: Option<Box<Value>>,
    },
    Struct {
        kind: &'static str,
        r#type: String,
        fields: Vec<FieldValue>,
    },
    Enum {
        kind: &'static str,
        r#type: String,
        variant: String,
        fields: Vec<FieldValue>,
    },
    Function {
        kind: &'static str,
        r#type: String,
        name: String,
        captured: Vec<Value>,
    },
    Reference {
        kind: &'static str,
        r#type: String,
        mutable: bool,
        address: u32,
        target: Box<Value>,
    },
    Undecoded {
        kind: &'static str,
        r#type: String,
        bytes: Bytes,
    },
}

/// A field with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldValue {
    name: String,
    value: Value,
}

/// Bounds on what is decoded.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Elements of one vector.
    pub elements: u32,
    /// Nesting.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            elements: 256,
            depth: 32,
        }
    }
}

impl Value {
    /// The value of type `ty` with these BCS bytes; undecoded if they are not one, or the type is not known.
    pub fn decode(ty: &TypeTag, bcs: &[u8], layouts: &ModuleLayouts, limits: Limits) -> Self {
        let decoder = Decoder { layouts, limits };
        let mut cursor = Cursor::new(bcs);
        let depth = (limits.depth as usize).min(MAX_DEPTH);
        match decoder.value(ty, &mut cursor, depth) {
            Some(value) if cursor.remaining().is_empty() => value,
            _ => Self::undecoded(ty.to_string(), bcs),
        }
    }

    /// Bytes that have no readable form.
    pub fn undecoded(ty: String, bytes: &[u8]) -> Self {
        Self::Undecoded {
            kind: "undecoded",
            r#type: ty,
            bytes: bytes.into(),
        }
    }
}

struct Decoder<'a> {
    layouts: &'a ModuleLayouts,
    limits: Limits,
}

fn small(kind: &'static str, value: u32) -> Value {
    let value = Small::Unsigned(value);
    Value::Small { kind, value }
}

fn signed(kind: &'static str, value: i32) -> Value {
    let value = Small::Signed(value);
    Value::Small { kind, value }
}

fn wide(kind: &'static str, value: impl std::fmt::Display) -> Value {
    let value = Wide(value.to_string());
    Value::Wide { kind, value }
}

fn text(kind: &'static str, value: impl std::fmt::Display) -> Value {
    let value = value.to_string();
    Value::Text { kind, value }
}

impl Decoder<'_> {
    fn value(&self, ty: &TypeTag, from: &mut Cursor<'_>, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        Some(match ty {
            TypeTag::Bool => match from.u8().ok()? {
                byte @ (0 | 1) => Value::Bool {
                    kind: "bool",
                    value: byte == 1,
                },
                _ => return None,
            },
            TypeTag::U8 => small("u8", from.u8().ok()?.into()),
            TypeTag::U16 => small("u16", u16::from_le_bytes(from.array().ok()?).into()),
            TypeTag::U32 => small("u32", u32::from_le_bytes(from.array().ok()?)),
            TypeTag::U64 => wide("u64", u64::from_le_bytes(from.array().ok()?)),
            TypeTag::U128 => wide("u128", u128::from_le_bytes(from.array().ok()?)),
            TypeTag::U256 => wide("u256", U256::from_le_bytes(from.array().ok()?)),
            TypeTag::I8 => signed("i8", i8::from_le_bytes(from.array().ok()?).into()),
            TypeTag::I16 => signed("i16", i16::from_le_bytes(from.array().ok()?).into()),
            TypeTag::I32 => signed("i32", i32::from_le_bytes(from.array().ok()?)),
            TypeTag::I64 => wide("i64", i64::from_le_bytes(from.array().ok()?)),
            TypeTag::I128 => wide("i128", i128::from_le_bytes(from.array().ok()?)),
            TypeTag::I256 => wide("i256", I256::from_le_bytes(from.array().ok()?)),
            TypeTag::Address => text("address", from.address().ok()?),
            TypeTag::Signer => text("signer", from.address().ok()?),
            TypeTag::Vector(element) => self.vector(ty, element, from, depth)?,
            TypeTag::Struct(tag) => self.structure(tag, from, depth)?,
            TypeTag::Function(_) => self.function(ty, from, depth)?,
        })
    }

    /// A function value: its function, and each captured value behind a layout without names. The types come from the function itself.
    fn function(&self, ty: &TypeTag, from: &mut Cursor<'_>, depth: usize) -> Option<Value> {
        from.length().ok()?;
        let _format: [u8; 2] = from.array().ok()?;
        let (module, name) = (from.module_id().ok()?, from.identifier().ok()?);
        let ty_args = from.sequence(|c| c.type_tag()).ok()?;
        let mask = from.u64().ok()?;
        let captured = if mask == 0 {
            Vec::new()
        } else {
            let parameters = self.layouts.parameters(&module, name.as_str(), &ty_args)?;
            let taken = (0..).zip(&parameters);
            let mut taken = taken.filter(|(i, _)| mask >> i & 1 == 1);
            let captured = taken.try_fold(Vec::new(), |mut captured, (_, ty)| {
                skip_layout(from, MAX_DEPTH)?;
                captured.push(self.value(ty, from, depth)?);
                Some(captured)
            })?;
            if captured.len() != mask.count_ones() as usize {
                return None;
            }
            captured
        };
        let list = |tags: &[TypeTag]| {
            let tags = tags.iter().map(ToString::to_string).collect::<Vec<_>>();
            tags.join(", ")
        };
        let arguments = match list(&ty_args) {
            list if list.is_empty() => list,
            list => format!("<{list}>"),
        };
        Some(Value::Function {
            kind: "function",
            r#type: ty.to_string(),
            name: format!("{module}::{name}{arguments}"),
            captured,
        })
    }

    fn vector(
        &self,
        ty: &TypeTag,
        element: &TypeTag,
        from: &mut Cursor<'_>,
        depth: usize,
    ) -> Option<Value> {
        if *element == TypeTag::U8 {
            return Some(Value::Bytes {
                kind: "bytes",
                value: from.bytes().ok()?.into(),
            });
        }
        let length = from.length().ok()?;
        let mut elements = Vec::new();
        for index in 0..length {
            // An element of no bytes would make the length cost nothing.
            if from.remaining().is_empty() {
                return None;
            }
            let value = self.value(element, from, depth)?;
            if index < self.limits.elements as usize {
                elements.push(value);
            }
        }
        Some(Value::Vector {
            kind: "vector",
            r#type: ty.to_string(),
            length: length as u32,
            elements,
        })
    }

    fn structure(&self, tag: &StructTag, from: &mut Cursor<'_>, depth: usize) -> Option<Value> {
        if is_std(tag, "string", "String") {
            let value = std::str::from_utf8(from.bytes().ok()?).ok()?;
            return Some(text("string", value));
        }
        if let Some(element) = option_element(tag) {
            let value = match from.u8().ok()? {
                0 => None,
                1 => Some(Box::new(self.value(element, from, depth)?)),
                _ => return None,
            };
            return Some(Value::Option {
                kind: "option",
                r#type: tag.to_string(),
                value,
            });
        }
        let r#type = tag.to_string();
        Some(match self.layouts.layout(tag)? {
            StructLayout::Struct(fields) => Value::Struct {
                kind: "struct",
                r#type,
                fields: self.fields(&fields, from, depth)?,
            },
            StructLayout::Enum(variants) => {
                let index = usize::try_from(from.tag().ok()?).ok()?;
                let (name, fields) = variants.get(index)?;
                Value::Enum {
                    kind: "enum",
                    r#type,
                    variant: name.clone(),
                    fields: self.fields(fields, from, depth)?,
                }
            }
        })
    }

    fn fields(
        &self,
        fields: &[Field],
        from: &mut Cursor<'_>,
        depth: usize,
    ) -> Option<Vec<FieldValue>> {
        let field = |field: &Field| {
            Some(FieldValue {
                name: field.name.clone(),
                value: self.value(&field.ty, from, depth)?,
            })
        };
        fields.iter().map(field).collect()
    }
}

/// Goes past the layout of a captured value: the tags of a `MoveTypeLayout`.
fn skip_layout(from: &mut Cursor<'_>, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let fields = |from: &mut Cursor<'_>| {
        let count = from.length().ok()?;
        (0..count).try_for_each(|_| skip_layout(from, depth))
    };
    match from.u8().ok()? {
        5 => skip_layout(from, depth),
        6 => match from.u8().ok()? {
            0 => fields(from),
            1 => {
                let variants = from.length().ok()?;
                (0..variants).try_for_each(|_| fields(from))
            }
            _ => None,
        },
        0..=4 | 7..=18 => Some(()),
        _ => None,
    }
}

fn is_std(tag: &StructTag, module: &str, name: &str) -> bool {
    tag.address == AccountAddress::ONE && tag.module == *module && tag.name == *name
}

fn option_element(tag: &StructTag) -> Option<&TypeTag> {
    match tag.type_args.as_slice() {
        [element] if is_std(tag, "option", "Option") => Some(element),
        _ => None,
    }
}

/// What JavaScript gave for a value: `ValueInput` of the TypeScript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A `bigint` or a safe integer, in decimal.
    Number(String),
    /// Text.
    Text(String),
    /// A `Uint8Array`.
    Bytes(Vec<u8>),
    /// An array.
    List(Vec<Input>),
    /// Any other object.
    Fields(Vec<(String, Input)>),
}

impl Input {
    /// This value as BCS of type `ty`.
    pub fn encode(&self, ty: &TypeTag, layouts: &dyn StructLayouts) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        self.write(ty, layouts, MAX_DEPTH, &mut out)?;
        Ok(out)
    }

    fn write(
        &self,
        ty: &TypeTag,
        layouts: &dyn StructLayouts,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let depth = depth
            .checked_sub(1)
            .ok_or_else(|| Error::argument("the value is nested too deeply"))?;
        match (ty, self) {
            (TypeTag::Struct(tag), Self::Text(text)) if is_std(tag, "string", "String") => {
                write_bytes(out, text.as_bytes());
            }
            (TypeTag::Struct(tag), value) if option_element(tag).is_some() => {
                let Some(element) = option_element(tag).filter(|_| *value != Self::Null) else {
                    out.push(0);
                    return Ok(());
                };
                out.push(1);
                value.write(element, layouts, depth, out)?;
            }
            (TypeTag::Vector(element), Self::Bytes(bytes)) if **element == TypeTag::U8 => {
                write_bytes(out, bytes);
            }
            (TypeTag::Vector(element), Self::List(list)) => {
                write_uleb(out, list.len() as u64);
                for value in list {
                    value.write(element, layouts, depth, out)?;
                }
            }
            (TypeTag::Vector(_) | TypeTag::Struct(_) | TypeTag::Function(_), Self::Null)
            | (TypeTag::Function(_), _) => return Err(self.unfit(ty)),
            (TypeTag::Struct(tag), Self::Fields(given)) => {
                write_struct(tag, given, layouts, depth, out)?;
            }
            (TypeTag::Bool, Self::Bool(value)) => out.push(u8::from(*value)),
            (
                TypeTag::Struct(_) | TypeTag::Bool | TypeTag::Address | TypeTag::Signer,
                Self::Number(_),
            ) => {
                return Err(self.unfit(ty));
            }
            (TypeTag::Signer, Self::Text(text)) => {
                let bytes = parse_value(&TypeTag::Address, text);
                out.extend(bytes.map_err(|error| refused(ty, &error))?);
            }
            (_, Self::Number(text) | Self::Text(text)) => {
                out.extend(parse_value(ty, text).map_err(|error| refused(ty, &error))?);
            }
            _ => return Err(self.unfit(ty)),
        }
        Ok(())
    }

    fn unfit(&self, ty: &TypeTag) -> Error {
        let what = match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "an array",
            Self::Fields(_) => "an object",
        };
        Error::argument(format!("{what} does not stand for a value of type {ty}"))
    }
}

fn refused(ty: &TypeTag, error: &dyn std::fmt::Display) -> Error {
    Error::argument(format!("not a value of type {ty}: {error}"))
}

fn write_struct(
    tag: &StructTag,
    given: &[(String, Input)],
    layouts: &dyn StructLayouts,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let named = |name: &str| given.iter().find(|(key, _)| key == name);
    let unknown = || Error::argument(format!("the fields of {tag} are not known"));
    let (fields, extra) = match layouts.layout(tag).ok_or_else(unknown)? {
        StructLayout::Struct(fields) => (fields, 0),
        StructLayout::Enum(variants) => {
            let Some((_, Input::Text(name))) = named("$variant") else {
                return Err(Error::argument(format!("{tag} needs the key $variant")));
            };
            let found = variants.into_iter().enumerate().find(|(_, v)| v.0 == *name);
            let (index, (_, fields)) =
                found.ok_or_else(|| Error::argument(format!("{tag} has no variant {name}")))?;
            write_uleb(out, index as u64);
            (fields, 1)
        }
    };
    if given.len() != fields.len() + extra {
        let names = fields.iter().map(|field| field.name.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        return Err(Error::argument(format!("{tag} has the fields {names}")));
    }
    for field in &fields {
        let Some((_, value)) = named(&field.name) else {
            return Err(Error::argument(format!(
                "{tag} needs the field {}",
                field.name
            )));
        };
        value.write(&field.ty, layouts, depth, out)?;
    }
    Ok(())
}
