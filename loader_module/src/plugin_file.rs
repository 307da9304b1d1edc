//! Reads and checks a plugin file without running any of its code.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use object::{Object as _, ObjectSection as _, ObjectSegment as _};
use plugin_api::abi::API_VERSION;
use plugin_api::lua_abi;
use plugin_api::manifest::{self, Manifest};

use crate::Error;
use crate::runtime;

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
    /// The bytes that were checked.
    pub(crate) bytes: Vec<u8>,
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
        let mut file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
        file.read_to_end(&mut bytes).map_err(unreadable)?;
        let absolute = path.canonicalize().map_err(unreadable)?;
        Ok(Self {
            identity: Identity::of(&metadata, &absolute),
            manifest: read_manifest(path, &bytes)?,
            path: absolute,
            bytes,
        })
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

fn read_manifest(path: &Path, bytes: &[u8]) -> Result<Manifest, Error> {
    let not_a_library = |found: String| Error::NotALibrary {
        path: path.to_owned(),
        found,
    };
    if bytes.is_empty() {
        return Err(not_a_library("an empty file".to_owned()));
    }
    let file =
        object::File::parse(bytes).map_err(|error| not_a_library(describe(bytes, &error)))?;
    check_target(path, &file)?;
    if file.kind() != object::ObjectKind::Dynamic {
        return Err(not_a_library(format!(
            "an object file of another kind ({:?})",
            file.kind()
        )));
    }
    check_length(&file, bytes.len() as u64).map_err(not_a_library)?;
    let Some(section) = file.section_by_name(manifest::SECTION) else {
        return Err(Error::NotAPlugin {
            path: path.to_owned(),
        });
    };
    let data = section
        .data()
        .map_err(|error| not_a_library(describe(bytes, &error)))?;
    Manifest::parse(data).map_err(|source| Error::Manifest {
        path: path.to_owned(),
        source,
    })
}

/// What a file that cannot be parsed looks like.
fn describe(bytes: &[u8], error: &object::Error) -> String {
    if bytes.starts_with(b"\x7fELF") {
        return format!("a truncated or damaged library ({error})");
    }
    let start = &bytes[..bytes.len().min(512)];
    if std::str::from_utf8(start).is_ok() || start.is_ascii() {
        return "a text file".to_owned();
    }
    format!("a file of an unknown format ({error})")
}

/// Compares the processor and the file format with those of this process.
fn check_target(path: &Path, file: &object::File<'_>) -> Result<(), Error> {
    let expected = (
        std::env::consts::ARCH.to_owned(),
        object::BinaryFormat::native_object(),
        if cfg!(target_endian = "little") {
            object::Endianness::Little
        } else {
            object::Endianness::Big
        },
        cfg!(target_pointer_width = "64"),
    );
    let found = (
        architecture_name(file.architecture()),
        file.format(),
        file.endianness(),
        file.is_64(),
    );
    if expected == found {
        return Ok(());
    }
    let text = |(arch, format, endianness, is_64): &(
        String,
        object::BinaryFormat,
        object::Endianness,
        bool,
    )| {
        let bits = if *is_64 { 64 } else { 32 };
        format!("{arch} ({format:?}, {bits} bit, {endianness:?} endian)").replace(" Endian", "")
    };
    Err(Error::WrongTarget {
        path: path.to_owned(),
        expected: text(&expected),
        found: text(&found),
    })
}

/// The processor by the name that Rust gives it.
fn architecture_name(architecture: object::Architecture) -> String {
    match architecture {
        object::Architecture::X86_64 => "x86_64".to_owned(),
        object::Architecture::I386 => "x86".to_owned(),
        object::Architecture::Aarch64 => "aarch64".to_owned(),
        object::Architecture::Arm => "arm".to_owned(),
        object::Architecture::Unknown => "an unknown processor".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// Checks that the file has all the bytes that the dynamic linker would map: touching a page
/// beyond the end of the file kills the process.
fn check_length(file: &object::File<'_>, length: u64) -> Result<(), String> {
    for segment in file.segments() {
        let (offset, size) = segment.file_range();
        let end = offset.saturating_add(size);
        if end > length {
            return Err(format!(
                "a truncated library ({length} bytes, a segment ends at {end})"
            ));
        }
    }
    Ok(())
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
