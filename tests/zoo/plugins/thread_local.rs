//! A thread local with a destructor, which runs when the thread ends, not when the plugin does.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Error, Lua};

static DROPPED: AtomicU32 = AtomicU32::new(0);

struct Local {
    touched: u32,
    ballast: Vec<u8>,
}

impl Local {
    fn new() -> Self {
        let (touched, ballast) = (0, vec![1; 64 * 1024]);
        Self { touched, ballast }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        DROPPED.fetch_add(u32::from(self.ballast[0]), Ordering::Relaxed);
    }
}

thread_local! {
    static LOCAL: RefCell<Local> = RefCell::new(Local::new());
}

fn touch() -> u32 {
    LOCAL.with_borrow_mut(|local| {
        local.touched += 1;
        local.touched
    })
}

/// - `touch()` makes the local in Lua's thread, and returns how often it was touched there;
/// - `touch_in_thread()` does so in a thread that has ended when it returns;
/// - `dropped()`: how many of the locals are gone.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let touch_here = lua.create_function(|_, ()| Ok(touch()))?;
    let touch_in_thread = lua.create_function(|_, ()| {
        let thread = thread::Builder::new().spawn(touch)?;
        thread
            .join()
            .map_err(|_| Error::runtime("the thread panicked"))
    })?;
    let dropped = lua.create_function(|_, ()| Ok(DROPPED.load(Ordering::Relaxed)))?;
    with_ping(
        lua,
        [
            ("touch", touch_here),
            ("touch_in_thread", touch_in_thread),
            ("dropped", dropped),
        ],
    )
}

export_plugin!(Parts {
    name: || "thread_local",
    functions,
    ..Parts::default()
});
