//! A sandbox: one long-lived instance that runs one call after the other.

use crate::engine::Engine;
use crate::flat::FlatValues;
use crate::image::Image;
use crate::inspector::{Inspector, NoInspector};
use crate::instance::{CallError, Instance};
use crate::native::NativeInstance;
use crate::outcome::{HostError, SandboxFault, TransactionOutcome};
use crate::state::StateView;
use monomove_core::{
    Call, Failure, LoadRequest, Location, MachineStats, Measure, Trace, TraceLimits, VerifyRequest,
};
use monomove_guest::abi::InjectedFault;
use monomove_types::{NestingTooDeep, StatusCode};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Runs calls, one at a time, on any view at any time: what it keeps between calls is code that it checks against the view first.
///
/// An instance that broke is thrown away, and a fresh one is made for the next call.
pub struct Sandbox {
    engine: Engine,
    /// Made when it is needed.
    runner: Option<Runner>,
    /// What an instance starts from, if not from nothing.
    image: Option<Arc<Image>>,
    /// What its instances share with those of other sandboxes.
    values: Option<Arc<FlatValues>>,
}

pub(crate) enum Runner {
    Wasm(Box<Instance>),
    Native(Box<NativeInstance>),
}

impl Sandbox {
    /// A sandbox of `engine`. Costs nothing before its first call.
    pub fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.clone(),
            runner: None,
            image: None,
            values: None,
        }
    }

    /// A sandbox that shares large values with others of the engine.
    pub(crate) fn sharing(engine: &Engine, values: Arc<FlatValues>) -> Self {
        Self {
            values: Some(values),
            ..Self::new(engine)
        }
    }

    /// The engine it belongs to.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Runs `call` as a transaction of its own on `view`. Changes nothing: the writes are in the output.
    pub fn execute(
        &mut self,
        call: &Call,
        view: &dyn StateView,
    ) -> Result<TransactionOutcome, HostError> {
        self.execute_inspected(call, view, &mut NoInspector)
    }

    /// Like [`execute`](Self::execute), watched by `inspector`.
    pub fn execute_inspected(
        &mut self,
        call: &Call,
        view: &dyn StateView,
        inspector: &mut dyn Inspector,
    ) -> Result<TransactionOutcome, HostError> {
        let call = &*self.within_limits(call);
        inspector.before_call(call);
        let run = |runner: &mut Runner| match runner {
            Runner::Wasm(instance) => instance.call(call, view),
            Runner::Native(instance) => instance.call(call, view),
        };
        let outcome = match encodable(call) {
            Err(failure) => TransactionOutcome::Discarded(failure),
            Ok(()) => match self.tried(inspector, run)? {
                Tried::Done(output) => TransactionOutcome::of(output),
                Tried::Fault(fault) => TransactionOutcome::SandboxFault(fault),
            },
        };
        inspector.after_call(call, &outcome);
        Ok(outcome)
    }

    /// Like [`execute`](Self::execute), to the same outcome, and records the run within `limits`. There is no recording of a call that
    /// the machine never saw, nor of one that broke the sandbox.
    pub fn trace(
        &mut self,
        call: &Call,
        view: &dyn StateView,
        limits: &TraceLimits,
    ) -> Result<(TransactionOutcome, Option<Trace>), HostError> {
        let call = &*self.within_limits(call);
        let run = |runner: &mut Runner| match runner {
            Runner::Wasm(instance) => instance.trace(call, view, limits),
            Runner::Native(instance) => instance.trace(call, view, limits),
        };
        if let Err(failure) = encodable(call) {
            return Ok((TransactionOutcome::Discarded(failure), None));
        }
        Ok(match self.tried(&mut NoInspector, run)? {
            Tried::Done((output, trace)) => (TransactionOutcome::of(output), Some(trace)),
            Tried::Fault(fault) => (TransactionOutcome::SandboxFault(fault), None),
        })
    }

    /// Why each of the modules in `request` is refused by reader, verifier, or linker; `None` for what passes. Nothing is loaded or kept.
    pub fn verify(
        &mut self,
        request: &VerifyRequest,
        view: &dyn StateView,
    ) -> Result<Result<Vec<Option<Failure>>, SandboxFault>, HostError> {
        let run = |runner: &mut Runner| match runner {
            Runner::Wasm(instance) => instance.verify(request, view),
            Runner::Native(instance) => instance.verify(request, view),
        };
        Ok(match self.tried(&mut NoInspector, run)? {
            Tried::Done(verdicts) => Ok(verdicts),
            Tried::Fault(fault) => Err(fault),
        })
    }

    /// The call with no more gas than the engine gives.
    fn within_limits<'a>(&self, call: &'a Call) -> Cow<'a, Call> {
        let most = self.engine.limits().gas_per_transaction;
        if call.gas_limit <= most {
            return Cow::Borrowed(call);
        }
        let mut call = call.clone();
        call.gas_limit = most;
        Cow::Owned(call)
    }

    /// Does `run`, again after a first fault if the engine says so.
    pub(crate) fn tried<A>(
        &mut self,
        inspector: &mut dyn Inspector,
        run: impl Fn(&mut Runner) -> Result<A, CallError>,
    ) -> Result<Tried<A>, HostError> {
        let mut retry = self.engine.retry_faults();
        loop {
            match self.attempt(&run) {
                Ok(answer) => return Ok(Tried::Done(answer)),
                Err(CallError::Host(error)) => return Err(error),
                Err(CallError::State(error)) => return Err(error.into()),
                Err(CallError::Fault(fault)) => {
                    inspector.on_fault(&fault, retry);
                    if !retry {
                        return Ok(Tried::Fault(fault));
                    }
                    retry = false;
                }
            }
        }
    }

    /// Throws the instance away; the next call gets a fresh one. Results do not depend on it.
    pub fn reset(&mut self) {
        self.runner = None;
    }

    /// Continues from `image`: the next call gets an instance in its state. Nothing happens if it started from the same image already.
    /// Results do not depend on it. Images of other engines are ignored.
    pub fn restore(&mut self, image: &Arc<Image>) {
        let is_same = self.image.as_ref().is_some_and(|i| Arc::ptr_eq(i, image));
        if is_same || !image.is_of(&self.engine) {
            return;
        }
        self.image = Some(image.clone());
        self.runner = None;
    }

    /// From now on a fresh instance starts from `image`; the one there is goes on.
    pub(crate) fn start_from(&mut self, image: Option<&Arc<Image>>) {
        self.image = image.filter(|image| image.is_of(&self.engine)).cloned();
    }

    /// Whether there is an instance.
    pub(crate) fn is_warm(&self) -> bool {
        self.runner.is_some()
    }

    /// Makes the instance now instead of at the next call.
    pub fn warm_up(&mut self) -> Result<(), HostError> {
        match self.take_runner() {
            Ok(runner) => {
                self.runner = Some(runner);
                Ok(())
            }
            // The next call meets it again, and reports it.
            Err(CallError::Fault(_)) => Ok(()),
            Err(CallError::Host(error)) => Err(error),
            Err(CallError::State(error)) => Err(error.into()),
        }
    }

    /// The functions that calls here had to lower since this was asked last, for an [`ImageBuilder`](crate::ImageBuilder).
    pub fn take_load_requests(&mut self) -> Vec<LoadRequest> {
        let requests = match &mut self.runner {
            Some(Runner::Wasm(instance)) => instance.load_requests(),
            _ => Ok(Vec::new()),
        };
        requests.unwrap_or_else(|_| {
            // It broke: the next call gets a fresh one.
            self.runner = None;
            Vec::new()
        })
    }

    /// Does the work of a measurement of the context inside the guest; returns the bytes of its tables. For `monomove bench`.
    #[doc(hidden)]
    pub fn measure(&mut self, measure: Measure, count: u32) -> Result<u64, HostError> {
        match self.take_runner() {
            Ok(Runner::Wasm(mut instance)) => match instance.measure(measure, count) {
                Ok(bytes) => {
                    self.runner = Some(Runner::Wasm(instance));
                    Ok(bytes)
                }
                Err(CallError::Fault(fault)) => Err(HostError::Instantiate(fault.message)),
                Err(CallError::Host(error)) => Err(error),
                Err(CallError::State(error)) => Err(error.into()),
            },
            Ok(Runner::Native(_)) => Err(HostError::NotSandboxed),
            Err(CallError::Fault(fault)) => Err(HostError::Instantiate(fault.message)),
            Err(CallError::Host(error)) => Err(error),
            Err(CallError::State(error)) => Err(error.into()),
        }
    }

    /// What its machine keeps, and what its last transaction did; nothing before the first call.
    pub fn figures(&mut self) -> MachineStats {
        let figures = match &mut self.runner {
            Some(Runner::Wasm(instance)) => instance.figures(),
            Some(Runner::Native(instance)) => Ok(instance.figures()),
            None => Ok(MachineStats::default()),
        };
        figures.unwrap_or_else(|_| {
            // It broke: the next call gets a fresh one.
            self.runner = None;
            MachineStats::default()
        })
    }

    /// Bytes of the linear memory of its instance.
    pub(crate) fn linear_bytes(&self) -> u64 {
        match &self.runner {
            Some(Runner::Wasm(instance)) => instance.memory_bytes(),
            _ => 0,
        }
    }

    /// Makes the guest break in the given way, as a drill: the fault is reported and the instance thrown away. Never tried twice.
    pub fn inject_fault(&mut self, fault: InjectedFault) -> Result<SandboxFault, HostError> {
        match self.take_runner() {
            Ok(Runner::Wasm(mut instance)) => instance.inject(fault),
            Ok(Runner::Native(_)) => Err(HostError::NotSandboxed),
            Err(CallError::Fault(fault)) => Ok(fault),
            Err(CallError::Host(error)) => Err(error),
            Err(CallError::State(error)) => Err(error.into()),
        }
    }

    /// One run. The instance is kept only if it is sound afterwards.
    fn attempt<A>(
        &mut self,
        run: impl Fn(&mut Runner) -> Result<A, CallError>,
    ) -> Result<A, CallError> {
        let mut runner = self.take_runner()?;
        let result = run(&mut runner);
        let is_full = match &runner {
            Runner::Wasm(instance) => instance.is_full(),
            Runner::Native(instance) => instance.is_full(),
        };
        let is_sound = matches!(result, Ok(_) | Err(CallError::State(_)));
        if is_sound && !is_full {
            self.runner = Some(runner);
        }
        result
    }

    fn take_runner(&mut self) -> Result<Runner, CallError> {
        if let Some(runner) = self.runner.take() {
            return Ok(runner);
        }
        if self.engine.wasm().is_none() {
            let instance = NativeInstance::new(&self.engine, self.values.clone());
            return Ok(Runner::Native(Box::new(instance)));
        }
        let mut instance = match &self.image {
            Some(image) => Instance::restore(&self.engine, image)?,
            None => Instance::new(&self.engine)?,
        };
        instance.share(self.values.clone());
        Ok(Runner::Wasm(Box::new(instance)))
    }
}

/// What became of a call.
pub(crate) enum Tried<A> {
    Done(A),
    Fault(SandboxFault),
}

/// Refuses a call whose type arguments nest too deeply: it has no byte form, so that it could not even be put to the machine.
#[allow(
    clippy::result_large_err,
    reason = "the failure is the outcome of the call"
)]
fn encodable(call: &Call) -> Result<(), Failure> {
    if call.ty_args.iter().all(|tag| tag.check_nesting().is_ok()) {
        return Ok(());
    }
    Err(Failure {
        status: StatusCode::TYPE_TAG_LIMIT_EXCEEDED,
        sub_status: None,
        message: Some(NestingTooDeep.to_string()),
        location: Location::Undefined,
        function: None,
        function_index: None,
        offset: None,
    })
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("backend", &self.engine.backend())
            .field("warm", &self.runner.is_some())
            .finish_non_exhaustive()
    }
}
