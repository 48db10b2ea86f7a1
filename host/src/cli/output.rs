//! Standard output and the log: escaping, colours, JSON.

use std::fmt::Display;
use std::io::{self, BufWriter, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// Numbers, addresses and other data that carry the message.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Failures.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// Headings.
pub(crate) const HEADING: Style = Style::new().bold();
/// What may be skipped.
pub(crate) const DIM: Style = Style::new().dimmed();

/// Where results go. Colours are left out where nobody sees them, and with `NO_COLOR`.
pub(crate) struct Output {
    stream: Box<dyn Write>,
}

impl Output {
    /// Standard output, buffered.
    pub(crate) fn stdout() -> Self {
        let choice = AutoStream::choice(&io::stdout());
        let buffered: Box<dyn Write> = Box::new(BufWriter::new(io::stdout()));
        let stream: Box<dyn Write> = match choice {
            anstream::ColorChoice::Never => Box::new(anstream::StripStream::new(buffered)),
            _ => buffered,
        };
        Self { stream }
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.stream, "{text}")
    }

    /// Writes a value as indented JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.stream, value).map_err(io::Error::from)?;
        self.line("")
    }

    /// Hands everything on.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Writes one line to standard error.
pub(crate) fn log(text: &str) {
    let _ = writeln!(io::stderr(), "{}", escape(text));
}

/// Panics go to the log as one line: the native core's are caught, and are outcomes.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|info| log(&escape_line(&info.to_string()))));
}

/// `text` in `style`.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Text that came from outside, safe for a terminal: control and format characters escaped; line ends, tabs and the rest kept.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' | '"' | '\'' | '\\' => safe.push(character),
            _ => safe.extend(character.escape_debug()),
        }
    }
    safe
}

/// Text that came from outside, on one line.
pub(crate) fn escape_line(text: &str) -> String {
    escape(text).replace('\n', "\\n")
}

/// A number with thin groups of three digits.
pub(crate) fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(
            escape("a\u{1b}[31m\u{202e}\n\"é\\"),
            "a\\u{1b}[31m\\u{202e}\n\"é\\"
        );
        assert_eq!(escape_line("a\nb\r"), "a\\nb\\r");
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!(grouped(7u64), "7");
        assert_eq!(grouped(1_234_567u64), "1_234_567");
        assert_eq!(grouped(123_456u64), "123_456");
    }
}
