//! Module identities: an address and a name, written `0x1::coin`.

use crate::{AccountAddress, AddressParseError, Identifier, InvalidIdentifier};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// The identity of a module. BCS: the address, then the name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId {
    /// The account that published the module.
    pub address: AccountAddress,
    /// The module's name.
    pub name: Identifier,
}

/// Why a text is not a module identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ModuleIdParseError {
    /// There is no `::` between address and name.
    #[error("a module is written address::name")]
    MissingSeparator,
    /// The part before `::` is not an address.
    #[error(transparent)]
    Address(#[from] AddressParseError),
    /// The part after `::` is not a name.
    #[error(transparent)]
    Name(#[from] InvalidIdentifier),
}

impl ModuleId {
    /// Puts an identity together.
    pub fn new(address: AccountAddress, name: Identifier) -> Self {
        Self { address, name }
    }
}

impl fmt::Display for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.address, self.name)
    }
}

impl fmt::Debug for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ModuleId {
    type Err = ModuleIdParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, name) = text
            .split_once("::")
            .ok_or(ModuleIdParseError::MissingSeparator)?;
        Ok(Self::new(address.parse()?, name.parse()?))
    }
}

impl Serialize for ModuleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (&self.address, &self.name).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for ModuleId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            let (address, name) = Deserialize::deserialize(deserializer)?;
            Ok(Self::new(address, name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes() {
        let id: ModuleId = "0x1::coin".parse().unwrap();
        assert_eq!(id.to_string(), "0x1::coin");
        let bytes = bcs::to_bytes(&id).unwrap();
        assert_eq!(bytes.len(), 32 + 5);
        assert_eq!(bcs::from_bytes(&bytes), Ok(id.clone()));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"0x1::coin\"");
        assert_eq!(serde_json::from_str::<ModuleId>(&json).unwrap(), id);
    }

    #[test]
    fn refused_texts() {
        assert_eq!(
            "0x1:coin".parse::<ModuleId>(),
            Err(ModuleIdParseError::MissingSeparator)
        );
        assert!(matches!(
            "1::coin".parse::<ModuleId>(),
            Err(ModuleIdParseError::Address(_))
        ));
        assert!(matches!(
            "0x1::a::b".parse::<ModuleId>(),
            Err(ModuleIdParseError::Name(_))
        ));
    }
}
