//! BCS into flat values, outside of the transaction's memory: nothing on the heap is half done when decoding fails.

use super::bcs::{CLOSURE_ELEMENTS, CLOSURE_FORMAT, write_layout};
use super::check_depth;
use super::image::Image;
use crate::StateView;
use crate::context::Context;
use crate::context::ids::{LayoutId, ModuleRef, NameId, TypeId, TypeListId};
use crate::context::layout::{Field, Kind};
use crate::context::types::TypeNode;
use crate::lower::closure::stored_kind;
use crate::lower::code::Code;
use crate::stop::{Run, Stop};
use monomove_types::StatusCode;
use monomove_types::codec::{Cursor, read_uleb};

/// Vectors are shorter than this in BCS.
const MAX_LENGTH: u64 = i32::MAX as u64;

/// Why bytes did not become a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// The bytes are not the BCS of a value of the type: offset of the first bad byte.
    Malformed(usize),
    /// The machine stopped: out of memory, too deep, code that is not there.
    Stop(Stop),
}

impl From<Stop> for DecodeError {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// What decoding reads and extends: function values name functions, which have to be looked up.
pub(crate) struct Decoder<'a> {
    pub(crate) ctx: &'a mut Context,
    pub(crate) view: &'a mut dyn StateView,
    pub(crate) code: &'a mut Code,
    /// Bytes that a value may own on the heap.
    pub(crate) limit: u32,
}

impl Decoder<'_> {
    /// Decodes all of `bytes` into a value.
    pub(crate) fn decode(&mut self, layout: LayoutId, bytes: &[u8]) -> Result<Image, DecodeError> {
        let image = Image::new(self.ctx.layout(layout).size, self.limit);
        let mut reader = Reader {
            decoder: self,
            image,
            bytes,
            at: 0,
        };
        reader.read(0, layout, 1)?;
        if reader.at == bytes.len() {
            Ok(reader.image)
        } else {
            Err(DecodeError::Malformed(reader.at))
        }
    }
}

struct Reader<'a, 'b> {
    decoder: &'a mut Decoder<'b>,
    image: Image,
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_, '_> {
    fn malformed<T>(&self) -> Result<T, DecodeError> {
        Err(DecodeError::Malformed(self.at))
    }

    /// Copies the next bytes to `place`.
    fn take(&mut self, place: u32, size: u32) -> Result<(), DecodeError> {
        match self.bytes.get(self.at..self.at + size as usize) {
            Some(slice) => {
                self.image.bytes_mut(place, size).copy_from_slice(slice);
                self.at += size as usize;
                Ok(())
            }
            None => self.malformed(),
        }
    }

    fn bools(&self, len: usize) -> Result<(), DecodeError> {
        match self.bytes.get(self.at..self.at + len) {
            Some(bytes) if bytes.iter().all(|b| *b < 2) => Ok(()),
            _ => self.malformed(),
        }
    }

    fn uleb(&mut self, max: u64) -> Result<u64, DecodeError> {
        match read_uleb(&self.bytes[self.at..], max) {
            Ok((value, len)) => {
                self.at += len;
                Ok(value)
            }
            Err(_) => self.malformed(),
        }
    }

    fn allocate(&mut self, size: u32, descriptor: u32) -> Result<u32, DecodeError> {
        Ok(self.image.allocate(size, descriptor).map_err(Stop::from)?)
    }

    fn read(&mut self, place: u32, id: LayoutId, depth: u32) -> Result<(), DecodeError> {
        check_depth(depth)?;
        let layout = self.decoder.ctx.layout(id).clone();
        match &layout.kind {
            Kind::Bool => {
                self.bools(1)?;
                self.take(place, 1)
            }
            Kind::Int(_) | Kind::Address => self.take(place, layout.size),
            // No signer is made out of bytes.
            Kind::Signer => self.malformed(),
            Kind::Vector(element) => self.vector(place, *element, depth),
            Kind::Struct(fields) => self.fields(place, fields, depth),
            Kind::Enum(variants) => {
                let tag = self.uleb(u64::from(u16::MAX))? as u16;
                let Some(fields) = variants.of(tag) else {
                    return self.malformed();
                };
                let at = match variants.object_bytes(tag) {
                    Some(bytes) => {
                        let object = self.allocate(bytes, id.variant_descriptor())?;
                        self.image.set_pointer(place, object);
                        object
                    }
                    None => place,
                };
                // Bytes that belong to no field of this variant are never read, but they are copied: they are zero.
                let to = self.image.bytes_mut(at, 2);
                to.copy_from_slice(&tag.to_le_bytes());
                self.fields(at, fields, depth)
            }
            Kind::Closure => self.closure(place, layout.ty, depth),
        }
    }

