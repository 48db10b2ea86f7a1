//! Publishing: a bundle of modules is accepted or refused as a whole, against the published modules overlaid with the bundle (AIP-107; verifier spec
//! §12).
//!
//! Nothing is written here and nothing is kept: [`check_bundle`] reads what is published through [`PublishedModules`] and says what publishing would change.
//! The caller runs `init_module` of the [new modules](Bundle::initializers) on the overlaid state, and then applies the bundle.

use crate::metadata::{Attributes, at, verify_events, verify_groups, verify_stable};
use crate::{
    Compatibility, ErrorLocation, VerifierConfig, VerifierError, VerifierResult, link_module,
    verify_module,
};
use monomove_format::{
    CompiledModule, DeserializerConfig, FormatError, SignatureToken, Visibility,
};
use monomove_types::{AccountAddress, ModuleId, StatusCode};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The modules that are published, before the bundle.
pub trait PublishedModules {
    /// The module of this name, read; `None` if there is none. An error ends the check and is its result.
    fn module(&self, id: &ModuleId) -> VerifierResult<Option<Arc<CompiledModule>>>;

    /// Whether there is a module of this name.
    fn exists(&self, id: &ModuleId) -> VerifierResult<bool> {
        Ok(self.module(id)?.is_some())
    }
}

/// What may replace a published module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UpgradePolicy {
    /// Anything.
    Arbitrary,
    /// What is compatible with it.
    #[default]
    Compatible,
    /// Nothing.
    Immutable,
}

/// How far a bundle is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Loading {
    /// The modules of the bundle and their immediate dependencies. Cycles are allowed; calls in a circle fail when they run.
    #[default]
    Lazy,
    /// All that the bundle depends on, which must have no cycle.
    Eager,
}

/// How a bundle is checked.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PublishOptions {
    /// Which binaries are read.
    pub deserializer: DeserializerConfig,
    /// Limits of the verifier.
    pub verifier: VerifierConfig,
    /// What may replace a published module.
    pub policy: UpgradePolicy,
    /// The rules of compatible upgrades.
    pub compatibility: Compatibility,
    /// How far the check goes.
    pub loading: Loading,
    /// Whether native functions, friends, metadata and the form of `init_module` are checked too, as for transactions of users.
    pub user_rules: bool,
    /// Whether code of unstable compilers is refused, as chains of value do.
    pub refuse_unstable: bool,
}

/// A bundle that may be published.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// Its modules, in the order in which they were given.
    pub modules: Vec<BundleModule>,
}

/// A module of a bundle.
#[derive(Clone, Debug)]
pub struct BundleModule {
    /// Its name.
    pub id: ModuleId,
    /// The module, read and verified.
    pub module: Arc<CompiledModule>,
    /// Whether a module of this name is published already.
    pub replaces: bool,
}

impl Bundle {
    /// The modules whose `init_module` is to run: those published for the first time that have one, in the order of the bundle.
    pub fn initializers(&self) -> impl Iterator<Item = &BundleModule> {
        self.modules
            .iter()
            .filter(|module| !module.replaces && module.module.find_function(INIT_MODULE).is_some())
    }
}

/// The function that runs when its module is published for the first time.
pub const INIT_MODULE: &str = "init_module";

/// Checks whether `sender` may publish the modules in `binaries` together.
pub fn check_bundle<B: AsRef<[u8]>>(
    sender: AccountAddress,
    binaries: &[B],
    published: &impl PublishedModules,
    options: &PublishOptions,
) -> VerifierResult<Bundle> {
    let mut bundle = Bundle {
        modules: Vec::with_capacity(binaries.len()),
    };
    let mut staged = Staged {
        published,
        modules: BTreeMap::new(),
    };
    for binary in binaries {
        let module = CompiledModule::deserialize_with(binary.as_ref(), &options.deserializer)
            .map_err(unreadable)?;
        let module = Arc::new(module);
        let id = module.self_id();
        if id.address != sender {
            return Err(VerifierError::new(
                StatusCode::MODULE_ADDRESS_DOES_NOT_MATCH_SENDER,
                format!("module {id} is published by {sender}"),
            ));
        }
        let old = published.module(&id)?;
        if let Some(old) = &old {
            may_replace(old, &module, options)?;
        }
        if staged
            .modules
            .insert(id.clone(), Arc::clone(&module))
            .is_some()
        {
            return Err(VerifierError::new(
                StatusCode::DUPLICATE_MODULE_NAME,
                format!("module {id} is in the bundle twice"),
            ));
        }
        bundle.modules.push(BundleModule {
            id,
            module,
            replaces: old.is_some(),
        });
    }
    for module in &bundle.modules {
        if options.refuse_unstable {
            verify_stable(&module.module.metadata).map_err(at(&module.id))?;
        }
        if options.user_rules {
            user_rules(&module.id, &module.module)?;
            staged.check_metadata(module)?;
            if options.loading == Loading::Lazy {
                staged.check_friends_are_staged(module)?;
            }
        }
    }
    staged.check(options)?;
    Ok(bundle)
}

