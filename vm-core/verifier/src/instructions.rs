//! Instructions agree with what they name: generic forms with generic members, plain forms with plain ones (verifier spec §6).

use crate::{VerifierError, VerifierResult};
use monomove_format::{
    Bytecode, ClosureMask, CompiledModule, FunctionDefinitionIndex, FunctionHandle,
    FunctionHandleIndex, StructDefinitionIndex,
};
use monomove_types::StatusCode;

/// Most elements that a vector is packed from or unpacked to.
const MAX_VECTOR_LITERAL: u64 = 65535;

pub(crate) fn verify(module: &CompiledModule) -> VerifierResult {
    for (index, definition) in (0..=u16::MAX).zip(&module.function_defs) {
        let code = definition.code.iter().flat_map(|unit| &unit.code);
        for (offset, instruction) in (0..=u16::MAX).zip(code) {
            verify_instruction(module, instruction)
                .map_err(|error| error.at(FunctionDefinitionIndex(index), offset))?;
        }
    }
    Ok(())
}

fn verify_instruction(module: &CompiledModule, instruction: &Bytecode) -> VerifierResult {
    use Bytecode as B;
    match instruction {
        B::MutBorrowField(index) | B::ImmBorrowField(index) => {
            member(module, module.field_handle_at(*index).owner, false)
        }
        B::MutBorrowFieldGeneric(index) | B::ImmBorrowFieldGeneric(index) => {
            let field = module.field_instantiation_at(*index).handle;
            member(module, module.field_handle_at(field).owner, true)
        }
        B::MutBorrowVariantField(index) | B::ImmBorrowVariantField(index) => member(
            module,
            module.variant_field_handle_at(*index).struct_index,
            false,
        ),
        B::MutBorrowVariantFieldGeneric(index) | B::ImmBorrowVariantFieldGeneric(index) => {
            let field = module.variant_field_instantiation_at(*index).handle;
            member(
                module,
                module.variant_field_handle_at(field).struct_index,
                true,
            )
        }
        B::PackVariant(index) | B::UnpackVariant(index) | B::TestVariant(index) => member(
            module,
            module.struct_variant_handle_at(*index).struct_index,
            false,
        ),
        B::PackVariantGeneric(index)
        | B::UnpackVariantGeneric(index)
        | B::TestVariantGeneric(index) => {
            let variant = module.struct_variant_instantiation_at(*index).handle;
            member(
                module,
                module.struct_variant_handle_at(variant).struct_index,
                true,
            )
        }
        B::Pack(index)
        | B::Unpack(index)
        | B::Exists(index)
        | B::MutBorrowGlobal(index)
        | B::ImmBorrowGlobal(index)
        | B::MoveFrom(index)
        | B::MoveTo(index) => member(module, *index, false),
        B::PackGeneric(index)
        | B::UnpackGeneric(index)
        | B::ExistsGeneric(index)
        | B::MutBorrowGlobalGeneric(index)
        | B::ImmBorrowGlobalGeneric(index)
        | B::MoveFromGeneric(index)
        | B::MoveToGeneric(index) => {
            member(module, module.struct_instantiation_at(*index).def, true)
        }
        B::Call(index) => function(module, *index, false).map(drop),
        B::CallGeneric(index) => function(
            module,
            module.function_instantiation_at(*index).handle,
            true,
        )
        .map(drop),
        B::PackClosure(index, captured) => {
            mask(module, function(module, *index, false)?, *captured)
        }
        B::PackClosureGeneric(index, captured) => {
            let handle = module.function_instantiation_at(*index).handle;
            mask(module, function(module, handle, true)?, *captured)
        }
        B::VecPack(_, count) | B::VecUnpack(_, count) if *count > MAX_VECTOR_LITERAL => {
            Err(VerifierError::new(
                StatusCode::CONSTRAINT_NOT_SATISFIED,
                format!("{count} elements of a vector at once"),
            ))
        }
        _ => Ok(()),
    }
}

fn member(module: &CompiledModule, owner: StructDefinitionIndex, generic: bool) -> VerifierResult {
    let handle = module.struct_handle_at(module.struct_def_at(owner).struct_handle);
    agree(!handle.type_parameters.is_empty(), generic)
}

fn function(
    module: &CompiledModule,
    index: FunctionHandleIndex,
    generic: bool,
) -> VerifierResult<&FunctionHandle> {
    let handle = module.function_handle_at(index);
    agree(!handle.type_parameters.is_empty(), generic)?;
    Ok(handle)
}

fn agree(is_generic: bool, instruction_is_generic: bool) -> VerifierResult {
    if is_generic == instruction_is_generic {
        return Ok(());
    }
    let message = if is_generic {
        "plain instruction with a generic member"
    } else {
        "generic instruction with a member that is not generic"
    };
    Err(VerifierError::new(
        StatusCode::GENERIC_MEMBER_OPCODE_MISMATCH,
        message,
    ))
}

fn mask(module: &CompiledModule, handle: &FunctionHandle, captured: ClosureMask) -> VerifierResult {
    let parameters = module.signature_at(handle.parameters).len();
    match captured.max_captured() {
        Some(last) if last as usize >= parameters => Err(VerifierError::new(
            StatusCode::INVALID_CLOSURE_MASK,
            format!("parameter {last} of {parameters} is captured"),
        )),
        _ => Ok(()),
    }
}
