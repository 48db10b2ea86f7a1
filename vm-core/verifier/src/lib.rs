//! The bytecode verifier: what the reader accepted is refused here unless it is safe to run.
//!
//! One pass a file; the order of the passes is that of the platform (verifier spec §0), because the first error counts.

mod abilities;
mod code;
mod config;
mod error;
mod meter;

pub use abilities::abilities;
pub use config::VerifierConfig;
pub use error::{ErrorLocation, VerifierError, VerifierResult};
pub use meter::Meter;

use monomove_format::{CompiledModule, CompiledScript, FunctionDefinitionIndex};

/// Checks a module by itself. Its indices must be in range ([`CompiledModule::check_bounds`]).
pub fn verify_module(module: &CompiledModule, config: &VerifierConfig) -> VerifierResult {
    verify(module, config).map_err(|error| error.located(ErrorLocation::Module(module.self_id())))
}

/// Checks a script by itself. Its indices must be in range ([`CompiledScript::check_bounds`]).
pub fn verify_script(script: &CompiledScript, config: &VerifierConfig) -> VerifierResult {
    let module = script
        .to_module()
        .map_err(|error| VerifierError::new(error.status, error.message));
    module
        .and_then(|module| verify(&module, config))
        .map_err(|error| error.located(ErrorLocation::Script))
}

fn verify(module: &CompiledModule, config: &VerifierConfig) -> VerifierResult {
    let mut meter = Meter::new(config);
    for (index, definition) in (0..=u16::MAX)
        .map(FunctionDefinitionIndex)
        .zip(&module.function_defs)
    {
        if definition.code.is_some() {
            meter.enter_function();
            code::verify_function(module, index, config, &mut meter)?;
        }
    }
    Ok(())
}
