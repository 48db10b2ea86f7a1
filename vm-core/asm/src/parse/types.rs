//! Types, abilities, type parameters and literals.

use super::{MAX_NESTING, Parser};
use crate::ast::{Type, TypeParameter, Value};
use crate::diagnostic::Result;
use crate::lexer::Token;
use monomove_format::{Ability, AbilitySet, SignatureToken};

/// The type that a word of the language names.
pub(crate) fn primitive(word: &str) -> Option<SignatureToken> {
    Some(match word {
        "bool" => SignatureToken::Bool,
        "u8" => SignatureToken::U8,
        "u16" => SignatureToken::U16,
        "u32" => SignatureToken::U32,
        "u64" => SignatureToken::U64,
        "u128" => SignatureToken::U128,
        "u256" => SignatureToken::U256,
        "i8" => SignatureToken::I8,
        "i16" => SignatureToken::I16,
        "i32" => SignatureToken::I32,
        "i64" => SignatureToken::I64,
        "i128" => SignatureToken::I128,
        "i256" => SignatureToken::I256,
        "address" => SignatureToken::Address,
        "signer" => SignatureToken::Signer,
        _ => return None,
    })
}

impl<'a> Parser<'a, '_> {
    pub(super) fn type_(&mut self) -> Result<Type<'a>> {
        self.type_at(1)
    }

    fn type_at(&mut self, depth: usize) -> Result<Type<'a>> {
        let at = self.span();
        if depth > MAX_NESTING {
            return self.reporter.fail(
                at,
                format!("types nest at most {MAX_NESTING} deep in a binary"),
            );
        }
        match *self.peek() {
            Token::Special('&') => {
                self.advance();
                let is_mutable = *self.peek_at(1) != Token::ColonColon && self.eat_word("mut");
                let inner = self.type_at(depth + 1)?;
                Ok(Type::Reference(is_mutable, Box::new(inner)))
            }
            Token::Special('|') => self.function_type(depth),
            Token::Special('(') => {
                self.advance();
                let inner = self.type_at(depth + 1)?;
                self.special(')')?;
                Ok(inner)
            }
            Token::Special('#') => {
                self.advance();
                self.small_number("the position of a type parameter")
                    .map(Type::Parameter)
            }
            Token::Ident(word) if *self.peek_at(1) != Token::ColonColon => {
                if let Some(token) = primitive(word) {
                    self.advance();
                    return Ok(Type::Primitive(token, at));
                }
                if word == "vector" {
                    self.advance();
                    self.special('<')?;
                    let inner = self.type_at(depth + 1)?;
                    self.special('>')?;
                    return Ok(Type::Vector(Box::new(inner)));
                }
                self.named_type(depth)
            }
            Token::Ident(_) | Token::QuotedIdent(_) | Token::Number(_) => self.named_type(depth),
            _ => self.expected("a type"),
        }
    }

    fn named_type(&mut self, depth: usize) -> Result<Type<'a>> {
        let path = self.path("the name of a type")?;
        let arguments = self.type_arguments(depth)?;
        Ok(Type::Named(path, arguments))
    }

    /// `<T, U>`, if it follows.
    pub(super) fn type_arguments(&mut self, depth: usize) -> Result<Option<Vec<Type<'a>>>> {
        if !self.eat_special('<') {
            return Ok(None);
        }
        self.separated('>', |parser| parser.type_at(depth + 1))
            .map(Some)
    }

    fn function_type(&mut self, depth: usize) -> Result<Type<'a>> {
        let start = self.span();
        self.special('|')?;
        let parameters = self.separated('|', |parser| parser.type_at(depth + 1))?;
        let starts_type = match *self.peek() {
            Token::Ident(word) => word != "has" || *self.peek_at(1) == Token::ColonColon,
            Token::QuotedIdent(_) | Token::Number(_) => true,
            Token::Special(special) => matches!(special, '&' | '|' | '#'),
            _ => false,
        };
        let results = if self.eat_special('(') {
            self.separated(')', |parser| parser.type_at(depth + 1))?
        } else if starts_type {
            vec![self.type_at(depth + 1)?]
        } else {
            Vec::new()
        };
        let abilities = self.has_abilities()?;
        let at = start.to(self.previous_span());
        Ok(Type::Function(parameters, results, abilities, at))
    }

    /// `has copy + drop`, if it follows.
    pub(super) fn has_abilities(&mut self) -> Result<AbilitySet> {
        if self.eat_word("has") {
            self.abilities()
        } else {
            Ok(AbilitySet::EMPTY)
        }
    }

    fn abilities(&mut self) -> Result<AbilitySet> {
        let mut set = AbilitySet::EMPTY;
        loop {
            let found = match self.peek() {
                Token::Ident(word) => Ability::ALL.into_iter().find(|a| a.name() == *word),
                _ => None,
            };
            let Some(ability) = found else {
                return self.expected("`copy`, `drop`, `store` or `key`");
            };
            self.advance();
            set = set.with(ability);
            if !self.eat_special('+') {
                return Ok(set);
            }
        }
    }

    /// `<T: copy, U>`, if it follows. `phantom` is accepted before a name if `allow_phantom`.
    pub(super) fn type_parameters(
        &mut self,
        allow_phantom: bool,
    ) -> Result<Vec<TypeParameter<'a>>> {
        if !self.eat_special('<') {
            return Ok(Vec::new());
        }
        self.separated('>', |parser| {
            let is_name = matches!(parser.peek_at(1), Token::Ident(_) | Token::QuotedIdent(_));
            let is_phantom = allow_phantom && is_name && parser.eat_word("phantom");
            let name = parser.name("the name of a type parameter")?;
            let constraints = if parser.eat_special(':') {
                parser.abilities()?
            } else {
                AbilitySet::EMPTY
            };
            Ok(TypeParameter {
                name,
                constraints,
                is_phantom,
            })
        })
    }

    /// A number, or a list of values between brackets.
    pub(super) fn value(&mut self, depth: usize) -> Result<Value> {
        if depth > MAX_NESTING {
            let at = self.span();
            return self
                .reporter
                .fail(at, format!("vectors nest at most {MAX_NESTING} deep"));
        }
        if self.eat_special('[') {
            let elements = self.separated(']', |parser| parser.value(depth + 1))?;
            return Ok(Value::Vector(elements));
        }
        let is_negative = self.eat_special('-');
        let what = if is_negative {
            "a number after `-`"
        } else {
            "a number or `[`"
        };
        Ok(Value::Number(self.number(what)?, is_negative))
    }
}
