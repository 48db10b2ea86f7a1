//! Transactions: what a sender signs, how it arrives as bytes or JSON, and what is left of it once it is checked.
//!
//! The forms, from the wire inwards:
//!
//! - [`SignedTransaction`]: a [`RawTransaction`] and an [`Authenticator`], with the byte form and the hashes of Aptos;
//! - [`Transaction`]: payload and metadata after [`SignedTransaction::check`], every signature verified and every authentication key
//!   derived; nothing in it needs to be believed but what only the state can tell (keys, sequence numbers, balances);
//! - [`Call`](crate::Call): what the core runs.
//!
//! The JSON form is that of serde: see [`SignedTransaction`].

mod authenticator;
mod check;
mod codec;
mod json;
mod raw;

pub use authenticator::{AccountAuthenticator, Authenticator};
pub use check::{ReplayProtection, Signer, Transaction, TransactionRules};
pub use codec::{DecodeError, DecodeErrorKind};
pub use raw::{EntryFunction, Executable, Payload, RawTransaction, Script, ScriptArgument};

use serde::{Deserialize, Serialize};
use sha3::{Digest, Sha3_256};

/// A transaction with its signatures.
///
/// The byte form ([`encode`](Self::encode), [`decode`](Self::decode)) is that of Aptos. The JSON form for people reads back to an equal
/// value; bytes are `0x` and hexadecimal digits, numbers of more than 64 bits are text, `args` of an entry function are BCS:
///
/// ```
/// let text = r#"{
///   "raw": {
///     "sender": "0xa550c18",
///     "sequence_number": 0,
///     "payload": {
///       "entry_function": {
///         "module": "0x1222::aptos_coin",
///         "function": "transfer",
///         "type_args": [],
///         "args": ["0x00000000000000000000000000000000000000000000000000000000000000dd", "0x0100000000000000"]
///       }
///     },
///     "max_gas_amount": 2000,
///     "gas_unit_price": 0,
///     "expiration_timestamp_secs": 18446744073709551615,
///     "chain_id": 4
///   },
///   "authenticator": {
///     "ed25519": {
///       "public_key": "0xb9c6ee1630ef3e711144a648db06bbb2284f7274cfbee53ffcee503cc1a49200",
///       "signature": "0x9c570996380897f38b8d7008d726fb45d6ded0689216e56b73f523492cba92deb6671c27e9a44d2a6fdfdb497420d00c621297a23d6d0298895e0d58cff6060c"
///     }
///   }
/// }"#;
/// use monomove::{ReplayProtection, SignedTransaction, TransactionRules};
/// let signed: SignedTransaction = serde_json::from_str(text)?;
/// let transaction = signed.check(&TransactionRules::default()).expect("its signature is valid");
/// assert_eq!(transaction.replay, ReplayProtection::SequenceNumber(0));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Payloads are `entry_function`, `script`, `multisig` and `v1` (an executable with an optional `nonce`); authenticators `ed25519`,
/// `multi_agent`, `fee_payer` and `unsupported` (the bytes).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedTransaction {
    /// What is signed.
    pub raw: RawTransaction,
    /// Who signed it.
    pub authenticator: Authenticator,
}

impl SignedTransaction {
    /// The hash that names it: of `Transaction::UserTransaction`, as on Aptos.
    pub fn hash(&self) -> [u8; 32] {
        let mut hasher = Sha3_256::new();
        hasher.update(prefix("Transaction"));
        hasher.update([0]);
        hasher.update(self.encode());
        hasher.finalize().into()
    }
}

/// What separates the hashes of one type from those of another: SHA3-256 of `APTOS::` and its name.
fn prefix(name: &str) -> [u8; 32] {
    let mut hasher = Sha3_256::new();
    hasher.update(b"APTOS::");
    hasher.update(name);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests;
