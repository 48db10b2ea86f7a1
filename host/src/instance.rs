//! One instance of the guest: calls in, outputs or faults out.

use crate::engine::Engine;
use crate::flat::{FlatValues, Given};
use crate::image::Image;
use crate::limits::Limits;
use crate::outcome::{FaultKind, HostError, LimitHit, SandboxFault};
use crate::state::{StateError, StateView};
use crate::store::{HostStore, MAX_TABLE_ELEMENTS, Stop, range};
use monomove_core::{
    Call, CallOutput, ContextStats, Failure, LoadRequest, MachineStats, Measure, Trace,
    TraceLimits, Transaction, TransactionOutput, VerifyRequest,
};
use monomove_guest::abi::{ABI_VERSION, InjectedFault, Rejection, Reply};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use wasmtime::{Global, Memory, Store, Trap, TypedFunc, Val};

/// A request buffer larger than this is given back after the call.
const KEEP_BYTES: usize = 1 << 20;

/// Why a call into the guest gave nothing.
pub(crate) enum CallError {
    /// The instance must not be used again.
    Fault(SandboxFault),
    /// Nor after this.
    Host(HostError),
    /// The view could not be read. The guest answered properly all the same, so that the instance is sound.
    State(StateError),
}

impl From<HostError> for CallError {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

/// An instance of the guest with its machine.
pub(crate) struct Instance {
    store: Store<HostStore>,
    limits: Limits,
    /// Epochs a call may take.
    deadline: u64,
    memory: Memory,
    /// The guest's own stack pointer, and where it starts: how a stack overflow in linear memory is told from other traps.
    stack: Option<(Global, u32)>,
    /// Bytes of memory that a fresh instance has.
    initial_bytes: usize,
    version: TypedFunc<(), u32>,
    init: TypedFunc<u32, u32>,
    buffer: TypedFunc<u32, u32>,
    call: TypedFunc<u32, u64>,
    /// Like `call`, for whole transactions. Guests need not have it, nor those below.
    transaction: Option<TypedFunc<u32, u64>>,
    /// Like `call`, recorded.
    trace: Option<TypedFunc<u32, u64>>,
    report: Option<TypedFunc<(), u64>>,
    figures: Option<TypedFunc<(), u64>>,
    prepare: Option<TypedFunc<u32, u64>>,
    measure: Option<TypedFunc<(u32, u32), u64>>,
    verify: Option<TypedFunc<u32, u64>>,
    fault: Option<TypedFunc<u32, ()>>,
    /// The encoded request, reused.
    request: Vec<u8>,
}

impl Instance {
    /// A fresh instance with a fresh machine. The guest may fault while it starts.
    pub(crate) fn new(engine: &Engine) -> Result<Self, CallError> {
        let mut this = Self::instantiate(engine)?;
        this.init(engine)?;
        Ok(this)
    }

    /// A fresh instance in the state of an image.
    pub(crate) fn restore(engine: &Engine, image: &Image) -> Result<Self, CallError> {
        let mut this = Self::instantiate(engine)?;
        let have = this.memory.size(&this.store);
        let failed = |error: wasmtime::Error| HostError::Instantiate(bounded(&error));
        this.memory
            .grow(&mut this.store, image.pages().saturating_sub(have))
            .map_err(failed)?;
        image
            .write(this.memory.data_mut(&mut this.store))
            .map_err(|error| HostError::Instantiate(error.to_string()))?;
        if let (Some((pointer, _)), Some(value)) = (this.stack, image.stack_pointer()) {
            pointer
                .set(&mut this.store, Val::I32(value as i32))
                .map_err(failed)?;
        }
        this.store.data_mut().code = image.code().clone();
        Ok(this)
    }

    /// An image of the instance as it is between calls.
    pub(crate) fn snapshot(&mut self) -> Image {
        let stack_pointer = match self.stack.map(|(pointer, _)| pointer.get(&mut self.store)) {
            Some(Val::I32(value)) => Some(value as u32),
            _ => None,
        };
        Image::of(
            self.memory.data(&self.store),
            self.initial_bytes,
            stack_pointer,
            self.store.data().code.clone(),
        )
    }

