//! The interpreter's fast loop: ops that call nothing.
//!
//! Keeping calls, inner loops and stack slots out of this function keeps its few live values (position, frame, machine) in registers,
//! in the machine code that the embedder's wasm compiler makes of it too: each call clobbers registers, each loop brings a check of the
//! epoch, which is a call. Everything else leaves the loop with [`Exit::Slow`] and is done by `slow.rs`.

use super::op::{LOCAL_VECTOR, Op};
use super::slow::{INDEX_OUT_OF_BOUNDS, POP_FROM_EMPTY};
use super::{Entered, Frame, Interpreter};
use crate::context::closure::ClosureId;
use crate::context::ids::TargetId;
use crate::lower::Form;
use crate::memory::{HEADER_BYTES, MAX_SHORT, object_cost};
use crate::stop::{Run, Stop};
use crate::trace::Tracer;
use monomove_types::StatusCode;

/// Why the fast loop was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The first frame returned.
    Return,
    /// The op before the position is not for the fast loop.
    Slow,
    OutOfGas,
    ArithmeticError,
    IndexOutOfBounds,
    PopFromEmpty,
    VariantMismatch,
    OperandStackOverflow,
}

impl Exit {
    /// The failure that the loop was left for.
    #[cold]
    fn failure(self) -> Stop {
        let (status, sub_status) = match self {
            Self::OutOfGas => (StatusCode::OUT_OF_GAS, None),
            Self::ArithmeticError => (StatusCode::ARITHMETIC_ERROR, None),
            Self::IndexOutOfBounds => (
                StatusCode::VECTOR_OPERATION_ERROR,
                Some(INDEX_OUT_OF_BOUNDS),
            ),
            Self::PopFromEmpty => (StatusCode::VECTOR_OPERATION_ERROR, Some(POP_FROM_EMPTY)),
            Self::VariantMismatch => (StatusCode::STRUCT_VARIANT_MISMATCH, None),
            Self::OperandStackOverflow => (StatusCode::EXECUTION_STACK_OVERFLOW, None),
            Self::Return | Self::Slow => (StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR, None),
        };
        match sub_status {
            Some(sub_status) => Stop::with_sub_status(status, sub_status),
            None => Stop::status(status),
        }
    }
}

