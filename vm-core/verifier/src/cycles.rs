//! Cycles of dependencies and of friends: refused where modules are loaded eagerly (verifier spec §8, §11).

use crate::{ErrorLocation, VerifierError, VerifierResult};
use monomove_format::CompiledModule;
use monomove_types::{ModuleId, StatusCode};
use std::collections::BTreeSet;

/// Checks that a module is not among its transitive dependencies, not among the friends of its friends, and has no friend among its dependencies.
///
/// `module_at` gives the other modules; one that is needed and missing is an error too.
pub fn verify_no_cycles<'a>(
    module: &'a CompiledModule,
    module_at: impl Fn(&ModuleId) -> Option<&'a CompiledModule>,
) -> VerifierResult {
    let own = module.self_id();
    let located = |error: VerifierError| error.located(ErrorLocation::Module(own.clone()));
    let dependencies = reachable(
        module,
        &own,
        &module_at,
        CompiledModule::immediate_dependencies,
    )
    .map_err(located)?;
    if dependencies.contains(&own) {
        return Err(located(VerifierError::new(
            StatusCode::CYCLIC_MODULE_DEPENDENCY,
            "the module depends on itself",
        )));
    }
    let friends =
        reachable(module, &own, &module_at, CompiledModule::immediate_friends).map_err(located)?;
    if friends.contains(&own) {
        return Err(located(VerifierError::new(
            StatusCode::CYCLIC_MODULE_FRIENDSHIP,
            "the module is a friend of its friends",
        )));
    }
    if let Some(both) = friends.intersection(&dependencies).next() {
        return Err(located(VerifierError::new(
            StatusCode::INVALID_FRIEND_DECL_WITH_MODULES_IN_DEPENDENCIES,
            format!("the module depends on its friend {both}"),
        )));
    }
    Ok(())
}

/// What can be reached from `module` in one or more steps; stops at `own` once it is found.
fn reachable<'a>(
    module: &CompiledModule,
    own: &ModuleId,
    module_at: &impl Fn(&ModuleId) -> Option<&'a CompiledModule>,
    next: impl Fn(&CompiledModule) -> Vec<ModuleId>,
) -> VerifierResult<BTreeSet<ModuleId>> {
    let mut found = BTreeSet::new();
    let mut open = next(module);
    while let Some(id) = open.pop() {
        if id == *own {
            found.insert(id);
            return Ok(found);
        }
        if found.contains(&id) {
            continue;
        }
        let Some(module) = module_at(&id) else {
            return Err(VerifierError::new(
                StatusCode::MISSING_DEPENDENCY,
                format!("module {id} is missing"),
            ));
        };
        open.extend(next(module));
        found.insert(id);
    }
    Ok(found)
}
