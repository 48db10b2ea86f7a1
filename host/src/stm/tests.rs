//! Random blocks of small programs: in parallel they give what they give one after the other, whatever the workers do meanwhile.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a panic is the report"
)]

use super::*;
use crate::outcome::HostError;
use crate::state::{MemoryState, StateError};
use WriteOp::{Create, Delete, Modify};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Data keys of the world; modules have numbers from here on.
const KEYS: u8 = 12;
const MODULES: u8 = 3;
/// A key that cannot be read.
const BROKEN: u8 = 99;

fn key(n: u8) -> StateKey {
    match n.checked_sub(KEYS) {
        Some(module) if module < MODULES => {
            StateKey::module(format!("0x1::m{module}").parse().unwrap())
        }
        _ => StateKey::Raw(vec![n]),
    }
}

/// One step of a program. A program has one number in its hand, and knows what it wrote.
#[derive(Clone, Debug)]
enum Step {
    /// Mixes the value under a key into the number.
    Read(u8),
    /// The same, the key chosen by the number.
    ReadAny,
    /// Mixes in whether there is a value.
    Exists(u8),
    /// Writes the number: the right operation for what is there.
    Write(u8),
    WriteAny,
    /// Writes a value that does not depend on anything.
    WriteSame(u8),
    Delete(u8),
    /// Only if the number is one of every third.
    Fail,
    /// Breaks the sandbox, if the number is one of every fifth: in any run alike.
    FaultIf,
    /// Loops.
    Work(u16),
}

#[derive(Clone, Debug, Default)]
struct Program(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Output {
    number: u64,
    failed: bool,
    fault: bool,
    gas: u64,
    writes: Vec<(StateKey, WriteOp)>,
}

impl TransactionOutput for Output {
    fn writes(&self) -> &[(StateKey, WriteOp)] {
        &self.writes
    }

    fn gas_used(&self) -> u64 {
        self.gas
    }

    fn bytes(&self) -> u64 {
        10 * self.writes.len() as u64
    }

    fn is_fault(&self) -> bool {
        self.fault
    }
}

/// What happens to a run besides the programs.
#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    /// Random delays of up to so many turns.
    delay: u32,
    /// Of every 256 runs of transactions that are not final, so many break.
    faults: u8,
    /// So many panic.
    panics: u8,
}

struct Runner<'a> {
    weather: Weather,
    /// Transactions committed so far.
    committed: &'a AtomicUsize,
    noise: &'a AtomicU64,
    /// Set by a panic; a runner that was not reset must not run.
    broken: bool,
}

fn mix(number: u64, with: u64) -> u64 {
    (number ^ with)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(17)
}

impl Runner<'_> {
    fn random(&self) -> u64 {
        let n = self
            .noise
            .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        mix(mix(n, 1), 2) >> 7
    }

    fn dawdle(&self) {
        if self.weather.delay > 0 {
            match self.random() % u64::from(self.weather.delay) {
                n if n % 3 == 0 => std::thread::yield_now(),
                n => (0..n).for_each(|_| std::hint::spin_loop()),
            }
        }
    }
}

