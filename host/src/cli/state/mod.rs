//! `monomove state`: a state on disk.

mod changes;
mod values;

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use monomove::{BlockInfo, DiskState, DiskView, StateCommit, StateKey, WriteOp};
use serde::Serialize;

use super::exit::{CliError, Exit};
use super::input;
use super::output::{HEADING, Output, grouped, styled};
use super::progress::while_waiting;

/// Version of the JSON forms.
const SCHEMA: &str = "monomove.state/1";

/// Arguments of `monomove state`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  monomove state import-genesis mainnet.blob --state chain
  monomove state info --state chain
  monomove state ls --state chain 0x1 --kind resource --values
  monomove state get --state chain 0x1/resource/0x1::chain_id::ChainId
  monomove state get --state chain 0x1::coin --output coin.mv
  monomove state diff --state chain --from 3 --to 7
  monomove state prune --state chain --keep 100

Keys: 0x1::module, ADDRESS/resource/TYPE, ADDRESS/group/TYPE, table/HANDLE/HEX, raw/HEX. A version is the number of a block.")]
pub(crate) struct StateCommandArgs {
    #[command(subcommand)]
    command: StateCommand,
}

#[derive(Debug, Subcommand)]
enum StateCommand {
    /// Make a state from a genesis blob: its first block
    ImportGenesis(ImportArgs),
    /// Print the value under a key
    Get(values::GetArgs),
    /// List keys
    Ls(values::LsArgs),
    /// Print what differs between two versions, or two states
    Diff(changes::DiffArgs),
    /// Drop old versions
    Prune(PruneArgs),
    /// Print which versions there are, and how large the state is
    Info(InfoArgs),
}

/// Where the state is.
#[derive(Debug, Args)]
struct Store {
    /// Directory of the state
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Store {
    fn open(&self) -> Result<DiskState, CliError> {
        open(&self.state)
    }
}

fn open(dir: &Path) -> Result<DiskState, CliError> {
    Ok(while_waiting(|| DiskState::open(dir))?)
}

/// The state as of `version`, or as of its last block.
fn view(state: &DiskState, version: Option<u64>) -> Result<DiskView, CliError> {
    Ok(match version {
        Some(version) => state.view_at(version)?,
        None => state.view()?,
    })
}

/// A block in a report.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CommittedBlock {
    version: u64,
    hash: String,
    parent: String,
}

impl From<BlockInfo> for CommittedBlock {
    fn from(block: BlockInfo) -> Self {
        Self {
            version: block.version,
            hash: hex::encode(block.hash),
            parent: hex::encode(block.parent),
        }
    }
}

impl fmt::Display for CommittedBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "block {}, hash {}", self.version, self.hash)
    }
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// The blob
    blob: PathBuf,
    #[command(flatten)]
    store: Store,
}

#[derive(Debug, Args)]
struct PruneArgs {
    #[command(flatten)]
    store: Store,
    /// Versions to keep, counted from the last
    #[arg(long, value_name = "N", required_unless_present = "before", value_parser = clap::value_parser!(u64).range(1..))]
    keep: Option<u64>,
    /// Drop versions before this one
    #[arg(long, value_name = "VERSION", conflicts_with = "keep")]
    before: Option<u64>,
}

#[derive(Debug, Args)]
struct InfoArgs {
    #[command(flatten)]
    store: Store,
    /// Also compare all checksums
    #[arg(long)]
    verify: bool,
}

pub(crate) fn run(args: &StateCommandArgs, out: &mut Output) -> Result<Exit, CliError> {
    match &args.command {
        StateCommand::ImportGenesis(args) => import(args, out),
        StateCommand::Get(args) => values::get(args, out),
        StateCommand::Ls(args) => values::ls(args, out),
        StateCommand::Diff(args) => changes::diff(args, out),
        StateCommand::Prune(args) => prune(args, out),
        StateCommand::Info(args) => info(args, out),
    }
}

#[derive(Serialize)]
struct ImportReport {
    schema: &'static str,
    block: CommittedBlock,
    values: usize,
    bytes: usize,
    events: usize,
}

