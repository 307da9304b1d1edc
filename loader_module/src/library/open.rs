//! Mapping a library and meeting it: its descriptor, and its Lua API.

use std::path::Path;

use plugin_api::abi::{Descriptor, ENTRY_SYMBOL, Entry, Sink, Status};

use super::copy::Copy;
use crate::Error;
use crate::plugin_file::PluginFile;
use crate::runtime;

type Opened = (libloading::Library, *const Descriptor);

/// Maps a private copy of the file, in memory or else on the disk, and gives the copy if that is what
/// was mapped. `is_known` tells libraries that are open already.
pub(super) fn map(
    file: &PluginFile,
    is_known: &dyn Fn(*const Descriptor) -> bool,
) -> Result<(libloading::Library, *const Descriptor, Option<Copy>), Error> {
    let failed = |source| Error::Copy {
        plugin: file.manifest.name.clone(),
        path: file.path.clone(),
        source,
    };
    // Only the copy is known to be what was hashed.
    let is_hashed = file.sha256.is_some();
    if is_in_place()
        && !is_hashed
        && let Ok((handle, descriptor)) = open_checked(&file.path, file)
        && !is_known(descriptor)
    {
        return Ok((handle, descriptor, None));
    }
    // Memory may not be executable, or not reachable by a path.
    if let Ok(copy) = Copy::in_memory(file)
        && let Ok((handle, descriptor)) = open_checked(copy.path(), file)
        && !is_known(descriptor)
    {
        return Ok((handle, descriptor, Some(copy)));
    }
    let copy = Copy::in_file(file).map_err(failed)?;
    let (handle, descriptor) = match open_checked(copy.path(), file) {
        // It may need other files of its directory.
        Err(Error::Open { .. }) if !is_hashed => open_checked(&file.path, file),
        opened => opened,
    }?;
    Ok((handle, descriptor, None))
}

/// Whether the user wants the file itself to be mapped, for debuggers and backtraces, which look for
/// symbols in it. A file that is overwritten then crashes the process.
fn is_in_place() -> bool {
    std::env::var_os("CYGNIXY_IN_PLACE").is_some_and(|value| value == "1")
}

#[cfg(unix)]
fn open_path(path: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: opening runs the library's initialisers. The file is a plugin for this Lua and this
    // loader by its manifest; that it is trusted is what the documentation asks of the user.
    // Symbols are resolved now, so that a missing one is an error here and not a crash later.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(Into::into)
}

#[cfg(not(unix))]
fn open_path(path: &Path) -> Result<libloading::Library, libloading::Error> {
    // SAFETY: as above.
    unsafe { libloading::Library::new(path) }
}

/// Opens a library and checks that it is the one whose manifest was read.
fn open_checked(path: &Path, file: &PluginFile) -> Result<Opened, Error> {
    let handle = open_path(path).map_err(|source| Error::Open {
        plugin: file.manifest.name.clone(),
        path: file.path.clone(),
        source,
    })?;
    let checked = descriptor(&handle, file).and_then(|descriptor| {
        // SAFETY: the descriptor borrows its manifest from the mapped library.
        let mapped = unsafe { (*descriptor).manifest.as_bytes() };
        if file.has_manifest(mapped) {
            Ok(descriptor)
        } else {
            Err(Error::Replaced {
                plugin: file.manifest.name.clone(),
                path: file.path.clone(),
            })
        }
    });
    match checked {
        Ok(descriptor) => Ok((handle, descriptor)),
        Err(error) => {
            // Code of it has run, and nothing tells what it would take to unmap it.
            std::mem::forget(handle);
            Err(error)
        }
    }
}

/// Asks the library for its descriptor and checks it.
fn descriptor(handle: &libloading::Library, file: &PluginFile) -> Result<*const Descriptor, Error> {
    let wrong = |found: String| Error::Entry {
        plugin: file.manifest.name.clone(),
        path: file.path.clone(),
        expected: file.manifest.api_version,
        found,
    };
    // SAFETY: the manifest says that the library has an entry of this name and type.
    let entry = unsafe { handle.get::<Entry>(ENTRY_SYMBOL) }
        .map_err(|_| wrong(format!("no function {ENTRY_SYMBOL:?}")))?;
    // SAFETY: the entry takes nothing and returns a pointer to a static of the library, which
    // begins with its size.
    let descriptor = unsafe { entry() };
    if descriptor.is_null() {
        return Err(wrong("nothing".to_owned()));
    }
    // SAFETY: as above; nothing beyond the first field is read before its value is known.
    let size = unsafe { (&raw const (*descriptor).size).read() };
    if size < size_of::<Descriptor>() {
        return Err(wrong(format!("a descriptor of {size} bytes")));
    }
    // SAFETY: the size covers what this loader knows of a descriptor.
    let version = unsafe { (*descriptor).api_version };
    if version != file.manifest.api_version {
        return Err(wrong(format!("plugin API {version}")));
    }
    Ok(descriptor)
}

/// Fills the slots of the library's Lua API.
pub(super) fn bind(descriptor: &Descriptor, file: &PluginFile) -> Result<(), Error> {
    let host = runtime::host();
    let mut reason = String::new();
    // SAFETY: `host` and the sink's string outlive the call.
    let status = unsafe { (descriptor.bind)(&raw const host, Sink::to_string(&mut reason)) };
    if status == Status::OK {
        return Ok(());
    }
    Err(Error::Bind {
        plugin: file.manifest.name.clone(),
        path: file.path.clone(),
        reason,
    })
}
