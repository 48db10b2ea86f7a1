//! The bytecode verifier, the linker and the checks of publishing: what the reader accepted is refused here unless it is safe to run.
//!
//! [`verify_module`] and [`verify_script`] check one binary by itself, [`link_module`] and [`link_script`] check it against its dependencies, and
//! [`check_bundle`] checks modules that are to be published together. All are pure: they read what they are given and keep nothing.
//!
//! One pass a file; the order of the passes is that of the platform (verifier spec §0), because the first error counts.

mod abilities;
mod code;
mod compatibility;
mod config;
mod const_api;
mod constants;
mod cycles;
mod duplicates;
mod error;
mod features;
mod friends;
mod graph;
mod immutable;
mod instantiation_loops;
mod instructions;
mod limits;
mod link;
mod metadata;
mod meter;
mod publish;
mod recursive_structs;
mod same_code;
mod same_type;
mod signatures;
mod struct_api;

pub use abilities::abilities;
pub use compatibility::Compatibility;
pub use config::VerifierConfig;
pub use cycles::verify_no_cycles;
pub use error::{ErrorLocation, VerifierError, VerifierResult};
pub use link::{link_module, link_script};
pub use metadata::verify_stable;
pub use meter::Meter;
pub use publish::{
    Bundle, BundleModule, INIT_MODULE, Loading, PublishOptions, PublishedModules, UpgradePolicy,
    check_bundle,
};

use code::CodeVerifier;
use struct_api::StructApi;

use monomove_format::{CompiledModule, CompiledScript, FunctionDefinitionIndex};

/// Checks a module by itself. Its indices must be in range ([`CompiledModule::check_bounds`]).
pub fn verify_module(module: &CompiledModule, config: &VerifierConfig) -> VerifierResult {
    verify(module, Unit::Module, config)
        .map_err(|error| error.located(ErrorLocation::Module(module.self_id())))
}

/// Checks a script by itself. Its indices must be in range ([`CompiledScript::check_bounds`]).
pub fn verify_script(script: &CompiledScript, config: &VerifierConfig) -> VerifierResult {
    let module = script
        .to_module()
        .map_err(|error| VerifierError::new(error.status, error.message));
    module
        .and_then(|module| verify(&module, Unit::Script, config))
        .map_err(|error| error.located(ErrorLocation::Script))
}

/// What is verified: a script has the form of a module too, but no definitions to speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Module,
    Script,
}

fn verify(module: &CompiledModule, unit: Unit, config: &VerifierConfig) -> VerifierResult {
    let mut meter = Meter::new(config);
    features::verify(module, config)?;
    limits::verify(module, config)?;
    duplicates::verify(module, unit)?;
    signatures::verify(module)?;
    instructions::verify(module)?;
    constants::verify(module)?;
    match unit {
        Unit::Module => {
            friends::verify(module)?;
            recursive_structs::verify(module)?;
            instantiation_loops::verify(module, &mut meter)?;
        }
        Unit::Script => struct_api::verify_script(module)?,
    }
    functions(module, unit, config, &mut meter)
}

fn functions(
    module: &CompiledModule,
    unit: Unit,
    config: &VerifierConfig,
    meter: &mut Meter,
) -> VerifierResult {
    let since = |version| unit == Unit::Module && module.version >= version;
    let struct_api = since(struct_api::FIRST_VERSION).then(|| StructApi::new(module));
    let own_natives = since(immutable::FIRST_VERSION).then(|| immutable::own_natives(module));
    let mut code = CodeVerifier::new(module, unit, config);
    for (index, definition) in (0..=u16::MAX)
        .map(FunctionDefinitionIndex)
        .zip(&module.function_defs)
    {
        let place = |error: VerifierError| error.in_function(index);
        if let Some(api) = &struct_api {
            api.verify(definition).map_err(place)?;
        }
        if since(const_api::FIRST_VERSION) {
            const_api::verify(module, definition).map_err(place)?;
        }
        if let Some(natives) = &own_natives {
            immutable::verify(module, definition, natives).map_err(place)?;
        }
        if definition.code.is_some() {
            meter.enter_function();
            code.verify_function(index, meter)?;
        }
    }
    Ok(())
}