impl Interpreter<'_> {
    /// Runs `entry`, whose parameters are in place in the first frame, until it returns or fails.
    pub(crate) fn run<T: Tracer>(&mut self, entry: TargetId, tracer: &mut T) -> Run<()> {
        self.prepare(entry)?;
        let target = self.code.at(entry);
        let (mut code, instance) = (target.code, target.instance);
        let (extent, max_height) = (target.extent, target.max_height);
        self.instance = instance;
        self.height = 0;
        self.frames.clear();
        if extent > self.memory.stack_end() - self.memory.stack_start() {
            return Err(Stop::status(StatusCode::CALL_STACK_OVERFLOW));
        }
        self.fp = self.memory.stack_start();
        // What it locks and restricts holds until the end of the transaction.
        self.enter(entry, self.fp, false)?;
        if T::ACTIVE {
            self.traced = true;
            self.stack_end = 0;
            (code, self.instance) = self.traced_form(entry, self.fp)?;
            tracer.begin(self);
        } else if max_height > self.operand_limit {
            (code, self.instance) = self.other_form(entry, Form::Checked)?;
        }
        self.running = true;
        let entered = self.enter_code(code.at(0));
        let result = entered.and_then(|()| self.execute(tracer));
        if result.is_err() {
            self.stopped_at = Some(self.pc);
        }
        result
    }

    fn execute<T: Tracer>(&mut self, tracer: &mut T) -> Run<()> {
        loop {
            self.exit = Exit::Slow;
            self.fast();
            match self.exit {
                Exit::Return => return Ok(()),
                Exit::Slow => {
                    let op = *self.pc.previous().op();
                    if T::ACTIVE {
                        self.slow_traced(op, tracer)?;
                    } else {
                        self.slow(op)?;
                    }
                }
                failure => return Err(failure.failure()),
            }
        }
    }

    /// Executes a slow op, and tells `tracer` what it should know of it.
    fn slow_traced<T: Tracer>(&mut self, op: Op, tracer: &mut T) -> Run<()> {
        match op {
            Op::Step { offset } => tracer.step(self, offset),
            Op::Call { .. } | Op::CallClosure { .. } => {
                tracer.calling(self);
                let callers = self.frames.len();
                let result = self.slow(op);
                if self.frames.len() > callers {
                    tracer.call(self, matches!(op, Op::CallClosure { .. }), result.is_ok());
                }
                result
            }
            op => self.slow(op),
        }
    }

    #[rustfmt::skip]
    #[allow(clippy::cognitive_complexity, reason = "one match over all ops: splitting it would cost the dispatch its speed")]
    fn fast(&mut self) {
        let mut pc = self.pc;
        let mut fp = self.fp;

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
        // The position is that of the op that is executing; what is stored is the one behind it.
        'run: loop {
            macro_rules! stop {
                ($exit:ident) => {{
                    self.exit = Exit::$exit;
                    break 'run;
                }};
            }
            macro_rules! arith {
                ($t:ty, $f:ident, $dst:expr, $a:expr, $b:expr) => {
                    match get!($t, $a).$f($b) {
                        Some(value) => set!($dst, value),
                        None => stop!(ArithmeticError),
                    }
                };
            }
            macro_rules! product {
                ($product:expr, $dst:expr) => {
                    match $product {
                        Some(value) => set!($dst, value),
                        None => stop!(ArithmeticError),
                    }
                };
            }
            macro_rules! narrow {
                ($from:ty, $to:ty, $dst:expr, $src:expr) => {
                    match <$to>::try_from(get!($from, $src)) {
                        Ok(value) => set!($dst, value),
                        Err(_) => stop!(ArithmeticError),
                    }
                };
            }
            macro_rules! negate {
                ($t:ty, $dst:expr, $a:expr) => {
                    match get!($t, $a).checked_neg() {
                        Some(value) => set!($dst, value),
                        None => stop!(ArithmeticError),
                    }
                };
            }
            macro_rules! shift {
                ($t:ty, $op:tt, $dst:expr, $a:expr, $n:expr) => {{
                    let n = $n;
                    if n >= <$t>::BITS {
                        stop!(ArithmeticError);
                    }
                    set!($dst, get!($t, $a) $op n)
                }};
            }
            // The first op of a block is its charge; jumps take it on the way.
            macro_rules! enter {
                ($at:expr) => {{
                    pc = $at;
                    let (count, cost) = pc.charge();
                    charge!(count, cost);
                }};
            }
            macro_rules! charge {
                ($count:expr, $cost:expr) => {{
                    self.instructions += u64::from($count);
                    if self.gas < $cost {
                        stop!(OutOfGas);
                    }
                    self.gas -= $cost;
                }};
            }
            macro_rules! branch {
                ($cond:expr, $target:expr) => {{
                    let next = pc.next();
                    enter!(if $cond { next.jump($target) } else { next })
                }};
            }
            // 32 bytes in two halves: an array would go through the stack.
            macro_rules! copy32 {
                ($to:expr, $from:expr) => {{
                    let (to, from) = ($to, $from);
                    let low = self.memory.get::<u128>(from);
                    let high = self.memory.get::<u128>(from.wrapping_add(16));
                    self.memory.set(to, low);
                    self.memory.set(to.wrapping_add(16), high);
                }};
            }
            macro_rules! equal32 {
                ($a:expr, $b:expr) => {
                    get!(u128, $a) == get!(u128, $b) && get!(u128, $a + 16) == get!(u128, $b + 16)
                };
            }
            // Address that the reference in a slot refers to.
            macro_rules! referent {
                ($slot:expr) => {{
                    let reference = get!(u64, $slot);
                    (reference as u32).wrapping_add((reference >> 32) as u32)
                }};
            }
            // What lies behind a reference.
            macro_rules! field {
                ($t:ty, $base:expr, $offset:expr) => {
                    self.memory.get::<$t>(referent!($base).wrapping_add(u32::from($offset)))
                };
            }
            macro_rules! update {
                ($base:expr, $offset:expr, $f:ident, $by:expr) => {{
                    let at = referent!($base).wrapping_add($offset);
                    match self.memory.get::<u64>(at).$f($by) {
                        Some(value) => self.memory.set(at, value),
                        None => stop!(ArithmeticError),
                    }
                }};
            }
            macro_rules! variant {
                ($t:ty, $tag:expr, $base:expr, $offset:expr) => {{
                    let at = referent!($base);
                    if self.memory.get::<u16>(at) != $tag {
                        stop!(VariantMismatch);
                    }
                    self.memory.get::<$t>(at.wrapping_add($offset))
                }};
            }
            // Address of the header of the vector that an op names.
            macro_rules! header {
                ($vec:expr) => {
                    if $vec & LOCAL_VECTOR != 0 { fp + ($vec & !LOCAL_VECTOR) } else { referent!($vec) }
                };
            }
            macro_rules! element {
                ($vec:expr, $index:expr, $size:expr) => {{
                    let header = header!($vec);
                    let index = get!(u64, $index);
                    if index >= u64::from(self.memory.get::<u32>(header + 4)) {
                        stop!(IndexOutOfBounds);
                    }
                    self.memory.get::<u32>(header).wrapping_add((index as u32).wrapping_mul($size))
                }};
            }
            // The place of a new last element; a vector that has to grow is not for this loop.
            macro_rules! pushed {
                ($vec:expr, $size:expr) => {{
                    let header = header!($vec);
                    let len = self.memory.get::<u32>(header + 4);
                    if len >= self.memory.get::<u32>(header + 8) {
                        break 'run;
                    }
                    self.memory.set(header + 4, len + 1);
                    self.memory.get::<u32>(header).wrapping_add(len.wrapping_mul($size))
                }};
            }

            // The arms of the ops that make up most of what is executed, and more.
            macro_rules! dispatch {
                ($($more:tt)*) => { match *pc.op() {
                    Op::Move1 { dst, src } => set!(dst, get!(u8, src)),
                    Op::Move8 { dst, src } => set!(dst, get!(u64, src)),
                    Op::Move12 { dst, src } => {
                        let (low, high) = (get!(u64, src), get!(u32, src + 8));
                        set!(dst, low);
                        set!(dst + 8, high);
                    }
                    Op::Move16 { dst, src } => set!(dst, get!(u128, src)),
                    Op::Move32 { dst, src } => copy32!(fp + dst, fp + src),
                    Op::AddU64 { dst, a, b } => arith!(u64, checked_add, dst, a, get!(u64, b)),
                    Op::SubU64 { dst, a, b } => arith!(u64, checked_sub, dst, a, get!(u64, b)),
                    Op::MulU64 { dst, a, b } => product!(mul_u64(get!(u64, a), get!(u64, b)), dst),
                    Op::DivU64 { dst, a, b } => arith!(u64, checked_div, dst, a, get!(u64, b)),
                    Op::ModU64 { dst, a, b } => arith!(u64, checked_rem, dst, a, get!(u64, b)),
                    Op::LtU64 { dst, a, b } => set!(dst, u8::from(get!(u64, a) < get!(u64, b))),
                    Op::LeU64 { dst, a, b } => set!(dst, u8::from(get!(u64, a) <= get!(u64, b))),
                    Op::AndU64 { dst, a, b } => set!(dst, get!(u64, a) & get!(u64, b)),
                    Op::OrU64 { dst, a, b } => set!(dst, get!(u64, a) | get!(u64, b)),
                    Op::XorU64 { dst, a, b } => set!(dst, get!(u64, a) ^ get!(u64, b)),
                    Op::ShlU64 { dst, a, b } => shift!(u64, <<, dst, a, u32::from(get!(u8, b))),
                    Op::ShrU64 { dst, a, b } => shift!(u64, >>, dst, a, u32::from(get!(u8, b))),
                    Op::Eq8 { dst, a, b } => set!(dst, u8::from(get!(u64, a) == get!(u64, b))),
                    Op::AddImmU8 { dst, a, imm } => arith!(u8, checked_add, dst, a, imm as u8),
                    Op::SubImmU8 { dst, a, imm } => arith!(u8, checked_sub, dst, a, imm as u8),
                    Op::AndImmU8 { dst, a, imm } => set!(dst, get!(u8, a) & imm as u8),
                    Op::AddImmU64 { dst, a, imm } => arith!(u64, checked_add, dst, a, imm as u64),
                    Op::SubImmU64 { dst, a, imm } => arith!(u64, checked_sub, dst, a, imm as u64),
                    Op::MulImmU64 { dst, a, imm } => product!(mul_u64(get!(u64, a), u64::from(imm)), dst),
                    Op::DivImmU64 { dst, a, imm } => arith!(u64, checked_div, dst, a, imm as u64),
                    Op::ModImmU64 { dst, a, imm } => arith!(u64, checked_rem, dst, a, imm as u64),
                    Op::AndImmU64 { dst, a, imm } => set!(dst, get!(u64, a) & imm as u64),
                    Op::OrImmU64 { dst, a, imm } => set!(dst, get!(u64, a) | imm as u64),
                    Op::XorImmU64 { dst, a, imm } => set!(dst, get!(u64, a) ^ imm as u64),
                    Op::ShlImmU64 { dst, a, imm } => shift!(u64, <<, dst, a, imm),
                    Op::ShrImmU64 { dst, a, imm } => shift!(u64, >>, dst, a, imm),
                    Op::LtImmU64 { dst, a, imm } => set!(dst, u8::from(get!(u64, a) < (imm as u64))),
                    Op::EqImmU64 { dst, a, imm } => set!(dst, u8::from(get!(u64, a) == imm as u64)),
                    Op::JumpGeImmU8 { a, imm, target } => branch!(get!(u8, a) >= (imm as u8), target),
                    Op::JumpEqImmU8 { a, imm, target } => branch!(get!(u8, a) == (imm as u8), target),
                    Op::JumpNeImmU8 { a, imm, target } => branch!(get!(u8, a) != (imm as u8), target),
                    Op::JumpLtU64 { a, b, target } => branch!(get!(u64, a) < get!(u64, b), target),
                    Op::JumpLeU64 { a, b, target } => branch!(get!(u64, a) <= get!(u64, b), target),
                    Op::JumpEqU64 { a, b, target } => branch!(get!(u64, a) == get!(u64, b), target),
                    Op::JumpNeU64 { a, b, target } => branch!(get!(u64, a) != get!(u64, b), target),
                    Op::JumpLtImmU64 { a, imm, target } => branch!(get!(u64, a) < (imm as u64), target),
                    Op::JumpLeImmU64 { a, imm, target } => branch!(get!(u64, a) <= (imm as u64), target),
                    Op::JumpGtImmU64 { a, imm, target } => branch!(get!(u64, a) > (imm as u64), target),
                    Op::JumpGeImmU64 { a, imm, target } => branch!(get!(u64, a) >= (imm as u64), target),
                    Op::JumpEqImmU64 { a, imm, target } => branch!(get!(u64, a) == (imm as u64), target),
                    Op::JumpNeImmU64 { a, imm, target } => branch!(get!(u64, a) != (imm as u64), target),
                    Op::Load1 { dst, base, offset } => set!(dst, self.memory.get::<u8>(referent!(base).wrapping_add(offset))),
                    Op::Load8 { dst, base, offset } => set!(dst, self.memory.get::<u64>(referent!(base).wrapping_add(offset))),
                    Op::Store1 { base, offset, src } => { let to = referent!(base).wrapping_add(offset); self.memory.set(to, get!(u8, src)); }
                    Op::Store8 { base, offset, src } => { let to = referent!(base).wrapping_add(offset); self.memory.set(to, get!(u64, src)); }
                    Op::VecLoad1 { dst, vec, index } => { let from = element!(vec, index, 1); set!(dst, self.memory.get::<u8>(from)); }
                    Op::VecLoad8 { dst, vec, index } => { let from = element!(vec, index, 8); set!(dst, self.memory.get::<u64>(from)); }
                    Op::VecStore1 { vec, index, src } => { let to = element!(vec, index, 1); self.memory.set(to, get!(u8, src)); }
                    Op::VecStore8 { vec, index, src } => { let to = element!(vec, index, 8); self.memory.set(to, get!(u64, src)); }
                    Op::VecPush1 { vec, src, .. } => { let to = pushed!(vec, 1); self.memory.set(to, get!(u8, src)); }
                    Op::VecPush8 { vec, src, .. } => { let to = pushed!(vec, 8); self.memory.set(to, get!(u64, src)); }
                    Op::Const1 { dst, value } => set!(dst, value as u8),
                    Op::Const8 { dst, value } => set!(dst, value),
                    Op::Not { dst, a } => set!(dst, get!(u8, a) ^ 1),
                    Op::CastU8ToU64 { dst, src } => set!(dst, u64::from(get!(u8, src))),
                    Op::CastU32ToU64 { dst, src } => set!(dst, u64::from(get!(u32, src))),
                    Op::CastU64ToU8 { dst, src } => narrow!(u64, u8, dst, src),
                    Op::Charge { instructions: count, gas: cost } => charge!(count, cost),
                    Op::Jump { target } => enter!(pc.next().jump(target)),
                    Op::AddImmJumpU64 { imm, slot, target } => {
                        arith!(u64, checked_add, slot, slot, u64::from(imm));
                        enter!(pc.next().jump(target));
                    }
                    Op::JumpVariant { tag, base, target } => {
                        branch!(self.memory.get::<u16>(referent!(base)) == tag, target)
                    }
                    Op::JumpNotVariant { tag, base, target } => {
                        branch!(self.memory.get::<u16>(referent!(base)) != tag, target)
                    }
                    Op::JumpIf { cond, target } => branch!(get!(u8, cond) != 0, target),
                    Op::JumpIfNot { cond, target } => branch!(get!(u8, cond) == 0, target),
                    Op::Call { target, frame, height } => {
                        let Some(callee) = self.code.get(target) else {
                            break 'run;
                        };
                        let (new_fp, new_height) = (fp + frame, self.height + height);
                        let ordinary = callee.fast_in == self.fast_stamp
                            && self.gas >= callee.entry_gas
                            && new_fp + callee.extent <= self.stack_end
                            && new_height + callee.max_height <= self.operand_limit
                            && self.frames.len() < self.call_depth;
                        // There is room for as many frames as may be; asking for it right before the push keeps its growth out.
                        if !ordinary || self.frames.len() == self.frames.capacity() {
                            break 'run;
                        }
                        self.frames.push(Frame {
                            pc: pc.next(),
                            fp,
                            height,
                            instance: self.instance,
                            entered: Entered::default(),
                        });
                        self.height = new_height;
                        self.instance = callee.instance;
                        self.gas -= callee.entry_gas;
                        self.instructions += u64::from(callee.entry_instructions);
                        fp = new_fp;
                        // The op there is the charge, which is taken already.
                        pc = callee.code.at(0);
                    }
                    Op::Ret => match self.frames.last() {
                        Some(frame) => {
                            if !frame.entered.is_simple() {
                                break 'run;
                            }
                            self.closure_frames -= u32::from(frame.entered.has(Entered::CLOSURE));
                            (pc, fp) = (frame.pc, frame.fp);
                            self.height -= frame.height;
                            self.instance = frame.instance;
                            self.frames.truncate(self.frames.len() - 1);
                            continue 'run;
                        }
                        None => stop!(Return),
                    },
                    Op::AddressOf { dst, slot } => set!(dst, u64::from(fp + slot)),
                    Op::RefAdd { dst, base, offset } => {
                        set!(dst, get!(u64, base).wrapping_add(u64::from(offset) << 32));
                    }
                    Op::BorrowVariant { dst, base, fields } => {
                        let tag = self.memory.get::<u16>(referent!(base));
                        let function = self.code.running(self.instance);
                        let table = function.and_then(|function| function.variant_fields.get(fields as usize));
                        match table.and_then(|table| table.get(usize::from(tag)).copied().flatten()) {
                            Some(offset) => set!(dst, get!(u64, base).wrapping_add(u64::from(offset) << 32)),
                            None => stop!(VariantMismatch),
                        }
                    }
                    Op::VecLen { dst, vec } => {
                        let len = self.memory.get::<u32>(header!(vec) + 4);
                        set!(dst, u64::from(len));
                    }
                    Op::VecBorrow { size, dst, vec, index } => {
                        let header = header!(vec);
                        let index = get!(u64, index);
                        if index >= u64::from(self.memory.get::<u32>(header + 4)) {
                            stop!(IndexOutOfBounds);
                        }
                        let storage = u64::from(self.memory.get::<u32>(header));
                        let offset = u64::from((index as u32).wrapping_mul(u32::from(size)));
                        set!(dst, storage | (offset << 32));
                    }
                    Op::AddImmLoopLtU64 { imm, slot, target } => {
                        arith!(u64, checked_add, slot, slot, u64::from(imm));
                        enter!(pc.next().jump(target));
                        if let Op::JumpLtU64 { a, b, target } = *pc.next().op() {
                            pc = pc.next();
                            branch!(get!(u64, a) < get!(u64, b), target);
                        }
                    }
                    Op::AddImmLoopLeU64 { imm, slot, target } => {
                        arith!(u64, checked_add, slot, slot, u64::from(imm));
                        enter!(pc.next().jump(target));
                        if let Op::JumpLeU64 { a, b, target } = *pc.next().op() {
                            pc = pc.next();
                            branch!(get!(u64, a) <= get!(u64, b), target);
                        }
                    }
                    Op::JumpIfRef { offset, base, target } => branch!(field!(u8, base, offset) != 0, target),
                    Op::JumpIfNotRef { offset, base, target } => branch!(field!(u8, base, offset) == 0, target),
                    Op::JumpLeImmRef8 { offset, base, imm, target } => branch!(field!(u64, base, offset) <= u64::from(imm), target),
                    Op::JumpLeRef8 { offset, base, b, target } => branch!(field!(u64, base, offset) <= get!(u64, b), target),
                    Op::JumpGeRef8 { offset, base, b, target } => branch!(field!(u64, base, offset) >= get!(u64, b), target),
                    Op::StoreImm1 { base, offset, imm } => { let to = referent!(base).wrapping_add(offset); self.memory.set(to, imm as u8); }
                    Op::StoreImm8 { base, offset, imm } => { let to = referent!(base).wrapping_add(offset); self.memory.set(to, u64::from(imm)); }
                    Op::AddImmRef8 { base, offset, imm } => update!(base, offset, checked_add, u64::from(imm)),
                    Op::AddRef8 { base, offset, src } => update!(base, offset, checked_add, get!(u64, src)),
                    Op::SubRef8 { base, offset, src } => update!(base, offset, checked_sub, get!(u64, src)),
                    Op::VecLoad1ToU64 { dst, vec, index } => { let from = element!(vec, index, 1); set!(dst, u64::from(self.memory.get::<u8>(from))); }
                    Op::VecStoreImm1 { vec, index, imm } => { let to = element!(vec, index, 1); self.memory.set(to, imm as u8); }
                    Op::LoadVariant8 { tag, dst, base, offset } => set!(dst, variant!(u64, tag, base, offset)),
                    $($more)*
                } };
            }

            let (to, from, size) = 'op: {
                dispatch! {
                    Op::JumpLtImmRef8 { offset, base, imm, target } => branch!(field!(u64, base, offset) < u64::from(imm), target),
                    Op::JumpGtImmRef8 { offset, base, imm, target } => branch!(field!(u64, base, offset) > u64::from(imm), target),
                    Op::JumpGeImmRef8 { offset, base, imm, target } => branch!(field!(u64, base, offset) >= u64::from(imm), target),
                    Op::JumpEqImmRef8 { offset, base, imm, target } => branch!(field!(u64, base, offset) == u64::from(imm), target),
                    Op::JumpNeImmRef8 { offset, base, imm, target } => branch!(field!(u64, base, offset) != u64::from(imm), target),
                    Op::JumpLtRef8 { offset, base, b, target } => branch!(field!(u64, base, offset) < get!(u64, b), target),
                    Op::JumpGtRef8 { offset, base, b, target } => branch!(field!(u64, base, offset) > get!(u64, b), target),
                    Op::SubImmRef8 { base, offset, imm } => update!(base, offset, checked_sub, u64::from(imm)),
                    Op::LoadVariant1 { tag, dst, base, offset } => set!(dst, variant!(u8, tag, base, offset)),
                    Op::ConstBytes { size: size @ (16 | 32), dst, pool } => {
                        let function = self.code.running(self.instance);
                        let bytes = function.and_then(|function| function.pool.get(pool as usize..));
                        let Some((low, more)) = bytes.and_then(|bytes| bytes.split_first_chunk::<16>()) else {
                            break 'run;
                        };
                        let low = u128::from_le_bytes(*low);
                        if size == 32 {
                            let Some(high) = more.first_chunk::<16>() else {
                                break 'run;
                            };
                            set!(dst + 16, u128::from_le_bytes(*high));
                        }
                        set!(dst, low);
                    }
                    Op::CopyClosure { dst, src, .. } => {
                        let object = get!(u32, src);
                        let kind = ClosureId(self.memory.get(object));
                        let Some((units, size)) = self.ctx.closures.plain(kind) else {
                            break 'run;
                        };
                        let cost = mul_u64(self.copy_loc_per_unit, units).unwrap_or(u64::MAX);
                        if self.gas < cost || size > MAX_SHORT || !self.memory.has_room(object_cost(size)) {
                            break 'run;
                        }
                        // Read from the header, not made from `kind`: that would be one value more to keep, and the loop would spill.
                        let descriptor = self.memory.get(object - HEADER_BYTES);
                        let Ok(copy) = self.memory.allocate(size, descriptor) else {
                            break 'run;
                        };
                        self.gas -= cost;
                        set!(dst, copy);
                        break 'op (copy, object, size);
                    }
                    Op::Move2 { dst, src } => set!(dst, get!(u16, src)),
                    Op::Move4 { dst, src } => set!(dst, get!(u32, src)),
                    Op::AddU8 { dst, a, b } => arith!(u8, checked_add, dst, a, get!(u8, b)),
                    Op::AddU16 { dst, a, b } => arith!(u16, checked_add, dst, a, get!(u16, b)),
                    Op::AddU32 { dst, a, b } => arith!(u32, checked_add, dst, a, get!(u32, b)),
                    Op::AddU128 { dst, a, b } => arith!(u128, checked_add, dst, a, get!(u128, b)),
                    Op::AddI8 { dst, a, b } => arith!(i8, checked_add, dst, a, get!(i8, b)),
                    Op::AddI16 { dst, a, b } => arith!(i16, checked_add, dst, a, get!(i16, b)),
                    Op::AddI32 { dst, a, b } => arith!(i32, checked_add, dst, a, get!(i32, b)),
                    Op::AddI64 { dst, a, b } => arith!(i64, checked_add, dst, a, get!(i64, b)),
                    Op::AddI128 { dst, a, b } => arith!(i128, checked_add, dst, a, get!(i128, b)),
                    Op::SubU8 { dst, a, b } => arith!(u8, checked_sub, dst, a, get!(u8, b)),
                    Op::SubU16 { dst, a, b } => arith!(u16, checked_sub, dst, a, get!(u16, b)),
                    Op::SubU32 { dst, a, b } => arith!(u32, checked_sub, dst, a, get!(u32, b)),
                    Op::SubU128 { dst, a, b } => arith!(u128, checked_sub, dst, a, get!(u128, b)),
                    Op::SubI8 { dst, a, b } => arith!(i8, checked_sub, dst, a, get!(i8, b)),
                    Op::SubI16 { dst, a, b } => arith!(i16, checked_sub, dst, a, get!(i16, b)),
                    Op::SubI32 { dst, a, b } => arith!(i32, checked_sub, dst, a, get!(i32, b)),
                    Op::SubI64 { dst, a, b } => arith!(i64, checked_sub, dst, a, get!(i64, b)),
                    Op::SubI128 { dst, a, b } => arith!(i128, checked_sub, dst, a, get!(i128, b)),
                    Op::MulU8 { dst, a, b } => arith!(u8, checked_mul, dst, a, get!(u8, b)),
                    Op::MulU16 { dst, a, b } => arith!(u16, checked_mul, dst, a, get!(u16, b)),
                    Op::MulU32 { dst, a, b } => arith!(u32, checked_mul, dst, a, get!(u32, b)),
                    Op::MulI8 { dst, a, b } => arith!(i8, checked_mul, dst, a, get!(i8, b)),
                    Op::MulI16 { dst, a, b } => arith!(i16, checked_mul, dst, a, get!(i16, b)),
                    Op::MulI32 { dst, a, b } => arith!(i32, checked_mul, dst, a, get!(i32, b)),
                    Op::DivU8 { dst, a, b } => arith!(u8, checked_div, dst, a, get!(u8, b)),
                    Op::DivU16 { dst, a, b } => arith!(u16, checked_div, dst, a, get!(u16, b)),
                    Op::DivU32 { dst, a, b } => arith!(u32, checked_div, dst, a, get!(u32, b)),
                    Op::DivI8 { dst, a, b } => arith!(i8, checked_div, dst, a, get!(i8, b)),
                    Op::DivI16 { dst, a, b } => arith!(i16, checked_div, dst, a, get!(i16, b)),
                    Op::DivI32 { dst, a, b } => arith!(i32, checked_div, dst, a, get!(i32, b)),
                    Op::DivI64 { dst, a, b } => arith!(i64, checked_div, dst, a, get!(i64, b)),
                    Op::ModU8 { dst, a, b } => arith!(u8, checked_rem, dst, a, get!(u8, b)),
                    Op::ModU16 { dst, a, b } => arith!(u16, checked_rem, dst, a, get!(u16, b)),
                    Op::ModU32 { dst, a, b } => arith!(u32, checked_rem, dst, a, get!(u32, b)),
                    Op::ModI8 { dst, a, b } => arith!(i8, checked_rem, dst, a, get!(i8, b)),
                    Op::ModI16 { dst, a, b } => arith!(i16, checked_rem, dst, a, get!(i16, b)),
                    Op::ModI32 { dst, a, b } => arith!(i32, checked_rem, dst, a, get!(i32, b)),
                    Op::ModI64 { dst, a, b } => arith!(i64, checked_rem, dst, a, get!(i64, b)),
                    Op::LtU8 { dst, a, b } => set!(dst, u8::from(get!(u8, a) < get!(u8, b))),
                    Op::LeU8 { dst, a, b } => set!(dst, u8::from(get!(u8, a) <= get!(u8, b))),
                    Op::LtU16 { dst, a, b } => set!(dst, u8::from(get!(u16, a) < get!(u16, b))),
                    Op::LeU16 { dst, a, b } => set!(dst, u8::from(get!(u16, a) <= get!(u16, b))),
                    Op::LtU32 { dst, a, b } => set!(dst, u8::from(get!(u32, a) < get!(u32, b))),
                    Op::LeU32 { dst, a, b } => set!(dst, u8::from(get!(u32, a) <= get!(u32, b))),
                    Op::LtU128 { dst, a, b } => set!(dst, u8::from(get!(u128, a) < get!(u128, b))),
                    Op::LeU128 { dst, a, b } => set!(dst, u8::from(get!(u128, a) <= get!(u128, b))),
                    Op::LtI8 { dst, a, b } => set!(dst, u8::from(get!(i8, a) < get!(i8, b))),
                    Op::LeI8 { dst, a, b } => set!(dst, u8::from(get!(i8, a) <= get!(i8, b))),
                    Op::LtI16 { dst, a, b } => set!(dst, u8::from(get!(i16, a) < get!(i16, b))),
                    Op::LeI16 { dst, a, b } => set!(dst, u8::from(get!(i16, a) <= get!(i16, b))),
                    Op::LtI32 { dst, a, b } => set!(dst, u8::from(get!(i32, a) < get!(i32, b))),
                    Op::LeI32 { dst, a, b } => set!(dst, u8::from(get!(i32, a) <= get!(i32, b))),
                    Op::LtI64 { dst, a, b } => set!(dst, u8::from(get!(i64, a) < get!(i64, b))),
                    Op::LeI64 { dst, a, b } => set!(dst, u8::from(get!(i64, a) <= get!(i64, b))),
                    Op::LtI128 { dst, a, b } => set!(dst, u8::from(get!(i128, a) < get!(i128, b))),
                    Op::LeI128 { dst, a, b } => set!(dst, u8::from(get!(i128, a) <= get!(i128, b))),
                    Op::AndU8 { dst, a, b } => set!(dst, get!(u8, a) & get!(u8, b)),
                    Op::OrU8 { dst, a, b } => set!(dst, get!(u8, a) | get!(u8, b)),
                    Op::XorU8 { dst, a, b } => set!(dst, get!(u8, a) ^ get!(u8, b)),
                    Op::ShlU8 { dst, a, b } => shift!(u8, <<, dst, a, u32::from(get!(u8, b))),
                    Op::ShrU8 { dst, a, b } => shift!(u8, >>, dst, a, u32::from(get!(u8, b))),
                    Op::AndU16 { dst, a, b } => set!(dst, get!(u16, a) & get!(u16, b)),
                    Op::OrU16 { dst, a, b } => set!(dst, get!(u16, a) | get!(u16, b)),
                    Op::XorU16 { dst, a, b } => set!(dst, get!(u16, a) ^ get!(u16, b)),
                    Op::ShlU16 { dst, a, b } => shift!(u16, <<, dst, a, u32::from(get!(u8, b))),
                    Op::ShrU16 { dst, a, b } => shift!(u16, >>, dst, a, u32::from(get!(u8, b))),
                    Op::AndU32 { dst, a, b } => set!(dst, get!(u32, a) & get!(u32, b)),
                    Op::OrU32 { dst, a, b } => set!(dst, get!(u32, a) | get!(u32, b)),
                    Op::XorU32 { dst, a, b } => set!(dst, get!(u32, a) ^ get!(u32, b)),
                    Op::ShlU32 { dst, a, b } => shift!(u32, <<, dst, a, u32::from(get!(u8, b))),
                    Op::ShrU32 { dst, a, b } => shift!(u32, >>, dst, a, u32::from(get!(u8, b))),
                    Op::AndU128 { dst, a, b } => set!(dst, get!(u128, a) & get!(u128, b)),
                    Op::OrU128 { dst, a, b } => set!(dst, get!(u128, a) | get!(u128, b)),
                    Op::XorU128 { dst, a, b } => set!(dst, get!(u128, a) ^ get!(u128, b)),
                    Op::NegI8 { dst, a } => negate!(i8, dst, a),
                    Op::NegI16 { dst, a } => negate!(i16, dst, a),
                    Op::NegI32 { dst, a } => negate!(i32, dst, a),
                    Op::NegI64 { dst, a } => negate!(i64, dst, a),
                    Op::NegI128 { dst, a } => negate!(i128, dst, a),
                    Op::Eq1 { dst, a, b } => set!(dst, u8::from(get!(u8, a) == get!(u8, b))),
                    Op::Ne1 { dst, a, b } => set!(dst, u8::from(get!(u8, a) != get!(u8, b))),
                    Op::Eq2 { dst, a, b } => set!(dst, u8::from(get!(u16, a) == get!(u16, b))),
                    Op::Ne2 { dst, a, b } => set!(dst, u8::from(get!(u16, a) != get!(u16, b))),
                    Op::Eq4 { dst, a, b } => set!(dst, u8::from(get!(u32, a) == get!(u32, b))),
                    Op::Ne4 { dst, a, b } => set!(dst, u8::from(get!(u32, a) != get!(u32, b))),
                    Op::Ne8 { dst, a, b } => set!(dst, u8::from(get!(u64, a) != get!(u64, b))),
                    Op::Eq16 { dst, a, b } => set!(dst, u8::from(get!(u128, a) == get!(u128, b))),
                    Op::Ne16 { dst, a, b } => set!(dst, u8::from(get!(u128, a) != get!(u128, b))),
                    Op::Eq32 { dst, a, b } => set!(dst, u8::from(equal32!(a, b))),
                    Op::Ne32 { dst, a, b } => set!(dst, u8::from(!equal32!(a, b))),
                    Op::MulImmU8 { dst, a, imm } => arith!(u8, checked_mul, dst, a, imm as u8),
                    Op::DivImmU8 { dst, a, imm } => arith!(u8, checked_div, dst, a, imm as u8),
                    Op::ModImmU8 { dst, a, imm } => arith!(u8, checked_rem, dst, a, imm as u8),
                    Op::OrImmU8 { dst, a, imm } => set!(dst, get!(u8, a) | imm as u8),
                    Op::XorImmU8 { dst, a, imm } => set!(dst, get!(u8, a) ^ imm as u8),
                    Op::ShlImmU8 { dst, a, imm } => shift!(u8, <<, dst, a, imm),
                    Op::ShrImmU8 { dst, a, imm } => shift!(u8, >>, dst, a, imm),
                    Op::LtImmU8 { dst, a, imm } => set!(dst, u8::from(get!(u8, a) < (imm as u8))),
                    Op::LeImmU8 { dst, a, imm } => set!(dst, u8::from(get!(u8, a) <= imm as u8)),
                    Op::GtImmU8 { dst, a, imm } => set!(dst, u8::from(get!(u8, a) > imm as u8)),
                    Op::GeImmU8 { dst, a, imm } => set!(dst, u8::from(get!(u8, a) >= imm as u8)),
                    Op::EqImmU8 { dst, a, imm } => set!(dst, u8::from(get!(u8, a) == imm as u8)),
                    Op::NeImmU8 { dst, a, imm } => set!(dst, u8::from(get!(u8, a) != imm as u8)),
                    Op::AddImmU16 { dst, a, imm } => arith!(u16, checked_add, dst, a, imm as u16),
                    Op::SubImmU16 { dst, a, imm } => arith!(u16, checked_sub, dst, a, imm as u16),
                    Op::MulImmU16 { dst, a, imm } => arith!(u16, checked_mul, dst, a, imm as u16),
                    Op::DivImmU16 { dst, a, imm } => arith!(u16, checked_div, dst, a, imm as u16),
                    Op::ModImmU16 { dst, a, imm } => arith!(u16, checked_rem, dst, a, imm as u16),
                    Op::AndImmU16 { dst, a, imm } => set!(dst, get!(u16, a) & imm as u16),
                    Op::OrImmU16 { dst, a, imm } => set!(dst, get!(u16, a) | imm as u16),
                    Op::XorImmU16 { dst, a, imm } => set!(dst, get!(u16, a) ^ imm as u16),
                    Op::ShlImmU16 { dst, a, imm } => shift!(u16, <<, dst, a, imm),
                    Op::ShrImmU16 { dst, a, imm } => shift!(u16, >>, dst, a, imm),
                    Op::LtImmU16 { dst, a, imm } => set!(dst, u8::from(get!(u16, a) < (imm as u16))),
                    Op::LeImmU16 { dst, a, imm } => set!(dst, u8::from(get!(u16, a) <= imm as u16)),
                    Op::GtImmU16 { dst, a, imm } => set!(dst, u8::from(get!(u16, a) > imm as u16)),
                    Op::GeImmU16 { dst, a, imm } => set!(dst, u8::from(get!(u16, a) >= imm as u16)),
                    Op::EqImmU16 { dst, a, imm } => set!(dst, u8::from(get!(u16, a) == imm as u16)),
                    Op::NeImmU16 { dst, a, imm } => set!(dst, u8::from(get!(u16, a) != imm as u16)),
                    Op::AddImmU32 { dst, a, imm } => arith!(u32, checked_add, dst, a, imm),
                    Op::SubImmU32 { dst, a, imm } => arith!(u32, checked_sub, dst, a, imm),
                    Op::MulImmU32 { dst, a, imm } => arith!(u32, checked_mul, dst, a, imm),
                    Op::DivImmU32 { dst, a, imm } => arith!(u32, checked_div, dst, a, imm),
                    Op::ModImmU32 { dst, a, imm } => arith!(u32, checked_rem, dst, a, imm),
                    Op::AndImmU32 { dst, a, imm } => set!(dst, get!(u32, a) & imm),
                    Op::OrImmU32 { dst, a, imm } => set!(dst, get!(u32, a) | imm),
                    Op::XorImmU32 { dst, a, imm } => set!(dst, get!(u32, a) ^ imm),
                    Op::ShlImmU32 { dst, a, imm } => shift!(u32, <<, dst, a, imm),
                    Op::ShrImmU32 { dst, a, imm } => shift!(u32, >>, dst, a, imm),
                    Op::LtImmU32 { dst, a, imm } => set!(dst, u8::from(get!(u32, a) < imm)),
                    Op::LeImmU32 { dst, a, imm } => set!(dst, u8::from(get!(u32, a) <= imm)),
                    Op::GtImmU32 { dst, a, imm } => set!(dst, u8::from(get!(u32, a) > imm)),
                    Op::GeImmU32 { dst, a, imm } => set!(dst, u8::from(get!(u32, a) >= imm)),
                    Op::EqImmU32 { dst, a, imm } => set!(dst, u8::from(get!(u32, a) == imm)),
                    Op::NeImmU32 { dst, a, imm } => set!(dst, u8::from(get!(u32, a) != imm)),
                    Op::LeImmU64 { dst, a, imm } => set!(dst, u8::from(get!(u64, a) <= imm as u64)),
                    Op::GtImmU64 { dst, a, imm } => set!(dst, u8::from(get!(u64, a) > imm as u64)),
                    Op::GeImmU64 { dst, a, imm } => set!(dst, u8::from(get!(u64, a) >= imm as u64)),
                    Op::NeImmU64 { dst, a, imm } => set!(dst, u8::from(get!(u64, a) != imm as u64)),
                    Op::JumpLtU8 { a, b, target } => branch!(get!(u8, a) < get!(u8, b), target),
                    Op::JumpLeU8 { a, b, target } => branch!(get!(u8, a) <= get!(u8, b), target),
                    Op::JumpEqU8 { a, b, target } => branch!(get!(u8, a) == get!(u8, b), target),
                    Op::JumpNeU8 { a, b, target } => branch!(get!(u8, a) != get!(u8, b), target),
                    Op::JumpLtImmU8 { a, imm, target } => branch!(get!(u8, a) < (imm as u8), target),
                    Op::JumpLeImmU8 { a, imm, target } => branch!(get!(u8, a) <= (imm as u8), target),
                    Op::JumpGtImmU8 { a, imm, target } => branch!(get!(u8, a) > (imm as u8), target),
                    Op::JumpLtU16 { a, b, target } => branch!(get!(u16, a) < get!(u16, b), target),
                    Op::JumpLeU16 { a, b, target } => branch!(get!(u16, a) <= get!(u16, b), target),
                    Op::JumpEqU16 { a, b, target } => branch!(get!(u16, a) == get!(u16, b), target),
                    Op::JumpNeU16 { a, b, target } => branch!(get!(u16, a) != get!(u16, b), target),
                    Op::JumpLtImmU16 { a, imm, target } => branch!(get!(u16, a) < (imm as u16), target),
                    Op::JumpLeImmU16 { a, imm, target } => branch!(get!(u16, a) <= (imm as u16), target),
                    Op::JumpGtImmU16 { a, imm, target } => branch!(get!(u16, a) > (imm as u16), target),
                    Op::JumpGeImmU16 { a, imm, target } => branch!(get!(u16, a) >= (imm as u16), target),
                    Op::JumpEqImmU16 { a, imm, target } => branch!(get!(u16, a) == (imm as u16), target),
                    Op::JumpNeImmU16 { a, imm, target } => branch!(get!(u16, a) != (imm as u16), target),
                    Op::JumpLtU32 { a, b, target } => branch!(get!(u32, a) < get!(u32, b), target),
                    Op::JumpLeU32 { a, b, target } => branch!(get!(u32, a) <= get!(u32, b), target),
                    Op::JumpEqU32 { a, b, target } => branch!(get!(u32, a) == get!(u32, b), target),
                    Op::JumpNeU32 { a, b, target } => branch!(get!(u32, a) != get!(u32, b), target),
                    Op::JumpLtImmU32 { a, imm, target } => branch!(get!(u32, a) < imm, target),
                    Op::JumpLeImmU32 { a, imm, target } => branch!(get!(u32, a) <= imm, target),
                    Op::JumpGtImmU32 { a, imm, target } => branch!(get!(u32, a) > imm, target),
                    Op::JumpGeImmU32 { a, imm, target } => branch!(get!(u32, a) >= imm, target),
                    Op::JumpEqImmU32 { a, imm, target } => branch!(get!(u32, a) == imm, target),
                    Op::JumpNeImmU32 { a, imm, target } => branch!(get!(u32, a) != imm, target),
                    Op::Load2 { dst, base, offset } => set!(dst, self.memory.get::<u16>(referent!(base).wrapping_add(offset))),
                    Op::Load4 { dst, base, offset } => set!(dst, self.memory.get::<u32>(referent!(base).wrapping_add(offset))),
                    Op::Load16 { dst, base, offset } => set!(dst, self.memory.get::<u128>(referent!(base).wrapping_add(offset))),
                    Op::Load32 { dst, base, offset } => copy32!(fp + dst, referent!(base).wrapping_add(offset)),
                    Op::Store2 { base, offset, src } => { let to = referent!(base).wrapping_add(offset); self.memory.set(to, get!(u16, src)); }
                    Op::Store4 { base, offset, src } => { let to = referent!(base).wrapping_add(offset); self.memory.set(to, get!(u32, src)); }
                    Op::Store16 { base, offset, src } => { let to = referent!(base).wrapping_add(offset); self.memory.set(to, get!(u128, src)); }
                    Op::Store32 { base, offset, src } => { let to = referent!(base).wrapping_add(offset); copy32!(to, fp + src); }
                    Op::VecLoad2 { dst, vec, index } => { let from = element!(vec, index, 2); set!(dst, self.memory.get::<u16>(from)); }
                    Op::VecLoad4 { dst, vec, index } => { let from = element!(vec, index, 4); set!(dst, self.memory.get::<u32>(from)); }
                    Op::VecLoad16 { dst, vec, index } => { let from = element!(vec, index, 16); set!(dst, self.memory.get::<u128>(from)); }
                    Op::VecLoad32 { dst, vec, index } => { let from = element!(vec, index, 32); copy32!(fp + dst, from); }
                    Op::VecStore2 { vec, index, src } => { let to = element!(vec, index, 2); self.memory.set(to, get!(u16, src)); }
                    Op::VecStore4 { vec, index, src } => { let to = element!(vec, index, 4); self.memory.set(to, get!(u32, src)); }
                    Op::VecStore16 { vec, index, src } => { let to = element!(vec, index, 16); self.memory.set(to, get!(u128, src)); }
                    Op::VecStore32 { vec, index, src } => { let to = element!(vec, index, 32); copy32!(to, fp + src); }
                    Op::VecPush2 { vec, src, .. } => { let to = pushed!(vec, 2); self.memory.set(to, get!(u16, src)); }
                    Op::VecPush4 { vec, src, .. } => { let to = pushed!(vec, 4); self.memory.set(to, get!(u32, src)); }
                    Op::VecPush16 { vec, src, .. } => { let to = pushed!(vec, 16); self.memory.set(to, get!(u128, src)); }
                    Op::VecPush32 { vec, src, .. } => { let to = pushed!(vec, 32); copy32!(to, fp + src); }
                    Op::MoveN { size, dst, src } => break 'op (fp + dst, fp + src, u32::from(size)),
                    Op::Const2 { dst, value } => set!(dst, value as u16),
                    Op::Const4 { dst, value } => set!(dst, value),
                    Op::Const16 { dst, value } => set!(dst, u128::from(value)),
                    Op::Const32 { dst, value } => {
                        set!(dst, u128::from(value));
                        set!(dst + 16, 0u128);
                    }
                    Op::EmptyVector { dst } => {
                        set!(dst, 0u64);
                        set!(dst + 8, 0u32);
                    }
                    Op::CastU16ToU64 { dst, src } => set!(dst, u64::from(get!(u16, src))),
                    Op::CastU64ToU128 { dst, src } => set!(dst, u128::from(get!(u64, src))),
                    Op::CastU64ToU32 { dst, src } => narrow!(u64, u32, dst, src),
                    Op::CastU128ToU64 { dst, src } => narrow!(u128, u64, dst, src),
                    Op::Step { .. } => {
                        if self.skip == 0 {
                            break 'run;
                        }
                        self.skip -= 1;
                    }
                    Op::CheckHeight { height } => {
                        if self.height + height > self.operand_limit {
                            stop!(OperandStackOverflow);
                        }
                    }
                    Op::LoadN { size, dst, base, offset } => {
                        let from = referent!(base).wrapping_add(offset);
                        break 'op (fp + dst, from, u32::from(size));
                    }
                    Op::StoreN { size, base, offset, src } => {
                        let to = referent!(base).wrapping_add(offset);
                        break 'op (to, fp + src, u32::from(size));
                    }
                    Op::TestVariant { tag, dst, base } => {
                        let live = self.memory.get::<u16>(referent!(base));
                        set!(dst, u8::from(live == tag));
                    }
                    Op::CheckVariant { tag, slot } => {
                        if get!(u16, slot) != tag {
                            stop!(VariantMismatch);
                        }
                    }
                    Op::VecLoadN { size, dst, vec, index } => {
                        let from = element!(vec, index, u32::from(size));
                        break 'op (fp + dst, from, u32::from(size));
                    }
                    Op::VecStoreN { size, vec, index, src } => {
                        let to = element!(vec, index, u32::from(size));
                        break 'op (to, fp + src, u32::from(size));
                    }
                    Op::VecPushN { size, vec, src, .. } if u32::from(size) <= MAX_SHORT => {
                        let to = pushed!(vec, u32::from(size));
                        break 'op (to, fp + src, u32::from(size));
                    }
                    Op::VecPop { size, dst, vec } if u32::from(size) <= MAX_SHORT => {
                        let header = header!(vec);
                        let Some(len) = self.memory.get::<u32>(header + 4).checked_sub(1) else {
                            stop!(PopFromEmpty);
                        };
                        self.memory.set(header + 4, len);
                        let storage = self.memory.get::<u32>(header);
                        let from = storage.wrapping_add(len.wrapping_mul(u32::from(size)));
                        if size != 8 {
                            break 'op (fp + dst, from, u32::from(size));
                        }
                        set!(dst, self.memory.get::<u64>(from));
                    }
                    Op::VecSwap { size: 8, vec, i, j } => {
                        let (a, b) = (element!(vec, i, 8), element!(vec, j, 8));
                        let (x, y) = (self.memory.get::<u64>(a), self.memory.get::<u64>(b));
                        self.memory.set(a, y);
                        self.memory.set(b, x);
                    }
                    _ => break 'run,
                }
                pc = pc.next();
                // A second dispatch: the next op is predicted by what this one was, and going round costs the host a check of its own.
                dispatch! { _ => continue 'run }
                pc = pc.next();
                continue 'run;
            };
            // The one copy of a size that only the op knows.
            if !self.memory.copy_short(to, from, size) {
                break 'run;
            }
            pc = pc.next();
        }
        (self.pc, self.fp) = (pc.next(), fp);
    }
}

