//! Handles of structs and functions: those defined here, and those imported from a declaration or from a dependency.

use super::Builder;
use super::scope::Member;
use crate::ast::{Binding, Fields, Header, Path, Struct};
use crate::diagnostic::{Result, Span, quoted};
use crate::parse::MAX_NESTING;
use monomove_format::{
    AbilitySet, AccountAddress, CompiledModule, FunctionAttribute, FunctionDefinition,
    FunctionHandle, FunctionHandleIndex, ModuleHandle, ModuleHandleIndex, Signature,
    SignatureIndex, SignatureToken, StructHandle, StructHandleIndex, StructTypeParameter,
};
use std::collections::BTreeMap;

/// A struct or function of a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MemberKey {
    name: String,
    module: String,
    address: AccountAddress,
}

impl MemberKey {
    /// Puts a key together.
    pub(crate) fn new(address: AccountAddress, module: &str, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            module: module.to_owned(),
            address,
        }
    }
}

/// What is known about other modules.
#[derive(Default)]
pub(crate) struct External<'a> {
    /// Declarations in the text.
    pub(super) structs: BTreeMap<MemberKey, &'a Struct<'a>>,
    /// Declarations in the text.
    pub(super) functions: BTreeMap<MemberKey, &'a Header<'a>>,
    /// The modules given; of two with one name, the first.
    modules: BTreeMap<(AccountAddress, &'a str), Dependency<'a>>,
    struct_handles: BTreeMap<MemberKey, StructHandleIndex>,
    function_handles: BTreeMap<MemberKey, FunctionHandleIndex>,
}

/// A module given as a dependency.
struct Dependency<'a> {
    module: &'a CompiledModule,
    /// Its definitions by name, made when it is first needed.
    members: Option<Members<'a>>,
}

#[derive(Default)]
struct Members<'a> {
    structs: BTreeMap<&'a str, &'a StructHandle>,
    functions: BTreeMap<&'a str, (&'a FunctionDefinition, &'a FunctionHandle)>,
}

/// Makes a module known. One whose own handle is out of range is left out.
pub(super) fn add_dependency<'a>(external: &mut External<'a>, module: &'a CompiledModule) {
    let handle = module
        .module_handles
        .get(module.self_module_handle_idx.into_index());
    if let Some(key) = handle.and_then(|handle| module_key(module, handle)) {
        external.modules.entry(key).or_insert(Dependency {
            module,
            members: None,
        });
    }
}

fn module_key<'a>(
    module: &'a CompiledModule,
    handle: &ModuleHandle,
) -> Option<(AccountAddress, &'a str)> {
    let address = module
        .address_identifiers
        .get(handle.address.into_index())?;
    Some((*address, identifier(module, handle.name)?))
}

fn identifier(module: &CompiledModule, index: monomove_format::IdentifierIndex) -> Option<&str> {
    Some(module.identifiers.get(index.into_index())?.as_str())
}

impl<'a> Members<'a> {
    fn of(module: &'a CompiledModule) -> Self {
        let mut members = Self::default();
        for definition in &module.struct_defs {
            if let Some(handle) = module
                .struct_handles
                .get(definition.struct_handle.into_index())
                && let Some(name) = identifier(module, handle.name)
            {
                members.structs.entry(name).or_insert(handle);
            }
        }
        for definition in &module.function_defs {
            if let Some(handle) = module
                .function_handles
                .get(definition.function.into_index())
                && let Some(name) = identifier(module, handle.name)
            {
                members
                    .functions
                    .entry(name)
                    .or_insert((definition, handle));
            }
        }
        members
    }
}

impl<'a> Dependency<'a> {
    fn members(&mut self) -> &Members<'a> {
        let module = self.module;
        self.members.get_or_insert_with(|| Members::of(module))
    }
}

/// The constraints of a function's type parameters.
pub(super) fn constraints(header: &Header<'_>) -> Vec<AbilitySet> {
    header
        .type_parameters
        .iter()
        .map(|parameter| parameter.constraints)
        .collect()
}

