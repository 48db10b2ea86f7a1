//! Questions about the whole run: columns, conditions, events.

use super::report::{Collection, EmittedEvent, SessionFunction, StepEvent, Stop, StopReason};
use super::{Change, Direction, Session, WINDOW, When, changes};
use crate::error::Error;
use crate::value::{Limits, Value};
use monomove_core::{EventKind, Trace, TraceEvent, TraceFunction, TraceLimits};
use monomove_types::StatusCode;
use std::rc::Rc;

/// Where a run is to stop: `Condition` of the TypeScript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// An instruction of a function `0x1::m::f`; the first one unless it is named.
    Instruction {
        /// The function.
        function: String,
        /// Code offset.
        offset: Option<u16>,
        /// What must hold there.
        when: Option<When>,
    },
    /// Gas used reaches this.
    Gas(u64),
    /// A global value is touched.
    Global {
        /// Which; any if it is not named.
        key: Option<String>,
        /// Changed, that is.
        write: bool,
    },
    /// An event is emitted.
    Event(Option<String>),
    /// Bytes change.
    Write {
        /// Where.
        address: u32,
        /// How many.
        size: u32,
    },
    /// The heap is collected.
    Collection,
    /// The call fails.
    Failure,
}

/// A condition with names replaced by what the columns hold.
enum Test {
    /// By index of a function: whether it is one of those.
    Instruction(Vec<bool>, u16, Option<When>),
    Gas(u64),
    /// Rows of events that count.
    Rows(Vec<u32>),
    /// The last step, if it fails.
    Failure,
    Write(Change),
}

impl Session {
    /// The whole run without memory, recorded when it is first needed.
    pub(super) fn outline(&mut self) -> Rc<Trace> {
        if let Some(outline) = &self.outline {
            return outline.clone();
        }
        let limits = TraceLimits {
            steps: self.length,
            bytes: u64::MAX,
            checkpoint_steps: u32::MAX,
            memory: false,
        };
        let outline = Rc::new(self.part(0, &limits));
        self.outline = Some(outline.clone());
        outline
    }

    /// The columns of the steps, for windows onto them.
    pub fn columns(&mut self) -> Rc<Trace> {
        self.outline()
    }

    /// The greatest depth in each of `points` stretches of the run.
    pub fn depth_profile(&mut self, points: u32) -> Vec<u16> {
        let outline = self.outline();
        let depth = &outline.steps.depth;
        let (points, length) = (u64::from(points), depth.len() as u64);
        let stretch = |i: u64| {
            let (from, to) = (i * length / points, (i + 1) * length / points);
            let range = from as usize..(to.max(from + 1)).min(length) as usize;
            depth
                .get(range)
                .and_then(|d| d.iter().max())
                .copied()
                .unwrap_or(0)
        };
        (0..points).map(stretch).collect()
    }

    fn test(&self, outline: &Trace, condition: &Condition) -> Test {
        let rows = |wanted: &dyn Fn(TraceEvent<'_>) -> bool| {
            let rows = 0..outline.events.len();
            let good = rows.filter(|&row| outline.events.at(row).is_some_and(wanted));
            Test::Rows(good.map(|row| row as u32).collect())
        };
        match condition {
            Condition::Instruction {
                function,
                offset,
                when,
            } => {
                let is_it = |f: &TraceFunction| f.path() == *function;
                let functions = outline.functions.iter().map(is_it);
                Test::Instruction(functions.collect(), offset.unwrap_or(0), when.clone())
            }
            Condition::Gas(used) => Test::Gas(*used),
            Condition::Global { key, write } => rows(&|event| match event {
                TraceEvent::Global { kind, key: at, .. } => {
                    let named = outline.keys.get(at as usize);
                    let writes = matches!(
                        kind,
                        EventKind::BorrowMut | EventKind::Take | EventKind::Store
                    );
                    !matches!(kind, EventKind::Change | EventKind::Move)
                        && (!write || writes)
                        && key.as_ref().is_none_or(|key| Some(key) == named)
                }
                _ => false,
            }),
            Condition::Event(ty) => rows(&|event| match event {
                TraceEvent::Emit { ty: at, .. } => ty
                    .as_ref()
                    .is_none_or(|ty| Some(ty) == outline.types.get(at as usize)),
                _ => false,
            }),
            Condition::Write { address, size } => Test::Write(Change {
                address: *address,
                size: *size,
            }),
            Condition::Collection => rows(&|event| matches!(event, TraceEvent::Collect { .. })),
            Condition::Failure => Test::Failure,
        }
    }

