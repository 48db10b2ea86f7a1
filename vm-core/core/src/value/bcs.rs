//! BCS of flat values: writing, and the parts that both directions share.

use super::{LiveVariant, VectorHeader, check_depth, closure, live_variant, variant_at};
use crate::context::Context;
use crate::context::closure::ClosureKind;
use crate::context::ids::LayoutId;
use crate::context::layout::{Field, Int, Kind, Variants};
use crate::memory::{Addr, Memory};
use crate::stop::{Run, Stop};
use monomove_types::StatusCode;
use monomove_types::codec::{write_bytes, write_module_id, write_type_tag, write_uleb};

/// Version of the form of function values.
pub(super) const CLOSURE_FORMAT: u16 = 1;
/// Elements of a function value before the captured ones: format, module, name, type arguments, mask.
pub(super) const CLOSURE_ELEMENTS: u64 = 5;
/// Nodes of a type layout that is written beside a captured value.
const MAX_CAPTURED_LAYOUT_NODES: u32 = 4096;

/// Appends the BCS of the value at `addr` to `out`.
pub(crate) fn serialize(
    ctx: &Context,
    memory: &Memory,
    addr: Addr,
    layout: LayoutId,
    out: &mut Vec<u8>,
) -> Run<()> {
    write::<false>(ctx, memory, addr, layout, out, 1)
}

/// As [`to_bytes`], with function values that may not be stored in the same form as those that may: for looking at, never for the state.
pub(crate) fn to_shown(
    ctx: &Context,
    memory: &Memory,
    addr: Addr,
    layout: LayoutId,
) -> Run<Vec<u8>> {
    let mut out = Vec::new();
    write::<true>(ctx, memory, addr, layout, &mut out, 1)?;
    Ok(out)
}

/// As [`to_shown`], of the function value whose object is given.
pub(crate) fn function_shown(
    ctx: &Context,
    memory: &Memory,
    object: Addr,
    kind: &ClosureKind,
) -> Run<Vec<u8>> {
    let mut out = Vec::new();
    write_closure::<true>(ctx, memory, object, kind, &mut out, 1)?;
    Ok(out)
}

/// The BCS of the value at `addr`.
pub(crate) fn to_bytes(
    ctx: &Context,
    memory: &Memory,
    addr: Addr,
    layout: LayoutId,
) -> Run<Vec<u8>> {
    let mut out = Vec::new();
    serialize(ctx, memory, addr, layout, &mut out)?;
    Ok(out)
}

/// With `SHOWN`, function values need not be storable.
fn write<const SHOWN: bool>(
    ctx: &Context,
    memory: &Memory,
    addr: Addr,
    id: LayoutId,
    out: &mut Vec<u8>,
    depth: u32,
) -> Run<()> {
    check_depth(depth)?;
    let layout = ctx.layout(id);
    match &layout.kind {
        Kind::Bool | Kind::Int(_) | Kind::Address | Kind::Signer => {
            out.extend_from_slice(memory.bytes(addr, layout.size));
        }
        Kind::Vector(element) => {
            let header = VectorHeader::read(memory, addr);
            write_uleb(out, u64::from(header.len));
            let inner = ctx.layout(*element);
            if matches!(inner.kind, Kind::Bool | Kind::Int(_) | Kind::Address) {
                if header.len > 0 {
                    check_depth(depth + 1)?;
                }
                out.extend_from_slice(memory.bytes(header.storage, header.len * inner.size));
            } else {
                for i in 0..header.len {
                    write::<SHOWN>(
                        ctx,
                        memory,
                        header.storage + i * inner.size,
                        *element,
                        out,
                        depth + 1,
                    )?;
                }
            }
        }
        Kind::Struct(fields) => write_fields::<SHOWN>(ctx, memory, addr, fields, out, depth)?,
        Kind::Enum(variants) => {
            let live = live_variant(memory, variants, addr)?;
            write_variant::<SHOWN>(ctx, memory, live, out, depth)?;
        }
        Kind::Closure => {
            let (object, kind) = closure(ctx, memory, addr)?;
            write_closure::<SHOWN>(ctx, memory, object, kind, out, depth)?;
        }
    }
    Ok(())
}

fn write_variant<const SHOWN: bool>(
    ctx: &Context,
    memory: &Memory,
    live: LiveVariant<'_>,
    out: &mut Vec<u8>,
    depth: u32,
) -> Run<()> {
    write_uleb(out, u64::from(live.tag));
    write_fields::<SHOWN>(ctx, memory, live.at, live.fields, out, depth)
}

