//! A script as a module with one function, so that one set of passes does for both.

use crate::{
    AccountAddress, AddressIdentifierIndex, CompiledModule, CompiledScript, FormatError,
    FunctionDefinition, FunctionDefinitionIndex, FunctionHandle, FunctionHandleIndex, Identifier,
    IdentifierIndex, ModuleHandle, ModuleHandleIndex, Signature, SignatureIndex, StatusCode,
    TableIndex, Visibility,
};

impl CompiledScript {
    /// The function of [`CompiledScript::to_module`] that is the script.
    pub const FUNCTION: FunctionDefinitionIndex = FunctionDefinitionIndex(0);

    /// This script as a module: the last module handle is its own, at address zero under a name that the script does not use; the last function handle
    /// and the only function definition are the script itself, a public entry function. All indices of the script keep their meaning.
    ///
    /// Fails if a table that needs another entry is full.
    pub fn to_module(&self) -> Result<CompiledModule, FormatError> {
        let mut module = CompiledModule {
            version: self.version,
            module_handles: self.module_handles.clone(),
            struct_handles: self.struct_handles.clone(),
            function_handles: self.function_handles.clone(),
            function_instantiations: self.function_instantiations.clone(),
            signatures: self.signatures.clone(),
            identifiers: self.identifiers.clone(),
            address_identifiers: self.address_identifiers.clone(),
            constant_pool: self.constant_pool.clone(),
            metadata: self.metadata.clone(),
            ..CompiledModule::default()
        };
        let name = IdentifierIndex(push(&mut module.identifiers, unused(&self.identifiers)?)?);
        let address = AddressIdentifierIndex(find_or_push(
            &mut module.address_identifiers,
            AccountAddress::ZERO,
        )?);
        module.self_module_handle_idx = ModuleHandleIndex(push(
            &mut module.module_handles,
            ModuleHandle { address, name },
        )?);
        let results = SignatureIndex(find_or_push(&mut module.signatures, Signature::default())?);
        let function = FunctionHandleIndex(push(
            &mut module.function_handles,
            FunctionHandle {
                module: module.self_module_handle_idx,
                name,
                parameters: self.parameters,
                return_: results,
                type_parameters: self.type_parameters.clone(),
                access_specifiers: self.access_specifiers.clone(),
                attributes: Vec::new(),
            },
        )?);
        module.function_defs.push(FunctionDefinition {
            function,
            visibility: Visibility::Public,
            is_entry: true,
            acquires_global_resources: Vec::new(),
            code: Some(self.code.clone()),
        });
        Ok(module)
    }
}

/// A name that is not among `used`: `<SELF>`, or `<SELF>_0` and so on.
fn unused(used: &[Identifier]) -> Result<Identifier, FormatError> {
    let taken: std::collections::BTreeSet<&str> = used
        .iter()
        .map(Identifier::as_str)
        .filter(|name| name.starts_with("<SELF>"))
        .collect();
    // One more candidate than there are names to collide with.
    (0..=taken.len())
        .map(|number| match number {
            0 => "<SELF>".to_owned(),
            _ => format!("<SELF>_{}", number - 1),
        })
        .find(|name| !taken.contains(name.as_str()))
        .and_then(|name| name.parse().ok())
        .ok_or_else(|| FormatError::new(StatusCode::MALFORMED, "no name is left for the script"))
}

fn push<T>(table: &mut Vec<T>, element: T) -> Result<TableIndex, FormatError> {
    let index = TableIndex::try_from(table.len())
        .map_err(|_| FormatError::new(StatusCode::MALFORMED, "a table of the script is full"))?;
    table.push(element);
    Ok(index)
}

fn find_or_push<T: PartialEq>(table: &mut Vec<T>, element: T) -> Result<TableIndex, FormatError> {
    match table.iter().position(|present| *present == element) {
        Some(index) => TableIndex::try_from(index)
            .map_err(|_| FormatError::new(StatusCode::MALFORMED, "a table of the script is full")),
        None => push(table, element),
    }
}
