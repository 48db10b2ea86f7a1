//! Type safety of references: borrowing locals and fields, reading, writing, freezing.

use super::{Checker, Type, TypeId, VerifierResult};
use monomove_format::LocalIndex;
use monomove_types::StatusCode;

impl Checker<'_, '_, '_> {
    /// Pushes a reference.
    pub(super) fn push_reference(&mut self, mutable: bool, referent: TypeId) -> VerifierResult {
        let type_ = self.types.reference(mutable, referent);
        self.push(type_)
    }

    pub(super) fn borrow_local(&mut self, mutable: bool, local: LocalIndex) -> VerifierResult {
        let type_ = self.local(local)?;
        self.require(
            !self.types.is_reference(type_),
            StatusCode::BORROWLOC_REFERENCE_ERROR,
            "the local that is borrowed is itself a reference",
        )?;
        self.push_reference(mutable, type_)
    }

    pub(super) fn freeze(&mut self) -> VerifierResult {
        let operand = self.pop()?;
        match self.types.get(operand) {
            Type::MutableReference(referent) => self.push_reference(false, referent),
            _ => Err(self.error(
                StatusCode::FREEZEREF_TYPE_MISMATCH_ERROR,
                "no mutable reference is frozen",
            )),
        }
    }

    pub(super) fn read(&mut self) -> VerifierResult {
        let operand = self.pop()?;
        let Some(referent) = self.types.referent(operand) else {
            return Err(self.error(
                StatusCode::READREF_TYPE_MISMATCH_ERROR,
                "no reference is read",
            ));
        };
        let abilities = self.abilities(referent);
        self.require(
            abilities.has_copy(),
            StatusCode::READREF_WITHOUT_COPY_ABILITY,
            "a value without copy is read through a reference",
        )?;
        self.push(referent)
    }

    pub(super) fn write(&mut self) -> VerifierResult {
        let operand = self.pop()?;
        let value = self.pop()?;
        let Type::MutableReference(referent) = self.types.get(operand) else {
            return Err(self.error(
                StatusCode::WRITEREF_NO_MUTABLE_REFERENCE_ERROR,
                "nothing mutable is written",
            ));
        };
        let abilities = self.abilities(referent);
        self.require(
            abilities.has_drop(),
            StatusCode::WRITEREF_WITHOUT_DROP_ABILITY,
            "a value without drop is overwritten",
        )?;
        self.require(
            self.types.is_assignable(referent, value),
            StatusCode::WRITEREF_TYPE_MISMATCH_ERROR,
            "the value has another type than what is overwritten",
        )
    }

    /// `field` is `None` for variants that have different types there.
    pub(super) fn borrow_field(
        &mut self,
        mutable: bool,
        owner: TypeId,
        field: Option<TypeId>,
    ) -> VerifierResult {
        let operand = self.pop()?;
        let fits = match self.types.get(operand) {
            Type::MutableReference(referent) => referent == owner,
            Type::Reference(referent) => !mutable && referent == owner,
            _ => false,
        };
        match field {
            Some(field) if fits => self.push_reference(mutable, field),
            _ => Err(self.error(
                StatusCode::BORROWFIELD_TYPE_MISMATCH_ERROR,
                "no fitting reference to the owner of the field, or variants with different types",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::code::testing::*;

    const S: &str = "struct S has copy+drop\n x: u64\nstruct N\n x: u64\nenum E has drop\n A\n  x: u64\n B\n  y: bool\n C\n  z: u64\n";

    fn with(code: &str) -> String {
        format!("{S}{code}")
    }

    #[test]
    fn accepts() {
        accept(&with(
            "fun f(s: &mut S): u64\n move_loc s\n borrow_field S, x\n read_ref\n ret\n",
        ));
        accept(&with(
            "fun f(e: &E): &u64\n move_loc e\n borrow_variant_field E, A::x, C::z\n ret\n",
        ));
        accept(&with(
            "fun f(s: &mut S): &S\n move_loc s\n freeze_ref\n ret\n",
        ));
        // A function value with more abilities than needed.
        accept(
            "fun f(r: &mut || has drop, v: || has copy+drop)\n move_loc v\n move_loc r\n write_ref\n ret\n",
        );
    }

    #[test]
    fn rejects() {
        refuse(&with("fun f(s: &S)\n borrow_loc s\n pop\n ret\n"), 1042, 0);
        refuse(
            &with("fun f(s: &S)\n move_loc s\n freeze_ref\n pop\n ret\n"),
            1032,
            1,
        );
        refuse(
            &with("fun f(s: S)\n move_loc s\n read_ref\n pop\n ret\n"),
            1049,
            1,
        );
        refuse(
            &with("fun f(s: &N)\n move_loc s\n read_ref\n pop\n ret\n"),
            1050,
            1,
        );
        refuse(
            &with("fun f(s: &u64)\n ld_u64 1\n move_loc s\n write_ref\n ret\n"),
            1055,
            2,
        );
        refuse(
            &with("fun f(s: &mut N, v: N)\n move_loc v\n move_loc s\n write_ref\n ret\n"),
            1053,
            2,
        );
        refuse(
            &with("fun f(s: &mut u64)\n ld_u8 1\n move_loc s\n write_ref\n ret\n"),
            1052,
            2,
        );
        refuse(
            &with("fun f(s: &N)\n move_loc s\n borrow_field S, x\n pop\n ret\n"),
            1034,
            1,
        );
        refuse(
            &with("fun f(s: &S)\n move_loc s\n mut_borrow_field S, x\n pop\n ret\n"),
            1034,
            1,
        );
        refuse(
            &with("fun f(e: &E)\n move_loc e\n borrow_variant_field E, A::x, B::y\n pop\n ret\n"),
            1034,
            1,
        );
    }
}
