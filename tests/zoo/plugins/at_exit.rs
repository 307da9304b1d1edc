//! A handler for the end of the process, whose code is the library's.

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Error, Lua};

extern "C" fn handler() {
    let line = b"handler ran\n";
    // SAFETY: `line` is as long as is said. Rust's own output may be gone already.
    unsafe { libc::write(libc::STDOUT_FILENO, line.as_ptr().cast(), line.len()) };
}

/// `register()` registers a handler that writes the line `handler ran` to standard output.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let register = lua.create_function(|_, ()| {
        // SAFETY: `handler` needs nothing of Rust's runtime.
        match unsafe { libc::atexit(handler) } {
            0 => Ok(()),
            _ => Err(Error::runtime("it cannot be registered")),
        }
    })?;
    with_ping(lua, [("register", register)])
}

export_plugin!(Parts {
    name: || "at_exit",
    functions,
    ..Parts::default()
});
