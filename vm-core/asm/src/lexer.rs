//! Text to tokens. Line ends and indentation are tokens; blank and comment lines are nothing.

use crate::diagnostic::{Reporter, Span, quoted};
use ethnum::U256;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// End of a line that has something on it.
    Newline,
    /// White space at the start of a line that has something on it.
    Indent,
    /// A name or word.
    Ident(&'a str),
    /// A name between backquotes (extension: for names that are not words, such as `<SELF>`).
    QuotedIdent(&'a str),
    /// A number without sign.
    Number(U256),
    /// A special character.
    Special(char),
    /// `::`
    ColonColon,
    /// Text between double quotes (extension).
    Text(&'a str),
    /// `x"…"`: bytes (extension).
    Bytes(Vec<u8>),
    /// End of the text.
    End,
}

impl Token<'_> {
    /// The token for a message.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Newline => "end of line".into(),
            Self::Indent => "indentation".into(),
            Self::Ident(name) | Self::QuotedIdent(name) => quoted(name),
            Self::Number(_) => "number".into(),
            Self::Special(c) => format!("`{c}`"),
            Self::ColonColon => "`::`".into(),
            Self::Text(_) => "text".into(),
            Self::Bytes(_) => "bytes".into(),
            Self::End => "end of the text".into(),
        }
    }
}

/// Splits text into tokens. Characters that cannot begin one are reported and skipped.
pub(crate) fn lex<'a>(source: &'a str, reporter: &mut Reporter) -> Vec<(Token<'a>, Span)> {
    let mut lexer = Lexer {
        source,
        at: 0,
        tokens: Vec::new(),
        reporter,
    };
    while lexer.at < source.len() && !lexer.reporter.is_full() {
        lexer.line();
    }
    let end = lexer.at;
    lexer.push(Token::End, end);
    lexer.tokens
}

