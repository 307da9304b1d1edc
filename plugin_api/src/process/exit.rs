//! Functions that are to run when the process exits.
//!
//! The C library would call them in memory that is unmapped by then. A destructor that the
//! compiler registers for this library itself (`__cxa_atexit`) is no such case: it runs when the
//! library is unmapped.

use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Destructor;
use super::real::Real;

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// How many there are.
pub(super) fn count() -> usize {
    COUNT.load(Ordering::Relaxed)
}

type Plain = unsafe extern "C" fn();
type OnExit = unsafe extern "C" fn(c_int, *mut c_void);

fn register(real: &Real, function: Plain) -> c_int {
    type Register = unsafe extern "C" fn(Destructor, *mut c_void, *mut c_void) -> c_int;
    let address = real.address();
    if address.is_null() {
        return -1;
    }
    // SAFETY: the C library's function of that name has this type. The function takes an argument
    // that it does not look at. Without an object that it belongs to, it runs when the process
    // exits, as its caller expects of `atexit`.
    let status = unsafe {
        let register = mem::transmute::<*mut (), Register>(address);
        let function = mem::transmute::<Plain, Destructor>(function);
        register(function, ptr::null_mut(), ptr::null_mut())
    };
    count_if(status)
}

fn count_if(status: c_int) -> c_int {
    if status == 0 {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
    status
}

/// Stands in for `atexit`.
///
/// # Safety
///
/// - As for `atexit`.
pub unsafe extern "C" fn atexit(function: Plain) -> c_int {
    static REAL: Real = Real::new(c"__cxa_atexit");
    register(&REAL, function)
}

/// Stands in for `at_quick_exit`.
///
/// # Safety
///
/// - As for `at_quick_exit`.
pub unsafe extern "C" fn at_quick_exit(function: Plain) -> c_int {
    static REAL: Real = Real::new(c"__cxa_at_quick_exit");
    register(&REAL, function)
}

/// Stands in for `on_exit`.
///
/// # Safety
///
/// - As for `on_exit`.
pub unsafe extern "C" fn on_exit(function: OnExit, argument: *mut c_void) -> c_int {
    static REAL: Real = Real::new(c"on_exit");
    let address = REAL.address();
    if address.is_null() {
        return -1;
    }
    // SAFETY: the C library's function of that name has this type; the arguments are for it.
    count_if(unsafe {
        let register =
            mem::transmute::<*mut (), unsafe extern "C" fn(OnExit, *mut c_void) -> c_int>(address);
        register(function, argument)
    })
}
