//! Type safety: every instruction finds operands of the types it needs.
//!
//! Blocks begin and end with an empty stack (stack usage has been checked), so each is checked by itself, in the order of the code,
//! dead code included.

mod calls;
mod operators;
mod references;
mod storage;
mod structs;
mod vectors;

use super::cfg::Cfg;
use super::function::Function;
use super::types::{ListId, NODE, Type, TypeId, Types};
use crate::{Meter, VerifierError, VerifierResult};
use monomove_format::{AbilitySet, Bytecode, CodeOffset, LocalIndex};
use monomove_types::StatusCode;

/// Checks a function.
pub(crate) fn check<'a>(
    function: &Function<'_, 'a>,
    cfg: &Cfg,
    types: &mut Types<'a>,
    meter: &mut Meter,
) -> VerifierResult {
    types.enter_scope();
    let parameters = types.signature(function.handle.parameters);
    let others = types.signature(function.unit.locals);
    let locals = [types.elements(parameters), types.elements(others)].concat();
    let returns = types.signature(function.handle.return_);
    let mut checker = Checker {
        function,
        types,
        meter,
        locals,
        returns,
        stack: Vec::new(),
        offset: 0,
    };
    for block in cfg.blocks() {
        checker.stack.clear();
        for (offset, instruction) in block.instructions(function.code) {
            checker.offset = offset;
            checker.instruction(instruction)?;
        }
    }
    Ok(())
}

/// The pass over one function.
struct Checker<'c, 's, 'a> {
    function: &'c Function<'s, 'a>,
    types: &'c mut Types<'a>,
    meter: &'c mut Meter,
    locals: Vec<TypeId>,
    returns: ListId,
    stack: Vec<TypeId>,
    /// The instruction at hand.
    offset: CodeOffset,
}

