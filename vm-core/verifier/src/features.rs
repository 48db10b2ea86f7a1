//! Feature gate: what the configuration has switched off must not occur (verifier spec §3).

use crate::{VerifierConfig, VerifierError, VerifierResult};
use monomove_format::{
    Bytecode, CompiledModule, FunctionDefinitionIndex, SignatureToken, StructFieldInformation,
};
use monomove_types::StatusCode;

pub(crate) fn verify(module: &CompiledModule, config: &VerifierConfig) -> VerifierResult {
    if !config.enum_types {
        enums(module)?;
    }
    if !config.resource_access_control {
        access_specifiers(module)?;
    }
    if !config.function_values {
        function_values(module)?;
    }
    Ok(())
}

fn disabled(what: &str) -> VerifierError {
    VerifierError::new(
        StatusCode::FEATURE_NOT_ENABLED,
        format!("{what} are not enabled"),
    )
}

fn enums(module: &CompiledModule) -> VerifierResult {
    let is_enum = |fields: &StructFieldInformation| {
        matches!(fields, StructFieldInformation::DeclaredVariants(_))
    };
    if module
        .struct_defs
        .iter()
        .any(|definition| is_enum(&definition.field_information))
    {
        return Err(disabled("enum types"));
    }
    Ok(())
}

fn access_specifiers(module: &CompiledModule) -> VerifierResult {
    if module
        .function_handles
        .iter()
        .any(|handle| handle.access_specifiers.is_some())
    {
        return Err(disabled("access specifiers"));
    }
    Ok(())
}

fn function_values(module: &CompiledModule) -> VerifierResult {
    let fields = module.struct_defs.iter().flat_map(|definition| {
        let (fields, variants) = match &definition.field_information {
            StructFieldInformation::Declared(fields) => (fields.as_slice(), [].as_slice()),
            other => ([].as_slice(), other.variants()),
        };
        fields
            .iter()
            .chain(variants.iter().flat_map(|variant| &variant.fields))
    });
    let types = module
        .signatures
        .iter()
        .flat_map(|signature| &signature.0)
        .chain(fields.map(|field| &field.signature.0));
    for token in types {
        if token
            .preorder()
            .any(|inner| matches!(inner, SignatureToken::Function(..)))
        {
            return Err(disabled("function types"));
        }
    }
    if module
        .function_handles
        .iter()
        .any(|handle| !handle.attributes.is_empty())
    {
        return Err(disabled("function attributes"));
    }
    for (index, definition) in (0..=u16::MAX).zip(&module.function_defs) {
        let code = definition.code.iter().flat_map(|unit| &unit.code);
        for (offset, instruction) in (0..=u16::MAX).zip(code) {
            if matches!(
                instruction,
                Bytecode::PackClosure(..)
                    | Bytecode::PackClosureGeneric(..)
                    | Bytecode::CallClosure(_)
            ) {
                return Err(disabled("function values").at(FunctionDefinitionIndex(index), offset));
            }
        }
    }
    Ok(())
}
