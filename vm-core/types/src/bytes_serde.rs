//! serde of byte strings in one piece. In BCS a `Vec<u8>` element by element has the same bytes, but costs a call for each.
//!
//! For `#[serde(with = "…")]`: [`byte_string`] for a `Vec<u8>`, [`byte_strings`] for a list of them. Formats for people keep their sequences of
//! numbers.

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A borrowed byte string.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        byte_string::serialize(self.0, serializer)
    }
}

/// An owned byte string.
struct ByteBuf(Vec<u8>);

impl<'de> Deserialize<'de> for ByteBuf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        byte_string::deserialize(deserializer).map(Self)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

/// A `Vec<u8>`.
pub mod byte_string {
    use super::{BytesVisitor, Deserializer, Serialize, Serializer};

    /// Writes all bytes at once.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            bytes.serialize(serializer)
        } else {
            serializer.serialize_bytes(bytes)
        }
    }

    /// Reads all bytes at once.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_seq(BytesVisitor)
        } else {
            deserializer.deserialize_byte_buf(BytesVisitor)
        }
    }
}

/// A `Vec<Vec<u8>>`.
pub mod byte_strings {
    use super::{ByteBuf, Bytes, Deserialize, Deserializer, Serializer};

    /// Writes the bytes of each item at once.
    pub fn serialize<S: Serializer>(items: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(items.iter().map(|item| Bytes(item)))
    }

    /// Reads the bytes of each item at once.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Vec<u8>>, D::Error> {
        let items = Vec::<ByteBuf>::deserialize(deserializer)?;
        Ok(items.into_iter().map(|ByteBuf(bytes)| bytes).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Whole {
        #[serde(with = "byte_string")]
        one: Vec<u8>,
        #[serde(with = "byte_strings")]
        many: Vec<Vec<u8>>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Each {
        one: Vec<u8>,
        many: Vec<Vec<u8>>,
    }

    #[test]
    fn the_form_is_that_of_sequences() {
        let (one, many) = (vec![1; 300], vec![vec![], vec![2, 3]]);
        let whole = Whole {
            one: one.clone(),
            many: many.clone(),
        };
        let each = Each { one, many };
        let bytes = bcs::to_bytes(&whole).unwrap();
        assert_eq!(bytes, bcs::to_bytes(&each).unwrap());
        assert_eq!(bcs::from_bytes::<Whole>(&bytes).unwrap(), whole);
        let text = serde_json::to_string(&whole).unwrap();
        assert_eq!(text, serde_json::to_string(&each).unwrap());
        assert_eq!(serde_json::from_str::<Whole>(&text).unwrap(), whole);
        assert!(bcs::from_bytes::<Whole>(&bytes[..5]).is_err());
    }
}