    /// Whether a condition holds at a step.
    fn holds(&mut self, outline: &Trace, test: &Test, step: u32) -> Result<bool, Error> {
        let at = step as usize;
        Ok(match test {
            Test::Instruction(functions, offset, when) => {
                let here = outline.steps.offset.get(at) == Some(offset)
                    && outline
                        .steps
                        .function
                        .get(at)
                        .is_some_and(|&f| functions.get(f as usize) == Some(&true));
                match when {
                    Some(when) if here => self.holds_when(when, step)?,
                    _ => here,
                }
            }
            Test::Gas(used) => {
                let before = |at: usize| outline.steps.gas.get(at).copied().unwrap_or(0);
                before(at) >= *used && at.checked_sub(1).is_none_or(|last| before(last) < *used)
            }
            Test::Rows(rows) => {
                let own = outline.events_of(at);
                let first = rows.partition_point(|&row| (row as usize) < own.start);
                rows.get(first).is_some_and(|&row| (row as usize) < own.end)
            }
            Test::Failure => self.failed && step + 1 == self.length && self.end() == "complete",
            Test::Write(range) => {
                self.open(self.window_of(step))?;
                let touched = |c: &Change| {
                    c.address < range.address.saturating_add(range.size)
                        && range.address < c.address.saturating_add(c.size)
                };
                self.windows.last().is_some_and(|window| {
                    changes(&window.trace, (step - window.first) as usize)
                        .iter()
                        .any(touched)
                })
            }
        })
    }

    /// To the nearest step at which one of the conditions holds.
    pub fn run_until(
        &mut self,
        conditions: &[Condition],
        direction: Direction,
    ) -> Result<Stop, Error> {
        if conditions.is_empty() || self.length == 0 {
            return self.arrive(None, direction);
        }
        let outline = self.outline();
        let tests = conditions
            .iter()
            .map(|condition| self.test(&outline, condition));
        let tests = tests.collect::<Vec<_>>();
        let mut step = self.position;
        loop {
            let next = match direction {
                Direction::Forward => step.checked_add(1).filter(|&step| step < self.length),
                Direction::Back => step.checked_sub(1),
            };
            let Some(next) = next else {
                return self.arrive(None, direction);
            };
            step = next;
            for (index, test) in (0..).zip(&tests) {
                if self.holds(&outline, test, step)? {
                    self.go(step)?;
                    return Ok(self.stopped(StopReason::Condition, Some(index)));
                }
            }
        }
    }

    /// The functions that were met.
    pub fn functions(&self) -> Vec<SessionFunction> {
        let windows = self.windows.iter().map(|window| &*window.trace);
        let all = self.outline.as_deref().into_iter().chain(windows);
        let Some(trace) = all.max_by_key(|trace| trace.functions.len()) else {
            return Vec::new();
        };
        let name = |&ty: &u32| trace.types.get(ty as usize).cloned().unwrap_or_default();
        let function = |(index, function): (u32, &TraceFunction)| SessionFunction {
            index,
            module: function.module.clone(),
            name: function.name.clone(),
            definition: function.index,
            type_arguments: function.ty_args.iter().map(name).collect(),
            native: function.native,
            frame_bytes: function.frame,
            blocks: function.blocks.clone(),
        };
        (0..).zip(&trace.functions).map(function).collect()
    }

