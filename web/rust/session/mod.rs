//! A recorded call and a position in it.
//!
//! What is kept is the input: the call, and the state it ran on. Everything else is made again when it is asked for. A *window* is a stretch
//! of the run with everything that happened to memory; going to a position is running up to its window without recording, recording the window, and
//! replaying inside it. The *outline* is the whole run without memory: functions, offsets, gas and events, for questions about all of it.

mod assigned;
mod outline;
mod report;
mod show;
mod state;
mod when;

pub use outline::Condition;
pub use when::{Comparison, PlaceName, When};

use crate::chain::{Chain, Request};
use crate::error::Error;
use crate::layouts::ModuleLayouts;
use crate::outcome::Outcome;
use crate::pool::Pooled;
use crate::state::{State, View, Writes};
use assigned::Assigned;
use monomove_core::{Call, Replay, Trace, TraceEnd, TraceLimits};
use monomove_types::TypeTag;
use report::{End, Stop, StopReason};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Steps of a window.
const WINDOW: u32 = 8192;
/// Windows that are kept.
const WINDOWS: usize = 4;

/// A recorded stretch of the run.
#[derive(Debug)]
struct Window {
    /// Its first step.
    first: u32,
    replay: Replay<Rc<Trace>>,
    trace: Rc<Trace>,
}

/// Bytes that changed.
#[derive(Clone, Copy, Debug)]
struct Change {
    address: u32,
    size: u32,
}

/// Which way a movement goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// As the run went.
    Forward,
    /// Against it.
    Back,
}

/// A recorded call.
#[derive(Debug)]
pub struct Session {
    machine: Pooled,
    call: Call,
    state: State,
    writes: Writes,
    layouts: ModuleLayouts,
    outcome: Outcome,
    gas_used: u64,
    failed: bool,
    length: u32,
    end: End,
    position: u32,
    /// Which way the last movement went.
    heading: Direction,
    /// What the last movement changed, if it was a single step.
    changes: Vec<Change>,
    /// The latest used last.
    windows: Vec<Window>,
    outline: Option<Rc<Trace>>,
    /// By type as a trace writes it, without `&`.
    tags: BTreeMap<String, Option<TypeTag>>,
    /// By module and definition index.
    assigned: BTreeMap<(String, u16), Option<Rc<Assigned>>>,
}

impl Session {
    /// Runs `request` on the state of `chain` as it is.
    pub fn new(chain: &mut Chain, request: &Request, max_steps: u32) -> Result<Self, Error> {
        let call = chain.call(request)?;
        let mut machine = Pooled::new(chain.machine_config());
        let (state, writes) = chain.state();
        let (state, writes) = (state.clone(), writes.clone());
        let mut view = View {
            state: &state,
            writes: &writes,
        };
        let (output, steps) = machine.call_counting_steps(&call, &mut view);
        let layouts = chain.layouts().clone();
        let outcome = Outcome::new(&output, &layouts, |key| state.get(key));
        let length = u32::try_from(steps).unwrap_or(u32::MAX).min(max_steps);
        let end = if u64::from(length) < steps {
            End::Steps
        } else {
            End::Complete
        };
        Ok(Self {
            machine,
            call,
            state,
            writes,
            layouts,
            gas_used: output.gas_used,
            failed: !outcome.returned(),
            outcome,
            length,
            end,
            position: 0,
            heading: Direction::Forward,
            changes: Vec::new(),
            windows: Vec::new(),
            outline: None,
            tags: BTreeMap::new(),
            assigned: BTreeMap::new(),
        })
    }

    /// How the call ended.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Number of steps.
    pub fn length(&self) -> u32 {
        self.length
    }

    /// The step that comes next.
    pub fn position(&self) -> u32 {
        self.position
    }

