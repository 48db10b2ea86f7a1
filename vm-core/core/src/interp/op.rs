//! Micro-ops: what the interpreter executes. At most 16 bytes each; operands are byte offsets into the frame.

use crate::context::closure::ClosureId;
use crate::context::ids::{LayoutId, TargetId};
use crate::context::layout::Int;
use crate::natives::NativeId;

/// A byte offset from the frame pointer.
pub(crate) type Slot = u32;

/// One micro-op.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op {
    // Moves. The number is the width in bytes.
    Move1 {
        dst: Slot,
        src: Slot,
    },
    Move2 {
        dst: Slot,
        src: Slot,
    },
    Move4 {
        dst: Slot,
        src: Slot,
    },
    Move8 {
        dst: Slot,
        src: Slot,
    },
    Move12 {
        dst: Slot,
        src: Slot,
    },
    Move16 {
        dst: Slot,
        src: Slot,
    },
    Move32 {
        dst: Slot,
        src: Slot,
    },
    MoveN {
        size: u16,
        dst: Slot,
        src: Slot,
    },
    // Constants.
    Const1 {
        dst: Slot,
        value: u32,
    },
    Const2 {
        dst: Slot,
        value: u32,
    },
    Const4 {
        dst: Slot,
        value: u32,
    },
    Const8 {
        dst: Slot,
        value: u64,
    },
    /// A 16-byte integer below 2^64.
    Const16 {
        dst: Slot,
        value: u64,
    },
    /// A 32-byte integer below 2^64.
    Const32 {
        dst: Slot,
        value: u64,
    },
    /// Bytes of the function's constant pool, from `pool`.
    ConstBytes {
        size: u16,
        dst: Slot,
        pool: u32,
    },
    /// A constant that needs the heap: decoded anew each time.
    ConstValue {
        dst: Slot,
        constant: u32,
    },
    EmptyVector {
        dst: Slot,
    },
    // Arithmetic, comparison.
    AddU8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    SubU8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    MulU8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    DivU8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ModU8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LtU8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LeU8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AddU16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    SubU16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    MulU16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    DivU16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ModU16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LtU16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LeU16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AddU32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    SubU32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    MulU32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    DivU32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ModU32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LtU32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LeU32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AddU64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    SubU64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    MulU64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    DivU64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ModU64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LtU64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LeU64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AddU128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    SubU128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    MulU128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    DivU128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ModU128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LtU128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LeU128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AddU256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    SubU256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    MulU256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    DivU256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ModU256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LtU256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LeU256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AddI8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    SubI8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    MulI8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    DivI8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ModI8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LtI8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LeI8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AddI16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    SubI16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    MulI16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    DivI16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ModI16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LtI16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LeI16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AddI32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    SubI32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    MulI32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    DivI32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ModI32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LtI32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LeI32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AddI64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    SubI64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    MulI64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    DivI64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ModI64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LtI64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LeI64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AddI128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    SubI128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    MulI128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    DivI128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ModI128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LtI128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LeI128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AddI256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    SubI256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    MulI256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    DivI256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ModI256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LtI256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    LeI256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AndU8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    OrU8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    XorU8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    /// `b` is a `u8`.
    ShlU8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ShrU8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AndU16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    OrU16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    XorU16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    /// `b` is a `u8`.
    ShlU16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ShrU16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AndU32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    OrU32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    XorU32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    /// `b` is a `u8`.
    ShlU32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ShrU32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AndU64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    OrU64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    XorU64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    /// `b` is a `u8`.
    ShlU64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ShrU64 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AndU128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    OrU128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    XorU128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    /// `b` is a `u8`.
    ShlU128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ShrU128 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    AndU256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    OrU256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    XorU256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    /// `b` is a `u8`.
    ShlU256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    ShrU256 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    NegI8 {
        dst: Slot,
        a: Slot,
    },
    NegI16 {
        dst: Slot,
        a: Slot,
    },
    NegI32 {
        dst: Slot,
        a: Slot,
    },
    NegI64 {
        dst: Slot,
        a: Slot,
    },
    NegI128 {
        dst: Slot,
        a: Slot,
    },
    NegI256 {
        dst: Slot,
        a: Slot,
    },
    Eq1 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Ne1 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Eq2 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Ne2 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Eq4 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Ne4 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Eq8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Ne8 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Eq16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Ne16 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Eq32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Ne32 {
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    // With an immediate.
    AddImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    SubImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    MulImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    DivImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    ModImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    AndImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    OrImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    XorImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    ShlImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    ShrImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    LtImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    LeImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    GtImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    GeImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    EqImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    NeImmU8 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    AddImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    SubImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    MulImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    DivImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    ModImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    AndImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    OrImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    XorImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    ShlImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    ShrImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    LtImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    LeImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    GtImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    GeImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    EqImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    NeImmU16 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    AddImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    SubImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    MulImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    DivImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    ModImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    AndImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    OrImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    XorImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    ShlImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    ShrImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    LtImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    LeImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    GtImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    GeImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    EqImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    NeImmU32 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    AddImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    SubImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    MulImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    DivImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    ModImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    AndImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    OrImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    XorImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    ShlImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    ShrImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    LtImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    LeImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    GtImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    GeImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    EqImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    NeImmU64 {
        dst: Slot,
        a: Slot,
        imm: u32,
    },
    Not {
        dst: Slot,
        a: Slot,
    },
    Cast {
        dst: Slot,
        src: Slot,
        from: Int,
        to: Int,
    },
    // Control. A target is the distance from behind the jump to a `Charge`, in ops, as a wrapped signed number.
    /// Start of a basic block: its static cost.
    Charge {
        instructions: u32,
        gas: u64,
    },
    Jump {
        target: u32,
    },
    JumpIf {
        cond: Slot,
        target: u32,
    },
    JumpIfNot {
        cond: Slot,
        target: u32,
    },
    JumpLtU8 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpLeU8 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpEqU8 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpNeU8 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpLtImmU8 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpLeImmU8 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpGtImmU8 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpGeImmU8 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpEqImmU8 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpNeImmU8 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpLtU16 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpLeU16 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpEqU16 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpNeU16 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpLtImmU16 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpLeImmU16 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpGtImmU16 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpGeImmU16 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpEqImmU16 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpNeImmU16 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpLtU32 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpLeU32 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpEqU32 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpNeU32 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpLtImmU32 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpLeImmU32 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpGtImmU32 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpGeImmU32 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpEqImmU32 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpNeImmU32 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpLtU64 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpLeU64 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpEqU64 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpNeU64 {
        a: Slot,
        b: Slot,
        target: u32,
    },
    JumpLtImmU64 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpLeImmU64 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpGtImmU64 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpGeImmU64 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpEqImmU64 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    JumpNeImmU64 {
        a: Slot,
        imm: u32,
        target: u32,
    },
    /// `frame`: where the callee's frame starts; `height`: pending operands of this frame.
    Call {
        target: TargetId,
        frame: u32,
        height: u32,
    },
    /// The body of a native function.
    Native {
        native: NativeId,
    },
    Ret,
    Abort {
        code: Slot,
    },
    AbortMessage {
        code: Slot,
        message: Slot,
    },
    /// An instruction that cannot succeed: entry of the function's failures.
    Fail {
        failure: u32,
    },
    /// In the checked form of a function: operands of this frame after the next push.
    CheckHeight {
        height: u32,
    },
    /// `slots`: entry of the function's slot lists.
    PackClosure {
        dst: Slot,
        kind: ClosureId,
        slots: u32,
    },
    /// `call`: entry of the function's closure calls.
    CallClosure {
        closure: Slot,
        call: u32,
    },
    // References.
    /// A reference to a slot of this frame.
    AddressOf {
        dst: Slot,
        slot: Slot,
    },
    /// The reference in `base`, moved by `offset`.
    RefAdd {
        dst: Slot,
        base: Slot,
        offset: u32,
    },
    Load1 {
        dst: Slot,
        base: Slot,
        offset: u32,
    },
    Load2 {
        dst: Slot,
        base: Slot,
        offset: u32,
    },
    Load4 {
        dst: Slot,
        base: Slot,
        offset: u32,
    },
    Load8 {
        dst: Slot,
        base: Slot,
        offset: u32,
    },
    Load16 {
        dst: Slot,
        base: Slot,
        offset: u32,
    },
    Load32 {
        dst: Slot,
        base: Slot,
        offset: u32,
    },
    LoadN {
        size: u16,
        dst: Slot,
        base: Slot,
        offset: u32,
    },
    Store1 {
        base: Slot,
        offset: u32,
        src: Slot,
    },
    Store2 {
        base: Slot,
        offset: u32,
        src: Slot,
    },
    Store4 {
        base: Slot,
        offset: u32,
        src: Slot,
    },
    Store8 {
        base: Slot,
        offset: u32,
        src: Slot,
    },
    Store16 {
        base: Slot,
        offset: u32,
        src: Slot,
    },
    Store32 {
        base: Slot,
        offset: u32,
        src: Slot,
    },
    StoreN {
        size: u16,
        base: Slot,
        offset: u32,
        src: Slot,
    },
    // Values with pointers: charged by their size, copied deeply.
    Copy {
        dst: Slot,
        src: Slot,
        layout: LayoutId,
    },
    LoadCopy {
        dst: Slot,
        base: Slot,
        layout: LayoutId,
    },
    /// Compares two values or referents: entry of the function's comparisons.
    EqValues {
        comparison: u16,
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    // Enums.
    TestVariant {
        tag: u16,
        dst: Slot,
        base: Slot,
    },
    /// The enum in `slot` must be of this variant.
    CheckVariant {
        tag: u16,
        slot: Slot,
    },
    /// Entry of the function's variant field tables.
    BorrowVariant {
        dst: Slot,
        base: Slot,
        fields: u32,
    },
    // Vectors: `vec` is a slot holding a reference to the vector.
    /// Entry of the function's operand lists.
    VecPack {
        dst: Slot,
        operands: u32,
    },
    VecUnpack {
        src: Slot,
        operands: u32,
    },
    VecLen {
        dst: Slot,
        vec: Slot,
    },
    VecBorrow {
        size: u16,
        dst: Slot,
        vec: Slot,
        index: Slot,
    },
    VecLoad1 {
        dst: Slot,
        vec: Slot,
        index: Slot,
    },
    VecLoad2 {
        dst: Slot,
        vec: Slot,
        index: Slot,
    },
    VecLoad4 {
        dst: Slot,
        vec: Slot,
        index: Slot,
    },
    VecLoad8 {
        dst: Slot,
        vec: Slot,
        index: Slot,
    },
    VecLoad16 {
        dst: Slot,
        vec: Slot,
        index: Slot,
    },
    VecLoad32 {
        dst: Slot,
        vec: Slot,
        index: Slot,
    },
    VecLoadN {
        size: u16,
        dst: Slot,
        vec: Slot,
        index: Slot,
    },
    VecStore1 {
        vec: Slot,
        index: Slot,
        src: Slot,
    },
    VecStore2 {
        vec: Slot,
        index: Slot,
        src: Slot,
    },
    VecStore4 {
        vec: Slot,
        index: Slot,
        src: Slot,
    },
    VecStore8 {
        vec: Slot,
        index: Slot,
        src: Slot,
    },
    VecStore16 {
        vec: Slot,
        index: Slot,
        src: Slot,
    },
    VecStore32 {
        vec: Slot,
        index: Slot,
        src: Slot,
    },
    VecStoreN {
        size: u16,
        vec: Slot,
        index: Slot,
        src: Slot,
    },
    VecPush1 {
        vec: Slot,
        src: Slot,
        element: LayoutId,
    },
    VecPush2 {
        vec: Slot,
        src: Slot,
        element: LayoutId,
    },
    VecPush4 {
        vec: Slot,
        src: Slot,
        element: LayoutId,
    },
    VecPush8 {
        vec: Slot,
        src: Slot,
        element: LayoutId,
    },
    VecPush16 {
        vec: Slot,
        src: Slot,
        element: LayoutId,
    },
    VecPush32 {
        vec: Slot,
        src: Slot,
        element: LayoutId,
    },
    VecPushN {
        size: u16,
        vec: Slot,
        src: Slot,
        element: LayoutId,
    },
    VecPop {
        size: u16,
        dst: Slot,
        vec: Slot,
    },
    VecSwap {
        size: u16,
        vec: Slot,
        i: Slot,
        j: Slot,
    },
    // Global storage.
    Exists {
        dst: Slot,
        address: Slot,
        layout: LayoutId,
    },
    BorrowGlobal {
        mutable: bool,
        dst: Slot,
        address: Slot,
        layout: LayoutId,
    },
    MoveFrom {
        dst: Slot,
        address: Slot,
        layout: LayoutId,
    },
    MoveTo {
        signer: Slot,
        src: Slot,
        layout: LayoutId,
    },
}

const _: () = assert!(size_of::<Op>() == 16);
