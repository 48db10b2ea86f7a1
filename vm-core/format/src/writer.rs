//! Writer of binaries in the canonical order of tables (binary-format spec §3). Refuses what the reader would not accept
//! because of a limit or a version; does not check indices.

use crate::operand::{OperandCodec, Uleb};
use crate::reader::header::{MAGIC, TableKind, VERSION_FLAVOUR_MASK};
use crate::reader::{code, functions, structs, tables, token};
use crate::{
    AccessKind, AccessSpecifier, AddressSpecifier, CodeUnit, CompiledModule, CompiledScript,
    Constant, FieldDefinition, FormatError, FunctionAttribute, FunctionDefinition, FunctionHandle,
    Metadata, ModuleHandle, ResourceSpecifier, Signature, SignatureIndex, SignatureToken,
    StructDefinition, StructFieldInformation, StructHandle, VERSION_MAX, VERSION_MIN_WRITTEN,
    VariantFieldHandle, Visibility,
};
use monomove_types::codec::write_uleb;
use monomove_types::{AbilitySet, Identifier, StatusCode};
use token::tag;

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
        writer.table(
            Kind::ModuleHandles,
            &self.module_handles,
            Writer::module_handle,
        )?;
        writer.table(
            Kind::StructHandles,
            &self.struct_handles,
            Writer::struct_handle,
        )?;
        writer.table(
            Kind::FunctionHandles,
            &self.function_handles,
            Writer::function_handle,
        )?;
        writer.table(
            Kind::FunctionInstantiations,
            &self.function_instantiations,
            |w, inst| w.pair(inst.handle.0, inst.type_parameters),
        )?;
        writer.table(Kind::Signatures, &self.signatures, Writer::signature)?;
        writer.table(Kind::Identifiers, &self.identifiers, Writer::identifier)?;
        writer.table(
            Kind::AddressIdentifiers,
            &self.address_identifiers,
            |w, address| {
                w.out.extend_from_slice(&address.0);
                Ok(())
            },
        )?;
        writer.table(Kind::ConstantPool, &self.constant_pool, Writer::constant)?;
        writer.table(Kind::Metadata, &self.metadata, Writer::metadata)?;
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
                structs::MAX_FIELD_OFFSET,
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
        if !is_empty && self.version < structs::VERSION_ENUM {
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
                    structs::MAX_VARIANTS,
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
        use TableKind as Kind;
        let mut writer = Writer::new(self.version)?;
        writer.table(
            Kind::ModuleHandles,
            &self.module_handles,
            Writer::module_handle,
        )?;
        writer.table(
            Kind::StructHandles,
            &self.struct_handles,
            Writer::struct_handle,
        )?;
        writer.table(
            Kind::FunctionHandles,
            &self.function_handles,
            Writer::function_handle,
        )?;
        writer.table(
            Kind::FunctionInstantiations,
            &self.function_instantiations,
            |w, inst| w.pair(inst.handle.0, inst.type_parameters),
        )?;
        writer.table(Kind::Signatures, &self.signatures, Writer::signature)?;
        writer.table(Kind::Identifiers, &self.identifiers, Writer::identifier)?;
        writer.table(
            Kind::AddressIdentifiers,
            &self.address_identifiers,
            |w, address| {
                w.out.extend_from_slice(&address.0);
                Ok(())
            },
        )?;
        writer.table(Kind::ConstantPool, &self.constant_pool, Writer::constant)?;
        writer.table(Kind::Metadata, &self.metadata, Writer::metadata)?;
        let mut tail = Writer::new(self.version)?;
        tail.type_parameters(&self.type_parameters)?;
        tail.uleb(self.parameters.0);
        if self.version >= functions::VERSION_ATTRIBUTES {
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

/// The tables written so far: their headers and their contents.
struct Writer {
    version: u32,
    headers: Vec<u8>,
    tables: u64,
    out: Vec<u8>,
}

impl Writer {
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

    fn struct_handle(&mut self, handle: &StructHandle) -> Written {
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

    fn abilities(&mut self, abilities: AbilitySet) {
        self.out.push(abilities.into_u8());
    }

    fn type_parameters(&mut self, constraints: &[AbilitySet]) -> Written {
        self.count(
            constraints.len(),
            structs::MAX_TYPE_PARAMETERS,
            "too many type parameters",
        )?;
        for &abilities in constraints {
            self.abilities(abilities);
        }
        Ok(())
    }

    fn function_handle(&mut self, handle: &FunctionHandle) -> Written {
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

    fn attribute(&mut self, attribute: FunctionAttribute) -> Written {
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

    fn access_specifiers(&mut self, specifiers: Option<&[AccessSpecifier]>) -> Written {
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

    fn access_specifier(&mut self, specifier: &AccessSpecifier) {
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

    fn signature(&mut self, signature: &Signature) -> Written {
        self.count(
            signature.len(),
            token::MAX_SIGNATURE_SIZE,
            "too many types in a signature",
        )?;
        signature.0.iter().try_for_each(|token| self.token(token))
    }

    fn token(&mut self, token: &SignatureToken) -> Written {
        self.token_within(token, SignatureToken::MAX_NESTING)
    }

    /// Recursive; `budget` bounds the depth.
    fn token_within(&mut self, token: &SignatureToken, budget: usize) -> Written {
        let Some(budget) = budget.checked_sub(1) else {
            return refuse("type nests too deep");
        };
        let byte = tag_of(token);
        if self.version < tag::first_version(byte) {
            return refuse("type does not exist in this binary version");
        }
        self.out.push(byte);
        match token {
            SignatureToken::Struct(handle) => self.uleb(handle.0),
            SignatureToken::StructInstantiation(handle, args) => {
                self.uleb(handle.0);
                if args.is_empty() {
                    return refuse("instantiation without type arguments");
                }
                self.count(
                    args.len(),
                    token::MAX_TYPE_ARGUMENTS,
                    "too many type arguments",
                )?;
            }
            SignatureToken::TypeParameter(index) => self.uleb(*index),
            SignatureToken::Function(args, results, abilities) => {
                self.abilities(*abilities);
                let message = "too many parameters or results of a function type";
                self.count(args.len(), token::MAX_FUNCTION_TYPE_PARTS, message)?;
                self.count(results.len(), token::MAX_FUNCTION_TYPE_PARTS, message)?;
            }
            _ => {}
        }
        token
            .children()
            .try_for_each(|child| self.token_within(child, budget))
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

    fn struct_definition(&mut self, definition: &StructDefinition) -> Written {
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

    fn fields(&mut self, fields: &[FieldDefinition]) -> Written {
        self.count(fields.len(), structs::MAX_FIELDS, "too many fields")?;
        for field in fields {
            self.uleb(field.name.0);
            self.token(&field.signature.0)?;
        }
        Ok(())
    }

    fn variant_field_handle(&mut self, handle: &VariantFieldHandle) -> Written {
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

    fn function_definition(&mut self, definition: &FunctionDefinition) -> Written {
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

    fn code_unit(&mut self, unit: &CodeUnit) -> Written {
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

fn tag_of(token: &SignatureToken) -> u8 {
    match token {
        SignatureToken::Bool => tag::BOOL,
        SignatureToken::U8 => tag::U8,
        SignatureToken::U16 => tag::U16,
        SignatureToken::U32 => tag::U32,
        SignatureToken::U64 => tag::U64,
        SignatureToken::U128 => tag::U128,
        SignatureToken::U256 => tag::U256,
        SignatureToken::I8 => tag::I8,
        SignatureToken::I16 => tag::I16,
        SignatureToken::I32 => tag::I32,
        SignatureToken::I64 => tag::I64,
        SignatureToken::I128 => tag::I128,
        SignatureToken::I256 => tag::I256,
        SignatureToken::Address => tag::ADDRESS,
        SignatureToken::Signer => tag::SIGNER,
        SignatureToken::Vector(_) => tag::VECTOR,
        SignatureToken::Function(..) => tag::FUNCTION,
        SignatureToken::Struct(_) => tag::STRUCT,
        SignatureToken::StructInstantiation(..) => tag::STRUCT_INSTANTIATION,
        SignatureToken::Reference(_) => tag::REFERENCE,
        SignatureToken::MutableReference(_) => tag::MUTABLE_REFERENCE,
        SignatureToken::TypeParameter(_) => tag::TYPE_PARAMETER,
    }
}
