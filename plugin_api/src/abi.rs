//! The C structures and functions that cross between loader and plugin.
//!
//! No Rust type with an unspecified layout crosses, so both sides may be built by different
//! compilers, with different versions of mlua and different allocators. The rules:
//!
//! - Structures are `#[repr(C)]` and begin with their size; they only grow at the end, and the
//!   receiver reads a field only if the size covers it.
//! - Text crosses as [`Str`]; who receives it copies it before returning.
//! - A panic is caught on the side that raised it and becomes [`Status::PANIC`].

use std::ffi::{CStr, c_int, c_void};
use std::{ptr, slice};

use mlua::ffi::lua_State;

use crate::logs::wire::{Key, Receiver};

/// The version of this boundary. A loader accepts the versions it knows, and says both numbers
/// when it refuses one.
pub const API_VERSION: u32 = 1;

/// The one symbol a plugin exports: a [`Entry`].
pub const ENTRY_SYMBOL: &CStr = c"cygnixy_plugin_entry";

/// The type of the exported function. The descriptor lives as long as the library is mapped.
pub type Entry = unsafe extern "C" fn() -> *const Descriptor;

/// A piece of text or bytes, borrowed for the length of a call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Str {
    /// The first byte; null only if `len` is 0.
    pub data: *const u8,
    /// The number of bytes.
    pub len: usize,
}

impl Str {
    /// Borrows `text`.
    #[must_use]
    pub const fn new(text: &str) -> Self {
        Self {
            data: text.as_ptr(),
            len: text.len(),
        }
    }

    /// Copies the text, replacing what is not UTF-8.
    ///
    /// # Safety
    ///
    /// - `data` points to `len` readable bytes, or is null with `len` 0.
    #[must_use]
    pub unsafe fn to_text(self) -> String {
        // SAFETY: as the caller promises.
        String::from_utf8_lossy(unsafe { self.as_bytes() }).into_owned()
    }

    /// Copies the bytes.
    ///
    /// # Safety
    ///
    /// - `data` points to `len` readable bytes, or is null with `len` 0.
    #[must_use]
    pub unsafe fn to_vec(self) -> Vec<u8> {
        // SAFETY: as the caller promises.
        unsafe { self.as_bytes() }.to_vec()
    }

    /// Borrows the bytes.
    ///
    /// # Safety
    ///
    /// - `data` points to `len` bytes that are readable and do not change for as long as the result
    ///   is used, or is null with `len` 0.
    #[must_use]
    pub unsafe fn as_bytes<'a>(self) -> &'a [u8] {
        if self.data.is_null() {
            return &[];
        }
        // SAFETY: the caller promises `len` readable bytes at `data`, which is not null here.
        unsafe { slice::from_raw_parts(self.data, self.len) }
    }
}

/// Where a callee writes text for its caller: a message or a name.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Sink {
    /// Handed to `write` as it is.
    pub context: *mut c_void,
    /// Takes a copy of the text. Does not unwind.
    pub write: unsafe extern "C" fn(context: *mut c_void, text: Str),
}

impl Sink {
    /// A sink that stores the last text written in `text`.
    ///
    /// The sink must not be used after `text` is gone; [`Sink::put`] is unsafe for that reason.
    #[must_use]
    pub fn to_string(text: &mut String) -> Self {
        unsafe extern "C" fn write(context: *mut c_void, text: Str) {
            // SAFETY: `context` is the `&mut String` that `to_string` took, alive as `put` asks.
            let target = unsafe { &mut *context.cast::<String>() };
            // SAFETY: `put` hands over a `Str` that borrows a live `&str`.
            *target = unsafe { text.to_text() };
        }
        Self {
            context: ptr::from_mut(text).cast(),
            write,
        }
    }

    /// A sink that stores the last bytes written in `bytes`, under the same condition.
    #[must_use]
    pub fn to_bytes(bytes: &mut Option<Vec<u8>>) -> Self {
        unsafe extern "C" fn write(context: *mut c_void, bytes: Str) {
            // SAFETY: `context` is the option that `to_bytes` took, alive as `put` asks.
            let target = unsafe { &mut *context.cast::<Option<Vec<u8>>>() };
            // SAFETY: `put_bytes` hands over a `Str` that borrows a live slice.
            *target = Some(unsafe { bytes.to_vec() });
        }
        Self {
            context: ptr::from_mut(bytes).cast(),
            write,
        }
    }

    /// Hands `text` to the receiver.
    ///
    /// # Safety
    ///
    /// - `context` is what `write` expects, and alive.
    pub unsafe fn put(self, text: &str) {
        // SAFETY: as the caller promises.
        unsafe { self.put_bytes(text.as_bytes()) }
    }

    /// Hands `bytes` to the receiver.
    ///
    /// # Safety
    ///
    /// - `context` is what `write` expects, and alive.
    pub unsafe fn put_bytes(self, bytes: &[u8]) {
        let bytes = Str {
            data: bytes.as_ptr(),
            len: bytes.len(),
        };
        // SAFETY: the caller promises a live `context`; the bytes are borrowed for the call only.
        unsafe { (self.write)(self.context, bytes) }
    }
}

