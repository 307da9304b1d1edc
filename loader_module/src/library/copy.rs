//! A private copy of a plugin file, under a name that the dynamic linker has not seen.
//!
//! The linker knows libraries by name, so an older one of the same path would be found in place of
//! the new; and a file that is overwritten while it is mapped crashes the process. So what is mapped
//! is a copy in memory that nobody else can reach, made of the bytes that were checked.

use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::plugin_file::{Content, Memory, PluginFile, check_limit, kept};

/// The copy. Once it is mapped, it can be dropped, or kept for another time.
#[derive(Debug)]
pub(super) struct Copy {
    path: PathBuf,
    keep: Keep,
}

#[derive(Debug)]
enum Keep {
    Memory(Arc<Memory>),
    #[expect(dead_code, reason = "it is kept, not used")]
    Named(tempfile::NamedTempFile),
}

impl Copy {
    /// The copy in memory that the file was read to, or another if that one is mapped.
    #[cfg(target_os = "linux")]
    pub(super) fn in_memory(file: &PluginFile) -> io::Result<Self> {
        use std::os::fd::AsRawFd as _;

        let Content::Memory(memory) = &file.content else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let memory = if memory.begin_mapping() {
            Arc::clone(memory)
        } else {
            let mut other = Memory::create(file.file_name(), memory.first)?;
            write_to(&mut other.file, file)?;
            other.seal();
            other.begin_mapping();
            Arc::new(other)
        };
        Ok(Self {
            path: unique_path(memory.file.as_raw_fd()),
            keep: Keep::Memory(memory),
        })
    }

    /// There are no files in memory here.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn in_memory(_file: &PluginFile) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Keeps the copy, whose library was opened, for another time, if it is one that can be kept.
    pub(super) fn keep(self, file: &PluginFile) {
        if let Keep::Memory(memory) = self.keep {
            kept::keep(file, memory);
        }
    }

    /// Makes a copy in the directory for temporary files.
    pub(super) fn in_file(file: &PluginFile) -> io::Result<Self> {
        let mut copy = tempfile::Builder::new()
            .prefix("cygnixy-")
            .suffix(file.file_name())
            .tempfile()?;
        write_to(copy.as_file_mut(), file)?;
        Ok(Self {
            path: path_of(&copy),
            keep: Keep::Named(copy),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Writes what was read of a plugin file.
fn write_to(copy: &mut std::fs::File, file: &PluginFile) -> io::Result<()> {
    match &file.content {
        Content::Bytes(bytes) => {
            check_limit(bytes.len() as u64)?;
            copy.write_all(bytes)
        }
        Content::Memory(memory) => {
            // Its place in the file is that of every handle of it; nobody else copies meanwhile, as
            // libraries are opened one at a time.
            check_limit(memory.file.metadata()?.len())?;
            let mut from = memory.file.try_clone()?;
            from.rewind()?;
            io::copy(&mut from, copy).map(drop)
        }
    }
}

/// A path of the file itself, whatever others do to its directory, if there is one.
#[cfg(target_os = "linux")]
fn path_of(copy: &tempfile::NamedTempFile) -> PathBuf {
    use std::os::fd::AsRawFd as _;

    let path = unique_path(copy.as_file().as_raw_fd());
    if path.exists() {
        path
    } else {
        copy.path().to_owned()
    }
}

#[cfg(not(target_os = "linux"))]
fn path_of(copy: &tempfile::NamedTempFile) -> PathBuf {
    copy.path().to_owned()
}

/// A path of an open file that was not used before in this process, though the number of the file
/// was: the name varies in a way that makes no difference to the system.
#[cfg(target_os = "linux")]
fn unique_path(descriptor: std::os::fd::RawFd) -> PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let mut serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let mut path = "/proc/self/fd/".to_owned();
    while serial > 0 {
        path.push_str(if serial & 1 == 1 { "./" } else { "/" });
        serial >>= 1;
    }
    path.push_str(&descriptor.to_string());
    path.into()
}
