//! Picks the micro-op of an operation at a width.

use super::mono::Binary;
use crate::context::ids::LayoutId;
use crate::context::layout::Int;
use crate::interp::op::{Op, Slot};

/// `dst = a op b`.
pub(super) fn binary(op: Binary, int: Int, dst: Slot, a: Slot, b: Slot) -> Option<Op> {
    let (op, a, b) = match op {
        Binary::Gt => (Binary::Lt, b, a),
        Binary::Ge => (Binary::Le, b, a),
        other => (other, a, b),
    };
    Some(match (op, int) {
        (Binary::Add, Int::U8) => Op::AddU8 { dst, a, b },
        (Binary::Sub, Int::U8) => Op::SubU8 { dst, a, b },
        (Binary::Mul, Int::U8) => Op::MulU8 { dst, a, b },
        (Binary::Div, Int::U8) => Op::DivU8 { dst, a, b },
        (Binary::Mod, Int::U8) => Op::ModU8 { dst, a, b },
        (Binary::Lt, Int::U8) => Op::LtU8 { dst, a, b },
        (Binary::Le, Int::U8) => Op::LeU8 { dst, a, b },
        (Binary::Add, Int::U16) => Op::AddU16 { dst, a, b },
        (Binary::Sub, Int::U16) => Op::SubU16 { dst, a, b },
        (Binary::Mul, Int::U16) => Op::MulU16 { dst, a, b },
        (Binary::Div, Int::U16) => Op::DivU16 { dst, a, b },
        (Binary::Mod, Int::U16) => Op::ModU16 { dst, a, b },
        (Binary::Lt, Int::U16) => Op::LtU16 { dst, a, b },
        (Binary::Le, Int::U16) => Op::LeU16 { dst, a, b },
        (Binary::Add, Int::U32) => Op::AddU32 { dst, a, b },
        (Binary::Sub, Int::U32) => Op::SubU32 { dst, a, b },
        (Binary::Mul, Int::U32) => Op::MulU32 { dst, a, b },
        (Binary::Div, Int::U32) => Op::DivU32 { dst, a, b },
        (Binary::Mod, Int::U32) => Op::ModU32 { dst, a, b },
        (Binary::Lt, Int::U32) => Op::LtU32 { dst, a, b },
        (Binary::Le, Int::U32) => Op::LeU32 { dst, a, b },
        (Binary::Add, Int::U64) => Op::AddU64 { dst, a, b },
        (Binary::Sub, Int::U64) => Op::SubU64 { dst, a, b },
        (Binary::Mul, Int::U64) => Op::MulU64 { dst, a, b },
        (Binary::Div, Int::U64) => Op::DivU64 { dst, a, b },
        (Binary::Mod, Int::U64) => Op::ModU64 { dst, a, b },
        (Binary::Lt, Int::U64) => Op::LtU64 { dst, a, b },
        (Binary::Le, Int::U64) => Op::LeU64 { dst, a, b },
        (Binary::Add, Int::U128) => Op::AddU128 { dst, a, b },
        (Binary::Sub, Int::U128) => Op::SubU128 { dst, a, b },
        (Binary::Mul, Int::U128) => Op::MulU128 { dst, a, b },
        (Binary::Div, Int::U128) => Op::DivU128 { dst, a, b },
        (Binary::Mod, Int::U128) => Op::ModU128 { dst, a, b },
        (Binary::Lt, Int::U128) => Op::LtU128 { dst, a, b },
        (Binary::Le, Int::U128) => Op::LeU128 { dst, a, b },
        (Binary::Add, Int::U256) => Op::AddU256 { dst, a, b },
        (Binary::Sub, Int::U256) => Op::SubU256 { dst, a, b },
        (Binary::Mul, Int::U256) => Op::MulU256 { dst, a, b },
        (Binary::Div, Int::U256) => Op::DivU256 { dst, a, b },
        (Binary::Mod, Int::U256) => Op::ModU256 { dst, a, b },
        (Binary::Lt, Int::U256) => Op::LtU256 { dst, a, b },
        (Binary::Le, Int::U256) => Op::LeU256 { dst, a, b },
        (Binary::Add, Int::I8) => Op::AddI8 { dst, a, b },
        (Binary::Sub, Int::I8) => Op::SubI8 { dst, a, b },
        (Binary::Mul, Int::I8) => Op::MulI8 { dst, a, b },
        (Binary::Div, Int::I8) => Op::DivI8 { dst, a, b },
        (Binary::Mod, Int::I8) => Op::ModI8 { dst, a, b },
        (Binary::Lt, Int::I8) => Op::LtI8 { dst, a, b },
        (Binary::Le, Int::I8) => Op::LeI8 { dst, a, b },
        (Binary::Add, Int::I16) => Op::AddI16 { dst, a, b },
        (Binary::Sub, Int::I16) => Op::SubI16 { dst, a, b },
        (Binary::Mul, Int::I16) => Op::MulI16 { dst, a, b },
        (Binary::Div, Int::I16) => Op::DivI16 { dst, a, b },
        (Binary::Mod, Int::I16) => Op::ModI16 { dst, a, b },
        (Binary::Lt, Int::I16) => Op::LtI16 { dst, a, b },
        (Binary::Le, Int::I16) => Op::LeI16 { dst, a, b },
        (Binary::Add, Int::I32) => Op::AddI32 { dst, a, b },
        (Binary::Sub, Int::I32) => Op::SubI32 { dst, a, b },
        (Binary::Mul, Int::I32) => Op::MulI32 { dst, a, b },
        (Binary::Div, Int::I32) => Op::DivI32 { dst, a, b },
        (Binary::Mod, Int::I32) => Op::ModI32 { dst, a, b },
        (Binary::Lt, Int::I32) => Op::LtI32 { dst, a, b },
        (Binary::Le, Int::I32) => Op::LeI32 { dst, a, b },
        (Binary::Add, Int::I64) => Op::AddI64 { dst, a, b },
        (Binary::Sub, Int::I64) => Op::SubI64 { dst, a, b },
        (Binary::Mul, Int::I64) => Op::MulI64 { dst, a, b },
        (Binary::Div, Int::I64) => Op::DivI64 { dst, a, b },
        (Binary::Mod, Int::I64) => Op::ModI64 { dst, a, b },
        (Binary::Lt, Int::I64) => Op::LtI64 { dst, a, b },
        (Binary::Le, Int::I64) => Op::LeI64 { dst, a, b },
        (Binary::Add, Int::I128) => Op::AddI128 { dst, a, b },
        (Binary::Sub, Int::I128) => Op::SubI128 { dst, a, b },
        (Binary::Mul, Int::I128) => Op::MulI128 { dst, a, b },
        (Binary::Div, Int::I128) => Op::DivI128 { dst, a, b },
        (Binary::Mod, Int::I128) => Op::ModI128 { dst, a, b },
        (Binary::Lt, Int::I128) => Op::LtI128 { dst, a, b },
        (Binary::Le, Int::I128) => Op::LeI128 { dst, a, b },
        (Binary::Add, Int::I256) => Op::AddI256 { dst, a, b },
        (Binary::Sub, Int::I256) => Op::SubI256 { dst, a, b },
        (Binary::Mul, Int::I256) => Op::MulI256 { dst, a, b },
        (Binary::Div, Int::I256) => Op::DivI256 { dst, a, b },
        (Binary::Mod, Int::I256) => Op::ModI256 { dst, a, b },
        (Binary::Lt, Int::I256) => Op::LtI256 { dst, a, b },
        (Binary::Le, Int::I256) => Op::LeI256 { dst, a, b },
        (Binary::And, Int::U8) => Op::AndU8 { dst, a, b },
        (Binary::Or, Int::U8) => Op::OrU8 { dst, a, b },
        (Binary::Xor, Int::U8) => Op::XorU8 { dst, a, b },
        (Binary::Shl, Int::U8) => Op::ShlU8 { dst, a, b },
        (Binary::Shr, Int::U8) => Op::ShrU8 { dst, a, b },
        (Binary::And, Int::U16) => Op::AndU16 { dst, a, b },
        (Binary::Or, Int::U16) => Op::OrU16 { dst, a, b },
        (Binary::Xor, Int::U16) => Op::XorU16 { dst, a, b },
        (Binary::Shl, Int::U16) => Op::ShlU16 { dst, a, b },
        (Binary::Shr, Int::U16) => Op::ShrU16 { dst, a, b },
        (Binary::And, Int::U32) => Op::AndU32 { dst, a, b },
        (Binary::Or, Int::U32) => Op::OrU32 { dst, a, b },
        (Binary::Xor, Int::U32) => Op::XorU32 { dst, a, b },
        (Binary::Shl, Int::U32) => Op::ShlU32 { dst, a, b },
        (Binary::Shr, Int::U32) => Op::ShrU32 { dst, a, b },
        (Binary::And, Int::U64) => Op::AndU64 { dst, a, b },
        (Binary::Or, Int::U64) => Op::OrU64 { dst, a, b },
        (Binary::Xor, Int::U64) => Op::XorU64 { dst, a, b },
        (Binary::Shl, Int::U64) => Op::ShlU64 { dst, a, b },
        (Binary::Shr, Int::U64) => Op::ShrU64 { dst, a, b },
        (Binary::And, Int::U128) => Op::AndU128 { dst, a, b },
        (Binary::Or, Int::U128) => Op::OrU128 { dst, a, b },
        (Binary::Xor, Int::U128) => Op::XorU128 { dst, a, b },
        (Binary::Shl, Int::U128) => Op::ShlU128 { dst, a, b },
        (Binary::Shr, Int::U128) => Op::ShrU128 { dst, a, b },
        (Binary::And, Int::U256) => Op::AndU256 { dst, a, b },
        (Binary::Or, Int::U256) => Op::OrU256 { dst, a, b },
        (Binary::Xor, Int::U256) => Op::XorU256 { dst, a, b },
        (Binary::Shl, Int::U256) => Op::ShlU256 { dst, a, b },
        (Binary::Shr, Int::U256) => Op::ShrU256 { dst, a, b },
        _ => return None,
    })
}

