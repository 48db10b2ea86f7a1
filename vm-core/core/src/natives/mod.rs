//! Native functions: Move functions whose body is here.
//!
//! A native runs in a frame of its own, laid out like any other (results, then parameters). Gas is charged before the work
//! that it pays for. A native that allocates reserves room first; what it found out about addresses on the heap before that does not hold
//! any more ([`Interpreter::reserve`]).

mod code;
mod event;
mod format;
mod hash;
mod reflect;
mod signature;
mod standard;
mod table;
mod types;

use crate::StateView;
use crate::context::Context;
use crate::context::ids::{LayoutId, TypeId};
use crate::context::module::Module;
use crate::interp::Interpreter;
use crate::interp::op::Op;
use crate::lower::Form;
use crate::lower::check::check;
use crate::lower::code::{Code, Lowered};
use crate::lower::mono::Shape;
use crate::memory::Addr;
use crate::paranoid::ShadowStep;
use crate::stop::{Run, Stop};
use crate::value::{VectorHeader, byte_vector, storage_cost, write_vector};
use monomove_types::StatusCode;
use std::rc::Rc;

/// A native function: index into [`NATIVES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NativeId(u32);

impl NativeId {
    pub(crate) fn exists(self) -> bool {
        (self.0 as usize) < NATIVES.len()
    }
}

