//! Limits on what a module defines and on the size of its types (verifier spec §1). Linear.

use crate::{VerifierConfig, VerifierError, VerifierResult};
use monomove_format::{CompiledModule, SignatureToken, StructFieldInformation};
use monomove_types::StatusCode;

pub(crate) fn verify(module: &CompiledModule, config: &VerifierConfig) -> VerifierResult {
    function_handles(module, config)?;
    struct_handles(module, config)?;
    types(module, config)?;
    definitions(module, config)
}

fn at_most(
    count: usize,
    max: Option<usize>,
    status: StatusCode,
    what: impl FnOnce() -> String,
) -> VerifierResult {
    match max {
        Some(max) if count > max => Err(VerifierError::new(
            status,
            format!("{count} {}, at most {max} are allowed", what()),
        )),
        _ => Ok(()),
    }
}

fn function_handles(module: &CompiledModule, config: &VerifierConfig) -> VerifierResult {
    for (index, handle) in module.function_handles.iter().enumerate() {
        let place = |what: &str| format!("{what} of function handle {index}");
        at_most(
            handle.type_parameters.len(),
            config.max_type_parameters,
            StatusCode::TOO_MANY_TYPE_PARAMETERS,
            || place("type parameters"),
        )?;
        at_most(
            module.signature_at(handle.parameters).len(),
            config.max_function_parameters,
            StatusCode::TOO_MANY_PARAMETERS,
            || place("parameters"),
        )?;
        at_most(
            module.signature_at(handle.return_).len(),
            config.max_function_return_values,
            StatusCode::TOO_MANY_PARAMETERS,
            || place("results"),
        )?;
    }
    Ok(())
}

fn struct_handles(module: &CompiledModule, config: &VerifierConfig) -> VerifierResult {
    for (index, handle) in module.struct_handles.iter().enumerate() {
        at_most(
            handle.type_parameters.len(),
            config.max_type_parameters,
            StatusCode::TOO_MANY_TYPE_PARAMETERS,
            || format!("type parameters of struct handle {index}"),
        )?;
    }
    Ok(())
}

fn types(module: &CompiledModule, config: &VerifierConfig) -> VerifierResult {
    for token in module.signatures.iter().flat_map(|list| &list.0) {
        type_size(token, config)?;
    }
    for constant in &module.constant_pool {
        type_size(&constant.type_, config)?;
    }
    for definition in &module.struct_defs {
        match &definition.field_information {
            StructFieldInformation::Native => {}
            StructFieldInformation::Declared(fields) => {
                for field in fields {
                    type_size(&field.signature.0, config)?;
                }
            }
            StructFieldInformation::DeclaredVariants(variants) => {
                for field in variants.iter().flat_map(|variant| &variant.fields) {
                    type_size(&field.signature.0, config)?;
                }
            }
        }
    }
    Ok(())
}

fn type_size(token: &SignatureToken, config: &VerifierConfig) -> VerifierResult {
    let mut nodes = 0;
    let mut stack = vec![(token, 1)];
    while let Some((token, depth)) = stack.pop() {
        nodes += match token {
            SignatureToken::Struct(_)
            | SignatureToken::StructInstantiation(..)
            | SignatureToken::TypeParameter(_) => 4,
            _ => 1,
        };
        if let SignatureToken::Function(parameters, results, _) = token {
            at_most(
                parameters.len(),
                config.max_function_parameters,
                StatusCode::TOO_MANY_PARAMETERS,
                || "parameters of a function type".to_owned(),
            )?;
            at_most(
                results.len(),
                config.max_function_return_values,
                StatusCode::TOO_MANY_PARAMETERS,
                || "results of a function type".to_owned(),
            )?;
        }
        at_most(
            nodes,
            config.max_type_nodes,
            StatusCode::TOO_MANY_TYPE_NODES,
            || "nodes in a type".to_owned(),
        )?;
        at_most(
            depth,
            config.max_type_depth,
            StatusCode::TOO_MANY_TYPE_NODES,
            || "types inside each other".to_owned(),
        )?;
        let children = stack.len();
        stack.extend(token.children().map(|child| (child, depth + 1)));
        stack[children..].reverse();
    }
    Ok(())
}

fn definitions(module: &CompiledModule, config: &VerifierConfig) -> VerifierResult {
    at_most(
        module.function_defs.len(),
        config.max_function_definitions,
        StatusCode::MAX_FUNCTION_DEFINITIONS_REACHED,
        || "functions".to_owned(),
    )?;
    at_most(
        module.struct_defs.len(),
        config.max_struct_definitions,
        StatusCode::MAX_STRUCT_DEFINITIONS_REACHED,
        || "structs".to_owned(),
    )?;
    for (index, definition) in module.struct_defs.iter().enumerate() {
        let fields = |count: usize| {
            at_most(
                count,
                config.max_fields_in_struct,
                StatusCode::MAX_FIELD_DEFINITIONS_REACHED,
                || format!("fields of struct {index}"),
            )
        };
        match &definition.field_information {
            StructFieldInformation::Native => {}
            StructFieldInformation::Declared(declared) => fields(declared.len())?,
            StructFieldInformation::DeclaredVariants(variants) => {
                at_most(
                    variants.len(),
                    config.max_struct_variants,
                    StatusCode::MAX_STRUCT_VARIANTS_REACHED,
                    || format!("variants of enum {index}"),
                )?;
                for variant in variants {
                    fields(variant.fields.len())?;
                }
            }
        }
    }
    Ok(())
}
