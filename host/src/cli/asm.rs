//! `monomove asm`: assembler text to a binary.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

use clap::Args;
use monomove_asm::{DEFAULT_VERSION, Diagnostics, Options, assemble, version_of_listing};

use super::exit::{CliError, Exit};
use super::input;

/// Arguments of `monomove asm`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  monomove asm hello.masm -o hello.mv --deps tests/stdlib/bytecode/v8
  monomove disasm --masm hello.mv > hello.masm")]
pub(crate) struct AsmArgs {
    /// Assembler text of a module or script
    file: PathBuf,
    /// Where the binary goes; an existing file is replaced
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Binary version; without it the one that a listing of `disasm --masm` names on its first line, or 9
    #[arg(long, value_name = "N")]
    bytecode: Option<u32>,
    /// Modules whose structs and functions the text uses: a file or a directory
    #[arg(long, value_name = "DIR")]
    deps: Vec<PathBuf>,
}

pub(crate) fn run(args: &AsmArgs) -> Result<Exit, CliError> {
    let source = input::read_text(&args.file)?;
    let mut dependencies = Vec::new();
    for path in &args.deps {
        dependencies.extend(input::modules(path)?.into_iter().map(|file| file.module));
    }
    let version = args.bytecode.or_else(|| version_of_listing(&source));
    let options = Options {
        version: version.unwrap_or(DEFAULT_VERSION),
        dependencies: &dependencies,
    };
    let unit = assemble(&source, &options).map_err(|errors| listed(&args.file, &errors))?;
    let bytes = unit
        .serialize()
        .map_err(|error| CliError::at(args.file.display(), error))?;
    write(&args.output, &bytes).map_err(|error| CliError::at(args.output.display(), error))?;
    Ok(Exit::Ok)
}

/// All errors, each with file, line and column.
fn listed(file: &Path, errors: &Diagnostics) -> CliError {
    let errors: Vec<_> = errors
        .iter()
        .map(|error| format!("{}:{error}", file.display()))
        .collect();
    CliError::from(errors.join("\nerror: "))
}

/// Puts the whole file in place, or nothing.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("expected the name of a file"))?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", process::id()));
    let temporary = path.with_file_name(temporary);
    let written = File::create_new(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // It may not be there; the first error is what counts.
        let _ = fs::remove_file(&temporary);
    }
    written
}
