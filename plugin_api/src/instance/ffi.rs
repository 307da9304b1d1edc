//! The calls of [`Instance`] as the C functions of a [`Descriptor`].
//!
//! Each takes an instance that [`create`] made and that `destroy` has not seen. None unwinds.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use mlua::ffi::{self, lua_State};
use mlua::{Lua, Table};

use super::{Failure, Instance, lua_failure};
use crate::abi::{
    CURRENT_KEY, Descriptor, FunctionSink, Host, Inventory, RawInstance, Sink, Status, Str, Usage,
};
use crate::fast;
use crate::late;
use crate::logs;
use crate::logs::wire::{Key, Receiver};
use crate::lua_api;
use crate::panics;
use crate::plugin::PluginLua;
use crate::process;
use crate::protected::{self, CollectorPause, HookPause};
use crate::residence;

impl Descriptor {
    /// The descriptor of a plugin with the given manifest; `create` is the plugin's own call of
    /// [`create`].
    #[must_use]
    pub const fn new(
        manifest: &'static [u8],
        create: unsafe extern "C" fn(*mut RawInstance, Sink) -> Status,
    ) -> Self {
        Self {
            size: size_of::<Self>(),
            api_version: crate::abi::API_VERSION,
            manifest: Str {
                data: manifest.as_ptr(),
                len: manifest.len(),
            },
            bind,
            create,
            name,
            on_load,
            functions,
            revoke,
            on_unload,
            destroy,
            redirect,
            save_state,
            restore_state,
            inventory,
            forget,
            usage,
            close,
            describe,
            log_to,
            loosen,
            has_started_thread,
            is_called_directly,
            enter,
        }
    }
}

/// Makes a plugin object from the expression given to `export_plugin!`.
///
/// # Safety
///
/// - `instance` can be written; `sink` is usable.
pub unsafe fn create(
    construct: fn() -> Box<dyn PluginLua>,
    instance: *mut RawInstance,
    sink: Sink,
) -> Status {
    match Instance::new(construct) {
        Ok(made) => {
            // SAFETY: the caller promises that `instance` can be written.
            unsafe { instance.write(Box::into_raw(Box::new(made)).cast()) };
            Status::OK
        }
        // SAFETY: the caller promises a usable sink.
        Err(failure) => unsafe { report(Err(failure), sink) },
    }
}

unsafe extern "C" fn bind(host: *const Host, sink: Sink) -> Status {
    // SAFETY: the loader passes a host structure that is valid for the call, of the size that its
    // first field says. It is not taken for a `Host` before that size is known to cover one.
    let bound = unsafe {
        let offered = (&raw const (*host).size).read();
        if offered < size_of::<Host>() {
            Err(format!(
                "the loader offers {offered} bytes of functions, expected {}: it is older than \
                 this plugin",
                size_of::<Host>()
            ))
        } else {
            bind_to(&*host)
        }
    };
    // SAFETY: the loader fills the sink's context with what its function expects.
    unsafe { report(bound.map_err(Failure::Error), sink) }
}

fn bind_to(host: &Host) -> Result<(), String> {
    let mut find = |name: &'static str| {
        // SAFETY: the loader's function takes its own context and a borrowed name.
        unsafe { (host.resolve)(host.context, Str::new(name)) }
    };
    // SAFETY: the loader gives the functions of the runtime it is bound to itself, and has
    // compared the Lua version in the manifest with it.
    unsafe { lua_api::bind(&mut find) }.map_err(|error| error.to_string())?;
    // SAFETY: the loader binds a library once at a time, and before it calls anything else of it.
    unsafe {
        residence::install();
        lua_api::shorten();
    }
    Ok(())
}

unsafe extern "C" fn name(instance: RawInstance, sink: Sink) -> Status {
    // SAFETY: see the module: the instance is alive.
    let instance = unsafe { &*instance.cast::<Instance>() };
    // SAFETY: the loader passes a usable sink.
    unsafe { sink.put(instance.name()) };
    Status::OK
}

unsafe extern "C" fn on_load(instance: RawInstance, sink: Sink) -> Status {
    // SAFETY: see the module: the instance is alive and used by one thread at a time.
    let instance = unsafe { &mut *instance.cast::<Instance>() };
    // SAFETY: the loader passes a usable sink.
    unsafe { report(instance.on_load(), sink) }
}

unsafe extern "C" fn on_unload(instance: RawInstance, sink: Sink) -> Status {
    // SAFETY: see the module: the instance is alive and used by one thread at a time.
    let instance = unsafe { &mut *instance.cast::<Instance>() };
    // SAFETY: the loader passes a usable sink.
    unsafe { report(instance.on_unload(), sink) }
}

