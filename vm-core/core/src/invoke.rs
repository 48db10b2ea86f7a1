//! One function called from outside: which one it is, what it may be given, what it returned.

use crate::arguments::{self, Constructed};
use crate::context::Context;
use crate::context::ids::TypeId;
use crate::context::module::Module;
use crate::interp::Interpreter;
use crate::lower::code::{EntryPoint, TargetKey};
use crate::lower::mono::Shape;
use crate::memory::{Addr, object_cost};
use crate::stop::{Run, Stop};
use crate::trace::{NoTracer, Tracer};
use crate::value::bcs;
use crate::value::decode::DecodeError;
use crate::{Access, Call, StateView, Step, TypedValue};
use monomove_format::Visibility;
use monomove_types::{AccountAddress, Identifier, ModuleId, StatusCode, TypeTag};
use std::rc::Rc;

/// Whom to call.
#[derive(Clone, Copy)]
pub(crate) enum Callee<'a> {
    /// A function by its name.
    Function(&'a ModuleId, &'a Identifier),
    /// A script.
    Script(&'a Rc<Module>),
}

/// What holds for the function and its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// [`Access::Any`].
    Any,
    /// [`Access::Entry`].
    Entry,
    /// [`Access::View`].
    View,
    /// As the payload of a transaction: besides what [`Access::Entry`] says, the function takes all signers or none, and returns nothing.
    Payload,
}

/// A call from outside.
#[derive(Clone, Copy)]
pub(crate) struct Invocation<'a> {
    pub(crate) callee: Callee<'a>,
    pub(crate) ty_args: &'a [TypeTag],
    pub(crate) signers: &'a [AccountAddress],
    pub(crate) args: &'a [Vec<u8>],
    pub(crate) rules: Rules,
}

/// What a call that returned leaves in the frame.
pub(crate) struct Finished {
    pub(crate) values: Vec<TypedValue>,
    pub(crate) mut_args: Vec<(u16, TypedValue)>,
}

impl<'a> From<&'a Call> for Invocation<'a> {
    fn from(call: &'a Call) -> Self {
        Self {
            callee: Callee::Function(&call.module, &call.function),
            ty_args: &call.ty_args,
            signers: &call.signers,
            args: &call.args,
            rules: match call.access {
                Access::Any => Rules::Any,
                Access::Entry => Rules::Entry,
                Access::View => Rules::View,
            },
        }
    }
}

impl<'a> From<&'a Step> for Invocation<'a> {
    fn from(step: &'a Step) -> Self {
        Self {
            callee: Callee::Function(&step.module, &step.function),
            ty_args: &[],
            signers: &step.signers,
            args: &step.args,
            rules: Rules::Any,
        }
    }
}

pub(crate) fn no_function(name: &Identifier) -> Stop {
    Stop::with_message(
        StatusCode::FUNCTION_RESOLUTION_FAILURE,
        format!("no function {}", name.as_str()),
    )
}

/// Checks the call, places its arguments, runs it, and reads what it returned.
pub(crate) fn invoke<T: Tracer>(
    run: &mut Interpreter<'_>,
    call: &Invocation<'_>,
    tracer: &mut T,
) -> Run<Finished> {
    let (module, index) = match call.callee {
        Callee::Script(module) => (module.clone(), 0),
        Callee::Function(id, function) => {
            let id = run.ctx.module_ref(id)?;
            let module = run.ctx.module(run.view, id)?;
            let name = run.ctx.types.name(function.as_str())?;
            let index = module
                .function_index(name)
                .ok_or_else(|| no_function(function))?;
            check_rules(&module, index, call.rules, function)?;
            (module, index)
        }
    };
    let point = entry_point(run, call, &module, index)?;
    let EntryPoint {
        params,
        results,
        shape,
        target,
    } = &*point;
    if call.rules == Rules::Payload && !results.is_empty() {
        return Err(Stop::with_message(
            StatusCode::INVALID_MAIN_FUNCTION_SIGNATURE,
            "the function returns something",
        ));
    }
    let fp = run.memory.stack_start();
    if shape.bytes > run.stack_end - fp {
        return Err(Stop::status(StatusCode::CALL_STACK_OVERFLOW));
    }
    let signers = signers(call, params)?;
    run.forget_calls();
    place_arguments(run, call, signers, params, shape, fp)?;
    if call.rules != Rules::Any && construct(run, signers.len(), params, shape, fp)? {
        // Constructors ran over the frame.
        run.forget_calls();
        place_arguments(run, call, signers, params, shape, fp)?;
    }
    run.run(*target, tracer)?;
    let values = results
        .iter()
        .zip(&shape.results)
        .map(|(&ty, slot)| read_value(run, ty, fp + slot))
        .collect::<Run<_>>()?;
    let mut mut_args = Vec::new();
    let mut homes = std::mem::take(&mut run.arguments).into_iter();
    for (n, &ty) in (0..).zip(params.iter()).filter(|(_, ty)| ty.is_reference()) {
        if let Some((home, _)) = homes.next()
            && ty.is_mutable_reference()
            && call.rules != Rules::Payload
        {
            mut_args.push((n, typed(run, ty.referent(), home)?));
        }
    }
    Ok(Finished { values, mut_args })
}

