//! From a signed transaction to one that can be executed.

use super::transaction::{Authentication, UserTransaction};
use crate::transaction::{
    EntryFunction, Executable, ReplayProtection, Script, SignedTransaction, Transaction,
    TransactionRules,
};
use monomove_core::{Failure, Location, TransactionPayload};
use monomove_types::StatusCode;

impl UserTransaction {
    /// Decodes a signed transaction, verifies its signatures and checks its form. The failure says why it is discarded.
    #[allow(
        clippy::result_large_err,
        reason = "a failure is what a discarded transaction ends as"
    )]
    pub fn from_bytes(bytes: &[u8], rules: &TransactionRules) -> Result<Self, Failure> {
        Self::of(Transaction::from_bytes(bytes, rules)?, bytes.len() as u64)
    }

    /// Like [`from_bytes`](Self::from_bytes), from a transaction that is decoded.
    #[allow(
        clippy::result_large_err,
        reason = "a failure is what a discarded transaction ends as"
    )]
    pub fn from_signed(
        signed: &SignedTransaction,
        rules: &TransactionRules,
    ) -> Result<Self, Failure> {
        Self::of(signed.check(rules)?, signed.encode().len() as u64)
    }

    #[allow(
        clippy::result_large_err,
        reason = "a failure is what a discarded transaction ends as"
    )]
    fn of(checked: Transaction, size: u64) -> Result<Self, Failure> {
        let refused = |status, message: &str| Failure {
            status,
            sub_status: None,
            message: Some(message.to_owned()),
            location: Location::Undefined,
            function: None,
            function_index: None,
            offset: None,
        };
        let ReplayProtection::SequenceNumber(sequence_number) = checked.replay else {
            let message = "nonces are not supported by the framework";
            return Err(refused(StatusCode::FEATURE_UNDER_GATING, message));
        };
        if checked.fee_payer.is_some() {
            let message = "fee payers are not supported by the framework";
            return Err(refused(StatusCode::FEATURE_UNDER_GATING, message));
        }
        let payload = match checked.executable {
            Executable::EntryFunction(EntryFunction {
                module,
                function,
                type_args,
                args,
            }) => TransactionPayload::EntryFunction {
                module,
                function,
                ty_args: type_args,
                args,
            },
            Executable::Script(Script {
                code,
                type_args,
                args,
            }) => TransactionPayload::Script {
                code,
                ty_args: type_args,
                args: args.iter().map(|arg| arg.to_bcs()).collect(),
            },
            Executable::Empty => {
                let message = "the payload is empty";
                return Err(refused(StatusCode::EMPTY_PAYLOAD_PROVIDED, message));
            }
        };
        let secondary = checked.secondary;
        Ok(Self {
            sender: checked.sender.address,
            secondary_signers: secondary.iter().map(|signer| signer.address).collect(),
            authentication: Authentication::Keys {
                sender: checked.sender.authentication_key.to_vec(),
                secondary: secondary
                    .iter()
                    .map(|signer| signer.authentication_key.to_vec())
                    .collect(),
            },
            sequence_number,
            payload,
            max_gas: checked.max_gas_amount,
            gas_price: checked.gas_unit_price,
            expiration_seconds: checked.expiration_timestamp_secs,
            chain_id: checked.chain_id,
            hash: checked.hash,
            size,
        })
    }
}
