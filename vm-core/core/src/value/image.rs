//! A value outside of the transaction's memory, as it will lie there: its own bytes, then the objects that it owns, with their headers.
//!
//! Pointers are offsets from the first object, and their places are known, so that putting the value anywhere is a copy and a
//! sweep over its pointers.

use crate::memory::{Addr, HEADER_BYTES, MAX_ALIGN, Memory, OutOfHeap, object_cost};

/// A flat value that can be put anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Image {
    bytes: Vec<u8>,
    /// Bytes of the value itself.
    size: u32,
    /// Where the pointers are in `bytes`.
    pointers: Vec<u32>,
    /// Bytes that the objects may take.
    limit: u32,
    /// Whether it holds function values: their kinds depend on code.
    has_functions: bool,
}

impl Image {
    /// A value of `size` bytes, all zero, which may own objects of up to `limit` bytes in all.
    pub(super) fn new(size: u32, limit: u32) -> Self {
        Self {
            bytes: vec![0; size.next_multiple_of(MAX_ALIGN) as usize],
            size,
            pointers: Vec::new(),
            limit,
            has_functions: false,
        }
    }

    /// A value that was put together elsewhere: its size, its bytes with the objects behind them, where the pointers are.
    pub(super) fn from_parts(size: u32, bytes: Vec<u8>, pointers: Vec<u32>, limit: u32) -> Self {
        Self {
            bytes,
            size,
            pointers,
            limit,
            has_functions: false,
        }
    }

    /// What [`from_parts`](Self::from_parts) takes.
    pub(super) fn parts(&self) -> (u32, &[u8], &[u32]) {
        (self.size, &self.bytes, &self.pointers)
    }

    /// Where the objects start in `bytes`.
    fn objects(&self) -> u32 {
        self.size.next_multiple_of(MAX_ALIGN)
    }

    /// Bytes that its objects take on the heap.
    pub(crate) fn cost(&self) -> u64 {
        self.bytes.len() as u64 - u64::from(self.objects())
    }

    /// Bytes that it takes on the heap when the value itself is an object too.
    pub(crate) fn cost_as_object(&self) -> u64 {
        self.cost() + object_cost(self.size)
    }

    /// Bytes that it takes outside of the heap.
    pub(crate) fn footprint(&self) -> u64 {
        self.bytes.len() as u64 + 4 * self.pointers.len() as u64
    }

    /// Whether it depends on the layout of its type alone.
    pub(crate) fn is_plain_data(&self) -> bool {
        !self.has_functions
    }

    /// Notes that it holds a function value.
    pub(super) fn set_has_functions(&mut self) {
        self.has_functions = true;
    }

    /// Adds an object of `size` bytes, all zero; returns where it lies.
    pub(super) fn allocate(&mut self, size: u32, descriptor: u32) -> Result<u32, OutOfHeap> {
        let cost = object_cost(size);
        if self.cost() + cost > u64::from(self.limit) {
            return Err(OutOfHeap);
        }
        let object = self.bytes.len() as u32 + HEADER_BYTES;
        self.bytes.extend_from_slice(&descriptor.to_le_bytes());
        self.bytes.extend_from_slice(&size.to_le_bytes());
        let end = self.bytes.len() + (cost as usize - HEADER_BYTES as usize);
        self.bytes.resize(end, 0);
        Ok(object)
    }

    /// Bytes of the value, for writing; empty if they do not all belong to it.
    pub(super) fn bytes_mut(&mut self, at: u32, size: u32) -> &mut [u8] {
        let range = at as usize..at as usize + size as usize;
        self.bytes.get_mut(range).unwrap_or_default()
    }

    /// Writes a number.
    pub(super) fn set(&mut self, at: u32, value: u32) {
        if let [a, b, c, d] = self.bytes_mut(at, 4) {
            [*a, *b, *c, *d] = value.to_le_bytes();
        }
    }

    /// Writes a pointer to the object at `object`.
    pub(super) fn set_pointer(&mut self, at: u32, object: u32) {
        self.set(at, object - self.objects());
        self.pointers.push(at);
    }

    /// Puts the value to `to`, and what it owns onto the heap, where there must be room for it.
    pub(crate) fn put(&self, memory: &mut Memory, to: Addr) -> Result<(), OutOfHeap> {
        let (own, objects) = self.bytes.split_at(self.objects() as usize);
        let own = own.get(..self.size as usize).unwrap_or_default();
        memory.bytes_mut(to, self.size).copy_from_slice(own);
        if objects.is_empty() {
            return Ok(());
        }
        let area = memory.allocate_image(objects.len() as u32)?;
        memory
            .bytes_mut(area, objects.len() as u32)
            .copy_from_slice(objects);
        for &at in &self.pointers {
            let place = match at.checked_sub(self.objects()) {
                Some(offset) => area + offset,
                None => to + at,
            };
            let offset: u32 = memory.get(place);
            memory.set(place, area + offset);
        }
        Ok(())
    }

    /// Makes the value an object on the heap, where there must be room for it.
    pub(crate) fn put_object(
        &self,
        memory: &mut Memory,
        descriptor: u32,
    ) -> Result<Addr, OutOfHeap> {
        let object = memory.allocate(self.size, descriptor)?;
        self.put(memory, object)?;
        Ok(object)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn pointers_follow_the_place() {
        // A pointer to an object that holds a pointer to another.
        let mut image = Image::new(12, 1 << 10);
        let outer = image.allocate(5, 7).unwrap();
        let inner = image.allocate(4, 8).unwrap();
        image.set_pointer(4, outer);
        image.set_pointer(outer, inner);
        image.set(inner, 99);
        assert_eq!(image.cost(), 16 + 16);
        let mut memory = Memory::new(1 << 10, 1 << 10, &[], false);
        memory.allocate(3, 1).unwrap();
        for _ in 0..2 {
            let to = memory.stack_start();
            image.put(&mut memory, to).unwrap();
            let outer: u32 = memory.get(to + 4);
            assert!(memory.is_object(outer, 5, Some(7)));
            let inner: u32 = memory.get(outer);
            assert!(memory.is_object(inner, 4, Some(8)));
            assert_eq!(memory.get::<u32>(inner), 99);
        }
        assert!(image.allocate(1 << 10, 0).is_err());
    }
}
