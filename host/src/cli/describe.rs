//! What a transaction did, as data for JSON and as text for people.

use std::collections::HashMap;

use monomove::{
    AccountAddress, Failure, Fees, Location, Outcome, SandboxFault, StateKey, StateView,
    StatusCode, StructTag, TransactionOutcome, TypeTag, TypedValue, WriteOp,
};
use monomove_text::Renderer;
use monomove_types::Path;
use monomove_types::codec::{CodecError, Cursor};
use serde::Serialize;

use super::layouts::ModuleLayouts;
use super::output::{BAD, DIM, GOOD, escape_line, grouped, styled};

/// What printing needs to know about types.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// Structs and enums.
    pub(crate) layouts: ModuleLayouts,
    /// Types of the keys and values of the tables that were seen being created.
    tables: HashMap<AccountAddress, (TypeTag, TypeTag)>,
}

/// A transaction's end and effects.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Described {
    /// `kept`, `discarded` or `sandbox_fault`.
    status: &'static str,
    /// Whether the call returned: only then are there effects.
    pub(crate) returned: bool,
    values: Vec<Value>,
    mut_args: Vec<MutArg>,
    failure: Option<FailureText>,
    fault: Option<SandboxFault>,
    pub(crate) gas_used: u64,
    pub(crate) instruction_gas: u64,
    pub(crate) instructions: u64,
    /// What it pays besides execution.
    fees: Fees,
    pub(crate) changes: Vec<Change>,
    pub(crate) events: Vec<Value>,
    new_tables: Vec<NewTable>,
}

/// A typed value.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Value {
    #[serde(rename = "type")]
    ty: String,
    bcs: String,
    text: String,
}

#[derive(Clone, Debug, Serialize)]
struct MutArg {
    index: u16,
    #[serde(flatten)]
    value: Value,
}

#[derive(Clone, Debug, Serialize)]
struct FailureText {
    status: &'static str,
    code: u64,
    sub_status: Option<u64>,
    module: Option<String>,
    function: Option<String>,
    instruction: Option<u16>,
    message: Option<String>,
}

/// A change of one state value.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Change {
    op: &'static str,
    pub(crate) key: String,
    before: Option<Stored>,
    after: Option<Stored>,
}

#[derive(Clone, Debug, Serialize)]
struct Stored {
    bcs: String,
    text: String,
}

#[derive(Clone, Debug, Serialize)]
struct NewTable {
    handle: AccountAddress,
    key_type: String,
    value_type: String,
}

impl Book {
    /// Describes `outcome` of a transaction that ran on `before`, and remembers the tables it created.
    pub(crate) fn describe(
        &mut self,
        outcome: &TransactionOutcome,
        before: &dyn StateView,
    ) -> Described {
        let mut described = Described::empty();
        match outcome {
            TransactionOutcome::SandboxFault(fault) => {
                described.status = "sandbox_fault";
                let message = escape_line(&fault.message);
                described.fault = Some(SandboxFault {
                    message,
                    ..fault.clone()
                });
            }
            TransactionOutcome::Discarded(failure) => {
                described.status = "discarded";
                described.failure = Some(FailureText::new(failure));
            }
            TransactionOutcome::Kept(output) => {
                for table in &output.new_tables {
                    self.tables
                        .insert(table.handle, (table.key.clone(), table.value.clone()));
                }
                match &output.outcome {
                    Outcome::Returned { values, mut_args } => {
                        described.returned = true;
                        described.values = values
                            .iter()
                            .map(|value| self.value(value, before))
                            .collect();
                        let mut_arg = |(index, value): &(u16, TypedValue)| MutArg {
                            index: *index,
                            value: self.value(value, before),
                        };
                        described.mut_args = mut_args.iter().map(mut_arg).collect();
                    }
                    Outcome::Failed(failure) => described.failure = Some(FailureText::new(failure)),
                }
                described.gas_used = output.gas_used;
                described.instruction_gas = output.instruction_gas;
                described.instructions = output.instructions;
                described.fees = output.fees;
                described.changes = output
                    .writes
                    .iter()
                    .map(|(key, op)| self.change(key, op, before))
                    .collect();
                let event = |event: &monomove::Event| self.typed(&event.ty, &event.data, before);
                described.events = output.events.iter().map(event).collect();
                let table = |table: &monomove::NewTable| NewTable {
                    handle: table.handle,
                    key_type: table.key.to_string(),
                    value_type: table.value.to_string(),
                };
                described.new_tables = output.new_tables.iter().map(table).collect();
            }
        }
        described
    }

    fn value(&self, value: &TypedValue, view: &dyn StateView) -> Value {
        self.typed(&value.ty, &value.bcs, view)
    }

    fn typed(&self, ty: &TypeTag, bytes: &[u8], view: &dyn StateView) -> Value {
        Value {
            ty: ty.to_string(),
            bcs: bcs_text(bytes),
            text: Renderer::new(&self.layouts.with(view)).render(ty, bytes),
        }
    }