/// `dst = a op imm`, where there is such an op.
pub(super) fn binary_imm(op: Binary, int: Int, dst: Slot, a: Slot, imm: u32) -> Option<Op> {
    Some(match (op, int) {
        (Binary::Add, Int::U8) => Op::AddImmU8 { dst, a, imm },
        (Binary::Sub, Int::U8) => Op::SubImmU8 { dst, a, imm },
        (Binary::Mul, Int::U8) => Op::MulImmU8 { dst, a, imm },
        (Binary::Div, Int::U8) => Op::DivImmU8 { dst, a, imm },
        (Binary::Mod, Int::U8) => Op::ModImmU8 { dst, a, imm },
        (Binary::And, Int::U8) => Op::AndImmU8 { dst, a, imm },
        (Binary::Or, Int::U8) => Op::OrImmU8 { dst, a, imm },
        (Binary::Xor, Int::U8) => Op::XorImmU8 { dst, a, imm },
        (Binary::Shl, Int::U8) => Op::ShlImmU8 { dst, a, imm },
        (Binary::Shr, Int::U8) => Op::ShrImmU8 { dst, a, imm },
        (Binary::Lt, Int::U8) => Op::LtImmU8 { dst, a, imm },
        (Binary::Le, Int::U8) => Op::LeImmU8 { dst, a, imm },
        (Binary::Gt, Int::U8) => Op::GtImmU8 { dst, a, imm },
        (Binary::Ge, Int::U8) => Op::GeImmU8 { dst, a, imm },
        (Binary::Add, Int::U16) => Op::AddImmU16 { dst, a, imm },
        (Binary::Sub, Int::U16) => Op::SubImmU16 { dst, a, imm },
        (Binary::Mul, Int::U16) => Op::MulImmU16 { dst, a, imm },
        (Binary::Div, Int::U16) => Op::DivImmU16 { dst, a, imm },
        (Binary::Mod, Int::U16) => Op::ModImmU16 { dst, a, imm },
        (Binary::And, Int::U16) => Op::AndImmU16 { dst, a, imm },
        (Binary::Or, Int::U16) => Op::OrImmU16 { dst, a, imm },
        (Binary::Xor, Int::U16) => Op::XorImmU16 { dst, a, imm },
        (Binary::Shl, Int::U16) => Op::ShlImmU16 { dst, a, imm },
        (Binary::Shr, Int::U16) => Op::ShrImmU16 { dst, a, imm },
        (Binary::Lt, Int::U16) => Op::LtImmU16 { dst, a, imm },
        (Binary::Le, Int::U16) => Op::LeImmU16 { dst, a, imm },
        (Binary::Gt, Int::U16) => Op::GtImmU16 { dst, a, imm },
        (Binary::Ge, Int::U16) => Op::GeImmU16 { dst, a, imm },
        (Binary::Add, Int::U32) => Op::AddImmU32 { dst, a, imm },
        (Binary::Sub, Int::U32) => Op::SubImmU32 { dst, a, imm },
        (Binary::Mul, Int::U32) => Op::MulImmU32 { dst, a, imm },
        (Binary::Div, Int::U32) => Op::DivImmU32 { dst, a, imm },
        (Binary::Mod, Int::U32) => Op::ModImmU32 { dst, a, imm },
        (Binary::And, Int::U32) => Op::AndImmU32 { dst, a, imm },
        (Binary::Or, Int::U32) => Op::OrImmU32 { dst, a, imm },
        (Binary::Xor, Int::U32) => Op::XorImmU32 { dst, a, imm },
        (Binary::Shl, Int::U32) => Op::ShlImmU32 { dst, a, imm },
        (Binary::Shr, Int::U32) => Op::ShrImmU32 { dst, a, imm },
        (Binary::Lt, Int::U32) => Op::LtImmU32 { dst, a, imm },
        (Binary::Le, Int::U32) => Op::LeImmU32 { dst, a, imm },
        (Binary::Gt, Int::U32) => Op::GtImmU32 { dst, a, imm },
        (Binary::Ge, Int::U32) => Op::GeImmU32 { dst, a, imm },
        (Binary::Add, Int::U64) => Op::AddImmU64 { dst, a, imm },
        (Binary::Sub, Int::U64) => Op::SubImmU64 { dst, a, imm },
        (Binary::Mul, Int::U64) => Op::MulImmU64 { dst, a, imm },
        (Binary::Div, Int::U64) => Op::DivImmU64 { dst, a, imm },
        (Binary::Mod, Int::U64) => Op::ModImmU64 { dst, a, imm },
        (Binary::And, Int::U64) => Op::AndImmU64 { dst, a, imm },
        (Binary::Or, Int::U64) => Op::OrImmU64 { dst, a, imm },
        (Binary::Xor, Int::U64) => Op::XorImmU64 { dst, a, imm },
        (Binary::Shl, Int::U64) => Op::ShlImmU64 { dst, a, imm },
        (Binary::Shr, Int::U64) => Op::ShrImmU64 { dst, a, imm },
        (Binary::Lt, Int::U64) => Op::LtImmU64 { dst, a, imm },
        (Binary::Le, Int::U64) => Op::LeImmU64 { dst, a, imm },
        (Binary::Gt, Int::U64) => Op::GtImmU64 { dst, a, imm },
        (Binary::Ge, Int::U64) => Op::GeImmU64 { dst, a, imm },
        _ => return None,
    })
}

