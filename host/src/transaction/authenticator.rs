//! Who signed a transaction, and with what.

use super::json;
use monomove_types::AccountAddress;
use serde::{Deserialize, Serialize};
use sha3::{Digest, Sha3_256};

/// The signatures of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Authenticator {
    /// The sender's alone.
    Ed25519(AccountAuthenticator),
    /// The sender's and those of further signers.
    MultiAgent {
        /// The sender's.
        sender: AccountAuthenticator,
        /// Who else signs.
        secondary_addresses: Vec<AccountAddress>,
        /// Theirs, in the same order.
        secondary: Vec<AccountAuthenticator>,
    },
    /// Those, and that of the account which pays.
    FeePayer {
        /// The sender's.
        sender: AccountAuthenticator,
        /// Who else signs.
        secondary_addresses: Vec<AccountAddress>,
        /// Theirs, in the same order.
        secondary: Vec<AccountAuthenticator>,
        /// Who pays.
        fee_payer: AccountAddress,
        /// The payer's.
        fee_payer_authenticator: AccountAuthenticator,
    },
    /// Another kind, or one with another kind in it, in its byte form: such a transaction is discarded.
    Unsupported {
        /// The bytes from its tag on.
        #[serde(with = "json::hex_bytes")]
        bytes: Vec<u8>,
    },
}

/// The signature of one account: Ed25519. Other schemes make the [`Authenticator`] an unsupported one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountAuthenticator {
    /// The public key, 32 bytes.
    #[serde(with = "json::hex_bytes")]
    pub public_key: [u8; 32],
    /// The signature, 64 bytes.
    #[serde(with = "json::hex_bytes")]
    pub signature: [u8; 64],
}

impl Authenticator {
    /// Who else signs, besides the sender and whoever pays.
    pub fn secondary_addresses(&self) -> &[AccountAddress] {
        match self {
            Self::MultiAgent {
                secondary_addresses,
                ..
            }
            | Self::FeePayer {
                secondary_addresses,
                ..
            } => secondary_addresses,
            Self::Ed25519(_) | Self::Unsupported { .. } => &[],
        }
    }
}

impl AccountAuthenticator {
    /// What the account must have as its authentication key: SHA3-256 of the public key and the number of the scheme, 0.
    pub fn authentication_key(&self) -> [u8; 32] {
        let mut hasher = Sha3_256::new();
        hasher.update(self.public_key);
        hasher.update([0]);
        hasher.finalize().into()
    }
}
