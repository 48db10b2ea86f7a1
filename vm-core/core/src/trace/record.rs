//! The recorder: a tracer that keeps an image of memory and writes down how each step changes it.

use super::Tracer;
use super::events::EventKind;
use super::format::{
    Checkpoint, EventColumns, FrameRef, StepColumns, TRACE_SCHEMA, TRACE_VERSION, Trace, TraceEnd,
    TraceHeader, TraceLimits, WriteColumns,
};
use super::functions::Functions;
use super::image::Image;
use crate::globals::AccessKind;
use crate::interp::Interpreter;
use crate::lower::code::Lowered;
use crate::lower::steps::Effect;
use crate::memory::{Addr, Memory};
use crate::stop::{Run, Stop};
use crate::value::bcs;
use crate::{CallOutput, Outcome, WriteOp};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What one step takes in the columns besides its writes and events.
const STEP_BYTES: u64 = 24;
/// What one write takes besides its bytes.
const WRITE_BYTES: u64 = 8;
/// What one event takes besides its values.
const EVENT_BYTES: u64 = 22;

/// A frame of the call stack.
#[derive(Clone, Debug)]
struct Active {
    function: u32,
    lowered: Rc<Lowered>,
    fp: Addr,
    /// Code offset of the instruction being executed.
    offset: u16,
    /// Static cost of what its caller has paid for and not executed yet.
    callers_cost: u64,
    /// [`Interpreter::lead`] of its callees.
    lead: u32,
}

/// Records a run.
#[derive(Debug)]
pub(crate) struct Recorder {
    limits: TraceLimits,
    trace: Trace,
    functions: Functions,
    keys: BTreeMap<String, u32>,
    /// Whether execution began, and no limit was hit yet.
    recording: bool,
    /// Memory as it was when writes were last written down.
    image: Image,
    frames: Vec<Active>,
    /// Steps that go by before the first that is recorded.
    first: u64,
    /// Whether they are going by.
    waiting: bool,
    /// Whether the run ends with the recording.
    is_part: bool,
    /// While steps go by: [`Interpreter::lead`] of the callees of each frame, and the end of the highest frame so far.
    leads: Vec<u32>,
    highest: Addr,
    /// Whether an instruction is executing whose writes are not written down yet.
    pending: bool,
    /// Static cost that the callers of the running function have paid for and not executed yet.
    outer_cost: u64,
    /// Events of the run that were written down.
    emitted: usize,
    /// Collections that were written down.
    collections: u64,
    /// Where the heap ended after the last step, if memory is not recorded.
    heap_end: Addr,
    /// Bytes of the columns at the last checkpoint, and the step it was taken at.
    last_checkpoint: (u64, u32),
    checkpoint_bytes: u64,
}

impl Recorder {
    pub(crate) fn new(limits: TraceLimits, gas_limit: u64) -> Self {
        Self {
            limits,
            trace: Trace {
                header: TraceHeader {
                    schema: TRACE_SCHEMA.into(),
                    version: TRACE_VERSION,
                    stack_start: 0,
                    heap_start: 0,
                    gas_limit,
                    gas_used: 0,
                    instructions: 0,
                    end: TraceEnd::Complete,
                },
                types: Vec::new(),
                functions: Vec::new(),
                keys: Vec::new(),
                steps: StepColumns::default(),
                writes: WriteColumns::default(),
                events: EventColumns::default(),
                checkpoints: Vec::new(),
            },
            functions: Functions::default(),
            keys: BTreeMap::new(),
            recording: false,
            image: Image::default(),
            frames: Vec::new(),
            first: 0,
            waiting: false,
            is_part: false,
            leads: Vec::new(),
            highest: 0,
            pending: false,
            outer_cost: 0,
            emitted: 0,
            collections: 0,
            heap_end: 0,
            last_checkpoint: (0, 0),
            checkpoint_bytes: 0,
        }
    }

    /// Records from step `first` on; the run ends where the recording does.
    pub(crate) fn after(first: u64, limits: TraceLimits, gas_limit: u64) -> Self {
        Self {
            first,
            is_part: true,
            ..Self::new(limits, gas_limit)
        }
    }

