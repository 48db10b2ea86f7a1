//! Access specifiers (extension).

use super::Printer;
use monomove_format::{
    AccessKind, AccessSpecifier, AddressSpecifier, LocalIndex, ResourceSpecifier,
};

impl Printer<'_> {
    /// ` access(…)`, if there are specifiers.
    pub(super) fn access(&mut self, specifiers: Option<&[AccessSpecifier]>) {
        let Some(specifiers) = specifiers else {
            return;
        };
        self.out.push(" access(");
        self.list(", ", specifiers, |printer, specifier| {
            if specifier.negated {
                printer.out.push("not ");
            }
            printer.out.push(match specifier.kind {
                AccessKind::Reads => "reads ",
                AccessKind::Writes => "writes ",
            });
            printer.access_resource(&specifier.resource);
            printer.access_address(&specifier.address);
        });
        self.out.push(")");
    }

    fn access_resource(&mut self, resource: &ResourceSpecifier) {
        match *resource {
            ResourceSpecifier::Any => self.out.push("any"),
            ResourceSpecifier::DeclaredAtAddress(index) => match self.view.address(index) {
                Some(address) => self.out.push(&format!("address {address}")),
                None => self.out.push(&format!("address #{index}")),
            },
            ResourceSpecifier::DeclaredInModule(module) => {
                self.out.push("module ");
                match self.view.module_key_at(module) {
                    Some(_) => self.module(module),
                    None => self.out.push(&format!("#{module}")),
                }
            }
            ResourceSpecifier::Resource(handle)
            | ResourceSpecifier::ResourceInstantiation(handle, _) => {
                self.out.push("struct ");
                match self.view.struct_handle(handle) {
                    Some(handle) => self.struct_type(handle),
                    None => self.out.push(&format!("#{handle}")),
                }
                if let ResourceSpecifier::ResourceInstantiation(_, types) = *resource {
                    if types.into_index() < self.view.signatures.len() {
                        self.type_arguments(types);
                    } else {
                        self.out.push(&format!(" #{types}"));
                    }
                }
            }
        }
    }

    fn access_address(&mut self, address: &AddressSpecifier) {
        match *address {
            AddressSpecifier::Any => {}
            AddressSpecifier::Literal(index) => match self.view.address(index) {
                Some(address) => self.out.push(&format!(" at {address}")),
                None => self.out.push(&format!(" at address #{index}")),
            },
            AddressSpecifier::Parameter(local, None) => {
                self.out.push(" at ");
                self.access_local(local);
            }
            AddressSpecifier::Parameter(local, Some(function)) => {
                self.out.push(" at ");
                if function.into_index() < self.view.function_instantiations.len() {
                    self.function_instantiation(function);
                } else {
                    self.out.push(&format!("fun #{function}"));
                }
                self.out.push("(");
                self.access_local(local);
                self.out.push(")");
            }
        }
    }

    fn access_local(&mut self, local: LocalIndex) {
        // Parameters of a declaration have no names; `l0` is the first of a definition.
        let prefix = if self.names_parameters { "l" } else { "#" };
        let is_known = usize::from(local) < self.locals;
        self.out
            .push(&format!("{}{local}", if is_known { prefix } else { "#" }));
    }
}