/// Whether [`binary_imm`] and [`equal_imm`] serve this type.
pub(super) fn has_immediates(int: Int) -> bool {
    matches!(int, Int::U8 | Int::U16 | Int::U32 | Int::U64)
}

/// `dst = a == b` (or `!=`) for scalars of `bytes`.
pub(super) fn equal(bytes: u32, negated: bool, dst: Slot, a: Slot, b: Slot) -> Option<Op> {
    Some(match (bytes, negated) {
        (1, false) => Op::Eq1 { dst, a, b },
        (1, true) => Op::Ne1 { dst, a, b },
        (2, false) => Op::Eq2 { dst, a, b },
        (2, true) => Op::Ne2 { dst, a, b },
        (4, false) => Op::Eq4 { dst, a, b },
        (4, true) => Op::Ne4 { dst, a, b },
        (8, false) => Op::Eq8 { dst, a, b },
        (8, true) => Op::Ne8 { dst, a, b },
        (16, false) => Op::Eq16 { dst, a, b },
        (16, true) => Op::Ne16 { dst, a, b },
        (32, false) => Op::Eq32 { dst, a, b },
        (32, true) => Op::Ne32 { dst, a, b },
        _ => return None,
    })
}

/// `dst = a == imm` (or `!=`) for scalars of `bytes`, up to 8.
pub(super) fn equal_imm(bytes: u32, negated: bool, dst: Slot, a: Slot, imm: u32) -> Option<Op> {
    Some(match (bytes, negated) {
        (1, false) => Op::EqImmU8 { dst, a, imm },
        (1, true) => Op::NeImmU8 { dst, a, imm },
        (2, false) => Op::EqImmU16 { dst, a, imm },
        (2, true) => Op::NeImmU16 { dst, a, imm },
        (4, false) => Op::EqImmU32 { dst, a, imm },
        (4, true) => Op::NeImmU32 { dst, a, imm },
        (8, false) => Op::EqImmU64 { dst, a, imm },
        (8, true) => Op::NeImmU64 { dst, a, imm },
        _ => return None,
    })
}

