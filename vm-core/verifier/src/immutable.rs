//! Immutable functions call only immutable functions and natives of their own module (verifier spec §10, version 11 and later).

use crate::{VerifierError, VerifierResult};
use monomove_format::{
    Bytecode, CompiledModule, FunctionAttribute, FunctionDefinition, FunctionHandleIndex,
};
use monomove_types::StatusCode;
use std::collections::BTreeSet;

/// First binary version that has the attribute.
pub(crate) const FIRST_VERSION: u32 = 11;

/// The native functions that the module defines.
pub(crate) fn own_natives(module: &CompiledModule) -> BTreeSet<FunctionHandleIndex> {
    module
        .function_defs
        .iter()
        .filter(|definition| definition.is_native())
        .map(|definition| definition.function)
        .collect()
}

/// Checks one function; the offset of an error is that of the call.
pub(crate) fn verify(
    module: &CompiledModule,
    definition: &FunctionDefinition,
    own_natives: &BTreeSet<FunctionHandleIndex>,
) -> VerifierResult {
    let is_immutable = |function: FunctionHandleIndex| {
        let attributes = &module.function_handle_at(function).attributes;
        attributes.contains(&FunctionAttribute::Immutable)
    };
    if !is_immutable(definition.function) {
        return Ok(());
    }
    let code = definition.code.iter().flat_map(|unit| &unit.code);
    for (offset, instruction) in (0..=u16::MAX).zip(code) {
        let callee = match instruction {
            Bytecode::Call(index) | Bytecode::PackClosure(index, _) => *index,
            Bytecode::CallGeneric(index) | Bytecode::PackClosureGeneric(index, _) => {
                module.function_instantiation_at(*index).handle
            }
            _ => continue,
        };
        if !is_immutable(callee) && !own_natives.contains(&callee) {
            return Err(VerifierError {
                code_offset: Some(offset),
                ..VerifierError::new(
                    StatusCode::IMMUTABLE_FUNCTION_CALLS_NON_IMMUTABLE,
                    "an immutable function calls one that is not",
                )
            });
        }
    }
    Ok(())
}
