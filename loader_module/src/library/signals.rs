//! Which signals a library handles.

use super::Addresses;

/// How many signals have a handler in the library.
#[cfg(unix)]
pub(super) fn handled_in(addresses: &Addresses) -> usize {
    // Signal numbers begin at 1; the kernel knows at most 64 on the systems that libraries are
    // unmapped on. Asking for one that does not exist, or is the C library's own, is an error.
    (1..=64)
        .filter(|signal| {
            let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
            // SAFETY: nothing is changed; the present action is written to `action`, for which zero
            // is a value.
            let handler = unsafe {
                libc::sigaction(*signal, std::ptr::null(), action.as_mut_ptr());
                action.assume_init().sa_sigaction
            };
            addresses.contains(std::ptr::without_provenance(handler))
        })
        .count()
}

/// There are no such handlers here.
#[cfg(not(unix))]
pub(super) fn handled_in(_addresses: &Addresses) -> usize {
    0
}
