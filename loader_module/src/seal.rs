//! Sealed Lua states, in which no further plugin is loaded.
//!
//! A script must not be able to break a seal, so what tells of it is not in the state alone:
//!
//! - A list in this copy of the loader, by the state's identity. Scripts cannot reach it.
//! - An open file in memory with the state's identity in its name, by which another copy of the module in
//!   the process, which has a list of its own, learns of it when it is opened (on Linux).
//! - A mark in the registry, for other copies that are open already. Its finaliser tells the end of the
//!   state, whose identity another may have one day. If a script takes the mark away by means of the
//!   debug library, the finaliser sees that the registry has it no more and puts another there.

use std::ffi::{CStr, c_int};
use std::io;
use std::path::Path;
use std::sync::Mutex;

use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::mlua::{self, Lua, Value};

use crate::Error;
use crate::finaliser;
use crate::lock::lock;
use crate::lua_state::StateId;

/// Where the mark is in the registry.
const KEY: &CStr = c"cygnixy.seal";

/// A sealed state.
#[derive(Debug)]
struct Sealed {
    state: StateId,
    /// It is open, which is its use.
    sign: Option<Sign>,
}

/// The states that were sealed by this copy of the loader.
static SEALED: Mutex<Vec<Sealed>> = Mutex::new(Vec::new());

/// Seals a state for good: no plugin is loaded or reloaded in it from now on, whoever loads it: the Lua
/// module, any copy of it, or a [`PluginManager`](crate::PluginManager), which refuses to make a plugin's
/// functions there. What is there goes on working, and can be unloaded.
///
/// Lua code cannot undo it, unless the program gives it the means: see the README.
///
/// # Errors
///
/// If Lua has no memory for the mark, or the process may open no more files. The state is sealed then for this
/// copy of the loader.
///
/// ```
/// use cygnixy::{Error, PluginManager};
/// use cygnixy::plugin_api::mlua::Lua;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/lua54/plugins/greet.so");
/// let lua = Lua::new();
/// cygnixy::seal_state(&lua)?;
/// let refused = PluginManager::new().load_plugin_into(path, &lua);
/// assert!(matches!(refused, Err(Error::Sealed { .. })));
/// # Ok(())
/// # }
/// ```
pub fn seal_state(lua: &Lua) -> mlua::Result<()> {
    let state = StateId::of(lua);
    let is_told = {
        let mut sealed = lock(&SEALED);
        let place = sealed.iter().position(|one| one.state == state);
        let place = place.unwrap_or_else(|| {
            sealed.push(Sealed { state, sign: None });
            sealed.len() - 1
        });
        match &mut sealed[place].sign {
            Some(_) => Ok(()),
            sign => Sign::put_up(state).map(|made| *sign = made),
        }
    };
    // SAFETY: the closure runs in a protected call on a thread with room, and has no destructor.
    unsafe { lua.exec_raw::<()>((), |state| mark(state)) }?;
    is_told.map_err(|error| {
        let problem =
            "the state is sealed, but copies of the module that are opened later cannot be told";
        mlua::Error::runtime(format!("{problem}: {error}"))
    })
}

/// Checks that a state is not sealed.
pub(crate) fn check(plugin: &str, path: &Path, lua: &Lua) -> Result<(), Error> {
    if is_sealed(lua) {
        return Err(refusal(plugin, path));
    }
    Ok(())
}

pub(crate) fn refusal(plugin: &str, path: &Path) -> Error {
    Error::Sealed {
        plugin: plugin.to_owned(),
        path: path.to_owned(),
    }
}

/// Whether a state is sealed, by this copy of the loader or by one whose mark is in the registry.
fn is_sealed(lua: &Lua) -> bool {
    let state = StateId::of(lua);
    if lock(&SEALED).iter().any(|one| one.state == state) {
        return true;
    }
    let key = KEY.to_string_lossy();
    !matches!(lua.named_registry_value::<Value>(&key), Ok(Value::Nil))
}

/// Whether a state was sealed by any copy of the loader, also if its mark is gone. Takes longer.
///
/// # Errors
///
/// If the process may open no more files, so that it cannot be seen.
#[cfg(feature = "module")]
pub(crate) fn was_sealed(lua: &Lua) -> mlua::Result<bool> {
    if is_sealed(lua) {
        return Ok(true);
    }
    Sign::is_up(StateId::of(lua)).map_err(|error| {
        let problem = "cannot see whether the state is sealed";
        mlua::Error::runtime(format!("{problem}: {error}"))
    })
}

