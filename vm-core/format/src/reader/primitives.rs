//! The byte cursor of the reader: numbers and byte strings with the status codes of the binary format.

use crate::FormatError;
use monomove_types::StatusCode;
use monomove_types::codec::{UlebError, read_uleb};

/// Reads pieces of a binary one after another, never past `end`.
#[derive(Clone, Debug)]
pub(crate) struct BinaryReader<'a> {
    binary: &'a [u8],
    offset: usize,
    /// Binary version, for the version gates.
    pub(crate) version: u32,
    /// Longest identifier that is accepted.
    pub(crate) max_identifier_size: u64,
}

impl<'a> BinaryReader<'a> {
    pub(crate) fn new(binary: &'a [u8]) -> Self {
        Self {
            binary,
            offset: 0,
            version: 0,
            max_identifier_size: 0,
        }
    }

    /// A reader of the `length` bytes from `start` on; offsets stay those of the binary.
    pub(crate) fn section(&self, start: usize, length: usize) -> Option<Self> {
        let end = start.checked_add(length)?;
        Some(Self {
            binary: self.binary.get(..end)?,
            offset: start,
            ..*self
        })
    }

    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn remaining(&self) -> &'a [u8] {
        self.binary.get(self.offset..).unwrap_or_default()
    }

    pub(super) fn binary_length(&self) -> usize {
        self.binary.len()
    }

    /// Steps over `length` bytes, which the caller knows to be there.
    pub(super) fn skip(&mut self, length: usize) {
        self.offset = self.offset.saturating_add(length).min(self.binary.len());
    }

    /// Elements up to the end of the section.
    pub(super) fn table<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<T, FormatError>,
    ) -> Result<Vec<T>, FormatError> {
        let mut elements = Vec::new();
        while !self.remaining().is_empty() {
            elements.push(element(self)?);
        }
        Ok(elements)
    }

    /// The next `length` bytes as they are.
    pub(super) fn raw(&mut self, length: usize) -> Result<&'a [u8], FormatError> {
        match self.remaining().get(..length) {
            Some(bytes) => {
                self.skip(length);
                Ok(bytes)
            }
            None => Err(self.malformed("unexpected end of binary in a byte string")),
        }
    }

    #[cold]
    pub(crate) fn error(&self, status: StatusCode, message: &str) -> FormatError {
        FormatError::at(status, self.offset, message)
    }

    #[cold]
    pub(crate) fn malformed(&self, message: &str) -> FormatError {
        self.error(StatusCode::MALFORMED, message)
    }

    /// The next `N` bytes; `status` when there are fewer.
    #[inline]
    pub(crate) fn array<const N: usize>(
        &mut self,
        status: StatusCode,
    ) -> Result<[u8; N], FormatError> {
        match self.remaining().first_chunk::<N>() {
            Some(chunk) => {
                self.offset += N;
                Ok(*chunk)
            }
            None => Err(self.error(status, "unexpected end of binary")),
        }
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, FormatError> {
        self.array(StatusCode::MALFORMED).map(|[byte]| byte)
    }

    #[inline]
    pub(crate) fn uleb(&mut self, max: u64) -> Result<u64, FormatError> {
        // Nearly all numbers are one byte.
        match self.binary.get(self.offset) {
            Some(&byte) if byte < 0x80 && u64::from(byte) <= max => {
                self.offset += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_uleb(max),
        }
    }

    fn long_uleb(&mut self, max: u64) -> Result<u64, FormatError> {
        match read_uleb(self.remaining(), max) {
            Ok((value, length)) => {
                self.offset += length;
                Ok(value)
            }
            Err(error) => Err(self.malformed(match error {
                UlebError::UnexpectedEnd => "unexpected end of binary in a number",
                UlebError::NonCanonical => "number not in its shortest form",
                UlebError::OutOfRange => "number out of range",
            })),
        }
    }

    #[inline]
    pub(crate) fn uleb_u16(&mut self, max: u16) -> Result<u16, FormatError> {
        self.uleb(u64::from(max)).map(|value| value as u16)
    }

    #[inline]
    pub(crate) fn uleb_u8(&mut self, max: u8) -> Result<u8, FormatError> {
        self.uleb(u64::from(max)).map(|value| value as u8)
    }

    /// A ULEB128 number for a count or size of at most `max`.
    #[inline]
    pub(crate) fn count(&mut self, max: u16) -> Result<usize, FormatError> {
        self.uleb_u16(max).map(usize::from)
    }

    /// A length of at most `max` and that many bytes.
    pub(crate) fn bytes(&mut self, max: u64) -> Result<&'a [u8], FormatError> {
        let length = self.uleb(max)?;
        // A length beyond the address space is beyond the binary as well.
        self.raw(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// `count` elements, each of at least one byte: the declared count alone does not allocate.
    pub(crate) fn elements<T>(
        &mut self,
        count: usize,
        mut element: impl FnMut(&mut Self) -> Result<T, FormatError>,
    ) -> Result<Vec<T>, FormatError> {
        let mut elements = Vec::with_capacity(count.min(self.remaining().len()));
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Ok(elements)
    }
}
