//! What instructions name, as interned types: signatures, functions, structs, fields and instantiations of them. Each is converted at first use
//! and kept for the module.

use super::types::{ListId, NODE, Type, TypeId, Types};
use crate::meter::too_complex;
use crate::{Meter, VerifierResult};
use monomove_format::{
    CompiledModule, ConstantPoolIndex, FieldDefinition, FieldHandleIndex, FieldInstantiationIndex,
    FunctionHandleIndex, FunctionInstantiationIndex, SignatureIndex, SignatureToken,
    StructDefInstantiationIndex, StructDefinitionIndex, StructVariantHandleIndex,
    StructVariantInstantiationIndex, TypeParameterIndex, VariantFieldHandleIndex,
    VariantFieldInstantiationIndex,
};

/// A struct or enum, and the types of its fields or of those of a variant.
pub(crate) type Struct = (TypeId, ListId);

/// What was converted already, by index.
pub(super) struct Members {
    signatures: Vec<Option<ListId>>,
    constants: Vec<Option<TypeId>>,
    functions: Vec<Option<(ListId, ListId)>>,
    structs: Vec<Option<Struct>>,
    struct_instantiations: Vec<Option<Struct>>,
    variants: Vec<Option<Struct>>,
    variant_instantiations: Vec<Option<Struct>>,
    fields: Vec<Option<(TypeId, TypeId)>>,
    field_instantiations: Vec<Option<(TypeId, TypeId)>>,
    variant_fields: Vec<Option<(TypeId, Option<TypeId>)>>,
    variant_field_instantiations: Vec<Option<(TypeId, Option<TypeId>)>>,
}

impl Members {
    /// Nothing yet.
    pub(super) fn new(module: &CompiledModule) -> Self {
        Self {
            signatures: vec![None; module.signatures.len()],
            constants: vec![None; module.constant_pool.len()],
            functions: vec![None; module.function_instantiations.len()],
            structs: vec![None; module.struct_defs.len()],
            struct_instantiations: vec![None; module.struct_def_instantiations.len()],
            variants: vec![None; module.struct_variant_handles.len()],
            variant_instantiations: vec![None; module.struct_variant_instantiations.len()],
            fields: vec![None; module.field_handles.len()],
            field_instantiations: vec![None; module.field_instantiations.len()],
            variant_fields: vec![None; module.variant_field_handles.len()],
            variant_field_instantiations: vec![None; module.variant_field_instantiations.len()],
        }
    }
}

impl<'a> Types<'a> {
    /// The types of a signature.
    pub(crate) fn signature(&mut self, index: SignatureIndex) -> ListId {
        if let Some(list) = self.members.signatures[index.into_index()] {
            return list;
        }
        let module = self.module;
        let list = self.token_list(module.signature_at(index).tokens().iter());
        self.members.signatures[index.into_index()] = Some(list);
        list
    }

    /// The type of a constant.
    pub(crate) fn constant(&mut self, index: ConstantPoolIndex) -> TypeId {
        if let Some(type_) = self.members.constants[index.into_index()] {
            return type_;
        }
        let module = self.module;
        let type_ = self.token(&module.constant_at(index).type_);
        self.members.constants[index.into_index()] = Some(type_);
        type_
    }

