//! Values, objects and types in the memory of a replayed state, seen with the machine that recorded it.

use super::format::Trace;
use super::replay::Replay;
use crate::StateView;
use crate::context::Context;
use crate::context::closure::{ClosureId, ClosureKind};
use crate::context::ids::{LayoutId, TypeId};
use crate::context::layout::{Field, Kind, Layout, TAG_BYTES, Variants};
use crate::context::types::TypeNode;
use crate::machine::Machine;
use crate::memory::{Addr, HEADER_BYTES, MAX_ALIGN, Memory};
use crate::paranoid::values;
use crate::value::{VectorHeader, bcs, closure, live_variant};
use monomove_types::{AbilitySet, TypeTag};
use std::ops::Deref;

/// Parts of one value that are looked at before it counts as unreadable.
const MAX_PARTS: u32 = 1 << 20;

/// A machine whose memory holds the state of a replay ([`Machine::show`]). Its code context still is that of the run, so that types keep their numbers.
#[derive(Debug)]
pub struct Inspector<'m> {
    machine: &'m mut Machine,
}

/// An object of the heap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeapObject {
    /// Address of its first byte, behind its header.
    pub address: u32,
    /// Bytes.
    pub size: u32,
    /// The type of the value it holds, or of the elements that are stored in it; `None` for what has no type of its own.
    pub ty: Option<TypeTag>,
    /// Bytes of one value of the type; all bytes of an object with the live variant of an enum, 0 for a function value.
    pub unit: u32,
    /// Whether it is what a function value points to.
    pub is_function: bool,
}

/// A part of a value: a field, or a word of a vector's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Bytes from the start of the value.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// Its type.
    pub ty: TypeTag,
    /// Number of its type ([`TypeShape::id`]), if it is a compound one.
    pub type_id: Option<u32>,
    /// Whether its bytes are its value: no pointers.
    pub plain: bool,
    /// Whether it is a pointer itself.
    pub pointer: bool,
}

/// A type of the context, and how its values lie in memory as far as the run had to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeShape {
    /// Its number in the context of this machine.
    pub id: u32,
    /// The type.
    pub tag: TypeTag,
    /// Its abilities.
    pub abilities: AbilitySet,
    /// Bytes and alignment of a value, if its layout was made.
    pub layout: Option<(u32, u32)>,
    /// Whether a value is a pointer to an object, in which its parts lie.
    pub boxed: bool,
    /// Fields of a struct (one list), or of the variants of an enum.
    pub parts: Vec<Vec<Part>>,
    /// Numbers of the compound types that it names: elements, type arguments, arguments and results of functions.
    pub names: Vec<u32>,
}

impl Machine {
    /// Puts the memory of `replay` in place of what the last call left, to be looked at with [`inspector`](Self::inspector). The replay must be
    /// that of a recording which this machine made.
    pub fn show<T>(&mut self, replay: &Replay<T>)
    where
        T: Deref<Target = Trace> + Clone,
    {
        self.memory.restore(replay.stack(), replay.heap());
    }

    /// A look at the memory that was shown last.
    pub fn inspector(&mut self) -> Inspector<'_> {
        Inspector { machine: self }
    }

    /// Every compound type that this machine has met since its context was made.
    pub fn types(&mut self, view: &mut dyn StateView) -> Vec<TypeShape> {
        self.next_transaction();
        let all = TypeId::FIRST_COMPOUND..TypeId::FIRST_COMPOUND + self.ctx.types.len() as u32;
        all.filter_map(|id| self.shape(TypeId(id), view)).collect()
    }

    fn shape(&mut self, ty: TypeId, view: &mut dyn StateView) -> Option<TypeShape> {
        let ctx = &mut self.ctx;
        let abilities = ctx.abilities(view, ty).ok()?;
        let layout = ctx.layout_if_made(ty).map(|id| ctx.layout(id).clone());
        let lists = match ctx.types.node(ty)? {
            TypeNode::Vector(element) => vec![element],
            TypeNode::Struct(_, args) => ctx.types.list(args).to_vec(),
            TypeNode::Function { args, results, .. } => {
                let mut all = ctx.types.list(args).to_vec();
                all.extend(ctx.types.list(results).iter().copied());
                all
            }
        };
        let names = lists.iter().map(|ty| ty.referent());
        Some(TypeShape {
            id: ty.0,
            tag: ctx.tag(ty).ok()?,
            abilities,
            layout: layout.as_ref().map(|layout| (layout.size, layout.align)),
            boxed: layout.as_ref().is_some_and(|layout| is_pointer(layout)),
            parts: layout.map_or_else(Vec::new, |layout| parts(ctx, &layout)),
            names: names.filter(is_compound).map(|ty| ty.0).collect(),
        })
    }
}

