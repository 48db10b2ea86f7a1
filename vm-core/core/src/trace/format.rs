//! The trace format: columns, not a tree of objects. `TRACE.md` describes it.

use serde::{Deserialize, Serialize};

/// Name of the format.
pub const TRACE_SCHEMA: &str = "monomove.trace";

/// Version of the format. A reader refuses others.
pub const TRACE_VERSION: u32 = 1;

/// How much is recorded. A run goes on beyond these bounds, unrecorded: they never change a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceLimits {
    /// Steps recorded at most.
    pub steps: u32,
    /// Bytes of all columns together, at which recording ends.
    pub bytes: u64,
    /// Steps between two checkpoints at least.
    pub checkpoint_steps: u32,
    /// Whether memory is recorded: writes and checkpoints. Without it: steps and events.
    pub memory: bool,
}

impl Default for TraceLimits {
    fn default() -> Self {
        Self {
            steps: 1_000_000,
            bytes: 64 << 20,
            checkpoint_steps: 1024,
            memory: true,
        }
    }
}

/// Why a recording ends where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceEnd {
    /// The run ended.
    Complete,
    /// [`TraceLimits::steps`].
    Steps,
    /// [`TraceLimits::bytes`].
    Bytes,
    /// The frames of the traced form did not fit the frame stack.
    Frames,
}

/// What the columns refer to, and how the recording ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceHeader {
    /// [`TRACE_SCHEMA`].
    pub schema: String,
    /// [`TRACE_VERSION`].
    pub version: u32,
    /// Address of the first byte of the frame stack.
    pub stack_start: u32,
    /// Address of the first byte of the heap.
    pub heap_start: u32,
    /// Internal gas the call might use.
    pub gas_limit: u64,
    /// Internal gas it used.
    pub gas_used: u64,
    /// Bytecode instructions it executed.
    pub instructions: u64,
    /// How the recording ended.
    pub end: TraceEnd,
}

/// A place in a frame and the type of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracePlace {
    /// Byte offset from the frame pointer.
    pub slot: u32,
    /// Bytes.
    pub size: u32,
    /// Index into [`Trace::types`].
    pub ty: u32,
}

/// A function that was called: with its type arguments, its code, and the layout of its frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceFunction {
    /// `0x1::module`.
    pub module: String,
    /// Its name.
    pub name: String,
    /// Definition index in its module.
    pub index: u16,
    /// Type arguments: indices into [`Trace::types`].
    pub ty_args: Vec<u32>,
    /// A native function: no instructions.
    pub native: bool,
    /// Bytes of its frame.
    pub frame: u32,
    /// Parameters among the locals: the first ones.
    pub params: u32,
    /// Locals, parameters first. A local holds something only once it was written.
    pub locals: Vec<TracePlace>,
    /// Code offset of the first instruction of each basic block, in order.
    pub blocks: Vec<u16>,
    /// By code offset: end in `operands` of the operand stack before that instruction.
    pub operand_end: Vec<u32>,
    /// Operand stacks of all code offsets, one after the other, each with the deepest operand first.
    pub operands: Vec<TracePlace>,
}

impl TraceFunction {
    /// The operand stack of its frame before the instruction at `offset`, the deepest first.
    pub fn operands_at(&self, offset: u16) -> &[TracePlace] {
        let end = |at: usize| self.operand_end.get(at).map_or(0, |&end| end as usize);
        let at = usize::from(offset);
        let start = at.checked_sub(1).map_or(0, end);
        self.operands.get(start..end(at)).unwrap_or(&[])
    }

    /// `0x1::module::name`.
    pub fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }

    /// Number of the basic block that the instruction at `offset` belongs to, and the offset where it starts.
    pub fn block_of(&self, offset: u16) -> (usize, u16) {
        let after = self.blocks.partition_point(|&start| start <= offset);
        let block = after.saturating_sub(1);
        (block, self.blocks.get(block).copied().unwrap_or(0))
    }
}

/// One row per step: the instruction that begins there, and the state it finds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepColumns {
    /// Index into [`Trace::functions`].
    pub function: Vec<u32>,
    /// Code offset.
    pub offset: Vec<u16>,
    /// Callers.
    pub depth: Vec<u16>,
    /// Gas used before the step, exactly as an instruction by instruction meter has it.
    pub gas: Vec<u64>,
    /// End of the step's writes in [`Trace::writes`].
    pub write_end: Vec<u32>,
    /// End of the step's events in [`Trace::events`].
    pub event_end: Vec<u32>,
}

