//! What a call did against what it must do.

use std::collections::BTreeSet;

use monomove_core::{CallOutput, Failure, Location, Outcome, WriteOp};
use monomove_types::{Path, StateKey, StatusCode, TypeTag};

use crate::model::{Case, Expect};

/// The first difference that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What should have happened.
    pub expected: String,
    /// What happened.
    pub got: String,
}

/// Compares what a step did with `expect`. `old` gives the value that the state holds under a key from before the step:
/// a modify that changes nothing may be missing.
pub fn compare_step(
    case: &Case,
    expect: &Expect,
    output: &CallOutput,
    old: &dyn Fn(&StateKey) -> Option<Vec<u8>>,
) -> Result<(), Mismatch> {
    same(expected_outcome(expect), outcome(&output.outcome))?;
    if let (Some(abort), Outcome::Failed(failure)) = (&expect.abort, &output.outcome)
        && abort.message.is_some()
    {
        let message = |text: &Option<String>| format!("abort message {text:?}");
        same(message(&abort.message), message(&failure.message))?;
    }
    if !case.sequence || expect.returns.is_none() {
        return Ok(());
    }
    compare_changes(expect, output, old)?;
    let expected = expect
        .events
        .iter()
        .map(|event| format!("event {} {}", canonical(&event.ty), event.bcs));
    let got = output
        .events
        .iter()
        .map(|event| format!("event {} {}", event.ty, hex::encode(&event.data)));
    same(join(expected), join(got))
}

/// Strings on both sides are canonical, so that equal text is equal meaning.
fn same(expected: String, got: String) -> Result<(), Mismatch> {
    if expected == got {
        Ok(())
    } else {
        Err(Mismatch { expected, got })
    }
}

fn expected_outcome(expect: &Expect) -> String {
    if let Some(returns) = &expect.returns {
        let values = returns
            .iter()
            .map(|value| format!("{} {}", canonical(&value.ty), value.bcs));
        let changed = expect.mut_args.iter();
        let changed =
            changed.map(|arg| format!("#{} {} {}", arg.index, canonical(&arg.ty), arg.bcs));
        return format!("returns ({})", join(values.chain(changed)));
    }
    if let Some(abort) = &expect.abort {
        let module = abort.module.as_deref();
        return failure_text(
            "ABORTED",
            StatusCode::ABORTED.number(),
            Some(abort.code),
            module,
        );
    }
    match &expect.error {
        Some(error) => failure_text(
            &error.status,
            error.code,
            error.sub_status,
            error.module.as_deref(),
        ),
        None => "nothing: the case has no expectation".to_owned(),
    }
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Returned { values, mut_args } => {
            let values = values
                .iter()
                .map(|value| format!("{} {}", value.ty, hex::encode(&value.bcs)));
            let changed = mut_args.iter();
            let changed = changed
                .map(|(index, value)| format!("#{index} {} {}", value.ty, hex::encode(&value.bcs)));
            format!("returns ({})", join(values.chain(changed)))
        }
        Outcome::Failed(failure) => failed(failure),
    }
}

fn failed(failure: &Failure) -> String {
    let module = match &failure.location {
        Location::Undefined => None,
        Location::Module(id) => Some(id.to_string()),
        Location::Script => Some("script".to_owned()),
    };
    failure_text(
        failure.status.name(),
        failure.status.number(),
        failure.sub_status,
        module.as_deref(),
    )
}

fn failure_text(
    status: &str,
    number: u64,
    sub_status: Option<u64>,
    module: Option<&str>,
) -> String {
    let detail = sub_status
        .map(|sub| format!(" sub-status {sub}"))
        .unwrap_or_default();
    format!(
        "{status} ({number}){detail} in {}",
        module.unwrap_or("no module")
    )
}

fn compare_changes(
    expect: &Expect,
    output: &CallOutput,
    old: &dyn Fn(&StateKey) -> Option<Vec<u8>>,
) -> Result<(), Mismatch> {
    let mut got = BTreeSet::new();
    // What a modify without a change would have looked like.
    let mut unchanged = BTreeSet::new();
    for (key, op) in &output.writes {
        got.insert(write_text(key, op));
    }
    for table in &output.new_tables {
        got.insert(format!("new_table {}", table.handle));
    }
    for handle in &output.removed_tables {
        got.insert(format!("remove_table {handle}"));
    }
    let mut expected = BTreeSet::new();
    for change in &expect.changes {
        let bcs = change.bcs.as_deref().unwrap_or("");
        let text = format!(
            "{} {} {} {bcs}",
            change.op,
            change.address,
            canonical(&change.ty)
        );
        if change.op == "modify"
            && let Ok(TypeTag::Struct(tag)) = change.ty.parse()
            && old(&StateKey::resource(change.address, *tag))
                .is_some_and(|value| hex::encode(value) == bcs)
        {
            unchanged.insert(text.clone());
        }
        expected.insert(text);
    }
    for change in &expect.table_changes {
        let (Some(key), bcs) = (&change.key, change.bcs.as_deref().unwrap_or("")) else {
            expected.insert(format!("{} {}", change.op, change.handle));
            continue;
        };
        let text = format!("{} {} [{key}] {bcs}", change.op, change.handle);
        if change.op == "modify"
            && let Ok(bytes) = hex::decode(key)
            && old(&StateKey::table_item(change.handle, bytes))
                .is_some_and(|value| hex::encode(value) == bcs)
        {
            unchanged.insert(text.clone());
        }
        expected.insert(text);
    }
    let missing = expected
        .iter()
        .filter(|text| !got.contains(*text) && !unchanged.contains(*text));
    let extra = got.iter().filter(|text| !expected.contains(*text));
    let (missing, extra) = (join(missing.cloned()), join(extra.cloned()));
    if missing.is_empty() && extra.is_empty() {
        return Ok(());
    }
    let none = |text: String| {
        if text.is_empty() {
            "no such change".to_owned()
        } else {
            text
        }
    };
    Err(Mismatch {
        expected: none(missing),
        got: none(extra),
    })
}