fn is_compound(ty: &TypeId) -> bool {
    ty.compound_index().is_some()
}

/// Whether a value is a pointer and nothing else.
fn is_pointer(layout: &Layout) -> bool {
    match &layout.kind {
        Kind::Closure => true,
        Kind::Enum(variants) => variants.is_boxed(),
        _ => false,
    }
}

fn parts(ctx: &Context, layout: &Layout) -> Vec<Vec<Part>> {
    let part = |field: &Field| {
        let layout = ctx.layout(field.layout);
        Some(Part {
            offset: field.offset,
            size: layout.size,
            ty: ctx.tag(layout.ty).ok()?,
            type_id: Some(layout.ty).filter(is_compound).map(|ty| ty.0),
            plain: layout.plain,
            pointer: is_pointer(layout),
        })
    };
    let list = |fields: &[Field]| fields.iter().filter_map(part).collect();
    match &layout.kind {
        Kind::Struct(fields) => vec![list(fields)],
        Kind::Enum(variants) => variants.fields.iter().map(|fields| list(fields)).collect(),
        _ => Vec::new(),
    }
}

impl Inspector<'_> {
    /// The BCS of the value of type `ty` at an address, which may also be that of the object of an enum; `None` if there is none, as far as
    /// can be seen. Function values that may not be stored have the form of those that may: the bytes are to be looked at only.
    pub fn value(
        &mut self,
        ty: &TypeTag,
        address: u32,
        view: &mut dyn StateView,
    ) -> Option<Vec<u8>> {
        let ctx = &mut self.machine.ctx;
        let id = ctx.type_of_tag(view, ty).ok()?;
        let layout = ctx.layout_id(view, id).ok()?;
        let memory = &self.machine.memory;
        let mut left = MAX_PARTS;
        let ctx = &self.machine.ctx;
        if let Kind::Enum(variants) = &ctx.layout(layout).kind
            && memory.is_object(address, TAG_BYTES.into(), Some(layout.variant_descriptor()))
        {
            is_sound_variant(ctx, memory, address, layout, variants, &mut left)?;
            return bcs::variant_shown(ctx, memory, address, variants).ok();
        }
        is_sound(ctx, memory, address, layout, &mut left)?;
        bcs::to_shown(ctx, memory, address, layout).ok()
    }

    /// As [`value`](Self::value), of the function value whose object is at an address, with its type.
    pub fn function(&self, object: u32) -> Option<(TypeTag, Vec<u8>)> {
        let (ctx, memory) = (&self.machine.ctx, &self.machine.memory);
        memory.object_size(object)?;
        let id = ClosureId::of_descriptor(memory.get(object - HEADER_BYTES))?;
        let kind = ctx.closures.at(id).ok()?;
        let mut left = MAX_PARTS;
        is_sound_function(ctx, memory, object, kind, &mut left)?;
        let bytes = bcs::function_shown(ctx, memory, object, kind).ok()?;
        Some((ctx.tag(kind.value_type).ok()?, bytes))
    }

    /// Bytes at an address, if they are in use.
    pub fn bytes(&self, address: u32, size: u32) -> Option<&[u8]> {
        self.machine.memory.bytes_within(address, size)
    }

    /// The objects of the heap in the order of their addresses, at most `count`, those before `from` left out.
    pub fn objects(&self, from: u32, count: usize) -> Vec<HeapObject> {
        let memory = &self.machine.memory;
        let (mut at, end) = (memory.heap_start(), memory.heap_top());
        let mut objects = Vec::new();
        while at.saturating_add(HEADER_BYTES) <= end && objects.len() < count {
            let address = at + HEADER_BYTES;
            let Some(size) = memory.object_size(address) else {
                break;
            };
            at = address + size.next_multiple_of(MAX_ALIGN);
            if address < from {
                continue;
            }
            objects.push(self.describe(address, size));
        }
        objects
    }

    /// The object that starts at an address.
    pub fn object(&self, address: u32) -> Option<HeapObject> {
        let size = self.machine.memory.object_size(address)?;
        Some(self.describe(address, size))
    }

    fn describe(&self, address: u32, size: u32) -> HeapObject {
        let (ctx, memory) = (&self.machine.ctx, &self.machine.memory);
        let descriptor: u32 = memory.get(address - HEADER_BYTES);
        let function = ClosureId::of_descriptor(descriptor);
        let kind = function.and_then(|id| ctx.closures.at(id).ok());
        let variant_of = LayoutId::of_variant_descriptor(descriptor);
        let layout = ctx.known_layout(variant_of.unwrap_or(LayoutId(descriptor)));
        let ty = kind.map_or(layout.map(|layout| layout.ty), |kind| Some(kind.value_type));
        HeapObject {
            address,
            size,
            ty: ty.and_then(|ty| ctx.tag(ty).ok()),
            unit: match (variant_of, layout) {
                (Some(_), _) => size,
                (None, layout) => layout.map_or(0, |layout| layout.size),
            },
            is_function: kind.is_some(),
        }
    }
}

