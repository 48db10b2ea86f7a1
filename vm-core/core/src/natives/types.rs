//! Natives about types, bytes and signers: `create_signer`, `from_bcs`, `type_info`.

use super::{NativeCall, abort, declared};
use crate::context::ids::{LayoutId, TypeId};
use crate::context::layout::Kind;
use crate::interp::Interpreter;
use crate::stop::{Run, Stop};
use crate::value::decode::DecodeError;
use crate::value::{storage_cost, write_vector};
use monomove_types::TypeTag;

/// `from_bcs`: the bytes are not one value of the type.
const MALFORMED: u64 = 0x10001;
/// `type_info::type_of`: not a struct.
const NOT_A_STRUCT: u64 = 1;

pub(super) fn create_signer(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    run.charge(run.schedule.account_create_signer_base)?;
    run.memory.copy(call.result(0)?, call.param(0)?, 32);
    Ok(())
}

pub(super) fn from_bytes(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let bytes = run.bytes_param(call, 0)?.to_vec();
    let per_byte = run.schedule.util_from_bytes_per_byte;
    run.charge(
        run.schedule
            .util_from_bytes_base
            .saturating_add(per_byte.saturating_mul(bytes.len() as u64)),
    )?;
    let layout = run.layout_of(call.ty_arg(0)?)?;
    let image = run.decode(layout, &bytes).map_err(|error| match error {
        DecodeError::Malformed(_) => abort(MALFORMED),
        DecodeError::Stop(stop) => too_deep(stop),
    })?;
    run.put(&image, call.result(0)?)
}

/// A value that is too deep has no bytes, so the bytes are no value.
fn too_deep(stop: Stop) -> Stop {
    match &stop {
        Stop::Fail(fail)
            if fail.status == monomove_types::StatusCode::VM_MAX_VALUE_DEPTH_REACHED =>
        {
            abort(MALFORMED)
        }
        _ => stop,
    }
}

pub(super) fn type_name(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let name = run.ctx.tag(call.ty_arg(0)?)?.to_string();
    let per_unit = run.schedule.type_info_type_name_per_abstract_memory_unit;
    run.charge(
        run.schedule
            .type_info_type_name_base
            .saturating_add(per_unit.saturating_mul(name.len() as u64)),
    )?;
    run.return_bytes(call, name.as_bytes())
}

/// Returns `TypeInfo { account_address, module_name, struct_name }`; the last has the type arguments in it.
pub(super) fn type_of(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let tag = run.ctx.tag(call.ty_arg(0)?)?;
    let text = tag.to_string();
    let per_unit = run.schedule.type_info_type_of_per_abstract_memory_unit;
    run.charge(
        run.schedule
            .type_info_type_of_base
            .saturating_add(per_unit.saturating_mul(text.len() as u64)),
    )?;
    let TypeTag::Struct(tag) = tag else {
        return Err(abort(NOT_A_STRUCT));
    };
    let mut name = tag.name.as_str().to_owned();
    if !tag.type_args.is_empty() {
        let args: Vec<_> = tag.type_args.iter().map(TypeTag::to_string).collect();
        name = format!("{name}<{}>", args.join(", "));
    }
    let layout = run.layout_of(*call.function.results.first().ok_or_else(declared)?)?;
    let Kind::Struct(fields) = &run.ctx.layout(layout).kind else {
        return Err(declared());
    };
    let [account, module, strukt] = **fields else {
        return Err(declared());
    };
    let texts = (tag.module.as_str().as_bytes(), name.as_bytes());
    let cost = storage_cost(texts.0.len() as u64)? + storage_cost(texts.1.len() as u64)?;
    run.reserve(cost)?;
    let at = call.result(0)?;
    run.memory.set(at + account.offset, tag.address.0);
    let byte = LayoutId(TypeId::U8.0);
    write_vector(run.memory, at + module.offset, byte, 1, texts.0)?;
    write_vector(run.memory, at + strukt.offset, byte, 1, texts.1)
}