    /// Why it ends where it does.
    pub fn end(&self) -> &'static str {
        self.end.name()
    }

    /// Internal gas that the call might use.
    pub fn gas_limit(&self) -> u64 {
        self.call.gas_limit
    }

    /// Records a part of the run again.
    fn part(&mut self, first: u32, limits: &TraceLimits) -> Trace {
        let mut view = View {
            state: &self.state,
            writes: &self.writes,
        };
        let call = &self.call;
        let trace = self
            .machine
            .trace_part(call, &mut view, u64::from(first), limits);
        if trace.header.end == TraceEnd::Frames {
            self.end = End::Frames;
            self.length = self.length.min(first + trace.len() as u32);
            self.position = self.position.min(self.length);
        }
        trace
    }

    /// The first step of the window that shows position `at`: the state after the last step is shown by the window before it.
    fn window_of(&self, at: u32) -> u32 {
        let step = at.min(self.length.saturating_sub(1));
        step / WINDOW * WINDOW
    }

    /// Makes the window that starts at `first` the last of the list.
    fn open(&mut self, first: u32) -> Result<(), Error> {
        if let Some(at) = self.windows.iter().position(|w| w.first == first) {
            let window = self.windows.remove(at);
            self.windows.push(window);
            return Ok(());
        }
        let limits = TraceLimits {
            steps: WINDOW.min(self.length - first),
            bytes: u64::MAX,
            checkpoint_steps: 1024,
            memory: true,
        };
        let trace = Rc::new(self.part(first, &limits));
        let replay = Replay::new(trace.clone())
            .map_err(|error| Error::argument(format!("step {first} cannot be shown: {error}")))?;
        if self.windows.len() >= WINDOWS {
            self.windows.remove(0);
        }
        self.windows.push(Window {
            first,
            replay,
            trace,
        });
        Ok(())
    }

    /// Records one of the windows beside that of the position, the one that lies ahead first, so that a step into it finds it. False if both
    /// are there.
    pub fn prefetch(&mut self) -> Result<bool, Error> {
        let here = self.window_of(self.position);
        let next = Some(here + WINDOW).filter(|&first| first < self.length);
        let last = here.checked_sub(WINDOW);
        let order = match self.heading {
            Direction::Forward => [next, last],
            Direction::Back => [last, next],
        };
        let missing = |first: &u32| self.windows.iter().all(|window| window.first != *first);
        let Some(first) = order.into_iter().flatten().find(missing) else {
            return Ok(false);
        };
        self.open(first)?;
        self.open(here)?;
        Ok(true)
    }

    /// The window that shows the position, its replay there; `None` if the call has no steps.
    fn here(&mut self) -> Result<Option<&mut Window>, Error> {
        if self.length == 0 {
            return Ok(None);
        }
        let position = self.position;
        self.open(self.window_of(position))?;
        let Some(window) = self.windows.last_mut() else {
            return Ok(None);
        };
        let step = (position - window.first) as usize;
        window.replay.seek(step).map_err(|error| {
            Error::argument(format!("position {position} cannot be shown: {error}"))
        })?;
        Ok(Some(window))
    }

    /// Goes to a position; `step` is the one step that lies between, if it is one.
    fn go(&mut self, to: u32) -> Result<(), Error> {
        let from = self.position;
        self.position = to.min(self.length);
        self.heading = if self.position < from {
            Direction::Back
        } else {
            Direction::Forward
        };
        self.changes.clear();
        let step = from.min(self.position);
        if from.abs_diff(self.position) == 1 {
            self.open(self.window_of(step))?;
            if let Some(window) = self.windows.last() {
                self.changes = changes(&window.trace, (step - window.first) as usize);
            }
        }
        self.here().map(|_| ())
    }

    fn stopped(&self, reason: StopReason, condition: Option<u32>) -> Stop {
        Stop::new(self.position, reason, condition)
    }

    /// Goes to `to`, a position or beyond one of the ends.
    fn arrive(&mut self, to: Option<u32>, direction: Direction) -> Result<Stop, Error> {
        let (to, reason) = match (to, direction) {
            (Some(to), _) => (to, StopReason::Step),
            (None, Direction::Forward) => (self.length, StopReason::End),
            (None, Direction::Back) => (0, StopReason::Start),
        };
        self.go(to)?;
        Ok(self.stopped(reason, None))
    }

    /// One step.
    pub fn step(&mut self, direction: Direction) -> Result<Stop, Error> {
        let to = match direction {
            Direction::Forward => self.position.checked_add(1).filter(|&to| to <= self.length),
            Direction::Back => self.position.checked_sub(1),
        };
        self.arrive(to, direction)
    }

    /// To a position.
    pub fn seek(&mut self, to: u32) -> Result<Stop, Error> {
        self.go(to)?;
        Ok(self.stopped(StopReason::Step, None))
    }

    /// To the nearest step whose depth is at most that of the present one, or below it.
    fn at_depth(&mut self, direction: Direction, out: bool) -> Result<Stop, Error> {
        let here = self.position;
        let beyond = |depth: u16, limit: u16| if out { depth < limit } else { depth <= limit };
        // Mostly it is near.
        if self.length > 0 {
            self.open(self.window_of(here))?;
        }
        let found = self.windows.last().and_then(|window| {
            let (first, depth) = (window.first, &window.trace.steps.depth);
            let limit = match depth.get((here - first) as usize) {
                Some(&depth) => depth,
                // At the end, nothing runs any more.
                None => 0,
            };
            let at = |step: u32| depth.get((step - first) as usize).copied();
            let good = |&step: &u32| at(step).is_some_and(|depth| beyond(depth, limit));
            match direction {
                Direction::Forward => (here + 1..first + depth.len() as u32).find(good),
                Direction::Back => (first..here).rev().find(good),
            }
        });
        if found.is_some() {
            return self.arrive(found, direction);
        }
        let outline = self.outline();
        let depth = &outline.steps.depth;
        let limit = depth.get(here as usize).copied().unwrap_or(0);
        let good = |&step: &u32| depth.get(step as usize).is_some_and(|&d| beyond(d, limit));
        let found = match direction {
            Direction::Forward => (here + 1..self.length).find(good),
            Direction::Back => (0..here).rev().find(good),
        };
        self.arrive(found, direction)
    }

    /// To the next step of this frame or of a caller.
    pub fn step_over(&mut self, direction: Direction) -> Result<Stop, Error> {
        self.at_depth(direction, false)
    }

    /// To the caller.
    pub fn step_out(&mut self, direction: Direction) -> Result<Stop, Error> {
        self.at_depth(direction, true)
    }
}

/// Bytes that are compared at once.
const WORD: usize = 4;

/// The ranges that a step of a window changes. A trace writes down more than that: whole slots, and whole stretches at a collection.
fn changes(trace: &Trace, step: usize) -> Vec<Change> {
    let writes = &trace.writes;
    let mut changes: Vec<Change> = Vec::new();
    for row in trace.writes_of(step) {
        let start = row.checked_sub(1).and_then(|row| writes.data_end.get(row));
        let range = start.map_or(0, |&start| start as usize)
            ..writes.data_end.get(row).map_or(0, |&end| end as usize);
        let (Some(old), Some(new), Some(&address)) = (
            writes.old.get(range.clone()),
            writes.new.get(range),
            writes.address.get(row),
        ) else {
            continue;
        };
        let words = old.chunks(WORD).zip(new.chunks(WORD)).enumerate();
        for (index, (old, new)) in words.filter(|(_, (old, new))| old != new) {
            let address = address.wrapping_add((index * WORD) as u32);
            let size = old.len().max(new.len()) as u32;
            match changes.last_mut() {
                Some(last) if last.address.wrapping_add(last.size) == address => last.size += size,
                _ => changes.push(Change { address, size }),
            }
        }
    }
    changes
}
