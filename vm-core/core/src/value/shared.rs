//! Flat values that leave the instance, for other instances to copy instead of decoding the same bytes again.
//!
//! Ids of layouts mean nothing elsewhere. In a shared image each object has, in place of the id of its layout, the number of that layout in the
//! description of the value's type, and the image begins with a digest of that description. The description says all that decoding depends on: what each layout
//! is, where its fields lie, and which parts are the same layout. So where the digest is the same, the bytes decode to this image, whatever
//! the types are called and whatever code they come from.

use super::image::Image;
use super::{VectorHeader, live_variant};
use crate::context::Context;
use crate::context::ids::LayoutId;
use crate::context::layout::{Field, Kind, TAG_BYTES};
use crate::memory::{Addr, HEADER_BYTES, MAX_ALIGN, Memory, object_cost};
use crate::stop::{Run, Stop};
use sha3::{Digest, Sha3_256};
use std::collections::BTreeMap;

/// Values with fewer bytes of BCS are not shared. Measured (`what_sharing_costs_and_saves` in `tests/shared_values.rs`): giving a value costs a fifth of decoding
/// it, and taking one over saves up to three quarters of that; below this size both are less than the questions to the embedder.
pub(crate) const SHARED_FROM: usize = 512;

/// Bytes of the digest of a description.
const DIGEST_BYTES: usize = 16;

/// Bytes before the value: the digest, then the size of the value, the bytes of value and objects, the number of pointers.
const PREFIX_BYTES: usize = DIGEST_BYTES + 12;

/// What makes images of one layout the same in all instances.
#[derive(Debug)]
pub(crate) struct Shape {
    digest: [u8; DIGEST_BYTES],
    /// All layouts that a value consists of, in the order in which they are met.
    layouts: Vec<LayoutId>,
    numbers: BTreeMap<LayoutId, u32>,
}

impl Shape {
    /// The shape of a layout; `None` if its values may hold function values, whose kinds depend on code.
    pub(crate) fn of(ctx: &Context, id: LayoutId) -> Option<Self> {
        let mut description = Description {
            ctx,
            text: Vec::new(),
            layouts: Vec::new(),
            numbers: BTreeMap::new(),
        };
        description.add(id)?;
        let digest = Sha3_256::digest(&description.text);
        Some(Self {
            digest: std::array::from_fn(|i| digest[i]),
            layouts: description.layouts,
            numbers: description.numbers,
        })
    }

    /// The image as other instances can use it.
    pub(crate) fn close(&self, image: &Image) -> Option<Vec<u8>> {
        let (size, bytes, pointers) = image.parts();
        let mut shared = Vec::with_capacity(PREFIX_BYTES + bytes.len() + 4 * pointers.len());
        shared.extend_from_slice(&self.digest);
        for number in [size, bytes.len() as u32, pointers.len() as u32] {
            shared.extend_from_slice(&number.to_le_bytes());
        }
        shared.extend_from_slice(bytes);
        let value = shared.get_mut(PREFIX_BYTES..)?;
        each_object(value, size, |id| self.numbers.get(&id).copied())?;
        for at in pointers {
            shared.extend_from_slice(&at.to_le_bytes());
        }
        Some(shared)
    }

    /// The image for this instance; `None` if it is one of another shape, or not well formed. No object is left out of the check, and no pointer
    /// lies outside; what they point to is taken as it is: natively every access is checked, in wasm the sandbox is the bound.
    pub(crate) fn open(&self, shared: &[u8], size: u32, limit: u32) -> Option<Image> {
        let rest = shared.strip_prefix(&self.digest)?;
        let (numbers, rest) = rest.split_at_checked(PREFIX_BYTES - DIGEST_BYTES)?;
        let number = |i: usize| {
            let bytes = numbers.get(4 * i..4 * i + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        let (value, places) = rest.split_at_checked(number(1)? as usize)?;
        let own = size.next_multiple_of(MAX_ALIGN) as usize;
        if number(0)? != size
            || places.len() as u64 != 4 * u64::from(number(2)?)
            || value.len().checked_sub(own)? > limit as usize
        {
            return None;
        }
        let mut bytes = value.to_vec();
        each_object(&mut bytes, size, |number| {
            Some(self.layouts.get(number.0 as usize)?.0)
        })?;
        let mut pointers = Vec::with_capacity(places.len() / 4);
        for place in places.chunks_exact(4) {
            let at = u32::from_le_bytes(place.try_into().ok()?);
            if at as usize + 4 > bytes.len() {
                return None;
            }
            pointers.push(at);
        }
        Some(Image::from_parts(size, bytes, pointers, limit))
    }
}

/// Replaces the layout before each object. `None` if the bytes behind the value are not objects one after the other, or a layout has no other.
fn each_object(
    bytes: &mut [u8],
    size: u32,
    replace: impl Fn(LayoutId) -> Option<u32>,
) -> Option<()> {
    let mut at = size.next_multiple_of(MAX_ALIGN) as usize;
    while at < bytes.len() {
        let header = bytes.get_mut(at..at + HEADER_BYTES as usize)?;
        let (number, size) = header.split_at_mut(4);
        let descriptor = u32::from_le_bytes((&*number).try_into().ok()?);
        let new = match LayoutId::of_variant_descriptor(descriptor) {
            Some(id) => LayoutId(replace(id)?).variant_descriptor(),
            None => replace(LayoutId(descriptor))?,
        };
        let size = u32::from_le_bytes((&*size).try_into().ok()?);
        number.copy_from_slice(&new.to_le_bytes());
        at = at.checked_add(usize::try_from(object_cost(size)).ok()?)?;
    }
    (at == bytes.len()).then_some(())
}

/// A description under way.
struct Description<'a> {
    ctx: &'a Context,
    text: Vec<u8>,
    layouts: Vec<LayoutId>,
    numbers: BTreeMap<LayoutId, u32>,
}

impl Description<'_> {
    fn number(&mut self, number: u32) {
        self.text.extend_from_slice(&number.to_le_bytes());
    }

