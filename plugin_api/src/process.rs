//! What this library has in the process outside of Lua: threads, thread-locals with destructors,
//! and functions to run when the process exits.
//!
//! The C library would keep the library mapped for some of these without saying so, and would call
//! into it after it is gone for others. So a plugin's root crate defines the few functions by which
//! they come about, as hidden symbols that lead here ([`__watch_process`](crate::__watch_process)).
//! They keep account, and hand on to the C library.

use std::ffi::{c_int, c_void};

use crate::abi::Usage;

mod exit;
mod keys;
mod locals;
mod real;
mod symbols;
mod threads;

pub use exit::{at_quick_exit, atexit, on_exit};
pub use keys::{pthread_key_create, pthread_key_delete};
pub use locals::thread_atexit;
pub use threads::pthread_create;

/// A destructor of the C library.
type Destructor = unsafe extern "C" fn(*mut c_void);

/// Counts what other threads and the process itself have of this library.
pub(crate) fn usage(usage: &mut Usage) {
    usage.threads = threads::alive();
    usage.thread_locals = locals::of_other_threads();
    usage.exit_handlers = exit::count();
}

/// Ends what the calling thread has of this library, as if the thread ended, and gives back to the
/// C library what it holds. What is left for other threads is lost, not run.
///
/// # Safety
///
/// - The library is going to be unmapped next. No code of it runs any more but this.
pub(crate) unsafe fn close() {
    // SAFETY: as the caller promises.
    unsafe {
        locals::end();
        keys::end();
        // A destructor of a key may have used a thread-local.
        locals::end();
    }
    threads::forget();
}

/// Whether the calling thread was started by this library.
pub(crate) fn has_started_this_thread() -> bool {
    threads::was_started(this_thread())
}

/// Whether a thread of this process exists.
fn is_alive(thread: c_int) -> bool {
    // SAFETY: signal 0 is never delivered.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, 0) };
    result == 0
}

/// The calling thread, as the kernel numbers it.
fn this_thread() -> c_int {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::gettid() }
}
