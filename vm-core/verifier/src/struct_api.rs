//! Struct API functions: what a compiler generates so that other modules can pack, unpack, test and borrow from a struct (verifier spec
//! §10, version 10 and later).
//!
//! Such a function has a name of a fixed form and the attribute that goes with it, and its body is the one instruction that name and attribute promise.
//! Other passes rely on the attribute.

use crate::{VerifierError, VerifierResult};
use monomove_format::{
    Bytecode, CompiledModule, FieldDefinition, FunctionAttribute, FunctionDefinition, MemberCount,
    SignatureToken, StructDefinition, StructDefinitionIndex, StructFieldInformation, VariantIndex,
};
use monomove_types::StatusCode;
use std::collections::{BTreeMap, BTreeSet};

/// First binary version that has the attributes.
pub(crate) const FIRST_VERSION: u32 = 10;

/// Whether the attribute is one of those of this pass.
pub(crate) fn is_struct_api(attribute: &FunctionAttribute) -> bool {
    use FunctionAttribute as A;
    match attribute {
        A::Pack
        | A::PackVariant(_)
        | A::Unpack
        | A::UnpackVariant(_)
        | A::TestVariant(_)
        | A::BorrowFieldImmutable(_)
        | A::BorrowFieldMutable(_) => true,
        A::Persistent | A::ModuleLock | A::Immutable | A::ConstantAccessor => false,
    }
}

/// A script must not call struct API functions.
pub(crate) fn verify_script(module: &CompiledModule) -> VerifierResult {
    match module
        .function_handles
        .iter()
        .position(|handle| handle.attributes.iter().any(is_struct_api))
    {
        None => Ok(()),
        Some(index) => Err(VerifierError::new(
            StatusCode::INVALID_OPERATION_IN_SCRIPT,
            format!("function handle {index} is a struct API function"),
        )),
    }
}

/// The structs of a module by name.
pub(crate) struct StructApi<'a> {
    module: &'a CompiledModule,
    structs: BTreeMap<&'a str, StructDefinitionIndex>,
}

impl<'a> StructApi<'a> {
    pub(crate) fn new(module: &'a CompiledModule) -> Self {
        let structs = (0..=u16::MAX)
            .map(StructDefinitionIndex)
            .zip(&module.struct_defs)
            .map(|(index, definition)| (module.struct_name(definition).as_str(), index))
            .collect();
        Self { module, structs }
    }

    /// Checks one function, native or not.
    pub(crate) fn verify(&self, definition: &FunctionDefinition) -> VerifierResult {
        let handle = self.module.handle_of_definition(definition);
        let mut attributes = handle.attributes.iter().filter(|one| is_struct_api(one));
        let attribute = attributes.next();
        if attributes.next().is_some() {
            return Err(refused("more than one struct API attribute"));
        }
        let name = self.module.function_name(definition).as_str();
        match (self.parse(name, attribute), attribute) {
            (None, None) => Ok(()),
            (Some(_), None) => Err(refused("name of a struct API function without attribute")),
            (None, Some(_)) => Err(refused("struct API attribute without such a name")),
            (Some(name), Some(attribute)) => self.function(definition, &name, attribute),
        }
    }

