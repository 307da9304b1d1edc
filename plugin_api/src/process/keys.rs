//! Keys of thread-specific data whose destructors are in this library.
//!
//! Rust's `thread::current` makes one. The C library would call its destructor at the end of each
//! thread that has a value, whether the library is mapped or not.

use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use libc::pthread_key_t;

use super::Destructor;
use super::real::Real;

type Create = unsafe extern "C" fn(*mut pthread_key_t, Option<Destructor>) -> c_int;
type Delete = unsafe extern "C" fn(pthread_key_t) -> c_int;

static KEYS: Mutex<Vec<(pthread_key_t, Destructor)>> = Mutex::new(Vec::new());

fn keys() -> MutexGuard<'static, Vec<(pthread_key_t, Destructor)>> {
    KEYS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The C library's `pthread_key_create`.
///
/// # Safety
///
/// - As for that function.
pub(super) unsafe fn create(key: *mut pthread_key_t, destructor: Option<Destructor>) -> c_int {
    static REAL: Real = Real::new(c"pthread_key_create");
    let address = REAL.address();
    if address.is_null() {
        return libc::ENOSYS;
    }
    // SAFETY: the C library's function of that name has this type, and the arguments are for it.
    unsafe { mem::transmute::<*mut (), Create>(address)(key, destructor) }
}

/// The C library's `pthread_key_delete`.
///
/// # Safety
///
/// - As for that function.
pub(super) unsafe fn delete(key: pthread_key_t) -> c_int {
    static REAL: Real = Real::new(c"pthread_key_delete");
    let address = REAL.address();
    if address.is_null() {
        return libc::ENOSYS;
    }
    // SAFETY: as above.
    unsafe { mem::transmute::<*mut (), Delete>(address)(key) }
}

/// Stands in for `pthread_key_create`.
///
/// # Safety
///
/// - As for that function.
pub unsafe extern "C" fn pthread_key_create(
    key: *mut pthread_key_t,
    destructor: Option<Destructor>,
) -> c_int {
    // SAFETY: the arguments are those of the function; it writes the key if it succeeds.
    unsafe {
        let status = create(key, destructor);
        if let (0, Some(destructor)) = (status, destructor) {
            keys().push((key.read(), destructor));
        }
        status
    }
}

/// Stands in for `pthread_key_delete`.
///
/// # Safety
///
/// - As for that function.
pub unsafe extern "C" fn pthread_key_delete(key: pthread_key_t) -> c_int {
    keys().retain(|(known, _)| *known != key);
    // SAFETY: the argument is that of the function.
    unsafe { delete(key) }
}

/// Runs the destructors for the calling thread, as at its end, and deletes the keys.
///
/// # Safety
///
/// - No code of this library runs any more but this.
pub(super) unsafe fn end() {
    // As often as the C library itself would try.
    for _ in 0..4 {
        let known = keys().clone();
        let mut is_done = true;
        for (key, destructor) in known {
            // SAFETY: the key exists, and a value is what its destructor expects.
            unsafe {
                let value: *mut c_void = libc::pthread_getspecific(key);
                if !value.is_null() {
                    is_done = false;
                    libc::pthread_setspecific(key, ptr::null());
                    destructor(value);
                }
            }
        }
        if is_done {
            break;
        }
    }
    for (key, _) in mem::take(&mut *keys()) {
        // SAFETY: the key exists; nobody uses it any more.
        unsafe { delete(key) };
    }
}
