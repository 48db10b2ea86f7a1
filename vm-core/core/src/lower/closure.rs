//! Kinds of function values: made when code that packs them is lowered, or when a stored one is decoded.

use super::code::{Code, TargetKey};
use crate::StateView;
use crate::context::Context;
use crate::context::closure::{CAPTURED_OFFSET, ClosureId, ClosureKind};
use crate::context::ids::{ModuleRef, NameId, TypeId, TypeListId};
use crate::context::layout::{Builder, MAX_VALUE_DEPTH, UNIT};
use crate::context::types::TypeNode;
use crate::stop::{Run, Stop};
use monomove_format::{FunctionAttribute, Visibility};
use monomove_types::{AbilitySet, StatusCode};

/// Parameters that a mask can name.
const MASK_BITS: usize = 64;

/// A function value before it has an id.
pub(crate) struct ClosureRequest<'a> {
    /// Module, name and type arguments of the function.
    pub(crate) function: (ModuleRef, NameId, TypeListId),
    pub(crate) params: &'a [TypeId],
    pub(crate) results: &'a [TypeId],
    /// Bit `i`: parameter `i` is captured.
    pub(crate) mask: u64,
    /// Whether the function must stay as it is over upgrades.
    pub(crate) persistent: bool,
    /// The module that names the function; `None` for stored values.
    pub(crate) caller: Option<ModuleRef>,
}

/// The kind of a function value.
pub(crate) fn kind(
    ctx: &mut Context,
    view: &mut dyn StateView,
    code: &mut Code,
    request: &ClosureRequest<'_>,
) -> Run<ClosureId> {
    let ClosureRequest {
        function: (module, name, ty_args),
        params,
        results,
        mask,
        persistent,
        caller,
    } = *request;
    if params.len() < MASK_BITS && mask >> params.len() != 0 {
        return Err(Stop::status(StatusCode::INVALID_CLOSURE_MASK));
    }
    let captures = |i: usize| i < MASK_BITS && mask & (1 << i) != 0;
    let mut object = Builder::new(CAPTURED_OFFSET, 0);
    let mut abilities = if persistent {
        AbilitySet::FUNCTIONS
    } else {
        AbilitySet::PRIVATE_FUNCTIONS
    };
    let mut supplied = Vec::new();
    for (i, &ty) in params.iter().enumerate() {
        if !captures(i) {
            supplied.push(ty);
            continue;
        }
        if ty.is_reference() {
            return Err(Stop::status(StatusCode::PACK_TYPE_MISMATCH_ERROR));
        }
        let layout = ctx.layout_id(view, ty)?;
        let too_large = || {
            Stop::with_message(
                StatusCode::TOO_MANY_TYPE_NODES,
                "the captured values are too large",
            )
        };
        object
            .push(layout, ctx.layout(layout))
            .ok_or_else(too_large)?;
        abilities = abilities.intersect(ctx.abilities(view, ty)?);
    }
    let types = &mut ctx.types;
    let (params, results) = (types.list_id(params)?, types.list_id(results)?);
    let args = types.list_id(&supplied)?;
    let value_type = types.compound(TypeNode::Function {
        args,
        results,
        abilities,
    })?;
    let target = code.target(TargetKey {
        module,
        name,
        ty_args,
        params,
        results,
        caller,
    })?;
    // Captured values are at depth 2.
    let plain_units = object.fields.iter().try_fold(UNIT, |sum, field| {
        let layout = ctx.layout(field.layout);
        let plain = layout.plain && layout.depth + 2 <= MAX_VALUE_DEPTH;
        Some(sum + layout.fixed_units.filter(|_| plain)?)
    });
    ctx.closures.add(ClosureKind {
        plain_units,
        target,
        module,
        name,
        ty_args,
        mask,
        captured: object.fields.into(),
        size: object.end.next_multiple_of(8),
        storable: persistent,
        value_type,
    })
}

/// The kind of a stored function value: the function is looked up in the state.
pub(crate) fn stored_kind(
    ctx: &mut Context,
    view: &mut dyn StateView,
    code: &mut Code,
    function: (ModuleRef, NameId, TypeListId),
    mask: u64,
) -> Run<ClosureId> {
    let module = ctx.module(view, function.0)?;
    let unresolved =
        || Stop::with_message(StatusCode::FUNCTION_RESOLUTION_FAILURE, "no such function");
    let index = module.function_index(function.1).ok_or_else(unresolved)?;
    let (def, handle) = module.function(index);
    let ty_args = ctx.types.list(function.2).to_vec();
    if ty_args.len() != handle.type_parameters.len() {
        return Err(Stop::status(StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH));
    }
    let params = ctx.signature(&module, handle.parameters, &ty_args)?;
    let results = ctx.signature(&module, handle.return_, &ty_args)?;
    let persistent = def.visibility == Visibility::Public
        || handle.attributes.contains(&FunctionAttribute::Persistent);
    let request = ClosureRequest {
        function,
        params: &params,
        results: &results,
        mask,
        persistent,
        caller: None,
    };
    kind(ctx, view, code, &request)
}
