//! Which entries of the tables the other text refers to. The rest needs `pool` lines.

use monomove_format::*;
use std::collections::BTreeSet;

/// The entries of each table that something refers to.
#[derive(Default)]
pub(super) struct Used {
    pub(super) identifiers: BTreeSet<u16>,
    pub(super) addresses: BTreeSet<u16>,
    pub(super) modules: BTreeSet<u16>,
    pub(super) signatures: BTreeSet<u16>,
    pub(super) constants: BTreeSet<u16>,
    pub(super) function_instantiations: BTreeSet<u16>,
    pub(super) struct_instantiations: BTreeSet<u16>,
    pub(super) fields: BTreeSet<u16>,
    pub(super) field_instantiations: BTreeSet<u16>,
    pub(super) variant_fields: BTreeSet<u16>,
    pub(super) variant_field_instantiations: BTreeSet<u16>,
    pub(super) variants: BTreeSet<u16>,
    pub(super) variant_instantiations: BTreeSet<u16>,
}

impl Used {
    /// By a module.
    pub(super) fn of_module(module: &CompiledModule) -> Self {
        let mut used = Self::default();
        used.modules.insert(module.self_module_handle_idx.0);
        used.module_handles(&module.module_handles);
        used.module_handles(&module.friend_decls);
        used.handles(&module.struct_handles, &module.function_handles);
        used.instantiations(&module.function_instantiations);
        for def in &module.struct_defs {
            for variant in def.field_information.variants() {
                used.identifiers.insert(variant.name.0);
                used.field_names(&variant.fields);
            }
            used.field_names(def.field_information.fields(None).unwrap_or_default());
        }
        for code in module.function_defs.iter().filter_map(|d| d.code.as_ref()) {
            used.code(code);
        }
        for inst in &module.struct_def_instantiations {
            used.signatures.insert(inst.type_parameters.0);
        }
        for inst in &module.field_instantiations {
            used.fields.insert(inst.handle.0);
            used.signatures.insert(inst.type_parameters.0);
        }
        for inst in &module.variant_field_instantiations {
            used.variant_fields.insert(inst.handle.0);
            used.signatures.insert(inst.type_parameters.0);
        }
        for inst in &module.struct_variant_instantiations {
            used.variants.insert(inst.handle.0);
            used.signatures.insert(inst.type_parameters.0);
        }
        used
    }

    /// By a script.
    pub(super) fn of_script(script: &CompiledScript) -> Self {
        let mut used = Self::default();
        used.module_handles(&script.module_handles);
        used.handles(&script.struct_handles, &script.function_handles);
        used.instantiations(&script.function_instantiations);
        used.signatures.insert(script.parameters.0);
        used.access(script.access_specifiers.as_deref());
        used.code(&script.code);
        used
    }

    fn module_handles(&mut self, handles: &[ModuleHandle]) {
        for handle in handles {
            self.addresses.insert(handle.address.0);
            self.identifiers.insert(handle.name.0);
        }
    }

    fn handles(&mut self, structs: &[StructHandle], functions: &[FunctionHandle]) {
        for handle in structs {
            self.modules.insert(handle.module.0);
            self.identifiers.insert(handle.name.0);
        }
        for handle in functions {
            self.modules.insert(handle.module.0);
            self.identifiers.insert(handle.name.0);
            self.signatures
                .extend([handle.parameters.0, handle.return_.0]);
            self.access(handle.access_specifiers.as_deref());
        }
    }

    fn instantiations(&mut self, instantiations: &[FunctionInstantiation]) {
        for inst in instantiations {
            self.signatures.insert(inst.type_parameters.0);
        }
    }

    fn field_names(&mut self, fields: &[FieldDefinition]) {
        self.identifiers.extend(fields.iter().map(|f| f.name.0));
    }

    fn access(&mut self, specifiers: Option<&[AccessSpecifier]>) {
        for specifier in specifiers.unwrap_or_default() {
            match specifier.resource {
                ResourceSpecifier::DeclaredAtAddress(address) => {
                    self.addresses.insert(address.0);
                }
                ResourceSpecifier::DeclaredInModule(module) => {
                    self.modules.insert(module.0);
                }
                ResourceSpecifier::ResourceInstantiation(_, types) => {
                    self.signatures.insert(types.0);
                }
                ResourceSpecifier::Any | ResourceSpecifier::Resource(_) => {}
            }
            match specifier.address {
                AddressSpecifier::Literal(address) => {
                    self.addresses.insert(address.0);
                }
                AddressSpecifier::Parameter(_, Some(function)) => {
                    self.function_instantiations.insert(function.0);
                }
                AddressSpecifier::Any | AddressSpecifier::Parameter(_, None) => {}
            }
        }
    }

    fn code(&mut self, code: &CodeUnit) {
        use Bytecode as B;
        self.signatures.insert(code.locals.0);
        for instruction in &code.code {
            let (set, index) = match *instruction {
                B::LdConst(index) => (&mut self.constants, index.0),
                B::CallGeneric(index) | B::PackClosureGeneric(index, _) => {
                    (&mut self.function_instantiations, index.0)
                }
                B::PackGeneric(index)
                | B::UnpackGeneric(index)
                | B::ExistsGeneric(index)
                | B::MutBorrowGlobalGeneric(index)
                | B::ImmBorrowGlobalGeneric(index)
                | B::MoveFromGeneric(index)
                | B::MoveToGeneric(index) => (&mut self.struct_instantiations, index.0),
                B::MutBorrowField(index) | B::ImmBorrowField(index) => (&mut self.fields, index.0),
                B::MutBorrowFieldGeneric(index) | B::ImmBorrowFieldGeneric(index) => {
                    (&mut self.field_instantiations, index.0)
                }
                B::MutBorrowVariantField(index) | B::ImmBorrowVariantField(index) => {
                    (&mut self.variant_fields, index.0)
                }
                B::MutBorrowVariantFieldGeneric(index) | B::ImmBorrowVariantFieldGeneric(index) => {
                    (&mut self.variant_field_instantiations, index.0)
                }
                B::PackVariant(index) | B::UnpackVariant(index) | B::TestVariant(index) => {
                    (&mut self.variants, index.0)
                }
                B::PackVariantGeneric(index)
                | B::UnpackVariantGeneric(index)
                | B::TestVariantGeneric(index) => (&mut self.variant_instantiations, index.0),
                B::CallClosure(index)
                | B::VecPack(index, _)
                | B::VecUnpack(index, _)
                | B::VecLen(index)
                | B::VecImmBorrow(index)
                | B::VecMutBorrow(index)
                | B::VecPushBack(index)
                | B::VecPopBack(index)
                | B::VecSwap(index) => (&mut self.signatures, index.0),
                _ => continue,
            };
            set.insert(index);
        }
    }
}