/// `a * b`, checked, without the 128-bit multiplication that wasm has to call a function for.
#[inline(always)]
fn mul_u64(a: u64, b: u64) -> Option<u64> {
    let low = |n: u64| n & 0xffff_ffff;
    let (a_high, b_high) = (a >> 32, b >> 32);
    let product = low(a) * low(b);
    if a_high | b_high == 0 {
        return Some(product);
    }
    if a_high != 0 && b_high != 0 {
        return None;
    }
    // One of the terms is zero.
    let cross = a_high * low(b) + low(a) * b_high;
    if cross >> 32 != 0 {
        return None;
    }
    (cross << 32).checked_add(product)
}

#[cfg(test)]
mod tests {
    use super::mul_u64;

    #[test]
    fn products_are_those_of_checked_mul() {
        let edges = [
            0,
            1,
            2,
            3,
            0xffff_fffe,
            0xffff_ffff,
            1 << 32,
            (1 << 32) + 1,
            3 << 33,
            1 << 63,
            u64::MAX,
        ];
        for a in edges {
            for b in edges
                .into_iter()
                .flat_map(|b| [b, u64::MAX.checked_div(a).unwrap_or(b), b.rotate_left(7)])
            {
                assert_eq!(mul_u64(a, b), a.checked_mul(b), "{a} * {b}");
            }
        }
    }
}
