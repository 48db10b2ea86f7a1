//! The core behind a small raw ABI: the wasm module that the host runs in its sandbox.
//!
//! - [`abi`]: the constants both sides share, and the description of the protocol;
//! - [`Session`]: one machine and its two buffers, free of pointers, testable natively;
//! - `exports` (wasm only): the exported and imported functions;
//! - `alloc` (wasm only): the allocator. These two have all of the crate's `unsafe`.

pub mod abi;
mod session;

#[cfg(target_arch = "wasm32")]
mod alloc;
#[cfg(target_arch = "wasm32")]
mod exports;
#[cfg(target_arch = "wasm32")]
mod fault;

pub use session::Session;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: alloc::Pieces = alloc::Pieces::new();
