//! The Lua ABI that this build is for.

/// The Lua ABI of this build: `lua51`, `luajit`, `lua52`, `lua53`, `lua54` or `lua55`.
pub const LUA_ABI: &str = if cfg!(feature = "lua51") {
    "lua51"
} else if cfg!(feature = "luajit") {
    "luajit"
} else if cfg!(feature = "lua52") {
    "lua52"
} else if cfg!(feature = "lua53") {
    "lua53"
} else if cfg!(feature = "lua54") {
    "lua54"
} else {
    "lua55"
};

/// Every Lua ABI there is a build for.
pub const LUA_ABIS: [&str; 6] = ["lua51", "luajit", "lua52", "lua53", "lua54", "lua55"];

/// The builds that run in an interpreter of the Lua ABI `runtime`, the best first.
///
/// A build for one ABI runs in that ABI only, with one exception: LuaJIT keeps the ABI of Lua 5.1
/// and runs both.
///
/// ```
/// assert_eq!(plugin_api::lua_abi::accepted_by("luajit"), ["luajit", "lua51"]);
/// assert_eq!(plugin_api::lua_abi::accepted_by("lua51"), ["lua51"]);
/// ```
#[must_use]
pub fn accepted_by(runtime: &str) -> Vec<&str> {
    match runtime {
        "luajit" => vec!["luajit", "lua51"],
        other => vec![other],
    }
}

/// The name of a Lua ABI as people say it, such as `Lua 5.4`.
///
/// ```
/// assert_eq!(plugin_api::lua_abi::display_name("lua54"), "Lua 5.4");
/// ```
#[must_use]
pub fn display_name(abi: &str) -> &str {
    match abi {
        "lua51" => "Lua 5.1",
        "luajit" => "LuaJIT",
        "lua52" => "Lua 5.2",
        "lua53" => "Lua 5.3",
        "lua54" => "Lua 5.4",
        "lua55" => "Lua 5.5",
        other => other,
    }
}
