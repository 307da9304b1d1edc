//! What stands in the slot of `lua_error`.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem;
use std::ops::Range;
use std::sync::OnceLock;

use mlua::ffi::{self, lua_Debug, lua_State};
use mlua::{Lua, Value};

use super::{Message, current};
use crate::image::Image;
use crate::late;
use crate::logs;
use crate::lua_api::real_lua_error;
use crate::panics;

/// Where this library is.
#[derive(Debug)]
pub(crate) struct OwnImage {
    addresses: Range<usize>,
    pub(crate) code: Option<Range<usize>>,
    pub(crate) relro: Option<Range<usize>>,
}

/// Nothing on the heap: the library may be unmapped.
static OWN: OnceLock<Option<OwnImage>> = OnceLock::new();

/// Notes which loaded object this code is in, so that [`lua_error`] can tell the library's own
/// functions from others. Called when the Lua API is bound.
pub(crate) fn remember_image() {
    own_image();
}

/// Whether an address is in this library.
pub(crate) fn is_own(address: *const c_void) -> bool {
    own_image().is_some_and(|own| own.addresses.contains(&address.addr()))
}

/// Where this library is, if the dynamic linker knows.
pub(crate) fn own_image() -> Option<&'static OwnImage> {
    let find = || {
        let image = Image::containing(remember_image as *const c_void)?;
        Some(OwnImage {
            addresses: image.addresses,
            code: image.code,
            relro: image.relro,
        })
    };
    OWN.get_or_init(find).as_ref()
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
        logs::deliver_reports();
        current::set(state);
        real_lua_error(state)
    }
}

/// How many Lua functions are looked through for the nearest C function. Lua counts levels from
/// the top each time, so the cost grows with the square.
const FRAMES: c_int = 200;

/// Whether the nearest C function below the one that raises is of this library, so that Rust
/// code is going to catch the error.
unsafe fn is_caught_by_this_library(state: *mut lua_State) -> bool {
    // SAFETY: `lua_Debug` is a C structure of integers, pointers and arrays, for which zero is a
    // value. `lua_getinfo` with "f" pushes one value, which is popped; a raising function has
    // room for it.
    unsafe {
        let mut frame: lua_Debug = mem::zeroed();
        for level in 1..FRAMES {
            if ffi::lua_getstack(state, level, &raw mut frame) == 0 {
                return false;
            }
            ffi::lua_getinfo(state, c"nf".as_ptr(), &raw mut frame);
            let is_c = ffi::lua_iscfunction(state, -1) != 0;
            let function = ffi::lua_tocfunction(state, -1);
            ffi::lua_pop(state, 1);
            if is_c {
                // LuaJIT gives no address for its built-in functions.
                return function.is_some_and(|f| is_own(f as *const c_void));
            }
            if is_called_by_lua_itself(&frame) {
                return false;
            }
        }
    }
    false
}

/// Whether Lua itself called a function, as a debug hook or a finaliser: the function below was
/// interrupted and catches nothing. Lua 5.1 and LuaJIT do not tell.
fn is_called_by_lua_itself(frame: &lua_Debug) -> bool {
    let text = |text: *const c_char| {
        // SAFETY: Lua fills in C strings that live as long as the function, or null.
        (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
    };
    text(frame.namewhat) == Some(c"hook") || text(frame.name) == Some(c"__gc")
}

/// Pushes the position of the Lua code that called the raising function, as `luaL_where` does, but
/// looks through functions that mlua and this crate have put in between.
unsafe fn push_position(state: *mut lua_State) {
    // SAFETY: as above; `luaL_where` pushes one string.
    unsafe {
        let mut frame: lua_Debug = mem::zeroed();
        let mut level = 1;
        while level < 4 && ffi::lua_getstack(state, level, &raw mut frame) != 0 {
            ffi::lua_getinfo(state, c"S".as_ptr(), &raw mut frame);
            let source = CStr::from_ptr(frame.source).to_bytes();
            if !source.starts_with(b"=__mlua_") && source != b"=[cygnixy]" {
                break;
            }
            level += 1;
        }
        ffi::luaL_where(state, level);
    }
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
            push_position(state);
            ffi::lua_pushlstring(state, message.text.as_ptr().cast(), message.text.len());
            ffi::lua_concat(state, 2);
        }
    }
}

/// The message of the error object on top of the stack, or `None` if it is no error object. Code
/// of the plugin runs here, when an error of its own is asked for its text and dropped.
unsafe fn take_message(state: *mut lua_State) -> Option<Message> {
    // SAFETY: the caller's `state` is valid; a raising function has room.
    if unsafe { late::is_over(state) } {
        return Some(Message {
            text: "a value of the plugin was used after it was collected".to_owned(),
            is_positioned: false,
        });
    }
    let message = panics::catch(|| {
        // SAFETY: mlua raised the error in this state, so its data for the state exists, and
        // lives until the state is closed.
        let lua: &Lua = unsafe { Lua::get_or_init_from_ptr(state) };
        // SAFETY: the caller's `state` is a thread of that Lua state.
        match unsafe { pop_copy(lua, state) }? {
            Ok(Value::Error(error)) => Some(Message::of(&error)),
            // An error object whose panic was resumed before reads as nil.
            Ok(Value::Nil) => Some(Message::panicked("the panic was reported before")),
            Ok(_) => None,
            // mlua resumes a panic that it finds in the error object.
            Err(panic) => Some(Message::panicked(&panic)),
        }
    });
    message.unwrap_or_else(|panic| {
        Some(Message {
            text: format!("the function failed, and its error's text panicked: {panic}"),
            is_positioned: false,
        })
    })
}

/// Takes a copy of the value on top of the stack, or the panic that is in it; `None` if there is no
/// room for it.
unsafe fn pop_copy(lua: &Lua, state: *mut lua_State) -> Option<Result<Value, String>> {
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
}
