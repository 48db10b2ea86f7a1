//! Bytecode to stackless form, once per function: the operand stack becomes temporaries.
//!
//! In verified code the stack is empty at block boundaries, so this is block-local and needs no phis: every temporary is pushed once
//! and popped once, inside one block. The form is polymorphic; instruction `i` is the bytecode at code offset `i`.

use crate::stop::{Run, Stop};
use monomove_format::{Bytecode, CodeUnit, CompiledModule};
use monomove_types::StatusCode;
use std::ops::Range;

/// Values one instruction may push: more never fit the operand stack.
const MAX_PUSHES: usize = 1024;
/// Operands of all instructions of a function together.
const MAX_OPERANDS: usize = 1 << 21;

/// A value that was on the operand stack: index into [`Stackless::temps`].
pub(crate) type Temp = u32;

/// Where a temporary is pushed and popped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TempInfo {
    /// Code offset of the instruction that pushes it.
    pub(crate) def: u16,
    /// Code offset of the instruction that pops it.
    pub(crate) used: u16,
}

/// Operands of one instruction: ranges of [`Stackless::operands`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Operands {
    start: u32,
    sources: u16,
    results: u16,
    /// Operands on the stack before the instruction.
    height: u16,
}

/// A function without its operand stack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stackless {
    /// Basic blocks in code order.
    pub(crate) blocks: Vec<Range<u16>>,
    instructions: Vec<Operands>,
    operands: Vec<Temp>,
    pub(crate) temps: Vec<TempInfo>,
    /// Most operands on the stack at once.
    pub(crate) max_height: u16,
}

impl Stackless {
    /// Destacks function definition `index`, which has code.
    pub(crate) fn new(module: &CompiledModule, index: u16) -> Run<Self> {
        let def = &module.function_defs[usize::from(index)];
        let Some(unit) = &def.code else {
            return Err(Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR));
        };
        let handle = &module.function_handles[usize::from(def.function.0)];
        let results = module.signatures[usize::from(handle.return_.0)].0.len();
        let mut this = Self {
            blocks: blocks(unit)?,
            instructions: Vec::with_capacity(unit.code.len()),
            operands: Vec::new(),
            temps: Vec::new(),
            max_height: 0,
        };
        for block in this.blocks.clone() {
            this.block(module, unit, block, results)?;
        }
        Ok(this)
    }

    fn block(
        &mut self,
        module: &CompiledModule,
        unit: &CodeUnit,
        block: Range<u16>,
        results: usize,
    ) -> Run<()> {
        let mut stack: Vec<Temp> = Vec::new();
        for offset in block {
            let op = &unit.code[usize::from(offset)];
            // More than there is room for is refused below.
            let effect = module.stack_effect(op, results);
            let [pops, pushes] = [effect.pops, effect.pushes]
                .map(|count| usize::try_from(count).unwrap_or(usize::MAX));
            let start = self.operands.len() as u32;
            let height = stack.len();
            let Some(below) = height.checked_sub(pops) else {
                return Err(Stop::status(StatusCode::NEGATIVE_STACK_SIZE_WITHIN_BLOCK));
            };
            if pushes > MAX_PUSHES || self.operands.len() > MAX_OPERANDS {
                return Err(Stop::status(StatusCode::VALUE_STACK_PUSH_OVERFLOW));
            }
            for temp in stack.drain(below..) {
                if let Some(info) = self.temps.get_mut(temp as usize) {
                    info.used = offset;
                }
                self.operands.push(temp);
            }
            for _ in 0..pushes {
                let temp = self.temps.len() as Temp;
                self.temps.push(TempInfo {
                    def: offset,
                    used: offset,
                });
                self.operands.push(temp);
                stack.push(temp);
            }
            let (Ok(sources), Ok(results), Ok(height), Ok(after)) = (
                u16::try_from(pops),
                u16::try_from(pushes),
                u16::try_from(height),
                u16::try_from(stack.len()),
            ) else {
                return Err(Stop::status(StatusCode::VALUE_STACK_PUSH_OVERFLOW));
            };
            self.max_height = self.max_height.max(after).max(height);
            self.instructions.push(Operands {
                start,
                sources,
                results,
                height,
            });
        }
        if stack.is_empty() {
            Ok(())
        } else {
            Err(Stop::status(StatusCode::POSITIVE_STACK_SIZE_AT_BLOCK_END))
        }
    }

    /// Temporaries that the instruction at `offset` pops, the deepest first.
    pub(crate) fn sources(&self, offset: u16) -> &[Temp] {
        let o = self.instructions[usize::from(offset)];
        &self.operands[o.start as usize..o.start as usize + usize::from(o.sources)]
    }

    /// Temporaries that the instruction at `offset` pushes.
    pub(crate) fn results(&self, offset: u16) -> &[Temp] {
        let o = self.instructions[usize::from(offset)];
        let start = o.start as usize + usize::from(o.sources);
        &self.operands[start..start + usize::from(o.results)]
    }

    /// Operands on the stack before the instruction at `offset`.
    pub(crate) fn height(&self, offset: u16) -> u16 {
        self.instructions[usize::from(offset)].height
    }
}

/// Basic blocks in code order.
fn blocks(unit: &CodeUnit) -> Run<Vec<Range<u16>>> {
    let len = u16::try_from(unit.code.len())
        .map_err(|_| Stop::status(StatusCode::INDEX_OUT_OF_BOUNDS))?;
    let mut leader = vec![false; unit.code.len() + 1];
    let mut mark = |offset: usize| {
        if let Some(flag) = leader.get_mut(offset) {
            *flag = true;
        }
    };
    mark(0);
    for (offset, op) in unit.code.iter().enumerate() {
        match op {
            Bytecode::BrTrue(target) | Bytecode::BrFalse(target) | Bytecode::Branch(target) => {
                mark(usize::from(*target));
                mark(offset + 1);
            }
            Bytecode::Ret | Bytecode::Abort | Bytecode::AbortMsg => mark(offset + 1),
            _ => {}
        }
    }
    match unit.code.last() {
        None => return Err(Stop::status(StatusCode::EMPTY_CODE_UNIT)),
        Some(Bytecode::Branch(_) | Bytecode::Ret | Bytecode::Abort | Bytecode::AbortMsg) => {}
        Some(_) => return Err(Stop::status(StatusCode::INVALID_FALL_THROUGH)),
    }
    let mut blocks = Vec::new();
    let mut start = 0;
    for offset in 1..=len {
        if offset == len || leader[usize::from(offset)] {
            blocks.push(start..offset);
            start = offset;
        }
    }
    Ok(blocks)
}
