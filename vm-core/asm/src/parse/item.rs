//! What a text consists of: addresses, the unit's name, imports, friends, declarations, structs and enums.

use super::Parser;
use crate::ast::{
    Binding, ConstantData, Fields, Instruction, ModuleName, Name, PoolEntry, Struct, Unit,
};
use crate::diagnostic::{Result, Span};
use crate::lexer::Token;

impl<'a> Parser<'a, '_> {
    pub(super) fn unit(&mut self) -> Unit<'a> {
        let mut unit = Unit::default();
        while self.is_word("address") && !self.is_end() {
            self.line(|parser| {
                parser.advance();
                let name = parser.name("a name for an address")?;
                parser.special('=')?;
                let value = parser.number("an address")?;
                unit.addresses.push((name, value));
                Ok(())
            });
        }
        let start = self.span();
        if self.unit_line(&mut unit).is_err() {
            return unit;
        }
        unit.at = start.to(self.previous_span());
        if self.newline().is_err() {
            self.skip_line();
        }
        while !self.is_end() {
            self.item(&mut unit);
        }
        if unit.module.is_none() && self.reporter.is_empty() {
            self.script_rules(&unit);
        }
        unit
    }

    fn unit_line(&mut self, unit: &mut Unit<'a>) -> Result<()> {
        if self.eat_word("script") {
            return Ok(());
        }
        if self.eat_word("module") {
            unit.module = Some(self.module_name()?);
            return Ok(());
        }
        self.expected("`module` or `script`")
    }

    fn script_rules(&mut self, unit: &Unit<'a>) {
        if unit.functions.len() != 1 {
            let at = unit.functions.get(1).map_or(unit.at, |f| f.name.at);
            self.reporter
                .report(at, "a script consists of exactly one function");
        }
        if let Some(struct_) = unit.structs.first() {
            self.reporter
                .report(struct_.name.at, "a script defines no structs or enums");
        }
        if let Some(friend) = unit.friends.first() {
            self.reporter
                .report(friend.name.at, "a script has no friends");
        }
        if let Some(function) = unit.functions.first() {
            if function.is_native {
                self.reporter
                    .report(function.name.at, "the function of a script has code");
            }
            if let Some(name) = function.acquires.first() {
                self.reporter.report(name.at, "a script acquires nothing");
            }
            if let Some((_, at)) = function.header.attributes.first() {
                self.reporter.report(*at, "a script has no attributes");
            }
            if !function.header.results.is_empty() {
                self.reporter
                    .report(function.name.at, "a script has no results");
            }
        }
    }

    fn item(&mut self, unit: &mut Unit<'a>) {
        let word = match *self.peek() {
            Token::Ident(word) => word,
            Token::Special('#') => "fun",
            Token::Newline => return self.advance(),
            _ => "",
        };
        match word {
            "use" => self.line(|parser| {
                parser.advance();
                let module = parser.module_name()?;
                let alias = if parser.eat_word("as") {
                    parser.name("another name for the module")?
                } else {
                    module.name
                };
                unit.uses.push((module, alias));
                Ok(())
            }),
            // `friend 0x1::m` declares a friend, `friend fun f` is a function.
            "friend" if *self.peek_at(2) == Token::ColonColon => self.line(|parser| {
                parser.advance();
                unit.friends.push(parser.module_name()?);
                Ok(())
            }),
            "metadata" => self.line(|parser| {
                let start = parser.span();
                parser.advance();
                let key = parser.byte_string("the key")?;
                let value = parser.byte_string("the value")?;
                unit.metadata
                    .push((key, value, start.to(parser.previous_span())));
                Ok(())
            }),
            "pool" => self.line(|parser| {
                let start = parser.span();
                parser.advance();
                let entry = parser.pool_entry()?;
                unit.pools.push((entry, start.to(parser.previous_span())));
                Ok(())
            }),
            "extern" if *self.peek_at(1) != Token::Ident("fun") => self.line(|parser| {
                parser.advance();
                if !parser.eat_word("struct") {
                    return parser.expected("`struct` or `fun`");
                }
                let (module, name) = parser.member_name()?;
                let struct_ = parser.struct_header(name, Fields::Native)?;
                unit.extern_structs.push((module, struct_));
                Ok(())
            }),
            "struct" | "enum" => self.struct_(word == "enum", unit),
            "native" if *self.peek_at(1) == Token::Ident("struct") => self.line(|parser| {
                parser.advance();
                parser.advance();
                let name = parser.name("the name of the struct")?;
                let struct_ = parser.struct_header(name, Fields::Native)?;
                unit.structs.push(struct_);
                Ok(())
            }),
            "fun" | "entry" | "public" | "friend" | "native" | "extern" => self.function(unit),
            _ => {
                let _ = self.expected::<()>(
                    "`use`, `friend`, `struct`, `enum` or a function at the start of the line",
                );
                self.skip_item();
            }
        }
    }

    /// Goes behind a line that is not understood, and behind the indented lines that follow it.
    pub(super) fn skip_item(&mut self) {
        self.skip_line();
        while *self.peek() == Token::Indent {
            self.skip_line();
        }
    }

    fn byte_string(&mut self, what: &str) -> Result<Vec<u8>> {
        let bytes = match self.peek() {
            Token::Text(text) => text.as_bytes().to_vec(),
            Token::Bytes(bytes) => bytes.clone(),
            _ => return self.expected(&format!("{what} as \"text\" or x\"hex\"")),
        };
        self.advance();
        Ok(bytes)
    }

    /// `0x1::m::f`
    pub(super) fn member_name(&mut self) -> Result<(ModuleName<'a>, Name<'a>)> {
        let module = self.module_name()?;
        if !self.eat(&Token::ColonColon) {
            return self.expected("`::` and a name in the module");
        }
        Ok((module, self.name("a name in the module")?))
    }

    fn struct_header(&mut self, name: Name<'a>, fields: Fields<'a>) -> Result<Struct<'a>> {
        Ok(Struct {
            name,
            type_parameters: self.type_parameters(true)?,
            abilities: self.has_abilities()?,
            fields,
        })
    }

    fn struct_(&mut self, is_enum: bool, unit: &mut Unit<'a>) {
        self.advance();
        let header = self
            .name("the name of the struct or enum")
            .and_then(|name| self.struct_header(name, Fields::Native));
        let Ok(mut struct_) = header.and_then(|header| self.newline().map(|()| header)) else {
            return self.skip_item();
        };
        let mut fields = Vec::new();
        let mut variants: Vec<(Name<'a>, Vec<Binding<'a>>)> = Vec::new();
        while *self.peek() == Token::Indent && !self.is_end() {
            self.line(|parser| {
                parser.advance();
                let name = parser.name("the name of a field or variant")?;
                if is_enum && *parser.peek() == Token::Newline {
                    variants.push((name, Vec::new()));
                    return Ok(());
                }
                parser.special(':')?;
                let type_ = parser.type_()?;
                let list = match variants.last_mut() {
                    Some((_, fields)) => fields,
                    None if is_enum => {
                        return parser
                            .reporter
                            .fail(name.at, "expected a variant before the first field");
                    }
                    None => &mut fields,
                };
                list.push(Binding { name, type_ });
                Ok(())
            });
        }
        struct_.fields = if is_enum {
            Fields::Enum(variants)
        } else {
            Fields::Struct(fields)
        };
        unit.structs.push(struct_);
    }

    fn pool_entry(&mut self) -> Result<PoolEntry<'a>> {
        let kind = self.name("the kind of table entry")?;
        Ok(match kind.text {
            "identifier" => PoolEntry::Identifier(self.name("an identifier")?),
            "address" => PoolEntry::Address(self.number("an address")?),
            "module" => PoolEntry::Module(self.module_name()?),
            "struct" => PoolEntry::Struct(self.path("the name of a struct")?),
            "fun" => PoolEntry::Function(self.path("the name of a function")?),
            "signature" => {
                self.special('(')?;
                PoolEntry::Signature(self.separated(')', Self::type_)?)
            }
            "const" => {
                self.special('<')?;
                let type_ = self.type_()?;
                self.special('>')?;
                let at = self.span();
                let data = match self.peek() {
                    Token::Bytes(bytes) => ConstantData::Bytes(bytes.clone()),
                    _ => {
                        let value = self.value(1)?;
                        let at = Span::to(at, self.previous_span());
                        return Ok(PoolEntry::Constant(type_, ConstantData::Value(value, at)));
                    }
                };
                self.advance();
                PoolEntry::Constant(type_, data)
            }
            "operand" => {
                let mnemonic = self.name("an instruction")?;
                let arguments = self.arguments()?;
                PoolEntry::Operand(Instruction {
                    mnemonic,
                    arguments,
                })
            }
            _ => {
                let message = "expected `identifier`, `address`, `module`, `struct`, `fun`, \
                     `signature`, `const` or `operand`";
                return self.reporter.fail(kind.at, message);
            }
        })
    }
}
