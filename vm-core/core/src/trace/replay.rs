//! The reader: the state at any step of a recording, going either way.

use super::events::TraceEvent;
use super::format::{Checkpoint, FrameRef, TRACE_SCHEMA, TRACE_VERSION, Trace, TracePlace};
use std::ops::Deref;
use thiserror::Error;

/// The frame stack and the heap of a machine are at most this large.
const MAX_REGION_BYTES: usize = 1 << 30;

/// Why a trace cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TraceError {
    /// Another format, or another version of it.
    #[error("expected {TRACE_SCHEMA} version {TRACE_VERSION}, found {0} version {1}")]
    Version(String, u32),
    /// Memory was not recorded.
    #[error("the trace has no checkpoints: memory was not recorded")]
    NoMemory,
    /// A column refers to something that is not there.
    #[error("the trace is inconsistent at step {0}")]
    Inconsistent(usize),
}

/// A state on its way through a trace, which it borrows or shares.
#[derive(Clone, Debug)]
pub struct Replay<T> {
    trace: T,
    step: usize,
    frames: Vec<FrameRef>,
    stack: Vec<u8>,
    heap: Vec<u8>,
}

impl<T: Deref<Target = Trace> + Clone> Replay<T> {
    /// Starts before the first step.
    pub fn new(trace: T) -> Result<Self, TraceError> {
        let header = &trace.header;
        if header.schema != TRACE_SCHEMA || header.version != TRACE_VERSION {
            return Err(TraceError::Version(header.schema.clone(), header.version));
        }
        let shared = trace.clone();
        let first = shared.checkpoints.first().ok_or(TraceError::NoMemory)?;
        let mut this = Self {
            trace,
            step: 0,
            frames: Vec::new(),
            stack: Vec::new(),
            heap: Vec::new(),
        };
        this.load(first);
        Ok(this)
    }

    fn load(&mut self, checkpoint: &Checkpoint) {
        self.step = checkpoint.step as usize;
        self.frames.clone_from(&checkpoint.frames);
        self.stack.clone_from(&checkpoint.stack);
        self.heap.clone_from(&checkpoint.heap);
    }

    /// The step that comes next; the number of steps at the end.
    pub fn step(&self) -> usize {
        self.step
    }

    /// The call stack, the running function last.
    pub fn frames(&self) -> &[FrameRef] {
        &self.frames
    }

    /// The frame stack from its start to the highest byte that was used so far.
    pub fn stack(&self) -> &[u8] {
        &self.stack
    }

    /// The heap from its start to its last object.
    pub fn heap(&self) -> &[u8] {
        &self.heap
    }

    /// Bytes at an address; `None` if they are not all in use.
    pub fn bytes(&self, address: u32, size: u32) -> Option<&[u8]> {
        let header = &self.trace.header;
        let (memory, start) = if address < header.heap_start {
            (&self.stack, header.stack_start)
        } else {
            (&self.heap, header.heap_start)
        };
        let from = address.checked_sub(start)? as usize;
        memory.get(from..from.checked_add(size as usize)?)
    }

    /// The locals of a frame, with their bytes.
    pub fn locals(&self, frame: &FrameRef) -> Vec<(TracePlace, &[u8])> {
        match self.trace.functions.get(frame.function as usize) {
            Some(function) => self.places(frame, &function.locals),
            None => Vec::new(),
        }
    }

    /// The operand stack of a frame, the deepest first. Of a caller: as it was before its call.
    pub fn operands(&self, frame: &FrameRef) -> Vec<(TracePlace, &[u8])> {
        match self.trace.functions.get(frame.function as usize) {
            Some(function) => self.places(frame, function.operands_at(frame.offset)),
            None => Vec::new(),
        }
    }

    fn places(&self, frame: &FrameRef, places: &[TracePlace]) -> Vec<(TracePlace, &[u8])> {
        let bytes = |place: &TracePlace| {
            let at = frame.fp.wrapping_add(place.slot);
            (*place, self.bytes(at, place.size).unwrap_or(&[]))
        };
        places.iter().map(bytes).collect()
    }

    /// Goes over one step; false at the end.
    pub fn forward(&mut self) -> Result<bool, TraceError> {
        let step = self.step;
        if step >= self.trace.len() {
            return Ok(false);
        }
        for write in self.trace.writes_of(step) {
            self.write(write, true)
                .ok_or(TraceError::Inconsistent(step))?;
        }
        // Where the heap ends, if it was collected: what lies behind is zero by now.
        let mut heap_end = None;
        for event in self.trace.events_of(step) {
            match self.trace.events.at(event) {
                Some(TraceEvent::Call { function, fp, .. }) => {
                    self.frames.push(FrameRef {
                        function,
                        offset: 0,
                        fp,
                    });
                    // Its bytes that are not zero were written already.
                    let end = self.frame_end(function, fp);
                    let end = end.ok_or(TraceError::Inconsistent(step))?;
                    self.stack.resize(end.max(self.stack.len()), 0);
                }
                Some(TraceEvent::Return { .. }) => {
                    self.frames.pop();
                }
                Some(TraceEvent::Allocate { address, bytes }) => {
                    let start = self.trace.header.heap_start;
                    let from = address.checked_sub(start);
                    let from = from.ok_or(TraceError::Inconsistent(step))?;
                    let end = from as usize + bytes as usize;
                    if end > MAX_REGION_BYTES {
                        return Err(TraceError::Inconsistent(step));
                    }
                    // Its bytes that are not zero were written already.
                    self.heap.resize(end.max(self.heap.len()), 0);
                    heap_end = heap_end.map(|_| end);
                }
                Some(TraceEvent::Collect { after, .. }) => {
                    let end = self.heap_bytes(after);
                    heap_end = Some(end.ok_or(TraceError::Inconsistent(step))?);
                }
                Some(_) => {}
                None => return Err(TraceError::Inconsistent(step)),
            }
        }
        if let Some(end) = heap_end {
            self.heap.resize(end, 0);
        }
        self.step += 1;
        self.enter(self.step);
        Ok(true)
    }

