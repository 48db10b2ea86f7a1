//! The frame of a lowered function, part by part, with a name for each slot.

use super::code::Lowered;
use super::listing::type_text;
use super::mono::Mono;
use super::plan::{Plan, Where};
use crate::context::Context;
use crate::context::ids::TypeId;
use crate::interp::op::Slot;
use std::fmt::{self, Write};

/// A part of the frame.
#[derive(Debug)]
struct Part {
    start: Slot,
    end: Slot,
    name: String,
    /// `None` for slots that values of several types take in turn.
    ty: Option<TypeId>,
}

/// The parts of a frame, by where they start. What lies behind the frame belongs to callees.
#[derive(Debug)]
pub(super) struct FrameMap {
    parts: Vec<Part>,
    frame: Slot,
    extent: Slot,
}

impl FrameMap {
    /// The frame of a function with code. Results are `r0`, parameters `p0`, other locals `l1`, temporaries `t0`.
    pub(super) fn new(ctx: &Context, function: &Lowered, mono: &Mono, plan: &Plan) -> Self {
        let mut parts = results(ctx, function);
        for (i, (&start, &ty)) in plan.locals.iter().zip(&mono.locals).enumerate() {
            let kind = if i < function.params.len() { 'p' } else { 'l' };
            parts.push(typed(ctx, start, format!("{kind}{i}"), ty));
        }
        if plan.temps_start > plan.enum_object {
            parts.push(Part {
                start: plan.enum_object,
                end: plan.temps_start,
                name: "object".to_owned(),
                ty: None,
            });
        }
        let end = parts.iter().map(|p| p.end).max().unwrap_or(0);
        for (n, (start, end)) in (0..).zip(temporaries(plan, end)) {
            parts.push(Part {
                start,
                end,
                name: format!("t{n}"),
                ty: None,
            });
        }
        Self::of(function, parts)
    }

    /// The frame of a native function.
    pub(super) fn of_native(ctx: &Context, function: &Lowered) -> Self {
        let mut parts = results(ctx, function);
        let (slots, types) = (&function.shape.params, &function.params);
        for (i, (&start, &ty)) in slots.iter().zip(types).enumerate() {
            parts.push(typed(ctx, start, format!("p{i}"), ty));
        }
        Self::of(function, parts)
    }

    fn of(function: &Lowered, mut parts: Vec<Part>) -> Self {
        parts.sort_by_key(|p| p.start);
        Self {
            parts,
            frame: function.frame,
            extent: function.extent,
        }
    }

    /// The name of a slot: that of its part, and how far into it the slot lies.
    pub(super) fn name(&self, slot: Slot) -> String {
        if slot >= self.frame {
            return format!("out+{}", slot - self.frame);
        }
        let index = self.parts.partition_point(|p| p.start <= slot);
        match index.checked_sub(1).and_then(|i| self.parts.get(i)) {
            Some(part) if part.start == slot => part.name.clone(),
            Some(part) => format!("{}+{}", part.name, slot - part.start),
            None => format!("+{slot}"),
        }
    }

    /// One line a part.
    pub(super) fn write(&self, out: &mut String, ctx: &Context) -> fmt::Result {
        for part in &self.parts {
            write!(
                out,
                "    [{:>4}, {:>4}) {}",
                part.start, part.end, part.name
            )?;
            match part.ty {
                Some(ty) => writeln!(out, ": {}", type_text(ctx, ty))?,
                None => writeln!(out)?,
            }
        }
        if self.extent > self.frame {
            writeln!(out, "    [{:>4}, {:>4}) out", self.frame, self.extent)?;
        }
        Ok(())
    }
}

/// A part that holds values of one type, whose layout is made: lowering needed it.
fn typed(ctx: &Context, start: Slot, name: String, ty: TypeId) -> Part {
    let size = ctx.known_slot(ty).map_or(0, |(size, _)| size);
    Part {
        start,
        end: start + size,
        name,
        ty: Some(ty),
    }
}

fn results(ctx: &Context, function: &Lowered) -> Vec<Part> {
    let (slots, types) = (&function.shape.results, &function.results);
    let numbered = slots.iter().zip(types).enumerate();
    numbered
        .map(|(i, (&start, &ty))| typed(ctx, start, format!("r{i}"), ty))
        .collect()
}

/// The ranges of the frame that temporaries take, those inside others left out.
fn temporaries(plan: &Plan, from: Slot) -> Vec<(Slot, Slot)> {
    let places = plan.temps.iter().zip(&plan.temp_sizes);
    let mut ranges = places
        .filter_map(|(place, &size)| match *place {
            Where::Slot(slot) if slot >= from => Some((slot, slot + size)),
            _ => None,
        })
        .collect::<Vec<_>>();
    ranges.sort_by_key(|&(start, end)| (start, u32::MAX - end));
    let mut outer: Vec<(Slot, Slot)> = Vec::new();
    for (start, end) in ranges {
        match outer.last_mut() {
            Some(last) if start < last.1 || start == last.0 => last.1 = last.1.max(end),
            _ => outer.push((start, end)),
        }
    }
    outer
}
