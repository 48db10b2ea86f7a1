//! What a block is made of, and how it begins.

use super::config::FlowConfig;
use super::transaction::UserTransaction;
use monomove_core::{Access, Call, Failure};
use monomove_types::AccountAddress;
use sha3::{Digest, Sha3_256};

/// Hashed before the height: the hash of a block's prologue.
const HASH_PREFIX: &[u8] = b"MONOMOVE::BlockPrologue";

/// A transaction of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockTransaction {
    /// One call, without prologue and epilogue: the machine's own, or one of a chain without accounts.
    Call(Call),
    /// A transaction from prologue to epilogue.
    User(Box<UserTransaction>),
    /// One that is discarded as it is: its bytes do not decode, or a signature is wrong.
    Refused(Box<Failure>),
}

impl From<Call> for BlockTransaction {
    fn from(call: Call) -> Self {
        Self::Call(call)
    }
}

impl From<UserTransaction> for BlockTransaction {
    fn from(transaction: UserTransaction) -> Self {
        Self::User(Box::new(transaction))
    }
}

impl From<Result<UserTransaction, Failure>> for BlockTransaction {
    fn from(transaction: Result<UserTransaction, Failure>) -> Self {
        match transaction {
            Ok(transaction) => Self::from(transaction),
            Err(failure) => Self::Refused(Box::new(failure)),
        }
    }
}

/// What a block says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockMetadata {
    /// Blocks before it, genesis included: 1 for the first.
    pub height: u64,
    /// Microseconds since 1970.
    pub time_micros: u64,
    /// Who proposed it.
    pub proposer: AccountAddress,
}

impl BlockMetadata {
    /// The first transaction of the block: it tells the chain that the block begins.
    pub fn prologue(&self, config: &FlowConfig) -> BlockTransaction {
        let word = |number: u64| number.to_le_bytes().to_vec();
        let hash = Sha3_256::new()
            .chain_update(HASH_PREFIX)
            .chain_update(self.height.to_le_bytes())
            .finalize();
        BlockTransaction::Call(Call {
            module: config.block_prologue.module.clone(),
            function: config.block_prologue.function.clone(),
            ty_args: Vec::new(),
            signers: vec![AccountAddress::ZERO],
            args: vec![
                word(self.height),
                word(self.time_micros),
                self.proposer.0.to_vec(),
            ],
            access: Access::Any,
            gas_limit: config.step_gas,
            txn_hash: hash.into(),
        })
    }
}