fn import(args: &ImportArgs, out: &mut Output) -> Result<Exit, CliError> {
    let blob = input::genesis_blob(&args.blob, &input::read(&args.blob)?)?;
    let create = |(key, value): (StateKey, Vec<u8>)| (key, WriteOp::Create(value));
    let events = blob.events.len();
    let bytes = blob.writes.iter().map(|(_, value)| value.len()).sum();
    let writes: Vec<_> = blob.writes.into_iter().map(create).collect();
    let block = while_waiting(|| {
        let mut state = DiskState::create(&args.store.state)?;
        if let Some(latest) = state.latest() {
            let message = format!("has block {} already", latest.version);
            return Err(CliError::at(args.store.state.display(), message));
        }
        state.commit(&writes)?;
        Ok(state.latest())
    })?;
    let Some(block) = block.map(CommittedBlock::from) else {
        return Err(CliError::at(args.store.state.display(), "has no block"));
    };
    let values = writes.len();
    if args.store.json {
        out.json(&ImportReport {
            schema: SCHEMA,
            block,
            values,
            bytes,
            events,
        })?;
    } else {
        out.line(&block)?;
        out.line(format_args!(
            "{} values, {} bytes; {} events left out",
            grouped(values as u64),
            grouped(bytes as u64),
            grouped(events as u64)
        ))?;
    }
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct PruneReport {
    schema: &'static str,
    removed_entries: u64,
    oldest: u64,
    latest: Option<u64>,
    file_bytes: u64,
}

fn prune(args: &PruneArgs, out: &mut Output) -> Result<Exit, CliError> {
    let mut state = args.store.open()?;
    let latest = state.latest().map(|latest| latest.version);
    let oldest = match (args.before, args.keep) {
        (Some(before), _) => before,
        (None, keep) => latest
            .map_or(0, |latest| latest.saturating_add(1))
            .saturating_sub(keep.unwrap_or(u64::MAX)),
    };
    let report = while_waiting(|| {
        let report = state.prune(oldest)?;
        state.compact()?;
        Ok::<_, CliError>(report)
    })?;
    let file_bytes = state.info()?.file_bytes;
    if args.store.json {
        out.json(&PruneReport {
            schema: SCHEMA,
            removed_entries: report.removed,
            oldest: report.oldest,
            latest,
            file_bytes,
        })?;
    } else {
        out.line(format_args!(
            "{} entries removed; {}; {} bytes on disk",
            grouped(report.removed),
            versions(latest.map(|latest| report.oldest..=latest)),
            grouped(file_bytes)
        ))?;
    }
    Ok(Exit::Ok)
}

fn versions(range: Option<RangeInclusive<u64>>) -> String {
    match range {
        Some(range) => format!("versions {} to {}", range.start(), range.end()),
        None => "no version".into(),
    }
}

#[derive(Serialize)]
struct InfoReport {
    schema: &'static str,
    latest: Option<CommittedBlock>,
    oldest: u64,
    entries: u64,
    stale_entries: u64,
    file_bytes: u64,
    verified: bool,
}

fn info(args: &InfoArgs, out: &mut Output) -> Result<Exit, CliError> {
    let mut state = args.store.open()?;
    if args.verify {
        while_waiting(|| state.verify())?;
    }
    let info = state.info()?;
    let range = info.latest.map(|latest| info.oldest..=latest.version);
    let latest = info.latest.map(CommittedBlock::from);
    if args.store.json {
        out.json(&InfoReport {
            schema: SCHEMA,
            latest,
            oldest: info.oldest,
            entries: info.entries,
            stale_entries: info.stale,
            file_bytes: info.file_bytes,
            verified: args.verify,
        })?;
        return Ok(Exit::Ok);
    }
    out.line(styled(HEADING, versions(range)))?;
    if let Some(latest) = latest {
        out.line(format_args!("last {latest}"))?;
        out.line(format_args!("parent {}", latest.parent))?;
    }
    out.line(format_args!(
        "{} entries of all versions, of which pruning can remove {}",
        grouped(info.entries),
        grouped(info.stale)
    ))?;
    out.line(format_args!("{} bytes on disk", grouped(info.file_bytes)))?;
    if args.verify {
        out.line("all checksums match")?;
    }
    Ok(Exit::Ok)
}
