//! Reads and checks a plugin file without running any of its code.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object::read::ReadCache;
use plugin_api::abi::{API_VERSION, ENTRY_SYMBOL};
use plugin_api::lua_abi;
use plugin_api::manifest::Manifest;

use crate::Error;
use crate::runtime;
use crate::sha256::Sha256;

pub(crate) mod kept;
mod manifest;
mod memory;
mod source;

pub(crate) use memory::{Memory, check_limit};
pub(crate) use source::open;
use source::{Source, unreadable};

/// Reads the manifest of a plugin file. No code of the file runs, and the file may be built for
/// another Lua ABI or another plugin API.
///
/// # Errors
///
/// [`Error`] if the file cannot be read, is no shared library for this system, or has no readable
/// manifest.
///
/// ```
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/lua54/plugins/greet.so");
/// let manifest = cygnixy::inspect(path)?;
/// assert_eq!((&*manifest.name, &*manifest.lua_abi), ("greet", "lua54"));
/// # Ok::<(), cygnixy::Error>(())
/// ```
pub fn inspect(path: impl AsRef<Path>) -> Result<Manifest, Error> {
    let path = path.as_ref();
    let mut source = Source::open(path)?;
    let mut bytes = Vec::new();
    source.read(|piece| bytes.extend_from_slice(piece))?;
    let length = bytes.len() as u64;
    let found = manifest::read(path, bytes.as_slice(), &source.start, length)?;
    Ok(found.manifest)
}

/// Checks, without running any code of it, all that a load of the file checks before it opens it: that
/// it can be read, is a whole shared library for this system and processor, has a manifest, and is made
/// for this plugin API and the running Lua. What the dynamic linker and the plugin say then is not
/// known before.
///
/// # Errors
///
/// The [`Error`] that a load would fail with.
///
/// ```
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/lua54/plugins/greet.so");
/// assert!(cygnixy::check(path).is_ok());
/// let error = cygnixy::check("Cargo.toml").unwrap_err();
/// assert!(error.to_string().contains("expected a shared library, found "));
/// ```
pub fn check(path: impl AsRef<Path>) -> Result<(), Error> {
    PluginFile::read(path.as_ref(), None, false)?.check()
}

/// A plugin file that was read.
#[derive(Debug)]
pub(crate) struct PluginFile {
    /// The path, absolute and without symbolic links.
    pub(crate) path: PathBuf,
    pub(crate) identity: Identity,
    /// The SHA-256 of the content, if it was asked for. Then nothing but this content is mapped.
    pub(crate) sha256: Option<Sha256>,
    pub(crate) manifest: Manifest,
    /// The manifest as it is in the file.
    manifest_bytes: Arc<[u8]>,
    has_entry: bool,
    /// All of the file. What was checked is what is mapped, whatever happens to the file.
    pub(crate) content: Content,
}

/// All of a file, as it was when it was read.
#[derive(Debug)]
pub(crate) enum Content {
    /// In a file in memory, which can be mapped.
    Memory(Arc<Memory>),
    /// Where there is no such file.
    Bytes(Vec<u8>),
}

/// Tells whether two files, or one file at two times, are the same plugin: by all they contain.
/// Numbers that the file system gives to files are used again, and times can be set; and neither tells
/// of a change through a mapping, or within one tick of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    hash: u128,
    length: usize,
}

impl PluginFile {
    /// Reads the file at `path` and its manifest, with the SHA-256 of the content if it is wanted. A file
    /// that was opened before is given with its path, absolute and without symbolic links.
    pub(crate) fn read(
        path: &Path,
        opened: Option<(File, PathBuf)>,
        is_hashed: bool,
    ) -> Result<Self, Error> {
        let (mut source, absolute) = match opened {
            Some((file, absolute)) => (Source::of(path, file)?, absolute),
            None => {
                let absolute = path.canonicalize();
                let source = Source::open(path)?;
                (source, absolute.map_err(|error| unreadable(path, error))?)
            }
        };
        let name = absolute.file_name().unwrap_or_default();
        let first = source.first();
        if is_hashed {
            // Kept copies are found by a hash that was not made to withstand an attack.
            source.take_sha256();
        } else if kept::begins_with(first) {
            let identity = source.read(|_| ())?;
            if let Some((memory, (manifest, manifest_bytes))) = kept::find(identity, name) {
                return Ok(Self {
                    path: absolute,
                    identity,
                    sha256: None,
                    manifest,
                    manifest_bytes,
                    // It was opened before.
                    has_entry: true,
                    content: Content::Memory(memory),
                });
            }
        }
        let (identity, content) = match read_to_memory(&mut source, name, first)? {
            Some((identity, memory)) => (identity, Content::Memory(Arc::new(memory))),
            None => {
                let mut bytes = Vec::new();
                let identity = source.read(|piece| bytes.extend_from_slice(piece))?;
                (identity, Content::Bytes(bytes))
            }
        };
        let (start, length) = (&source.start, identity.length as u64);
        let found = match &content {
            Content::Memory(memory) => {
                let cache = ReadCache::new(&memory.file);
                manifest::read(path, &cache, start, length)
            }
            Content::Bytes(bytes) => manifest::read(path, bytes.as_slice(), start, length),
        }?;
        Ok(Self {
            path: absolute,
            identity,
            sha256: source.sha256,
            manifest: found.manifest,
            manifest_bytes: found.bytes,
            has_entry: found.has_entry,
            content,
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
        if !self.has_entry {
            return Err(Error::Entry {
                plugin: name.clone(),
                path: self.path.clone(),
                expected: API_VERSION,
                found: format!("no function {ENTRY_SYMBOL:?}"),
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

    /// Whether a manifest that was found in memory is that of the file.
    pub(crate) fn has_manifest(&self, found: &[u8]) -> bool {
        *self.manifest_bytes == *found || Manifest::parse(found).as_ref() == Ok(&self.manifest)
    }

    /// The file's own name.
    pub(crate) fn file_name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }
}

/// Reads a file to memory, unless that is not possible.
fn read_to_memory(
    source: &mut Source<'_>,
    name: &OsStr,
    first: u64,
) -> Result<Option<(Identity, Memory)>, Error> {
    let Ok(mut memory) = Memory::create(name, first) else {
        return Ok(None);
    };
    let (mut written, mut length) = (Ok(()), 0);
    let identity = source.read(|piece| {
        length += piece.len() as u64;
        if written.is_ok() {
            written = check_limit(length).and_then(|()| memory.file.write_all(piece));
        }
    })?;
    if written.is_err() {
        return Ok(None);
    }
    memory.seal();
    Ok(Some((identity, memory)))
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