/// The comparison and branch in one: `compare` (made by the functions above) and a jump when it is `when`.
pub(super) fn fused_branch(compare: Op, when: bool, target: u32) -> Option<Op> {
    Some(match (compare, when) {
        (Op::LtU8 { a, b, .. }, true) => Op::JumpLtU8 { a, b, target },
        (Op::LtU8 { a, b, .. }, false) => Op::JumpLeU8 { a: b, b: a, target },
        (Op::LeU8 { a, b, .. }, true) => Op::JumpLeU8 { a, b, target },
        (Op::LeU8 { a, b, .. }, false) => Op::JumpLtU8 { a: b, b: a, target },
        (Op::Eq1 { a, b, .. }, true) | (Op::Ne1 { a, b, .. }, false) => {
            Op::JumpEqU8 { a, b, target }
        }
        (Op::Eq1 { a, b, .. }, false) | (Op::Ne1 { a, b, .. }, true) => {
            Op::JumpNeU8 { a, b, target }
        }
        (Op::LtImmU8 { a, imm, .. }, true) | (Op::GeImmU8 { a, imm, .. }, false) => {
            Op::JumpLtImmU8 { a, imm, target }
        }
        (Op::LeImmU8 { a, imm, .. }, true) | (Op::GtImmU8 { a, imm, .. }, false) => {
            Op::JumpLeImmU8 { a, imm, target }
        }
        (Op::GtImmU8 { a, imm, .. }, true) | (Op::LeImmU8 { a, imm, .. }, false) => {
            Op::JumpGtImmU8 { a, imm, target }
        }
        (Op::GeImmU8 { a, imm, .. }, true) | (Op::LtImmU8 { a, imm, .. }, false) => {
            Op::JumpGeImmU8 { a, imm, target }
        }
        (Op::EqImmU8 { a, imm, .. }, true) | (Op::NeImmU8 { a, imm, .. }, false) => {
            Op::JumpEqImmU8 { a, imm, target }
        }
        (Op::NeImmU8 { a, imm, .. }, true) | (Op::EqImmU8 { a, imm, .. }, false) => {
            Op::JumpNeImmU8 { a, imm, target }
        }
        (Op::LtU16 { a, b, .. }, true) => Op::JumpLtU16 { a, b, target },
        (Op::LtU16 { a, b, .. }, false) => Op::JumpLeU16 { a: b, b: a, target },
        (Op::LeU16 { a, b, .. }, true) => Op::JumpLeU16 { a, b, target },
        (Op::LeU16 { a, b, .. }, false) => Op::JumpLtU16 { a: b, b: a, target },
        (Op::Eq2 { a, b, .. }, true) | (Op::Ne2 { a, b, .. }, false) => {
            Op::JumpEqU16 { a, b, target }
        }
        (Op::Eq2 { a, b, .. }, false) | (Op::Ne2 { a, b, .. }, true) => {
            Op::JumpNeU16 { a, b, target }
        }
        (Op::LtImmU16 { a, imm, .. }, true) | (Op::GeImmU16 { a, imm, .. }, false) => {
            Op::JumpLtImmU16 { a, imm, target }
        }
        (Op::LeImmU16 { a, imm, .. }, true) | (Op::GtImmU16 { a, imm, .. }, false) => {
            Op::JumpLeImmU16 { a, imm, target }
        }
        (Op::GtImmU16 { a, imm, .. }, true) | (Op::LeImmU16 { a, imm, .. }, false) => {
            Op::JumpGtImmU16 { a, imm, target }
        }
        (Op::GeImmU16 { a, imm, .. }, true) | (Op::LtImmU16 { a, imm, .. }, false) => {
            Op::JumpGeImmU16 { a, imm, target }
        }
        (Op::EqImmU16 { a, imm, .. }, true) | (Op::NeImmU16 { a, imm, .. }, false) => {
            Op::JumpEqImmU16 { a, imm, target }
        }
        (Op::NeImmU16 { a, imm, .. }, true) | (Op::EqImmU16 { a, imm, .. }, false) => {
            Op::JumpNeImmU16 { a, imm, target }
        }
        (Op::LtU32 { a, b, .. }, true) => Op::JumpLtU32 { a, b, target },
        (Op::LtU32 { a, b, .. }, false) => Op::JumpLeU32 { a: b, b: a, target },
        (Op::LeU32 { a, b, .. }, true) => Op::JumpLeU32 { a, b, target },
        (Op::LeU32 { a, b, .. }, false) => Op::JumpLtU32 { a: b, b: a, target },
        (Op::Eq4 { a, b, .. }, true) | (Op::Ne4 { a, b, .. }, false) => {
            Op::JumpEqU32 { a, b, target }
        }
        (Op::Eq4 { a, b, .. }, false) | (Op::Ne4 { a, b, .. }, true) => {
            Op::JumpNeU32 { a, b, target }
        }
        (Op::LtImmU32 { a, imm, .. }, true) | (Op::GeImmU32 { a, imm, .. }, false) => {
            Op::JumpLtImmU32 { a, imm, target }
        }
        (Op::LeImmU32 { a, imm, .. }, true) | (Op::GtImmU32 { a, imm, .. }, false) => {
            Op::JumpLeImmU32 { a, imm, target }
        }
        (Op::GtImmU32 { a, imm, .. }, true) | (Op::LeImmU32 { a, imm, .. }, false) => {
            Op::JumpGtImmU32 { a, imm, target }
        }
        (Op::GeImmU32 { a, imm, .. }, true) | (Op::LtImmU32 { a, imm, .. }, false) => {
            Op::JumpGeImmU32 { a, imm, target }
        }
        (Op::EqImmU32 { a, imm, .. }, true) | (Op::NeImmU32 { a, imm, .. }, false) => {
            Op::JumpEqImmU32 { a, imm, target }
        }
        (Op::NeImmU32 { a, imm, .. }, true) | (Op::EqImmU32 { a, imm, .. }, false) => {
            Op::JumpNeImmU32 { a, imm, target }
        }
        (Op::LtU64 { a, b, .. }, true) => Op::JumpLtU64 { a, b, target },
        (Op::LtU64 { a, b, .. }, false) => Op::JumpLeU64 { a: b, b: a, target },
        (Op::LeU64 { a, b, .. }, true) => Op::JumpLeU64 { a, b, target },
        (Op::LeU64 { a, b, .. }, false) => Op::JumpLtU64 { a: b, b: a, target },
        (Op::Eq8 { a, b, .. }, true) | (Op::Ne8 { a, b, .. }, false) => {
            Op::JumpEqU64 { a, b, target }
        }
        (Op::Eq8 { a, b, .. }, false) | (Op::Ne8 { a, b, .. }, true) => {
            Op::JumpNeU64 { a, b, target }
        }
        (Op::LtImmU64 { a, imm, .. }, true) | (Op::GeImmU64 { a, imm, .. }, false) => {
            Op::JumpLtImmU64 { a, imm, target }
        }
        (Op::LeImmU64 { a, imm, .. }, true) | (Op::GtImmU64 { a, imm, .. }, false) => {
            Op::JumpLeImmU64 { a, imm, target }
        }
        (Op::GtImmU64 { a, imm, .. }, true) | (Op::LeImmU64 { a, imm, .. }, false) => {
            Op::JumpGtImmU64 { a, imm, target }
        }
        (Op::GeImmU64 { a, imm, .. }, true) | (Op::LtImmU64 { a, imm, .. }, false) => {
            Op::JumpGeImmU64 { a, imm, target }
        }
        (Op::EqImmU64 { a, imm, .. }, true) | (Op::NeImmU64 { a, imm, .. }, false) => {
            Op::JumpEqImmU64 { a, imm, target }
        }
        (Op::NeImmU64 { a, imm, .. }, true) | (Op::EqImmU64 { a, imm, .. }, false) => {
            Op::JumpNeImmU64 { a, imm, target }
        }
        _ => return None,
    })
}