fn unreadable(error: FormatError) -> VerifierError {
    VerifierError {
        status: error.status,
        location: ErrorLocation::Undefined,
        function: error.function,
        code_offset: error.code_offset,
        message: error.message,
    }
}

fn may_replace(
    old: &CompiledModule,
    new: &CompiledModule,
    options: &PublishOptions,
) -> VerifierResult {
    match options.policy {
        UpgradePolicy::Arbitrary => Ok(()),
        UpgradePolicy::Compatible => {
            options
                .compatibility
                .check(old, new)
                .map_err(|error| VerifierError {
                    message: format!("module {}: {}", old.self_id(), error.message),
                    ..error
                })
        }
        UpgradePolicy::Immutable => Err(VerifierError::new(
            StatusCode::BACKWARD_INCOMPATIBLE_MODULE_UPDATE,
            format!("module {} is immutable", old.self_id()),
        )),
    }
}

/// Rules for modules of users: native functions at special addresses only, and an `init_module` that can be run.
fn user_rules(id: &ModuleId, module: &CompiledModule) -> VerifierResult {
    let at = at(id);
    if !is_special(&id.address) && module.function_defs.iter().any(|one| one.is_native()) {
        return Err(at(VerifierError::new(
            StatusCode::USER_DEFINED_NATIVE_NOT_ALLOWED,
            "the module defines a native function",
        )));
    }
    let Some((index, definition)) = module.find_function(INIT_MODULE) else {
        return Ok(());
    };
    let handle = module.handle_of_definition(definition);
    let parameters = module.signature_at(handle.parameters).tokens();
    let takes_signer = match parameters {
        [SignatureToken::Signer] => true,
        [SignatureToken::Reference(inner)] => **inner == SignatureToken::Signer,
        _ => false,
    };
    if definition.visibility == Visibility::Private
        && takes_signer
        && module.signature_at(handle.return_).is_empty()
        && handle.type_parameters.is_empty()
    {
        return Ok(());
    }
    Err(at(VerifierError::new(
        StatusCode::INVALID_INIT_MODULE,
        "init_module is private, takes one signer, and returns nothing",
    )
    .in_function(index)))
}

/// Addresses 0x0 to 0xF belong to the system.
fn is_special(address: &AccountAddress) -> bool {
    let (last, rest) = match address.0.split_last() {
        Some(parts) => parts,
        None => return false,
    };
    *last < 16 && rest.iter().all(|byte| *byte == 0)
}

/// The published modules with the bundle laid over them.
struct Staged<'a, P> {
    published: &'a P,
    modules: BTreeMap<ModuleId, Arc<CompiledModule>>,
}

