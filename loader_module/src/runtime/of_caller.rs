//! The Lua runtime that called `luaopen_cygnixy`, found by the return address of that call.
//!
//! A host may keep its Lua to itself (`RTLD_LOCAL`), have several, or be one program with Lua
//! linked in. The one that matters is the one that made the call: the loader asks the dynamic
//! linker for the object that contains the return address, which is in Lua's own code, and takes
//! the Lua API from that object and no other.

use std::ffi::c_void;
use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_LAZY};
use plugin_api::image::Image;
use plugin_api::lua_abi::{LUA_ABI, accepted_by, display_name};
use plugin_api::lua_api;

static RUNTIME_ABI: OnceLock<&'static str> = OnceLock::new();

pub(super) fn lua_abi() -> &'static str {
    RUNTIME_ABI.get().copied().unwrap_or(LUA_ABI)
}

pub(super) fn resolve(name: &str) -> *const c_void {
    lua_api::resolve(name)
}

/// The object that called us, opened once more so that it can be asked for symbols.
pub(crate) struct Caller {
    image: Image,
    library: Library,
}

impl Caller {
    /// The object that contains the return address of a call.
    pub(crate) fn at(return_address: *const c_void) -> Option<Self> {
        let image = Image::containing(return_address)?;
        let library = match &image.path {
            None => Library::this(),
            Some(path) => {
                use std::os::unix::ffi::OsStrExt as _;
                let path = std::ffi::OsStr::from_bytes(path.to_bytes());
                // SAFETY: nothing is loaded and no initialiser runs: the object is mapped.
                unsafe { Library::open(Some(path), RTLD_LAZY | libc::RTLD_NOLOAD) }.ok()?
            }
        };
        Some(Self { image, library })
    }

    /// The address of a function of the Lua that is in this object; null if there is none. The
    /// dynamic linker also looks at other objects, which may hold another Lua: what it finds
    /// there is not taken.
    pub(crate) fn find(&self, name: &str) -> *const c_void {
        // SAFETY: the symbol is only taken as an address here.
        let symbol = unsafe { self.library.get::<*const c_void>(name) };
        symbol
            .map(|symbol| symbol.as_raw_ptr().cast_const())
            .ok()
            .filter(|address| self.image.contains(*address))
            .unwrap_or(std::ptr::null())
    }

    /// Binds this module's Lua API, and that of all plugins after it, to the caller's runtime.
    ///
    /// # Errors
    ///
    /// A text that says why this module does not fit the caller.
    pub(crate) fn bind(&self) -> Result<(), String> {
        let found = self.lua_abi().ok_or_else(|| {
            format!(
                "cygnixy cannot find the Lua C API in {}, which required it: it has no Lua, or \
                 keeps its functions to itself",
                self.image.display()
            )
        })?;
        if !accepted_by(found).contains(&LUA_ABI) {
            return Err(format!(
                "this build of cygnixy is for {} (ABI '{LUA_ABI}'), but {} is {} (ABI '{found}'): \
                 install the rock for that Lua",
                display_name(LUA_ABI),
                self.image.display(),
                display_name(found),
            ));
        }
        // SAFETY: the functions are of the Lua version this build is for, all from the object
        // that required us; it is kept mapped by `self.library`, which is never closed.
        unsafe { lua_api::bind(&mut |name| self.find(name)) }.map_err(|error| {
            format!(
                "cygnixy cannot be used by the Lua in {}: {error}; load a second copy of the \
                 module file under another path there",
                self.image.display()
            )
        })?;
        let _ = RUNTIME_ABI.set(found);
        Ok(())
    }

    /// The ABI of the caller's Lua, told by functions that come and go between versions.
    fn lua_abi(&self) -> Option<&'static str> {
        let has = |name| !self.find(name).is_null();
        Some(match () {
            () if !has("lua_gettop") => return None,
            () if has("luaJIT_setmode") => "luajit",
            () if has("lua_setfenv") => "lua51",
            () if has("lua_pushexternalstring") => "lua55",
            () if has("lua_newuserdatauv") => "lua54",
            () if has("lua_rotate") => "lua53",
            () => "lua52",
        })
    }

    /// Keeps the object open: the bound functions are in it.
    pub(crate) fn keep(self) {
        std::mem::forget(self.library);
    }
}
