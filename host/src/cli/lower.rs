//! `monomove lower`: what the machine makes of a function.

use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::{Args, ValueEnum};
use monomove::{Identifier, ModuleId};
use monomove_core::{Machine, MachineConfig, Stage};

use super::exit::{CliError, Exit};
use super::input::{self, ModuleFile};
use super::modules::{LibraryArgs, Modules};
use super::output::{self, Output, escape};

/// Arguments of `monomove lower`.
#[derive(Debug, Args)]
#[command(
    override_usage = "monomove lower [OPTIONS] [FILE]... <FUNCTION>",
    after_help = "\
Examples:
  monomove lower hello.mv add
  monomove lower build/ hello::add --stage stackless
  monomove lower 0x1::vector::reverse --type-args u64

Names in micro-ops: r0 results, p0 parameters, l1 locals, t0 temporaries, out the area of callees' frames; +8 bytes into one."
)]
pub(crate) struct LowerArgs {
    /// Modules (.mv) or directories with modules in them, then the function: name, module::name, or 0x1::module::name
    #[arg(required = true, value_name = "FILE|FUNCTION")]
    inputs: Vec<String>,
    /// What to print
    #[arg(long, value_enum, default_value_t = StageArg::MicroOps)]
    stage: StageArg,
    /// Type arguments, separated by commas; micro-ops of a generic function need them
    #[arg(long, value_name = "TYPES")]
    type_args: Option<String>,
    #[command(flatten)]
    library: LibraryArgs,
}

/// Which form of a function to print.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum StageArg {
    /// Bytecode without its operand stack
    Stackless,
    /// What the interpreter executes
    MicroOps,
}

pub(crate) fn run(args: &LowerArgs, out: &mut Output) -> Result<Exit, CliError> {
    let Some((function, paths)) = args.inputs.split_last() else {
        return Err(CliError::from("expected a function".to_owned()));
    };
    let (mut modules, own) = args.library.load(paths)?;
    let (module, function) = modules.find(function, &own)?;
    let ty_args = match &args.type_args {
        Some(types) => {
            input::type_list(types).map_err(|error| CliError::at("--type-args", error))?
        }
        None => Vec::new(),
    };
    let stage = match args.stage {
        StageArg::Stackless => Stage::Stackless,
        StageArg::MicroOps => Stage::MicroOps,
    };
    output::log_panics();
    let mut machine = Machine::new(MachineConfig::default());
    // After a panic nothing of the machine is used again.
    let listing = catch_unwind(AssertUnwindSafe(|| {
        machine
            .listing(&module, &function, &ty_args, stage, &mut modules)
            .map_err(Box::new)
    }));
    match listing {
        Ok(Ok(text)) => {
            out.line(escape(text.trim_end()))?;
            Ok(Exit::Ok)
        }
        Ok(Err(failure)) => {
            let message = failure.message.unwrap_or_default();
            let text = format!("{module}::{function}: {}: {message}", failure.status);
            Err(CliError::failed(Exit::of_status(failure.status), text))
        }
        Err(_) => Err(CliError::failed(
            Exit::Fault,
            format!("{module}::{function}: the machine panicked"),
        )),
    }
}

impl Modules {
    /// The function that `text` names. Without an address it is looked for in the modules `own`, then in all.
    fn find(&self, text: &str, own: &[ModuleId]) -> Result<(ModuleId, Identifier), CliError> {
        if text.matches("::").count() == 2 {
            return Ok(input::function(text)?);
        }
        let (module, name) = match text.split_once("::") {
            Some((module, name)) => (Some(module), name),
            None => (None, text),
        };
        let name: Identifier = name.parse().map_err(|_| {
            format!("`{text}`: expected a function: name, module::name, or 0x1::module::name")
        })?;
        let defines = |id: &&ModuleId| {
            module.is_none_or(|module| id.name.as_str() == module)
                && self.file(id).is_some_and(|file| file.defines(&name))
        };
        let mut found: Vec<&ModuleId> = own.iter().filter(defines).collect();
        if found.is_empty() {
            found = self.ids().filter(defines).collect();
        }
        match found.as_slice() {
            [id] => Ok(((*id).clone(), name)),
            [] => Err(CliError::from(format!("no function `{text}`"))),
            several => {
                let names = several.iter().map(|id| format!("{id}::{name}"));
                let names = names.collect::<Vec<_>>().join(", ");
                Err(CliError::from(format!("`{text}` may be {names}")))
            }
        }
    }
}

impl ModuleFile {
    /// Whether the module has a function of this name.
    fn defines(&self, name: &Identifier) -> bool {
        let module = &self.module;
        module.function_defs.iter().any(|def| {
            let handle = module.function_handles.get(usize::from(def.function.0));
            handle
                .and_then(|handle| module.identifiers.get(usize::from(handle.name.0)))
                .is_some_and(|found| found == name)
        })
    }
}
