//! A signal handler: the kernel calls into the library.

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// What was there before.
static PREVIOUS: Mutex<Option<libc::sigaction>> = Mutex::new(None);

extern "C" fn handler(_: c_int) {
    COUNT.fetch_add(1, Ordering::Relaxed);
}

/// The action that calls `handler`.
fn action() -> libc::sigaction {
    // SAFETY: zeros are an action without flags or blocked signals.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler as *const () as usize;
    action
}

fn set(action: &libc::sigaction) -> io::Result<libc::sigaction> {
    let mut previous = MaybeUninit::zeroed();
    // SAFETY: both are valid for the call. A handler in `action` is ours, or was there before.
    let result =
        unsafe { libc::sigaction(libc::SIGUSR2, ptr::from_ref(action), previous.as_mut_ptr()) };
    match result {
        // SAFETY: it has been filled, and zeros are one.
        0 => Ok(unsafe { previous.assume_init() }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// - `install()` handles SIGUSR2, `remove()` restores what was there before;
/// - `count()`: how often the handler ran;
/// - `raise()` raises the signal, which ends the process if nobody handles it.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let install = lua.create_function(|_, ()| {
        let mut previous = PREVIOUS.lock().unwrap_or_else(PoisonError::into_inner);
        if previous.is_none() {
            *previous = Some(set(&action())?);
        }
        Ok(())
    })?;
    let remove = lua.create_function(|_, ()| {
        let mut previous = PREVIOUS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(action) = previous.take() {
            set(&action)?;
        }
        Ok(())
    })?;
    let count = lua.create_function(|_, ()| Ok(COUNT.load(Ordering::Relaxed)))?;
    let raise = lua.create_function(|_, ()| {
        // SAFETY: it has no preconditions.
        Ok(unsafe { libc::raise(libc::SIGUSR2) } == 0)
    })?;
    with_ping(
        lua,
        [
            ("install", install),
            ("remove", remove),
            ("count", count),
            ("raise", raise),
        ],
    )
}

export_plugin!(Parts {
    name: || "signal",
    functions,
    ..Parts::default()
});
