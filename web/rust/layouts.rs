//! The structs of the modules that were seen.

use monomove_format::CompiledModule;
use monomove_text::{StructLayout, StructLayouts, signature_tags, struct_layout};
use monomove_types::{ModuleId, StructTag, TypeTag};
use monomove_verifier::{PublishedModules, VerifierResult};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Modules by their identity. A copy shares them.
#[derive(Clone, Debug, Default)]
pub struct ModuleLayouts {
    modules: BTreeMap<ModuleId, Arc<CompiledModule>>,
}

impl ModuleLayouts {
    /// Adds a module, or replaces the one of the same name.
    pub fn insert(&mut self, id: ModuleId, module: CompiledModule) {
        self.modules.insert(id, Arc::new(module));
    }

    /// The module under `id`.
    pub fn module(&self, id: &ModuleId) -> Option<&CompiledModule> {
        self.modules.get(id).map(|module| &**module)
    }

    /// The types of a function's parameters.
    pub fn parameters(
        &self,
        id: &ModuleId,
        function: &str,
        ty_args: &[TypeTag],
    ) -> Option<Vec<TypeTag>> {
        let module = self.module(id)?;
        let definitions = module.function_defs.iter();
        let mut handles = definitions.map(|d| module.handle_of_definition(d));
        let named =
            handles.find(|handle| module.identifier_at(handle.name).as_str() == function)?;
        signature_tags(module, named.parameters, ty_args)
    }
}

impl PublishedModules for ModuleLayouts {
    fn module(&self, id: &ModuleId) -> VerifierResult<Option<Arc<CompiledModule>>> {
        Ok(self.modules.get(id).cloned())
    }
}

impl StructLayouts for ModuleLayouts {
    fn layout(&self, tag: &StructTag) -> Option<StructLayout> {
        struct_layout(self.module(&tag.module_id())?, tag)
    }
}
