//! Exports the Lua C API from the executable, as every stock interpreter does.
//!
//! C modules find `lua_*` in the program that loads them. The flag also keeps the linker's
//! garbage collection away from the API functions that the interpreter itself never calls.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-rdynamic");
}
