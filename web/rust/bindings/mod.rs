//! What the wasm exports to the JavaScript glue. Private to the package: the TypeScript wraps all of it.

#![allow(
    unreachable_pub,
    reason = "what is exported to JavaScript is public in the wasm, not in Rust"
)]

mod chain;
mod input;
mod module;
mod session;

use crate::error::Error;
use js_sys::{Object, Reflect};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsValue, throw_val};

/// Key of the object that a panic throws.
const PANIC_KEY: &str = "monomovePanic";

/// Makes a panic a JavaScript exception that carries its message. The instance is not used again after it.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|info| {
        let thrown = Object::new();
        let message = JsValue::from_str(&info.to_string());
        let _ = Reflect::set(&thrown, &JsValue::from_str(PANIC_KEY), &message);
        throw_val(thrown.into())
    }));
}

/// Version of the crate, which is that of the package.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Data as plain JavaScript objects: 64 bits as `bigint`, bytes as `Uint8Array`.
fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::new()
        .serialize_maps_as_objects(true)
        .serialize_missing_as_null(true)
        .serialize_large_number_types_as_bigints(true);
    value.serialize(&serializer).map_err(JsValue::from)
}

/// An error as the object that the glue makes an exception of.
fn error(error: Error) -> JsValue {
    to_js(&error).unwrap_or_else(|error| error)
}

/// A result for JavaScript.
fn answer<T: Serialize>(result: Result<T, Error>) -> Result<JsValue, JsValue> {
    to_js(&result.map_err(error)?)
}
