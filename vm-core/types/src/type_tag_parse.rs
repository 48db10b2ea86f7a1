//! Parser of the text of type tags: the canonical text, long addresses and any spacing between tokens.

use crate::{
    Ability, AbilitySet, AccountAddress, FunctionParamOrReturnTag, FunctionTag, Identifier,
    StructTag, TypeTag,
};
use std::str::FromStr;
use thiserror::Error;

/// Deepest nesting of vector, struct and function types that is read as text.
pub const MAX_TEXT_NESTING: usize = 32;

/// Why a text is not a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TagParseErrorKind {
    /// A type was expected.
    #[error("expected a type")]
    ExpectedType,
    /// This token was expected.
    #[error("expected `{0}`")]
    Expected(&'static str),
    /// An address is malformed.
    #[error("invalid address")]
    InvalidAddress,
    /// A name was expected.
    #[error("expected an identifier")]
    ExpectedIdentifier,
    /// A struct (`address::module::name`) was expected.
    #[error("expected a struct type")]
    ExpectedStruct,
    /// A reference outside of a function type.
    #[error("a reference can only be a parameter or result of a function type")]
    MisplacedReference,
    /// `copy`, `drop`, `store` or `key` was expected.
    #[error("expected an ability")]
    ExpectedAbility,
    /// The type nests deeper than [`MAX_TEXT_NESTING`].
    #[error("type nests deeper than {MAX_TEXT_NESTING}")]
    NestingTooDeep,
    /// Text follows the type.
    #[error("unexpected text after the type")]
    TrailingText,
}

/// Why a text is not a type, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind} at position {position}")]
pub struct TagParseError {
    /// What was wrong.
    pub kind: TagParseErrorKind,
    /// Byte offset in the text.
    pub position: usize,
}

impl FromStr for TypeTag {
    type Err = TagParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parser = Parser::new(text);
        let tag = parser.tag(MAX_TEXT_NESTING)?;
        parser.finish()?;
        Ok(tag)
    }
}

impl FromStr for StructTag {
    type Err = TagParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parser = Parser::new(text);
        if !parser.at_address() {
            return Err(parser.error(TagParseErrorKind::ExpectedStruct));
        }
        let tag = parser.struct_tag(MAX_TEXT_NESTING)?;
        parser.finish()?;
        Ok(tag)
    }
}

