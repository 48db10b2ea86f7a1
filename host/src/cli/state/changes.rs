//! `monomove state diff`: what differs between two versions, or two states.

use std::path::PathBuf;

use clap::Args;
use monomove::{DiskView, StateKey};
use serde::Serialize;

use super::super::describe::{Book, bcs_text, elide_common, shorten};
use super::super::exit::{CliError, Exit};
use super::super::output::{BAD, GOOD, Output, escape_line, grouped, styled};
use super::{SCHEMA, Store, open, view};

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    #[command(flatten)]
    store: Store,
    /// The older version [default: the one before the other]
    #[arg(long, value_name = "VERSION")]
    from: Option<u64>,
    /// The newer version [default: the last]
    #[arg(long, value_name = "VERSION")]
    to: Option<u64>,
    /// Another state, whose last version (or --to) is the newer one
    #[arg(long, value_name = "DIR")]
    with: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    from: u64,
    to: u64,
    changes: Vec<Change>,
    created: usize,
    modified: usize,
    deleted: usize,
}

#[derive(Serialize)]
struct Change {
    op: &'static str,
    key: String,
    before: Option<Value>,
    after: Option<Value>,
}

#[derive(Serialize)]
struct Value {
    bcs: String,
    text: String,
}

pub(super) fn diff(args: &DiffArgs, out: &mut Output) -> Result<Exit, CliError> {
    let state = args.store.open()?;
    let other = args.with.as_deref().map(open).transpose()?;
    let (from, to) = match &other {
        Some(other) => (view(&state, args.from)?, view(other, args.to)?),
        None => {
            let to = view(&state, args.to)?;
            let before = to.version().checked_sub(1).ok_or_else(|| {
                CliError::at(
                    args.store.state.display(),
                    "there is nothing before version 0",
                )
            });
            let from = match args.from {
                Some(from) => from,
                None => before?,
            };
            (view(&state, Some(from))?, to)
        }
    };
    let mut report = Report {
        schema: SCHEMA,
        from: from.version(),
        to: to.version(),
        changes: Vec::new(),
        created: 0,
        modified: 0,
        deleted: 0,
    };
    // The types of old values come from old modules.
    let books = (Book::default(), Book::default());
    each_change(&from, &to, |key, before, after| {
        let op = match (before, after) {
            (None, _) => {
                report.created += 1;
                "create"
            }
            (_, None) => {
                report.deleted += 1;
                "delete"
            }
            _ => {
                report.modified += 1;
                "modify"
            }
        };
        let value = |book: &Book, view: &DiskView, bytes: &[u8]| Value {
            bcs: bcs_text(bytes),
            text: book.stored_text(key, bytes, view),
        };
        let change = Change {
            op,
            key: key.to_string(),
            before: before.map(|bytes| value(&books.0, &from, bytes)),
            after: after.map(|bytes| value(&books.1, &to, bytes)),
        };
        if args.store.json {
            report.changes.push(change);
            return Ok(());
        }
        print(&change, out)
    })?;
    if args.store.json {
        out.json(&report)?;
    } else {
        out.line(format_args!(
            "{} created, {} modified, {} deleted, version {} to {}",
            grouped(report.created as u64),
            grouped(report.modified as u64),
            grouped(report.deleted as u64),
            report.from,
            report.to
        ))?;
    }
    Ok(Exit::Ok)
}

/// Hands every key whose value differs to `each`, in the order of the byte forms.
fn each_change(
    from: &DiskView,
    to: &DiskView,
    mut each: impl FnMut(&StateKey, Option<&[u8]>, Option<&[u8]>) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let (mut old, mut new) = (from.scan(&[])?, to.scan(&[])?);
    let (mut before, mut after) = (old.next().transpose()?, new.next().transpose()?);
    loop {
        let (key_before, key_after) = (
            before.as_ref().map(|(key, _)| key.encode()),
            after.as_ref().map(|(key, _)| key.encode()),
        );
        let (is_old, is_new) = match (&key_before, &key_after) {
            (None, None) => return Ok(()),
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some(a), Some(b)) => (a <= b, b <= a),
        };
        let was = before.as_ref().filter(|_| is_old);
        let is = after.as_ref().filter(|_| is_new);
        let (value, new_value) = (was.map(|(_, v)| &**v), is.map(|(_, v)| &**v));
        if let Some((key, _)) = was.or(is)
            && value != new_value
        {
            each(key, value, new_value)?;
        }
        if is_old {
            before = old.next().transpose()?;
        }
        if is_new {
            after = new.next().transpose()?;
        }
    }
}

fn print(change: &Change, out: &mut Output) -> Result<(), CliError> {
    let side = |value: &Option<Value>| {
        let text = value.as_ref().map(|value| escape_line(&value.text));
        text.map_or("nothing".to_owned(), |text| shorten(&text))
    };
    let (before, after) = elide_common(&side(&change.before), &side(&change.after));
    out.line(shorten(&escape_line(&change.key)))?;
    out.line(format_args!(
        "    {} → {}",
        styled(BAD, before),
        styled(GOOD, after)
    ))?;
    Ok(())
}
