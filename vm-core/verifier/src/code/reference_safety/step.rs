//! What each instruction does to the references, and what it demands of them.

use super::graph::{NodeId, ROOT};
use super::path::{Label, PathId};
use super::state::NO_REFERENCE;
use super::{Pass, VerifierResult};
use crate::VerifierError;
use monomove_format::{
    Bytecode, FieldHandleIndex, LocalIndex, MemberCount, StackEffect, StructDefinitionIndex,
    VariantFieldHandleIndex,
};
use monomove_types::StatusCode;

impl Pass<'_, '_, '_> {
    pub(super) fn step(&mut self, instruction: &Bytecode) -> VerifierResult {
        use Bytecode as B;
        let module = self.function.module;
        match instruction {
            B::CopyLoc(local) => self.copy_local(*local),
            B::MoveLoc(local) => self.move_local(*local),
            B::StLoc(local) => self.store_local(*local),
            B::MutBorrowLoc(local) => self.borrow_local(true, *local),
            B::ImmBorrowLoc(local) => self.borrow_local(false, *local),
            B::FreezeRef => self.freeze(),
            B::Eq | B::Neq => {
                let right = self.pop()?;
                let left = self.pop()?;
                for operand in [left, right].into_iter().flatten() {
                    self.readable(operand)?;
                }
                self.release(left)?;
                self.release(right)?;
                self.push(None);
                Ok(())
            }
            B::ReadRef | B::TestVariant(_) | B::TestVariantGeneric(_) => {
                let reference = self.pop_reference()?;
                self.readable(reference)?;
                self.release(Some(reference))?;
                self.push(None);
                Ok(())
            }
            B::WriteRef => {
                let reference = self.pop_reference()?;
                self.pop_released()?;
                self.require(
                    self.is_writable(reference),
                    StatusCode::WRITEREF_EXISTS_BORROW_ERROR,
                    "what is written is borrowed",
                )?;
                self.release(Some(reference))
            }
            B::MutBorrowField(index) => self.borrow_field(true, self.field(*index)),
            B::ImmBorrowField(index) => self.borrow_field(false, self.field(*index)),
            B::MutBorrowFieldGeneric(index) => {
                let handle = module.field_instantiation_at(*index).handle;
                self.borrow_field(true, self.field(handle))
            }
            B::ImmBorrowFieldGeneric(index) => {
                let handle = module.field_instantiation_at(*index).handle;
                self.borrow_field(false, self.field(handle))
            }
            B::MutBorrowVariantField(index) => self.borrow_field(true, self.variant_field(*index)),
            B::ImmBorrowVariantField(index) => self.borrow_field(false, self.variant_field(*index)),
            B::MutBorrowVariantFieldGeneric(index) => {
                let handle = module.variant_field_instantiation_at(*index).handle;
                self.borrow_field(true, self.variant_field(handle))
            }
            B::ImmBorrowVariantFieldGeneric(index) => {
                let handle = module.variant_field_instantiation_at(*index).handle;
                self.borrow_field(false, self.variant_field(handle))
            }
            B::MutBorrowGlobal(index) => self.borrow_global(true, *index),
            B::ImmBorrowGlobal(index) => self.borrow_global(false, *index),
            B::MutBorrowGlobalGeneric(index) => {
                self.borrow_global(true, module.struct_instantiation_at(*index).def)
            }
            B::ImmBorrowGlobalGeneric(index) => {
                self.borrow_global(false, module.struct_instantiation_at(*index).def)
            }
            B::MoveFrom(index) => self.move_from(*index),
            B::MoveFromGeneric(index) => self.move_from(module.struct_instantiation_at(*index).def),
            B::VecMutBorrow(_) => {
                self.pop_released()?;
                let vector = self.pop_reference()?;
                self.require(
                    self.is_writable(vector),
                    StatusCode::VEC_BORROW_ELEMENT_EXISTS_MUTABLE_BORROW_ERROR,
                    "a vector of which an element is borrowed mutably is borrowed",
                )?;
                self.borrow_element(true, vector)
            }
            B::VecImmBorrow(_) => {
                self.pop_released()?;
                let vector = self.pop_reference()?;
                self.borrow_element(false, vector)
            }
            B::VecPushBack(_) => {
                self.pop_released()?;
                self.update_vector()
            }
            B::VecPopBack(_) => {
                self.update_vector()?;
                self.push(None);
                Ok(())
            }
            B::VecSwap(_) => {
                self.pop_released()?;
                self.pop_released()?;
                self.update_vector()
            }
            B::Call(index) => self.call(*index),
            B::CallGeneric(index) => self.call(module.function_instantiation_at(*index).handle),
            B::CallClosure(index) => self.call_closure(*index),
            B::Ret => self.return_(),
            _ => self.plain(instruction),
        }
    }

    /// An instruction that makes no reference, and to which a reference is a value like any other.
    fn plain(&mut self, instruction: &Bytecode) -> VerifierResult {
        let results = self.function.returns.len();
        let StackEffect { pops, pushes } = self.function.module.stack_effect(instruction, results);
        for _ in 0..pops {
            self.pop_released()?;
        }
        for _ in 0..pushes {
            self.push(None);
        }
        Ok(())
    }

    fn copy_local(&mut self, local: LocalIndex) -> VerifierResult {
        match self.local(local)? {
            NO_REFERENCE => {
                self.require(
                    !self.is_mutably_borrowed(ROOT, Some(Label::Local(local))),
                    StatusCode::COPYLOC_EXISTS_BORROW_ERROR,
                    "the local that is copied is mutably borrowed",
                )?;
                self.push(None);
            }
            original => {
                let copy = self.frame.graph.add_node(self.is_mutable(original));
                self.add_strong(original, PathId::EMPTY, copy)?;
                self.push(Some(copy));
            }
        }
        Ok(())
    }

    fn move_local(&mut self, local: LocalIndex) -> VerifierResult {
        match self.replace_local(local, NO_REFERENCE)? {
            NO_REFERENCE => {
                self.require(
                    !self.is_borrowed(ROOT, Some(Label::Local(local))),
                    StatusCode::MOVELOC_EXISTS_BORROW_ERROR,
                    "the local that is moved is borrowed",
                )?;
                self.push(None);
            }
            reference => self.push(Some(reference)),
        }
        Ok(())
    }

    fn store_local(&mut self, local: LocalIndex) -> VerifierResult {
        let value = self.pop()?;
        match self.replace_local(local, value.unwrap_or(NO_REFERENCE))? {
            NO_REFERENCE => self.require(
                !self.is_borrowed(ROOT, Some(Label::Local(local))),
                StatusCode::STLOC_UNSAFE_TO_DESTROY_ERROR,
                "the local that is overwritten is borrowed",
            ),
            reference => self.release(Some(reference)),
        }
    }

    /// A mutable borrow needs no check: what else is borrowed from the local is borrowed through it from then on.
    fn borrow_local(&mut self, mutable: bool, local: LocalIndex) -> VerifierResult {
        let label = Label::Local(local);
        self.require(
            mutable || !self.is_mutably_borrowed(ROOT, Some(label)),
            StatusCode::BORROWLOC_EXISTS_BORROW_ERROR,
            "the local that is borrowed is mutably borrowed",
        )?;
        let path = self.frame.paths.single(label);
        let reference = self.frame.graph.add_node(mutable);
        self.add_strong(ROOT, path, reference)?;
        self.push(Some(reference));
        Ok(())
    }

    fn freeze(&mut self) -> VerifierResult {
        let reference = self.pop_reference()?;
        self.require(
            !self.is_mutably_borrowed(reference, None),
            StatusCode::FREEZEREF_EXISTS_MUTABLE_BORROW_ERROR,
            "what is frozen is mutably borrowed",
        )?;
        let frozen = self.frame.graph.add_node(false);
        self.add_strong(reference, PathId::EMPTY, frozen)?;
        self.release(Some(reference))?;
        self.push(Some(frozen));
        Ok(())
    }

    fn readable(&self, reference: NodeId) -> VerifierResult {
        self.require(
            self.is_readable(reference, None),
            StatusCode::READREF_EXISTS_MUTABLE_BORROW_ERROR,
            "what is read is mutably borrowed",
        )
    }

    /// The label of a field of a struct.
    fn field(&self, index: FieldHandleIndex) -> Label {
        let handle = self.function.module.field_handle_at(index);
        self.field_of(handle.owner, handle.field)
    }

    /// The label of a field of variants.
    fn variant_field(&self, index: VariantFieldHandleIndex) -> Label {
        let handle = self.function.module.variant_field_handle_at(index);
        self.field_of(handle.struct_index, handle.field)
    }

    fn field_of(&self, owner: StructDefinitionIndex, field: MemberCount) -> Label {
        Label::Field(
            self.function.module.struct_def_at(owner).struct_handle,
            field,
        )
    }

    fn borrow_field(&mut self, mutable: bool, label: Label) -> VerifierResult {
        let reference = self.pop_reference()?;
        self.field_is_free(mutable, reference, label)?;
        let path = self.frame.paths.single(label);
        let field = self.frame.graph.add_node(mutable);
        self.add_strong(reference, path, field)?;
        self.release(Some(reference))?;
        self.push(Some(field));
        Ok(())
    }

    /// Whether a field may be borrowed: mutably if nothing is borrowed from the whole, else if nothing is mutably from the whole or the field.
    pub(super) fn field_is_free(
        &self,
        mutable: bool,
        reference: NodeId,
        label: Label,
    ) -> VerifierResult {
        let is_free = if mutable {
            !self.frame.graph.has_whole_borrows(reference)
        } else {
            self.is_readable(reference, Some(label))
        };
        self.require(
            is_free,
            StatusCode::BORROWFIELD_EXISTS_MUTABLE_BORROW_ERROR,
            "the field, or the whole, is borrowed",
        )
    }

    fn borrow_global(&mut self, mutable: bool, resource: StructDefinitionIndex) -> VerifierResult {
        self.pop_released()?;
        let label = Label::Global(resource);
        let is_taken = if mutable {
            self.is_borrowed(ROOT, Some(label))
        } else {
            self.is_mutably_borrowed(ROOT, Some(label))
        };
        self.require(
            !is_taken,
            StatusCode::GLOBAL_REFERENCE_ERROR,
            "the resource is borrowed",
        )?;
        let path = self.frame.paths.single(label);
        let reference = self.frame.graph.add_node(mutable);
        self.frame.graph.add_weak(ROOT, path, reference);
        self.push(Some(reference));
        Ok(())
    }

    fn move_from(&mut self, resource: StructDefinitionIndex) -> VerifierResult {
        self.pop_released()?;
        self.global_is_free(resource)?;
        self.push(None);
        Ok(())
    }

    pub(super) fn global_is_free(&self, resource: StructDefinitionIndex) -> VerifierResult {
        self.require(
            !self.is_borrowed(ROOT, Some(Label::Global(resource))),
            StatusCode::GLOBAL_REFERENCE_ERROR,
            "the resource is borrowed",
        )
    }

    fn borrow_element(&mut self, mutable: bool, vector: NodeId) -> VerifierResult {
        let element = self.frame.graph.add_node(mutable);
        self.frame.graph.add_weak(vector, PathId::EMPTY, element);
        self.release(Some(vector))?;
        self.push(Some(element));
        Ok(())
    }

    fn update_vector(&mut self) -> VerifierResult {
        let vector = self.pop_reference()?;
        self.require(
            self.is_writable(vector),
            StatusCode::VEC_UPDATE_EXISTS_MUTABLE_BORROW_ERROR,
            "the vector that is changed is borrowed",
        )?;
        self.release(Some(vector))
    }

    /// Locals end, so nothing may be borrowed from them, nor from storage; mutable references that are returned must be the only ones.
    fn return_(&mut self) -> VerifierResult {
        for index in 0..self.frame.locals.len() {
            let node = std::mem::replace(&mut self.frame.locals[index], NO_REFERENCE);
            if node != NO_REFERENCE {
                self.release(Some(node))?;
            }
        }
        self.require(
            !self.is_borrowed(ROOT, None),
            StatusCode::UNSAFE_RET_LOCAL_OR_RESOURCE_STILL_BORROWED,
            "a local or resource is still borrowed at the return",
        )?;
        let first = self.stack.len().saturating_sub(self.function.returns.len());
        for &reference in self.stack[first..].iter().flatten() {
            self.require(
                !self.is_mutable(reference) || self.is_writable(reference),
                StatusCode::RET_BORROWED_MUTABLE_REFERENCE_ERROR,
                "a mutable reference that is returned is borrowed",
            )?;
        }
        self.stack.truncate(first);
        Ok(())
    }

    pub(super) fn is_mutable(&self, reference: NodeId) -> bool {
        self.frame.graph.is_mutable(reference)
    }

    fn is_borrowed(&self, node: NodeId, part: Option<Label>) -> bool {
        self.frame.graph.is_borrowed(node, part, &self.frame.paths)
    }

    fn is_mutably_borrowed(&self, node: NodeId, part: Option<Label>) -> bool {
        self.frame
            .graph
            .is_mutably_borrowed(node, part, &self.frame.paths)
    }

    /// Whether a `&mut` is the only way to what it points to.
    pub(super) fn is_writable(&self, reference: NodeId) -> bool {
        self.is_mutable(reference) && !self.is_borrowed(reference, None)
    }

    /// Whether nothing can change what a reference points to, or the part of it with a label.
    fn is_readable(&self, reference: NodeId, part: Option<Label>) -> bool {
        !self.is_mutable(reference) || !self.is_mutably_borrowed(reference, part)
    }

    pub(super) fn add_strong(
        &mut self,
        parent: NodeId,
        path: PathId,
        child: NodeId,
    ) -> VerifierResult {
        let frame = &mut *self.frame;
        frame
            .graph
            .add_strong(parent, path, child, &mut frame.paths, self.meter)
    }

    pub(super) fn release(&mut self, value: Option<NodeId>) -> VerifierResult {
        let frame = &mut *self.frame;
        match value {
            Some(node) => frame.graph.release(node, &mut frame.paths, self.meter),
            None => Ok(()),
        }
    }

    fn local(&self, index: LocalIndex) -> VerifierResult<NodeId> {
        self.frame
            .locals
            .get(usize::from(index))
            .copied()
            .ok_or_else(|| self.broken())
    }

    fn replace_local(&mut self, index: LocalIndex, node: NodeId) -> VerifierResult<NodeId> {
        match self.frame.locals.get_mut(usize::from(index)) {
            Some(slot) => Ok(std::mem::replace(slot, node)),
            None => Err(self.broken()),
        }
    }

    pub(super) fn push(&mut self, value: Option<NodeId>) {
        self.stack.push(value);
    }

    pub(super) fn pop(&mut self) -> VerifierResult<Option<NodeId>> {
        self.stack.pop().ok_or_else(|| self.broken())
    }

    fn pop_reference(&mut self) -> VerifierResult<NodeId> {
        self.pop()?.ok_or_else(|| self.broken())
    }

    pub(super) fn pop_released(&mut self) -> VerifierResult {
        let value = self.pop()?;
        self.release(value)
    }

    pub(super) fn require(&self, holds: bool, status: StatusCode, message: &str) -> VerifierResult {
        if holds {
            Ok(())
        } else {
            Err(self.function.error(status, self.offset, message))
        }
    }

    #[cold]
    fn broken(&self) -> VerifierError {
        self.function.broken(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use crate::code::testing::*;

    const S: &str = "struct S has copy+drop\n a: u64\n b: u64\nstruct R has key\n x: u64\nenum E has drop\n A\n  x: u64\n  y: u64\n B\n  x: u64\n";

    fn with(code: &str) -> String {
        format!("{S}{code}")
    }

    #[test]
    fn accepts() {
        // Two fields at once, and one field twice.
        accept(&with(
            "fun f(s: &mut S): (&mut u64, &mut u64)\n copy_loc s\n mut_borrow_field S, a\n move_loc s\n mut_borrow_field S, b\n ret\n",
        ));
        accept(&with(
            "fun f(s: &mut S)\n local r: &mut u64\n copy_loc s\n mut_borrow_field S, a\n st_loc r\n move_loc s\n mut_borrow_field S, a\n pop\n ld_u64 1\n move_loc r\n write_ref\n ret\n",
        ));
        accept(&with(
            "fun f(x: u64): u64\n local r: &u64\n borrow_loc x\n st_loc r\n copy_loc x\n ret\n",
        ));
        accept(&with(
            "fun f(x: u64)\n local r: &u64\n borrow_loc x\n st_loc r\n ret\n",
        ));
        accept(
            "fun f(v: &mut vector<u64>): (&mut u64, &u64)\n copy_loc v\n ld_u64 0\n vec_mut_borrow<u64>\n move_loc v\n ld_u64 1\n vec_borrow<u64>\n ret\n",
        );
        accept(&with(
            "fun f(a: address): u64 acquires R\n copy_loc a\n mut_borrow_global R\n pop\n move_loc a\n mut_borrow_global R\n borrow_field R, x\n read_ref\n ret\n",
        ));
        // A reference that moves on to a part of itself, and two that change places.
        accept(
            "fun f(v: &mut vector<u64>, c: bool)\n local e: &mut u64\n l: copy_loc v\n ld_u64 0\n vec_mut_borrow<u64>\n st_loc e\n copy_loc c\n br_true l\n ret\n",
        );
    }

    #[test]
    fn rejects_uses_of_borrowed_locals() {
        refuse(
            &with(
                "fun f(x: u64): u64\n local r: &mut u64\n mut_borrow_loc x\n st_loc r\n copy_loc x\n ret\n",
            ),
            1039,
            2,
        );
        refuse(
            &with(
                "fun f(x: u64): u64\n local r: &u64\n borrow_loc x\n st_loc r\n move_loc x\n ret\n",
            ),
            1041,
            2,
        );
        refuse(
            &with(
                "fun f(x: u64)\n local r: &u64\n borrow_loc x\n st_loc r\n ld_u64 1\n st_loc x\n ret\n",
            ),
            1028,
            3,
        );
        refuse(
            &with(
                "fun f(x: u64)\n local r: &mut u64\n mut_borrow_loc x\n st_loc r\n borrow_loc x\n pop\n ret\n",
            ),
            1044,
            2,
        );
        refuse(&with("fun f(x: u64): &u64\n borrow_loc x\n ret\n"), 1029, 1);
    }

    #[test]
    fn rejects_uses_of_borrowed_references() {
        let second = |operation: &str| {
            format!(
                "{S}fun f(s: &mut S)\n local r: &mut u64\n copy_loc s\n mut_borrow_field S, a\n st_loc r\n {operation} ret\n"
            )
        };
        refuse(&second("copy_loc s\n borrow_field S, a\n pop\n"), 1036, 4);
        accept(&second("copy_loc s\n borrow_field S, b\n pop\n"));
        refuse(&second("copy_loc s\n freeze_ref\n pop\n"), 1033, 4);
        refuse(&second("copy_loc s\n read_ref\n pop\n"), 1051, 4);
        refuse(
            &second("ld_u64 1\n ld_u64 1\n pack S\n copy_loc s\n write_ref\n"),
            1054,
            7,
        );
        refuse(&second("copy_loc s\n copy_loc s\n eq\n pop\n"), 1051, 5);
        refuse(&with("fun f(s: &mut S): (&mut S, &mut u64)\n copy_loc s\n copy_loc s\n mut_borrow_field S, a\n st_loc r\n move_loc s\n copy_loc r\n ret\n".replace("fun f(s: &mut S): (&mut S, &mut u64)\n", "fun f(s: &mut S): (&mut S, &mut u64)\n local r: &mut u64\n").as_str()), 1069, 0);
        refuse(
            &with(
                "fun f(s: &mut S): (&mut u64, &mut S)\n copy_loc s\n mut_borrow_field S, a\n move_loc s\n ret\n",
            ),
            1031,
            3,
        );
        refuse(
            &with(
                "fun f(e: &mut E)\n local r: &mut u64\n copy_loc e\n mut_borrow_variant_field E, A::y\n st_loc r\n move_loc e\n test_variant E, A\n pop\n ret\n",
            ),
            1051,
            4,
        );
    }

    #[test]
    fn fields_of_variants_are_the_same_by_position() {
        let second = |operation: &str| {
            with(&format!(
                "fun f(e: &mut E)\n local r: &mut u64\n copy_loc e\n mut_borrow_variant_field E, A::x, B::x\n st_loc r\n move_loc e\n {operation}\n pop\n ld_u64 1\n copy_loc r\n write_ref\n ret\n"
            ))
        };
        refuse(&second("borrow_variant_field E, B::x"), 1036, 4);
        accept(&second("borrow_variant_field E, A::y"));
        accept(&second("mut_borrow_variant_field E, B::x"));
    }

    #[test]
    fn rejects_uses_of_borrowed_vectors() {
        let second = |operation: &str| {
            format!(
                "fun f(v: &mut vector<u64>)\n local r: &mut u64\n copy_loc v\n ld_u64 0\n vec_mut_borrow<u64>\n st_loc r\n {operation} ret\n"
            )
        };
        refuse(
            &second("move_loc v\n ld_u64 0\n vec_push_back<u64>\n"),
            1109,
            6,
        );
        refuse(&second("move_loc v\n vec_pop_back<u64>\n pop\n"), 1109, 5);
        refuse(
            &second("move_loc v\n ld_u64 0\n ld_u64 0\n vec_swap<u64>\n"),
            1109,
            7,
        );
        refuse(
            &second("move_loc v\n ld_u64 0\n vec_mut_borrow<u64>\n pop\n"),
            1110,
            6,
        );
        accept(&second("move_loc v\n ld_u64 0\n vec_borrow<u64>\n pop\n"));
        accept(&second("move_loc v\n vec_len<u64>\n pop\n"));
    }

    #[test]
    fn rejects_uses_of_borrowed_resources() {
        let second = |first: &str, operation: &str| {
            format!(
                "{S}fun f(a: address): u64 acquires R\n local r: &R\n copy_loc a\n {first} R\n st_loc r\n {operation} ld_u64 1\n ret\n"
            )
        };
        refuse(
            &second("borrow_global", "move_loc a\n mut_borrow_global R\n pop\n"),
            1074,
            4,
        );
        refuse(
            &second(
                "borrow_global",
                "move_loc a\n move_from R\n unpack R\n pop\n",
            ),
            1074,
            4,
        );
        accept(&second(
            "borrow_global",
            "move_loc a\n borrow_global R\n pop\n",
        ));
        accept(&second("borrow_global", "move_loc a\n exists R\n pop\n"));
        refuse(
            &with("fun f(a: address): &R acquires R\n move_loc a\n borrow_global R\n ret\n"),
            1029,
            2,
        );
    }

    #[test]
    fn rejects_around_loops() {
        let loop_ = |before: &str| {
            with(&format!(
                "fun f(x: u64, y: u64, c: bool)\n local r: &u64\n {before} l: ld_u64 1\n st_loc x\n borrow_loc x\n st_loc r\n copy_loc c\n br_true l\n ret\n"
            ))
        };
        refuse(&loop_("borrow_loc y\n st_loc r\n"), 1028, 3);
        // Without a reference at the entry there may be none around the loop.
        accept(&loop_(""));
    }
}
