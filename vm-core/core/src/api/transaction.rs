//! A whole transaction as the machine runs it: prologue, payload, epilogue.

use super::{CallOutput, Failure};
use monomove_types::{
    AccountAddress, Identifier, ModuleId, StatusCode, TypeTag, byte_string, byte_strings,
};
use serde::{Deserialize, Serialize};

/// A Move function that the machine runs by itself, whatever its visibility, with gas that nobody pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Module of the function.
    pub module: ModuleId,
    /// Name of the function.
    pub function: Identifier,
    /// Leading `signer` or `&signer` arguments.
    pub signers: Vec<AccountAddress>,
    /// The other arguments as BCS.
    #[serde(with = "byte_strings")]
    pub args: Vec<Vec<u8>>,
}

/// A question that the state must answer as expected before the payload may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// A function with one result.
    pub step: Step,
    /// BCS of the result that it must have; `None`: any.
    pub expected: Option<Vec<u8>>,
    /// Why the transaction is discarded if the result is another.
    pub otherwise: StatusCode,
    /// Why it is discarded if the function fails.
    pub on_failure: StatusCode,
}

/// What a transaction is sent for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransactionPayload {
    /// A call of an entry function.
    EntryFunction {
        /// Module of the function.
        module: ModuleId,
        /// Name of the function.
        function: Identifier,
        /// Type arguments.
        #[serde(with = "super::tag_list")]
        ty_args: Vec<TypeTag>,
        /// Arguments after the signers, as BCS.
        #[serde(with = "byte_strings")]
        args: Vec<Vec<u8>>,
    },
    /// Code that comes with the transaction and runs once.
    Script {
        /// The script in the binary format.
        #[serde(with = "byte_string")]
        code: Vec<u8>,
        /// Type arguments.
        #[serde(with = "super::tag_list")]
        ty_args: Vec<TypeTag>,
        /// Arguments after the signers, as BCS.
        #[serde(with = "byte_strings")]
        args: Vec<Vec<u8>>,
    },
    /// Modules to publish at the sender's address, compatible with those that they replace.
    Modules(#[serde(with = "byte_strings")] Vec<Vec<u8>>),
}

/// How much of a transaction is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Checks and prologue only: whether it would be admitted.
    Admission,
}

/// What a transaction may use, and by which rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Budget {
    /// As on a chain: within the bounds of the schedule, which also charges for the transaction itself, for access to resources and for writes.
    Units {
        /// Gas units.
        max_gas: u64,
        /// Price of a gas unit, for its bounds.
        price: u64,
        /// Bytes of the wire form.
        size: u64,
    },
    /// So much internal gas for execution; nothing else is charged for.
    Internal(u64),
}

/// A transaction. Who may send it is for the prologue to say; that the signers signed it is for the machine's owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The sender, then the secondary signers.
    pub signers: Vec<AccountAddress>,
    /// What it is sent for.
    pub payload: TransactionPayload,
    /// Decides whether the transaction may run; an abort discards it.
    pub prologue: Option<Step>,
    /// Asked after the prologue.
    pub checks: Vec<Check>,
    /// Charges for the transaction: the gas units left (a `u64`) are appended to its arguments.
    pub epilogue: Option<Step>,
    /// What it may use.
    pub budget: Budget,
    /// Internal gas that its owner lets it use at most.
    pub gas_bound: u64,
    /// Internal gas of prologue, checks and epilogue, each.
    pub step_gas: u64,
    /// Hash of the transaction: the seed of table handles.
    pub hash: [u8; 32],
    /// How much of it is run.
    pub extent: Extent,
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one: a box would cost every transaction an allocation"
)]
pub enum TransactionOutput {
    /// It was admitted and is paid for. If its payload failed, what prologue and epilogue did is all that it did. Gas and instructions are
    /// those of the payload, with what the schedule charges for the transaction itself and for its writes.
    Kept(CallOutput),
    /// It was not admitted: nothing happened. An abort of the prologue is given as it is.
    Discarded(Failure),
}
