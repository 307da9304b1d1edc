//! Reading a file that may be a library, piece by piece.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read as _, Seek as _};
use std::path::Path;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{Identity, manifest};
use crate::Error;
use crate::sha256::{Hasher, Sha256};

/// The largest file that is looked into, in bytes.
const LARGEST_FILE: u64 = 1 << 30;

/// How much is read at a time, in bytes: little enough to stay in the processor's cache.
const PIECE: usize = 64 << 10;

/// A regular file, open for reading.
pub(super) struct Source<'a> {
    path: &'a Path,
    file: File,
    /// The beginning of the file, as it was when it was opened.
    pub(super) start: Vec<u8>,
    buffer: Vec<u8>,
    /// How much of the buffer the piece is that was read last.
    filled: usize,
    /// Whether that is the first one.
    is_at_first: bool,
    /// Whether the SHA-256 is wanted, which takes time.
    is_hashed: bool,
    /// The SHA-256 of what was read, if it is wanted, once all was read.
    pub(super) sha256: Option<Sha256>,
}

impl<'a> Source<'a> {
    /// Opens a file and reads the first piece. Files that are no libraries are told by their first
    /// bytes: they may be large.
    pub(super) fn open(path: &'a Path) -> Result<Self, Error> {
        let unreadable = |source| unreadable(path, source);
        // To open a device may do something, and to open a pipe waits; another thing may be there by then.
        check_kind(path, &std::fs::metadata(path).map_err(unreadable)?)?;
        Self::of(path, open(path).map_err(unreadable)?)
    }

    /// The same for a file that is open.
    pub(super) fn of(path: &'a Path, file: File) -> Result<Self, Error> {
        let unreadable = |source| unreadable(path, source);
        let metadata = file.metadata().map_err(unreadable)?;
        check_kind(path, &metadata)?;
        let mut source = Self {
            path,
            file,
            start: Vec::new(),
            buffer: vec![0; PIECE],
            filled: 0,
            is_at_first: true,
            is_hashed: false,
            sha256: None,
        };
        source.check_length(metadata.len())?;
        source.next()?;
        source.start = source.piece()[..source.filled.min(512)].to_vec();
        if !manifest::may_be_library(&source.start) {
            let found = manifest::describe(&source.start, "it begins like no known one");
            return Err(source.not_a_library(found));
        }
        Ok(source)
    }

    /// Takes the SHA-256 of what is going to be read.
    pub(super) fn take_sha256(&mut self) {
        self.is_hashed = true;
    }

    /// What tells the piece that was read last from others: the first one, before all is read.
    pub(super) fn first(&self) -> u64 {
        xxh3_64(self.piece())
    }

    /// Reads all of the file, and gives each piece away; tells what the content is.
    pub(super) fn read(&mut self, mut take: impl FnMut(&[u8])) -> Result<Identity, Error> {
        if !std::mem::take(&mut self.is_at_first) {
            self.file
                .rewind()
                .map_err(|error| unreadable(self.path, error))?;
            self.next()?;
        }
        let (mut hash, mut length) = (Xxh3::new(), 0);
        let mut sha256 = self.is_hashed.then(Hasher::default);
        while self.filled > 0 {
            hash.update(self.piece());
            if let Some(sha256) = &mut sha256 {
                sha256.update(self.piece());
            }
            take(self.piece());
            length += self.filled;
            self.check_length(length as u64)?;
            self.next()?;
        }
        self.sha256 = sha256.map(Hasher::finish);
        Ok(Identity {
            hash: hash.digest128(),
            length,
        })
    }

    /// Reads the next piece, which is empty at the end.
    fn next(&mut self) -> Result<(), Error> {
        self.filled = 0;
        while self.filled < self.buffer.len() {
            match self.file.read(&mut self.buffer[self.filled..]) {
                Ok(0) => break,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(self.path, error)),
            }
        }
        Ok(())
    }

    /// The piece that was read last.
    fn piece(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    fn check_length(&self, length: u64) -> Result<(), Error> {
        if length <= LARGEST_FILE {
            return Ok(());
        }
        Err(self.not_a_library(format!(
            "a file of {length} bytes; the most that is looked into is {LARGEST_FILE}"
        )))
    }

    fn not_a_library(&self, found: String) -> Error {
        Error::NotALibrary {
            path: self.path.to_owned(),
            found,
        }
    }
}

/// Opens a file for reading, and does not wait if it is a pipe.
pub(crate) fn open(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(libc::O_NONBLOCK);
    }
    options.read(true).open(path)
}

/// Checks that something is a regular file: a pipe or a device would block or never end.
fn check_kind(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    let found = if kind.is_dir() {
        "a directory"
    } else {
        "something that is no regular file"
    };
    Err(Error::NotAFile {
        path: path.to_owned(),
        found,
    })
}

pub(super) fn unreadable(path: &Path, source: std::io::Error) -> Error {
    Error::Read {
        path: path.to_owned(),
        source,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_was_opened_has_to_be_a_file() {
        for path in ["/dev/zero", "/"] {
            let path = Path::new(path);
            let file = open(path).expect("it can be opened");
            let opened = Source::of(path, file).map(drop);
            assert!(matches!(opened, Err(Error::NotAFile { .. })), "{opened:?}");
        }
    }
}
