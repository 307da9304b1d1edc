//! What stands in the slot of `lua_error`.

use std::ffi::{c_int, c_void};
use std::mem;
use std::sync::OnceLock;

use mlua::ffi::{self, lua_Debug, lua_State};
use mlua::{Lua, Value};

use super::Message;
use crate::image::Image;
use crate::lua_api::real_lua_error;
use crate::panics;

static IMAGE: OnceLock<Option<Image>> = OnceLock::new();

/// Notes which loaded object this code is in, so that [`lua_error`] can tell the library's own
/// functions from others. Called when the Lua API is bound.
pub(crate) fn remember_image() {
    own_image();
}

fn own_image() -> Option<&'static Image> {
    IMAGE
        .get_or_init(|| Image::containing(remember_image as *const c_void))
        .as_ref()
}

/// Raises the value on top of the stack, after turning an error object of this library's mlua
/// into a string if Lua code, or another library, is going to catch it.
///
/// # Safety
///
/// As `lua_error` of the Lua C API.
pub(crate) unsafe extern "C-unwind" fn lua_error(state: *mut lua_State) -> c_int {
    // SAFETY: `state` is valid and running, as the caller of `lua_error` promises. Everything
    // with a destructor is dropped inside `replace_error_object`, before the jump.
    unsafe {
        if ffi::lua_type(state, -1) == ffi::LUA_TUSERDATA && !is_caught_by_this_library(state) {
            replace_error_object(state);
        }
        real_lua_error(state)
    }
}

/// Whether the nearest C function below the one that raises is of this library.
unsafe fn is_caught_by_this_library(state: *mut lua_State) -> bool {
    let Some(image) = own_image() else {
        return false;
    };
    // SAFETY: `lua_Debug` is a C structure of integers, pointers and arrays, for which zero is a
    // value. `lua_getinfo` with "f" pushes one value, which is popped; a raising function has
    // room for it.
    unsafe {
        let mut frame: lua_Debug = mem::zeroed();
        let mut level = 1;
        while ffi::lua_getstack(state, level, &raw mut frame) != 0 {
            ffi::lua_getinfo(state, c"f".as_ptr(), &raw mut frame);
            let is_c = ffi::lua_iscfunction(state, -1) != 0;
            let function = ffi::lua_tocfunction(state, -1);
            ffi::lua_pop(state, 1);
            if is_c {
                // LuaJIT gives no address for its built-in functions.
                return function.is_some_and(|f| image.contains(f as *const c_void));
            }
            level += 1;
        }
    }
    false
}

/// Replaces the userdata on top of the stack by its message, if it is an error object of mlua.
unsafe fn replace_error_object(state: *mut lua_State) {
    // SAFETY: the caller's `state` is valid.
    let Some(message) = (unsafe { take_message(state) }) else {
        return;
    };
    // SAFETY: the error object on top is replaced by one string. A running C function has at
    // least two slots left here, as mlua empties the stack before it raises. Should Lua run out
    // of memory while it makes the string, that error is raised instead and `message` leaks.
    unsafe {
        ffi::lua_pop(state, 1);
        if message.is_positioned {
            ffi::lua_pushlstring(state, message.text.as_ptr().cast(), message.text.len());
        } else {
            ffi::luaL_where(state, 1);
            ffi::lua_pushlstring(state, message.text.as_ptr().cast(), message.text.len());
            ffi::lua_concat(state, 2);
        }
    }
}

/// The message of the error object on top of the stack, or `None` if it is no error object.
unsafe fn take_message(state: *mut lua_State) -> Option<Message> {
    let popped = panics::catch(|| {
        // SAFETY: mlua raised the error in this state, so its data for the state exists, and
        // lives until the state is closed.
        let lua: &Lua = unsafe { Lua::get_or_init_from_ptr(state) };
        lua.exec_raw_lua(|raw| {
            let scratch = raw.state();
            // SAFETY: `scratch` is a thread of the same Lua state. The value is copied to it and
            // popped again, by mlua, which recognises its own error objects.
            unsafe {
                if ffi::lua_checkstack(state, 2) == 0 || ffi::lua_checkstack(scratch, 4) == 0 {
                    return None;
                }
                let top = ffi::lua_gettop(scratch);
                ffi::lua_pushvalue(state, -1);
                if state != scratch {
                    ffi::lua_xmove(state, scratch, 1);
                }
                let value = panics::catch(|| raw.pop_value());
                ffi::lua_settop(scratch, top);
                Some(value)
            }
        })
    });
    match popped {
        Ok(Some(Ok(Value::Error(error)))) => Some(Message::of(&error)),
        // mlua resumes a panic that it finds in the error object.
        Ok(Some(Err(panic))) => Some(Message {
            text: format!("the function panicked: {panic}"),
            is_positioned: false,
        }),
        // An error object whose panic was resumed before reads as nil.
        Ok(Some(Ok(Value::Nil))) => Some(Message {
            text: "the function panicked; the panic was reported before".to_owned(),
            is_positioned: false,
        }),
        _ => None,
    }
}