/// What is left of the text, with whitespace before the next token skipped.
struct Parser<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        let mut parser = Self { text, position: 0 };
        parser.skip(0);
        parser
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn error(&self, kind: TagParseErrorKind) -> TagParseError {
        TagParseError {
            kind,
            position: self.position,
        }
    }

    /// Steps over `length` bytes and the whitespace after them.
    fn skip(&mut self, length: usize) {
        self.position += length;
        let rest = self.rest();
        self.position += rest.len() - rest.trim_ascii_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.skip(token.len());
        }
        found
    }

    fn expect(&mut self, token: &'static str) -> Result<(), TagParseError> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.error(TagParseErrorKind::Expected(token)))
        }
    }

    fn finish(self) -> Result<(), TagParseError> {
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.error(TagParseErrorKind::TrailingText))
        }
    }

    /// The run of name characters at the front.
    fn word(&self) -> &'a str {
        let rest = self.rest();
        // `<SELF>` is the only name with brackets; elsewhere `<` opens type arguments.
        let start = if rest.starts_with("<SELF>") { 6 } else { 0 };
        let tail = rest.as_bytes().get(start..).unwrap_or_default();
        let length = tail
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$'))
            .count();
        rest.get(..start + length).unwrap_or_default()
    }

    fn at_address(&self) -> bool {
        self.rest().starts_with("0x")
    }

    fn identifier(&mut self) -> Result<Identifier, TagParseError> {
        let word = self.word();
        let name =
            Identifier::new(word).map_err(|_| self.error(TagParseErrorKind::ExpectedIdentifier))?;
        self.skip(word.len());
        Ok(name)
    }

    fn tag(&mut self, budget: usize) -> Result<TypeTag, TagParseError> {
        if self.at_address() {
            return Ok(self.struct_tag(self.inner(budget)?)?.into());
        }
        if self.rest().starts_with('|') {
            return Ok(self.function_tag(self.inner(budget)?)?.into());
        }
        if self.rest().starts_with('&') {
            return Err(self.error(TagParseErrorKind::MisplacedReference));
        }
        let word = self.word();
        let leaf = match word {
            "bool" => TypeTag::Bool,
            "u8" => TypeTag::U8,
            "u16" => TypeTag::U16,
            "u32" => TypeTag::U32,
            "u64" => TypeTag::U64,
            "u128" => TypeTag::U128,
            "u256" => TypeTag::U256,
            "i8" => TypeTag::I8,
            "i16" => TypeTag::I16,
            "i32" => TypeTag::I32,
            "i64" => TypeTag::I64,
            "i128" => TypeTag::I128,
            "i256" => TypeTag::I256,
            "address" => TypeTag::Address,
            "signer" => TypeTag::Signer,
            "vector" => {
                let inner = self.inner(budget)?;
                self.skip(word.len());
                self.expect("<")?;
                let element = self.tag(inner)?;
                self.expect(">")?;
                return Ok(TypeTag::Vector(Box::new(element)));
            }
            _ => return Err(self.error(TagParseErrorKind::ExpectedType)),
        };
        self.skip(word.len());
        Ok(leaf)
    }

    fn inner(&self, budget: usize) -> Result<usize, TagParseError> {
        budget
            .checked_sub(1)
            .ok_or_else(|| self.error(TagParseErrorKind::NestingTooDeep))
    }

    /// `0x1::m::S<…>`; the arguments may nest `budget` deep.
    fn struct_tag(&mut self, budget: usize) -> Result<StructTag, TagParseError> {
        let word = self.word();
        let address = AccountAddress::from_hex_literal(word)
            .map_err(|_| self.error(TagParseErrorKind::InvalidAddress))?;
        self.skip(word.len());
        self.expect("::")?;
        let module = self.identifier()?;
        self.expect("::")?;
        let name = self.identifier()?;
        let mut type_args = Vec::new();
        if self.eat("<") {
            loop {
                type_args.push(self.tag(budget)?);
                if !self.eat(",") {
                    break;
                }
            }
            self.expect(">")?;
        }
        Ok(StructTag {
            address,
            module,
            name,
            type_args,
        })
    }

    /// `|args|(results) has abilities`; the parts may nest `budget` deep.
    fn function_tag(&mut self, budget: usize) -> Result<FunctionTag, TagParseError> {
        self.expect("|")?;
        // `||` both opens a function without parameters and one whose first parameter is a function; only the bar that
        // closes the parameters has a parenthesis after it.
        let after_bar = self.rest().strip_prefix('|').unwrap_or_default();
        let args = if after_bar.trim_ascii_start().starts_with('(') {
            self.expect("|")?;
            Vec::new()
        } else {
            self.parts("|", budget)?
        };
        self.expect("(")?;
        let results = if self.eat(")") {
            Vec::new()
        } else {
            self.parts(")", budget)?
        };
        let mut abilities = AbilitySet::EMPTY;
        if self.word() == "has" {
            self.skip(3);
            loop {
                abilities = abilities.with(self.ability()?);
                if !self.eat("+") {
                    break;
                }
            }
        }
        Ok(FunctionTag {
            args,
            results,
            abilities,
        })
    }

    fn ability(&mut self) -> Result<Ability, TagParseError> {
        let word = self.word();
        let ability = Ability::ALL
            .into_iter()
            .find(|ability| ability.name() == word)
            .ok_or_else(|| self.error(TagParseErrorKind::ExpectedAbility))?;
        self.skip(word.len());
        Ok(ability)
    }

    /// One or more parts up to the closing token.
    fn parts(
        &mut self,
        close: &'static str,
        budget: usize,
    ) -> Result<Vec<FunctionParamOrReturnTag>, TagParseError> {
        let mut parts = Vec::new();
        loop {
            parts.push(self.part(budget)?);
            if !self.eat(",") {
                break;
            }
        }
        self.expect(close)?;
        Ok(parts)
    }

    fn part(&mut self, budget: usize) -> Result<FunctionParamOrReturnTag, TagParseError> {
        if !self.eat("&") {
            return self.tag(budget).map(FunctionParamOrReturnTag::Value);
        }
        if self.word() == "mut" {
            self.skip(3);
            return self
                .tag(budget)
                .map(FunctionParamOrReturnTag::MutableReference);
        }
        self.tag(budget).map(FunctionParamOrReturnTag::Reference)
    }
}
