//! A private copy of a plugin file, under a name that the dynamic linker has not seen.
//!
//! The linker knows libraries by name, so an older one of the same path would be found in place of
//! the new; and a file that is overwritten while it is mapped crashes the process. So what is mapped
//! is a copy in memory that nobody else can reach, made of the bytes that were checked.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::kept;
use crate::plugin_file::{Identity, PluginFile};

/// The copy. Once it is mapped, it can be dropped.
#[derive(Debug)]
pub(super) struct Copy {
    path: PathBuf,
    keep: Keep,
}

#[derive(Debug)]
enum Keep {
    /// In memory, and whether nobody can change it any more.
    Memory(File, bool),
    #[expect(dead_code, reason = "it is kept, not used")]
    Named(tempfile::NamedTempFile),
}

impl Copy {
    /// Finds or makes a copy in memory.
    #[cfg(target_os = "linux")]
    pub(super) fn in_memory(file: &PluginFile) -> io::Result<Self> {
        use std::os::fd::AsRawFd as _;

        let (memory, is_sealed) = match kept::take(file.identity) {
            Some(memory) => (memory, true),
            None => Self::new_memory(file)?,
        };
        Ok(Self {
            path: unique_path(memory.as_raw_fd()),
            keep: Keep::Memory(memory, is_sealed),
        })
    }

    /// Keeps the copy for another time, if it is one that can be kept. It is that of a mapped
    /// library of this content, until [`kept::note_unmapped`] is called.
    pub(super) fn keep(self, identity: Identity) {
        if let Keep::Memory(memory, true) = self.keep {
            kept::put(identity, memory);
        }
    }

    /// Writes the file to memory, and lets nobody change it any more; tells whether that worked.
    #[cfg(target_os = "linux")]
    fn new_memory(file: &PluginFile) -> io::Result<(File, bool)> {
        use std::os::fd::{AsRawFd as _, FromRawFd as _};
        use std::os::unix::ffi::OsStrExt as _;

        // What the process's map of memory shows.
        let mut name = b"cygnixy:".to_vec();
        name.extend(file.file_name().as_bytes().iter().take(200));
        name.push(0);
        // SAFETY: the name is a C string; a file descriptor that is not negative is ours.
        let mut memory = unsafe {
            let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
            let descriptor = libc::memfd_create(name.as_ptr().cast(), flags);
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            File::from_raw_fd(descriptor)
        };
        memory.write_all(file.bytes())?;
        // There is no mapping that could still be written to, so the seal for the future is enough;
        // the other one waits until the kernel has put every page away.
        let seals = libc::F_SEAL_FUTURE_WRITE
            | libc::F_SEAL_SHRINK
            | libc::F_SEAL_GROW
            | libc::F_SEAL_SEAL;
        // SAFETY: the file is open, and the command takes a number.
        let sealed = unsafe { libc::fcntl(memory.as_raw_fd(), libc::F_ADD_SEALS, seals) };
        Ok((memory, sealed == 0))
    }

    /// There are no files in memory here.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn in_memory(_file: &PluginFile) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Makes a copy in the directory for temporary files.
    pub(super) fn in_file(file: &PluginFile) -> io::Result<Self> {
        let mut copy = tempfile::Builder::new()
            .prefix("cygnixy-")
            .suffix(file.file_name())
            .tempfile()?;
        copy.write_all(file.bytes())?;
        Ok(Self {
            path: copy.path().to_owned(),
            keep: Keep::Named(copy),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
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
