//! Reads and checks a plugin file without running any of its code.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use plugin_api::abi::API_VERSION;
use plugin_api::lua_abi;
use plugin_api::manifest::Manifest;

use crate::Error;
use crate::runtime;

mod manifest;

/// Reads the manifest of a plugin file. No code of the file runs, and the file may be built for
/// another Lua ABI or another plugin API.
///
/// # Errors
///
/// [`Error`] if the file cannot be read, is no shared library for this system, or has no readable
/// manifest.
pub fn inspect(path: impl AsRef<Path>) -> Result<Manifest, Error> {
    PluginFile::read(path.as_ref()).map(|file| file.manifest)
}

/// The largest file that is looked into, in bytes.
const LARGEST_FILE: u64 = 1 << 30;

/// A plugin file that was read.
#[derive(Debug)]
pub(crate) struct PluginFile {
    /// The path, absolute and without symbolic links.
    pub(crate) path: PathBuf,
    pub(crate) identity: Identity,
    pub(crate) manifest: Manifest,
    /// All of the file. What was checked is what is mapped, whatever happens to the file.
    bytes: Vec<u8>,
}

/// Tells whether two files, or one file at two times, are the same plugin: by all they contain.
/// Numbers that the file system gives to files are used again, and times can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    hash: u128,
    length: usize,
}

impl Identity {
    fn of(bytes: &[u8]) -> Self {
        Self {
            hash: xxhash_rust::xxh3::xxh3_128(bytes),
            length: bytes.len(),
        }
    }

    /// The file's length in bytes.
    pub(crate) fn length(&self) -> usize {
        self.length
    }
}

impl PluginFile {
    /// Reads the file at `path` and its manifest.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        Self::read_resolved(path, path.canonicalize())
    }

    /// The same for a path that was made absolute, without symbolic links, just now.
    pub(crate) fn read_resolved(
        path: &Path,
        absolute: std::io::Result<PathBuf>,
    ) -> Result<Self, Error> {
        let bytes = read_library(path)?;
        let manifest = manifest::read(path, &bytes)?;
        let absolute = absolute.map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: absolute,
            identity: Identity::of(&bytes),
            manifest,
            bytes,
        })
    }

    /// All of the file, as it was when it was checked.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks that the plugin fits the running Lua and this loader.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Manifest {
            name,
            lua_abi,
            api_version,
            ..
        } = &self.manifest;
        if *api_version != API_VERSION {
            return Err(Error::WrongApi {
                plugin: name.clone(),
                path: self.path.clone(),
                expected: API_VERSION,
                found: *api_version,
            });
        }
        let runtime = runtime::lua_abi();
        if !lua_abi::accepted_by(runtime).contains(&lua_abi.as_str()) {
            return Err(Error::WrongLua {
                plugin: name.clone(),
                path: self.path.clone(),
                expected: runtime.to_owned(),
                found: lua_abi.clone(),
            });
        }
        Ok(())
    }

    /// The file's own name.
    pub(crate) fn file_name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }
}

/// Reads a file that may be a library. Others are told by their first bytes: they may be large.
fn read_library(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    // A pipe or a device would block or never end; `open` alone can already hang on a pipe.
    let kind = std::fs::metadata(path).map_err(unreadable)?.file_type();
    if !kind.is_file() {
        let found = if kind.is_dir() {
            "a directory"
        } else {
            "something that is no regular file"
        };
        return Err(Error::NotAFile {
            path: path.to_owned(),
            found,
        });
    }
    let not_a_library = |found| Error::NotALibrary {
        path: path.to_owned(),
        found,
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > LARGEST_FILE {
        return Err(not_a_library(format!(
            "a file of {length} bytes; the most that is looked into is {LARGEST_FILE}"
        )));
    }
    // Room for all of it, so that it is read in a few large pieces.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    (&mut file)
        .take(512)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if !manifest::may_be_library(&bytes) {
        let found = manifest::describe(&bytes, "it begins like no known one");
        return Err(not_a_library(found));
    }
    file.take(LARGEST_FILE)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_no_plugin_is_named_so() {
        let path = [
            "/lib/x86_64-linux-gnu/libm.so.6",
            "/lib/aarch64-linux-gnu/libm.so.6",
        ]
        .into_iter()
        .find(|path| Path::new(path).exists());
        let Some(path) = path else {
            println!("skipped: this machine keeps its libm elsewhere");
            return;
        };
        assert!(matches!(inspect(path), Err(Error::NotAPlugin { .. })));
    }

    #[test]
    fn a_program_is_no_library() {
        let program = std::env::current_exe().expect("a test is a file");
        let error = inspect(program).expect_err("it is no plugin").report();
        assert!(
            error.contains("manifest") || error.contains("another kind"),
            "{error}"
        );
    }
}
