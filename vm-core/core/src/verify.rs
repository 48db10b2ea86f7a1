//! Reading, verifying and linking modules without loading them; the modules of the state as the verifier sees them.

use crate::transaction::publish::refused;
use crate::{Failure, Machine, StateView};
use monomove_format::{CompiledModule, DeserializerConfig};
use monomove_types::{ModuleId, StatusCode};
use monomove_verifier::{
    PublishedModules, VerifierConfig, VerifierError, VerifierResult, link_module, verify_module,
};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Modules to be judged, each by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyRequest {
    /// The modules in the binary format.
    pub modules: Vec<Vec<u8>>,
    /// Whether each is linked too, against the modules of the state.
    pub link: bool,
}

impl Machine {
    /// Why each of the modules is refused; `None` for what passes. Nothing is kept of them.
    pub fn verify(
        &self,
        request: &VerifyRequest,
        view: &mut dyn StateView,
    ) -> Vec<Option<Failure>> {
        let published = Published::new(view, self.deserializer());
        let judge = |bytes: &Vec<u8>| {
            let module = CompiledModule::deserialize_with(bytes, &published.deserializer)
                .map_err(|error| VerifierError::new(error.status, error.message))?;
            verify_module(&module, &VerifierConfig::aptos())?;
            if !request.link {
                return Ok(());
            }
            let dependencies = module.immediate_dependencies();
            let found = dependencies.iter().map(|id| published.module(id));
            let found = found.collect::<VerifierResult<Vec<_>>>()?;
            link_module(&module, found.iter().flatten().map(Arc::as_ref))
        };
        let verdicts = request.modules.iter().map(judge);
        verdicts.map(|verdict| verdict.err().map(refused)).collect()
    }
}

/// The modules of the state, read when they are asked for.
pub(crate) struct Published<'a> {
    view: RefCell<&'a mut dyn StateView>,
    read: RefCell<BTreeMap<ModuleId, Option<Arc<CompiledModule>>>>,
    deserializer: DeserializerConfig,
}

impl<'a> Published<'a> {
    pub(crate) fn new(view: &'a mut dyn StateView, deserializer: DeserializerConfig) -> Self {
        Self {
            view: RefCell::new(view),
            read: RefCell::default(),
            deserializer,
        }
    }

    fn bytes(&self, id: &ModuleId) -> VerifierResult<Option<Vec<u8>>> {
        let code = self.view.borrow_mut().module(id);
        let code = code.map_err(|error| VerifierError::new(StatusCode::STORAGE_ERROR, error.0))?;
        Ok(code.map(|code| code.bytes))
    }
}

impl PublishedModules for Published<'_> {
    fn module(&self, id: &ModuleId) -> VerifierResult<Option<Arc<CompiledModule>>> {
        if let Some(module) = self.read.borrow().get(id) {
            return Ok(module.clone());
        }
        let module = match self.bytes(id)? {
            None => None,
            Some(bytes) => {
                let module = CompiledModule::deserialize_with(&bytes, &self.deserializer);
                let module = module.map_err(|error| {
                    VerifierError::new(StatusCode::CODE_DESERIALIZATION_ERROR, error.message)
                })?;
                Some(Arc::new(module))
            }
        };
        self.read.borrow_mut().insert(id.clone(), module.clone());
        Ok(module)
    }

    fn exists(&self, id: &ModuleId) -> VerifierResult<bool> {
        match self.read.borrow().get(id) {
            Some(module) => Ok(module.is_some()),
            None => Ok(self.bytes(id)?.is_some()),
        }
    }
}
