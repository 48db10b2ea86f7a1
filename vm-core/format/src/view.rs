//! Look-ups in the tables of modules and scripts.
//!
//! The methods named `…_at` index plainly: on what the reader returned, and on what passed `check_bounds`, they cannot
//! fail; on a module put together by hand an index out of range panics.

use crate::index::*;
use crate::{
    CompiledModule, CompiledScript, Constant, FieldHandle, FieldInstantiation, FunctionDefinition,
    FunctionHandle, FunctionInstantiation, ModuleHandle, Signature, StructDefInstantiation,
    StructDefinition, StructHandle, StructVariantHandle, StructVariantInstantiation,
    VariantFieldHandle, VariantFieldInstantiation,
};
use monomove_types::{AccountAddress, Identifier, ModuleId};

macro_rules! accessors {
    ($owner:ident { $($(#[$doc:meta])* $method:ident: $table:ident[$index:ty] -> $element:ty;)* }) => {
        impl $owner {
            $($(#[$doc])*
            #[inline]
            pub fn $method(&self, index: $index) -> &$element {
                &self.$table[index.into_index()]
            })*

            /// The identity that a module handle stands for.
            pub fn module_id_for_handle(&self, handle: &ModuleHandle) -> ModuleId {
                ModuleId::new(
                    *self.address_identifier_at(handle.address),
                    self.identifier_at(handle.name).clone(),
                )
            }

            /// The module that defines a struct.
            pub fn module_id_of_struct(&self, handle: &StructHandle) -> ModuleId {
                self.module_id_for_handle(self.module_handle_at(handle.module))
            }

            /// The module that defines a function.
            pub fn module_id_of_function(&self, handle: &FunctionHandle) -> ModuleId {
                self.module_id_for_handle(self.module_handle_at(handle.module))
            }
        }
    };
}

accessors! { CompiledModule {
    /// A module handle.
    module_handle_at: module_handles[ModuleHandleIndex] -> ModuleHandle;
    /// A struct handle.
    struct_handle_at: struct_handles[StructHandleIndex] -> StructHandle;
    /// A function handle.
    function_handle_at: function_handles[FunctionHandleIndex] -> FunctionHandle;
    /// A function instantiation.
    function_instantiation_at: function_instantiations[FunctionInstantiationIndex] -> FunctionInstantiation;
    /// A signature.
    signature_at: signatures[SignatureIndex] -> Signature;
    /// A name.
    identifier_at: identifiers[IdentifierIndex] -> Identifier;
    /// An address.
    address_identifier_at: address_identifiers[AddressIdentifierIndex] -> AccountAddress;
    /// A constant.
    constant_at: constant_pool[ConstantPoolIndex] -> Constant;
    /// A field handle.
    field_handle_at: field_handles[FieldHandleIndex] -> FieldHandle;
    /// A struct instantiation.
    struct_instantiation_at: struct_def_instantiations[StructDefInstantiationIndex] -> StructDefInstantiation;
    /// A field instantiation.
    field_instantiation_at: field_instantiations[FieldInstantiationIndex] -> FieldInstantiation;
    /// A struct definition.
    struct_def_at: struct_defs[StructDefinitionIndex] -> StructDefinition;
    /// A function definition.
    function_def_at: function_defs[FunctionDefinitionIndex] -> FunctionDefinition;
    /// A variant handle.
    struct_variant_handle_at: struct_variant_handles[StructVariantHandleIndex] -> StructVariantHandle;
    /// A variant instantiation.
    struct_variant_instantiation_at:
        struct_variant_instantiations[StructVariantInstantiationIndex] -> StructVariantInstantiation;
    /// A handle of a field of variants.
    variant_field_handle_at: variant_field_handles[VariantFieldHandleIndex] -> VariantFieldHandle;
    /// An instantiation of a field of variants.
    variant_field_instantiation_at:
        variant_field_instantiations[VariantFieldInstantiationIndex] -> VariantFieldInstantiation;
} }

accessors! { CompiledScript {
    /// A module handle.
    module_handle_at: module_handles[ModuleHandleIndex] -> ModuleHandle;
    /// A struct handle.
    struct_handle_at: struct_handles[StructHandleIndex] -> StructHandle;
    /// A function handle.
    function_handle_at: function_handles[FunctionHandleIndex] -> FunctionHandle;
    /// A function instantiation.
    function_instantiation_at: function_instantiations[FunctionInstantiationIndex] -> FunctionInstantiation;
    /// A signature.
    signature_at: signatures[SignatureIndex] -> Signature;
    /// A name.
    identifier_at: identifiers[IdentifierIndex] -> Identifier;
    /// An address.
    address_identifier_at: address_identifiers[AddressIdentifierIndex] -> AccountAddress;
    /// A constant.
    constant_at: constant_pool[ConstantPoolIndex] -> Constant;
} }

impl CompiledModule {
    /// The handle of the module itself.
    pub fn self_handle(&self) -> &ModuleHandle {
        self.module_handle_at(self.self_module_handle_idx)
    }

    /// The identity of the module.
    pub fn self_id(&self) -> ModuleId {
        self.module_id_for_handle(self.self_handle())
    }

    /// The address of the module.
    pub fn self_address(&self) -> &AccountAddress {
        self.address_identifier_at(self.self_handle().address)
    }

    /// The name of the module.
    pub fn self_name(&self) -> &Identifier {
        self.identifier_at(self.self_handle().name)
    }

    /// The modules that are named here other than the module itself, in the order of the table.
    pub fn immediate_dependencies(&self) -> Vec<ModuleId> {
        let own = self.self_handle();
        self.module_handles
            .iter()
            .filter(|handle| *handle != own)
            .map(|handle| self.module_id_for_handle(handle))
            .collect()
    }

    /// The modules declared as friends, in the order of the table.
    pub fn immediate_friends(&self) -> Vec<ModuleId> {
        self.friend_decls
            .iter()
            .map(|handle| self.module_id_for_handle(handle))
            .collect()
    }

    /// The handle of a function defined here.
    pub fn handle_of_definition(&self, definition: &FunctionDefinition) -> &FunctionHandle {
        self.function_handle_at(definition.function)
    }

    /// The name of a function defined here.
    pub fn function_name(&self, definition: &FunctionDefinition) -> &Identifier {
        self.identifier_at(self.handle_of_definition(definition).name)
    }

    /// The name of a struct or enum defined here.
    pub fn struct_name(&self, definition: &StructDefinition) -> &Identifier {
        self.identifier_at(self.struct_handle_at(definition.struct_handle).name)
    }

    /// The function defined here that has this name.
    pub fn find_function(
        &self,
        name: &str,
    ) -> Option<(FunctionDefinitionIndex, &FunctionDefinition)> {
        (0..=u16::MAX)
            .map(FunctionDefinitionIndex)
            .zip(&self.function_defs)
            .find(|(_, definition)| *self.function_name(definition) == *name)
    }

    /// The struct or enum defined here that has this name.
    pub fn find_struct(&self, name: &str) -> Option<(StructDefinitionIndex, &StructDefinition)> {
        (0..=u16::MAX)
            .map(StructDefinitionIndex)
            .zip(&self.struct_defs)
            .find(|(_, definition)| *self.struct_name(definition) == *name)
    }
}

impl CompiledScript {
    /// The modules that are named here, in the order of the table.
    pub fn immediate_dependencies(&self) -> Vec<ModuleId> {
        self.module_handles
            .iter()
            .map(|handle| self.module_id_for_handle(handle))
            .collect()
    }
}

/// The tables of a module or of a script; those that a script lacks are empty.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'a> {
    pub(crate) self_module: Option<ModuleHandleIndex>,
    pub(crate) module_handles: &'a [ModuleHandle],
    pub(crate) struct_handles: &'a [StructHandle],
    pub(crate) function_handles: &'a [FunctionHandle],
    pub(crate) field_handles: &'a [FieldHandle],
    pub(crate) struct_def_instantiations: &'a [StructDefInstantiation],
    pub(crate) function_instantiations: &'a [FunctionInstantiation],
    pub(crate) field_instantiations: &'a [FieldInstantiation],
    pub(crate) signatures: &'a [Signature],
    pub(crate) identifiers: &'a [Identifier],
    pub(crate) address_identifiers: &'a [AccountAddress],
    pub(crate) constant_pool: &'a [Constant],
    pub(crate) struct_defs: &'a [StructDefinition],
    pub(crate) struct_variant_handles: &'a [StructVariantHandle],
    pub(crate) struct_variant_instantiations: &'a [StructVariantInstantiation],
    pub(crate) variant_field_handles: &'a [VariantFieldHandle],
    pub(crate) variant_field_instantiations: &'a [VariantFieldInstantiation],
}

impl<'a> From<&'a CompiledModule> for Tables<'a> {
    fn from(module: &'a CompiledModule) -> Self {
        Self {
            self_module: Some(module.self_module_handle_idx),
            module_handles: &module.module_handles,
            struct_handles: &module.struct_handles,
            function_handles: &module.function_handles,
            field_handles: &module.field_handles,
            struct_def_instantiations: &module.struct_def_instantiations,
            function_instantiations: &module.function_instantiations,
            field_instantiations: &module.field_instantiations,
            signatures: &module.signatures,
            identifiers: &module.identifiers,
            address_identifiers: &module.address_identifiers,
            constant_pool: &module.constant_pool,
            struct_defs: &module.struct_defs,
            struct_variant_handles: &module.struct_variant_handles,
            struct_variant_instantiations: &module.struct_variant_instantiations,
            variant_field_handles: &module.variant_field_handles,
            variant_field_instantiations: &module.variant_field_instantiations,
        }
    }
}

impl<'a> From<&'a CompiledScript> for Tables<'a> {
    fn from(script: &'a CompiledScript) -> Self {
        Self {
            self_module: None,
            module_handles: &script.module_handles,
            struct_handles: &script.struct_handles,
            function_handles: &script.function_handles,
            field_handles: &[],
            struct_def_instantiations: &[],
            function_instantiations: &script.function_instantiations,
            field_instantiations: &[],
            signatures: &script.signatures,
            identifiers: &script.identifiers,
            address_identifiers: &script.address_identifiers,
            constant_pool: &script.constant_pool,
            struct_defs: &[],
            struct_variant_handles: &[],
            struct_variant_instantiations: &[],
            variant_field_handles: &[],
            variant_field_instantiations: &[],
        }
    }
}
