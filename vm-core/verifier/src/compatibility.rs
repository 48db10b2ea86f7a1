//! Upgrade compatibility: what was published and may be in use stays valid when a module is replaced (verifier spec §12).

use crate::same_code::same_body;
use crate::same_type::Pair;
use crate::{VerifierError, VerifierResult};
use monomove_format::{
    CompiledModule, FieldDefinition, FunctionAttribute, FunctionDefinition, FunctionHandle,
    StructDefinition, StructFieldInformation, Visibility,
};
use monomove_types::{AbilitySet, ModuleId, StatusCode};
use std::collections::{BTreeMap, BTreeSet};

/// Most broken rules that an error spells out.
const MAX_REPORTED: usize = 32;

/// Which rules an upgrade must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compatibility {
    /// Fields of structs and variants of enums.
    pub struct_layout: bool,
    /// Existence, abilities and type parameters of structs; existence and signatures of functions that others can name.
    pub struct_and_function_linking: bool,
    /// Friend functions and friend declarations.
    pub friend_linking: bool,
    /// Whether entry functions that are not public keep their signature too.
    pub entry_as_public: bool,
}

impl Compatibility {
    /// All rules: what the chain asks for.
    pub const fn full() -> Self {
        Self {
            struct_layout: true,
            struct_and_function_linking: true,
            friend_linking: true,
            entry_as_public: true,
        }
    }

    /// No rule.
    pub const fn none() -> Self {
        Self {
            struct_layout: false,
            struct_and_function_linking: false,
            friend_linking: false,
            entry_as_public: false,
        }
    }

    /// Whether there is anything to check.
    pub const fn is_none(self) -> bool {
        !(self.struct_layout || self.struct_and_function_linking || self.friend_linking)
    }

    /// Checks that `new` can take the place of `old`. All broken rules are in the message of one error.
    ///
    /// Both modules must have passed the bounds checks; `new` need not be verified yet.
    pub fn check(self, old: &CompiledModule, new: &CompiledModule) -> VerifierResult {
        if self.is_none() {
            return Ok(());
        }
        let mut upgrade = Upgrade {
            rules: self,
            pair: Pair {
                left: old,
                right: new,
            },
            broken: Vec::new(),
        };
        upgrade.module();
        upgrade.structs();
        upgrade.functions();
        upgrade.friends();
        upgrade.finish()
    }
}

impl Default for Compatibility {
    fn default() -> Self {
        Self::full()
    }
}

struct Upgrade<'a> {
    rules: Compatibility,
    /// The old module on the left, the new one on the right.
    pair: Pair<'a>,
    broken: Vec<String>,
}

impl<'a> Upgrade<'a> {
    fn finish(self) -> VerifierResult {
        if self.broken.is_empty() {
            return Ok(());
        }
        let more = self.broken.len().saturating_sub(MAX_REPORTED);
        let mut message = self
            .broken
            .into_iter()
            .take(MAX_REPORTED)
            .collect::<Vec<_>>();
        if more > 0 {
            message.push(format!("and {more} more"));
        }
        Err(VerifierError::new(
            StatusCode::BACKWARD_INCOMPATIBLE_MODULE_UPDATE,
            message.join("; "),
        ))
    }

    fn break_if(&mut self, is_broken: bool, place: &str, rule: &str) {
        if is_broken {
            self.broken.push(format!("{place} {rule}"));
        }
    }

    fn module(&mut self) {
        let Pair { left, right } = self.pair;
        let renamed =
            left.self_address() != right.self_address() || left.self_name() != right.self_name();
        self.break_if(renamed, "the module", "has another name");
    }

    fn structs(&mut self) {
        let Pair { left, right } = self.pair;
        let found: BTreeMap<_, _> = right
            .struct_defs
            .iter()
            .map(|definition| (right.struct_name(definition), definition))
            .collect();
        for old in &left.struct_defs {
            let name = left.struct_name(old);
            let place = format!("struct {name}");
            match found.get(name) {
                None => self.break_if(true, &place, "is gone"),
                Some(new) => self.struct_(&place, old, new),
            }
        }
    }

    fn struct_(&mut self, place: &str, old: &StructDefinition, new: &StructDefinition) {
        let Pair { left, right } = self.pair;
        let (old_handle, new_handle) = (
            left.struct_handle_at(old.struct_handle),
            right.struct_handle_at(new.struct_handle),
        );
        if self.rules.struct_and_function_linking {
            self.break_if(
                !old_handle.abilities.is_subset(new_handle.abilities),
                place,
                "loses an ability",
            );
            let (old, new) = (&old_handle.type_parameters, &new_handle.type_parameters);
            self.break_if(old.len() != new.len(), place, "has other type parameters");
            let mut both = old.iter().zip(new);
            self.break_if(
                both.clone()
                    .any(|(old, new)| !new.constraints.is_subset(old.constraints)),
                place,
                "has a type parameter with new constraints",
            );
            self.break_if(
                both.any(|(old, new)| old.is_phantom && !new.is_phantom),
                place,
                "has a type parameter that is no longer phantom",
            );
        }
        if self.rules.struct_layout {
            let same = self.same_layout(&old.field_information, &new.field_information);
            self.break_if(!same, place, "has another layout");
        }
    }

