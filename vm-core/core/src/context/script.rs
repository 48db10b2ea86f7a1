//! Scripts: loaded as modules with one function, kept by the hash of their bytes.

use super::Context;
use super::ids::ModuleRef;
use super::module::Module;
use crate::stop::{Run, Stop};
use crate::{CheckedCode, CodeToken, StateView};
use monomove_format::{CompiledScript, DeserializerConfig, FormatError};
use monomove_types::{AccountAddress, StatusCode};
use monomove_verifier::{VerifierConfig, VerifierError, link_script, verify_script, verify_stable};
use sha3::{Digest, Sha3_256};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Address of the modules that scripts are loaded as.
const ADDRESS: AccountAddress = AccountAddress([0xff; 32]);

/// Bytes of scripts after which the context should be dropped.
const MAX_BYTES: usize = 8 << 20;

/// No view gave out this token: a script is what its hash says, whatever the state holds.
const NO_TOKEN: CodeToken = CodeToken(u32::MAX);

/// The scripts of a context.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    loaded: BTreeMap<[u8; 32], Rc<Module>>,
    ids: BTreeSet<ModuleRef>,
    bytes: usize,
}

impl Context {
    /// The script in `code`, loaded when it is not there yet: verified, and linked against the modules that it names, which the state must have.
    pub(crate) fn script(&mut self, view: &mut dyn StateView, code: &[u8]) -> Run<Rc<Module>> {
        let hash: [u8; 32] = Sha3_256::digest(code).into();
        if let Some(script) = self.scripts.loaded.get(&hash) {
            return Ok(script.clone());
        }
        let config = DeserializerConfig {
            max_version: self.max_version,
            max_identifier_size: super::MAX_IDENTIFIER_BYTES,
        };
        // Not an identifier, so that no code can name the module.
        let mut name = String::from("script ");
        hash.iter()
            .for_each(|byte| name.push_str(&format!("{byte:02x}")));
        let id = self.types.module(ADDRESS, &name)?;
        self.scripts.ids.insert(id);
        self.scripts.bytes += code.len();
        let refused = |status, message: String| Stop::with_message(status, message).in_module(id);
        let unreadable =
            |error: FormatError| refused(StatusCode::CODE_DESERIALIZATION_ERROR, error.to_string());
        let script = CompiledScript::deserialize_with(code, &config).map_err(unreadable)?;
        let not_accepted = |error: VerifierError| refused(error.status, error.message);
        if !self.accept_unstable {
            verify_stable(&script.metadata).map_err(not_accepted)?;
        }
        let checked = CheckedCode::Script(hash);
        if !view.was_verified(checked) {
            verify_script(&script, &VerifierConfig::aptos()).map_err(not_accepted)?;
            view.verified(checked);
        }
        let mut dependencies = Vec::new();
        for dependency in script.immediate_dependencies() {
            let dependency = self.module_ref(&dependency)?;
            dependencies.push(self.module(view, dependency)?);
        }
        link_script(&script, dependencies.iter().map(|module| &module.binary))
            .map_err(not_accepted)?;
        let binary = script.to_module().map_err(unreadable)?;
        let module = Rc::new(Module::new(
            &mut self.types,
            id,
            binary,
            NO_TOKEN,
            code.len(),
        )?);
        self.insert_module(module.clone());
        self.scripts.loaded.insert(hash, module.clone());
        Ok(module)
    }

    /// Whether a module is a loaded script.
    pub(crate) fn is_script(&self, module: ModuleRef) -> bool {
        self.scripts.ids.contains(&module)
    }

    /// Whether so many scripts are kept that the context should be dropped.
    pub(crate) fn has_many_scripts(&self) -> bool {
        self.scripts.bytes > MAX_BYTES
    }
}
