//! Whether values are well formed: headers of vectors, tags of enums, function values. Checked before an operation follows them.

use super::failed;
use crate::context::Context;
use crate::context::closure::{CAPTURED_OFFSET, ClosureId, ClosureKind};
use crate::context::ids::LayoutId;
use crate::context::layout::{Kind, MAX_VALUE_DEPTH, TAG_BYTES, Variants};
use crate::memory::{Addr, Memory};
use crate::stop::Run;
use crate::value::{LiveVariant, VectorHeader, live_variant, variant_at};
use std::rc::Rc;

/// The element layout of a vector layout.
pub(crate) fn element_of(ctx: &Context, id: LayoutId) -> Option<LayoutId> {
    match ctx.layout(id).kind {
        Kind::Vector(element) => Some(element),
        _ => None,
    }
}

/// The header of the vector at `addr`, which lies in the region: no more elements than room, and the room is that of an object.
pub(crate) fn header(
    ctx: &Context,
    memory: &Memory,
    addr: Addr,
    element: LayoutId,
) -> Run<VectorHeader> {
    let header = VectorHeader::read(memory, addr);
    if header.len > header.capacity {
        return Err(failed("a vector is longer than its capacity"));
    }
    let bytes = u64::from(header.capacity) * u64::from(ctx.layout(element).size);
    if bytes > 0 && !memory.is_object(header.storage, bytes, Some(element.0)) {
        return Err(failed("the elements of a vector are not an object"));
    }
    Ok(header)
}

/// Object and kind of the function value at `addr`, which lies in the region.
pub(crate) fn function<'a>(
    ctx: &'a Context,
    memory: &Memory,
    addr: Addr,
) -> Run<(Addr, &'a Rc<ClosureKind>)> {
    let object: Addr = memory.get(addr);
    let bad = || failed("a function value is not an object");
    if !memory.is_object(object, u64::from(CAPTURED_OFFSET), None) {
        return Err(bad());
    }
    let id = ClosureId(memory.get(object));
    let kind = ctx.closures.at(id)?;
    if memory.is_object(object, u64::from(kind.size), Some(id.descriptor())) {
        Ok((object, kind))
    } else {
        Err(bad())
    }
}

/// The live variant of the boxed enum at `addr`, which lies in the region: an object as large as the variant.
pub(crate) fn boxed<'a>(
    memory: &Memory,
    addr: Addr,
    id: LayoutId,
    variants: &'a Variants,
) -> Run<LiveVariant<'a>> {
    boxed_at(memory, memory.get(addr), id, variants)
}

/// The variant that the object of an enum holds.
pub(crate) fn boxed_at<'a>(
    memory: &Memory,
    object: Addr,
    id: LayoutId,
    variants: &'a Variants,
) -> Run<LiveVariant<'a>> {
    let is_object =
        |bytes: u32| memory.is_object(object, bytes.into(), Some(id.variant_descriptor()));
    let bad = || failed("an enum is not an object");
    if !is_object(TAG_BYTES) {
        return Err(bad());
    }
    let live = variant_at(memory, variants, object)?;
    match variants.object_bytes(live.tag) {
        Some(bytes) if is_object(bytes) => Ok(live),
        _ => Err(bad()),
    }
}

/// Walks the value at `addr`, which lies in the region. What is nested too deep for any operation is not looked at.
pub(crate) fn check(ctx: &Context, memory: &Memory, addr: Addr, id: LayoutId) -> Run<()> {
    walk(ctx, memory, addr, id, 1)
}

fn walk(ctx: &Context, memory: &Memory, addr: Addr, id: LayoutId, depth: u32) -> Run<()> {
    let layout = ctx.layout(id);
    if depth > MAX_VALUE_DEPTH {
        return Ok(());
    }
    let mut at = addr;
    let fields = match &layout.kind {
        Kind::Bool | Kind::Int(_) | Kind::Address | Kind::Signer => return Ok(()),
        Kind::Struct(_) if layout.plain => return Ok(()),
        Kind::Vector(element) => {
            let header = header(ctx, memory, addr, *element)?;
            let inner = ctx.layout(*element);
            if inner.plain {
                return Ok(());
            }
            return (0..header.len).try_for_each(|i| {
                walk(
                    ctx,
                    memory,
                    header.storage + i * inner.size,
                    *element,
                    depth + 1,
                )
            });
        }
        Kind::Struct(fields) => &**fields,
        Kind::Enum(variants) => {
            let live = match variants.is_boxed() {
                true => boxed(memory, addr, id, variants)?,
                false => live_variant(memory, variants, addr)?,
            };
            at = live.at;
            live.fields
        }
        Kind::Closure => {
            let (object, kind) = function(ctx, memory, addr)?;
            return kind
                .captured
                .iter()
                .try_for_each(|f| walk(ctx, memory, object + f.offset, f.layout, depth + 1));
        }
    };
    fields
        .iter()
        .try_for_each(|f| walk(ctx, memory, at + f.offset, f.layout, depth + 1))
}
