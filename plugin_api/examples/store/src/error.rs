//! What can go wrong.

use std::path::{Path, PathBuf};

/// What was being done.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Open,
    Read,
    Write,
    Commit,
}

impl Step {
    fn verb(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Read => "read",
            Self::Write => "write to",
            Self::Commit => "commit to",
        }
    }
}

/// Errors name the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("cannot {} '{}': {}", step.verb(), path.display(), reason(cause))]
    Failed {
        step: Step,
        path: PathBuf,
        cause: redb::Error,
    },
    #[error("cannot open '{}': this Lua state has it open already", .0.display())]
    OpenHere(PathBuf),
    #[error("cannot begin to write to '{}': a transaction is open; write in that one, or end it", .0.display())]
    Nested(PathBuf),
    #[error("the transaction in '{}' has ended", .0.display())]
    Ended(PathBuf),
    #[error("a transaction is open in '{}'; commit it or roll it back first", .0.display())]
    Busy(PathBuf),
    #[error("'{}' does not lead to the open file any more, which could not be opened again", .0.display())]
    Moved(PathBuf),
    #[error("'{}' was opened by the process {}, of which this one is a child; it has to open files itself", .0.display(), .1)]
    Forked(PathBuf, u32),
    #[error("the store is closed")]
    Closed,
    #[error("this is no transaction; `begin` gives one")]
    NoTransaction,
    #[error("the state of another version of the plugin is of an unknown form")]
    Unknown,
}

impl StoreError {
    pub(crate) fn at(step: Step, path: &Path, cause: redb::Error) -> Self {
        Self::Failed {
            step,
            path: path.to_owned(),
            cause,
        }
    }
}

/// The library's reasons, where it has other users in mind.
fn reason(error: &redb::Error) -> String {
    match error {
        redb::Error::DatabaseAlreadyOpen => {
            "another Lua state or another process has it open".to_owned()
        }
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            format!("it is no store, or it is damaged ({error})")
        }
        redb::Error::Io(error) => error.to_string(),
        redb::Error::Corrupted(text) => format!("it is damaged ({text})"),
        redb::Error::TableTypeMismatch { .. } | redb::Error::TableDoesNotExist(_) => {
            "it is a redb database of another program".to_owned()
        }
        error => error.to_string(),
    }
}