impl<'a> Builder<'a, '_> {
    pub(super) fn module_handle(
        &mut self,
        address: AccountAddress,
        name: &str,
        at: Span,
    ) -> Result<ModuleHandleIndex> {
        let name = self.identifier(name, at)?;
        let address = self.address_index(address, at)?;
        self.entry(
            |t| &mut t.module_handles,
            ModuleHandle { address, name },
            at,
        )
        .map(ModuleHandleIndex)
    }

    /// The handle of the struct that a path names.
    pub(super) fn struct_handle(&mut self, path: &Path<'a>) -> Result<StructHandleIndex> {
        match self.member(path)? {
            Member::Own(name, at) => match self.structs.get(name) {
                Some(&index) => self.own_struct_handle(index),
                None => match self.names_own() {
                    Some((address, module)) => self.external_struct(address, module, name, at),
                    None => self.unknown("struct", name, at),
                },
            },
            Member::External(address, module, name, at) => {
                self.external_struct(address, module, name, at)
            }
        }
    }

    /// The handle of the function that a path names.
    pub(super) fn function_handle(&mut self, path: &Path<'a>) -> Result<FunctionHandleIndex> {
        match self.member(path)? {
            Member::Own(name, at) => match self.functions.get(name) {
                Some(&index) => self.own_function_handle(index),
                None => match self.names_own() {
                    Some((address, module)) => self.external_function(address, module, name, at),
                    None => self.unknown("function", name, at),
                },
            },
            Member::External(address, module, name, at) => {
                self.external_function(address, module, name, at)
            }
        }
    }

    fn unknown<T>(&mut self, what: &str, name: &str, at: Span) -> Result<T> {
        let message = format!("{what} {} is not known", quoted(name));
        self.reporter.fail(at, message)
    }

    fn unknown_external<T>(&mut self, what: &str, key: &MemberKey, at: Span) -> Result<T> {
        if self.names_own() == Some((key.address, key.module.as_str())) {
            return self.unknown(what, &key.name, at);
        }
        let message = format!(
            "{what} {} is not known; expected its module among the dependencies, or a declaration `extern {}`",
            quoted(&format!("{}::{}::{}", key.address, key.module, key.name)),
            if what == "struct" { "struct" } else { "fun" },
        );
        self.reporter.fail(at, message)
    }

    /// The handle of a struct defined here.
    pub(super) fn own_struct_handle(&mut self, index: usize) -> Result<StructHandleIndex> {
        if let Some(&Some(handle)) = self.struct_handles.get(index) {
            return Ok(handle);
        }
        let unit = self.unit;
        let module = self.own_module_handle()?;
        let struct_ = &unit.structs[index];
        let handle = self.declared_struct(module, struct_)?;
        // A second struct of the same name has a handle of its own.
        let Some(handle) = self.tables.struct_handles.push(handle) else {
            return self.table_full(struct_.name.at);
        };
        let handle = StructHandleIndex(handle);
        self.struct_handles[index] = Some(handle);
        Ok(handle)
    }

    fn declared_struct(
        &mut self,
        module: ModuleHandleIndex,
        struct_: &'a Struct<'a>,
    ) -> Result<StructHandle> {
        if matches!(struct_.fields, Fields::Enum(_)) {
            self.since(7, "enums", struct_.name.at)?;
        }
        Ok(StructHandle {
            module,
            name: self.identifier(struct_.name.text, struct_.name.at)?,
            abilities: struct_.abilities,
            type_parameters: struct_
                .type_parameters
                .iter()
                .map(|parameter| StructTypeParameter {
                    constraints: parameter.constraints,
                    is_phantom: parameter.is_phantom,
                })
                .collect(),
        })
    }

    /// The handle of a function defined here.
    pub(super) fn own_function_handle(&mut self, index: usize) -> Result<FunctionHandleIndex> {
        if let Some(&Some(handle)) = self.function_handles.get(index) {
            return Ok(handle);
        }
        let unit = self.unit;
        let module = self.own_module_handle()?;
        let function = &unit.functions[index];
        let saved = std::mem::take(&mut self.type_parameters);
        let handle = self.declared_function(
            module,
            function.name.text,
            &function.header,
            function.name.at,
        );
        self.type_parameters = saved;
        let Some(handle) = self.tables.function_handles.push(handle?) else {
            return self.table_full(function.name.at);
        };
        let handle = FunctionHandleIndex(handle);
        self.function_handles[index] = Some(handle);
        Ok(handle)
    }

    fn declared_function(
        &mut self,
        module: ModuleHandleIndex,
        name: &str,
        header: &'a Header<'a>,
        at: Span,
    ) -> Result<FunctionHandle> {
        self.enter_type_parameters(&header.type_parameters);
        let parameters = self.parameters(header, at)?;
        let return_ = self.signature(&header.results, at)?;
        let mut attributes = Vec::with_capacity(header.attributes.len());
        for &(attribute, at) in &header.attributes {
            use FunctionAttribute as A;
            let version = match attribute {
                A::Persistent | A::ModuleLock => 8,
                A::Immutable | A::ConstantAccessor => 11,
                _ => 10,
            };
            self.since(version, "functions with this attribute", at)?;
            attributes.push(attribute);
        }
        Ok(FunctionHandle {
            module,
            name: self.identifier(name, at)?,
            parameters,
            return_,
            type_parameters: constraints(header),
            // Entered by `function_access`: they may name functions, this one too.
            access_specifiers: None,
            attributes,
        })
    }

    /// The signature of the parameters.
    pub(super) fn parameters(
        &mut self,
        header: &'a Header<'a>,
        at: Span,
    ) -> Result<SignatureIndex> {
        let tokens = header
            .parameters
            .iter()
            .map(|Binding { type_, .. }| self.type_(type_))
            .collect::<Result<Vec<_>>>()?;
        self.entry(|t| &mut t.signatures, Signature(tokens), at)
            .map(SignatureIndex)
    }

    fn external_struct(
        &mut self,
        address: AccountAddress,
        module: &'a str,
        name: &str,
        at: Span,
    ) -> Result<StructHandleIndex> {
        let key = MemberKey::new(address, module, name);
        if let Some(&handle) = self.external.struct_handles.get(&key) {
            return Ok(handle);
        }
        let handle = if let Some(&declared) = self.external.structs.get(&key) {
            let module = self.module_handle(address, module, at)?;
            self.declared_struct(module, declared)?
        } else if let Some(found) = self
            .external
            .modules
            .get_mut(&(address, module))
            .and_then(|dependency| dependency.members().structs.get(name).copied())
        {
            StructHandle {
                module: self.module_handle(address, module, at)?,
                name: self.identifier(name, at)?,
                abilities: found.abilities,
                type_parameters: found.type_parameters.clone(),
            }
        } else {
            return self.unknown_external("struct", &key, at);
        };
        self.entry(|t| &mut t.struct_handles, handle, at)
            .map(StructHandleIndex)
            .inspect(|&handle| {
                self.external.struct_handles.insert(key, handle);
            })
    }

    pub(super) fn external_function(
        &mut self,
        address: AccountAddress,
        module: &'a str,
        name: &str,
        at: Span,
    ) -> Result<FunctionHandleIndex> {
        let key = MemberKey::new(address, module, name);
        if let Some(&handle) = self.external.function_handles.get(&key) {
            return Ok(handle);
        }
        let handle = if let Some(&header) = self.external.functions.get(&key) {
            let module = self.module_handle(address, module, at)?;
            let saved = std::mem::take(&mut self.type_parameters);
            let handle = self.declared_function(module, name, header, at);
            self.type_parameters = saved;
            handle?
        } else if let Some((source, found)) = self
            .external
            .modules
            .get_mut(&(address, module))
            .and_then(|dependency| {
                let source = dependency.module;
                let (_, handle) = dependency.members().functions.get(name)?;
                Some((source, *handle))
            })
        {
            let module = self.module_handle(address, module, at)?;
            self.imported_function(module, name, source, found, at)?
        } else {
            return self.unknown_external("function", &key, at);
        };
        self.entry(|t| &mut t.function_handles, handle, at)
            .map(FunctionHandleIndex)
            .inspect(|&handle| {
                self.external.function_handles.insert(key, handle);
            })
    }

    /// A handle like that of a definition elsewhere. Access specifiers stay behind: they say nothing to a caller.
    fn imported_function(
        &mut self,
        module: ModuleHandleIndex,
        name: &str,
        source: &'a CompiledModule,
        found: &FunctionHandle,
        at: Span,
    ) -> Result<FunctionHandle> {
        let parameters = self.imported_signature(source, found.parameters, at)?;
        let return_ = self.imported_signature(source, found.return_, at)?;
        let attributes = if self.version >= 8 {
            found.attributes.clone()
        } else {
            Vec::new()
        };
        Ok(FunctionHandle {
            module,
            name: self.identifier(name, at)?,
            parameters,
            return_,
            type_parameters: found.type_parameters.clone(),
            access_specifiers: None,
            attributes,
        })
    }

    fn imported_signature(
        &mut self,
        source: &'a CompiledModule,
        index: SignatureIndex,
        at: Span,
    ) -> Result<SignatureIndex> {
        let Some(signature) = source.signatures.get(index.into_index()) else {
            return self.broken_dependency(at);
        };
        let tokens = signature
            .0
            .iter()
            .map(|token| self.imported_type(source, token, at, 1))
            .collect::<Result<Vec<_>>>()?;
        self.entry(|t| &mut t.signatures, Signature(tokens), at)
            .map(SignatureIndex)
    }

    fn imported_type(
        &mut self,
        source: &'a CompiledModule,
        token: &SignatureToken,
        at: Span,
        depth: usize,
    ) -> Result<SignatureToken> {
        use SignatureToken as T;
        if depth > MAX_NESTING {
            return self.broken_dependency(at);
        }
        let mut inner = |token: &T| self.imported_type(source, token, at, depth + 1);
        let mut list = |tokens: &[T]| tokens.iter().map(&mut inner).collect::<Result<Vec<_>>>();
        Ok(match token {
            T::Vector(element) => T::Vector(Box::new(inner(element)?)),
            T::Reference(target) => T::Reference(Box::new(inner(target)?)),
            T::MutableReference(target) => T::MutableReference(Box::new(inner(target)?)),
            T::Function(parameters, results, abilities) => {
                let parameters = list(parameters)?;
                T::Function(parameters, list(results)?, *abilities)
            }
            T::Struct(handle) => T::Struct(self.imported_struct(source, *handle, at)?),
            T::StructInstantiation(handle, arguments) => {
                let handle = self.imported_struct(source, *handle, at)?;
                let arguments = arguments
                    .iter()
                    .map(|token| self.imported_type(source, token, at, depth + 1))
                    .collect::<Result<Vec<_>>>()?;
                T::StructInstantiation(handle, arguments)
            }
            _ => token.clone(),
        })
    }

    fn imported_struct(
        &mut self,
        source: &'a CompiledModule,
        handle: StructHandleIndex,
        at: Span,
    ) -> Result<StructHandleIndex> {
        let found = source.struct_handles.get(handle.into_index());
        let parts = found.and_then(|found| {
            let module = source.module_handles.get(found.module.into_index())?;
            Some((
                found,
                module_key(source, module)?,
                identifier(source, found.name)?,
            ))
        });
        let Some((found, (address, module), name)) = parts else {
            return self.broken_dependency(at);
        };
        if self.names_own() == Some((address, module))
            && let Some(&index) = self.structs.get(name)
        {
            return self.own_struct_handle(index);
        }
        let key = MemberKey::new(address, module, name);
        if let Some(&handle) = self.external.struct_handles.get(&key) {
            return Ok(handle);
        }
        if self.external.structs.contains_key(&key) {
            return self.external_struct(address, module, name, at);
        }
        let handle = StructHandle {
            module: self.module_handle(address, module, at)?,
            name: self.identifier(name, at)?,
            abilities: found.abilities,
            type_parameters: found.type_parameters.clone(),
        };
        let handle = self
            .entry(|t| &mut t.struct_handles, handle, at)
            .map(StructHandleIndex)?;
        self.external.struct_handles.insert(key, handle);
        Ok(handle)
    }

    fn broken_dependency<T>(&mut self, at: Span) -> Result<T> {
        self.reporter.fail(
            at,
            "the dependency that declares this has indices out of range",
        )
    }

    /// Makes handles of declared externals that nothing has named.
    pub(super) fn declared_externals(&mut self) {
        let unit = self.unit;
        for (module, struct_) in &unit.extern_structs {
            if let Ok((address, module)) = self.module_key(module) {
                let _ = self.external_struct(address, module, struct_.name.text, struct_.name.at);
            }
        }
        for (module, name, _) in &unit.extern_functions {
            if let Ok((address, module)) = self.module_key(module) {
                let _ = self.external_function(address, module, name.text, name.at);
            }
        }
    }
}
