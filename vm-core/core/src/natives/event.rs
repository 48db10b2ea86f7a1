//! Module events.

use super::NativeCall;
use crate::Event;
use crate::interp::Interpreter;
use crate::stop::{Run, Stop};
use crate::value::{Packing, abstract_size, bcs};
use monomove_types::StatusCode;

/// Appends an event. Its type must be a struct of the module that called `event::emit`.
pub(super) fn write_module_event_to_store(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let ty = call.ty_arg(0)?;
    let layout = run.layout_of(ty)?;
    let message = call.param(0)?;
    let units = abstract_size(run.ctx, run.memory, message, layout, Packing::All)?;
    let per_unit = run
        .schedule
        .event_write_to_event_store_per_abstract_memory_unit;
    run.charge(
        run.schedule
            .event_write_to_event_store_base
            .saturating_add(per_unit.saturating_mul(units)),
    )?;
    let emitter = run
        .callers_caller()
        .map(|function| function.module)
        .ok_or_else(|| {
            Stop::with_message(
                StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR,
                "events are emitted by modules",
            )
        })?;
    if run.ctx.defining_module(ty) != Some(emitter) {
        return Err(Stop::with_message(
            StatusCode::INTERNAL_TYPE_ERROR,
            "an event's type must be a struct of the module that emits it",
        ));
    }
    let event = Event {
        ty: match run.ctx.resource_tag(ty) {
            Ok(known) => known.tag.clone().into(),
            // It nests too deeply for a state key, but not for an event.
            Err(_) => run.ctx.tag(ty)?,
        },
        data: bcs::to_bytes(run.ctx, run.memory, message, layout)?,
    };
    run.weigh_effect(event.data.len(), [ty])?;
    run.effects.events.push(event);
    Ok(())
}