/// The BCS of an enum whose tag and fields lie in the object at `object`, in the form of [`to_shown`].
pub(crate) fn variant_shown(
    ctx: &Context,
    memory: &Memory,
    object: Addr,
    variants: &Variants,
) -> Run<Vec<u8>> {
    let mut out = Vec::new();
    let live = variant_at(memory, variants, object)?;
    write_variant::<true>(ctx, memory, live, &mut out, 1)?;
    Ok(out)
}

fn write_fields<const SHOWN: bool>(
    ctx: &Context,
    memory: &Memory,
    addr: Addr,
    fields: &[Field],
    out: &mut Vec<u8>,
    depth: u32,
) -> Run<()> {
    fields
        .iter()
        .try_for_each(|f| write::<SHOWN>(ctx, memory, addr + f.offset, f.layout, out, depth + 1))
}

/// A function value: a sequence of its function, its mask, and each captured value behind its type layout.
fn write_closure<const SHOWN: bool>(
    ctx: &Context,
    memory: &Memory,
    object: Addr,
    kind: &ClosureKind,
    out: &mut Vec<u8>,
    depth: u32,
) -> Run<()> {
    let refused = || Stop::status(StatusCode::VALUE_SERIALIZATION_ERROR);
    if !SHOWN && !kind.storable {
        return Err(refused());
    }
    write_uleb(out, CLOSURE_ELEMENTS + 2 * kind.captured.len() as u64);
    out.extend_from_slice(&CLOSURE_FORMAT.to_le_bytes());
    write_module_id(out, &ctx.module_id(kind.module)?);
    write_bytes(out, ctx.types.name_text(kind.name).as_bytes());
    let ty_args = ctx.types.list(kind.ty_args);
    write_uleb(out, ty_args.len() as u64);
    for &ty in ty_args.iter() {
        let tag = ctx.tag(ty)?;
        tag.check_nesting().map_err(|_| refused())?;
        write_type_tag(out, &tag);
    }
    out.extend_from_slice(&kind.mask.to_le_bytes());
    for field in &kind.captured {
        write_layout(ctx, field.layout, out)?;
        write::<SHOWN>(
            ctx,
            memory,
            object + field.offset,
            field.layout,
            out,
            depth + 1,
        )?;
    }
    Ok(())
}

/// The BCS of a `MoveTypeLayout` (`specs/runtime.md`: closures).
pub(super) fn write_layout(ctx: &Context, id: LayoutId, out: &mut Vec<u8>) -> Run<()> {
    let layout = ctx.layout(id);
    if layout.nodes > MAX_CAPTURED_LAYOUT_NODES {
        return Err(Stop::status(StatusCode::VALUE_SERIALIZATION_ERROR));
    }
    check_depth(layout.depth)?;
    layout_tags(ctx, id, out);
    Ok(())
}

fn layout_tags(ctx: &Context, id: LayoutId, out: &mut Vec<u8>) {
    match &ctx.layout(id).kind {
        Kind::Bool => out.push(0),
        Kind::Int(int) => out.push(match int {
            Int::U8 => 1,
            Int::U64 => 2,
            Int::U128 => 3,
            Int::U16 => 8,
            Int::U32 => 9,
            Int::U256 => 10,
            Int::I8 => 13,
            Int::I16 => 14,
            Int::I32 => 15,
            Int::I64 => 16,
            Int::I128 => 17,
            Int::I256 => 18,
        }),
        Kind::Address => out.push(4),
        Kind::Signer => out.push(7),
        Kind::Vector(element) => {
            out.push(5);
            layout_tags(ctx, *element, out);
        }
        Kind::Struct(fields) => {
            out.extend([6, 0]);
            field_tags(ctx, fields, out);
        }
        Kind::Enum(variants) => {
            out.extend([6, 1]);
            write_uleb(out, variants.fields.len() as u64);
            variants
                .fields
                .iter()
                .for_each(|fields| field_tags(ctx, fields, out));
        }
        Kind::Closure => out.push(12),
    }
}

fn field_tags(ctx: &Context, fields: &[Field], out: &mut Vec<u8>) {
    write_uleb(out, fields.len() as u64);
    fields.iter().for_each(|f| layout_tags(ctx, f.layout, out));
}
