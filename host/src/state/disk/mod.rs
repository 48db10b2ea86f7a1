//! A state on disk: every version of every value since the last pruning, in one redb file.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | `format`, `oldest` | version of this format; oldest version that can be read |
//! | `blocks` | version | hash of the block and of its parent |
//! | `values` | byte form of the state key ‖ `!version`, big-endian | the value, or nothing where the block deleted it |
//! | `stale` | version that made it useless, key in `values` | – |
//!
//! A state key's byte form is no prefix of another's, so the entries of one state key lie together, the newest first, and what a key
//! holds at version `v` is the first entry from `key ‖ !v`. A block is one write transaction: after a crash it is there as a whole or not
//! at all. `stale` lists what pruning may take away: entries that a later one replaced, and deletions.

mod error;
mod view;

pub use error::OpenError;
pub use view::{DiskView, Scan};

use super::{CommitError, StateCommit, checked};
use error::{commit_store, damaged};
use monomove_core::WriteOp;
use monomove_types::StateKey;
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use sha3::{Digest, Sha3_256};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Name of the file in the directory of a state.
const FILE: &str = "state.redb";

/// Name of the file while it is being made.
const UNFINISHED: &str = "state.redb.unfinished";

/// Version of the tables. A store of another version is refused.
const FORMAT: u64 = 1;

/// What every redb file begins with.
const MAGIC: [u8; 9] = *b"redb\x1a\n\xa9\r\n";

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const BLOCKS: TableDefinition<'_, u64, ([u8; 32], [u8; 32])> = TableDefinition::new("blocks");
const VALUES: TableDefinition<'_, &[u8], Option<&[u8]>> = TableDefinition::new("values");
const STALE: TableDefinition<'_, (u64, &[u8]), ()> = TableDefinition::new("stale");

/// A block that a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockInfo {
    /// Its number: 0 for the first, then one more each.
    pub version: u64,
    /// Its hash.
    pub hash: [u8; 32],
    /// Hash of the block before it; zeros for the first.
    pub parent: [u8; 32],
}

impl BlockInfo {
    /// The block with these writes after `last`, for callers without block hashes of their own:
    /// its hash is SHA3-256 of `MONOMOVE::BLOCK`, the parent's hash and the BCS of the writes.
    pub fn after(last: Option<&Self>, writes: &[(StateKey, WriteOp)]) -> Result<Self, CommitError> {
        let parent = last.map_or([0; 32], |last| last.hash);
        let bytes = bcs::to_bytes(writes).map_err(|error| CommitError::Store(error.to_string()))?;
        let mut hasher = Sha3_256::new();
        hasher.update(b"MONOMOVE::BLOCK");
        hasher.update(parent);
        hasher.update(&bytes);
        Ok(Self {
            version: next_version(last),
            hash: hasher.finalize().into(),
            parent,
        })
    }
}

fn next_version(last: Option<&BlockInfo>) -> u64 {
    last.map_or(0, |last| last.version.saturating_add(1))
}

/// How full a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreInfo {
    /// The last block, if there is one.
    pub latest: Option<BlockInfo>,
    /// The oldest version that can be read.
    pub oldest: u64,
    /// Entries of all versions.
    pub entries: u64,
    /// Entries that pruning may take away.
    pub stale: u64,
    /// Size of the file in bytes.
    pub file_bytes: u64,
}

/// What pruning did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PruneReport {
    /// Entries that are gone.
    pub removed: u64,
    /// Oldest version that can be read from now on.
    pub oldest: u64,
}

/// A state on disk. One process at a time may have it open.
#[derive(Debug)]
pub struct DiskState {
    database: Database,
    path: PathBuf,
    latest: Option<BlockInfo>,
    oldest: u64,
}

