//! What calls do to references: a callee may return any part of what it is given.

use super::graph::NodeId;
use super::path::{Label, PathId};
use super::{Pass, VerifierResult};
use crate::code::function::borrowed_field;
use monomove_format::{
    FunctionHandle, FunctionHandleIndex, SignatureIndex, SignatureToken, StructDefinitionIndex,
};
use monomove_types::StatusCode;

/// Units for each resource that a callee acquires.
const ACQUIRED: u64 = 100;
/// Units for the first edge from an argument to a result; each further one costs half as much again as the one before.
const EDGE: u64 = 100;

impl Pass<'_, '_, '_> {
    pub(super) fn call(&mut self, index: FunctionHandleIndex) -> VerifierResult {
        let module = self.function.module;
        let handle = module.function_handle_at(index);
        if let Some(label) = self.trusted_field(handle) {
            return self.borrow_through_call(label);
        }
        self.call_signature(
            module.signature_at(handle.parameters).tokens(),
            module.signature_at(handle.return_).tokens(),
            self.function.scope.acquires(index),
        )
    }

    pub(super) fn call_closure(&mut self, index: SignatureIndex) -> VerifierResult {
        let module = self.function.module;
        self.pop_released()?;
        match module.signature_at(index).tokens() {
            [SignatureToken::Function(parameters, results, _)] => {
                self.call_signature(parameters, results, &[])
            }
            _ => Err(self.function.broken(self.offset)),
        }
    }

    /// The field that a function of the struct API borrows. Its attribute is checked where it is defined, and by the linker.
    fn trusted_field(&self, handle: &FunctionHandle) -> Option<Label> {
        let field = borrowed_field(handle)?;
        let module = self.function.module;
        match module.signature_at(handle.parameters).tokens() {
            [SignatureToken::MutableReference(owner)] => match **owner {
                SignatureToken::Struct(owner) | SignatureToken::StructInstantiation(owner, _) => {
                    Some(Label::Field(owner, field))
                }
                _ => None,
            },
            _ => None,
        }
        .filter(|_| {
            matches!(
                module.signature_at(handle.return_).tokens(),
                [SignatureToken::MutableReference(_)]
            )
        })
    }

    /// A call of a function that does what the instruction for borrowing a field does.
    fn borrow_through_call(&mut self, label: Label) -> VerifierResult {
        let Some(reference) = self.pop()? else {
            return Err(self.function.broken(self.offset));
        };
        self.field_is_free(true, reference, label)?;
        let path = self.frame.paths.single(label);
        let field = self.frame.graph.add_node(true);
        self.add_strong(reference, path, field)?;
        self.release(Some(reference))?;
        self.push(Some(field));
        Ok(())
    }

    fn call_signature(
        &mut self,
        parameters: &[SignatureToken],
        results: &[SignatureToken],
        acquires: &[StructDefinitionIndex],
    ) -> VerifierResult {
        self.meter.add_items(ACQUIRED, acquires.len())?;
        let first = match self.stack.len().checked_sub(parameters.len()) {
            Some(first) => first,
            None => return Err(self.function.broken(self.offset)),
        };
        let references: Vec<NodeId> = self.stack.drain(first..).flatten().collect();
        for &resource in acquires {
            self.global_is_free(resource)?;
        }
        for &reference in &references {
            self.require(
                !self.is_mutable(reference) || self.is_writable(reference),
                StatusCode::CALL_BORROWED_MUTABLE_REFERENCE_ERROR,
                "a mutable reference that is passed is borrowed",
            )?;
        }
        let returned = results.iter().filter(|token| token.is_reference()).count();
        self.charge_edges(references.len().saturating_mul(returned))?;
        for token in results {
            if !token.is_reference() {
                self.push(None);
                continue;
            }
            let is_mutable = token.is_mutable_reference();
            let result = self.frame.graph.add_node(is_mutable);
            for &reference in &references {
                if !is_mutable || self.is_mutable(reference) {
                    self.frame.graph.add_weak(reference, PathId::EMPTY, result);
                }
            }
            self.push(Some(result));
        }
        for reference in references {
            self.release(Some(reference))?;
        }
        Ok(())
    }

    /// Counts edges from arguments to results, which make graphs grow fast.
    fn charge_edges(&mut self, count: usize) -> VerifierResult {
        let mut units = EDGE;
        for _ in 0..count {
            self.meter.add(units)?;
            units = units.saturating_add(units / 2);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::code::testing::*;

    #[test]
    fn accepts() {
        accept(
            "fun g(a: &u64, b: &u64): &u64\n move_loc a\n ret\nfun f(a: &u64): &u64\n copy_loc a\n move_loc a\n call g\n ret\n",
        );
        accept(
            "fun g(a: &mut u64): (&mut u64, &mut u64)\n ld_u64 1\n abort\nfun f(a: &mut u64)\n move_loc a\n call g\n pop\n pop\n ret\n",
        );
        // Trusted to borrow no more than their fields.
        accept(
            "struct S\n a: u64\n b: u64\n#[borrow_mut(0)] fun borrow_mut$S$0(s: &mut S): &mut u64\n move_loc s\n mut_borrow_field S, a\n ret\n#[borrow_mut(1)] fun borrow_mut$S$1(s: &mut S): &mut u64\n move_loc s\n mut_borrow_field S, b\n ret\nfun f(s: &mut S): (&mut u64, &mut u64)\n copy_loc s\n call borrow_mut$S$0\n move_loc s\n call borrow_mut$S$1\n ret\n",
        );
    }

    #[test]
    fn rejects() {
        refuse(
            "fun f(a: &mut u64)\n copy_loc a\n move_loc a\n call g\n ret\nfun g(a: &mut u64, b: &mut u64)\n ret\n",
            1046,
            2,
        );
        refuse(
            "fun f(a: &mut u64)\n local r: &mut u64\n copy_loc a\n call g\n st_loc r\n ld_u64 1\n move_loc a\n write_ref\n ret\nfun g(a: &mut u64): &mut u64\n move_loc a\n ret\n",
            1054,
            5,
        );
        refuse(
            "fun f(a: &mut u64, g: |&mut u64, &mut u64|)\n copy_loc a\n move_loc a\n move_loc g\n call_closure <|&mut u64, &mut u64|>\n ret\n",
            1046,
            3,
        );
        refuse(
            "struct R has key\n x: u64\nfun f(a: address) acquires R\n local r: &R\n copy_loc a\n borrow_global R\n st_loc r\n move_loc a\n call g\n ret\nfun g(a: address) acquires R\n move_loc a\n borrow_global R\n pop\n ret\n",
            1074,
            4,
        );
        refuse(
            "fun f(x: u64): &u64\n local y: &u64\n borrow_loc x\n call g\n ret\nfun g(a: &u64): &u64\n move_loc a\n ret\n",
            1029,
            2,
        );
        // More edges at once than the meter allows.
        let wide = |parameters: usize| {
            let list: Vec<String> = (0..parameters).map(|i| format!("a{i}: &u64")).collect();
            let copies = " copy_loc a0\n".repeat(parameters);
            format!(
                "fun f(a0: &u64)\n{copies} call g\n pop\n ret\nfun g({}): &u64\n move_loc a0\n ret\n",
                list.join(", ")
            )
        };
        accept(&wide(16));
        refuse_function(&wide(64), 1075);
    }
}
