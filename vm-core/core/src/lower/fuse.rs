//! Fusion: neighbouring ops of one basic block that have a common form become one op.
//!
//! It looks backwards from an op that is being emitted. A temporary is read once, so that what an op leaves in one is dead behind the
//! op that reads it, and an op that takes both their places need not write it. Of the ops that are replaced at most one can fail: the
//! new op comes from the instruction of that one.

use crate::interp::op::{Op, Slot};
use std::ops::Range;
use std::rc::Rc;

/// What takes the place of the last `replaced` ops and the new one.
pub(super) struct Fused {
    pub(super) replaced: usize,
    /// Stays before the fused op: one of those that are replaced.
    pub(super) kept: Option<Op>,
    pub(super) op: Op,
    /// Which of the replaced ops it has its origin from, counted from the last; `None`: the new one.
    pub(super) origin: Option<usize>,
}

/// What fusion knows of a function.
pub(super) struct Fuser<'a> {
    /// Slots of temporaries.
    pub(super) temps: Range<Slot>,
    pub(super) variant_fields: &'a [Rc<[Option<u32>]>],
}

impl Fuser<'_> {
    fn temp(&self, slot: Slot) -> bool {
        self.temps.contains(&slot)
    }

    /// One op for `op` and some of `before`, the ops of its block so far.
    pub(super) fn fuse(&self, before: &[Op], op: Op) -> Option<Fused> {
        let (&last, rest) = before.split_last()?;
        let one = |op: Op, origin: Option<usize>| {
            Some(Fused {
                replaced: 1,
                kept: None,
                op,
                origin,
            })
        };
        match op {
            Op::Store1 { base, offset, src } if self.temp(src) => match last {
                Op::Const1 { dst, value: imm } if dst == src => {
                    one(Op::StoreImm1 { base, offset, imm }, None)
                }
                _ => None,
            },
            Op::Store8 { base, offset, src } if self.temp(src) => match last {
                Op::Const8 { dst, value } if dst == src => {
                    let imm = u32::try_from(value).ok()?;
                    one(Op::StoreImm8 { base, offset, imm }, None)
                }
                _ => self.update(rest, last, src, base, offset),
            },
            Op::VecStore1 { vec, index, src } if self.temp(src) => match last {
                Op::Const1 { dst, value: imm } if dst == src => {
                    one(Op::VecStoreImm1 { vec, index, imm }, None)
                }
                _ => None,
            },
            Op::CastU8ToU64 { dst, src } if self.temp(src) => match last {
                Op::VecLoad1 {
                    dst: loaded,
                    vec,
                    index,
                } if loaded == src => one(Op::VecLoad1ToU64 { dst, vec, index }, Some(0)),
                _ => None,
            },
            Op::Load1 {
                dst, base, offset, ..
            } => {
                let (tag, base, offset) = self.field_of_one_variant(last, base, offset)?;
                let op = Op::LoadVariant1 {
                    tag,
                    dst,
                    base,
                    offset,
                };
                one(op, Some(0))
            }
            Op::Load8 {
                dst, base, offset, ..
            } => {
                let (tag, base, offset) = self.field_of_one_variant(last, base, offset)?;
                let op = Op::LoadVariant8 {
                    tag,
                    dst,
                    base,
                    offset,
                };
                one(op, Some(0))
            }
            _ => one(self.branch_on_field(last, op)?, None),
        }
    }

    /// `*field = *field + x`: `sum` is the addition or subtraction whose result is stored.
    fn update(&self, rest: &[Op], sum: Op, src: Slot, base: Slot, offset: u32) -> Option<Fused> {
        let loads = |op: &Op, slot: Slot| {
            self.temp(slot)
                && *op
                    == Op::Load8 {
                        dst: slot,
                        base,
                        offset,
                    }
        };
        let imm_update = |a: Slot, op: Op| {
            rest.last().filter(|op| loads(op, a)).map(|_| Fused {
                replaced: 2,
                kept: None,
                op,
                origin: Some(0),
            })
        };
        let update = |a: Slot, b: Slot, op: Op| {
            let (&before, more) = rest.split_last()?;
            if a != b && loads(&before, a) {
                return Some(Fused {
                    replaced: 2,
                    kept: None,
                    op,
                    origin: Some(0),
                });
            }
            // The other operand is a field that was read in between.
            match before {
                Op::Load8 { dst, .. }
                    if dst == b && self.temp(b) && b != base && loads(more.last()?, a) =>
                {
                    Some(Fused {
                        replaced: 3,
                        kept: Some(before),
                        op,
                        origin: Some(0),
                    })
                }
                _ => None,
            }
        };
        let add = |src| Op::AddRef8 { base, offset, src };
        match sum {
            Op::AddImmU64 { dst, a, imm } if dst == src => {
                imm_update(a, Op::AddImmRef8 { base, offset, imm })
            }
            Op::SubImmU64 { dst, a, imm } if dst == src => {
                imm_update(a, Op::SubImmRef8 { base, offset, imm })
            }
            Op::AddU64 { dst, a, b } if dst == src => {
                update(a, b, add(b)).or_else(|| update(b, a, add(a)))
            }
            Op::SubU64 { dst, a, b } if dst == src => update(
                a,
                b,
                Op::SubRef8 {
                    base,
                    offset,
                    src: b,
                },
            ),
            _ => None,
        }
    }

    /// The variant, reference and offset of a field that is borrowed from `base` for the one variant that has it.
    fn field_of_one_variant(&self, last: Op, at: Slot, more: u32) -> Option<(u16, Slot, u32)> {
        let Op::BorrowVariant { dst, base, fields } = last else {
            return None;
        };
        let table = self.variant_fields.get(fields as usize)?;
        let mut having = (0..)
            .zip(table.iter())
            .filter_map(|(tag, offset)| Some((tag, (*offset)?)));
        let (tag, offset) = having.next()?;
        let only = having.next().is_none() && dst == at && self.temp(dst);
        only.then_some((tag, base, offset.checked_add(more)?))
    }

    /// A branch that looks at a field which was just read.
    fn branch_on_field(&self, last: Op, op: Op) -> Option<Op> {
        let (slot, bytes, base, offset) = match last {
            Op::Load1 { dst, base, offset } => (dst, 1, base, offset),
            Op::Load8 { dst, base, offset } => (dst, 8, base, offset),
            _ => return None,
        };
        let offset = u16::try_from(offset).ok()?;
        if !self.temp(slot) {
            return None;
        }
        macro_rules! imm {
            ($fused:ident $imm:ident $target:ident) => {
                Op::$fused {
                    offset,
                    base,
                    imm: $imm,
                    target: $target,
                }
            };
        }
        macro_rules! slot {
            ($fused:ident $b:ident $target:ident) => {
                Op::$fused {
                    offset,
                    base,
                    b: $b,
                    target: $target,
                }
            };
        }
        Some(match (bytes, op) {
            (1, Op::JumpIf { cond, target }) if cond == slot => Op::JumpIfRef {
                offset,
                base,
                target,
            },
            (1, Op::JumpIfNot { cond, target }) if cond == slot => Op::JumpIfNotRef {
                offset,
                base,
                target,
            },
            (8, Op::JumpLtImmU64 { a, imm, target }) if a == slot => imm!(JumpLtImmRef8 imm target),
            (8, Op::JumpLeImmU64 { a, imm, target }) if a == slot => imm!(JumpLeImmRef8 imm target),
            (8, Op::JumpGtImmU64 { a, imm, target }) if a == slot => imm!(JumpGtImmRef8 imm target),
            (8, Op::JumpGeImmU64 { a, imm, target }) if a == slot => imm!(JumpGeImmRef8 imm target),
            (8, Op::JumpEqImmU64 { a, imm, target }) if a == slot => imm!(JumpEqImmRef8 imm target),
            (8, Op::JumpNeImmU64 { a, imm, target }) if a == slot => imm!(JumpNeImmRef8 imm target),
            (8, Op::JumpLtU64 { a, b, target }) if a == slot && b != slot => {
                slot!(JumpLtRef8 b target)
            }
            (8, Op::JumpLeU64 { a, b, target }) if a == slot && b != slot => {
                slot!(JumpLeRef8 b target)
            }
            (8, Op::JumpLtU64 { a, b, target }) if b == slot && a != slot => {
                slot!(JumpGtRef8 a target)
            }
            (8, Op::JumpLeU64 { a, b, target }) if b == slot && a != slot => {
                slot!(JumpGeRef8 a target)
            }
            _ => return None,
        })
    }
}

/// Makes increments that jump back to the condition of a loop execute that condition too: at the end, when jump targets are known.
pub(super) fn fuse_loops(code: &mut [Op]) {
    for at in 0..code.len() {
        let Op::AddImmJumpU64 { imm, slot, target } = code[at] else {
            continue;
        };
        let condition = (at + 2)
            .checked_add_signed(target as i32 as isize)
            .and_then(|index| code.get(index));
        code[at] = match condition {
            Some(Op::JumpLtU64 { .. }) => Op::AddImmLoopLtU64 { imm, slot, target },
            Some(Op::JumpLeU64 { .. }) => Op::AddImmLoopLeU64 { imm, slot, target },
            _ => continue,
        };
    }
}
