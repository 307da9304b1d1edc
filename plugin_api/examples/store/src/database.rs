//! The library: what it opens, and what is read of it.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{
    Builder, Database, ReadOnlyTable, ReadableTable, ReadableTableMetadata, TableDefinition,
};
use tempfile::NamedTempFile;

/// The one table of a store.
pub(crate) const TABLE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("store");

/// How much of a file is kept in memory at most.
const CACHE: usize = 64 << 20;

/// A key with its value, if there is one.
pub(crate) type Pair = (Option<Vec<u8>>, Option<Vec<u8>>);

/// A file that is open. Its fields are in the order in which they have to be dropped.
pub(crate) struct Opened {
    /// What the last commit has left, for reading; made when it is needed.
    pub(crate) snapshot: Option<ReadOnlyTable<&'static [u8], &'static [u8]>>,
    pub(crate) database: Database,
}

impl Opened {
    /// Opens a file that is there.
    pub(crate) fn open(path: &Path) -> Result<Self, redb::Error> {
        let mut opened = Self::of(builder().open(path)?);
        opened.snapshot()?;
        Ok(opened)
    }

    /// Makes a file, under another name until it is complete and on the disk: so a crash does not leave half
    /// a file. If there is one meanwhile, opens that.
    pub(crate) fn make(path: &Path) -> Result<Self, redb::Error> {
        let folder = path.parent().unwrap_or(path);
        let file = new_file(folder)?;
        // A copy shares the lock.
        let made = Self::of(builder().create_file(file.as_file().try_clone()?)?);
        let writing = made.database.begin_write()?;
        drop(writing.open_table(TABLE)?);
        writing.commit()?;
        match file.persist_noclobber(path) {
            Ok(_) => {}
            Err(problem) if problem.error.kind() == io::ErrorKind::AlreadyExists => {
                return Self::open(path);
            }
            Err(problem) => return Err(problem.error.into()),
        }
        // Only then a crash of the system cannot take the file's name away.
        sync_folder(folder)?;
        Ok(made)
    }

    fn of(database: Database) -> Self {
        let snapshot = None;
        Self { snapshot, database }
    }

    /// The table as the last commit has left it.
    pub(crate) fn snapshot(
        &mut self,
    ) -> Result<&ReadOnlyTable<&'static [u8], &'static [u8]>, redb::Error> {
        let snapshot = match self.snapshot.take() {
            Some(snapshot) => snapshot,
            None => self.database.begin_read()?.open_table(TABLE)?,
        };
        Ok(self.snapshot.insert(snapshot))
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .set_cache_size(CACHE)
        .create_with_file_format_v3(true);
    builder
}

fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".store-").suffix(".new");
    // As any new file: the user's mask says who may read it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// What is read of a table, in a transaction or outside of one.
pub(crate) trait Reading {
    fn value_of(&self, key: &[u8]) -> Result<Option<Vec<u8>>, redb::Error>;
    fn first_of(&self, from: Bound<&[u8]>, to: Option<&[u8]>) -> Result<Pair, redb::Error>;
    fn count(&self) -> Result<u64, redb::Error>;
}

impl<T: ReadableTable<&'static [u8], &'static [u8]> + ReadableTableMetadata> Reading for T {
    fn value_of(&self, key: &[u8]) -> Result<Option<Vec<u8>>, redb::Error> {
        Ok(self.get(key)?.map(|value| value.value().to_vec()))
    }

    fn first_of(&self, from: Bound<&[u8]>, to: Option<&[u8]>) -> Result<Pair, redb::Error> {
        let to = to.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(match self.range::<&[u8]>((from, to))?.next() {
            Some(found) => {
                let (key, value) = found?;
                (Some(key.value().to_vec()), Some(value.value().to_vec()))
            }
            None => (None, None),
        })
    }

    fn count(&self) -> Result<u64, redb::Error> {
        Ok(self.len()?)
    }
}

/// The library panics over some damaged files. After a failure the file is closed, so that nothing is used
/// again which a panic has left halfway.
pub(crate) fn caught<R>(body: impl FnOnce() -> Result<R, redb::Error>) -> Result<R, redb::Error> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(redb::Error::Corrupted(text.unwrap_or("panic").to_owned()))
    })
}
