//! Instructions on global storage.

use super::Interpreter;
use crate::cached::CachedValue;
use crate::context::ids::LayoutId;
use crate::globals::{GlobalKey, GlobalSlot, state_key};
use crate::memory::{Addr, object_cost};
use crate::stop::{Run, Stop};
use crate::value::decode::DecodeError;
use crate::value::image::Image;
use crate::value::shared::{SHARED_FROM, image_of};
use crate::{FlatValue, ValueToken, WriteOp};
use monomove_types::{AccountAddress, StateKey, StatusCode};
use std::rc::Rc;

/// Bytes that are read are charged for in multiples of this.
const READ_UNIT: u64 = 4096;

impl Interpreter<'_> {
    /// The slot of a global value, loaded at first touch. Second: bytes read from the state just now.
    pub(crate) fn global(
        &mut self,
        key: GlobalKey,
        layout: LayoutId,
    ) -> Run<(GlobalSlot, Option<usize>)> {
        if let Some(slot) = self.globals.find(&key) {
            // An item of a table has one type; only a forged handle leads here with another.
            if self.globals.layout(slot) != layout {
                return Err(Stop::with_message(
                    StatusCode::INTERNAL_TYPE_ERROR,
                    "a table item is used as a value of another type",
                ));
            }
            return Ok((slot, None));
        }
        let Some(value) = self.stored(&key, layout)? else {
            return Ok((self.globals.add(key, layout, None, None), Some(0)));
        };
        self.reserve(value.image.cost_as_object())?;
        let object = value.image.put_object(self.memory, layout.0)?;
        let read = value.bytes.len();
        let slot = (self.globals).add(key, layout, Some(object), Some(value.bytes));
        Ok((slot, Some(read)))
    }

    /// The value that the state has, decoded unless it was before.
    fn stored(&mut self, key: &GlobalKey, layout: LayoutId) -> Run<Option<CachedValue>> {
        if let Some(value) = self.values.find(key).filter(|v| v.layout == layout)
            && self.view.is_same_value(value.token)?
        {
            let value = value.clone();
            self.values.hit();
            return Ok(Some(value));
        }
        let found = self.view.tokened_value(&state_key(self.ctx, key)?)?;
        let Some((token, bytes)) = found else {
            return Ok(None);
        };
        // The same bytes under a new token: another view, or one that forgot.
        if let Some(value) = self.values.rename(key, layout, token, &bytes) {
            return Ok(Some(value));
        }
        let image = self.flat(layout, token, &bytes)?;
        let value = CachedValue {
            layout,
            token,
            image: Rc::new(image),
            bytes: bytes.into(),
        };
        self.values.add(key, value.clone());
        Ok(Some(value))
    }

    /// The value with these bytes: a large one as another instance made it, if one did; else decoded, and given to the others.
    fn flat(&mut self, layout: LayoutId, token: ValueToken, bytes: &[u8]) -> Run<Image> {
        let mut shape = None;
        if bytes.len() >= SHARED_FROM
            && token != ValueToken::NONE
            && let Some(own) = self.values.shape(self.ctx, layout)
        {
            match self.view.flat_value(token)? {
                FlatValue::Here(image) => {
                    let size = self.ctx.layout(layout).size;
                    if let Some(image) = own.open(&image, size, self.memory.heap_limit()) {
                        self.values.came_flat();
                        return Ok(image);
                    }
                    shape = Some(own);
                }
                FlatValue::Missing => shape = Some(own),
                FlatValue::Unwanted => {}
            }
        }
        self.values.decoded();
        let image = self.decode(layout, bytes).map_err(|error| match error {
            DecodeError::Malformed(at) => Stop::with_message(
                StatusCode::FAILED_TO_DESERIALIZE_RESOURCE,
                format!("the stored value is malformed at byte {at}"),
            ),
            DecodeError::Stop(stop) => stop,
        });
        if let Some(shape) = shape {
            let closed = image.as_ref().ok().and_then(|image| shape.close(image));
            self.view.share_value(token, closed.as_deref());
        }
        image
    }

    /// Gives the embedder images of the large values among `writes`, the changes of this session.
    pub(crate) fn share_written(&mut self, writes: &[(StateKey, WriteOp)]) -> Run<()> {
        let large = |op: &WriteOp| match op {
            WriteOp::Create(bytes) | WriteOp::Modify(bytes) => bytes.len() >= SHARED_FROM,
            WriteOp::Delete => false,
        };
        if !writes.iter().any(|(_, op)| large(op)) || !self.view.wants_flat_values() {
            return Ok(());
        }
        for (key, object, layout) in self.globals.touched() {
            let key = state_key(self.ctx, key)?;
            let found = writes.binary_search_by(|(written, _)| written.cmp(&key));
            let Some((_, op @ (WriteOp::Create(bytes) | WriteOp::Modify(bytes)))) =
                found.ok().and_then(|at| writes.get(at))
            else {
                continue;
            };
            if large(op)
                && let Some(shape) = self.values.shape(self.ctx, layout)
                && let Some(image) = shape.close(&image_of(self.ctx, self.memory, object, layout)?)
            {
                self.view.share_written(&key, bytes, &image);
            }
        }
        Ok(())
    }

    pub(crate) fn address_at(&self, addr: Addr) -> AccountAddress {
        AccountAddress(self.memory.get(addr))
    }

    fn resource(&mut self, address: Addr, layout: LayoutId, writing: bool) -> Run<GlobalSlot> {
        self.check_unlocked()?;
        let (address, ty) = (self.address_at(address), self.ctx.layout(layout).ty);
        self.check_access(ty, address, writing)?;
        let (slot, read) = self.global(GlobalKey::Resource(address, ty), layout)?;
        if let Some(bytes) = read
            && self.io.is_some()
        {
            self.charge_read(bytes as u64)?;
        }
        Ok(slot)
    }

    /// Charges for a resource that was read from the state.
    #[cold]
    fn charge_read(&mut self, bytes: u64) -> Run<()> {
        let gas = self.schedule;
        let pages = bytes.next_multiple_of(READ_UNIT);
        self.charge_io(
            gas.storage_io_per_state_byte_read
                .saturating_mul(pages)
                .saturating_add(gas.storage_io_per_state_slot_read),
        )
    }

    pub(super) fn exists(&mut self, address: Addr, layout: LayoutId) -> Run<bool> {
        let slot = self.resource(address, layout, false)?;
        Ok(self.globals.object(slot).is_some())
    }

    pub(super) fn borrow_global(
        &mut self,
        address: Addr,
        layout: LayoutId,
        mutable: bool,
    ) -> Run<Addr> {
        let slot = self.resource(address, layout, mutable)?;
        let object = self
            .globals
            .object(slot)
            .ok_or_else(|| Stop::status(StatusCode::MISSING_DATA))?;
        if mutable {
            self.globals.touch(slot);
        }
        Ok(object)
    }

    pub(super) fn move_from(&mut self, dst: Addr, address: Addr, layout: LayoutId) -> Run<()> {
        let slot = self.resource(address, layout, true)?;
        let object = self
            .globals
            .object(slot)
            .ok_or_else(|| Stop::status(StatusCode::MISSING_DATA))?;
        self.memory.copy(dst, object, self.ctx.layout(layout).size);
        self.globals.set(slot, None);
        Ok(())
    }

    pub(super) fn move_to(&mut self, address: Addr, src: Addr, layout: LayoutId) -> Run<()> {
        let slot = self.resource(address, layout, true)?;
        if self.globals.object(slot).is_some() {
            return Err(Stop::status(StatusCode::RESOURCE_ALREADY_EXISTS));
        }
        let object = self.store(src, layout)?;
        self.globals.set(slot, Some(object));
        Ok(())
    }

    /// Moves the value at `src`, which lies in a frame, into an object of its own.
    pub(crate) fn store(&mut self, src: Addr, layout: LayoutId) -> Run<Addr> {
        let size = self.ctx.layout(layout).size;
        self.reserve(object_cost(size))?;
        let object = self.memory.allocate(size, layout.0)?;
        self.memory.copy(object, src, size);
        Ok(object)
    }
}
