//! Access specifiers (extension).

use super::{Builder, code::CodeScope};
use crate::ast::{Access, AccessAddress, AccessResource, Header, Reference};
use crate::diagnostic::{Result, Span};
use ethnum::U256;
use monomove_format::{
    AccessSpecifier, AccountAddress, AddressIdentifierIndex, AddressSpecifier, FunctionHandleIndex,
    FunctionInstantiation, FunctionInstantiationIndex, ModuleHandleIndex, ResourceSpecifier,
    SignatureIndex, StructHandleIndex,
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
            AccessResource::Address(reference) => {
                ResourceSpecifier::DeclaredAtAddress(self.access_literal(reference, at)?)
            }
            AccessResource::Module(Reference::Index(index)) => {
                ResourceSpecifier::DeclaredInModule(ModuleHandleIndex(*index))
            }
            AccessResource::Module(Reference::Named(module)) => {
                let (address, name) = self.module_key(module)?;
                ResourceSpecifier::DeclaredInModule(self.module_handle(address, name, at)?)
            }
            AccessResource::Struct(struct_, arguments) => {
                let handle = match struct_ {
                    Reference::Index(index) => StructHandleIndex(*index),
                    Reference::Named(path) => self.struct_handle(path)?,
                };
                match arguments {
                    None => ResourceSpecifier::Resource(handle),
                    Some(Reference::Index(index)) => {
                        ResourceSpecifier::ResourceInstantiation(handle, SignatureIndex(*index))
                    }
                    Some(Reference::Named(types)) => {
                        let types = self.signature(types, at)?;
                        ResourceSpecifier::ResourceInstantiation(handle, types)
                    }
                }
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
            AccessAddress::Literal(reference) => {
                AddressSpecifier::Literal(self.access_literal(reference, at)?)
            }
            AccessAddress::Local(local) => {
                AddressSpecifier::Parameter(self.local(*local, scope)?, None)
            }
            AccessAddress::Call(function, local) => {
                let local = self.local(*local, scope)?;
                let index = match function {
                    Reference::Index(index) => *index,
                    Reference::Named((path, arguments)) => {
                        let instantiation = FunctionInstantiation {
                            handle: self.function_handle(path)?,
                            type_parameters: self.signature(arguments, at)?,
                        };
                        self.entry(|t| &mut t.function_instantiations, instantiation, at)?
                    }
                };
                AddressSpecifier::Parameter(local, Some(FunctionInstantiationIndex(index)))
            }
        })
    }

    fn access_literal(
        &mut self,
        reference: &Reference<U256>,
        at: Span,
    ) -> Result<AddressIdentifierIndex> {
        match reference {
            Reference::Index(index) => Ok(AddressIdentifierIndex(*index)),
            Reference::Named(value) => self.address_index(AccountAddress(value.to_be_bytes()), at),
        }
    }
}
