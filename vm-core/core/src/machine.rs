//! The machine: one execution context, one transaction at a time.

use crate::cached::ValueCache;
use crate::context::{Context, ContextStats, inspect};
use crate::gas::GasSchedule;
use crate::globals::Globals;
use crate::interp::{Effects, Exit, Frame, Interpreter};
use crate::invoke::{Invocation, invoke, no_function, type_arguments};
use crate::lower::Source;
use crate::lower::code::Code;
use crate::lower::listing::{Stage, listing};
use crate::memory::Memory;
use crate::memory::code::CodeRef;
use crate::paranoid::Shadow;
use crate::phase::{ExecutionGuard, MaintenanceGuard};
use crate::stop::{Fail, Run, Stop};
use crate::trace::record::Recorder;
use crate::trace::{NoTracer, Trace, TraceLimits, Tracer};
use crate::{
    Call, CallOutput, Failure, Fees, HeapStats, Location, MachineConfig, MachineStats, Outcome,
    StateView, TypeLayout,
};
use monomove_types::{Identifier, ModuleId, StatusCode, TypeTag};
use std::rc::Rc;

/// Times that a transaction is started anew because cached code was not what the state holds. A view that changes under a
/// running transaction breaks its contract; this bounds what it can cause.
pub(crate) const MAX_RESTARTS: u32 = 3;

/// A Move machine: the code context that outlives transactions, and the memory of one transaction.
#[derive(Debug)]
pub struct Machine {
    config: MachineConfig,
    pub(crate) schedule: GasSchedule,
    pub(crate) ctx: Context,
    pub(crate) code: Code,
    /// Counts resets of the context: ids of another epoch are stale.
    pub(crate) epoch: u32,
    pub(crate) memory: Memory,
    globals: Globals,
    /// Values of the state, decoded.
    pub(crate) values: ValueCache,
    frames: Vec<Frame>,
    transaction: u32,
    /// Instructions that the last transaction began: the steps of a recording of it.
    steps: u64,
}

impl Machine {
    /// A machine with an empty context.
    pub fn new(config: MachineConfig) -> Self {
        Self {
            schedule: GasSchedule::with_entries(
                config
                    .gas_schedule
                    .iter()
                    .map(|(key, value)| (key.as_str(), *value)),
            ),
            ctx: Context::new(&config),
            code: Code::default(),
            epoch: 0,
            memory: Memory::new(
                config.stack_bytes,
                config.heap_bytes,
                &config.heap_steps,
                config.gc_stress,
            ),
            globals: Globals::new(config.hash_seed),
            values: ValueCache::new(config.hash_seed, config.value_cache_bytes.into()),
            frames: Vec::with_capacity(config.call_depth as usize + 2),
            transaction: 0,
            steps: 0,
            config,
        }
    }

    /// The bounds of this machine.
    pub fn config(&self) -> &MachineConfig {
        &self.config
    }