type NativeFn = fn(&mut Interpreter<'_>, &NativeCall) -> Run<()>;

/// All natives, by module and name at 0x1, with their signatures (see [`signature`]).
const NATIVES: &[(&str, &str, &str, NativeFn)] = &[
    (
        "aptos_hash",
        "blake2b_256_internal",
        "bytes -> bytes",
        hash::blake2b_256,
    ),
    ("aptos_hash", "keccak256", "bytes -> bytes", hash::keccak256),
    (
        "aptos_hash",
        "ripemd160_internal",
        "bytes -> bytes",
        hash::ripemd160,
    ),
    (
        "aptos_hash",
        "sha2_512_internal",
        "bytes -> bytes",
        hash::sha2_512,
    ),
    (
        "aptos_hash",
        "sha3_512_internal",
        "bytes -> bytes",
        hash::sha3_512,
    ),
    ("aptos_hash", "sip_hash", "bytes -> u64", hash::sip_hash),
    (
        "bcs",
        "constant_serialized_size",
        "-> option",
        standard::constant_serialized_size,
    ),
    (
        "bcs",
        "serialized_size",
        "&T0 -> u64",
        standard::serialized_size,
    ),
    ("bcs", "to_bytes", "&T0 -> bytes", standard::to_bytes),
    ("cmp", "compare", "&T0, &T0 -> ordering", standard::compare),
    (
        "code",
        "request_publish",
        "address, list, list, u8",
        code::request_publish,
    ),
    (
        "create_signer",
        "create_signer",
        "address -> signer",
        types::create_signer,
    ),
    (
        "event",
        "write_module_event_to_store",
        "T0",
        event::write_module_event_to_store,
    ),
    ("from_bcs", "from_bytes", "bytes -> T0", types::from_bytes),
    ("hash", "sha2_256", "bytes -> bytes", hash::sha2_256),
    ("hash", "sha3_256", "bytes -> bytes", hash::sha3_256),
    ("mem", "swap", "&mut T0, &mut T0", standard::swap),
    (
        "reflect",
        "native_resolve",
        "address, &bytes, &bytes -> result",
        reflect::native_resolve,
    ),
    (
        "signer",
        "borrow_address",
        "&signer -> &address",
        standard::borrow_address,
    ),
    (
        "string",
        "internal_check_utf8",
        "&bytes -> bool",
        standard::check_utf8,
    ),
    (
        "string",
        "internal_index_of",
        "&bytes, &bytes -> u64",
        standard::index_of,
    ),
    (
        "string",
        "internal_is_char_boundary",
        "&bytes, u64 -> bool",
        standard::is_char_boundary,
    ),
    (
        "string",
        "internal_sub_string",
        "&bytes, u64, u64 -> bytes",
        standard::sub_string,
    ),
    (
        "string_utils",
        "native_format",
        "&T0, bool, bool, bool, bool -> bytes",
        format::native_format,
    ),
    (
        "string_utils",
        "native_format_list",
        "&bytes, &T0 -> bytes",
        format::native_format_list,
    ),
    ("table", "add_box", "&mut handle, T0, T2", table::add_box),
    (
        "table",
        "borrow_box",
        "&handle, T0 -> &T2",
        table::borrow_box,
    ),
    (
        "table",
        "borrow_box_mut",
        "&mut handle, T0 -> &mut T2",
        table::borrow_box_mut,
    ),
    (
        "table",
        "contains_box",
        "&handle, T0 -> bool",
        table::contains_box,
    ),
    (
        "table",
        "destroy_empty_box",
        "&handle",
        table::destroy_empty_box,
    ),
    (
        "table",
        "drop_unchecked_box",
        "handle",
        table::drop_unchecked_box,
    ),
    (
        "table",
        "new_table_handle",
        "-> address",
        table::new_table_handle,
    ),
    (
        "table",
        "remove_box",
        "&mut handle, T0 -> T2",
        table::remove_box,
    ),
    ("type_info", "type_name", "-> bytes", types::type_name),
    ("type_info", "type_of", "-> type", types::type_of),
    ("util", "from_bytes", "bytes -> T0", types::from_bytes),
    (
        "vector",
        "borrow",
        "&vector<T0>, u64 -> &T0",
        standard::vector_borrow,
    ),
    (
        "vector",
        "borrow_mut",
        "&mut vector<T0>, u64 -> &mut T0",
        standard::vector_borrow,
    ),
    (
        "vector",
        "destroy_empty",
        "vector<T0>",
        standard::vector_destroy_empty,
    ),
    ("vector", "empty", "-> vector<T0>", standard::vector_empty),
    (
        "vector",
        "length",
        "&vector<T0> -> u64",
        standard::vector_length,
    ),
    (
        "vector",
        "move_range",
        "&mut vector<T0>, u64, u64, &mut vector<T0>, u64",
        standard::move_range,
    ),
    (
        "vector",
        "pop_back",
        "&mut vector<T0> -> T0",
        standard::vector_pop_back,
    ),
    (
        "vector",
        "push_back",
        "&mut vector<T0>, T0",
        standard::vector_push_back,
    ),
    (
        "vector",
        "swap",
        "&mut vector<T0>, u64, u64",
        standard::vector_swap,
    ),
];

/// The frame of a running native.
pub(crate) struct NativeCall {
    pub(crate) fp: Addr,
    pub(crate) function: Rc<Lowered>,
}

impl NativeCall {
    /// Address of parameter `n`.
    fn param(&self, n: usize) -> Run<Addr> {
        self.function
            .shape
            .params
            .get(n)
            .map(|slot| self.fp + slot)
            .ok_or_else(declared)
    }

    /// Address of result `n`.
    fn result(&self, n: usize) -> Run<Addr> {
        self.function
            .shape
            .results
            .get(n)
            .map(|slot| self.fp + slot)
            .ok_or_else(declared)
    }

    fn ty_arg(&self, n: usize) -> Run<TypeId> {
        self.function.ty_args.get(n).copied().ok_or_else(declared)
    }
}

/// A native is declared with a signature that it does not have.
#[cold]
fn declared() -> Stop {
    Stop::with_message(
        StatusCode::TYPE_MISMATCH,
        "a native function is declared with another signature",
    )
}

/// A Move abort of a native.
#[cold]
fn abort(code: u64) -> Stop {
    Stop::with_sub_status(StatusCode::ABORTED, code)
}

impl Interpreter<'_> {
    /// What the reference in parameter `n` refers to.
    fn referent_of(&self, call: &NativeCall, n: usize) -> Run<Addr> {
        if !call
            .function
            .params
            .get(n)
            .is_some_and(|ty| ty.is_reference())
        {
            return Err(declared());
        }
        let reference: u64 = self.memory.get(call.param(n)?);
        Ok((reference as u32).wrapping_add((reference >> 32) as u32))
    }

    /// Parameter `n`, a `vector<u8>`.
    fn bytes_param(&self, call: &NativeCall, n: usize) -> Run<&[u8]> {
        Ok(byte_vector(self.memory, call.param(n)?))
    }

    fn u64_param(&self, call: &NativeCall, n: usize) -> Run<u64> {
        if call.function.params.get(n) != Some(&TypeId::U64) {
            return Err(declared());
        }
        Ok(self.memory.get(call.param(n)?))
    }

    fn return_u64(&mut self, call: &NativeCall, value: u64) -> Run<()> {
        self.memory.set(call.result(0)?, value);
        Ok(())
    }

    fn return_bool(&mut self, call: &NativeCall, value: bool) -> Run<()> {
        self.memory.set(call.result(0)?, u8::from(value));
        Ok(())
    }

    /// Returns a `vector<u8>`, or a struct that is nothing but one.
    fn return_bytes(&mut self, call: &NativeCall, bytes: &[u8]) -> Run<()> {
        self.reserve(storage_cost(bytes.len() as u64)?)?;
        write_vector(
            self.memory,
            call.result(0)?,
            LayoutId(TypeId::U8.0),
            1,
            bytes,
        )
    }

    fn layout_of(&mut self, ty: TypeId) -> Run<LayoutId> {
        self.ctx.layout_id(self.view, ty)
    }

    /// The vector behind the reference in parameter `n`.
    fn vector_param(&self, call: &NativeCall, n: usize) -> Run<(Addr, VectorHeader)> {
        let at = self.referent_of(call, n)?;
        Ok((at, VectorHeader::read(self.memory, at)))
    }
}