impl TransactionRunner for Runner<'_> {
    type Transaction = Program;
    type Output = Output;

    fn run(
        &mut self,
        index: usize,
        program: &Program,
        view: &dyn StateView,
    ) -> Result<Output, HostError> {
        assert!(!self.broken, "a broken runner was used again");
        let is_speculative = self.committed.load(Ordering::SeqCst) < index;
        let luck = self.random() as u8;
        let breaks = is_speculative && luck < self.weather.faults;
        if is_speculative
            && luck >= self.weather.faults
            && luck - self.weather.faults < self.weather.panics
        {
            self.broken = true;
            std::panic::resume_unwind(Box::new("injected"));
        }
        let mut number = index as u64;
        let mut own: BTreeMap<u8, Option<Vec<u8>>> = BTreeMap::new();
        let mut before: BTreeMap<u8, bool> = BTreeMap::new();
        let mut output = Output {
            number: 0,
            failed: false,
            fault: false,
            gas: 1,
            writes: vec![],
        };
        for step in &program.0 {
            self.dawdle();
            let mut get = |n: u8| -> Result<Option<Vec<u8>>, HostError> {
                if let Some(value) = own.get(&n) {
                    return Ok(value.clone());
                }
                let value = view.get(&key(n))?;
                before.insert(n, value.is_some());
                // The same answer again.
                assert_eq!(view.get(&key(n))?, value);
                Ok(value.map(|value| value.to_vec()))
            };
            let hash = |value: Option<Vec<u8>>| {
                let bytes = value.unwrap_or_default();
                bytes
                    .iter()
                    .fold(7, |hash, byte| mix(hash, u64::from(*byte)))
            };
            let any = (number % u64::from(KEYS)) as u8;
            match step {
                Step::Read(n) => number = mix(number, hash(get(*n)?)),
                Step::ReadAny => number = mix(number, hash(get(any)?)),
                Step::Exists(n) => number = mix(number, get(*n)?.is_some().into()),
                Step::Write(n) => {
                    get(*n)?;
                    own.insert(*n, Some(number.to_le_bytes().to_vec()));
                }
                Step::WriteAny => {
                    get(any)?;
                    own.insert(any, Some(vec![number as u8]));
                }
                Step::WriteSame(n) => {
                    get(*n)?;
                    own.insert(*n, Some(vec![1]));
                }
                Step::Delete(n) => {
                    if get(*n)?.is_some() {
                        own.insert(*n, None);
                    }
                }
                Step::Fail if number.is_multiple_of(3) => {
                    output.failed = true;
                    own.clear();
                    break;
                }
                Step::FaultIf if number.is_multiple_of(5) => {
                    output.fault = true;
                    own.clear();
                    break;
                }
                Step::Fail | Step::FaultIf => {}
                Step::Work(turns) => {
                    for _ in 0..*turns {
                        number = mix(number, 3);
                    }
                    output.gas += u64::from(*turns);
                }
            }
            output.gas += number % 4;
        }
        if breaks {
            output.fault = true;
            own.clear();
        }
        output.number = number;
        for (n, value) in own {
            let op = match (before[&n], value) {
                (false, None) => continue,
                (false, Some(value)) => Create(value),
                (true, Some(value)) => Modify(value),
                (true, None) => Delete,
            };
            output.writes.push((key(n), op));
        }
        Ok(output)
    }

    fn reset(&mut self) {
        self.broken = false;
    }
}

/// Counts what is committed, in order.
struct Commits<'a>(&'a AtomicUsize);

impl BlockInspector for Commits<'_> {
    fn on_commit(&self, transaction: usize, _: u32) {
        let before = self.0.swap(transaction + 1, Ordering::SeqCst);
        assert_eq!(before, transaction);
    }
}

/// A state one of whose keys cannot be read.
struct Base(MemoryState);

impl StateView for Base {
    fn get(&self, at: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        if *at == key(BROKEN) {
            return Err(StateError::Unavailable("broken".into()));
        }
        self.0.get(at)
    }
}

fn base(values: &[u8]) -> Base {
    let value = |n: &u8| (key(*n), vec![*n, 0]);
    Base(values.iter().map(value).collect())
}

fn in_sequence(
    programs: &[Program],
    base: &Base,
    limits: &BlockLimits,
) -> Result<BlockRun<Output>, HostError> {
    let (committed, noise) = (AtomicUsize::new(usize::MAX), AtomicU64::new(0));
    let mut runner = Runner {
        weather: Weather::default(),
        committed: &committed,
        noise: &noise,
        broken: false,
    };
    run_in_sequence(&mut runner, programs, base, limits, &NoBlockInspector)
}

fn in_parallel(
    programs: &[Program],
    base: &Base,
    limits: &BlockLimits,
    workers: usize,
    weather: Weather,
    seed: u64,
) -> (Result<BlockRun<Output>, ParallelError>, BlockMetrics) {
    let (committed, noise) = (AtomicUsize::new(0), AtomicU64::new(seed));
    let runner = || Runner {
        weather,
        committed: &committed,
        noise: &noise,
        broken: false,
    };
    let mut runners: Vec<_> = std::iter::repeat_with(runner).take(workers).collect();
    run_in_parallel(&mut runners, programs, base, limits, &Commits(&committed))
}

