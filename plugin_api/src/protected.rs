//! Working in a Lua state whose script may fail at any allocation, by a finaliser of its own: a
//! protected call that allocates nothing outside of its protection, a pause, and patience.

use std::ffi::{c_int, c_void};

use mlua::ffi::{self, lua_State};

/// Calls a C function with a pointer as its only argument. An error is left on the stack; results
/// are not.
///
/// # Safety
///
/// - `state` is valid, with room for two values.
/// - The function keeps the rules of a `lua_CFunction`, and takes that pointer.
#[cfg(not(any(feature = "lua51", feature = "luajit")))]
pub unsafe fn call(
    state: *mut lua_State,
    function: ffi::lua_CFunction,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: a C function without upvalues and a pointer are values that need no memory here.
    unsafe {
        ffi::lua_pushcfunction(state, function);
        ffi::lua_pushlightuserdata(state, argument);
        ffi::lua_pcall(state, 1, 0, 0)
    }
}

/// Calls a C function with a pointer as its only argument. An error is left on the stack; results
/// are not.
///
/// # Safety
///
/// - `state` is valid, with room for two values.
/// - The function keeps the rules of a `lua_CFunction`, and takes that pointer.
#[cfg(any(feature = "lua51", feature = "luajit"))]
pub unsafe fn call(
    state: *mut lua_State,
    function: ffi::lua_CFunction,
    argument: *mut c_void,
) -> c_int {
    #[cfg(bound_lua_api)]
    use crate::lua_api::cpcall::call_plainly;
    #[cfg(not(bound_lua_api))]
    use ffi::lua_cpcall as call_plainly;
    // SAFETY: as the caller promises. Every C function is an object here; this one is made under
    // protection.
    unsafe { call_plainly(state, function, argument) }
}

/// How often something is tried that only a finaliser of the script, or a lack of memory, can make
/// fail. Many such finalisers may be waiting, and none runs twice.
pub const ATTEMPTS: usize = 10_000;

/// Tries until it succeeds, [`ATTEMPTS`] times at most; gives the last error.
///
/// # Errors
///
/// What the last attempt gave.
pub fn try_again<R, E>(mut attempt: impl FnMut() -> Result<R, E>) -> Result<R, E> {
    let mut result = attempt();
    for _ in 1..ATTEMPTS {
        if result.is_ok() {
            break;
        }
        result = attempt();
    }
    result
}

/// Keeps debug hooks of a state's main thread, and of the thread that is given, from running until
/// dropped. A hook is code of the script that runs at any call of a function.
#[derive(Debug)]
pub struct HookPause {
    hooks: [Option<Hook>; 2],
}

#[derive(Debug)]
struct Hook {
    thread: *mut lua_State,
    hook: ffi::lua_Hook,
    mask: c_int,
    count: c_int,
}

impl HookPause {
    /// Takes the hooks off.
    ///
    /// # Safety
    ///
    /// - `state` is valid, with room for one value, until the value is dropped.
    #[must_use]
    pub unsafe fn new(state: *mut lua_State) -> Self {
        // SAFETY: as the caller promises; the main thread lives as long as the state.
        unsafe {
            let main = main_thread(state).filter(|main| *main != state);
            Self {
                hooks: [Hook::take(state), main.and_then(|main| Hook::take(main))],
            }
        }
    }
}

impl HookPause {
    /// Whether a hook was taken off that a predicate knows by its address.
    pub fn has_taken(&self, is_it: impl Fn(*const c_void) -> bool) -> bool {
        let mut hooks = self.hooks.iter().flatten();
        hooks.any(|hook| is_it(hook.hook as *const c_void))
    }
}

impl Hook {
    unsafe fn take(thread: *mut lua_State) -> Option<Self> {
        // SAFETY: the caller's thread is valid; none of this raises.
        unsafe {
            let hook = ffi::lua_gethook(thread)?;
            let (mask, count) = (ffi::lua_gethookmask(thread), ffi::lua_gethookcount(thread));
            ffi::lua_sethook(thread, None, 0, 0);
            Some(Self {
                thread,
                hook,
                mask,
                count,
            })
        }
    }
}

impl Drop for HookPause {
    fn drop(&mut self) {
        for hook in self.hooks.iter().flatten() {
            // SAFETY: the thread is valid, as `new` asks.
            unsafe { ffi::lua_sethook(hook.thread, Some(hook.hook), hook.mask, hook.count) };
        }
    }
}

/// The state's main thread, where Lua tells it. In Lua 5.1 mlua works on the thread it is given, and
/// in LuaJIT there is one hook for all threads.
unsafe fn main_thread(state: *mut lua_State) -> Option<*mut lua_State> {
    #[cfg(not(any(feature = "lua51", feature = "luajit")))]
    // SAFETY: the registry always has the main thread at this index; the caller leaves room.
    return unsafe {
        ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, ffi::LUA_RIDX_MAINTHREAD);
        let main = ffi::lua_tothread(state, -1);
        ffi::lua_pop(state, 1);
        Some(main)
    };
    #[cfg(any(feature = "lua51", feature = "luajit"))]
    {
        let _ = state;
        None
    }
}

/// A request to the collector: whether it runs. Lua 5.1 does not know it and answers with -1; Lua 5.5 has
/// another number for it.
pub const IS_RUNNING: c_int = if cfg!(feature = "lua55") { 6 } else { 9 };

/// Keeps the collector from running, and with it finalisers of the script, until dropped.
///
/// mlua makes some of its own data by calls that may not raise, and in LuaJIT a finaliser that
/// fails at that moment would end the process. Lua 5.1 does not tell whether the script has stopped
/// the collector, so nothing is done there.
#[derive(Debug)]
pub struct CollectorPause {
    state: *mut lua_State,
    was_running: bool,
}

impl CollectorPause {
    /// Stops the collector, unless it is stopped.
    ///
    /// # Safety
    ///
    /// - `state` is valid until the value is dropped.
    #[must_use]
    pub unsafe fn new(state: *mut lua_State) -> Self {
        // SAFETY: these requests neither raise nor allocate.
        let was_running = unsafe {
            ffi::lua_gc(state, IS_RUNNING, 0) == 1 && ffi::lua_gc(state, ffi::LUA_GCSTOP, 0) == 0
        };
        Self { state, was_running }
    }

    /// Stops the collector, in Lua 5.1 too: there it runs afterwards, also if the script had stopped it.
    ///
    /// # Safety
    ///
    /// - As for [`new`](Self::new).
    #[must_use]
    pub unsafe fn forced(state: *mut lua_State) -> Self {
        // SAFETY: as the caller promises; the requests neither raise nor allocate. What is built for Lua
        // 5.1 may run in LuaJIT.
        unsafe {
            if cfg!(feature = "lua51") && ffi::lua_gc(state, IS_RUNNING, 0) < 0 {
                ffi::lua_gc(state, ffi::LUA_GCSTOP, 0);
                return Self {
                    state,
                    was_running: true,
                };
            }
            Self::new(state)
        }
    }
}

impl Drop for CollectorPause {
    fn drop(&mut self) {
        if self.was_running {
            // SAFETY: the state is valid, as `new` asks; the request does not raise.
            unsafe { ffi::lua_gc(self.state, ffi::LUA_GCRESTART, 0) };
        }
    }
}
