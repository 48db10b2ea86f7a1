//! Type safety of global storage.

use super::{Checker, Type, TypeId, VerifierResult};
use monomove_types::StatusCode;

impl Checker<'_, '_, '_> {
    pub(super) fn exists(&mut self, type_: TypeId) -> VerifierResult {
        let operand = self.pop()?;
        let abilities = self.abilities(type_);
        self.require(
            operand == TypeId::ADDRESS && abilities.has_key(),
            StatusCode::EXISTS_WITHOUT_KEY_ABILITY_OR_BAD_ARGUMENT,
            "no address, or no resource",
        )?;
        self.push(TypeId::BOOL)
    }

    pub(super) fn borrow_global(&mut self, mutable: bool, type_: TypeId) -> VerifierResult {
        let operand = self.pop()?;
        self.require(
            operand == TypeId::ADDRESS,
            StatusCode::BORROWGLOBAL_TYPE_MISMATCH_ERROR,
            "no address",
        )?;
        let abilities = self.abilities(type_);
        self.require(
            abilities.has_key(),
            StatusCode::BORROWGLOBAL_WITHOUT_KEY_ABILITY,
            "what is borrowed is no resource",
        )?;
        self.push_reference(mutable, type_)
    }

    pub(super) fn move_from(&mut self, type_: TypeId) -> VerifierResult {
        let operand = self.pop()?;
        let abilities = self.abilities(type_);
        self.require(
            abilities.has_key(),
            StatusCode::MOVEFROM_WITHOUT_KEY_ABILITY,
            "what is taken is no resource",
        )?;
        self.require(
            operand == TypeId::ADDRESS,
            StatusCode::MOVEFROM_TYPE_MISMATCH_ERROR,
            "no address",
        )?;
        self.push(type_)
    }

    pub(super) fn move_to(&mut self, type_: TypeId) -> VerifierResult {
        let value = self.pop()?;
        let signer = self.pop()?;
        let abilities = self.abilities(type_);
        self.require(
            abilities.has_key(),
            StatusCode::MOVETO_WITHOUT_KEY_ABILITY,
            "what is stored is no resource",
        )?;
        self.require(
            value == type_,
            StatusCode::MOVETO_TYPE_MISMATCH_ERROR,
            "the value is of another type",
        )?;
        self.require(
            self.types.get(signer) == Type::Reference(TypeId::SIGNER),
            StatusCode::MOVETO_TYPE_MISMATCH_ERROR,
            "no &signer",
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::code::testing::*;

    const R: &str =
        "struct R has key\n x: u64\nstruct N has drop\n x: u64\nstruct G<T> has key\n x: T\n";

    fn with(code: &str) -> String {
        format!("{R}{code}")
    }

    #[test]
    fn accepts() {
        accept(&with(
            "fun f(a: address): bool\n move_loc a\n exists R\n ret\n",
        ));
        accept(&with(
            "fun f(a: address): R acquires R\n move_loc a\n move_from R\n ret\n",
        ));
        accept(&with(
            "fun f<T: store>(s: &signer, x: G<T>)\n move_loc s\n move_loc x\n move_to G<T>\n ret\n",
        ));
    }

    #[test]
    fn rejects() {
        refuse(
            &with("fun f(a: u64): bool\n move_loc a\n exists R\n ret\n"),
            1059,
            1,
        );
        refuse(
            &with("fun f(a: address): bool\n move_loc a\n exists N\n ret\n"),
            1059,
            1,
        );
        refuse(
            &with("fun f(a: u64)\n move_loc a\n borrow_global R\n pop\n ret\n"),
            1060,
            1,
        );
        refuse(
            &with("fun f(a: address)\n move_loc a\n borrow_global N\n pop\n ret\n"),
            1061,
            1,
        );
        // Its argument is not storable, so this instantiation is no resource.
        refuse(
            &with("fun f<T>(a: address)\n move_loc a\n borrow_global G<T>\n pop\n ret\n"),
            1061,
            1,
        );
        refuse(
            &with("fun f(a: u64): R\n move_loc a\n move_from R\n ret\n"),
            1062,
            1,
        );
        refuse(
            &with("fun f(a: address)\n move_loc a\n move_from N\n pop\n ret\n"),
            1063,
            1,
        );
        refuse(
            &with("fun f(s: &mut signer, x: R)\n move_loc s\n move_loc x\n move_to R\n ret\n"),
            1064,
            2,
        );
        refuse(
            &with("fun f(s: &signer, x: N)\n move_loc s\n move_loc x\n move_to R\n ret\n"),
            1064,
            2,
        );
        refuse(
            &with("fun f(s: &signer, x: N)\n move_loc s\n move_loc x\n move_to N\n ret\n"),
            1065,
            2,
        );
    }
}
