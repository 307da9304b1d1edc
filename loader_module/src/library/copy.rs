//! A private copy of a plugin file, under a name that the dynamic linker has not seen.
//!
//! The linker knows libraries by name, so an older one of the same path would be found in place of
//! the new; and a file that is overwritten while it is mapped crashes the process. So what is mapped
//! is a copy in memory that nobody else can reach, made of the bytes that were checked.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::plugin_file::PluginFile;

/// The copy. Once it is mapped, it can be dropped.
pub(super) struct Copy {
    path: PathBuf,
    _keep: Keep,
}

#[expect(dead_code, reason = "what is in here is kept, not used")]
enum Keep {
    Memory(File),
    Named(tempfile::NamedTempFile),
}

impl Copy {
    /// Makes a copy in memory.
    #[cfg(target_os = "linux")]
    pub(super) fn in_memory(file: &PluginFile) -> io::Result<Self> {
        use std::os::fd::{AsRawFd as _, FromRawFd as _};
        use std::os::unix::ffi::OsStrExt as _;

        // What the process's map of memory shows.
        let mut name = b"cygnixy:".to_vec();
        name.extend(file.file_name().as_bytes().iter().take(200));
        name.push(0);
        // SAFETY: the name is a C string; a file descriptor that is not negative is ours.
        let mut memory = unsafe {
            let descriptor = libc::memfd_create(name.as_ptr().cast(), libc::MFD_CLOEXEC);
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            File::from_raw_fd(descriptor)
        };
        memory.write_all(file.bytes())?;
        Ok(Self {
            path: unique_path(memory.as_raw_fd()),
            _keep: Keep::Memory(memory),
        })
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
            _keep: Keep::Named(copy),
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