struct Lexer<'a, 'r> {
    source: &'a str,
    at: usize,
    tokens: Vec<(Token<'a>, Span)>,
    reporter: &'r mut Reporter,
}

impl<'a> Lexer<'a, '_> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    /// Takes the longest prefix of such bytes; they must be ASCII.
    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().take_while(|&b| accept(b)).count();
        self.at += length;
        &rest[..length]
    }

    fn span_from(&self, start: usize) -> Span {
        let offset = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Span {
            start: offset(start),
            end: offset(self.at),
        }
    }

    fn push(&mut self, token: Token<'a>, start: usize) {
        let span = self.span_from(start);
        self.tokens.push((token, span));
    }

    fn space(&mut self) -> bool {
        let space = self.take_while(|b| matches!(b, b' ' | b'\t' | b'\r'));
        !space.is_empty()
    }

    fn line(&mut self) {
        let start = self.at;
        let is_indented = self.space();
        let first = self.tokens.len();
        loop {
            let rest = self.rest();
            if rest.is_empty() || rest.starts_with('\n') || rest.starts_with("//") {
                break;
            }
            if is_indented && self.tokens.len() == first {
                self.push(Token::Indent, start);
            }
            self.token();
            self.space();
        }
        self.take_while(|b| b != b'\n');
        let end = self.at;
        self.take_while_once(b'\n');
        if self.tokens.len() > first {
            self.push(Token::Newline, end);
        }
    }

    fn take_while_once(&mut self, byte: u8) {
        if self.rest().as_bytes().first() == Some(&byte) {
            self.at += 1;
        }
    }

    fn token(&mut self) {
        let start = self.at;
        let Some(first) = self.rest().chars().next() else {
            return;
        };
        match first {
            'a'..='z' | 'A'..='Z' | '_' | '$' => {
                let word = self.take_while(is_word);
                if word == "x" && self.rest().starts_with('"') {
                    return self.bytes(start);
                }
                self.push(Token::Ident(word), start);
            }
            '0'..='9' => self.number(start),
            ':' if self.rest().starts_with("::") => {
                self.at += 2;
                self.push(Token::ColonColon, start);
            }
            '(' | ')' | '<' | '>' | '[' | ']' | ',' | ':' | '|' | '+' | '=' | '&' | '#' | '-' => {
                self.at += 1;
                self.push(Token::Special(first), start);
            }
            '"' => {
                let text = self.delimited(start, b'"');
                self.push(Token::Text(text), start);
            }
            '`' => {
                let name = self.delimited(start, b'`');
                self.push(Token::QuotedIdent(name), start);
            }
            _ => {
                self.at += first.len_utf8();
                let span = self.span_from(start);
                self.reporter
                    .report(span, "this character cannot begin a token");
            }
        }
    }

    /// What stands between two `quote`s on one line.
    fn delimited(&mut self, start: usize, quote: u8) -> &'a str {
        self.at += 1;
        let text = self.take_while(|b| b != quote && b != b'\n');
        if self.rest().as_bytes().first() == Some(&quote) {
            self.at += 1;
        } else {
            let span = self.span_from(start);
            self.reporter.report(
                span,
                format!("expected `{}` on the same line", char::from(quote)),
            );
        }
        text
    }

    fn bytes(&mut self, start: usize) {
        let digits = self.delimited(start, b'"');
        let value = |digit: u8| char::from(digit).to_digit(16);
        let bytes: Option<Vec<u8>> = digits
            .as_bytes()
            .chunks(2)
            .map(|pair| match *pair {
                [high, low] => u8::try_from(value(high)? << 4 | value(low)?).ok(),
                _ => None,
            })
            .collect();
        if bytes.is_none() {
            let span = self.span_from(start);
            self.reporter
                .report(span, "expected an even number of hexadecimal digits");
        }
        self.push(Token::Bytes(bytes.unwrap_or_default()), start);
    }

    fn number(&mut self, start: usize) {
        let word = self.take_while(is_word);
        let (digits, radix) = match word.strip_prefix("0x").or(word.strip_prefix("0X")) {
            Some(digits) => (digits, 16),
            None => (word, 10),
        };
        let span = self.span_from(start);
        let is_numeric =
            !digits.is_empty() && digits.bytes().all(|b| char::from(b).is_digit(radix));
        let value = match U256::from_str_radix(digits, radix) {
            Ok(value) if is_numeric => value,
            _ => {
                let message = if is_numeric {
                    "the number is above the greatest u256"
                } else {
                    "expected a decimal number, or 0x and hexadecimal digits"
                };
                self.reporter.report(span, message);
                U256::ZERO
            }
        };
        self.push(Token::Number(value), start);
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> Vec<Token<'_>> {
        let mut reporter = Reporter::default();
        let tokens = lex(source, &mut reporter);
        assert!(reporter.is_empty(), "{source}");
        tokens.into_iter().map(|(token, _)| token).collect()
    }

    #[test]
    fn lines_and_indentation() {
        use Token::*;
        assert_eq!(
            tokens("\n// c\n  a::$b // d\r\n   // e\n   \n0X1f:"),
            [
                Indent,
                Ident("a"),
                ColonColon,
                Ident("$b"),
                Newline,
                Number(U256::new(31)),
                Special(':'),
                Newline,
                End
            ]
        );
        assert_eq!(
            tokens("x\"00fF\" \"k\" `<SELF>`"),
            [
                Bytes(vec![0, 255]),
                Text("k"),
                QuotedIdent("<SELF>"),
                Newline,
                End
            ]
        );
    }

    #[test]
    fn what_is_not_a_token() {
        for bad in ["1a", "0x", "é", "x\"0\"", "\"a", "`", "0xg", "1_0"] {
            let mut reporter = Reporter::default();
            lex(bad, &mut reporter);
            assert!(!reporter.is_empty(), "{bad}");
        }
        let mut reporter = Reporter::default();
        lex(&"9".repeat(78), &mut reporter);
        assert!(!reporter.is_empty());
    }
}
