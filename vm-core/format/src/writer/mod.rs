//! Writer of binaries in the canonical order of tables (binary-format spec §3). Refuses what the reader would not accept
//! because of a limit or a version; does not check indices.

mod functions;
mod structs;
mod token;

use crate::reader::functions::VERSION_ATTRIBUTES;
use crate::reader::header::{MAGIC, TableKind, VERSION_FLAVOUR_MASK};
use crate::reader::structs::{MAX_FIELD_OFFSET, MAX_VARIANTS, VERSION_ENUM};
use crate::reader::tables;
use crate::{
    CompiledModule, CompiledScript, Constant, FormatError, FunctionHandle, FunctionInstantiation,
    Metadata, ModuleHandle, Signature, SignatureIndex, StructHandle, VERSION_MAX,
    VERSION_MIN_WRITTEN,
};
use monomove_types::codec::write_uleb;
use monomove_types::{AccountAddress, Identifier, StatusCode};

/// First version whose version word carries the flavour mask.
const VERSION_FLAVOURED: u32 = 7;

type Written = Result<(), FormatError>;

fn refuse<T>(message: &str) -> Result<T, FormatError> {
    Err(FormatError::new(StatusCode::MALFORMED, message))
}

impl CompiledModule {
    /// The canonical binary of the module.
    pub fn serialize(&self) -> Result<Vec<u8>, FormatError> {
        use TableKind as Kind;
        let mut writer = Writer::new(self.version)?;
        writer.shared_tables(&SharedTables {
            module_handles: &self.module_handles,
            struct_handles: &self.struct_handles,
            function_handles: &self.function_handles,
            function_instantiations: &self.function_instantiations,
            signatures: &self.signatures,
            identifiers: &self.identifiers,
            address_identifiers: &self.address_identifiers,
            constant_pool: &self.constant_pool,
            metadata: &self.metadata,
        })?;
        writer.table(
            Kind::StructDefs,
            &self.struct_defs,
            Writer::struct_definition,
        )?;
        writer.table(
            Kind::StructDefInstantiations,
            &self.struct_def_instantiations,
            |w, inst| w.pair(inst.def.0, inst.type_parameters),
        )?;
        writer.table(
            Kind::FunctionDefs,
            &self.function_defs,
            Writer::function_definition,
        )?;
        writer.table(Kind::FieldHandles, &self.field_handles, |w, handle| {
            w.uleb(handle.owner.0);
            w.bounded(
                handle.field,
                MAX_FIELD_OFFSET,
                "field position above the limit",
            )
        })?;
        writer.table(
            Kind::FieldInstantiations,
            &self.field_instantiations,
            |w, inst| w.pair(inst.handle.0, inst.type_parameters),
        )?;
        writer.table(Kind::FriendDecls, &self.friend_decls, Writer::module_handle)?;
        self.serialize_variants(&mut writer)?;
        let mut binary = writer.finish()?;
        write_uleb(&mut binary, u64::from(self.self_module_handle_idx.0));
        Ok(binary)
    }

    fn serialize_variants(&self, writer: &mut Writer) -> Written {
        use TableKind as Kind;
        let is_empty = self.variant_field_handles.is_empty()
            && self.variant_field_instantiations.is_empty()
            && self.struct_variant_handles.is_empty()
            && self.struct_variant_instantiations.is_empty();
        if !is_empty && self.version < VERSION_ENUM {
            return refuse("enum in this binary version");
        }
        writer.table(
            Kind::VariantFieldHandles,
            &self.variant_field_handles,
            Writer::variant_field_handle,
        )?;
        writer.table(
            Kind::VariantFieldInstantiations,
            &self.variant_field_instantiations,
            |w, inst| w.pair(inst.handle.0, inst.type_parameters),
        )?;
        writer.table(
            Kind::StructVariantHandles,
            &self.struct_variant_handles,
            |w, handle| {
                w.uleb(handle.struct_index.0);
                w.bounded(
                    handle.variant,
                    MAX_VARIANTS,
                    "variant position above the limit",
                )
            },
        )?;
        writer.table(
            Kind::StructVariantInstantiations,
            &self.struct_variant_instantiations,
            |w, inst| w.pair(inst.handle.0, inst.type_parameters),
        )
    }
}

impl CompiledScript {
    /// The canonical binary of the script.
    pub fn serialize(&self) -> Result<Vec<u8>, FormatError> {
        let mut writer = Writer::new(self.version)?;
        writer.shared_tables(&SharedTables {
            module_handles: &self.module_handles,
            struct_handles: &self.struct_handles,
            function_handles: &self.function_handles,
            function_instantiations: &self.function_instantiations,
            signatures: &self.signatures,
            identifiers: &self.identifiers,
            address_identifiers: &self.address_identifiers,
            constant_pool: &self.constant_pool,
            metadata: &self.metadata,
        })?;
        let mut tail = Writer::new(self.version)?;
        tail.type_parameters(&self.type_parameters)?;
        tail.uleb(self.parameters.0);
        if self.version >= VERSION_ATTRIBUTES {
            tail.access_specifiers(self.access_specifiers.as_deref())?;
        } else if self.access_specifiers.is_some() {
            return refuse("access specifiers in this binary version");
        }
        tail.code_unit(&self.code)?;
        let mut binary = writer.finish()?;
        binary.append(&mut tail.out);
        Ok(binary)
    }
}