    /// The recording of a run that was given up.
    pub(crate) fn into_part(mut self) -> Trace {
        self.functions.finish(&mut self.trace);
        self.trace
    }

    /// The recording. `output` is what the run gave, traced or not.
    pub(crate) fn into_trace(mut self, output: &CallOutput) -> Trace {
        self.trace.header.gas_used = output.gas_used;
        self.trace.header.instructions = output.instructions;
        self.functions.finish(&mut self.trace);
        self.trace
    }

    fn end(&mut self, memory: &Memory, end: TraceEnd) {
        self.close_step();
        self.trace.header.end = end;
        self.checkpoint(memory);
        self.recording = false;
    }

    /// The writes and events so far are those of the steps so far.
    fn close_step(&mut self) {
        let steps = &mut self.trace.steps;
        while steps.write_end.len() < steps.function.len() {
            steps.write_end.push(self.trace.writes.address.len() as u32);
            steps.event_end.push(self.trace.events.len() as u32);
        }
    }

    fn bytes(&self) -> u64 {
        let (writes, events) = (&self.trace.writes, &self.trace.events);
        self.trace.steps.function.len() as u64 * STEP_BYTES
            + writes.address.len() as u64 * WRITE_BYTES
            + writes.new.len() as u64 * 2
            + events.len() as u64 * EVENT_BYTES
            + events.data.len() as u64
            + self.checkpoint_bytes
    }

    /// Takes a checkpoint when enough has happened since the last one that they stay a small part of the trace.
    #[cold]
    #[inline(never)]
    fn maybe_checkpoint(&mut self, memory: &Memory) {
        let since = self.bytes() - self.last_checkpoint.0;
        let state = self.image.stack.len() + self.image.heap.len();
        if since >= state as u64 / 2 {
            self.checkpoint(memory);
        } else {
            // Looks again later.
            self.last_checkpoint.1 = self.trace.len() as u32;
        }
    }

    fn checkpoint(&mut self, memory: &Memory) {
        if !self.limits.memory {
            return;
        }
        self.image.take(memory);
        let frames = self.frames.iter().map(|frame| FrameRef {
            function: frame.function,
            offset: frame.offset,
            fp: frame.fp,
        });
        self.trace.checkpoints.push(Checkpoint {
            step: self.trace.len() as u32,
            frames: frames.collect(),
            stack: self.image.stack.clone(),
            heap: self.image.heap.clone(),
        });
        self.checkpoint_bytes += (self.image.stack.len() + self.image.heap.len()) as u64;
        self.last_checkpoint = (self.bytes(), self.trace.len() as u32);
    }

    /// Writes down what the executing instruction did.
    #[inline]
    fn flush(&mut self, run: &mut Interpreter<'_>) {
        let pending = std::mem::take(&mut self.pending);
        if run.effects.events.len() != self.emitted
            || run.globals.log.as_ref().is_some_and(|log| !log.is_empty())
        {
            self.effects(run);
        }
        if run.memory.collections() != self.collections {
            self.collected(run);
        }
        if !self.limits.memory {
            self.heap_end = run.memory.heap_top();
            return;
        }
        let (image, writes) = (&mut self.image, &mut self.trace.writes);
        if let Some((from, size)) = image.allocated(run.memory, writes) {
            let events = &mut self.trace.events;
            events.push(EventKind::Allocate, from, u64::from(size), None, None);
        }
        let Some(frame) = self.frames.last().filter(|_| pending) else {
            return;
        };
        match &frame.lowered.steps {
            Some(steps) => {
                for &(slot, size) in steps.writes(frame.offset) {
                    image.diff(run.memory, writes, frame.fp.wrapping_add(slot), size);
                }
                let effect = steps.effect(frame.offset);
                if effect != Effect::None {
                    image.indirect(run.memory, writes, frame.fp, effect);
                }
            }
            None => image.native(run, writes, frame.fp, &frame.lowered),
        }
    }