    /// An instance whose machine is not made yet.
    fn instantiate(engine: &Engine) -> Result<Self, CallError> {
        let wasm = engine.wasm().ok_or(HostError::NotSandboxed)?;
        let limits = *engine.limits();
        let deadline = wasm.watchdog.deadline();
        let mut store = Store::new(wasm.guest.module().engine(), HostStore::new(engine));
        store.limiter(|store| store);
        store.set_epoch_deadline(deadline);
        let made = wasm.guest.instantiate(&mut store);
        let instance = made.map_err(|error| {
            match fault_of(&error, &limits, None) {
                // Not the guest's doing.
                None => CallError::Host(HostError::Instantiate(bounded(&error))),
                Some(fault) => CallError::Fault(fault),
            }
        })?;
        let missing = |error: wasmtime::Error| HostError::Instantiate(bounded(&error));
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| HostError::Instantiate("no memory".into()))?;
        store.data_mut().memory = Some(memory);
        let stack = match instance.get_global(&mut store, "__stack_pointer") {
            Some(global) => match global.get(&mut store) {
                Val::I32(top) => Some((global, top as u32)),
                _ => None,
            },
            None => None,
        };
        Ok(Self {
            version: instance
                .get_typed_func(&mut store, "mm_abi_version")
                .map_err(missing)?,
            init: instance
                .get_typed_func(&mut store, "mm_init")
                .map_err(missing)?,
            initial_bytes: memory.data_size(&store),
            buffer: instance
                .get_typed_func(&mut store, "mm_buffer")
                .map_err(missing)?,
            call: instance
                .get_typed_func(&mut store, "mm_call")
                .map_err(missing)?,
            transaction: instance.get_typed_func(&mut store, "mm_transaction").ok(),
            trace: instance.get_typed_func(&mut store, "mm_trace").ok(),
            report: instance.get_typed_func(&mut store, "mm_report").ok(),
            figures: instance.get_typed_func(&mut store, "mm_figures").ok(),
            prepare: instance.get_typed_func(&mut store, "mm_prepare").ok(),
            measure: instance.get_typed_func(&mut store, "mm_measure").ok(),
            verify: instance.get_typed_func(&mut store, "mm_verify").ok(),
            fault: instance.get_typed_func(&mut store, "mm_fault").ok(),
            store,
            limits,
            deadline,
            memory,
            stack,
            request: Vec::new(),
        })
    }

    fn init(&mut self, engine: &Engine) -> Result<(), CallError> {
        let spoken = self.version.clone().call(&mut self.store, ());
        let spoken = spoken.map_err(|error| self.broken(&error))?;
        if spoken != ABI_VERSION {
            return Err(HostError::Instantiate(format!(
                "it speaks version {spoken} of the protocol, not {ABI_VERSION}"
            ))
            .into());
        }
        bcs::serialize_into(&mut self.request, engine.machine_config())
            .map_err(|error| HostError::Request(error.to_string()))?;
        let len = self.send()?;
        let code = self.init.clone().call(&mut self.store, len);
        match code.map_err(|error| self.broken(&error))? {
            0 => Ok(()),
            code => Err(self.rejected(code)),
        }
    }

