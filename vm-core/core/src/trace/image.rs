//! The recorder's image of memory: what changed is what differs from it.

use super::format::WriteColumns;
use crate::context::layout::Kind;
use crate::interp::Interpreter;
use crate::lower::code::Lowered;
use crate::lower::steps::Effect;
use crate::memory::{Addr, Memory};
use crate::value::VectorHeader;

/// Ranges up to this length are written down whole when they change; in longer ones unchanged parts are left out.
const WHOLE_BYTES: usize = 32;

/// A copy of the memory that is in use.
#[derive(Debug, Default)]
pub(super) struct Image {
    pub(super) stack_start: Addr,
    pub(super) heap_start: Addr,
    pub(super) stack: Vec<u8>,
    pub(super) heap: Vec<u8>,
}

impl Image {
    /// Writes down how `size` bytes at `addr` changed.
    #[inline]
    pub(super) fn diff(
        &mut self,
        memory: &Memory,
        writes: &mut WriteColumns,
        addr: Addr,
        size: u32,
    ) {
        let Some(new) = memory.bytes_within(addr, size) else {
            return;
        };
        let (bytes, start) = if addr < self.heap_start {
            (&mut self.stack, self.stack_start)
        } else {
            (&mut self.heap, self.heap_start)
        };
        let at = (addr - start) as usize;
        if bytes.len() < at + new.len() {
            bytes.resize(at + new.len(), 0);
        }
        let old = &mut bytes[at..at + new.len()];
        if old == new {
            return;
        }
        if new.len() <= WHOLE_BYTES {
            put(writes, addr, old, new);
        } else {
            put_changed(writes, addr, old, new);
        }
        old.copy_from_slice(new);
    }

    /// Takes in what was allocated since; returns how much.
    #[inline]
    pub(super) fn allocated(
        &mut self,
        memory: &Memory,
        writes: &mut WriteColumns,
    ) -> Option<(Addr, u32)> {
        let from = self.heap_start + self.heap.len() as u32;
        let size = memory
            .heap_top()
            .checked_sub(from)
            .filter(|&size| size > 0)?;
        self.diff(memory, writes, from, size);
        Some((from, size))
    }

    /// Takes in what a collection changed, and what was allocated since: the heap and all frames. Returns where the heap ended before and
    /// where it ends now. What lies between is zero.
    pub(super) fn collected(&mut self, memory: &Memory, writes: &mut WriteColumns) -> (Addr, Addr) {
        let before = self.heap_start + self.heap.len() as u32;
        let after = memory.heap_top();
        let size = before.max(after) - self.heap_start;
        self.diff(memory, writes, self.heap_start, size);
        self.heap.truncate((after - self.heap_start) as usize);
        self.diff(memory, writes, self.stack_start, self.stack.len() as u32);
        (before, after)
    }

    /// Is `memory` again, whatever may have been missed.
    pub(super) fn take(&mut self, memory: &Memory) {
        let (stack, heap) = (self.stack.len() as u32, self.heap.len() as u32);
        for (image, start, size) in [
            (&mut self.stack, self.stack_start, stack),
            (&mut self.heap, self.heap_start, heap),
        ] {
            if let Some(bytes) = memory.bytes_within(start, size) {
                image.copy_from_slice(bytes);
            }
        }
    }

    /// What an instruction wrote through references.
    pub(super) fn indirect(
        &mut self,
        memory: &Memory,
        writes: &mut WriteColumns,
        fp: Addr,
        effect: Effect,
    ) {
        let referent = |slot: u32| {
            let reference: u64 = memory.get(fp + slot);
            (reference as u32).wrapping_add((reference >> 32) as u32)
        };
        let header = |at: Addr| {
            memory
                .bytes_within(at, 12)
                .map(|_| VectorHeader::read(memory, at))
        };
        match effect {
            Effect::None => {}
            Effect::Referent { reference, size } => {
                self.diff(memory, writes, referent(reference), size)
            }
            Effect::Push { vector, size } => {
                let at = referent(vector);
                self.diff(memory, writes, at, 12);
                if let Some(VectorHeader { storage, len, .. }) = header(at)
                    && let Some(last) = len.checked_sub(1)
                    && storage != 0
                {
                    let place = storage.wrapping_add(last.wrapping_mul(size));
                    self.diff(memory, writes, place, size);
                    // Its storage may have grown in place.
                    self.diff(memory, writes, storage.wrapping_sub(4), 4);
                }
            }
            Effect::Pop { vector } => self.diff(memory, writes, referent(vector), 12),
            Effect::Swap { vector, i, j, size } => {
                if let Some(VectorHeader { storage, len, .. }) = header(referent(vector)) {
                    for slot in [i, j] {
                        let index: u64 = memory.get(fp + slot);
                        if index < u64::from(len) {
                            let place = storage.wrapping_add((index as u32).wrapping_mul(size));
                            self.diff(memory, writes, place, size);
                        }
                    }
                }
            }
        }
    }

    /// What a native wrote: its results, and what its mutable references refer to.
    pub(super) fn native(
        &mut self,
        run: &mut Interpreter<'_>,
        writes: &mut WriteColumns,
        fp: Addr,
        lowered: &Lowered,
    ) {
        self.diff(run.memory, writes, fp, lowered.frame);
        for (&ty, slot) in lowered.params.iter().zip(&lowered.shape.params) {
            if !ty.is_mutable_reference() {
                continue;
            }
            let reference: u64 = run.memory.get(fp + slot);
            let at = (reference as u32).wrapping_add((reference >> 32) as u32);
            let Ok(layout) = run.ctx.layout_id(run.view, ty.referent()) else {
                continue;
            };
            self.diff(run.memory, writes, at, run.ctx.layout(layout).size);
            if let Kind::Vector(element) = run.ctx.layout(layout).kind
                && run.memory.bytes_within(at, 12).is_some()
            {
                let header = VectorHeader::read(run.memory, at);
                let size = run.ctx.layout(element).size;
                let bytes = header.capacity.saturating_mul(size);
                if header.storage != 0 {
                    self.diff(run.memory, writes, header.storage.wrapping_sub(4), 4);
                    self.diff(run.memory, writes, header.storage, bytes);
                }
            }
        }
    }
}

fn put(writes: &mut WriteColumns, address: Addr, old: &[u8], new: &[u8]) {
    writes.address.push(address);
    writes.old.extend_from_slice(old);
    writes.new.extend_from_slice(new);
    writes.data_end.push(writes.new.len() as u32);
}

/// Leaves out equal stretches, by chunks.
fn put_changed(writes: &mut WriteColumns, address: Addr, old: &[u8], new: &[u8]) {
    let mut start = None;
    let chunks = old.chunks(WHOLE_BYTES).zip(new.chunks(WHOLE_BYTES));
    for (n, (a, b)) in chunks.enumerate() {
        let at = n * WHOLE_BYTES;
        match (start, a == b) {
            (None, false) => start = Some(at),
            (Some(from), true) => {
                put(
                    writes,
                    address + from as u32,
                    &old[from..at],
                    &new[from..at],
                );
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        put(writes, address + from as u32, &old[from..], &new[from..]);
    }
}