    /// Begins an execution phase.
    pub fn execution(&mut self) -> ExecutionGuard<'_> {
        ExecutionGuard { machine: self }
    }

    /// Begins maintenance.
    pub fn maintenance(&mut self) -> MaintenanceGuard<'_> {
        MaintenanceGuard { machine: self }
    }

    /// Sizes and hits of the tables of the context.
    pub fn stats(&self) -> ContextStats {
        self.code.stats(self.ctx.stats())
    }

    /// All figures of the machine.
    pub fn figures(&self) -> MachineStats {
        let heap = self.memory.figures();
        MachineStats {
            context: self.stats(),
            heap: HeapStats {
                allocated: heap.allocated,
                collections: heap.collections,
                copied: heap.copied,
                live: heap.live.into(),
                peak: heap.peak.into(),
                highest: heap.highest.into(),
                size: heap.size.into(),
                limit: self.memory.heap_limit().into(),
            },
            values: self.values.stats(),
        }
    }

    /// Drops everything derived from code.
    pub(crate) fn reset_context(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        let verified = self.ctx.verified.take();
        self.ctx = Context::new(&self.config);
        self.ctx.verified = verified;
        self.code = Code::default();
        self.values.clear();
    }

    /// Runs one call against `view`.
    pub fn call(&mut self, call: &Call, view: &mut dyn StateView) -> CallOutput {
        for _ in 0..MAX_RESTARTS {
            match self.attempt(call, view, &mut NoTracer) {
                Ok(output) => return output,
                Err(_) => self.reset_context(),
            }
        }
        failed(failure(&self.ctx, unstable(), None), 0, 0, 0)
    }

    /// Runs one call as [`call`](Self::call) does, to the same output, and records it.
    pub fn trace(
        &mut self,
        call: &Call,
        view: &mut dyn StateView,
        limits: &TraceLimits,
    ) -> (CallOutput, Trace) {
        for _ in 0..MAX_RESTARTS {
            let mut recorder = Recorder::new(*limits, call.gas_limit);
            match self.attempt(call, view, &mut recorder) {
                Ok(output) => {
                    let trace = recorder.into_trace(&output);
                    return (output, trace);
                }
                Err(NoOutput::Stale) => self.reset_context(),
                Err(NoOutput::Untraceable | NoOutput::Enough) => {
                    let output = self.call(call, view);
                    let trace = recorder.into_trace(&output);
                    return (output, trace);
                }
            }
        }
        let output = failed(failure(&self.ctx, unstable(), None), 0, 0, 0);
        let trace = Recorder::new(*limits, call.gas_limit).into_trace(&output);
        (output, trace)
    }

    /// Runs one call as [`call`](Self::call) does, and says how many steps a recording of it has. With this, [`trace_part`](Self::trace_part)
    /// can show any part of it: what is recorded is the input.
    pub fn call_counting_steps(
        &mut self,
        call: &Call,
        view: &mut dyn StateView,
    ) -> (CallOutput, u64) {
        let output = self.call(call, view);
        (output, self.steps)
    }

    /// Runs one call again and records the part from step `first` on, to the bounds of `limits`, where the run is given up. Step 0 of the
    /// recording is step `first` of the run; its functions are all those that the run has called by then, in the order of their first calls.
    /// It is empty if there is no such step.
    pub fn trace_part(
        &mut self,
        call: &Call,
        view: &mut dyn StateView,
        first: u64,
        limits: &TraceLimits,
    ) -> Trace {
        for _ in 0..MAX_RESTARTS {
            let mut recorder = Recorder::after(first, *limits, call.gas_limit);
            match self.attempt(call, view, &mut recorder) {
                Ok(output) => return recorder.into_trace(&output),
                Err(NoOutput::Stale) => self.reset_context(),
                Err(NoOutput::Untraceable | NoOutput::Enough) => return recorder.into_part(),
            }
        }
        Recorder::new(*limits, call.gas_limit).into_part()
    }

    /// A function of `module` in view as text, at a stage of its lowering. Type arguments matter for micro-ops only.
    ///
    /// Nothing is executed; what is lowered passes the checker.
    #[allow(
        clippy::result_large_err,
        reason = "a listing is made for people, one at a time"
    )]
    pub fn listing(
        &mut self,
        module: &ModuleId,
        function: &Identifier,
        ty_args: &[TypeTag],
        stage: Stage,
        view: &mut dyn StateView,
    ) -> Result<String, Failure> {
        for _ in 0..MAX_RESTARTS {
            self.next_transaction();
            match self.list(module, function, ty_args, stage, view) {
                Ok(text) => return Ok(text),
                Err(Stop::Fail(fail)) => return Err(failure(&self.ctx, *fail, None)),
                Err(Stop::Stale | Stop::Untraceable | Stop::Enough) => self.reset_context(),
            }
        }
        Err(failure(&self.ctx, unstable(), None))
    }

    /// How values of a type lie in memory, or with `reference` (`true`: mutable) how a reference to one does; then the types of what lies
    /// behind pointers in it.
    #[allow(
        clippy::result_large_err,
        reason = "layouts are shown to people, one at a time"
    )]
    pub fn layouts(
        &mut self,
        ty: &TypeTag,
        reference: Option<bool>,
        view: &mut dyn StateView,
    ) -> Result<Vec<TypeLayout>, Failure> {
        for _ in 0..MAX_RESTARTS {
            self.next_transaction();
            let found = self.ctx.type_of_tag(view, ty).and_then(|id| {
                let id = match reference {
                    Some(mutable) => id.reference(mutable).unwrap_or(id),
                    None => id,
                };
                inspect::layouts(&mut self.ctx, view, id)
            });
            match found {
                Ok(layouts) => return Ok(layouts),
                Err(Stop::Fail(fail)) => return Err(failure(&self.ctx, *fail, None)),
                Err(Stop::Stale | Stop::Untraceable | Stop::Enough) => self.reset_context(),
            }
        }
        Err(failure(&self.ctx, unstable(), None))
    }

    fn list(
        &mut self,
        module: &ModuleId,
        function: &Identifier,
        ty_args: &[TypeTag],
        stage: Stage,
        view: &mut dyn StateView,
    ) -> Run<String> {
        let ctx = &mut self.ctx;
        let id = ctx.module_ref(module)?;
        let module = ctx.module(view, id)?;
        let name = ctx.types.name(function.as_str())?;
        let index = module
            .function_index(name)
            .ok_or_else(|| no_function(function))?;
        let (_, handle) = module.function(index);
        let ty_args = match stage {
            Stage::Stackless => Vec::new(),
            Stage::MicroOps => {
                type_arguments(ctx, view, ty_args, &module, &handle.type_parameters)?
            }
        };
        let source = Source {
            ctx,
            view,
            code: &mut self.code,
            gas: &self.schedule,
        };
        listing(source, &module, index, &ty_args, stage)
    }

    /// Transaction numbers mark what was checked; 0 means never, so a wrap drops all marks.
    pub(crate) fn next_transaction(&mut self) {
        self.transaction = self.transaction.checked_add(1).unwrap_or_else(|| {
            self.reset_context();
            1
        });
        self.ctx.transaction = self.transaction;
    }

    /// A new transaction with nothing in memory.
    pub(crate) fn begin_transaction(&mut self) {
        self.next_transaction();
        self.begin_session();
    }

    /// Forgets the values of the last session.
    pub(crate) fn begin_session(&mut self) {
        self.memory.reset();
        self.globals.clear();
        self.frames.clear();
    }

    /// The machine at the beginning of a session on `view`, without gas.
    pub(crate) fn interpreter<'a>(
        &'a mut self,
        view: &'a mut dyn StateView,
        txn_hash: [u8; 32],
    ) -> Interpreter<'a> {
        let stack_end = self.memory.stack_end();
        Interpreter {
            ctx: &mut self.ctx,
            view,
            code: &mut self.code,
            memory: &mut self.memory,
            globals: &mut self.globals,
            values: &mut self.values,
            frames: &mut self.frames,
            schedule: &self.schedule,
            txn_hash,
            effects: Effects::default(),
            transaction: self.transaction,
            gas: 0,
            gas_reserve: 0,
            io: None,
            dependencies: (0, 0),
            other_gas: 0,
            instructions: 0,
            call_depth: self.config.call_depth as usize,
            operand_limit: self.config.operand_stack,
            stack_end,
            stack_limit: stack_end,
            traced: false,
            pc: CodeRef::NONE.at(0),
            fp: 0,
            fast_stamp: self.transaction,
            locks: 0,
            closure_frames: 0,
            instance: crate::context::ids::InstanceId(0),
            height: 0,
            lead: 0,
            skip: 0,
            copy_loc_per_unit: self.schedule.copy_loc_per_abs_val_unit,
            exit: Exit::Slow,
            running: false,
            arguments: Vec::new(),
            stopped_at: None,
            rules: Vec::new(),
            shadow: Shadow::default(),
        }
    }

    /// One attempt at a call, watched by `tracer`.
    fn attempt<T: Tracer>(
        &mut self,
        call: &Call,
        view: &mut dyn StateView,
        tracer: &mut T,
    ) -> Result<CallOutput, NoOutput> {
        self.begin_transaction();
        if T::ACTIVE {
            self.memory.clean();
        }
        let mut run = self.interpreter(view, call.txn_hash);
        run.gas = call.gas_limit;
        let result = invoke(&mut run, &Invocation::from(call), tracer);
        tracer.stopped(&mut run);
        let result = result.and_then(|finished| {
            let writes = run.globals.changes(run.ctx, run.memory)?;
            run.share_written(&writes)?;
            Ok((finished, writes))
        });
        let (gas_used, other) = (call.gas_limit - run.gas, run.other_gas);
        let effects = std::mem::take(&mut run.effects);
        let mut steps = run.instructions;
        let output = match result {
            Ok((finished, writes)) => CallOutput {
                outcome: Outcome::Returned {
                    values: finished.values,
                    mut_args: finished.mut_args,
                },
                gas_used,
                instruction_gas: gas_used - other,
                instructions: run.instructions,
                fees: Fees::default(),
                writes,
                events: effects.events,
                new_tables: effects.new_tables,
                removed_tables: effects.removed_tables,
                publish_request: effects.publish_request,
            },
            Err(Stop::Stale) => return Err(NoOutput::Stale),
            Err(Stop::Enough) => {
                self.steps = steps;
                return Err(NoOutput::Enough);
            }
            Err(Stop::Untraceable) => {
                tracer.gave_up(&run);
                return Err(NoOutput::Untraceable);
            }
            Err(Stop::Fail(fail)) => {
                let unwound = run.unwind(fail.uncharged);
                let instructions = run.instructions.saturating_sub(unwound.instructions);
                // An instruction that was not charged did begin.
                steps = instructions + u64::from(fail.uncharged && unwound.at.is_some());
                let refunded = gas_used.saturating_sub(unwound.gas);
                let used = if fail.status == StatusCode::OUT_OF_GAS {
                    call.gas_limit
                } else {
                    refunded
                };
                let instruction_gas = refunded.saturating_sub(other);
                failed(
                    failure(run.ctx, *fail, unwound.at),
                    used,
                    instruction_gas,
                    instructions,
                )
            }
        };
        tracer.finished(&run, &output);
        self.steps = steps;
        Ok(output)
    }
}

