//! What is alive at an instruction, as Move defines it: the roots of a collection in one frame.
//!
//! Alive are the locals that are certainly initialised there and the operands that wait, whatever form of lowered code runs: so what a
//! collection keeps, and with it the allocation at which the heap runs out, depends on the bytecode alone. One exception keeps the
//! forms free to produce a value where it will be stored: a local whose next mention in its basic block is a store is not alive any more.
//!
//! A function is analysed when it is first met by a collection.

use super::code::Lowered;
use super::destack::Temp;
use super::mono::{Inst, Mono};
use super::plan::{Plan, Where};
use crate::context::Context;
use crate::context::ids::{LayoutId, TypeId};
use crate::interp::op::Slot;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// Roots kept for all positions together, before they are forgotten and made anew when they are needed.
const MAX_CACHED_ROOTS: usize = 1 << 20;

/// A set of locals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Locals([u64; 4]);

impl Locals {
    fn has(&self, local: u8) -> bool {
        self.0[usize::from(local >> 6)] & 1 << (local & 63) != 0
    }

    fn add(&mut self, local: u8) {
        self.0[usize::from(local >> 6)] |= 1 << (local & 63);
    }

    fn remove(&mut self, local: u8) {
        self.0[usize::from(local >> 6)] &= !(1 << (local & 63));
    }

    fn both(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] & other.0[i]))
    }

    /// What is initialised after an instruction.
    fn after(&mut self, inst: &Inst) {
        match inst {
            Inst::StLoc(local) => self.add(*local),
            Inst::MoveLoc(local) => self.remove(*local),
            _ => {}
        }
    }
}

/// The local that an instruction reads, moves or borrows.
fn reads(inst: &Inst) -> Option<u8> {
    match inst {
        Inst::CopyLoc { local, .. } | Inst::MoveLoc(local) | Inst::BorrowLoc(local) => Some(*local),
        _ => None,
    }
}

/// Where execution stands in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// Code offset of the instruction that executes.
    pub(crate) offset: u16,
    /// Whether it is a call whose callee runs: it has its arguments.
    pub(crate) calling: bool,
}

/// A value behind a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Referent {
    /// Behind the reference in `slot`, moved by `offset`.
    Behind {
        slot: Slot,
        offset: u32,
        layout: Option<LayoutId>,
    },
    /// In the frame itself.
    Here { slot: Slot, layout: LayoutId },
}

/// The roots in one frame.
#[derive(Debug, Default)]
pub(crate) struct Roots {
    /// Slots that hold values with pointers, in order.
    pub(crate) values: Vec<(Slot, LayoutId)>,
    /// Slots that hold references, in order.
    pub(crate) references: Vec<Slot>,
    /// What references refer to.
    pub(crate) referents: Vec<Referent>,
}

impl Roots {
    /// Adds what lies in a slot.
    pub(crate) fn add(&mut self, ctx: &Context, slot: Slot, ty: TypeId) {
        let layout = ctx.layout_if_made(ty.referent());
        if ty.is_reference() {
            self.add_reference(slot, 0, layout);
        } else if let Some(layout) = layout.filter(|&id| !ctx.layout(id).plain) {
            self.values.push((slot, layout));
        }
    }

    fn add_reference(&mut self, slot: Slot, offset: u32, layout: Option<LayoutId>) {
        self.references.push(slot);
        self.referents.push(Referent::Behind {
            slot,
            offset,
            layout,
        });
    }

    /// Each slot once: folded operands lie in the slots of others.
    pub(crate) fn finish(mut self) -> Self {
        self.values.sort_unstable_by_key(|&(slot, _)| slot);
        self.values.dedup_by_key(|&mut (slot, _)| slot);
        self.references.sort_unstable();
        self.references.dedup();
        self
    }

    fn len(&self) -> usize {
        self.values.len() + self.references.len() + self.referents.len()
    }
}

