//! How a call ended, as JavaScript sees it: `Outcome` of the TypeScript. Faults are made on the other side: whoever had one cannot report it.

use crate::data::Bytes;
use crate::layouts::ModuleLayouts;
use crate::value::{Limits, Value};
use monomove_core::{CallOutput, Failure, Location, TypedValue, WriteOp};
use monomove_types::{Path, StateKey, TypeTag};
use serde::Serialize;

/// A value with its type and bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Typed {
    r#type: String,
    bcs: Bytes,
    value: Value,
}

impl Typed {
    /// The value of type `ty` with these BCS bytes.
    pub fn new(ty: &TypeTag, bcs: &[u8], layouts: &ModuleLayouts, limits: Limits) -> Self {
        Self {
            r#type: ty.to_string(),
            bcs: bcs.into(),
            value: Value::decode(ty, bcs, layouts, limits),
        }
    }

    fn of(value: &TypedValue, layouts: &ModuleLayouts) -> Self {
        Self::new(&value.ty, &value.bcs, layouts, Limits::default())
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureLocation {
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_index: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u16>,
}

/// Why a call did not return.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureReport {
    status: &'static str,
    status_code: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_status: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    location: FailureLocation,
}

impl FailureReport {
    fn new(failure: &Failure) -> Self {
        Self {
            status: failure.status.name(),
            status_code: failure.status.number() as u32,
            sub_status: failure.sub_status,
            message: failure.message.clone(),
            location: FailureLocation {
                module: match &failure.location {
                    Location::Module(id) => Some(id.to_string()),
                    Location::Undefined | Location::Script => None,
                },
                function: failure.function.as_ref().map(|name| name.to_string()),
                function_index: failure.function_index,
                offset: failure.offset,
            },
        }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    gas_used: u64,
    instruction_gas: u64,
    instructions: u64,
}

#[derive(Clone, Debug, Serialize)]
struct MutableArgument {
    index: u16,
    value: Typed,
}

#[derive(Clone, Debug, Serialize)]
struct StateChange {
    key: String,
    op: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewTable {
    handle: String,
    key_type: String,
    value_type: String,
}

/// What came of a call.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
#[allow(
    missing_docs,
    private_interfaces,
    clippy::large_enum_variant,
    reason = "made to be serialized, one at a time; the TypeScript type describes the fields"
)]
pub enum Outcome {
    #[serde(rename_all = "camelCase")]
    Returned {
        kind: &'static str,
        success: bool,
        #[serde(flatten)]
        usage: Usage,
        values: Vec<Typed>,
        mutable_arguments: Vec<MutableArgument>,
        changes: Vec<StateChange>,
        events: Vec<Typed>,
        new_tables: Vec<NewTable>,
    },
    Failed {
        kind: &'static str,
        success: bool,
        #[serde(flatten)]
        usage: Usage,
        failure: FailureReport,
    },
    Discarded {
        kind: &'static str,
        success: bool,
        failure: FailureReport,
    },
}

impl Outcome {
    /// Sorts what the machine gave. `before` is the value of a key in the state that the call ran on.
    pub fn new<'a>(
        output: &CallOutput,
        layouts: &ModuleLayouts,
        before: impl Fn(&StateKey) -> Option<&'a [u8]>,
    ) -> Self {
        let usage = Usage {
            gas_used: output.gas_used,
            instruction_gas: output.instruction_gas,
            instructions: output.instructions,
        };
        let (values, mut_args) = match &output.outcome {
            monomove_core::Outcome::Returned { values, mut_args } => (values, mut_args),
            monomove_core::Outcome::Failed(failure) => {
                let report = FailureReport::new(failure);
                if output.instructions == 0 && failure.location == Location::Undefined {
                    return Self::Discarded {
                        kind: "discarded",
                        success: false,
                        failure: report,
                    };
                }
                return Self::Failed {
                    kind: "kept",
                    success: false,
                    usage,
                    failure: report,
                };
            }
        };
        let change = |(key, op): &(StateKey, WriteOp)| {
            let (name, after) = match op {
                WriteOp::Create(bytes) => ("create", Some(bytes)),
                WriteOp::Modify(bytes) => ("modify", Some(bytes)),
                WriteOp::Delete => ("delete", None),
            };
            StateChange {
                key: key.to_string(),
                op: name,
                before: before(key).map(Bytes::from),
                after: after.map(|bytes| Bytes(bytes.clone())),
                r#type: type_of(key).map(|tag| tag.to_string()),
            }
        };
        let event = |event: &monomove_core::Event| {
            Typed::new(&event.ty, &event.data, layouts, Limits::default())
        };
        Self::Returned {
            kind: "kept",
            success: true,
            usage,
            values: values.iter().map(|v| Typed::of(v, layouts)).collect(),
            mutable_arguments: mut_args
                .iter()
                .map(|(index, value)| MutableArgument {
                    index: *index,
                    value: Typed::of(value, layouts),
                })
                .collect(),
            changes: output.writes.iter().map(change).collect(),
            events: output.events.iter().map(event).collect(),
            new_tables: output
                .new_tables
                .iter()
                .map(|table| NewTable {
                    handle: table.handle.to_string(),
                    key_type: table.key.to_string(),
                    value_type: table.value.to_string(),
                })
                .collect(),
        }
    }

    /// The values of a call that returned.
    pub fn into_values(self) -> Result<Vec<Typed>, Box<Self>> {
        match self {
            Self::Returned { values, .. } => Ok(values),
            other => Err(Box::new(other)),
        }
    }

    /// Whether it returned.
    pub fn returned(&self) -> bool {
        matches!(self, Self::Returned { .. })
    }

    /// How it ended, in a few words.
    pub fn headline(&self) -> String {
        match self {
            Self::Returned { .. } => "returned".into(),
            Self::Failed { failure, .. } | Self::Discarded { failure, .. } => {
                let mut text = failure.status.to_owned();
                if let Some(sub) = failure.sub_status {
                    text.push_str(&format!(" ({sub})"));
                }
                if let Some(message) = &failure.message {
                    text.push_str(&format!(": {message}"));
                }
                if let Some(module) = &failure.location.module {
                    text.push_str(&format!(" in {module}"));
                }
                text
            }
        }
    }
}

/// The type of the value under `key`, where the key names it.
pub fn type_of(key: &StateKey) -> Option<TypeTag> {
    match key {
        StateKey::AccessPath {
            path: Path::Resource(tag) | Path::ResourceGroup(tag),
            ..
        } => Some(TypeTag::from(tag.clone())),
        _ => None,
    }
}
