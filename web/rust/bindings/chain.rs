//! The chain, as the glue sees it.

use super::{answer, error, input, to_js};
use crate::chain::{Chain, Saved};
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

type Answer = Result<JsValue, JsValue>;

/// A chain.
#[derive(Debug)]
#[wasm_bindgen(js_name = RawChain)]
pub struct RawChain(pub(super) Chain);

/// A saved state.
#[derive(Debug)]
#[wasm_bindgen(js_name = RawSnapshot)]
pub struct RawSnapshot(Saved);

#[wasm_bindgen(js_class = RawSnapshot)]
impl RawSnapshot {
    /// Number of state values.
    #[wasm_bindgen(getter)]
    pub fn size(&self) -> u32 {
        self.0.len() as u32
    }
}

#[wasm_bindgen(js_class = RawChain)]
impl RawChain {
    /// `ChainOptions`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<RawChain, JsValue> {
        let config = input::chain_config(options).map_err(error)?;
        Chain::new(&config).map(Self).map_err(error)
    }

    /// Published modules.
    pub fn publish(&mut self, modules: &JsValue, options: &JsValue) -> Answer {
        let bundle = input::bundle(modules, "modules").map_err(error)?;
        let rules = input::publish_rules(options).map_err(error)?;
        answer(self.0.publish(&bundle, &rules))
    }

    /// `Outcome`.
    pub fn run(&mut self, request: &JsValue, commit: bool) -> Answer {
        let request = input::request(request).map_err(error)?;
        answer(self.0.run(&request, commit))
    }

    /// `TypedValue[]`.
    pub fn view(&mut self, request: &JsValue) -> Answer {
        let request = input::request(request).map_err(error)?;
        answer(self.0.view(&request))
    }

    /// `Outcome[]`.
    #[wasm_bindgen(js_name = executeBlock)]
    pub fn execute_block(&mut self, requests: &JsValue, commit: bool) -> Answer {
        let requests = input::requests(requests).map_err(error)?;
        answer(self.0.execute_block(&requests, commit))
    }

    /// `TypedValue`, or null.
    pub fn resource(&self, account: &str, ty: &str) -> Answer {
        answer(self.0.resource(account, ty))
    }

    /// `TypedValue`, or null.
    #[wasm_bindgen(js_name = tableItem)]
    pub fn table_item(&self, handle: &str, key: Vec<u8>, value_type: &str) -> Answer {
        answer(self.0.table_item(handle, key, value_type))
    }

    /// Bytes, or undefined.
    pub fn module(&self, id: &str) -> Result<Option<Uint8Array>, JsValue> {
        let found = self.0.module(id).map_err(error)?;
        Ok(found.map(Uint8Array::from))
    }

    /// Ids.
    pub fn modules(&self) -> Answer {
        to_js(&self.0.modules())
    }

    /// `StateEntry[]`.
    pub fn entries(&self, modules: bool) -> Answer {
        to_js(&self.0.entries(modules))
    }

    /// Mints coins.
    pub fn fund(&mut self, account: &str, amount: u64) -> Result<(), JsValue> {
        self.0.fund(account, amount).map_err(error)
    }

    /// Coins.
    pub fn balance(&mut self, account: &str) -> Result<u64, JsValue> {
        self.0.balance(account).map_err(error)
    }

    /// A saved state.
    pub fn snapshot(&self) -> RawSnapshot {
        RawSnapshot(self.0.save())
    }

    /// Back to a saved state.
    pub fn restore(&mut self, snapshot: &RawSnapshot) {
        self.0.restore(&snapshot.0);
    }

    /// `Value`.
    #[wasm_bindgen(js_name = decodeValue)]
    pub fn decode_value(&self, ty: &str, bcs: &[u8], limits: &JsValue) -> Answer {
        let limits = input::limits(limits).map_err(error)?;
        answer(self.0.decode(ty, bcs, limits))
    }

    /// BCS.
    #[wasm_bindgen(js_name = encodeValue)]
    pub fn encode_value(&self, ty: &str, value: &JsValue) -> Result<Vec<u8>, JsValue> {
        let value = input::input(value).map_err(error)?;
        self.0.encode(ty, &value).map_err(error)
    }
}
