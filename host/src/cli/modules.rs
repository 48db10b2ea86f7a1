//! Modules at hand, for commands that look at code without a chain.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use monomove::{ModuleId, StateKey};
use monomove_core::{CodeToken, ModuleCode, StateError, StateView};

use super::exit::CliError;
use super::input::{self, ModuleFile};
use monomove_stdlib as stdlib;

/// What the modules of a command may name besides themselves.
#[derive(Debug, Args)]
pub(crate) struct LibraryArgs {
    /// Do not load our own standard library and framework
    #[arg(long)]
    no_std: bool,
    /// Modules that the others need: a file or a directory
    #[arg(long, value_name = "DIR")]
    deps: Vec<PathBuf>,
}

impl LibraryArgs {
    /// The library, and the modules in `paths` with their identities in the order in which they are read.
    pub(crate) fn load(&self, paths: &[String]) -> Result<(Modules, Vec<ModuleId>), CliError> {
        let (mut modules, mut own) = (Modules::default(), Vec::new());
        if !self.no_std {
            for (name, bytes) in stdlib::std_and_framework() {
                let path = format!("(embedded) {name}");
                modules.add(input::module(path.as_ref(), bytes.to_vec())?);
            }
        }
        for path in &self.deps {
            for file in input::modules(path)? {
                modules.add(file);
            }
        }
        for path in paths {
            for file in input::modules(Path::new(path))? {
                own.push(file.id.clone());
                modules.add(file);
            }
        }
        Ok((modules, own))
    }
}

/// Modules, and nothing else.
#[derive(Default)]
pub(crate) struct Modules(BTreeMap<ModuleId, ModuleFile>);

impl Modules {
    fn add(&mut self, file: ModuleFile) {
        self.0.insert(file.id.clone(), file);
    }

    /// All modules, in the order of their identities.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &ModuleId> {
        self.0.keys()
    }

    /// A module by its identity.
    pub(crate) fn file(&self, id: &ModuleId) -> Option<&ModuleFile> {
        self.0.get(id)
    }
}

impl StateView for Modules {
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, StateError> {
        Ok(self.0.get(id).map(|file| ModuleCode {
            token: CodeToken(0),
            bytes: file.bytes.clone(),
        }))
    }

    fn is_current(&mut self, _token: CodeToken) -> Result<bool, StateError> {
        Ok(true)
    }

    fn value(&mut self, _key: &StateKey) -> Result<Option<Vec<u8>>, StateError> {
        Ok(None)
    }
}
