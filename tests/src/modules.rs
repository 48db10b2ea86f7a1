//! The modules of a corpus, read, by name.

use std::collections::HashMap;

use monomove_format::{Bytecode, CompiledModule};

use crate::load::ModuleBinary;

/// Modules by their canonical names; later ones replace earlier ones, as in [`Executor::load`](crate::Executor::load).
#[derive(Debug, Default)]
pub struct Modules {
    by_name: HashMap<String, CompiledModule>,
}

impl Modules {
    /// Reads modules. What cannot be read is left out: the machine says what is wrong with it.
    pub fn read(binaries: &[ModuleBinary]) -> Self {
        let modules = binaries
            .iter()
            .filter_map(|binary| CompiledModule::deserialize(&binary.bytes).ok());
        Self {
            by_name: modules.map(|m| (m.self_id().to_string(), m)).collect(),
        }
    }

    /// The module of this canonical name.
    pub fn get(&self, name: &str) -> Option<&CompiledModule> {
        self.by_name.get(name)
    }

    /// An instruction: of module `name`, function definition `index`, at `offset`.
    pub(crate) fn instruction(
        &self,
        name: &str,
        index: u16,
        offset: u16,
    ) -> Option<(&CompiledModule, &Bytecode)> {
        let module = self.get(name)?;
        let unit = module
            .function_defs
            .get(usize::from(index))?
            .code
            .as_ref()?;
        Some((module, unit.code.get(usize::from(offset))?))
    }
}