    fn change(&self, key: &StateKey, op: &WriteOp, before: &dyn StateView) -> Change {
        let (op, after) = match op {
            WriteOp::Create(bytes) => ("create", Some(bytes.as_slice())),
            WriteOp::Modify(bytes) => ("modify", Some(bytes.as_slice())),
            WriteOp::Delete => ("delete", None),
        };
        let old = before.get(key).ok().flatten();
        Change {
            op,
            key: self.key_text(key, before),
            before: old.map(|bytes| self.stored(key, &bytes, before)),
            after: after.map(|bytes| self.stored(key, bytes, before)),
        }
    }

    fn key_text(&self, key: &StateKey, view: &dyn StateView) -> String {
        match key {
            StateKey::AccessPath {
                address,
                path: Path::Resource(tag),
            } => format!("{address} {tag}"),
            StateKey::TableItem { handle, key } => {
                let key = match self.tables.get(handle) {
                    Some((ty, _)) => Renderer::new(&self.layouts.with(view)).render(ty, key),
                    None => bcs_text(key),
                };
                format!("table {handle}[{key}]")
            }
            other => other.to_string(),
        }
    }

    /// The value under `key` for people, types taken from the modules in `view`.
    pub(crate) fn stored_text(&self, key: &StateKey, bytes: &[u8], view: &dyn StateView) -> String {
        let layouts = self.layouts.with(view);
        let renderer = Renderer::new(&layouts);
        match key {
            StateKey::AccessPath {
                path: Path::Resource(tag),
                ..
            } => renderer.render(&TypeTag::from(tag.clone()), bytes),
            StateKey::AccessPath {
                path: Path::ResourceGroup(_),
                ..
            } => match group_members(bytes) {
                Ok(members) => {
                    let member = |(tag, value): (StructTag, &[u8])| {
                        let tag = TypeTag::from(tag);
                        format!("{tag}: {}", renderer.render(&tag, value))
                    };
                    let members: Vec<_> = members.into_iter().map(member).collect();
                    format!("{{ {} }}", members.join(", "))
                }
                Err(_) => bcs_text(bytes),
            },
            StateKey::AccessPath {
                path: Path::Code(_),
                ..
            } => format!("{} bytes of code", bytes.len()),
            StateKey::TableItem { handle, .. } if self.tables.contains_key(handle) => {
                renderer.render(&self.tables[handle].1, bytes)
            }
            _ => bcs_text(bytes),
        }
    }

    fn stored(&self, key: &StateKey, bytes: &[u8], view: &dyn StateView) -> Stored {
        Stored {
            bcs: bcs_text(bytes),
            text: self.stored_text(key, bytes, view),
        }
    }
}

/// The resources in a resource group.
fn group_members(bytes: &[u8]) -> Result<Vec<(StructTag, &[u8])>, CodecError> {
    let mut cursor = Cursor::new(bytes);
    let members = cursor.sequence(|cursor| Ok((cursor.struct_tag()?, cursor.bytes()?)))?;
    cursor.finish()?;
    Ok(members)
}

impl Described {
    fn empty() -> Self {
        Self {
            status: "kept",
            returned: false,
            values: Vec::new(),
            mut_args: Vec::new(),
            failure: None,
            fault: None,
            gas_used: 0,
            instruction_gas: 0,
            instructions: 0,
            fees: Fees::default(),
            changes: Vec::new(),
            events: Vec::new(),
            new_tables: Vec::new(),
        }
    }

    /// How it ended, in a few words.
    pub(crate) fn ending(&self) -> String {
        match (&self.fault, &self.failure) {
            (Some(fault), _) => fault.to_string(),
            (None, None) => "returned".to_owned(),
            (None, Some(failure)) if self.status == "discarded" => format!("discarded: {failure}"),
            (None, Some(failure)) => failure.to_string(),
        }
    }

    /// How it ended, in colour.
    pub(crate) fn headline(&self) -> String {
        styled(if self.returned { GOOD } else { BAD }, self.ending())
    }

    /// The return values and final values of `&mut` parameters, a line each.
    pub(crate) fn value_lines(&self) -> Vec<String> {
        let line = |name: &str, value: &Value| {
            format!(
                "{name}{} = {}  {}",
                value.ty,
                value.text,
                styled(DIM, format_args!("bcs:{}", value.bcs))
            )
        };
        let values = self.values.iter().map(|value| line("", value));
        let mut_args = self.mut_args.iter();
        values
            .chain(mut_args.map(|arg| line(&format!("argument {} &mut ", arg.index), &arg.value)))
            .collect()
    }

    /// The changes, two lines each.
    pub(crate) fn change_lines(&self) -> Vec<String> {
        let side = |stored: &Option<Stored>| {
            stored
                .as_ref()
                .map_or("nothing".to_owned(), |stored| shorten(&stored.text))
        };
        let lines = |change: &Change| {
            let (before, after) = elide_common(&side(&change.before), &side(&change.after));
            [
                shorten(&change.key),
                format!("    {before} → {}", styled(GOOD, after)),
            ]
        };
        self.changes.iter().flat_map(lines).collect()
    }

