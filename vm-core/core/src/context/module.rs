//! A module as the machine holds it: the deserialized tables with every name interned.

use super::generic::GenericType;
use super::ids::{ModuleRef, NameId, TemplateId};
use super::types::{Limits, Types};
use crate::CodeToken;
use crate::lower::destack::Stackless;
use crate::stop::{Run, Stop};
use monomove_format::{
    CompiledModule, FunctionDefinition, FunctionHandle, SignatureIndex, StructDefinition,
    StructHandle,
};
use monomove_types::StatusCode;
use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A loaded module.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) id: ModuleRef,
    pub(crate) binary: CompiledModule,
    /// Names the bytes this was made from.
    pub(crate) token: CodeToken,
    /// The last transaction in which the token was found current.
    pub(crate) checked_in: Cell<u32>,
    /// The last transaction that paid for it as a dependency.
    pub(crate) charged_in: Cell<u32>,
    /// Bytes of the binary.
    pub(crate) size: u32,
    /// By module handle.
    pub(crate) modules: Vec<ModuleRef>,
    /// By identifier index.
    pub(crate) names: Vec<NameId>,
    /// By struct handle.
    pub(crate) templates: Vec<TemplateId>,
    struct_defs: BTreeMap<NameId, u16>,
    function_defs: BTreeMap<NameId, u16>,
    stackless: Vec<OnceCell<Rc<Stackless>>>,
    /// By signature.
    generics: Vec<OnceCell<Rc<[GenericType]>>>,
}

impl Module {
    /// Interns the names of a deserialized (hence bounds-checked) module.
    pub(crate) fn new(
        types: &mut Types,
        id: ModuleRef,
        binary: CompiledModule,
        token: CodeToken,
        size: usize,
    ) -> Run<Self> {
        let names = binary
            .identifiers
            .iter()
            .map(|n| types.name(n.as_str()))
            .collect::<Result<Vec<_>, _>>()?;
        let mut modules = Vec::with_capacity(binary.module_handles.len());
        for (index, handle) in binary.module_handles.iter().enumerate() {
            if index == usize::from(binary.self_module_handle_idx.0) {
                modules.push(id);
                continue;
            }
            let address = binary.address_identifiers[usize::from(handle.address.0)];
            modules.push(types.module(
                address,
                binary.identifiers[usize::from(handle.name.0)].as_str(),
            )?);
        }
        let mut templates = Vec::with_capacity(binary.struct_handles.len());
        for handle in &binary.struct_handles {
            templates.push(types.template(
                modules[usize::from(handle.module.0)],
                names[usize::from(handle.name.0)],
            )?);
        }
        let mut struct_defs = BTreeMap::new();
        for (index, def) in binary.struct_defs.iter().enumerate() {
            let handle = &binary.struct_handles[usize::from(def.struct_handle.0)];
            struct_defs.insert(names[usize::from(handle.name.0)], index as u16);
        }
        let mut function_defs = BTreeMap::new();
        for (index, def) in binary.function_defs.iter().enumerate() {
            let handle = &binary.function_handles[usize::from(def.function.0)];
            function_defs.insert(names[usize::from(handle.name.0)], index as u16);
        }
        let stackless = binary
            .function_defs
            .iter()
            .map(|_| OnceCell::new())
            .collect();
        let generics = binary.signatures.iter().map(|_| OnceCell::new()).collect();
        Ok(Self {
            generics,
            id,
            binary,
            token,
            checked_in: Cell::new(0),
            charged_in: Cell::new(0),
            size: u32::try_from(size).unwrap_or(u32::MAX),
            modules,
            names,
            templates,
            struct_defs,
            function_defs,
            stackless,
        })
    }

    pub(crate) fn function_index(&self, name: NameId) -> Option<u16> {
        self.function_defs.get(&name).copied()
    }

    pub(crate) fn function(&self, index: u16) -> (&FunctionDefinition, &FunctionHandle) {
        let def = &self.binary.function_defs[usize::from(index)];
        (
            def,
            &self.binary.function_handles[usize::from(def.function.0)],
        )
    }

    pub(crate) fn struct_by_name(
        &self,
        name: NameId,
    ) -> Option<(&StructDefinition, &StructHandle)> {
        let def = &self.binary.struct_defs[usize::from(*self.struct_defs.get(&name)?)];
        Some((
            def,
            &self.binary.struct_handles[usize::from(def.struct_handle.0)],
        ))
    }

    /// The types of a signature, flattened: made once.
    pub(crate) fn generic_signature(
        &self,
        types: &mut Types,
        index: SignatureIndex,
    ) -> Run<Rc<[GenericType]>> {
        let missing = || Stop::status(StatusCode::INDEX_OUT_OF_BOUNDS);
        let at = usize::from(index.0);
        let cell = self.generics.get(at).ok_or_else(missing)?;
        if let Some(flattened) = cell.get() {
            return Ok(flattened.clone());
        }
        let signature = self.binary.signatures.get(at).ok_or_else(missing)?;
        let flattened = signature
            .tokens()
            .iter()
            .map(|token| GenericType::new(types, &self.templates, token, Limits::Runtime))
            .collect::<Run<Rc<[_]>>>()?;
        Ok(cell.get_or_init(|| flattened).clone())
    }

    /// The stackless form of a function with code: made once.
    pub(crate) fn stackless(&self, index: u16) -> Run<Rc<Stackless>> {
        let cell = self
            .stackless
            .get(usize::from(index))
            .ok_or_else(|| Stop::status(StatusCode::INDEX_OUT_OF_BOUNDS))?;
        if let Some(code) = cell.get() {
            return Ok(code.clone());
        }
        let code = Rc::new(Stackless::new(&self.binary, index)?);
        Ok(cell.get_or_init(|| code).clone())
    }
}
