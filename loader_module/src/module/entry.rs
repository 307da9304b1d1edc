//! `luaopen_cygnixy`: makes the module's table once per Lua state.

use std::ffi::{CStr, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

use plugin_api::mlua::Lua;
use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::protected::{self, CollectorPause, HookPause};

use crate::{lua_state, module};

#[cfg(bound_lua_api)]
mod bound;
#[cfg(not(bound_lua_api))]
mod linked;

/// Where the state keeps the module's table: a second `require`, also after `package.loaded` was
/// cleared, and a second copy of this file find it there.
const MODULE_KEY: &CStr = c"cygnixy.module";

/// Returns the module's table, made now or at an earlier `require` in this state.
unsafe fn opened(state: *mut lua_State) -> c_int {
    // SAFETY: the caller's `state` is running and bound to; no value here has a destructor. The
    // table is made on the state's own thread, because the thread that runs now may be a
    // coroutine that is collected one day, and mlua keeps the first it is entered on.
    unsafe {
        ffi::luaL_checkstack(state, 8, c"cygnixy".as_ptr());
        ffi::lua_getfield(state, ffi::LUA_REGISTRYINDEX, MODULE_KEY.as_ptr());
        if ffi::lua_type(state, -1) == ffi::LUA_TTABLE {
            return 1;
        }
        ffi::lua_pop(state, 1);
        let thread = lua_state::thread(state);
        ffi::luaL_checkstack(thread, 8, c"cygnixy".as_ptr());
        if protected::call(thread, make, std::ptr::null_mut()) != ffi::LUA_OK {
            ffi::lua_xmove(thread, state, 1);
            ffi::lua_error(state);
        }
        ffi::lua_getfield(state, ffi::LUA_REGISTRYINDEX, MODULE_KEY.as_ptr());
        1
    }
}

/// Makes the module's table and stores it in the state.
unsafe extern "C-unwind" fn make(state: *mut lua_State) -> c_int {
    // SAFETY: mlua makes its data for the state as protected calls, so nothing jumps over the
    // frames of `catch_unwind`; the data lives as long as the state.
    let entered = catch_unwind(AssertUnwindSafe(|| unsafe {
        ffi::lua_settop(state, 0);
        let _pauses = (HookPause::new(state), CollectorPause::new(state));
        let _: &Lua = Lua::get_or_init_from_ptr(state);
    }));
    // SAFETY: `state` runs this function with an empty stack.
    unsafe {
        if entered.is_err() {
            drop(entered);
            ffi::lua_pushstring(state, c"cygnixy could not start in this Lua state".as_ptr());
            ffi::lua_error(state);
        }
        Lua::entrypoint1(state, |lua| {
            let key = MODULE_KEY.to_string_lossy();
            lua.set_named_registry_value(&key, module::table(lua)?)?;
            Ok(true)
        })
    }
}
