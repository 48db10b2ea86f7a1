//! The state at a position: frames, heap, global values.

use super::assigned::Assigned;
use super::report::{
    FrameState, GlobalState, HeapObjectState, MemoryRange, PlaceState, SessionState, ShownObject,
    Stored,
};
use super::{Session, Window};
use crate::data::Bytes;
use crate::error::Error;
use crate::state::View;
use crate::value::{Limits, Value};
use monomove_core::{
    EventKind, FrameRef, HeapObject, Replay, Trace, TraceEvent, TraceFunction, TracePlace,
};
use monomove_format::CompiledModule;
use monomove_types::TypeTag;
use std::rc::Rc;

/// A place before its value is known.
struct Place {
    name: String,
    place: TracePlace,
    bytes: Vec<u8>,
    holds: bool,
}

/// What is known of a global value while going through the events.
struct Global {
    key: String,
    before: Option<Vec<u8>>,
    read_at: u32,
    changed: bool,
    object: u32,
    exists: bool,
}

fn no_steps() -> Error {
    Error::argument("the call has no steps: there is no state to show")
}

impl Session {
    /// A type as a trace writes it, references by their referents.
    pub(super) fn tag(&mut self, ty: &str) -> Option<TypeTag> {
        let name = ty
            .strip_prefix("&mut ")
            .or_else(|| ty.strip_prefix('&'))
            .unwrap_or(ty);
        let known = self.tags.get(name).cloned();
        known.unwrap_or_else(|| {
            let tag = name.parse().ok();
            self.tags.insert(name.to_owned(), tag.clone());
            tag
        })
    }

    /// Which locals of a function hold a value where; `None` if its code is not at hand.
    fn assigned(&mut self, function: &TraceFunction) -> Option<Rc<Assigned>> {
        let key = (function.module.clone(), function.index);
        if let Some(known) = self.assigned.get(&key) {
            return known.clone();
        }
        let module = function.module.parse().ok();
        let module = module.and_then(|id| self.layouts.module(&id));
        let made = module
            .and_then(|module| of_definition(module, function.index))
            .map(Rc::new);
        self.assigned.insert(key, made.clone());
        made
    }

    /// The position's call stack, with the trace that its indices belong to. The machine's memory is that of the position then.
    fn stack(&mut self) -> Result<(Rc<Trace>, Vec<FrameRef>), Error> {
        self.here()?;
        let Some(window) = self.windows.last() else {
            return Err(no_steps());
        };
        self.machine.show(&window.replay);
        Ok((window.trace.clone(), window.replay.frames().to_vec()))
    }

    fn replay(&self) -> Option<&Replay<Rc<Trace>>> {
        self.windows.last().map(|window: &Window| &window.replay)
    }

    /// The state here.
    pub fn state(&mut self, limits: Limits) -> Result<SessionState, Error> {
        let (gas_used, mut frames, mut heap_bytes) = (self.gas_here()?, Vec::new(), 0);
        if self.length > 0 {
            let (trace, stack) = self.stack()?;
            for frame in &stack {
                frames.push(self.frame_state(&trace, frame, limits));
            }
            heap_bytes = self.replay().map_or(0, |replay| replay.heap().len()) as u32;
        }
        let range = |change: &super::Change| MemoryRange {
            address: change.address,
            size: change.size,
        };
        Ok(SessionState {
            step: self.position,
            frames,
            gas_used,
            gas_left: self.call.gas_limit.saturating_sub(gas_used),
            heap_bytes,
            changes: self.changes.iter().map(range).collect(),
        })
    }

    fn gas_here(&mut self) -> Result<u64, Error> {
        let position = self.position;
        let end = self.gas_used;
        Ok(self.here()?.map_or(end, |window| {
            let at = (position - window.first) as usize;
            window.trace.steps.gas.get(at).copied().unwrap_or(end)
        }))
    }

    /// One frame; the running one without an index.
    pub fn frame(&mut self, index: Option<u32>, limits: Limits) -> Result<FrameState, Error> {
        let (trace, frames) = self.stack()?;
        let at = index.map_or(frames.len().saturating_sub(1), |index| index as usize);
        let frame = *frames.get(at).ok_or_else(|| no_frame(at, frames.len()))?;
        Ok(self.frame_state(&trace, &frame, limits))
    }

    /// The bytes of a frame.
    pub fn frame_bytes(&mut self, index: u32) -> Result<Vec<u8>, Error> {
        let (trace, frames) = self.stack()?;
        let at = index as usize;
        let frame = frames.get(at).ok_or_else(|| no_frame(at, frames.len()))?;
        let function = trace.functions.get(frame.function as usize);
        let size = function.map_or(0, |function| function.frame);
        let bytes = self
            .replay()
            .and_then(|replay| replay.bytes(frame.fp, size));
        Ok(bytes.unwrap_or_default().to_vec())
    }

