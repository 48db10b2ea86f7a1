//! `monomove lower`: what the machine makes of a function.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use monomove::{Identifier, ModuleId, StateKey};
use monomove_core::{CodeToken, Machine, MachineConfig, ModuleCode, Stage, StateError, StateView};

use super::exit::{CliError, Exit};
use super::input::{self, ModuleFile};
use super::output::{self, Output, escape};
use monomove_stdlib as stdlib;

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
    /// Do not load our own standard library and framework
    #[arg(long)]
    no_std: bool,
    /// Modules that the others need: a file or a directory
    #[arg(long, value_name = "DIR")]
    deps: Vec<PathBuf>,
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
    let (mut modules, mut own) = (Modules::default(), Vec::new());
    if !args.no_std {
        for (name, bytes) in stdlib::std_and_framework() {
            let path = format!("(embedded) {name}");
            modules.add(input::module(path.as_ref(), bytes.to_vec())?);
        }
    }
    for path in &args.deps {
        for file in input::modules(path)? {
            modules.add(file);
        }
    }
    for path in paths {
        for file in input::modules(Path::new(path))? {
            own.push(file.id.clone());
            modules.add(file);
        }
    }
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

/// Modules, and nothing else.
#[derive(Default)]
pub(super) struct Modules(BTreeMap<ModuleId, ModuleFile>);

impl Modules {
    pub(super) fn add(&mut self, file: ModuleFile) {
        self.0.insert(file.id.clone(), file);
    }

    /// All modules, in the order of their identities.
    pub(super) fn ids(&self) -> impl Iterator<Item = &ModuleId> {
        self.0.keys()
    }

    /// A module by its identity.
    pub(super) fn file(&self, id: &ModuleId) -> Option<&ModuleFile> {
        self.0.get(id)
    }

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
                && self.0.get(*id).is_some_and(|file| file.defines(&name))
        };
        let mut found: Vec<&ModuleId> = own.iter().filter(defines).collect();
        if found.is_empty() {
            found = self.0.keys().filter(defines).collect();
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

impl StateView for Modules {
    fn module(&mut self, id: &ModuleId) -> Result<Option<ModuleCode>, StateError> {
        Ok(self.0.get(id).map(|file| ModuleCode {
            token: CodeToken(0),
            bytes: file.bytes.clone(),
        }))
    }

    fn is_current(&mut self, _token: CodeToken) -> Result<bool, StateError> {
        Ok(true)
    }

    fn value(&mut self, _key: &StateKey) -> Result<Option<Vec<u8>>, StateError> {
        Ok(None)
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
