//! What the metadata of a module says about its structs and functions, and the rules that publishing makes of it: the known entries (binary format
//! §12), resource groups (AIP-9), events (AIP-44), and code of unstable compilers.

use crate::{ErrorLocation, VerifierError, VerifierResult};
use monomove_format::{
    Bytecode, CompiledModule, FunctionDefinitionIndex, Metadata, SignatureToken, StructDefinition,
    StructFieldInformation,
};
use monomove_types::{AbilitySet, AccountAddress, ModuleId, StatusCode, StructTag};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Key of what compilers knew before there were attributes.
const KEY_V0: &[u8] = b"aptos::metadata_v0";
/// Key of the attributes.
const KEY_V1: &[u8] = b"aptos::metadata_v1";
/// Key of what the compiler says about itself.
const KEY_COMPILATION: &[u8] = b"compilation_metadata";

/// Name of the only field of a struct that was declared without fields.
const DUMMY_FIELD: &str = "dummy_field";

type ErrorMap = BTreeMap<u64, ErrorDescription>;

#[derive(Deserialize)]
struct ErrorDescription {
    #[serde(rename = "code_name")]
    _name: String,
    #[serde(rename = "code_description")]
    _description: String,
}

#[derive(Deserialize)]
struct MetadataV1 {
    #[serde(rename = "error_map")]
    _errors: ErrorMap,
    structs: BTreeMap<String, Vec<RawAttribute>>,
    functions: BTreeMap<String, Vec<RawAttribute>>,
}

#[derive(Deserialize)]
struct RawAttribute {
    kind: u8,
    args: Vec<String>,
}

#[derive(Deserialize)]
struct Compilation {
    unstable: bool,
    _compiler_version: String,
    _language_version: String,
}

/// From where structs may join a resource group; later ones allow more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Module,
    Address,
    Global,
}

/// The attributes of a struct.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct StructAttributes {
    group: Option<Scope>,
    member_of: Option<StructTag>,
    is_event: bool,
}

/// What the metadata of a module says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes {
    structs: BTreeMap<String, StructAttributes>,
}

impl Attributes {
    /// Those of a module that is to be published: everything in its metadata must be known.
    pub(crate) fn read(module: &CompiledModule) -> VerifierResult<Self> {
        let mut seen: Vec<&[u8]> = Vec::new();
        let mut attributes = Self::default();
        for entry in &module.metadata {
            if seen.contains(&&*entry.key) {
                return Err(invalid("two metadata entries have the same key"));
            }
            seen.push(&entry.key);
            match &*entry.key {
                KEY_V0 => drop(decode::<ErrorMap>(entry)?),
                KEY_V1 => attributes.add(module, decode(entry)?)?,
                KEY_COMPILATION => drop(decode::<Compilation>(entry)?),
                _ => return Err(invalid("a metadata entry has an unknown key")),
            }
        }
        Ok(attributes)
    }

    /// Those of a published module, whose metadata is not judged any more.
    pub(crate) fn of_published(module: &CompiledModule) -> Self {
        Self::read(module).unwrap_or_default()
    }

