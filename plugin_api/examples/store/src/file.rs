//! One file of keys and values.

use std::ops::Bound;
use std::path::{Path, PathBuf};

use redb::{Durability, WriteTransaction};

use crate::database::{Opened, Pair, Reading, TABLE, caught};
use crate::error::{Step, StoreError};

/// A file that scripts have open. The file itself may be closed for a while: after a failure, or as another
/// version of the plugin was to take it. It is opened again when it is needed.
pub(crate) struct StoreFile {
    path: PathBuf,
    identity: Option<Identity>,
    /// The process that has opened it; a child of that shares the file and its lock, and has to leave
    /// both alone.
    process: u32,
    transaction: Option<(u64, WriteTransaction)>,
    opened: Option<Opened>,
}

impl StoreFile {
    /// Opens a file, which is made if it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |cause: redb::Error| StoreError::at(Step::Open, path, cause);
        let path = std::path::absolute(path).map_err(|error| failed(error.into()))?;
        let opened = if path.exists() {
            caught(|| Opened::open(&path))
        } else {
            caught(|| Opened::make(&path))
        };
        let opened = opened.map_err(failed)?;
        let path = path.canonicalize().map_err(|error| failed(error.into()))?;
        Ok(Self::of(path, Some(opened)))
    }

    /// Opens a file that another version of the plugin had open.
    pub(crate) fn take(path: PathBuf) -> Result<Self, StoreError> {
        let mut file = Self::of(path, None);
        file.opened()?;
        Ok(file)
    }

    fn of(path: PathBuf, opened: Option<Opened>) -> Self {
        Self {
            identity: identity(&path),
            path,
            process: std::process::id(),
            transaction: None,
            opened,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a path leads to this file, by whatever name.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        match (identity(path), self.identity) {
            (Some(other), Some(own)) => other == own,
            _ => path.canonicalize().is_ok_and(|real| real == self.path),
        }
    }

    /// Whether another version of the plugin could take the file over.
    pub(crate) fn check_handover(&self) -> Result<(), StoreError> {
        self.check_process()?;
        if self.transaction.is_some() {
            return Err(StoreError::Busy(self.path.clone()));
        }
        // What cannot be opened again must not be closed.
        if self.opened.is_some() && identity(&self.path) != self.identity {
            return Err(StoreError::Moved(self.path.clone()));
        }
        Ok(())
    }

    /// Closes the file until it is needed again, so that another version of the plugin can open it.
    pub(crate) fn hand_over(&mut self) {
        self.opened = None;
    }

    /// The value of a key.
    pub(crate) fn get(
        &mut self,
        transaction: Option<u64>,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let get = |table: &dyn Reading| table.value_of(key);
        self.read(transaction, get)
    }

    /// The first pair with a key in a range.
    pub(crate) fn first(
        &mut self,
        transaction: Option<u64>,
        from: Bound<&[u8]>,
        to: Option<&[u8]>,
    ) -> Result<Pair, StoreError> {
        let first = |table: &dyn Reading| table.first_of(from, to);
        self.read(transaction, first)
    }

    /// How many keys there are.
    pub(crate) fn count(&mut self, transaction: Option<u64>) -> Result<u64, StoreError> {
        self.read(transaction, |table| table.count())
    }

    /// Gives a key a value.
    pub(crate) fn set(
        &mut self,
        transaction: Option<u64>,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StoreError> {
        self.write(transaction, |writing| {
            writing.open_table(TABLE)?.insert(key, value)?;
            Ok(())
        })
    }

    /// Removes a key; tells whether it was there.
    pub(crate) fn delete(
        &mut self,
        transaction: Option<u64>,
        key: &[u8],
    ) -> Result<bool, StoreError> {
        self.write(transaction, |writing| {
            Ok(writing.open_table(TABLE)?.remove(key)?.is_some())
        })
    }

    /// Begins a transaction that is known by a number.
    pub(crate) fn begin(&mut self, number: u64) -> Result<(), StoreError> {
        let writing = self.begin_writing()?;
        self.transaction = Some((number, writing));
        Ok(())
    }

    /// Commits a transaction. When this returns, it is on the disk.
    pub(crate) fn commit(&mut self, number: u64) -> Result<(), StoreError> {
        let Some((_, writing)) = self.transaction.take_if(|(open, _)| *open == number) else {
            return Err(StoreError::Ended(self.path.clone()));
        };
        self.check_process_of(writing)
            .and_then(|writing| self.commit_now(writing))
    }

    /// Gives a transaction up, if it is not at its end already.
    pub(crate) fn roll_back(&mut self, number: u64) {
        if let Some((_, writing)) = self.transaction.take_if(|(open, _)| *open == number)
            && let Ok(writing) = self.check_process_of(writing)
        {
            drop(writing);
        }
    }

    fn read<R>(
        &mut self,
        transaction: Option<u64>,
        body: impl FnOnce(&dyn Reading) -> Result<R, redb::Error>,
    ) -> Result<R, StoreError> {
        self.check_process()?;
        let result = match transaction {
            None => {
                let opened = self.opened()?;
                caught(|| body(opened.snapshot()?))
            }
            Some(number) => {
                let writing = self.writing(number)?;
                caught(|| body(&writing.open_table(TABLE)?))
            }
        };
        result.map_err(|error| self.failed(Step::Read, error))
    }

    fn write<R>(
        &mut self,
        transaction: Option<u64>,
        body: impl FnOnce(&WriteTransaction) -> Result<R, redb::Error>,
    ) -> Result<R, StoreError> {
        self.check_process()?;
        if let Some(number) = transaction {
            let writing = self.writing(number)?;
            let result = caught(|| body(writing));
            return result.map_err(|error| self.failed(Step::Write, error));
        }
        let writing = self.begin_writing()?;
        match caught(|| body(&writing)) {
            Ok(result) => self.commit_now(writing).map(|()| result),
            Err(error) => {
                drop(writing);
                Err(self.failed(Step::Write, error))
            }
        }
    }

    fn begin_writing(&mut self) -> Result<WriteTransaction, StoreError> {
        self.check_process()?;
        // The library would wait, for ever.
        if self.transaction.is_some() {
            return Err(StoreError::Nested(self.path.clone()));
        }
        let begun = self.opened()?.database.begin_write();
        let mut writing = begun.map_err(|error| self.failed(Step::Write, error.into()))?;
        writing.set_durability(Durability::Immediate);
        Ok(writing)
    }

    fn commit_now(&mut self, writing: WriteTransaction) -> Result<(), StoreError> {
        if let Some(opened) = &mut self.opened {
            opened.snapshot = None;
        }
        caught(|| Ok(writing.commit()?)).map_err(|error| self.failed(Step::Commit, error))
    }

    fn writing(&self, number: u64) -> Result<&WriteTransaction, StoreError> {
        match &self.transaction {
            Some((open, writing)) if *open == number => Ok(writing),
            _ => Err(StoreError::Ended(self.path.clone())),
        }
    }

    fn opened(&mut self) -> Result<&mut Opened, StoreError> {
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => {
                let opened = caught(|| Opened::open(&self.path))
                    .map_err(|error| StoreError::at(Step::Open, &self.path, error))?;
                self.identity = identity(&self.path);
                opened
            }
        };
        Ok(self.opened.insert(opened))
    }

    /// The library does nothing more with a file after a failure: it is closed, to be opened anew.
    fn failed(&mut self, step: Step, error: redb::Error) -> StoreError {
        let is_of_the_file = !matches!(error, redb::Error::ValueTooLarge(_));
        if is_of_the_file {
            self.transaction = None;
            self.opened = None;
        }
        StoreError::at(step, &self.path, error)
    }

    fn check_process(&self) -> Result<(), StoreError> {
        if self.process == std::process::id() {
            return Ok(());
        }
        Err(StoreError::Forked(self.path.clone(), self.process))
    }

    /// Keeps a transaction of the parent process from writing when it is dropped.
    fn check_process_of(&self, writing: WriteTransaction) -> Result<WriteTransaction, StoreError> {
        match self.check_process() {
            Ok(()) => Ok(writing),
            Err(error) => {
                std::mem::forget(writing);
                Err(error)
            }
        }
    }
}

impl Drop for StoreFile {
    fn drop(&mut self) {
        // The parent process goes on with the file, and with its lock, which closing would release.
        if self.check_process().is_err() {
            std::mem::forget((self.transaction.take(), self.opened.take()));
        }
    }
}

/// Which file a path leads to: its device and number.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> Option<Identity> {
    None
}
