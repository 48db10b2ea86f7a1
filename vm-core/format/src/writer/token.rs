//! Signatures, signature tokens and ability sets.

use super::{Writer, Written, refuse};
use crate::reader::token::{self, tag};
use crate::{Signature, SignatureToken};
use monomove_types::AbilitySet;

impl Writer {
    pub(super) fn signature(&mut self, signature: &Signature) -> Written {
        self.count(
            signature.len(),
            token::MAX_SIGNATURE_SIZE,
            "too many types in a signature",
        )?;
        signature.0.iter().try_for_each(|token| self.token(token))
    }

    pub(super) fn token(&mut self, token: &SignatureToken) -> Written {
        self.token_within(token, SignatureToken::MAX_NESTING)
    }

    /// Recursive; `budget` bounds the depth.
    pub(super) fn token_within(&mut self, token: &SignatureToken, budget: usize) -> Written {
        let Some(budget) = budget.checked_sub(1) else {
            return refuse("type nests too deep");
        };
        let byte = tag_of(token);
        if self.version < tag::first_version(byte) {
            return refuse("type does not exist in this binary version");
        }
        self.out.push(byte);
        match token {
            SignatureToken::Struct(handle) => self.uleb(handle.0),
            SignatureToken::StructInstantiation(handle, args) => {
                self.uleb(handle.0);
                if args.is_empty() {
                    return refuse("instantiation without type arguments");
                }
                self.count(
                    args.len(),
                    token::MAX_TYPE_ARGUMENTS,
                    "too many type arguments",
                )?;
            }
            SignatureToken::TypeParameter(index) => self.uleb(*index),
            SignatureToken::Function(args, results, abilities) => {
                self.abilities(*abilities);
                let message = "too many parameters or results of a function type";
                self.count(args.len(), token::MAX_FUNCTION_TYPE_PARTS, message)?;
                self.count(results.len(), token::MAX_FUNCTION_TYPE_PARTS, message)?;
            }
            _ => {}
        }
        token
            .children()
            .try_for_each(|child| self.token_within(child, budget))
    }

    pub(super) fn abilities(&mut self, abilities: AbilitySet) {
        self.out.push(abilities.into_u8());
    }
}

fn tag_of(token: &SignatureToken) -> u8 {
    match token {
        SignatureToken::Bool => tag::BOOL,
        SignatureToken::U8 => tag::U8,
        SignatureToken::U16 => tag::U16,
        SignatureToken::U32 => tag::U32,
        SignatureToken::U64 => tag::U64,
        SignatureToken::U128 => tag::U128,
        SignatureToken::U256 => tag::U256,
        SignatureToken::I8 => tag::I8,
        SignatureToken::I16 => tag::I16,
        SignatureToken::I32 => tag::I32,
        SignatureToken::I64 => tag::I64,
        SignatureToken::I128 => tag::I128,
        SignatureToken::I256 => tag::I256,
        SignatureToken::Address => tag::ADDRESS,
        SignatureToken::Signer => tag::SIGNER,
        SignatureToken::Vector(_) => tag::VECTOR,
        SignatureToken::Function(..) => tag::FUNCTION,
        SignatureToken::Struct(_) => tag::STRUCT,
        SignatureToken::StructInstantiation(..) => tag::STRUCT_INSTANTIATION,
        SignatureToken::Reference(_) => tag::REFERENCE,
        SignatureToken::MutableReference(_) => tag::MUTABLE_REFERENCE,
        SignatureToken::TypeParameter(_) => tag::TYPE_PARAMETER,
    }
}
