//! The modules that `monomove verify` links against: the files themselves, other files, a state on disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use monomove::{DiskState, DiskView, ModuleId, StateKey, StateView};
use monomove_format::CompiledModule;
use monomove_verifier::{VerifierResult, link_module, link_script};

use super::super::exit::CliError;
use super::super::input::{self, Binary};
use super::super::progress::while_waiting;
use super::binaries_in;

/// Modules by name: those given first count.
pub(super) struct Library {
    modules: BTreeMap<ModuleId, Option<CompiledModule>>,
    state: Option<DiskView>,
}

impl Library {
    /// Reads the modules at or below `deps`, and opens the state in `state`. What cannot be read is left out: it is then missing.
    pub(super) fn open(deps: &[PathBuf], state: Option<&Path>) -> Result<Self, CliError> {
        let state = match state {
            Some(dir) => Some(while_waiting(|| DiskState::open(dir))?.view()?),
            None => None,
        };
        let mut library = Self {
            modules: BTreeMap::new(),
            state,
        };
        for path in deps {
            for file in monomove_tests::mv_files(path)? {
                for (_, bytes) in binaries_in(&file)? {
                    library.add(&bytes);
                }
            }
        }
        Ok(library)
    }

    /// Adds what is being verified: it takes the place of other modules of its name.
    pub(super) fn shadow(&mut self, bytes: &[u8]) {
        if let Ok(Binary::Module(module)) = input::parse(bytes) {
            self.modules.insert(module.self_id(), Some(*module));
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        if let Ok(Binary::Module(module)) = input::parse(bytes) {
            self.modules
                .entry(module.self_id())
                .or_insert(Some(*module));
        }
    }

    /// Links a verified binary.
    pub(super) fn link(&mut self, binary: &Binary) -> Result<VerifierResult, CliError> {
        let names = match binary {
            Binary::Module(module) => module.immediate_dependencies(),
            Binary::Script(script) => script.immediate_dependencies(),
        };
        for name in &names {
            self.fetch(name)?;
        }
        let found = names
            .iter()
            .filter_map(|name| self.modules.get(name)?.as_ref());
        Ok(match binary {
            Binary::Module(module) => link_module(module, found),
            Binary::Script(script) => link_script(script, found),
        })
    }

    /// Looks a module up in the state, once.
    fn fetch(&mut self, id: &ModuleId) -> Result<(), CliError> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        if !self.modules.contains_key(id) {
            let stored = state
                .get(&StateKey::module(id.clone()))
                .map_err(|error| CliError::from(error.to_string()))?;
            let module = stored.and_then(|bytes| CompiledModule::deserialize(&bytes).ok());
            self.modules.insert(id.clone(), module);
        }
        Ok(())
    }
}
