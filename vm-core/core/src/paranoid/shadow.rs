//! The shadow of a running transaction: steps executed.

use super::step::{Place, ShadowStep};
use super::{Base, Guard, Origin, Tag, dangling, failed, values, variant_changed};
use crate::context::Context;
use crate::context::ids::{LayoutId, TypeId};
use crate::context::layout::Kind;
use crate::interp::Interpreter;
use crate::lower::code::Lowered;
use crate::memory::{Addr, Memory};
use crate::stop::Run;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A local: what it holds, if anything, and how often it lost what it held.
#[derive(Debug, Default)]
struct Local {
    tag: Option<Tag>,
    generation: u32,
}

/// An activation of a function.
#[derive(Debug)]
struct Activation {
    serial: u64,
    locals: Vec<Local>,
}

/// A native that is running: what its arguments are, and their bits if they are references.
#[derive(Debug)]
struct Native {
    arguments: Vec<(Tag, u64)>,
}

/// The shadow machine. Empty outside paranoid mode.
#[derive(Debug, Default)]
pub(crate) struct Shadow {
    stack: Vec<Tag>,
    activations: Vec<Activation>,
    /// Arguments of a call whose function has not started.
    pending: Option<Vec<Tag>>,
    native: Option<Native>,
    started: bool,
    serial: u64,
    /// How often each object lost elements or its value; 0 for those that are not here.
    generations: BTreeMap<Addr, u32>,
}

impl Shadow {
    fn generation(&self, object: Addr) -> u32 {
        self.generations.get(&object).copied().unwrap_or(0)
    }

    /// References into `object` are not valid any more.
    fn retire(&mut self, object: Addr) {
        if object != 0 {
            let generation = self.generations.entry(object).or_default();
            *generation = generation.wrapping_add(1);
        }
    }

    /// Whether a local of the frame at `depth` holds something.
    pub(crate) fn holds(&self, depth: usize, local: u8) -> bool {
        let locals = self.activations.get(depth).map(|a| &a.locals);
        let local = locals.and_then(|locals| locals.get(usize::from(local)));
        local.is_some_and(|local| local.tag.is_some())
    }

    /// While a collection runs that has found everything: what is known about objects follows them.
    pub(crate) fn relocate(&mut self, memory: &Memory) {
        if !self.started {
            return;
        }
        let generations = std::mem::take(&mut self.generations);
        let moved = generations
            .into_iter()
            .filter_map(|(object, generation)| Some((memory.moved(object)?, generation)));
        self.generations = moved.collect();
        let locals = self.activations.iter_mut().flat_map(|a| &mut a.locals);
        let tags = locals
            .filter_map(|local| local.tag.as_mut())
            .chain(&mut self.stack)
            .chain(self.pending.iter_mut().flatten());
        tags.for_each(|tag| tag.relocate(memory));
        for (tag, bits) in self.native.iter_mut().flat_map(|n| &mut n.arguments) {
            tag.relocate(memory);
            if let Some(to) = memory.moved(*bits as Addr).filter(|_| *bits != 0) {
                *bits = *bits >> 32 << 32 | u64::from(to);
            }
        }
    }

    fn object(&self, address: Addr) -> Tag {
        let base = if address == 0 {
            Base::Nothing
        } else {
            Base::Object {
                address,
                generation: self.generation(address),
            }
        };
        Tag::Reference(Origin { base, guard: None })
    }

    fn pop(&mut self) -> Run<Tag> {
        self.stack
            .pop()
            .ok_or_else(|| failed("the operand stack is empty"))
    }

    fn pop_many(&mut self, count: u16) -> Run<Vec<Tag>> {
        let below = self.stack.len().checked_sub(usize::from(count));
        let below = below.ok_or_else(|| failed("the operand stack is empty"))?;
        Ok(self.stack.split_off(below))
    }

    /// Takes operands and leaves values.
    fn replace(&mut self, pops: u16, pushes: u16) -> Run<()> {
        self.pop_many(pops)?;
        self.stack.extend((0..pushes).map(|_| Tag::Value));
        Ok(())
    }

    fn local(&mut self, local: u8) -> Run<&mut Local> {
        self.activations
            .last_mut()
            .and_then(|a| a.locals.get_mut(usize::from(local)))
            .ok_or_else(|| failed("there is no such local"))
    }

