//! Linking: what a module or script imports agrees with what its dependencies define (verifier spec §11).

use crate::same_type::{Pair, module_name};
use crate::{ErrorLocation, VerifierError, VerifierResult};
use monomove_format::{
    AbilitySet, AccountAddress, CompiledModule, CompiledScript, FunctionAttribute,
    FunctionDefinition, FunctionHandle, Identifier, ModuleHandleIndex, StructDefinition,
    StructHandle, Visibility,
};
use monomove_types::StatusCode;
use std::collections::BTreeMap;

/// Checks the imports of a module against `dependencies`, among which its [immediate
/// dependencies](CompiledModule::immediate_dependencies) must be; others are ignored.
///
/// The module and the dependencies must have passed their own checks.
pub fn link_module<'a>(
    module: &'a CompiledModule,
    dependencies: impl IntoIterator<Item = &'a CompiledModule>,
) -> VerifierResult {
    link(module, dependencies)
        .map_err(|error| error.located(ErrorLocation::Module(module.self_id())))
}

/// Checks the imports of a script against `dependencies`, as [`link_module`] does.
pub fn link_script<'a>(
    script: &CompiledScript,
    dependencies: impl IntoIterator<Item = &'a CompiledModule>,
) -> VerifierResult {
    let module = script
        .to_module()
        .map_err(|error| VerifierError::new(error.status, error.message));
    module
        .and_then(|module| link(&module, dependencies))
        .map_err(|error| error.located(ErrorLocation::Script))
}

type ModuleName<'m> = (&'m AccountAddress, &'m Identifier);

fn link<'m>(
    module: &CompiledModule,
    dependencies: impl IntoIterator<Item = &'m CompiledModule>,
) -> VerifierResult {
    let mut available: BTreeMap<ModuleName<'_>, &CompiledModule> = BTreeMap::new();
    for dependency in dependencies {
        available.insert(
            module_name(dependency, dependency.self_module_handle_idx),
            dependency,
        );
    }
    let own = module.self_module_handle_idx;
    let mut imported: Vec<Option<Definitions<'_>>> =
        Vec::with_capacity(module.module_handles.len());
    for index in (0..=u16::MAX)
        .map(ModuleHandleIndex)
        .take(module.module_handles.len())
    {
        if index == own {
            imported.push(None);
            continue;
        }
        let name = module_name(module, index);
        let Some(dependency) = available.get(&name) else {
            return Err(VerifierError::new(
                StatusCode::MISSING_DEPENDENCY,
                format!("module {}::{} is missing", name.0, name.1),
            ));
        };
        imported.push(Some(Definitions::of(dependency)));
    }
    for (index, handle) in module.struct_handles.iter().enumerate() {
        if let Some(dependency) = &imported[handle.module.into_index()] {
            link_struct(module, handle, dependency).map_err(|error| VerifierError {
                message: format!("{} (struct handle {index})", error.message),
                ..error
            })?;
        }
    }
    for (index, handle) in module.function_handles.iter().enumerate() {
        if let Some(dependency) = &imported[handle.module.into_index()] {
            link_function(module, handle, dependency).map_err(|error| VerifierError {
                message: format!("{} (function handle {index})", error.message),
                ..error
            })?;
        }
    }
    Ok(())
}

/// What a dependency defines, by name.
struct Definitions<'a> {
    module: &'a CompiledModule,
    structs: BTreeMap<&'a Identifier, &'a StructDefinition>,
    functions: BTreeMap<&'a Identifier, &'a FunctionDefinition>,
}

impl<'a> Definitions<'a> {
    fn of(module: &'a CompiledModule) -> Self {
        Self {
            module,
            structs: module
                .struct_defs
                .iter()
                .map(|definition| (module.struct_name(definition), definition))
                .collect(),
            functions: module
                .function_defs
                .iter()
                .map(|definition| (module.function_name(definition), definition))
                .collect(),
        }
    }
}

fn mismatch(message: &str) -> VerifierError {
    VerifierError::new(StatusCode::TYPE_MISMATCH, message)
}

