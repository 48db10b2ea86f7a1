//! Access specifiers (extension).

use super::{Builder, code::CodeScope};
use crate::ast::{Access, AccessAddress, AccessResource, Header};
use crate::diagnostic::{Result, Span};
use monomove_format::{
    AccessSpecifier, AccountAddress, AddressSpecifier, FunctionHandleIndex, FunctionInstantiation,
    FunctionInstantiationIndex, ResourceSpecifier,
};

impl<'a> Builder<'a, '_> {
    /// Enters the access specifiers of all functions into their handles.
    pub(super) fn function_access(&mut self) -> Result<()> {
        let unit = self.unit;
        for (index, function) in unit.functions.iter().enumerate() {
            self.enter_type_parameters(&function.header.type_parameters);
            if let Some(access) = self.header_access(&function.header, 7)? {
                let handle = self.own_function_handle(index)?;
                self.set_access(handle, access);
            }
        }
        for (module, name, header) in &unit.extern_functions {
            self.enter_type_parameters(&header.type_parameters);
            if let Some(access) = self.header_access(header, 7)? {
                let (address, module) = self.module_key(module)?;
                let handle = self.external_function(address, module, name.text, name.at)?;
                self.set_access(handle, access);
            }
        }
        Ok(())
    }

    fn set_access(&mut self, handle: FunctionHandleIndex, access: Vec<AccessSpecifier>) {
        if let Some(handle) = self.tables.function_handles.get_mut(handle.0) {
            handle.access_specifiers = Some(access);
        }
    }

    /// The access specifiers of a header, which binaries have from `version` on.
    pub(super) fn header_access(
        &mut self,
        header: &'a Header<'a>,
        version: u32,
    ) -> Result<Option<Vec<AccessSpecifier>>> {
        let Some(list) = &header.access else {
            return Ok(None);
        };
        let mut scope = CodeScope::default();
        for (index, parameter) in header.parameters.iter().enumerate() {
            scope.locals.entry(parameter.name.text).or_insert(index);
        }
        list.iter()
            .map(|access| {
                self.since(version, "access specifiers", access.at)?;
                self.access(access, &scope)
            })
            .collect::<Result<_>>()
            .map(Some)
    }

    fn access(&mut self, access: &'a Access<'a>, scope: &CodeScope<'a>) -> Result<AccessSpecifier> {
        let at = access.at;
        Ok(AccessSpecifier {
            kind: access.kind,
            negated: access.negated,
            resource: self.access_resource(&access.resource, at)?,
            address: self.access_address(&access.address, at, scope)?,
        })
    }

    fn access_resource(
        &mut self,
        resource: &'a AccessResource<'a>,
        at: Span,
    ) -> Result<ResourceSpecifier> {
        Ok(match resource {
            AccessResource::Any => ResourceSpecifier::Any,
            AccessResource::Address(value) => {
                let address = AccountAddress(value.to_be_bytes());
                ResourceSpecifier::DeclaredAtAddress(self.address_index(address, at)?)
            }
            AccessResource::Module(module) => {
                let (address, name) = self.module_key(module)?;
                ResourceSpecifier::DeclaredInModule(self.module_handle(address, name, at)?)
            }
            AccessResource::Struct(path, None) => {
                ResourceSpecifier::Resource(self.struct_handle(path)?)
            }
            AccessResource::Struct(path, Some(arguments)) => {
                let handle = self.struct_handle(path)?;
                ResourceSpecifier::ResourceInstantiation(handle, self.signature(arguments, at)?)
            }
        })
    }

    fn access_address(
        &mut self,
        address: &'a AccessAddress<'a>,
        at: Span,
        scope: &CodeScope<'a>,
    ) -> Result<AddressSpecifier> {
        Ok(match address {
            AccessAddress::Any => AddressSpecifier::Any,
            AccessAddress::Literal(value) => {
                let address = AccountAddress(value.to_be_bytes());
                AddressSpecifier::Literal(self.address_index(address, at)?)
            }
            AccessAddress::Local(local) => {
                AddressSpecifier::Parameter(self.local(*local, scope)?, None)
            }
            AccessAddress::Call(path, arguments, local) => {
                let local = self.local(*local, scope)?;
                let handle = self.function_handle(path)?;
                let type_parameters = self.signature(arguments, at)?;
                let instantiation = FunctionInstantiation {
                    handle,
                    type_parameters,
                };
                let index = self
                    .entry(|t| &mut t.function_instantiations, instantiation, at)
                    .map(FunctionInstantiationIndex)?;
                AddressSpecifier::Parameter(local, Some(index))
            }
        })
    }
}
