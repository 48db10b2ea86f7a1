//! A sandbox: one long-lived instance that runs one call after the other.

use crate::engine::Engine;
use crate::inspector::{Inspector, NoInspector};
use crate::instance::{CallError, Instance};
use crate::native::NativeInstance;
use crate::outcome::{HostError, SandboxFault, TransactionOutcome};
use crate::state::StateView;
use monomove_core::{Call, CallOutput, Failure, Location};
use monomove_guest::abi::InjectedFault;
use monomove_types::{NestingTooDeep, StatusCode};
use std::fmt;

/// Runs calls, one at a time, on any view at any time: what it keeps between calls is code that it checks against the view first.
///
/// An instance that broke is thrown away, and a fresh one is made for the next call.
pub struct Sandbox {
    engine: Engine,
    /// Made when it is needed.
    runner: Option<Runner>,
}

enum Runner {
    Wasm(Box<Instance>),
    Native(Box<NativeInstance>),
}

impl Sandbox {
    /// A sandbox of `engine`. Costs nothing before its first call.
    pub fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.clone(),
            runner: None,
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
        let most = self.engine.limits().gas_per_transaction;
        if call.gas_limit > most {
            let mut call = call.clone();
            call.gas_limit = most;
            return self.execute_within_limits(&call, view, inspector);
        }
        self.execute_within_limits(call, view, inspector)
    }

    fn execute_within_limits(
        &mut self,
        call: &Call,
        view: &dyn StateView,
        inspector: &mut dyn Inspector,
    ) -> Result<TransactionOutcome, HostError> {
        inspector.before_call(call);
        if call.ty_args.iter().any(|tag| tag.check_nesting().is_err()) {
            // It has no byte form, so that it could not even be put to the machine.
            let outcome = TransactionOutcome::Discarded(too_deep());
            inspector.after_call(call, &outcome);
            return Ok(outcome);
        }
        let mut retry = self.engine.retry_faults();
        let outcome = loop {
            match self.attempt(call, view) {
                Ok(output) => break TransactionOutcome::of(output),
                Err(CallError::Host(error)) => return Err(error),
                Err(CallError::Fault(fault)) => {
                    inspector.on_fault(&fault, retry);
                    if !retry {
                        break TransactionOutcome::SandboxFault(fault);
                    }
                    retry = false;
                }
            }
        };
        inspector.after_call(call, &outcome);
        Ok(outcome)
    }

    /// Throws the instance away; the next call gets a fresh one. Results do not depend on it.
    pub fn reset(&mut self) {
        self.runner = None;
    }

    /// Makes the guest break in the given way, as a drill: the fault is reported and the instance thrown away. Never tried twice.
    pub fn inject_fault(&mut self, fault: InjectedFault) -> Result<SandboxFault, HostError> {
        match self.take_runner() {
            Ok(Runner::Wasm(mut instance)) => instance.inject(fault),
            Ok(Runner::Native(_)) => Err(HostError::NotSandboxed),
            Err(CallError::Fault(fault)) => Ok(fault),
            Err(CallError::Host(error)) => Err(error),
        }
    }

    /// One run of `call`. The instance is kept only if it is sound afterwards.
    fn attempt(&mut self, call: &Call, view: &dyn StateView) -> Result<CallOutput, CallError> {
        let mut runner = self.take_runner()?;
        let result = match &mut runner {
            Runner::Wasm(instance) => instance.call(call, view),
            Runner::Native(instance) => instance.call(call, view),
        };
        let is_full = match &runner {
            Runner::Wasm(instance) => instance.is_full(),
            Runner::Native(instance) => instance.is_full(),
        };
        if result.is_ok() && !is_full {
            self.runner = Some(runner);
        }
        result
    }

    fn take_runner(&mut self) -> Result<Runner, CallError> {
        if let Some(runner) = self.runner.take() {
            return Ok(runner);
        }
        Ok(match self.engine.wasm() {
            Some(_) => Runner::Wasm(Box::new(Instance::new(&self.engine)?)),
            None => Runner::Native(Box::new(NativeInstance::new(&self.engine))),
        })
    }
}

/// The failure of a call whose type arguments nest too deeply.
fn too_deep() -> Failure {
    Failure {
        status: StatusCode::TYPE_TAG_LIMIT_EXCEEDED,
        sub_status: None,
        message: Some(NestingTooDeep.to_string()),
        location: Location::Undefined,
        function: None,
        function_index: None,
        offset: None,
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("backend", &self.engine.backend())
            .field("warm", &self.runner.is_some())
            .finish_non_exhaustive()
    }
}
