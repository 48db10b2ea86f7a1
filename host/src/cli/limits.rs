//! Limits as flags, and their echo in the output.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use monomove::{EngineConfig, GasSchedule, Limits, MemoryState, gas_schedule_of};
use serde::Serialize;

use super::exit::CliError;
use super::input;

/// What executes functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tier {
    /// The interpreter, the only one there is
    #[default]
    Interp,
}

/// Limits of the sandbox.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Internal gas of one transaction
    #[arg(long, value_name = "GAS")]
    pub(crate) gas_limit: Option<u64>,
    /// Heap of one transaction: bytes, or with KiB, MiB, GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    heap: Option<u64>,
    /// Sizes that the heap has in turn while it grows
    #[arg(long, value_name = "SIZES", value_parser = size, value_delimiter = ',', num_args = 0..=3)]
    heap_steps: Option<Vec<u64>>,
    /// Frame stack of one transaction
    #[arg(long, value_name = "SIZE", value_parser = size)]
    stack: Option<u64>,
    /// Memory of the whole sandbox
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// Clock time of one transaction: milliseconds, or with ms, s
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    timeout: Option<u64>,
}

/// How the core runs.
#[derive(Clone, Debug, Args)]
pub(crate) struct ModeArgs {
    /// Check types, locals and references while running: for code that no verifier has seen
    #[arg(long)]
    pub(crate) paranoid: bool,
    /// Collect garbage before every allocation: changes nothing but the time it takes
    #[arg(long)]
    pub(crate) gc_stress: bool,
    /// Bytes up to which an enum lies inline; larger ones are objects on the heap. Changes nothing but time and memory
    #[arg(long, value_name = "N", default_value_t = EngineConfig::default().enum_inline_bytes)]
    pub(crate) enum_inline_bytes: u32,
    /// Gas schedule that differs from the default: a genesis blob with `0x1::gas_schedule::GasScheduleV2`, or JSON such as
    /// {"instr.add": 5880}
    #[arg(long, value_name = "FILE")]
    gas_schedule: Option<PathBuf>,
}

impl ModeArgs {
    /// The entries of the gas schedule that the user named.
    pub(crate) fn gas_schedule(&self) -> Result<Vec<(String, u64)>, CliError> {
        let Some(path) = &self.gas_schedule else {
            return Ok(Vec::new());
        };
        let bytes = input::read(path)?;
        let bad = |message: String| CliError::at(path.display(), message);
        if path.extension().is_some_and(|e| e == "blob") {
            let blob = input::genesis_blob(path, &bytes)?;
            let state: MemoryState = blob.writes.into_iter().collect();
            return gas_schedule_of(&state)
                .map_err(|error| bad(error.to_string()))?
                .ok_or_else(|| bad("there is no 0x1::gas_schedule::GasScheduleV2".to_owned()));
        }
        let entries: BTreeMap<String, u64> = serde_json::from_slice(&bytes)
            .map_err(|error| bad(format!("expected a JSON object of gas parameters: {error}")))?;
        let known = GasSchedule::default().entries();
        if let Some(key) = entries
            .keys()
            .find(|key| !known.iter().any(|(k, _)| k == key))
        {
            return Err(bad(format!("there is no gas parameter {key:?}")));
        }
        Ok(entries.into_iter().collect())
    }
}

impl LimitArgs {
    /// The limits, defaults filled in.
    pub(crate) fn limits(&self) -> Result<Limits, String> {
        self.limits_with_memory(Limits::default().guest_memory_bytes)
    }

    /// The limits, defaults filled in, with another default for the memory of the sandbox.
    pub(crate) fn limits_with_memory(&self, memory: u64) -> Result<Limits, String> {
        let small = |flag: &str, size: Option<u64>, default: u32| match size {
            None => Ok(default),
            Some(size) => {
                u32::try_from(size).map_err(|_| format!("--{flag}: expected less than 4GiB"))
            }
        };
        let default = Limits::default();
        let mut heap_steps = default.heap_steps;
        if let Some(steps) = &self.heap_steps {
            heap_steps = [0; 3];
            for (to, &step) in heap_steps.iter_mut().zip(steps) {
                *to = small("heap-steps", Some(step), 0)?;
            }
        }
        Ok(Limits {
            guest_memory_bytes: self.memory.unwrap_or(memory),
            watchdog_ms: self.timeout.unwrap_or(default.watchdog_ms),
            frame_stack_bytes: small("stack", self.stack, default.frame_stack_bytes)?,
            heap_bytes: small("heap", self.heap, default.heap_bytes)?,
            heap_steps,
            gas_per_transaction: self.gas_limit.unwrap_or(default.gas_per_transaction),
            ..default
        })
    }
}

/// The limits in one line.
pub(crate) fn echo(limits: &Limits) -> String {
    format!(
        "limits: gas {}, heap {}, stack {}, memory {}, timeout {} ms",
        limits.gas_per_transaction,
        bytes(limits.heap_bytes.into()),
        bytes(limits.frame_stack_bytes.into()),
        bytes(limits.guest_memory_bytes),
        limits.watchdog_ms
    )
}

fn bytes(size: u64) -> String {
    for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if size >= unit && size.is_multiple_of(unit) {
            return format!("{} {name}", size / unit);
        }
    }
    format!("{size} B")
}

pub(crate) fn size(text: &str) -> Result<u64, String> {
    let units = [
        ("", 1),
        ("b", 1),
        ("k", 1 << 10),
        ("kib", 1 << 10),
        ("m", 1 << 20),
        ("mib", 1 << 20),
        ("g", 1 << 30),
        ("gib", 1 << 30),
    ];
    number_with_unit(text, &units)
        .ok_or_else(|| "expected a size such as 65536, 64KiB or 10MiB".to_owned())
}

fn milliseconds(text: &str) -> Result<u64, String> {
    let units = [("", 1), ("ms", 1), ("s", 1000), ("m", 60_000)];
    number_with_unit(text, &units)
        .ok_or_else(|| "expected a time such as 500, 500ms or 2s".to_owned())
}

fn number_with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.trim().to_ascii_lowercase();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        assert_eq!(size("64KiB"), Ok(65536));
        assert_eq!(size("64 k"), Ok(65536));
        assert_eq!(size("5"), Ok(5));
        assert!(size("x").is_err() && size("").is_err() && size("99999999999GiB").is_err());
        assert_eq!(milliseconds("2s"), Ok(2000));
        assert_eq!(milliseconds("7"), Ok(7));
        assert_eq!(bytes(10 << 20), "10 MiB");
        assert_eq!(bytes(1025), "1025 B");
    }
}
