//! Type tags: closed Move types as data, with their canonical text (runtime spec, "TypeTag BCS").

use crate::{AbilitySet, AccountAddress, Identifier, ModuleId};
use std::fmt;
use thiserror::Error;

/// Deepest nesting of vector, struct and function tags that is read or written as BCS.
pub const MAX_TYPE_TAG_NESTING: usize = 8;

/// A closed type. Text: `u8`, `vector<u64>`, `0x1::coin::Coin<0x1::aptos_coin::AptosCoin>`, `|&u8|(bool) has copy + drop`.
///
/// Tags built in memory may nest deeper than [`MAX_TYPE_TAG_NESTING`]; what comes from bytes or text is bounded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TypeTag {
    /// `bool`
    Bool,
    /// `u8`
    U8,
    /// `u64`
    U64,
    /// `u128`
    U128,
    /// `address`
    Address,
    /// `signer`
    Signer,
    /// `vector<T>`
    Vector(Box<TypeTag>),
    /// A struct or enum.
    Struct(Box<StructTag>),
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u256`
    U256,
    /// A function type.
    Function(Box<FunctionTag>),
    /// `i8`
    I8,
    /// `i16`
    I16,
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `i128`
    I128,
    /// `i256`
    I256,
}

/// A struct or enum with its type arguments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StructTag {
    /// Address of the defining module.
    pub address: AccountAddress,
    /// Name of the defining module.
    pub module: Identifier,
    /// Name of the struct or enum.
    pub name: Identifier,
    /// Type arguments.
    pub type_args: Vec<TypeTag>,
}

/// A function type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionTag {
    /// Parameters.
    pub args: Vec<FunctionParamOrReturnTag>,
    /// Results.
    pub results: Vec<FunctionParamOrReturnTag>,
    /// Abilities of the function value.
    pub abilities: AbilitySet,
}

/// A parameter or result of a function type: the only place where a reference can stand in a tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FunctionParamOrReturnTag {
    /// `&T`
    Reference(TypeTag),
    /// `&mut T`
    MutableReference(TypeTag),
    /// `T`
    Value(TypeTag),
}

/// A tag nests deeper than [`MAX_TYPE_TAG_NESTING`] and has no byte form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("type tag nests deeper than {MAX_TYPE_TAG_NESTING}")]
pub struct NestingTooDeep;

impl TypeTag {
    /// Refuses a tag that nests deeper than [`MAX_TYPE_TAG_NESTING`].
    pub fn check_nesting(&self) -> Result<(), NestingTooDeep> {
        self.fits(MAX_TYPE_TAG_NESTING)
    }

    /// The struct tag, if this is a struct or enum.
    pub fn as_struct(&self) -> Option<&StructTag> {
        match self {
            Self::Struct(tag) => Some(tag),
            _ => None,
        }
    }

    fn fits(&self, budget: usize) -> Result<(), NestingTooDeep> {
        let inner = || budget.checked_sub(1).ok_or(NestingTooDeep);
        match self {
            Self::Vector(element) => element.fits(inner()?),
            Self::Struct(tag) => tag.fits(inner()?),
            Self::Function(tag) => {
                let inner = inner()?;
                tag.args
                    .iter()
                    .chain(&tag.results)
                    .try_for_each(|part| part.tag().fits(inner))
            }
            _ => Ok(()),
        }
    }
}

impl StructTag {
    /// The module that defines the type.
    pub fn module_id(&self) -> ModuleId {
        ModuleId::new(self.address, self.module.clone())
    }

    /// Refuses type arguments that nest deeper than [`MAX_TYPE_TAG_NESTING`].
    pub fn check_nesting(&self) -> Result<(), NestingTooDeep> {
        self.fits(MAX_TYPE_TAG_NESTING)
    }

    fn fits(&self, budget: usize) -> Result<(), NestingTooDeep> {
        self.type_args.iter().try_for_each(|arg| arg.fits(budget))
    }
}

impl FunctionParamOrReturnTag {
    /// The type without the reference.
    pub fn tag(&self) -> &TypeTag {
        match self {
            Self::Reference(tag) | Self::MutableReference(tag) | Self::Value(tag) => tag,
        }
    }
}

impl From<StructTag> for TypeTag {
    fn from(tag: StructTag) -> Self {
        Self::Struct(Box::new(tag))
    }
}

impl From<FunctionTag> for TypeTag {
    fn from(tag: FunctionTag) -> Self {
        Self::Function(Box::new(tag))
    }
}

impl fmt::Display for TypeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Bool => "bool",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::U128 => "u128",
            Self::U256 => "u256",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::I128 => "i128",
            Self::I256 => "i256",
            Self::Address => "address",
            Self::Signer => "signer",
            Self::Vector(element) => return write!(f, "vector<{element}>"),
            Self::Struct(tag) => return fmt::Display::fmt(tag, f),
            Self::Function(tag) => return fmt::Display::fmt(tag, f),
        };
        f.write_str(word)
    }
}

impl fmt::Display for StructTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}::{}", self.address, self.module, self.name)?;
        if !self.type_args.is_empty() {
            f.write_str("<")?;
            join(f, &self.type_args)?;
            f.write_str(">")?;
        }
        Ok(())
    }
}

impl fmt::Display for FunctionTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("|")?;
        join(f, &self.args)?;
        f.write_str("|(")?;
        join(f, &self.results)?;
        f.write_str(")")?;
        if !self.abilities.is_empty() {
            write!(f, " has {}", self.abilities)?;
        }
        Ok(())
    }
}

impl fmt::Display for FunctionParamOrReturnTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(tag) => write!(f, "&{tag}"),
            Self::MutableReference(tag) => write!(f, "&mut {tag}"),
            Self::Value(tag) => fmt::Display::fmt(tag, f),
        }
    }
}

fn join<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}