/// What a call of a function needs to know: kept for functions without type parameters.
fn entry_point(
    run: &mut Interpreter<'_>,
    call: &Invocation<'_>,
    module: &Rc<Module>,
    index: u16,
) -> Run<Rc<EntryPoint>> {
    let place = (module.id, index);
    if call.ty_args.is_empty()
        && let Some(point) = run.code.entry_points.get(&place)
    {
        return Ok(point.clone());
    }
    let (_, handle) = module.function(index);
    let ty_args = type_arguments(
        run.ctx,
        run.view,
        call.ty_args,
        module,
        &handle.type_parameters,
    )?;
    let params = run.ctx.signature(module, handle.parameters, &ty_args)?;
    let results = run.ctx.signature(module, handle.return_, &ty_args)?;
    let types = &mut run.ctx.types;
    let key = TargetKey {
        module: module.id,
        name: module.names[usize::from(handle.name.0)],
        ty_args: types.list_id(&ty_args)?,
        params: types.list_id(&params)?,
        results: types.list_id(&results)?,
        caller: None,
    };
    let shape = Shape::new(run.ctx, run.view, &params, &results)?;
    let point = Rc::new(EntryPoint {
        target: run.code.target(key)?,
        params: params.to_vec(),
        results: results.to_vec(),
        shape,
    });
    if ty_args.is_empty() {
        run.code.entry_points.insert(place, point.clone());
    }
    Ok(point)
}

/// Whether a function may be called under these rules.
fn check_rules(module: &Module, index: u16, rules: Rules, function: &Identifier) -> Run<()> {
    let (def, _) = module.function(index);
    match rules {
        Rules::Entry | Rules::Payload if !def.is_entry => Err(Stop::with_message(
            StatusCode::EXECUTE_ENTRY_FUNCTION_CALLED_ON_NON_ENTRY_FUNCTION,
            format!("{} is not an entry function", function.as_str()),
        )),
        Rules::View if def.visibility != Visibility::Public => Err(Stop::with_message(
            StatusCode::INVALID_MAIN_FUNCTION_SIGNATURE,
            format!("{} is not public", function.as_str()),
        )),
        _ => Ok(()),
    }
}

pub(crate) fn type_arguments(
    ctx: &mut Context,
    view: &mut dyn StateView,
    tags: &[TypeTag],
    module: &Module,
    constraints: &[monomove_types::AbilitySet],
) -> Run<Vec<TypeId>> {
    let ty_args = tags
        .iter()
        .map(|tag| ctx.type_of_tag(view, tag))
        .collect::<Run<Vec<_>>>()?;
    if ty_args.len() != constraints.len() {
        let stop = Stop::with_message(
            StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH,
            format!(
                "the function takes {} type arguments, {} given",
                constraints.len(),
                ty_args.len()
            ),
        );
        return Err(stop.in_module(module.id));
    }
    for (&ty, constraint) in ty_args.iter().zip(constraints) {
        if !constraint.is_subset(ctx.abilities(view, ty)?) {
            return Err(Stop::status(StatusCode::CONSTRAINT_NOT_SATISFIED).in_module(module.id));
        }
    }
    Ok(ty_args)
}

/// The signers that are passed on.
fn signers<'a>(call: &Invocation<'a>, params: &[TypeId]) -> Run<&'a [AccountAddress]> {
    let leading = params
        .iter()
        .take_while(|ty| ty.referent() == TypeId::SIGNER)
        .count();
    let given = call.signers.len();
    let fits = match call.rules {
        Rules::Payload if leading == 0 => return Ok(&[]),
        Rules::Payload => leading == given,
        Rules::View => leading == 0 && given == 0,
        Rules::Any | Rules::Entry => given <= leading,
    };
    if !fits {
        return Err(Stop::with_message(
            StatusCode::NUMBER_OF_SIGNER_ARGUMENTS_MISMATCH,
            format!("the function takes {leading} signers, {given} given"),
        ));
    }
    Ok(call.signers)
}

