//! Reader of genesis blobs: the write set and the events of the transaction that founds a chain (genesis spec).

use crate::codec::{CodecError, CodecErrorKind, Cursor};
use crate::{AccountAddress, StateKey, TypeTag};

/// The contents of a genesis blob.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenesisBlob {
    /// The state that the blob sets up, in the order of the blob. Deletions are not in it.
    pub writes: Vec<(StateKey, Vec<u8>)>,
    /// Keys of deletions (none in the known blobs).
    pub deletions: Vec<StateKey>,
    /// The events, in order.
    pub events: Vec<GenesisEvent>,
}

/// An event of a genesis transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisEvent {
    /// Creation number and account of the event handle, and the sequence number; `None` for a module event.
    pub handle: Option<(u64, AccountAddress, u64)>,
    /// Type of the event.
    pub type_tag: TypeTag,
    /// The event, serialized.
    pub data: Vec<u8>,
}

impl GenesisBlob {
    /// Decodes a blob. One line feed after it is tolerated: a published blob has one.
    pub fn parse(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut cursor = Cursor::new(bytes);
        // Genesis transaction, direct write set, write set version 0.
        for _ in 0..3 {
            let at = cursor.clone();
            let expected = u64::from(at.offset() == 0);
            if cursor.tag()? != expected {
                return Err(at.error(CodecErrorKind::UnknownTag));
            }
        }
        let mut blob = Self::default();
        for (key, value) in cursor.sequence(write)? {
            match value {
                Some(value) => blob.writes.push((key, value)),
                None => blob.deletions.push(key),
            }
        }
        blob.events = cursor.sequence(event)?;
        if cursor.remaining() != b"\n" {
            cursor.finish()?;
        }
        Ok(blob)
    }
}

fn write(cursor: &mut Cursor<'_>) -> Result<(StateKey, Option<Vec<u8>>), CodecError> {
    let key = StateKey::read(cursor)?;
    let at = cursor.clone();
    let value = match cursor.tag()? {
        0 | 1 => Some(cursor.bytes()?.to_vec()),
        2 => None,
        // The variants with metadata do not occur in genesis and their layout is not known here.
        _ => return Err(at.error(CodecErrorKind::UnknownTag)),
    };
    Ok((key, value))
}

fn event(cursor: &mut Cursor<'_>) -> Result<GenesisEvent, CodecError> {
    let at = cursor.clone();
    let handle = match cursor.tag()? {
        0 => Some((cursor.u64()?, cursor.address()?, cursor.u64()?)),
        1 => None,
        _ => return Err(at.error(CodecErrorKind::UnknownTag)),
    };
    Ok(GenesisEvent {
        handle,
        type_tag: cursor.type_tag()?,
        data: cursor.bytes()?.to_vec(),
    })
}
