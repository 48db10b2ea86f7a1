//! Functions: header, locals, labels and instructions.

use super::Parser;
use crate::ast::{
    Access, AccessAddress, AccessResource, Argument, Binding, Function, Header, Instruction, Local,
    Name, Path, Reference, Type, Unit,
};
use crate::diagnostic::{Result, Span};
use crate::lexer::Token;
use ethnum::U256;
use monomove_format::{AccessKind, FunctionAttribute, Visibility};

impl<'a> Parser<'a, '_> {
    /// A function with its body, or the declaration of an external one.
    pub(super) fn function(&mut self, unit: &mut Unit<'a>) {
        match self.function_line(unit) {
            Ok(Some(mut function)) => {
                self.body(&mut function);
                unit.functions.push(function);
            }
            Ok(None) => {}
            Err(_) => self.skip_body(),
        }
    }

    /// The line of `fun`; `None` if it declares an external function.
    fn function_line(&mut self, unit: &mut Unit<'a>) -> Result<Option<Function<'a>>> {
        let attributes = self.attributes()?;
        if self.eat_word("extern") {
            if !self.eat_word("fun") {
                return self.expected("`fun`");
            }
            let (module, name) = self.member_name()?;
            let header = self.header(attributes, false)?;
            self.newline()?;
            unit.extern_functions.push((module, name, header));
            return Ok(None);
        }
        let is_entry = self.eat_word("entry");
        let visibility = if self.eat_word("public") {
            Visibility::Public
        } else if self.eat_word("friend") {
            Visibility::Friend
        } else {
            Visibility::Private
        };
        let is_native = self.eat_word("native");
        if !self.eat_word("fun") {
            return self
                .expected("`fun` after `entry`, `public` or `friend`, `native` in this order");
        }
        let name = self.name("the name of the function")?;
        let mut function = Function {
            name,
            header: self.header(attributes, true)?,
            is_entry,
            visibility,
            is_native,
            acquires: Vec::new(),
            locals: Vec::new(),
            labels: Vec::new(),
            code: Vec::new(),
        };
        if self.eat_word("acquires") {
            loop {
                function.acquires.push(self.name("the name of a struct")?);
                if !self.eat_special(',') {
                    break;
                }
            }
        }
        function.header.access = self.access()?;
        self.newline()?;
        Ok(Some(function))
    }

    fn attributes(&mut self) -> Result<Vec<(FunctionAttribute, Span)>> {
        if !self.eat_special('#') {
            return Ok(Vec::new());
        }
        self.special('[')?;
        self.separated(']', |parser| {
            let name = parser.name("an attribute")?;
            let attribute = parser.attribute(name)?;
            Ok((attribute, name.at))
        })
    }

    fn attribute(&mut self, name: Name<'a>) -> Result<FunctionAttribute> {
        use FunctionAttribute as A;
        let plain = match name.text {
            "persistent" => A::Persistent,
            "module_lock" => A::ModuleLock,
            "pack" => A::Pack,
            "unpack" => A::Unpack,
            "const" => A::ConstantAccessor,
            "immutable" => A::Immutable,
            _ => {
                let make: fn(u16) -> A = match name.text {
                    "pack_variant" => A::PackVariant,
                    "unpack_variant" => A::UnpackVariant,
                    "test_variant" => A::TestVariant,
                    "borrow" => A::BorrowFieldImmutable,
                    "borrow_mut" => A::BorrowFieldMutable,
                    _ => return self.reporter.fail(name.at, "unknown attribute"),
                };
                self.special('(')?;
                let number = self.number("a number")?;
                self.special(')')?;
                // The platform's assembler takes the low 16 bits.
                let low = number & U256::new(u128::from(u16::MAX));
                return Ok(make(u16::try_from(low).unwrap_or_default()));
            }
        };
        Ok(plain)
    }

    fn header(
        &mut self,
        attributes: Vec<(FunctionAttribute, Span)>,
        named: bool,
    ) -> Result<Header<'a>> {
        let type_parameters = self.type_parameters(false)?;
        self.special('(')?;
        let parameters = self.separated(')', |parser| {
            let at = parser.span();
            if !named {
                let type_ = parser.type_()?;
                return Ok(Binding {
                    name: Name { text: "", at },
                    type_,
                });
            }
            let name = parser.name("the name of a parameter")?;
            parser.special(':')?;
            let type_ = parser.type_()?;
            Ok(Binding { name, type_ })
        })?;
        let results = if !self.eat_special(':') {
            Vec::new()
        } else if self.eat_special('(') {
            self.separated(')', Self::type_)?
        } else {
            vec![self.type_()?]
        };
        let access = if named { None } else { self.access()? };
        Ok(Header {
            attributes,
            type_parameters,
            parameters,
            results,
            access,
        })
    }

    /// `access(…)`, if it follows.
    fn access(&mut self) -> Result<Option<Vec<Access<'a>>>> {
        if !self.eat_word("access") {
            return Ok(None);
        }
        self.special('(')?;
        self.separated(')', |parser| {
            let at = parser.span();
            let negated = parser.eat_word("not");
            let kind = if parser.eat_word("reads") {
                AccessKind::Reads
            } else if parser.eat_word("writes") {
                AccessKind::Writes
            } else {
                return parser.expected("`reads` or `writes`");
            };
            let resource = parser.access_resource()?;
            let address = if parser.eat_word("at") {
                parser.access_address()?
            } else {
                AccessAddress::Any
            };
            Ok(Access {
                kind,
                negated,
                resource,
                address,
                at: at.to(parser.previous_span()),
            })
        })
        .map(Some)
    }

    /// `#7`
    fn index(&mut self) -> Result<u16> {
        self.special('#')?;
        self.small_number("an index")
    }

    fn reference<T>(&mut self, named: impl FnOnce(&mut Self) -> Result<T>) -> Result<Reference<T>> {
        if *self.peek() == Token::Special('#') {
            self.index().map(Reference::Index)
        } else {
            named(self).map(Reference::Named)
        }
    }

    fn access_resource(&mut self) -> Result<AccessResource<'a>> {
        if self.eat_word("any") {
            return Ok(AccessResource::Any);
        }
        if self.eat_word("address") {
            return self
                .reference(|parser| parser.number("an address"))
                .map(AccessResource::Address);
        }
        if self.eat_word("module") {
            return self
                .reference(Self::module_name)
                .map(AccessResource::Module);
        }
        if self.eat_word("struct") {
            let struct_ = self.reference(|parser| parser.path("the name of a struct"))?;
            let arguments = if *self.peek() == Token::Special('#') {
                self.index().map(|index| Some(Reference::Index(index)))?
            } else {
                self.type_arguments(1)?.map(Reference::Named)
            };
            return Ok(AccessResource::Struct(struct_, arguments));
        }
        self.expected("`any`, `address`, `module` or `struct`")
    }

    fn access_address(&mut self) -> Result<AccessAddress<'a>> {
        if self.eat_special('#') {
            let local = self.small_number("the number of a parameter")?;
            return Ok(AccessAddress::Local(Local::Number(local)));
        }
        if let Token::Number(value) = *self.peek()
            && *self.peek_at(1) != Token::ColonColon
        {
            self.advance();
            return Ok(AccessAddress::Literal(Reference::Named(value)));
        }
        if *self.peek_at(1) == Token::Special('#') {
            if self.eat_word("address") {
                let index = self.index()?;
                return Ok(AccessAddress::Literal(Reference::Index(index)));
            }
            if self.eat_word("fun") {
                let index = self.index()?;
                self.special('(')?;
                return self.access_call(Reference::Index(index));
            }
        }
        let path = self.path("a parameter or a function")?;
        let arguments = self.type_arguments(1)?;
        if !self.eat_special('(') {
            return match path.parts[..] {
                [name] if path.address.is_none() && arguments.is_none() => {
                    Ok(AccessAddress::Local(Local::Name(name)))
                }
                _ => self.expected("`(` and a parameter"),
            };
        }
        self.access_call(Reference::Named((path, arguments.unwrap_or_default())))
    }

    /// The parameter that a function is applied to, and `)`.
    fn access_call(
        &mut self,
        function: Reference<(Path<'a>, Vec<Type<'a>>)>,
    ) -> Result<AccessAddress<'a>> {
        let local = if self.eat_special('#') {
            Local::Number(self.small_number("the number of a parameter")?)
        } else {
            Local::Name(self.name("a parameter")?)
        };
        self.special(')')?;
        Ok(AccessAddress::Call(function, local))
    }

    /// Goes behind the body of a function whose header is not understood.
    fn skip_body(&mut self) {
        self.skip_line();
        while !self.is_end() && !self.at_item() {
            self.skip_line();
        }
    }

    /// Whether the line begins something at the level of functions.
    fn at_item(&self) -> bool {
        match *self.peek() {
            Token::End | Token::Special('#') => true,
            Token::Ident(word) => {
                matches!(
                    word,
                    "fun"
                        | "entry"
                        | "public"
                        | "friend"
                        | "native"
                        | "struct"
                        | "enum"
                        | "use"
                        | "extern"
                        | "metadata"
                        | "pool"
                ) && *self.peek_at(1) != Token::Special(':')
            }
            _ => false,
        }
    }

    fn body(&mut self, function: &mut Function<'a>) {
        while *self.peek() == Token::Indent
            && *self.peek_at(1) == Token::Ident("local")
            && *self.peek_at(2) != Token::Special(':')
            && !self.is_end()
        {
            self.line(|parser| {
                parser.advance();
                parser.advance();
                let name = parser.name("the name of a local")?;
                parser.special(':')?;
                let type_ = parser.type_()?;
                function.locals.push(Binding { name, type_ });
                Ok(())
            });
        }
        while !self.is_end() && !self.at_item() {
            self.line(|parser| parser.code_line(function));
        }
        if function.locals.is_empty() && function.labels.is_empty() && function.code.is_empty() {
            // As the platform's assembler has it, whether it says `native` or not.
            function.is_native = true;
        } else if function.is_native {
            let first = function.code.first().map(|i| i.mnemonic.at);
            if let Some(at) = first.or(function.locals.first().map(|l| l.name.at)) {
                self.reporter
                    .report(at, "a native function has neither locals nor code");
            }
        }
    }

    fn code_line(&mut self, function: &mut Function<'a>) -> Result<()> {
        self.eat(&Token::Indent);
        while *self.peek_at(1) == Token::Special(':') {
            let name = self.name("a label")?;
            self.special(':')?;
            function.labels.push((name, function.code.len()));
        }
        if matches!(self.peek(), Token::Newline | Token::End) {
            return Ok(());
        }
        let mnemonic = self.name("an instruction")?;
        if mnemonic.text == "local" {
            return self.reporter.fail(
                mnemonic.at,
                "locals are declared before the first instruction",
            );
        }
        let arguments = self.arguments()?;
        function.code.push(Instruction {
            mnemonic,
            arguments,
        });
        Ok(())
    }

    /// The arguments up to the end of the line.
    pub(super) fn arguments(&mut self) -> Result<Vec<Argument<'a>>> {
        let mut arguments = Vec::new();
        if matches!(self.peek(), Token::Newline | Token::End) {
            return Ok(arguments);
        }
        loop {
            let argument = self.argument()?;
            // `ld_const<T> 5`: no comma is needed after a type.
            let is_type = matches!(argument, Argument::Types(..));
            arguments.push(argument);
            if !self.eat_special(',')
                && (!is_type || matches!(self.peek(), Token::Newline | Token::End))
            {
                return Ok(arguments);
            }
        }
    }

    fn argument(&mut self) -> Result<Argument<'a>> {
        let start = self.span();
        match *self.peek() {
            Token::Special('<') => {
                self.advance();
                let types = self.separated('>', Self::type_)?;
                Ok(Argument::Types(types, start.to(self.previous_span())))
            }
            Token::Bytes(ref bytes) => {
                let bytes = bytes.clone();
                self.advance();
                Ok(Argument::Bytes(bytes, start))
            }
            Token::Ident(_) | Token::QuotedIdent(_) => self.path_argument(),
            Token::Number(_) if *self.peek_at(1) == Token::ColonColon => self.path_argument(),
            Token::Number(_) | Token::Special('-' | '[') => {
                let value = self.value(1)?;
                Ok(Argument::Value(value, start.to(self.previous_span())))
            }
            _ => self.expected("a name, a number, `[` or `<`"),
        }
    }

    fn path_argument(&mut self) -> Result<Argument<'a>> {
        let path = self.path("a name")?;
        let arguments = self.type_arguments(1)?;
        Ok(Argument::Path(path, arguments))
    }
}