/// Puts the arguments into the parameters of the first frame. A reference parameter refers to an object of its own.
fn place_arguments(
    run: &mut Interpreter<'_>,
    call: &Invocation<'_>,
    signers: &[AccountAddress],
    params: &[TypeId],
    shape: &Shape,
    fp: Addr,
) -> Run<()> {
    if signers.len() + call.args.len() != params.len() {
        return Err(Stop::with_message(
            StatusCode::NUMBER_OF_ARGUMENTS_MISMATCH,
            format!(
                "the function takes {} arguments, {} given",
                params.len(),
                signers.len() + call.args.len()
            ),
        ));
    }
    let mut values = Vec::with_capacity(params.len());
    let mut cost = 0;
    for (n, &ty) in params.iter().enumerate() {
        if n >= signers.len() && call.rules != Rules::Any {
            arguments::check_type(run.ctx, n, ty)?;
        }
        let layout = run.ctx.layout_id(run.view, ty.referent())?;
        let Some(arg) = n.checked_sub(signers.len()) else {
            if ty.is_reference() {
                cost += object_cost(run.ctx.layout(layout).size);
            }
            values.push((layout, None));
            continue;
        };
        let image = run
            .decode(layout, &call.args[arg])
            .map_err(|error| match error {
                DecodeError::Malformed(at) => Stop::with_message(
                    StatusCode::FAILED_TO_DESERIALIZE_ARGUMENT,
                    format!("argument {arg} is malformed at byte {at}"),
                ),
                DecodeError::Stop(stop) => stop,
            })?;
        cost += if ty.is_reference() {
            image.cost_as_object()
        } else {
            image.cost()
        };
        values.push((layout, Some(image)));
    }
    run.reserve(cost)?;
    for (n, (&ty, (layout, image))) in params.iter().zip(values).enumerate() {
        let slot = fp + shape.params[n];
        let home = if ty.is_reference() {
            let size = run.ctx.layout(layout).size;
            let object = run.memory.allocate(size, layout.0)?;
            run.memory.set(slot, u64::from(object));
            run.arguments.push((object, layout));
            object
        } else {
            slot
        };
        match image {
            None => run.memory.set(home, signers[n].0),
            Some(image) => image.put(run.memory, home)?,
        }
    }
    Ok(())
}

/// Makes sure that arguments are values that their modules could have made. Whether a constructor ran.
fn construct(
    run: &mut Interpreter<'_>,
    signers: usize,
    params: &[TypeId],
    shape: &Shape,
    fp: Addr,
) -> Run<bool> {
    let mut constructed = Vec::new();
    for (n, &ty) in params.iter().enumerate().skip(signers) {
        let at = fp + shape.params[n];
        arguments::check_value(run, n - signers, ty, at, &mut constructed)?;
    }
    for Constructed {
        module,
        function,
        ty_arg,
        address,
    } in &constructed
    {
        let call = Invocation {
            callee: Callee::Function(module, function),
            ty_args: std::slice::from_ref(ty_arg),
            signers: &[],
            args: &[address.0.to_vec()],
            rules: Rules::Any,
        };
        invoke(run, &call, &mut NoTracer)?;
    }
    Ok(!constructed.is_empty())
}

/// A result at `slot`; a reference is shown as its referent.
fn read_value(run: &mut Interpreter<'_>, ty: TypeId, slot: Addr) -> Run<TypedValue> {
    if ty.is_reference() {
        let reference: u64 = run.memory.get(slot);
        let at = (reference as u32).wrapping_add((reference >> 32) as u32);
        return typed(run, ty.referent(), at);
    }
    typed(run, ty, slot)
}

fn typed(run: &mut Interpreter<'_>, ty: TypeId, at: Addr) -> Run<TypedValue> {
    let layout = run.ctx.layout_id(run.view, ty)?;
    let tag = run.ctx.tag(ty)?;
    Ok(TypedValue {
        ty: tag,
        bcs: bcs::to_bytes(run.ctx, run.memory, at, layout)?,
    })
}
