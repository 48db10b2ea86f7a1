//! What can be said about a transaction without the state: form, signatures, bounds.

use super::{
    AccountAuthenticator, Authenticator, EntryFunction, Executable, Payload, Script,
    SignedTransaction,
};
use ed25519_dalek::{Signature, VerifyingKey};
use monomove_core::{Access, Call, Failure, Location};
use monomove_types::{AccountAddress, StatusCode};
use std::collections::BTreeSet;

/// Internal gas in a gas unit.
const GAS_UNIT: u64 = 1_000_000;

/// What a chain asks of every transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionRules {
    /// The chain.
    pub chain_id: u8,
    /// Bytes of the byte form.
    pub max_bytes: usize,
    /// Gas units of a transaction.
    pub max_gas_amount: u64,
    /// Lowest price of a gas unit.
    pub min_gas_unit_price: u64,
    /// Highest price of a gas unit.
    pub max_gas_unit_price: u64,
}

impl Default for TransactionRules {
    fn default() -> Self {
        Self {
            chain_id: 4,
            max_bytes: 64 << 10,
            max_gas_amount: 2_000_000,
            min_gas_unit_price: 0,
            max_gas_unit_price: 10_000_000_000,
        }
    }
}

/// What keeps a transaction from being executed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplayProtection {
    /// Its number among the sender's.
    SequenceNumber(u64),
    /// A nonce: the order among the sender's is free.
    Nonce(u64),
}

/// An account that verifiably signed, if its authentication key is this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signer {
    /// The account.
    pub address: AccountAddress,
    /// Derived from the key that signed.
    pub authentication_key: [u8; 32],
}

/// A checked transaction: payload and metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// What to run: a script or an entry function.
    pub executable: Executable,
    /// Who sent it.
    pub sender: Signer,
    /// Further signers, in order.
    pub secondary: Vec<Signer>,
    /// Who pays, if it is not the sender.
    pub fee_payer: Option<Signer>,
    /// What keeps it from being executed twice.
    pub replay: ReplayProtection,
    /// Gas units it may use.
    pub max_gas_amount: u64,
    /// What is paid for a gas unit.
    pub gas_unit_price: u64,
    /// From this second since 1970 on it is invalid.
    pub expiration_timestamp_secs: u64,
    /// The chain it is for.
    pub chain_id: u8,
    /// Hash of the signed transaction.
    pub hash: [u8; 32],
}

fn discard(status: StatusCode, message: impl Into<String>) -> Failure {
    Failure {
        status,
        sub_status: None,
        message: Some(message.into()),
        location: Location::Undefined,
        function: None,
        function_index: None,
        offset: None,
    }
}

impl Transaction {
    /// Decodes and checks a transaction. The failure says why it is discarded.
    #[allow(
        clippy::result_large_err,
        reason = "a failure is what a discarded transaction ends as"
    )]
    pub fn from_bytes(bytes: &[u8], rules: &TransactionRules) -> Result<Self, Failure> {
        if bytes.len() > rules.max_bytes {
            return Err(too_large(bytes.len(), rules));
        }
        SignedTransaction::decode(bytes)
            .map_err(|error| discard(error.status(), error.to_string()))?
            .check(rules)
    }

    /// All signers, the sender first.
    pub fn signers(&self) -> impl Iterator<Item = &Signer> {
        [&self.sender].into_iter().chain(&self.secondary)
    }

    /// The call of its payload for the core, which may use all of its gas.
    #[allow(
        clippy::result_large_err,
        reason = "a failure is what a discarded transaction ends as"
    )]
    pub fn call(&self) -> Result<Call, Failure> {
        match &self.executable {
            Executable::EntryFunction(EntryFunction {
                module,
                function,
                type_args,
                args,
            }) => Ok(Call {
                module: module.clone(),
                function: function.clone(),
                ty_args: type_args.clone(),
                signers: self.signers().map(|signer| signer.address).collect(),
                args: args.clone(),
                access: Access::Entry,
                gas_limit: self.max_gas_amount.saturating_mul(GAS_UNIT),
                txn_hash: self.hash,
            }),
            Executable::Script(Script { .. }) => Err(discard(
                StatusCode::FEATURE_UNDER_GATING,
                "scripts are not supported",
            )),
            Executable::Empty => Err(discard(
                StatusCode::EMPTY_PAYLOAD_PROVIDED,
                "the payload is empty",
            )),
        }
    }
}

