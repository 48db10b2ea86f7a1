//! Equality and order of flat values.

use super::{VectorHeader, check_depth, closure, live_variant};
use crate::context::Context;
use crate::context::closure::ClosureKind;
use crate::context::ids::LayoutId;
use crate::context::layout::{Field, Int, Kind};
use crate::memory::{Addr, Memory};
use crate::stop::Run;
use std::cmp::Ordering;

/// Whether two values of one layout are equal.
pub(crate) fn equal(
    ctx: &Context,
    memory: &Memory,
    a: Addr,
    b: Addr,
    layout: LayoutId,
) -> Run<bool> {
    equal_at(ctx, memory, a, b, layout, 1)
}

fn equal_at(
    ctx: &Context,
    memory: &Memory,
    a: Addr,
    b: Addr,
    id: LayoutId,
    depth: u32,
) -> Run<bool> {
    check_depth(depth)?;
    let layout = ctx.layout(id);
    match &layout.kind {
        Kind::Bool | Kind::Int(_) | Kind::Address | Kind::Signer => {
            Ok(memory.bytes(a, layout.size) == memory.bytes(b, layout.size))
        }
        Kind::Vector(element) => {
            let (x, y) = (VectorHeader::read(memory, a), VectorHeader::read(memory, b));
            if x.len != y.len {
                return Ok(false);
            }
            let inner = ctx.layout(*element);
            if matches!(inner.kind, Kind::Bool | Kind::Int(_) | Kind::Address) {
                let total = x.len * inner.size;
                return Ok(memory.bytes(x.storage, total) == memory.bytes(y.storage, total));
            }
            for i in 0..x.len {
                let at = i * inner.size;
                if !equal_at(
                    ctx,
                    memory,
                    x.storage + at,
                    y.storage + at,
                    *element,
                    depth + 1,
                )? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Kind::Struct(fields) => equal_fields(ctx, memory, a, b, fields, depth),
        Kind::Enum(variants) => {
            let (x, y) = (
                live_variant(memory, variants, a)?,
                live_variant(memory, variants, b)?,
            );
            if x.tag != y.tag {
                return Ok(false);
            }
            equal_fields(ctx, memory, x.at, y.at, x.fields, depth)
        }
        Kind::Closure => {
            let ((x, kind), (y, other)) = (closure(ctx, memory, a)?, closure(ctx, memory, b)?);
            let function = |k: &ClosureKind| (k.module, k.name, k.ty_args, k.mask);
            if function(kind) != function(other) {
                return Ok(false);
            }
            equal_fields(ctx, memory, x, y, &kind.captured, depth)
        }
    }
}

fn equal_fields(
    ctx: &Context,
    memory: &Memory,
    a: Addr,
    b: Addr,
    fields: &[Field],
    depth: u32,
) -> Run<bool> {
    for field in fields {
        if !equal_at(
            ctx,
            memory,
            a + field.offset,
            b + field.offset,
            field.layout,
            depth + 1,
        )? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The order of two values of one layout: integers by value, addresses by their bytes, vectors and structs lexicographically,
/// enums by variant and then by fields.
pub(crate) fn compare(
    ctx: &Context,
    memory: &Memory,
    a: Addr,
    b: Addr,
    layout: LayoutId,
) -> Run<Ordering> {
    compare_at(ctx, memory, a, b, layout, 1)
}

fn compare_at(
    ctx: &Context,
    memory: &Memory,
    a: Addr,
    b: Addr,
    id: LayoutId,
    depth: u32,
) -> Run<Ordering> {
    check_depth(depth)?;
    let layout = ctx.layout(id);
    match &layout.kind {
        Kind::Bool => Ok(memory.get::<u8>(a).cmp(&memory.get::<u8>(b))),
        Kind::Address | Kind::Signer => Ok(memory.bytes(a, 32).cmp(memory.bytes(b, 32))),
        Kind::Int(int) => Ok(compare_ints(memory, a, b, *int)),
        Kind::Vector(element) => {
            let (x, y) = (VectorHeader::read(memory, a), VectorHeader::read(memory, b));
            let size = ctx.layout(*element).size;
            for i in 0..x.len.min(y.len) {
                let at = i * size;
                match compare_at(
                    ctx,
                    memory,
                    x.storage + at,
                    y.storage + at,
                    *element,
                    depth + 1,
                )? {
                    Ordering::Equal => {}
                    order => return Ok(order),
                }
            }
            Ok(x.len.cmp(&y.len))
        }
        Kind::Struct(fields) => compare_fields(ctx, memory, a, b, fields, depth),
        Kind::Enum(variants) => {
            let (x, y) = (
                live_variant(memory, variants, a)?,
                live_variant(memory, variants, b)?,
            );
            match x.tag.cmp(&y.tag) {
                Ordering::Equal => compare_fields(ctx, memory, x.at, y.at, x.fields, depth),
                order => Ok(order),
            }
        }
        Kind::Closure => {
            let ((x, kind), (y, other)) = (closure(ctx, memory, a)?, closure(ctx, memory, b)?);
            match compare_functions(ctx, kind, other)? {
                Ordering::Equal => compare_fields(ctx, memory, x, y, &kind.captured, depth),
                order => Ok(order),
            }
        }
    }
}

/// The order of functions: module, name, type arguments by their text, then what is captured.
fn compare_functions(ctx: &Context, a: &ClosureKind, b: &ClosureKind) -> Run<Ordering> {
    let arguments = |k: &ClosureKind| {
        ctx.types
            .list(k.ty_args)
            .iter()
            .map(|&t| ctx.tag(t))
            .collect::<Run<Vec<_>>>()
    };
    let name = |k: &ClosureKind| (ctx.module_parts(k.module), ctx.types.name_text(k.name));
    Ok(name(a)
        .cmp(&name(b))
        .then(arguments(a)?.cmp(&arguments(b)?))
        .then(a.mask.cmp(&b.mask)))
}

fn compare_fields(
    ctx: &Context,
    memory: &Memory,
    a: Addr,
    b: Addr,
    fields: &[Field],
    depth: u32,
) -> Run<Ordering> {
    for field in fields {
        match compare_at(
            ctx,
            memory,
            a + field.offset,
            b + field.offset,
            field.layout,
            depth + 1,
        )? {
            Ordering::Equal => {}
            order => return Ok(order),
        }
    }
    Ok(Ordering::Equal)
}

fn compare_ints(memory: &Memory, a: Addr, b: Addr, int: Int) -> Ordering {
    macro_rules! order {
        ($t:ty) => {
            memory.get::<$t>(a).cmp(&memory.get::<$t>(b))
        };
    }
    match int {
        Int::U8 => order!(u8),
        Int::U16 => order!(u16),
        Int::U32 => order!(u32),
        Int::U64 => order!(u64),
        Int::U128 => order!(u128),
        Int::U256 => order!(ethnum::U256),
        Int::I8 => order!(i8),
        Int::I16 => order!(i16),
        Int::I32 => order!(i32),
        Int::I64 => order!(i64),
        Int::I128 => order!(i128),
        Int::I256 => order!(ethnum::I256),
    }
}
