//! `monomove completions`: completion scripts for shells.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::exit::{CliError, Exit};
use super::output::Output;

/// Arguments of `monomove completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  monomove completions bash > ~/.local/share/bash-completion/completions/monomove"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, out: &mut Output) -> Result<Exit, CliError> {
    // Into memory first: the generator panics when its writer fails.
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut super::Cli::command(),
        "monomove",
        &mut script,
    );
    std::io::Write::write_all(out, &script)?;
    Ok(Exit::Ok)
}