    /// The events, a line each.
    pub(crate) fn event_lines(&self) -> Vec<String> {
        self.events
            .iter()
            .map(|event| format!("{} {}", event.ty, shorten(&event.text)))
            .collect()
    }

    /// Gas and instructions.
    pub(crate) fn cost_line(&self) -> String {
        format!(
            "gas {}, instructions {}",
            grouped(self.gas_used),
            grouped(self.instructions)
        )
    }

    /// Where the gas of a transaction goes.
    pub(crate) fn fee_line(&self) -> String {
        let fees = self.fees;
        let besides = [fees.intrinsic_gas, fees.io_gas, fees.storage_gas];
        let execution = besides
            .iter()
            .fold(self.gas_used, |gas, part| gas.saturating_sub(*part));
        format!(
            "gas of the transaction itself {}, execution {}, input and output {}, storage {}; storage fee {}, refund {}",
            grouped(fees.intrinsic_gas),
            grouped(execution),
            grouped(fees.io_gas),
            grouped(fees.storage_gas),
            grouped(fees.storage_fee),
            grouped(fees.storage_refund)
        )
    }
}

impl FailureText {
    fn new(failure: &Failure) -> Self {
        Self {
            status: failure.status.name(),
            code: failure.status.number(),
            sub_status: failure.sub_status,
            module: match &failure.location {
                Location::Undefined => None,
                Location::Module(id) => Some(id.to_string()),
                Location::Script => Some("script".to_owned()),
            },
            function: failure.function.as_ref().map(ToString::to_string),
            instruction: failure.offset,
            message: failure.message.as_deref().map(escape_line),
        }
    }
}

impl std::fmt::Display for FailureText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.sub_status {
            Some(code) if self.code == StatusCode::ABORTED.number() => {
                write!(f, "aborted with {code} ({code:#x})")?
            }
            Some(detail) => write!(f, "{} ({}), detail {detail}", self.status, self.code)?,
            None => write!(f, "{} ({})", self.status, self.code)?,
        }
        if let Some(module) = &self.module {
            write!(f, " in {module}")?;
            if let Some(function) = &self.function {
                write!(f, "::{function}")?;
            }
        }
        if let Some(instruction) = self.instruction {
            write!(f, " at instruction {instruction}")?;
        }
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

/// Long runs of hexadecimal digits, cut: for people only.
pub(crate) fn shorten(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if digits.len() > 24 && digits.starts_with("0x") {
            short.push_str(&digits[..10]);
            short.push('…');
            short.push_str(&part[digits.len()..]);
        } else {
            short.push_str(part);
        }
    }
    short
}

/// Two long values without the words that both begin or end with; the name of the first part that differs stays.
pub(crate) fn elide_common(before: &str, after: &str) -> (String, String) {
    const LONG: usize = 60;
    let (b, a) = (
        before.split(' ').collect::<Vec<_>>(),
        after.split(' ').collect::<Vec<_>>(),
    );
    let front = b.iter().zip(&a).take_while(|(x, y)| x == y).count();
    // Back to the name in front of the first difference.
    let front = (0..front)
        .rev()
        .find(|index| b[*index].ends_with(':'))
        .unwrap_or(0);
    let back = b[front..]
        .iter()
        .rev()
        .zip(a[front..].iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    if before.len() + after.len() < 2 * LONG || front + back == 0 {
        return (before.to_owned(), after.to_owned());
    }
    let middle = |words: &[&str]| {
        let shown = words[front..words.len() - back].join(" ");
        format!(
            "{}{shown}{}",
            if front > 0 { "… " } else { "" },
            if back > 0 { " …" } else { "" }
        )
    };
    (middle(&b), middle(&a))
}

pub(crate) fn bcs_text(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_cut() {
        let long = format!("T {{ handle: 0x{} }}", "1f".repeat(32));
        assert_eq!(shorten(&long), "T { handle: 0x1f1f1f1f… }");
        assert_eq!(shorten("0x1::a::B[0xcafe]"), "0x1::a::B[0xcafe]");
    }

    #[test]
    fn only_what_differs_is_shown_of_long_values() {
        let value = |n: u64| {
            format!(
                "Registry {{ accounts: {}, vault: Coin {{ value: {n} }} }}",
                "x".repeat(60)
            )
        };
        let (before, after) = elide_common(&value(1), &value(2));
        assert_eq!(
            (before.as_str(), after.as_str()),
            ("… value: 1 …", "… value: 2 …")
        );
        assert_eq!(
            elide_common("B { v: 1 }", "B { v: 2 }"),
            ("B { v: 1 }".to_owned(), "B { v: 2 }".to_owned())
        );
    }
}
