//! A file in memory that nobody else can reach.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// Checks that the process may write a file of a length in bytes: a write beyond its limit would end it.
pub(crate) fn check_limit(length: u64) -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        if let Some(limit) = getrlimit(Resource::Fsize).current
            && length > limit
        {
            let text = format!(
                "the limit for the size of files is {limit} bytes (ulimit -f), and a copy has {length}"
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
    }
    Ok(())
}

/// A file in memory.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) file: File,
    /// What tells the first piece of its content from others.
    pub(crate) first: u64,
    /// Whether nobody can change it any more.
    pub(super) is_sealed: bool,
    /// Whether it was mapped as a library and not unmapped since. The dynamic linker knows files by
    /// their numbers too, and would find that library.
    is_mapped: AtomicBool,
}

impl Memory {
    /// Makes an empty file. The name is what the process's map of memory shows; `first` tells the first
    /// piece of what is going to be written to it.
    #[cfg(target_os = "linux")]
    pub(crate) fn create(name: &OsStr, first: u64) -> io::Result<Self> {
        use std::os::fd::FromRawFd as _;
        use std::os::unix::ffi::OsStrExt as _;

        let mut text = b"cygnixy:".to_vec();
        text.extend(name.as_bytes().iter().take(200));
        text.push(0);
        let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        // SAFETY: the name is a C string; a file descriptor that is not negative is ours.
        let file = unsafe {
            let descriptor = libc::memfd_create(text.as_ptr().cast(), flags);
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            File::from_raw_fd(descriptor)
        };
        Ok(Self {
            file,
            first,
            is_sealed: false,
            is_mapped: AtomicBool::new(false),
        })
    }

    /// There are no files in memory here.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn create(_name: &OsStr, _first: u64) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Lets nobody change it any more, if the system can.
    #[cfg(target_os = "linux")]
    pub(crate) fn seal(&mut self) {
        use std::os::fd::AsRawFd as _;
        // There is no mapping that could still be written to, so the seal for the future is enough;
        // the other one waits until the kernel has put every page away.
        let seals =
            libc::F_SEAL_FUTURE_WRITE | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
        // SAFETY: the file is open, and the command takes a number.
        self.is_sealed =
            unsafe { libc::fcntl(self.file.as_raw_fd(), libc::F_ADD_SEALS, seals) } == 0;
    }

    /// Does nothing.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn seal(&mut self) {}

    /// Notes that it is going to be mapped as a library; false if it is mapped already.
    pub(crate) fn begin_mapping(&self) -> bool {
        !self.is_mapped.swap(true, Ordering::Relaxed)
    }

    /// Notes that it is mapped no longer.
    pub(super) fn end_mapping(&self) {
        self.is_mapped.store(false, Ordering::Relaxed);
    }
}
