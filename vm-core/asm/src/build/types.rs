//! Types to signature tokens.

use super::Builder;
use super::scope::Member;
use crate::ast::{Path, Type};
use crate::diagnostic::{Result, Span};
use monomove_format::SignatureToken;

impl<'a> Builder<'a, '_> {
    /// The token of a type; the parser bounds its nesting.
    pub(super) fn type_(&mut self, type_: &'a Type<'a>) -> Result<SignatureToken> {
        Ok(match type_ {
            Type::Primitive(token, at) => {
                self.primitive_version(token, *at)?;
                token.clone()
            }
            Type::Vector(inner) => SignatureToken::Vector(Box::new(self.type_(inner)?)),
            Type::Reference(false, inner) => {
                SignatureToken::Reference(Box::new(self.type_(inner)?))
            }
            Type::Reference(true, inner) => {
                SignatureToken::MutableReference(Box::new(self.type_(inner)?))
            }
            Type::Function(parameters, results, abilities, at) => {
                self.since(8, "function types", *at)?;
                let parameters = self.types(parameters)?;
                SignatureToken::Function(parameters, self.types(results)?, *abilities)
            }
            Type::Parameter(index) => SignatureToken::TypeParameter(*index),
            Type::Named(path, arguments) => self.named_type(path, arguments.as_deref())?,
        })
    }

    fn types(&mut self, types: &'a [Type<'a>]) -> Result<Vec<SignatureToken>> {
        types.iter().map(|type_| self.type_(type_)).collect()
    }

    fn primitive_version(&mut self, token: &SignatureToken, at: Span) -> Result<()> {
        use SignatureToken as T;
        match token {
            T::U16 | T::U32 | T::U256 => self.since(6, "u16, u32 and u256", at),
            _ if token.is_signed_integer() => self.since(9, "signed integers", at),
            _ => Ok(()),
        }
    }

    fn named_type(
        &mut self,
        path: &'a Path<'a>,
        arguments: Option<&'a [Type<'a>]>,
    ) -> Result<SignatureToken> {
        if let (Member::Own(name, at), 1, None) =
            (self.member(path)?, path.parts.len(), path.address)
            && let Some(&index) = self.type_parameters.get(name)
        {
            if arguments.is_some() {
                return self
                    .reporter
                    .fail(at, "a type parameter takes no type arguments");
            }
            return Ok(SignatureToken::TypeParameter(index));
        }
        let handle = self.struct_handle(path)?;
        Ok(match arguments {
            None => SignatureToken::Struct(handle),
            Some([]) => {
                return self
                    .reporter
                    .fail(path.at, "expected at least one type between `<` and `>`");
            }
            Some(arguments) => SignatureToken::StructInstantiation(handle, self.types(arguments)?),
        })
    }
}
