//! What the threads do: one walks, the others hash.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crossbeam_channel::{Receiver, Sender};
use ignore::{DirEntry, Walk, WalkBuilder};
use plugin_api::tracing::debug;
use sha2::{Digest as _, Sha256};

use crate::options::Options;

/// How much of a file is read at a time.
const PIECE: usize = 256 << 10;

/// What became of one file, or of a folder that cannot be read.
pub(crate) struct Outcome {
    pub(crate) path: PathBuf,
    /// Size and digest, in hexadecimal digits; or what went wrong.
    pub(crate) hashed: Result<(u64, String), String>,
}

/// What all threads of a job, and the one of Lua, share.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) is_cancelled: AtomicBool,
    /// Whether the walk is at its end, so that no more files will be found.
    pub(crate) is_walked: AtomicBool,
    pub(crate) found_files: AtomicU64,
    pub(crate) found_bytes: AtomicU64,
    pub(crate) files: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) errors: AtomicU64,
    /// The file that was begun last.
    pub(crate) current: Mutex<PathBuf>,
}

/// The files of a tree, to be walked through.
pub(crate) fn files_of(root: &Path, options: &Options) -> Walk {
    WalkBuilder::new(root)
        .standard_filters(options.ignore)
        .hidden(!options.hidden)
        .require_git(false)
        .follow_links(options.follow)
        .build()
}

/// Walks, and sends the paths of files to be hashed.
pub(crate) fn walk(
    walk: Walk,
    progress: &Progress,
    paths: &Sender<PathBuf>,
    results: &Sender<Outcome>,
) {
    for entry in walk {
        if progress.is_cancelled.load(Relaxed) {
            return;
        }
        let sent = match entry {
            Ok(entry) => {
                let Some(size) = size_of(&entry) else {
                    continue;
                };
                progress.found_files.fetch_add(1, Relaxed);
                progress.found_bytes.fetch_add(size, Relaxed);
                paths.send(entry.into_path()).is_ok()
            }
            Err(error) => {
                progress.errors.fetch_add(1, Relaxed);
                results.send(unreadable(error)).is_ok()
            }
        };
        if !sent {
            return;
        }
    }
    let files = progress.found_files.load(Relaxed);
    debug!(files, "walked");
    progress.is_walked.store(true, Relaxed);
}

/// How long a file is; `None` for what is no file. A link that is the root is followed, as its name was given.
fn size_of(entry: &DirEntry) -> Option<u64> {
    if entry.depth() == 0 {
        let metadata = entry.path().metadata().ok()?;
        return metadata.is_file().then_some(metadata.len());
    }
    entry.file_type().filter(|kind| kind.is_file())?;
    Some(entry.metadata().map_or(0, |metadata| metadata.len()))
}

fn unreadable(error: ignore::Error) -> Outcome {
    fn place(error: &ignore::Error) -> Option<&Path> {
        match error {
            ignore::Error::WithPath { path, .. } => Some(path),
            ignore::Error::Loop { child, .. } => Some(child),
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
                place(err)
            }
            _ => None,
        }
    }
    Outcome {
        path: place(&error).unwrap_or(Path::new("")).to_owned(),
        hashed: Err(error.to_string()),
    }
}

/// Hashes files until there are no more, or nobody wants the results.
pub(crate) fn hash(paths: &Receiver<PathBuf>, progress: &Progress, results: &Sender<Outcome>) {
    let mut buffer = vec![0; PIECE];
    for path in paths {
        if let Ok(mut current) = progress.current.lock() {
            current.clone_from(&path);
        }
        let hashed = match hash_file(&path, progress, &mut buffer) {
            Ok(Some((size, digest))) => {
                debug!(path = %path.display(), size, "hashed");
                Ok((size, digest))
            }
            Ok(None) => return,
            Err(error) => {
                debug!(path = %path.display(), %error, "cannot be read");
                progress.errors.fetch_add(1, Relaxed);
                Err(format!("cannot read '{}': {error}", path.display()))
            }
        };
        progress.files.fetch_add(1, Relaxed);
        if results.send(Outcome { path, hashed }).is_err() {
            return;
        }
    }
}

/// `None` if the job was cancelled meanwhile.
fn hash_file(
    path: &Path,
    progress: &Progress,
    buffer: &mut [u8],
) -> io::Result<Option<(u64, String)>> {
    let mut file = open(path)?;
    let (mut sha256, mut size) = (Sha256::new(), 0);
    loop {
        if progress.is_cancelled.load(Relaxed) {
            return Ok(None);
        }
        match file.read(buffer) {
            Ok(0) => break,
            Ok(length) => {
                sha256.update(&buffer[..length]);
                size += length as u64;
                progress.bytes.fetch_add(length as u64, Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let digest = sha256.finalize();
    Ok(Some((
        size,
        digest.iter().map(|byte| format!("{byte:02x}")).collect(),
    )))
}

/// Opens a file such that nothing has to be waited for. What was a file when it was found may be a named pipe
/// by now, and some files of `/proc` have no end: reading such a one is an error where it would wait.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file")),
    }
}