    /// Bytes of its linear memory.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory.data_size(&self.store) as u64
    }

    /// Shares large values with other instances from now on.
    pub(crate) fn share(&mut self, values: Option<Arc<FlatValues>>) {
        self.store.data_mut().flat = Given::new(values);
    }

    /// Whether it has been given so much code that a fresh one should take over.
    pub(crate) fn is_full(&self) -> bool {
        self.store.data().code.is_full()
    }

    /// Runs one call.
    pub(crate) fn call(
        &mut self,
        call: &Call,
        view: &dyn StateView,
    ) -> Result<CallOutput, CallError> {
        let function = self.call.clone();
        self.request(&function, call, view)
    }

    /// Runs one whole transaction.
    pub(crate) fn transaction(
        &mut self,
        transaction: &Transaction,
        view: &dyn StateView,
    ) -> Result<TransactionOutput, CallError> {
        let Some(function) = self.transaction.clone() else {
            return Err(HostError::Instantiate("no export `mm_transaction`".into()).into());
        };
        self.request(&function, transaction, view)
    }

    /// Runs and records one call.
    pub(crate) fn trace(
        &mut self,
        call: &Call,
        view: &dyn StateView,
        limits: &TraceLimits,
    ) -> Result<(CallOutput, Trace), CallError> {
        let Some(function) = self.trace.clone() else {
            return Err(HostError::Instantiate("no export `mm_trace`".into()).into());
        };
        self.request(&function, &(call, limits), view)
    }

    /// The functions that were lowered since this was asked last.
    pub(crate) fn load_requests(&mut self) -> Result<Vec<LoadRequest>, CallError> {
        let Some(function) = self.report.clone() else {
            return Ok(Vec::new());
        };
        self.store.set_epoch_deadline(self.deadline);
        let packed = function.call(&mut self.store, ());
        let packed = packed.map_err(|error| self.broken(&error))?;
        self.read(packed)
    }

    /// The figures of its machine; nothing of guests that keep none.
    pub(crate) fn figures(&mut self) -> Result<MachineStats, CallError> {
        let Some(function) = self.figures.clone() else {
            return Ok(MachineStats::default());
        };
        self.store.set_epoch_deadline(self.deadline);
        let packed = function.call(&mut self.store, ());
        let packed = packed.map_err(|error| self.broken(&error))?;
        self.read(packed)
    }

    /// Lowers functions ahead of calls.
    pub(crate) fn prepare(
        &mut self,
        requests: &[LoadRequest],
        view: &dyn StateView,
    ) -> Result<ContextStats, CallError> {
        let Some(function) = self.prepare.clone() else {
            return Err(HostError::Instantiate("no export `mm_prepare`".into()).into());
        };
        self.request(&function, &requests, view)
    }

    /// Judges modules.
    pub(crate) fn verify(
        &mut self,
        request: &VerifyRequest,
        view: &dyn StateView,
    ) -> Result<Vec<Option<Failure>>, CallError> {
        let Some(function) = self.verify.clone() else {
            return Err(HostError::Instantiate("no export `mm_verify`".into()).into());
        };
        self.request(&function, request, view)
    }

    /// Does the work of a measurement of the context; returns the bytes of its tables.
    pub(crate) fn measure(&mut self, measure: Measure, count: u32) -> Result<u64, CallError> {
        let Some(function) = self.measure.clone() else {
            return Err(HostError::Instantiate("no export `mm_measure`".into()).into());
        };
        self.store.set_epoch_deadline(self.deadline);
        let bytes = function.call(&mut self.store, (measure as u32, count));
        bytes.map_err(|error| self.broken(&error))
    }

    /// Sends a request to `function` and reads the answer.
    fn request<A: DeserializeOwned>(
        &mut self,
        function: &TypedFunc<u32, u64>,
        request: &impl Serialize,
        view: &dyn StateView,
    ) -> Result<A, CallError> {
        if self.request.capacity() > KEEP_BYTES {
            self.request = Vec::new();
        }
        self.request.clear();
        bcs::serialize_into(&mut self.request, request)
            .map_err(|error| HostError::Request(error.to_string()))?;
        self.store.set_epoch_deadline(self.deadline);
        // SAFETY: the guest only runs within `exchange` here; the view is borrowed for longer, and taken back right after. Should a
        // panic of the view unwind through it, then the sandbox has no instance any more (it puts it back after success alone).
        unsafe { self.store.data_mut().lend(view) };
        let result = self.exchange(function);
        let store = self.store.data_mut();
        store.take_back();
        if result.is_ok() {
            store.accept_reports();
        }
        store.flat.finish(result.is_ok());
        match (store.state_error.take(), result) {
            (Some(error), Ok(_)) => Err(CallError::State(error)),
            (Some(error), Err(_)) => Err(HostError::State(error).into()),
            (None, result) => result,
        }
    }

    /// Sends the request, runs it, reads the output.
    fn exchange<A: DeserializeOwned>(
        &mut self,
        function: &TypedFunc<u32, u64>,
    ) -> Result<A, CallError> {
        let len = self.send()?;
        let packed = function.call(&mut self.store, len);
        let packed = packed.map_err(|error| self.broken(&error))?;
        self.read(packed)
    }

    /// Reads the answer that a packed reply names.
    fn read<A: DeserializeOwned>(&mut self, packed: u64) -> Result<A, CallError> {
        match Reply::unpack(packed) {
            Reply::Output { ptr, len } => range(self.memory.data(&self.store), ptr, len)
                .and_then(|bytes| {
                    bcs::from_bytes(bytes)
                        .map_err(|_| Stop::Protocol("its answer is not the output of a call"))
                })
                .map_err(|stop| CallError::Fault(fault_of_stop(&stop, &self.limits))),
            Reply::Rejected(code) => Err(self.rejected(code)),
        }
    }

    /// Writes the request into the guest's buffer; returns its length.
    fn send(&mut self) -> Result<u32, CallError> {
        let len = u32::try_from(self.request.len())
            .map_err(|_| HostError::Request("longer than 4 GiB".into()))?;
        let ptr = self.buffer.call(&mut self.store, len);
        let ptr = ptr.map_err(|error| self.broken(&error))?;
        self.memory
            .write(&mut self.store, ptr as usize, &self.request)
            .map_err(|_| {
                let stop = Stop::Protocol("a buffer outside of its memory");
                CallError::Fault(fault_of_stop(&stop, &self.limits))
            })?;
        Ok(len)
    }

    /// Makes the guest break. The instance must not be used again.
    pub(crate) fn inject(&mut self, fault: InjectedFault) -> Result<SandboxFault, HostError> {
        let Some(inject) = self.fault.clone() else {
            return Err(HostError::Instantiate("no export `mm_fault`".into()));
        };
        self.store.set_epoch_deadline(self.deadline);
        match inject.call(&mut self.store, fault.code()) {
            Ok(()) => Err(HostError::Instantiate("it refuses to break".into())),
            Err(error) => Ok(self.sandbox_fault(&error)),
        }
    }

    fn rejected(&self, code: u32) -> CallError {
        match Rejection::from_code(code) {
            Some(rejection) => HostError::Refused(rejection).into(),
            None => {
                let stop = Stop::Protocol("a refusal with an unknown number");
                CallError::Fault(fault_of_stop(&stop, &self.limits))
            }
        }
    }

    fn broken(&mut self, error: &wasmtime::Error) -> CallError {
        CallError::Fault(self.sandbox_fault(error))
    }

    fn sandbox_fault(&mut self, error: &wasmtime::Error) -> SandboxFault {
        let stack = match self.stack {
            Some((pointer, top)) => match pointer.get(&mut self.store) {
                Val::I32(now) => Some(GuestStack {
                    now: now as u32,
                    top,
                }),
                _ => None,
            },
            None => None,
        };
        fault_of(error, &self.limits, stack).unwrap_or_else(|| SandboxFault {
            kind: FaultKind::Trap,
            limit: None,
            message: bounded(error),
        })
    }
}

