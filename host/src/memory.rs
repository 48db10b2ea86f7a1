//! Linear memories that images can be mapped into, copy on write. Linux only: elsewhere images are copied.
//!
//! Why a memory of our own making: mapping over pages is sound only where nobody but us maps and unmaps them, and wasmtime promises nothing
//! about what lies behind memories that it makes itself.

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mmap_anonymous, mprotect, munmap};
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::ptr::{NonNull, null_mut};
use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

/// Address space of a memory for which wasmtime asks no reservation: a whole wasm32 memory.
const WHOLE: usize = 1 << 32;

/// Makes linear memories.
pub(crate) struct Memories;

/// One linear memory: `reserved` bytes of address space that belong to it alone, the first `accessible` of them readable and writable.
struct Mapping {
    base: NonNull<c_void>,
    reserved: usize,
    capacity: usize,
    accessible: usize,
}

// SAFETY: the mapping is owned: no other value has its address, and its methods follow the rules of borrowing.
unsafe impl Send for Mapping {}
// SAFETY: shared references only read its fields.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(capacity: usize, guard: usize, accessible: usize) -> Result<Self, String> {
        let reserved = capacity
            .checked_add(guard)
            .ok_or_else(|| "a memory larger than the address space".to_owned())?;
        // SAFETY: a new mapping at an address that the kernel chooses touches no other.
        let base = unsafe {
            mmap_anonymous(
                null_mut(),
                reserved,
                ProtFlags::empty(),
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )
        };
        let base = base.map_err(|error| format!("cannot reserve {reserved} bytes: {error}"))?;
        let mut this = Self {
            base: NonNull::new(base).ok_or_else(|| "a memory at address 0".to_owned())?,
            reserved,
            capacity,
            accessible: 0,
        };
        this.grow(accessible).map_err(|error| error.to_string())?;
        Ok(this)
    }

    fn grow(&mut self, size: usize) -> io::Result<()> {
        if size > self.capacity {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        if size > self.accessible {
            let flags = MprotectFlags::READ | MprotectFlags::WRITE;
            // SAFETY: the range starts at our mapping and ends within it, and making pages accessible takes nothing from anybody.
            unsafe { mprotect(self.base.as_ptr(), size, flags) }?;
            self.accessible = size;
        }
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is the mapping of `new`, which belongs to this value, and wasmtime drops it after the last use.
        let unmapped = unsafe { munmap(self.base.as_ptr(), self.reserved) };
        debug_assert!(unmapped.is_ok());
    }
}

// SAFETY: the base never moves, `byte_size` bytes from it are accessible, zero-filled when fresh, and capacity plus guard is reserved.
unsafe impl LinearMemory for Mapping {
    fn byte_size(&self) -> usize {
        self.accessible
    }

    fn byte_capacity(&self) -> usize {
        self.capacity
    }

    fn grow_to(&mut self, new_size: usize) -> wasmtime::Result<()> {
        Ok(self.grow(new_size)?)
    }

    fn as_ptr(&self) -> *mut u8 {
        self.base.as_ptr().cast()
    }
}

// SAFETY: see the implementation of `LinearMemory` for `Mapping`, which has the reservation and the guard that are asked for.
unsafe impl MemoryCreator for Memories {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reserved_size_in_bytes: Option<usize>,
        guard_size_in_bytes: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let capacity = reserved_size_in_bytes
            .or(maximum)
            .unwrap_or(WHOLE)
            .max(minimum);
        let memory = Mapping::new(capacity, guard_size_in_bytes, minimum)?;
        Ok(Box::new(memory))
    }
}

/// Contents of a memory as a file in memory, at their own offsets; what is not written is a hole of zeros.
pub(crate) struct ImageFile {
    file: File,
    len: usize,
}

impl ImageFile {
    /// A file of `len` bytes, a multiple of the page size, with these contents.
    pub(crate) fn new(len: usize, runs: &[(usize, Box<[u8]>)]) -> io::Result<Self> {
        let file = File::from(memfd_create("monomove-image", MemfdFlags::CLOEXEC)?);
        file.set_len(len as u64)?;
        for (start, bytes) in runs {
            file.write_all_at(bytes, *start as u64)?;
        }
        Ok(Self { file, len })
    }

    /// Puts the contents into `memory`, the start of a linear memory made by [`Memories`]: pages are shared with the file until they are
    /// written.
    pub(crate) fn map(&self, memory: &mut [u8]) -> io::Result<()> {
        let Some(to) = memory.get_mut(..self.len) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        // SAFETY: the range is part of a `Mapping` (the caller's word, and only engines with `Memories` make image files), which owns its
        // pages and is borrowed exclusively here; it starts at the page-aligned base and has whole pages. The new pages are readable and
        // writable like the old ones, initialised, and private; nobody else has the file, which is not written after `new`.
        unsafe {
            mmap(
                to.as_mut_ptr().cast(),
                self.len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::FIXED,
                &self.file,
                0,
            )
        }?;
        Ok(())
    }
}