/// An analysed function.
#[derive(Debug)]
pub(crate) struct Live {
    mono: Mono,
    plan: Plan,
    /// Locals that are certainly initialised where each block begins.
    entry: Vec<Locals>,
    /// Whether some instruction reads a local that is not certainly initialised there: verified code never does.
    irregular: bool,
}

impl Live {
    /// Analyses a function as it was lowered; `None` if this is not how `lowered` was made.
    pub(super) fn new(mono: Mono, plan: Plan, lowered: &Lowered) -> Option<Self> {
        if (plan.frame, plan.extent) != (lowered.frame, lowered.extent) {
            return None;
        }
        let entry = initialised(&mono);
        let mut this = Self {
            irregular: false,
            entry: entry.iter().map(|e| e.unwrap_or_default()).collect(),
            mono,
            plan,
        };
        let blocks = this.mono.stackless.blocks.iter().zip(entry);
        this.irregular = blocks
            .filter_map(|(b, e)| Some((b, e?)))
            .any(|(b, mut at)| {
                this.insts(b.clone()).iter().any(|inst| {
                    let missing = reads(inst).is_some_and(|local| !at.has(local));
                    at.after(inst);
                    missing
                })
            });
        Some(this)
    }

    /// Whether what its frames hold has to be asked of the shadow machine.
    pub(crate) fn is_irregular(&self) -> bool {
        self.irregular
    }

    fn insts(&self, range: Range<u16>) -> &[Inst] {
        let range = usize::from(range.start)..usize::from(range.end);
        self.mono.insts.get(range).unwrap_or_default()
    }

    /// The roots at a position. `holds` says of locals that are not certainly initialised whether they are.
    pub(crate) fn roots(
        &self,
        ctx: &Context,
        position: Position,
        holds: &dyn Fn(u8) -> bool,
    ) -> Roots {
        let offset = position.offset;
        let blocks = &self.mono.stackless.blocks;
        let index = blocks.partition_point(|b| b.end <= offset);
        let mut roots = Roots::default();
        let (Some(block), Some(&entry)) = (blocks.get(index), self.entry.get(index)) else {
            return roots;
        };
        self.locals(ctx, block, entry, offset, holds, &mut roots);
        let mut stack: Vec<Temp> = Vec::new();
        for at in block.start..=offset {
            let stackless = &self.mono.stackless;
            let taken = stackless.sources(at).len();
            if at == offset {
                let kept = if position.calling { taken } else { 0 };
                stack.truncate(stack.len().saturating_sub(kept));
                break;
            }
            stack.truncate(stack.len().saturating_sub(taken));
            stack.extend(stackless.results(at));
        }
        for temp in stack {
            self.operand(ctx, temp, &mut roots);
        }
        roots.finish()
    }

    fn locals(
        &self,
        ctx: &Context,
        block: &Range<u16>,
        mut alive: Locals,
        offset: u16,
        holds: &dyn Fn(u8) -> bool,
        roots: &mut Roots,
    ) {
        for inst in self.insts(block.start..offset) {
            alive.after(inst);
        }
        if self.irregular {
            let count = self.mono.locals.len().min(256);
            (0..count)
                .map(|local| local as u8)
                .filter(|&local| holds(local))
                .for_each(|local| alive.add(local));
        }
        let mut mentioned = Locals::default();
        for inst in self.insts(offset..block.end) {
            if let Some(local) = reads(inst) {
                mentioned.add(local);
            } else if let Inst::StLoc(local) = *inst
                && !mentioned.has(local)
            {
                mentioned.add(local);
                alive.remove(local);
            }
        }
        for (local, (&slot, &ty)) in (0u8..=255).zip(self.plan.locals.iter().zip(&self.mono.locals))
        {
            if alive.has(local) {
                roots.add(ctx, slot, ty);
            }
        }
    }

