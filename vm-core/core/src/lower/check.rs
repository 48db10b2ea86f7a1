//! The checker: every lowered function passes it before it may run.
//!
//! The interpreter follows lowered code without looking: slots, jump targets and table indices are taken as they are. What it relies on
//! is checked here, in one pass over the ops:
//!
//! - a frame holds its parameters, its results and every operand; an operand lies in the frame or in the area behind it, not across;
//! - the first op of every basic block, and no other, is its charge, and charges what the block costs;
//! - jumps lead to a charge, and what follows a jump is one: execution cannot run off the end;
//! - every id and table index is in its table, and sizes are those of the layouts they go with;
//! - callees' frames start where this one ends, and their parameters and results fit behind it.

use super::code::{Code, Lowered};
use super::mono::Shape;
use super::plan::MAX_FRAME;
use crate::context::Context;
use crate::context::ids::LayoutId;
use crate::context::layout::{Field, Kind, REFERENCE_BYTES};
use crate::interp::op::{Op, Slot};
use crate::interp::operands::{Operand, Width};
use crate::natives::NativeId;
use crate::stop::{Run, Stop};
use monomove_types::StatusCode;

/// Checks `function`. An error is an invariant violation: it names the function, the op and what is wrong with it.
pub(crate) fn check(ctx: &Context, code: &Code, function: &Lowered) -> Run<()> {
    let checker = Checker {
        ctx,
        code,
        function,
    };
    checker.function().map_err(|broken| {
        let name = ctx.types.name_text(function.name);
        let place = match broken.at.and_then(|at| function.code.get(at).zip(Some(at))) {
            Some((op, at)) => format!("op {at}, {}, ", op.name()),
            None => String::new(),
        };
        Stop::with_message(
            StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR,
            format!("lowered code of {name}: {place}{}", broken.what),
        )
    })
}

/// What is wrong, and with which op.
struct Broken {
    at: Option<usize>,
    what: String,
}

impl Broken {
    fn at(self, at: usize) -> Self {
        Self {
            at: Some(at),
            ..self
        }
    }

    fn of(self, operand: &str) -> Self {
        Self {
            what: format!("{operand}: {}", self.what),
            ..self
        }
    }
}

type Check<T = ()> = Result<T, Broken>;

#[cold]
fn broken(what: impl Into<String>) -> Broken {
    Broken {
        at: None,
        what: what.into(),
    }
}

fn ensure(holds: bool, what: &str) -> Check {
    if holds { Ok(()) } else { Err(broken(what)) }
}

struct Checker<'a> {
    ctx: &'a Context,
    code: &'a Code,
    function: &'a Lowered,
}

