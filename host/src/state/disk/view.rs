//! One version of a state on disk.

use crate::state::{StateError, StateView};
use monomove_types::StateKey;
use redb::ReadOnlyTable;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of values that a view remembers. Beyond that it starts over.
const CACHE_BYTES: usize = 64 << 20;

/// What a remembered value costs besides its bytes.
const ENTRY_BYTES: usize = 256;

/// Bytes of the version at the end of a key in the table.
const VERSION_BYTES: usize = 8;

/// One version of a state on disk, unchanged for as long as it lives, whatever is committed or pruned meanwhile.
///
/// It remembers what it read, so that the same value is the same `Arc`.
pub struct DiskView {
    values: ReadOnlyTable<&'static [u8], Option<&'static [u8]>>,
    version: u64,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    values: HashMap<StateKey, Option<Arc<[u8]>>>,
    bytes: usize,
}

/// The key in the table of what `key` holds after the block `version`.
pub(super) fn versioned(key: &StateKey, version: u64) -> Vec<u8> {
    let mut bytes = key.encode();
    bytes.extend((!version).to_be_bytes());
    bytes
}

/// Takes a key of the table apart.
fn split(bytes: &[u8]) -> Option<(&[u8], u64)> {
    let (key, version) = bytes.split_last_chunk::<VERSION_BYTES>()?;
    Some((key, !u64::from_be_bytes(*version)))
}

impl DiskView {
    pub(super) fn new(
        values: ReadOnlyTable<&'static [u8], Option<&'static [u8]>>,
        version: u64,
    ) -> Self {
        Self {
            values,
            version,
            cache: Mutex::default(),
        }
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The version of the newest entry of `key`, and whether it is a value.
    pub(super) fn newest(&self, key: &StateKey) -> Result<Option<(u64, bool)>, StateError> {
        self.seek(key, |version, value| (version, value.is_some()))
    }

    fn seek<T>(
        &self,
        key: &StateKey,
        found: impl FnOnce(u64, Option<&[u8]>) -> T,
    ) -> Result<Option<T>, StateError> {
        let failed = |error: redb::StorageError| StateError::Read {
            key: key.to_string(),
            reason: error.to_string(),
        };
        let (first, last) = (versioned(key, self.version), versioned(key, 0));
        let mut range = self.values.range(&*first..=&*last).map_err(failed)?;
        let Some(entry) = range.next() else {
            return Ok(None);
        };
        let (at, value) = entry.map_err(failed)?;
        let version = split(at.value()).map_or(0, |(_, version)| version);
        Ok(Some(found(version, value.value())))
    }

    /// All values whose key's byte form begins with `prefix`, in the order of the byte forms.
    pub fn scan(&self, prefix: &[u8]) -> Result<Scan, StateError> {
        let range = self.values.range(prefix..);
        Ok(Scan {
            range: range.map_err(|error| StateError::Unavailable(error.to_string()))?,
            prefix: prefix.into(),
            version: self.version,
            done: None,
        })
    }

    /// Number of entries of all versions, for progress.
    pub fn entries(&self) -> Result<u64, StateError> {
        redb::ReadableTableMetadata::len(&self.values)
            .map_err(|error| StateError::Unavailable(error.to_string()))
    }
}

/// The values of one version of a state on disk, one after the other.
pub struct Scan {
    range: redb::Range<'static, &'static [u8], Option<&'static [u8]>>,
    prefix: Vec<u8>,
    version: u64,
    /// The state key whose entry for this version was met: older entries follow it.
    done: Option<Vec<u8>>,
}

/// A key and its value.
type Pair = (StateKey, Arc<[u8]>);

impl Scan {
    /// The next entry that this version shows, its key in byte form; `None` at the end.
    fn step(&mut self) -> Result<Option<Pair>, String> {
        for entry in self.range.by_ref() {
            let (at, value) = entry.map_err(|error| error.to_string())?;
            let at = at.value();
            if !at.starts_with(&self.prefix) {
                break;
            }
            let (key, version) = split(at).ok_or("a key is too short")?;
            if version > self.version || self.done.as_deref() == Some(key) {
                continue;
            }
            let done = self.done.get_or_insert_default();
            done.clear();
            done.extend_from_slice(key);
            if let Some(value) = value.value() {
                let key = StateKey::decode(key).map_err(|error| error.to_string())?;
                return Ok(Some((key, value.into())));
            }
        }
        Ok(None)
    }
}

impl Iterator for Scan {
    type Item = Result<Pair, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().map_err(StateError::Unavailable).transpose()
    }
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for DiskView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiskView")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl StateView for DiskView {
    fn get(&self, key: &StateKey) -> Result<Option<Arc<[u8]>>, StateError> {
        let cache = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = cache().values.get(key) {
            return Ok(value.clone());
        }
        let value = self
            .seek(key, |_, value| value.map(Arc::<[u8]>::from))?
            .flatten();
        let bytes = ENTRY_BYTES + value.as_ref().map_or(0, |value| value.len());
        let mut cache = cache();
        if cache.bytes + bytes > CACHE_BYTES {
            *cache = Cache::default();
        }
        cache.bytes += bytes;
        // Of two readers, the first decides which `Arc` it is.
        let value = cache.values.entry(key.clone()).or_insert(value);
        Ok(value.clone())
    }
}