    /// Describes a layout, or names it if it was described before. The recursion follows the nesting of types.
    fn add(&mut self, id: LayoutId) -> Option<()> {
        if let Some(&number) = self.numbers.get(&id) {
            self.text.push(0);
            self.number(number);
            return Some(());
        }
        self.numbers.insert(id, self.layouts.len() as u32);
        self.layouts.push(id);
        let layout = self.ctx.layout(id).clone();
        let kind = match &layout.kind {
            Kind::Bool => 1,
            Kind::Int(_) => 2,
            Kind::Address => 3,
            Kind::Signer => 4,
            Kind::Vector(_) => 5,
            Kind::Struct(_) => 6,
            Kind::Enum(_) => 7,
            Kind::Closure => return None,
        };
        self.text.push(kind);
        self.number(layout.size);
        match &layout.kind {
            Kind::Vector(element) => self.add(*element)?,
            Kind::Struct(fields) => self.fields(fields)?,
            Kind::Enum(variants) => {
                self.number(variants.fields.len() as u32);
                for (tag, fields) in variants.fields.iter().enumerate() {
                    // 0: not an object, which has a tag at least.
                    self.number(variants.object_bytes(tag as u16).unwrap_or(0));
                    self.fields(fields)?;
                }
            }
            _ => {}
        }
        Some(())
    }

    fn fields(&mut self, fields: &[Field]) -> Option<()> {
        self.number(fields.len() as u32);
        for field in fields {
            self.number(field.offset);
            self.add(field.layout)?;
        }
        Some(())
    }
}

/// The image that decoding the BCS of the value at `addr` would give, which has no function values.
pub(crate) fn image_of(ctx: &Context, memory: &Memory, addr: Addr, id: LayoutId) -> Run<Image> {
    let mut taken = Taken {
        ctx,
        memory,
        image: Image::new(ctx.layout(id).size, memory.heap_limit()),
    };
    taken.value(0, addr, id)?;
    Ok(taken.image)
}

/// An image of a value in memory, under way.
struct Taken<'a> {
    ctx: &'a Context,
    memory: &'a Memory,
    image: Image,
}

impl Taken<'_> {
    fn bytes(&mut self, place: u32, addr: Addr, size: u32) {
        self.image
            .bytes_mut(place, size)
            .copy_from_slice(self.memory.bytes(addr, size));
    }

    /// The recursion follows the value, which was serialized: it is not deeper than values may be.
    fn value(&mut self, place: u32, addr: Addr, id: LayoutId) -> Run<()> {
        let layout = self.ctx.layout(id).clone();
        match &layout.kind {
            Kind::Bool | Kind::Int(_) | Kind::Address | Kind::Signer => {
                self.bytes(place, addr, layout.size);
                Ok(())
            }
            Kind::Vector(element) => self.vector(place, addr, *element),
            Kind::Struct(fields) => self.fields(place, addr, fields),
            Kind::Enum(variants) => {
                let live = live_variant(self.memory, variants, addr)?;
                let to = match variants.object_bytes(live.tag) {
                    Some(bytes) => {
                        let object = self.image.allocate(bytes, id.variant_descriptor())?;
                        self.image.set_pointer(place, object);
                        object
                    }
                    None => place,
                };
                self.bytes(to, live.at, TAG_BYTES);
                self.fields(to, live.at, live.fields)
            }
            Kind::Closure => Err(Stop::status(
                monomove_types::StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR,
            )),
        }
    }

    fn fields(&mut self, place: u32, addr: Addr, fields: &[Field]) -> Run<()> {
        fields
            .iter()
            .try_for_each(|f| self.value(place + f.offset, addr + f.offset, f.layout))
    }

    fn vector(&mut self, place: u32, addr: Addr, element: LayoutId) -> Run<()> {
        let header = VectorHeader::read(self.memory, addr);
        let inner = self.ctx.layout(element).clone();
        self.image.set(place + 4, header.len);
        self.image.set(place + 8, header.len);
        let total = header.len * inner.size;
        if total == 0 {
            return Ok(());
        }
        let storage = self.image.allocate(total, element.0)?;
        self.image.set_pointer(place, storage);
        if matches!(inner.kind, Kind::Bool | Kind::Int(_) | Kind::Address) {
            self.bytes(storage, header.storage, total);
            return Ok(());
        }
        (0..header.len).try_for_each(|i| {
            let offset = i * inner.size;
            self.value(storage + offset, header.storage + offset, element)
        })
    }
}
