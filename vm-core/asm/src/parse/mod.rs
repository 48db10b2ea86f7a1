//! Tokens to syntax tree: the cursor and what all parts of the grammar share. After an error the parser goes on with the
//! next line.

mod function;
mod item;
mod types;

pub(crate) use types::primitive;

use crate::ast::{Address, ModuleName, Name, Path, Unit};
use crate::diagnostic::{Reporter, Result, Span};
use crate::lexer::{Token, lex};
use ethnum::U256;

/// Deepest nesting of types and of literals.
pub(crate) const MAX_NESTING: usize = monomove_format::SignatureToken::MAX_NESTING;

/// Parses a text. Whether there were errors is known to the reporter.
pub(crate) fn parse<'a>(source: &'a str, reporter: &mut Reporter) -> Unit<'a> {
    let tokens = lex(source, reporter);
    let mut parser = Parser {
        tokens,
        at: 0,
        reporter,
    };
    parser.unit()
}

struct Parser<'a, 'r> {
    tokens: Vec<(Token<'a>, Span)>,
    at: usize,
    reporter: &'r mut Reporter,
}

impl<'a> Parser<'a, '_> {
    /// The token `ahead` places on; the last token is always `End`.
    fn peek_at(&self, ahead: usize) -> &Token<'a> {
        self.tokens
            .get(self.at + ahead)
            .map_or(&Token::End, |(token, _)| token)
    }

    fn peek(&self) -> &Token<'a> {
        self.peek_at(0)
    }

    fn span(&self) -> Span {
        let last = self.tokens.last();
        self.tokens
            .get(self.at)
            .or(last)
            .map_or_else(Span::default, |(_, span)| *span)
    }

    fn previous_span(&self) -> Span {
        self.at
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .map_or_else(Span::default, |(_, span)| *span)
    }

    fn advance(&mut self) {
        if self.at < self.tokens.len() {
            self.at += 1;
        }
    }

    fn is_end(&self) -> bool {
        *self.peek() == Token::End || self.reporter.is_full()
    }

    fn eat(&mut self, token: &Token<'_>) -> bool {
        let found = self.peek() == token;
        if found {
            self.advance();
        }
        found
    }

    fn eat_special(&mut self, special: char) -> bool {
        self.eat(&Token::Special(special))
    }

    fn eat_word(&mut self, word: &str) -> bool {
        self.eat(&Token::Ident(word))
    }

    fn is_word(&self, word: &str) -> bool {
        *self.peek() == Token::Ident(word)
    }

    /// Reports that something else was expected here.
    fn expected<T>(&mut self, what: &str) -> Result<T> {
        let message = format!("expected {what}, found {}", self.peek().describe());
        let at = self.span();
        self.reporter.fail(at, message)
    }

    fn special(&mut self, special: char) -> Result<()> {
        if self.eat_special(special) {
            return Ok(());
        }
        self.expected(&format!("`{special}`"))
    }

    fn newline(&mut self) -> Result<()> {
        if self.eat(&Token::Newline) || *self.peek() == Token::End {
            return Ok(());
        }
        self.expected("end of line")
    }

    /// Goes to the start of the next line.
    fn skip_line(&mut self) {
        while !matches!(self.peek(), Token::Newline | Token::End) {
            self.advance();
        }
        self.eat(&Token::Newline);
    }

    /// Parses one line; after an error goes on behind it.
    fn line(&mut self, parse: impl FnOnce(&mut Self) -> Result<()>) {
        if parse(self).and_then(|()| self.newline()).is_err() {
            self.skip_line();
        }
    }

    fn name(&mut self, what: &str) -> Result<Name<'a>> {
        let at = self.span();
        match *self.peek() {
            Token::Ident(text) | Token::QuotedIdent(text) => {
                self.advance();
                Ok(Name { text, at })
            }
            _ => self.expected(what),
        }
    }

    fn number(&mut self, what: &str) -> Result<U256> {
        match *self.peek() {
            Token::Number(value) => {
                self.advance();
                Ok(value)
            }
            _ => self.expected(what),
        }
    }

    /// A number that is at most `max`.
    fn small_number<T: TryFrom<U256>>(&mut self, what: &str) -> Result<T> {
        let at = self.span();
        match T::try_from(self.number(what)?) {
            Ok(value) => Ok(value),
            Err(_) => self
                .reporter
                .fail(at, format!("expected {what}; the number is too large")),
        }
    }

    fn separated<T>(
        &mut self,
        close: char,
        mut element: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut list = Vec::new();
        if self.eat_special(close) {
            return Ok(list);
        }
        loop {
            list.push(element(self)?);
            if self.eat_special(close) {
                return Ok(list);
            }
            if !self.eat_special(',') {
                return self.expected(&format!("`,` or `{close}`"));
            }
        }
    }

    /// `ADDR::name` or `alias::name`.
    fn module_name(&mut self) -> Result<ModuleName<'a>> {
        let address = match *self.peek() {
            Token::Number(value) => {
                self.advance();
                Address::Number(value)
            }
            _ => Address::Alias(self.name("an address or its name")?),
        };
        if !self.eat(&Token::ColonColon) {
            return self.expected("`::` and the name of a module");
        }
        let name = self.name("the name of a module")?;
        Ok(ModuleName { address, name })
    }

    fn path(&mut self, what: &str) -> Result<Path<'a>> {
        let start = self.span();
        let mut path = Path {
            address: None,
            parts: Vec::new(),
            at: start,
        };
        if let Token::Number(address) = *self.peek() {
            self.advance();
            path.address = Some(address);
            if !self.eat(&Token::ColonColon) {
                return self.expected("`::` after the address");
            }
        }
        loop {
            path.parts.push(self.name(what)?);
            if path.parts.len() > 3 {
                let at = start.to(self.previous_span());
                return self
                    .reporter
                    .fail(at, "a name has at most an address, a module and a member");
            }
            if !self.eat(&Token::ColonColon) {
                break;
            }
        }
        path.at = start.to(self.previous_span());
        Ok(path)
    }
}
