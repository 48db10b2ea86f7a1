//! Finding what is alive, and setting what points to it.

use super::broken;
use crate::context::Context;
use crate::context::ids::LayoutId;
use crate::context::layout::{Field, Kind};
use crate::memory::{Addr, Memory};
use crate::stop::Run;
use crate::value::{VectorHeader, live_variant, variant_at};
use std::collections::BTreeSet;

/// Values whose owner is not known to be alive, though a reference to them is.
#[derive(Debug, Default)]
struct Orphans {
    /// Objects that were copied because of a reference: not all that they hold was looked at.
    partly: BTreeSet<Addr>,
    /// Places of pointers that were set since there are orphans: several references may lead to one place.
    set: BTreeSet<Addr>,
}

/// What to look at, where it is until the collection ends: elements with their layout and number, what an object holds.
#[derive(Clone, Copy, Debug)]
enum Work {
    Elements(Addr, LayoutId, u32),
    Captured(Addr),
    /// The fields of the live variant of a boxed enum.
    Variant(Addr, LayoutId),
}

/// A collection under way.
pub(super) struct Survivors<'a> {
    ctx: &'a Context,
    memory: &'a mut Memory,
    work: Vec<Work>,
    /// Ranges of the frame stack that were looked at, in order.
    ranges: Vec<(Addr, Addr)>,
    orphans: Option<Orphans>,
}

impl<'a> Survivors<'a> {
    pub(super) fn new(ctx: &'a Context, memory: &'a mut Memory, shift: bool) -> Self {
        memory.begin_collection(shift);
        Self {
            ctx,
            memory,
            work: Vec::new(),
            ranges: Vec::new(),
            orphans: None,
        }
    }

    /// A value in a frame. Frames come outermost first, their slots in order.
    pub(super) fn value(&mut self, at: Addr, layout: LayoutId) -> Run<()> {
        self.ranges.push((at, at + self.ctx.layout(layout).size));
        self.scan(at, layout)?;
        self.finish()
    }

    /// An object that holds a value; returns where it goes.
    pub(super) fn object(&mut self, object: Addr, layout: LayoutId) -> Run<Addr> {
        let moved = self.memory.evacuate(object).ok_or_else(broken)?;
        if let Some(copy) = moved.fresh {
            self.scan(copy, layout)?;
            self.finish()?;
        }
        Ok(moved.to)
    }

    /// What the reference at `at`, moved by `offset`, refers to. All owners must be known.
    pub(super) fn referent(&mut self, at: Addr, offset: u32, layout: Option<LayoutId>) -> Run<()> {
        let reference: u64 = self.memory.get(at);
        let (base, delta) = (reference as u32, (reference >> 32) as u32);
        let into = delta.wrapping_add(offset);
        if self.memory.is_stack(base) {
            return match layout {
                Some(layout) => self.borrowed(base.wrapping_add(into), layout),
                None => Ok(()),
            };
        }
        if !self.memory.is_heap(base) {
            return Ok(());
        }
        let moved = self.memory.evacuate(base).ok_or_else(broken)?;
        let orphans = self.orphans.as_ref();
        let is_partly = orphans.is_some_and(|o| o.partly.contains(&moved.to));
        if moved.fresh.is_none() && !is_partly {
            return Ok(());
        }
        let orphans = self.orphans.get_or_insert_default();
        orphans.partly.insert(moved.to);
        let Some(layout) = layout else { return Ok(()) };
        let copy = self.memory.copy_of(moved.to);
        let end = u64::from(into) + u64::from(self.ctx.layout(layout).size);
        if end > u64::from(self.memory.get::<u32>(copy - 4)) {
            return Err(broken());
        }
        self.scan(copy + into, layout)?;
        self.finish()
    }

    /// A value in a frame to which there is a reference.
    pub(super) fn borrowed(&mut self, at: Addr, layout: LayoutId) -> Run<()> {
        let layout_size = self.ctx.layout(layout).size;
        if self.ctx.layout(layout).plain || self.memory.bytes_within(at, layout_size).is_none() {
            return Ok(());
        }
        let next = self.ranges.partition_point(|&(start, _)| start <= at);
        let known = next.checked_sub(1).and_then(|i| self.ranges.get(i));
        if known.is_some_and(|&(_, end)| at < end) {
            return Ok(());
        }
        self.orphans.get_or_insert_default();
        self.scan(at, layout)?;
        self.finish()
    }

