//! Collection of the transaction's heap: what is alive is copied, everything that points to it is set to the new places.
//!
//! A *safepoint* is a request for room ([`Interpreter::reserve`]): each operation that allocates asks once, for all it needs, before it
//! changes anything, and looks its addresses up afterwards. So the roots are what Move sees between two instructions, and nothing else:
//! locals and operands of each frame ([`Live`](crate::lower::live::Live)), the parameters of a running native, global values, and the
//! objects behind the reference parameters of the entry function.
//!
//! Ownership decides what is alive. References keep nothing alive that is owned: they are set when all owners are known. Only a
//! reference whose owner is not certainly initialised any more (a conditional move on a path not taken) has its referent kept by itself
//! ([`Orphans`]).

mod survivors;

use crate::context::ids::InstanceId;
use crate::interp::Interpreter;
use crate::lower;
use crate::lower::live::{Live, Position, Referent, Roots};
use crate::memory::Addr;
use crate::memory::code::{CodeRef, Pc};
use crate::stop::{Run, Stop};
use monomove_types::StatusCode;
use std::rc::Rc;
use survivors::Survivors;

/// The heap is not what the layouts say: the machine is wrong.
#[cold]
fn broken() -> Stop {
    Stop::with_message(
        StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR,
        "a collection found no object where there should be one",
    )
}

impl Interpreter<'_> {
    /// Makes sure that objects of `cost` bytes in all can be allocated. Afterwards no address of a heap object that was known before holds.
    #[inline(always)]
    pub(crate) fn reserve(&mut self, cost: u64) -> Run<()> {
        if cost == 0 || self.memory.has_room(cost) {
            return Ok(());
        }
        self.make_room(cost)
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, cost: u64) -> Run<()> {
        if cost > u64::from(self.memory.heap_limit()) {
            return Err(crate::memory::OutOfHeap.into());
        }
        self.collect()?;
        Ok(self.memory.settle(cost)?)
    }

    fn collect(&mut self) -> Run<()> {
        let frames = self.frame_roots()?;
        self.retire_removed();
        let mut survivors = Survivors::new(self.ctx, self.memory, !self.traced);
        for (fp, roots) in &frames {
            for &(slot, layout) in &roots.values {
                survivors.value(fp + slot, layout)?;
            }
        }
        for (object, layout) in self.globals.objects_mut() {
            *object = survivors.object(*object, layout)?;
        }
        for (object, layout) in &mut self.arguments {
            *object = survivors.object(*object, *layout)?;
        }
        for (fp, roots) in &frames {
            for referent in &roots.referents {
                match *referent {
                    Referent::Behind {
                        slot,
                        offset,
                        layout,
                    } => survivors.referent(fp + slot, offset, layout)?,
                    Referent::Here { slot, layout } => survivors.borrowed(fp + slot, layout)?,
                }
            }
        }
        for (fp, roots) in &frames {
            for &slot in &roots.references {
                survivors.reference(fp + slot)?;
            }
        }
        self.shadow.relocate(self.memory);
        self.memory.finish_collection();
        if self.traced {
            self.memory.clean();
        }
        Ok(())
    }

    /// The frames of the call stack, outermost first, with their roots.
    fn frame_roots(&mut self) -> Run<Vec<(Addr, Rc<Roots>)>> {
        let mut frames = Vec::with_capacity(self.frames.len() + 1);
        if !self.running {
            return Ok(frames);
        }
        for depth in 0..self.frames.len() {
            let (instance, pc, fp) = self.frames[depth].place();
            frames.push((fp, self.roots_at(depth, instance, pc, true)?));
        }
        let top = self.roots_at(self.frames.len(), self.instance, self.pc, false)?;
        frames.push((self.fp, top));
        Ok(frames)
    }

    /// The roots of a frame whose next op is at `pc`: the one before is executing.
    fn roots_at(
        &mut self,
        depth: usize,
        instance: InstanceId,
        pc: Pc,
        calling: bool,
    ) -> Run<Rc<Roots>> {
        let lowered = self.code.instance(instance).clone();
        let op = pc.index_in(CodeRef::new(&lowered.code)).saturating_sub(1);
        let position = Position {
            offset: lowered.origins.get(op).copied().unwrap_or(0),
            calling,
        };
        if let Some(roots) = self.code.live.roots(instance.0, position) {
            return Ok(roots);
        }
        let roots = if lowered.is_native {
            let mut roots = Roots::default();
            for (&ty, &slot) in lowered.params.iter().zip(&lowered.shape.params) {
                roots.add(self.ctx, slot, ty);
            }
            Rc::new(roots.finish())
        } else {
            let live = self.live(instance)?;
            let shadow = &self.shadow;
            let holds = |local| shadow.holds(depth, local);
            let roots = Rc::new(live.roots(self.ctx, position, &holds));
            if live.is_irregular() {
                return Ok(roots);
            }
            roots
        };
        self.code.live.add_roots(instance.0, position, &roots);
        Ok(roots)
    }

    /// The analysis of a function with code, made once.
    fn live(&mut self, instance: InstanceId) -> Run<Rc<Live>> {
        if let Some(live) = self.code.live.function(instance.0) {
            return Ok(live);
        }
        let lowered = self.code.instance(instance).clone();
        let module = self.ctx.module(self.view, lowered.module)?;
        let live = lower::live(
            self.ctx,
            self.view,
            self.code,
            self.schedule,
            &module,
            &lowered,
        )?;
        let live = Rc::new(live.ok_or_else(broken)?);
        self.code.live.add_function(instance.0, live.clone());
        Ok(live)
    }
}
