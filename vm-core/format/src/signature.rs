//! Signatures: types as the binary format writes them, with type parameters and references.

use crate::{StructHandleIndex, TypeParameterIndex};
use monomove_types::AbilitySet;

/// A list of types: of parameters, results, locals or type arguments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Signature(pub Vec<SignatureToken>);

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeSignature(pub SignatureToken);

/// A type. What the reader returns nests at most [`SignatureToken::MAX_NESTING`] deep.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureToken {
    /// `bool`
    Bool,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `u128`
    U128,
    /// `u256`
    U256,
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
    /// `address`
    Address,
    /// `signer`
    Signer,
    /// `vector<T>`
    Vector(Box<SignatureToken>),
    /// A function type: parameters, results, abilities.
    Function(Vec<SignatureToken>, Vec<SignatureToken>, AbilitySet),
    /// A struct or enum without type parameters.
    Struct(StructHandleIndex),
    /// A generic struct or enum with its type arguments.
    StructInstantiation(StructHandleIndex, Vec<SignatureToken>),
    /// `&T`
    Reference(Box<SignatureToken>),
    /// `&mut T`
    MutableReference(Box<SignatureToken>),
    /// A type parameter of the struct or function around it.
    TypeParameter(TypeParameterIndex),
}

impl Signature {
    /// The types.
    pub fn tokens(&self) -> &[SignatureToken] {
        &self.0
    }

    /// Number of types.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no types.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl SignatureToken {
    /// How deep tokens nest at most in a binary.
    pub const MAX_NESTING: usize = 256;

    /// Whether this is `&T` or `&mut T`.
    pub fn is_reference(&self) -> bool {
        matches!(self, Self::Reference(_) | Self::MutableReference(_))
    }

    /// Whether this is `&mut T`.
    pub fn is_mutable_reference(&self) -> bool {
        matches!(self, Self::MutableReference(_))
    }

    /// Whether this is an integer type, signed or not.
    pub fn is_integer(&self) -> bool {
        self.is_unsigned_integer() || self.is_signed_integer()
    }

    /// Whether this is one of `u8` to `u256`.
    pub fn is_unsigned_integer(&self) -> bool {
        matches!(
            self,
            Self::U8 | Self::U16 | Self::U32 | Self::U64 | Self::U128 | Self::U256
        )
    }

    /// Whether this is one of `i8` to `i256`.
    pub fn is_signed_integer(&self) -> bool {
        matches!(
            self,
            Self::I8 | Self::I16 | Self::I32 | Self::I64 | Self::I128 | Self::I256
        )
    }

    /// Whether a constant can have this type: booleans, integers, addresses, and vectors of those at any depth.
    pub fn is_valid_for_constant(&self) -> bool {
        let mut token = self;
        while let Self::Vector(element) = token {
            token = element;
        }
        token.is_integer() || matches!(token, Self::Bool | Self::Address)
    }

    /// The types directly inside this one.
    pub fn children(&self) -> impl Iterator<Item = &SignatureToken> {
        let (first, second) = self.child_lists();
        first.iter().chain(second)
    }

    /// This type and all inside it, each before what it contains. Needs no call stack.
    pub fn preorder(&self) -> Preorder<'_> {
        Preorder { stack: vec![self] }
    }

    fn child_lists(&self) -> (&[SignatureToken], &[SignatureToken]) {
        match self {
            Self::Vector(inner) | Self::Reference(inner) | Self::MutableReference(inner) => {
                (std::slice::from_ref(&**inner), &[])
            }
            Self::StructInstantiation(_, args) => (args, &[]),
            Self::Function(args, results, _) => (args, results),
            _ => (&[], &[]),
        }
    }
}

/// Iterator over a type and all types inside it: see [`SignatureToken::preorder`].
#[derive(Clone, Debug)]
pub struct Preorder<'a> {
    stack: Vec<&'a SignatureToken>,
}

impl<'a> Iterator for Preorder<'a> {
    type Item = &'a SignatureToken;

    fn next(&mut self) -> Option<Self::Item> {
        let token = self.stack.pop()?;
        let (first, second) = token.child_lists();
        self.stack.extend(second.iter().rev());
        self.stack.extend(first.iter().rev());
        Some(token)
    }
}
