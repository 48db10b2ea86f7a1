//! Natives of move-stdlib: `bcs`, `cmp`, `mem`, `signer`, `string`, `vector`.

use super::{NativeCall, abort, declared};
use crate::context::ids::{LayoutId, TypeId};
use crate::context::layout::Kind;
use crate::context::types::TypeNode;
use crate::interp::Interpreter;
use crate::memory::Addr;
use crate::stop::{Run, Stop};
use crate::value::{
    Packing, VectorHeader, abstract_size, bcs, begin_variant, byte_vector, compare as values,
    storage_cost, variant_cost, write_vector,
};
use monomove_types::StatusCode;
use std::cmp::Ordering;

/// `bcs`: a value has no serialization.
const NO_SERIALIZATION: u64 = 0x1C5;
/// `vector::move_range`, `string::internal_sub_string`: bad range.
const BAD_RANGE: u64 = 1;

/// Serializes the value behind parameter 0. A value without serialization costs `failure` and aborts.
fn serialized(run: &mut Interpreter<'_>, call: &NativeCall, failure: u64) -> Run<Vec<u8>> {
    let layout = run.layout_of(call.ty_arg(0)?)?;
    let value = run.referent_of(call, 0)?;
    match bcs::to_bytes(run.ctx, run.memory, value, layout) {
        Ok(bytes) => Ok(bytes),
        Err(Stop::Fail(_)) => {
            run.charge(failure)?;
            Err(abort(NO_SERIALIZATION))
        }
        Err(stop) => Err(stop),
    }
}

pub(super) fn to_bytes(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let bytes = serialized(run, call, run.schedule.bcs_to_bytes_failure)?;
    run.charge(
        run.schedule
            .bcs_to_bytes_per_byte_serialized
            .saturating_mul(bytes.len() as u64),
    )?;
    run.return_bytes(call, &bytes)
}

pub(super) fn serialized_size(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    run.charge(run.schedule.bcs_serialized_size_base)?;
    let size = serialized(run, call, run.schedule.bcs_serialized_size_failure)?.len() as u64;
    run.charge(
        run.schedule
            .bcs_serialized_size_per_byte_serialized
            .saturating_mul(size),
    )?;
    run.return_u64(call, size)
}

/// Returns an `Option<u64>`: a struct over a vector, or an enum.
pub(super) fn constant_serialized_size(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let layout = run.layout_of(call.ty_arg(0)?)?;
    let (nodes, fixed) = (
        run.ctx.layout(layout).nodes,
        run.ctx.layout(layout).fixed_bcs,
    );
    let per_node = run.schedule.bcs_constant_serialized_size_per_type_node;
    run.charge(
        run.schedule
            .bcs_constant_serialized_size_base
            .saturating_add(per_node * u64::from(nodes)),
    )?;
    let at = call.result(0)?;
    let option = run.layout_of(*call.function.results.first().ok_or_else(declared)?)?;
    match &run.ctx.layout(option).clone().kind {
        Kind::Struct(_) => {
            run.reserve(storage_cost(8)?)?;
            let bytes = fixed.map(|n| u64::from(n).to_le_bytes());
            write_vector(
                run.memory,
                at,
                LayoutId(TypeId::U64.0),
                8,
                bytes.as_ref().map_or(&[], |b| b.as_slice()),
            )
        }
        Kind::Enum(variants) => {
            let tag = u16::from(fixed.is_some());
            run.reserve(variant_cost(variants, tag))?;
            let at = begin_variant(run.memory, variants, option, at, tag)?;
            let fields = variants.of(tag).unwrap_or_default();
            if let (Some(bytes), Some(field)) = (fixed, fields.first()) {
                run.memory.set(at + field.offset, u64::from(bytes));
            }
            Ok(())
        }
        _ => Err(declared()),
    }
}

/// Returns `cmp::Ordering`: an enum of `Less`, `Equal`, `Greater`.
pub(super) fn compare(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let layout = run.layout_of(call.ty_arg(0)?)?;
    let (a, b) = (run.referent_of(call, 0)?, run.referent_of(call, 1)?);
    let size = |at| abstract_size(run.ctx, run.memory, at, layout, Packing::All);
    let units = size(a)?.saturating_add(size(b)?);
    let per_unit = run.schedule.cmp_compare_per_abs_val_unit;
    run.charge(
        run.schedule
            .cmp_compare_base
            .saturating_add(per_unit.saturating_mul(units)),
    )?;
    let tag: u16 = match values::compare(run.ctx, run.memory, a, b, layout)? {
        Ordering::Less => 0,
        Ordering::Equal => 1,
        Ordering::Greater => 2,
    };
    let &ty = call.function.results.first().ok_or_else(declared)?;
    let layout = run.layout_of(ty)?;
    let ordering = run.ctx.layout(layout).clone();
    let Kind::Enum(variants) = &ordering.kind else {
        return Err(declared());
    };
    run.reserve(variant_cost(variants, tag))?;
    begin_variant(run.memory, variants, layout, call.result(0)?, tag)?;
    Ok(())
}

