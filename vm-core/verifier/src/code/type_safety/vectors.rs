//! Type safety of vector instructions. The types of vectors must match exactly; an element that is put in must be assignable.

use super::{Checker, Type, TypeId, VerifierResult};
use monomove_format::SignatureIndex;
use monomove_types::StatusCode;

impl Checker<'_, '_, '_> {
    fn element_type(&mut self, index: SignatureIndex) -> VerifierResult<TypeId> {
        let list = self.types.signature(index);
        self.element(list, 0)
    }

    fn mismatch(&self, holds: bool, message: &str) -> VerifierResult {
        self.require(holds, StatusCode::TYPE_MISMATCH, message)
    }

    /// Pops a reference to a vector of these elements.
    fn pop_vector_reference(&mut self, mutable: bool, element: TypeId) -> VerifierResult {
        let operand = self.pop()?;
        let vector = match self.types.get(operand) {
            Type::MutableReference(referent) => Some(referent),
            Type::Reference(referent) if !mutable => Some(referent),
            _ => None,
        };
        let fits = vector.is_some_and(|vector| self.types.get(vector) == Type::Vector(element));
        self.mismatch(fits, "no fitting reference to a vector of these elements")
    }

    fn pop_index(&mut self) -> VerifierResult {
        let operand = self.pop()?;
        self.mismatch(operand == TypeId::U64, "the index is no u64")
    }

    fn pop_element(&mut self, element: TypeId) -> VerifierResult {
        let operand = self.pop()?;
        self.mismatch(
            self.types.is_assignable(element, operand),
            "an element has another type",
        )
    }

    pub(super) fn vector_pack(&mut self, index: SignatureIndex, count: u64) -> VerifierResult {
        let element = self.element_type(index)?;
        for _ in 0..count {
            self.pop_element(element)?;
        }
        let vector = self.types.intern(Type::Vector(element));
        self.push(vector)
    }

    pub(super) fn vector_unpack(&mut self, index: SignatureIndex, count: u64) -> VerifierResult {
        let element = self.element_type(index)?;
        let vector = self.types.intern(Type::Vector(element));
        let operand = self.pop()?;
        self.mismatch(operand == vector, "no vector of these elements is unpacked")?;
        self.push_all(element, count)
    }

    pub(super) fn vector_length(&mut self, index: SignatureIndex) -> VerifierResult {
        let element = self.element_type(index)?;
        self.pop_vector_reference(false, element)?;
        self.push(TypeId::U64)
    }

    pub(super) fn vector_borrow(&mut self, mutable: bool, index: SignatureIndex) -> VerifierResult {
        let element = self.element_type(index)?;
        self.pop_index()?;
        self.pop_vector_reference(mutable, element)?;
        self.push_reference(mutable, element)
    }

    pub(super) fn vector_push(&mut self, index: SignatureIndex) -> VerifierResult {
        let element = self.element_type(index)?;
        self.pop_element(element)?;
        self.pop_vector_reference(true, element)
    }

    pub(super) fn vector_pop(&mut self, index: SignatureIndex) -> VerifierResult {
        let element = self.element_type(index)?;
        self.pop_vector_reference(true, element)?;
        self.push(element)
    }

    pub(super) fn vector_swap(&mut self, index: SignatureIndex) -> VerifierResult {
        let element = self.element_type(index)?;
        self.pop_index()?;
        self.pop_index()?;
        self.pop_vector_reference(true, element)
    }
}

#[cfg(test)]
mod tests {
    use crate::code::testing::*;

    #[test]
    fn accepts() {
        accept("fun f(v: || has copy+drop)\n move_loc v\n vec_pack<|| has drop>, 1\n pop\n ret\n");
        accept(
            "fun f(v: &mut vector<u8>): u64\n copy_loc v\n ld_u8 1\n vec_push_back<u8>\n copy_loc v\n ld_u64 0\n ld_u64 0\n vec_swap<u8>\n move_loc v\n vec_len<u8>\n ret\n",
        );
        accept("fun f(v: &vector<u8>): &u8\n move_loc v\n ld_u64 0\n vec_borrow<u8>\n ret\n");
        accept(
            "fun f<T>(a: T, b: T): (T, T)\n move_loc a\n move_loc b\n vec_pack<T>, 2\n vec_unpack<T>, 2\n ret\n",
        );
    }

    #[test]
    fn rejects() {
        refuse(
            "fun f(): vector<u8>\n ld_u64 0\n vec_pack<u8>, 1\n ret\n",
            1020,
            1,
        );
        refuse(
            "fun f(v: vector<u8>): u64\n move_loc v\n vec_unpack<u64>, 1\n ret\n",
            1020,
            1,
        );
        refuse(
            "fun f(v: &vector<u8>): u64\n move_loc v\n vec_len<u64>\n ret\n",
            1020,
            1,
        );
        refuse(
            "fun f(v: &vector<u8>)\n move_loc v\n ld_u8 0\n vec_push_back<u8>\n ret\n",
            1020,
            2,
        );
        refuse(
            "fun f(v: &vector<u8>): u8\n move_loc v\n vec_pop_back<u8>\n ret\n",
            1020,
            1,
        );
        refuse(
            "fun f(v: &vector<u8>): &u8\n move_loc v\n ld_u8 0\n vec_borrow<u8>\n ret\n",
            1020,
            2,
        );
        refuse(
            "fun f(v: vector<u8>): u64\n move_loc v\n vec_len<u8>\n ret\n",
            1020,
            1,
        );
        // A function value with fewer abilities than needed.
        refuse(
            "fun f(v: || has drop)\n move_loc v\n vec_pack<|| has copy+drop>, 1\n pop\n ret\n",
            1020,
            1,
        );
    }
}
