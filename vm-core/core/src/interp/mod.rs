//! Execution of one transaction.

mod cast;
mod closures;
mod enums;
pub(crate) mod op;
pub(crate) mod operands;
mod run;
mod slow;
mod storage;

use crate::access::Rule;
use crate::cached::ValueCache;
use crate::context::Context;
use crate::context::ids::{InstanceId, LayoutId, ModuleRef, TargetId, TypeId};
use crate::gas::GasSchedule;
use crate::globals::Globals;
use crate::lower::code::{Code, Lowered, NEVER};
use crate::lower::{self, Form, Source};
use crate::memory::code::{CodeRef, Pc};
use crate::memory::{Addr, Memory};
use crate::natives::{self, NativeCall, NativeId};
use crate::paranoid::Shadow;
use crate::stop::{Fail, Run, Stop};
use crate::value::byte_vector;
use crate::value::decode::{DecodeError, Decoder};
use crate::value::image::Image;
use crate::{Event, NewTable, PublishRequest, StateView};
use monomove_types::{AccountAddress, StatusCode};
use op::Op;
pub(crate) use run::Exit;
use std::rc::Rc;

/// Longest message of an `AbortMsg`, in bytes.
const MAX_ABORT_MESSAGE: usize = 1024;

/// A caller that waits for its callee.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pc: Pc,
    fp: Addr,
    /// Operands of this frame that wait for the callee.
    height: u32,
    instance: InstanceId,
    /// What has to be undone when the callee returns.
    entered: Entered,
}

impl Frame {
    /// Its function, the position behind its call, and where it starts.
    pub(crate) fn place(&self) -> (InstanceId, Pc, Addr) {
        (self.instance, self.pc, self.fp)
    }
}

/// How a callee was entered, as flags; 0 for a plain call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entered(u8);

impl Entered {
    /// As a function value.
    const CLOSURE: u8 = 1;
    /// The callee locks the modules on the call stack.
    const LOCK: u8 = 2;
    /// The callee has access specifiers.
    const RESTRICTED: u8 = 4;

    /// Whether leaving the callee takes no more than counting it.
    fn is_simple(self) -> bool {
        self.0 & !Self::CLOSURE == 0
    }

    fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

/// What a transaction leaves besides global values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    pub(crate) events: Vec<Event>,
    pub(crate) new_tables: Vec<NewTable>,
    pub(crate) removed_tables: Vec<AccountAddress>,
    pub(crate) publish_request: Option<PublishRequest>,
    /// What events and tables take in memory, roughly.
    weight: u64,
}

/// What a type node counts in the weight of events and tables: about what its tag takes.
const TYPE_NODE_WEIGHT: u64 = 64;

/// The machine during one transaction.
pub(crate) struct Interpreter<'a> {
    pub(crate) ctx: &'a mut Context,
    pub(crate) view: &'a mut dyn StateView,
    pub(crate) code: &'a mut Code,
    pub(crate) memory: &'a mut Memory,
    pub(crate) globals: &'a mut Globals,
    pub(crate) values: &'a mut ValueCache,
    pub(crate) frames: &'a mut Vec<Frame>,
    pub(crate) schedule: &'a GasSchedule,
    pub(crate) txn_hash: [u8; 32],
    pub(crate) effects: Effects,
    /// Number of this transaction.
    pub(crate) transaction: u32,
    /// Gas that is left.
    pub(crate) gas: u64,
    /// Gas that is left besides, but not for execution.
    pub(crate) gas_reserve: u64,
    /// Gas that access to resources may still use; `None` if it costs nothing.
    pub(crate) io: Option<u64>,
    /// Modules that the transaction paid for, and their bytes.
    pub(crate) dependencies: (u64, u64),
    /// Gas used by natives and storage, which is not instruction gas.
    pub(crate) other_gas: u64,
    pub(crate) instructions: u64,
    pub(crate) call_depth: usize,
    pub(crate) operand_limit: u32,
    /// Address after the frame stack; 0 while tracing, so that the fast loop leaves every call to the slow path.
    pub(crate) stack_end: Addr,
    /// Address after the frame stack.
    pub(crate) stack_limit: Addr,
    /// Whether the traced form of functions runs.
    pub(crate) traced: bool,
    /// The next op.
    pub(crate) pc: Pc,
    /// Start of the running frame.
    pub(crate) fp: Addr,
    /// The running function.
    pub(crate) instance: InstanceId,
    /// Operands that wait in the frames below.
    pub(crate) height: u32,
    /// A callee whose stamp is this needs no check of its module or of locks.
    pub(crate) fast_stamp: u32,
    /// Callees on the call stack that lock modules.
    pub(crate) locks: u32,
    /// Callees on the call stack that were entered as function values.
    pub(crate) closure_frames: u32,
    /// How much lower the frames of the running function's callees would be without tracing: forms differ in the size of their frames,
    /// but not in where the frame stack overflows. 0 without tracing.
    pub(crate) lead: u32,
    /// Steps of traced code to execute before the tracer is told of one.
    pub(crate) skip: u64,
    /// What the copy of a local costs by the unit of its abstract size.
    pub(crate) copy_loc_per_unit: u64,
    /// Why the fast loop was left.
    pub(crate) exit: Exit,
    /// Whether frames are on the stack.
    pub(crate) running: bool,
    /// Objects behind the reference parameters of the entry function, with their layouts.
    pub(crate) arguments: Vec<(Addr, LayoutId)>,
    /// Where execution stopped: after the op that failed.
    pub(crate) stopped_at: Option<Pc>,
    /// The access specifiers of the functions on the call stack that have some.
    pub(crate) rules: Vec<Rule>,
    /// What paranoid mode knows about operands and locals.
    pub(crate) shadow: Shadow,
}

