//! The memory of one transaction: one region of a single u32 address space, frame stack below, heap above, and behind it room for
//! the survivors of a collection.
//!
//! Compiled to wasm32 an address is an address in linear memory; natively it is an offset into one owned region. This is
//! the only module (with [`code`]) that holds `unsafe` in this crate. Policy: operands inside a frame were checked when the
//! function was lowered, heap addresses come from [`Memory::allocate`]. Natively every access is checked against the region as
//! well, so that no bytecode, however wrong, can reach memory outside it; in wasm32 the sandbox is the boundary.

pub(crate) mod code;
mod evacuate;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;

use ethnum::{I256, U256};

/// An address; 0 is never the address of anything.
pub(crate) type Addr = u32;

/// Every object and frame starts at a multiple of this.
pub(crate) const MAX_ALIGN: u32 = 8;

/// Bytes before each heap object: descriptor (u32), size in bytes (u32).
pub(crate) const HEADER_BYTES: u32 = 8;

/// The longest copy that the interpreter's loop does itself.
pub(crate) const MAX_SHORT: u32 = 64;

const WASM_PAGE: usize = 65536;

/// Largest frame stack, and largest heap.
const MAX_PART_BYTES: u32 = 1 << 30;

/// Free bytes that a collection must leave below the heap limit, so that collections stay rare even when the heap is full.
pub(crate) const RESERVE_BYTES: u32 = 64 << 10;

/// How far the first object is moved by turns under stress.
const SHIFT_BYTES: u32 = 16;

/// The descriptor of an object that has moved; its size is its new address then. No layout has this number.
const MOVED: u32 = u32::MAX;

/// The heap limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfHeap;

/// Bytes that an object of `size` bytes takes on the heap.
#[inline]
pub(crate) fn object_cost(size: u32) -> u64 {
    u64::from(size).next_multiple_of(u64::from(MAX_ALIGN)) + u64::from(HEADER_BYTES)
}

/// What the heap did in one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeapFigures {
    /// Bytes of all objects that were allocated, headers included.
    pub(crate) allocated: u64,
    /// Collections.
    pub(crate) collections: u64,
    /// Bytes that collections copied.
    pub(crate) copied: u64,
    /// Bytes that were alive after the last collection.
    pub(crate) live: u32,
    /// Most bytes that were in use at once.
    pub(crate) peak: u32,
    /// Most bytes that were in use at once since the machine was made.
    pub(crate) highest: u32,
    /// What the heap had grown to.
    pub(crate) size: u32,
}

/// A plain value that any bytes of its size make.
///
/// # Safety
/// The type must have no padding and every bit pattern must be a valid value.
pub(crate) unsafe trait Pod: Copy {}

macro_rules! pod {
    ($($t:ty),*) => {$(
        // SAFETY: an integer, or an array or transparent wrapper of integers: no padding, all bit patterns valid.
        unsafe impl Pod for $t {}
    )*};
}
pod!(
    u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, U256, I256, [u8; 12], [u8; 32]
);