    /// Sets the reference at `at`, whose referent was looked at.
    pub(super) fn reference(&mut self, at: Addr) -> Run<()> {
        let base: Addr = self.memory.get(at);
        if self.memory.is_heap(base) {
            let to = self.memory.moved(base).ok_or_else(broken)?;
            self.memory.set(at, to);
        }
        Ok(())
    }

    fn finish(&mut self) -> Run<()> {
        while let Some(work) = self.work.pop() {
            match work {
                Work::Elements(at, layout, count) => {
                    let size = self.ctx.layout(layout).size;
                    for i in 0..count {
                        self.scan(at + i * size, layout)?;
                    }
                }
                Work::Variant(object, layout) => {
                    let ctx = self.ctx;
                    let Kind::Enum(variants) = &ctx.layout(layout).kind else {
                        return Err(broken());
                    };
                    let live = variant_at(self.memory, variants, object)?;
                    if variants.object_bytes(live.tag) > Some(self.memory.get(object - 4)) {
                        return Err(broken());
                    }
                    self.fields(object, live.fields)?;
                }
                Work::Captured(object) => {
                    let ctx = self.ctx;
                    let id = crate::context::closure::ClosureId(self.memory.get(object));
                    let kind = ctx.closures.at(id)?;
                    if kind.size > self.memory.get(object - 4) {
                        return Err(broken());
                    }
                    self.fields(object, &kind.captured)?;
                }
            }
        }
        Ok(())
    }

    /// Copies the objects that the value at `at` owns itself, and sets its pointers. What they hold becomes work. The recursion follows
    /// the nesting of types.
    fn scan(&mut self, at: Addr, id: LayoutId) -> Run<()> {
        let ctx = self.ctx;
        let layout = ctx.layout(id);
        if layout.plain {
            return Ok(());
        }
        match &layout.kind {
            Kind::Vector(element) => self.vector(at, *element),
            Kind::Struct(fields) => self.fields(at, fields),
            Kind::Enum(variants) if variants.is_boxed() => {
                let object = self.memory.get(at);
                if let Some(copy) = self.owned(at, object)? {
                    self.work.push(Work::Variant(copy, id));
                }
                Ok(())
            }
            Kind::Enum(variants) => {
                let live = live_variant(self.memory, variants, at)?;
                self.fields(live.at, live.fields)
            }
            Kind::Closure => {
                let object = self.memory.get(at);
                if let Some(copy) = self.owned(at, object)? {
                    self.work.push(Work::Captured(copy));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn fields(&mut self, at: Addr, fields: &[Field]) -> Run<()> {
        fields
            .iter()
            .try_for_each(|f| self.scan(at + f.offset, f.layout))
    }

    fn vector(&mut self, at: Addr, element: LayoutId) -> Run<()> {
        let header = VectorHeader::read(self.memory, at);
        if header.storage == 0 {
            return Ok(());
        }
        let Some(copy) = self.owned(at, header.storage)? else {
            return Ok(());
        };
        let inner = self.ctx.layout(element);
        if inner.plain || header.len == 0 {
            return Ok(());
        }
        let bytes = u64::from(header.len) * u64::from(inner.size);
        if bytes > u64::from(self.memory.get::<u32>(copy - 4)) {
            return Err(broken());
        }
        self.work.push(Work::Elements(copy, element, header.len));
        Ok(())
    }

    /// Sets the pointer at `at` to where its object goes. Returns where the object is until then, if what it holds has to be looked at.
    fn owned(&mut self, at: Addr, object: Addr) -> Run<Option<Addr>> {
        if let Some(orphans) = &mut self.orphans
            && !orphans.set.insert(at)
        {
            return Ok(None);
        }
        let moved = self.memory.evacuate(object).ok_or_else(broken)?;
        self.memory.set(at, moved.to);
        if moved.fresh.is_some() {
            return Ok(moved.fresh);
        }
        let partly = match &mut self.orphans {
            Some(orphans) => orphans.partly.remove(&moved.to),
            None => false,
        };
        Ok(partly.then(|| self.memory.copy_of(moved.to)))
    }
}
