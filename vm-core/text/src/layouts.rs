//! Struct layouts and signatures as types, from the module that declares them.

use monomove_format::{
    CompiledModule, FieldDefinition, IdentifierIndex, SignatureIndex, SignatureToken,
    StructFieldInformation, StructHandleIndex,
};
use monomove_types::{FunctionParamOrReturnTag, FunctionTag, StructTag, TypeTag};

use crate::{Field, StructLayout};

/// Deepest type that is built; deeper ones are shown as bytes.
const MAX_DEPTH: usize = 32;

/// The layout of `tag`, a struct that `module` declares; `None` if it does not, or a part of it has no type.
pub fn struct_layout(module: &CompiledModule, tag: &StructTag) -> Option<StructLayout> {
    let view = View {
        module,
        type_args: &tag.type_args,
    };
    let (_, definition) = view.module.find_struct(tag.name.as_str())?;
    Some(match &definition.field_information {
        StructFieldInformation::Native => return None,
        StructFieldInformation::Declared(fields) => StructLayout::Struct(view.fields(fields)?),
        StructFieldInformation::DeclaredVariants(variants) => StructLayout::Enum(
            variants
                .iter()
                .map(|variant| Some((view.name(variant.name)?, view.fields(&variant.fields)?)))
                .collect::<Option<_>>()?,
        ),
    })
}

/// The types of a signature of `module`, type parameters replaced, references by their referents. `None` if one of them has no tag, or there
/// are too few type arguments.
pub fn signature_tags(
    module: &CompiledModule,
    signature: SignatureIndex,
    type_args: &[TypeTag],
) -> Option<Vec<TypeTag>> {
    let tokens = &module.signatures.get(usize::from(signature.0))?.0;
    let view = View { module, type_args };
    let tag = |token: &SignatureToken| match token {
        SignatureToken::Reference(referent) | SignatureToken::MutableReference(referent) => {
            view.tag(referent, MAX_DEPTH)
        }
        token => view.tag(token, MAX_DEPTH),
    };
    tokens.iter().map(tag).collect()
}

/// A module, seen with the type arguments of one of its structs or functions.
struct View<'a> {
    module: &'a CompiledModule,
    type_args: &'a [TypeTag],
}

impl View<'_> {
    fn name(&self, index: IdentifierIndex) -> Option<String> {
        self.module
            .identifiers
            .get(usize::from(index.0))
            .map(|name| name.as_str().to_owned())
    }

    fn fields(&self, fields: &[FieldDefinition]) -> Option<Vec<Field>> {
        let field = |field: &FieldDefinition| {
            Some(Field {
                name: self.name(field.name)?,
                ty: self.tag(&field.signature.0, MAX_DEPTH)?,
            })
        };
        fields.iter().map(field).collect()
    }

    fn tag(&self, token: &SignatureToken, depth: usize) -> Option<TypeTag> {
        let depth = depth.checked_sub(1)?;
        Some(match token {
            SignatureToken::Bool => TypeTag::Bool,
            SignatureToken::U8 => TypeTag::U8,
            SignatureToken::U16 => TypeTag::U16,
            SignatureToken::U32 => TypeTag::U32,
            SignatureToken::U64 => TypeTag::U64,
            SignatureToken::U128 => TypeTag::U128,
            SignatureToken::U256 => TypeTag::U256,
            SignatureToken::I8 => TypeTag::I8,
            SignatureToken::I16 => TypeTag::I16,
            SignatureToken::I32 => TypeTag::I32,
            SignatureToken::I64 => TypeTag::I64,
            SignatureToken::I128 => TypeTag::I128,
            SignatureToken::I256 => TypeTag::I256,
            SignatureToken::Address => TypeTag::Address,
            SignatureToken::Signer => TypeTag::Signer,
            SignatureToken::Vector(element) => TypeTag::Vector(Box::new(self.tag(element, depth)?)),
            SignatureToken::Struct(handle) => self.structure(*handle, &[], depth)?,
            SignatureToken::StructInstantiation(handle, args) => {
                self.structure(*handle, args, depth)?
            }
            SignatureToken::TypeParameter(index) => {
                self.type_args.get(usize::from(*index))?.clone()
            }
            SignatureToken::Function(args, results, abilities) => FunctionTag {
                args: self.function_types(args, depth)?,
                results: self.function_types(results, depth)?,
                abilities: *abilities,
            }
            .into(),
            SignatureToken::Reference(_) | SignatureToken::MutableReference(_) => return None,
        })
    }

    fn function_types(
        &self,
        tokens: &[SignatureToken],
        depth: usize,
    ) -> Option<Vec<FunctionParamOrReturnTag>> {
        let part = |token: &SignatureToken| {
            Some(match token {
                SignatureToken::Reference(to) => {
                    FunctionParamOrReturnTag::Reference(self.tag(to, depth)?)
                }
                SignatureToken::MutableReference(to) => {
                    FunctionParamOrReturnTag::MutableReference(self.tag(to, depth)?)
                }
                token => FunctionParamOrReturnTag::Value(self.tag(token, depth)?),
            })
        };
        tokens.iter().map(part).collect()
    }

    fn structure(
        &self,
        handle: StructHandleIndex,
        args: &[SignatureToken],
        depth: usize,
    ) -> Option<TypeTag> {
        let handle = self.module.struct_handles.get(usize::from(handle.0))?;
        let module = self
            .module
            .module_handles
            .get(usize::from(handle.module.0))?;
        Some(TypeTag::from(StructTag {
            address: *self
                .module
                .address_identifiers
                .get(usize::from(module.address.0))?,
            module: self
                .module
                .identifiers
                .get(usize::from(module.name.0))?
                .clone(),
            name: self
                .module
                .identifiers
                .get(usize::from(handle.name.0))?
                .clone(),
            type_args: args
                .iter()
                .map(|arg| self.tag(arg, depth))
                .collect::<Option<_>>()?,
        }))
    }
}
