//! What each op reads, writes and refers to: one description, for whoever looks at lowered code without running it.
//!
//! The match is exhaustive, so that an op without a description does not compile. Widths are those that the interpreter uses.

use super::op::{LOCAL_VECTOR, Op, Slot};
use crate::context::closure::ClosureId;
use crate::context::ids::{LayoutId, TargetId};
use crate::context::layout::{BOX_BYTES, Int, REFERENCE_BYTES, TAG_BYTES, VECTOR_BYTES};
use crate::natives::NativeId;

/// How many bytes of the frame an operand takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Bytes(u32),
    /// Those of a value of this layout.
    Value(LayoutId),
    /// Those of a constant: entry of the function's constants.
    Constant(u32),
    /// Those of what is compared, values or references: entry of the function's comparisons.
    Compared(u16),
}

/// One operand of an op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Write(Slot, Width),
    Read(Slot, Width),
    /// A reference to this slot is made.
    Address(Slot),
    /// A number, and the bytes of its type.
    Immediate(u64, u32),
    /// Bytes added to a reference.
    Offset(u32),
    /// Bytes of an element of a vector.
    Size(u32),
    /// The variant of an enum.
    Tag(u16),
    Integer(Int),
    Mutable(bool),
    /// The start of a basic block.
    Cost {
        instructions: u32,
        gas: u64,
    },
    /// Where a jump goes.
    Target(u32),
    Callee(TargetId),
    /// Where the frame of a callee starts.
    Frame(u32),
    /// Code offset of the bytecode instruction that begins.
    Step(u16),
    /// Operands of the running frame.
    Height(u32),
    Native(NativeId),
    Closure(ClosureId),
    Layout(LayoutId),
    /// The layout of the elements of a vector, and how many bytes the op takes one for.
    Element(LayoutId, u32),
    /// Bytes of the function's constant pool: start and number.
    Pool(u32, u32),
    /// Entry of the function's constants.
    Constant(u32),
    /// Entry of the function's failures.
    Failure(u32),
    /// Entry of the function's shadow (paranoid mode).
    Shadow(u32),
    /// Entry of the function's slot lists: what a function value of this kind captures.
    Captured(u32, ClosureId),
    /// Entry of the function's slot lists: what the fields of a variant of the enum of this layout are read from.
    PackedFields(u32, LayoutId, u16),
    /// The same, written to.
    UnpackedFields(u32, LayoutId, u16),
    /// Entry of the function's closure calls.
    ClosureCall(u32),
    /// Entry of the function's comparisons.
    Comparison(u16),
    /// Entry of the function's variant field tables.
    VariantFields(u32),
    /// Entry of the function's operand lists: slots that are read.
    Packed(u32),
    /// Entry of the function's operand lists: slots that are written.
    Unpacked(u32),
}

const ADDRESS_BYTES: u32 = 32;
const CLOSURE_BYTES: u32 = 4;

fn write(slot: Slot, bytes: u32) -> Operand {
    Operand::Write(slot, Width::Bytes(bytes))
}

fn read(slot: Slot, bytes: u32) -> Operand {
    Operand::Read(slot, Width::Bytes(bytes))
}

fn write_value(slot: Slot, layout: LayoutId) -> Operand {
    Operand::Write(slot, Width::Value(layout))
}

fn read_value(slot: Slot, layout: LayoutId) -> Operand {
    Operand::Read(slot, Width::Value(layout))
}

fn reference(slot: Slot) -> Operand {
    read(slot, REFERENCE_BYTES)
}

/// The vector of a vector op: behind a reference, or in the slot itself.
fn vector(slot: Slot) -> Operand {
    if slot & LOCAL_VECTOR == 0 {
        reference(slot)
    } else {
        read(slot & !LOCAL_VECTOR, VECTOR_BYTES)
    }
}

fn write_reference(slot: Slot) -> Operand {
    write(slot, REFERENCE_BYTES)
}

fn far(offset: u16) -> Operand {
    Operand::Offset(offset.into())
}

fn imm(value: u32, bytes: u32) -> Operand {
    Operand::Immediate(value.into(), bytes)
}