    fn set_local(&mut self, local: u8, tag: Option<Tag>) -> Run<Option<Tag>> {
        let local = self.local(local)?;
        local.generation = local.generation.wrapping_add(1);
        Ok(std::mem::replace(&mut local.tag, tag))
    }

    fn available(&mut self, local: u8) -> Run<&mut Local> {
        match self.local(local)? {
            Local { tag: None, .. } => Err(failed("a local is used that holds nothing")),
            local => Ok(local),
        }
    }

    /// The operand `below` the top.
    fn peek(&self, below: usize) -> Run<&Tag> {
        self.stack
            .len()
            .checked_sub(below + 1)
            .and_then(|i| self.stack.get(i))
            .ok_or_else(|| failed("the operand stack is empty"))
    }

    /// The address that a reference with these bits and this tag refers to: it must be valid for so many bytes.
    fn follow(&self, memory: &Memory, tag: &Tag, bits: u64, size: u32) -> Run<Addr> {
        let Tag::Reference(origin) = tag else {
            return Err(failed("an operand is not a reference"));
        };
        let at = (bits & u64::from(u32::MAX)) + (bits >> 32);
        let end = at + u64::from(size);
        let (start, limit) = match origin.base {
            Base::Local {
                depth,
                serial,
                local,
                generation,
                start,
                size,
            } => {
                let alive = self.activations.get(depth).is_some_and(|a| {
                    let same = |l: &Local| l.generation == generation && l.tag.is_some();
                    a.serial == serial && a.locals.get(usize::from(local)).is_some_and(same)
                });
                if !alive {
                    return Err(dangling("a reference to a local that is gone is used"));
                }
                (u64::from(start), u64::from(start) + u64::from(size))
            }
            Base::Object {
                address,
                generation,
            } => {
                if self.generation(address) != generation {
                    return Err(dangling("a reference to a value that is gone is used"));
                }
                let size = memory
                    .object_size(address)
                    .ok_or_else(|| failed("a reference does not refer to an object"))?;
                (u64::from(address), u64::from(address) + u64::from(size))
            }
            Base::Gone => return Err(dangling("a reference to a value that is gone is used")),
            Base::Nothing if size == 0 => return Ok(at as Addr),
            Base::Nothing => return Err(failed("a reference to nothing is used")),
        };
        if at < start || end > limit {
            return Err(failed(
                "a reference points out of what it was borrowed from",
            ));
        }
        let mut guard = origin.guard.as_ref();
        while let Some(enclosing) = guard {
            if memory.get::<u16>(enclosing.at) != enclosing.variant {
                return Err(variant_changed());
            }
            guard = enclosing.outer.as_ref();
        }
        Ok(at as Addr)
    }
}

/// The parts of the machine that steps read besides the shadow.
struct Scene<'a> {
    ctx: &'a Context,
    memory: &'a Memory,
    fp: Addr,
}

impl Scene<'_> {
    /// Follows the reference operand `below` the top.
    fn referent(&self, shadow: &Shadow, below: usize, place: Place) -> Run<Addr> {
        let bits = self.memory.get(self.fp + place.slot);
        let size = self.ctx.layout(place.referent).size;
        shadow.follow(self.memory, shadow.peek(below)?, bits, size)
    }

    /// The same; what it refers to is walked.
    fn walked(&self, shadow: &Shadow, below: usize, place: Place) -> Run<()> {
        let at = self.referent(shadow, below, place)?;
        values::check(self.ctx, self.memory, at, place.referent)
    }

    /// The object of the enum at `at`.
    fn object_of_enum(&self, at: Addr, layout: LayoutId) -> Run<Addr> {
        match &self.ctx.layout(layout).kind {
            Kind::Enum(variants) if variants.is_boxed() => {
                Ok(values::boxed(self.memory, at, layout, variants)?.at)
            }
            _ => Err(failed("an operand is not an enum")),
        }
    }

    /// Where the elements are of the vector that the reference operand `below` the top refers to.
    fn storage(
        &self,
        shadow: &Shadow,
        below: usize,
        vector: Place,
        element: LayoutId,
    ) -> Run<Addr> {
        let at = self.referent(shadow, below, vector)?;
        Ok(values::header(self.ctx, self.memory, at, element)?.storage)
    }
}

