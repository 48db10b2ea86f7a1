//! Lowering: bytecode → stackless form (once per function) → mono form (once per type arguments) → micro-ops.

pub(crate) mod check;
pub(crate) mod closure;
pub(crate) mod code;
pub(crate) mod destack;
mod emit;
mod frame_map;
mod fuse;
pub(crate) mod listing;
pub(crate) mod live;
pub(crate) mod mono;
mod plan;
mod select;
pub(crate) mod steps;
#[cfg(test)]
mod tests;

use crate::StateView;
use crate::access;
use crate::context::Context;
use crate::context::ids::TypeId;
use crate::context::module::Module;
use crate::gas::GasSchedule;
use crate::natives;
use crate::stop::{Run, Stop};
use code::{Code, Lowered};
use monomove_types::StatusCode;
use std::rc::Rc;

/// What a function is lowered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// Speed.
    Fast,
    /// Running where the operand stack might overflow: its height is checked at every push that reaches a new height in its block.
    Checked,
    /// Tracing: nothing is folded or fused, every temporary has a slot, each bytecode instruction begins with a step; the operand
    /// stack height is checked as well.
    Traced,
}

impl Form {
    /// Whether ops that check the operand stack height are emitted.
    pub(crate) fn checks_height(self) -> bool {
        self != Self::Fast
    }

    /// Whether instructions may be executed as a part of others, and temporaries live in the places of others.
    pub(crate) fn folds(self) -> bool {
        self != Self::Traced
    }
}

/// The parts of the machine that lowering reads and extends.
pub(crate) struct Source<'a> {
    pub(crate) ctx: &'a mut Context,
    pub(crate) view: &'a mut dyn StateView,
    pub(crate) code: &'a mut Code,
    pub(crate) gas: &'a GasSchedule,
}

/// Lowers function definition `index` of `module`, whether it has code or is native.
pub(crate) fn function(
    source: Source<'_>,
    module: &Rc<Module>,
    index: u16,
    ty_args: &[TypeId],
    form: Form,
) -> Run<Lowered> {
    let Source {
        ctx,
        view,
        code,
        gas,
    } = source;
    let (def, handle) = module.function(index);
    if handle.type_parameters.len() != ty_args.len() {
        return Err(Stop::status(StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH));
    }
    if ctx.paranoid {
        ctx.check_constraints(view, ty_args, &handle.type_parameters)?;
    }
    if def.code.is_some() {
        lower(ctx, view, code, gas, module, index, ty_args, form)
    } else {
        natives::lower(ctx, view, code, module, index, ty_args)
    }
}

/// Lowers function definition `index` of `module` under `ty_args`.
#[allow(
    clippy::too_many_arguments,
    reason = "the parts of the machine that lowering reads and extends"
)]
fn lower(
    ctx: &mut Context,
    view: &mut dyn StateView,
    code: &mut Code,
    gas: &GasSchedule,
    module: &Rc<Module>,
    index: u16,
    ty_args: &[TypeId],
    form: Form,
) -> Run<Lowered> {
    Ok(lower_stages(ctx, view, code, gas, module, index, ty_args, form)?.lowered)
}

/// What is alive at the instructions of a lowered function; `None` if it cannot be lowered the same way again.
pub(crate) fn live(
    ctx: &mut Context,
    view: &mut dyn StateView,
    code: &mut Code,
    gas: &GasSchedule,
    module: &Rc<Module>,
    lowered: &Lowered,
) -> Run<Option<live::Live>> {
    let (index, ty_args) = (lowered.function_index, &lowered.ty_args);
    let mono = mono::monomorphize(ctx, view, code, gas, module, index, ty_args)?;
    let plan = plan::plan(ctx, view, &mono, lowered.form)?;
    Ok(live::Live::new(mono, plan, lowered))
}

/// A function on its way to micro-ops.
struct Stages {
    mono: mono::Mono,
    plan: plan::Plan,
    lowered: Lowered,
}

/// Lowers as [`lower`] does, and keeps what it was made from.
#[allow(
    clippy::too_many_arguments,
    reason = "the parts of the machine that lowering reads and extends"
)]
fn lower_stages(
    ctx: &mut Context,
    view: &mut dyn StateView,
    code: &mut Code,
    gas: &GasSchedule,
    module: &Rc<Module>,
    index: u16,
    ty_args: &[TypeId],
    form: Form,
) -> Run<Stages> {
    let mono = mono::monomorphize(ctx, view, code, gas, module, index, ty_args)?;
    let plan = plan::plan(ctx, view, &mono, form)?;
    let specifiers = module.function(index).1.access_specifiers.as_deref();
    let access = specifiers
        .map(|s| access::resolve(ctx, module, s, ty_args, &mono.params, &plan.shape.params))
        .transpose()?;
    let lowered = Lowered {
        access,
        ..emit::emit(ctx, module, index, ty_args, &mono, &plan)?
    };
    check::check(ctx, code, &lowered)?;
    Ok(Stages {
        mono,
        plan,
        lowered,
    })
}
