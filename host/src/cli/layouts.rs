//! Struct layouts for printing, from the modules at hand and those in the state.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use monomove::{ModuleId, StateKey, StateView, StructTag};
use monomove_format::CompiledModule;
use monomove_text::{StructLayout, StructLayouts, struct_layout};

/// Modules by their identity.
#[derive(Debug, Default)]
pub(crate) struct ModuleLayouts {
    /// `None` for what the state had no module for, or nothing readable.
    modules: RefCell<HashMap<ModuleId, Option<Rc<CompiledModule>>>>,
}

impl ModuleLayouts {
    /// Adds a module, or replaces the one of the same name.
    pub(crate) fn insert(&mut self, id: ModuleId, module: CompiledModule) {
        self.modules.get_mut().insert(id, Some(Rc::new(module)));
    }

    /// These modules, and for others those in `view`.
    pub(crate) fn with<'a>(&'a self, view: &'a dyn StateView) -> LayoutsIn<'a> {
        LayoutsIn { known: self, view }
    }
}

/// Layouts of modules at hand or in a state.
#[derive(Clone, Copy)]
pub(crate) struct LayoutsIn<'a> {
    known: &'a ModuleLayouts,
    view: &'a dyn StateView,
}

impl LayoutsIn<'_> {
    fn module(&self, id: ModuleId) -> Option<Rc<CompiledModule>> {
        if let Some(known) = self.known.modules.borrow().get(&id) {
            return known.clone();
        }
        let bytes = self.view.get(&StateKey::module(id.clone())).ok().flatten();
        let module = bytes.and_then(|bytes| CompiledModule::deserialize(&bytes).ok());
        let module = module.map(Rc::new);
        self.known.modules.borrow_mut().insert(id, module.clone());
        module
    }
}

impl StructLayouts for LayoutsIn<'_> {
    fn layout(&self, tag: &StructTag) -> Option<StructLayout> {
        let module = self.module(tag.module_id())?;
        struct_layout(&module, tag)
    }
}