pub(super) fn swap(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    run.charge(run.schedule.mem_swap_base)?;
    let layout = run.layout_of(call.ty_arg(0)?)?;
    let (a, b) = (run.referent_of(call, 0)?, run.referent_of(call, 1)?);
    run.memory.swap(a, b, run.ctx.layout(layout).size);
    Ok(())
}

/// A signer is its address, so a reference to one is a reference to the other.
pub(super) fn borrow_address(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    run.charge(run.schedule.signer_borrow_address_base)?;
    run.referent_of(call, 0)?;
    let reference: u64 = run.memory.get(call.param(0)?);
    run.memory.set(call.result(0)?, reference);
    Ok(())
}

// --- string ----------------------------------------------------------------------------------------------------------------

/// The `vector<u8>` behind a reference parameter.
fn text<'a>(run: &'a Interpreter<'_>, call: &NativeCall, n: usize) -> Run<&'a [u8]> {
    Ok(byte_vector(run.memory, run.referent_of(call, n)?))
}

/// Whether `at` is between characters: not before a UTF-8 continuation byte.
fn is_boundary(bytes: &[u8], at: u64) -> bool {
    match usize::try_from(at) {
        Ok(at) if at < bytes.len() => at == 0 || !matches!(bytes[at], 0x80..0xC0),
        Ok(at) => at == bytes.len(),
        Err(_) => false,
    }
}

pub(super) fn check_utf8(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let len = text(run, call, 0)?.len() as u64;
    let per_byte = run.schedule.string_check_utf8_per_byte;
    run.charge(
        run.schedule
            .string_check_utf8_base
            .saturating_add(per_byte.saturating_mul(len)),
    )?;
    let valid = std::str::from_utf8(text(run, call, 0)?).is_ok();
    run.return_bool(call, valid)
}

pub(super) fn is_char_boundary(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    run.charge(run.schedule.string_is_char_boundary_base)?;
    let answer = is_boundary(text(run, call, 0)?, run.u64_param(call, 1)?);
    run.return_bool(call, answer)
}

pub(super) fn sub_string(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    run.charge(run.schedule.string_sub_string_base)?;
    let (from, to) = (run.u64_param(call, 1)?, run.u64_param(call, 2)?);
    let len = to.checked_sub(from).ok_or_else(|| abort(BAD_RANGE))?;
    run.charge(run.schedule.string_sub_string_per_byte.saturating_mul(len))?;
    let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
    let part = range.and_then(|(from, to)| text(run, call, 0).ok()?.get(from..to));
    let part = part.ok_or_else(|| abort(BAD_RANGE))?.to_vec();
    run.return_bytes(call, &part)
}

pub(super) fn index_of(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let (bytes, pattern) = (
        text(run, call, 0)?.len() as u64,
        text(run, call, 1)?.len() as u64,
    );
    let gas = run.schedule;
    run.charge(
        gas.string_index_of_base
            .saturating_add(gas.string_index_of_per_byte_pattern.saturating_mul(pattern))
            .saturating_add(gas.string_index_of_per_byte_searched.saturating_mul(bytes)),
    )?;
    let index = find(text(run, call, 0)?, text(run, call, 1)?).map_or(bytes, |at| at as u64);
    run.return_u64(call, index)
}

/// The first place of `pattern`, in linear time on any input: both are valid UTF-8 in Move strings, and where they are not the
/// plain search is the answer.
fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    match (std::str::from_utf8(text), std::str::from_utf8(pattern)) {
        (Ok(text), Ok(pattern)) => text.find(pattern),
        _ if pattern.is_empty() => Some(0),
        _ => text.windows(pattern.len()).position(|w| w == pattern),
    }
}

// --- vector ----------------------------------------------------------------------------------------------------------------