impl<P: PublishedModules> Staged<'_, P> {
    fn module(&self, id: &ModuleId) -> VerifierResult<Arc<CompiledModule>> {
        match self.modules.get(id) {
            Some(module) => Ok(Arc::clone(module)),
            None => self.published.module(id)?.ok_or_else(|| missing(id)),
        }
    }

    /// The rules of the metadata of a module in the bundle.
    fn check_metadata(&self, module: &BundleModule) -> VerifierResult {
        let located = at(&module.id);
        let attributes = Attributes::read(&module.module).map_err(&located)?;
        let old = self.published.module(&module.id)?;
        let old = old
            .as_deref()
            .map(|old| (old, Attributes::of_published(old)));
        let old = old.as_ref().map(|(old, attributes)| (*old, attributes));
        verify_events(&module.module, &attributes, old.map(|(_, it)| it)).map_err(&located)?;
        let attributes_of = |id: &ModuleId| match self.modules.get(id) {
            Some(staged) => Attributes::read(staged).map(Some).map_err(at(id)),
            None => {
                let module = self.published.module(id)?;
                Ok(module.map(|module| Attributes::of_published(&module)))
            }
        };
        verify_groups(&module.module, &attributes, old, attributes_of).map_err(&located)
    }

    /// A package is published as a whole, so that friends, which are of the same account, come with it.
    fn check_friends_are_staged(&self, module: &BundleModule) -> VerifierResult {
        for friend in module.module.immediate_friends() {
            if !self.modules.contains_key(&friend) {
                return Err(at(&module.id)(VerifierError::new(
                    StatusCode::FRIEND_NOT_FOUND_IN_MODULE_BUNDLE,
                    format!("the friend {friend} is not in the bundle"),
                )));
            }
        }
        Ok(())
    }

    fn check(&self, options: &PublishOptions) -> VerifierResult {
        // Modules that are verified, with all they depend on in the eager mode.
        let mut done = BTreeSet::new();
        for (id, module) in &self.modules {
            match options.loading {
                Loading::Lazy => self.check_module(module, options)?,
                Loading::Eager => self.check_closure(id, module, options, &mut done)?,
            }
            for friend in module.immediate_friends() {
                if !self.modules.contains_key(&friend) && !self.published.exists(&friend)? {
                    return Err(missing(&friend));
                }
            }
        }
        Ok(())
    }

    /// A module by itself and against its immediate dependencies.
    fn check_module(&self, module: &CompiledModule, options: &PublishOptions) -> VerifierResult {
        verify_module(module, &options.verifier)?;
        let dependencies = module
            .immediate_dependencies()
            .iter()
            .map(|id| self.module(id))
            .collect::<VerifierResult<Vec<_>>>()?;
        link_module(module, dependencies.iter().map(Arc::as_ref))
    }

    /// A module and everything it depends on, dependencies first.
    fn check_closure(
        &self,
        id: &ModuleId,
        module: &Arc<CompiledModule>,
        options: &PublishOptions,
        done: &mut BTreeSet<ModuleId>,
    ) -> VerifierResult {
        if done.contains(id) {
            return Ok(());
        }
        // The modules from the one to be checked to the one at hand, each with the dependencies that are still to be looked at.
        let mut path: Vec<Visit> = vec![self.visit(id.clone(), Arc::clone(module), options)?];
        let mut on_path = BTreeSet::from([id.clone()]);
        while let Some(visit) = path.last_mut() {
            if let Some(next) = visit.open.next() {
                if done.contains(&next) {
                    continue;
                }
                if !on_path.insert(next.clone()) {
                    return Err(VerifierError::new(
                        StatusCode::CYCLIC_MODULE_DEPENDENCY,
                        format!("module {next} depends on itself"),
                    )
                    .located(ErrorLocation::Module(next)));
                }
                let module = self.module(&next)?;
                path.push(self.visit(next, module, options)?);
                continue;
            }
            let Some(visit) = path.pop() else {
                break;
            };
            let dependencies = visit
                .module
                .immediate_dependencies()
                .iter()
                .map(|id| self.module(id))
                .collect::<VerifierResult<Vec<_>>>()?;
            link_module(&visit.module, dependencies.iter().map(Arc::as_ref))?;
            on_path.remove(&visit.id);
            done.insert(visit.id);
        }
        Ok(())
    }

    fn visit(
        &self,
        id: ModuleId,
        module: Arc<CompiledModule>,
        options: &PublishOptions,
    ) -> VerifierResult<Visit> {
        verify_module(&module, &options.verifier)?;
        Ok(Visit {
            open: module.immediate_dependencies().into_iter(),
            id,
            module,
        })
    }
}

/// A module whose dependencies are being checked.
struct Visit {
    id: ModuleId,
    module: Arc<CompiledModule>,
    open: std::vec::IntoIter<ModuleId>,
}

fn missing(id: &ModuleId) -> VerifierError {
    VerifierError::new(StatusCode::LINKER_ERROR, format!("module {id} is missing"))
}
