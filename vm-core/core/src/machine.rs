//! The machine: one execution context, one transaction at a time.

use crate::cached::ValueCache;
use crate::context::ids::TypeId;
use crate::context::module::Module;
use crate::context::{Context, ContextStats, inspect};
use crate::gas::GasSchedule;
use crate::globals::Globals;
use crate::interp::{Effects, Exit, Frame, Interpreter};
use crate::lower::Source;
use crate::lower::code::{Code, TargetKey};
use crate::lower::listing::{Stage, listing};
use crate::lower::mono::Shape;
use crate::memory::code::CodeRef;
use crate::memory::{Addr, Memory, object_cost};
use crate::paranoid::Shadow;
use crate::phase::{ExecutionGuard, MaintenanceGuard};
use crate::stop::{Fail, Run, Stop};
use crate::trace::record::Recorder;
use crate::trace::{NoTracer, Trace, TraceLimits, Tracer};
use crate::value::bcs;
use crate::value::decode::DecodeError;
use crate::{
    Access, Call, CallOutput, Failure, HeapStats, Location, MachineConfig, MachineStats, Outcome,
    StateView, TypeLayout, TypedValue,
};
use monomove_types::{Identifier, ModuleId, StatusCode, TypeTag};
use std::rc::Rc;

/// Times that a transaction is started anew because cached code was not what the state holds. A view that changes under a
/// running transaction breaks its contract; this bounds what it can cause.
const MAX_RESTARTS: u32 = 3;

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

/// What a call that returned leaves in the frame.
struct Finished {
    values: Vec<TypedValue>,
    mut_args: Vec<(u16, TypedValue)>,
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

