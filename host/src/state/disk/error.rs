//! Why a state on disk cannot be opened or read.

use crate::state::CommitError;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why there is no state to work with.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// There is none.
    #[error("{}: there is no state here", path.display())]
    Absent {
        /// The file that was expected.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{}: not a state of monomove: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What gives it away.
        reason: String,
    },
    /// The file is of another version of the format.
    #[error("{}: the store has format {found}; this version reads format {expected}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The format known here.
        expected: u64,
    },
    /// The file is damaged.
    #[error("{}: the store is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process has it open.
    #[error("{}: the store is open in another process", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The version was pruned, or has not been yet.
    #[error("version {version} is not in the store, which has {}", versions(*oldest, *latest))]
    Version {
        /// The version.
        version: u64,
        /// Oldest version that can be read.
        oldest: u64,
        /// Last version.
        latest: Option<u64>,
    },
}

fn versions(oldest: u64, latest: Option<u64>) -> String {
    match latest {
        Some(latest) => format!("versions {oldest} to {latest}"),
        None => "no version".into(),
    }
}

impl OpenError {
    pub(super) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::Io {
            path: path.into(),
            reason: error.to_string(),
        }
    }
}

/// The first bytes of a file; fewer if it is shorter.
pub(super) fn head(path: &Path, len: usize) -> Result<Vec<u8>, OpenError> {
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => OpenError::Absent { path: path.into() },
        _ => OpenError::io(path, &error),
    })?;
    let mut head = Vec::with_capacity(len);
    file.take(len as u64)
        .read_to_end(&mut head)
        .map_err(|error| OpenError::io(path, &error))?;
    Ok(head)
}

/// What an error of redb says about the file.
pub(super) fn damaged(path: &Path, error: impl Into<redb::Error>) -> OpenError {
    let path = path.into();
    match error.into() {
        redb::Error::DatabaseAlreadyOpen => OpenError::Busy { path },
        redb::Error::Io(error) if error.kind() == ErrorKind::InvalidData => OpenError::Damaged {
            path,
            reason: error.to_string(),
        },
        redb::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => OpenError::Damaged {
            path,
            reason: "it is cut short".into(),
        },
        redb::Error::Io(error) => OpenError::Io {
            path,
            reason: error.to_string(),
        },
        redb::Error::UpgradeRequired(version) => OpenError::Foreign {
            path,
            reason: format!("its file format {version} is an old one of redb"),
        },
        other => OpenError::Damaged {
            path,
            reason: other.to_string(),
        },
    }
}

/// An error of redb while a block is written.
pub(super) fn commit_store(error: impl Into<redb::Error>) -> CommitError {
    CommitError::Store(error.into().to_string())
}