fn write_text(key: &StateKey, op: &WriteOp) -> String {
    let (word, bytes) = match op {
        WriteOp::Create(bytes) => ("new", bytes.as_slice()),
        WriteOp::Modify(bytes) => ("modify", bytes.as_slice()),
        WriteOp::Delete => ("delete", &[][..]),
    };
    let place = match key {
        StateKey::AccessPath {
            address,
            path: Path::Resource(tag) | Path::ResourceGroup(tag),
        } => {
            format!("{address} {tag}")
        }
        StateKey::TableItem { handle, key } => format!("{handle} [{}]", hex::encode(key)),
        other => other.to_string(),
    };
    format!("{word} {place} {}", hex::encode(bytes))
}

/// A type as our own type tags write it.
fn canonical(ty: &str) -> String {
    ty.parse::<TypeTag>()
        .map_or_else(|_| ty.to_owned(), |tag| tag.to_string())
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use monomove_core::{Fees, TypedValue};

    use super::*;

    fn case(expect: &str) -> Case {
        let line = r#"{"id":"x","area":"a","min_version":6,"steps":[{"function":"0x1::m::f","type_args":[],"args":[],"signers":[],"expect":E}]}"#;
        Case::parse(&line.replace('E', expect)).unwrap()
    }

    fn output(outcome: Outcome) -> CallOutput {
        CallOutput {
            outcome,
            gas_used: 0,
            instruction_gas: 0,
            instructions: 0,
            fees: Fees::default(),
            writes: Vec::new(),
            events: Vec::new(),
            new_tables: Vec::new(),
            removed_tables: Vec::new(),
            publish_request: None,
        }
    }

    fn returned() -> CallOutput {
        output(Outcome::Returned {
            values: vec![TypedValue {
                ty: TypeTag::U8,
                bcs: vec![1],
            }],
            mut_args: Vec::new(),
        })
    }

    fn compare(expect: &str, output: &CallOutput, old: Option<Vec<u8>>) -> Result<(), Mismatch> {
        let case = case(expect);
        compare_step(&case, &case.steps[0].expect, output, &|_| old.clone())
    }

    #[test]
    fn values_are_compared() {
        assert_eq!(
            compare(
                r#"{"returns":[{"type":"u8","bcs":"01"}]}"#,
                &returned(),
                None
            ),
            Ok(())
        );
        let mismatch = compare(
            r#"{"returns":[{"type":"u8","bcs":"02"}]}"#,
            &returned(),
            None,
        )
        .unwrap_err();
        assert_eq!(
            (mismatch.expected.as_str(), mismatch.got.as_str()),
            ("returns (u8 02)", "returns (u8 01)")
        );
    }

    #[test]
    fn failures_are_compared_with_their_place() {
        let failed = output(Outcome::Failed(Failure {
            status: StatusCode::ABORTED,
            sub_status: Some(7),
            message: None,
            location: Location::Module("0x1::m".parse().unwrap()),
            function: None,
            function_index: None,
            offset: None,
        }));
        assert_eq!(
            compare(r#"{"abort":{"code":7,"module":"0x1::m"}}"#, &failed, None),
            Ok(())
        );
        let mismatch = compare(
            r#"{"error":{"status":"ARITHMETIC_ERROR","code":4017}}"#,
            &failed,
            None,
        )
        .unwrap_err();
        assert_eq!(mismatch.expected, "ARITHMETIC_ERROR (4017) in no module");
        assert_eq!(mismatch.got, "ABORTED (4016) sub-status 7 in 0x1::m");
    }

    #[test]
    fn a_modify_without_a_change_may_be_missing() {
        let expect = r#"{"returns":[{"type":"u8","bcs":"01"}],"changes":[{"op":"modify","address":"0x1","type":"0x1::m::S","bcs":"05"}]}"#;
        assert_eq!(compare(expect, &returned(), Some(vec![5])), Ok(()));
        assert!(compare(expect, &returned(), Some(vec![6])).is_err());
        let mut written = returned();
        let tag = "0x1::m::S".parse().unwrap();
        written.writes.push((
            StateKey::resource("0x1".parse().unwrap(), tag),
            WriteOp::Modify(vec![5]),
        ));
        assert_eq!(compare(expect, &written, Some(vec![6])), Ok(()));
        let nothing = r#"{"returns":[{"type":"u8","bcs":"01"}]}"#;
        let mismatch = compare(nothing, &written, None).unwrap_err();
        assert_eq!(mismatch.got, "modify 0x1 0x1::m::S 05");
    }
}
