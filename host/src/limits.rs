//! What a sandbox may use at most.

use monomove_core::MachineConfig;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bytes of a page of wasm memory.
const WASM_PAGE: u64 = 65_536;

/// Bounds of a sandbox. Hitting one of the machine's own bounds is an outcome of Move (the status is given); hitting one of the
/// sandbox's is a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of the guest's linear memory: code, context, stack and heap together. Fault `Memory`.
    pub guest_memory_bytes: u64,
    /// Bytes of the calling thread's stack that the guest may use. The thread must have them, and some more for the host. Fault `Stack`.
    pub wasm_stack_bytes: u32,
    /// Milliseconds one call may take by the clock: the watchdog against bugs, not a meter. It fires up to two ticks (1/8 of it, at
    /// most 100 ms) late. Fault `Time`.
    pub watchdog_ms: u64,
    /// Bytes of the frame stack; `CALL_STACK_OVERFLOW`.
    pub frame_stack_bytes: u32,
    /// Bytes of the transaction heap; `MEMORY_LIMIT_EXCEEDED`.
    pub heap_bytes: u32,
    /// Sizes below `heap_bytes` that the heap has in turn while it grows; 0 for none.
    pub heap_steps: [u32; 3],
    /// Callers besides the running frame; `CALL_STACK_OVERFLOW`.
    pub call_depth: u32,
    /// Values on the operand stack over all frames; `EXECUTION_STACK_OVERFLOW`.
    pub operand_stack: u32,
    /// Internal gas of one transaction: a call that asks for more gets this much; `OUT_OF_GAS`.
    pub gas_per_transaction: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let machine = MachineConfig::default();
        Self {
            guest_memory_bytes: 256 << 20,
            wasm_stack_bytes: 1 << 20,
            watchdog_ms: 10_000,
            frame_stack_bytes: machine.stack_bytes,
            heap_bytes: machine.heap_bytes,
            heap_steps: std::array::from_fn(|i| machine.heap_steps.get(i).copied().unwrap_or(0)),
            call_depth: machine.call_depth,
            operand_stack: machine.operand_stack,
            // The chain's largest gas limit (20 000 000 units) in internal gas (a millionth of a unit).
            gas_per_transaction: 20_000_000 * 1_000_000,
        }
    }
}

/// A limit that cannot be met.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("limit {name} is {value}: it must be {expected}")]
pub struct LimitsError {
    /// Field of [`Limits`].
    pub name: &'static str,
    /// What it was.
    pub value: u64,
    /// What it must be.
    pub expected: &'static str,
}

impl Limits {
    /// Checks every bound against what an engine can give.
    pub fn check(&self) -> Result<(), LimitsError> {
        let within = |name, value: u64, range: std::ops::RangeInclusive<u64>, expected| {
            if range.contains(&value) {
                Ok(())
            } else {
                Err(LimitsError {
                    name,
                    value,
                    expected,
                })
            }
        };
        within(
            "guest_memory_bytes",
            self.guest_memory_bytes,
            16 * WASM_PAGE..=1 << 32,
            "from 1 MiB to 4 GiB",
        )?;
        // Survivors of a collection are copied behind the heap.
        let machine = u64::from(self.frame_stack_bytes) + 2 * u64::from(self.heap_bytes);
        within(
            "guest_memory_bytes",
            self.guest_memory_bytes,
            machine + (4 << 20)..=1 << 32,
            "at least frame_stack_bytes + 2 heap_bytes + 4 MiB",
        )?;
        within(
            "wasm_stack_bytes",
            self.wasm_stack_bytes.into(),
            64 << 10..=64 << 20,
            "from 64 KiB to 64 MiB",
        )?;
        within(
            "watchdog_ms",
            self.watchdog_ms,
            1..=86_400_000,
            "from 1 to 86400000",
        )
    }

    /// The part of the limits that the machine enforces.
    pub(crate) fn machine_config(&self) -> MachineConfig {
        let steps = self.heap_steps.into_iter().filter(|&step| step > 0);
        MachineConfig {
            stack_bytes: self.frame_stack_bytes,
            heap_bytes: self.heap_bytes,
            heap_steps: steps.collect(),
            call_depth: self.call_depth,
            operand_stack: self.operand_stack,
            ..MachineConfig::default()
        }
    }
}
