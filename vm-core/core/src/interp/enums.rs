//! Enums that are objects: packing and unpacking. Their tags and fields are looked at as those of other enums, through a reference to the
//! object ([`Op::Unbox`](super::op::Op::Unbox)).

use super::Interpreter;
use crate::context::ids::LayoutId;
use crate::context::layout::Kind;
use crate::memory::{Addr, object_cost};
use crate::stop::{Run, Stop};
use crate::value::live_variant;
use monomove_types::StatusCode;

impl Interpreter<'_> {
    /// Makes an enum of a variant in `dst`, its fields from `slots`.
    pub(super) fn pack_boxed(
        &mut self,
        fp: Addr,
        dst: u32,
        (layout, tag): (LayoutId, u16),
        slots: u32,
    ) -> Run<()> {
        let bytes = match &self.ctx.layout(layout).kind {
            Kind::Enum(variants) => variants.object_bytes(tag),
            _ => None,
        };
        let bytes =
            bytes.ok_or_else(|| Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR))?;
        self.reserve(object_cost(bytes))?;
        let object = self.memory.allocate(bytes, layout.variant_descriptor())?;
        self.memory.set(object, tag);
        if let Kind::Enum(variants) = &self.ctx.layout(layout).kind {
            let slots = &self.code.instance(self.instance).slot_lists[slots as usize];
            for (field, slot) in variants.of(tag).unwrap_or_default().iter().zip(slots) {
                let size = self.ctx.layout(field.layout).size;
                self.memory.copy(object + field.offset, fp + slot, size);
            }
        }
        self.memory.set(fp + dst, object);
        Ok(())
    }

    /// Takes the enum in `src` apart, which must be of a variant; its fields go to `slots`.
    pub(super) fn unpack_boxed(
        &mut self,
        fp: Addr,
        src: u32,
        (layout, tag): (LayoutId, u16),
        slots: u32,
    ) -> Run<()> {
        let Kind::Enum(variants) = &self.ctx.layout(layout).kind else {
            return Err(Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR));
        };
        let live = live_variant(self.memory, variants, fp + src)?;
        if live.tag != tag {
            return Err(Stop::status(StatusCode::STRUCT_VARIANT_MISMATCH));
        }
        let slots = &self.code.instance(self.instance).slot_lists[slots as usize];
        for (field, slot) in live.fields.iter().zip(slots) {
            let size = self.ctx.layout(field.layout).size;
            self.memory.copy(fp + slot, live.at + field.offset, size);
        }
        Ok(())
    }
}
