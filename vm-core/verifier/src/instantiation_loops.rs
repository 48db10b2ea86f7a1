//! Generic functions must not call each other with ever larger type arguments (verifier spec §9).
//!
//! Nodes are the type parameters of the functions with code. A call that passes a type mentioning parameter `T` of the caller for parameter `U`
//! of the callee is an edge from `T` to `U`, a growing one if the type is not `T` alone. A cycle with a growing edge would need infinitely many instances.

use crate::graph::Graph;
use crate::{Meter, VerifierError, VerifierResult};
use monomove_format::{
    Bytecode, CompiledModule, FunctionInstantiationIndex, Signature, SignatureToken,
    TypeParameterIndex,
};
use monomove_types::StatusCode;
use std::collections::BTreeSet;

/// Units of the meter for an edge: what it costs in memory, in the order of the other passes' units.
const UNITS_PER_EDGE: u64 = 8;

/// What the type arguments of a call make of the caller's parameters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Flow {
    from: TypeParameterIndex,
    to: u32,
    grows: bool,
}

pub(crate) fn verify(module: &CompiledModule, meter: &mut Meter) -> VerifierResult {
    // The first node of each function, by handle; none for functions of other modules.
    let mut nodes = 0u32;
    let mut first_node = vec![None; module.function_handles.len()];
    for definition in &module.function_defs {
        first_node[definition.function.into_index()] = Some(nodes);
        let parameters = module
            .handle_of_definition(definition)
            .type_parameters
            .len();
        nodes = nodes.saturating_add(parameters as u32);
    }
    let mut flows: Vec<Option<Vec<Flow>>> = vec![None; module.signatures.len()];
    let mut edges: Vec<(u32, u32)> = Vec::new();
    let mut growing: Vec<(u32, u32)> = Vec::new();
    for definition in &module.function_defs {
        let Some(first) = first_node[definition.function.into_index()] else {
            continue;
        };
        let called: BTreeSet<FunctionInstantiationIndex> = definition
            .code
            .iter()
            .flat_map(|unit| &unit.code)
            .filter_map(|instruction| match instruction {
                Bytecode::CallGeneric(index) | Bytecode::PackClosureGeneric(index, _) => {
                    Some(*index)
                }
                _ => None,
            })
            .collect();
        for index in called {
            let instantiation = module.function_instantiation_at(index);
            let Some(target) = first_node[instantiation.handle.into_index()] else {
                continue;
            };
            let arguments = instantiation.type_parameters;
            let flows = flows[arguments.into_index()]
                .get_or_insert_with(|| flows_of(module.signature_at(arguments)));
            meter.add_items(UNITS_PER_EDGE, flows.len())?;
            for flow in flows.iter() {
                let edge = (first + u32::from(flow.from), target + flow.to);
                edges.push(edge);
                if flow.grows {
                    growing.push(edge);
                }
            }
        }
    }
    if growing.is_empty() {
        return Ok(());
    }
    let component = Graph::new(nodes as usize, edges.iter().copied()).components();
    if growing
        .iter()
        .any(|(from, to)| component[*from as usize] == component[*to as usize])
    {
        return Err(VerifierError::new(
            StatusCode::LOOP_IN_INSTANTIATION_GRAPH,
            "a cycle of calls makes type arguments grow",
        ));
    }
    Ok(())
}

fn flows_of(arguments: &Signature) -> Vec<Flow> {
    let mut flows = Vec::new();
    for (to, argument) in (0u32..).zip(&arguments.0) {
        for token in argument.preorder() {
            if let SignatureToken::TypeParameter(from) = token {
                flows.push(Flow {
                    from: *from,
                    to,
                    grows: !std::ptr::eq(token, argument),
                });
            }
        }
    }
    flows.sort_unstable();
    flows.dedup();
    flows
}
