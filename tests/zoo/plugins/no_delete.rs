//! Asks the dynamic linker never to unmap it, as a library does that could not bear it: closing it
//! succeeds and changes nothing.

use std::mem::MaybeUninit;

use cygnixy_test_zoo::{HookResult, Parts, with_ping};
use plugin_interface::export_plugin;

fn pin() -> HookResult {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `info` can be written, and zero is a value of it. The name in it is that of this library,
    // which is mapped already, so that nothing is loaded.
    let handle = unsafe {
        libc::dladdr(pin as *const _, info.as_mut_ptr());
        let name = info.assume_init().dli_fname;
        libc::dlopen(
            name,
            libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE,
        )
    };
    if handle.is_null() {
        return Err("the library does not find itself".into());
    }
    // SAFETY: the handle is open; the library stays.
    unsafe { libc::dlclose(handle) };
    Ok(())
}

export_plugin!(Parts {
    name: || "no_delete",
    on_load: pin,
    functions: |lua| with_ping(lua, []),
    ..Parts::default()
});
