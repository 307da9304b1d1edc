//! Reads and checks a plugin file without running any of its code.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Seek as _, SeekFrom};
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

/// A plugin file that was read.
#[derive(Debug)]
pub(crate) struct PluginFile {
    /// The path, absolute and without symbolic links.
    pub(crate) path: PathBuf,
    pub(crate) identity: Identity,
    pub(crate) manifest: Manifest,
    /// The file that was checked, still open.
    file: File,
}

/// Tells whether two paths, or one path at two times, name the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    file: (u64, u64),
    length: u64,
    modified: Option<std::time::SystemTime>,
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata, _path: &Path) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            file: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata, path: &Path) -> Self {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        Self {
            file: (0, hasher.finish()),
            length: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

impl PluginFile {
    /// Reads the file at `path` and its manifest.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
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
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let absolute = path.canonicalize().map_err(unreadable)?;
        Ok(Self {
            identity: Identity::of(&metadata, &absolute),
            manifest: manifest::read(path, &file, metadata.len())?,
            path: absolute,
            file,
        })
    }

    /// Copies the file that was checked.
    pub(crate) fn copy_to(&self, target: &mut File) -> io::Result<u64> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        io::copy(&mut file, target)
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