unsafe extern "C" fn destroy(instance: RawInstance, sink: Sink) -> Status {
    // SAFETY: see the module: `create` made the pointer from a box, and it is not used again.
    let instance = unsafe { Box::from_raw(instance.cast::<Instance>()) };
    // SAFETY: the loader passes a usable sink.
    unsafe { report(instance.destroy(), sink) }
}

unsafe extern "C-unwind" fn enter(
    state: *mut lua_State,
    instance: RawInstance,
    sink: Sink,
) -> Status {
    // SAFETY: as for `functions`.
    unsafe { in_state(state, instance, Task::Enter, sink) }
}

unsafe extern "C-unwind" fn functions(
    state: *mut lua_State,
    instance: RawInstance,
    sink: Sink,
) -> Status {
    // SAFETY: see the module; `state` is the thread that the loader keeps for such calls.
    unsafe { in_state(state, instance, Task::Functions, sink) }
}

unsafe extern "C-unwind" fn revoke(
    state: *mut lua_State,
    instance: RawInstance,
    sink: Sink,
) -> Status {
    // SAFETY: as for `functions`.
    unsafe { in_state(state, instance, Task::Revoke, sink) }
}

unsafe extern "C-unwind" fn redirect(
    state: *mut lua_State,
    instance: RawInstance,
    sink: Sink,
) -> Status {
    // SAFETY: as for `functions`.
    unsafe { in_state(state, instance, Task::Redirect, sink) }
}

unsafe extern "C" fn save_state(instance: RawInstance, state: Sink, sink: Sink) -> Status {
    // SAFETY: see the module: the instance is alive and used by one thread at a time.
    let instance = unsafe { &mut *instance.cast::<Instance>() };
    let saved = instance.save_state().map(|saved| {
        if let Some(bytes) = saved {
            // SAFETY: the loader passes usable sinks.
            unsafe { state.put_bytes(&bytes) };
        }
    });
    // SAFETY: as above.
    unsafe { report(saved, sink) }
}

unsafe extern "C" fn restore_state(instance: RawInstance, state: Str, sink: Sink) -> Status {
    // SAFETY: see the module: the instance is alive and used by one thread at a time.
    let instance = unsafe { &mut *instance.cast::<Instance>() };
    // SAFETY: the loader borrows the bytes for the call, and passes a usable sink.
    unsafe { report(instance.restore_state(state.as_bytes()), sink) }
}

unsafe extern "C" fn inventory(state: *mut lua_State, out: *mut Inventory) {
    // SAFETY: the loader passes a state, and a structure that is at least as large as this version
    // knows it: a loader that is older does not bind this plugin.
    unsafe { residence::inventory(state, &mut *out) };
}

unsafe extern "C" fn forget(state: *mut lua_State) {
    residence::forget(state);
}

unsafe extern "C" fn usage(out: *mut Usage) {
    // SAFETY: as for `inventory`.
    process::usage(unsafe { &mut *out });
}

unsafe extern "C" fn close() {
    logs::close();
    lua_api::release();
    // SAFETY: the loader promises that the library is unmapped next.
    unsafe {
        process::close();
        // Destructors of thread-locals may have logged.
        logs::free();
    }
}

unsafe extern "C" fn log_to(receiver: *const Receiver) {
    // SAFETY: the loader passes a structure that is valid for the call, whose functions it keeps
    // callable.
    unsafe { logs::start(receiver) };
}

unsafe extern "C" fn loosen(callsite: Key) {
    // SAFETY: the loader passes a key that it was given by this library.
    unsafe { logs::loosen(callsite) };
}

unsafe extern "C" fn has_started_thread() -> u32 {
    process::has_started_this_thread().into()
}

unsafe extern "C" fn is_called_directly(registry: usize) -> u32 {
    fast::is_called_directly(registry).into()
}

unsafe extern "C" fn describe(state: *mut lua_State, instance: RawInstance, sink: FunctionSink) {
    // SAFETY: see the module; functions were made in the state, so mlua has its data for it.
    let (instance, lua) = unsafe {
        let instance = &*instance.cast::<Instance>();
        (instance, Lua::get_or_init_from_ptr(state))
    };
    // SAFETY: the loader passes a usable sink.
    let _ = panics::catch(|| unsafe { instance.describe(lua, sink) });
}

#[derive(Clone, Copy)]
enum Task {
    /// Has mlua make its data for the state.
    Enter,
    /// Leaves the table of functions on the stack.
    Functions,
    Revoke,
    Redirect,
}

