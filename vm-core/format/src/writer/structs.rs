//! Structs and enums: handles, definitions and handles of fields of variants.

use super::{Writer, Written, refuse};
use crate::reader::structs;
use crate::{
    FieldDefinition, StructDefinition, StructFieldInformation, StructHandle, VariantFieldHandle,
};

impl Writer {
    pub(super) fn struct_handle(&mut self, handle: &StructHandle) -> Written {
        self.uleb(handle.module.0);
        self.uleb(handle.name.0);
        self.abilities(handle.abilities);
        self.count(
            handle.type_parameters.len(),
            structs::MAX_TYPE_PARAMETERS,
            "too many type parameters",
        )?;
        for parameter in &handle.type_parameters {
            self.abilities(parameter.constraints);
            self.out.push(u8::from(parameter.is_phantom));
        }
        Ok(())
    }

    pub(super) fn struct_definition(&mut self, definition: &StructDefinition) -> Written {
        self.uleb(definition.struct_handle.0);
        match &definition.field_information {
            StructFieldInformation::Native => self.out.push(structs::flag::NATIVE),
            StructFieldInformation::Declared(fields) => {
                self.out.push(structs::flag::DECLARED);
                self.fields(fields)?;
            }
            StructFieldInformation::DeclaredVariants(variants) => {
                if self.version < structs::VERSION_ENUM {
                    return refuse("enum in this binary version");
                }
                self.out.push(structs::flag::VARIANTS);
                self.count(variants.len(), structs::MAX_VARIANTS, "too many variants")?;
                for variant in variants {
                    self.uleb(variant.name.0);
                    self.fields(&variant.fields)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn fields(&mut self, fields: &[FieldDefinition]) -> Written {
        self.count(fields.len(), structs::MAX_FIELDS, "too many fields")?;
        for field in fields {
            self.uleb(field.name.0);
            self.token(&field.signature.0)?;
        }
        Ok(())
    }

    pub(super) fn variant_field_handle(&mut self, handle: &VariantFieldHandle) -> Written {
        self.uleb(handle.struct_index.0);
        self.bounded(
            handle.field,
            structs::MAX_FIELD_OFFSET,
            "field position above the limit",
        )?;
        self.count(
            handle.variants.len(),
            structs::MAX_VARIANTS,
            "too many variants",
        )?;
        for &variant in &handle.variants {
            self.bounded(
                variant,
                structs::MAX_VARIANTS,
                "variant position above the limit",
            )?;
        }
        Ok(())
    }
}
