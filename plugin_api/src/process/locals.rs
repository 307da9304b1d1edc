//! Destructors of thread-locals.
//!
//! Rust, and C++, register them by `__cxa_thread_atexit_impl`, and for each that has not run the
//! C library keeps the library mapped. Here is a list of our own for each thread, which runs when
//! the thread ends, or for the thread that unmaps the library, before that.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use libc::pthread_key_t;

use super::{Destructor, is_alive, keys, this_thread, threads};

/// What is to run for a thread: the last first.
type Pending = Vec<(Destructor, *mut c_void)>;

struct Locals {
    /// The key of each thread's list, once there is one.
    key: Option<pthread_key_t>,
    /// The threads that have a list, or had one until they ended.
    threads: Vec<c_int>,
}

static LOCALS: Mutex<Locals> = Mutex::new(Locals {
    key: None,
    threads: Vec::new(),
});

fn locals() -> MutexGuard<'static, Locals> {
    LOCALS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stands in for `__cxa_thread_atexit_impl`.
///
/// # Safety
///
/// - As for that function: at the end of the thread, the destructor may be called with the object.
pub unsafe extern "C" fn thread_atexit(
    destructor: Destructor,
    object: *mut c_void,
    _dso: *mut c_void,
) -> c_int {
    let Some(key) = key() else { return -1 };
    // SAFETY: the key was made here, and its values are null or lists that were boxed here. A
    // thread's list is used by that thread alone, and nobody calls this function meanwhile.
    unsafe {
        let mut list = libc::pthread_getspecific(key).cast::<Pending>();
        if list.is_null() {
            list = Box::into_raw(Box::default());
            if libc::pthread_setspecific(key, list.cast()) != 0 {
                drop(Box::from_raw(list));
                return -1;
            }
            let thread = this_thread();
            let mut locals = locals();
            locals.threads.retain(|known| is_alive(*known));
            if !locals.threads.contains(&thread) {
                locals.threads.push(thread);
            }
        }
        (*list).push((destructor, object));
    }
    0
}

/// The key of each thread's list, made when it is first needed.
fn key() -> Option<pthread_key_t> {
    let mut locals = locals();
    if locals.key.is_none() {
        let mut key = 0;
        // SAFETY: `key` can be written. The destructor gets what is stored under the key.
        if unsafe { keys::create(&raw mut key, Some(run)) } == 0 {
            locals.key = Some(key);
        }
    }
    locals.key
}

/// Runs and frees a thread's list. Those that register more are heard: the C library, or `end`,
/// calls again.
unsafe extern "C" fn run(list: *mut c_void) {
    // SAFETY: the value is a list boxed by `thread_atexit`, taken out of the key's slot before.
    let mut list = unsafe { Box::from_raw(list.cast::<Pending>()) };
    while let Some((destructor, object)) = list.pop() {
        // SAFETY: whoever registered the destructor promised that it can be called now.
        unsafe { destructor(object) };
    }
}

/// How many other threads, alive and not started by this library, have thread-locals of it.
pub(super) fn of_other_threads() -> usize {
    let mut locals = locals();
    locals.threads.retain(|thread| is_alive(*thread));
    let this = this_thread();
    let is_other = |thread: &&c_int| **thread != this && !threads::was_started(**thread);
    locals.threads.iter().filter(is_other).count()
}

/// Runs the calling thread's list, and gives the key back.
///
/// # Safety
///
/// - No code of this library runs any more but this.
pub(super) unsafe fn end() {
    loop {
        let Some(key) = locals().key else { return };
        // SAFETY: as in `thread_atexit`.
        unsafe {
            let list = libc::pthread_getspecific(key);
            if list.is_null() {
                keys::delete(key);
                break;
            }
            libc::pthread_setspecific(key, ptr::null());
            run(list);
        }
    }
    let mut locals = locals();
    locals.key = None;
    locals.threads = Vec::new();
}
