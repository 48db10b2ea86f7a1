//! The function at hand, with what its passes look up all the time.

use crate::VerifierError;
use monomove_format::{
    Bytecode, CodeOffset, CodeUnit, CompiledModule, FunctionAttribute, FunctionDefinition,
    FunctionDefinitionIndex, FunctionHandle, FunctionHandleIndex, SignatureToken,
    StructDefinitionIndex,
};
use monomove_types::StatusCode;

/// A module, and which of its function handles it defines itself.
pub(crate) struct Scope<'a> {
    pub(crate) module: &'a CompiledModule,
    definitions: Vec<Option<FunctionDefinitionIndex>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(module: &'a CompiledModule) -> Self {
        let mut definitions = vec![None; module.function_handles.len()];
        for (index, definition) in (0..=u16::MAX)
            .map(FunctionDefinitionIndex)
            .zip(&module.function_defs)
        {
            if let Some(slot) = definitions.get_mut(definition.function.into_index()) {
                *slot = Some(index);
            }
        }
        Self {
            module,
            definitions,
        }
    }

    /// The resources that a function of this module acquires; none for one of another module.
    pub(crate) fn acquires(&self, handle: FunctionHandleIndex) -> &'a [StructDefinitionIndex] {
        match self.definitions.get(handle.into_index()) {
            Some(Some(index)) => {
                &self
                    .module
                    .function_def_at(*index)
                    .acquires_global_resources
            }
            _ => &[],
        }
    }
}

/// A function with code.
pub(crate) struct Function<'s, 'a> {
    pub(crate) scope: &'s Scope<'a>,
    pub(crate) module: &'a CompiledModule,
    pub(crate) index: FunctionDefinitionIndex,
    pub(crate) definition: &'a FunctionDefinition,
    pub(crate) handle: &'a FunctionHandle,
    pub(crate) unit: &'a CodeUnit,
    pub(crate) code: &'a [Bytecode],
    pub(crate) parameters: &'a [SignatureToken],
    pub(crate) returns: &'a [SignatureToken],
    /// The locals behind the parameters.
    pub(crate) locals: &'a [SignatureToken],
}

impl<'s, 'a> Function<'s, 'a> {
    /// `None` for a native function.
    pub(crate) fn new(scope: &'s Scope<'a>, index: FunctionDefinitionIndex) -> Option<Self> {
        let module = scope.module;
        let definition = module.function_def_at(index);
        let unit = definition.code.as_ref()?;
        let handle = module.function_handle_at(definition.function);
        Some(Self {
            scope,
            module,
            index,
            definition,
            handle,
            unit,
            code: &unit.code,
            parameters: &module.signature_at(handle.parameters).0,
            returns: &module.signature_at(handle.return_).0,
            locals: &module.signature_at(unit.locals).0,
        })
    }

    /// Number of parameters and other locals.
    pub(crate) fn local_count(&self) -> usize {
        self.parameters.len().saturating_add(self.locals.len())
    }

    /// An error at an instruction.
    #[cold]
    pub(crate) fn error(
        &self,
        status: StatusCode,
        offset: CodeOffset,
        message: &str,
    ) -> VerifierError {
        VerifierError::new(status, message).at(self.index, offset)
    }

    /// An error that only a defect of an earlier pass explains.
    #[cold]
    pub(crate) fn broken(&self, offset: CodeOffset) -> VerifierError {
        self.error(
            StatusCode::VERIFIER_INVARIANT_VIOLATION,
            offset,
            "an earlier pass let something through",
        )
    }
}

/// Position of a field that a function with the attribute `borrow_mut` borrows.
pub(crate) fn borrowed_field(handle: &FunctionHandle) -> Option<u16> {
    handle
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            FunctionAttribute::BorrowFieldMutable(field) => Some(*field),
            _ => None,
        })
}
