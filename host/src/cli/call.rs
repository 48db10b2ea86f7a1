//! What commands that call one function share: modules, arguments, limits.

use std::path::PathBuf;

use clap::Args;
use monomove::{Access, AccountAddress, Backend, Call, Engine, EngineConfig, Limits, TypeTag};
use monomove_stdlib as stdlib;

use super::chain::{Chain, arguments};
use super::exit::CliError;
use super::limits::{LimitArgs, ModeArgs};
use super::{input, output};

/// A call, but for the function.
#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// Modules (.mv), or directories with modules in them
    paths: Vec<PathBuf>,
    /// Type arguments, separated by commas
    #[arg(long, value_name = "TYPES")]
    type_args: Option<String>,
    /// Arguments: TYPE:VALUE
    #[arg(long, value_name = "ARG", num_args = 0..)]
    args: Vec<String>,
    /// Signers, which come before the arguments
    #[arg(long, value_name = "ADDRESS", num_args = 0.., value_delimiter = ',')]
    pub(crate) signers: Vec<AccountAddress>,
    /// Do not load our own standard library and framework
    #[arg(long)]
    pub(crate) no_std: bool,
    /// Run natively, without the sandbox
    #[arg(long)]
    pub(crate) native: bool,
    #[command(flatten)]
    mode: ModeArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

impl CallArgs {
    /// `wasm` or `native`.
    pub(crate) fn backend(&self) -> &'static str {
        if self.native { "native" } else { "wasm" }
    }

    /// An engine with these limits.
    pub(crate) fn engine(&self, limits: Limits) -> Result<Engine, CliError> {
        if self.native {
            output::log_panics();
        }
        Ok(Engine::with_config(EngineConfig {
            limits,
            backend: if self.native {
                Backend::Native
            } else {
                Backend::Wasm
            },
            paranoid: self.mode.paranoid,
            gc_stress: self.mode.gc_stress,
            enum_inline_bytes: self.mode.enum_inline_bytes,
            gas_schedule: self.mode.gas_schedule()?,
            ..EngineConfig::default()
        })?)
    }

    /// The one script among the files, and what else is named.
    pub(crate) fn script(&self) -> Result<(Vec<u8>, Vec<PathBuf>), CliError> {
        let (mut scripts, mut modules) = (Vec::new(), Vec::new());
        for path in &self.paths {
            if path.is_file() {
                let bytes = input::read(path)?;
                if matches!(input::parse(&bytes), Ok(input::Binary::Script(_))) {
                    scripts.push(bytes);
                    continue;
                }
            }
            modules.push(path.clone());
        }
        match <[Vec<u8>; 1]>::try_from(scripts) {
            Ok([script]) => Ok((script, modules)),
            Err(_) => Err(CliError::at(
                "--function",
                "expected a function, or one script among the files",
            )),
        }
    }

    /// Puts modules into the state of `chain`: our own library, if the chain has none, and those at `paths`.
    pub(crate) fn load(&self, paths: &[PathBuf], chain: &mut Chain) -> Result<(), CliError> {
        if !self.no_std && chain.is_empty() {
            chain.publish_embedded(stdlib::std_and_framework())?;
        }
        for path in paths {
            for file in input::modules(path)? {
                chain.publish(file)?;
            }
        }
        Ok(())
    }

    /// Type arguments.
    pub(crate) fn types(&self) -> Result<Vec<TypeTag>, CliError> {
        match &self.type_args {
            None => Ok(Vec::new()),
            Some(types) => {
                input::type_list(types).map_err(|error| CliError::at("--type-args", error))
            }
        }
    }

    /// Arguments as BCS.
    pub(crate) fn arguments(&self) -> Result<Vec<Vec<u8>>, CliError> {
        Ok(arguments(&self.args)?)
    }

    /// Puts the modules into the state of `chain`, and makes the call.
    pub(crate) fn call(
        &self,
        function: &str,
        chain: &mut Chain,
        gas: u64,
    ) -> Result<Call, CliError> {
        self.load(&self.paths, chain)?;
        let function =
            input::function(function).map_err(|error| CliError::at("--function", error))?;
        let mut call = chain.call(Access::Any, &self.signers, function, gas);
        call.args = self.arguments()?;
        call.ty_args = self.types()?;
        Ok(call)
    }
}
