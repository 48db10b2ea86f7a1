//! The allocator of the wasm guest: freed pieces wait in lists by size, so that to allocate and to free is to move a list head.
//!
//! A transaction makes hundreds of small, short-lived allocations. Small sizes are rounded up to classes, and each class has a list of free
//! pieces; pieces are cut from slabs and never given back. What is larger goes to the system allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;

/// Sizes of the pieces, in steps of [`STEP`] bytes.
const STEP: usize = 16;
/// Larger requests go to the system allocator.
const MAX_SMALL: usize = 1024;
const CLASSES: usize = MAX_SMALL / STEP;
/// Bytes that are taken from the system allocator at once.
const SLAB: usize = 32 << 10;
/// Alignment of all pieces.
const ALIGN: usize = 16;

/// A free piece: the address of the next one lies in it.
struct Free {
    next: *mut Free,
}

struct Lists {
    free: [*mut Free; CLASSES],
    /// The part of the last slab that was not cut yet.
    rest: *mut u8,
    rest_len: usize,
}

/// Allocates for the one thread of a wasm instance.
pub(crate) struct Pieces(UnsafeCell<Lists>);

// SAFETY: this is compiled for wasm32 without atomics only, where an instance has one thread.
unsafe impl Sync for Pieces {}

impl Pieces {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(Lists {
            free: [std::ptr::null_mut(); CLASSES],
            rest: std::ptr::null_mut(),
            rest_len: 0,
        }))
    }
}

/// The class of a request; `None` if the system allocator serves it. The same layout has the same class when it is freed.
#[inline]
fn class_of(layout: Layout) -> Option<usize> {
    let size = layout.size();
    (size.wrapping_sub(1) < MAX_SMALL && layout.align() <= ALIGN).then(|| (size - 1) / STEP)
}

impl Lists {
    /// A piece of a class whose list is empty.
    #[cold]
    fn cut(&mut self, class: usize) -> *mut u8 {
        let size = (class + 1) * STEP;
        if self.rest_len < size {
            let Ok(slab) = Layout::from_size_align(SLAB, ALIGN) else {
                return std::ptr::null_mut();
            };
            // SAFETY: the slab's size is not 0.
            let start = unsafe { System.alloc(slab) };
            if start.is_null() {
                return start;
            }
            (self.rest, self.rest_len) = (start, SLAB);
        }
        let piece = self.rest;
        // SAFETY: the rest has at least `size` bytes, so that the sum stays within the slab or one past its end.
        self.rest = unsafe { piece.add(size) };
        self.rest_len -= size;
        piece
    }
}

// SAFETY: a piece is handed out once until it is freed: it comes off its list or is cut from a slab, and goes back to the list of its class
// only in `dealloc`, whose caller gives up the memory and names the layout it was allocated with. Its size is that of the class, at
// least the layout's; slabs and sizes are multiples of `ALIGN`, at least the layout's alignment. Nothing here unwinds or allocates
// through itself, so that the one `&mut` to the lists is never aliased.
unsafe impl GlobalAlloc for Pieces {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = class_of(layout) else {
            // SAFETY: the caller vouches for the layout.
            return unsafe { System.alloc(layout) };
        };
        // SAFETY: one thread, and no other reference to the lists is alive: see above.
        let lists = unsafe { &mut *self.0.get() };
        let piece = lists.free[class];
        if piece.is_null() {
            return lists.cut(class);
        }
        // SAFETY: a piece in a list is free memory that begins with the address of the next one.
        lists.free[class] = unsafe { (*piece).next };
        piece.cast()
    }

    #[inline]
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let Some(class) = class_of(layout) else {
            // SAFETY: the caller vouches that it was allocated here with this layout, which went to the system allocator.
            return unsafe { System.dealloc(at, layout) };
        };
        // SAFETY: one thread, and no other reference to the lists is alive: see above.
        let lists = unsafe { &mut *self.0.get() };
        let piece: *mut Free = at.cast();
        // SAFETY: the piece is the caller's to give up, has at least `STEP` bytes, and is aligned for a pointer.
        unsafe { (*piece).next = lists.free[class] };
        lists.free[class] = piece;
    }

    #[inline]
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let class = class_of(layout);
        // SAFETY: the caller vouches that `new_size` makes a layout with this alignment.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        match (class, class_of(new)) {
            // SAFETY: the caller's conditions are those of the system allocator, which has this memory.
            (None, None) => unsafe { System.realloc(at, layout, new_size) },
            (old, new) if old == new => at,
            _ => {
                // SAFETY: the caller vouches for the size, which is not 0.
                let to = unsafe { self.alloc(new) };
                if !to.is_null() {
                    // SAFETY: both are live allocations of at least so many bytes, and different ones; the old one is then given up.
                    unsafe {
                        std::ptr::copy_nonoverlapping(at, to, layout.size().min(new_size));
                        self.dealloc(at, layout);
                    }
                }
                to
            }
        }
    }
}
