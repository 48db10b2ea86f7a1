//! `monomove publish`: a bundle of modules, checked and published by the machine.

use std::path::PathBuf;

use clap::Args;
use monomove::{
    AccountAddress, Engine, EngineConfig, Genesis, Limits, Sandbox, StateCommit,
    TransactionOutcome, TransactionPayload,
};
use serde::Serialize;

use super::chain::{Chain, StateArgs};
use super::describe::Described;
use super::exit::{CliError, Exit};
use super::input;
use super::limits::{LimitArgs, ModeArgs, echo};
use super::output::{DIM, Output, styled};
use super::progress::while_waiting;
use super::state::CommittedBlock;

/// Version of the JSON form.
const SCHEMA: &str = "monomove.publish/1";

/// Arguments of `monomove publish`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  monomove publish bank.mv
  monomove publish build/ --state chain
  monomove publish v2/ --sender 0xcafe --state chain --dry-run --json
  monomove publish framework/ --sender 0x1 --state other --no-std

The modules are published as one bundle, in any order: verified, linked against the state, compatible with the modules that they
replace; then `init_module` of each new one runs. Nobody pays for it, and no account is needed: for publishing as users do, use a block
with `publish` transactions. Without --state, and on one that is new, the chain begins with our own library, unless --no-std.

Exit codes: 0 published, 3 refused.")]
pub(crate) struct PublishArgs {
    /// Modules (.mv), or directories with modules in them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Who publishes; by default the address of the first module
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<AccountAddress>,
    /// Publish on the state in this directory, and commit it as one block; the directory is made if it is not there
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Begin an empty chain without our own standard library and framework
    #[arg(long)]
    no_std: bool,
    /// Check and say what would happen, but commit nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    mode: ModeArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    sender: AccountAddress,
    modules: &'a [String],
    limits: &'a Limits,
    /// The block that was committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<CommittedBlock>,
    #[serde(flatten)]
    result: &'a Described,
}

pub(crate) fn run(args: &PublishArgs, out: &mut Output) -> Result<Exit, CliError> {
    let limits = args.limits.limits()?;
    let engine = Engine::with_config(EngineConfig {
        limits,
        paranoid: args.mode.paranoid,
        gc_stress: args.mode.gc_stress,
        enum_inline_bytes: args.mode.enum_inline_bytes,
        gas_schedule: args.mode.gas_schedule()?,
        ..EngineConfig::default()
    })?;
    let mut files = Vec::new();
    for path in &args.paths {
        files.extend(input::modules(path)?);
    }
    let first = files.first().map(|file| file.id.address);
    let sender = args.sender.or(first).unwrap_or_default();
    let modules: Vec<String> = files.iter().map(|file| file.id.to_string()).collect();

    let mut chain = Chain::open(&engine, &StateArgs::new(args.state.clone(), !args.dry_run))?;
    if !args.no_std {
        chain.begin(&engine, &Genesis::default())?;
    }
    for file in &files {
        chain
            .book
            .layouts
            .insert(file.id.clone(), file.module.clone());
    }
    let bundle = files.into_iter().map(|file| file.bytes).collect();
    let (payload, gas) = (
        TransactionPayload::Modules(bundle),
        limits.gas_per_transaction,
    );
    let outcome = while_waiting(|| {
        Sandbox::new(&engine).execute_payload(&[sender], payload, gas, &chain.state)
    })?;
    let described = chain.book.describe(&outcome, &chain.state);
    let block = match &outcome {
        TransactionOutcome::Kept(output) if described.returned => {
            chain.state.commit(&output.writes)?;
            chain.commit()?.map(CommittedBlock::from)
        }
        _ => None,
    };
    if args.json {
        out.json(&Report {
            schema: SCHEMA,
            sender,
            modules: &modules,
            limits: &limits,
            block,
            result: &described,
        })?;
        return Ok(Exit::of(&outcome));
    }
    for module in &modules {
        out.line(module)?;
    }
    out.line(if described.returned {
        "published".to_owned()
    } else {
        described.headline()
    })?;
    for line in described
        .change_lines()
        .iter()
        .chain(&described.event_lines())
    {
        out.line(format_args!("  {line}"))?;
    }
    out.line(described.cost_line())?;
    out.line(styled(DIM, echo(&limits)))?;
    if let Some(block) = &block {
        out.line(block)?;
    }
    Ok(Exit::of(&outcome))
}