impl Op {
    /// The name of the op alone.
    pub(crate) fn name(&self) -> String {
        let mut text = format!("{self:?}");
        text.truncate(text.find(' ').unwrap_or(text.len()));
        text
    }

    /// Whether execution never goes on at the next op.
    pub(crate) fn leaves(&self) -> bool {
        matches!(
            self,
            Self::Jump { .. }
                | Self::AddImmJumpU64 { .. }
                | Self::AddImmLoopLtU64 { .. }
                | Self::AddImmLoopLeU64 { .. }
                | Self::Ret
                | Self::Abort { .. }
                | Self::AbortMessage { .. }
                | Self::Fail { .. }
        )
    }

    /// Names and describes every operand, what is written first.
    #[rustfmt::skip]
    pub(crate) fn operands(&self, visit: &mut impl FnMut(&'static str, Operand)) {
        use Operand as O;
        // Any of these ops, which have the same fields.
        macro_rules! any {
            ($fields:tt $($op:ident)*) => { $(Op::$op $fields)|* };
        }
        // Visits fields in order: `name: kind(more)` is the operand `kind(name, more)`.
        macro_rules! say {
            ($($name:ident: $kind:expr $(, $more:expr)*;)*) => {{ $(visit(stringify!($name), $kind($name $(, $more)*));)* }};
        }
        macro_rules! moved { ($dst:ident $src:ident $n:expr) => { say!($dst: write, $n; $src: read, $n;) }; }
        macro_rules! three { ($dst:ident $a:ident $b:ident $to:expr, $n:expr) => { say!($dst: write, $to; $a: read, $n; $b: read, $n;) }; }
        macro_rules! shift { ($dst:ident $a:ident $b:ident $n:expr) => { say!($dst: write, $n; $a: read, $n; $b: read, 1;) }; }
        macro_rules! immediate { ($dst:ident $a:ident $imm:ident $to:expr, $n:expr) => { say!($dst: write, $to; $a: read, $n; $imm: imm, $n;) }; }
        macro_rules! jump { ($a:ident $b:ident $target:ident $n:expr) => { say!($a: read, $n; $b: read, $n; $target: O::Target;) }; }
        macro_rules! jump_imm { ($a:ident $imm:ident $target:ident $n:expr) => { say!($a: read, $n; $imm: imm, $n; $target: O::Target;) }; }
        macro_rules! load { ($dst:ident $base:ident $offset:ident $n:expr) => { say!($dst: write, $n; $base: reference; $offset: O::Offset;) }; }
        macro_rules! store { ($base:ident $offset:ident $src:ident $n:expr) => { say!($base: reference; $offset: O::Offset; $src: read, $n;) }; }
        macro_rules! element { ($dst:ident $vec:ident $index:ident $n:expr) => { say!($dst: write, $n; $vec: vector; $index: read, 8;) }; }
        macro_rules! put { ($vec:ident $index:ident $src:ident $n:expr) => { say!($vec: vector; $index: read, 8; $src: read, $n;) }; }
        macro_rules! append { ($vec:ident $src:ident $element:ident $n:expr) => { say!($vec: vector; $src: read, $n; $element: O::Element, $n;) }; }

        match *self {
            Op::Move1 { dst, src } => moved!(dst src 1),
            Op::Move2 { dst, src } => moved!(dst src 2),
            Op::Move4 { dst, src } => moved!(dst src 4),
            Op::Move8 { dst, src } => moved!(dst src 8),
            Op::Move12 { dst, src } => moved!(dst src 12),
            Op::Move16 { dst, src } => moved!(dst src 16),
            Op::Move32 { dst, src } => moved!(dst src 32),
            Op::MoveN { size, dst, src } => moved!(dst src u32::from(size)),
            Op::Const1 { dst, value } => say!(dst: write, 1; value: imm, 1;),
            Op::Const2 { dst, value } => say!(dst: write, 2; value: imm, 2;),
            Op::Const4 { dst, value } => say!(dst: write, 4; value: imm, 4;),
            Op::Const8 { dst, value } => say!(dst: write, 8; value: O::Immediate, 8;),
            Op::Const16 { dst, value } => say!(dst: write, 16; value: O::Immediate, 16;),
            Op::Const32 { dst, value } => say!(dst: write, 32; value: O::Immediate, 32;),
            Op::ConstBytes { size, dst, pool } => say!(dst: write, size.into(); pool: O::Pool, size.into();),
            Op::ConstValue { dst, constant } => say!(dst: O::Write, Width::Constant(constant); constant: O::Constant;),
            Op::EmptyVector { dst } => say!(dst: write, VECTOR_BYTES;),

            any!({ dst, a, b } AddU8 SubU8 MulU8 DivU8 ModU8 AndU8 OrU8 XorU8 AddI8 SubI8 MulI8 DivI8 ModI8) => three!(dst a b 1, 1),
            any!({ dst, a, b } AddU16 SubU16 MulU16 DivU16 ModU16 AndU16 OrU16 XorU16 AddI16 SubI16 MulI16 DivI16 ModI16) => three!(dst a b 2, 2),
            any!({ dst, a, b } AddU32 SubU32 MulU32 DivU32 ModU32 AndU32 OrU32 XorU32 AddI32 SubI32 MulI32 DivI32 ModI32) => three!(dst a b 4, 4),
            any!({ dst, a, b } AddU64 SubU64 MulU64 DivU64 ModU64 AndU64 OrU64 XorU64 AddI64 SubI64 MulI64 DivI64 ModI64) => three!(dst a b 8, 8),
            any!({ dst, a, b } AddU128 SubU128 MulU128 DivU128 ModU128 AndU128 OrU128 XorU128 AddI128 SubI128 MulI128 DivI128 ModI128) => three!(dst a b 16, 16),
            any!({ dst, a, b } AddU256 SubU256 MulU256 DivU256 ModU256 AndU256 OrU256 XorU256 AddI256 SubI256 MulI256 DivI256 ModI256) => three!(dst a b 32, 32),
            any!({ dst, a, b } LtU8 LeU8 LtI8 LeI8 Eq1 Ne1) => three!(dst a b 1, 1),
            any!({ dst, a, b } LtU16 LeU16 LtI16 LeI16 Eq2 Ne2) => three!(dst a b 1, 2),
            any!({ dst, a, b } LtU32 LeU32 LtI32 LeI32 Eq4 Ne4) => three!(dst a b 1, 4),
            any!({ dst, a, b } LtU64 LeU64 LtI64 LeI64 Eq8 Ne8) => three!(dst a b 1, 8),
            any!({ dst, a, b } LtU128 LeU128 LtI128 LeI128 Eq16 Ne16) => three!(dst a b 1, 16),
            any!({ dst, a, b } LtU256 LeU256 LtI256 LeI256 Eq32 Ne32) => three!(dst a b 1, 32),
            any!({ dst, a, b } ShlU8 ShrU8) => shift!(dst a b 1),
            any!({ dst, a, b } ShlU16 ShrU16) => shift!(dst a b 2),
            any!({ dst, a, b } ShlU32 ShrU32) => shift!(dst a b 4),
            any!({ dst, a, b } ShlU64 ShrU64) => shift!(dst a b 8),
            any!({ dst, a, b } ShlU128 ShrU128) => shift!(dst a b 16),
            any!({ dst, a, b } ShlU256 ShrU256) => shift!(dst a b 32),
            Op::Not { dst, a } | Op::NegI8 { dst, a } => moved!(dst a 1),
            Op::NegI16 { dst, a } => moved!(dst a 2),
            Op::NegI32 { dst, a } => moved!(dst a 4),
            Op::NegI64 { dst, a } => moved!(dst a 8),
            Op::NegI128 { dst, a } => moved!(dst a 16),
            Op::NegI256 { dst, a } => moved!(dst a 32),
            any!({ dst, a, imm } AddImmU8 SubImmU8 MulImmU8 DivImmU8 ModImmU8 AndImmU8 OrImmU8 XorImmU8 ShlImmU8 ShrImmU8) => immediate!(dst a imm 1, 1),
            any!({ dst, a, imm } AddImmU16 SubImmU16 MulImmU16 DivImmU16 ModImmU16 AndImmU16 OrImmU16 XorImmU16 ShlImmU16 ShrImmU16) => immediate!(dst a imm 2, 2),
            any!({ dst, a, imm } AddImmU32 SubImmU32 MulImmU32 DivImmU32 ModImmU32 AndImmU32 OrImmU32 XorImmU32 ShlImmU32 ShrImmU32) => immediate!(dst a imm 4, 4),
            any!({ dst, a, imm } AddImmU64 SubImmU64 MulImmU64 DivImmU64 ModImmU64 AndImmU64 OrImmU64 XorImmU64 ShlImmU64 ShrImmU64) => immediate!(dst a imm 8, 8),
            any!({ dst, a, imm } LtImmU8 LeImmU8 GtImmU8 GeImmU8 EqImmU8 NeImmU8) => immediate!(dst a imm 1, 1),
            any!({ dst, a, imm } LtImmU16 LeImmU16 GtImmU16 GeImmU16 EqImmU16 NeImmU16) => immediate!(dst a imm 1, 2),
            any!({ dst, a, imm } LtImmU32 LeImmU32 GtImmU32 GeImmU32 EqImmU32 NeImmU32) => immediate!(dst a imm 1, 4),
            any!({ dst, a, imm } LtImmU64 LeImmU64 GtImmU64 GeImmU64 EqImmU64 NeImmU64) => immediate!(dst a imm 1, 8),
            Op::Cast { dst, src, from, to } => say!(dst: write, to.bytes(); src: read, from.bytes(); from: O::Integer; to: O::Integer;),
            Op::CastU8ToU64 { dst, src } => say!(dst: write, 8; src: read, 1;),
            Op::CastU16ToU64 { dst, src } => say!(dst: write, 8; src: read, 2;),
            Op::CastU32ToU64 { dst, src } => say!(dst: write, 8; src: read, 4;),
            Op::CastU64ToU128 { dst, src } => say!(dst: write, 16; src: read, 8;),
            Op::CastU64ToU8 { dst, src } => say!(dst: write, 1; src: read, 8;),
            Op::CastU64ToU32 { dst, src } => say!(dst: write, 4; src: read, 8;),
            Op::CastU128ToU64 { dst, src } => say!(dst: write, 8; src: read, 16;),

            Op::Charge { instructions, gas } => visit("cost", O::Cost { instructions, gas }),
            Op::Jump { target } => say!(target: O::Target;),
            any!({ imm: value, slot, target } AddImmJumpU64 AddImmLoopLtU64 AddImmLoopLeU64) => {
                say!(slot: write, 8; slot: read, 8;);
                visit("imm", imm(value.into(), 8));
                say!(target: O::Target;);
            }
            any!({ offset, base, target } JumpIfRef JumpIfNotRef) => say!(base: reference; offset: far; target: O::Target;),
            any!({ offset, base, imm: value, target } JumpLtImmRef8 JumpLeImmRef8 JumpGtImmRef8 JumpGeImmRef8 JumpEqImmRef8 JumpNeImmRef8) => {
                say!(base: reference; offset: far;);
                visit("imm", imm(value, 8));
                say!(target: O::Target;);
            }
            any!({ offset, base, b, target } JumpLtRef8 JumpLeRef8 JumpGtRef8 JumpGeRef8) => say!(
                base: reference; offset: far; b: read, 8; target: O::Target;
            ),
            any!({ tag, base, target } JumpVariant JumpNotVariant) => say!(base: reference; tag: O::Tag; target: O::Target;),
            any!({ cond, target } JumpIf JumpIfNot) => say!(cond: read, 1; target: O::Target;),
            any!({ a, b, target } JumpLtU8 JumpLeU8 JumpEqU8 JumpNeU8) => jump!(a b target 1),
            any!({ a, b, target } JumpLtU16 JumpLeU16 JumpEqU16 JumpNeU16) => jump!(a b target 2),
            any!({ a, b, target } JumpLtU32 JumpLeU32 JumpEqU32 JumpNeU32) => jump!(a b target 4),
            any!({ a, b, target } JumpLtU64 JumpLeU64 JumpEqU64 JumpNeU64) => jump!(a b target 8),
            any!({ a, imm, target } JumpLtImmU8 JumpLeImmU8 JumpGtImmU8 JumpGeImmU8 JumpEqImmU8 JumpNeImmU8) => jump_imm!(a imm target 1),
            any!({ a, imm, target } JumpLtImmU16 JumpLeImmU16 JumpGtImmU16 JumpGeImmU16 JumpEqImmU16 JumpNeImmU16) => jump_imm!(a imm target 2),
            any!({ a, imm, target } JumpLtImmU32 JumpLeImmU32 JumpGtImmU32 JumpGeImmU32 JumpEqImmU32 JumpNeImmU32) => jump_imm!(a imm target 4),
            any!({ a, imm, target } JumpLtImmU64 JumpLeImmU64 JumpGtImmU64 JumpGeImmU64 JumpEqImmU64 JumpNeImmU64) => jump_imm!(a imm target 8),
            Op::Call { target, frame, height } => say!(target: O::Callee; frame: O::Frame; height: O::Height;),
            Op::Native { native } => say!(native: O::Native;),
            Op::Shadow { step } => say!(step: O::Shadow;),
            Op::Ret => {}
            Op::Abort { code } => say!(code: read, 8;),
            Op::AbortMessage { code, message } => say!(code: read, 8; message: read, VECTOR_BYTES;),
            Op::Fail { failure } => say!(failure: O::Failure;),
            Op::Step { offset } => say!(offset: O::Step;),
            Op::CheckHeight { height } => say!(height: O::Height;),
            Op::PackClosure { dst, kind, slots } => say!(dst: write, CLOSURE_BYTES; kind: O::Closure; slots: O::Captured, kind;),
            Op::CallClosure { closure, call } => say!(closure: read, CLOSURE_BYTES; call: O::ClosureCall;),

            Op::AddressOf { dst, slot } => say!(dst: write_reference; slot: O::Address;),
            Op::RefAdd { dst, base, offset } => say!(dst: write_reference; base: reference; offset: O::Offset;),
            Op::Load1 { dst, base, offset } => load!(dst base offset 1),
            Op::Load2 { dst, base, offset } => load!(dst base offset 2),
            Op::Load4 { dst, base, offset } => load!(dst base offset 4),
            Op::Load8 { dst, base, offset } => load!(dst base offset 8),
            Op::Load16 { dst, base, offset } => load!(dst base offset 16),
            Op::Load32 { dst, base, offset } => load!(dst base offset 32),
            Op::LoadN { size, dst, base, offset } => load!(dst base offset size.into()),
            Op::Store1 { base, offset, src } => store!(base offset src 1),
            Op::Store2 { base, offset, src } => store!(base offset src 2),
            Op::Store4 { base, offset, src } => store!(base offset src 4),
            Op::Store8 { base, offset, src } => store!(base offset src 8),
            Op::Store16 { base, offset, src } => store!(base offset src 16),
            Op::Store32 { base, offset, src } => store!(base offset src 32),
            Op::StoreN { size, base, offset, src } => store!(base offset src size.into()),
            Op::StoreImm1 { base, offset, imm: value } => {
                say!(base: reference; offset: O::Offset;);
                visit("imm", imm(value, 1));
            }
            any!({ base, offset, imm: value } StoreImm8 AddImmRef8 SubImmRef8) => {
                say!(base: reference; offset: O::Offset;);
                visit("imm", imm(value, 8));
            }
            any!({ base, offset, src } AddRef8 SubRef8) => store!(base offset src 8),
            any!({ dst, src, layout } Copy CopyClosure) => say!(dst: write_value, layout; src: read_value, layout; layout: O::Layout;),
            Op::LoadCopy { dst, base, layout } => say!(dst: write_value, layout; base: reference; layout: O::Layout;),
            Op::EqValues { comparison, dst, a, b } => say!(
                dst: write, 1; a: O::Read, Width::Compared(comparison); b: O::Read, Width::Compared(comparison); comparison: O::Comparison;
            ),

            Op::TestVariant { tag, dst, base } => say!(dst: write, 1; base: reference; tag: O::Tag;),
            Op::Unbox { dst, base } => say!(dst: write_reference; base: reference;),
            Op::PackBoxed { tag, dst, layout, slots } => say!(dst: write, BOX_BYTES; tag: O::Tag; layout: O::Layout; slots: O::PackedFields, layout, tag;),
            Op::UnpackBoxed { tag, src, layout, slots } => say!(
                slots: O::UnpackedFields, layout, tag; src: read, BOX_BYTES; tag: O::Tag; layout: O::Layout;
            ),
            Op::CheckVariant { tag, slot } => say!(slot: read, TAG_BYTES; tag: O::Tag;),
            Op::BorrowVariant { dst, base, fields } => say!(dst: write_reference; base: reference; fields: O::VariantFields;),
            Op::LoadVariant1 { tag, dst, base, offset } => say!(dst: write, 1; base: reference; tag: O::Tag; offset: O::Offset;),
            Op::LoadVariant8 { tag, dst, base, offset } => say!(dst: write, 8; base: reference; tag: O::Tag; offset: O::Offset;),

            Op::VecPack { dst, operands } => say!(dst: write, VECTOR_BYTES; operands: O::Packed;),
            Op::VecUnpack { src, operands } => say!(operands: O::Unpacked; src: read, VECTOR_BYTES;),
            Op::VecLen { dst, vec } => say!(dst: write, 8; vec: vector;),
            Op::VecBorrow { size, dst, vec, index } => {
                let size = u32::from(size);
                say!(dst: write_reference; vec: vector; index: read, 8; size: O::Size;)
            }
            Op::VecLoad1 { dst, vec, index } => element!(dst vec index 1),
            Op::VecLoad2 { dst, vec, index } => element!(dst vec index 2),
            Op::VecLoad4 { dst, vec, index } => element!(dst vec index 4),
            Op::VecLoad8 { dst, vec, index } => element!(dst vec index 8),
            Op::VecLoad16 { dst, vec, index } => element!(dst vec index 16),
            Op::VecLoad32 { dst, vec, index } => element!(dst vec index 32),
            Op::VecLoad1ToU64 { dst, vec, index } => element!(dst vec index 8),
            Op::VecLoadN { size, dst, vec, index } => element!(dst vec index size.into()),
            Op::VecStore1 { vec, index, src } => put!(vec index src 1),
            Op::VecStore2 { vec, index, src } => put!(vec index src 2),
            Op::VecStore4 { vec, index, src } => put!(vec index src 4),
            Op::VecStore8 { vec, index, src } => put!(vec index src 8),
            Op::VecStore16 { vec, index, src } => put!(vec index src 16),
            Op::VecStore32 { vec, index, src } => put!(vec index src 32),
            Op::VecStoreImm1 { vec, index, imm: value } => {
                say!(vec: vector; index: read, 8;);
                visit("imm", imm(value, 1));
            }
            Op::VecStoreN { size, vec, index, src } => put!(vec index src size.into()),
            Op::VecPush1 { vec, src, element } => append!(vec src element 1),
            Op::VecPush2 { vec, src, element } => append!(vec src element 2),
            Op::VecPush4 { vec, src, element } => append!(vec src element 4),
            Op::VecPush8 { vec, src, element } => append!(vec src element 8),
            Op::VecPush16 { vec, src, element } => append!(vec src element 16),
            Op::VecPush32 { vec, src, element } => append!(vec src element 32),
            Op::VecPushN { size, vec, src, element } => append!(vec src element size.into()),
            Op::VecPop { size, dst, vec } => say!(dst: write, size.into(); vec: vector;),
            Op::VecSwap { size, vec, i, j } => {
                let size = u32::from(size);
                say!(vec: vector; i: read, 8; j: read, 8; size: O::Size;)
            }

            Op::Exists { dst, address, layout } => say!(dst: write, 1; address: read, ADDRESS_BYTES; layout: O::Layout;),
            Op::BorrowGlobal { mutable, dst, address, layout } => say!(
                dst: write_reference; address: read, ADDRESS_BYTES; layout: O::Layout; mutable: O::Mutable;
            ),
            Op::MoveFrom { dst, address, layout } => say!(dst: write_value, layout; address: read, ADDRESS_BYTES; layout: O::Layout;),
            Op::MoveTo { signer, src, layout } => say!(signer: reference; src: read_value, layout; layout: O::Layout;),
        }
    }
}
