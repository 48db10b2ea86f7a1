//! Abilities: what may be done with values of a type (copy, drop, store, key), and sets of them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// One ability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Ability {
    /// The value may be copied.
    Copy = 1,
    /// The value may be discarded.
    Drop = 2,
    /// The value may lie inside a value in global storage.
    Store = 4,
    /// The value may itself lie in global storage.
    Key = 8,
}

/// A set of abilities: bits copy = 1, drop = 2, store = 4, key = 8. BCS: one byte, at most 15.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AbilitySet(u8);

impl Ability {
    /// All abilities in the order in which they are written.
    pub const ALL: [Self; 4] = [Self::Copy, Self::Drop, Self::Store, Self::Key];

    /// The ability that the non-phantom type arguments of a type need for the type to have this one:
    /// a stored (`key`) value needs `store` of its parts, any other ability needs itself.
    pub const fn required_of_parts(self) -> Self {
        match self {
            Self::Copy => Self::Copy,
            Self::Drop => Self::Drop,
            Self::Store | Self::Key => Self::Store,
        }
    }

    /// The Move word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Drop => "drop",
            Self::Store => "store",
            Self::Key => "key",
        }
    }
}

impl AbilitySet {
    /// No ability.
    pub const EMPTY: Self = Self(0);
    /// Every ability.
    pub const ALL: Self = Self(15);
    /// Of booleans, integers and addresses.
    pub const PRIMITIVES: Self =
        Self(Ability::Copy as u8 | Ability::Drop as u8 | Ability::Store as u8);
    /// Of references.
    pub const REFERENCES: Self = Self(Ability::Copy as u8 | Ability::Drop as u8);
    /// Of `signer`.
    pub const SIGNER: Self = Self(Ability::Drop as u8);
    /// Of `vector`, as declared: each holds if the element type has it.
    pub const VECTOR: Self = Self::PRIMITIVES;
    /// The most a function value can have (that of a `persistent` function).
    pub const FUNCTIONS: Self = Self::PRIMITIVES;
    /// Of a function value whose function is not `persistent`.
    pub const PRIVATE_FUNCTIONS: Self = Self::REFERENCES;

    /// The set with exactly one ability.
    pub const fn singleton(ability: Ability) -> Self {
        Self(ability as u8)
    }

    /// The set with these bits; `None` for a value above 15.
    pub const fn from_u8(bits: u8) -> Option<Self> {
        if bits <= Self::ALL.0 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// The bits of the set.
    pub const fn into_u8(self) -> u8 {
        self.0
    }

    /// Whether the set contains `ability`.
    pub const fn has_ability(self, ability: Ability) -> bool {
        self.0 & ability as u8 != 0
    }

    /// Whether the set contains `copy`.
    pub const fn has_copy(self) -> bool {
        self.has_ability(Ability::Copy)
    }

    /// Whether the set contains `drop`.
    pub const fn has_drop(self) -> bool {
        self.has_ability(Ability::Drop)
    }

    /// Whether the set contains `store`.
    pub const fn has_store(self) -> bool {
        self.has_ability(Ability::Store)
    }

    /// Whether the set contains `key`.
    pub const fn has_key(self) -> bool {
        self.has_ability(Ability::Key)
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// This set with `ability` added.
    #[must_use]
    pub const fn with(self, ability: Ability) -> Self {
        Self(self.0 | ability as u8)
    }

    /// This set without `ability`.
    #[must_use]
    pub const fn without(self, ability: Ability) -> Self {
        Self(self.0 & !(ability as u8))
    }

    /// What is in one of the sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether everything in this set is in `other`.
    pub const fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The abilities that the parts of a value need for the value to have the abilities of this set.
    #[must_use]
    pub fn required_of_parts(self) -> Self {
        self.iter().fold(Self::EMPTY, |set, ability| {
            set.with(ability.required_of_parts())
        })
    }

    /// The abilities in the order copy, drop, store, key.
    pub fn iter(self) -> impl Iterator<Item = Ability> {
        Ability::ALL
            .into_iter()
            .filter(move |&ability| self.has_ability(ability))
    }

    /// The abilities of an instantiated generic type: one that is declared holds if every type argument whose parameter
    /// is not phantom has [what it requires](Ability::required_of_parts). An argument without a phantom flag counts as
    /// not phantom.
    pub fn polymorphic_abilities(
        declared: Self,
        phantom_flags: impl IntoIterator<Item = bool>,
        type_arguments: impl IntoIterator<Item = Self>,
    ) -> Self {
        let mut flags = phantom_flags.into_iter();
        let common = type_arguments
            .into_iter()
            .filter(|_| !flags.next().unwrap_or(false))
            .fold(Self::ALL, Self::intersect);
        declared
            .iter()
            .filter(|ability| common.has_ability(ability.required_of_parts()))
            .fold(Self::EMPTY, Self::with)
    }
}

impl From<Ability> for AbilitySet {
    fn from(ability: Ability) -> Self {
        Self::singleton(ability)
    }
}

impl FromIterator<Ability> for AbilitySet {
    fn from_iter<I: IntoIterator<Item = Ability>>(abilities: I) -> Self {
        abilities.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for AbilitySet {
    /// `copy + drop`; nothing for the empty set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, ability) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" + ")?;
            }
            f.write_str(ability.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for AbilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

impl Serialize for AbilitySet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for AbilitySet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_u8(u8::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom("ability set above 15"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text() {
        assert_eq!(AbilitySet::EMPTY.to_string(), "");
        assert_eq!(AbilitySet::REFERENCES.to_string(), "copy + drop");
        assert_eq!(AbilitySet::ALL.to_string(), "copy + drop + store + key");
    }

    #[test]
    fn set_algebra() {
        assert!(AbilitySet::SIGNER.is_subset(AbilitySet::REFERENCES));
        assert!(!AbilitySet::REFERENCES.is_subset(AbilitySet::SIGNER));
        assert_eq!(AbilitySet::from_u8(16), None);
        assert_eq!(
            AbilitySet::ALL.without(Ability::Key),
            AbilitySet::PRIMITIVES
        );
        assert_eq!(
            AbilitySet::singleton(Ability::Key).required_of_parts(),
            AbilitySet::singleton(Ability::Store)
        );
        assert!(bcs::from_bytes::<AbilitySet>(&[16]).is_err());
        assert_eq!(bcs::from_bytes(&[7]), Ok(AbilitySet::PRIMITIVES));
    }

    #[test]
    fn abilities_of_instantiations() {
        let all = AbilitySet::ALL;
        let drop = AbilitySet::SIGNER;
        let poly = |declared, phantoms: &[bool], args: &[AbilitySet]| {
            AbilitySet::polymorphic_abilities(
                declared,
                phantoms.iter().copied(),
                args.iter().copied(),
            )
        };
        assert_eq!(poly(all, &[], &[]), all);
        assert_eq!(poly(AbilitySet::VECTOR, &[false], &[drop]), drop);
        assert_eq!(poly(all, &[true], &[AbilitySet::EMPTY]), all);
        assert_eq!(poly(all, &[true, false], &[AbilitySet::EMPTY, drop]), drop);
        let store = AbilitySet::singleton(Ability::Store);
        assert_eq!(poly(all, &[false], &[store]), store.with(Ability::Key));
        // `key` of an argument gives nothing by itself.
        assert_eq!(
            poly(all, &[false], &[Ability::Key.into()]),
            AbilitySet::EMPTY
        );
    }
}