impl Interpreter<'_> {
    /// One step of the shadow of the running function.
    #[cold]
    #[inline(never)]
    pub(crate) fn shadow_step(&mut self, fp: Addr, step: u32) -> Run<()> {
        let function = self.code.instance(self.instance).clone();
        self.retire_removed();
        let step = function
            .shadow
            .get(step as usize)
            .ok_or_else(|| failed("there is no such step"))?;
        match step {
            ShadowStep::NativeCall => return self.native_call(fp, &function),
            ShadowStep::NativeReturn => return self.native_return(fp, &function),
            _ => {}
        }
        if !self.shadow.started || self.shadow.pending.is_some() {
            self.activate(fp, &function)?;
        }
        let scene = Scene {
            ctx: self.ctx,
            memory: self.memory,
            fp,
        };
        execute(&mut self.shadow, &scene, step)
    }

    /// References into global values that were taken out are not valid any more.
    pub(crate) fn retire_removed(&mut self) {
        for object in self.globals.take_removed() {
            self.shadow.retire(object);
        }
    }

    /// The arguments of the function that starts.
    fn arguments(&mut self, fp: Addr, function: &Lowered) -> Run<Vec<Tag>> {
        let shadow = &mut self.shadow;
        let arguments = if std::mem::replace(&mut shadow.started, true) {
            shadow
                .pending
                .take()
                .ok_or_else(|| failed("a function starts that was not called"))?
        } else {
            // The entry: a reference parameter refers to an object of its own.
            let params = function.params.iter().zip(&function.shape.params);
            params
                .map(|(ty, slot)| match ty.is_reference() {
                    true => shadow.object(self.memory.get::<u64>(fp + slot) as Addr),
                    false => Tag::Value,
                })
                .collect()
        };
        if arguments.len() == function.params.len() {
            Ok(arguments)
        } else {
            Err(failed(
                "a function is called with another number of arguments",
            ))
        }
    }

    fn activate(&mut self, fp: Addr, function: &Lowered) -> Run<()> {
        let arguments = self.arguments(fp, function)?;
        let mut locals: Vec<Local> = arguments
            .into_iter()
            .map(|tag| Local {
                tag: Some(tag),
                generation: 0,
            })
            .collect();
        locals.resize_with(function.locals as usize, Local::default);
        self.shadow.serial += 1;
        self.shadow.activations.push(Activation {
            serial: self.shadow.serial,
            locals,
        });
        Ok(())
    }

    /// Before a native runs: its references are valid, what it may walk is well formed, nothing that it changes overlaps.
    fn native_call(&mut self, fp: Addr, function: &Rc<Lowered>) -> Run<()> {
        let tags = self.arguments(fp, function)?;
        // These look at headers only, however large the elements.
        let (_, module) = self.ctx.module_parts(function.module);
        let shallow = matches!(module, "vector" | "mem");
        let mut ranges: Vec<(u64, u64, bool)> = Vec::new();
        let mut arguments = Vec::with_capacity(tags.len());
        for ((tag, &ty), slot) in tags
            .into_iter()
            .zip(&function.params)
            .zip(&function.shape.params)
        {
            let (layout, element) = self.native_layout(ty)?;
            let (mut at, mut bits) = (fp + slot, 0);
            if ty.is_reference() {
                bits = self.memory.get(at);
                let size = self.ctx.layout(layout).size;
                at = self.shadow.follow(self.memory, &tag, bits, size)?;
                let range = (u64::from(at), u64::from(at) + u64::from(size));
                let mutable = ty.is_mutable_reference();
                let overlaps = ranges.iter().any(|&(start, end, other)| {
                    (mutable || other) && start < range.1 && range.0 < end
                });
                if overlaps {
                    return Err(dangling("a native is given the same value twice to change"));
                }
                ranges.push((range.0, range.1, mutable));
            }
            if let Some(element) = element {
                let storage = values::header(self.ctx, self.memory, at, element)?.storage;
                if ty.is_mutable_reference() {
                    self.shadow.retire(storage);
                }
            }
            if !shallow {
                values::check(self.ctx, self.memory, at, layout)?;
            }
            arguments.push((tag, bits));
        }
        self.shadow.native = Some(Native { arguments });
        Ok(())
    }

    /// The layout of a native's parameter or its referent, and that of its elements if it is a vector.
    fn native_layout(&mut self, ty: TypeId) -> Run<(LayoutId, Option<LayoutId>)> {
        let layout = self.ctx.layout_id(self.view, ty.referent())?;
        Ok((layout, values::element_of(self.ctx, layout)))
    }

    /// After a native: a reference it returns is one that it got, or starts at an object.
    fn native_return(&mut self, fp: Addr, function: &Lowered) -> Run<()> {
        let native = self.shadow.native.take();
        let native = native.ok_or_else(|| failed("a native returns that was not called"))?;
        for (ty, slot) in function.results.iter().zip(&function.shape.results) {
            let tag = if ty.is_reference() {
                let bits = self.memory.get::<u64>(fp + slot);
                let same = native
                    .arguments
                    .iter()
                    .find(|(tag, other)| matches!(tag, Tag::Reference(_)) && *other == bits);
                match same {
                    Some((tag, _)) => tag.clone(),
                    None => self.shadow.object(bits as Addr),
                }
            } else {
                Tag::Value
            };
            self.shadow.stack.push(tag);
        }
        Ok(())
    }
}