/// A native as a lowered function: its body is one op.
pub(crate) fn lower(
    ctx: &mut Context,
    view: &mut dyn StateView,
    code: &Code,
    module: &Module,
    index: u16,
    ty_args: &[TypeId],
) -> Run<Lowered> {
    let (_, handle) = module.function(index);
    let name = module.names[usize::from(handle.name.0)];
    let (address, module_name) = ctx.module_parts(module.id);
    let function_name = ctx.types.name_text(name);
    let one = monomove_types::AccountAddress::ONE;
    let found = NATIVES
        .iter()
        .position(|(m, f, ..)| address == one && *m == module_name && *f == function_name);
    let native = found.ok_or_else(|| {
        let text = format!("no native function {address}::{module_name}::{function_name}");
        Stop::with_message(StatusCode::MISSING_DEPENDENCY, text)
    })?;
    let params = ctx.signature(module, handle.parameters, ty_args)?;
    let results = ctx.signature(module, handle.return_, ty_args)?;
    let expected = NATIVES.get(native).map_or("", |n| n.2);
    if !signature::fits(ctx, view, expected, &params, &results, ty_args)? {
        return Err(declared());
    }
    let shape = Shape::new(ctx, view, &params, &results)?;
    let (ops, shadow) = body(NativeId(native as u32), ctx.paranoid);
    let types = params.iter().chain(&*results).chain(ty_args).copied();
    let dependencies = ctx
        .defining_modules(types)
        .into_iter()
        .filter(|&m| m != module.id)
        .collect();
    let lowered = Lowered {
        module: module.id,
        function_index: index,
        name,
        ty_args: ty_args.into(),
        params: (&*params).into(),
        results: (&*results).into(),
        frame: shape.bytes,
        extent: shape.bytes,
        shape,
        max_height: 0,
        form: Form::Fast,
        is_native: true,
        provisional_in: None,
        locks_module: false,
        access: None,
        locals: 0,
        origins: vec![0; ops.len()].into(),
        code: ops.into(),
        shadow: shadow.into(),
        costs: [].into(),
        blocks: [].into(),
        pool: [].into(),
        constants: [].into(),
        failures: [].into(),
        operand_lists: [].into(),
        slot_lists: [].into(),
        closure_calls: [].into(),
        comparisons: [].into(),
        variant_fields: [].into(),
        dependencies,
        steps: None,
    };
    check(ctx, code, &lowered)?;
    Ok(lowered)
}

/// The ops of a native, and the steps of its shadow in paranoid mode.
fn body(native: NativeId, paranoid: bool) -> (Vec<Op>, Vec<ShadowStep>) {
    let charge = Op::Charge {
        instructions: 0,
        gas: 0,
    };
    let native = Op::Native { native };
    if !paranoid {
        return (vec![charge, native, Op::Ret], Vec::new());
    }
    let (call, leave) = (Op::Shadow { step: 0 }, Op::Shadow { step: 1 });
    (
        vec![charge, call, native, leave, Op::Ret],
        vec![ShadowStep::NativeCall, ShadowStep::NativeReturn],
    )
}

/// Runs a native in its frame.
pub(crate) fn run(machine: &mut Interpreter<'_>, native: NativeId, call: &NativeCall) -> Run<()> {
    match NATIVES.get(native.0 as usize) {
        Some((.., function)) => function(machine, call),
        None => Err(Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR)),
    }
}

#[cfg(test)]
mod tests {
    use super::NATIVES;

    #[test]
    fn natives_are_sorted_and_unique() {
        assert!(NATIVES.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)));
    }
}
