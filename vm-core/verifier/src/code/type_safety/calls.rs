//! Type safety of calls and closures.

use super::{Checker, ListId, Type, TypeId, VerifierResult};
use monomove_format::{
    AbilitySet, ClosureMask, FunctionAttribute, FunctionHandleIndex, SignatureIndex,
};
use monomove_types::StatusCode;

impl Checker<'_, '_, '_> {
    pub(super) fn call(&mut self, (parameters, results): (ListId, ListId)) -> VerifierResult {
        for index in (0..self.types.len(parameters)).rev() {
            let parameter = self.element(parameters, index)?;
            let operand = self.pop()?;
            self.require(
                self.types.is_assignable(parameter, operand),
                StatusCode::CALL_TYPE_MISMATCH_ERROR,
                "an argument has another type than the parameter",
            )?;
        }
        self.push_list(results)
    }

    /// The closure can do what a function value of its kind can and all captured values can.
    pub(super) fn pack_closure(
        &mut self,
        function: FunctionHandleIndex,
        (parameters, results): (ListId, ListId),
        mask: ClosureMask,
    ) -> VerifierResult {
        let handle = self.function.module.function_handle_at(function);
        let mut abilities = if handle.attributes.contains(&FunctionAttribute::Persistent) {
            AbilitySet::FUNCTIONS
        } else {
            AbilitySet::PRIVATE_FUNCTIONS
        };
        let mut rest: Vec<TypeId> = Vec::new();
        for index in (0..self.types.len(parameters)).rev() {
            let parameter = self.element(parameters, index)?;
            if !mask.is_captured(index) {
                rest.push(parameter);
                continue;
            }
            let operand = self.pop()?;
            self.require(
                self.types.is_assignable(parameter, operand) && !self.types.is_reference(operand),
                StatusCode::PACK_TYPE_MISMATCH_ERROR,
                "a captured value has another type than the parameter, or is a reference",
            )?;
            abilities = abilities.intersect(self.abilities(operand));
        }
        rest.reverse();
        let rest = self.types.list(&rest);
        let closure = self.types.intern(Type::Function(rest, results, abilities));
        self.push(closure)
    }

    pub(super) fn call_closure(&mut self, index: SignatureIndex) -> VerifierResult {
        let signature = self.types.signature(index);
        let expected = self.element(signature, 0)?;
        let Type::Function(parameters, results, _) = self.types.get(expected) else {
            return Err(self.function.broken(self.offset));
        };
        let closure = self.pop()?;
        self.require(
            self.types.is_assignable(expected, closure),
            StatusCode::CALL_TYPE_MISMATCH_ERROR,
            "what is called is of another type",
        )?;
        self.call((parameters, results))
    }
}

#[cfg(test)]
mod tests {
    use crate::code::testing::*;

    #[test]
    fn accepts() {
        accept("fun g<T>(x: T): T\n move_loc x\n ret\nfun f(): u8\n ld_u8 1\n call g<u8>\n ret\n");
        accept(
            "fun g(x: || has drop)\n ret\nfun f(x: || has copy+drop)\n move_loc x\n call g\n ret\n",
        );
        accept(
            "fun g(a: u8, b: u64, c: bool)\n ret\nfun f()\n ld_u8 1\n ld_true\n ld_u64 1\n pack_closure g, 2\n call_closure <|u8, bool| has drop>\n ret\n",
        );
        accept(
            "#[persistent] fun g(a: u8)\n ret\nfun f(): (|| has copy+drop+store)\n ld_u8 1\n pack_closure g, 1\n ret\n",
        );
    }

    #[test]
    fn rejects() {
        refuse(
            "fun f(x: &mut u64)\n move_loc x\n call g\n ret\nfun g(x: &u64)\n ret\n",
            1045,
            1,
        );
        refuse(
            "fun f(x: || has drop)\n move_loc x\n call g\n ret\nfun g(x: || has copy+drop)\n ret\n",
            1045,
            1,
        );
        refuse(
            "fun f(x: |u8|)\n ld_u64 1\n move_loc x\n call_closure <|u8|>\n ret\n",
            1045,
            2,
        );
        refuse(
            "fun f(x: |u8|)\n ld_u8 1\n move_loc x\n call_closure <|u64|>\n ret\n",
            1045,
            2,
        );
        refuse(
            "fun f()\n ld_u8 1\n pack_closure g, 1\n pop\n ret\nfun g(a: bool)\n ret\n",
            1047,
            1,
        );
        refuse(
            "fun f(r: &u64)\n move_loc r\n pack_closure g, 1\n pop\n ret\nfun g(a: &u64)\n ret\n",
            1047,
            1,
        );
        // Abilities of closures.
        refuse(
            "fun f(): (|| has store)\n pack_closure g, 0\n ret\npublic fun g()\n ret\n",
            1030,
            1,
        );
        refuse(
            "fun f(s: signer): (|| has copy)\n move_loc s\n pack_closure g, 1\n ret\nfun g(s: signer)\n ret\n",
            1030,
            2,
        );
        refuse("fun f(): (bool, u8)\n ld_u8 1\n ld_true\n ret\n", 1030, 2);
        refuse(
            "fun f()\n local x: u8\n ld_true\n st_loc x\n ret\n",
            1027,
            1,
        );
        refuse(
            "struct N\n x: u8\nfun f(x: N)\n move_loc x\n pop\n ret\n",
            1023,
            1,
        );
        refuse(
            "fun f(x: signer): (signer, signer)\n copy_loc x\n move_loc x\n ret\n",
            1038,
            0,
        );
    }
}
