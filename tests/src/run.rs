//! Running cases on a machine.

use monomove_core::{Call, CallOutput, Outcome, WriteOp};
use monomove_types::StateKey;

use crate::compare::{Mismatch, compare_step};
use crate::gas::StepGas;
use crate::load::{Corpus, ModuleBinary};
use crate::model::{Case, Step};

/// A machine with a state of its own, for the runner to drive.
pub trait Executor {
    /// Starts from a fresh state that holds these modules; later ones replace earlier ones of the same name.
    fn load(&mut self, modules: &[ModuleBinary]) -> Result<(), String>;
    /// Goes back to the state right after [`Executor::load`].
    fn reset(&mut self);
    /// Executes one call; the state stays as it is.
    fn execute(&mut self, call: &Call) -> Executed;
    /// Applies writes to the state.
    fn commit(&mut self, writes: &[(StateKey, WriteOp)]) -> Result<(), String>;
    /// The value in the state under `key`.
    fn value(&self, key: &StateKey) -> Option<Vec<u8>>;
}

/// What came of a call.
#[derive(Clone, Debug)]
pub enum Executed {
    /// A result.
    Output(Box<CallOutput>),
    /// No result: a sandbox fault or an error of the embedding, as text.
    Fault(String),
}

/// What to run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Bytecode versions; empty: all.
    pub versions: Vec<u32>,
    /// Areas; empty: all.
    pub areas: Vec<String>,
    /// Compare instruction counts and gas too.
    pub gas: bool,
}

/// A case that failed.
#[derive(Clone, Debug)]
pub struct CaseFailure {
    /// Id of the case.
    pub id: String,
    /// Bytecode version it ran at.
    pub version: u32,
    /// Step, from 1; none for a plain case.
    pub step: Option<usize>,
    /// What should have happened, and what did.
    pub mismatch: Mismatch,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Cases that did what they must, each counted once a version.
    pub passed: usize,
    /// The others.
    pub failures: Vec<CaseFailure>,
}

impl Corpus {
    /// The cases that `options` ask for, with the version each runs at; versions in order, cases in order.
    pub fn selected(&self, options: &Options) -> Vec<(u32, &Case)> {
        let wanted =
            |version: &u32| options.versions.is_empty() || options.versions.contains(version);
        let chosen = |case: &&Case| options.areas.is_empty() || options.areas.contains(&case.area);
        let versions = self.modules.keys().copied().filter(wanted);
        let cases = |version: u32| {
            self.cases
                .iter()
                .filter(move |case| case.min_version <= version)
        };
        versions
            .flat_map(|version| {
                cases(version)
                    .filter(chosen)
                    .map(move |case| (version, case))
            })
            .collect()
    }
}

/// Runs what `options` ask for; `done` is called after each case.
pub fn run(
    corpus: &Corpus,
    options: &Options,
    executor: &mut dyn Executor,
    done: &mut dyn FnMut(),
) -> Result<Report, String> {
    let mut report = Report::default();
    let mut loaded = None;
    for (version, case) in corpus.selected(options) {
        if loaded != Some(version) {
            executor.load(&corpus.modules[&version])?;
            loaded = Some(version);
        }
        match run_case(corpus, options, executor, version, case)? {
            None => report.passed += 1,
            Some(failure) => report.failures.push(failure),
        }
        if case.sequence {
            executor.reset();
        }
        done();
    }
    Ok(report)
}

fn run_case(
    corpus: &Corpus,
    options: &Options,
    executor: &mut dyn Executor,
    version: u32,
    case: &Case,
) -> Result<Option<CaseFailure>, String> {
    for (index, step) in case.steps.iter().enumerate() {
        let output = match executor.execute(&step.call) {
            Executed::Output(output) => output,
            Executed::Fault(fault) => {
                return Ok(Some(failure(
                    case,
                    version,
                    index,
                    "a result".to_owned(),
                    fault,
                )));
            }
        };
        let golden_gas = |paranoid| {
            let table = corpus.gas.as_ref().filter(|_| options.gas)?;
            Some(
                table
                    .steps(&case.id, version, corpus.deps_kind, paranoid)
                    .and_then(|steps| steps.get(index).copied()),
            )
        };
        if let Err(mismatch) = check(case, step, &output, executor, &golden_gas) {
            return Ok(Some(failure(
                case,
                version,
                index,
                mismatch.expected,
                mismatch.got,
            )));
        }
        if case.sequence && matches!(output.outcome, Outcome::Returned { .. }) {
            executor.commit(&output.writes)?;
        }
    }
    Ok(None)
}

/// Either expectation will do, each with its own gas; `golden_gas` is none when gas is not compared.
fn check(
    case: &Case,
    step: &Step,
    output: &CallOutput,
    executor: &dyn Executor,
    golden_gas: &dyn Fn(bool) -> Option<Option<StepGas>>,
) -> Result<(), Mismatch> {
    let old = |key: &StateKey| executor.value(key);
    let plain = compare_step(case, &step.expect, output, &old)
        .and_then(|()| compare_gas(golden_gas(false), output));
    match &step.expect_paranoid {
        Some(expect) if plain.is_err() => compare_step(case, expect, output, &old)
            .and_then(|()| compare_gas(golden_gas(true), output))
            .or(plain),
        _ => plain,
    }
}

fn compare_gas(golden: Option<Option<StepGas>>, output: &CallOutput) -> Result<(), Mismatch> {
    let Some(golden) = golden else { return Ok(()) };
    let got = StepGas {
        instructions: output.instructions,
        gas: output.instruction_gas,
    };
    if golden == Some(got) {
        return Ok(());
    }
    let text = |gas: StepGas| format!("{} instructions, gas {}", gas.instructions, gas.gas);
    Err(Mismatch {
        expected: golden.map_or("a line in gas.jsonl".to_owned(), text),
        got: text(got),
    })
}

fn failure(case: &Case, version: u32, index: usize, expected: String, got: String) -> CaseFailure {
    let step = case.sequence.then_some(index + 1);
    CaseFailure {
        id: case.id.clone(),
        version,
        step,
        mismatch: Mismatch { expected, got },
    }
}
