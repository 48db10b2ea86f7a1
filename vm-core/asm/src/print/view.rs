//! The tables of a module or of a script, with look-ups that cannot fail.

use monomove_format::*;

/// Tables; those that a script lacks are empty.
pub(super) struct View<'a> {
    pub(super) own: Option<ModuleHandleIndex>,
    pub(super) module_handles: &'a [ModuleHandle],
    pub(super) struct_handles: &'a [StructHandle],
    pub(super) function_handles: &'a [FunctionHandle],
    pub(super) function_instantiations: &'a [FunctionInstantiation],
    pub(super) signatures: &'a [Signature],
    pub(super) identifiers: &'a [Identifier],
    pub(super) addresses: &'a [AccountAddress],
    pub(super) constants: &'a [Constant],
    /// The module, for the tables that only it has.
    pub(super) module: Option<&'a CompiledModule>,
}

impl<'a> View<'a> {
    /// Of a module.
    pub(super) fn of_module(module: &'a CompiledModule) -> Self {
        Self {
            own: Some(module.self_module_handle_idx),
            module_handles: &module.module_handles,
            struct_handles: &module.struct_handles,
            function_handles: &module.function_handles,
            function_instantiations: &module.function_instantiations,
            signatures: &module.signatures,
            identifiers: &module.identifiers,
            addresses: &module.address_identifiers,
            constants: &module.constant_pool,
            module: Some(module),
        }
    }

    /// Of a script.
    pub(super) fn of_script(script: &'a CompiledScript) -> Self {
        Self {
            own: None,
            module_handles: &script.module_handles,
            struct_handles: &script.struct_handles,
            function_handles: &script.function_handles,
            function_instantiations: &script.function_instantiations,
            signatures: &script.signatures,
            identifiers: &script.identifiers,
            addresses: &script.address_identifiers,
            constants: &script.constant_pool,
            module: None,
        }
    }

    pub(super) fn identifier(&self, index: IdentifierIndex) -> Option<&'a str> {
        Some(self.identifiers.get(index.into_index())?.as_str())
    }

    pub(super) fn address(&self, index: AddressIdentifierIndex) -> Option<AccountAddress> {
        self.addresses.get(index.into_index()).copied()
    }

    pub(super) fn module_key(&self, handle: &ModuleHandle) -> Option<(AccountAddress, &'a str)> {
        Some((self.address(handle.address)?, self.identifier(handle.name)?))
    }

    pub(super) fn module_key_at(
        &self,
        index: ModuleHandleIndex,
    ) -> Option<(AccountAddress, &'a str)> {
        self.module_key(self.module_handles.get(index.into_index())?)
    }

    /// Address, module and name of a struct or function.
    pub(super) fn member_key(
        &self,
        module: ModuleHandleIndex,
        name: IdentifierIndex,
    ) -> Option<(AccountAddress, &'a str, &'a str)> {
        let (address, module) = self.module_key_at(module)?;
        Some((address, module, self.identifier(name)?))
    }

    pub(super) fn struct_handle(&self, index: StructHandleIndex) -> Option<&'a StructHandle> {
        self.struct_handles.get(index.into_index())
    }

    pub(super) fn function_handle(&self, index: FunctionHandleIndex) -> Option<&'a FunctionHandle> {
        self.function_handles.get(index.into_index())
    }

    /// The types of a signature; none if there is no such signature.
    pub(super) fn signature(&self, index: SignatureIndex) -> &'a [SignatureToken] {
        self.signatures
            .get(index.into_index())
            .map_or(&[], Signature::tokens)
    }

    pub(super) fn struct_def(&self, index: StructDefinitionIndex) -> Option<&'a StructDefinition> {
        self.module?.struct_defs.get(index.into_index())
    }

    pub(super) fn struct_name(&self, index: StructDefinitionIndex) -> Option<&'a str> {
        let definition = self.struct_def(index)?;
        self.identifier(self.struct_handle(definition.struct_handle)?.name)
    }

    /// The name that finds the field at this position; `None` if there is none, or if an earlier one has it.
    pub(super) fn field_name(
        &self,
        def: StructDefinitionIndex,
        variant: Option<VariantIndex>,
        field: MemberCount,
    ) -> Option<&'a str> {
        let fields = self.struct_def(def)?.field_information.fields(variant)?;
        let before = fields.get(..usize::from(field))?;
        let name = self.identifier(fields.get(usize::from(field))?.name)?;
        let is_hidden = before.iter().any(|f| self.identifier(f.name) == Some(name));
        (!is_hidden).then_some(name)
    }

    /// The name that finds the variant at this position; `None` if there is none, or if an earlier one has it.
    pub(super) fn variant_name(
        &self,
        def: StructDefinitionIndex,
        variant: VariantIndex,
    ) -> Option<&'a str> {
        let variants = self.struct_def(def)?.field_information.variants();
        let before = variants.get(..usize::from(variant))?;
        let name = self.identifier(variants.get(usize::from(variant))?.name)?;
        let is_hidden = before.iter().any(|v| self.identifier(v.name) == Some(name));
        (!is_hidden).then_some(name)
    }
}