    fn operand(&self, ctx: &Context, temp: Temp, roots: &mut Roots) {
        let (Some(&place), Some(&Some(ty))) = (
            self.plan.temps.get(temp as usize),
            self.mono.temps.get(temp as usize),
        ) else {
            return;
        };
        let slot = |place| match place {
            Where::Slot(slot) => Some(slot),
            Where::Out(offset) => Some(self.plan.frame + offset),
            _ => None,
        };
        match place {
            Where::Nowhere | Where::Immediate(_) => {}
            Where::Slot(_) | Where::Out(_) => {
                if let Some(slot) = slot(place) {
                    roots.add(ctx, slot, ty);
                }
            }
            Where::AddressOf(slot) => {
                if let Some(layout) = ctx.layout_if_made(ty.referent()) {
                    roots.referents.push(Referent::Here { slot, layout });
                }
            }
            Where::RefPlus { base, offset } => {
                let base = self.plan.temps.get(base as usize).copied();
                if let Some(slot) = base.and_then(slot) {
                    roots.add_reference(slot, offset, ctx.layout_if_made(ty.referent()));
                }
            }
            // Its instruction has not been executed: what it will take is still there.
            Where::Fused => {
                let def = self.mono.stackless.temps.get(temp as usize).map(|t| t.def);
                let sources = def.map_or(&[][..], |def| self.mono.stackless.sources(def));
                for &source in sources.iter().filter(|&&source| source != temp) {
                    self.operand(ctx, source, roots);
                }
            }
        }
    }
}

/// The locals that are certainly initialised where each block begins; `None` for blocks that are not reached.
fn initialised(mono: &Mono) -> Vec<Option<Locals>> {
    let blocks = &mono.stackless.blocks;
    let mut entry = vec![None; blocks.len()];
    let mut params = Locals::default();
    (0u8..=255)
        .zip(&mono.params)
        .for_each(|(local, _)| params.add(local));
    if let Some(first) = entry.first_mut() {
        *first = Some(params);
    }
    let mut work = vec![0];
    while let Some(index) = work.pop() {
        let (Some(block), Some(&Some(mut at))) = (blocks.get(index), entry.get(index)) else {
            continue;
        };
        let insts = &mono.insts[usize::from(block.start)..usize::from(block.end)];
        let mut next: [Option<u16>; 2] = [Some(block.end), None];
        for inst in insts {
            at.after(inst);
            match *inst {
                Inst::Branch(target) => next = [Some(target), None],
                Inst::BranchIf { target, .. } => next[1] = Some(target),
                Inst::Ret | Inst::Abort | Inst::AbortMessage | Inst::Fail(_) => next = [None, None],
                _ => {}
            }
            if next == [None, None] {
                break;
            }
        }
        for start in next.into_iter().flatten() {
            let successor = blocks.partition_point(|b| b.start < start);
            let Some(known) = entry.get_mut(successor) else {
                continue;
            };
            let joined = known.map_or(at, |known: Locals| known.both(&at));
            if *known != Some(joined) {
                *known = Some(joined);
                work.push(successor);
            }
        }
    }
    entry
}

/// Analysed functions and the roots at positions in them.
#[derive(Debug, Default)]
pub(crate) struct LiveCache {
    functions: BTreeMap<u32, Rc<Live>>,
    roots: BTreeMap<(u32, Position), Rc<Roots>>,
    cached: usize,
}

impl LiveCache {
    pub(crate) fn function(&self, instance: u32) -> Option<Rc<Live>> {
        self.functions.get(&instance).cloned()
    }

    pub(crate) fn add_function(&mut self, instance: u32, live: Rc<Live>) {
        self.functions.insert(instance, live);
    }

    pub(crate) fn roots(&self, instance: u32, position: Position) -> Option<Rc<Roots>> {
        self.roots.get(&(instance, position)).cloned()
    }

    pub(crate) fn add_roots(&mut self, instance: u32, position: Position, roots: &Rc<Roots>) {
        self.cached += roots.len() + 1;
        if self.cached > MAX_CACHED_ROOTS {
            self.roots.clear();
            self.cached = roots.len() + 1;
        }
        self.roots.insert((instance, position), roots.clone());
    }
}
