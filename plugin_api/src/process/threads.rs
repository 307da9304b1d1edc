//! Threads that this library has started.

use std::ffi::{c_int, c_void};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::real::Real;
use super::{is_alive, this_thread};

type Run = extern "C-unwind" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(
    *mut libc::pthread_t,
    *const libc::pthread_attr_t,
    Run,
    *mut c_void,
) -> c_int;

struct Threads {
    /// How many have not said yet who they are.
    starting: usize,
    /// Those that did, by number; some may have ended.
    known: Vec<c_int>,
}

static THREADS: Mutex<Threads> = Mutex::new(Threads {
    starting: 0,
    known: Vec::new(),
});

fn threads() -> MutexGuard<'static, Threads> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a new thread is to run.
struct Start {
    run: Run,
    argument: *mut c_void,
}

/// Stands in for `pthread_create`.
///
/// # Safety
///
/// - As for that function.
pub unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    run: Run,
    argument: *mut c_void,
) -> c_int {
    static REAL: Real = Real::new(c"pthread_create");
    let address = REAL.address();
    if address.is_null() {
        return libc::ENOSYS;
    }
    let start = Box::into_raw(Box::new(Start { run, argument }));
    {
        let mut threads = threads();
        threads.known.retain(|known| is_alive(*known));
        threads.starting += 1;
    }
    // SAFETY: the C library's function of that name has this type. `begin` gets the box.
    let status = unsafe {
        let create = mem::transmute::<*mut (), Create>(address);
        create(thread, attributes, begin, start.cast())
    };
    if status != 0 {
        threads().starting -= 1;
        // SAFETY: no thread was made, so nobody else has the box.
        drop(unsafe { Box::from_raw(start) });
    }
    status
}

/// The first function of each thread.
extern "C-unwind" fn begin(start: *mut c_void) -> *mut c_void {
    // SAFETY: `pthread_create` passes a box that is for this thread alone.
    let Start { run, argument } = *unsafe { Box::from_raw(start.cast::<Start>()) };
    {
        let mut threads = threads();
        threads.starting -= 1;
        threads.known.push(this_thread());
    }
    run(argument)
}

/// How many are alive. One that has run all of its code counts until the kernel has ended it.
pub(super) fn alive() -> usize {
    let mut threads = threads();
    threads.known.retain(|known| is_alive(*known));
    threads.known.len() + threads.starting
}

/// Whether a thread is one of those.
pub(super) fn was_started(thread: c_int) -> bool {
    threads().known.contains(&thread)
}

/// Frees the list of threads that have ended.
pub(super) fn forget() {
    threads().known = Vec::new();
}