    fn add(&mut self, module: &CompiledModule, metadata: MetadataV1) -> VerifierResult {
        for (name, raw) in metadata.structs {
            if find_struct(module, &name).is_none() {
                return Err(invalid("an attribute names a struct that does not exist"));
            }
            let mut attributes = StructAttributes::default();
            for RawAttribute { kind, args } in raw {
                match (kind, &*args) {
                    (2, [scope]) if attributes.group.is_none() => {
                        attributes.group = Some(match scope.as_str() {
                            "module_" => Scope::Module,
                            "address" => Scope::Address,
                            "global" => Scope::Global,
                            _ => return Err(invalid("the scope of a resource group is unknown")),
                        });
                    }
                    (3, [group]) if attributes.member_of.is_none() => {
                        let group = group.parse();
                        attributes.member_of =
                            Some(group.map_err(|_| invalid("a resource group has no name"))?);
                    }
                    (4, []) => attributes.is_event = true,
                    _ => {
                        return Err(invalid(
                            "a struct has an attribute that structs cannot have",
                        ));
                    }
                }
            }
            self.structs.insert(name, attributes);
        }
        for (name, raw) in metadata.functions {
            if module.find_function(&name).is_none() {
                return Err(invalid("an attribute names a function that does not exist"));
            }
            let is_known = |attribute: &RawAttribute| match attribute.kind {
                0 | 1 => attribute.args.is_empty(),
                5 => attribute.args.len() <= 1,
                _ => false,
            };
            if !raw.iter().all(is_known) {
                return Err(invalid(
                    "a function has an attribute that functions cannot have",
                ));
            }
        }
        Ok(())
    }

    fn of(&self, name: &str) -> Option<&StructAttributes> {
        self.structs.get(name)
    }
}

/// Whether the compiler said that it may not be relied on.
pub(crate) fn is_unstable(metadata: &[Metadata]) -> bool {
    let mut entries = metadata.iter();
    entries.any(|entry| {
        entry.key == KEY_COMPILATION
            && bcs::from_bytes::<Compilation>(&entry.value).is_ok_and(|it| it.unstable)
    })
}

/// Refuses code of unstable compilers.
pub fn verify_stable(metadata: &[Metadata]) -> VerifierResult {
    if is_unstable(metadata) {
        return Err(VerifierError::new(
            StatusCode::UNSTABLE_BYTECODE_REJECTED,
            "the code was compiled with unstable features",
        ));
    }
    Ok(())
}

/// The rules of resource groups for `module` with its `attributes`; `old` are those of the module that it replaces. `attributes_of` gives those of the modules
/// that will be published.
pub(crate) fn verify_groups(
    module: &CompiledModule,
    attributes: &Attributes,
    old: Option<(&CompiledModule, &Attributes)>,
    attributes_of: impl Fn(&ModuleId) -> VerifierResult<Option<Attributes>>,
) -> VerifierResult {
    let id = module.self_id();
    for (name, own) in &attributes.structs {
        if own.group.is_some() && !find_struct(module, name).is_some_and(|it| is_bare(module, it)) {
            return Err(invalid("a resource group has abilities or fields"));
        }
        let Some(group) = &own.member_of else {
            continue;
        };
        let home = ModuleId {
            address: group.address,
            name: group.module.clone(),
        };
        let scope = attributes_of(&home)?
            .and_then(|there| there.of(group.name.as_str()).and_then(|it| it.group));
        let is_open = match scope {
            None => {
                return Err(invalid(
                    "a struct is in a group that is not a resource group",
                ));
            }
            Some(Scope::Module) => home == id,
            Some(Scope::Address) => home.address == id.address,
            Some(Scope::Global) => true,
        };
        if !is_open {
            return Err(invalid("the scope of a resource group leaves a member out"));
        }
    }
    let Some((old_module, old)) = old else {
        return Ok(());
    };
    let nothing = StructAttributes::default();
    for definition in &old_module.struct_defs {
        let name = struct_name(old_module, definition);
        let before = old.of(name).unwrap_or(&nothing);
        let after = attributes.of(name).unwrap_or(&nothing);
        if before.group.is_some() && after.group < before.group {
            return Err(invalid(
                "a resource group is gone, or its scope allows less",
            ));
        }
        if before.member_of != after.member_of {
            return Err(invalid(
                "a struct that is in use enters, leaves or changes its resource group",
            ));
        }
    }
    Ok(())
}

