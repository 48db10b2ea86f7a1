//! `monomove state get` and `state ls`: values by key.

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use monomove::{AccountAddress, DiskView, StateKey, StateView};
use monomove_types::Path;
use serde::Serialize;

use super::super::describe::{Book, bcs_text, shorten};
use super::super::exit::{CliError, Exit};
use super::super::output::{DIM, HEADING, Output, escape, escape_line, grouped, styled};
use super::{SCHEMA, Store, view};

#[derive(Debug, Args)]
pub(super) struct GetArgs {
    /// The key
    key: StateKey,
    #[command(flatten)]
    store: Store,
    /// The value as of this block
    #[arg(long, value_name = "VERSION")]
    version: Option<u64>,
    /// Write the bytes to a file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct LsArgs {
    /// Only what belongs to this account or table
    address: Option<AccountAddress>,
    #[command(flatten)]
    store: Store,
    /// The keys as of this block
    #[arg(long, value_name = "VERSION")]
    version: Option<u64>,
    /// Only keys of this kind
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Print values too
    #[arg(long)]
    values: bool,
    /// Stop after so many keys
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

/// What kind of thing a key is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Module,
    Resource,
    Group,
    Table,
    Raw,
}

impl Kind {
    fn of(key: &StateKey) -> Self {
        match key {
            StateKey::AccessPath { path, .. } => match path {
                Path::Code(_) => Self::Module,
                Path::Resource(_) => Self::Resource,
                Path::ResourceGroup(_) => Self::Group,
            },
            StateKey::TableItem { .. } => Self::Table,
            StateKey::Raw(_) => Self::Raw,
        }
    }
}

#[derive(Serialize)]
struct Entry {
    key: String,
    kind: Kind,
    size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    bcs: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl Entry {
    fn new(key: &StateKey, bytes: &[u8], decode: Option<(&Book, &dyn StateView)>) -> Self {
        Self {
            key: key.to_string(),
            kind: Kind::of(key),
            size: bytes.len(),
            bcs: decode.map(|_| bcs_text(bytes)),
            text: decode.map(|(book, view)| book.stored_text(key, bytes, view)),
        }
    }
}

#[derive(Serialize)]
struct GetReport {
    schema: &'static str,
    version: u64,
    #[serde(flatten)]
    entry: Entry,
}

pub(super) fn get(args: &GetArgs, out: &mut Output) -> Result<Exit, CliError> {
    let state = args.store.open()?;
    let view = view(&state, args.version)?;
    let Some(bytes) = view.get(&args.key)? else {
        let message = format!("there is no {} in version {}", args.key, view.version());
        return Err(CliError::at(args.store.state.display(), message));
    };
    if let Some(file) = &args.output {
        fs::write(file, &bytes).map_err(|error| CliError::at(file.display(), error))?;
    }
    let entry = Entry::new(&args.key, &bytes, Some((&Book::default(), &view)));
    if args.store.json {
        out.json(&GetReport {
            schema: SCHEMA,
            version: view.version(),
            entry,
        })?;
        return Ok(Exit::Ok);
    }
    out.line(styled(HEADING, escape_line(&entry.key)))?;
    out.line(escape(entry.text.as_deref().unwrap_or_default()))?;
    let about = format_args!("{} bytes, version {}", entry.size, view.version()).to_string();
    out.line(styled(DIM, about))?;
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct LsReport {
    schema: &'static str,
    version: u64,
    entries: Vec<Entry>,
    keys: usize,
    bytes: usize,
    /// Whether there are more than the limit allowed.
    more: bool,
}

pub(super) fn ls(args: &LsArgs, out: &mut Output) -> Result<Exit, CliError> {
    let state = args.store.open()?;
    let view = view(&state, args.version)?;
    let book = Book::default();
    let decode: Option<(&Book, &dyn StateView)> = args.values.then_some((&book, &view));
    let mut report = LsReport {
        schema: SCHEMA,
        version: view.version(),
        entries: Vec::new(),
        keys: 0,
        bytes: 0,
        more: false,
    };
    for prefix in prefixes(args) {
        if !list(&prefix, args, &view, decode, &mut report, out)? {
            break;
        }
    }
    if args.store.json {
        out.json(&report)?;
    } else {
        out.line(format_args!(
            "{}{} keys, {} bytes, version {}",
            if report.more { "first " } else { "" },
            grouped(report.keys as u64),
            grouped(report.bytes as u64),
            report.version
        ))?;
    }
    Ok(Exit::Ok)
}

/// The beginnings of the keys that are asked for: an address can be an account or a table.
fn prefixes(args: &LsArgs) -> Vec<Vec<u8>> {
    match args.address {
        None => vec![Vec::new()],
        Some(address) => (0u8..2)
            .map(|tag| [&[tag][..], &address.0].concat())
            .collect(),
    }
}

/// Lists the keys that begin so; false if there are too many.
fn list(
    prefix: &[u8],
    args: &LsArgs,
    view: &DiskView,
    decode: Option<(&Book, &dyn StateView)>,
    report: &mut LsReport,
    out: &mut Output,
) -> Result<bool, CliError> {
    for found in view.scan(prefix)? {
        let (key, bytes) = found?;
        if args.kind.is_some_and(|kind| kind != Kind::of(&key)) {
            continue;
        }
        if args.limit.is_some_and(|limit| report.keys >= limit) {
            report.more = true;
            return Ok(false);
        }
        report.keys += 1;
        report.bytes += bytes.len();
        let entry = Entry::new(&key, &bytes, decode);
        if args.store.json {
            report.entries.push(entry);
            continue;
        }
        out.line(format_args!(
            "{:>9}  {}",
            grouped(entry.size as u64),
            escape_line(&entry.key)
        ))?;
        if let Some(text) = entry.text {
            out.line(format_args!("           {}", shorten(&escape_line(&text))))?;
        }
    }
    Ok(true)
}