/// Layout and size of the elements of the vectors that a native of `vector` works on.
fn element(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<(LayoutId, u32)> {
    let ty = call.ty_arg(0)?;
    let vector = run.ctx.types.vector(ty)?;
    let fits = |t: &TypeId| match run.ctx.types.node(t.referent()) {
        Some(TypeNode::Vector(_)) => t.referent() == vector,
        _ => true,
    };
    if !call.function.params.iter().all(fits) {
        return Err(declared());
    }
    let layout = run.layout_of(ty)?;
    Ok((layout, run.ctx.layout(layout).size))
}

fn vector_error(sub_status: u64) -> Stop {
    Stop::with_sub_status(StatusCode::VECTOR_OPERATION_ERROR, sub_status)
}

/// Moves `from[at..at + count]` into `to` at `to_at`.
pub(super) fn move_range(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let (element, size) = element(run, call)?;
    let ((_, from), (_, to)) = (run.vector_param(call, 0)?, run.vector_param(call, 3)?);
    let (at, count, insert) = (
        run.u64_param(call, 1)?,
        run.u64_param(call, 2)?,
        run.u64_param(call, 4)?,
    );
    let gas = run.schedule;
    run.charge(gas.vector_move_range_base)?;
    let end = at
        .checked_add(count)
        .filter(|&end| end <= u64::from(from.len));
    let (Some(end), true) = (end, insert <= u64::from(to.len)) else {
        return Err(abort(BAD_RANGE));
    };
    // Every element behind either place moves too.
    let moved = (u64::from(from.len) - at)
        .saturating_add(u64::from(to.len) - insert)
        .saturating_add(count);
    run.charge(gas.vector_move_range_per_index_moved.saturating_mul(moved))?;
    let (at, count, end, insert) = (at as u32, count as u32, end as u32, insert as u32);
    let out_of_memory = || Stop::status(StatusCode::MEMORY_LIMIT_EXCEEDED);
    let new_len = to.len.checked_add(count).ok_or_else(out_of_memory)?;
    let capacity = new_len.max(to.capacity.saturating_mul(2));
    if new_len > to.capacity {
        run.reserve(storage_cost(u64::from(capacity) * u64::from(size))?)?;
    }
    let ((from_at, from), (to_at, to)) = (run.vector_param(call, 0)?, run.vector_param(call, 3)?);
    let mut target = to;
    if new_len > to.capacity {
        let bytes = capacity.checked_mul(size).ok_or_else(out_of_memory)?;
        let storage = if bytes == 0 {
            0
        } else {
            run.memory.allocate(bytes, element.0)?
        };
        run.memory.copy(storage, to.storage, to.len * size);
        target = VectorHeader {
            storage,
            len: to.len,
            capacity,
        };
    }
    let place = target.storage + insert * size;
    run.memory
        .copy(place + count * size, place, (to.len - insert) * size);
    run.memory
        .copy(place, from.storage + at * size, count * size);
    run.memory.copy(
        from.storage + at * size,
        from.storage + end * size,
        (from.len - end) * size,
    );
    VectorHeader {
        len: new_len,
        ..target
    }
    .write(run.memory, to_at);
    VectorHeader {
        len: from.len - count,
        ..from
    }
    .write(run.memory, from_at);
    Ok(())
}

pub(super) fn vector_empty(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    VectorHeader {
        storage: 0,
        len: 0,
        capacity: 0,
    }
    .write(run.memory, call.result(0)?);
    Ok(())
}

pub(super) fn vector_length(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let (_, header) = run.vector_param(call, 0)?;
    run.return_u64(call, u64::from(header.len))
}

pub(super) fn vector_borrow(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let (_, size) = element(run, call)?;
    let (_, header) = run.vector_param(call, 0)?;
    let index = run.u64_param(call, 1)?;
    if index >= u64::from(header.len) {
        return Err(vector_error(1));
    }
    let offset = u64::from(index as u32 * size);
    run.memory
        .set(call.result(0)?, u64::from(header.storage) | (offset << 32));
    Ok(())
}

pub(super) fn vector_push_back(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let (element, size) = element(run, call)?;
    let (at, _) = run.vector_param(call, 0)?;
    run.reserve_push(at, size)?;
    let (at, _) = run.vector_param(call, 0)?;
    let place = run.push_place(at, size, element)?;
    run.memory.copy(place, call.param(1)?, size);
    Ok(())
}

pub(super) fn vector_pop_back(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let (_, size) = element(run, call)?;
    let (at, header) = run.vector_param(call, 0)?;
    let len = header.len.checked_sub(1).ok_or_else(|| vector_error(2))?;
    run.memory
        .copy(call.result(0)?, header.storage + len * size, size);
    VectorHeader { len, ..header }.write(run.memory, at);
    Ok(())
}

pub(super) fn vector_destroy_empty(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    element(run, call)?;
    match VectorHeader::read(run.memory, call.param(0)?).len {
        0 => Ok(()),
        _ => Err(vector_error(3)),
    }
}

pub(super) fn vector_swap(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let (_, size) = element(run, call)?;
    let (_, header) = run.vector_param(call, 0)?;
    let (i, j) = (run.u64_param(call, 1)?, run.u64_param(call, 2)?);
    if i.max(j) >= u64::from(header.len) {
        return Err(vector_error(1));
    }
    let place = |i: u64| -> Addr { header.storage + i as u32 * size };
    run.memory.swap(place(i), place(j), size);
    Ok(())
}
