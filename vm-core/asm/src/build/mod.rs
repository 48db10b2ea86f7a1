//! Syntax tree to module or script. Tables are filled in the order in which the text needs their entries, as the
//! platform's assembler does: the unit's own handle, friends, handles of structs, handles of functions (parameters,
//! results, name), fields, code.

mod access;
mod code;
mod constant;
mod handles;
mod operands;
mod pool;
mod scope;
mod types;

pub(crate) use constant::integer;

use crate::ast::{self, Fields, PoolEntry};
use crate::diagnostic::{Reporter, Result, Span, quoted};
use crate::{Options, Unit};
use handles::MemberKey;
use monomove_format::{
    AccountAddress, AddressIdentifierIndex, CodeUnit, CompiledModule, CompiledScript, Constant,
    FieldDefinition, FieldHandle, FieldInstantiation, FunctionDefinition, FunctionHandle,
    FunctionHandleIndex, FunctionInstantiation, Identifier, IdentifierIndex, Metadata,
    ModuleHandle, ModuleHandleIndex, Signature, SignatureIndex, StructDefInstantiation,
    StructDefinition, StructDefinitionIndex, StructFieldInformation, StructHandle,
    StructHandleIndex, StructVariantHandle, StructVariantInstantiation, TypeSignature,
    VariantDefinition, VariantFieldHandle, VariantFieldInstantiation,
};
use pool::Pool;
use std::collections::BTreeMap;

/// Most fields of a struct or variant (binary-format spec §3).
const MAX_FIELDS: usize = 255;
/// Most variants of an enum (binary-format spec §3).
const MAX_VARIANTS: usize = 127;

/// Builds what the tree describes; `None` if there were errors, which are then reported.
pub(crate) fn build(
    unit: &ast::Unit<'_>,
    options: &Options<'_>,
    reporter: &mut Reporter,
) -> Option<Unit> {
    let mut builder = Builder {
        unit,
        version: options.version,
        dependencies: options.dependencies,
        reporter,
        tables: Tables::default(),
        names: scope::Names::default(),
        external: handles::External::default(),
        structs: BTreeMap::new(),
        functions: BTreeMap::new(),
        struct_handles: vec![None; unit.structs.len()],
        function_handles: vec![None; unit.functions.len()],
        type_parameters: BTreeMap::new(),
    };
    builder.collect();
    if !builder.reporter.is_empty() {
        return None;
    }
    builder.pools();
    let built = if unit.module.is_some() {
        builder
            .module()
            .map(|module| Unit::Module(Box::new(module)))
    } else {
        builder
            .script()
            .map(|script| Unit::Script(Box::new(script)))
    };
    built.ok().filter(|_| reporter.is_empty())
}

/// The tables of the format.
#[derive(Default)]
struct Tables {
    module_handles: Pool<ModuleHandle>,
    struct_handles: Pool<StructHandle>,
    function_handles: Pool<FunctionHandle>,
    field_handles: Pool<FieldHandle>,
    struct_def_instantiations: Pool<StructDefInstantiation>,
    function_instantiations: Pool<FunctionInstantiation>,
    field_instantiations: Pool<FieldInstantiation>,
    signatures: Pool<Signature>,
    identifiers: Pool<Identifier>,
    address_identifiers: Pool<AccountAddress>,
    constants: Pool<Constant>,
    struct_variant_handles: Pool<StructVariantHandle>,
    struct_variant_instantiations: Pool<StructVariantInstantiation>,
    variant_field_handles: Pool<VariantFieldHandle>,
    variant_field_instantiations: Pool<VariantFieldInstantiation>,
}

struct Builder<'a, 'r> {
    unit: &'a ast::Unit<'a>,
    version: u32,
    dependencies: &'a [CompiledModule],
    reporter: &'r mut Reporter,
    tables: Tables,
    names: scope::Names<'a>,
    external: handles::External<'a>,
    /// Structs and enums defined here by name; of two with one name, the first.
    structs: BTreeMap<&'a str, usize>,
    /// Functions defined here by name; of two with one name, the first.
    functions: BTreeMap<&'a str, usize>,
    struct_handles: Vec<Option<StructHandleIndex>>,
    function_handles: Vec<Option<FunctionHandleIndex>>,
    /// The type parameters in scope.
    type_parameters: BTreeMap<&'a str, u16>,
}

