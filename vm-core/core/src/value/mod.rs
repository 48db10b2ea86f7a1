//! Operations on flat values, directed by their layouts: copy, compare, measure, serialize.
//!
//! The recursion follows the value; its depth is limited to `MAX_VALUE_DEPTH`.

pub(crate) mod bcs;
pub(crate) mod compare;
pub(crate) mod decode;
pub(crate) mod image;
pub(crate) mod shared;

use crate::context::Context;
use crate::context::closure::{ClosureId, ClosureKind};
use crate::context::ids::LayoutId;
use crate::context::layout::{Field, Int, Kind, MAX_VALUE_DEPTH, SIGNER_UNITS, UNIT, Variants};
use crate::memory::{Addr, Memory, object_cost};
use crate::stop::{Run, Stop};
use monomove_types::StatusCode;

/// The header of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VectorHeader {
    pub(crate) storage: Addr,
    pub(crate) len: u32,
    pub(crate) capacity: u32,
}

impl VectorHeader {
    #[inline(always)]
    pub(crate) fn read(memory: &Memory, addr: Addr) -> Self {
        Self {
            storage: memory.get(addr),
            len: memory.get(addr + 4),
            capacity: memory.get(addr + 8),
        }
    }

    #[inline(always)]
    pub(crate) fn write(self, memory: &mut Memory, addr: Addr) {
        memory.set(addr, self.storage);
        memory.set(addr + 4, self.len);
        memory.set(addr + 8, self.capacity);
    }
}

/// A value lies deeper than values may.
pub(crate) fn check_depth(depth: u32) -> Run<()> {
    if depth > MAX_VALUE_DEPTH {
        Err(Stop::status(StatusCode::VM_MAX_VALUE_DEPTH_REACHED))
    } else {
        Ok(())
    }
}

/// Bytes that a vector whose elements take `bytes` in all has on the heap.
pub(crate) fn storage_cost(bytes: u64) -> Run<u64> {
    match u32::try_from(bytes) {
        Ok(0) => Ok(0),
        Ok(bytes) => Ok(object_cost(bytes)),
        Err(_) => Err(Stop::status(StatusCode::MEMORY_LIMIT_EXCEEDED)),
    }
}

/// Writes a vector of `bytes` (elements that are plain bytes of `size` each) to `addr`. There must be room on the heap.
pub(crate) fn write_vector(
    memory: &mut Memory,
    addr: Addr,
    element: LayoutId,
    size: u32,
    bytes: &[u8],
) -> Run<()> {
    let out_of_memory = || Stop::status(StatusCode::MEMORY_LIMIT_EXCEEDED);
    let total = u32::try_from(bytes.len()).map_err(|_| out_of_memory())?;
    let len = total / size.max(1);
    let storage = if total == 0 {
        0
    } else {
        memory.allocate(total, element.0)?
    };
    memory.bytes_mut(storage, total).copy_from_slice(bytes);
    VectorHeader {
        storage,
        len,
        capacity: len,
    }
    .write(memory, addr);
    Ok(())
}

/// The bytes of a `vector<u8>` whose header is at `addr`.
pub(crate) fn byte_vector(memory: &Memory, addr: Addr) -> &[u8] {
    let header = VectorHeader::read(memory, addr);
    memory.bytes(header.storage, header.len)
}

/// The object and kind of the function value at `addr`.
pub(crate) fn closure<'a>(
    ctx: &'a Context,
    memory: &Memory,
    addr: Addr,
) -> Run<(Addr, &'a std::rc::Rc<ClosureKind>)> {
    let object: Addr = memory.get(addr);
    Ok((object, ctx.closures.at(ClosureId(memory.get(object)))?))
}

/// The live variant of an enum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LiveVariant<'a> {
    /// Where the tag lies, from which the offsets of the fields count: the value, or the object that it points to.
    pub(crate) at: Addr,
    pub(crate) tag: u16,
    pub(crate) fields: &'a [Field],
}

/// The live variant of the enum at `addr`.
pub(crate) fn live_variant<'a>(
    memory: &Memory,
    variants: &'a Variants,
    addr: Addr,
) -> Run<LiveVariant<'a>> {
    let at = if variants.is_boxed() {
        memory.get(addr)
    } else {
        addr
    };
    variant_at(memory, variants, at)
}