    /// Bytes of the heap up to an address.
    fn heap_bytes(&self, end: u32) -> Option<usize> {
        let bytes = end.checked_sub(self.trace.header.heap_start)? as usize;
        Some(bytes).filter(|&bytes| bytes <= MAX_REGION_BYTES)
    }

    /// Bytes of the frame stack up to the end of a frame.
    fn frame_end(&self, function: u32, fp: u32) -> Option<usize> {
        let start = fp.checked_sub(self.trace.header.stack_start)? as usize;
        let function = self.trace.functions.get(function as usize)?;
        Some(start + function.frame as usize).filter(|&end| end <= MAX_REGION_BYTES)
    }

    /// Goes back over one step; false at the start.
    pub fn back(&mut self) -> Result<bool, TraceError> {
        let Some(step) = self.step.checked_sub(1) else {
            return Ok(false);
        };
        let inconsistent = TraceError::Inconsistent(step);
        for write in self.trace.writes_of(step).rev() {
            self.write(write, false)
                .ok_or_else(|| inconsistent.clone())?;
        }
        let is_collection =
            |&at: &usize| matches!(self.trace.events.at(at), Some(TraceEvent::Collect { .. }));
        let collection = self.trace.events_of(step).find(is_collection);
        for event in self.trace.events_of(step).rev() {
            match self.trace.events.at(event) {
                Some(TraceEvent::Call { .. }) => {
                    self.frames.pop();
                }
                Some(TraceEvent::Return {
                    function,
                    fp,
                    caller_offset,
                }) => {
                    if let Some(caller) = self.frames.last_mut() {
                        caller.offset = caller_offset;
                    }
                    self.frames.push(FrameRef {
                        function,
                        offset: 0,
                        fp,
                    });
                }
                // What came after a collection goes with it.
                Some(TraceEvent::Allocate { .. }) if collection.is_some_and(|at| at < event) => {}
                Some(TraceEvent::Allocate { address, .. }) => {
                    let used = address.checked_sub(self.trace.header.heap_start);
                    let used = used.ok_or_else(|| inconsistent.clone())?;
                    self.heap.truncate(used as usize);
                }
                Some(TraceEvent::Collect { before, .. }) => {
                    let end = self.heap_bytes(before);
                    // What was there was written already.
                    self.heap
                        .resize(end.ok_or_else(|| inconsistent.clone())?, 0);
                }
                Some(_) => {}
                None => return Err(inconsistent),
            }
        }
        self.step = step;
        self.enter(step);
        Ok(true)
    }

    /// Goes to a step, from the nearest checkpoint before it or from where the reader is.
    pub fn seek(&mut self, step: usize) -> Result<(), TraceError> {
        let trace = self.trace.clone();
        let checkpoints = &trace.checkpoints;
        let after = checkpoints.partition_point(|c| c.step as usize <= step);
        if let Some(checkpoint) = after.checked_sub(1).and_then(|at| checkpoints.get(at)) {
            let from = step.saturating_sub(checkpoint.step as usize);
            if self.step.abs_diff(step) > from {
                self.load(checkpoint);
            }
        }
        while self.step < step && self.forward()? {}
        while self.step > step && self.back()? {}
        Ok(())
    }

    /// The running function is at the instruction of `step`.
    fn enter(&mut self, step: usize) {
        if let (Some(frame), Some(&offset)) =
            (self.frames.last_mut(), self.trace.steps.offset.get(step))
        {
            frame.offset = offset;
        }
    }

    /// Puts the bytes of a write in place, those after the step or those before it.
    fn write(&mut self, at: usize, forward: bool) -> Option<()> {
        let writes = &self.trace.writes;
        let start = match at.checked_sub(1) {
            Some(previous) => *writes.data_end.get(previous)? as usize,
            None => 0,
        };
        let range = start..*writes.data_end.get(at)? as usize;
        let bytes = if forward { &writes.new } else { &writes.old }.get(range)?;
        let (address, header) = (*writes.address.get(at)?, &self.trace.header);
        let (memory, start) = if address < header.heap_start {
            (&mut self.stack, header.stack_start)
        } else {
            (&mut self.heap, header.heap_start)
        };
        let from = address.checked_sub(start)? as usize;
        let end = from + bytes.len();
        if end > MAX_REGION_BYTES {
            return None;
        }
        if memory.len() < end {
            memory.resize(end, 0);
        }
        memory[from..end].copy_from_slice(bytes);
        Some(())
    }
}
