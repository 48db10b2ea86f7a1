//! BCS of flat values, both ways.

use super::{VectorHeader, check_depth, live_variant};
use crate::context::Context;
use crate::context::ids::LayoutId;
use crate::context::layout::{Field, Kind};
use crate::memory::{Addr, Memory};
use crate::stop::{Run, Stop};
use monomove_types::StatusCode;
use monomove_types::codec::{read_uleb, write_uleb};

/// Vectors are shorter than this in BCS.
const MAX_LENGTH: u64 = i32::MAX as u64;

/// Appends the BCS of the value at `addr` to `out`.
pub(crate) fn serialize(ctx: &Context, memory: &Memory, addr: Addr, layout: LayoutId, out: &mut Vec<u8>) -> Run<()> {
    write(ctx, memory, addr, layout, out, 1)
}

/// The BCS of the value at `addr`.
pub(crate) fn to_bytes(ctx: &Context, memory: &Memory, addr: Addr, layout: LayoutId) -> Run<Vec<u8>> {
    let mut out = Vec::new();
    serialize(ctx, memory, addr, layout, &mut out)?;
    Ok(out)
}

fn write(ctx: &Context, memory: &Memory, addr: Addr, id: LayoutId, out: &mut Vec<u8>, depth: u32) -> Run<()> {
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
                    write(ctx, memory, header.storage + i * inner.size, *element, out, depth + 1)?;
                }
            }
        }
        Kind::Struct(fields) => write_fields(ctx, memory, addr, fields, out, depth)?,
        Kind::Enum(variants) => {
            let (tag, fields) = live_variant(memory, variants, addr)?;
            write_uleb(out, u64::from(tag));
            write_fields(ctx, memory, addr, fields, out, depth)?;
        }
        Kind::Closure => return Err(Stop::status(StatusCode::UNIMPLEMENTED_FUNCTIONALITY)),
    }
    Ok(())
}

fn write_fields(ctx: &Context, memory: &Memory, addr: Addr, fields: &[Field], out: &mut Vec<u8>, depth: u32) -> Run<()> {
    fields.iter().try_for_each(|f| write(ctx, memory, addr + f.offset, f.layout, out, depth + 1))
}

/// Why bytes did not become a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// The bytes are not the BCS of a value of the type: offset of the first bad byte.
    Malformed(usize),
    /// The machine stopped: out of memory, too deep.
    Stop(Stop),
}

impl From<Stop> for DecodeError {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// Decodes all of `bytes` into a value at `addr`. `signers` tells whether a signer may be made out of bytes.
pub(crate) fn deserialize(
    ctx: &Context,
    memory: &mut Memory,
    addr: Addr,
    layout: LayoutId,
    bytes: &[u8],
    signers: bool,
) -> Result<(), DecodeError> {
    let mut reader = Reader { ctx, memory, bytes, at: 0, signers };
    reader.read(addr, layout, 1)?;
    if reader.at == bytes.len() { Ok(()) } else { Err(DecodeError::Malformed(reader.at)) }
}

struct Reader<'a> {
    ctx: &'a Context,
    memory: &'a mut Memory,
    bytes: &'a [u8],
    at: usize,
    signers: bool,
}

impl Reader<'_> {
    fn malformed<T>(&self) -> Result<T, DecodeError> {
        Err(DecodeError::Malformed(self.at))
    }

    /// Copies the next bytes to `addr`.
    fn take(&mut self, addr: Addr, size: u32) -> Result<(), DecodeError> {
        let bytes = self.bytes;
        match bytes.get(self.at..self.at + size as usize) {
            Some(slice) => {
                self.memory.bytes_mut(addr, size).copy_from_slice(slice);
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

    fn read(&mut self, addr: Addr, id: LayoutId, depth: u32) -> Result<(), DecodeError> {
        check_depth(depth)?;
        let ctx = self.ctx;
        let layout = ctx.layout(id);
        match &layout.kind {
            Kind::Bool => {
                self.bools(1)?;
                self.take(addr, 1)
            }
            Kind::Int(_) | Kind::Address => self.take(addr, layout.size),
            Kind::Signer if self.signers => self.take(addr, layout.size),
            Kind::Signer => self.malformed(),
            Kind::Vector(element) => self.vector(addr, *element, depth),
            Kind::Struct(fields) => self.fields(addr, fields, depth),
            Kind::Enum(variants) => {
                let tag = self.uleb(u64::from(u16::MAX))? as u16;
                let Some(fields) = variants.get(usize::from(tag)) else { return self.malformed() };
                // Bytes that belong to no field of this variant are never read, but they are copied: make them definite.
                self.memory.bytes_mut(addr, layout.size).fill(0);
                self.memory.set(addr, tag);
                self.fields(addr, fields, depth)
            }
            Kind::Closure => Err(Stop::status(StatusCode::UNIMPLEMENTED_FUNCTIONALITY).into()),
        }
    }

    fn fields(&mut self, addr: Addr, fields: &[Field], depth: u32) -> Result<(), DecodeError> {
        fields.iter().try_for_each(|f| self.read(addr + f.offset, f.layout, depth + 1))
    }

    fn vector(&mut self, addr: Addr, element: LayoutId, depth: u32) -> Result<(), DecodeError> {
        let len = self.uleb(MAX_LENGTH)? as u32;
        // Every value has at least one byte in BCS: a longer vector cannot be complete.
        if len as usize > self.bytes.len() - self.at {
            return self.malformed();
        }
        let ctx = self.ctx;
        let inner = ctx.layout(element);
        let total = len
            .checked_mul(inner.size)
            .ok_or_else(|| DecodeError::Stop(Stop::status(StatusCode::MEMORY_LIMIT_EXCEEDED)))?;
        let scalar = matches!(inner.kind, Kind::Bool | Kind::Int(_) | Kind::Address);
        if scalar && total as usize > self.bytes.len() - self.at {
            return self.malformed();
        }
        let storage = if total == 0 { 0 } else { self.memory.allocate(total, element.0).map_err(Stop::from)? };
        VectorHeader { storage, len, capacity: len }.write(self.memory, addr);
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
}
