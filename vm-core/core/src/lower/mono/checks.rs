//! Paranoid mode, static part: what the verifier knows about types, checked again for the concrete types of one function.

use super::{Builder, Inst, mismatch};
use crate::context::ids::TypeId;
use crate::context::types::TypeNode;
use crate::paranoid::failed;
use crate::stop::{Run, Stop};
use monomove_format::{
    Bytecode, FieldHandleIndex, StructDefInstantiationIndex, StructDefinitionIndex,
    StructVariantHandleIndex, VariantFieldHandleIndex,
};
use monomove_types::{Ability, StatusCode};
use std::rc::Rc;

impl Builder<'_> {
    /// The instruction at `offset` and its static cost; in paranoid mode with the checks of this module.
    pub(super) fn checked_instruction(&mut self, offset: u16, op: &Bytecode) -> Run<(Inst, u64)> {
        if !self.ctx.paranoid {
            return self.instruction(offset, op);
        }
        self.check_operation(offset, op)?;
        let lowered = self.instruction(offset, op)?;
        let stackless = self.stackless;
        for &temp in stackless.results(offset) {
            if let Some(ty) = self.temps.get(temp as usize).copied().flatten() {
                self.ctx.check_sound(self.view, ty)?;
            }
        }
        Ok(lowered)
    }

    /// Whether the values of each local may be dropped; nothing outside paranoid mode. The types of locals must be sound.
    pub(super) fn droppable_locals(&mut self) -> Run<Rc<[bool]>> {
        if !self.ctx.paranoid {
            return Ok(Rc::default());
        }
        let locals = self.locals;
        for &ty in locals.iter().chain(self.results) {
            self.ctx.check_sound(self.view, ty)?;
        }
        locals
            .iter()
            .map(|&ty| Ok(self.ctx.abilities(self.view, ty)?.has_drop()))
            .collect()
    }

    /// A function value must have the abilities that its place asks for.
    pub(super) fn check_function_abilities(&self, found: TypeId, place: TypeId) -> Run<()> {
        if !self.ctx.paranoid || found == place {
            return Ok(());
        }
        let abilities = |ty| match self.ctx.types.node(ty) {
            Some(TypeNode::Function { abilities, .. }) => Some(abilities),
            _ => None,
        };
        match (abilities(found), abilities(place)) {
            (Some(found), Some(place)) if !place.is_subset(found) => Err(mismatch()),
            _ => Ok(()),
        }
    }

    fn need(&mut self, ty: TypeId, ability: Ability, status: StatusCode) -> Run<()> {
        if self.ctx.abilities(self.view, ty)?.has_ability(ability) {
            Ok(())
        } else {
            Err(Stop::status(status))
        }
    }

    /// A struct whose inside is touched must be defined here, once, under its own name.
    fn own(&self, def: StructDefinitionIndex) -> Run<()> {
        let binary = &self.module.binary;
        let definition = &binary.struct_defs[usize::from(def.0)];
        let handle = &binary.struct_handles[usize::from(definition.struct_handle.0)];
        let name = self.module.names[usize::from(handle.name.0)];
        let here = self.module.modules[usize::from(handle.module.0)] == self.module.id
            && self
                .module
                .struct_by_name(name)
                .is_some_and(|(found, _)| std::ptr::eq(found, definition));
        if here {
            Ok(())
        } else {
            Err(failed("a private operation on a struct of another module"))
        }
    }

    fn own_instance(&self, index: StructDefInstantiationIndex) -> Run<()> {
        self.own(self.module.binary.struct_def_instantiations[usize::from(index.0)].def)
    }

    fn own_field(&self, index: FieldHandleIndex) -> Run<()> {
        self.own(self.module.binary.field_handles[usize::from(index.0)].owner)
    }

    fn own_variant_field(&self, index: VariantFieldHandleIndex) -> Run<()> {
        self.own(self.module.binary.variant_field_handles[usize::from(index.0)].struct_index)
    }

    fn own_variant(&self, index: StructVariantHandleIndex) -> Run<()> {
        self.own(self.module.binary.struct_variant_handles[usize::from(index.0)].struct_index)
    }

    /// Abilities and privacy. Types of operands are checked where the instruction is made.
    fn check_operation(&mut self, offset: u16, op: &Bytecode) -> Run<()> {
        use Bytecode as B;
        let module = self.module.clone();
        let binary = &module.binary;
        match op {
            B::Pop => {
                let ty = self.source(offset, 0)?;
                self.need(ty, Ability::Drop, StatusCode::POP_WITHOUT_DROP_ABILITY)
            }
            B::CopyLoc(local) => {
                let ty = self.local(*local)?;
                self.need(ty, Ability::Copy, StatusCode::COPYLOC_WITHOUT_COPY_ABILITY)
            }
            B::ReadRef => {
                let ty = self.source(offset, 0)?.referent();
                self.need(ty, Ability::Copy, StatusCode::READREF_WITHOUT_COPY_ABILITY)
            }
            B::WriteRef => {
                let ty = self.source(offset, 1)?.referent();
                self.need(ty, Ability::Drop, StatusCode::WRITEREF_WITHOUT_DROP_ABILITY)
            }
            B::Eq | B::Neq => {
                let ty = self.source(offset, 0)?;
                if self.source(offset, 1)? != ty {
                    return Err(Stop::status(StatusCode::EQUALITY_OP_TYPE_MISMATCH_ERROR));
                }
                self.need(
                    ty,
                    Ability::Drop,
                    StatusCode::EQUALITY_OP_TYPE_MISMATCH_ERROR,
                )
            }
            B::Pack(def) | B::Unpack(def) => self.own(*def),
            B::PackGeneric(i) | B::UnpackGeneric(i) => self.own_instance(*i),
            B::PackVariant(i) | B::UnpackVariant(i) | B::TestVariant(i) => self.own_variant(*i),
            B::PackVariantGeneric(i) | B::UnpackVariantGeneric(i) | B::TestVariantGeneric(i) => {
                self.own_variant(binary.struct_variant_instantiations[usize::from(i.0)].handle)
            }
            B::MutBorrowField(i) | B::ImmBorrowField(i) => self.own_field(*i),
            B::MutBorrowFieldGeneric(i) | B::ImmBorrowFieldGeneric(i) => {
                self.own_field(binary.field_instantiations[usize::from(i.0)].handle)
            }
            B::MutBorrowVariantField(i) | B::ImmBorrowVariantField(i) => self.own_variant_field(*i),
            B::MutBorrowVariantFieldGeneric(i) | B::ImmBorrowVariantFieldGeneric(i) => {
                self.own_variant_field(binary.variant_field_instantiations[usize::from(i.0)].handle)
            }
            B::Exists(def)
            | B::MoveFrom(def)
            | B::MoveTo(def)
            | B::MutBorrowGlobal(def)
            | B::ImmBorrowGlobal(def) => {
                self.own(*def)?;
                let ty = self.struct_def(*def)?.0;
                self.need_key(ty)
            }
            B::ExistsGeneric(i)
            | B::MoveFromGeneric(i)
            | B::MoveToGeneric(i)
            | B::MutBorrowGlobalGeneric(i)
            | B::ImmBorrowGlobalGeneric(i) => {
                self.own_instance(*i)?;
                let ty = self.struct_instance(*i)?.0;
                self.need_key(ty)
            }
            _ => Ok(()),
        }
    }

    fn need_key(&mut self, ty: TypeId) -> Run<()> {
        self.ctx.check_sound(self.view, ty)?;
        self.need(
            ty,
            Ability::Key,
            StatusCode::BORROWGLOBAL_WITHOUT_KEY_ABILITY,
        )
    }
}
