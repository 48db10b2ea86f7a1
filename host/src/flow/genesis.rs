//! The first state of a chain: our own standard library and framework at `0x1`, set up, and first accounts.

use super::config::FunctionName;
use crate::engine::Engine;
use crate::outcome::{HostError, SandboxFault, TransactionOutcome};
use crate::sandbox::Sandbox;
use crate::state::{Fork, MemoryState, ModuleError};
use monomove_core::{Access, Call, Failure, Outcome, WriteOp};
use monomove_format::CompiledModule;
use monomove_stdlib as stdlib;
use monomove_types::{AccountAddress, StateKey};
use sha3::{Digest, Sha3_256};
use thiserror::Error;

/// Hashed before a number: the hash of a call of the genesis.
const HASH_PREFIX: &[u8] = b"MONOMOVE::Genesis";

/// How a chain begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Number of the chain.
    pub chain_id: u8,
    /// Microseconds since 1970.
    pub time_micros: u64,
    /// First accounts and their balances.
    pub accounts: Vec<(AccountAddress, u64)>,
}

impl Default for Genesis {
    /// Chain 4, as local networks are, in November 2023, without accounts.
    fn default() -> Self {
        Self {
            chain_id: 4,
            time_micros: 1_700_000_000_000_000,
            accounts: Vec::new(),
        }
    }
}

/// Why there is no first state.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GenesisError {
    /// An embedded module cannot be read.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// The host could not carry it out.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A function of the genesis failed.
    #[error("{function} failed: {} ({:?})", .failure.status, .failure.sub_status)]
    Failed {
        /// Which.
        function: FunctionName,
        /// How.
        failure: Box<Failure>,
    },
    /// The sandbox broke.
    #[error(transparent)]
    Fault(#[from] SandboxFault),
}

impl Genesis {
    /// The first state as a change of an empty one, in the order of the keys.
    pub fn writes(&self, engine: &Engine) -> Result<Vec<(StateKey, WriteOp)>, GenesisError> {
        let empty = MemoryState::new();
        let mut state = Fork::new(&empty);
        for (_, bytes) in stdlib::std_and_framework() {
            let module = CompiledModule::deserialize(bytes).map_err(ModuleError::from)?;
            let key = StateKey::module(module.self_id());
            state.apply(&[(key, WriteOp::Create(bytes.to_vec()))]);
        }
        let mut sandbox = Sandbox::new(engine);
        for (number, (function, args)) in (0u64..).zip(self.calls(engine)) {
            let hash = Sha3_256::new()
                .chain_update(HASH_PREFIX)
                .chain_update(number.to_le_bytes())
                .finalize();
            let call = Call {
                module: function.module.clone(),
                function: function.function.clone(),
                ty_args: Vec::new(),
                signers: vec![AccountAddress::ONE],
                args,
                access: Access::Any,
                gas_limit: engine.limits().gas_per_transaction,
                txn_hash: hash.into(),
            };
            let failed = |failure: Failure| GenesisError::Failed {
                function: function.clone(),
                failure: Box::new(failure),
            };
            match sandbox.execute(&call, &state)? {
                TransactionOutcome::Kept(output) => match output.outcome {
                    Outcome::Returned { .. } => state.apply(&output.writes),
                    Outcome::Failed(failure) => return Err(failed(failure)),
                },
                TransactionOutcome::Discarded(failure) => return Err(failed(failure)),
                TransactionOutcome::SandboxFault(fault) => return Err(fault.into()),
            }
        }
        Ok(state.into_writes())
    }

    /// The first state in memory.
    pub fn state(&self, engine: &Engine) -> Result<MemoryState, GenesisError> {
        let writes = self.writes(engine)?.into_iter();
        let values = writes.filter_map(|(key, op)| match op {
            WriteOp::Create(bytes) | WriteOp::Modify(bytes) => Some((key, bytes)),
            WriteOp::Delete => None,
        });
        Ok(values.collect())
    }

    /// The functions to call as the framework, and their arguments.
    fn calls(&self, engine: &Engine) -> Vec<(FunctionName, Vec<Vec<u8>>)> {
        let flow = engine.flow();
        let word = |number: u64| number.to_le_bytes().to_vec();
        let chain = vec![vec![self.chain_id], word(self.time_micros)];
        let accounts = self.accounts.iter().map(|(address, balance)| {
            let args = vec![address.0.to_vec(), word(*balance)];
            (flow.create_account.clone(), args)
        });
        std::iter::once((flow.initialize.clone(), chain))
            .chain(accounts)
            .collect()
    }
}
