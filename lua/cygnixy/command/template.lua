-- The files of a new plugin. `@name@` and the like stand for the values that `files` is given.

local template = {}

local files = {}

local function file(path, content)
  files[#files + 1] = { path = path, content = content }
end

file("Cargo.toml", [=[
[package]
name = "@name@"
description = "A plugin for cygnixy"
version = "0.1.0"
edition = "2024"
rust-version = "1.88"
publish = false

[lib]
crate-type = ["cdylib"]

# One Lua ABI for each build. The Makefile chooses it; the default is for editors.
[features]
default = ["@abi@"]
lua51 = ["cygnixy-plugin-api/lua51"]
luajit = ["cygnixy-plugin-api/luajit"]
lua52 = ["cygnixy-plugin-api/lua52"]
lua53 = ["cygnixy-plugin-api/lua53"]
lua54 = ["cygnixy-plugin-api/lua54"]
lua55 = ["cygnixy-plugin-api/lua55"]

[dependencies]
cygnixy-plugin-api = @api@

[profile.release]
lto = "thin"
codegen-units = 1
strip = "symbols"

# A workspace of its own, wherever the folder is.
[workspace]
]=])

file("src/lib.rs", [=[
//! The plugin `@name@`.
//!
//! ```lua
//! local @name@ = require("cygnixy").load("@name@")
//! print(@name@.greet("world")) --> Hello, world!
//! ```
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;

use plugin_api::mlua::{self, Function, Lua};
use plugin_api::{FunctionDoc, LuaExt, PluginLua, export_plugin};

struct @type@;

fn greet(name: &str) -> Result<String, &'static str> {
    if name.is_empty() {
        return Err("there is nobody to greet");
    }
    Ok(format!("Hello, {name}!"))
}

fn add(a: f64, b: f64) -> f64 {
    a + b
}

fn functions(lua: &Lua) -> mlua::Result<HashMap<String, Function>> {
    Ok(HashMap::from([
        ("greet".to_owned(), lua.create_fast_function(greet)?),
        ("add".to_owned(), lua.create_fast_function(add)?),
    ]))
}

impl PluginLua for @type@ {
    fn name(&self) -> &str {
        "@name@"
    }

    fn on_load(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    fn on_unload(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
        // A panic makes the load fail, with this message.
        functions(lua).unwrap_or_else(|error| panic!("cannot make the functions: {error}"))
    }

    fn docs(&self) -> Vec<FunctionDoc> {
        vec![
            FunctionDoc::new("greet")
                .text("Greets somebody; an empty name is an error.")
                .parameters(["name"]),
            FunctionDoc::new("add")
                .text("Adds two numbers.")
                .parameters(["a", "b"]),
        ]
    }
}

export_plugin!(@type@);
]=])

file("spec/@name@_spec.lua", [=[
local cygnixy = require("cygnixy")

describe("@name@", function()
  local plugin

  setup(function()
    plugin = cygnixy.load("./build/" .. cygnixy.abi .. "/@name@.so")
  end)

  teardown(function()
    cygnixy.unload(plugin)
  end)

  it("greets", function()
    assert.equal("Hello, world!", plugin.greet("world"))
  end)

  it("greets nobody without a name", function()
    local ok, err = pcall(plugin.greet, "")
    assert.is_false(ok)
    assert.truthy(err:find("there is nobody to greet", 1, true))
  end)

  it("adds", function()
    assert.equal(3, plugin.add(1, 2))
  end)

  it("says what its functions take", function()
    assert.truthy(cygnixy.help(plugin):find("@name@.add(a: number, b: number) -> number", 1, true))
  end)
end)
]=])

file("Makefile", [=[
# make            builds the plugin for the Lua that LUA names, into build/ABI/@name@.so
# make test       builds it, and runs spec/ with busted
# make install    puts it where cygnixy.load "@name@" finds it
# make clean
#
# LUA is the interpreter, such as lua5.1, lua5.4 or luajit.

LUA ?= @lua@
ABI ?= $(shell $(LUA) -e 'print(jit and "luajit" or (("lua" .. _VERSION:sub(5)):gsub("%.", "")))')
# busted in that Lua; the program of that name begins in another, if `lua` is one.
BUSTED ?= echo 'require("busted.runner")({ standalone = false })' | $(LUA) -
DATA ?= $(or $(XDG_DATA_HOME),$(HOME)/.local/share)

TARGET = target/$(ABI)
# The library as one system or another calls it.
LIBRARIES = lib@name@.so lib@name@.dylib @name@.dll
PLUGIN = build/$(ABI)/@name@.so

.PHONY: build test install rock clean

# What is there is removed, not overwritten: it may be loaded.
build:
	cargo build --release --no-default-features --features $(ABI) --target-dir $(TARGET)
	@mkdir -p build/$(ABI)
	@rm -f $(PLUGIN)
	@cp $$(ls $(addprefix $(TARGET)/release/,$(LIBRARIES)) 2>/dev/null) $(PLUGIN)

test: build
	$(BUSTED) spec

# What others can write is not loaded by name: neither the file nor the folders that are made here.
install: build
	umask go-w && mkdir -p "$(DATA)/cygnixy/$(ABI)" && \
	    rm -f "$(DATA)/cygnixy/$(ABI)/@name@.so" && \
	    cp $(PLUGIN) "$(DATA)/cygnixy/$(ABI)/@name@.so"

# For LuaRocks, which gives LIBDIR and LUADIR.
rock: build
	umask go-w && mkdir -p "$(LIBDIR)/cygnixy_plugins" "$(LUADIR)" && \
	    cp $(PLUGIN) "$(LIBDIR)/cygnixy_plugins/@name@.so" && \
	    cp lua/@name@.lua "$(LUADIR)/@name@.lua"

clean:
	rm -rf build target
]=])

file("lua/@name@.lua", [=[
-- `require "@name@"`, where LuaRocks has installed the plugin. It is refused if others can change it.

local file = "cygnixy_plugins" .. package.config:sub(1, 1) .. "@name@"

for pattern in package.cpath:gmatch("[^;]+") do
  local path = pattern:gsub("%?", (file:gsub("%%", "%%%%")))
  local found = io.open(path, "rb")
  if found then
    found:close()
    return require("cygnixy").load(path, { trusted = true })
  end
end
error("the plugin '@name@' is not on package.cpath")
]=])

file("@name@-scm-1.rockspec", [=[
rockspec_format = "3.0"
package = "@name@"
version = "scm-1"

-- `luarocks make` installs from here. To publish the rock, write where its sources are.
source = { url = "git+file://." }

description = {
   summary = "A plugin for cygnixy",
}

dependencies = { "lua >= 5.1, < 5.6", "cygnixy >= 0.1" }

-- Needs cargo.
build = {
   type = "make",
   build_target = "build",
   install_target = "rock",
   build_variables = { LUA = "$(LUA)" },
   install_variables = { LUA = "$(LUA)", LIBDIR = "$(LIBDIR)", LUADIR = "$(LUADIR)" },
}
]=])

file("README.md", [=[
# @name@

A plugin for [cygnixy](https://cygnixy.com), written in Rust.

```sh
make test                # builds it for @lua@ and runs its spec
make test LUA=@other@     # for another Lua
make install             # then cygnixy.load "@name@" finds it
luarocks make            # then require "@name@" finds it, and cygnixy.load in the same tree
```

```lua
local @name@ = require("cygnixy").load("@name@")
print(@name@.greet("world"))
```

This needs Rust 1.88 or newer, make and a POSIX shell, and for the tests busted and the rock cygnixy, on the
paths of that Lua (`eval "$(luarocks --lua-version=5.4 path)"`).

- A plugin is not loaded by name, or by `require`, if others can write to its file or to a folder on the way to
  it; `cygnixy doctor` shows where.
- On macOS `.cargo/config.toml` tells the linker that Lua's functions are there when the plugin is loaded.
- On Windows the plugin links to the DLL of its Lua (`lua54.dll` for lua54), which has to be the one that the
  program uses. cygnixy is not tested there.
]=])

file(".cargo/config.toml", [=[
# Lua's functions are in the program that loads the plugin. On Linux the loader binds them.
[target.'cfg(target_os = "macos")']
rustflags = ["-C", "link-arg=-undefined", "-C", "link-arg=dynamic_lookup"]
]=])

file(".gitignore", [=[
/build
/target
]=])

-- Whether the plugin's source has a word: its type cannot have that name.
function template.has_word(word)
  for _, one in ipairs(files) do
    if one.path == "src/lib.rs" then return one.content:find("%f[%w_]" .. word .. "%f[^%w_]") ~= nil end
  end
end

-- The files of a plugin: an array of `path` and `content`. `values` has `name`, `type` (the name of its
-- type in Rust), `abi` (the default Lua ABI), `lua` (the interpreter) and `api` (the dependency in Cargo.toml).
function template.files(values)
  local filled = {}
  local function fill(text)
    return (text:gsub("@(%l+)@", values))
  end
  for index, one in ipairs(files) do
    filled[index] = { path = fill(one.path), content = fill(one.content) }
  end
  return filled
end

return template