    fn token_list<'t>(&mut self, tokens: impl Iterator<Item = &'t SignatureToken>) -> ListId {
        let types: Vec<TypeId> = tokens.map(|token| self.token(token)).collect();
        self.list(&types)
    }

    /// Parameters and results of a function.
    pub(crate) fn function(&mut self, index: FunctionHandleIndex) -> (ListId, ListId) {
        let handle = self.module.function_handle_at(index);
        (
            self.signature(handle.parameters),
            self.signature(handle.return_),
        )
    }

    /// Parameters and results of a function with type arguments.
    pub(crate) fn function_instantiation(
        &mut self,
        index: FunctionInstantiationIndex,
        meter: &mut Meter,
    ) -> VerifierResult<(ListId, ListId)> {
        if let Some(known) = self.members.functions[index.into_index()] {
            return Ok(known);
        }
        let instantiation = self.module.function_instantiation_at(index);
        let arguments = self.signature(instantiation.type_parameters);
        let (parameters, results) = self.function(instantiation.handle);
        self.charge(parameters, meter)?;
        self.charge(results, meter)?;
        let known = (
            self.substitute_list(parameters, arguments),
            self.substitute_list(results, arguments),
        );
        self.members.functions[index.into_index()] = Some(known);
        Ok(known)
    }

    /// Counts the nodes of a list that is about to be instantiated.
    fn charge(&self, list: ListId, meter: &mut Meter) -> VerifierResult {
        self.elements(list)
            .iter()
            .try_for_each(|&type_| self.charge_type(type_, meter))
    }

    fn charge_type(&self, type_: TypeId, meter: &mut Meter) -> VerifierResult {
        if self.is_full() {
            return Err(too_complex());
        }
        meter.add(self.nodes(type_).saturating_mul(NODE))
    }

    /// The type that a definition stands for: with its own type parameters as arguments.
    fn struct_type(&mut self, index: StructDefinitionIndex) -> TypeId {
        let handle_index = self.module.struct_def_at(index).struct_handle;
        let handle = self.module.struct_handle_at(handle_index);
        let arguments: Vec<TypeId> = (0..=TypeParameterIndex::MAX)
            .take(handle.type_parameters.len())
            .map(|index| self.intern(Type::Parameter(index)))
            .collect();
        let arguments = self.list(&arguments);
        self.intern(Type::Struct(handle_index, arguments))
    }

    fn field_list(&mut self, fields: Option<&'a [FieldDefinition]>) -> ListId {
        self.token_list(
            fields
                .unwrap_or_default()
                .iter()
                .map(|field| &field.signature.0),
        )
    }

    /// A struct and its fields; an enum or native struct has none.
    pub(crate) fn struct_(&mut self, index: StructDefinitionIndex) -> Struct {
        if let Some(known) = self.members.structs[index.into_index()] {
            return known;
        }
        let definition = self.module.struct_def_at(index);
        let known = (
            self.struct_type(index),
            self.field_list(definition.field_information.fields(None)),
        );
        self.members.structs[index.into_index()] = Some(known);
        known
    }

    /// A struct with type arguments, and its fields.
    pub(crate) fn struct_instantiation(
        &mut self,
        index: StructDefInstantiationIndex,
        meter: &mut Meter,
    ) -> VerifierResult<Struct> {
        if let Some(known) = self.members.struct_instantiations[index.into_index()] {
            return Ok(known);
        }
        let instantiation = self.module.struct_instantiation_at(index);
        let members = self.struct_(instantiation.def);
        let known = self.instantiate(members, instantiation.type_parameters, meter)?;
        self.members.struct_instantiations[index.into_index()] = Some(known);
        Ok(known)
    }

    fn instantiate(
        &mut self,
        (type_, fields): Struct,
        arguments: SignatureIndex,
        meter: &mut Meter,
    ) -> VerifierResult<Struct> {
        let arguments = self.signature(arguments);
        self.charge(fields, meter)?;
        Ok((
            self.substitute(type_, arguments),
            self.substitute_list(fields, arguments),
        ))
    }

    /// An enum and the fields of a variant.
    pub(crate) fn variant(&mut self, index: StructVariantHandleIndex) -> Struct {
        if let Some(known) = self.members.variants[index.into_index()] {
            return known;
        }
        let handle = self.module.struct_variant_handle_at(index);
        let definition = self.module.struct_def_at(handle.struct_index);
        let known = (
            self.struct_type(handle.struct_index),
            self.field_list(definition.field_information.fields(Some(handle.variant))),
        );
        self.members.variants[index.into_index()] = Some(known);
        known
    }

    /// An enum with type arguments, and the fields of a variant.
    pub(crate) fn variant_instantiation(
        &mut self,
        index: StructVariantInstantiationIndex,
        meter: &mut Meter,
    ) -> VerifierResult<Struct> {
        if let Some(known) = self.members.variant_instantiations[index.into_index()] {
            return Ok(known);
        }
        let instantiation = self.module.struct_variant_instantiation_at(index);
        let members = self.variant(instantiation.handle);
        let known = self.instantiate(members, instantiation.type_parameters, meter)?;
        self.members.variant_instantiations[index.into_index()] = Some(known);
        Ok(known)
    }

    /// A struct and the type of a field.
    pub(crate) fn field(&mut self, index: FieldHandleIndex) -> (TypeId, TypeId) {
        if let Some(known) = self.members.fields[index.into_index()] {
            return known;
        }
        let handle = self.module.field_handle_at(index);
        let (type_, fields) = self.struct_(handle.owner);
        let field = self
            .element(fields, usize::from(handle.field))
            .unwrap_or(TypeId::BOOL);
        self.members.fields[index.into_index()] = Some((type_, field));
        (type_, field)
    }

    /// A struct with type arguments, and the type of a field.
    pub(crate) fn field_instantiation(
        &mut self,
        index: FieldInstantiationIndex,
        meter: &mut Meter,
    ) -> VerifierResult<(TypeId, TypeId)> {
        if let Some(known) = self.members.field_instantiations[index.into_index()] {
            return Ok(known);
        }
        let instantiation = self.module.field_instantiation_at(index);
        let arguments = self.signature(instantiation.type_parameters);
        let (type_, field) = self.field(instantiation.handle);
        self.charge_type(field, meter)?;
        let known = (
            self.substitute(type_, arguments),
            self.substitute(field, arguments),
        );
        self.members.field_instantiations[index.into_index()] = Some(known);
        Ok(known)
    }

    /// An enum and the type of a field that variants share; no type if they have different ones.
    pub(crate) fn variant_field(
        &mut self,
        index: VariantFieldHandleIndex,
    ) -> (TypeId, Option<TypeId>) {
        if let Some(known) = self.members.variant_fields[index.into_index()] {
            return known;
        }
        let handle = self.module.variant_field_handle_at(index);
        let definition = self.module.struct_def_at(handle.struct_index);
        let type_ = self.struct_type(handle.struct_index);
        let mut common = None;
        let mut differ = false;
        for &variant in &handle.variants {
            let field = definition
                .field_information
                .fields(Some(variant))
                .and_then(|fields| fields.get(usize::from(handle.field)));
            let field = field.map(|field| self.token(&field.signature.0));
            differ |= field.is_none() || (common.is_some() && common != field);
            common = field;
        }
        let known = (type_, common.filter(|_| !differ));
        self.members.variant_fields[index.into_index()] = Some(known);
        known
    }

    /// An enum with type arguments, and the type of a field that variants share.
    pub(crate) fn variant_field_instantiation(
        &mut self,
        index: VariantFieldInstantiationIndex,
        meter: &mut Meter,
    ) -> VerifierResult<(TypeId, Option<TypeId>)> {
        if let Some(known) = self.members.variant_field_instantiations[index.into_index()] {
            return Ok(known);
        }
        let instantiation = self.module.variant_field_instantiation_at(index);
        let arguments = self.signature(instantiation.type_parameters);
        let (type_, field) = self.variant_field(instantiation.handle);
        if let Some(field) = field {
            self.charge_type(field, meter)?;
        }
        let known = (
            self.substitute(type_, arguments),
            field.map(|field| self.substitute(field, arguments)),
        );
        self.members.variant_field_instantiations[index.into_index()] = Some(known);
        Ok(known)
    }
}
