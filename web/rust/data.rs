//! Kinds of data that JavaScript has and Rust's serialization has not: byte arrays, integers of any width.

use serde::{Serialize, Serializer};

/// Bytes: a `Uint8Array`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

/// An integer in decimal: a `bigint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wide(pub String);

#[cfg(target_arch = "wasm32")]
impl Serialize for Wide {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error;
        let text = wasm_bindgen::JsValue::from_str(&self.0);
        let number = js_sys::BigInt::new(&text)
            .map_err(|_| S::Error::custom("the number has too many digits"))?;
        serde_wasm_bindgen::preserve::serialize(&number, serializer)
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Serialize for Wide {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
