//! What each bytecode instruction of a traced function may write, and what lies on the operand stack before it.

use super::mono::{Inst, Mono};
use super::plan::{Plan, Where, looks_into_object};
use crate::context::ids::TypeId;
use crate::context::layout::REFERENCE_BYTES;
use crate::interp::op::Slot;

/// A place in the frame and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) slot: Slot,
    pub(crate) size: u32,
    pub(crate) ty: TypeId,
}

/// What an instruction writes besides places of its frame and fresh objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    /// `size` bytes behind the reference in this slot.
    Referent {
        reference: Slot,
        size: u32,
    },
    /// Appends to the vector behind the reference in this slot.
    Push {
        vector: Slot,
        size: u32,
    },
    /// Takes the last element of the vector behind the reference in this slot.
    Pop {
        vector: Slot,
    },
    Swap {
        vector: Slot,
        i: Slot,
        j: Slot,
        size: u32,
    },
}

#[derive(Clone, Copy, Debug)]
struct Step {
    /// End of the operands before the instruction in [`Steps::operands`].
    operands_end: u32,
    /// End of the places it writes in [`Steps::writes`].
    writes_end: u32,
    effect: Effect,
    /// Static cost from this instruction to the end of its block.
    cost: u64,
    /// Code offset of the end of its block.
    block_end: u16,
}

/// The instructions of a traced function, by code offset.
#[derive(Clone, Debug)]
pub(crate) struct Steps {
    steps: Box<[Step]>,
    operands: Box<[Place]>,
    writes: Box<[(Slot, u32)]>,
    /// All locals, parameters first.
    pub(crate) locals: Box<[Place]>,
}

impl Steps {
    pub(super) fn new(mono: &Mono, plan: &Plan) -> Self {
        let locals = (0..mono.locals.len()).map(|i| Place {
            slot: plan.locals[i],
            size: plan.local_sizes[i],
            ty: mono.locals[i],
        });
        let mut this = Maker {
            mono,
            plan,
            steps: Vec::with_capacity(mono.insts.len()),
            operands: Vec::new(),
            writes: Vec::new(),
        };
        for block in &mono.stackless.blocks {
            let mut stack = Vec::new();
            for offset in block.clone() {
                this.step(offset, block.end, &mut stack);
            }
            let range = usize::from(block.start)..usize::from(block.end);
            let mut cost = 0u64;
            for step in this.steps[range].iter_mut().rev() {
                cost = cost.saturating_add(step.cost);
                step.cost = cost;
            }
        }
        Self {
            steps: this.steps.into(),
            operands: this.operands.into(),
            writes: this.writes.into(),
            locals: locals.collect(),
        }
    }

    /// Number of instructions.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The operand stack before the instruction at `offset`, the deepest first.
    pub(crate) fn operands(&self, offset: u16) -> &[Place] {
        let at = usize::from(offset);
        let start = at
            .checked_sub(1)
            .map_or(0, |before| self.steps[before].operands_end);
        &self.operands[start as usize..self.steps[at].operands_end as usize]
    }

    /// Slots and sizes that the instruction at `offset` writes in its own frame.
    #[inline]
    pub(crate) fn writes(&self, offset: u16) -> &[(Slot, u32)] {
        let at = usize::from(offset);
        let start = at
            .checked_sub(1)
            .map_or(0, |before| self.steps[before].writes_end);
        &self.writes[start as usize..self.steps[at].writes_end as usize]
    }

    #[inline]
    pub(crate) fn effect(&self, offset: u16) -> Effect {
        self.steps[usize::from(offset)].effect
    }

    /// Static cost from the instruction at `offset` to the end of its block.
    #[inline]
    pub(crate) fn cost_from(&self, offset: u16) -> u64 {
        self.steps[usize::from(offset)].cost
    }

    /// Static cost of what comes after the instruction at `offset` in its block.
    #[inline]
    pub(crate) fn cost_after(&self, offset: u16) -> u64 {
        let step = &self.steps[usize::from(offset)];
        match self.steps.get(usize::from(offset) + 1) {
            Some(next) if offset + 1 < step.block_end => next.cost,
            _ => 0,
        }
    }
}

struct Maker<'a> {
    mono: &'a Mono,
    plan: &'a Plan,
    steps: Vec<Step>,
    operands: Vec<Place>,
    writes: Vec<(Slot, u32)>,
}

impl Maker<'_> {
    /// Where a temporary is; those that no live instruction defines are nowhere.
    fn place(&self, temp: u32) -> Option<Place> {
        match (
            self.plan.temps[temp as usize],
            self.mono.temps[temp as usize],
        ) {
            (Where::Slot(slot), Some(ty)) => Some(Place {
                slot,
                size: self.plan.temp_sizes[temp as usize],
                ty,
            }),
            _ => None,
        }
    }

    fn step(&mut self, offset: u16, block_end: u16, stack: &mut Vec<u32>) {
        let stackless = &self.mono.stackless;
        let (sources, results) = (stackless.sources(offset), stackless.results(offset));
        let before = stack.iter().filter_map(|&temp| self.place(temp));
        let before = before.collect::<Vec<_>>();
        self.operands.extend(before);
        stack.truncate(stack.len().saturating_sub(sources.len()));
        stack.extend(results);
        let inst = &self.mono.insts[usize::from(offset)];
        if !matches!(inst, Inst::Freeze) {
            let results = results.iter().filter_map(|&temp| self.place(temp));
            let results = results.map(|p| (p.slot, p.size)).collect::<Vec<_>>();
            self.writes.extend(results);
        }
        if looks_into_object(inst) {
            self.writes.push((self.plan.enum_object, REFERENCE_BYTES));
        }
        match inst {
            Inst::StLoc(local) => {
                let local = usize::from(*local);
                self.writes
                    .push((self.plan.locals[local], self.plan.local_sizes[local]));
            }
            Inst::Ret => {
                let slots = self.plan.shape.results.iter().zip(sources);
                let sizes = slots.map(|(&slot, &t)| (slot, self.plan.temp_sizes[t as usize]));
                self.writes.extend(sizes);
            }
            _ => {}
        }
        self.steps.push(Step {
            operands_end: self.operands.len() as u32,
            writes_end: self.writes.len() as u32,
            effect: self.effect(inst, sources),
            cost: self.mono.costs[usize::from(offset)],
            block_end,
        });
    }

    fn effect(&self, inst: &Inst, sources: &[u32]) -> Effect {
        let slot = |n: usize| {
            sources
                .get(n)
                .and_then(|&temp| self.place(temp))
                .map(|place| place.slot)
        };
        let effect = || {
            Some(match *inst {
                Inst::WriteRef { size } => Effect::Referent {
                    reference: slot(1)?,
                    size,
                },
                Inst::VecPush { size, .. } => Effect::Push {
                    vector: slot(0)?,
                    size,
                },
                Inst::VecPop { .. } => Effect::Pop { vector: slot(0)? },
                Inst::VecSwap { size } => Effect::Swap {
                    vector: slot(0)?,
                    i: slot(1)?,
                    j: slot(2)?,
                    size,
                },
                _ => return None,
            })
        };
        effect().unwrap_or(Effect::None)
    }
}