    fn fields(&mut self, place: u32, fields: &[Field], depth: u32) -> Result<(), DecodeError> {
        fields
            .iter()
            .try_for_each(|f| self.read(place + f.offset, f.layout, depth + 1))
    }

    fn vector(&mut self, place: u32, element: LayoutId, depth: u32) -> Result<(), DecodeError> {
        let len = self.uleb(MAX_LENGTH)? as u32;
        // Every value has at least one byte in BCS: a longer vector cannot be complete.
        if len as usize > self.bytes.len() - self.at {
            return self.malformed();
        }
        let inner = self.decoder.ctx.layout(element).clone();
        let total = len
            .checked_mul(inner.size)
            .ok_or_else(|| DecodeError::Stop(Stop::status(StatusCode::MEMORY_LIMIT_EXCEEDED)))?;
        let scalar = matches!(inner.kind, Kind::Bool | Kind::Int(_) | Kind::Address);
        if scalar && total as usize > self.bytes.len() - self.at {
            return self.malformed();
        }
        self.image.set(place + 4, len);
        self.image.set(place + 8, len);
        let storage = if total == 0 {
            place
        } else {
            let storage = self.allocate(total, element.0)?;
            self.image.set_pointer(place, storage);
            storage
        };
        if scalar {
            if len > 0 {
                check_depth(depth + 1)?;
            }
            if inner.kind == Kind::Bool {
                self.bools(len as usize)?;
            }
            return self.take(storage, total);
        }
        (0..len).try_for_each(|i| self.read(storage + i * inner.size, element, depth + 1))
    }

    /// A function value; its function must exist with the type that is asked for, and what it captured must fit the parameters.
    fn closure(&mut self, place: u32, ty: TypeId, depth: u32) -> Result<(), DecodeError> {
        let start = self.at;
        let bytes = self.bytes;
        let mut cursor = Cursor::new(&bytes[start..]);
        let bad = |_| DecodeError::Malformed(start);
        let elements = cursor.uleb(CLOSURE_ELEMENTS + 2 * 64).map_err(bad)?;
        let format = cursor.array::<2>().map_err(bad)?;
        let module = cursor.module_id().map_err(bad)?;
        let name = cursor.identifier().map_err(bad)?;
        let ty_args = cursor.sequence(|c| c.type_tag()).map_err(bad)?;
        let mask = cursor.u64().map_err(bad)?;
        self.at = start + cursor.offset();
        if u16::from_le_bytes(format) != CLOSURE_FORMAT
            || elements != CLOSURE_ELEMENTS + 2 * u64::from(mask.count_ones())
        {
            return Err(DecodeError::Malformed(start));
        }
        let Decoder {
            ctx, view, code, ..
        } = &mut *self.decoder;
        let ty_args = ty_args
            .iter()
            .map(|tag| ctx.type_of_tag(*view, tag))
            .collect::<Run<Vec<_>>>()?;
        let function: (ModuleRef, NameId, TypeListId) = (
            ctx.module_ref(&module)?,
            ctx.types.name(name.as_str()).map_err(Stop::from)?,
            { ctx.types.list_id(&ty_args).map_err(Stop::from)? },
        );
        let kind_id = stored_kind(ctx, *view, code, function, mask)?;
        let kind = ctx.closures.at(kind_id)?.clone();
        if !kind.storable || !same_signature(ctx, ty, kind.value_type) {
            return Err(DecodeError::Malformed(start));
        }
        self.image.set_has_functions();
        let object = self.allocate(kind.size, kind_id.descriptor())?;
        self.image.set(object, kind_id.0);
        for field in &kind.captured {
            let mut expected = Vec::new();
            write_layout(self.decoder.ctx, field.layout, &mut expected)?;
            if !self.bytes[self.at..].starts_with(&expected) {
                return self.malformed();
            }
            self.at += expected.len();
            self.read(object + field.offset, field.layout, depth + 1)?;
        }
        self.image.set_pointer(place, object);
        Ok(())
    }
}

/// Whether two function types take and return the same.
fn same_signature(ctx: &Context, a: TypeId, b: TypeId) -> bool {
    match (ctx.types.node(a), ctx.types.node(b)) {
        (
            Some(TypeNode::Function { args, results, .. }),
            Some(TypeNode::Function {
                args: other_args,
                results: other_results,
                ..
            }),
        ) => (args, results) == (other_args, other_results),
        _ => false,
    }
}
