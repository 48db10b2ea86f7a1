//! Errors of the assembler: where in the text, what was expected, and the line with a caret under the place.

use std::fmt;

/// Most errors that are reported for one text.
pub const MAX_DIAGNOSTICS: usize = 20;
/// Longest message in bytes.
const MAX_MESSAGE: usize = 240;
/// Most characters of a source line that are shown.
const MAX_SHOWN: usize = 100;

/// A range of bytes of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// From the start of this range to the end of `other`.
    pub(crate) fn to(self, other: Self) -> Self {
        Self {
            start: self.start,
            end: other.end.max(self.start),
        }
    }
}

/// One error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What was expected or what is wrong; one line of bounded length.
    pub message: String,
    /// The part of the line that is shown.
    excerpt: String,
    /// Where in the excerpt the caret begins, and how long it is; both in characters.
    caret: (usize, usize),
}

impl Diagnostic {
    /// Length of the wrong part in characters, from [`column`](Self::column) on; at least 1, and no further than the part of the line that is shown.
    pub fn width(&self) -> usize {
        self.caret.1.max(1)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gutter = self.line.to_string().len();
        let (before, width) = self.caret;
        writeln!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        writeln!(f, " {} | {}", self.line, self.excerpt)?;
        write!(
            f,
            " {:gutter$} | {:before$}{}",
            "",
            "",
            "^".repeat(width.max(1))
        )
    }
}

/// The errors found in one text, in the order of the text; at least one, at most [`MAX_DIAGNOSTICS`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostics(pub(crate) Vec<Diagnostic>);

impl Diagnostics {
    /// The errors.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// The first error in the text.
    pub fn first(&self) -> Option<&Diagnostic> {
        self.0.first()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

/// Something was wrong and has been reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fail;

/// The result of work whose errors are reported on the side.
pub(crate) type Result<T> = std::result::Result<T, Fail>;

/// Collects errors by place; their lines are looked up once, at the end.
#[derive(Default)]
pub(crate) struct Reporter {
    errors: Vec<(Span, String)>,
}

impl Reporter {
    /// Reports an error.
    pub(crate) fn report(&mut self, at: Span, message: impl Into<String>) {
        if !self.is_full() {
            self.errors.push((at, bounded(message.into())));
        }
    }

    /// Reports an error and fails.
    pub(crate) fn fail<T>(&mut self, at: Span, message: impl Into<String>) -> Result<T> {
        self.report(at, message);
        Err(Fail)
    }

    /// Whether further errors would not be kept, so that work may stop.
    pub(crate) fn is_full(&self) -> bool {
        self.errors.len() >= MAX_DIAGNOSTICS
    }

    /// Whether nothing was reported.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// The errors with their lines, in the order of the text.
    pub(crate) fn finish(mut self, source: &str) -> Diagnostics {
        self.errors.sort_by_key(|(at, _)| at.start);
        self.errors.dedup();
        let mut line = 1;
        let mut line_start = 0;
        let mut diagnostics = Vec::new();
        for (at, message) in self.errors {
            let start = floor_boundary(source, at.start as usize);
            while let Some(length) = source[line_start..start].find('\n') {
                line += 1;
                line_start += length + 1;
            }
            diagnostics.push(diagnostic(source, line, line_start, start, at, message));
        }
        Diagnostics(diagnostics)
    }
}

fn diagnostic(
    source: &str,
    line: u32,
    line_start: usize,
    start: usize,
    at: Span,
    message: String,
) -> Diagnostic {
    let text = &source[line_start..];
    let text = text.split('\n').next().unwrap_or_default();
    let before = source[line_start..start].chars().count();
    // A long line is shown from a little before the place.
    let skipped = before.saturating_sub(MAX_SHOWN / 2);
    let excerpt: String = text
        .chars()
        .skip(skipped)
        .take(MAX_SHOWN)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let end = floor_boundary(source, at.end as usize).max(start);
    let marked = source[start..end].split('\n').next().unwrap_or_default();
    let shown = excerpt.chars().count();
    let width = marked
        .chars()
        .take(MAX_SHOWN)
        .count()
        .min((shown + skipped).saturating_sub(before));
    Diagnostic {
        line,
        column: u32::try_from(before + 1).unwrap_or(u32::MAX),
        message,
        excerpt: excerpt.trim_end().to_owned(),
        caret: (before - skipped, width),
    }
}

/// The greatest character boundary that is not above `at`.
fn floor_boundary(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn bounded(message: String) -> String {
    if message.len() <= MAX_MESSAGE {
        return message;
    }
    let end = floor_boundary(&message, MAX_MESSAGE);
    format!("{}…", &message[..end])
}

/// A name for a message: quoted, cut if it is long.
pub(crate) fn quoted(name: &str) -> String {
    const MAX: usize = 48;
    if name.chars().nth(MAX).is_none() {
        format!("`{name}`")
    } else {
        format!("`{}…`", name.chars().take(MAX).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caret_under_the_place() {
        let source = "module 0x1::m\n  é foo bar\n";
        let start = u32::try_from(source.find("foo").unwrap()).unwrap();
        let mut reporter = Reporter::default();
        let end = start + 3;
        reporter.report(Span { start, end }, "expected a type");
        assert_eq!(
            reporter.finish(source).to_string(),
            "2:5: expected a type\n 2 |   é foo bar\n   |     ^^^"
        );
    }

    #[test]
    fn everything_is_bounded() {
        let source = "é".repeat(100_000);
        let mut reporter = Reporter::default();
        for at in 0..1000 {
            reporter.report(
                Span {
                    start: at * 170,
                    end: u32::MAX,
                },
                "x".repeat(1000),
            );
        }
        let diagnostics = reporter.finish(&source);
        assert_eq!(diagnostics.iter().count(), MAX_DIAGNOSTICS);
        assert!(diagnostics.to_string().len() < 20 * 1000);
    }
}
