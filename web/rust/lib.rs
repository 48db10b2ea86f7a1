//! The Move machine as JavaScript uses it: a chain in memory, tools for modules, recorded calls to step through.
//!
//! Everything but `bindings` is plain Rust without JavaScript in it; `bindings` exists in wasm32 only. The public face of the npm package is
//! the TypeScript beside this crate: what is exported here is private to it.

pub mod chain;
pub mod data;
pub mod error;
pub mod layouts;
pub mod module;
pub mod outcome;
pub mod pool;
pub mod session;
pub mod state;
pub mod value;

#[cfg(target_arch = "wasm32")]
mod bindings;