    /// Writes down what a collection changed: anything.
    #[cold]
    #[inline(never)]
    fn collected(&mut self, run: &Interpreter<'_>) {
        let figures = run.memory.figures();
        self.collections = figures.collections;
        let (before, after) = if self.limits.memory {
            self.image.collected(run.memory, &mut self.trace.writes)
        } else {
            (self.heap_end, run.memory.heap_top())
        };
        let value = u64::from(after) | u64::from(figures.live) << 32;
        let events = &mut self.trace.events;
        events.push(EventKind::Collect, before, value, None, None);
        for (slot, object) in run.globals.objects() {
            if let Ok((key, _, _)) = run.globals.about(run.ctx, slot) {
                let key = self.key(key.to_string());
                let events = &mut self.trace.events;
                events.push(EventKind::Move, key, u64::from(object), None, None);
            }
        }
    }

    /// Writes down accesses to global values and emitted events.
    #[cold]
    #[inline(never)]
    fn effects(&mut self, run: &mut Interpreter<'_>) {
        let log = match &mut run.globals.log {
            Some(log) => std::mem::take(log),
            None => Vec::new(),
        };
        for access in log {
            let Ok((key, layout, original)) = run.globals.about(run.ctx, access.slot) else {
                continue;
            };
            let key = self.key(key.to_string());
            let value = access
                .object
                .and_then(|object| bcs::to_bytes(run.ctx, run.memory, object, layout).ok());
            let value = value.as_deref();
            let object = run.globals.object(access.slot).or(access.object);
            let at = object.map_or(0, u64::from);
            let events = &mut self.trace.events;
            match access.kind {
                AccessKind::Load => events.push(EventKind::Load, key, at, original, None),
                AccessKind::Find => events.push(EventKind::Access, key, at, None, None),
                AccessKind::Touch => events.push(EventKind::BorrowMut, key, at, None, None),
                AccessKind::Take => events.push(EventKind::Take, key, at, value, None),
                AccessKind::Store => events.push(EventKind::Store, key, at, None, value),
            }
        }
        for event in run.effects.events.get(self.emitted..).unwrap_or_default() {
            let ty = self.functions.type_name(event.ty.to_string());
            let events = &mut self.trace.events;
            events.push(EventKind::Emit, ty, 0, None, Some(&event.data));
        }
        self.emitted = run.effects.events.len();
    }

    fn key(&mut self, text: String) -> u32 {
        let next = self.keys.len() as u32;
        *self.keys.entry(text).or_insert_with_key(|text| {
            self.trace.keys.push(text.clone());
            next
        })
    }

    /// Starts a frame: what it does not get from its caller is zero, so that nothing of the past shows.
    fn push_frame(&mut self, run: &mut Interpreter<'_>, fp: Addr, callers_cost: u64) -> u32 {
        let lowered = run.code.instance(run.instance).clone();
        let function = self.functions.of(run, run.instance, &lowered);
        if self.recording && self.limits.memory {
            self.clean_frame(run, function, fp, lowered.frame);
            let writes = &mut self.trace.writes;
            self.image.diff(run.memory, writes, fp, lowered.frame);
        }
        self.frames.push(Active {
            function,
            lowered,
            fp,
            offset: 0,
            callers_cost,
            lead: run.lead,
        });
        function
    }

    /// Makes everything in a frame zero but its parameters.
    fn clean_frame(&self, run: &mut Interpreter<'_>, function: u32, fp: Addr, bytes: u32) {
        let mut from = 0;
        for &(slot, size) in self.functions.params(function) {
            run.memory
                .bytes_mut(fp + from, slot.saturating_sub(from))
                .fill(0);
            from = slot + size;
        }
        run.memory
            .bytes_mut(fp + from, bytes.saturating_sub(from))
            .fill(0);
    }

    /// A function that begins while steps go by.
    fn pass(&mut self, run: &mut Interpreter<'_>) {
        let lowered = run.code.instance(run.instance).clone();
        let function = self.functions.of(run, run.instance, &lowered);
        if self.limits.memory {
            self.clean_frame(run, function, run.fp, lowered.frame);
            self.highest = self.highest.max(run.fp + lowered.frame);
        }
        self.leads.truncate(run.frames.len());
        self.leads.push(run.lead);
    }