/// The jump target of an op, for patching.
pub(super) fn target_mut(op: &mut Op) -> Option<&mut u32> {
    match op {
        Op::Jump { target }
        | Op::AddImmJumpU64 { target, .. }
        | Op::AddImmLoopLtU64 { target, .. }
        | Op::AddImmLoopLeU64 { target, .. }
        | Op::JumpIfRef { target, .. }
        | Op::JumpIfNotRef { target, .. }
        | Op::JumpLtImmRef8 { target, .. }
        | Op::JumpLeImmRef8 { target, .. }
        | Op::JumpGtImmRef8 { target, .. }
        | Op::JumpGeImmRef8 { target, .. }
        | Op::JumpEqImmRef8 { target, .. }
        | Op::JumpNeImmRef8 { target, .. }
        | Op::JumpLtRef8 { target, .. }
        | Op::JumpLeRef8 { target, .. }
        | Op::JumpGtRef8 { target, .. }
        | Op::JumpGeRef8 { target, .. }
        | Op::JumpVariant { target, .. }
        | Op::JumpNotVariant { target, .. }
        | Op::JumpIf { target, .. }
        | Op::JumpIfNot { target, .. } => Some(target),
        Op::JumpLtU8 { target, .. }
        | Op::JumpLeU8 { target, .. }
        | Op::JumpEqU8 { target, .. }
        | Op::JumpNeU8 { target, .. }
        | Op::JumpLtImmU8 { target, .. }
        | Op::JumpLeImmU8 { target, .. }
        | Op::JumpGtImmU8 { target, .. }
        | Op::JumpGeImmU8 { target, .. }
        | Op::JumpEqImmU8 { target, .. }
        | Op::JumpNeImmU8 { target, .. } => Some(target),
        Op::JumpLtU16 { target, .. }
        | Op::JumpLeU16 { target, .. }
        | Op::JumpEqU16 { target, .. }
        | Op::JumpNeU16 { target, .. }
        | Op::JumpLtImmU16 { target, .. }
        | Op::JumpLeImmU16 { target, .. }
        | Op::JumpGtImmU16 { target, .. }
        | Op::JumpGeImmU16 { target, .. }
        | Op::JumpEqImmU16 { target, .. }
        | Op::JumpNeImmU16 { target, .. } => Some(target),
        Op::JumpLtU32 { target, .. }
        | Op::JumpLeU32 { target, .. }
        | Op::JumpEqU32 { target, .. }
        | Op::JumpNeU32 { target, .. }
        | Op::JumpLtImmU32 { target, .. }
        | Op::JumpLeImmU32 { target, .. }
        | Op::JumpGtImmU32 { target, .. }
        | Op::JumpGeImmU32 { target, .. }
        | Op::JumpEqImmU32 { target, .. }
        | Op::JumpNeImmU32 { target, .. } => Some(target),
        Op::JumpLtU64 { target, .. }
        | Op::JumpLeU64 { target, .. }
        | Op::JumpEqU64 { target, .. }
        | Op::JumpNeU64 { target, .. }
        | Op::JumpLtImmU64 { target, .. }
        | Op::JumpLeImmU64 { target, .. }
        | Op::JumpGtImmU64 { target, .. }
        | Op::JumpGeImmU64 { target, .. }
        | Op::JumpEqImmU64 { target, .. }
        | Op::JumpNeImmU64 { target, .. } => Some(target),
        _ => None,
    }
}

