//! Opening a file, and judging all that the way to it leads through.
//!
//! The way is gone step by step, from the root: each directory is opened, judged by its descriptor, and
//! the next name is looked up in that very directory, symbolic links too. So there is no moment between
//! check and use in which somebody could put something else in place.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};
use rustix::process::geteuid;

use super::Trusted;
use crate::Error;

/// How many symbolic links a way may have, as on Linux.
const MOST_LINKS: usize = 40;

/// To look at something without reading it.
#[cfg(target_os = "linux")]
const LOOK: OFlags = OFlags::PATH;
/// To look at something without waiting for it.
#[cfg(not(target_os = "linux"))]
const LOOK: OFlags = OFlags::NONBLOCK;

/// Opens a regular file for reading, unless others can change it; gives its path, absolute and
/// without symbolic links.
pub(crate) fn open(path: &Path, trusted: &Trusted) -> Result<(File, PathBuf), Error> {
    let unreadable = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let mut way = Way::begin(path).map_err(unreadable)?;
    let end = way.go().map_err(unreadable)?;
    let suspect = way
        .suspects
        .iter()
        .find(|suspect| !trusted.excuses(&suspect.place, &way.places));
    if let Some(suspect) = suspect {
        return Err(Error::Untrusted {
            path: path.to_owned(),
            place: suspect.place.clone(),
            mode: suspect.mode,
            owner: suspect.owner,
            user: geteuid().as_raw(),
        });
    }
    match end {
        End::File(file) => Ok((File::from(file), way.here)),
        End::Other(found) => Err(Error::NotAFile {
            path: path.to_owned(),
            found,
        }),
    }
}

/// Something that others can change.
struct Suspect {
    place: PathBuf,
    mode: u32,
    owner: u32,
}

/// What is at the end of a way.
enum End {
    File(OwnedFd),
    Other(&'static str),
}

struct Way {
    /// The names that are still to be looked up, the next one at the end.
    names: Vec<OsString>,
    /// The open directories from the root to where the way is.
    directories: Vec<OwnedFd>,
    here: PathBuf,
    links: usize,
    /// All places that the way led to.
    places: Vec<PathBuf>,
    suspects: Vec<Suspect>,
}

impl Way {
    fn begin(path: &Path) -> io::Result<Self> {
        let mut way = Self {
            names: Vec::new(),
            directories: Vec::new(),
            here: PathBuf::new(),
            links: 0,
            places: Vec::new(),
            suspects: Vec::new(),
        };
        way.add(&std::path::absolute(path)?)?;
        Ok(way)
    }

    /// Goes on with a path, before what is still to be looked up.
    fn add(&mut self, path: &Path) -> io::Result<()> {
        if path.is_absolute() {
            self.directories.clear();
            self.here = PathBuf::from("/");
            let flags = LOOK | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let root = openat(CWD, &self.here, flags, Mode::empty())?;
            self.arrive(&fstat(&root)?);
            self.directories.push(root);
        }
        let names = path.components().rev().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        });
        self.names.extend(names);
        Ok(())
    }

    fn go(&mut self) -> io::Result<End> {
        while let Some(name) = self.names.pop() {
            if name == ".." {
                // The root is its own parent.
                if self.directories.len() > 1 {
                    self.directories.pop();
                    self.here.pop();
                }
            } else if let Some(end) = self.step(&name)? {
                return Ok(end);
            }
        }
        Ok(End::Other("a directory"))
    }

    /// Looks a name up; gives the end of the way if it is that.
    fn step(&mut self, name: &OsStr) -> io::Result<Option<End>> {
        let Some(directory) = self.directories.last() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let flags = LOOK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let found = match openat(directory, name, flags, Mode::empty()) {
            // Without a means to look at a link itself, opening it fails so.
            Err(rustix::io::Errno::LOOP) => return self.follow(name),
            found => found?,
        };
        let state = fstat(&found)?;
        match FileType::from_raw_mode(state.st_mode) {
            FileType::Symlink => self.follow(name),
            FileType::Directory => {
                self.here.push(name);
                self.arrive(&state);
                self.directories.push(found);
                Ok(None)
            }
            _ if !self.names.is_empty() => Err(rustix::io::Errno::NOTDIR.into()),
            FileType::RegularFile => self.enter(name).map(Some),
            _ => Ok(Some(End::Other("something that is no regular file"))),
        }
    }

    fn follow(&mut self, name: &OsStr) -> io::Result<Option<End>> {
        self.links += 1;
        let Some(directory) = self.directories.last() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if self.links > MOST_LINKS {
            return Err(rustix::io::Errno::LOOP.into());
        }
        let target = readlinkat(directory, name, Vec::new())?;
        let target = OsString::from_vec(target.into_bytes());
        self.add(Path::new(&target))?;
        Ok(None)
    }

    /// Opens the file at the end for reading, and judges what was opened.
    fn enter(&mut self, name: &OsStr) -> io::Result<End> {
        let Some(directory) = self.directories.last() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        // Another thing may be there by now; a pipe would be waited for.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(directory, name, flags, Mode::empty())?;
        let state = fstat(&file)?;
        if FileType::from_raw_mode(state.st_mode) != FileType::RegularFile {
            return Ok(End::Other("something that is no regular file"));
        }
        self.here.push(name);
        self.arrive(&state);
        Ok(End::File(file))
    }

    /// Judges the place where the way is.
    fn arrive(&mut self, state: &Stat) {
        let owner = state.st_uid;
        #[allow(
            clippy::useless_conversion,
            reason = "the type differs between systems"
        )]
        let mode = u32::from(state.st_mode) & 0o7777;
        if is_suspect(owner, mode, geteuid().as_raw()) {
            self.suspects.push(Suspect {
                place: self.here.clone(),
                mode,
                owner,
            });
        }
        self.places.push(self.here.clone());
    }
}

/// Whether others can change a file or directory: it has to be root's or the user's, and nobody else may
/// have the right to write. The bit that keeps others' files from being removed, as `/tmp` has it, and a
/// group of which the user is the only member make no difference.
fn is_suspect(owner: u32, mode: u32, user: u32) -> bool {
    (owner != 0 && owner != user) || mode & 0o022 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_and_the_user_may_own_and_write() {
        assert!(!is_suspect(0, 0o755, 1000));
        assert!(!is_suspect(1000, 0o700, 1000));
        assert!(is_suspect(1001, 0o755, 1000));
        assert!(is_suspect(1000, 0o755, 0));
        assert!(is_suspect(1000, 0o775, 1000));
        assert!(is_suspect(0, 0o1777, 1000));
    }

    #[test]
    fn a_way_is_gone_to_its_real_end() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let real = folder.path().canonicalize().expect("it exists");
        std::fs::create_dir(real.join("a")).expect("it is ours");
        std::fs::write(real.join("a/file"), "text").expect("it is ours");
        std::os::unix::fs::symlink("../a/./file", real.join("a/link")).expect("it is ours");
        let trusted = Trusted::parse(&real);
        let (_, end) = open(&real.join("a/../a/link"), &trusted).expect("it is a file");
        assert_eq!(end, real.join("a/file"));
        let error = open(&real.join("a/file/x"), &trusted).expect_err("a file has nothing in it");
        assert!(matches!(error, Error::Read { .. }), "{error}");
        let error = open(&real.join("a"), &trusted).expect_err("it is a folder");
        assert!(matches!(error, Error::NotAFile { .. }), "{error}");
    }
}