impl Checker<'_, '_, '_> {
    fn instruction(&mut self, instruction: &Bytecode) -> VerifierResult {
        use Bytecode as B;
        match instruction {
            B::Nop | B::Branch(_) => Ok(()),
            B::Pop => {
                let operand = self.pop()?;
                let abilities = self.abilities(operand);
                self.require(
                    abilities.has_drop(),
                    StatusCode::POP_WITHOUT_DROP_ABILITY,
                    "a value without drop is popped",
                )
            }
            B::BrTrue(_) | B::BrFalse(_) => {
                let operand = self.pop()?;
                self.require(
                    operand == TypeId::BOOL,
                    StatusCode::BR_TYPE_MISMATCH_ERROR,
                    "the condition is no bool",
                )
            }
            B::Abort => {
                let operand = self.pop()?;
                self.abort_code(operand)
            }
            B::AbortMsg => {
                let message = self.pop()?;
                let bytes = self.types.intern(Type::Vector(TypeId::U8));
                self.require(
                    message == bytes,
                    StatusCode::ABORT_TYPE_MISMATCH_ERROR,
                    "the message is no vector<u8>",
                )?;
                let operand = self.pop()?;
                self.abort_code(operand)
            }
            B::Ret => {
                for index in (0..self.types.len(self.returns)).rev() {
                    let expected = self.element(self.returns, index)?;
                    let operand = self.pop()?;
                    self.require(
                        self.types.is_assignable(expected, operand),
                        StatusCode::RET_TYPE_MISMATCH_ERROR,
                        "a result has another type than declared",
                    )?;
                }
                Ok(())
            }
            B::LdU8(_) => self.push(TypeId::U8),
            B::LdU16(_) => self.push(TypeId::U16),
            B::LdU32(_) => self.push(TypeId::U32),
            B::LdU64(_) => self.push(TypeId::U64),
            B::LdU128(_) => self.push(TypeId::U128),
            B::LdU256(_) => self.push(TypeId::U256),
            B::LdI8(_) => self.push(TypeId::I8),
            B::LdI16(_) => self.push(TypeId::I16),
            B::LdI32(_) => self.push(TypeId::I32),
            B::LdI64(_) => self.push(TypeId::I64),
            B::LdI128(_) => self.push(TypeId::I128),
            B::LdI256(_) => self.push(TypeId::I256),
            B::LdTrue | B::LdFalse => self.push(TypeId::BOOL),
            B::LdConst(index) => {
                let constant = self.types.constant(*index);
                self.push(constant)
            }
            B::CopyLoc(local) => {
                let type_ = self.local(*local)?;
                let abilities = self.abilities(type_);
                self.require(
                    abilities.has_copy(),
                    StatusCode::COPYLOC_WITHOUT_COPY_ABILITY,
                    "a local without copy is copied",
                )?;
                self.push(type_)
            }
            B::MoveLoc(local) => {
                let type_ = self.local(*local)?;
                self.push(type_)
            }
            B::StLoc(local) => {
                let operand = self.pop()?;
                let type_ = self.local(*local)?;
                self.require(
                    self.types.is_assignable(type_, operand),
                    StatusCode::STLOC_TYPE_MISMATCH_ERROR,
                    "the value has another type than the local",
                )
            }
            B::Add | B::Sub | B::Mul | B::Mod | B::Div => self.arithmetic(TypeId::is_integer),
            B::BitOr | B::BitAnd | B::Xor => self.arithmetic(TypeId::is_unsigned),
            B::Shl | B::Shr => self.shift(),
            B::Negate => self.negate(),
            B::Lt | B::Gt | B::Le | B::Ge => self.ordering(),
            B::Or | B::And => self.logic(),
            B::Not => self.not(),
            B::Eq | B::Neq => self.equality(),
            B::CastU8 => self.cast(TypeId::U8),
            B::CastU16 => self.cast(TypeId::U16),
            B::CastU32 => self.cast(TypeId::U32),
            B::CastU64 => self.cast(TypeId::U64),
            B::CastU128 => self.cast(TypeId::U128),
            B::CastU256 => self.cast(TypeId::U256),
            B::CastI8 => self.cast(TypeId::I8),
            B::CastI16 => self.cast(TypeId::I16),
            B::CastI32 => self.cast(TypeId::I32),
            B::CastI64 => self.cast(TypeId::I64),
            B::CastI128 => self.cast(TypeId::I128),
            B::CastI256 => self.cast(TypeId::I256),
            B::MutBorrowLoc(local) => self.borrow_local(true, *local),
            B::ImmBorrowLoc(local) => self.borrow_local(false, *local),
            B::FreezeRef => self.freeze(),
            B::ReadRef => self.read(),
            B::WriteRef => self.write(),
            B::MutBorrowField(index) => {
                let (owner, field) = self.types.field(*index);
                self.borrow_field(true, owner, Some(field))
            }
            B::ImmBorrowField(index) => {
                let (owner, field) = self.types.field(*index);
                self.borrow_field(false, owner, Some(field))
            }
            B::MutBorrowFieldGeneric(index) => {
                let (owner, field) = self.types.field_instantiation(*index, self.meter)?;
                self.borrow_field(true, owner, Some(field))
            }
            B::ImmBorrowFieldGeneric(index) => {
                let (owner, field) = self.types.field_instantiation(*index, self.meter)?;
                self.borrow_field(false, owner, Some(field))
            }
            B::MutBorrowVariantField(index) => {
                let (owner, field) = self.types.variant_field(*index);
                self.borrow_field(true, owner, field)
            }
            B::ImmBorrowVariantField(index) => {
                let (owner, field) = self.types.variant_field(*index);
                self.borrow_field(false, owner, field)
            }
            B::MutBorrowVariantFieldGeneric(index) => {
                let (owner, field) = self.types.variant_field_instantiation(*index, self.meter)?;
                self.borrow_field(true, owner, field)
            }
            B::ImmBorrowVariantFieldGeneric(index) => {
                let (owner, field) = self.types.variant_field_instantiation(*index, self.meter)?;
                self.borrow_field(false, owner, field)
            }
            B::Pack(index) => {
                let is_struct = self.is_struct(*index);
                let members = self.types.struct_(*index);
                self.pack(members, is_struct)
            }
            B::PackGeneric(index) => {
                let is_struct =
                    self.is_struct(self.function.module.struct_instantiation_at(*index).def);
                let members = self.types.struct_instantiation(*index, self.meter)?;
                self.pack(members, is_struct)
            }
            B::PackVariant(index) => {
                let members = self.types.variant(*index);
                self.pack(members, true)
            }
            B::PackVariantGeneric(index) => {
                let members = self.types.variant_instantiation(*index, self.meter)?;
                self.pack(members, true)
            }
            B::Unpack(index) => {
                let is_struct = self.is_struct(*index);
                let members = self.types.struct_(*index);
                self.unpack(members, is_struct)
            }
            B::UnpackGeneric(index) => {
                let is_struct =
                    self.is_struct(self.function.module.struct_instantiation_at(*index).def);
                let members = self.types.struct_instantiation(*index, self.meter)?;
                self.unpack(members, is_struct)
            }
            B::UnpackVariant(index) => {
                let members = self.types.variant(*index);
                self.unpack(members, true)
            }
            B::UnpackVariantGeneric(index) => {
                let members = self.types.variant_instantiation(*index, self.meter)?;
                self.unpack(members, true)
            }
            B::TestVariant(index) => {
                let (type_, _) = self.types.variant(*index);
                self.test_variant(type_)
            }
            B::TestVariantGeneric(index) => {
                let (type_, _) = self.types.variant_instantiation(*index, self.meter)?;
                self.test_variant(type_)
            }
            B::Call(index) => {
                let signature = self.types.function(*index);
                self.call(signature)
            }
            B::CallGeneric(index) => {
                let signature = self.types.function_instantiation(*index, self.meter)?;
                self.call(signature)
            }
            B::PackClosure(index, mask) => {
                let signature = self.types.function(*index);
                self.pack_closure(*index, signature, *mask)
            }
            B::PackClosureGeneric(index, mask) => {
                let signature = self.types.function_instantiation(*index, self.meter)?;
                let handle = self
                    .function
                    .module
                    .function_instantiation_at(*index)
                    .handle;
                self.pack_closure(handle, signature, *mask)
            }
            B::CallClosure(index) => self.call_closure(*index),
            B::Exists(index) => {
                let (type_, _) = self.types.struct_(*index);
                self.exists(type_)
            }
            B::ExistsGeneric(index) => {
                let (type_, _) = self.types.struct_instantiation(*index, self.meter)?;
                self.exists(type_)
            }
            B::MutBorrowGlobal(index) => {
                let (type_, _) = self.types.struct_(*index);
                self.borrow_global(true, type_)
            }
            B::ImmBorrowGlobal(index) => {
                let (type_, _) = self.types.struct_(*index);
                self.borrow_global(false, type_)
            }
            B::MutBorrowGlobalGeneric(index) => {
                let (type_, _) = self.types.struct_instantiation(*index, self.meter)?;
                self.borrow_global(true, type_)
            }
            B::ImmBorrowGlobalGeneric(index) => {
                let (type_, _) = self.types.struct_instantiation(*index, self.meter)?;
                self.borrow_global(false, type_)
            }
            B::MoveFrom(index) => {
                let (type_, _) = self.types.struct_(*index);
                self.move_from(type_)
            }
            B::MoveFromGeneric(index) => {
                let (type_, _) = self.types.struct_instantiation(*index, self.meter)?;
                self.move_from(type_)
            }
            B::MoveTo(index) => {
                let (type_, _) = self.types.struct_(*index);
                self.move_to(type_)
            }
            B::MoveToGeneric(index) => {
                let (type_, _) = self.types.struct_instantiation(*index, self.meter)?;
                self.move_to(type_)
            }
            B::VecPack(index, count) => self.vector_pack(*index, *count),
            B::VecUnpack(index, count) => self.vector_unpack(*index, *count),
            B::VecLen(index) => self.vector_length(*index),
            B::VecImmBorrow(index) => self.vector_borrow(false, *index),
            B::VecMutBorrow(index) => self.vector_borrow(true, *index),
            B::VecPushBack(index) => self.vector_push(*index),
            B::VecPopBack(index) => self.vector_pop(*index),
            B::VecSwap(index) => self.vector_swap(*index),
        }
    }

    fn abort_code(&self, operand: TypeId) -> VerifierResult {
        self.require(
            operand == TypeId::U64,
            StatusCode::ABORT_TYPE_MISMATCH_ERROR,
            "the code of an abort is no u64",
        )
    }

    fn abilities(&mut self, type_: TypeId) -> AbilitySet {
        let constraints = &self.function.handle.type_parameters;
        self.types.abilities(type_, constraints)
    }

    fn local(&self, index: LocalIndex) -> VerifierResult<TypeId> {
        self.locals
            .get(usize::from(index))
            .copied()
            .ok_or_else(|| self.function.broken(self.offset))
    }

    fn element(&self, list: ListId, index: usize) -> VerifierResult<TypeId> {
        self.types
            .element(list, index)
            .ok_or_else(|| self.function.broken(self.offset))
    }

    fn push(&mut self, type_: TypeId) -> VerifierResult {
        self.push_all(type_, 1)
    }

    /// Pushes the same type several times.
    fn push_all(&mut self, type_: TypeId, count: u64) -> VerifierResult {
        let nodes = self.types.nodes(type_).saturating_mul(count);
        self.meter.add(nodes.saturating_mul(NODE))?;
        for _ in 0..count {
            self.stack.push(type_);
        }
        Ok(())
    }

    fn push_list(&mut self, list: ListId) -> VerifierResult {
        for index in 0..self.types.len(list) {
            let type_ = self.element(list, index)?;
            self.push(type_)?;
        }
        Ok(())
    }

    fn pop(&mut self) -> VerifierResult<TypeId> {
        self.stack
            .pop()
            .ok_or_else(|| self.function.broken(self.offset))
    }

    fn require(&self, holds: bool, status: StatusCode, message: &str) -> VerifierResult {
        if holds {
            Ok(())
        } else {
            Err(self.error(status, message))
        }
    }

    #[cold]
    fn error(&self, status: StatusCode, message: &str) -> VerifierError {
        self.function.error(status, self.offset, message)
    }
}
