//! `reflect`: function values by name.

use super::{NativeCall, declared};
use crate::context::ids::{LayoutId, TypeId};
use crate::context::layout::{Kind, Layout};
use crate::context::module::Module;
use crate::context::types::TypeNode;
use crate::interp::Interpreter;
use crate::lower::closure::stored_kind;
use crate::memory::{Addr, object_cost};
use crate::stop::{Run, Stop};
use crate::value::{begin_variant, byte_vector, variant_cost};
use monomove_format::{SignatureToken, Visibility};
use monomove_types::{Identifier, ModuleId, StatusCode};
use std::rc::Rc;

/// `ReflectionError`: why there is no function value, in the order of its variants.
#[derive(Clone, Copy)]
enum ReflectionError {
    InvalidIdentifier,
    FunctionNotFound,
    FunctionNotAccessible,
    FunctionIncompatibleType,
    FunctionNotInstantiated,
}

/// Variants of `Result`.
const OK: u16 = 0;
const ERR: u16 = 1;

/// `native_resolve<F>(address, &String, &String): Result<F, ReflectionError>`: the public function of that name as a value of the function
/// type `F`. Its type arguments are those that make its parameters and results the ones of `F`.
pub(super) fn native_resolve(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    run.charge(run.schedule.reflect_resolve_base)?;
    let wanted = call.ty_arg(0)?;
    let address = run.address_at(call.param(0)?);
    let (module, function) = (identifier(run, call, 1)?, identifier(run, call, 2)?);
    let (Some(name), Some(function)) = (module, function) else {
        return refuse(run, call, ReflectionError::InvalidIdentifier);
    };
    let module = run.ctx.module_ref(&ModuleId { address, name })?;
    let module = match run.ctx.module(run.view, module) {
        Ok(module) => module,
        Err(Stop::Fail(fail)) if fail.status == StatusCode::LINKER_ERROR => {
            return refuse(run, call, ReflectionError::FunctionNotFound);
        }
        Err(stop) => return Err(stop),
    };
    let name = run.ctx.types.name(function.as_str())?;
    let Some(index) = module.function_index(name) else {
        return refuse(run, call, ReflectionError::FunctionNotFound);
    };
    let (def, handle) = module.function(index);
    if def.visibility != Visibility::Public {
        return refuse(run, call, ReflectionError::FunctionNotAccessible);
    }
    let Some(TypeNode::Function {
        args,
        results,
        abilities,
    }) = run.ctx.types.node(wanted)
    else {
        return refuse(run, call, ReflectionError::FunctionIncompatibleType);
    };
    let signature = |i: monomove_format::SignatureIndex| {
        module.binary.signatures[usize::from(i.0)].0.as_slice()
    };
    let mut ty_args = vec![None; handle.type_parameters.len()];
    for (tokens, list) in [(handle.parameters, args), (handle.return_, results)] {
        let types = run.ctx.types.list(list).to_vec();
        for (token, ty) in signature(tokens).iter().zip(types) {
            infer(run, &module, token, ty, &mut ty_args);
        }
    }
    let Some(ty_args) = ty_args.into_iter().collect::<Option<Vec<TypeId>>>() else {
        return refuse(run, call, ReflectionError::FunctionNotInstantiated);
    };
    for (&ty, constraint) in ty_args.iter().zip(&handle.type_parameters) {
        if ty.is_reference() || !constraint.is_subset(run.ctx.abilities(run.view, ty)?) {
            return refuse(run, call, ReflectionError::FunctionIncompatibleType);
        }
    }
    let list = run.ctx.types.list_id(&ty_args)?;
    let function = (module.id, name, list);
    let kind = stored_kind(run.ctx, run.view, run.code, function, 0)?;
    let (size, found) = {
        let kind = run.ctx.closures.at(kind)?;
        (kind.size, kind.value_type)
    };
    let fits = matches!(
        run.ctx.types.node(found),
        Some(TypeNode::Function { args: a, results: r, abilities: has })
            if (a, r) == (args, results) && abilities.is_subset(has)
    );
    if !fits {
        return refuse(run, call, ReflectionError::FunctionIncompatibleType);
    }
    let at = variant(run, call, OK, object_cost(size))?;
    let object = run.memory.allocate(size, kind.descriptor())?;
    run.memory.set(object, u64::from(kind.0));
    run.memory.set(at, object);
    Ok(())
}

