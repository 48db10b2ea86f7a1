//! The operands of instructions on structs, enums and functions.

use super::Builder;
use super::code::Arguments;
use super::scope::Member;
use crate::ast::{Argument, Fields, Name, Path, Struct, Type};
use crate::diagnostic::{Result, Span, quoted};
use monomove_format::{
    Bytecode, ClosureMask, FieldHandle, FieldHandleIndex, FieldInstantiation,
    FieldInstantiationIndex, FunctionHandleIndex, FunctionInstantiation,
    FunctionInstantiationIndex, SignatureIndex, StructDefInstantiation,
    StructDefInstantiationIndex, StructDefinitionIndex, StructVariantHandle,
    StructVariantHandleIndex, StructVariantInstantiation, StructVariantInstantiationIndex,
    VariantFieldHandle, VariantFieldHandleIndex, VariantFieldInstantiation,
    VariantFieldInstantiationIndex,
};

/// Type arguments, if there are any.
type TypeArguments<'a> = Option<&'a [Type<'a>]>;

impl<'a> Builder<'a, '_> {
    /// The struct or enum defined here that the next argument names, and its type arguments.
    fn own_struct(
        &mut self,
        arguments: &mut Arguments<'a>,
    ) -> Result<(
        StructDefinitionIndex,
        &'a Struct<'a>,
        TypeArguments<'a>,
        Span,
    )> {
        let (path, types) = self.path_argument(arguments, "the name of a struct or enum")?;
        if let Member::Own(name, at) = self.member(path)?
            && let Some(&index) = self.structs.get(name)
        {
            let unit = self.unit;
            let definition = self.definition_index(index, at)?;
            return Ok((definition, &unit.structs[index], types, at));
        }
        self.reporter.fail(
            path.at,
            "expected a struct or enum that is defined in this module",
        )
    }

    pub(super) fn path_argument(
        &mut self,
        arguments: &mut Arguments<'a>,
        what: &str,
    ) -> Result<(&'a Path<'a>, TypeArguments<'a>)> {
        match arguments.next() {
            Some(Argument::Path(path, types)) => Ok((path, types.as_deref())),
            other => self.wrong_argument(other, arguments, what),
        }
    }

    /// A name alone.
    fn simple_name(&mut self, path: &Path<'a>, types: TypeArguments<'a>) -> Result<Name<'a>> {
        match path.parts[..] {
            [name] if path.address.is_none() && types.is_none() => Ok(name),
            _ => self.reporter.fail(path.at, "expected a name alone"),
        }
    }

    /// `pack S`, `exists S<T>` and so on.
    pub(super) fn struct_operand(
        &mut self,
        arguments: &mut Arguments<'a>,
        plain: fn(StructDefinitionIndex) -> Bytecode,
        generic: fn(StructDefInstantiationIndex) -> Bytecode,
    ) -> Result<Bytecode> {
        let (def, _, types, at) = self.own_struct(arguments)?;
        let Some(types) = types else {
            return Ok(plain(def));
        };
        let type_parameters = self.signature(types, at)?;
        let instantiation = StructDefInstantiation {
            def,
            type_parameters,
        };
        self.entry(|t| &mut t.struct_def_instantiations, instantiation, at)
            .map(|index| generic(StructDefInstantiationIndex(index)))
    }

    /// `borrow_field S, f`; the field may be given by its position.
    pub(super) fn field_operand(
        &mut self,
        arguments: &mut Arguments<'a>,
        plain: fn(FieldHandleIndex) -> Bytecode,
        generic: fn(FieldInstantiationIndex) -> Bytecode,
    ) -> Result<Bytecode> {
        let (owner, struct_, types, at) = self.own_struct(arguments)?;
        let field = match arguments.next() {
            Some(&Argument::Value(ref value, at)) => self.small(value, at, 1)?.into(),
            Some(Argument::Path(path, types)) => {
                let name = self.simple_name(path, types.as_deref())?;
                let Fields::Struct(fields) = &struct_.fields else {
                    return self
                        .reporter
                        .fail(at, "expected a struct with fields, not an enum");
                };
                let position = fields.iter().position(|field| field.name.text == name.text);
                self.position(position, name, "field")?
            }
            other => return self.wrong_argument(other, arguments, "the name of a field"),
        };
        let handle = FieldHandle { owner, field };
        let handle = self
            .entry(|t| &mut t.field_handles, handle, at)
            .map(FieldHandleIndex)?;
        let Some(types) = types else {
            return Ok(plain(handle));
        };
        let type_parameters = self.signature(types, at)?;
        let instantiation = FieldInstantiation {
            handle,
            type_parameters,
        };
        self.entry(|t| &mut t.field_instantiations, instantiation, at)
            .map(|index| generic(FieldInstantiationIndex(index)))
    }

    /// The position of a field or variant, as the format writes it.
    fn position(&mut self, found: Option<usize>, name: Name<'a>, what: &str) -> Result<u16> {
        match found {
            Some(position) => match u16::try_from(position) {
                Ok(position) => Ok(position),
                Err(_) => self
                    .reporter
                    .fail(name.at, format!("too many {what}s before this one")),
            },
            None => {
                let message = format!("there is no {what} {}", quoted(name.text));
                self.reporter.fail(name.at, message)
            }
        }
    }

    fn variant(&mut self, struct_: &'a Struct<'a>, name: Name<'a>) -> Result<u16> {
        let Fields::Enum(variants) = &struct_.fields else {
            return self
                .reporter
                .fail(name.at, "expected a variant of an enum; this is a struct");
        };
        let position = variants
            .iter()
            .position(|(variant, _)| variant.text == name.text);
        self.position(position, name, "variant")
    }

    /// `pack_variant E, V`; the variant may be given by its position.
    pub(super) fn variant_operand(
        &mut self,
        arguments: &mut Arguments<'a>,
        plain: fn(StructVariantHandleIndex) -> Bytecode,
        generic: fn(StructVariantInstantiationIndex) -> Bytecode,
    ) -> Result<Bytecode> {
        let (struct_index, struct_, types, at) = self.own_struct(arguments)?;
        let variant = match arguments.next() {
            Some(&Argument::Value(ref value, at)) => self.small(value, at, 1)?.into(),
            Some(Argument::Path(path, types)) => {
                let name = self.simple_name(path, types.as_deref())?;
                self.variant(struct_, name)?
            }
            other => return self.wrong_argument(other, arguments, "the name of a variant"),
        };
        let handle = StructVariantHandle {
            struct_index,
            variant,
        };
        let handle = self
            .entry(|t| &mut t.struct_variant_handles, handle, at)
            .map(StructVariantHandleIndex)?;
        let Some(types) = types else {
            return Ok(plain(handle));
        };
        let type_parameters = self.signature(types, at)?;
        let instantiation = StructVariantInstantiation {
            handle,
            type_parameters,
        };
        self.entry(|t| &mut t.struct_variant_instantiations, instantiation, at)
            .map(|index| generic(StructVariantInstantiationIndex(index)))
    }

    /// `borrow_variant_field E, V::f, W::f`, or `borrow_variant_field E, 0, V, W` with the position of the field.
    pub(super) fn variant_field_operand(
        &mut self,
        arguments: &mut Arguments<'a>,
        plain: fn(VariantFieldHandleIndex) -> Bytecode,
        generic: fn(VariantFieldInstantiationIndex) -> Bytecode,
    ) -> Result<Bytecode> {
        let (struct_index, struct_, types, at) = self.own_struct(arguments)?;
        let (field, variants) = self.variant_fields(arguments, struct_)?;
        let handle = VariantFieldHandle {
            struct_index,
            field,
            variants,
        };
        let handle = self
            .entry(|t| &mut t.variant_field_handles, handle, at)
            .map(VariantFieldHandleIndex)?;
        let Some(types) = types else {
            return Ok(plain(handle));
        };
        let type_parameters = self.signature(types, at)?;
        let instantiation = VariantFieldInstantiation {
            handle,
            type_parameters,
        };
        self.entry(|t| &mut t.variant_field_instantiations, instantiation, at)
            .map(|index| generic(VariantFieldInstantiationIndex(index)))
    }

    fn variant_fields(
        &mut self,
        arguments: &mut Arguments<'a>,
        struct_: &'a Struct<'a>,
    ) -> Result<(u16, Vec<u16>)> {
        let mut variants = Vec::new();
        if let Some(&Argument::Value(ref value, at)) = arguments.peek() {
            arguments.next();
            let field = self.small(value, at, 1)?;
            while let Some(argument) = arguments.next() {
                variants.push(match argument {
                    &Argument::Value(ref value, at) => self.small(value, at, 1)?.into(),
                    Argument::Path(path, types) => {
                        let name = self.simple_name(path, types.as_deref())?;
                        self.variant(struct_, name)?
                    }
                    other => {
                        return self.wrong_argument(Some(other), arguments, "a variant");
                    }
                });
            }
            return Ok((field.into(), variants));
        }
        let mut common = None;
        loop {
            let (path, _) = self.path_argument(arguments, "a variant and a field: `V::f`")?;
            let (None, &[variant_name, field_name]) = (path.address, &path.parts[..]) else {
                return self
                    .reporter
                    .fail(path.at, "expected a variant and a field: `V::f`");
            };
            let variant = self.variant(struct_, variant_name)?;
            let field = match &struct_.fields {
                Fields::Enum(variants) => {
                    variants.get(usize::from(variant)).and_then(|(_, fields)| {
                        fields
                            .iter()
                            .position(|field| field.name.text == field_name.text)
                    })
                }
                _ => None,
            };
            let field = self.position(field, field_name, "field")?;
            if *common.get_or_insert(field) != field {
                return self.reporter.fail(
                    path.at,
                    "the field is at another position than in the variants before",
                );
            }
            variants.push(variant);
            if arguments.peek().is_none() {
                return Ok((field, variants));
            }
        }
    }

    /// `call f`, `call 0x1::m::f<T>`, `pack_closure f, 5`.
    pub(super) fn call(&mut self, arguments: &mut Arguments<'a>) -> Result<Bytecode> {
        Ok(match self.function_operand(arguments)? {
            Callee::Plain(handle) => Bytecode::Call(handle),
            Callee::Generic(instantiation) => Bytecode::CallGeneric(instantiation),
        })
    }

    pub(super) fn pack_closure(&mut self, arguments: &mut Arguments<'a>) -> Result<Bytecode> {
        let callee = self.function_operand(arguments)?;
        let mask = ClosureMask(self.number_argument(arguments, 8)?);
        Ok(match callee {
            Callee::Plain(handle) => Bytecode::PackClosure(handle, mask),
            Callee::Generic(instantiation) => Bytecode::PackClosureGeneric(instantiation, mask),
        })
    }

    fn function_operand(&mut self, arguments: &mut Arguments<'a>) -> Result<Callee> {
        let (path, types) = self.path_argument(arguments, "the name of a function")?;
        let handle = self.function_handle(path)?;
        let Some(types) = types else {
            return Ok(Callee::Plain(handle));
        };
        let type_parameters = self.signature(types, path.at)?;
        let instantiation = FunctionInstantiation {
            handle,
            type_parameters,
        };
        self.entry(|t| &mut t.function_instantiations, instantiation, path.at)
            .map(|index| Callee::Generic(FunctionInstantiationIndex(index)))
    }

    /// `<T>`
    pub(super) fn type_operand(&mut self, arguments: &mut Arguments<'a>) -> Result<SignatureIndex> {
        match arguments.next() {
            Some(Argument::Types(types, at)) => self.signature(types, *at),
            other => self.wrong_argument(other, arguments, "a type between `<` and `>`"),
        }
    }
}

enum Callee {
    Plain(FunctionHandleIndex),
    Generic(FunctionInstantiationIndex),
}
