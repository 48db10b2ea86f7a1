//! A recorded call, as the glue sees it.

use super::chain::RawChain;
use super::{answer, error, input, to_js};
use crate::error::Error;
use crate::session::{Direction, Session};
use js_sys::{BigUint64Array, Object, Reflect, Uint16Array, Uint32Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

type Answer = Result<JsValue, JsValue>;

/// A session.
#[derive(Debug)]
#[wasm_bindgen(js_name = RawSession)]
pub struct RawSession(Session);

fn direction(back: bool) -> Direction {
    if back {
        Direction::Back
    } else {
        Direction::Forward
    }
}

#[wasm_bindgen(js_class = RawSession)]
impl RawSession {
    /// Records a call on the state of a chain.
    #[wasm_bindgen(constructor)]
    pub fn new(
        chain: &mut RawChain,
        request: &JsValue,
        max_steps: u32,
    ) -> Result<RawSession, JsValue> {
        let request = input::request(request).map_err(error)?;
        Session::new(&mut chain.0, &request, max_steps)
            .map(Self)
            .map_err(error)
    }

    /// `Outcome`.
    pub fn outcome(&self) -> Answer {
        to_js(self.0.outcome())
    }

    /// Steps.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> u32 {
        self.0.length()
    }

    /// The step that comes next.
    #[wasm_bindgen(getter)]
    pub fn position(&self) -> u32 {
        self.0.position()
    }

    /// `SessionEnd`.
    #[wasm_bindgen(getter)]
    pub fn end(&self) -> String {
        self.0.end().to_owned()
    }

    /// Internal gas.
    #[wasm_bindgen(getter, js_name = gasLimit)]
    pub fn gas_limit(&self) -> u64 {
        self.0.gas_limit()
    }

    /// `Stop`.
    pub fn step(&mut self, back: bool) -> Answer {
        answer(self.0.step(direction(back)))
    }

    /// `Stop`.
    #[wasm_bindgen(js_name = stepOver)]
    pub fn step_over(&mut self, back: bool) -> Answer {
        answer(self.0.step_over(direction(back)))
    }

    /// `Stop`.
    #[wasm_bindgen(js_name = stepOut)]
    pub fn step_out(&mut self, back: bool) -> Answer {
        answer(self.0.step_out(direction(back)))
    }

    /// `Stop`.
    #[wasm_bindgen(js_name = runUntil)]
    pub fn run_until(&mut self, conditions: &JsValue, back: bool) -> Answer {
        let conditions = input::conditions(conditions).map_err(error)?;
        answer(self.0.run_until(&conditions, direction(back)))
    }

    /// `Stop`.
    pub fn seek(&mut self, step: u32) -> Answer {
        answer(self.0.seek(step))
    }

    /// Whether something was recorded.
    pub fn prefetch(&mut self) -> Result<bool, JsValue> {
        self.0.prefetch().map_err(error)
    }

    /// `StepColumns`.
    #[wasm_bindgen(js_name = readSteps)]
    pub fn read_steps(&mut self, from: u32, count: u32) -> Answer {
        let trace = self.0.columns();
        let steps = &trace.steps;
        let from = from as usize;
        let end = from
            .saturating_add(count as usize)
            .min(steps.function.len());
        let range = from..end.max(from);
        let outside = || {
            error(Error::argument(format!(
                "step {from}: there are {}",
                trace.len()
            )))
        };
        let function = steps.function.get(range.clone()).ok_or_else(outside)?;
        let columns = Object::new();
        let set =
            |key: &str, value: &JsValue| Reflect::set(&columns, &JsValue::from_str(key), value);
        set("from", &JsValue::from(from as u32))?;
        set("count", &JsValue::from(range.len() as u32))?;
        set("function", &Uint32Array::from(function))?;
        set("offset", &Uint16Array::from(&steps.offset[range.clone()]))?;
        set("depth", &Uint16Array::from(&steps.depth[range.clone()]))?;
        set("gas", &BigUint64Array::from(&steps.gas[range]))?;
        Ok(columns.into())
    }

    /// Depths.
    #[wasm_bindgen(js_name = depthProfile)]
    pub fn depth_profile(&mut self, points: u32) -> Vec<u16> {
        self.0.depth_profile(points.min(1 << 16))
    }

    /// `StepEvent[]`.
    #[wasm_bindgen(js_name = eventsOf)]
    pub fn events_of(&mut self, step: u32) -> Answer {
        answer(self.0.events_of(step))
    }

    /// `SessionFunction[]`.
    pub fn functions(&self) -> Answer {
        to_js(&self.0.functions())
    }

    /// `SessionState`.
    pub fn state(&mut self, limits: &JsValue) -> Answer {
        let limits = input::limits(limits).map_err(error)?;
        answer(self.0.state(limits))
    }

    /// `FrameState`.
    pub fn frame(&mut self, index: Option<u32>, limits: &JsValue) -> Answer {
        let limits = input::limits(limits).map_err(error)?;
        answer(self.0.frame(index, limits))
    }

    /// Bytes.
    #[wasm_bindgen(js_name = frameBytes)]
    pub fn frame_bytes(&mut self, index: u32) -> Result<Vec<u8>, JsValue> {
        self.0.frame_bytes(index).map_err(error)
    }

    /// `HeapObject[]`.
    pub fn heap(&mut self, from: u32, count: u32) -> Answer {
        answer(self.0.heap(from, count))
    }

    /// A heap object.
    pub fn object(&mut self, address: u32, limits: &JsValue) -> Answer {
        let limits = input::limits(limits).map_err(error)?;
        answer(self.0.object(address, limits))
    }

    /// Bytes, or undefined.
    pub fn bytes(&mut self, address: u32, size: u32) -> Result<Option<Vec<u8>>, JsValue> {
        self.0.bytes(address, size).map_err(error)
    }

    /// `GlobalState[]`.
    pub fn globals(&mut self, limits: &JsValue) -> Answer {
        let limits = input::limits(limits).map_err(error)?;
        answer(self.0.globals(limits))
    }

    /// `Collection[]`.
    pub fn collections(&mut self) -> Answer {
        to_js(&self.0.collections())
    }

    /// Emitted events.
    pub fn events(&mut self) -> Answer {
        to_js(&self.0.events())
    }

    /// `TypeInfo[]`.
    pub fn types(&mut self) -> Answer {
        to_js(&self.0.types())
    }

    /// `Lowering`.
    pub fn lowering(&mut self, function: u32) -> Answer {
        answer(self.0.lowering(function))
    }
}
