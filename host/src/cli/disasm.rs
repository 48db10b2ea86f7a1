//! `monomove disasm`: a binary as text.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::exit::{CliError, Exit};
use super::input::{self, Binary};
use super::output::{Output, escape};

/// Arguments of `monomove disasm`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  monomove disasm tests/stdlib/bytecode/v8/examples/bank.mv")]
pub(crate) struct DisasmArgs {
    /// A module or script
    file: PathBuf,
    /// Print assembler text, which `monomove asm` makes an equivalent binary of
    #[arg(long)]
    masm: bool,
    /// With the order of all tables, so that the binary comes back byte for byte (modules only)
    #[arg(long, requires = "masm")]
    exact: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Version of the JSON form.
const SCHEMA: &str = "monomove.disasm/1";

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    kind: &'static str,
    text: String,
}

pub(crate) fn run(args: &DisasmArgs, out: &mut Output) -> Result<Exit, CliError> {
    let bytes = input::read(&args.file)?;
    let (kind, text) = match input::parse(&bytes)
        .map_err(|error| CliError::at(args.file.display(), error))?
    {
        Binary::Module(module) if args.exact => {
            ("module", monomove_asm::disassemble_masm_exact(&module))
        }
        Binary::Module(module) if args.masm => ("module", monomove_asm::disassemble_masm(&module)),
        Binary::Script(script) if args.masm => {
            ("script", monomove_asm::disassemble_script_masm(&script))
        }
        Binary::Module(module) => ("module", monomove_format::disassemble(&module)),
        Binary::Script(script) => ("script", monomove_format::disassemble_script(&script)),
    };
    if args.json {
        out.json(&Report {
            schema: SCHEMA,
            kind,
            text,
        })?;
    } else {
        out.line(escape(text.trim_end()))?;
    }
    Ok(Exit::Ok)
}
