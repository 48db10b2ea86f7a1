//! Ops that call something: allocation, wide arithmetic, values with pointers, storage, natives, unusual calls.

use super::op::{LOCAL_VECTOR, Op};
use super::{Frame, Interpreter, cast};
use crate::context::ids::{LayoutId, TargetId};
use crate::lower::Form;
use crate::memory::Addr;
use crate::memory::code::Pc;
use crate::stop::{Run, Stop};
use crate::value::{
    Packing, VectorHeader, abstract_size, compare, copy_cost, deep_copy, storage_cost,
};
use ethnum::{I256, U256};
use monomove_types::StatusCode;

/// Sub-status of `VECTOR_OPERATION_ERROR`: index out of bounds.
pub(super) const INDEX_OUT_OF_BOUNDS: u64 = 1;
/// Sub-status of `VECTOR_OPERATION_ERROR`: pop from an empty vector.
pub(super) const POP_FROM_EMPTY: u64 = 2;
/// Sub-status of `VECTOR_OPERATION_ERROR`: unpack of a vector of another length.
const LENGTH_MISMATCH: u64 = 3;

impl Interpreter<'_> {
    /// Executes an op that the fast loop left to this function; the position is behind it.
    #[rustfmt::skip]
    pub(super) fn slow(&mut self, op: Op) -> Run<()> {
        let fp = self.fp;
        macro_rules! get {
            ($t:ty, $slot:expr) => {
                self.memory.get::<$t>(fp + $slot)
            };
        }
        macro_rules! set {
            ($slot:expr, $value:expr) => {{
                let value = $value;
                self.memory.set(fp + $slot, value)
            }};
        }
        macro_rules! arith {
            ($t:ty, $f:ident, $dst:expr, $a:expr, $b:expr) => {
                match get!($t, $a).$f($b) {
                    Some(value) => set!($dst, value),
                    None => return Err(Stop::status(StatusCode::ARITHMETIC_ERROR)),
                }
            };
        }
        macro_rules! negate {
            ($t:ty, $dst:expr, $a:expr) => {
                match get!($t, $a).checked_neg() {
                    Some(value) => set!($dst, value),
                    None => return Err(Stop::status(StatusCode::ARITHMETIC_ERROR)),
                }
            };
        }
        macro_rules! shift {
            ($t:ty, $op:tt, $dst:expr, $a:expr, $n:expr) => {{
                let n = $n;
                if n >= <$t>::BITS {
                    return Err(Stop::status(StatusCode::ARITHMETIC_ERROR));
                }
                set!($dst, get!($t, $a) $op n)
            }};
        }
        macro_rules! referent {
            ($slot:expr) => {{
                let reference = get!(u64, $slot);
                (reference as u32).wrapping_add((reference >> 32) as u32)
            }};
        }
        macro_rules! header {
            ($vec:expr) => {
                if $vec & LOCAL_VECTOR != 0 { fp + ($vec & !LOCAL_VECTOR) } else { referent!($vec) }
            };
        }
        match op {
            Op::AddU256 { dst, a, b } => arith!(U256, checked_add, dst, a, get!(U256, b)),
            Op::AddI256 { dst, a, b } => arith!(I256, checked_add, dst, a, get!(I256, b)),
            Op::SubU256 { dst, a, b } => arith!(U256, checked_sub, dst, a, get!(U256, b)),
            Op::SubI256 { dst, a, b } => arith!(I256, checked_sub, dst, a, get!(I256, b)),
            Op::MulU128 { dst, a, b } => arith!(u128, checked_mul, dst, a, get!(u128, b)),
            Op::MulU256 { dst, a, b } => arith!(U256, checked_mul, dst, a, get!(U256, b)),
            Op::MulI128 { dst, a, b } => arith!(i128, checked_mul, dst, a, get!(i128, b)),
            Op::MulI64 { dst, a, b } => arith!(i64, checked_mul, dst, a, get!(i64, b)),
            Op::MulI256 { dst, a, b } => arith!(I256, checked_mul, dst, a, get!(I256, b)),
            Op::DivU128 { dst, a, b } => arith!(u128, checked_div, dst, a, get!(u128, b)),
            Op::DivU256 { dst, a, b } => arith!(U256, checked_div, dst, a, get!(U256, b)),
            Op::DivI128 { dst, a, b } => arith!(i128, checked_div, dst, a, get!(i128, b)),
            Op::DivI256 { dst, a, b } => arith!(I256, checked_div, dst, a, get!(I256, b)),
            Op::ModU128 { dst, a, b } => arith!(u128, checked_rem, dst, a, get!(u128, b)),
            Op::ModU256 { dst, a, b } => arith!(U256, checked_rem, dst, a, get!(U256, b)),
            Op::ModI128 { dst, a, b } => arith!(i128, checked_rem, dst, a, get!(i128, b)),
            Op::ModI256 { dst, a, b } => arith!(I256, checked_rem, dst, a, get!(I256, b)),
            Op::LtU256 { dst, a, b } => set!(dst, u8::from(get!(U256, a) < get!(U256, b))),
            Op::LeU256 { dst, a, b } => set!(dst, u8::from(get!(U256, a) <= get!(U256, b))),
            Op::LtI256 { dst, a, b } => set!(dst, u8::from(get!(I256, a) < get!(I256, b))),
            Op::LeI256 { dst, a, b } => set!(dst, u8::from(get!(I256, a) <= get!(I256, b))),
            Op::ShlU128 { dst, a, b } => shift!(u128, <<, dst, a, u32::from(get!(u8, b))),
            Op::ShrU128 { dst, a, b } => shift!(u128, >>, dst, a, u32::from(get!(u8, b))),
            Op::AndU256 { dst, a, b } => set!(dst, get!(U256, a) & get!(U256, b)),
            Op::OrU256 { dst, a, b } => set!(dst, get!(U256, a) | get!(U256, b)),
            Op::XorU256 { dst, a, b } => set!(dst, get!(U256, a) ^ get!(U256, b)),
            Op::ShlU256 { dst, a, b } => set!(dst, get!(U256, a) << u32::from(get!(u8, b))),
            Op::ShrU256 { dst, a, b } => set!(dst, get!(U256, a) >> u32::from(get!(u8, b))),
            Op::NegI256 { dst, a } => negate!(I256, dst, a),
            Op::VecPush1 { vec, src, element } => { self.reserve_push(header!(vec), 1)?; let to = self.push_place(header!(vec), 1, element)?; self.memory.copy(to, fp + src, 1); }
            Op::VecPush2 { vec, src, element } => { self.reserve_push(header!(vec), 2)?; let to = self.push_place(header!(vec), 2, element)?; self.memory.copy(to, fp + src, 2); }
            Op::VecPush4 { vec, src, element } => { self.reserve_push(header!(vec), 4)?; let to = self.push_place(header!(vec), 4, element)?; self.memory.copy(to, fp + src, 4); }
            Op::VecPush8 { vec, src, element } => { self.reserve_push(header!(vec), 8)?; let to = self.push_place(header!(vec), 8, element)?; self.memory.copy(to, fp + src, 8); }
            Op::VecPush16 { vec, src, element } => { self.reserve_push(header!(vec), 16)?; let to = self.push_place(header!(vec), 16, element)?; self.memory.copy(to, fp + src, 16); }
            Op::VecPush32 { vec, src, element } => { self.reserve_push(header!(vec), 32)?; let to = self.push_place(header!(vec), 32, element)?; self.memory.copy(to, fp + src, 32); }
            Op::VecPushN { size, vec, src, element } => {
                self.reserve_push(header!(vec), u32::from(size))?; let to = self.push_place(header!(vec), u32::from(size), element)?;
                self.memory.copy(to, fp + src, u32::from(size));
            }
            // Long values, and ranges that overlap.
            Op::MoveN { size, dst, src } => self.memory.copy(fp + dst, fp + src, u32::from(size)),
            Op::LoadN { size, dst, base, offset } => {
                let from = referent!(base).wrapping_add(offset);
                self.memory.copy(fp + dst, from, u32::from(size));
            }
            Op::StoreN { size, base, offset, src } => {
                let to = referent!(base).wrapping_add(offset);
                self.memory.copy(to, fp + src, u32::from(size));
            }
            Op::VecLoadN { size, dst, vec, index } => {
                let from = self.element(header!(vec), get!(u64, index), size)?;
                self.memory.copy(fp + dst, from, u32::from(size));
            }
            Op::VecStoreN { size, vec, index, src } => {
                let to = self.element(header!(vec), get!(u64, index), size)?;
                self.memory.copy(to, fp + src, u32::from(size));
            }
            Op::VecPop { size, dst, vec } => {
                let header = header!(vec);
                let Some(last) = self.memory.get::<u32>(header + 4).checked_sub(1) else {
                    return Err(Stop::with_sub_status(StatusCode::VECTOR_OPERATION_ERROR, POP_FROM_EMPTY));
                };
                let from = self.element(header, u64::from(last), size)?;
                self.memory.set(header + 4, last);
                self.memory.copy(fp + dst, from, u32::from(size));
            }
            Op::VecSwap { size, vec, i, j } => {
                let header = header!(vec);
                let (a, b) = (self.element(header, get!(u64, i), size)?, self.element(header, get!(u64, j), size)?);
                self.memory.swap(a, b, u32::from(size));
            }
            Op::ConstBytes { size, dst, pool } => {
                let function = self.code.instance(self.instance);
                let bytes = &function.pool[pool as usize..pool as usize + usize::from(size)];
                self.memory.bytes_mut(fp + dst, u32::from(size)).copy_from_slice(bytes);
            }
            Op::ConstValue { dst, constant } => self.constant(fp + dst, constant)?,
            Op::Cast { dst, src, from, to } => {
                if !cast::cast(self.memory, fp + dst, fp + src, from, to) {
                    return Err(Stop::status(StatusCode::ARITHMETIC_ERROR));
                }
            }
            Op::Call { target, frame, height } => {
                if self.code.at(target).ready_in != self.transaction {
                    self.prepare(target)?;
                }
                let cost = self.code.at(target).call_gas;
                self.call(target, frame, height, false, cost)?;
            }
            Op::CallClosure { closure, call } => {
                let target = self.place_closure_arguments(fp, closure, call)?;
                let at = &self.code.instance(self.instance).closure_calls[call as usize];
                let (frame, height, cost) = (at.frame, at.height, self.code.at(target).closure_gas);
                self.call(target, frame, height, true, cost)?;
            }
            Op::Ret => {
                if let Some(frame) = self.frames.pop() {
                    (self.pc, self.fp) = (frame.pc, frame.fp);
                    self.height -= frame.height;
                    self.instance = frame.instance;
                    self.leave(frame.entered);
                }
            }
            Op::PackClosure { dst, kind, slots } => self.pack_closure(fp, dst, kind, slots)?,
            Op::Unbox { dst, base } => set!(dst, u64::from(self.memory.get::<u32>(referent!(base)))),
            Op::PackBoxed { tag, dst, layout, slots } => self.pack_boxed(fp, dst, (layout, tag), slots)?,
            Op::UnpackBoxed { tag, src, layout, slots } => self.unpack_boxed(fp, src, (layout, tag), slots)?,
            Op::Native { native } => self.call_native(native, fp)?,
            Op::Shadow { step } => self.shadow_step(fp, step)?,
            Op::Abort { code } => {
                return Err(Stop::with_sub_status(StatusCode::ABORTED, get!(u64, code)));
            }
            Op::AbortMessage { code, message } => {
                return Err(self.abort_with_message(get!(u64, code), fp + message));
            }
            Op::Fail { failure } => {
                let fail = self.code.instance(self.instance).failures[failure as usize].clone();
                return Err(Stop::Fail(Box::new(fail)));
            }
            Op::Copy { dst, src, layout } | Op::CopyClosure { dst, src, layout } => {
                let per_unit = self.schedule.copy_loc_per_abs_val_unit;
                self.copy_value(fp + dst, |_| fp + src, layout, per_unit)?;
            }
            Op::LoadCopy { dst, base, layout } => {
                let per_unit = self.schedule.read_ref_per_abs_val_unit;
                self.copy_value(fp + dst, |run| run.memory.referent(fp + base), layout, per_unit)?;
            }
            Op::EqValues { comparison, dst, a, b } => self.equal_values(comparison, fp, dst, a, b)?,
            Op::VecPack { dst, operands } => self.vec_pack(fp, dst, operands)?,
            Op::VecUnpack { src, operands } => self.vec_unpack(fp, src, operands)?,
            Op::Exists { dst, address, layout } => {
                let exists = self.exists(fp + address, layout)?;
                set!(dst, u8::from(exists));
            }
            Op::BorrowGlobal { mutable, dst, address, layout } => {
                let object = self.borrow_global(fp + address, layout, mutable)?;
                set!(dst, u64::from(object));
            }
            Op::MoveFrom { dst, address, layout } => self.move_from(fp + dst, fp + address, layout)?,
            Op::MoveTo { signer, src, layout } => self.move_to(referent!(signer), fp + src, layout)?,
            _ => return Err(Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR)),
        }
        Ok(())
    }

    /// Starts the callee's frame; its parameters are in place.
    fn call(
        &mut self,
        target: TargetId,
        frame: u32,
        height: u32,
        by_closure: bool,
        cost: u64,
    ) -> Run<()> {
        self.charge_instruction(cost)?;
        let entered = self.enter(target, self.fp + frame, by_closure)?;
        let callee = self.code.at(target);
        let (new_fp, new_height) = (self.fp + frame, self.height + height);
        if new_fp.wrapping_sub(self.lead) + callee.extent > self.stack_limit
            || (self.frames.len() >= self.call_depth && !callee.native)
        {
            return Err(Stop::status(StatusCode::CALL_STACK_OVERFLOW));
        }
        let (mut code, mut instance) = (callee.code, callee.instance);
        if self.traced {
            (code, instance) = self.traced_form(target, new_fp)?;
        } else if new_height + callee.max_height > self.operand_limit {
            (code, instance) = self.other_form(target, Form::Checked)?;
        }
        self.frames.push(Frame {
            pc: self.pc,
            fp: self.fp,
            height,
            instance: self.instance,
            entered,
        });
        (self.instance, self.height, self.fp) = (instance, new_height, new_fp);
        self.enter_code(code.at(0))
    }

    /// Starts executing at the first op of a function, which is a charge.
    pub(super) fn enter_code(&mut self, start: Pc) -> Run<()> {
        let Op::Charge { instructions, gas } = *start.op() else {
            return Err(Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR));
        };
        self.pc = start.next();
        self.instructions += u64::from(instructions);
        self.charge_instruction(gas)
    }

    /// Reserves what one more element in the vector at `header` takes. The vector may be elsewhere afterwards.
    pub(crate) fn reserve_push(&mut self, header: Addr, size: u32) -> Run<()> {
        let vector = VectorHeader::read(self.memory, header);
        if vector.len < vector.capacity {
            return Ok(());
        }
        let capacity = u64::from(vector.capacity).saturating_mul(2).max(4);
        self.reserve(storage_cost(capacity * u64::from(size))?)
    }

    /// Makes room for one more element in the vector whose header is at `header`. What it takes is reserved.
    fn grow(&mut self, header: Addr, size: u32, element: LayoutId) -> Run<()> {
        let old = VectorHeader::read(self.memory, header);
        let out_of_memory = || Stop::status(StatusCode::MEMORY_LIMIT_EXCEEDED);
        let capacity = old
            .capacity
            .checked_mul(2)
            .ok_or_else(out_of_memory)?
            .max(4);
        let bytes = capacity.checked_mul(size).ok_or_else(out_of_memory)?;
        if bytes == 0 {
            VectorHeader { capacity, ..old }.write(self.memory, header);
            return Ok(());
        }
        if old.storage != 0 && self.memory.extend(old.storage, bytes) {
            VectorHeader { capacity, ..old }.write(self.memory, header);
            return Ok(());
        }
        let storage = self.memory.allocate(bytes, element.0)?;
        self.memory.copy(storage, old.storage, old.len * size);
        VectorHeader {
            storage,
            len: old.len,
            capacity,
        }
        .write(self.memory, header);
        Ok(())
    }

    /// Where an element appended to the vector at `header` goes. What it takes is reserved.
    pub(crate) fn push_place(&mut self, header: Addr, size: u32, element: LayoutId) -> Run<Addr> {
        let vector = VectorHeader::read(self.memory, header);
        if vector.len >= vector.capacity {
            self.grow(header, size, element)?;
        }
        self.memory.set(header + 4, vector.len + 1);
        Ok(self.memory.get::<u32>(header) + vector.len * size)
    }

    /// The place of an element of the vector at `header`.
    fn element(&self, header: Addr, index: u64, size: u16) -> Run<Addr> {
        let vector = VectorHeader::read(self.memory, header);
        if index >= u64::from(vector.len) {
            return Err(Stop::with_sub_status(
                StatusCode::VECTOR_OPERATION_ERROR,
                INDEX_OUT_OF_BOUNDS,
            ));
        }
        let offset = (index as u32).wrapping_mul(u32::from(size));
        Ok(vector.storage.wrapping_add(offset))
    }

    /// Copies a value that `source` finds.
    fn copy_value(
        &mut self,
        dst: Addr,
        source: impl Fn(&Self) -> Addr,
        layout: LayoutId,
        per_unit: u64,
    ) -> Run<()> {
        let src = source(self);
        let units = abstract_size(self.ctx, self.memory, src, layout, Packing::All)
            .map_err(Stop::uncharged)?;
        self.charge_instruction(per_unit.saturating_mul(units))?;
        self.reserve(copy_cost(self.ctx, self.memory, src, layout)?)?;
        let src = source(self);
        deep_copy(self.ctx, self.memory, dst, src, layout)
    }

    fn equal_values(&mut self, comparison: u16, fp: Addr, dst: u32, a: u32, b: u32) -> Run<()> {
        let how = self.code.instance(self.instance).comparisons[usize::from(comparison)];
        let address = |slot: u32| {
            if !how.by_reference {
                return fp + slot;
            }
            let reference = self.memory.get::<u64>(fp + slot);
            (reference as u32).wrapping_add((reference >> 32) as u32)
        };
        let (a, b) = (address(a), address(b));
        let size = |at| abstract_size(self.ctx, self.memory, at, how.layout, Packing::Equality);
        let units = size(a)
            .map_err(Stop::uncharged)?
            .saturating_add(size(b).map_err(Stop::uncharged)?);
        let per_unit = if how.negated {
            self.schedule.neq_per_abs_val_unit
        } else {
            self.schedule.eq_per_abs_val_unit
        };
        self.charge_instruction(per_unit.saturating_mul(units))?;
        let equal = compare::equal(self.ctx, self.memory, a, b, how.layout)?;
        self.memory.set(fp + dst, u8::from(equal != how.negated));
        Ok(())
    }

    fn vec_pack(&mut self, fp: Addr, dst: u32, operands: u32) -> Run<()> {
        let function = self.code.instance(self.instance).clone();
        let list = &function.operand_lists[operands as usize];
        let len = list.slots.len() as u32;
        let bytes = len
            .checked_mul(list.size)
            .ok_or_else(|| Stop::status(StatusCode::MEMORY_LIMIT_EXCEEDED))?;
        self.reserve(storage_cost(u64::from(bytes))?)?;
        let storage = if bytes == 0 {
            0
        } else {
            self.memory.allocate(bytes, list.element.0)?
        };
        for (i, slot) in (0..).zip(list.slots.iter()) {
            self.memory
                .copy(storage + i * list.size, fp + slot, list.size);
        }
        VectorHeader {
            storage,
            len,
            capacity: len,
        }
        .write(self.memory, fp + dst);
        Ok(())
    }

    fn vec_unpack(&mut self, fp: Addr, src: u32, operands: u32) -> Run<()> {
        let function = self.code.instance(self.instance).clone();
        let list = &function.operand_lists[operands as usize];
        let header = VectorHeader::read(self.memory, fp + src);
        if header.len as usize != list.slots.len() {
            return Err(Stop::with_sub_status(
                StatusCode::VECTOR_OPERATION_ERROR,
                LENGTH_MISMATCH,
            ));
        }
        for (i, slot) in (0..).zip(list.slots.iter()) {
            self.memory
                .copy(fp + slot, header.storage + i * list.size, list.size);
        }
        Ok(())
    }
}