/// `dst = src`, if the value fits.
pub(super) fn cast(from: Int, to: Int, dst: Slot, src: Slot) -> Op {
    match (from, to) {
        (Int::U8, Int::U64) => Op::CastU8ToU64 { dst, src },
        (Int::U16, Int::U64) => Op::CastU16ToU64 { dst, src },
        (Int::U32, Int::U64) => Op::CastU32ToU64 { dst, src },
        (Int::U64, Int::U128) => Op::CastU64ToU128 { dst, src },
        (Int::U64, Int::U8) => Op::CastU64ToU8 { dst, src },
        (Int::U64, Int::U32) => Op::CastU64ToU32 { dst, src },
        (Int::U128, Int::U64) => Op::CastU128ToU64 { dst, src },
        (from, to) => Op::Cast { dst, src, from, to },
    }
}

/// Copies `size` bytes from slot to slot; nothing for size 0.
pub(super) fn move_slot(size: u32, dst: Slot, src: Slot) -> Option<Op> {
    Some(match size {
        0 => return None,
        1 => Op::Move1 { dst, src },
        2 => Op::Move2 { dst, src },
        4 => Op::Move4 { dst, src },
        8 => Op::Move8 { dst, src },
        12 => Op::Move12 { dst, src },
        16 => Op::Move16 { dst, src },
        32 => Op::Move32 { dst, src },
        _ => Op::MoveN {
            size: size as u16,
            dst,
            src,
        },
    })
}

