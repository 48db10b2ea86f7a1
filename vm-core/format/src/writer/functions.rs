//! Functions: handles with access specifiers and attributes, definitions, code.

use super::{Writer, Written, refuse};
use crate::operand::{OperandCodec, Uleb};
use crate::reader::{code, functions, structs::MAX_TYPE_PARAMETERS};
use crate::{
    AccessKind, AccessSpecifier, AddressSpecifier, CodeUnit, FunctionAttribute, FunctionDefinition,
    FunctionHandle, ResourceSpecifier, Visibility,
};
use monomove_types::AbilitySet;

impl Writer {
    pub(super) fn function_handle(&mut self, handle: &FunctionHandle) -> Written {
        self.uleb(handle.module.0);
        self.uleb(handle.name.0);
        self.uleb(handle.parameters.0);
        self.uleb(handle.return_.0);
        self.type_parameters(&handle.type_parameters)?;
        if self.version >= functions::VERSION_ACCESS {
            self.access_specifiers(handle.access_specifiers.as_deref())?;
        } else if handle.access_specifiers.is_some() {
            return refuse("access specifiers in this binary version");
        }
        if self.version >= functions::VERSION_ATTRIBUTES {
            self.count(
                handle.attributes.len(),
                functions::MAX_ATTRIBUTES,
                "too many function attributes",
            )?;
            for attribute in &handle.attributes {
                self.attribute(*attribute)?;
            }
        } else if !handle.attributes.is_empty() {
            return refuse("function attributes in this binary version");
        }
        Ok(())
    }

    pub(super) fn attribute(&mut self, attribute: FunctionAttribute) -> Written {
        use FunctionAttribute as A;
        let (byte, operand) = match attribute {
            A::Persistent => (1, None),
            A::ModuleLock => (2, None),
            A::Pack => (3, None),
            A::PackVariant(index) => (4, Some(index)),
            A::Unpack => (5, None),
            A::UnpackVariant(index) => (6, Some(index)),
            A::TestVariant(index) => (7, Some(index)),
            A::BorrowFieldImmutable(offset) => (8, Some(offset)),
            A::BorrowFieldMutable(offset) => (9, Some(offset)),
            A::Immutable => (0x0a, None),
            A::ConstantAccessor => (0x0b, None),
        };
        if self.version < functions::attribute_version(byte).unwrap_or(u32::MAX) {
            return refuse("function attribute does not exist in this binary version");
        }
        self.out.push(byte);
        if let Some(operand) = operand {
            self.out.extend_from_slice(&operand.to_le_bytes());
        }
        Ok(())
    }

    pub(super) fn access_specifiers(&mut self, specifiers: Option<&[AccessSpecifier]>) -> Written {
        let Some(specifiers) = specifiers else {
            self.out.push(1);
            return Ok(());
        };
        self.out.push(2);
        self.count(
            specifiers.len(),
            functions::MAX_ACCESS_SPECIFIERS,
            "too many access specifiers",
        )?;
        for specifier in specifiers {
            self.access_specifier(specifier);
        }
        Ok(())
    }

    pub(super) fn access_specifier(&mut self, specifier: &AccessSpecifier) {
        self.out.push(match specifier.kind {
            AccessKind::Reads => 1,
            AccessKind::Writes => 2,
        });
        self.out.push(if specifier.negated { 2 } else { 1 });
        match specifier.resource {
            ResourceSpecifier::Any => self.out.push(1),
            ResourceSpecifier::DeclaredAtAddress(address) => {
                self.out.push(2);
                self.uleb(address.0);
            }
            ResourceSpecifier::DeclaredInModule(module) => {
                self.out.push(3);
                self.uleb(module.0);
            }
            ResourceSpecifier::Resource(handle) => {
                self.out.push(4);
                self.uleb(handle.0);
            }
            ResourceSpecifier::ResourceInstantiation(handle, args) => {
                self.out.push(5);
                self.uleb(handle.0);
                self.uleb(args.0);
            }
        }
        match specifier.address {
            AddressSpecifier::Any => self.out.push(1),
            AddressSpecifier::Literal(address) => {
                self.out.push(2);
                self.uleb(address.0);
            }
            AddressSpecifier::Parameter(local, function) => {
                self.out.push(3);
                Uleb::write(&local, &mut self.out);
                self.out.push(if function.is_some() { 2 } else { 1 });
                if let Some(function) = function {
                    self.uleb(function.0);
                }
            }
        }
    }

    pub(super) fn type_parameters(&mut self, constraints: &[AbilitySet]) -> Written {
        self.count(
            constraints.len(),
            MAX_TYPE_PARAMETERS,
            "too many type parameters",
        )?;
        for &abilities in constraints {
            self.abilities(abilities);
        }
        Ok(())
    }

    pub(super) fn function_definition(&mut self, definition: &FunctionDefinition) -> Written {
        self.uleb(definition.function.0);
        self.out.push(match definition.visibility {
            Visibility::Private => functions::visibility::PRIVATE,
            Visibility::Public => functions::visibility::PUBLIC,
            Visibility::Friend => functions::visibility::FRIEND,
        });
        let mut flags = 0;
        if definition.is_native() {
            flags |= functions::FLAG_NATIVE;
        }
        if definition.is_entry {
            flags |= functions::FLAG_ENTRY;
        }
        self.out.push(flags);
        self.count(
            definition.acquires_global_resources.len(),
            functions::MAX_ACQUIRES,
            "too many acquired resources",
        )?;
        for index in &definition.acquires_global_resources {
            self.uleb(index.0);
        }
        match &definition.code {
            Some(code) => self.code_unit(code),
            None => Ok(()),
        }
    }

    pub(super) fn code_unit(&mut self, unit: &CodeUnit) -> Written {
        self.uleb(unit.locals.0);
        self.count(
            unit.code.len(),
            code::MAX_INSTRUCTIONS,
            "too many instructions",
        )?;
        for instruction in &unit.code {
            if self.version < instruction.first_written_version() {
                return refuse("instruction does not exist in this binary version");
            }
            instruction.write(&mut self.out);
        }
        Ok(())
    }
}