    fn frame_state(&mut self, trace: &Trace, frame: &FrameRef, limits: Limits) -> FrameState {
        let function = trace.functions.get(frame.function as usize).cloned();
        let function = function.unwrap_or_default();
        let assigned = self.assigned(&function);
        let holds = |local: usize| match &assigned {
            Some(assigned) => assigned.holds(frame.offset, local),
            None => local < function.params as usize,
        };
        let (mut locals, mut operands) = (Vec::new(), Vec::new());
        if let Some(replay) = self.replay() {
            for (index, (place, bytes)) in replay.locals(frame).into_iter().enumerate() {
                let kind = if index < function.params as usize {
                    'p'
                } else {
                    'l'
                };
                locals.push(Place {
                    name: format!("{kind}{index}"),
                    place,
                    bytes: bytes.to_vec(),
                    holds: holds(index),
                });
            }
            for (index, (place, bytes)) in replay.operands(frame).into_iter().enumerate() {
                operands.push(Place {
                    name: format!("s{index}"),
                    place,
                    bytes: bytes.to_vec(),
                    holds: true,
                });
            }
        }
        let mut shown = |places: Vec<Place>| {
            let shown = places
                .into_iter()
                .map(|place| self.place(trace, frame, place, limits));
            shown.collect()
        };
        FrameState {
            function: frame.function,
            offset: frame.offset,
            address: frame.fp,
            parameters: function.params,
            locals: shown(locals),
            operands: shown(operands),
        }
    }

    fn place(
        &mut self,
        trace: &Trace,
        frame: &FrameRef,
        place: Place,
        limits: Limits,
    ) -> PlaceState {
        let TracePlace { slot, size, ty } = place.place;
        let ty = trace.types.get(ty as usize).cloned().unwrap_or_default();
        let address = frame.fp.wrapping_add(slot);
        let value = place
            .holds
            .then(|| self.value_in(&ty, address, &place.bytes, limits));
        let end = address.saturating_add(size);
        let touched =
            |c: &super::Change| c.address < end && address < c.address.saturating_add(c.size);
        PlaceState {
            name: place.name,
            r#type: ty,
            slot,
            size,
            bytes: Bytes(place.bytes),
            value,
            changed: self.changes.iter().any(touched),
        }
    }

    /// The value in a place of type `ty`, whose bytes are given. References are shown with what they refer to.
    fn value_in(&mut self, ty: &str, address: u32, bytes: &[u8], limits: Limits) -> Value {
        if !ty.starts_with('&') {
            let value = self.value_at(ty, address, limits);
            return value.unwrap_or_else(|| Value::undecoded(ty.to_owned(), bytes));
        }
        let word = |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
        let (base, offset) = (
            word(0).map(u32::from_le_bytes),
            word(4).map(u32::from_le_bytes),
        );
        let target = base
            .zip(offset)
            .map(|(base, offset)| base.wrapping_add(offset));
        let address = target.unwrap_or(0);
        let value = self.value_at(ty, address, limits);
        Value::Reference {
            kind: "reference",
            r#type: ty.to_owned(),
            mutable: ty.starts_with("&mut "),
            address,
            target: Box::new(value.unwrap_or_else(|| Value::undecoded(ty.to_owned(), bytes))),
        }
    }

    fn bcs_at(&mut self, tag: &TypeTag, address: u32) -> Option<Vec<u8>> {
        let mut view = View {
            state: &self.state,
            writes: &self.writes,
        };
        self.machine.inspector().value(tag, address, &mut view)
    }

    fn value_at(&mut self, ty: &str, address: u32, limits: Limits) -> Option<Value> {
        let tag = self.tag(ty)?;
        let bcs = self.bcs_at(&tag, address)?;
        Some(Value::decode(&tag, &bcs, &self.layouts, limits))
    }

    /// Heap objects from an address on.
    pub fn heap(&mut self, from: u32, count: u32) -> Result<Vec<HeapObjectState>, Error> {
        self.stack()?;
        let objects = self.machine.inspector().objects(from, count as usize);
        Ok(objects.iter().map(object_state).collect())
    }

    /// A heap object with its value.
    pub fn object(&mut self, address: u32, limits: Limits) -> Result<ShownObject, Error> {
        self.stack()?;
        let inspector = self.machine.inspector();
        let object = inspector.object(address);
        let object =
            object.ok_or_else(|| Error::argument(format!("no object starts at {address}")))?;
        let bytes = inspector
            .bytes(address, object.size)
            .unwrap_or_default()
            .to_vec();
        let value = self.object_value(&object, &bytes, limits);
        Ok(ShownObject {
            object: object_state(&object),
            bytes: Bytes(bytes),
            value,
        })
    }