fn execute(shadow: &mut Shadow, scene: &Scene<'_>, step: &ShadowStep) -> Run<()> {
    match *step {
        ShadowStep::Values { pops, pushes } => shadow.replace(pops, pushes),
        ShadowStep::CopyLocal { local, walk } => {
            let tag = shadow.available(local)?.tag.clone().unwrap_or(Tag::Value);
            shadow.stack.push(tag);
            match walk {
                Some((slot, layout)) => {
                    values::check(scene.ctx, scene.memory, scene.fp + slot, layout)
                }
                None => Ok(()),
            }
        }
        ShadowStep::MoveLocal { local } => {
            shadow.available(local)?;
            let tag = shadow.set_local(local, None)?;
            shadow.stack.extend(tag);
            Ok(())
        }
        ShadowStep::StoreLocal { local, droppable } => {
            let tag = shadow.pop()?;
            match shadow.set_local(local, Some(tag))? {
                Some(_) if !droppable => Err(failed(
                    "a local is stored to that holds a value without drop",
                )),
                _ => Ok(()),
            }
        }
        ShadowStep::BorrowLocal { local, slot, size } => {
            let generation = shadow.available(local)?.generation;
            let base = Base::Local {
                depth: shadow.activations.len() - 1,
                serial: shadow.activations.last().map_or(0, |a| a.serial),
                local,
                generation,
                start: scene.fp + slot,
                size,
            };
            shadow
                .stack
                .push(Tag::Reference(Origin { base, guard: None }));
            Ok(())
        }
        ShadowStep::BorrowField(place) => scene.referent(shadow, 0, place).map(|_| ()),
        ShadowStep::BorrowVariant(place) => {
            let at = scene.referent(shadow, 0, place)?;
            let variant = scene.memory.get(at);
            if let Some(Tag::Reference(origin)) = shadow.stack.last_mut() {
                let outer = origin.guard.take();
                origin.guard = Some(Rc::new(Guard { at, variant, outer }));
            }
            Ok(())
        }
        ShadowStep::Read { from, walk } => {
            if walk {
                scene.walked(shadow, 0, from)?;
            } else {
                scene.referent(shadow, 0, from)?;
            }
            shadow.replace(1, 1)
        }
        ShadowStep::Write(place) => {
            scene.referent(shadow, 0, place)?;
            shadow.replace(2, 0)
        }
        ShadowStep::EqualReferents(a, b) => {
            scene.walked(shadow, 1, a)?;
            scene.walked(shadow, 0, b)?;
            shadow.replace(2, 1)
        }
        ShadowStep::EqualValues { a, b, layout } => {
            for slot in [a, b] {
                values::check(scene.ctx, scene.memory, scene.fp + slot, layout)?;
            }
            shadow.replace(2, 1)
        }
        ShadowStep::Message { slot, layout } => {
            values::check(scene.ctx, scene.memory, scene.fp + slot, layout)?;
            shadow.replace(2, 0)
        }
        ShadowStep::Call { arguments } => {
            shadow.pending = Some(shadow.pop_many(arguments)?);
            Ok(())
        }
        ShadowStep::CallClosure { closure, arguments } => {
            let (_, kind) = values::function(scene.ctx, scene.memory, scene.fp + closure)?;
            shadow.pop()?;
            let mut supplied = shadow.pop_many(arguments)?.into_iter();
            let total = usize::from(arguments) + kind.mask.count_ones() as usize;
            let captured = |i: usize| i < 64 && kind.mask & (1 << i) != 0;
            let all = (0..total).map(|i| match captured(i) {
                true => Some(Tag::Value),
                false => supplied.next(),
            });
            shadow.pending = Some(all.flatten().collect());
            Ok(())
        }
        ShadowStep::TestVariant(place) => {
            scene.referent(shadow, 0, place)?;
            shadow.replace(1, 1)
        }
        ShadowStep::BorrowBoxed(place) => {
            let at = scene.referent(shadow, 0, place)?;
            let object = scene.object_of_enum(at, place.referent)?;
            shadow.pop()?;
            let tag = shadow.object(object);
            shadow.stack.push(tag);
            Ok(())
        }
        ShadowStep::TestBoxed(place) => {
            let at = scene.referent(shadow, 0, place)?;
            scene.object_of_enum(at, place.referent)?;
            shadow.replace(1, 1)
        }
        ShadowStep::UnpackBoxed {
            slot,
            layout,
            pushes,
        } => {
            let object = scene.object_of_enum(scene.fp + slot, layout)?;
            shadow.retire(object);
            shadow.replace(1, pushes)
        }
        ShadowStep::VecUnpack {
            slot,
            element,
            pushes,
        } => {
            let at = scene.fp + slot;
            let storage = values::header(scene.ctx, scene.memory, at, element)?.storage;
            shadow.retire(storage);
            shadow.replace(1, pushes)
        }
        ShadowStep::VecLen { vector, element } => {
            scene.storage(shadow, 0, vector, element)?;
            shadow.replace(1, 1)
        }
        ShadowStep::VecBorrow { vector, element } => {
            let storage = scene.storage(shadow, 1, vector, element)?;
            shadow.pop_many(2)?;
            let tag = shadow.object(storage);
            shadow.stack.push(tag);
            Ok(())
        }
        ShadowStep::VecChange {
            vector,
            element,
            pops,
            pushes,
        } => {
            let below = usize::from(pops).saturating_sub(1);
            let storage = scene.storage(shadow, below, vector, element)?;
            shadow.retire(storage);
            shadow.replace(pops, pushes)
        }
        ShadowStep::MoveTo(signer) => {
            scene.referent(shadow, 1, signer)?;
            shadow.replace(2, 0)
        }
        ShadowStep::Borrowed { slot } => {
            shadow.pop()?;
            let tag = shadow.object(scene.memory.get::<u64>(scene.fp + slot) as Addr);
            shadow.stack.push(tag);
            Ok(())
        }
        ShadowStep::Return {
            results,
            ref droppable,
        } => leave(shadow, results, droppable),
        ShadowStep::NativeCall | ShadowStep::NativeReturn => {
            Err(failed("a step of a native is out of place"))
        }
    }
}

/// Leaves the running activation. Its results stay on the operand stack.
fn leave(shadow: &mut Shadow, results: u16, droppable: &[bool]) -> Run<()> {
    let activation = shadow.activations.pop();
    let activation = activation.ok_or_else(|| failed("a function returns that was not called"))?;
    let kept = activation.locals.iter().zip(droppable);
    if kept
        .into_iter()
        .any(|(local, droppable)| local.tag.is_some() && !droppable)
    {
        return Err(failed(
            "a function leaves a local that holds a value without drop",
        ));
    }
    for below in 0..usize::from(results) {
        if let Tag::Reference(Origin {
            base: Base::Local { serial, .. },
            ..
        }) = shadow.peek(below)?
            && *serial == activation.serial
        {
            return Err(dangling(
                "a function returns a reference to a local of its own",
            ));
        }
    }
    Ok(())
}