impl DiskState {
    /// Opens the state in directory `dir`.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(FILE);
        let head = error::head(&path, MAGIC.len())?;
        if head != MAGIC {
            return Err(OpenError::Foreign {
                path,
                reason: "it does not begin as a redb file does".into(),
            });
        }
        Self::attempt(&path, || {
            let database = Database::open(&path).map_err(|error| damaged(&path, error))?;
            Self::read_meta(database, &path)
        })
    }

    /// Opens the state in directory `dir`, which is made if it is not there, with an empty state if it has none.
    pub fn create(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(FILE);
        if path.exists() {
            return Self::open(dir);
        }
        std::fs::create_dir_all(dir).map_err(|error| OpenError::io(dir, &error))?;
        // Made under another name, so that whoever is interrupted leaves no store rather than half of one.
        let unfinished = dir.join(UNFINISHED);
        if unfinished.exists() {
            std::fs::remove_file(&unfinished).map_err(|error| OpenError::io(dir, &error))?;
        }
        Self::attempt(&unfinished, || {
            make(&unfinished).map_err(|error| damaged(&unfinished, error))
        })?;
        std::fs::rename(&unfinished, &path).map_err(|error| OpenError::io(&path, &error))?;
        Self::open(dir)
    }

    /// redb checks what it reads, but a damaged file may still make it panic: that is damage too.
    fn attempt<T>(
        path: &Path,
        work: impl FnOnce() -> Result<T, OpenError>,
    ) -> Result<T, OpenError> {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            Err(OpenError::Damaged {
                path: path.into(),
                reason: "its pages do not hold together".into(),
            })
        })
    }

    fn read_meta(database: Database, path: &Path) -> Result<Self, OpenError> {
        let read = database
            .begin_read()
            .map_err(|error| damaged(path, error))?;
        let foreign = |error: redb::TableError| match error {
            redb::TableError::Storage(error) => damaged(path, error),
            other => OpenError::Foreign {
                path: path.into(),
                reason: other.to_string(),
            },
        };
        let meta = read.open_table(META).map_err(foreign)?;
        let number = |name| {
            let value = meta.get(name).map_err(|error| damaged(path, error))?;
            Ok::<_, OpenError>(value.map(|value| value.value()))
        };
        match number("format")? {
            Some(FORMAT) => {}
            found => {
                return Err(OpenError::Format {
                    path: path.into(),
                    found: found.unwrap_or(0),
                    expected: FORMAT,
                });
            }
        }
        let oldest = number("oldest")?.unwrap_or(0);
        let blocks = read.open_table(BLOCKS).map_err(foreign)?;
        read.open_table(VALUES).map_err(foreign)?;
        read.open_table(STALE).map_err(foreign)?;
        let latest = blocks
            .last()
            .map_err(|error| damaged(path, error))?
            .map(|(version, hashes)| block(version.value(), hashes.value()));
        if oldest > latest.map_or(0, |latest| latest.version) {
            return Err(OpenError::Damaged {
                path: path.into(),
                reason: "its oldest version is not there".into(),
            });
        }
        drop((meta, blocks, read));
        Ok(Self {
            database,
            path: path.into(),
            latest,
            oldest,
        })
    }

    /// The last block, if there is one.
    pub fn latest(&self) -> Option<BlockInfo> {
        self.latest
    }

    /// The oldest version that can be read.
    pub fn oldest(&self) -> u64 {
        self.oldest
    }

    /// The state after the last block. It lives on unchanged while blocks are committed and versions pruned.
    pub fn view(&self) -> Result<DiskView, OpenError> {
        self.open_view(self.latest.map_or(0, |latest| latest.version))
    }

    /// The state after the block `version`, if the store still has it.
    pub fn view_at(&self, version: u64) -> Result<DiskView, OpenError> {
        match self.latest {
            Some(latest) if (self.oldest..=latest.version).contains(&version) => {
                self.open_view(version)
            }
            latest => Err(OpenError::Version {
                version,
                oldest: self.oldest,
                latest: latest.map(|latest| latest.version),
            }),
        }
    }

    fn open_view(&self, version: u64) -> Result<DiskView, OpenError> {
        let failed = |error: redb::Error| damaged(&self.path, error);
        let read = self
            .database
            .begin_read()
            .map_err(|error| failed(error.into()))?;
        let values = read
            .open_table(VALUES)
            .map_err(|error| failed(error.into()))?;
        Ok(DiskView::new(values, version))
    }

    /// The block `version`, if the store has it.
    pub fn block(&self, version: u64) -> Result<Option<BlockInfo>, OpenError> {
        self.read_block(version)
            .map_err(|error| damaged(&self.path, error))
    }

    fn read_block(&self, version: u64) -> Result<Option<BlockInfo>, redb::Error> {
        let blocks = self.database.begin_read()?.open_table(BLOCKS)?;
        Ok(blocks
            .get(version)?
            .map(|hashes| block(version, hashes.value())))
    }

    /// Applies the writes of `block`, or none of them. It must follow the last one. When this returns, the block survives a crash.
    pub fn commit_block(
        &mut self,
        block: BlockInfo,
        writes: &[(StateKey, WriteOp)],
    ) -> Result<(), CommitError> {
        let expected = next_version(self.latest.as_ref());
        if block.version != expected {
            return Err(CommitError::Version {
                expected,
                given: block.version,
            });
        }
        if let Some(latest) = self.latest
            && latest.hash != block.parent
        {
            return Err(CommitError::Parent {
                latest: latest.version,
            });
        }
        let view = self
            .view()
            .map_err(|error| CommitError::Store(error.to_string()))?;
        let changes = checked(writes, |key| Ok(view.newest(key)?.is_some_and(|e| e.1)))?;
        let transaction = self.database.begin_write().map_err(commit_store)?;
        {
            let mut values = transaction.open_table(VALUES).map_err(commit_store)?;
            let mut stale = transaction.open_table(STALE).map_err(commit_store)?;
            for (key, value) in changes {
                let at = view::versioned(key, block.version);
                values.insert(&*at, value).map_err(commit_store)?;
                if let Some((old, _)) = view.newest(key)? {
                    let old = view::versioned(key, old);
                    stale
                        .insert((block.version, &*old), ())
                        .map_err(commit_store)?;
                }
                if value.is_none() {
                    stale
                        .insert((block.version, &*at), ())
                        .map_err(commit_store)?;
                }
            }
            transaction
                .open_table(BLOCKS)
                .map_err(commit_store)?
                .insert(block.version, (block.hash, block.parent))
                .map_err(commit_store)?;
        }
        transaction.commit().map_err(commit_store)?;
        self.latest = Some(block);
        Ok(())
    }

    /// Drops what only versions before `oldest` need; they cannot be read any more. The last version always stays. Blocks are kept.
    pub fn prune(&mut self, oldest: u64) -> Result<PruneReport, CommitError> {
        let latest = self.latest.map_or(0, |latest| latest.version);
        let oldest = oldest.min(latest).max(self.oldest);
        let transaction = self.database.begin_write().map_err(commit_store)?;
        let mut removed = 0;
        {
            let mut values = transaction.open_table(VALUES).map_err(commit_store)?;
            let mut stale = transaction.open_table(STALE).map_err(commit_store)?;
            let end = oldest.saturating_add(1);
            let gone = stale
                .extract_from_if((0, &[][..])..(end, &[][..]), |_, ()| true)
                .map_err(commit_store)?;
            for entry in gone {
                let (entry, _) = entry.map_err(commit_store)?;
                values.remove(entry.value().1).map_err(commit_store)?;
                removed += 1;
            }
            transaction
                .open_table(META)
                .map_err(commit_store)?
                .insert("oldest", oldest)
                .map_err(commit_store)?;
        }
        transaction.commit().map_err(commit_store)?;
        self.oldest = oldest;
        Ok(PruneReport { removed, oldest })
    }

    /// Gives room that pruning made back to the file system. No view may be alive.
    pub fn compact(&mut self) -> Result<(), CommitError> {
        self.database.compact().map(|_| ()).map_err(commit_store)
    }

    /// Goes over the whole file and compares its checksums.
    pub fn verify(&mut self) -> Result<(), OpenError> {
        let path = self.path.clone();
        Self::attempt(&path, || match self.database.check_integrity() {
            Ok(true) => Ok(()),
            Ok(false) => Err(OpenError::Damaged {
                path: path.clone(),
                reason: "its checksums did not match; what could be repaired is".into(),
            }),
            Err(error) => Err(damaged(&path, error)),
        })
    }

    /// How full the store is.
    pub fn info(&self) -> Result<StoreInfo, OpenError> {
        let (entries, stale) = self
            .count()
            .map_err(|error: redb::Error| damaged(&self.path, error))?;
        let meta =
            std::fs::metadata(&self.path).map_err(|error| OpenError::io(&self.path, &error))?;
        Ok(StoreInfo {
            latest: self.latest,
            oldest: self.oldest,
            entries,
            stale,
            file_bytes: meta.len(),
        })
    }

    fn count(&self) -> Result<(u64, u64), redb::Error> {
        let read = self.database.begin_read()?;
        let entries = read.open_table(VALUES)?.len()?;
        Ok((entries, read.open_table(STALE)?.len()?))
    }
}

/// Makes an empty store.
fn make(path: &Path) -> Result<(), redb::Error> {
    let database = Database::create(path)?;
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert("format", FORMAT)?;
    transaction.open_table(BLOCKS)?;
    transaction.open_table(VALUES)?;
    transaction.open_table(STALE)?;
    Ok(transaction.commit()?)
}

fn block(version: u64, (hash, parent): ([u8; 32], [u8; 32])) -> BlockInfo {
    BlockInfo {
        version,
        hash,
        parent,
    }
}

impl StateCommit for DiskState {
    /// Commits `writes` as the next block, whose hash is [`BlockInfo::after`]'s.
    fn commit(&mut self, writes: &[(StateKey, WriteOp)]) -> Result<(), CommitError> {
        let block = BlockInfo::after(self.latest.as_ref(), writes)?;
        self.commit_block(block, writes)
    }
}