fn step(keys: u8) -> impl Strategy<Value = Step> {
    let key = || 0..keys;
    let module = || KEYS..KEYS + MODULES;
    prop_oneof![
        6 => key().prop_map(Step::Read),
        2 => Just(Step::ReadAny),
        2 => key().prop_map(Step::Exists),
        6 => key().prop_map(Step::Write),
        2 => Just(Step::WriteAny),
        1 => key().prop_map(Step::WriteSame),
        2 => key().prop_map(Step::Delete),
        3 => module().prop_map(Step::Read),
        1 => module().prop_map(Step::Write),
        1 => module().prop_map(Step::Delete),
        2 => Just(Step::Fail),
        1 => Just(Step::FaultIf),
        2 => (0u16..400).prop_map(Step::Work),
    ]
}

/// Blocks of every contention level: the fewer keys, the more.
fn block() -> impl Strategy<Value = Vec<Program>> {
    (1..=KEYS).prop_flat_map(|keys| {
        let program = prop::collection::vec(step(keys), 0..8).prop_map(Program);
        prop::collection::vec(program, 0..40)
    })
}

fn weather() -> impl Strategy<Value = Weather> {
    (
        prop_oneof![Just(0), Just(40), Just(1500)],
        prop_oneof![4 => Just(0), 1 => Just(20), 1 => Just(120)],
        prop_oneof![4 => Just(0), 1 => Just(20), 1 => Just(120)],
    )
        .prop_map(|(delay, faults, panics)| Weather {
            delay,
            faults,
            panics,
        })
}

fn limits() -> impl Strategy<Value = BlockLimits> {
    (
        prop_oneof![3 => Just(u64::MAX), 1 => 0u64..2000],
        prop_oneof![3 => Just(u64::MAX), 1 => 0u64..600],
    )
        .prop_map(|(gas, bytes)| BlockLimits { gas, bytes })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("MONOMOVE_BLOCKS").ok().and_then(|n| n.parse().ok()).unwrap_or(3000)
    ))]

    #[test]
    fn parallel_is_sequential(
        programs in block(),
        there in prop::collection::vec(0..KEYS + MODULES, 0..15),
        workers in 1usize..=8,
        weather in weather(),
        limits in limits(),
        seed in any::<u64>(),
    ) {
        let base = base(&there);
        let expected = in_sequence(&programs, &base, &limits).unwrap();
        let (result, metrics) = in_parallel(&programs, &base, &limits, workers, weather, seed);
        let result = result.unwrap();
        prop_assert_eq!(&result, &expected);
        prop_assert_eq!(metrics.committed, expected.outputs.len() as u64);
        if workers == 1 && weather.faults == 0 && weather.panics == 0 {
            prop_assert_eq!(metrics.aborts + metrics.validations + metrics.unsound, 0);
            prop_assert_eq!(metrics.executions, metrics.final_executions);
        }
        // What was merged can be committed.
        let mut state = base.0;
        crate::state::StateCommit::commit(&mut state, &result.writes).unwrap();
    }

    #[test]
    fn errors_of_the_state_are_those_of_a_sequential_run(
        mut programs in block(),
        at in any::<prop::sample::Index>(),
        behind in any::<prop::sample::Index>(),
        workers in 1usize..=8,
        seed in any::<u64>(),
    ) {
        programs.push(Program::default());
        let program = &mut at.get(&programs).clone();
        let place = behind.index(program.0.len() + 1);
        program.0.insert(place, Step::Read(BROKEN));
        let at = at.index(programs.len());
        programs[at] = program.clone();
        let base = base(&[1, 2]);
        let limits = BlockLimits::default();
        let expected = in_sequence(&programs, &base, &limits);
        let weather = Weather { delay: 40, ..Weather::default() };
        let (result, _) = in_parallel(&programs, &base, &limits, workers, weather, seed);
        match (result, expected) {
            (Ok(result), Ok(expected)) => prop_assert_eq!(result, expected),
            (Err(ParallelError::Host(error)), Err(expected)) => prop_assert_eq!(error, expected),
            (result, expected) => prop_assert!(false, "{:?} and {:?}", result.is_ok(), expected.is_ok()),
        }
    }
}