impl Checker<'_> {
    fn function(&self) -> Check {
        let f = self.function;
        ensure(f.shape.bytes <= f.frame, "the shape exceeds the frame")?;
        ensure(f.frame <= f.extent, "the frame exceeds the extent")?;
        ensure(f.extent <= MAX_FRAME, "the extent is too large")?;
        ensure(
            Shape::known(self.ctx, &f.params, &f.results).as_ref() == Some(&f.shape),
            "the shape is not that of the signature",
        )?;
        ensure(
            f.origins.len() == f.code.len(),
            "not every op has an origin",
        )?;
        ensure(
            matches!(f.code.first(), Some(Op::Charge { .. })),
            "the code does not start with a charge",
        )?;
        ensure(
            f.code.last().is_some_and(Op::leaves),
            "execution runs off the end of the code",
        )?;
        for (at, op) in f.code.iter().enumerate() {
            self.op(at, op).map_err(|broken| broken.at(at))?;
        }
        self.blocks()
    }

    /// Blocks partition the bytecode; the charges are theirs, in their order.
    fn blocks(&self) -> Check {
        let f = self.function;
        if f.is_native {
            return ensure(
                f.blocks.is_empty() && f.costs.is_empty(),
                "a native function has blocks",
            );
        }
        let mut blocks = f.blocks.iter();
        let mut current: Option<&super::code::Block> = None;
        for (at, (op, origin)) in f.code.iter().zip(&f.origins).enumerate() {
            let result = if let Op::Charge { instructions, gas } = *op {
                let end = current.map_or(0, |block| block.end);
                current = blocks.next();
                self.charge(current, end, instructions, gas)
            } else {
                Ok(())
            };
            let inside = current.is_some_and(|b| (b.start..b.end).contains(origin));
            result
                .and(ensure(inside, "the origin is outside the block"))
                .map_err(|broken| broken.at(at))?;
        }
        ensure(blocks.next().is_none(), "a block has no charge")?;
        ensure(
            current.map(|block| usize::from(block.end)) == Some(f.costs.len()),
            "the blocks are not the whole bytecode",
        )
    }

    fn charge(
        &self,
        block: Option<&super::code::Block>,
        previous_end: u16,
        instructions: u32,
        gas: u64,
    ) -> Check {
        let block = block.ok_or_else(|| broken("a charge without a block"))?;
        ensure(
            block.start == previous_end && block.start < block.end,
            "the blocks do not follow each other",
        )?;
        let costs = self
            .function
            .costs
            .get(usize::from(block.start)..usize::from(block.end));
        let costs = costs.ok_or_else(|| broken("the block is outside the bytecode"))?;
        let sum = costs.iter().fold(0u64, |sum, c| sum.saturating_add(*c));
        ensure(
            sum == gas && costs.len() == instructions as usize,
            "the charge is not the cost of the block",
        )
    }

    /// The operands of an op, and what follows it: the interpreter takes the charge of a block as a part of the jump, also of one that
    /// is not taken.
    fn op(&self, at: usize, op: &Op) -> Check {
        let (mut result, mut jumps) = (Ok(()), op.leaves());
        op.operands(&mut |name, operand| {
            jumps |= matches!(operand, Operand::Target(_));
            if result.is_ok() {
                result = self.operand(at, operand).map_err(|broken| broken.of(name));
            }
        });
        result?;
        let next = self.function.code.get(at + 1);
        ensure(
            !jumps || next.is_none_or(|op| matches!(op, Op::Charge { .. })),
            "what follows is not a charge",
        )
    }

    fn operand(&self, at: usize, operand: Operand) -> Check {
        let f = self.function;
        let indexed = |index: usize, len: usize| ensure(index < len, "there is no such entry");
        match operand {
            Operand::Write(slot, width) | Operand::Read(slot, width) => {
                self.slot(slot, self.bytes(width)?)
            }
            Operand::Address(slot) => ensure(slot <= f.frame, "the slot is outside the frame"),
            Operand::Immediate(value, bytes) => ensure(
                bytes >= 8 || value >> (8 * bytes) == 0,
                "the number is too large for its type",
            ),
            Operand::Offset(_)
            | Operand::Size(_)
            | Operand::Tag(_)
            | Operand::Integer(_)
            | Operand::Mutable(_)
            | Operand::Cost { .. } => Ok(()),
            Operand::Target(target) => {
                let index = target_index(at, target).and_then(|index| f.code.get(index));
                ensure(
                    matches!(index, Some(Op::Charge { .. })),
                    "the target is not a charge",
                )
            }
            Operand::Callee(target) => {
                let target = self.code.get(target);
                let key = target
                    .ok_or_else(|| broken("there is no such function"))?
                    .key;
                let (params, results) = (
                    self.ctx.types.list(key.params),
                    self.ctx.types.list(key.results),
                );
                let shape = Shape::known(self.ctx, &params, &results)
                    .ok_or_else(|| broken("a type of the callee has no layout"))?;
                ensure(
                    shape.bytes <= f.extent - f.frame,
                    "the callee's parameters and results exceed the extent",
                )
            }
            Operand::Step(offset) => ensure(
                f.steps.is_some() && f.origins.get(at) == Some(&offset),
                "the step is that of another instruction",
            ),
            Operand::Frame(frame) => self.callee_frame(frame),
            Operand::Height(height) => self.height(height),
            Operand::Native(native) => {
                ensure(NativeId::exists(native), "there is no such native function")
            }
            Operand::Closure(kind) => match self.ctx.closures.at(kind) {
                Ok(_) => Ok(()),
                Err(_) => Err(broken("there is no such kind of function value")),
            },
            Operand::Layout(layout) => self.layout_size(layout).map(|_| ()),
            Operand::Element(layout, size) => self.sized(layout, size),
            Operand::Pool(start, size) => ensure(
                u64::from(start) + u64::from(size) <= f.pool.len() as u64,
                "the bytes are outside the pool",
            ),
            Operand::Constant(index) => indexed(index as usize, f.constants.len()),
            Operand::Failure(index) => indexed(index as usize, f.failures.len()),
            Operand::Shadow(index) => indexed(index as usize, f.shadow.len()),
            Operand::Comparison(index) => indexed(usize::from(index), f.comparisons.len()),
            Operand::VariantFields(index) => indexed(index as usize, f.variant_fields.len()),
            Operand::Packed(index) | Operand::Unpacked(index) => self.operand_list(index),
            Operand::Captured(index, kind) => self.captured(index, kind),
            Operand::PackedFields(index, layout, tag)
            | Operand::UnpackedFields(index, layout, tag) => {
                self.variant_fields(index, layout, tag)
            }
            Operand::ClosureCall(index) => self.closure_call(index),
        }
    }

    /// `bytes` at `slot` must lie in the frame, or in the area behind it.
    fn slot(&self, slot: Slot, bytes: u32) -> Check {
        let f = self.function;
        let end = slot.checked_add(bytes);
        let inside = end.is_some_and(|end| end <= f.frame || (slot >= f.frame && end <= f.extent));
        ensure(inside, "the operand is outside the frame")
    }

    fn callee_frame(&self, frame: u32) -> Check {
        ensure(
            frame == self.function.frame,
            "the callee's frame does not start at the end of this one",
        )
    }

    fn height(&self, height: u32) -> Check {
        ensure(
            height <= self.function.max_height,
            "more operands than the function ever has",
        )
    }

    fn bytes(&self, width: Width) -> Check<u32> {
        let f = self.function;
        match width {
            Width::Bytes(bytes) => Ok(bytes),
            Width::Value(layout) => self.layout_size(layout),
            Width::Constant(index) => {
                let constant = f.constants.get(index as usize);
                let constant = constant.ok_or_else(|| broken("there is no such constant"))?;
                self.layout_size(constant.layout)
            }
            Width::Compared(index) => {
                let how = f.comparisons.get(usize::from(index));
                let how = how.ok_or_else(|| broken("there is no such comparison"))?;
                let size = self.layout_size(how.layout)?;
                Ok(if how.by_reference {
                    REFERENCE_BYTES
                } else {
                    size
                })
            }
        }
    }

    fn layout_size(&self, layout: LayoutId) -> Check<u32> {
        let found = self.ctx.known_layout(layout);
        Ok(found.ok_or_else(|| broken("there is no such layout"))?.size)
    }

    fn sized(&self, layout: LayoutId, size: u32) -> Check {
        ensure(
            self.layout_size(layout)? == size,
            "the size is not that of the layout",
        )
    }

    fn operand_list(&self, index: u32) -> Check {
        let list = self.function.operand_lists.get(index as usize);
        let list = list.ok_or_else(|| broken("there is no such operand list"))?;
        self.sized(list.element, list.size)?;
        list.slots
            .iter()
            .try_for_each(|&slot| self.slot(slot, list.size))
    }

    fn captured(&self, index: u32, kind: crate::context::closure::ClosureId) -> Check {
        let Ok(kind) = self.ctx.closures.at(kind) else {
            return Err(broken("there is no such kind of function value"));
        };
        self.slot_list(index, &kind.captured)
    }

    /// The fields of a variant of an enum that is an object.
    fn variant_fields(&self, index: u32, layout: LayoutId, tag: u16) -> Check {
        let found = self.ctx.known_layout(layout);
        let fields = match found.map(|layout| &layout.kind) {
            Some(Kind::Enum(variants)) if variants.is_boxed() => variants.of(tag),
            _ => None,
        };
        self.slot_list(
            index,
            fields.ok_or_else(|| broken("there is no such variant"))?,
        )
    }

    /// A list with a slot for each of `fields`.
    fn slot_list(&self, index: u32, fields: &[Field]) -> Check {
        let slots = self.function.slot_lists.get(index as usize);
        let slots = slots.ok_or_else(|| broken("there is no such slot list"))?;
        ensure(slots.len() == fields.len(), "not as many slots as values")?;
        let mut pairs = slots.iter().zip(fields);
        pairs.try_for_each(|(&slot, field)| self.slot(slot, self.layout_size(field.layout)?))
    }

    fn closure_call(&self, index: u32) -> Check {
        let call = self.function.closure_calls.get(index as usize);
        let call = call.ok_or_else(|| broken("there is no such closure call"))?;
        self.callee_frame(call.frame)?;
        self.height(call.height)?;
        call.arguments
            .iter()
            .try_for_each(|&(slot, size)| self.slot(slot, size))
    }
}

/// Index of the op that a jump at `at` goes to.
pub(super) fn target_index(at: usize, target: u32) -> Option<usize> {
    (at + 1).checked_add_signed(target as i32 as isize)
}

/// Whether one op alone passes.
#[cfg(test)]
pub(super) fn passes(ctx: &Context, code: &Code, function: &Lowered, at: usize) -> bool {
    let checker = Checker {
        ctx,
        code,
        function,
    };
    checker.op(at, &function.code[at]).is_ok()
}