fn link_struct(
    module: &CompiledModule,
    imported: &StructHandle,
    dependency: &Definitions<'_>,
) -> VerifierResult {
    let Some(definition) = dependency.structs.get(module.identifier_at(imported.name)) else {
        return Err(VerifierError::new(
            StatusCode::LOOKUP_FAILED,
            "an imported struct is not defined",
        ));
    };
    let defined = dependency.module.struct_handle_at(definition.struct_handle);
    if !imported.abilities.is_subset(defined.abilities) {
        return Err(mismatch(
            "an imported struct has more abilities than defined",
        ));
    }
    if imported.type_parameters.len() != defined.type_parameters.len() {
        return Err(mismatch("an imported struct has other type parameters"));
    }
    for (imported, defined) in imported
        .type_parameters
        .iter()
        .zip(&defined.type_parameters)
    {
        constraint(imported.constraints, defined.constraints)?;
        if imported.is_phantom && !defined.is_phantom {
            return Err(mismatch("a type parameter is phantom only where imported"));
        }
    }
    Ok(())
}

/// The importing side may ask more of a type argument than the definition, not less.
fn constraint(imported: AbilitySet, defined: AbilitySet) -> VerifierResult {
    match defined.is_subset(imported) {
        true => Ok(()),
        false => Err(mismatch(
            "a type parameter has more constraints where it is defined",
        )),
    }
}

fn link_function(
    module: &CompiledModule,
    imported: &FunctionHandle,
    dependency: &Definitions<'_>,
) -> VerifierResult {
    let definition = dependency
        .functions
        .get(module.identifier_at(imported.name))
        .filter(|definition| is_visible(dependency.module, definition, module));
    let Some(definition) = definition else {
        return Err(VerifierError::new(
            StatusCode::LOOKUP_FAILED,
            "an imported function is not defined, or not visible",
        ));
    };
    let defined = dependency.module.handle_of_definition(definition);
    if imported.type_parameters.len() != defined.type_parameters.len() {
        return Err(mismatch("an imported function has other type parameters"));
    }
    for (imported, defined) in imported
        .type_parameters
        .iter()
        .zip(&defined.type_parameters)
    {
        constraint(*imported, *defined)?;
    }
    let pair = Pair {
        left: module,
        right: dependency.module,
    };
    let same = |imported, defined| {
        pair.same_list(
            module.signature_at(imported),
            dependency.module.signature_at(defined),
        )
    };
    if !same(imported.parameters, defined.parameters) {
        return Err(mismatch("an imported function has other parameters"));
    }
    if !same(imported.return_, defined.return_) {
        return Err(mismatch("an imported function has other results"));
    }
    if !has_attributes(definition, &defined.attributes, &imported.attributes) {
        return Err(VerifierError::new(
            StatusCode::LINKER_ERROR,
            "an imported function lacks an attribute where it is defined",
        ));
    }
    Ok(())
}

/// Whether `user` may name the function.
fn is_visible(
    owner: &CompiledModule,
    definition: &FunctionDefinition,
    user: &CompiledModule,
) -> bool {
    match definition.visibility {
        Visibility::Public => true,
        Visibility::Private => false,
        Visibility::Friend => {
            let user = module_name(user, user.self_module_handle_idx);
            owner.friend_decls.iter().any(|friend| {
                (
                    owner.address_identifier_at(friend.address),
                    owner.identifier_at(friend.name),
                ) == user
            })
        }
    }
}

/// Whether a definition with the attributes `defined` has all of `wanted` but the module lock, which does not concern callers. A public function without
/// attributes, as older compilers make them, counts as persistent.
fn has_attributes(
    definition: &FunctionDefinition,
    defined: &[FunctionAttribute],
    wanted: &[FunctionAttribute],
) -> bool {
    wanted.iter().all(|attribute| match attribute {
        FunctionAttribute::ModuleLock => true,
        FunctionAttribute::Persistent
            if defined.is_empty() && definition.visibility == Visibility::Public =>
        {
            true
        }
        _ => defined.contains(attribute),
    })
}
