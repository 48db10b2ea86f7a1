//! serde of type tags: text where the format is human readable, else the BCS numbering with the nesting bound both ways.

use crate::{
    AbilitySet, AccountAddress, FunctionParamOrReturnTag, FunctionTag, Identifier,
    MAX_TYPE_TAG_NESTING, NestingTooDeep, StructTag, TypeTag,
};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::ser::{self, SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};
use std::fmt;

const TYPE_VARIANTS: &[&str] = &[
    "bool", "u8", "u64", "u128", "address", "signer", "vector", "struct", "u16", "u32", "u256",
    "function", "i8", "i16", "i32", "i64", "i128", "i256",
];
const PART_VARIANTS: &[&str] = &["reference", "mutable_reference", "value"];
const STRUCT_FIELDS: &[&str] = &["address", "module", "name", "type_args"];
const FUNCTION_FIELDS: &[&str] = &["args", "results", "abilities"];

fn too_deep<E: ser::Error>() -> E {
    E::custom(NestingTooDeep)
}

impl Serialize for TypeTag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        self.check_nesting().map_err(|_| too_deep())?;
        Checked(self).serialize(serializer)
    }
}

impl Serialize for StructTag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        self.check_nesting().map_err(|_| too_deep())?;
        Checked(self).serialize(serializer)
    }
}

/// A (part of a) tag whose nesting is known to be within the bound.
struct Checked<T>(T);

impl Serialize for Checked<&TypeTag> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let index = self.0.bcs_tag();
        let name = TYPE_VARIANTS
            .get(usize::from(index))
            .copied()
            .unwrap_or_default();
        let index = u32::from(index);
        match self.0 {
            TypeTag::Vector(element) => {
                serializer.serialize_newtype_variant("TypeTag", index, name, &Checked(&**element))
            }
            TypeTag::Struct(tag) => {
                serializer.serialize_newtype_variant("TypeTag", index, name, &Checked(&**tag))
            }
            TypeTag::Function(tag) => {
                serializer.serialize_newtype_variant("TypeTag", index, name, &Checked(&**tag))
            }
            _ => serializer.serialize_unit_variant("TypeTag", index, name),
        }
    }
}

impl Serialize for Checked<&StructTag> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("StructTag", STRUCT_FIELDS.len())?;
        out.serialize_field("address", &self.0.address)?;
        out.serialize_field("module", &self.0.module)?;
        out.serialize_field("name", &self.0.name)?;
        out.serialize_field("type_args", &CheckedSeq(&self.0.type_args))?;
        out.end()
    }
}

impl Serialize for Checked<&FunctionTag> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("FunctionTag", FUNCTION_FIELDS.len())?;
        out.serialize_field("args", &CheckedSeq(&self.0.args))?;
        out.serialize_field("results", &CheckedSeq(&self.0.results))?;
        out.serialize_field("abilities", &self.0.abilities)?;
        out.end()
    }
}

impl Serialize for Checked<&FunctionParamOrReturnTag> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let index = self.0.bcs_tag();
        let name = PART_VARIANTS
            .get(usize::from(index))
            .copied()
            .unwrap_or_default();
        serializer.serialize_newtype_variant(
            "FunctionParamOrReturnTag",
            u32::from(index),
            name,
            &Checked(self.0.tag()),
        )
    }
}

/// A list of checked parts.
struct CheckedSeq<'a, T>(&'a [T]);

impl<'a, T> Serialize for CheckedSeq<'a, T>
where
    Checked<&'a T>: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Checked))
    }
}

impl<'de> Deserialize<'de> for TypeTag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            return text.parse().map_err(de::Error::custom);
        }
        TypeSeed(MAX_TYPE_TAG_NESTING).deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for StructTag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            return text.parse().map_err(de::Error::custom);
        }
        StructSeed(MAX_TYPE_TAG_NESTING).deserialize(deserializer)
    }
}