/// One row per changed range of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteColumns {
    /// Address of the first byte.
    pub address: Vec<u32>,
    /// End of its bytes in `old` and in `new`.
    pub data_end: Vec<u32>,
    /// Bytes before the step.
    #[serde(with = "blob")]
    pub old: Vec<u8>,
    /// Bytes after the step.
    #[serde(with = "blob")]
    pub new: Vec<u8>,
}

/// One row per event; [`TraceEvent`](super::TraceEvent) is its decoded form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventColumns {
    /// Number of an [`EventKind`](super::EventKind).
    pub kind: Vec<u8>,
    /// What it is about: a function, a key, a type.
    pub subject: Vec<u32>,
    /// A number that depends on the kind.
    pub value: Vec<u64>,
    /// Bit 0: there is a value before; bit 1: there is a value after; bit 2: called as a function value.
    pub flags: Vec<u8>,
    /// End of the value before in `data`; it starts where the row before ends.
    pub before_end: Vec<u32>,
    /// End of the value after in `data`; it starts where the value before ends.
    pub after_end: Vec<u32>,
    /// The values.
    #[serde(with = "blob")]
    pub data: Vec<u8>,
}

/// A frame on the call stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameRef {
    /// Index into [`Trace::functions`].
    pub function: u32,
    /// Code offset of the instruction it executes.
    pub offset: u16,
    /// Address of its first byte.
    pub fp: u32,
}

/// The whole state before a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The step; the number of steps for the state at the end.
    pub step: u32,
    /// The call stack, the running function last.
    pub frames: Vec<FrameRef>,
    /// The frame stack from its start to the highest byte that was ever used.
    #[serde(with = "blob")]
    pub stack: Vec<u8>,
    /// The heap from its start to its last object.
    #[serde(with = "blob")]
    pub heap: Vec<u8>,
}

/// A recording of one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// What the columns refer to.
    pub header: TraceHeader,
    /// Types by their canonical names.
    pub types: Vec<String>,
    /// Functions that were called.
    pub functions: Vec<TraceFunction>,
    /// State keys by their texts.
    pub keys: Vec<String>,
    /// The steps.
    pub steps: StepColumns,
    /// Changes of memory.
    pub writes: WriteColumns,
    /// Everything else that happened.
    pub events: EventColumns,
    /// States to start from, in the order of their steps; the first is before step 0, the last after the last step.
    pub checkpoints: Vec<Checkpoint>,
}

impl Trace {
    /// Number of recorded steps.
    pub fn len(&self) -> usize {
        self.steps.function.len()
    }

    /// Whether no step was recorded.
    pub fn is_empty(&self) -> bool {
        self.steps.function.is_empty()
    }

    /// Gas that the step used, calls of natives included.
    pub fn gas_of(&self, step: usize) -> u64 {
        let gas = &self.steps.gas;
        let at = gas.get(step).copied().unwrap_or(0);
        let next = match gas.get(step + 1) {
            Some(&next) => next,
            // What came after a recording that was cut off is not the last step's.
            None if self.header.end != TraceEnd::Complete => at,
            None => self.header.gas_used,
        };
        next.saturating_sub(at)
    }
}

/// Bytes: as hexadecimal digits in text formats, as bytes in binary ones.
mod blob {
    use serde::de::{Error, Visitor};
    use serde::{Deserialize, Deserializer, Serializer};
    use std::fmt;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(bytes);
        }
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        if !deserializer.is_human_readable() {
            return deserializer.deserialize_byte_buf(Bytes);
        }
        let text = String::deserialize(deserializer)?;
        let digits = text.as_bytes().chunks(2).map(|pair| match *pair {
            [high, low] => Some((digit(high)? << 4) | digit(low)?),
            _ => None,
        });
        let bytes = digits.collect::<Option<Vec<u8>>>();
        bytes.ok_or_else(|| D::Error::custom("expected pairs of hexadecimal digits"))
    }

    fn digit(byte: u8) -> Option<u8> {
        char::from(byte).to_digit(16).map(|digit| digit as u8)
    }

    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }
    }
}
