//! Structs and enums of a module must not contain themselves, wherever in the type of a field they occur: in a vector, a type argument (phantom
//! too), a function type (verifier spec §9).

use crate::graph::Graph;
use crate::{VerifierError, VerifierResult};
use monomove_format::{CompiledModule, FieldDefinition, SignatureToken, StructFieldInformation};
use monomove_types::StatusCode;

pub(crate) fn verify(module: &CompiledModule) -> VerifierResult {
    let mut definition_of = vec![None; module.struct_handles.len()];
    for (index, definition) in (0u32..).zip(&module.struct_defs) {
        definition_of[definition.struct_handle.into_index()] = Some(index);
    }
    let mut edges = Vec::new();
    for (index, definition) in (0u32..).zip(&module.struct_defs) {
        let from = edges.len();
        let mut field = |field: &FieldDefinition| {
            for token in field.signature.0.preorder() {
                if let SignatureToken::Struct(handle)
                | SignatureToken::StructInstantiation(handle, _) = token
                    && let Some(target) = definition_of[handle.into_index()]
                {
                    edges.push((index, target));
                }
            }
        };
        match &definition.field_information {
            StructFieldInformation::Native => {}
            StructFieldInformation::Declared(fields) => fields.iter().for_each(&mut field),
            StructFieldInformation::DeclaredVariants(variants) => variants
                .iter()
                .flat_map(|variant| &variant.fields)
                .for_each(&mut field),
        }
        edges[from..].sort_unstable();
    }
    edges.dedup();
    let component = Graph::new(module.struct_defs.len(), edges.iter().copied()).components();
    // A component is a cycle if it has an edge inside.
    match edges
        .iter()
        .find(|(from, to)| component[*from as usize] == component[*to as usize])
    {
        None => Ok(()),
        Some((index, _)) => Err(VerifierError::new(
            StatusCode::RECURSIVE_STRUCT_DEFINITION,
            format!("struct {index} contains itself"),
        )),
    }
}