/// The rules of events: what the module emits are its own structs with the attribute, and those of `old` stay events.
pub(crate) fn verify_events(
    module: &CompiledModule,
    attributes: &Attributes,
    old: Option<&Attributes>,
) -> VerifierResult {
    for (index, definition) in (0..=u16::MAX).zip(&module.function_defs) {
        let code = definition.code.iter().flat_map(|unit| &unit.code);
        for (offset, instruction) in (0..=u16::MAX).zip(code) {
            let Bytecode::CallGeneric(callee) = instruction else {
                continue;
            };
            let instantiation = &module.function_instantiations[callee.into_index()];
            let handle = &module.function_handles[instantiation.handle.into_index()];
            if !is_emit(module, handle.module.into_index(), handle.name.into_index()) {
                continue;
            }
            let tokens = module.signature_at(instantiation.type_parameters).tokens();
            if !matches!(tokens, [token] if is_own_event(module, attributes, token)) {
                return Err(VerifierError::new(
                    StatusCode::EVENT_METADATA_VALIDATION_ERROR,
                    "what is emitted is not an event of this module",
                )
                .at(FunctionDefinitionIndex(index), offset));
            }
        }
    }
    let before = old.iter().flat_map(|old| &old.structs);
    for (name, _) in before.filter(|(_, it)| it.is_event) {
        if !attributes.of(name).is_some_and(|it| it.is_event) {
            return Err(VerifierError::new(
                StatusCode::EVENT_METADATA_VALIDATION_ERROR,
                "an event is not one any more",
            ));
        }
    }
    Ok(())
}

/// Whether a handle is that of `0x1::event::emit`.
fn is_emit(module: &CompiledModule, home: usize, name: usize) -> bool {
    let home = &module.module_handles[home];
    module.identifiers[name].as_str() == "emit"
        && module.identifiers[home.name.into_index()].as_str() == "event"
        && module.address_identifiers[home.address.into_index()] == AccountAddress::ONE
}

fn is_own_event(module: &CompiledModule, attributes: &Attributes, token: &SignatureToken) -> bool {
    let (SignatureToken::Struct(index) | SignatureToken::StructInstantiation(index, _)) = token
    else {
        return false;
    };
    let handle = &module.struct_handles[index.into_index()];
    let name = module.identifiers[handle.name.into_index()].as_str();
    handle.module == module.self_module_handle_idx
        && attributes.of(name).is_some_and(|it| it.is_event)
}

fn struct_name<'a>(module: &'a CompiledModule, definition: &StructDefinition) -> &'a str {
    let handle = &module.struct_handles[definition.struct_handle.into_index()];
    module.identifiers[handle.name.into_index()].as_str()
}

fn find_struct<'a>(module: &'a CompiledModule, name: &str) -> Option<&'a StructDefinition> {
    let mut definitions = module.struct_defs.iter();
    definitions.find(|definition| struct_name(module, definition) == name)
}

/// Whether a struct was declared without abilities and fields; the compiler gives such a struct a field.
fn is_bare(module: &CompiledModule, definition: &StructDefinition) -> bool {
    let handle = &module.struct_handles[definition.struct_handle.into_index()];
    let StructFieldInformation::Declared(fields) = &definition.field_information else {
        return false;
    };
    let is_dummy = match &**fields {
        [] => true,
        [field] => {
            field.signature.0 == SignatureToken::Bool
                && module.identifiers[field.name.into_index()].as_str() == DUMMY_FIELD
        }
        _ => false,
    };
    handle.abilities == AbilitySet::EMPTY && is_dummy
}

fn decode<'a, T: Deserialize<'a>>(entry: &'a Metadata) -> VerifierResult<T> {
    bcs::from_bytes(&entry.value).map_err(|_| invalid("a metadata entry cannot be read"))
}

fn invalid(what: &str) -> VerifierError {
    VerifierError::new(StatusCode::CONSTRAINT_NOT_SATISFIED, what)
}

/// An error of a module that is to be published.
pub(crate) fn at(id: &ModuleId) -> impl Fn(VerifierError) -> VerifierError + '_ {
    |error| error.located(ErrorLocation::Module(id.clone()))
}
