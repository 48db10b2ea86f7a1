//! A hash of what a recording means, independent of addresses, ids and value layouts.

use super::events::{EventKind, TraceEvent};
use super::format::{Trace, TracePlace};
use super::replay::{Replay, TraceError};
use sha3::{Digest, Sha3_256};

/// Types whose bytes are their value.
const SCALARS: [&str; 14] = [
    "bool", "u8", "u16", "u32", "u64", "u128", "u256", "i8", "i16", "i32", "i64", "i128", "i256",
    "address",
];

impl Trace {
    /// SHA3-256 of the run as it is seen from Move: at each step the function, code offset, depth, gas used and scalar operands, and the
    /// events but for allocations. Two runs of the same call have the same digest on any backend.
    pub fn digest(&self) -> Result<[u8; 32], TraceError> {
        let mut hasher = Sha3_256::new();
        let text = |hasher: &mut Sha3_256, text: &str| {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        };
        let mut replay = Replay::new(self)?;
        loop {
            let step = replay.step();
            let more = step < self.len();
            if let Some(frame) = replay.frames().last().filter(|_| more) {
                let function = self.functions.get(frame.function as usize);
                let function = function.ok_or(TraceError::Inconsistent(step))?;
                text(&mut hasher, &function.module);
                text(&mut hasher, &function.name);
                for &ty in &function.ty_args {
                    text(&mut hasher, self.type_at(ty));
                }
                hasher.update(frame.offset.to_le_bytes());
                hasher.update((replay.frames().len() as u32).to_le_bytes());
                hasher.update(self.steps.gas[step].to_le_bytes());
                for (TracePlace { ty, .. }, bytes) in replay.operands(frame) {
                    let name = self.type_at(ty);
                    text(&mut hasher, name);
                    if SCALARS.contains(&name) {
                        hasher.update(bytes);
                    }
                }
            }
            let rows = if more {
                self.events_of(step)
            } else {
                let last = step
                    .checked_sub(1)
                    .map_or(0, |last| self.events_of(last).end);
                last..self.events.len()
            };
            for row in rows {
                let event = self.events.at(row);
                self.hash_event(&mut hasher, event.ok_or(TraceError::Inconsistent(step))?);
            }
            if !replay.forward()? {
                break;
            }
        }
        Ok(hasher.finalize().into())
    }

    fn type_at(&self, index: u32) -> &str {
        self.types.get(index as usize).map_or("", String::as_str)
    }

    fn hash_event(&self, hasher: &mut Sha3_256, event: TraceEvent<'_>) {
        let bytes = |hasher: &mut Sha3_256, bytes: Option<&[u8]>| {
            hasher.update([u8::from(bytes.is_some())]);
            let bytes = bytes.unwrap_or_default();
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        match event {
            TraceEvent::Call {
                function,
                gas,
                by_closure,
                ..
            } => {
                let function = self.functions.get(function as usize);
                let path = function.map_or(String::new(), |function| function.path());
                hasher.update([0, u8::from(by_closure)]);
                bytes(hasher, Some(path.as_bytes()));
                hasher.update(gas.to_le_bytes());
            }
            TraceEvent::Return { .. } => hasher.update([1]),
            // Addresses are not part of it.
            TraceEvent::Global {
                kind: EventKind::Move,
                ..
            } => {}
            TraceEvent::Global {
                kind,
                key,
                before,
                after,
                ..
            } => {
                hasher.update([2, kind as u8]);
                let key = self.keys.get(key as usize).map(String::as_bytes);
                bytes(hasher, key);
                bytes(hasher, before);
                bytes(hasher, after);
            }
            TraceEvent::Emit { ty, data } => {
                hasher.update([3]);
                bytes(hasher, Some(self.type_at(ty).as_bytes()));
                bytes(hasher, Some(data));
            }
            TraceEvent::Allocate { .. } | TraceEvent::Collect { .. } => {}
            TraceEvent::Fail { status, sub_status } => {
                hasher.update([4]);
                hasher.update(status.to_le_bytes());
                hasher.update(sub_status.to_le_bytes());
            }
        }
    }
}