/// The variant whose tag lies at `at`.
pub(crate) fn variant_at<'a>(
    memory: &Memory,
    variants: &'a Variants,
    at: Addr,
) -> Run<LiveVariant<'a>> {
    let tag: u16 = memory.get(at);
    let fields = variants.of(tag).ok_or_else(no_variant)?;
    Ok(LiveVariant { at, tag, fields })
}

/// Bytes that an enum of this variant takes on the heap besides what its fields own.
pub(crate) fn variant_cost(variants: &Variants, tag: u16) -> u64 {
    variants.object_bytes(tag).map_or(0, object_cost)
}

/// Starts an enum of layout `id` at `addr` with a variant: writes the tag, and says from where the offsets of the fields count. There must be
/// room on the heap: [`variant_cost`].
pub(crate) fn begin_variant(
    memory: &mut Memory,
    variants: &Variants,
    id: LayoutId,
    addr: Addr,
    tag: u16,
) -> Run<Addr> {
    let at = match variants.object_bytes(tag) {
        Some(bytes) => {
            let object = memory.allocate(bytes, id.variant_descriptor())?;
            memory.set(addr, object);
            object
        }
        None => addr,
    };
    memory.set(at, tag);
    Ok(at)
}

#[cold]
fn no_variant() -> Stop {
    Stop::with_message(
        StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR,
        "an enum has no such variant",
    )
}

/// Bytes that a copy of what the value at `addr` owns takes on the heap. The value is not deeper than values may be.
pub(crate) fn copy_cost(ctx: &Context, memory: &Memory, addr: Addr, id: LayoutId) -> Run<u64> {
    let layout = ctx.layout(id);
    if layout.plain {
        return Ok(0);
    }
    let fields_cost = |at: Addr, fields: &[Field]| {
        fields.iter().try_fold(0u64, |sum, f| {
            Ok(sum + copy_cost(ctx, memory, at + f.offset, f.layout)?)
        })
    };
    match &layout.kind {
        Kind::Vector(element) => {
            let header = VectorHeader::read(memory, addr);
            let inner = ctx.layout(*element);
            let mut cost = storage_cost(u64::from(header.len) * u64::from(inner.size))?;
            if !inner.plain {
                for i in 0..header.len {
                    cost += copy_cost(ctx, memory, header.storage + i * inner.size, *element)?;
                }
            }
            Ok(cost)
        }
        Kind::Struct(fields) => fields_cost(addr, fields),
        Kind::Enum(variants) => {
            let live = live_variant(memory, variants, addr)?;
            Ok(variant_cost(variants, live.tag) + fields_cost(live.at, live.fields)?)
        }
        Kind::Closure => {
            let (object, kind) = closure(ctx, memory, addr)?;
            Ok(object_cost(kind.size) + fields_cost(object, &kind.captured)?)
        }
        _ => Ok(0),
    }
}

/// Copies the value at `src` to `dst` with everything it owns. There must be room on the heap: [`copy_cost`].
pub(crate) fn deep_copy(
    ctx: &Context,
    memory: &mut Memory,
    dst: Addr,
    src: Addr,
    layout: LayoutId,
) -> Run<()> {
    memory.copy(dst, src, ctx.layout(layout).size);
    own(ctx, memory, dst, layout, 1)
}

/// Gives the value at `addr`, a copy of bytes so far, storage of its own.
fn own(ctx: &Context, memory: &mut Memory, addr: Addr, id: LayoutId, depth: u32) -> Run<()> {
    let layout = ctx.layout(id);
    if layout.plain && layout.depth <= MAX_VALUE_DEPTH - depth.min(MAX_VALUE_DEPTH) {
        return Ok(());
    }
    check_depth(depth)?;
    match &layout.kind {
        Kind::Vector(element) => {
            let header = VectorHeader::read(memory, addr);
            let inner = ctx.layout(*element);
            let total = header
                .len
                .checked_mul(inner.size)
                .ok_or_else(|| Stop::status(StatusCode::MEMORY_LIMIT_EXCEEDED))?;
            let storage = if total == 0 {
                0
            } else {
                memory.allocate(total, element.0)?
            };
            memory.copy(storage, header.storage, total);
            VectorHeader {
                storage,
                len: header.len,
                capacity: header.len,
            }
            .write(memory, addr);
            if !inner.plain || inner.depth + depth > MAX_VALUE_DEPTH {
                for i in 0..header.len {
                    own(ctx, memory, storage + i * inner.size, *element, depth + 1)?;
                }
            }
        }
        Kind::Struct(fields) => own_fields(ctx, memory, addr, fields, depth)?,
        Kind::Enum(variants) => {
            let live = live_variant(memory, variants, addr)?;
            let at = match variants.object_bytes(live.tag) {
                Some(bytes) => {
                    let copy = memory.allocate(bytes, id.variant_descriptor())?;
                    memory.copy(copy, live.at, bytes);
                    memory.set(addr, copy);
                    copy
                }
                None => addr,
            };
            own_fields(ctx, memory, at, live.fields, depth)?;
        }
        Kind::Closure => {
            let (object, kind) = closure(ctx, memory, addr)?;
            let id = ClosureId(memory.get(object));
            let copy = memory.allocate(kind.size, id.descriptor())?;
            memory.copy(copy, object, kind.size);
            memory.set(addr, copy);
            own_fields(ctx, memory, copy, &kind.captured, depth)?;
        }
        _ => {}
    }
    Ok(())
}

