//! The memory side of a collection: objects that are alive are copied behind the heap, one after the other, and then back to its start.
//!
//! While a collection runs, an object that was copied has a new descriptor, [`MOVED`], and its address after the collection in place of
//! its size. Pointers are set to that address at once, though the object is still behind the heap.

use super::{Addr, HEADER_BYTES, MAX_ALIGN, MOVED, Memory, SHIFT_BYTES, object_cost};

/// What dead objects are overwritten with under stress.
const DEAD_BYTE: u8 = 0xDB;

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Its address after the collection.
    pub(crate) to: Addr,
    /// Where its copy lies until then, if it was copied just now: what it points to has not been looked at.
    pub(crate) fresh: Option<Addr>,
}

impl Memory {
    /// Whether `addr` lies in the heap.
    pub(crate) fn is_heap(&self, addr: Addr) -> bool {
        (self.heap_start..self.heap_end).contains(&addr)
    }

    /// Whether `addr` lies in the frame stack.
    pub(crate) fn is_stack(&self, addr: Addr) -> bool {
        (self.start..self.stack_end).contains(&addr)
    }

    /// Begins a collection: nothing is known to be alive. Under stress, with `shift`, every object gets another address than it had, so
    /// that an address that was not set is not right by chance.
    pub(crate) fn begin_collection(&mut self, shift: bool) {
        self.survivors = 0;
        let shift = self.stress && shift && self.first == self.heap_start;
        self.next_first = self.heap_start + if shift { SHIFT_BYTES } else { 0 };
        self.figures.peak = self.figures.peak.max(self.heap_top - self.heap_start);
    }

    /// Where the object at `object` goes; it is copied if it was not yet. `None`: no object starts there.
    pub(crate) fn evacuate(&mut self, object: Addr) -> Option<Moved> {
        if let Some(to) = self.moved(object) {
            return Some(Moved { to, fresh: None });
        }
        let size = self.object_size(object)?;
        let cost = u32::try_from(object_cost(size)).ok()?;
        // More than the heap holds is only found alive if objects overlap.
        if cost > self.heap_limit() - self.survivors {
            return None;
        }
        let to = self.next_first + self.survivors + HEADER_BYTES;
        let copy = self.copy_of(to);
        let (to_header, header) = (copy - HEADER_BYTES, object - HEADER_BYTES);
        if !self.copy_short(to_header, header, cost) {
            self.copy(to_header, header, cost);
        }
        self.set(object - 8, MOVED);
        self.set(object - 4, to);
        self.survivors += cost;
        Some(Moved {
            to,
            fresh: Some(copy),
        })
    }

    /// Where an object goes that was copied already.
    pub(crate) fn moved(&self, object: Addr) -> Option<Addr> {
        let first = self.heap_start + HEADER_BYTES;
        let is_place =
            object.is_multiple_of(MAX_ALIGN) && (first..=self.heap_top).contains(&object);
        (is_place && self.get::<u32>(object - 8) == MOVED).then(|| self.get(object - 4))
    }

    /// Where the copy lies of what will be at `to`.
    pub(crate) fn copy_of(&self, to: Addr) -> Addr {
        to + (self.heap_end - self.heap_start)
    }

    /// Ends a collection: the survivors become the heap.
    pub(crate) fn finish_collection(&mut self) {
        self.heap_highest = self.heap_highest.max(self.heap_top);
        self.heap_clean = self.heap_clean.max(self.heap_top);
        self.first = self.next_first;
        self.copy(self.first, self.copy_of(self.first), self.survivors);
        self.heap_top = self.first + self.survivors;
        if self.stress {
            let dead = self.heap_clean.saturating_sub(self.heap_top);
            self.bytes_mut(self.heap_top, dead).fill(DEAD_BYTE);
        }
        self.figures.collections += 1;
        self.figures.copied += u64::from(self.survivors);
        self.figures.live = self.survivors;
    }
}