    fn same_layout(&self, old: &StructFieldInformation, new: &StructFieldInformation) -> bool {
        use StructFieldInformation as Information;
        let Pair { left, right } = self.pair;
        match (old, new) {
            (Information::Native, Information::Native) => true,
            (Information::Declared(old), Information::Declared(new)) => self.same_fields(old, new),
            (Information::DeclaredVariants(old), Information::DeclaredVariants(new)) => {
                old.len() <= new.len()
                    && old.iter().zip(new).all(|(old, new)| {
                        left.identifier_at(old.name) == right.identifier_at(new.name)
                            && self.same_fields(&old.fields, &new.fields)
                    })
            }
            _ => false,
        }
    }

    fn same_fields(&self, old: &[FieldDefinition], new: &[FieldDefinition]) -> bool {
        let Pair { left, right } = self.pair;
        old.len() == new.len()
            && old.iter().zip(new).all(|(old, new)| {
                left.identifier_at(old.name) == right.identifier_at(new.name)
                    && self.pair.same(&old.signature.0, &new.signature.0)
            })
    }

    fn functions(&mut self) {
        let Pair { left, right } = self.pair;
        let found: BTreeMap<_, _> = right
            .function_defs
            .iter()
            .map(|definition| (right.function_name(definition), definition))
            .collect();
        for old in &left.function_defs {
            if !self.is_bound(old) {
                continue;
            }
            let name = left.function_name(old);
            let place = format!("function {name}");
            match found.get(name) {
                None => self.break_if(true, &place, "is gone"),
                Some(new) => self.function(&place, old, new),
            }
        }
    }

    /// Whether others may rely on the function.
    fn is_bound(&self, old: &FunctionDefinition) -> bool {
        let persistent = has(
            self.pair.left.handle_of_definition(old),
            FunctionAttribute::Persistent,
        );
        let visible = match old.visibility {
            Visibility::Public => self.rules.struct_and_function_linking,
            Visibility::Friend => self.rules.friend_linking,
            Visibility::Private => false,
        };
        let entry = old.is_entry && self.rules.entry_as_public;
        visible || ((persistent || entry) && self.rules.struct_and_function_linking)
    }

    fn function(&mut self, place: &str, old: &FunctionDefinition, new: &FunctionDefinition) {
        let Pair { left, right } = self.pair;
        let narrowed = match old.visibility {
            Visibility::Public => new.visibility != Visibility::Public,
            Visibility::Friend => {
                self.rules.friend_linking && new.visibility == Visibility::Private
            }
            Visibility::Private => false,
        };
        self.break_if(narrowed, place, "is less visible");
        self.break_if(old.is_entry && !new.is_entry, place, "is no longer entry");
        let (old_handle, new_handle) = (
            left.handle_of_definition(old),
            right.handle_of_definition(new),
        );
        let same = |old, new| {
            self.pair
                .same_list(left.signature_at(old), right.signature_at(new))
        };
        let same_parameters = same(old_handle.parameters, new_handle.parameters);
        let same_results = same(old_handle.return_, new_handle.return_);
        self.break_if(!same_parameters, place, "has other parameters");
        self.break_if(!same_results, place, "has other results");
        let (old_types, new_types) = (&old_handle.type_parameters, &new_handle.type_parameters);
        self.break_if(
            old_types.len() != new_types.len(),
            place,
            "has other type parameters",
        );
        let constrained = |(old, new): (&AbilitySet, &AbilitySet)| !new.is_subset(*old);
        self.break_if(
            old_types.iter().zip(new_types).any(constrained),
            place,
            "has a type parameter with new constraints",
        );
        for attribute in &old_handle.attributes {
            let lost = *attribute != FunctionAttribute::ModuleLock && !has(new_handle, *attribute);
            self.break_if(lost, place, &format!("loses attribute {attribute:?}"));
        }
        if has(old_handle, FunctionAttribute::Immutable) {
            self.break_if(
                !same_body(self.pair, old, new),
                place,
                "is immutable and has another body",
            );
        }
    }

    fn friends(&mut self) {
        if !self.rules.friend_linking {
            return;
        }
        let new: BTreeSet<ModuleId> = self.pair.right.immediate_friends().into_iter().collect();
        for friend in self.pair.left.immediate_friends() {
            if !new.contains(&friend) {
                self.break_if(true, &format!("friend {friend}"), "is gone");
            }
        }
    }
}

fn has(handle: &FunctionHandle, attribute: FunctionAttribute) -> bool {
    handle.attributes.contains(&attribute)
}
