//! How modules, structs and type parameters are named in the text.

use super::Printer;
use super::view::View;
use monomove_format::{AccountAddress, ModuleHandleIndex, StructHandle};
use std::collections::{BTreeMap, BTreeSet};

type ModuleKey<'a> = (AccountAddress, &'a str);

/// Names chosen for one text. They depend on what there is, not on the order of the tables.
pub(super) struct Names<'a> {
    own: Option<ModuleKey<'a>>,
    aliases: BTreeMap<ModuleKey<'a>, String>,
    own_structs: BTreeSet<usize>,
    own_functions: BTreeSet<usize>,
    /// What type parameters begin with: no struct has such a name.
    type_parameter: String,
}

/// Words that a type cannot begin with unquoted.
fn is_type_word(name: &str) -> bool {
    matches!(name, "vector" | "mut" | "has") || crate::parse::primitive(name).is_some()
}

impl<'a> Names<'a> {
    pub(super) fn new(view: &View<'a>) -> Self {
        let own = view.own.and_then(|own| view.module_key_at(own));
        let mut own_structs = BTreeSet::new();
        let mut own_functions = BTreeSet::new();
        if let Some(module) = view.module {
            let structs = module.struct_defs.iter();
            own_structs.extend(structs.map(|d| d.struct_handle.into_index()));
            let functions = module.function_defs.iter();
            own_functions.extend(functions.map(|d| d.function.into_index()));
        }
        Self {
            own,
            aliases: aliases(view, own),
            own_structs,
            own_functions,
            type_parameter: type_parameter_prefix(view),
        }
    }

    /// The other modules and what they are called, in the order of their identities.
    pub(super) fn uses(&self) -> Vec<(ModuleKey<'a>, String)> {
        let aliases = self.aliases.iter();
        aliases.map(|(key, alias)| (*key, alias.clone())).collect()
    }

    /// Whether the module defines the struct of this handle.
    pub(super) fn is_own_struct(&self, handle: usize) -> bool {
        self.own_structs.contains(&handle)
    }

    /// Whether the module defines the function of this handle.
    pub(super) fn is_own_function(&self, handle: usize) -> bool {
        self.own_functions.contains(&handle)
    }
}

/// A name for each module other than the own one that structs or functions are taken from: its own name, with a number
/// if that is taken.
fn aliases<'a>(view: &View<'a>, own: Option<ModuleKey<'a>>) -> BTreeMap<ModuleKey<'a>, String> {
    let structs = view.struct_handles.iter().map(|handle| handle.module);
    let functions = view.function_handles.iter().map(|handle| handle.module);
    let modules: BTreeSet<_> = structs
        .chain(functions)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter_map(|module| view.module_key_at(module))
        .filter(|key| Some(*key) != own)
        .collect();
    let all_names: BTreeSet<_> = modules.iter().chain(&own).map(|key| key.1).collect();
    let mut taken: BTreeSet<String> = own.iter().map(|key| key.1.to_owned()).collect();
    // The number to try next for a name.
    let mut next: BTreeMap<&str, u32> = BTreeMap::new();
    let mut aliases = BTreeMap::new();
    for key in modules {
        let mut alias = key.1.to_owned();
        while taken.contains(&alias) || (alias != key.1 && all_names.contains(alias.as_str())) {
            let number = next.entry(key.1).or_insert(1);
            // `<SELF>` with a number is `<SELF>_1`: a name, too.
            alias = format!("{}_{number}", key.1);
            *number += 1;
        }
        taken.insert(alias.clone());
        aliases.insert(key, alias);
    }
    aliases
}

fn type_parameter_prefix(view: &View<'_>) -> String {
    let structs = view.struct_handles.iter();
    let names: BTreeSet<_> = structs.filter_map(|h| view.identifier(h.name)).collect();
    let mut prefix = "T".to_owned();
    while names.iter().any(|name| {
        name.strip_prefix(prefix.as_str())
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    }) {
        prefix.push('_');
    }
    prefix
}

impl Printer<'_> {
    /// A name, between backquotes if it is no word.
    pub(super) fn name(&mut self, name: Option<&str>) {
        match name {
            Some(name) if name.starts_with('<') => self.out.push(&format!("`{name}`")),
            Some(name) => self.out.push(name),
            None => self.out.unknown(),
        }
    }

    pub(super) fn type_parameter(&mut self, index: usize) {
        let prefix = &self.names.type_parameter;
        self.out.push(&format!("{prefix}{index}"));
    }

    /// A module by its identity.
    pub(super) fn module(&mut self, index: ModuleHandleIndex) {
        match self.view.module_handles.get(index.into_index()) {
            Some(handle) => self.module_handle(handle),
            None => self.out.unknown(),
        }
    }

    /// A name in a module, with the module's alias unless it is the own one.
    pub(super) fn member(&mut self, module: ModuleHandleIndex, name: Option<&str>) {
        let key = self.view.module_key_at(module);
        let (Some(key), Some(name)) = (key, name) else {
            return self.out.unknown();
        };
        if self.names.own != Some(key) {
            match self.names.aliases.get(&key).cloned() {
                Some(alias) => self.name(Some(&alias)),
                None => self.out.unknown(),
            }
            self.out.push("::");
        }
        self.name(Some(name));
    }

    /// A struct as the head of a type.
    pub(super) fn struct_type(&mut self, handle: &StructHandle) {
        let name = self.view.identifier(handle.name);
        let is_own = self.view.module_key_at(handle.module) == self.names.own;
        match name {
            Some(name) if is_own && is_type_word(name) => self.out.push(&format!("`{name}`")),
            _ => self.member(handle.module, name),
        }
    }
}