    /// The name, if it is one of a struct API function.
    fn parse<'n>(
        &self,
        name: &'n str,
        attribute: Option<&FunctionAttribute>,
    ) -> Option<ApiName<'n>> {
        use FunctionAttribute as A;
        let (word, rest) = name.split_once('$')?;
        let operation = match word {
            "pack" => Operation::Pack,
            "unpack" => Operation::Unpack,
            "test_variant" => Operation::Test,
            "borrow" => Operation::Borrow,
            "borrow_mut" => Operation::BorrowMut,
            _ => return None,
        };
        let shortest = matches!(
            attribute,
            Some(A::PackVariant(_) | A::UnpackVariant(_) | A::TestVariant(_))
        );
        // The name of the struct ends before one of the separators or at the end.
        let ends = rest.match_indices('$').map(|(at, _)| at);
        let mut candidates = ends.chain([rest.len()]).filter_map(|end| {
            let owner = *self.structs.get(&rest[..end])?;
            Some((owner, rest[end..].strip_prefix('$')))
        });
        let (owner, rest) = match shortest {
            true => candidates.next()?,
            false => candidates.next_back()?,
        };
        let member = match operation {
            Operation::Pack | Operation::Unpack => match rest {
                None => Member::Struct,
                Some(variant) => Member::Variant(variant),
            },
            Operation::Test => Member::Variant(rest?),
            Operation::Borrow | Operation::BorrowMut => {
                let (offset, order) = match rest?.split_once('$') {
                    None => (rest?, None),
                    Some((offset, order)) => (offset, Some(order.parse().ok()?)),
                };
                Member::Field(offset.parse().ok()?, order)
            }
        };
        Some(ApiName {
            operation,
            owner,
            member,
        })
    }

    fn function(
        &self,
        definition: &FunctionDefinition,
        name: &ApiName<'_>,
        attribute: &FunctionAttribute,
    ) -> VerifierResult {
        use FunctionAttribute as A;
        let module = self.module;
        let owner = module.struct_def_at(name.owner);
        let value = self.type_of(owner);
        let handle = module.handle_of_definition(definition);
        let parameters = &module.signature_at(handle.parameters).0;
        let results = &module.signature_at(handle.return_).0;
        let generics = module
            .struct_handle_at(owner.struct_handle)
            .type_parameters
            .len();
        if handle.type_parameters.len() != generics {
            return Err(refused("type parameters are not those of the struct"));
        }
        let arguments = match name.operation {
            Operation::Pack => parameters.len(),
            _ => 1,
        };
        let instruction = body(definition, arguments)
            .ok_or_else(|| refused("the body is not one instruction on the parameters"))?;
        let signature_is =
            |expected: [&[SignatureToken]; 2]| match [&**parameters, &**results] == expected {
                true => Ok(()),
                false => Err(refused("the signature is not that of the operation")),
            };
        match (name.operation, *attribute) {
            (Operation::Pack, A::Pack | A::PackVariant(_)) => {
                let (fields, variant) = self.fields(owner, name, attribute)?;
                signature_is([&types(fields), &[value]])?;
                self.instruction(instruction, name, variant, None)
            }
            (Operation::Unpack, A::Unpack | A::UnpackVariant(_)) => {
                let (fields, variant) = self.fields(owner, name, attribute)?;
                signature_is([&[value], &types(fields)])?;
                self.instruction(instruction, name, variant, None)
            }
            (Operation::Test, A::TestVariant(_)) => {
                let (_, variant) = self.fields(owner, name, attribute)?;
                let reference = SignatureToken::Reference(Box::new(value));
                signature_is([&[reference], &[SignatureToken::Bool]])?;
                self.instruction(instruction, name, variant, None)
            }
            (Operation::Borrow, A::BorrowFieldImmutable(offset))
            | (Operation::BorrowMut, A::BorrowFieldMutable(offset)) => {
                let (field, variants) = self.field(owner, name, offset)?;
                let reference = |inner: SignatureToken| match name.operation {
                    Operation::BorrowMut => SignatureToken::MutableReference(Box::new(inner)),
                    _ => SignatureToken::Reference(Box::new(inner)),
                };
                signature_is([&[reference(value)], &[reference(field.clone())]])?;
                self.instruction(instruction, name, None, Some((offset, &variants)))
            }
            _ => Err(refused("the attribute is for another operation")),
        }
    }

    /// The struct with its own type parameters.
    fn type_of(&self, owner: &StructDefinition) -> SignatureToken {
        let count = self
            .module
            .struct_handle_at(owner.struct_handle)
            .type_parameters
            .len();
        match count {
            0 => SignatureToken::Struct(owner.struct_handle),
            _ => SignatureToken::StructInstantiation(
                owner.struct_handle,
                (0..=u16::MAX)
                    .take(count)
                    .map(SignatureToken::TypeParameter)
                    .collect(),
            ),
        }
    }

    /// The fields of the struct or variant that the name speaks of; the attribute must speak of the same.
    fn fields<'s>(
        &self,
        owner: &'s StructDefinition,
        name: &ApiName<'_>,
        attribute: &FunctionAttribute,
    ) -> VerifierResult<(&'s [FieldDefinition], Option<VariantIndex>)> {
        use FunctionAttribute as A;
        match (name.member, *attribute, &owner.field_information) {
            (Member::Struct, A::Pack | A::Unpack, StructFieldInformation::Declared(fields)) => {
                Ok((fields, None))
            }
            (
                Member::Variant(variant),
                A::PackVariant(index) | A::UnpackVariant(index) | A::TestVariant(index),
                StructFieldInformation::DeclaredVariants(variants),
            ) => match variants.get(usize::from(index)) {
                Some(found) if *self.module.identifier_at(found.name) == *variant => {
                    Ok((&found.fields, Some(index)))
                }
                _ => Err(refused("name and attribute speak of different variants")),
            },
            _ => Err(refused("the attribute does not fit the name")),
        }
    }

    /// The type of the field that the name speaks of, and for an enum the variants that have it there.
    fn field<'s>(
        &self,
        owner: &'s StructDefinition,
        name: &ApiName<'_>,
        offset: MemberCount,
    ) -> VerifierResult<(&'s SignatureToken, Vec<VariantIndex>)> {
        let Member::Field(named, order) = name.member else {
            return Err(refused("the name does not speak of a field"));
        };
        if named != offset {
            return Err(refused("name and attribute speak of different fields"));
        }
        let position = usize::from(offset);
        match (&owner.field_information, order) {
            (StructFieldInformation::Declared(fields), None) => fields
                .get(position)
                .map(|field| (&field.signature.0, Vec::new()))
                .ok_or_else(|| refused("the struct has no such field")),
            (StructFieldInformation::DeclaredVariants(variants), Some(order)) => {
                let at_offset = || {
                    (0..=VariantIndex::MAX)
                        .zip(variants)
                        .filter_map(|(index, variant)| {
                            Some((index, &variant.fields.get(position)?.signature.0))
                        })
                };
                let mut seen = BTreeSet::new();
                let type_ = at_offset()
                    .map(|(_, type_)| type_)
                    .filter(|type_| seen.insert(*type_))
                    .nth(usize::from(order))
                    .ok_or_else(|| refused("the variants have no such field"))?;
                let with_it = at_offset()
                    .filter(|(_, other)| *other == type_)
                    .map(|(index, _)| index)
                    .collect();
                Ok((type_, with_it))
            }
            _ => Err(refused("a type order is for enums, and only for them")),
        }
    }

    /// The one instruction, of the struct and the member that the name speaks of.
    fn instruction(
        &self,
        instruction: &Bytecode,
        name: &ApiName<'_>,
        variant: Option<VariantIndex>,
        field: Option<(MemberCount, &[VariantIndex])>,
    ) -> VerifierResult {
        use Bytecode as B;
        let module = self.module;
        let (operation, owner, found_variant, found_field) = match instruction {
            B::Pack(index) => (Operation::Pack, *index, None, None),
            B::Unpack(index) => (Operation::Unpack, *index, None, None),
            B::PackGeneric(index) => (
                Operation::Pack,
                module.struct_instantiation_at(*index).def,
                None,
                None,
            ),
            B::UnpackGeneric(index) => (
                Operation::Unpack,
                module.struct_instantiation_at(*index).def,
                None,
                None,
            ),
            B::PackVariant(index) | B::UnpackVariant(index) | B::TestVariant(index) => {
                let handle = module.struct_variant_handle_at(*index);
                let variant = Some(handle.variant);
                (
                    operation_of(instruction),
                    handle.struct_index,
                    variant,
                    None,
                )
            }
            B::PackVariantGeneric(index)
            | B::UnpackVariantGeneric(index)
            | B::TestVariantGeneric(index) => {
                let handle = module.struct_variant_instantiation_at(*index).handle;
                let handle = module.struct_variant_handle_at(handle);
                let variant = Some(handle.variant);
                (
                    operation_of(instruction),
                    handle.struct_index,
                    variant,
                    None,
                )
            }
            B::ImmBorrowField(index) | B::MutBorrowField(index) => {
                let handle = module.field_handle_at(*index);
                let found = Some((handle.field, [].as_slice()));
                (operation_of(instruction), handle.owner, None, found)
            }
            B::ImmBorrowFieldGeneric(index) | B::MutBorrowFieldGeneric(index) => {
                let handle = module.field_instantiation_at(*index).handle;
                let handle = module.field_handle_at(handle);
                let found = Some((handle.field, [].as_slice()));
                (operation_of(instruction), handle.owner, None, found)
            }
            B::ImmBorrowVariantField(index) | B::MutBorrowVariantField(index) => {
                let handle = module.variant_field_handle_at(*index);
                let found = Some((handle.field, handle.variants.as_slice()));
                (operation_of(instruction), handle.struct_index, None, found)
            }
            B::ImmBorrowVariantFieldGeneric(index) | B::MutBorrowVariantFieldGeneric(index) => {
                let handle = module.variant_field_instantiation_at(*index).handle;
                let handle = module.variant_field_handle_at(handle);
                let found = Some((handle.field, handle.variants.as_slice()));
                (operation_of(instruction), handle.struct_index, None, found)
            }
            _ => return Err(refused("the instruction is not that of the operation")),
        };
        let same = operation == name.operation
            && owner == name.owner
            && found_variant == variant
            && found_field == field;
        match same {
            true => Ok(()),
            false => Err(refused("the instruction is not that of the operation")),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Pack,
    Unpack,
    Test,
    Borrow,
    BorrowMut,
}

/// A name as in `borrow$Option$0$1`.
struct ApiName<'n> {
    operation: Operation,
    owner: StructDefinitionIndex,
    member: Member<'n>,
}

