//! Traced execution: what a tracer is told, the recording it makes, and how a recording is read back.
//!
//! The interpreter is generic over [`Tracer`]. [`NoTracer`] compiles away; [`record::Recorder`] makes a [`Trace`], whose format is
//! described in `TRACE.md` beside this crate's manifest.

mod digest;
mod events;
mod format;
mod functions;
mod image;
mod inspect;
mod profile;
pub(crate) mod record;
mod replay;

pub use events::{EventKind, TraceEvent};
pub use format::{
    Checkpoint, EventColumns, FrameRef, StepColumns, TRACE_SCHEMA, TRACE_VERSION, Trace, TraceEnd,
    TraceFunction, TraceHeader, TraceLimits, TracePlace, WriteColumns,
};
pub use inspect::{HeapObject, Inspector, Part, TypeShape};
pub use profile::{Profile, ProfileFrame};
pub use replay::{Replay, TraceError};

use crate::CallOutput;
use crate::interp::Interpreter;
use crate::stop::Run;

/// Watches the interpreter. It may read everything, and change nothing that a result depends on.
pub(crate) trait Tracer {
    /// Whether the traced form of functions runs, and the other methods are called.
    const ACTIVE: bool;

    /// The first frame is in place; nothing was executed yet.
    fn begin(&mut self, run: &mut Interpreter<'_>);

    /// The instruction at `offset` of the running function begins; the rest of its block is paid for. Functions may have returned since
    /// the step before. [`Stop::Enough`](crate::stop::Stop::Enough) ends the run. Not told of as many steps as
    /// [`Interpreter::skip`] says.
    fn step(&mut self, run: &mut Interpreter<'_>, offset: u16) -> Run<()>;

    /// The running function is about to call another.
    fn calling(&mut self, run: &mut Interpreter<'_>);

    /// The running function was called and has its parameters; its first block is paid for if it was `entered`.
    fn call(&mut self, run: &mut Interpreter<'_>, by_closure: bool, entered: bool);

    /// Execution ended. Frames and memory are as they were then.
    fn stopped(&mut self, run: &mut Interpreter<'_>);

    /// The traced form could not go on: the run is done again without it.
    fn gave_up(&mut self, run: &Interpreter<'_>);

    /// What came of it all.
    fn finished(&mut self, run: &Interpreter<'_>, output: &CallOutput);
}

/// Watches nothing.
pub(crate) struct NoTracer;

impl Tracer for NoTracer {
    const ACTIVE: bool = false;

    #[inline(always)]
    fn begin(&mut self, _: &mut Interpreter<'_>) {}
    #[inline(always)]
    fn step(&mut self, _: &mut Interpreter<'_>, _: u16) -> Run<()> {
        Ok(())
    }
    #[inline(always)]
    fn calling(&mut self, _: &mut Interpreter<'_>) {}
    #[inline(always)]
    fn call(&mut self, _: &mut Interpreter<'_>, _: bool, _: bool) {}
    #[inline(always)]
    fn stopped(&mut self, _: &mut Interpreter<'_>) {}
    #[inline(always)]
    fn gave_up(&mut self, _: &Interpreter<'_>) {}
    #[inline(always)]
    fn finished(&mut self, _: &Interpreter<'_>, _: &CallOutput) {}
}