/// Whether an object holds a variant of the enum, and everything that the variant owns lies in the heap.
fn is_sound_variant(
    ctx: &Context,
    memory: &Memory,
    object: Addr,
    id: LayoutId,
    variants: &Variants,
    left: &mut u32,
) -> Option<()> {
    let live = values::boxed_at(memory, object, id, variants).ok()?;
    let mut fields = live.fields.iter();
    fields.try_for_each(|f| is_sound(ctx, memory, object + f.offset, f.layout, left))
}

/// Whether everything that the value at `at` owns lies in the heap. Bytes that hold no value (yet) may look like anything.
fn is_sound(ctx: &Context, memory: &Memory, at: Addr, id: LayoutId, left: &mut u32) -> Option<()> {
    *left = left.checked_sub(1)?;
    let layout = ctx.known_layout(id)?;
    memory.bytes_within(at, layout.size)?;
    let all = |fields: &[Field], base: Addr, left: &mut u32| {
        let mut fields = fields.iter();
        fields.try_for_each(|f| is_sound(ctx, memory, base + f.offset, f.layout, left))
    };
    match &layout.kind {
        Kind::Bool | Kind::Int(_) | Kind::Address | Kind::Signer => Some(()),
        Kind::Vector(element) => {
            let header = VectorHeader::read(memory, at);
            let inner = ctx.known_layout(*element)?;
            let bytes = u64::from(header.len) * u64::from(inner.size);
            let stored = bytes == 0 || memory.is_object(header.storage, bytes, None);
            if !stored || header.len > header.capacity {
                return None;
            }
            if inner.plain && !matches!(inner.kind, Kind::Enum(_) | Kind::Struct(_)) {
                return Some(());
            }
            let mut elements = 0..header.len;
            elements.try_for_each(|i| {
                is_sound(ctx, memory, header.storage + i * inner.size, *element, left)
            })
        }
        Kind::Struct(fields) => all(fields, at, left),
        Kind::Enum(variants) => {
            if variants.is_boxed() {
                return is_sound_variant(ctx, memory, memory.get(at), id, variants, left);
            }
            let live = live_variant(memory, variants, at).ok()?;
            all(live.fields, at, left)
        }
        Kind::Closure => {
            let object: u32 = memory.get(at);
            memory.object_size(object)?;
            let (object, kind) = closure(ctx, memory, at).ok()?;
            is_sound_function(ctx, memory, object, kind, left)
        }
    }
}

fn is_sound_function(
    ctx: &Context,
    memory: &Memory,
    object: Addr,
    kind: &ClosureKind,
    left: &mut u32,
) -> Option<()> {
    memory
        .is_object(object, u64::from(kind.size), None)
        .then_some(())?;
    let mut captured = kind.captured.iter();
    captured.try_for_each(|f| is_sound(ctx, memory, object + f.offset, f.layout, left))
}
