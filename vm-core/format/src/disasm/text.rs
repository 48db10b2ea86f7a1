//! Text of bounded length, and bytes as text.

use crate::{CodeOffset, FunctionDefinitionIndex};
use std::fmt::{self, Write};

/// A listing, and which of its lines show instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The text.
    pub text: String,
    /// Lines that show instructions, in order.
    pub instructions: Vec<InstructionLine>,
}

/// A line of a listing that shows an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstructionLine {
    /// Number of the line, from 0.
    pub line: u32,
    /// The function it belongs to; 0 in a script.
    pub function: FunctionDefinitionIndex,
    /// Which instruction of the function.
    pub offset: CodeOffset,
}

/// A text that stops growing at a limit: the write that would exceed it fails, which ends the printing.
pub(super) struct BoundedText {
    text: String,
    limit: usize,
    /// Complete lines so far.
    lines: u32,
    links: Vec<InstructionLine>,
}

impl BoundedText {
    /// What `write` prints, cut at `limit` bytes; a cut text ends in `…`.
    pub(super) fn collect(limit: usize, write: impl FnOnce(&mut Self) -> fmt::Result) -> String {
        Self::collect_linked(limit, write).text
    }

    /// The same, with the lines that show instructions.
    pub(super) fn collect_linked(
        limit: usize,
        write: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> Listing {
        let mut out = Self {
            text: String::new(),
            limit,
            lines: 0,
            links: Vec::new(),
        };
        if write(&mut out).is_err() {
            out.text.push('…');
        }
        Listing {
            text: out.text,
            instructions: out.links,
        }
    }

    /// The line that is being written shows the instruction at `offset` of `function`.
    pub(super) fn link(&mut self, function: FunctionDefinitionIndex, offset: CodeOffset) {
        self.links.push(InstructionLine {
            line: self.lines,
            function,
            offset,
        });
    }
}

impl Write for BoundedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.limit.saturating_sub(self.text.len());
        if text.len() <= room {
            self.lines += text.bytes().filter(|&byte| byte == b'\n').count() as u32;
            self.text.push_str(text);
            return Ok(());
        }
        let cut = (0..=room).rev().find_map(|end| text.get(..end));
        self.text.push_str(cut.unwrap_or_default());
        Err(fmt::Error)
    }
}

/// Bytes as `b"text"`, with everything but printable ASCII escaped.
pub(super) fn byte_string(out: &mut BoundedText, bytes: &[u8]) -> fmt::Result {
    out.write_str("b\"")?;
    for byte in bytes {
        write!(out, "{}", byte.escape_ascii())?;
    }
    out.write_str("\"")
}

/// Bytes as `x"00ff"`.
pub(super) fn hex_string(out: &mut BoundedText, bytes: &[u8]) -> fmt::Result {
    out.write_str("x\"")?;
    for byte in bytes {
        write!(out, "{byte:02x}")?;
    }
    out.write_str("\"")
}

/// Bytes as `b"text"` if all are printable ASCII, else as `x"00ff"`.
pub(super) fn bytes(out: &mut BoundedText, bytes: &[u8]) -> fmt::Result {
    if bytes
        .iter()
        .all(|byte| byte.is_ascii_graphic() || *byte == b' ')
    {
        byte_string(out, bytes)
    } else {
        hex_string(out, bytes)
    }
}

/// A 256-bit number, little endian, in decimal.
pub(super) fn decimal(little_endian: &[u8; 32]) -> String {
    const CHUNK: u64 = 1_000_000_000;
    let mut limbs: Vec<u32> = little_endian
        .chunks_exact(4)
        .rev()
        .map(|chunk| {
            chunk
                .iter()
                .rev()
                .fold(0, |limb, &byte| limb << 8 | u32::from(byte))
        })
        .collect();
    let mut chunks = Vec::new();
    while limbs.iter().any(|&limb| limb != 0) {
        let mut rest = 0;
        for limb in &mut limbs {
            let value = rest << 32 | u64::from(*limb);
            *limb = (value / CHUNK) as u32;
            rest = value % CHUNK;
        }
        chunks.push(rest);
    }
    let mut text = chunks.pop().unwrap_or_default().to_string();
    for chunk in chunks.iter().rev() {
        text.push_str(&format!("{chunk:09}"));
    }
    text
}

/// A signed 256-bit number, little endian two's complement, in decimal.
pub(super) fn signed_decimal(little_endian: &[u8; 32]) -> String {
    if little_endian[31] < 0x80 {
        return decimal(little_endian);
    }
    let mut magnitude = *little_endian;
    let mut carry = true;
    for byte in &mut magnitude {
        (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
    }
    format!("-{}", decimal(&magnitude))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_numbers() {
        let mut number = [0; 32];
        assert_eq!(decimal(&number), "0");
        number[..16].copy_from_slice(&u128::MAX.to_le_bytes());
        assert_eq!(decimal(&number), u128::MAX.to_string());
        assert_eq!(
            decimal(&[0xff; 32]),
            "115792089237316195423570985008687907853269984665640564039457584007913129639935"
        );
        assert_eq!(signed_decimal(&[0xff; 32]), "-1");
        let mut least = [0; 32];
        least[31] = 0x80;
        assert_eq!(
            signed_decimal(&least),
            "-57896044618658097711785492504343953926634992332820282019728792003956564819968"
        );
        for value in [
            0,
            1,
            -1,
            1_000_000_000,
            -1_000_000_000,
            i128::MAX,
            i128::MIN,
        ] {
            let mut bytes = [if value < 0 { 0xff } else { 0 }; 32];
            bytes[..16].copy_from_slice(&value.to_le_bytes());
            assert_eq!(signed_decimal(&bytes), value.to_string());
        }
    }

    #[test]
    fn cut_at_the_limit() {
        assert_eq!(
            BoundedText::collect(5, |out| out.write_str("abcde")),
            "abcde"
        );
        assert_eq!(
            BoundedText::collect(4, |out| out.write_str("abcde")),
            "abcd…"
        );
        assert_eq!(BoundedText::collect(2, |out| out.write_str("aéb")), "a…");
    }

    #[test]
    fn bytes_as_text() {
        let show = |b: &[u8]| BoundedText::collect(99, |out| bytes(out, b));
        assert_eq!(show(b"hello world"), "b\"hello world\"");
        assert_eq!(show(b"a\"b"), "b\"a\\\"b\"");
        assert_eq!(show(&[0, 0xff]), "x\"00ff\"");
        let key = BoundedText::collect(99, |out| byte_string(out, b"a\n\x1b[1m\xff"));
        assert_eq!(key, "b\"a\\n\\x1b[1m\\xff\"");
    }
}
