//! The core as native code behind the same interface, for comparison and tests.

use crate::bridge::{CodeTable, NativeView, Reports, ValueTable};
use crate::engine::Engine;
use crate::flat::{FlatValues, Given};
use crate::instance::CallError;
use crate::outcome::{FaultKind, HostError, SandboxFault};
use crate::state::StateView;
use monomove_core::{
    Call, CallOutput, Failure, Machine, MachineStats, Trace, TraceLimits, Transaction,
    TransactionOutput, VerifyRequest,
};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A machine in this process. After a fault it must not be used again.
pub(crate) struct NativeInstance {
    engine: Engine,
    machine: Machine,
    code: CodeTable,
    values: ValueTable,
    reports: Reports,
    flat: Given,
}

// SAFETY: a machine counts references and keeps pointers into its own memory without atomics, but its interface hands out owned plain data
// only: whatever it shares, it shares with itself. So it moves between threads as a whole, and no part stays behind.
unsafe impl Send for NativeInstance {}

impl NativeInstance {
    pub(crate) fn new(engine: &Engine, shared: Option<Arc<FlatValues>>) -> Self {
        Self {
            engine: engine.clone(),
            reports: Reports::default(),
            machine: Machine::new(engine.machine_config().clone()),
            code: CodeTable::default(),
            values: ValueTable::default(),
            flat: Given::new(shared),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.code.is_full()
    }

    pub(crate) fn figures(&self) -> MachineStats {
        self.machine.figures()
    }

    pub(crate) fn call(
        &mut self,
        call: &Call,
        view: &dyn StateView,
    ) -> Result<CallOutput, CallError> {
        self.with_view(view, |machine, native| machine.call(call, native))
    }

    pub(crate) fn verify(
        &mut self,
        request: &VerifyRequest,
        view: &dyn StateView,
    ) -> Result<Vec<Option<Failure>>, CallError> {
        self.with_view(view, |machine, native| machine.verify(request, native))
    }

    pub(crate) fn transaction(
        &mut self,
        transaction: &Transaction,
        view: &dyn StateView,
    ) -> Result<TransactionOutput, CallError> {
        self.with_view(view, |machine, native| {
            machine.transaction(transaction, native)
        })
    }

    pub(crate) fn trace(
        &mut self,
        call: &Call,
        view: &dyn StateView,
        limits: &TraceLimits,
    ) -> Result<(CallOutput, Trace), CallError> {
        self.with_view(view, |machine, native| machine.trace(call, native, limits))
    }

    fn with_view<A>(
        &mut self,
        view: &dyn StateView,
        work: impl FnOnce(&mut Machine, &mut NativeView<'_>) -> A,
    ) -> Result<A, CallError> {
        self.reports.clear();
        let mut native = NativeView {
            verified: self.engine.verified(),
            reports: &mut self.reports,
            view,
            code: &mut self.code,
            values: &mut self.values,
            flat: &mut self.flat,
            error: None,
        };
        // After a panic the machine is dropped, so nobody sees what it left half done.
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut self.machine, &mut native)));
        let error = native.error;
        self.flat.finish(result.is_ok());
        if let Some(error) = error {
            return Err(match result {
                Ok(_) => CallError::State(error),
                Err(_) => HostError::State(error).into(),
            });
        }
        if result.is_ok() {
            self.reports.accept(self.engine.verified());
        }
        result.map_err(|panic| {
            CallError::Fault(SandboxFault {
                kind: FaultKind::Panic,
                limit: None,
                message: text_of(panic.as_ref()),
            })
        })
    }
}

/// The text of a panic.
fn text_of(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).into()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "panic".into()
    }
}
