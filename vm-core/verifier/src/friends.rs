//! Friends: not the module itself, and at its own address (verifier spec §8).

use crate::{VerifierError, VerifierResult};
use monomove_format::CompiledModule;
use monomove_types::StatusCode;

pub(crate) fn verify(module: &CompiledModule) -> VerifierResult {
    let own = module.self_handle();
    if module.friend_decls.contains(own) {
        return Err(VerifierError::new(
            StatusCode::INVALID_FRIEND_DECL_WITH_SELF,
            "the module is its own friend",
        ));
    }
    // Addresses are unique in their table, so equal indices are equal addresses.
    match module
        .friend_decls
        .iter()
        .position(|friend| friend.address != own.address)
    {
        None => Ok(()),
        Some(index) => Err(VerifierError::new(
            StatusCode::INVALID_FRIEND_DECL_WITH_MODULES_OUTSIDE_ACCOUNT_ADDRESS,
            format!("friend {index} is at another address"),
        )),
    }
}
