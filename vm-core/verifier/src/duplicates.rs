//! Tables are sets, and what a module claims to define it defines (verifier spec §4).

use crate::{Unit, VerifierError, VerifierResult};
use monomove_format::{
    CompiledModule, FieldDefinition, FunctionDefinitionIndex, StructFieldInformation,
};
use monomove_types::StatusCode;
use std::collections::BTreeSet;

pub(crate) fn verify(module: &CompiledModule, unit: Unit) -> VerifierResult {
    unique("identifier", module.identifiers.iter())?;
    unique("address", module.address_identifiers.iter())?;
    unique("constant", module.constant_pool.iter())?;
    unique("signature", module.signatures.iter())?;
    unique("module handle", module.module_handles.iter())?;
    unique("friend declaration", module.friend_decls.iter())?;
    unique(
        "struct handle",
        module
            .struct_handles
            .iter()
            .map(|handle| (handle.module, handle.name)),
    )?;
    unique(
        "function handle",
        module
            .function_handles
            .iter()
            .map(|handle| (handle.module, handle.name)),
    )?;
    unique(
        "function instantiation",
        module.function_instantiations.iter(),
    )?;
    if unit == Unit::Script {
        return Ok(());
    }
    unique("field handle", module.field_handles.iter())?;
    unique("field instantiation", module.field_instantiations.iter())?;
    unique("variant field handle", module.variant_field_handles.iter())?;
    unique(
        "variant field instantiation",
        module.variant_field_instantiations.iter(),
    )?;
    unique("variant handle", module.struct_variant_handles.iter())?;
    unique(
        "variant instantiation",
        module.struct_variant_instantiations.iter(),
    )?;
    unique(
        "struct instantiation",
        module.struct_def_instantiations.iter(),
    )?;
    function_definitions(module)?;
    struct_definitions(module)
}

fn unique<T: Ord>(what: &str, elements: impl Iterator<Item = T>) -> VerifierResult {
    let mut seen = BTreeSet::new();
    for (index, element) in elements.enumerate() {
        if !seen.insert(element) {
            return Err(VerifierError::new(
                StatusCode::DUPLICATE_ELEMENT,
                format!("{what} {index} is there already"),
            ));
        }
    }
    Ok(())
}

fn function_definitions(module: &CompiledModule) -> VerifierResult {
    unique(
        "function definition",
        module
            .function_defs
            .iter()
            .map(|definition| definition.function),
    )?;
    for (index, definition) in (0..=u16::MAX).zip(&module.function_defs) {
        let mut seen = BTreeSet::new();
        let mut acquired = definition.acquires_global_resources.iter();
        if let Some(twice) = acquired.find(|acquired| !seen.insert(**acquired)) {
            return Err(VerifierError::new(
                StatusCode::DUPLICATE_ACQUIRES_ANNOTATION,
                format!("struct {twice} is acquired twice"),
            )
            .in_function(FunctionDefinitionIndex(index)));
        }
    }
    let mut implemented = vec![false; module.function_handles.len()];
    for (index, definition) in (0..=u16::MAX).zip(&module.function_defs) {
        if module.handle_of_definition(definition).module != module.self_module_handle_idx {
            return Err(VerifierError::new(
                StatusCode::INVALID_MODULE_HANDLE,
                "definition of a function of another module",
            )
            .in_function(FunctionDefinitionIndex(index)));
        }
        implemented[definition.function.into_index()] = true;
    }
    for (index, handle) in module.function_handles.iter().enumerate() {
        if handle.module == module.self_module_handle_idx && !implemented[index] {
            return Err(unimplemented("function", index));
        }
    }
    Ok(())
}

fn struct_definitions(module: &CompiledModule) -> VerifierResult {
    unique(
        "struct definition",
        module
            .struct_defs
            .iter()
            .map(|definition| definition.struct_handle),
    )?;
    let mut implemented = vec![false; module.struct_handles.len()];
    for (index, definition) in module.struct_defs.iter().enumerate() {
        match &definition.field_information {
            StructFieldInformation::Native => {}
            StructFieldInformation::Declared(fields) => {
                if fields.is_empty() {
                    return Err(VerifierError::new(
                        StatusCode::ZERO_SIZED_STRUCT,
                        format!("struct {index} has no fields"),
                    ));
                }
                unique_fields(fields)?;
            }
            StructFieldInformation::DeclaredVariants(variants) => {
                unique("variant name", variants.iter().map(|variant| variant.name))?;
                for variant in variants {
                    unique_fields(&variant.fields)?;
                }
            }
        }
    }
    for (index, definition) in module.struct_defs.iter().enumerate() {
        let handle = module.struct_handle_at(definition.struct_handle);
        if handle.module != module.self_module_handle_idx {
            return Err(VerifierError::new(
                StatusCode::INVALID_MODULE_HANDLE,
                format!("struct {index} is defined for another module"),
            ));
        }
        implemented[definition.struct_handle.into_index()] = true;
    }
    for (index, handle) in module.struct_handles.iter().enumerate() {
        if handle.module == module.self_module_handle_idx && !implemented[index] {
            return Err(unimplemented("struct", index));
        }
    }
    Ok(())
}

fn unique_fields(fields: &[FieldDefinition]) -> VerifierResult {
    unique("field name", fields.iter().map(|field| field.name))
}

fn unimplemented(what: &str, index: usize) -> VerifierError {
    VerifierError::new(
        StatusCode::UNIMPLEMENTED_HANDLE,
        format!("{what} handle {index} belongs to the module and has no definition"),
    )
}