#[derive(Clone, Copy)]
enum Member<'n> {
    Struct,
    Variant(&'n str),
    /// Offset; for an enum which of the types at that offset, in the order in which variants have them.
    Field(MemberCount, Option<u16>),
}

fn refused(message: &str) -> VerifierError {
    VerifierError::new(StatusCode::INVALID_STRUCT_API_CODE, message)
}

fn types(fields: &[FieldDefinition]) -> Vec<SignatureToken> {
    fields
        .iter()
        .map(|field| field.signature.0.clone())
        .collect()
}

/// The instruction between moving the parameters to the stack and returning, if the body is nothing else.
fn body(definition: &FunctionDefinition, parameters: usize) -> Option<&Bytecode> {
    let code = &definition.code.as_ref()?.code;
    let (moves, rest) = code.split_at_checked(parameters)?;
    let in_order = moves
        .iter()
        .zip(0..)
        .all(|(instruction, local)| *instruction == Bytecode::MoveLoc(local));
    match rest {
        [instruction, Bytecode::Ret] if in_order => Some(instruction),
        _ => None,
    }
}

/// Of instructions on variants and fields.
fn operation_of(instruction: &Bytecode) -> Operation {
    use Bytecode as B;
    match instruction {
        B::PackVariant(_) | B::PackVariantGeneric(_) => Operation::Pack,
        B::UnpackVariant(_) | B::UnpackVariantGeneric(_) => Operation::Unpack,
        B::TestVariant(_) | B::TestVariantGeneric(_) => Operation::Test,
        B::ImmBorrowField(_)
        | B::ImmBorrowFieldGeneric(_)
        | B::ImmBorrowVariantField(_)
        | B::ImmBorrowVariantFieldGeneric(_) => Operation::Borrow,
        _ => Operation::BorrowMut,
    }
}