/// The tables that modules and scripts have, in the order in which they are written.
struct SharedTables<'a> {
    module_handles: &'a [ModuleHandle],
    struct_handles: &'a [StructHandle],
    function_handles: &'a [FunctionHandle],
    function_instantiations: &'a [FunctionInstantiation],
    signatures: &'a [Signature],
    identifiers: &'a [Identifier],
    address_identifiers: &'a [AccountAddress],
    constant_pool: &'a [Constant],
    metadata: &'a [Metadata],
}

/// The tables written so far: their headers and their contents.
struct Writer {
    version: u32,
    headers: Vec<u8>,
    tables: u64,
    out: Vec<u8>,
}

impl Writer {
    fn shared_tables(&mut self, tables: &SharedTables<'_>) -> Written {
        use TableKind as Kind;
        self.table(
            Kind::ModuleHandles,
            tables.module_handles,
            Writer::module_handle,
        )?;
        self.table(
            Kind::StructHandles,
            tables.struct_handles,
            Writer::struct_handle,
        )?;
        self.table(
            Kind::FunctionHandles,
            tables.function_handles,
            Writer::function_handle,
        )?;
        self.table(
            Kind::FunctionInstantiations,
            tables.function_instantiations,
            |w, inst| w.pair(inst.handle.0, inst.type_parameters),
        )?;
        self.table(Kind::Signatures, tables.signatures, Writer::signature)?;
        self.table(Kind::Identifiers, tables.identifiers, Writer::identifier)?;
        self.table(
            Kind::AddressIdentifiers,
            tables.address_identifiers,
            |w, address| {
                w.out.extend_from_slice(&address.0);
                Ok(())
            },
        )?;
        self.table(Kind::ConstantPool, tables.constant_pool, Writer::constant)?;
        self.table(Kind::Metadata, tables.metadata, Writer::metadata)
    }

    fn new(version: u32) -> Result<Self, FormatError> {
        if !(VERSION_MIN_WRITTEN..=VERSION_MAX).contains(&version) {
            return Err(FormatError::new(
                StatusCode::UNKNOWN_VERSION,
                format!("binary version {version} is not written"),
            ));
        }
        Ok(Self {
            version,
            headers: Vec::new(),
            tables: 0,
            out: Vec::new(),
        })
    }

    /// Magic, version word, headers and contents.
    fn finish(self) -> Result<Vec<u8>, FormatError> {
        let mut binary = Vec::with_capacity(self.headers.len() + self.out.len() + 16);
        binary.extend_from_slice(&MAGIC);
        let mask = if self.version >= VERSION_FLAVOURED {
            VERSION_FLAVOUR_MASK
        } else {
            0
        };
        binary.extend_from_slice(&(self.version | mask).to_le_bytes());
        write_uleb(&mut binary, self.tables);
        binary.extend_from_slice(&self.headers);
        binary.extend_from_slice(&self.out);
        Ok(binary)
    }

    fn table<T>(
        &mut self,
        kind: TableKind,
        elements: &[T],
        mut write: impl FnMut(&mut Self, &T) -> Written,
    ) -> Written {
        if elements.is_empty() {
            return Ok(());
        }
        let start = self.out.len();
        for element in elements {
            write(self, element)?;
        }
        let end = self.out.len();
        if u32::try_from(end).is_err() {
            return refuse("tables are too long");
        }
        self.headers.push(kind as u8);
        write_uleb(&mut self.headers, start as u64);
        write_uleb(&mut self.headers, (end - start) as u64);
        self.tables += 1;
        Ok(())
    }

    fn uleb(&mut self, value: u16) {
        write_uleb(&mut self.out, u64::from(value));
    }

    fn bounded(&mut self, value: u16, max: u16, message: &str) -> Written {
        if value > max {
            return refuse(message);
        }
        self.uleb(value);
        Ok(())
    }

    fn count(&mut self, count: usize, max: u16, message: &str) -> Written {
        match u16::try_from(count) {
            Ok(count) => self.bounded(count, max, message),
            Err(_) => refuse(message),
        }
    }

    fn bytes(&mut self, bytes: &[u8], max: u64, message: &str) -> Written {
        if bytes.len() as u64 > max {
            return refuse(message);
        }
        monomove_types::codec::write_bytes(&mut self.out, bytes);
        Ok(())
    }

    fn pair(&mut self, index: u16, type_parameters: SignatureIndex) -> Written {
        self.uleb(index);
        self.uleb(type_parameters.0);
        Ok(())
    }

    fn module_handle(&mut self, handle: &ModuleHandle) -> Written {
        self.uleb(handle.address.0);
        self.uleb(handle.name.0);
        Ok(())
    }

    fn identifier(&mut self, identifier: &Identifier) -> Written {
        if self.version < tables::VERSION_DOLLAR && identifier.contains('$') {
            return refuse("`$` in an identifier of this binary version");
        }
        let max = crate::DeserializerConfig::LEGACY_MAX_IDENTIFIER_SIZE;
        self.bytes(identifier.as_bytes(), max, "identifier is too long")
    }

    fn constant(&mut self, constant: &Constant) -> Written {
        self.token(&constant.type_)?;
        self.bytes(
            &constant.data,
            tables::MAX_CONSTANT_SIZE,
            "constant is too long",
        )
    }

    fn metadata(&mut self, metadata: &Metadata) -> Written {
        self.bytes(
            &metadata.key,
            tables::MAX_METADATA_KEY_SIZE,
            "metadata key is too long",
        )?;
        self.bytes(
            &metadata.value,
            tables::MAX_METADATA_VALUE_SIZE,
            "metadata value is too long",
        )
    }
}