fn too_large(len: usize, rules: &TransactionRules) -> Failure {
    discard(
        StatusCode::EXCEEDED_MAX_TRANSACTION_SIZE,
        format!("{len} bytes; at most {} are admitted", rules.max_bytes),
    )
}

impl SignedTransaction {
    /// Verifies the signatures (Ed25519, strictly) and checks what can be checked without the state. The failure says why the
    /// transaction is discarded.
    #[allow(
        clippy::result_large_err,
        reason = "a failure is what a discarded transaction ends as"
    )]
    pub fn check(&self, rules: &TransactionRules) -> Result<Transaction, Failure> {
        let raw = &self.raw;
        let len = self.encode().len();
        if len > rules.max_bytes {
            return Err(too_large(len, rules));
        }
        if raw.chain_id != rules.chain_id {
            let text = format!("for chain {}, not {}", raw.chain_id, rules.chain_id);
            return Err(discard(StatusCode::BAD_CHAIN_ID, text));
        }
        let bound = |status, what: &str, value: u64, bound: u64| {
            Err(discard(
                status,
                format!("{what} {value}; the bound is {bound}"),
            ))
        };
        if raw.max_gas_amount > rules.max_gas_amount {
            let status = StatusCode::MAX_GAS_UNITS_EXCEEDS_MAX_GAS_UNITS_BOUND;
            return bound(
                status,
                "gas limit",
                raw.max_gas_amount,
                rules.max_gas_amount,
            );
        }
        let price = raw.gas_unit_price;
        if price < rules.min_gas_unit_price {
            let status = StatusCode::GAS_UNIT_PRICE_BELOW_MIN_BOUND;
            return bound(status, "gas price", price, rules.min_gas_unit_price);
        }
        if price > rules.max_gas_unit_price {
            let status = StatusCode::GAS_UNIT_PRICE_ABOVE_MAX_BOUND;
            return bound(status, "gas price", price, rules.max_gas_unit_price);
        }
        let (executable, nonce) = self.executable()?;
        let (sender, secondary, fee_payer) = self.signers()?;
        Ok(Transaction {
            executable,
            sender,
            secondary,
            fee_payer,
            replay: nonce.map_or(
                ReplayProtection::SequenceNumber(raw.sequence_number),
                ReplayProtection::Nonce,
            ),
            max_gas_amount: raw.max_gas_amount,
            gas_unit_price: price,
            expiration_timestamp_secs: raw.expiration_timestamp_secs,
            chain_id: raw.chain_id,
            hash: self.hash(),
        })
    }

    /// What to run, and the nonce.
    #[allow(clippy::result_large_err, reason = "as `check`")]
    fn executable(&self) -> Result<(Executable, Option<u64>), Failure> {
        let gated = |what| Err(discard(StatusCode::FEATURE_UNDER_GATING, what));
        match &self.raw.payload {
            Payload::Script(script) => Ok((Executable::Script(script.clone()), None)),
            Payload::EntryFunction(function) => {
                Ok((Executable::EntryFunction(function.clone()), None))
            }
            Payload::Multisig { .. }
            | Payload::V1 {
                multisig_address: Some(_),
                ..
            } => gated("multisig accounts are not supported"),
            Payload::V1 {
                executable: Executable::Empty,
                ..
            } => Err(discard(
                StatusCode::EMPTY_PAYLOAD_PROVIDED,
                "the payload is empty",
            )),
            Payload::V1 {
                executable, nonce, ..
            } => Ok((executable.clone(), *nonce)),
        }
    }

    /// The accounts that signed: sender, further signers, payer. Every signature is verified.
    #[allow(clippy::result_large_err, reason = "as `check`")]
    fn signers(&self) -> Result<(Signer, Vec<Signer>, Option<Signer>), Failure> {
        let sender_address = self.raw.sender;
        match &self.authenticator {
            Authenticator::Ed25519(sender) => {
                let message = self.raw.signing_message();
                let sender = verified(sender_address, sender, &[&message])?;
                Ok((sender, Vec::new(), None))
            }
            Authenticator::MultiAgent {
                sender,
                secondary_addresses,
                secondary,
            } => {
                let message = self.raw.signing_message_with(secondary_addresses, None);
                distinct([sender_address].iter().chain(secondary_addresses))?;
                let sender = verified(sender_address, sender, &[&message])?;
                let secondary = all_verified(secondary_addresses, secondary, &[&message])?;
                Ok((sender, secondary, None))
            }
            Authenticator::FeePayer {
                sender,
                secondary_addresses,
                secondary,
                fee_payer,
                fee_payer_authenticator,
            } => {
                // Signers need not know who will pay: they may sign for the payer 0x0.
                let message = |payer| {
                    self.raw
                        .signing_message_with(secondary_addresses, Some(payer))
                };
                let (open, full) = (message(AccountAddress::ZERO), message(*fee_payer));
                distinct([sender_address].iter().chain(secondary_addresses))?;
                let sender = verified(sender_address, sender, &[&full, &open])?;
                let secondary = all_verified(secondary_addresses, secondary, &[&full, &open])?;
                let payer = verified(*fee_payer, fee_payer_authenticator, &[&full])?;
                Ok((sender, secondary, Some(payer)))
            }
            Authenticator::Unsupported { .. } => Err(discard(
                StatusCode::FEATURE_UNDER_GATING,
                "the kind of authenticator is not supported",
            )),
        }
    }
}