impl<'a> Builder<'a, '_> {
    /// Enters an entry into a table.
    fn entry<T: Ord + Clone>(
        &mut self,
        pool: fn(&mut Tables) -> &mut Pool<T>,
        item: T,
        at: Span,
    ) -> Result<u16> {
        match pool(&mut self.tables).intern(item) {
            Some(index) => Ok(index),
            None => self.table_full(at),
        }
    }

    fn table_full<T>(&mut self, at: Span) -> Result<T> {
        self.reporter
            .fail(at, "a table of the binary has at most 65536 entries")
    }

    /// Reports what the binary version does not have.
    fn since(&mut self, version: u32, what: &str, at: Span) -> Result<()> {
        if self.version >= version {
            return Ok(());
        }
        let own = self.version;
        self.reporter.fail(
            at,
            format!("{what} need binary version {version}, this is version {own}"),
        )
    }

    fn identifier(&mut self, text: &str, at: Span) -> Result<IdentifierIndex> {
        let Ok(identifier) = Identifier::new(text) else {
            let message = format!("{} is not a name that a binary can hold", quoted(text));
            return self.reporter.fail(at, message);
        };
        if text.contains('$') {
            self.since(9, "names with `$`", at)?;
        }
        self.entry(|t| &mut t.identifiers, identifier, at)
            .map(IdentifierIndex)
    }

    fn address_index(
        &mut self,
        address: AccountAddress,
        at: Span,
    ) -> Result<AddressIdentifierIndex> {
        self.entry(|t| &mut t.address_identifiers, address, at)
            .map(AddressIdentifierIndex)
    }

    fn signature(&mut self, types: &'a [ast::Type<'a>], at: Span) -> Result<SignatureIndex> {
        let tokens = types
            .iter()
            .map(|type_| self.type_(type_))
            .collect::<Result<Vec<_>>>()?;
        self.entry(|t| &mut t.signatures, Signature(tokens), at)
            .map(SignatureIndex)
    }

    /// Enters addresses, aliases and definitions into the look-up maps.
    fn collect(&mut self) {
        let unit = self.unit;
        self.names = scope::Names::collect(unit, self.reporter);
        for (index, struct_) in unit.structs.iter().enumerate() {
            self.structs.entry(struct_.name.text).or_insert(index);
            self.member_limits(struct_);
        }
        if unit.module.is_some() {
            for (index, function) in unit.functions.iter().enumerate() {
                self.functions.entry(function.name.text).or_insert(index);
            }
        }
        for (module, struct_) in &unit.extern_structs {
            if let Ok((address, module)) = self.module_key(module) {
                let key = MemberKey::new(address, module, struct_.name.text);
                self.external.structs.entry(key).or_insert(struct_);
            }
        }
        for (module, name, header) in &unit.extern_functions {
            if let Ok((address, module)) = self.module_key(module) {
                let key = MemberKey::new(address, module, name.text);
                self.external.functions.entry(key).or_insert(header);
            }
        }
        for module in self.dependencies {
            handles::add_dependency(&mut self.external, module);
        }
    }

    /// Fields and variants are searched for by name one after the other: there must be few.
    fn member_limits(&mut self, struct_: &ast::Struct<'a>) {
        let none = Vec::new();
        let (fields, variants) = match &struct_.fields {
            Fields::Native => (&none, &[][..]),
            Fields::Struct(fields) => (fields, &[][..]),
            Fields::Enum(variants) => (&none, &variants[..]),
        };
        if let Some((name, _)) = variants.get(MAX_VARIANTS) {
            let message = format!("an enum has at most {MAX_VARIANTS} variants in a binary");
            self.reporter.report(name.at, message);
        }
        for fields in variants.iter().map(|(_, fields)| fields).chain([fields]) {
            if let Some(field) = fields.get(MAX_FIELDS) {
                let message = format!("there are at most {MAX_FIELDS} fields in a binary");
                self.reporter.report(field.name.at, message);
            }
        }
    }

    /// Makes the entries that `pool` lines ask for.
    fn pools(&mut self) {
        let unit = self.unit;
        for (entry, at) in &unit.pools {
            // What is wrong is reported; the other lines are still looked at.
            let _ = self.pool_entry(entry, *at);
        }
    }

    fn pool_entry(&mut self, entry: &'a PoolEntry<'a>, at: Span) -> Result<()> {
        match entry {
            PoolEntry::Identifier(name) => self.identifier(name.text, name.at).map(drop),
            PoolEntry::Address(value) => {
                let address = AccountAddress(value.to_be_bytes());
                self.address_index(address, at).map(drop)
            }
            PoolEntry::Module(module) => {
                let (address, name) = self.module_key(module)?;
                self.module_handle(address, name, module.name.at).map(drop)
            }
            PoolEntry::Struct(path) => self.struct_handle(path).map(drop),
            PoolEntry::Function(path) => self.function_handle(path).map(drop),
            PoolEntry::Signature(types) => self.signature(types, at).map(drop),
            PoolEntry::Constant(type_, data) => {
                let type_ = self.type_(type_)?;
                self.constant(type_, data, at).map(drop)
            }
            PoolEntry::Operand(instruction) => {
                let scope = code::CodeScope::default();
                self.instruction(instruction, &scope).map(drop)
            }
        }
    }

    fn module(&mut self) -> Result<CompiledModule> {
        let unit = self.unit;
        let mut module = CompiledModule {
            version: self.version,
            self_module_handle_idx: self.own_module_handle()?,
            ..CompiledModule::default()
        };
        for friend in &unit.friends {
            let (address, name) = self.module_key(friend)?;
            let name = self.identifier(name, friend.name.at)?;
            let address = self.address_index(address, friend.name.at)?;
            module.friend_decls.push(ModuleHandle { address, name });
        }
        for index in 0..unit.structs.len() {
            let _ = self.own_struct_handle(index);
        }
        for index in 0..unit.functions.len() {
            let _ = self.own_function_handle(index);
        }
        for (index, struct_) in unit.structs.iter().enumerate() {
            if let Ok(definition) = self.struct_definition(index, struct_) {
                module.struct_defs.push(definition);
            }
        }
        for (index, function) in unit.functions.iter().enumerate() {
            if self.reporter.is_full() {
                break;
            }
            if let Ok(definition) = self.function_definition(index, function) {
                module.function_defs.push(definition);
            }
        }
        self.declared_externals();
        self.function_access()?;
        module.metadata = self.metadata();
        let tables = &mut self.tables;
        module.module_handles = tables.module_handles.take();
        module.struct_handles = tables.struct_handles.take();
        module.function_handles = tables.function_handles.take();
        module.field_handles = tables.field_handles.take();
        module.struct_def_instantiations = tables.struct_def_instantiations.take();
        module.function_instantiations = tables.function_instantiations.take();
        module.field_instantiations = tables.field_instantiations.take();
        module.signatures = tables.signatures.take();
        module.identifiers = tables.identifiers.take();
        module.address_identifiers = tables.address_identifiers.take();
        module.constant_pool = tables.constants.take();
        module.struct_variant_handles = tables.struct_variant_handles.take();
        module.struct_variant_instantiations = tables.struct_variant_instantiations.take();
        module.variant_field_handles = tables.variant_field_handles.take();
        module.variant_field_instantiations = tables.variant_field_instantiations.take();
        Ok(module)
    }

    fn script(&mut self) -> Result<CompiledScript> {
        let unit = self.unit;
        let Some(function) = unit.functions.first() else {
            return self.reporter.fail(unit.at, "a script has a function");
        };
        self.enter_type_parameters(&function.header.type_parameters);
        let parameters = self.parameters(&function.header, function.name.at)?;
        let access_specifiers = self.header_access(&function.header, 8)?;
        let code = self.code_unit(function)?;
        self.declared_externals();
        let metadata = self.metadata();
        let tables = &mut self.tables;
        Ok(CompiledScript {
            version: self.version,
            module_handles: tables.module_handles.take(),
            struct_handles: tables.struct_handles.take(),
            function_handles: tables.function_handles.take(),
            function_instantiations: tables.function_instantiations.take(),
            signatures: tables.signatures.take(),
            identifiers: tables.identifiers.take(),
            address_identifiers: tables.address_identifiers.take(),
            constant_pool: tables.constants.take(),
            metadata,
            type_parameters: handles::constraints(&function.header),
            parameters,
            access_specifiers,
            code,
        })
    }

    fn metadata(&self) -> Vec<Metadata> {
        self.unit
            .metadata
            .iter()
            .map(|(key, value, _)| Metadata {
                key: key.clone(),
                value: value.clone(),
            })
            .collect()
    }

    fn struct_definition(
        &mut self,
        index: usize,
        struct_: &'a ast::Struct<'a>,
    ) -> Result<StructDefinition> {
        let struct_handle = self.own_struct_handle(index)?;
        self.enter_type_parameters(&struct_.type_parameters);
        let field_information = match &struct_.fields {
            Fields::Native => StructFieldInformation::Native,
            Fields::Struct(fields) => StructFieldInformation::Declared(self.fields(fields)?),
            Fields::Enum(variants) => {
                self.since(7, "enums", struct_.name.at)?;
                let variants = variants
                    .iter()
                    .map(|(name, fields)| {
                        Ok(VariantDefinition {
                            name: self.identifier(name.text, name.at)?,
                            fields: self.fields(fields)?,
                        })
                    })
                    .collect::<Result<_>>()?;
                StructFieldInformation::DeclaredVariants(variants)
            }
        };
        Ok(StructDefinition {
            struct_handle,
            field_information,
        })
    }

    fn fields(&mut self, fields: &'a [ast::Binding<'a>]) -> Result<Vec<FieldDefinition>> {
        fields
            .iter()
            .map(|field| {
                Ok(FieldDefinition {
                    name: self.identifier(field.name.text, field.name.at)?,
                    signature: TypeSignature(self.type_(&field.type_)?),
                })
            })
            .collect()
    }

    fn function_definition(
        &mut self,
        index: usize,
        function: &'a ast::Function<'a>,
    ) -> Result<FunctionDefinition> {
        let handle = self.own_function_handle(index);
        self.enter_type_parameters(&function.header.type_parameters);
        let acquires = function
            .acquires
            .iter()
            .map(|name| match self.structs.get(name.text) {
                Some(&index) => self.definition_index(index, name.at),
                None => {
                    let message = format!("{} is not defined in this module", quoted(name.text));
                    self.reporter.fail(name.at, message)
                }
            })
            .collect::<Result<_>>();
        let code = if function.is_native {
            None
        } else {
            Some(self.code_unit(function)?)
        };
        Ok(FunctionDefinition {
            function: handle?,
            visibility: function.visibility,
            is_entry: function.is_entry,
            acquires_global_resources: acquires?,
            code,
        })
    }

    fn definition_index(&mut self, index: usize, at: Span) -> Result<StructDefinitionIndex> {
        match u16::try_from(index) {
            Ok(index) => Ok(StructDefinitionIndex(index)),
            Err(_) => self.table_full(at),
        }
    }

    /// Locals and instructions of a function.
    fn code_unit(&mut self, function: &'a ast::Function<'a>) -> Result<CodeUnit> {
        let locals = function
            .locals
            .iter()
            .map(|local| self.type_(&local.type_))
            .collect::<Result<Vec<_>>>();
        let scope = self.code_scope(function);
        let mut code = Vec::with_capacity(function.code.len());
        let mut result = Ok(());
        for instruction in &function.code {
            match self.instruction(instruction, &scope) {
                Ok(instruction) => code.push(instruction),
                Err(fail) => result = Err(fail),
            }
            if self.reporter.is_full() {
                break;
            }
        }
        result?;
        // The platform's assembler enters the locals after the code.
        let locals = Signature(locals?);
        self.entry(|t| &mut t.signatures, locals, function.name.at)
            .map(|locals| CodeUnit {
                locals: SignatureIndex(locals),
                code,
            })
    }

    fn own_module_handle(&mut self) -> Result<ModuleHandleIndex> {
        let unit = self.unit;
        match &unit.module {
            Some(module) => {
                let (address, name) = self.module_key(module)?;
                self.module_handle(address, name, module.name.at)
            }
            None => self
                .reporter
                .fail(unit.at, "a script defines no structs and functions"),
        }
    }
}
