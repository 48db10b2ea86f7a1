//! Tables: maps whose items are global values of their own.

use super::{NativeCall, abort, declared};
use crate::NewTable;
use crate::context::ids::LayoutId;
use crate::globals::{GlobalKey, GlobalSlot};
use crate::interp::Interpreter;
use crate::memory::Addr;
use crate::stop::{Run, Stop};
use crate::value::bcs;
use monomove_types::{AccountAddress, StatusCode};
use sha3::{Digest, Sha3_256};

/// The key exists already.
const ALREADY_EXISTS: u64 = 0x6407;
/// The key is missing.
const NOT_FOUND: u64 = 0x6507;

/// The handle of a new table: a hash of the transaction and of how many tables it created before.
pub(super) fn new_table_handle(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    run.charge(run.schedule.table_new_table_handle_base)?;
    let count = u32::try_from(run.effects.new_tables.len())
        .map_err(|_| Stop::status(StatusCode::VM_EXTENSION_ERROR))?;
    let digest = Sha3_256::new()
        .chain_update(run.txn_hash)
        .chain_update(count.to_be_bytes())
        .finalize();
    let handle = AccountAddress(digest.into());
    let (key, value) = (call.ty_arg(0)?, call.ty_arg(1)?);
    run.weigh_effect(handle.0.len(), [key, value])?;
    let (key, value) = (run.ctx.tag(key)?, run.ctx.tag(value)?);
    run.effects.new_tables.push(NewTable { handle, key, value });
    run.memory.set(call.result(0)?, handle.0);
    Ok(())
}

/// The slot of the item that parameters 0 (the table) and 1 (the key) name, after charging, and the layout of its box.
fn item(
    run: &mut Interpreter<'_>,
    call: &NativeCall,
    base: u64,
    per_byte: u64,
) -> Run<(GlobalSlot, LayoutId)> {
    let table = run.referent_of(call, 0)?;
    let handle = run.address_at(table);
    let key_layout = run.layout_of(call.ty_arg(0)?)?;
    if call.function.params.get(1) != Some(&call.ty_arg(0)?) {
        return Err(declared());
    }
    let key = bcs::to_bytes(run.ctx, run.memory, call.param(1)?, key_layout)
        .map_err(|_| Stop::status(StatusCode::VM_EXTENSION_ERROR))?;
    run.charge(base.saturating_add(per_byte.saturating_mul(key.len() as u64)))?;
    let layout = run.layout_of(call.ty_arg(2)?)?;
    let (slot, read) = run.global(GlobalKey::Item(handle, key), layout)?;
    if let Some(bytes) = read {
        let gas = run.schedule;
        let per_byte = gas.table_common_load_per_byte.saturating_mul(bytes as u64);
        run.charge(gas.table_common_load_base_new.saturating_add(per_byte))?;
    }
    Ok((slot, layout))
}

pub(super) fn add_box(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let gas = run.schedule;
    let (slot, layout) = item(
        run,
        call,
        gas.table_add_box_base,
        gas.table_add_box_per_byte_serialized,
    )?;
    if run.globals.object(slot).is_some() {
        return Err(abort(ALREADY_EXISTS));
    }
    let object = run.store(call.param(2)?, layout)?;
    run.globals.set(slot, Some(object));
    Ok(())
}

fn borrow(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<(GlobalSlot, Addr)> {
    let gas = run.schedule;
    let (slot, _) = item(
        run,
        call,
        gas.table_borrow_box_base,
        gas.table_borrow_box_per_byte_serialized,
    )?;
    let object = run.globals.object(slot).ok_or_else(|| abort(NOT_FOUND))?;
    run.memory.set(call.result(0)?, u64::from(object));
    Ok((slot, object))
}

pub(super) fn borrow_box(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    borrow(run, call).map(|_| ())
}

pub(super) fn borrow_box_mut(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let (slot, _) = borrow(run, call)?;
    run.globals.touch(slot);
    Ok(())
}

pub(super) fn contains_box(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let gas = run.schedule;
    let (slot, _) = item(
        run,
        call,
        gas.table_contains_box_base,
        gas.table_contains_box_per_byte_serialized,
    )?;
    let contains = run.globals.object(slot).is_some();
    run.return_bool(call, contains)
}

pub(super) fn remove_box(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    let gas = run.schedule;
    let (slot, layout) = item(
        run,
        call,
        gas.table_remove_box_base,
        gas.table_remove_box_per_byte_serialized,
    )?;
    let object = run.globals.object(slot).ok_or_else(|| abort(NOT_FOUND))?;
    run.memory
        .copy(call.result(0)?, object, run.ctx.layout(layout).size);
    run.globals.set(slot, None);
    Ok(())
}

pub(super) fn destroy_empty_box(run: &mut Interpreter<'_>, call: &NativeCall) -> Run<()> {
    run.charge(run.schedule.table_destroy_empty_box_base)?;
    let table = run.referent_of(call, 0)?;
    let handle = run.address_at(table);
    run.effects.removed_tables.push(handle);
    Ok(())
}

pub(super) fn drop_unchecked_box(run: &mut Interpreter<'_>, _call: &NativeCall) -> Run<()> {
    run.charge(run.schedule.table_drop_unchecked_box_base)
}