/// How a call across the boundary ended.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Status(pub i32);

impl Status {
    /// It did what it was asked to do.
    pub const OK: Self = Self(0);
    /// It returned an error; the sink has the message.
    pub const ERROR: Self = Self(1);
    /// It panicked; the sink has the panic's message.
    pub const PANIC: Self = Self(2);
}

/// What the loader offers to a plugin.
#[repr(C)]
#[derive(Debug)]
pub struct Host {
    /// The size of this structure in the loader's build, in bytes.
    pub size: usize,
    /// Handed to the functions below as it is.
    pub context: *mut c_void,
    /// The address of a function of the Lua C API by name, or null if the running Lua lacks it.
    pub resolve: unsafe extern "C" fn(context: *mut c_void, name: Str) -> *const c_void,
}

/// What a library has in one Lua state: filled by [`Descriptor::inventory`].
#[repr(C)]
#[derive(Debug)]
pub struct Inventory {
    /// The size of this structure in the loader's build, in bytes.
    pub size: usize,
    /// Handed to the functions below as it is.
    pub context: *mut c_void,
    /// Takes a number that `luaL_ref` gave out for the registry. Does not unwind.
    pub reference: unsafe extern "C" fn(context: *mut c_void, reference: c_int),
    /// Takes a name that the library stored a value under in the registry. Does not unwind.
    pub name: unsafe extern "C" fn(context: *mut c_void, name: Str),
    /// Out: the key, in the registry, of the table that everything of the library refers to.
    pub anchor: *const c_void,
    /// Out: a sum of the constants of this type.
    pub flags: u32,
}

impl Inventory {
    /// The library has set a debug hook, which may have been removed or inherited since.
    pub const HOOK: u32 = 1;
    /// The state's warn function is one of the library.
    pub const WARN: u32 = 2;
    /// The state's panic function is one of the library.
    pub const PANIC: u32 = 4;
    /// The state's allocator is one of the library.
    pub const ALLOCATOR: u32 = 8;
    /// The library made functions in a way that does not let them be told from others.
    pub const OPAQUE: u32 = 16;
    /// A C function of the library has yielded, in any state of the process.
    pub const YIELD: u32 = 32;
}

/// What a library has in the process outside of Lua: filled by [`Descriptor::usage`].
#[repr(C)]
#[derive(Debug)]
pub struct Usage {
    /// The size of this structure in the loader's build, in bytes.
    pub size: usize,
    /// Out: threads that the library started and that are alive.
    pub threads: usize,
    /// Out: other threads that are alive and have thread-locals of the library with destructors.
    pub thread_locals: usize,
    /// Out: functions that are to run when the process exits.
    pub exit_handlers: usize,
}

/// An argument of a call through LuaJIT's FFI.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FfiArgument {
    /// A number, or 1 and 0 for a boolean.
    pub number: f64,
    /// The first byte of a string.
    pub data: *const u8,
    /// The number of bytes of a string.
    pub len: usize,
}

/// The memory by which a function is called through LuaJIT's FFI. It belongs to the plugin, and
/// can be used as long as Lua has the function, also while the state is closed.
#[repr(C)]
#[derive(Debug)]
pub struct FfiBlock {
    /// Calls the function with the arguments in the block. Does not unwind.
    pub call: unsafe extern "C" fn(block: *mut FfiBlock),
    /// Writes the text of the failure to the sink, once.
    pub take_failure: unsafe extern "C" fn(block: *mut FfiBlock, text: Sink),
    /// Out: the result, a number, or 1 and 0 for a boolean.
    pub number: f64,
    /// Out: one of the constants of this type.
    pub status: u32,
    /// The caller's: not 0 from before the arguments are filled in until the result was read. A call that
    /// comes in between, from a finaliser or a debug hook, has to be made in another way.
    pub busy: u32,
    /// In: the arguments.
    pub arguments: [FfiArgument; FfiBlock::ARGUMENTS],
}

impl FfiBlock {
    /// How many arguments there can be.
    pub const ARGUMENTS: usize = 8;
    /// There is a result.
    pub const DONE: u32 = 0;
    /// An argument did not fit, and the function did not run.
    pub const MISFIT: u32 = 1;
    /// The function failed.
    pub const FAILED: u32 = 2;

    /// A block without arguments.
    #[must_use]
    pub const fn new(
        call: unsafe extern "C" fn(block: *mut Self),
        take_failure: unsafe extern "C" fn(block: *mut Self, text: Sink),
    ) -> Self {
        const NOTHING: FfiArgument = FfiArgument {
            number: 0.0,
            data: ptr::null(),
            len: 0,
        };
        Self {
            call,
            take_failure,
            number: 0.0,
            status: Self::DONE,
            busy: 0,
            arguments: [NOTHING; Self::ARGUMENTS],
        }
    }
}