/// Deserializes a type tag that nests at most this deep.
#[derive(Clone, Copy)]
struct TypeSeed(usize);
/// Deserializes a struct tag whose arguments nest at most this deep.
#[derive(Clone, Copy)]
struct StructSeed(usize);
/// Deserializes a function tag whose parts nest at most this deep.
#[derive(Clone, Copy)]
struct FunctionSeed(usize);
/// Deserializes a part of a function tag that nests at most this deep.
#[derive(Clone, Copy)]
struct PartSeed(usize);
/// Deserializes a list of what the inner seed deserializes.
struct SeqSeed<S>(S);
/// Deserializes the number of an enum variant.
struct TagSeed;

impl<'de> DeserializeSeed<'de> for TagSeed {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for TagSeed {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a variant number")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for TypeSeed {
    type Value = TypeTag;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<TypeTag, D::Error> {
        deserializer.deserialize_enum("TypeTag", TYPE_VARIANTS, self)
    }
}

impl<'de> Visitor<'de> for TypeSeed {
    type Value = TypeTag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a type tag")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<TypeTag, A::Error> {
        let (tag, variant) = data.variant_seed(TagSeed)?;
        if let Some(leaf) = TypeTag::leaf_from_bcs_tag(tag) {
            variant.unit_variant()?;
            return Ok(leaf);
        }
        let Some(inner) = self.0.checked_sub(1) else {
            return Err(de::Error::custom(NestingTooDeep));
        };
        match tag {
            6 => Ok(TypeTag::Vector(Box::new(
                variant.newtype_variant_seed(TypeSeed(inner))?,
            ))),
            7 => Ok(variant.newtype_variant_seed(StructSeed(inner))?.into()),
            11 => Ok(variant.newtype_variant_seed(FunctionSeed(inner))?.into()),
            _ => Err(de::Error::custom("unknown type tag")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for StructSeed {
    type Value = StructTag;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<StructTag, D::Error> {
        deserializer.deserialize_struct("StructTag", STRUCT_FIELDS, self)
    }
}

impl<'de> Visitor<'de> for StructSeed {
    type Value = StructTag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a struct tag")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<StructTag, A::Error> {
        Ok(StructTag {
            address: required(seq.next_element::<AccountAddress>()?)?,
            module: required(seq.next_element::<Identifier>()?)?,
            name: required(seq.next_element::<Identifier>()?)?,
            type_args: required(seq.next_element_seed(SeqSeed(TypeSeed(self.0)))?)?,
        })
    }
}

impl<'de> DeserializeSeed<'de> for FunctionSeed {
    type Value = FunctionTag;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FunctionTag, D::Error> {
        deserializer.deserialize_struct("FunctionTag", FUNCTION_FIELDS, self)
    }
}

impl<'de> Visitor<'de> for FunctionSeed {
    type Value = FunctionTag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function tag")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<FunctionTag, A::Error> {
        Ok(FunctionTag {
            args: required(seq.next_element_seed(SeqSeed(PartSeed(self.0)))?)?,
            results: required(seq.next_element_seed(SeqSeed(PartSeed(self.0)))?)?,
            abilities: required(seq.next_element::<AbilitySet>()?)?,
        })
    }
}

impl<'de> DeserializeSeed<'de> for PartSeed {
    type Value = FunctionParamOrReturnTag;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_enum("FunctionParamOrReturnTag", PART_VARIANTS, self)
    }
}

impl<'de> Visitor<'de> for PartSeed {
    type Value = FunctionParamOrReturnTag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a parameter or result")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Self::Value, A::Error> {
        let (tag, variant) = data.variant_seed(TagSeed)?;
        let wrap = match tag {
            0 => FunctionParamOrReturnTag::Reference,
            1 => FunctionParamOrReturnTag::MutableReference,
            2 => FunctionParamOrReturnTag::Value,
            _ => return Err(de::Error::custom("unknown parameter tag")),
        };
        variant.newtype_variant_seed(TypeSeed(self.0)).map(wrap)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> DeserializeSeed<'de> for SeqSeed<S> {
    type Value = Vec<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for SeqSeed<S> {
    type Value = Vec<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.0)? {
            items.push(item);
        }
        Ok(items)
    }
}

fn required<T, E: de::Error>(value: Option<T>) -> Result<T, E> {
    value.ok_or_else(|| E::custom("missing field of a tag"))
}
