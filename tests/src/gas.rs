//! Golden instruction counts and gas (`gas.jsonl`).

use std::collections::HashMap;

use serde::Deserialize;

/// Gas of one type node; the corpus counts it in `gas` and our instruction gas leaves it out.
const GAS_PER_TYPE_NODE: u64 = 4000;

/// What stood at `0x1` when a line was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DepsKind {
    /// Our own standard library.
    Own,
    /// The corpus' `deps/0x1`.
    Corpus,
}

/// What one step executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepGas {
    /// Charged bytecode instructions.
    pub instructions: u64,
    /// Their internal gas, type creation left out.
    pub gas: u64,
}

/// The lines of a `gas.jsonl`.
#[derive(Clone, Debug, Default)]
pub struct GasTable {
    lines: HashMap<(String, u32, DepsKind), Line>,
}

/// The steps of one case.
#[derive(Clone, Debug)]
struct Line {
    plain: Vec<StepGas>,
    /// With runtime type checks, where that differs.
    paranoid: Option<Vec<StepGas>>,
}

#[derive(Deserialize)]
struct RawLine {
    id: String,
    bytecode: Versions,
    deps: DepsKind,
    steps: Vec<RawStep>,
    steps_paranoid: Option<Vec<RawStep>>,
}

/// Where a line holds: `8`, or `[8, 9]`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Versions {
    One(u32),
    Several(Vec<u32>),
}

#[derive(Deserialize)]
struct RawStep {
    instructions: u64,
    gas: u64,
    type_nodes: u64,
}

impl GasTable {
    /// Reads the text of a `gas.jsonl`; an error names the line, counted from 1.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut table = Self::default();
        for (number, line) in (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let raw: RawLine =
                serde_json::from_str(line).map_err(|error| (number, error.to_string()))?;
            let plain = raw
                .steps
                .iter()
                .map(RawStep::checked)
                .collect::<Result<_, _>>();
            let paranoid = raw
                .steps_paranoid
                .iter()
                .flatten()
                .map(RawStep::checked)
                .collect::<Result<Vec<_>, _>>();
            let plain = plain.map_err(|error| (number, error))?;
            let paranoid = paranoid.map_err(|error| (number, error))?;
            let paranoid = (!paranoid.is_empty()).then_some(paranoid);
            let versions = match raw.bytecode {
                Versions::One(version) => vec![version],
                Versions::Several(versions) => versions,
            };
            let line = Line { plain, paranoid };
            for version in versions {
                let key = (raw.id.clone(), version, raw.deps);
                table.lines.insert(key, line.clone());
            }
        }
        Ok(table)
    }

    /// What each step of a case executes; `paranoid`: with runtime type checks, where that differs.
    pub fn steps(
        &self,
        id: &str,
        bytecode: u32,
        deps: DepsKind,
        paranoid: bool,
    ) -> Option<&[StepGas]> {
        let line = self.lines.get(&(id.to_owned(), bytecode, deps))?;
        Some(match &line.paranoid {
            Some(checked) if paranoid => checked,
            _ => &line.plain,
        })
    }
}

impl RawStep {
    fn checked(&self) -> Result<StepGas, String> {
        let types = self.type_nodes.checked_mul(GAS_PER_TYPE_NODE);
        let gas = types.and_then(|types| self.gas.checked_sub(types));
        gas.map(|gas| StepGas {
            instructions: self.instructions,
            gas,
        })
        .ok_or_else(|| "`gas` is less than that of its `type_nodes`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_hold_for_several_versions() {
        let line = r#"{"id":"a","bytecode":[9,10],"deps":"own","steps":[{"instructions":1,"gas":2,"type_nodes":0}]}"#;
        let table = GasTable::parse(line).unwrap();
        let steps = |version| table.steps("a", version, DepsKind::Own, false);
        assert!(steps(8).is_none() && steps(9).is_some());
        assert_eq!(steps(9), steps(10));
    }

    #[test]
    fn type_nodes_are_taken_off() {
        let line = r#"{"id":"a","bytecode":8,"deps":"own","steps":[{"instructions":4,"gas":24900,"type_nodes":2,"opcodes":{"add":1}}]}"#;
        let table = GasTable::parse(&format!("{line}\n\n")).unwrap();
        let expected = [StepGas {
            instructions: 4,
            gas: 16900,
        }];
        assert_eq!(
            table.steps("a", 8, DepsKind::Own, true),
            Some(&expected[..])
        );
        assert_eq!(table.steps("a", 8, DepsKind::Corpus, false), None);
        assert_eq!(
            GasTable::parse(&line.replace("24900", "1")).unwrap_err().0,
            1
        );
    }
}
