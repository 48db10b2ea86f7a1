//! What a session tells, as JavaScript sees it: the types of `session.ts`.
#![allow(missing_docs, reason = "the TypeScript types describe the fields")]

use crate::data::Bytes;
use crate::value::Value;
use serde::Serialize;

/// Why a recording ends where it does.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Complete,
    Steps,
    Frames,
}

impl End {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Steps => "steps",
            Self::Frames => "frames",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StopReason {
    Step,
    Condition,
    Start,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stop {
    pub step: u32,
    pub reason: StopReason,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<u32>,
}

impl Stop {
    pub fn new(step: u32, reason: StopReason, condition: Option<u32>) -> Self {
        Self {
            step,
            reason,
            condition,
        }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionFunction {
    pub index: u32,
    pub module: String,
    pub name: String,
    pub definition: u16,
    pub type_arguments: Vec<String>,
    pub native: bool,
    pub frame_bytes: u32,
    pub blocks: Vec<u16>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlaceState {
    pub name: String,
    pub r#type: String,
    pub slot: u32,
    pub size: u32,
    pub bytes: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    pub changed: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct FrameState {
    pub function: u32,
    pub offset: u16,
    pub address: u32,
    pub parameters: u32,
    pub locals: Vec<PlaceState>,
    pub operands: Vec<PlaceState>,
}

#[derive(Clone, Debug, Serialize)]
pub struct MemoryRange {
    pub address: u32,
    pub size: u32,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionState {
    pub step: u32,
    pub frames: Vec<FrameState>,
    pub gas_used: u64,
    pub gas_left: u64,
    pub heap_bytes: u32,
    pub changes: Vec<MemoryRange>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Stored {
    pub bcs: Bytes,
    pub value: Value,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GlobalState {
    pub key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Stored>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Stored>,
    pub read_at: u32,
    pub changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<u32>,
}

#[derive(Clone, Debug, Serialize)]
pub struct HeapObjectState {
    pub address: u32,
    pub size: u32,
    pub r#type: String,
    pub kind: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct ShownObject {
    pub object: HeapObjectState,
    pub bytes: Bytes,
    pub value: Value,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Collection {
    pub step: u32,
    pub before: u32,
    pub after: u32,
    pub live: u32,
}

#[derive(Clone, Debug, Serialize)]
pub struct EmittedEvent {
    pub step: u32,
    pub r#type: String,
    pub bcs: Bytes,
    pub value: Value,
}

#[derive(Clone, Debug, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum StepEvent {
    Call {
        function: u32,
    },
    Return {
        function: u32,
    },
    Load {
        key: String,
    },
    Access {
        key: String,
    },
    BorrowMut {
        key: String,
    },
    Take {
        key: String,
    },
    Store {
        key: String,
    },
    Change {
        key: String,
    },
    Emit {
        r#type: String,
        bcs: Bytes,
        value: Value,
    },
    Allocate {
        address: u32,
        bytes: u32,
    },
    Collect {
        before: u32,
        after: u32,
        live: u32,
    },
    Fail {
        status: String,
        sub_status: u64,
    },
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldLayout {
    pub name: String,
    pub offset: u32,
    pub size: u32,
    pub r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_id: Option<u32>,
    pub slot: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct VariantLayout {
    pub name: String,
    pub fields: Vec<FieldLayout>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeInfo {
    pub id: u32,
    pub name: String,
    pub kind: &'static str,
    pub abilities: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub align: Option<u32>,
    pub fields: Vec<FieldLayout>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variants: Option<Vec<VariantLayout>>,
    pub refers_to: Vec<u32>,
    pub used_by: Vec<u32>,
}

#[derive(Clone, Debug, Serialize)]
pub struct LoweredLine {
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u16>,
}

#[derive(Clone, Debug, Serialize)]
pub struct LoweringLevel {
    pub name: &'static str,
    pub lines: Vec<LoweredLine>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lowering {
    pub function: String,
    pub type_arguments: Vec<String>,
    pub levels: Vec<LoweringLevel>,
}
