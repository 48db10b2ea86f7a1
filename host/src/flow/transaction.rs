//! A transaction as a user sends it, and what the machine makes of it.

use super::config::FlowConfig;
use monomove_core::{Budget, Check, Extent, Failure, Location, Transaction, TransactionPayload};
use monomove_types::{AccountAddress, StatusCode};
use serde::Serialize;
use sha3::{Digest, Sha3_256};

/// Hashed before the contents of a transaction that has no wire form.
const HASH_PREFIX: &[u8] = b"MONOMOVE::UserTransaction";

/// What is known about who signed a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Authentication {
    /// Signatures were verified; the authentication keys that the keys behind them give, which must be those of the accounts.
    Keys {
        /// That of the sender.
        sender: Vec<u8>,
        /// Those of the secondary signers, in their order.
        secondary: Vec<Vec<u8>>,
    },
    /// All signers are taken at their word, as in a simulation.
    Trusted,
}

/// A transaction as a user sends it. Nothing is known about it but who signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserTransaction {
    /// Who sends it and pays for it.
    pub sender: AccountAddress,
    /// Who else signs it.
    pub secondary_signers: Vec<AccountAddress>,
    /// Who signed it.
    pub authentication: Authentication,
    /// The number of the sender's transactions before it.
    pub sequence_number: u64,
    /// What it is sent for.
    pub payload: TransactionPayload,
    /// Gas units that it may use.
    pub max_gas: u64,
    /// Price of a gas unit.
    pub gas_price: u64,
    /// The second, since 1970, from which on it is void.
    pub expiration_seconds: u64,
    /// The chain that it is for.
    pub chain_id: u8,
    /// Its hash: what new tables are named by.
    pub hash: [u8; 32],
    /// Bytes of its wire form, which are charged for.
    pub size: u64,
}

impl UserTransaction {
    /// Gives a transaction that has no wire form a hash and a size, from its contents.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        (self.hash, self.size) = ([0; 32], 0);
        // Types that nest too deeply have no byte form; such a transaction is refused before it runs.
        let contents = bcs::to_bytes(&self).unwrap_or_default();
        self.size = contents.len() as u64;
        self.hash = Sha3_256::new()
            .chain_update(HASH_PREFIX)
            .chain_update(&contents)
            .finalize()
            .into();
        self
    }

    /// Sender and secondary signers.
    pub fn signers(&self) -> Vec<AccountAddress> {
        std::iter::once(self.sender)
            .chain(self.secondary_signers.iter().copied())
            .collect()
    }

    /// Why it is refused, if that can be said without looking at the state.
    pub(super) fn refusal(&self) -> Option<Failure> {
        let refused = |status, message: &str| {
            Some(Failure {
                status,
                sub_status: None,
                message: Some(message.to_owned()),
                location: Location::Undefined,
                function: None,
                function_index: None,
                offset: None,
            })
        };
        let mut signers = self.signers();
        signers.sort_unstable();
        if signers.windows(2).any(|pair| pair[0] == pair[1]) {
            return refused(
                StatusCode::SIGNERS_CONTAIN_DUPLICATES,
                "an account signs twice",
            );
        }
        if let Authentication::Keys { secondary, .. } = &self.authentication
            && secondary.len() != self.secondary_signers.len()
        {
            return refused(
                StatusCode::SECONDARY_KEYS_ADDRESSES_COUNT_MISMATCH,
                "there are more or fewer keys than secondary signers",
            );
        }
        let ty_args = match &self.payload {
            TransactionPayload::EntryFunction { ty_args, .. }
            | TransactionPayload::Script { ty_args, .. } => ty_args.as_slice(),
            TransactionPayload::Modules(_) => &[],
        };
        if let Some(error) = ty_args.iter().find_map(|tag| tag.check_nesting().err()) {
            return refused(StatusCode::TYPE_TAG_LIMIT_EXCEEDED, &error.to_string());
        }
        None
    }

    /// The machine's transaction. `sender_key` is the BCS of the sender's authentication key.
    pub(super) fn to_machine(
        &self,
        config: &FlowConfig,
        sender_key: Vec<u8>,
        gas_bound: u64,
        extent: Extent,
    ) -> Transaction {
        let word = |number: u64| number.to_le_bytes().to_vec();
        let secondary_keys = match &self.authentication {
            Authentication::Keys { secondary, .. } => secondary.as_slice(),
            Authentication::Trusted => &[],
        };
        let check = |(n, signer): (usize, &AccountAddress)| Check {
            step: config
                .authentication_key
                .step(Vec::new(), vec![signer.0.to_vec()]),
            expected: secondary_keys.get(n).map(|key| key_bcs(key)),
            otherwise: StatusCode::INVALID_AUTH_KEY,
            on_failure: StatusCode::SENDING_ACCOUNT_DOES_NOT_EXIST,
        };
        let checks = self.secondary_signers.iter().enumerate().map(check);
        Transaction {
            signers: self.signers(),
            payload: self.payload.clone(),
            prologue: Some(config.prologue.step(
                vec![self.sender],
                vec![
                    word(self.sequence_number),
                    sender_key,
                    word(self.gas_price),
                    word(self.max_gas),
                    word(self.expiration_seconds),
                    vec![self.chain_id],
                ],
            )),
            checks: checks.collect(),
            epilogue: Some(config.epilogue.step(
                vec![self.sender],
                vec![word(self.gas_price), word(self.max_gas)],
            )),
            budget: Budget::Units {
                max_gas: self.max_gas,
                price: self.gas_price,
                size: self.size,
            },
            gas_bound,
            step_gas: config.step_gas,
            hash: self.hash,
            extent,
        }
    }
}

/// A `vector<u8>` as BCS.
pub(super) fn key_bcs(key: &[u8]) -> Vec<u8> {
    bcs::to_bytes(key).unwrap_or_default()
}
