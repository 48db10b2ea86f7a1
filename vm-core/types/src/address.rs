//! Account addresses: 32 bytes, written `0x` + lowercase hex.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// A 32-byte account address; ordered by its bytes (the most significant first).
///
/// BCS form: the 32 raw bytes. Human-readable serde form and `Display`: the short text, `0x1`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AccountAddress(pub [u8; Self::LENGTH]);

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressParseError {
    /// The text does not begin with `0x`.
    #[error("an address begins with 0x")]
    MissingPrefix,
    /// Nothing follows `0x`.
    #[error("an address has at least one hexadecimal digit")]
    Empty,
    /// More than 64 digits follow `0x`.
    #[error("an address has at most 64 hexadecimal digits")]
    TooLong,
    /// A character after `0x` is not a hexadecimal digit.
    #[error("an address consists of hexadecimal digits")]
    InvalidDigit,
}

impl AccountAddress {
    /// Length of an address in bytes.
    pub const LENGTH: usize = 32;
    /// The address `0x0`.
    pub const ZERO: Self = Self([0; Self::LENGTH]);
    /// The address `0x1`, home of the standard library and the framework.
    pub const ONE: Self = Self::from_low_byte(1);

    /// The address whose last byte is `byte` and whose other bytes are zero.
    pub const fn from_low_byte(byte: u8) -> Self {
        let mut bytes = [0; Self::LENGTH];
        bytes[Self::LENGTH - 1] = byte;
        Self(bytes)
    }

    /// Parses `0x` followed by 1 to 64 hexadecimal digits of either case (short and long form).
    pub fn from_hex_literal(text: &str) -> Result<Self, AddressParseError> {
        let digits = text
            .strip_prefix("0x")
            .ok_or(AddressParseError::MissingPrefix)?
            .as_bytes();
        if digits.is_empty() {
            return Err(AddressParseError::Empty);
        }
        if digits.len() > 2 * Self::LENGTH {
            return Err(AddressParseError::TooLong);
        }
        let mut bytes = [0; Self::LENGTH];
        for (&digit, place) in digits.iter().rev().zip(0usize..) {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                b'A'..=b'F' => digit - b'A' + 10,
                _ => return Err(AddressParseError::InvalidDigit),
            };
            bytes[Self::LENGTH - 1 - place / 2] |= value << (4 * (place % 2));
        }
        Ok(Self(bytes))
    }

    /// Whether this is one of the reserved addresses `0x0` to `0xf`.
    pub fn is_special(&self) -> bool {
        self.0[..Self::LENGTH - 1].iter().all(|&b| b == 0) && self.0[Self::LENGTH - 1] < 16
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The long text form: `0x` and all 64 digits.
    pub fn to_long_string(&self) -> String {
        format!("0x{}", self.digits())
    }

    fn digits(&self) -> String {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        self.0
            .iter()
            .flat_map(|b| [HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]])
            .map(char::from)
            .collect()
    }
}

impl fmt::Display for AccountAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        let short = digits.trim_start_matches('0');
        write!(f, "0x{}", if short.is_empty() { "0" } else { short })
    }
}

impl fmt::Debug for AccountAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AccountAddress {
    type Err = AddressParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_hex_literal(text)
    }
}

impl From<[u8; AccountAddress::LENGTH]> for AccountAddress {
    fn from(bytes: [u8; AccountAddress::LENGTH]) -> Self {
        Self(bytes)
    }
}

/// The bytes as four little-endian words: in BCS the same bytes, with four calls instead of 32.
fn words(bytes: &[u8; AccountAddress::LENGTH]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*chunk);
    }
    words
}

impl Serialize for AccountAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            words(&self.0).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for AccountAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            let words = <[u64; 4]>::deserialize(deserializer)?;
            let mut bytes = [0; Self::LENGTH];
            for (chunk, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
                *chunk = word.to_le_bytes();
            }
            Ok(Self(bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms() {
        for (text, shown) in [
            ("0x0", "0x0"),
            ("0x1", "0x1"),
            ("0x0001", "0x1"),
            ("0xCAFE", "0xcafe"),
            ("0xabc", "0xabc"),
        ] {
            let address: AccountAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            let long = address.to_long_string();
            assert_eq!(long.len(), 66);
            assert_eq!(long.parse(), Ok(address));
        }
    }

    #[test]
    fn refused_texts() {
        use AddressParseError::*;
        let long = format!("0x{}", "0".repeat(65));
        for (text, error) in [
            ("", MissingPrefix),
            ("1", MissingPrefix),
            ("0X1", MissingPrefix),
            ("0x", Empty),
            ("0xg", InvalidDigit),
            ("0x é", InvalidDigit),
            (long.as_str(), TooLong),
        ] {
            assert_eq!(text.parse::<AccountAddress>(), Err(error), "{text}");
        }
    }

    #[test]
    fn special_addresses() {
        assert!(AccountAddress::ZERO.is_special());
        assert!(AccountAddress::from_low_byte(15).is_special());
        assert!(!AccountAddress::from_low_byte(16).is_special());
        let mut high = AccountAddress::ONE;
        high.0[0] = 1;
        assert!(!high.is_special());
        assert!(high > AccountAddress::from_low_byte(255));
    }

    #[test]
    fn serde_forms() {
        let bytes = bcs::to_bytes(&AccountAddress::ONE).unwrap();
        assert_eq!(bytes, AccountAddress::ONE.0);
        assert_eq!(bcs::from_bytes(&bytes), Ok(AccountAddress::ONE));
        let json = serde_json::to_string(&AccountAddress::ONE).unwrap();
        assert_eq!(json, "\"0x1\"");
        assert_eq!(
            serde_json::from_str::<AccountAddress>(&json).unwrap(),
            AccountAddress::ONE
        );
    }
}
