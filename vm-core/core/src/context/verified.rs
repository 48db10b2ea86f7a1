//! Verification of loaded code, once for each content: of what the view does not know to have been verified before.

use crate::stop::{Run, Stop};
use crate::{CheckedCode, CodeToken, StateView};
use monomove_format::CompiledModule;
use monomove_types::StatusCode;
use monomove_verifier::{VerifierConfig, verify_module};
use sha3::{Digest, Sha3_256};
use std::collections::BTreeSet;

/// Contents that are remembered at most; then all are forgotten.
const MAX_REMEMBERED: usize = 1 << 16;

/// The code that passed the verifier. What it knows depends on nothing but content, so it outlives the context.
#[derive(Debug)]
pub(crate) struct Verified {
    config: VerifierConfig,
    modules: BTreeSet<[u8; 32]>,
}

impl Verified {
    pub(crate) fn new(config: VerifierConfig) -> Self {
        Self {
            config,
            modules: BTreeSet::new(),
        }
    }

    /// Makes sure that a stored module, read from `bytes` which the view gave `token` for, passes the verifier. It was published, so it is not the
    /// transaction's fault if it does not.
    pub(crate) fn check(
        &mut self,
        view: &mut dyn StateView,
        token: CodeToken,
        bytes: &[u8],
        module: &CompiledModule,
    ) -> Run<()> {
        let code = CheckedCode::Module(token);
        if view.was_verified(code) {
            return Ok(());
        }
        let hash: [u8; 32] = Sha3_256::digest(bytes).into();
        if self.modules.contains(&hash) {
            view.verified(code);
            return Ok(());
        }
        verify_module(module, &self.config).map_err(|error| {
            Stop::with_message(
                StatusCode::UNEXPECTED_VERIFIER_ERROR,
                format!("a stored module does not pass the verifier: {error}"),
            )
        })?;
        if self.modules.len() >= MAX_REMEMBERED {
            self.modules.clear();
        }
        self.modules.insert(hash);
        view.verified(code);
        Ok(())
    }
}