/// What is known of a function of a plugin.
#[repr(C)]
#[derive(Debug)]
pub struct FunctionInfo {
    /// The size of this structure in the plugin's build, in bytes.
    pub size: usize,
    /// Its name in the plugin's table.
    pub name: Str,
    /// Its types, as in `(a: number, string?) -> number`; empty if they are not known.
    pub signature: Str,
    /// For calls through LuaJIT's FFI; null if there are none.
    pub block: *mut FfiBlock,
    /// The kinds of the arguments there, a letter each: `n` for a number, `b` for a boolean, `s` for a
    /// string.
    pub parameters: Str,
    /// The kind of the result there: `n`, `b`, or `v` for none.
    pub result: u8,
    /// What it does, in one or more lines; empty if nothing is said.
    pub doc: Str,
}

/// Who takes what is known of functions.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FunctionSink {
    /// Handed to `add` as it is.
    pub context: *mut c_void,
    /// Takes a copy of what is known. Does not unwind.
    pub add: unsafe extern "C" fn(context: *mut c_void, info: *const FunctionInfo),
}

/// A plugin object on the other side of the boundary.
pub type RawInstance = *mut c_void;

/// A function of the descriptor that takes an instance and no Lua state.
pub type InstanceFn = unsafe extern "C" fn(instance: RawInstance, text: Sink) -> Status;

/// A function of the descriptor that takes an instance and a Lua state.
pub type StateFn =
    unsafe extern "C-unwind" fn(state: *mut lua_State, instance: RawInstance, text: Sink) -> Status;

/// What a plugin offers to the loader: returned by the exported [`Entry`].
#[repr(C)]
#[derive(Debug)]
pub struct Descriptor {
    /// The size of this structure in the plugin's build, in bytes.
    pub size: usize,
    /// [`API_VERSION`] of the plugin's build.
    pub api_version: u32,
    /// The bytes of the manifest, as the file has them in its own section.
    pub manifest: Str,
    /// Binds the plugin's Lua API, once per library; later calls check that the Lua is the same.
    pub bind: unsafe extern "C" fn(host: *const Host, text: Sink) -> Status,
    /// Makes a plugin object.
    pub create: unsafe extern "C" fn(instance: *mut RawInstance, text: Sink) -> Status,
    /// Writes the plugin's name to the sink.
    pub name: InstanceFn,
    /// Runs `on_load`.
    pub on_load: InstanceFn,
    /// Makes the functions in the given state and leaves a table of them on top of its stack.
    pub functions: StateFn,
    /// Revokes the functions that were made in the given state.
    pub revoke: StateFn,
    /// Runs `on_unload`.
    pub on_unload: InstanceFn,
    /// Drops the plugin object; the pointer is dead afterwards, whatever the status.
    pub destroy: InstanceFn,
    /// Lets functions that were made in the given state run those of the same names in the table
    /// that the registry has under [`CURRENT_KEY`], instead of revoking them. A text there is raised.
    pub redirect: StateFn,
    /// Writes the plugin's state to the first sink, if it has one, for a newer version of it.
    pub save_state: unsafe extern "C" fn(instance: RawInstance, state: Sink, text: Sink) -> Status,
    /// Gives a plugin object the state of an older version.
    pub restore_state:
        unsafe extern "C" fn(instance: RawInstance, state: Str, text: Sink) -> Status,
    /// Tells what the library has in a Lua state.
    pub inventory: unsafe extern "C" fn(state: *mut lua_State, inventory: *mut Inventory),
    /// Forgets a Lua state: the loader has taken everything out of it.
    pub forget: unsafe extern "C" fn(state: *mut lua_State),
    /// Tells what the library has in the process.
    pub usage: unsafe extern "C" fn(usage: *mut Usage),
    /// Ends what the calling thread has of the library. The library is unmapped next, and no code
    /// of it runs again.
    pub close: unsafe extern "C" fn(),
    /// Tells what is known of the functions that were made in the given state.
    pub describe:
        unsafe extern "C" fn(state: *mut lua_State, instance: RawInstance, sink: FunctionSink),
    /// Makes the loader the receiver of what the library logs. The structure is copied.
    pub log_to: unsafe extern "C" fn(receiver: *const Receiver),
    /// Makes a callsite that the library has registered ask each time whether it is wanted. Takes no
    /// lock.
    pub loosen: unsafe extern "C" fn(callsite: Key),
    /// Whether the library has started the calling thread: 0 if not.
    pub has_started_thread: unsafe extern "C" fn() -> u32,
    /// Whether a function of the library may be running that was called through LuaJIT's FFI, in the state
    /// with the registry at this address: 0 if not.
    pub is_called_directly: unsafe extern "C" fn(registry: usize) -> u32,
    /// Makes what the library needs in a state before [`functions`](Self::functions) is called there. The
    /// collector had better rest meanwhile. Runs no code of the plugin.
    pub enter: StateFn,
}

/// Where the registry has the table that [`Descriptor::redirect`] takes functions from, for the
/// length of the call.
pub const CURRENT_KEY: &str = "cygnixy.current";

// SAFETY: a descriptor is immutable after construction. It holds function pointers, and a `Str`
// that borrows a `static` of the plugin's library, which is readable from every thread.
unsafe impl Sync for Descriptor {}
