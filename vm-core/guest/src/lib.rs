//! The core behind a small raw ABI: the wasm module that the host runs in its sandbox.
//!
//! - [`abi`]: the constants both sides share, and the description of the protocol;
//! - [`Session`]: one machine and its two buffers, free of pointers, testable natively;
//! - `exports` (wasm only): the exported and imported functions, and all of the crate's `unsafe`.

pub mod abi;
mod session;

#[cfg(target_arch = "wasm32")]
mod exports;
#[cfg(target_arch = "wasm32")]
mod fault;

pub use session::Session;
