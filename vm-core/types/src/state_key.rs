//! State keys: where a piece of chain state lies, with the byte form of the genesis spec and a readable text.

use crate::codec::{self, CodecError, CodecErrorKind, Cursor};
use crate::{AccountAddress, ModuleId, StructTag, byte_string};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Address of one value in storage. The order is that of the fields, not that of the encoded bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateKey {
    /// Something an account owns.
    AccessPath {
        /// The account.
        address: AccountAddress,
        /// What it is.
        path: Path,
    },
    /// An entry of a table.
    TableItem {
        /// The table.
        handle: AccountAddress,
        /// The key, serialized.
        key: Vec<u8>,
    },
    /// Anything else, by bytes.
    Raw(Vec<u8>),
}

/// What an account owns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Path {
    /// A module.
    Code(ModuleId),
    /// A resource.
    Resource(StructTag),
    /// A resource group.
    ResourceGroup(StructTag),
}

impl StateKey {
    /// The key of a module.
    pub fn module(id: ModuleId) -> Self {
        Self::AccessPath {
            address: id.address,
            path: Path::Code(id),
        }
    }

    /// The key of a resource.
    pub fn resource(address: AccountAddress, tag: StructTag) -> Self {
        Self::AccessPath {
            address,
            path: Path::Resource(tag),
        }
    }

    /// The key of a resource group.
    pub fn resource_group(address: AccountAddress, tag: StructTag) -> Self {
        Self::AccessPath {
            address,
            path: Path::ResourceGroup(tag),
        }
    }

    /// The key of a table entry.
    pub fn table_item(handle: AccountAddress, key: Vec<u8>) -> Self {
        Self::TableItem { handle, key }
    }

    /// The byte form. A tag that fails [`StructTag::check_nesting`] gives bytes that do not decode again.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        match self {
            Self::AccessPath { address, path } => {
                out.push(0);
                out.extend_from_slice(&address.0);
                path.write_with_length(&mut out);
            }
            Self::TableItem { handle, key } => {
                out.push(1);
                out.extend_from_slice(&handle.0);
                codec::write_bytes(&mut out, key);
            }
            Self::Raw(bytes) => {
                out.push(2);
                codec::write_bytes(&mut out, bytes);
            }
        }
        out
    }

    /// Decodes the byte form, which must fill `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut cursor = Cursor::new(bytes);
        let key = Self::read(&mut cursor)?;
        cursor.finish()?;
        Ok(key)
    }

    /// Reads the byte form from the front of `cursor`.
    pub fn read(cursor: &mut Cursor<'_>) -> Result<Self, CodecError> {
        let at = cursor.clone();
        match cursor.tag()? {
            0 => {
                let address = cursor.address()?;
                let path = cursor.bytes()?;
                let start = cursor.offset() - path.len();
                let path = Path::decode(path).map_err(|error| CodecError {
                    offset: start.saturating_add(error.offset),
                    ..error
                })?;
                Ok(Self::AccessPath { address, path })
            }
            1 => Ok(Self::TableItem {
                handle: cursor.address()?,
                key: cursor.bytes()?.to_vec(),
            }),
            2 => Ok(Self::Raw(cursor.bytes()?.to_vec())),
            _ => Err(at.error(CodecErrorKind::UnknownTag)),
        }
    }
}

impl Path {
    /// The byte form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96);
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Code(id) => {
                out.push(0);
                codec::write_module_id(out, id);
            }
            Self::Resource(tag) => {
                out.push(1);
                codec::write_struct_tag(out, tag);
            }
            Self::ResourceGroup(tag) => {
                out.push(2);
                codec::write_struct_tag(out, tag);
            }
        }
    }

    /// The byte form behind its length.
    fn write_with_length(&self, out: &mut Vec<u8>) {
        let at = out.len();
        // Room for the length of most paths: one byte.
        out.push(0);
        self.write(out);
        let length = out.len() - at - 1;
        match (u8::try_from(length), out.get_mut(at)) {
            (Ok(short), Some(first)) if short < 0x80 => *first = short,
            _ => {
                let path = out.split_off(at + 1);
                out.truncate(at);
                codec::write_bytes(out, &path);
            }
        }
    }

    /// Decodes the byte form, which must fill `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut cursor = Cursor::new(bytes);
        let at = cursor.clone();
        let path = match cursor.tag()? {
            0 => Self::Code(cursor.module_id()?),
            1 => Self::Resource(cursor.struct_tag()?),
            2 => Self::ResourceGroup(cursor.struct_tag()?),
            _ => return Err(at.error(CodecErrorKind::UnknownTag)),
        };
        cursor.finish()?;
        Ok(path)
    }
}

impl fmt::Display for StateKey {
    /// `0x1::coin`, `0x1/resource/0x1::account::Account`, `0x1/group/…`, `table/0x5/0a0b`, `raw/0a0b`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccessPath { address, path } => match path {
                Path::Code(id) if id.address == *address => fmt::Display::fmt(id, f),
                Path::Code(id) => write!(f, "{address}/code/{id}"),
                Path::Resource(tag) => write!(f, "{address}/resource/{tag}"),
                Path::ResourceGroup(tag) => write!(f, "{address}/group/{tag}"),
            },
            Self::TableItem { handle, key } => {
                write!(f, "table/{handle}/")?;
                hex(f, key)
            }
            Self::Raw(bytes) => {
                f.write_str("raw/")?;
                hex(f, bytes)
            }
        }
    }
}

