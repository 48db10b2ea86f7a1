//! The command line: what it takes, and which command gets it.

mod asm;
mod bench;
mod block;
mod call;
mod chain;
mod completions;
mod conformance;
mod demo;
mod describe;
mod disasm;
mod exit;
mod input;
mod layout;
mod layouts;
mod limits;
mod lower;
mod modules;
mod output;
mod profile;
mod progress;
mod publish;
mod run;
mod serve;
mod simulate;
mod state;
mod trace;
mod verify;
mod view;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::{CliError, Exit};
use output::Output;

const EXAMPLES: &str = "\
Without a command: a fresh chain with the standard library and a bank, and a block of some twenty transactions on it.

Examples:
  monomove
  monomove run hello.mv --function 0xcafe::hello::add --args u64:1 u64:2
  monomove run . --function 0x1::vector::empty --type-args u8,bool --no-std
  monomove trace hello.mv --function 0xcafe::hello::add --args u64:1 u64:2 -o t.json
  monomove profile hello.mv --function 0xcafe::hello::add --args u64:1 u64:2 --format folded
  monomove block block.json --json
  monomove publish build/ --state chain
  monomove simulate --state chain --sender 0xa1 --function 0x1::native_coin::transfer --args address:0xb0b u64:5
  monomove view --state chain --function 0x1::native_coin::balance --args address:0xb0b
  monomove state import-genesis mainnet.blob --state chain
  monomove verify --roundtrip build/
  monomove disasm hello.mv
  monomove asm hello.masm -o hello.mv
  monomove lower hello.mv add --stage stackless
  monomove layout hello.mv 'vector<u64>'
  monomove conformance tests/golden --deps tests/stdlib/bytecode/v8 --gas
  monomove bench --filter sort

Exit codes:
  0  ok
  1  usage, or input that cannot be read
  2  mismatch (conformance, verify, bench results)
  3  Move abort or execution error
  4  a limit of the machine was hit, or out of gas
  5  sandbox fault: the sandbox broke and was thrown away; the process is sound

Results go to standard output, the log to standard error. NO_COLOR turns colours off.";

/// Move in a sandbox: runs Move bytecode that is not trusted.
#[derive(Debug, Parser)]
#[command(name = "monomove", version, about, long_about = None, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Call one function in the sandbox
    Run(run::RunArgs),
    /// Call one function and record every step
    Trace(trace::TraceArgs),
    /// Call one function and say where its gas went
    Profile(profile::ProfileArgs),
    /// Execute a block of transactions in the sandbox
    Block(block::BlockArgs),
    /// Look into a state on disk, and take care of it
    State(state::StateCommandArgs),
    /// Say what a transaction would do
    Simulate(simulate::SimulateArgs),
    /// Ask the state by calling a public function
    View(view::ViewArgs),
    /// Check and publish modules
    Publish(publish::PublishArgs),
    /// Print the disassembly of a module or script
    Disasm(disasm::DisasmArgs),
    /// Assemble text to a binary
    Asm(asm::AsmArgs),
    /// Print what the machine makes of a function
    Lower(lower::LowerArgs),
    /// Print how values of a type lie in memory, byte by byte
    Layout(layout::LayoutArgs),
    /// Check binaries: read, verify, link, and write back
    Verify(verify::VerifyArgs),
    /// Run a corpus of golden cases
    Conformance(conformance::ConformanceArgs),
    /// Measure the bench kernels against native Rust
    Bench(bench::BenchArgs),
    /// Serve the built playground on localhost
    Serve(serve::ServeArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
}

/// Runs the command line of this process.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; everything else is a usage error. A closed pipe is nobody's error.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Ok
            }
            .into();
        }
    };
    let mut out = Output::stdout();
    let result = match cli.command {
        None => demo::run(&mut out),
        Some(Command::Run(args)) => run::run(&args, &mut out),
        Some(Command::Trace(args)) => trace::run(&args, &mut out),
        Some(Command::Profile(args)) => profile::run(&args, &mut out),
        Some(Command::Block(args)) => block::run(&args, &mut out),
        Some(Command::State(args)) => state::run(&args, &mut out),
        Some(Command::Simulate(args)) => simulate::run(&args, &mut out),
        Some(Command::View(args)) => view::run(&args, &mut out),
        Some(Command::Publish(args)) => publish::run(&args, &mut out),
        Some(Command::Disasm(args)) => disasm::run(&args, &mut out),
        Some(Command::Asm(args)) => asm::run(&args),
        Some(Command::Lower(args)) => lower::run(&args, &mut out),
        Some(Command::Layout(args)) => layout::run(&args, &mut out),
        Some(Command::Verify(args)) => verify::run(&args, &mut out),
        Some(Command::Conformance(args)) => conformance::run(&args, &mut out),
        Some(Command::Bench(args)) => bench::run(&args, &mut out),
        Some(Command::Serve(args)) => serve::run(&args, &mut out),
        Some(Command::Completions(args)) => completions::run(&args, &mut out),
    };
    match result.and_then(|exit| Ok(out.flush().map(|()| exit)?)) {
        Ok(exit) => exit.into(),
        Err(CliError::ClosedPipe) => Exit::Ok.into(),
        Err(CliError::Message(exit, message)) => {
            output::log(&format!("error: {message}"));
            exit.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
