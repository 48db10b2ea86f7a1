//! Reader of binaries: entry points and configuration. One pass over the bytes, then the bounds checks.

pub(crate) mod code;
pub(crate) mod functions;
pub(crate) mod header;
mod primitives;
pub(crate) mod structs;
pub(crate) mod tables;
pub(crate) mod token;

pub(crate) use primitives::BinaryReader;

use crate::{CompiledModule, CompiledScript, FormatError, ModuleHandleIndex, VERSION_DEFAULT_MAX};
use header::TableKind;

/// What a reader accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeserializerConfig {
    /// Newest binary version; anything above [`VERSION_MAX`](crate::VERSION_MAX) counts as that.
    pub max_version: u32,
    /// Longest identifier, in bytes.
    pub max_identifier_size: u64,
}

impl DeserializerConfig {
    /// Longest identifier on today's chains.
    pub const MAX_IDENTIFIER_SIZE: u64 = 255;
    /// Longest identifier before there was a limit.
    pub const LEGACY_MAX_IDENTIFIER_SIZE: u64 = 65535;

    /// Puts a configuration together.
    pub const fn new(max_version: u32, max_identifier_size: u64) -> Self {
        Self {
            max_version,
            max_identifier_size,
        }
    }
}

impl Default for DeserializerConfig {
    fn default() -> Self {
        Self::new(VERSION_DEFAULT_MAX, Self::MAX_IDENTIFIER_SIZE)
    }
}

impl CompiledModule {
    /// Reads a module with the default configuration.
    pub fn deserialize(binary: &[u8]) -> Result<Self, FormatError> {
        Self::deserialize_with(binary, &DeserializerConfig::default())
    }

    /// Reads a module. Bytes after it are ignored, as the platform does.
    pub fn deserialize_with(
        binary: &[u8],
        config: &DeserializerConfig,
    ) -> Result<Self, FormatError> {
        let mut reader = header::start(binary, config)?;
        let mut module = Self {
            version: reader.version,
            ..Self::default()
        };
        for (kind, mut section) in header::sections(&mut reader)? {
            module.read_table(kind, &mut section)?;
        }
        module.self_module_handle_idx = ModuleHandleIndex(reader.uleb_u16(u16::MAX)?);
        module.check_bounds()?;
        Ok(module)
    }

    fn read_table(
        &mut self,
        kind: TableKind,
        section: &mut BinaryReader<'_>,
    ) -> Result<(), FormatError> {
        use TableKind as Kind;
        kind.check_version(section)?;
        match kind {
            Kind::ModuleHandles => self.module_handles = section.table(tables::module_handle)?,
            Kind::StructHandles => self.struct_handles = section.table(structs::handle)?,
            Kind::FunctionHandles => self.function_handles = section.table(functions::handle)?,
            Kind::FunctionInstantiations => {
                self.function_instantiations = section.table(tables::function_instantiation)?;
            }
            Kind::Signatures => self.signatures = section.table(token::signature)?,
            Kind::ConstantPool => self.constant_pool = section.table(tables::constant)?,
            Kind::Identifiers => self.identifiers = section.table(tables::identifier)?,
            Kind::AddressIdentifiers => {
                self.address_identifiers = section.table(tables::address)?;
            }
            Kind::Metadata => self.metadata = section.table(tables::metadata)?,
            Kind::StructDefs => self.struct_defs = section.table(structs::definition)?,
            Kind::StructDefInstantiations => {
                self.struct_def_instantiations = section.table(structs::instantiation)?;
            }
            Kind::FunctionDefs => self.function_defs = section.table(functions::definition)?,
            Kind::FieldHandles => self.field_handles = section.table(structs::field_handle)?,
            Kind::FieldInstantiations => {
                self.field_instantiations = section.table(structs::field_instantiation)?;
            }
            Kind::FriendDecls => self.friend_decls = section.table(tables::module_handle)?,
            Kind::VariantFieldHandles => {
                self.variant_field_handles = section.table(structs::variant_field_handle)?;
            }
            Kind::VariantFieldInstantiations => {
                self.variant_field_instantiations =
                    section.table(structs::variant_field_instantiation)?;
            }
            Kind::StructVariantHandles => {
                self.struct_variant_handles = section.table(structs::variant_handle)?;
            }
            Kind::StructVariantInstantiations => {
                self.struct_variant_instantiations =
                    section.table(structs::variant_instantiation)?;
            }
        }
        Ok(())
    }
}

impl CompiledScript {
    /// Reads a script with the default configuration.
    pub fn deserialize(binary: &[u8]) -> Result<Self, FormatError> {
        Self::deserialize_with(binary, &DeserializerConfig::default())
    }

    /// Reads a script. Bytes after it are ignored, as the platform does.
    pub fn deserialize_with(
        binary: &[u8],
        config: &DeserializerConfig,
    ) -> Result<Self, FormatError> {
        let mut reader = header::start(binary, config)?;
        let mut tables = CompiledModule {
            version: reader.version,
            ..CompiledModule::default()
        };
        for (kind, mut section) in header::sections(&mut reader)? {
            if !kind.is_in_scripts() {
                kind.check_version(&section)?;
                return Err(section.malformed("table of a module in a script"));
            }
            tables.read_table(kind, &mut section)?;
        }
        let mut script = Self {
            version: tables.version,
            module_handles: tables.module_handles,
            struct_handles: tables.struct_handles,
            function_handles: tables.function_handles,
            function_instantiations: tables.function_instantiations,
            signatures: tables.signatures,
            identifiers: tables.identifiers,
            address_identifiers: tables.address_identifiers,
            constant_pool: tables.constant_pool,
            metadata: tables.metadata,
            ..Self::default()
        };
        script.type_parameters = functions::type_parameters(&mut reader)?;
        script.parameters = tables::signature_index(&mut reader)?;
        if reader.version >= functions::VERSION_ATTRIBUTES {
            script.access_specifiers = functions::access_specifiers(&mut reader)?;
        }
        script.code = code::code_unit(&mut reader)?;
        script.check_bounds()?;
        Ok(script)
    }
}