/// Where a failure happened and what was charged but not executed.
#[derive(Debug, Default)]
pub(crate) struct Unwound {
    /// Function and code offset of the failing instruction.
    pub(crate) at: Option<(Rc<Lowered>, u16)>,
    pub(crate) gas: u64,
    pub(crate) instructions: u64,
}

impl Interpreter<'_> {
    /// The functions that wait for their callees, the first one called first: each with its frame and the code offset it is at.
    pub(crate) fn callers(&self) -> Vec<(InstanceId, Addr, u16)> {
        let caller = |frame: &Frame| {
            let function = self.code.instance(frame.instance);
            // A stored position is the one after the op that is executing.
            let op = frame.pc.index_in(CodeRef::new(&function.code));
            let offset = function.origins.get(op.saturating_sub(1)).copied();
            (frame.instance, frame.fp, offset.unwrap_or(0))
        };
        self.frames.iter().map(caller).collect()
    }

    fn code_of(&self, instance: InstanceId) -> CodeRef {
        CodeRef::new(&self.code.instance(instance).code)
    }

    /// Charges for a native or for storage.
    pub(crate) fn charge(&mut self, cost: u64) -> Run<()> {
        self.charge_instruction(cost)?;
        self.other_gas += cost;
        Ok(())
    }

    /// Charges for access to storage, first from the gas that is not for execution.
    pub(crate) fn charge_io(&mut self, cost: u64) -> Run<()> {
        let Some(io) = &mut self.io else {
            return Ok(());
        };
        *io = io
            .checked_sub(cost)
            .ok_or_else(|| Stop::status(StatusCode::IO_LIMIT_REACHED))?;
        self.charge_storage(cost)
    }

    /// Charges what no instruction costs, first from the gas that is not for execution.
    pub(crate) fn charge_storage(&mut self, cost: u64) -> Run<()> {
        self.other_gas = self.other_gas.saturating_add(cost);
        let from_reserve = cost.min(self.gas_reserve);
        self.gas_reserve -= from_reserve;
        match self.gas.checked_sub(cost - from_reserve) {
            Some(rest) => {
                self.gas = rest;
                Ok(())
            }
            None => Err(Stop::status(StatusCode::OUT_OF_GAS)),
        }
    }

    /// Counts an event or a table, of so many bytes and with these types, so that effects stay bounded while the transaction runs. What
    /// they may be in the end is less.
    pub(crate) fn weigh_effect(
        &mut self,
        bytes: usize,
        types: impl IntoIterator<Item = TypeId>,
    ) -> Run<()> {
        let nodes = types
            .into_iter()
            .map(|ty| u64::from(self.ctx.types.size(ty).0));
        let weight = nodes.sum::<u64>() * TYPE_NODE_WEIGHT + bytes as u64;
        self.effects.weight = self.effects.weight.saturating_add(weight);
        if self.effects.weight > self.schedule.max_bytes_all_events.saturating_mul(2) {
            return Err(Stop::status(StatusCode::STORAGE_WRITE_LIMIT_REACHED));
        }
        Ok(())
    }

    /// Begins to count gas and instructions anew.
    pub(crate) fn begin_step(&mut self) {
        self.forget_calls();
        (self.instructions, self.other_gas) = (0, 0);
    }

    /// Back to where no function has been called yet.
    pub(crate) fn forget_calls(&mut self) {
        self.frames.clear();
        self.rules.clear();
        self.arguments.clear();
        self.running = false;
        (self.height, self.lead, self.locks, self.closure_frames) = (0, 0, 0, 0);
        self.fast_stamp = self.transaction;
        self.stopped_at = None;
        self.shadow = Shadow::default();
    }

    /// Charges what an instruction costs besides its static part.
    fn charge_instruction(&mut self, cost: u64) -> Run<()> {
        match self.gas.checked_sub(cost) {
            Some(rest) => {
                self.gas = rest;
                Ok(())
            }
            None => Err(Stop::status(StatusCode::OUT_OF_GAS)),
        }
    }

    /// Makes a target callable in this transaction: loads and checks its module and those it depends on, lowers it once.
    #[cold]
    #[inline(never)]
    pub(crate) fn prepare(&mut self, id: TargetId) -> Run<()> {
        self.resolve(id)
            .and_then(|()| self.charge_dependency(self.code.at(id).key.module))
            .map_err(Stop::uncharged)
    }

    /// Charges for the module of a function that is about to be called, once in a transaction. Only payloads pay; modules at special addresses are
    /// free, and so is a script, which paid by its size. Which functions are called does not depend on what is cached, so that neither does this.
    fn charge_dependency(&mut self, id: ModuleRef) -> Run<()> {
        if self.io.is_none() || id.is_special() || self.ctx.is_script(id) {
            return Ok(());
        }
        let module = self.ctx.module(self.view, id)?;
        if module.charged_in.replace(self.transaction) == self.transaction {
            return Ok(());
        }
        let size = u64::from(module.size);
        let (count, bytes) = &mut self.dependencies;
        (*count, *bytes) = (*count + 1, bytes.saturating_add(size));
        let gas = self.schedule;
        if *count > gas.max_num_dependencies || *bytes > gas.max_total_dependency_size {
            return Err(Stop::status(StatusCode::DEPENDENCY_LIMIT_REACHED));
        }
        let cost = gas.dependency_per_byte.saturating_mul(size);
        self.charge(cost.saturating_add(gas.dependency_per_module))
    }

    fn resolve(&mut self, id: TargetId) -> Run<()> {
        if self.code.at(id).ready_in != NEVER {
            return self.renew(id);
        }
        let key = self.code.at(id).key;
        let module = self.ctx.module(self.view, key.module)?;
        let index = module.function_index(key.name).ok_or_else(|| {
            Stop::with_message(StatusCode::FUNCTION_RESOLUTION_FAILURE, "no such function")
        })?;
        if let Some(caller) = key.caller.filter(|&caller| caller != key.module) {
            self.check_visible(&module, index, caller)?;
        }
        let instance = self.instance_of(&module, index, key.ty_args, Form::Fast)?;
        let lowered = self.code.instance(instance).clone();
        let (params, results) = (
            self.ctx.types.list_id(&lowered.params)?,
            self.ctx.types.list_id(&lowered.results)?,
        );
        if (params, results) != (key.params, key.results) {
            return Err(Stop::with_message(
                StatusCode::TYPE_MISMATCH,
                "the function has another signature than its caller says",
            ));
        }
        for &dependency in &lowered.dependencies {
            self.ctx.module(self.view, dependency)?;
        }
        if lowered
            .provisional_in
            .is_some_and(|lowered_in| lowered_in != self.transaction)
        {
            return Err(Stop::Stale);
        }
        let (arguments, ty_args) = (lowered.params.len() as u64, lowered.ty_args.len() as u64);
        let (gas, locals) = (self.schedule, u64::from(lowered.locals));
        let call_gas = if ty_args == 0 {
            gas.call_base + gas.call_per_arg * arguments + gas.call_per_local * locals
        } else {
            gas.call_generic_base
                + gas.call_generic_per_ty_arg * ty_args
                + gas.call_generic_per_arg * arguments
                + gas.call_generic_per_local * locals
        };
        let (entry_instructions, entry_gas) = match lowered.code.first() {
            Some(Op::Charge { instructions, gas }) => {
                (*instructions, call_gas.saturating_add(*gas))
            }
            _ => return Err(Stop::status(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR)),
        };
        let target = self.code.at_mut(id);
        target.entry_instructions = entry_instructions;
        target.entry_gas = entry_gas;
        target.native = lowered.is_native;
        target.instance = instance;
        target.code = CodeRef::new(&lowered.code);
        target.extent = lowered.extent;
        target.max_height = lowered.max_height;
        target.call_gas = call_gas;
        target.traced = None;
        target.closure_gas =
            gas.call_base + gas.call_per_arg * arguments + gas.call_per_local * locals;
        target.locks_module = lowered.locks_module;
        target.restricts = lowered.access.is_some();
        target.ready_in_transaction(self.transaction);
        Ok(())
    }

    /// Makes a target that was callable in an earlier transaction callable in this one: all that was found out about it follows from its
    /// module and those that its code depends on, so that these must be what they were.
    fn renew(&mut self, id: TargetId) -> Run<()> {
        let target = self.code.at(id);
        let (module, instance) = (target.key.module, target.instance);
        self.ctx.confirm(self.view, module)?;
        let lowered = self.code.instance(instance).clone();
        for &dependency in &lowered.dependencies {
            self.ctx.confirm(self.view, dependency)?;
        }
        if lowered
            .provisional_in
            .is_some_and(|lowered_in| lowered_in != self.transaction)
        {
            return Err(Stop::Stale);
        }
        let transaction = self.transaction;
        self.code.at_mut(id).ready_in_transaction(transaction);
        Ok(())
    }

    fn check_visible(
        &mut self,
        module: &crate::context::module::Module,
        index: u16,
        caller: ModuleRef,
    ) -> Run<()> {
        use monomove_format::Visibility;
        let (def, _) = module.function(index);
        let visible = match def.visibility {
            Visibility::Public => true,
            Visibility::Private => false,
            Visibility::Friend => {
                // A script has no name that a module could declare as its friend.
                !self.ctx.is_script(caller) && {
                    let caller = self.ctx.module_id(caller)?;
                    let friends = &module.binary.friend_decls;
                    friends
                        .iter()
                        .any(|f| module.binary.module_id_for_handle(f) == caller)
                }
            }
        };
        if visible {
            Ok(())
        } else {
            Err(Stop::with_message(
                StatusCode::LINKER_ERROR,
                "the function is not visible to its caller",
            ))
        }
    }

    /// The lowered form of a function, made once.
    fn instance_of(
        &mut self,
        module: &Rc<crate::context::module::Module>,
        index: u16,
        ty_args: crate::context::ids::TypeListId,
        form: Form,
    ) -> Run<InstanceId> {
        if let Some(id) = self.code.find(module.id, index, ty_args, form) {
            return Ok(id);
        }
        let args = self.ctx.types.list(ty_args).to_vec();
        let source = Source {
            ctx: self.ctx,
            view: self.view,
            code: self.code,
            gas: self.schedule,
        };
        let lowered = lower::function(source, module, index, &args, form)?;
        self.code.add(module.id, index, ty_args, form, lowered)
    }

    /// Another form of a target that is ready.
    #[cold]
    #[inline(never)]
    fn other_form(&mut self, id: TargetId, form: Form) -> Run<(CodeRef, InstanceId)> {
        let key = self.code.at(id).key;
        let module = self.ctx.module(self.view, key.module)?;
        let index = self.code.instance(self.code.at(id).instance).function_index;
        let instance = self.instance_of(&module, index, key.ty_args, form)?;
        Ok((self.code_of(instance), instance))
    }

    /// The traced form of a target that is ready, for a frame at `fp`; its callees get their lead. Natives have but one form.
    #[cold]
    #[inline(never)]
    fn traced_form(&mut self, id: TargetId, fp: Addr) -> Run<(CodeRef, InstanceId)> {
        let target = self.code.at(id);
        let (code, instance) = if target.native {
            (target.code, target.instance)
        } else if let Some(instance) = target.traced {
            (self.code_of(instance), instance)
        } else {
            // The fast form was lowered, so that this is not a failure of the code.
            let made = self.other_form(id, Form::Traced);
            let (code, instance) = made.map_err(|_| Stop::Untraceable)?;
            self.code.at_mut(id).traced = Some(instance);
            (code, instance)
        };
        let fast = self.code.instance(self.code.at(id).instance).frame;
        let traced = self.code.instance(instance);
        match fp.checked_add(traced.extent) {
            Some(end) if end <= self.stack_limit => {
                self.lead = self.lead.wrapping_add(traced.frame).wrapping_sub(fast);
                Ok((code, instance))
            }
            _ => Err(Stop::Untraceable),
        }
    }

    fn call_native(&mut self, native: NativeId, fp: Addr) -> Run<()> {
        let function = self.code.instance(self.instance).clone();
        natives::run(self, native, &NativeCall { fp, function })
    }

    /// The module of the caller of the function that called the running native.
    pub(crate) fn callers_caller(&self) -> Option<&Rc<Lowered>> {
        let frame = self
            .frames
            .len()
            .checked_sub(2)
            .and_then(|i| self.frames.get(i))?;
        Some(self.code.instance(frame.instance))
    }

    /// Writes a constant of the running function to `dst`.
    fn constant(&mut self, dst: Addr, index: u32) -> Run<()> {
        let function = self.code.instance(self.instance).clone();
        let constant = &function.constants[index as usize];
        if let Some(image) = constant.image.get() {
            return self.put(image, dst);
        }
        let image = self.decode(constant.layout, &constant.bytes);
        let image = image.map_err(|error| match error {
            DecodeError::Malformed(_) => Stop::status(StatusCode::MALFORMED_CONSTANT_DATA),
            DecodeError::Stop(stop) => stop,
        })?;
        self.put(constant.image.get_or_init(|| Rc::new(image)), dst)
    }

    /// Decodes BCS.
    pub(crate) fn decode(&mut self, layout: LayoutId, bytes: &[u8]) -> Result<Image, DecodeError> {
        Decoder {
            ctx: self.ctx,
            view: self.view,
            code: self.code,
            limit: self.memory.heap_limit(),
        }
        .decode(layout, bytes)
    }

    /// Puts a decoded value to `to`, which lies in a frame.
    pub(crate) fn put(&mut self, image: &Image, to: Addr) -> Run<()> {
        self.reserve(image.cost())?;
        Ok(image.put(self.memory, to)?)
    }

    /// The failure of an `AbortMsg`: the message is charged by the byte, must be short enough and UTF-8.
    fn abort_with_message(&mut self, code: u64, message: Addr) -> Stop {
        let bytes = byte_vector(self.memory, message);
        let cost = self
            .schedule
            .abort_msg_per_byte
            .saturating_mul(bytes.len() as u64);
        let text = (bytes.len() <= MAX_ABORT_MESSAGE)
            .then(|| std::str::from_utf8(bytes).map(str::to_owned));
        if let Err(stop) = self.charge_instruction(cost) {
            return stop;
        }
        match text {
            None => Stop::status(StatusCode::ABORT_MESSAGE_LIMIT_EXCEEDED),
            Some(Err(_)) => Stop::status(StatusCode::INVALID_ABORT_MESSAGE),
            Some(Ok(message)) => Stop::Fail(Box::new(Fail {
                status: StatusCode::ABORTED,
                sub_status: Some(code),
                message: Some(message),
                module: None,
                uncharged: false,
            })),
        }
    }

    /// After a failure: where it was, and the static cost and number of the instructions that the blocks of all frames were charged
    /// for but did not execute. With `uncharged`, the failing instruction is one of them.
    pub(crate) fn unwind(&mut self, uncharged: bool) -> Unwound {
        let mut unwound = Unwound::default();
        let mut position = self.stopped_at.take().map(|pc| (self.instance, pc));
        while let Some((instance, pc)) = position {
            let function = self.code.instance(instance).clone();
            // A stored position is the one after the op that is executing.
            let op = pc.index_in(CodeRef::new(&function.code)).saturating_sub(1);
            let offset = function.origins.get(op).copied().unwrap_or(0);
            let innermost = unwound.at.is_none();
            // A block that could not be entered was counted, but nothing of it was executed.
            let refused = innermost
                && (uncharged || matches!(function.code.get(op), Some(Op::Charge { .. })));
            if let Some(block) = function
                .blocks
                .iter()
                .find(|b| (b.start..b.end).contains(&offset))
            {
                let from = if refused { offset } else { offset + 1 };
                unwound.instructions += u64::from(block.end - from);
                unwound.gas += function.costs[usize::from(from)..usize::from(block.end)]
                    .iter()
                    .sum::<u64>();
            }
            unwound.at.get_or_insert((function, offset));
            position = self.frames.pop().map(|frame| (frame.instance, frame.pc));
        }
        unwound
    }
}
