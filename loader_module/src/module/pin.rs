//! The module's own file, and keeping it mapped.
//!
//! Some hosts unmap a C module when they close a Lua state, while plugins that know the module's
//! functions stay.

use std::ffi::c_void;

/// Keeps the loaded object that contains `code` mapped until the process ends.
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(crate) fn pin(code: *const c_void) {
    use libloading::os::unix::{Library, RTLD_LAZY};
    let Some(path) = plugin_api::image::Image::containing(code).and_then(|image| image.path) else {
        return;
    };
    let flags = RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    // SAFETY: nothing is loaded and no initialiser runs: the object is mapped already.
    if let Ok(library) = unsafe { Library::open(Some(to_os(&path)), flags) } {
        std::mem::forget(library);
    }
}

/// The module's own file, absolute, under the name by which it was loaded.
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(super) fn module_file() -> Option<std::path::PathBuf> {
    let image = plugin_api::image::Image::containing(module_file as *const c_void)?;
    std::path::absolute(to_os(&image.path?)).ok()
}

/// Nothing is known about loaded objects here.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
pub(super) fn module_file() -> Option<std::path::PathBuf> {
    None
}

/// Nothing is known about loaded objects here.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
pub(crate) fn pin(_code: *const c_void) {}

#[cfg(all(unix, not(target_vendor = "apple")))]
fn to_os(path: &std::ffi::CStr) -> &std::ffi::OsStr {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::OsStr::from_bytes(path.to_bytes())
}
