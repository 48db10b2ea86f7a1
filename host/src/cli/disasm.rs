//! `monomove disasm`: a binary as text.

use std::path::PathBuf;

use clap::Args;

use super::exit::{CliError, Exit};
use super::input::{self, Binary};
use super::output::{Output, escape};

/// Arguments of `monomove disasm`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  monomove disasm tests/stdlib/bytecode/v8/examples/bank.mv")]
pub(crate) struct DisasmArgs {
    /// A module or script
    file: PathBuf,
}

pub(crate) fn run(args: &DisasmArgs, out: &mut Output) -> Result<Exit, CliError> {
    let bytes = input::read(&args.file)?;
    let text =
        match input::parse(&bytes).map_err(|error| CliError::at(args.file.display(), error))? {
            Binary::Module(module) => monomove_format::disassemble(&module),
            Binary::Script(script) => monomove_format::disassemble_script(&script),
        };
    out.line(escape(text.trim_end()))?;
    Ok(Exit::Ok)
}
