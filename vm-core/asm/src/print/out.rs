//! The text so far: of bounded length.

/// Longest text that is written, in bytes; what comes after is left out, and a line says so.
pub const MAX_TEXT: usize = 64 << 20;

/// The last line of a text that was cut off. It is no valid text, so that half a module is never assembled.
pub const TRUNCATED: &str = "? the text is longer than 64 MiB and was cut off here";

/// Text that stops growing.
#[derive(Default)]
pub(super) struct Out {
    text: String,
    is_full: bool,
}

impl Out {
    /// Appends, unless the text is full.
    pub(super) fn push(&mut self, text: &str) {
        if self.is_full || self.text.len() + text.len() > MAX_TEXT {
            self.is_full = true;
        } else {
            self.text.push_str(text);
        }
    }

    /// In the place of what an index out of range refers to: not a token.
    pub(super) fn unknown(&mut self) {
        self.push("?");
    }

    /// Whether nothing more is taken.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// The text.
    pub(super) fn finish(mut self) -> String {
        if self.is_full {
            self.text.push('\n');
            self.text.push_str(TRUNCATED);
            self.text.push('\n');
        }
        self.text
    }
}
