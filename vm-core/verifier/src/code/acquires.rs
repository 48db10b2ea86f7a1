//! Acquires: the resources that a function borrows or takes, itself or through functions of its module, are those that it lists.

use super::function::Function;
use crate::{VerifierError, VerifierResult};
use monomove_format::{Bytecode, CodeOffset, StructDefinitionIndex};
use monomove_types::StatusCode;
use std::collections::BTreeSet;

/// Checks a function, dead code included.
pub(crate) fn check(function: &Function<'_, '_>) -> VerifierResult {
    let module = function.module;
    let listed: BTreeSet<StructDefinitionIndex> = function
        .definition
        .acquires_global_resources
        .iter()
        .copied()
        .collect();
    let mut acquired = BTreeSet::new();
    for (offset, instruction) in (0..=CodeOffset::MAX).zip(function.code) {
        use Bytecode as B;
        let own;
        let resources = match instruction {
            B::Call(index) => function.scope.acquires(*index),
            B::CallGeneric(index) => function
                .scope
                .acquires(module.function_instantiation_at(*index).handle),
            B::MoveFrom(index) | B::MutBorrowGlobal(index) | B::ImmBorrowGlobal(index) => {
                own = [*index];
                &own
            }
            B::MoveFromGeneric(index)
            | B::MutBorrowGlobalGeneric(index)
            | B::ImmBorrowGlobalGeneric(index) => {
                own = [module.struct_instantiation_at(*index).def];
                &own
            }
            _ => continue,
        };
        for resource in resources {
            if !listed.contains(resource) {
                return Err(function.error(
                    StatusCode::MISSING_ACQUIRES_ANNOTATION,
                    offset,
                    "a resource is acquired that the function does not list",
                ));
            }
            acquired.insert(*resource);
        }
    }
    for resource in listed {
        let error =
            |status, message| Err(VerifierError::new(status, message).in_function(function.index));
        if !acquired.contains(&resource) {
            return error(
                StatusCode::EXTRANEOUS_ACQUIRES_ANNOTATION,
                "a resource is listed that is not acquired",
            );
        }
        let handle = module.struct_def_at(resource).struct_handle;
        if !module.struct_handle_at(handle).abilities.has_key() {
            return error(
                StatusCode::INVALID_ACQUIRES_ANNOTATION,
                "something is listed that is no resource",
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::code::testing::*;

    const R: &str = "struct R has key\n x: u64\nstruct G<T> has key\n x: u64\n";

    #[test]
    fn accepts() {
        accept(&format!(
            "{R}fun f(a: address) acquires R\n move_loc a\n borrow_global R\n pop\n ret\nfun g(a: address) acquires R\n move_loc a\n call f\n ret\n"
        ));
        // Neither existence nor publishing nor packing a closure acquires.
        accept(&format!(
            "{R}fun f(a: address): bool\n move_loc a\n exists R\n ret\n"
        ));
        accept(&format!(
            "{R}fun f(a: &signer, r: R)\n move_loc a\n move_loc r\n move_to R\n ret\n"
        ));
    }

    #[test]
    fn rejects() {
        refuse(
            &format!("{R}fun f(a: address)\n move_loc a\n borrow_global R\n pop\n ret\n"),
            1070,
            1,
        );
        refuse(
            &format!("{R}fun f(a: address)\n move_loc a\n mut_borrow_global G<u8>\n pop\n ret\n"),
            1070,
            1,
        );
        refuse_function(&format!("{R}fun f() acquires R\n ret\n"), 1071);
        refuse_function(
            "struct N has drop\n x: u64\nnative fun g() acquires N\nfun f() acquires N\n call g\n ret\n",
            1073,
        );
    }
}
