//! How many fields and parameters instructions name.

use monomove_format::{
    Bytecode, CompiledModule, FunctionHandleIndex, StructDefinitionIndex, StructFieldInformation,
    StructVariantHandleIndex,
};

/// The fields of the struct or variant that an instruction packs or unpacks.
pub(crate) fn members(module: &CompiledModule, instruction: &Bytecode) -> Option<usize> {
    use Bytecode as B;
    match instruction {
        B::Pack(at) | B::Unpack(at) => of_struct(module, *at),
        B::PackGeneric(at) | B::UnpackGeneric(at) => {
            of_struct(module, module.struct_instantiation_at(*at).def)
        }
        B::PackVariant(at) | B::UnpackVariant(at) => of_variant(module, *at),
        B::PackVariantGeneric(at) | B::UnpackVariantGeneric(at) => {
            of_variant(module, module.struct_variant_instantiation_at(*at).handle)
        }
        _ => None,
    }
}

fn of_struct(module: &CompiledModule, at: StructDefinitionIndex) -> Option<usize> {
    match &module.struct_def_at(at).field_information {
        StructFieldInformation::Declared(fields) => Some(fields.len()),
        _ => None,
    }
}

fn of_variant(module: &CompiledModule, at: StructVariantHandleIndex) -> Option<usize> {
    let handle = module.struct_variant_handle_at(at);
    match &module.struct_def_at(handle.struct_index).field_information {
        StructFieldInformation::DeclaredVariants(variants) => {
            Some(variants.get(usize::from(handle.variant))?.fields.len())
        }
        _ => None,
    }
}

/// The function that an instruction calls or captures.
pub(crate) fn callee(
    module: &CompiledModule,
    instruction: &Bytecode,
) -> Option<FunctionHandleIndex> {
    use Bytecode as B;
    match instruction {
        B::Call(at) | B::PackClosure(at, _) => Some(*at),
        B::CallGeneric(at) | B::PackClosureGeneric(at, _) => {
            Some(module.function_instantiation_at(*at).handle)
        }
        _ => None,
    }
}

/// Its parameters.
pub(crate) fn parameters(module: &CompiledModule, instruction: &Bytecode) -> Option<usize> {
    let handle = module.function_handle_at(callee(module, instruction)?);
    Some(module.signature_at(handle.parameters).len())
}
