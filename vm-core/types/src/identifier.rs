//! Identifiers: the names of modules, structs, functions and fields (binary-format spec §7).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Borrow, fmt, ops::Deref, str::FromStr};
use thiserror::Error;

/// A valid Move name, owned. The character rule is version-free; a `$` needs binary version 9, which the reader tests.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier(Box<str>);

/// The text is not a valid Move name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a valid Move identifier")]
pub struct InvalidIdentifier;

/// Whether `text` is a Move name: a letter, then letters, digits, `_` and `$`; or `_` or `$` followed by at least one of
/// those; or `<SELF>` or `<SELF>_` with digits after it.
pub fn is_valid_identifier(text: &str) -> bool {
    let is_rest = |rest: &[u8]| {
        rest.iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$'))
    };
    match text.as_bytes() {
        [first, rest @ ..] if first.is_ascii_alphabetic() => is_rest(rest),
        [b'_' | b'$', rest @ ..] => !rest.is_empty() && is_rest(rest),
        [b'<', ..] => match text.strip_prefix("<SELF>") {
            Some("") => true,
            Some(tail) => tail.strip_prefix('_').is_some_and(|digits| {
                !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
            }),
            None => false,
        },
        _ => false,
    }
}

impl Identifier {
    /// Checks the text and takes it over.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, InvalidIdentifier> {
        let text = text.into();
        if is_valid_identifier(&text) {
            Ok(Self(text))
        } else {
            Err(InvalidIdentifier)
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as owned text.
    pub fn into_string(self) -> String {
        self.0.into_string()
    }
}

impl Deref for Identifier {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Identifier {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Identifier {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Identifier {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Identifier {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Identifier {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl Serialize for Identifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Identifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(deserializer)?;
        Self::new(text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn character_rule() {
        for good in [
            "a",
            "Z",
            "a_1",
            "pack$Result$Ok",
            "_a",
            "__",
            "_0",
            "_$",
            "$a",
            "$$",
            "$0",
            "<SELF>",
            "<SELF>_0",
            "<SELF>_42",
        ] {
            assert!(is_valid_identifier(good), "{good}");
        }
        for bad in [
            "", "_", "$", "1a", "a-b", "a b", "é", "aé", "<SELF>_", "<SELF>1", "<SELF>_a", "<SELF",
            "<", "<self>",
        ] {
            assert!(!is_valid_identifier(bad), "{bad}");
        }
    }

    #[test]
    fn serde_checks() {
        let name = Identifier::new("coin").unwrap();
        let bytes = bcs::to_bytes(&name).unwrap();
        assert_eq!(bytes, b"\x04coin");
        assert_eq!(bcs::from_bytes(&bytes), Ok(name));
        assert!(bcs::from_bytes::<Identifier>(b"\x01-").is_err());
        assert_eq!(serde_json::from_str::<Identifier>("\"x\"").unwrap(), "x");
    }
}