    /// The steps before the first have gone by: takes stock at the instruction at `offset`.
    fn start(&mut self, run: &mut Interpreter<'_>, offset: u16) {
        (self.waiting, self.recording) = (false, true);
        run.globals.log = Some(Vec::new());
        self.emitted = run.effects.events.len();
        self.collections = run.memory.collections();
        self.heap_end = run.memory.heap_top();
        let mut positions = run.callers();
        positions.push((run.instance, run.fp, offset));
        self.leads.truncate(positions.len());
        let mut callers_cost = 0;
        for (&lead, (instance, fp, offset)) in self.leads.iter().zip(positions) {
            let lowered = run.code.instance(instance).clone();
            let function = self.functions.of(run, instance, &lowered);
            self.outer_cost = self.outer_cost.saturating_add(callers_cost);
            let after = lowered.steps.as_ref().map(|s| s.cost_after(offset));
            self.frames.push(Active {
                function,
                lowered,
                fp,
                offset,
                callers_cost,
                lead,
            });
            callers_cost = after.unwrap_or(0);
            run.lead = lead;
        }
        if self.limits.memory {
            let (stack, heap) = (run.memory.stack_start(), run.memory.heap_start());
            let bytes = |start: Addr, end: Addr| {
                let bytes = run.memory.bytes_within(start, end.saturating_sub(start));
                bytes.unwrap_or_default().to_vec()
            };
            self.image.stack = bytes(stack, self.highest);
            self.image.heap = bytes(heap, run.memory.heap_top());
            self.checkpoint(run.memory);
        }
    }

    /// Functions that returned since the last step.
    #[inline]
    fn returns(&mut self, run: &mut Interpreter<'_>) {
        while self.frames.len() > run.frames.len() + 1 {
            self.returned(run);
        }
    }

    /// The last frame has returned. What it wrote is still there.
    fn returned(&mut self, run: &mut Interpreter<'_>) {
        if self.recording {
            self.flush(run);
        }
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let (offset, lead) = self
            .frames
            .last()
            .map_or((0, 0), |caller| (caller.offset, caller.lead));
        if self.recording {
            let events = &mut self.trace.events;
            let value = u64::from(frame.fp) | u64::from(offset) << 32;
            events.push(EventKind::Return, frame.function, value, None, None);
        }
        self.outer_cost = self.outer_cost.saturating_sub(frame.callers_cost);
        run.lead = lead;
        // The caller's instruction goes on: it takes the results.
        self.pending = true;
    }
}

impl Tracer for Recorder {
    const ACTIVE: bool = true;

    fn begin(&mut self, run: &mut Interpreter<'_>) {
        self.recording = true;
        run.globals.log = Some(Vec::new());
        self.trace.header.stack_start = run.memory.stack_start();
        self.trace.header.heap_start = run.memory.heap_start();
        (self.image.stack_start, self.image.heap_start) =
            (run.memory.stack_start(), run.memory.heap_start());
        if self.first > 0 {
            (self.waiting, self.recording) = (true, false);
            run.globals.log = None;
            run.skip = self.first;
            self.pass(run);
            return;
        }
        self.push_frame(run, run.memory.stack_start(), 0);
        self.collections = run.memory.collections();
        self.heap_end = run.memory.heap_top();
        // What is there before the first step belongs to the first checkpoint.
        self.image.allocated(run.memory, &mut self.trace.writes);
        self.trace.writes = WriteColumns::default();
        self.checkpoint(run.memory);
    }

