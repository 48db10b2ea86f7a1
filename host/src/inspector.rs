//! A place to watch transactions from.

use crate::{SandboxFault, TransactionOutcome, UserTransaction};
use monomove_core::Call;

/// Told about what a sandbox does. It cannot change any result; every method does nothing by default.
pub trait Inspector {
    /// A call is about to run.
    fn before_call(&mut self, call: &Call) {
        let _ = call;
    }

    /// A call ended.
    fn after_call(&mut self, call: &Call, outcome: &TransactionOutcome) {
        let _ = (call, outcome);
    }

    /// A transaction is about to run.
    fn before_transaction(&mut self, transaction: &UserTransaction) {
        let _ = transaction;
    }

    /// A transaction ended.
    fn after_transaction(&mut self, transaction: &UserTransaction, outcome: &TransactionOutcome) {
        let _ = (transaction, outcome);
    }

    /// An instance broke and was thrown away. `retry` says whether the call is tried once more.
    fn on_fault(&mut self, fault: &SandboxFault, retry: bool) {
        let _ = (fault, retry);
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoInspector;

impl Inspector for NoInspector {}