/// Reads `size` bytes behind a reference.
pub(super) fn load(size: u32, dst: Slot, base: Slot, offset: u32) -> Op {
    match size {
        1 => Op::Load1 { dst, base, offset },
        2 => Op::Load2 { dst, base, offset },
        4 => Op::Load4 { dst, base, offset },
        8 => Op::Load8 { dst, base, offset },
        16 => Op::Load16 { dst, base, offset },
        32 => Op::Load32 { dst, base, offset },
        _ => Op::LoadN {
            size: size as u16,
            dst,
            base,
            offset,
        },
    }
}

/// Writes `size` bytes behind a reference.
pub(super) fn store(size: u32, base: Slot, offset: u32, src: Slot) -> Op {
    match size {
        1 => Op::Store1 { base, offset, src },
        2 => Op::Store2 { base, offset, src },
        4 => Op::Store4 { base, offset, src },
        8 => Op::Store8 { base, offset, src },
        16 => Op::Store16 { base, offset, src },
        32 => Op::Store32 { base, offset, src },
        _ => Op::StoreN {
            size: size as u16,
            base,
            offset,
            src,
        },
    }
}

/// Reads an element of `size` bytes.
pub(super) fn vec_load(size: u32, dst: Slot, vec: Slot, index: Slot) -> Op {
    match size {
        1 => Op::VecLoad1 { dst, vec, index },
        2 => Op::VecLoad2 { dst, vec, index },
        4 => Op::VecLoad4 { dst, vec, index },
        8 => Op::VecLoad8 { dst, vec, index },
        16 => Op::VecLoad16 { dst, vec, index },
        32 => Op::VecLoad32 { dst, vec, index },
        _ => Op::VecLoadN {
            size: size as u16,
            dst,
            vec,
            index,
        },
    }
}

/// Writes an element of `size` bytes.
pub(super) fn vec_store(size: u32, vec: Slot, index: Slot, src: Slot) -> Op {
    match size {
        1 => Op::VecStore1 { vec, index, src },
        2 => Op::VecStore2 { vec, index, src },
        4 => Op::VecStore4 { vec, index, src },
        8 => Op::VecStore8 { vec, index, src },
        16 => Op::VecStore16 { vec, index, src },
        32 => Op::VecStore32 { vec, index, src },
        _ => Op::VecStoreN {
            size: size as u16,
            vec,
            index,
            src,
        },
    }
}

/// Appends an element of `size` bytes.
pub(super) fn vec_push(size: u32, vec: Slot, src: Slot, element: LayoutId) -> Op {
    match size {
        1 => Op::VecPush1 { vec, src, element },
        2 => Op::VecPush2 { vec, src, element },
        4 => Op::VecPush4 { vec, src, element },
        8 => Op::VecPush8 { vec, src, element },
        16 => Op::VecPush16 { vec, src, element },
        32 => Op::VecPush32 { vec, src, element },
        _ => Op::VecPushN {
            size: size as u16,
            vec,
            src,
            element,
        },
    }
}