/// The text is not a state key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "expected 0x1::module, ADDRESS/resource/TYPE, ADDRESS/group/TYPE, table/HANDLE/HEX or raw/HEX"
)]
pub struct InvalidStateKey;

impl FromStr for StateKey {
    type Err = InvalidStateKey;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Self, InvalidStateKey> {
        fn parse<T: FromStr>(text: &str) -> Result<T, InvalidStateKey> {
            text.parse().map_err(|_| InvalidStateKey)
        }
        let Some((first, rest)) = text.split_once('/') else {
            return parse(text).map(Self::module);
        };
        if first == "raw" {
            return unhex(rest).map(Self::Raw);
        }
        let (second, rest) = rest.split_once('/').ok_or(InvalidStateKey)?;
        if first == "table" {
            return Ok(Self::table_item(parse(second)?, unhex(rest)?));
        }
        let address = parse(first)?;
        let path = match second {
            "code" => Path::Code(parse(rest)?),
            "resource" => Path::Resource(parse(rest)?),
            "group" => Path::ResourceGroup(parse(rest)?),
            _ => return Err(InvalidStateKey),
        };
        Ok(Self::AccessPath { address, path })
    }
}

/// Bytes from pairs of hexadecimal digits.
fn unhex(text: &str) -> Result<Vec<u8>, InvalidStateKey> {
    let digit = |byte: u8| {
        let digit = char::from(byte).to_digit(16).ok_or(InvalidStateKey)?;
        u8::try_from(digit).map_err(|_| InvalidStateKey)
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(InvalidStateKey);
    }
    let byte = |[high, low]: &[u8; 2]| Ok(digit(*high)? << 4 | digit(*low)?);
    pairs.iter().map(byte).collect()
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl serde::Serialize for StateKey {
    /// The key's own byte form.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        byte_string::serialize(&self.encode(), serializer)
    }
}

impl<'de> serde::Deserialize<'de> for StateKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = byte_string::deserialize(deserializer)?;
        Self::decode(&bytes).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag() -> StructTag {
        "0x1::coin::CoinStore<0x1::aptos_coin::AptosCoin>"
            .parse()
            .unwrap()
    }

    #[test]
    fn bytes_of_a_module_key() {
        let key = StateKey::module("0x1::acl".parse().unwrap());
        let mut expected = vec![0];
        expected.extend(AccountAddress::ONE.0);
        expected.extend([0x25, 0]);
        expected.extend(AccountAddress::ONE.0);
        expected.extend(b"\x03acl");
        assert_eq!(key.encode(), expected);
        assert_eq!(StateKey::decode(&expected), Ok(key));
    }

    #[test]
    fn round_trip_and_text() {
        for (key, text) in [
            (StateKey::module("0x1::coin".parse().unwrap()), "0x1::coin"),
            (
                StateKey::resource(AccountAddress::from_low_byte(5), tag()),
                "0x5/resource/0x1::coin::CoinStore<0x1::aptos_coin::AptosCoin>",
            ),
            (
                StateKey::resource_group(AccountAddress::ONE, tag()),
                "0x1/group/0x1::coin::CoinStore<0x1::aptos_coin::AptosCoin>",
            ),
            (
                // Its path is longer than 127 bytes.
                StateKey::resource(
                    AccountAddress::ONE,
                    "0x1::a::B<0x1::c::D, 0x1::e::F, 0x1::g::H>"
                        .parse()
                        .unwrap(),
                ),
                "0x1/resource/0x1::a::B<0x1::c::D, 0x1::e::F, 0x1::g::H>",
            ),
            (
                StateKey::table_item(AccountAddress::ONE, vec![1, 0xab]),
                "table/0x1/01ab",
            ),
            (StateKey::Raw(vec![0]), "raw/00"),
        ] {
            assert_eq!(key.to_string(), text);
            assert_eq!(text.parse(), Ok(key.clone()));
            let bytes = key.encode();
            assert_eq!(StateKey::decode(&bytes), Ok(key));
            for length in 0..bytes.len() {
                assert!(StateKey::decode(&bytes[..length]).is_err());
            }
            let longer = [&bytes[..], &[0]].concat();
            assert_eq!(
                StateKey::decode(&longer).unwrap_err().kind,
                CodecErrorKind::TrailingBytes
            );
        }
    }

    #[test]
    fn texts_that_are_no_keys() {
        for text in [
            "",
            "/",
            "x",
            "0x1",
            "raw",
            "raw/0",
            "raw/0g",
            "table/0x1",
            "table/x/00",
            "0x1/resource",
            "0x1/resource/",
            "0x1/group/u8",
            "0x1/thing/0x1::a::B",
            "0x1/code/0x1",
            "0x1::m/resource/0x1::a::B",
        ] {
            assert_eq!(text.parse::<StateKey>(), Err(InvalidStateKey), "{text}");
        }
        let elsewhere = StateKey::AccessPath {
            address: AccountAddress::ONE,
            path: Path::Code("0x2::m".parse().unwrap()),
        };
        assert_eq!(elsewhere.to_string().parse(), Ok(elsewhere));
    }

    #[test]
    fn unknown_tags() {
        assert_eq!(
            StateKey::decode(&[3]).unwrap_err(),
            CodecError {
                kind: CodecErrorKind::UnknownTag,
                offset: 0
            }
        );
        let mut bytes = vec![0];
        bytes.extend([0; 32]);
        bytes.extend([1, 9]);
        assert_eq!(
            StateKey::decode(&bytes).unwrap_err(),
            CodecError {
                kind: CodecErrorKind::UnknownTag,
                offset: 34
            }
        );
    }
}
