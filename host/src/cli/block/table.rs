//! A block as a table for people.

use std::io;

use monomove::Limits;

use super::super::describe::Described;
use super::super::limits::echo;
use super::super::output::{DIM, HEADING, Output, escape_line, grouped, styled};
use super::Summary;

/// Width of the column with the calls.
const CALL_WIDTH: usize = 58;

/// A transaction in the table.
pub(in super::super) struct Row<'a> {
    /// Who sent it.
    pub(in super::super) sender: String,
    /// Function and arguments.
    pub(in super::super) call: String,
    /// What it did.
    pub(in super::super) result: &'a Described,
}

/// Prints the table, then the summary and the limits.
pub(in super::super) fn print(
    rows: &[Row<'_>],
    summary: &Summary,
    limits: &Limits,
    out: &mut Output,
) -> io::Result<()> {
    out.line(styled(
        HEADING,
        format_args!(
            "{:>3}  {:<8} {:<CALL_WIDTH$} {:>12}  outcome",
            "#", "sender", "call", "gas"
        ),
    ))?;
    for (number, row) in (1..).zip(rows) {
        let (sender, call) = (escape_line(&row.sender), escape_line(&row.call));
        out.line(format_args!(
            "{number:>3}  {:<8} {:<CALL_WIDTH$} {:>12}  {}",
            shortened(&sender, 8),
            shortened(&call, CALL_WIDTH),
            grouped(row.result.gas_used),
            row.result.headline()
        ))?;
        for line in row.result.change_lines() {
            out.line(format_args!("       {line}"))?;
        }
        for line in row.result.event_lines() {
            out.line(format_args!("       {} {line}", styled(DIM, "event")))?;
        }
    }
    out.line("")?;
    out.line(styled(DIM, echo(limits)))?;
    out.line(summary.line())
}

/// `text`, cut to `width` characters.
fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars()
        .take(width.saturating_sub(1))
        .chain(['…'])
        .collect()
}