    fn step(&mut self, run: &mut Interpreter<'_>, offset: u16) -> Run<()> {
        if self.waiting {
            self.start(run, offset);
        }
        self.returns(run);
        if self.recording {
            self.flush(run);
            self.close_step();
            let step = self.trace.len() as u32;
            if step >= self.limits.steps {
                self.end(run.memory, TraceEnd::Steps);
            } else if self.bytes() > self.limits.bytes {
                self.end(run.memory, TraceEnd::Bytes);
            } else if step - self.last_checkpoint.1 >= self.limits.checkpoint_steps {
                if let Some(frame) = self.frames.last_mut() {
                    frame.offset = offset;
                }
                self.maybe_checkpoint(run.memory);
            }
        }
        if self.is_part && !self.recording {
            return Err(Stop::Enough);
        }
        let depth = self.frames.len().saturating_sub(1) as u16;
        let Some(frame) = self.frames.last_mut() else {
            return Ok(());
        };
        frame.offset = offset;
        if self.recording {
            let rest = frame
                .lowered
                .steps
                .as_ref()
                .map_or(0, |s| s.cost_from(offset));
            let left = run.gas.saturating_add(rest).saturating_add(self.outer_cost);
            let steps = &mut self.trace.steps;
            steps.function.push(frame.function);
            steps.offset.push(offset);
            steps.depth.push(depth);
            let used = self.trace.header.gas_limit.saturating_sub(left);
            steps.gas.push(used);
            self.pending = true;
        }
        Ok(())
    }

    fn calling(&mut self, run: &mut Interpreter<'_>) {
        // Functions returned without a word.
        if let Some(&lead) = self.leads.get(run.frames.len()).filter(|_| self.waiting) {
            run.lead = lead;
        }
    }

    fn call(&mut self, run: &mut Interpreter<'_>, by_closure: bool, entered: bool) {
        if self.waiting {
            return self.pass(run);
        }
        let after = self.frames.last().and_then(|frame| {
            let steps = frame.lowered.steps.as_ref()?;
            Some(steps.cost_after(frame.offset))
        });
        let cost = after.unwrap_or(0);
        self.outer_cost = self.outer_cost.saturating_add(cost);
        let function = self.push_frame(run, run.fp, cost);
        let steps = self.frames.last().and_then(|f| f.lowered.steps.as_ref());
        // The effects of the call are those of its parameters; a native has others, and no steps.
        self.pending = steps.is_none();
        if self.recording {
            let block = steps.filter(|_| entered).map_or(0, |s| s.cost_from(0));
            let left = run
                .gas
                .saturating_add(block)
                .saturating_add(self.outer_cost);
            let used = self.trace.header.gas_limit.saturating_sub(left);
            self.trace.events.call(function, run.fp, used, by_closure);
        }
    }

    fn stopped(&mut self, run: &mut Interpreter<'_>) {
        if self.waiting {
            return;
        }
        self.returns(run);
        if self.recording {
            self.flush(run);
            // A call that failed may have placed some of its arguments.
            if let Some(frame) = self.frames.last().filter(|_| self.limits.memory) {
                let out = frame.fp.wrapping_add(frame.lowered.frame);
                let end = self.image.stack_start + self.image.stack.len() as u32;
                let (size, writes) = (end.saturating_sub(out), &mut self.trace.writes);
                self.image.diff(run.memory, writes, out, size);
            }
            self.end(run.memory, TraceEnd::Complete);
        }
    }

    fn gave_up(&mut self, _: &Interpreter<'_>) {
        if self.trace.header.end == TraceEnd::Complete {
            self.trace.header.end = TraceEnd::Frames;
        }
    }

    fn finished(&mut self, run: &Interpreter<'_>, output: &CallOutput) {
        if self.waiting || self.trace.header.end != TraceEnd::Complete {
            return;
        }
        if let Outcome::Failed(failure) = &output.outcome {
            let (status, sub) = (failure.status.number(), failure.sub_status.unwrap_or(0));
            let events = &mut self.trace.events;
            events.push(EventKind::Fail, status as u32, sub, None, None);
        }
        let originals = run.globals.originals(run.ctx);
        for (key, write) in &output.writes {
            let before = originals.get(key).copied().flatten();
            let after = match write {
                WriteOp::Create(bytes) | WriteOp::Modify(bytes) => Some(bytes.as_slice()),
                WriteOp::Delete => None,
            };
            let key = self.key(key.to_string());
            let events = &mut self.trace.events;
            events.push(EventKind::Change, key, 0, before, after);
        }
    }
}