/// The guest's own stack, which grows down to address 0.
#[derive(Clone, Copy)]
struct GuestStack {
    /// The stack pointer.
    now: u32,
    /// Where it starts: the size of the stack.
    top: u32,
}

impl GuestStack {
    /// Whether it ran over: the pointer has wrapped around below 0.
    fn overflowed(self) -> bool {
        self.now > self.top
    }
}

/// The fault behind an error of wasmtime; `None` if the error is no fault of the guest.
fn fault_of(
    error: &wasmtime::Error,
    limits: &Limits,
    stack: Option<GuestStack>,
) -> Option<SandboxFault> {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return Some(fault_of_stop(stop, limits));
    }
    let trap = error.downcast_ref::<Trap>()?;
    let (kind, limit, message) = match (trap, stack) {
        (Trap::Interrupt, _) => (
            FaultKind::Time,
            Some(LimitHit {
                name: "watchdog_ms",
                value: limits.watchdog_ms,
                unit: "ms",
            }),
            "the call took too long by the clock".into(),
        ),
        (Trap::StackOverflow, _) => (
            FaultKind::Stack,
            Some(LimitHit {
                name: "wasm_stack_bytes",
                value: limits.wasm_stack_bytes.into(),
                unit: "bytes",
            }),
            "the wasm stack is used up".into(),
        ),
        (Trap::MemoryOutOfBounds, Some(stack)) if stack.overflowed() => (
            FaultKind::Stack,
            Some(LimitHit {
                name: "guest_stack_bytes",
                value: stack.top.into(),
                unit: "bytes",
            }),
            "the guest's stack in its memory is used up".into(),
        ),
        (trap, _) => (FaultKind::Trap, None, trap.to_string()),
    };
    Some(SandboxFault {
        kind,
        limit,
        message,
    })
}

fn fault_of_stop(stop: &Stop, limits: &Limits) -> SandboxFault {
    let (kind, limit) = match stop {
        Stop::Panic(_) => (FaultKind::Panic, None),
        Stop::Memory { .. } => (
            FaultKind::Memory,
            Some(LimitHit {
                name: "guest_memory_bytes",
                value: limits.guest_memory_bytes,
                unit: "bytes",
            }),
        ),
        Stop::Table { .. } => (
            FaultKind::Memory,
            Some(LimitHit {
                name: "table_elements",
                value: MAX_TABLE_ELEMENTS,
                unit: "elements",
            }),
        ),
        Stop::Protocol(_) => (FaultKind::Trap, None),
    };
    SandboxFault {
        kind,
        limit,
        message: stop.to_string(),
    }
}

/// The text of an error, cut to a size that is fit for a log.
fn bounded(error: &wasmtime::Error) -> String {
    let mut text = format!("{error:#}");
    let mut end = text.len().min(1024);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}
