//! The plugin libraries mapped into this process: each is opened once, and stays.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use plugin_api::abi::{Descriptor, ENTRY_SYMBOL, Entry, Sink, Status, Str};
use plugin_api::manifest::Manifest;
use tracing::{debug, info_span};

use crate::Error;
use crate::plugin_file::{Identity, PluginFile};
use crate::runtime;

/// A mapped plugin library with its Lua API bound.
#[derive(Debug)]
pub(crate) struct Library {
    /// The plugin file; the mapped file may be a private copy of it.
    pub(crate) path: PathBuf,
    pub(crate) manifest: Manifest,
    pub(crate) descriptor: &'static Descriptor,
    /// The addresses of its code and data.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    pub(crate) image: Option<plugin_api::image::Image>,
    identity: Identity,
    /// Never closed: Lua values may refer to the library's code until their state is closed, and
    /// the threads a plugin starts may run it for longer.
    _handle: ManuallyDrop<libloading::Library>,
}

/// Every library this loader has opened. Holding the lock while opening also keeps two threads
/// from binding one library at a time.
static OPEN: Mutex<Vec<Arc<Library>>> = Mutex::new(Vec::new());

impl Library {
    /// Whether this is the library of the given file, by content as far as the file system tells.
    pub(crate) fn is_from(&self, file: &PluginFile) -> bool {
        self.identity == file.identity
    }

    /// Maps the library of a checked file and binds it, or finds it mapped already.
    pub(crate) fn open(file: &PluginFile) -> Result<Arc<Self>, Error> {
        let (plugin, path) = (file.manifest.name.as_str(), file.path.display());
        let _span = info_span!("open", plugin, %path).entered();
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = open.iter().find(|library| library.is_from(file)) {
            debug!(step = "reuse", plugin, %path, "the library is mapped already");
            return Ok(Arc::clone(library));
        }
        // The dynamic linker knows libraries by path and would give back the old one.
        let path_is_taken = open.iter().any(|library| library.path == file.path);
        let (handle, descriptor) = if path_is_taken {
            open_copy(file)?
        } else {
            match open_checked(&file.path, file) {
                // Mapped by another copy of this loader, or replaced since it was read.
                Err(Error::Replaced { .. }) => open_copy(file)?,
                opened => opened?,
            }
        };
        debug!(step = "open", plugin, %path, copy = path_is_taken, "mapped the library");
        bind(descriptor, file)?;
        debug!(step = "bind", plugin, %path, "bound the Lua API");
        let library = Arc::new(Self {
            path: file.path.clone(),
            manifest: file.manifest.clone(),
            #[cfg(all(unix, not(target_vendor = "apple")))]
            image: plugin_api::image::Image::containing((&raw const *descriptor).cast()),
            descriptor,
            identity: file.identity.clone(),
            _handle: ManuallyDrop::new(handle),
        });
        open.push(Arc::clone(&library));
        Ok(library)
    }
}

fn open_error(file: &PluginFile, source: libloading::Error) -> Error {
    Error::Open {
        plugin: file.manifest.name.clone(),
        path: file.path.clone(),
        source,
    }
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

type Opened = (libloading::Library, &'static Descriptor);

/// Opens a library and checks that it is the one whose manifest was read.
fn open_checked(path: &Path, file: &PluginFile) -> Result<Opened, Error> {
    let handle = open_path(path).map_err(|source| open_error(file, source))?;
    let descriptor = descriptor(&handle, file)?;
    let Str { data, len } = descriptor.manifest;
    // SAFETY: the descriptor borrows its manifest from the mapped library.
    let mapped = unsafe { std::slice::from_raw_parts(data, len) };
    if Manifest::parse(mapped).as_ref() == Ok(&file.manifest) {
        Ok((handle, descriptor))
    } else {
        Err(Error::Replaced {
            plugin: file.manifest.name.clone(),
            path: file.path.clone(),
        })
    }
}

/// Opens the file that was checked under a name that the dynamic linker has not seen.
fn open_copy(file: &PluginFile) -> Result<Opened, Error> {
    let failed = |source| Error::Copy {
        plugin: file.manifest.name.clone(),
        path: file.path.clone(),
        source,
    };
    let mut copy = tempfile::Builder::new()
        .prefix("cygnixy-")
        .suffix(file.file_name())
        .tempfile()
        .map_err(failed)?;
    file.copy_to(copy.as_file_mut()).map_err(failed)?;
    // The name goes when `copy` does; the mapping keeps the content.
    open_checked(copy.path(), file)
}

/// Asks the library for its descriptor and checks it.
fn descriptor(
    handle: &libloading::Library,
    file: &PluginFile,
) -> Result<&'static Descriptor, Error> {
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
    // stays mapped and begins with its size.
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
    let descriptor = unsafe { &*descriptor };
    if descriptor.api_version != file.manifest.api_version {
        return Err(wrong(format!("plugin API {}", descriptor.api_version)));
    }
    Ok(descriptor)
}

fn bind(descriptor: &Descriptor, file: &PluginFile) -> Result<(), Error> {
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