    /// The events that were emitted before the position.
    pub fn events(&mut self) -> Vec<EmittedEvent> {
        let outline = self.outline();
        let end = match self.position.checked_sub(1) {
            Some(last) => outline.events_of(last as usize).end,
            None => 0,
        };
        let mut events = Vec::new();
        for row in 0..end {
            if let Some(TraceEvent::Emit { ty, data }) = outline.events.at(row) {
                let ty = outline.types.get(ty as usize).cloned().unwrap_or_default();
                events.push(EmittedEvent {
                    step: outline.step_of(row),
                    bcs: data.into(),
                    value: self.decode(&ty, data, Limits::default()),
                    r#type: ty,
                });
            }
        }
        events
    }

    /// The collections of the whole run.
    pub fn collections(&mut self) -> Vec<Collection> {
        let outline = self.outline();
        let start = outline.header.heap_start;
        let collection = |row: usize| match outline.events.at(row)? {
            TraceEvent::Collect {
                before,
                after,
                live,
            } => Some(Collection {
                step: outline.step_of(row),
                before: before.saturating_sub(start),
                after: after.saturating_sub(start),
                live,
            }),
            _ => None,
        };
        (0..outline.events.len()).filter_map(collection).collect()
    }

    /// BCS as a value of a type as a trace writes it.
    pub(super) fn decode(&mut self, ty: &str, bcs: &[u8], limits: Limits) -> Value {
        match self.tag(ty) {
            Some(tag) => Value::decode(&tag, bcs, &self.layouts, limits),
            None => Value::undecoded(ty.to_owned(), bcs),
        }
    }

    /// What happened in a step.
    pub fn events_of(&mut self, step: u32) -> Result<Vec<StepEvent>, Error> {
        if step >= self.length {
            return Err(Error::argument(format!(
                "step {step}: there are {}",
                self.length
            )));
        }
        self.open(step / WINDOW * WINDOW)?;
        let Some((trace, first)) = self.windows.last().map(|w| (w.trace.clone(), w.first)) else {
            return Ok(Vec::new());
        };
        let mut rows = trace.events_of((step - first) as usize);
        if step + 1 == self.length {
            // What belongs to the end of the run came with the last step.
            rows.end = trace.events.len();
        }
        Ok(rows.filter_map(|row| self.event(&trace, row)).collect())
    }

    fn event(&mut self, trace: &Trace, row: usize) -> Option<StepEvent> {
        Some(match trace.events.at(row)? {
            TraceEvent::Call { function, .. } => StepEvent::Call { function },
            TraceEvent::Return { function, .. } => StepEvent::Return { function },
            TraceEvent::Global { kind, key, .. } => {
                let key = trace.keys.get(key as usize)?.clone();
                match kind {
                    EventKind::Load => StepEvent::Load { key },
                    EventKind::Access => StepEvent::Access { key },
                    EventKind::BorrowMut => StepEvent::BorrowMut { key },
                    EventKind::Take => StepEvent::Take { key },
                    EventKind::Store => StepEvent::Store { key },
                    EventKind::Move => return None,
                    _ => StepEvent::Change { key },
                }
            }
            TraceEvent::Emit { ty, data } => {
                let ty = trace.types.get(ty as usize)?.clone();
                StepEvent::Emit {
                    bcs: data.into(),
                    value: self.decode(&ty, data, Limits::default()),
                    r#type: ty,
                }
            }
            TraceEvent::Allocate { address, bytes } => StepEvent::Allocate { address, bytes },
            TraceEvent::Collect {
                before,
                after,
                live,
            } => StepEvent::Collect {
                before: before.saturating_sub(trace.header.heap_start),
                after: after.saturating_sub(trace.header.heap_start),
                live,
            },
            TraceEvent::Fail { status, sub_status } => StepEvent::Fail {
                status: StatusCode::from_number(u64::from(status))
                    .map_or_else(|| status.to_string(), |status| status.name().to_owned()),
                sub_status,
            },
        })
    }
}