#[allow(clippy::result_large_err, reason = "as `check`")]
fn distinct<'a>(addresses: impl Iterator<Item = &'a AccountAddress>) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for address in addresses {
        if !seen.insert(address) {
            let text = format!("{address} signs twice");
            return Err(discard(StatusCode::SIGNERS_CONTAIN_DUPLICATES, text));
        }
    }
    Ok(())
}

#[allow(clippy::result_large_err, reason = "as `check`")]
fn all_verified(
    addresses: &[AccountAddress],
    authenticators: &[AccountAuthenticator],
    messages: &[&[u8]],
) -> Result<Vec<Signer>, Failure> {
    if addresses.len() != authenticators.len() {
        let text = format!(
            "{} further signers, {} signatures",
            addresses.len(),
            authenticators.len()
        );
        let status = StatusCode::SECONDARY_KEYS_ADDRESSES_COUNT_MISMATCH;
        return Err(discard(status, text));
    }
    addresses
        .iter()
        .zip(authenticators)
        .map(|(address, authenticator)| verified(*address, authenticator, messages))
        .collect()
}

/// The signer, if the signature is one of any of `messages`.
#[allow(clippy::result_large_err, reason = "as `check`")]
fn verified(
    address: AccountAddress,
    authenticator: &AccountAuthenticator,
    messages: &[&[u8]],
) -> Result<Signer, Failure> {
    let signature = Signature::from_bytes(&authenticator.signature);
    let is_valid = VerifyingKey::from_bytes(&authenticator.public_key).is_ok_and(|key| {
        messages
            .iter()
            .any(|message| key.verify_strict(message, &signature).is_ok())
    });
    if !is_valid {
        let text = format!("the signature of {address} is not valid");
        return Err(discard(StatusCode::INVALID_SIGNATURE, text));
    }
    Ok(Signer {
        address,
        authentication_key: authenticator.authentication_key(),
    })
}