struct Call {
    instance: *mut Instance,
    task: Task,
    outcome: Result<Option<Table>, Failure>,
}

/// Runs a task in a Lua state, as a protected call, because mlua may have to make its own data
/// for the state first.
unsafe fn in_state(state: *mut lua_State, instance: RawInstance, task: Task, sink: Sink) -> Status {
    let mut call = Call {
        instance: instance.cast(),
        task,
        outcome: Ok(None),
    };
    // SAFETY: the loader leaves room on the stack of `state`; `call` outlives the protected call,
    // and is read again only after it.
    unsafe {
        let status = protected::call(state, run_call, (&raw mut call).cast::<c_void>());
        if status != ffi::LUA_OK {
            let text = top_as_text(state);
            ffi::lua_pop(state, 1);
            if call.outcome.is_ok() {
                call.outcome = Err(Failure::Error(text));
            }
        }
        let outcome = call.outcome.and_then(|table| match table {
            Some(table) => push_table(state, &table),
            None => Ok(()),
        });
        report(outcome, sink)
    }
}

/// Leaves a table on the stack of `state`, a thread that no mlua function runs on.
unsafe fn push_table(state: *mut lua_State, table: &Table) -> Result<(), Failure> {
    // SAFETY: mlua has made its data for the state. The value is pushed on one thread of the
    // state and moved to another, which has room.
    let pushed = panics::catch(|| unsafe {
        let lua: &Lua = Lua::get_or_init_from_ptr(state);
        lua.exec_raw_lua(|raw| {
            raw.push(table)?;
            if raw.state() != state {
                ffi::lua_xmove(raw.state(), state, 1);
            }
            mlua::Result::Ok(())
        })
    });
    pushed.map_err(Failure::Panic)?.map_err(lua_failure)
}

unsafe extern "C-unwind" fn run_call(state: *mut lua_State) -> c_int {
    // SAFETY: `in_state` passes a `Call` that outlives this function, and nothing else uses it
    // meanwhile.
    let call = unsafe { &mut *ffi::lua_touserdata(state, 1).cast::<Call>() };
    // SAFETY: `state` runs this function, and has room.
    if unsafe { late::is_over(state) } {
        let text = "the Lua state is being closed";
        call.outcome = Err(Failure::Error(text.to_owned()));
        return 0;
    }
    // SAFETY: `state` runs this function, which owns nothing: this may raise.
    unsafe {
        ffi::lua_settop(state, 0);
        residence::begin(state);
    }
    // SAFETY: mlua's data for the state lives until the state is closed. What mlua does here it
    // does as protected calls, so nothing jumps over the frames of `catch`; while it makes its data,
    // the collector rests.
    let entered = panics::catch(|| unsafe {
        let _pauses = (HookPause::new(state), CollectorPause::new(state));
        let lua: &Lua = residence::learn(|| Lua::get_or_init_from_ptr(state));
        late::make_late_calls_safe(lua).map(|()| lua)
    });
    let lua = match entered {
        Ok(Ok(lua)) => lua,
        Ok(Err(error)) => {
            call.outcome = Err(lua_failure(error));
            return 0;
        }
        Err(panic) => {
            call.outcome = Err(Failure::Panic(panic));
            return 0;
        }
    };
    // SAFETY: see the module: the instance is alive and used by one thread at a time.
    let instance = unsafe { &mut *call.instance };
    call.outcome = match call.task {
        Task::Enter => Ok(None),
        Task::Revoke => instance.revoke(lua).map(|()| None),
        Task::Redirect => lua
            .named_registry_value(CURRENT_KEY)
            .map_err(lua_failure)
            .and_then(|current: Table| instance.redirect(lua, &current))
            .map(|()| None),
        Task::Functions => instance.functions(lua).map(Some),
    };
    0
}

/// The error on top of the stack as text.
unsafe fn top_as_text(state: *mut lua_State) -> String {
    // SAFETY: the string is copied while it is on the stack.
    unsafe {
        let text = ffi::lua_tolstring(state, -1, ptr::null_mut());
        if text.is_null() {
            "an error that is not text".to_owned()
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }
}

/// Turns an outcome into a status, with the failure's text in the sink.
unsafe fn report(outcome: Result<(), Failure>, sink: Sink) -> Status {
    let (status, text) = match outcome {
        Ok(()) => return Status::OK,
        Err(Failure::Error(text)) => (Status::ERROR, text),
        Err(Failure::Panic(text)) => (Status::PANIC, text),
    };
    // SAFETY: the caller promises a usable sink.
    unsafe { sink.put(&text) };
    status
}