/// The identifier in the string that parameter `n` refers to; `None` when it is none.
fn identifier(run: &Interpreter<'_>, call: &NativeCall, n: usize) -> Run<Option<Identifier>> {
    let bytes = byte_vector(run.memory, run.referent_of(call, n)?);
    let text = std::str::from_utf8(bytes).ok();
    Ok(text.and_then(|text| Identifier::new(text).ok()))
}

/// Returns an error.
fn refuse(run: &mut Interpreter<'_>, call: &NativeCall, error: ReflectionError) -> Run<()> {
    let (_, shape) = result(run, call)?;
    let Kind::Enum(variants) = &shape.kind else {
        return Err(declared());
    };
    let field = variants.of(ERR).and_then(|fields| fields.first());
    let inner = field.ok_or_else(declared)?.layout;
    let errors = run.ctx.layout(inner).clone();
    let Kind::Enum(errors) = &errors.kind else {
        return Err(declared());
    };
    let at = variant(run, call, ERR, variant_cost(errors, error as u16))?;
    begin_variant(run.memory, errors, inner, at, error as u16)?;
    Ok(())
}

/// Makes the result a variant of `Result`, and says where its only field goes, which owns `cost` bytes on the heap. They are reserved too.
fn variant(run: &mut Interpreter<'_>, call: &NativeCall, tag: u16, cost: u64) -> Run<Addr> {
    let (layout, shape) = result(run, call)?;
    let Kind::Enum(variants) = &shape.kind else {
        return Err(declared());
    };
    let field = variants.of(tag).and_then(|fields| fields.first());
    let offset = field.ok_or_else(declared)?.offset;
    run.reserve(variant_cost(variants, tag) + cost)?;
    Ok(begin_variant(run.memory, variants, layout, call.result(0)?, tag)? + offset)
}

/// The layout of the result.
fn result(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<(LayoutId, Rc<Layout>)> {
    let &ty = call.function.results.first().ok_or_else(declared)?;
    let id = run.layout_of(ty)?;
    Ok((id, run.ctx.layout(id).clone()))
}

/// Finds what type parameters in `token` must be for it to be `ty`. What does not fit is found out later, when the types are compared.
/// The nesting of tokens is bounded by the format.
fn infer(
    run: &Interpreter<'_>,
    module: &Module,
    token: &SignatureToken,
    ty: TypeId,
    found: &mut [Option<TypeId>],
) {
    let types = &run.ctx.types;
    match (token, types.node(ty)) {
        (SignatureToken::TypeParameter(i), _) => {
            if let Some(slot) = found.get_mut(usize::from(*i)) {
                slot.get_or_insert(ty);
            }
        }
        (SignatureToken::Reference(inner) | SignatureToken::MutableReference(inner), _)
            if ty.is_reference() =>
        {
            infer(run, module, inner, ty.referent(), found);
        }
        (SignatureToken::Vector(inner), Some(TypeNode::Vector(element))) => {
            infer(run, module, inner, element, found);
        }
        (
            SignatureToken::StructInstantiation(handle, inner),
            Some(TypeNode::Struct(template, args)),
        ) if module.templates.get(usize::from(handle.0)) == Some(&template) => {
            for (token, &ty) in inner.iter().zip(types.list(args).iter()) {
                infer(run, module, token, ty, found);
            }
        }
        (
            SignatureToken::Function(takes, gives, _),
            Some(TypeNode::Function { args, results, .. }),
        ) => {
            for (tokens, list) in [(takes, args), (gives, results)] {
                for (token, &ty) in tokens.iter().zip(types.list(list).iter()) {
                    infer(run, module, token, ty, found);
                }
            }
        }
        _ => {}
    }
}
