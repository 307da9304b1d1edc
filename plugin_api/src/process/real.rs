//! The C library's own functions. By their names one would find this library's.

use std::ffi::CStr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A function of the C library, looked up when it is first needed.
pub(super) struct Real {
    name: &'static CStr,
    address: AtomicPtr<()>,
}

impl Real {
    pub(super) const fn new(name: &'static CStr) -> Self {
        Self {
            name,
            address: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    /// Its address; null if there is none.
    pub(super) fn address(&self) -> *mut () {
        let known = self.address.load(Ordering::Relaxed);
        if !known.is_null() {
            return known;
        }
        // SAFETY: the name is a C string. The default scope is that of the program and what it
        // was started with; hidden symbols of this library are not in it.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, self.name.as_ptr()) }.cast();
        self.address.store(found, Ordering::Relaxed);
        found
    }
}
