//! The Move functions that carry the flow, by name, and what their aborts mean.

use monomove_core::{Failure, Location, Step};
use monomove_types::{AccountAddress, Identifier, ModuleId, StatusCode};
use sha3::{Digest, Sha3_256};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A Move function: `0x1::module::function`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FunctionName {
    /// Its module.
    pub module: ModuleId,
    /// Its name in the module.
    pub function: Identifier,
}

/// The text is no function name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no function name: expected one such as 0x1::coin::transfer")]
pub struct FunctionNameError(String);

impl FromStr for FunctionName {
    type Err = FunctionNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (module, function) = text.rsplit_once("::")?;
            Some(Self {
                module: module.parse().ok()?,
                function: function.parse().ok()?,
            })
        };
        parse().ok_or_else(|| FunctionNameError(text.to_owned()))
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.module, self.function)
    }
}

impl FunctionName {
    /// This function as a step of a transaction.
    pub(super) fn step(&self, signers: Vec<AccountAddress>, args: Vec<Vec<u8>>) -> Step {
        Step {
            module: self.module.clone(),
            function: self.function.clone(),
            signers,
            args,
        }
    }
}

/// Which functions carry the flow. The defaults are those of the framework that comes with this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowConfig {
    /// `(sender: signer, sequence_number: u64, authentication_key: vector<u8>, gas_price: u64, max_gas: u64, expiration_seconds: u64,
    /// chain_id: u8)`: admits a transaction, or aborts. Gas here and below is in units.
    pub prologue: FunctionName,
    /// `(sender: signer, gas_price: u64, max_gas: u64, gas_left: u64)`: charges for a transaction.
    pub epilogue: FunctionName,
    /// `(address): vector<u8>`: the authentication key of an account.
    pub authentication_key: FunctionName,
    /// `(vm: signer, height: u64, time_microseconds: u64, proposer: address)`: begins a block.
    pub block_prologue: FunctionName,
    /// `(framework: &signer, chain_id: u8, time_microseconds: u64)`: sets a chain up.
    pub initialize: FunctionName,
    /// `(framework: &signer, address, u64)`: creates an account with its first balance.
    pub create_account: FunctionName,
    /// What abort codes of the prologue mean.
    pub reasons: Vec<(u64, StatusCode)>,
    /// Internal gas that a prologue, an epilogue or a block prologue may use. Nobody pays for it.
    pub step_gas: u64,
}

impl Default for FlowConfig {
    fn default() -> Self {
        let name = |module: &str, function: &str| FunctionName {
            module: ModuleId {
                address: AccountAddress::ONE,
                name: constant(module),
            },
            function: constant(function),
        };
        Self {
            prologue: name("transaction_validation", "prologue"),
            epilogue: name("transaction_validation", "epilogue"),
            authentication_key: name("account", "authentication_key"),
            block_prologue: name("block", "block_prologue"),
            initialize: name("genesis", "initialize"),
            create_account: name("genesis", "create_account_with_balance"),
            reasons: vec![
                (1001, StatusCode::INVALID_AUTH_KEY),
                (1002, StatusCode::SEQUENCE_NUMBER_TOO_OLD),
                (1003, StatusCode::SEQUENCE_NUMBER_TOO_NEW),
                (1004, StatusCode::SENDING_ACCOUNT_DOES_NOT_EXIST),
                (1005, StatusCode::INSUFFICIENT_BALANCE_FOR_TRANSACTION_FEE),
                (1006, StatusCode::TRANSACTION_EXPIRED),
                (1007, StatusCode::BAD_CHAIN_ID),
                (1008, StatusCode::SEQUENCE_NUMBER_TOO_BIG),
            ],
            step_gas: 1_000_000_000,
        }
    }
}

/// An identifier that is written in this file.
#[allow(
    clippy::expect_used,
    reason = "the texts are constants, and a test makes the default"
)]
fn constant(text: &str) -> Identifier {
    Identifier::new(text).expect("a constant identifier")
}

impl FlowConfig {
    /// A hash of all of it: equal hashes, equal flows.
    pub(crate) fn hash(&self) -> [u8; 32] {
        let Self {
            prologue,
            epilogue,
            authentication_key,
            block_prologue,
            initialize,
            create_account,
            reasons,
            step_gas,
        } = self;
        let mut hasher = Sha3_256::new_with_prefix(b"monomove flow\0");
        for function in [
            prologue,
            epilogue,
            authentication_key,
            block_prologue,
            initialize,
            create_account,
        ] {
            // Neither names nor addresses have a line break in them.
            hasher.update(format!("{function}\n"));
        }
        hasher.update(step_gas.to_le_bytes());
        for (code, status) in reasons {
            hasher.update(code.to_le_bytes());
            hasher.update(status.number().to_le_bytes());
        }
        hasher.finalize().into()
    }

    /// Gives the failure of a transaction that was not admitted its validation status: an abort of the prologue is the reason.
    pub(super) fn reason(&self, failure: Failure) -> Failure {
        let from_prologue = failure.location == Location::Module(self.prologue.module.clone());
        let (StatusCode::ABORTED, Some(code), true) =
            (failure.status, failure.sub_status, from_prologue)
        else {
            return failure;
        };
        let known = self.reasons.iter().find(|(reason, _)| *reason == code);
        Failure {
            status: known.map_or(StatusCode::UNKNOWN_VALIDATION_STATUS, |(_, status)| *status),
            ..failure
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_hash_covers_the_configuration() {
        let config = FlowConfig::default();
        let mut others = vec![config.clone(); 4];
        others[0].prologue = config.epilogue.clone();
        others[1].reasons.pop();
        others[2].step_gas += 1;
        (others[3].prologue, others[3].epilogue) =
            (config.epilogue.clone(), config.prologue.clone());
        for other in others {
            assert_ne!(other.hash(), config.hash());
        }
        assert_eq!(config.clone().hash(), config.hash());
    }

    #[test]
    fn names_are_read_and_written() {
        let config = FlowConfig::default();
        assert_eq!(
            config.prologue.to_string(),
            "0x1::transaction_validation::prologue"
        );
        assert_eq!(
            "0x1::transaction_validation::prologue".parse(),
            Ok(config.prologue)
        );
        for bad in ["", "0x1::m", "m::f", "0x1::m::f::g"] {
            assert!(bad.parse::<FunctionName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_aborts_of_the_prologue_are_reasons() {
        let config = FlowConfig::default();
        let failure = |module: &ModuleId, status, code| Failure {
            status,
            sub_status: code,
            message: None,
            location: Location::Module(module.clone()),
            function: None,
            function_index: None,
            offset: None,
        };
        let status = |module, status, code| config.reason(failure(module, status, code)).status;
        let (ours, other) = (&config.prologue.module, &config.block_prologue.module);
        use StatusCode::*;
        assert_eq!(status(ours, ABORTED, Some(1002)), SEQUENCE_NUMBER_TOO_OLD);
        assert_eq!(status(ours, ABORTED, Some(5)), UNKNOWN_VALIDATION_STATUS);
        assert_eq!(status(other, ABORTED, Some(1002)), ABORTED);
        assert_eq!(status(ours, OUT_OF_GAS, None), OUT_OF_GAS);
    }
}
