//! What a line of a corpus file says.

use monomove_core::{Access, Call};
use monomove_text::parse_argument;
use monomove_types::{AccountAddress, Identifier, ModuleId, TypeTag};
use serde::Deserialize;

/// Gas that no case uses up.
const UNLIMITED: u64 = i64::MAX as u64;

/// A call, or a sequence of calls on the same storage.
#[derive(Clone, Debug)]
pub struct Case {
    /// Name, unique in its corpus.
    pub id: String,
    /// Group the case belongs to.
    pub area: String,
    /// Lowest bytecode version that has all its modules.
    pub min_version: u32,
    /// Whether this is a sequence: effects are compared and kept between steps.
    pub sequence: bool,
    /// The calls, in order; one for a plain case.
    pub steps: Vec<Step>,
}

/// One call and what it must do.
#[derive(Clone, Debug)]
pub struct Step {
    /// The call as the machine takes it.
    pub call: Call,
    /// What it must do.
    pub expect: Expect,
    /// What it does with runtime type checks, where that differs; either is right.
    pub expect_paranoid: Option<Expect>,
}

/// What a call must do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Return values in order, if it must return.
    pub returns: Option<Vec<ExpectedValue>>,
    /// Final values of `&mut` parameters.
    #[serde(default)]
    pub mut_args: Vec<ExpectedMutArg>,
    /// The Move abort it must end with.
    pub abort: Option<AbortExpectation>,
    /// The error it must end with.
    pub error: Option<ErrorExpectation>,
    /// State changes, as a set.
    #[serde(default)]
    pub changes: Vec<ExpectedChange>,
    /// Events in order.
    #[serde(default)]
    pub events: Vec<ExpectedValue>,
    /// Changes to tables, as a set.
    #[serde(default)]
    pub table_changes: Vec<ExpectedTableChange>,
}

/// A typed value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedValue {
    /// Canonical type text.
    #[serde(rename = "type")]
    pub ty: String,
    /// BCS in hexadecimal.
    pub bcs: String,
}

/// The final value of a `&mut` parameter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedMutArg {
    /// Position in the full argument list, signers included.
    pub index: u16,
    /// Canonical type text.
    #[serde(rename = "type")]
    pub ty: String,
    /// BCS in hexadecimal.
    pub bcs: String,
}

/// A Move abort.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbortExpectation {
    /// Abort code.
    pub code: u64,
    /// Module that aborted.
    pub module: Option<String>,
    /// The message that an `AbortMsg` must give; not compared if there is none here.
    pub message: Option<String>,
}

/// Any other failure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorExpectation {
    /// Status name.
    pub status: String,
    /// Status number.
    pub code: u64,
    /// Detail number.
    pub sub_status: Option<u64>,
    /// Module it happened in; none: the location is undefined.
    pub module: Option<String>,
}

/// A change of one resource.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedChange {
    /// `new`, `modify` or `delete`.
    pub op: String,
    /// The account.
    pub address: AccountAddress,
    /// Type of the resource.
    #[serde(rename = "type")]
    pub ty: String,
    /// BCS in hexadecimal; none for `delete`.
    pub bcs: Option<String>,
}

/// A change of a table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedTableChange {
    /// `new_table`, or `new`, `modify` or `delete` of an item.
    pub op: String,
    /// The table.
    pub handle: AccountAddress,
    /// BCS of the key in hexadecimal; none for `new_table`.
    pub key: Option<String>,
    /// BCS of the value in hexadecimal; none for `new_table` and `delete`.
    pub bcs: Option<String>,
}

/// A line as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    id: String,
    area: String,
    min_version: u32,
    steps: Option<Vec<RawStep>>,
    function: Option<String>,
    #[serde(default)]
    type_args: Vec<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    signers: Vec<AccountAddress>,
    expect: Option<Expect>,
    expect_paranoid: Option<Expect>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    function: String,
    type_args: Vec<String>,
    args: Vec<String>,
    signers: Vec<AccountAddress>,
    expect: Expect,
    expect_paranoid: Option<Expect>,
}

impl Case {
    /// Reads one line.
    pub fn parse(line: &str) -> Result<Self, String> {
        let raw: RawCase = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let sequence = raw.steps.is_some();
        let steps = match (raw.steps, raw.function, raw.expect) {
            (Some(steps), None, None) => steps,
            (None, Some(function), Some(expect)) => vec![RawStep {
                function,
                type_args: raw.type_args,
                args: raw.args,
                signers: raw.signers,
                expect,
                expect_paranoid: raw.expect_paranoid,
            }],
            _ => return Err("expected either `steps`, or `function` and `expect`".to_owned()),
        };
        let steps = (1u64..)
            .zip(steps)
            .map(|(number, step)| Step::new(number, step));
        let steps = steps.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            id: raw.id,
            area: raw.area,
            min_version: raw.min_version,
            sequence,
            steps,
        })
    }
}

impl Step {
    /// Step `number` (from 1) of its case.
    fn new(number: u64, raw: RawStep) -> Result<Self, String> {
        let (module, function) = split_function(&raw.function)?;
        let type_arg = |text: &String| {
            text.parse::<TypeTag>()
                .map_err(|error| format!("type argument `{text}`: {error}"))
        };
        let arg = |text: &String| {
            parse_argument(text).map_err(|error| format!("argument `{text}`: {error}"))
        };
        let mut txn_hash = [0; 32];
        txn_hash[..8].copy_from_slice(&number.to_le_bytes());
        Ok(Self {
            call: Call {
                module,
                function,
                ty_args: raw
                    .type_args
                    .iter()
                    .map(type_arg)
                    .collect::<Result<_, _>>()?,
                signers: raw.signers,
                args: raw.args.iter().map(arg).collect::<Result<_, _>>()?,
                access: Access::Any,
                gas_limit: UNLIMITED,
                txn_hash,
            },
            expect: raw.expect,
            expect_paranoid: raw.expect_paranoid,
        })
    }
}

/// `0x1::module::function`.
fn split_function(text: &str) -> Result<(ModuleId, Identifier), String> {
    let expected = || format!("function `{text}`: expected `0x…::module::function`");
    let (module, function) = text.rsplit_once("::").ok_or_else(expected)?;
    Ok((
        module.parse().map_err(|_| expected())?,
        function.parse().map_err(|_| expected())?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_case() {
        let case = Case::parse(
            r#"{"id":"a-1","area":"a","min_version":6,"function":"0xcafe::a::f","type_args":["u8"],"args":["u64:5"],
               "signers":["0x1"],"expect":{"returns":[{"type":"u8","bcs":"01"}]}}"#,
        )
        .unwrap();
        assert!(!case.sequence);
        let call = &case.steps[0].call;
        assert_eq!(call.module.to_string(), "0xcafe::a");
        assert_eq!(call.args, [vec![5, 0, 0, 0, 0, 0, 0, 0]]);
        assert_eq!(call.txn_hash[..2], [1, 0]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refuse = |line: &str| Case::parse(line).unwrap_err();
        assert!(refuse("{").contains("EOF"));
        assert!(refuse(r#"{"id":"x","area":"a","min_version":6}"#).contains("expected either"));
        let line =
            r#"{"id":"x","area":"a","min_version":6,"function":"f","args":["u8:256"],"expect":{}}"#;
        assert!(refuse(line).contains("0x…::module::function"));
        assert!(refuse(&line.replace("\"f\"", "\"0x1::m::f\"")).contains("at position 3"));
        assert!(refuse(&line.replace("args", "arguments")).contains("unknown field"));
    }
}