    /// One attempt at a call, watched by `tracer`.
    fn attempt<T: Tracer>(
        &mut self,
        call: &Call,
        view: &mut dyn StateView,
        tracer: &mut T,
    ) -> Result<CallOutput, NoOutput> {
        self.next_transaction();
        self.memory.reset();
        if T::ACTIVE {
            self.memory.clean();
        }
        self.globals.clear();
        self.frames.clear();
        let stack_end = self.memory.stack_end();
        let mut run = Interpreter {
            ctx: &mut self.ctx,
            view,
            code: &mut self.code,
            memory: &mut self.memory,
            globals: &mut self.globals,
            values: &mut self.values,
            frames: &mut self.frames,
            schedule: &self.schedule,
            txn_hash: call.txn_hash,
            effects: Effects::default(),
            transaction: self.transaction,
            gas: call.gas_limit,
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
        };
        let result = run_call(&mut run, call, tracer);
        tracer.stopped(&mut run);
        let result =
            result.and_then(|finished| Ok((finished, run.globals.changes(run.ctx, run.memory)?)));
        let (gas_used, other) = (call.gas_limit - run.gas, run.other_gas);
        let effects = std::mem::take(&mut run.effects);
        self.steps = run.instructions;
        let output = match result {
            Ok((finished, writes)) => CallOutput {
                outcome: Outcome::Returned {
                    values: finished.values,
                    mut_args: finished.mut_args,
                },
                gas_used,
                instruction_gas: gas_used - other,
                instructions: run.instructions,
                writes,
                events: effects.events,
                new_tables: effects.new_tables,
                removed_tables: effects.removed_tables,
                publish_request: effects.publish_request,
            },
            Err(Stop::Stale) => return Err(NoOutput::Stale),
            Err(Stop::Enough) => return Err(NoOutput::Enough),
            Err(Stop::Untraceable) => {
                tracer.gave_up(&run);
                return Err(NoOutput::Untraceable);
            }
            Err(Stop::Fail(fail)) => {
                let unwound = run.unwind(fail.uncharged);
                let instructions = run.instructions.saturating_sub(unwound.instructions);
                // An instruction that was not charged did begin.
                self.steps = instructions + u64::from(fail.uncharged && unwound.at.is_some());
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

fn unstable() -> Fail {
    Fail {
        status: StatusCode::STORAGE_ERROR,
        sub_status: None,
        message: Some("the code in the state view changes while the transaction runs".into()),
        module: None,
        uncharged: false,
    }
}

fn no_function(name: &Identifier) -> Stop {
    Stop::with_message(
        StatusCode::FUNCTION_RESOLUTION_FAILURE,
        format!("no function {}", name.as_str()),
    )
}

fn failed(failure: Failure, gas_used: u64, instruction_gas: u64, instructions: u64) -> CallOutput {
    CallOutput {
        outcome: Outcome::Failed(failure),
        gas_used,
        instruction_gas,
        instructions,
        writes: Vec::new(),
        events: Vec::new(),
        new_tables: Vec::new(),
        removed_tables: Vec::new(),
        publish_request: None,
    }
}

/// The failure as the outside sees it. A verification status that surfaces inside code is a verification error.
fn failure(
    ctx: &Context,
    fail: Fail,
    at: Option<(Rc<crate::lower::code::Lowered>, u16)>,
) -> Failure {
    let module = fail
        .module
        .or(at.as_ref().map(|(function, _)| function.module));
    let location = module
        .and_then(|m| ctx.module_id(m).ok())
        .map_or(Location::Undefined, Location::Module);
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

/// Checks the call, places its arguments, runs it, and reads what it returned.
fn run_call<T: Tracer>(run: &mut Interpreter<'_>, call: &Call, tracer: &mut T) -> Run<Finished> {
    let id = run.ctx.module_ref(&call.module)?;
    let module = run.ctx.module(run.view, id)?;
    let name = run.ctx.types.name(call.function.as_str())?;
    let index = module
        .function_index(name)
        .ok_or_else(|| no_function(&call.function))?;
    let (def, handle) = module.function(index);
    if call.access == Access::Entry && !def.is_entry {
        return Err(Stop::with_message(
            StatusCode::EXECUTE_ENTRY_FUNCTION_CALLED_ON_NON_ENTRY_FUNCTION,
            format!("{} is not an entry function", call.function.as_str()),
        ));
    }
    let ty_args = type_arguments(
        run.ctx,
        run.view,
        &call.ty_args,
        &module,
        &handle.type_parameters,
    )?;
    let params = run.ctx.signature(&module, handle.parameters, &ty_args)?;
    let results = run.ctx.signature(&module, handle.return_, &ty_args)?;
    let types = &mut run.ctx.types;
    let key = TargetKey {
        module: id,
        name,
        ty_args: types.list_id(&ty_args)?,
        params: types.list_id(&params)?,
        results: types.list_id(&results)?,
        caller: None,
    };
    let shape = Shape::new(run.ctx, run.view, &params, &results)?;
    let fp = run.memory.stack_start();
    if shape.bytes > run.stack_end - fp {
        return Err(Stop::status(StatusCode::CALL_STACK_OVERFLOW));
    }
    place_arguments(run, call, &params, &shape, fp)?;
    let entry = run.code.target(key)?;
    run.run(entry, tracer)?;
    let values = results
        .iter()
        .zip(&shape.results)
        .map(|(&ty, slot)| read_value(run, ty, fp + slot))
        .collect::<Run<_>>()?;
    let mut mut_args = Vec::new();
    let mut homes = std::mem::take(&mut run.arguments).into_iter();
    for (n, &ty) in (0..).zip(params.iter()).filter(|(_, ty)| ty.is_reference()) {
        if let Some((home, _)) = homes.next()
            && ty.is_mutable_reference()
        {
            mut_args.push((n, typed(run, ty.referent(), home)?));
        }
    }
    Ok(Finished { values, mut_args })
}

pub(crate) fn type_arguments(
    ctx: &mut Context,
    view: &mut dyn StateView,
    tags: &[TypeTag],
    module: &Module,
    constraints: &[monomove_types::AbilitySet],
) -> Run<Vec<TypeId>> {
    let ty_args = tags
        .iter()
        .map(|tag| ctx.type_of_tag(view, tag))
        .collect::<Run<Vec<_>>>()?;
    if ty_args.len() != constraints.len() {
        let stop = Stop::with_message(
            StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH,
            format!(
                "the function takes {} type arguments, {} given",
                constraints.len(),
                ty_args.len()
            ),
        );
        return Err(stop.in_module(module.id));
    }
    for (&ty, constraint) in ty_args.iter().zip(constraints) {
        if !constraint.is_subset(ctx.abilities(view, ty)?) {
            return Err(Stop::status(StatusCode::CONSTRAINT_NOT_SATISFIED).in_module(module.id));
        }
    }
    Ok(ty_args)
}

/// Puts the arguments into the parameters of the first frame. A reference parameter refers to an object of its own.
fn place_arguments(
    run: &mut Interpreter<'_>,
    call: &Call,
    params: &[TypeId],
    shape: &Shape,
    fp: Addr,
) -> Run<()> {
    let signers = call.signers.len();
    let leading = params
        .iter()
        .take_while(|ty| ty.referent() == TypeId::SIGNER)
        .count();
    if signers > leading {
        return Err(Stop::with_message(
            StatusCode::NUMBER_OF_SIGNER_ARGUMENTS_MISMATCH,
            format!("the function takes {leading} signers, {signers} given"),
        ));
    }
    if signers + call.args.len() != params.len() {
        return Err(Stop::with_message(
            StatusCode::NUMBER_OF_ARGUMENTS_MISMATCH,
            format!(
                "the function takes {} arguments, {} given",
                params.len(),
                signers + call.args.len()
            ),
        ));
    }
    let mut values = Vec::with_capacity(call.args.len());
    let mut cost = 0;
    for (n, &ty) in params.iter().enumerate() {
        let layout = run.ctx.layout_id(run.view, ty.referent())?;
        let Some(arg) = n.checked_sub(signers) else {
            if ty.is_reference() {
                cost += object_cost(run.ctx.layout(layout).size);
            }
            values.push((layout, None));
            continue;
        };
        let image = run
            .decode(layout, &call.args[arg])
            .map_err(|error| match error {
                DecodeError::Malformed(at) => Stop::with_message(
                    StatusCode::FAILED_TO_DESERIALIZE_ARGUMENT,
                    format!("argument {arg} is malformed at byte {at}"),
                ),
                DecodeError::Stop(stop) => stop,
            })?;
        cost += if ty.is_reference() {
            image.cost_as_object()
        } else {
            image.cost()
        };
        values.push((layout, Some(image)));
    }
    run.reserve(cost)?;
    for (n, (&ty, (layout, image))) in params.iter().zip(values).enumerate() {
        let slot = fp + shape.params[n];
        let home = if ty.is_reference() {
            let size = run.ctx.layout(layout).size;
            let object = run.memory.allocate(size, layout.0)?;
            run.memory.set(slot, u64::from(object));
            run.arguments.push((object, layout));
            object
        } else {
            slot
        };
        match image {
            None => run.memory.set(home, call.signers[n].0),
            Some(image) => image.put(run.memory, home)?,
        }
    }
    Ok(())
}

/// A result at `slot`; a reference is shown as its referent.
fn read_value(run: &mut Interpreter<'_>, ty: TypeId, slot: Addr) -> Run<TypedValue> {
    if ty.is_reference() {
        let reference: u64 = run.memory.get(slot);
        let at = (reference as u32).wrapping_add((reference >> 32) as u32);
        return typed(run, ty.referent(), at);
    }
    typed(run, ty, slot)
}

fn typed(run: &mut Interpreter<'_>, ty: TypeId, at: Addr) -> Run<TypedValue> {
    let layout = run.ctx.layout_id(run.view, ty)?;
    let tag = run.ctx.tag(ty)?;
    Ok(TypedValue {
        ty: tag,
        bcs: bcs::to_bytes(run.ctx, run.memory, at, layout)?,
    })
}