/// The region of one machine.
pub(crate) struct Memory {
    /// Address of the first byte.
    start: Addr,
    /// Address after the last byte.
    end: Addr,
    /// Where the region lies natively: the pointer for address 0.
    #[cfg(not(target_arch = "wasm32"))]
    base: *mut u8,
    stack_end: Addr,
    heap_start: Addr,
    heap_top: Addr,
    /// Where the first object lies, and where it will lie after the collection that runs: at the start of the heap, or under stress
    /// by turns a little behind it.
    first: Addr,
    next_first: Addr,
    /// Heap bytes from here on are zero.
    heap_clean: Addr,
    /// The highest end of the heap so far.
    heap_highest: Addr,
    /// End of the heap; behind it, as much room again for the survivors of a collection.
    heap_end: Addr,
    heap_limit: u32,
    /// Sizes that the heap grows through; the last one is its limit.
    steps: Box<[u32]>,
    /// Bytes that count as in use: those alive after the last collection that [`settle`](Self::settle) decided on, and all that was
    /// allocated since. Where the bytes really are (an object that grew in place, more collections than were needed) makes no difference
    /// to it, so that the heap runs out at the same allocation whatever happened before.
    used: u32,
    /// Allocating beyond this needs a decision. 0 when every allocation is to be preceded by a collection.
    allowed: u32,
    /// Size of the heap: a step.
    size: u32,
    stress: bool,
    figures: HeapFigures,
    /// Bytes of survivors, while a collection runs.
    survivors: u32,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory")
            .field("start", &self.start)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl Memory {
    /// A region with `stack_bytes` of frame stack and `heap_bytes` of heap (both rounded up to 8), which grows through `steps`. With
    /// `stress`, every allocation asks for a collection first.
    ///
    /// The pages of the region are only touched when they are used.
    pub(crate) fn new(stack_bytes: u32, heap_bytes: u32, steps: &[u32], stress: bool) -> Self {
        let round = |n: u32| n.min(MAX_PART_BYTES).next_multiple_of(MAX_ALIGN);
        let (stack, heap) = (round(stack_bytes), round(heap_bytes));
        let shift = if stress { SHIFT_BYTES } else { 0 };
        let len = MAX_ALIGN as usize * 2 + stack as usize + 2 * (heap + shift) as usize;
        let pages = len.div_ceil(WASM_PAGE);
        let (start, region) = region::acquire(pages * WASM_PAGE);
        #[cfg(target_arch = "wasm32")]
        let () = region;
        let stack_start = start + MAX_ALIGN * 2;
        let heap_start = stack_start + stack;
        let mut steps: Vec<u32> = steps.iter().copied().filter(|&s| s < heap).collect();
        steps.push(heap);
        steps.sort_unstable();
        let mut this = Self {
            start: stack_start,
            end: heap_start + 2 * (heap + shift),
            #[cfg(not(target_arch = "wasm32"))]
            base: region,
            stack_end: heap_start,
            heap_start,
            heap_top: heap_start,
            first: heap_start,
            next_first: heap_start,
            heap_clean: heap_start,
            heap_highest: heap_start,
            heap_end: heap_start + heap + shift,
            heap_limit: heap,
            steps: steps.into(),
            used: 0,
            allowed: 0,
            size: 0,
            stress,
            figures: HeapFigures::default(),
            survivors: 0,
        };
        this.resize(0);
        this
    }

    /// First address of the frame stack.
    pub(crate) fn stack_start(&self) -> Addr {
        self.start
    }

    /// Address after the frame stack.
    pub(crate) fn stack_end(&self) -> Addr {
        self.stack_end
    }

    /// Forgets every heap object.
    pub(crate) fn reset(&mut self) {
        self.heap_highest = self.heap_highest.max(self.heap_top);
        self.heap_clean = self.heap_clean.max(self.heap_top);
        self.heap_top = self.heap_start;
        self.first = self.heap_start;
        self.used = 0;
        self.figures = HeapFigures::default();
        self.resize(0);
    }

    /// What the heap did since the last reset.
    pub(crate) fn figures(&self) -> HeapFigures {
        HeapFigures {
            size: self.size,
            peak: self.figures.peak.max(self.heap_top - self.heap_start),
            highest: self.heap_highest.max(self.heap_top) - self.heap_start,
            ..self.figures
        }
    }

    /// Collections since the last reset.
    pub(crate) fn collections(&self) -> u64 {
        self.figures.collections
    }

    /// The heap limit.
    pub(crate) fn heap_limit(&self) -> u32 {
        self.heap_limit
    }

    /// Takes the smallest step of at least `bytes`, or the limit.
    fn resize(&mut self, bytes: u64) {
        let limit = self.heap_limit();
        let fits = self.steps.iter().find(|&&step| u64::from(step) >= bytes);
        self.size = fits.copied().unwrap_or(limit);
        self.allowed = if self.stress { 0 } else { self.size };
    }

    /// Whether objects of `cost` bytes in all may be allocated without looking for garbage first.
    #[inline(always)]
    pub(crate) fn has_room(&self, cost: u64) -> bool {
        u64::from(self.used) + cost <= u64::from(self.allowed)
    }

    /// After a collection that was made for objects of `cost` bytes: decides whether they fit, and how far the heap may grow.
    ///
    /// A collection only counts when the heap as it is cannot take them; others (under stress) change nothing here. It must leave
    /// [`RESERVE_BYTES`] or the room that is asked for, whichever is more, or the heap has run out. Where the limit allows it the heap
    /// takes in as much again as was alive before the next collection, so that collecting stays a bounded part of allocating.
    pub(crate) fn settle(&mut self, cost: u64) -> Result<(), OutOfHeap> {
        if u64::from(self.used) + cost <= u64::from(self.size) {
            return Ok(());
        }
        self.used = self.heap_top - self.first;
        let live = u64::from(self.used);
        let least = live + cost.max(u64::from(self.reserve()));
        if least > u64::from(self.heap_limit()) {
            return Err(OutOfHeap);
        }
        self.resize(least.max(2 * live));
        Ok(())
    }

    /// Free bytes that a collection must leave; less in heaps that are hardly larger.
    fn reserve(&self) -> u32 {
        RESERVE_BYTES.min(self.heap_limit() / 4)
    }

    /// Makes all heap bytes that are not in use zero, so that what an earlier transaction left is not seen.
    pub(crate) fn clean(&mut self) {
        let dirty = self.heap_clean.saturating_sub(self.heap_top);
        self.bytes_mut(self.heap_top, dirty).fill(0);
        self.heap_clean = self.heap_top;
    }

    /// Puts back what stack and heap held at some time: the frame stack from its start on, the heap as a whole. What does not fit is left out.
    pub(crate) fn restore(&mut self, stack: &[u8], heap: &[u8]) {
        let fit = |bytes: &[u8], start: Addr, end: Addr| bytes.len().min((end - start) as usize);
        let stack = &stack[..fit(stack, self.start, self.stack_end)];
        let heap = &heap[..fit(heap, self.heap_start, self.heap_end)];
        self.heap_clean = self.heap_clean.max(self.heap_top);
        self.bytes_mut(self.start, stack.len() as u32)
            .copy_from_slice(stack);
        self.bytes_mut(self.heap_start, heap.len() as u32)
            .copy_from_slice(heap);
        self.heap_top = self.heap_start + heap.len() as u32;
        self.heap_clean = self.heap_clean.max(self.heap_top);
    }

    /// First address of the heap.
    pub(crate) fn heap_start(&self) -> Addr {
        self.heap_start
    }

    /// Address after the last heap object.
    pub(crate) fn heap_top(&self) -> Addr {
        self.heap_top
    }

    /// A heap object of `size` bytes; its contents are unspecified. `descriptor` says what it holds.
    ///
    /// There must be room for it ([`has_room`](Self::has_room)): a collection never happens here.
    #[inline]
    pub(crate) fn allocate(&mut self, size: u32, descriptor: u32) -> Result<Addr, OutOfHeap> {
        let cost = object_cost(size);
        if cost > u64::from(self.heap_end - self.heap_top) {
            return Err(OutOfHeap);
        }
        let object = self.heap_top + HEADER_BYTES;
        self.set(object - 8, descriptor);
        self.set(object - 4, size);
        self.heap_top += cost as u32;
        self.count(cost);
        Ok(object)
    }

    /// Room for several objects that come as they are, `bytes` in all, headers included.
    pub(crate) fn allocate_image(&mut self, bytes: u32) -> Result<Addr, OutOfHeap> {
        if bytes > self.heap_end - self.heap_top {
            return Err(OutOfHeap);
        }
        let start = self.heap_top;
        self.heap_top += bytes;
        self.count(u64::from(bytes));
        Ok(start)
    }

    #[inline(always)]
    fn count(&mut self, cost: u64) {
        self.used = self.used.wrapping_add(cost as u32);
        self.figures.allocated += cost;
    }

    /// Grows the object at `object` to `size` bytes where it stands, if it is the last one and there is room. It counts like a new object:
    /// whether it is the last one depends on when the heap was collected.
    #[inline]
    pub(crate) fn extend(&mut self, object: Addr, size: u32) -> bool {
        let old = self.get::<u32>(object - 4);
        let Some(new_top) = size
            .checked_next_multiple_of(MAX_ALIGN)
            .and_then(|n| n.checked_add(object))
        else {
            return false;
        };
        if object + old.next_multiple_of(MAX_ALIGN) != self.heap_top || new_top > self.heap_end {
            return false;
        }
        self.set(object - 4, size);
        self.heap_top = new_top;
        self.count(object_cost(size));
        true
    }

    /// Whether an object of at least `bytes` bytes starts at `object`, with this descriptor if one is given.
    pub(crate) fn is_object(&self, object: Addr, bytes: u64, descriptor: Option<u32>) -> bool {
        self.object_size(object)
            .is_some_and(|size| bytes <= u64::from(size))
            && descriptor.is_none_or(|d| self.get::<u32>(object - HEADER_BYTES) == d)
    }

    /// The size of the object that starts at `object`; `None` when none can start there.
    pub(crate) fn object_size(&self, object: Addr) -> Option<u32> {
        let first = self.heap_start + HEADER_BYTES;
        if !object.is_multiple_of(MAX_ALIGN) || !(first..=self.heap_top).contains(&object) {
            return None;
        }
        let size = self.get::<u32>(object - 4);
        (size <= self.heap_top - object).then_some(size)
    }

    #[inline(always)]
    fn pointer(&self, addr: Addr, size: usize) -> *mut u8 {
        #[cfg(target_arch = "wasm32")]
        {
            let _ = size;
            addr as usize as *mut u8
        }
        #[cfg(not(target_arch = "wasm32"))]
        {
            if (addr as usize) < self.start as usize || addr as usize + size > self.end as usize {
                outside(addr, size);
            }
            self.base.wrapping_add(addr as usize)
        }
    }

    /// Reads a plain value.
    #[inline(always)]
    pub(crate) fn get<T: Pod>(&self, addr: Addr) -> T {
        // SAFETY: `pointer` checked that the bytes lie in the region (natively) or the sandbox does (wasm32); the region is
        // initialised memory, `T` is `Pod`, and the read does not need alignment.
        unsafe {
            self.pointer(addr, size_of::<T>())
                .cast::<T>()
                .read_unaligned()
        }
    }

    /// The address that the reference at `addr` refers to.
    #[inline(always)]
    pub(crate) fn referent(&self, addr: Addr) -> Addr {
        let reference: u64 = self.get(addr);
        (reference as u32).wrapping_add((reference >> 32) as u32)
    }

    /// Writes a plain value.
    #[inline(always)]
    pub(crate) fn set<T: Pod>(&mut self, addr: Addr, value: T) {
        // SAFETY: as in `get`; `&mut self` makes this the only access to the region.
        unsafe {
            self.pointer(addr, size_of::<T>())
                .cast::<T>()
                .write_unaligned(value)
        }
    }

    /// Copies `size` bytes; the ranges may overlap.
    #[inline(always)]
    pub(crate) fn copy(&mut self, to: Addr, from: Addr, size: u32) {
        if size == 0 {
            return;
        }
        // SAFETY: both ranges lie in the region, as in `get`; `ptr::copy` allows overlap.
        unsafe {
            std::ptr::copy(
                self.pointer(from, size as usize),
                self.pointer(to, size as usize),
                size as usize,
            );
        }
    }

    /// Copies up to [`MAX_SHORT`] bytes without calling anything and without a loop. Refuses other sizes, and ranges for which copying from the
    /// first byte to the last is wrong.
    #[inline(always)]
    pub(crate) fn copy_short(&mut self, to: Addr, from: Addr, size: u32) -> bool {
        if size > MAX_SHORT || (to > from && to < from.wrapping_add(size)) {
            return false;
        }
        let mut at = 0;
        macro_rules! part {
            ($t:ty) => {{
                let part: $t = self.get(from.wrapping_add(at));
                self.set(to.wrapping_add(at), part);
                at += size_of::<$t>() as u32;
            }};
        }
        macro_rules! words {
            ($($bytes:literal)*) => {$(
                if size >= $bytes {
                    part!(u64);
                }
            )*};
        }
        words!(8 16 24 32 40 48 56 64);
        if size & 4 != 0 {
            part!(u32);
        }
        if size & 2 != 0 {
            part!(u16);
        }
        if size & 1 != 0 {
            let part: u8 = self.get(from.wrapping_add(at));
            self.set(to.wrapping_add(at), part);
        }
        true
    }

    /// Exchanges two ranges of `size` bytes, which are the same or do not overlap.
    #[inline]
    pub(crate) fn swap(&mut self, a: Addr, b: Addr, size: u32) {
        if a == b || size == 0 {
            return;
        }
        if a.abs_diff(b) < size {
            outside(a, size as usize);
        }
        // SAFETY: both ranges lie in the region, as in `get`, and were just found not to overlap.
        unsafe {
            std::ptr::swap_nonoverlapping(
                self.pointer(a, size as usize),
                self.pointer(b, size as usize),
                size as usize,
            );
        }
    }

    /// Bytes of the region.
    #[inline]
    pub(crate) fn bytes(&self, addr: Addr, size: u32) -> &[u8] {
        if size == 0 {
            return &[];
        }
        // SAFETY: the range lies in the region, as in `get`; the borrow of `self` keeps writers away.
        unsafe { std::slice::from_raw_parts(self.pointer(addr, size as usize), size as usize) }
    }

    /// Bytes of the region, if they all lie in it.
    pub(crate) fn bytes_within(&self, addr: Addr, size: u32) -> Option<&[u8]> {
        let end = addr.checked_add(size)?;
        (addr >= self.start && end <= self.end).then(|| self.bytes(addr, size))
    }

    /// Bytes of the region, for writing.
    #[inline]
    pub(crate) fn bytes_mut(&mut self, addr: Addr, size: u32) -> &mut [u8] {
        if size == 0 {
            return &mut [];
        }
        // SAFETY: the range lies in the region, as in `get`; the exclusive borrow of `self` keeps others away.
        unsafe { std::slice::from_raw_parts_mut(self.pointer(addr, size as usize), size as usize) }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Drop for Memory {
    fn drop(&mut self) {
        region::release(self.base, (self.end as usize).next_multiple_of(WASM_PAGE));
    }
}

/// An access outside the region: lowered code or the machine is wrong. Stopping is the only safe answer.
#[cold]
#[inline(never)]
#[allow(
    clippy::panic,
    reason = "an invariant of the machine is broken; going on would corrupt memory"
)]
fn outside(addr: Addr, size: usize) -> ! {
    panic!("memory access outside the transaction region: {size} bytes at {addr:#x}")
}

/// Natively: a zeroed allocation; addresses are offsets into it.
#[cfg(not(target_arch = "wasm32"))]
mod region {
    use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};

    fn layout(len: usize) -> Layout {
        Layout::from_size_align(len.max(super::WASM_PAGE), 16).unwrap_or(Layout::new::<u128>())
    }

    pub(super) fn acquire(len: usize) -> (u32, *mut u8) {
        // SAFETY: the size is not zero.
        let pointer = unsafe { alloc_zeroed(layout(len)) };
        if pointer.is_null() {
            handle_alloc_error(layout(len));
        }
        (0, pointer)
    }

    pub(super) fn release(pointer: *mut u8, len: usize) {
        // SAFETY: `pointer` came from `acquire` with the same length, and the owner is being dropped.
        unsafe { dealloc(pointer, layout(len)) }
    }
}

/// In wasm32: fresh pages of linear memory. They are zero, and given back only with the instance.
#[cfg(target_arch = "wasm32")]
mod region {
    pub(super) fn acquire(len: usize) -> (u32, ()) {
        let before = core::arch::wasm32::memory_grow(0, len / super::WASM_PAGE);
        if before == usize::MAX {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<u128>());
        }
        ((before * super::WASM_PAGE) as u32, ())
    }
}