    fn object_value(&mut self, object: &HeapObject, bytes: &[u8], limits: Limits) -> Value {
        if let Some((tag, bcs)) = self.machine.inspector().function(object.address) {
            return Value::decode(&tag, &bcs, &self.layouts, limits);
        }
        let Some(tag) = &object.ty else {
            return Value::undecoded(String::new(), bytes);
        };
        let name = tag.to_string();
        if object.size == object.unit {
            let value = self.value_at(&name, object.address, limits);
            return value.unwrap_or_else(|| Value::undecoded(name, bytes));
        }
        let count = object.size.checked_div(object.unit).unwrap_or(0);
        let shown = count.min(limits.elements);
        let at = |i: u32| object.address + i * object.unit;
        let elements = (0..shown).map(|i| {
            let value = self.value_at(&name, at(i), limits);
            value.unwrap_or_else(|| Value::undecoded(name.clone(), &[]))
        });
        Value::Vector {
            kind: "vector",
            elements: elements.collect(),
            r#type: format!("vector<{name}>"),
            length: count,
        }
    }

    /// Bytes in use.
    pub fn bytes(&mut self, address: u32, size: u32) -> Result<Option<Vec<u8>>, Error> {
        let window = self.here()?;
        Ok(window.and_then(|window| window.replay.bytes(address, size).map(<[u8]>::to_vec)))
    }

    /// The global values that were touched before the position.
    pub fn globals(&mut self, limits: Limits) -> Result<Vec<GlobalState>, Error> {
        if self.length == 0 {
            return Ok(Vec::new());
        }
        let touched = self.touched();
        self.stack()?;
        let mut globals = Vec::with_capacity(touched.len());
        for global in touched {
            let object = self.object_of(&global);
            let key_type = self.key_type(&global.key);
            let ty = key_type.or(object.and_then(|object| object.ty));
            let now = ty.as_ref().filter(|_| global.exists).and_then(|ty| {
                let bcs = self.bcs_at(ty, global.object)?;
                Some(self.stored(ty, bcs, limits))
            });
            let before = global.before.zip(ty.as_ref());
            globals.push(GlobalState {
                before: before.map(|(bcs, ty)| self.stored(ty, bcs, limits)),
                now,
                r#type: ty.map(|ty| ty.to_string()),
                key: global.key,
                read_at: global.read_at,
                changed: global.changed,
                address: global.exists.then_some(global.object),
            });
        }
        Ok(globals)
    }

    fn stored(&self, ty: &TypeTag, bcs: Vec<u8>, limits: Limits) -> Stored {
        Stored {
            value: Value::decode(ty, &bcs, &self.layouts, limits),
            bcs: Bytes(bcs),
        }
    }

    fn object_of(&mut self, global: &Global) -> Option<HeapObject> {
        self.machine.inspector().object(global.object)
    }

    /// The type that a state key as text names.
    fn key_type(&mut self, key: &str) -> Option<TypeTag> {
        let (_, ty) = key.split_once("/resource/")?;
        self.tag(ty)
    }

    /// What the events before the position say of global values.
    fn touched(&mut self) -> Vec<Global> {
        let outline = self.outline();
        let end = match self.position.checked_sub(1) {
            Some(last) => outline.events_of(last as usize).end,
            None => 0,
        };
        let mut globals: Vec<Global> = Vec::new();
        for row in 0..end {
            let Some(TraceEvent::Global {
                kind,
                key,
                object,
                before,
                ..
            }) = outline.events.at(row)
            else {
                continue;
            };
            let key = outline.keys.get(key as usize).cloned().unwrap_or_default();
            let index = globals.iter().position(|global| global.key == key);
            let index = index.unwrap_or_else(|| {
                globals.push(Global {
                    key,
                    before: before
                        .filter(|_| kind == EventKind::Load)
                        .map(<[u8]>::to_vec),
                    read_at: outline.step_of(row),
                    changed: false,
                    object: 0,
                    exists: false,
                });
                globals.len() - 1
            });
            let global = &mut globals[index];
            global.object = object;
            global.exists = object != 0 && kind != EventKind::Take;
            global.changed |= matches!(
                kind,
                EventKind::BorrowMut | EventKind::Take | EventKind::Store
            );
        }
        globals
    }
}

fn no_frame(at: usize, count: usize) -> Error {
    Error::argument(format!("frame {at}: there are {count}"))
}

fn of_definition(module: &CompiledModule, index: u16) -> Option<Assigned> {
    let definition = module.function_defs.get(usize::from(index))?;
    let handle = module.handle_of_definition(definition);
    let parameters = module.signature_at(handle.parameters).len();
    Some(Assigned::new(definition.code.as_ref()?, parameters))
}

fn object_state(object: &HeapObject) -> HeapObjectState {
    HeapObjectState {
        address: object.address,
        size: object.size,
        r#type: object
            .ty
            .as_ref()
            .map_or_else(String::new, TypeTag::to_string),
        kind: if object.is_function {
            "closure"
        } else if object.size == object.unit {
            "value"
        } else {
            "elements"
        },
    }
}