/// Why an attempt came to nothing.
enum NoOutput {
    /// Cached code was not what the state holds.
    Stale,
    /// [`Stop::Untraceable`].
    Untraceable,
    /// [`Stop::Enough`].
    Enough,
}

/// A failure outside of any code.
pub(crate) fn stop_to_failure(ctx: &Context, stop: Stop) -> Failure {
    match stop {
        Stop::Fail(fail) => failure(ctx, *fail, None),
        Stop::Stale | Stop::Untraceable | Stop::Enough => failure(ctx, unstable(), None),
    }
}

pub(crate) fn unstable() -> Fail {
    Fail {
        status: StatusCode::STORAGE_ERROR,
        sub_status: None,
        message: Some("the code in the state view changes while the transaction runs".into()),
        module: None,
        uncharged: false,
    }
}

pub(crate) fn failed(
    failure: Failure,
    gas_used: u64,
    instruction_gas: u64,
    instructions: u64,
) -> CallOutput {
    CallOutput {
        outcome: Outcome::Failed(failure),
        gas_used,
        instruction_gas,
        instructions,
        fees: Fees::default(),
        writes: Vec::new(),
        events: Vec::new(),
        new_tables: Vec::new(),
        removed_tables: Vec::new(),
        publish_request: None,
    }
}

/// The failure as the outside sees it. A verification status that surfaces inside code is a verification error.
pub(crate) fn failure(
    ctx: &Context,
    fail: Fail,
    at: Option<(Rc<crate::lower::code::Lowered>, u16)>,
) -> Failure {
    let module = fail
        .module
        .or(at.as_ref().map(|(function, _)| function.module));
    let location = match module {
        Some(module) if ctx.is_script(module) => Location::Script,
        Some(module) => ctx
            .module_id(module)
            .map_or(Location::Undefined, Location::Module),
        None => Location::Undefined,
    };
    let surfaced = at.is_some() && (1000..2000).contains(&fail.status.number());
    let status = if surfaced {
        StatusCode::VERIFICATION_ERROR
    } else {
        fail.status
    };
    Failure {
        status,
        sub_status: fail.sub_status,
        message: fail.message,
        location,
        function: at
            .as_ref()
            .and_then(|(f, _)| Identifier::new(ctx.types.name_text(f.name)).ok()),
        function_index: at.as_ref().map(|(f, _)| f.function_index),
        offset: at.map(|(_, offset)| offset),
    }
}
