//! `luaopen_cygnixy` where the module binds its own Lua API: finds the runtime that called and
//! binds to it first.

use std::ffi::{c_char, c_int, c_void};
use std::mem;
use std::panic::catch_unwind;

use plugin_api::mlua::ffi::lua_State;

use super::opened;
use crate::module::pin::pin;
use crate::runtime::of_caller::Caller;

// This module's own Lua API is bound as that of a plugin is.
plugin_api::__bind_lua_api!();

/// The entry point that `require "cygnixy"` calls.
///
/// The return address tells which Lua runtime calls. Rust cannot ask for it, hence the assembly:
/// it hands the address on as a second argument and jumps, so that `open` returns to Lua itself.
///
/// # Safety
///
/// - Called by Lua as a `lua_CFunction`.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub(super) unsafe extern "C-unwind" fn luaopen_cygnixy(state: *mut lua_State) -> c_int {
    #[cfg(target_arch = "x86_64")]
    core::arch::naked_asm!("mov rsi, [rsp]", "jmp {open}", open = sym open);
    #[cfg(target_arch = "aarch64")]
    core::arch::naked_asm!("mov x1, x30", "b {open}", open = sym open);
}

unsafe extern "C-unwind" fn open(state: *mut lua_State, return_address: *const c_void) -> c_int {
    // SAFETY: Lua calls `luaopen_cygnixy` with a valid state and an empty protected stack; what
    // has a destructor is gone before any of these raises.
    unsafe {
        match catch_unwind(|| bind(return_address)) {
            Ok(Ok(())) => opened(state),
            Ok(Err(refusal)) => refusal.raise(state),
            Err(_) => {
                eprintln!("cygnixy could not look for the Lua that required it");
                0
            }
        }
    }
}

/// Binds to the runtime that called, and makes sure that this module stays mapped.
fn bind(return_address: *const c_void) -> Result<(), Refusal> {
    let Some(caller) = Caller::at(return_address) else {
        return Err(Refusal::new(
            None,
            "cygnixy cannot find out which program required it",
        ));
    };
    match caller.bind() {
        Ok(()) => {
            pin(luaopen_cygnixy as *const c_void);
            caller.keep();
            Ok(())
        }
        Err(reason) => Err(Refusal::new(Some(&caller), &reason)),
    }
}

/// A reason not to open the module, with the means to raise it: nothing of ours is bound to the
/// runtime that called.
struct Refusal {
    functions: Option<(PushString, Raise)>,
    text: String,
}

type PushString =
    unsafe extern "C-unwind" fn(*mut lua_State, *const c_char, usize) -> *const c_char;
type Raise = unsafe extern "C-unwind" fn(*mut lua_State) -> c_int;

impl Refusal {
    fn new(caller: Option<&Caller>, reason: &str) -> Self {
        let find = |name| {
            caller
                .map(|caller| caller.find(name))
                .filter(|f| !f.is_null())
        };
        let functions = find("lua_pushlstring").zip(find("lua_error"));
        Self {
            // SAFETY: these two functions have the same type in every Lua from 5.1 on, but for
            // the result of the first, which is not used.
            functions: functions.map(|(push, raise)| unsafe {
                (
                    mem::transmute::<*const c_void, PushString>(push),
                    mem::transmute::<*const c_void, Raise>(raise),
                )
            }),
            text: reason.to_owned(),
        }
    }

    /// Raises the reason as a Lua error; where not even that is possible, prints it.
    ///
    /// # Safety
    ///
    /// - `state` is running a C function, and no frame up to its protected call needs a
    ///   destructor.
    unsafe fn raise(self, state: *mut lua_State) -> c_int {
        let Self { functions, text } = self;
        let Some((push, raise)) = functions else {
            eprintln!("{text}");
            return 0;
        };
        // SAFETY: the functions are those of the runtime that `state` belongs to; Lua copies the
        // text before it is freed, and the frame has no destructor left when the error is raised.
        unsafe {
            push(state, text.as_ptr().cast(), text.len());
            drop(text);
            raise(state)
        }
    }
}