fn own_fields(
    ctx: &Context,
    memory: &mut Memory,
    addr: Addr,
    fields: &[Field],
    depth: u32,
) -> Run<()> {
    fields
        .iter()
        .try_for_each(|f| own(ctx, memory, addr + f.offset, f.layout, depth + 1))
}

/// Which vectors count their elements packed in the abstract size (`specs/gas.md`: `eq` and `neq` pack fewer types).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// `copy_loc`, `read_ref` and natives.
    All,
    /// `eq`, `neq`.
    Equality,
}

/// Abstract size of the value at `addr`.
pub(crate) fn abstract_size(
    ctx: &Context,
    memory: &Memory,
    addr: Addr,
    layout: LayoutId,
    packing: Packing,
) -> Run<u64> {
    units(ctx, memory, addr, layout, packing, 1)
}

fn units(
    ctx: &Context,
    memory: &Memory,
    addr: Addr,
    id: LayoutId,
    packing: Packing,
    depth: u32,
) -> Run<u64> {
    let layout = ctx.layout(id);
    if let Some(fixed) = layout.fixed_units
        && layout.depth <= MAX_VALUE_DEPTH - depth.min(MAX_VALUE_DEPTH)
    {
        return Ok(fixed);
    }
    check_depth(depth)?;
    Ok(match &layout.kind {
        Kind::Bool | Kind::Int(_) | Kind::Address => UNIT,
        Kind::Signer => SIGNER_UNITS,
        Kind::Vector(element) => {
            let header = VectorHeader::read(memory, addr);
            let len = u64::from(header.len);
            let inner = ctx.layout(*element);
            match inner.kind {
                Kind::Int(int)
                    if packing == Packing::All || matches!(int, Int::U8 | Int::U64 | Int::U128) =>
                {
                    UNIT + len * u64::from(int.bytes())
                }
                Kind::Int(int) if int.is_signed() => UNIT + len * u64::from(int.bytes()),
                Kind::Bool => UNIT + len,
                Kind::Address => UNIT + len * 32,
                _ => {
                    if let Some(fixed) = inner.fixed_units
                        && inner.depth <= MAX_VALUE_DEPTH - depth
                    {
                        return Ok(UNIT + len * fixed);
                    }
                    let mut sum = UNIT;
                    for i in 0..header.len {
                        sum += units(
                            ctx,
                            memory,
                            header.storage + i * inner.size,
                            *element,
                            packing,
                            depth + 1,
                        )?;
                    }
                    sum
                }
            }
        }
        Kind::Struct(fields) => UNIT + fields_units(ctx, memory, addr, fields, packing, depth)?,
        Kind::Enum(variants) => {
            let live = live_variant(memory, variants, addr)?;
            2 * UNIT + fields_units(ctx, memory, live.at, live.fields, packing, depth)?
        }
        Kind::Closure => {
            let (object, kind) = closure(ctx, memory, addr)?;
            UNIT + fields_units(ctx, memory, object, &kind.captured, packing, depth)?
        }
    })
}

fn fields_units(
    ctx: &Context,
    memory: &Memory,
    addr: Addr,
    fields: &[Field],
    packing: Packing,
    depth: u32,
) -> Run<u64> {
    fields.iter().try_fold(0, |sum, f| {
        Ok(sum + units(ctx, memory, addr + f.offset, f.layout, packing, depth + 1)?)
    })
}
