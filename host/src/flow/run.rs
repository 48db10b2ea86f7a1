//! Transactions of a chain in a sandbox: executed, validated, simulated; views.

use super::block::BlockTransaction;
use super::transaction::{Authentication, UserTransaction, key_bcs};
use crate::inspector::{Inspector, NoInspector};
use crate::outcome::{HostError, SandboxFault, TransactionOutcome};
use crate::sandbox::{Runner, Sandbox, Tried};
use crate::state::StateView;
use monomove_core::{
    Access, Budget, Call, Extent, Failure, Outcome, Transaction, TransactionOutput,
    TransactionPayload,
};
use monomove_types::AccountAddress;

/// Whether a transaction would be admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validation {
    /// It would.
    Accepted,
    /// It would be discarded.
    Rejected(Failure),
    /// The sandbox broke.
    SandboxFault(SandboxFault),
}

impl Sandbox {
    /// Runs a transaction from prologue to epilogue on `view`. Changes nothing: the writes, those of a failed transaction too, are in the
    /// output.
    pub fn execute_transaction(
        &mut self,
        transaction: &UserTransaction,
        view: &dyn StateView,
    ) -> Result<TransactionOutcome, HostError> {
        self.run_transaction(transaction, view, Extent::Whole, &mut NoInspector)
    }

    /// Runs a transaction of a block, watched by `inspector`.
    pub fn execute_in_block(
        &mut self,
        transaction: &BlockTransaction,
        view: &dyn StateView,
        inspector: &mut dyn Inspector,
    ) -> Result<TransactionOutcome, HostError> {
        match transaction {
            BlockTransaction::Refused(failure) => {
                Ok(TransactionOutcome::Discarded((**failure).clone()))
            }
            BlockTransaction::Call(call) => self.execute_inspected(call, view, inspector),
            BlockTransaction::User(transaction) => {
                inspector.before_transaction(transaction);
                let outcome = self.run_transaction(transaction, view, Extent::Whole, inspector)?;
                inspector.after_transaction(transaction, &outcome);
                Ok(outcome)
            }
        }
    }

    /// Says whether `view` would admit a transaction: runs the prologue, and nothing else.
    pub fn validate(
        &mut self,
        transaction: &UserTransaction,
        view: &dyn StateView,
    ) -> Result<Validation, HostError> {
        let outcome =
            self.run_transaction(transaction, view, Extent::Admission, &mut NoInspector)?;
        Ok(match outcome {
            TransactionOutcome::Kept(_) => Validation::Accepted,
            TransactionOutcome::Discarded(failure) => Validation::Rejected(failure),
            TransactionOutcome::SandboxFault(fault) => Validation::SandboxFault(fault),
        })
    }

    /// Says what a transaction would do if its signers signed it.
    pub fn simulate(
        &mut self,
        transaction: &UserTransaction,
        view: &dyn StateView,
    ) -> Result<TransactionOutcome, HostError> {
        let mut trusted = transaction.clone();
        trusted.authentication = Authentication::Trusted;
        self.execute_transaction(&trusted, view)
    }

    /// Asks the state: calls a public function without signers, and keeps nothing of what it did but its results.
    pub fn view(
        &mut self,
        call: &Call,
        view: &dyn StateView,
    ) -> Result<TransactionOutcome, HostError> {
        let call = Call {
            access: Access::View,
            ..call.clone()
        };
        let mut outcome = self.execute(&call, view)?;
        if let TransactionOutcome::Kept(output) = &mut outcome {
            output.writes.clear();
            output.events.clear();
            output.new_tables.clear();
            output.removed_tables.clear();
            output.publish_request = None;
        }
        Ok(outcome)
    }

    fn run_transaction(
        &mut self,
        transaction: &UserTransaction,
        view: &dyn StateView,
        extent: Extent,
        inspector: &mut dyn Inspector,
    ) -> Result<TransactionOutcome, HostError> {
        if let Some(failure) = transaction.refusal() {
            return Ok(TransactionOutcome::Discarded(failure));
        }
        let key = match &transaction.authentication {
            Authentication::Keys { sender, .. } => key_bcs(sender),
            Authentication::Trusted => self.authentication_key(transaction, view)?,
        };
        let engine = self.engine().clone();
        let flow = engine.flow();
        let gas_bound = engine.limits().gas_per_transaction;
        let request = transaction.to_machine(flow, key, gas_bound, extent);
        self.run_request(&request, view, inspector)
    }

    /// Runs a payload by itself, without prologue, epilogue and fee: within `gas` of internal gas, of which only execution uses some. So modules
    /// are published and scripts run on a chain without accounts.
    pub fn execute_payload(
        &mut self,
        signers: &[AccountAddress],
        payload: TransactionPayload,
        gas: u64,
        view: &dyn StateView,
    ) -> Result<TransactionOutcome, HostError> {
        let user = UserTransaction {
            sender: signers.first().copied().unwrap_or_default(),
            secondary_signers: signers.iter().skip(1).copied().collect(),
            authentication: Authentication::Trusted,
            sequence_number: 0,
            payload,
            max_gas: 0,
            gas_price: 0,
            expiration_seconds: 0,
            chain_id: 0,
            hash: [0; 32],
            size: 0,
        }
        .sealed();
        if let Some(failure) = user.refusal() {
            return Ok(TransactionOutcome::Discarded(failure));
        }
        let request = Transaction {
            signers: signers.to_vec(),
            payload: user.payload,
            prologue: None,
            checks: Vec::new(),
            epilogue: None,
            budget: Budget::Internal(gas),
            gas_bound: self.engine().limits().gas_per_transaction,
            step_gas: 0,
            hash: user.hash,
            extent: Extent::Whole,
        };
        self.run_request(&request, view, &mut NoInspector)
    }

    fn run_request(
        &mut self,
        request: &Transaction,
        view: &dyn StateView,
        inspector: &mut dyn Inspector,
    ) -> Result<TransactionOutcome, HostError> {
        let run = |runner: &mut Runner| match runner {
            Runner::Wasm(instance) => instance.transaction(request, view),
            Runner::Native(instance) => instance.transaction(request, view),
        };
        Ok(match self.tried(inspector, run)? {
            Tried::Done(TransactionOutput::Kept(output)) => TransactionOutcome::Kept(output),
            Tried::Done(TransactionOutput::Discarded(failure)) => {
                TransactionOutcome::Discarded(self.engine().flow().reason(failure))
            }
            Tried::Fault(fault) => TransactionOutcome::SandboxFault(fault),
        })
    }

    /// BCS of the authentication key of a sender who is taken at their word; without an account any key does.
    fn authentication_key(
        &mut self,
        transaction: &UserTransaction,
        view: &dyn StateView,
    ) -> Result<Vec<u8>, HostError> {
        let engine = self.engine().clone();
        let function = &engine.flow().authentication_key;
        let call = Call {
            module: function.module.clone(),
            function: function.function.clone(),
            ty_args: Vec::new(),
            signers: Vec::new(),
            args: vec![transaction.sender.0.to_vec()],
            access: Access::Any,
            gas_limit: engine.flow().step_gas,
            txn_hash: transaction.hash,
        };
        let outcome = self.execute(&call, view)?;
        Ok(match outcome.success().map(|output| &output.outcome) {
            Some(Outcome::Returned { values, .. }) if values.len() == 1 => values[0].bcs.clone(),
            _ => key_bcs(&[]),
        })
    }
}