/// Every transaction reads and writes the same key.
#[test]
fn a_fully_contended_block() {
    let programs = vec![Program(vec![Step::Read(0), Step::Work(200), Step::Write(0)]); 600];
    let base = base(&[0]);
    let limits = BlockLimits::default();
    let expected = in_sequence(&programs, &base, &limits).unwrap();
    for workers in [1, 2, 3, 8] {
        let (result, metrics) =
            in_parallel(&programs, &base, &limits, workers, Weather::default(), 1);
        assert_eq!(result.unwrap(), expected);
        assert_eq!(metrics.committed, 600);
        // Each one is executed for good once; what else there was, was given up.
        let given_up = metrics.aborts + metrics.suspensions + metrics.unsound;
        assert!(metrics.executions <= 600 + given_up, "{metrics:?}");
    }
}

#[test]
fn modules_are_visible_from_their_commit_on() {
    let module = KEYS;
    let mut programs = vec![Program(vec![Step::Read(module), Step::Work(50), Step::WriteAny]); 64];
    programs[20] = Program(vec![Step::Write(module)]);
    programs[40] = Program(vec![Step::Delete(module)]);
    let base = base(&[module]);
    let limits = BlockLimits::default();
    let expected = in_sequence(&programs, &base, &limits).unwrap();
    for seed in 0..50 {
        let weather = Weather {
            delay: 100,
            ..Weather::default()
        };
        let (result, metrics) = in_parallel(&programs, &base, &limits, 4, weather, seed);
        assert_eq!(result.unwrap(), expected);
        // Nobody ever waits for a module.
        assert!(metrics.suspensions <= metrics.executions);
    }
}

/// A runner that lies about what is there, as a broken sandbox could.
struct Liar;

impl TransactionRunner for Liar {
    type Transaction = WriteOp;
    type Output = Output;

    fn run(&mut self, _: usize, op: &WriteOp, _: &dyn StateView) -> Result<Output, HostError> {
        Ok(Output {
            number: 0,
            failed: false,
            fault: false,
            gas: 0,
            writes: vec![(key(0), op.clone())],
        })
    }

    fn reset(&mut self) {}
}

#[test]
fn writes_that_do_not_fit_are_an_inconsistency() {
    let limits = BlockLimits::default();
    for ops in [
        vec![Create(vec![1]), Create(vec![2])],
        vec![Modify(vec![1])],
        vec![Delete],
        vec![Create(vec![1]), Delete, Delete],
    ] {
        let (result, _) = run_in_parallel(
            &mut [Liar, Liar],
            &ops,
            &base(&[]),
            &limits,
            &NoBlockInspector,
        );
        assert!(matches!(result, Err(ParallelError::Inconsistent(_))));
    }
    let ops = [Create(vec![1]), Delete, Create(vec![2]), Modify(vec![3])];
    let (result, _) = run_in_parallel(
        &mut [Liar, Liar],
        &ops,
        &base(&[]),
        &limits,
        &NoBlockInspector,
    );
    assert_eq!(result.unwrap().writes, [(key(0), Create(vec![3]))]);
}

/// A runner that always panics.
struct Doomed;

impl TransactionRunner for Doomed {
    type Transaction = ();
    type Output = Output;

    fn run(&mut self, _: usize, (): &(), _: &dyn StateView) -> Result<Output, HostError> {
        std::panic::resume_unwind(Box::new("doomed"))
    }

    fn reset(&mut self) {}
}

#[test]
fn panics_that_repeat_are_an_inconsistency() {
    let (result, metrics) = run_in_parallel(
        &mut [Doomed, Doomed],
        &[(); 5],
        &base(&[]),
        &BlockLimits::default(),
        &NoBlockInspector,
    );
    assert!(matches!(result, Err(ParallelError::Inconsistent(text)) if text.contains("doomed")));
    assert_eq!(metrics.committed, 0);
}

#[test]
fn metrics_add_up_and_have_a_text_form() {
    let mut sum = BlockMetrics::default();
    let one = BlockMetrics {
        blocks: 1,
        reads: 10,
        base_reads: 4,
        highest_incarnation: 3,
        ..BlockMetrics::default()
    };
    sum.add(&one);
    sum.add(&one);
    assert_eq!((sum.blocks, sum.reads, sum.highest_incarnation), (2, 20, 3));
    assert_eq!(sum.cache_hits(), 12);
    let text = sum.to_prometheus();
    assert!(text.contains("# TYPE monomove_blocks_total counter\nmonomove_blocks_total 2\n"));
    assert!(
        text.contains(
            "# TYPE monomove_highest_incarnation gauge\nmonomove_highest_incarnation 3\n"
        )
    );
    assert!(text.lines().count() == 69);
}
