//! What can go wrong with a lock file.

use std::io;
use std::path::PathBuf;

/// An error about a lock file as such. That a plugin is not listed, or listed otherwise, is an
/// [`Error`](crate::Error) of loading.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockFileError {
    /// A lock file cannot be read.
    #[error("lock file '{}': it cannot be read", path.display())]
    Read {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line of a lock file is wrong.
    #[error("lock file '{}', line {line}: {problem}", path.display())]
    Line {
        /// The lock file.
        path: PathBuf,
        /// The number of the line; the first is 1.
        line: usize,
        /// What was expected, and what was found.
        problem: String,
    },
    /// A lock file cannot be written. What was there before is unchanged.
    #[error("lock file '{}': it cannot be written", path.display())]
    Write {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A lock file was to be used while one is in use.
    #[error(
        "lock file '{}': the lock file '{}' is in use already, and stays in use",
        path.display(), lock_file.display()
    )]
    InUse {
        /// The lock file that was to be used.
        path: PathBuf,
        /// The one that is in use.
        lock_file: PathBuf,
    },
}
