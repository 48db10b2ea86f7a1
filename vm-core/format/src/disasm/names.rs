//! Names of what indices stand for, and types as text. An index out of range is printed as `?table[index]`.

use super::text::BoundedText;
use crate::index::*;
use crate::view::Tables;
use crate::{
    AccessKind, AccessSpecifier, AddressSpecifier, FunctionAttribute, ModuleHandle,
    ResourceSpecifier, Signature, SignatureToken,
};
use std::fmt::{self, Write};

/// Prints what the indices of one binary stand for.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) tables: Tables<'a>,
}

/// Prints items with `, ` between them.
pub(super) fn join<T>(
    out: &mut BoundedText,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut BoundedText, T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.write_str(", ")?;
        }
        write(out, item)?;
    }
    Ok(())
}

impl<'a> Names<'a> {
    pub(super) fn new(tables: Tables<'a>) -> Self {
        Self { tables }
    }

    pub(super) fn signature(&self, index: SignatureIndex) -> Option<&'a Signature> {
        self.tables.signatures.get(index.into_index())
    }

    pub(super) fn identifier(&self, out: &mut BoundedText, index: IdentifierIndex) -> fmt::Result {
        match self.tables.identifiers.get(index.into_index()) {
            Some(name) => out.write_str(name),
            None => write!(out, "?identifier[{index}]"),
        }
    }

    fn address(&self, out: &mut BoundedText, index: AddressIdentifierIndex) -> fmt::Result {
        match self.tables.address_identifiers.get(index.into_index()) {
            Some(address) => write!(out, "{address}"),
            None => write!(out, "?address[{index}]"),
        }
    }

    pub(super) fn module_handle(
        &self,
        out: &mut BoundedText,
        handle: &ModuleHandle,
    ) -> fmt::Result {
        self.address(out, handle.address)?;
        out.write_str("::")?;
        self.identifier(out, handle.name)
    }

    pub(super) fn module(&self, out: &mut BoundedText, index: ModuleHandleIndex) -> fmt::Result {
        match self.tables.module_handles.get(index.into_index()) {
            Some(handle) => self.module_handle(out, handle),
            None => write!(out, "?module[{index}]"),
        }
    }

    /// A name of another module gets the module in front.
    fn member(
        &self,
        out: &mut BoundedText,
        module: ModuleHandleIndex,
        name: IdentifierIndex,
    ) -> fmt::Result {
        if self.tables.self_module != Some(module) {
            self.module(out, module)?;
            out.write_str("::")?;
        }
        self.identifier(out, name)
    }

    pub(super) fn structure(&self, out: &mut BoundedText, index: StructHandleIndex) -> fmt::Result {
        match self.tables.struct_handles.get(index.into_index()) {
            Some(handle) => self.member(out, handle.module, handle.name),
            None => write!(out, "?struct[{index}]"),
        }
    }

    pub(super) fn struct_definition(
        &self,
        out: &mut BoundedText,
        index: StructDefinitionIndex,
    ) -> fmt::Result {
        match self.tables.struct_defs.get(index.into_index()) {
            Some(definition) => self.structure(out, definition.struct_handle),
            None => write!(out, "?struct_def[{index}]"),
        }
    }

    pub(super) fn function(
        &self,
        out: &mut BoundedText,
        index: FunctionHandleIndex,
    ) -> fmt::Result {
        match self.tables.function_handles.get(index.into_index()) {
            Some(handle) => self.member(out, handle.module, handle.name),
            None => write!(out, "?function[{index}]"),
        }
    }

    /// `A` for a variant of an enum.
    pub(super) fn variant(
        &self,
        out: &mut BoundedText,
        owner: StructDefinitionIndex,
        variant: VariantIndex,
    ) -> fmt::Result {
        let definition = self
            .tables
            .struct_defs
            .get(owner.into_index())
            .and_then(|definition| {
                definition
                    .field_information
                    .variants()
                    .get(usize::from(variant))
            });
        match definition {
            Some(definition) => self.identifier(out, definition.name),
            None => write!(out, "?variant[{variant}]"),
        }
    }

    /// The name of a field of a struct or variant.
    pub(super) fn field(
        &self,
        out: &mut BoundedText,
        owner: StructDefinitionIndex,
        variant: Option<VariantIndex>,
        field: MemberCount,
    ) -> fmt::Result {
        let definition = self
            .tables
            .struct_defs
            .get(owner.into_index())
            .and_then(|definition| definition.field_information.fields(variant))
            .and_then(|fields| fields.get(usize::from(field)));
        match definition {
            Some(definition) => self.identifier(out, definition.name),
            None => write!(out, "?field[{field}]"),
        }
    }

    /// `<u64, T0>`.
    pub(super) fn type_arguments(
        &self,
        out: &mut BoundedText,
        index: SignatureIndex,
    ) -> fmt::Result {
        match self.signature(index) {
            None => write!(out, "<?signature[{index}]>"),
            Some(signature) => {
                out.write_str("<")?;
                join(out, &signature.0, |out, token| self.token(out, token))?;
                out.write_str(">")
            }
        }
    }

    pub(super) fn token(&self, out: &mut BoundedText, token: &SignatureToken) -> fmt::Result {
        self.token_within(out, token, SignatureToken::MAX_NESTING)
    }

    /// Recursive; `budget` bounds the depth.
    fn token_within(
        &self,
        out: &mut BoundedText,
        token: &SignatureToken,
        budget: usize,
    ) -> fmt::Result {
        let Some(budget) = budget.checked_sub(1) else {
            return out.write_str("…");
        };
        let list = |out: &mut BoundedText, tokens: &[SignatureToken]| {
            join(out, tokens, |out, token| {
                self.token_within(out, token, budget)
            })
        };
        let last = match token {
            SignatureToken::Bool => "bool",
            SignatureToken::U8 => "u8",
            SignatureToken::U16 => "u16",
            SignatureToken::U32 => "u32",
            SignatureToken::U64 => "u64",
            SignatureToken::U128 => "u128",
            SignatureToken::U256 => "u256",
            SignatureToken::I8 => "i8",
            SignatureToken::I16 => "i16",
            SignatureToken::I32 => "i32",
            SignatureToken::I64 => "i64",
            SignatureToken::I128 => "i128",
            SignatureToken::I256 => "i256",
            SignatureToken::Address => "address",
            SignatureToken::Signer => "signer",
            SignatureToken::Vector(element) => {
                out.write_str("vector<")?;
                self.token_within(out, element, budget)?;
                ">"
            }
            SignatureToken::Reference(target) => {
                out.write_str("&")?;
                return self.token_within(out, target, budget);
            }
            SignatureToken::MutableReference(target) => {
                out.write_str("&mut ")?;
                return self.token_within(out, target, budget);
            }
            SignatureToken::TypeParameter(index) => return write!(out, "T{index}"),
            SignatureToken::Struct(handle) => return self.structure(out, *handle),
            SignatureToken::StructInstantiation(handle, args) => {
                self.structure(out, *handle)?;
                out.write_str("<")?;
                list(out, args)?;
                ">"
            }
            SignatureToken::Function(args, results, abilities) => {
                out.write_str("|")?;
                list(out, args)?;
                out.write_str("|(")?;
                list(out, results)?;
                out.write_str(")")?;
                if !abilities.is_empty() {
                    write!(out, " has {abilities}")?;
                }
                ""
            }
        };
        out.write_str(last)
    }

    /// ` reads 0x1::m::R(@0x1), !writes *(*)`.
    pub(super) fn access_specifiers(
        &self,
        out: &mut BoundedText,
        specifiers: &[AccessSpecifier],
    ) -> fmt::Result {
        if specifiers.is_empty() {
            return out.write_str(" pure");
        }
        out.write_str(" ")?;
        join(out, specifiers, |out, specifier| {
            self.access_specifier(out, specifier)
        })
    }

    fn access_specifier(&self, out: &mut BoundedText, specifier: &AccessSpecifier) -> fmt::Result {
        if specifier.negated {
            out.write_str("!")?;
        }
        out.write_str(match specifier.kind {
            AccessKind::Reads => "reads ",
            AccessKind::Writes => "writes ",
        })?;
        match specifier.resource {
            ResourceSpecifier::Any => out.write_str("*")?,
            ResourceSpecifier::DeclaredAtAddress(address) => {
                self.address(out, address)?;
                out.write_str("::*")?;
            }
            ResourceSpecifier::DeclaredInModule(module) => {
                self.module(out, module)?;
                out.write_str("::*")?;
            }
            ResourceSpecifier::Resource(handle) => self.structure(out, handle)?,
            ResourceSpecifier::ResourceInstantiation(handle, args) => {
                self.structure(out, handle)?;
                self.type_arguments(out, args)?;
            }
        }
        match specifier.address {
            AddressSpecifier::Any => out.write_str("(*)"),
            AddressSpecifier::Literal(address) => {
                out.write_str("(@")?;
                self.address(out, address)?;
                out.write_str(")")
            }
            AddressSpecifier::Parameter(local, None) => write!(out, "(p{local})"),
            AddressSpecifier::Parameter(local, Some(function)) => {
                out.write_str("(")?;
                self.function_instantiation(out, function)?;
                write!(out, "(p{local}))")
            }
        }
    }

    pub(super) fn function_instantiation(
        &self,
        out: &mut BoundedText,
        index: FunctionInstantiationIndex,
    ) -> fmt::Result {
        match self.tables.function_instantiations.get(index.into_index()) {
            Some(inst) => {
                self.function(out, inst.handle)?;
                self.type_arguments(out, inst.type_parameters)
            }
            None => write!(out, "?function_inst[{index}]"),
        }
    }
}

impl fmt::Display for FunctionAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Persistent => f.write_str("persistent"),
            Self::ModuleLock => f.write_str("module_lock"),
            Self::Pack => f.write_str("pack"),
            Self::PackVariant(index) => write!(f, "pack_variant({index})"),
            Self::Unpack => f.write_str("unpack"),
            Self::UnpackVariant(index) => write!(f, "unpack_variant({index})"),
            Self::TestVariant(index) => write!(f, "test_variant({index})"),
            Self::BorrowFieldImmutable(offset) => write!(f, "borrow({offset})"),
            Self::BorrowFieldMutable(offset) => write!(f, "borrow_mut({offset})"),
            Self::Immutable => f.write_str("immutable"),
            Self::ConstantAccessor => f.write_str("const"),
        }
    }
}