/// Puts a mark in the registry, unless there is one.
///
/// # Safety
///
/// - `state` is valid, runs a protected call and has room for four values; nothing up to that call
///   needs a destructor.
unsafe fn mark(state: *mut lua_State) {
    // SAFETY: as the caller promises.
    unsafe {
        ffi::lua_getfield(state, ffi::LUA_REGISTRYINDEX, KEY.as_ptr());
        let is_marked = ffi::lua_type(state, -1) == ffi::LUA_TUSERDATA;
        ffi::lua_pop(state, 1);
        if is_marked {
            return;
        }
        ffi::lua_newuserdata(state, 1);
        ffi::lua_createtable(state, 0, 1);
        ffi::lua_pushcfunction(state, ended);
        ffi::lua_setfield(state, -2, c"__gc".as_ptr());
        ffi::lua_setmetatable(state, -2);
        ffi::lua_setfield(state, ffi::LUA_REGISTRYINDEX, KEY.as_ptr());
    }
}

/// The finaliser of the mark. When the state is closed, Lua finalises the mark while it is in the registry;
/// anything else means that a script has taken it away, or calls this itself, by means of the debug library.
unsafe extern "C-unwind" fn ended(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with a valid state and room; `lua_Debug` is a C structure for which zero
    // is a value. The lock's guard is gone before anything raises.
    unsafe {
        let identity = StateId::of_raw(state);
        ffi::lua_settop(state, 1);
        ffi::lua_getfield(state, ffi::LUA_REGISTRYINDEX, KEY.as_ptr());
        let is_kept = ffi::lua_rawequal(state, 1, 2) == 1;
        let mut frame: ffi::lua_Debug = std::mem::zeroed();
        let is_called = ffi::lua_getstack(state, 1, &raw mut frame) != 0;
        if is_kept && !is_called && finaliser::is_running(state) {
            lock(&SEALED).retain(|one| one.state != identity);
        } else if lock(&SEALED).iter().any(|one| one.state == identity) {
            mark(state);
        }
    }
    0
}

/// Tells all copies of the loader in the process that a state is sealed, for as long as it is open.
#[derive(Debug)]
struct Sign {
    #[cfg(target_os = "linux")]
    _file: std::os::fd::OwnedFd,
}

#[cfg(target_os = "linux")]
impl Sign {
    /// Where the system has no such files there is none.
    fn put_up(state: StateId) -> io::Result<Option<Self>> {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        let made = rustix::fs::memfd_create(Self::name(state), flags);
        match made.map_err(io::Error::from) {
            Ok(file) => Ok(Some(Self { _file: file })),
            Err(error) if is_exhausted(&error) => Err(error),
            Err(_) => Ok(None),
        }
    }

    #[cfg(feature = "module")]
    fn is_up(state: StateId) -> io::Result<bool> {
        let open = match std::fs::read_dir("/proc/self/fd") {
            Ok(open) => open,
            Err(error) if is_exhausted(&error) => return Err(error),
            Err(_) => return Ok(false),
        };
        let name = format!("/memfd:{} (deleted)", Self::name(state));
        let mut files = open.flatten().map(|file| std::fs::read_link(file.path()));
        Ok(files.any(|file| file.is_ok_and(|file| file.as_os_str() == name.as_str())))
    }

    fn name(state: StateId) -> String {
        format!("cygnixy.sealed.{:x}", state.address())
    }
}

/// Whether a script may be the cause of an error, by opening all the files that a process may open.
#[cfg(target_os = "linux")]
fn is_exhausted(error: &io::Error) -> bool {
    use rustix::io::Errno;

    [Errno::MFILE, Errno::NFILE, Errno::NOMEM]
        .into_iter()
        .any(|one| error.raw_os_error() == Some(one.raw_os_error()))
}

#[cfg(not(target_os = "linux"))]
impl Sign {
    fn put_up(_state: StateId) -> io::Result<Option<Self>> {
        Ok(None)
    }

    #[cfg(feature = "module")]
    fn is_up(_state: StateId) -> io::Result<bool> {
        Ok(false)
    }
}
