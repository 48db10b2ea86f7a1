//! The corpus runner's machine: a sandbox (or the native core) with a state in memory.
//!
//! The tests of the workspace package `monomove-tests` include this file too.

use monomove::{
    Call, CallOutput, Checkpoint, Engine, Fees, MemoryState, Outcome, Replay, Sandbox, StateCommit,
    StateKey, StateView, Trace, TraceEnd, TraceLimits, TransactionOutcome, WriteOp,
};
use monomove_tests::{Executed, Executor, ModuleBinary};

/// A sandbox with a state in memory.
pub(crate) struct SandboxExecutor {
    sandbox: Sandbox,
    loaded: MemoryState,
    state: MemoryState,
    /// Every call is also traced, and must come to the same.
    trace: Option<TraceLimits>,
    /// The recording of the last call.
    pub(crate) recorded: Option<Trace>,
}

impl SandboxExecutor {
    /// A sandbox of `engine`, no modules loaded.
    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            sandbox: Sandbox::new(engine),
            loaded: MemoryState::new(),
            state: MemoryState::new(),
            trace: None,
            recorded: None,
        }
    }

    /// Traces every call as well.
    #[allow(
        dead_code,
        reason = "some of the tests that include this file never trace"
    )]
    pub(crate) fn traced(mut self, limits: TraceLimits) -> Self {
        self.trace = Some(limits);
        self
    }

    /// Traces a call that gave `outcome`, and reads the recording.
    fn check_trace(
        &mut self,
        call: &Call,
        outcome: &TransactionOutcome,
        limits: &TraceLimits,
    ) -> Result<(), String> {
        let traced = self.sandbox.trace(call, &self.state, limits);
        let (traced, trace) = traced.map_err(|error| error.to_string())?;
        if traced != *outcome {
            return Err(format!("traced: {traced:?}, untraced: {outcome:?}"));
        }
        if let (Some(trace), TransactionOutcome::Kept(output)) = (&trace, outcome) {
            check(trace, output)?;
        }
        self.recorded = trace;
        Ok(())
    }
}

impl Executor for SandboxExecutor {
    fn load(&mut self, modules: &[ModuleBinary]) -> Result<(), String> {
        self.loaded = MemoryState::new();
        for module in modules {
            let inserted = self.loaded.insert_module(module.bytes.as_slice());
            inserted.map_err(|error| format!("{}: {error}", module.path.display()))?;
        }
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.state = self.loaded.clone();
    }

    fn execute(&mut self, call: &Call) -> Executed {
        let outcome = self.sandbox.execute(call, &self.state);
        if let (Ok(outcome), Some(limits)) = (&outcome, self.trace)
            && let Err(error) = self.check_trace(call, outcome, &limits)
        {
            return Executed::Fault(error);
        }
        match outcome {
            Ok(TransactionOutcome::Kept(output)) => Executed::Output(Box::new(output)),
            Ok(TransactionOutcome::Discarded(failure)) => Executed::Output(Box::new(CallOutput {
                outcome: Outcome::Failed(failure),
                gas_used: 0,
                instruction_gas: 0,
                instructions: 0,
                fees: Fees::default(),
                writes: Vec::new(),
                events: Vec::new(),
                new_tables: Vec::new(),
                removed_tables: Vec::new(),
                publish_request: None,
            })),
            Ok(TransactionOutcome::SandboxFault(fault)) => Executed::Fault(fault.to_string()),
            Err(error) => Executed::Fault(error.to_string()),
        }
    }

    fn commit(&mut self, writes: &[(StateKey, WriteOp)]) -> Result<(), String> {
        self.state.commit(writes).map_err(|error| error.to_string())
    }

    fn value(&self, key: &StateKey) -> Option<Vec<u8>> {
        self.state
            .get(key)
            .ok()
            .flatten()
            .map(|bytes| bytes.to_vec())
    }
}

/// Whether a recording agrees with the output and with itself: its steps are the instructions, its gas adds up, and going from one
/// checkpoint to the next, either way, gives the same state.
fn check(trace: &Trace, output: &CallOutput) -> Result<(), String> {
    let complete = trace.header.end == TraceEnd::Complete;
    let (steps, executed) = (trace.len() as u64, output.instructions);
    // The instruction that failed may not count.
    if complete && steps != executed && steps != executed + 1 {
        return Err(format!("{steps} steps for {executed} instructions"));
    }
    let gas = &trace.steps.gas;
    if !gas.is_sorted() || gas.last().is_some_and(|&last| last > output.gas_used) {
        return Err("the gas of the trace does not add up".into());
    }
    let [first, ..] = trace.checkpoints.as_slice() else {
        return Ok(());
    };
    let mut replay = Replay::new(trace).map_err(|error| error.to_string())?;
    for checkpoint in &trace.checkpoints {
        while replay.step() < checkpoint.step as usize {
            replay.forward().map_err(|error| error.to_string())?;
        }
        agrees(&replay, checkpoint)?;
    }
    while replay.step() > 0 {
        replay.back().map_err(|error| error.to_string())?;
    }
    agrees(&replay, first)
}

fn agrees(replay: &Replay<&Trace>, checkpoint: &Checkpoint) -> Result<(), String> {
    let at = checkpoint.step;
    // Bytes of the frame stack that were never used are zero.
    let (ours, theirs) = (replay.stack(), checkpoint.stack.as_slice());
    let byte = |stack: &[u8], n: usize| stack.get(n).copied().unwrap_or(0);
    let used = ours.len().max(theirs.len());
    if let Some(n) = (0..used).find(|&n| byte(ours, n) != byte(theirs, n)) {
        return Err(format!("step {at}: stack byte {n} differs"));
    }
    if replay.heap().len() != checkpoint.heap.len() {
        return Err(format!("step {at}: the heap has another size"));
    }
    if let Some(n) = (0..checkpoint.heap.len()).find(|&n| replay.heap()[n] != checkpoint.heap[n]) {
        return Err(format!("step {at}: heap byte {n} differs"));
    }
    if replay.frames() != checkpoint.frames {
        return Err(format!("step {at}: the frames differ"));
    }
    Ok(())
}
