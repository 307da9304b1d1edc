---@meta cygnixy

-- The interface of the C module `cygnixy`, for the Lua language server. This file describes and
-- is never run.

---Loads plugins written in Rust.
---
---```lua
---local cygnixy = require "cygnixy"
---local greet = cygnixy.load "greet"
---print(greet.hello("world"))
---```
---@class cygnixy
---
---Name and version of this module, such as `cygnixy 0.1.0`.
---@field _VERSION string
---
---The Lua ABI of the running interpreter. Plugins are built for one; LuaJIT takes those for
---`lua51` too.
---@field abi "lua51"|"luajit"|"lua52"|"lua53"|"lua54"|"lua55"
---
---Where `load` looks for a bare name: templates separated by `;`, in which `?` stands for the
---name, as in `package.cpath`. It begins as the environment variable `CYGNIXY_PATH`, in which `;;`
---stands for the default, or as the default: the folder `cygnixy/ABI` in the user's data
---directory. The current directory is not in it.
---@field path string
local cygnixy = {}

---A plugin's functions by name.
---@alias cygnixy.Plugin table<string, function>

---A loaded plugin, as `list` describes it.
---@class cygnixy.Loaded
---@field name string the name the plugin gave itself
---@field version string the version of its crate
---@field path string the file it is from, absolute
---@field functions string[] the names of its functions, sorted

---What a plugin file says of itself.
---@class cygnixy.Manifest
---@field name string the name of its crate
---@field version string the version of its crate
---@field authors string separated by colons; may be empty
---@field description string may be empty
---@field abi string the Lua ABI it is built for
---@field api_version integer the version of the boundary between plugin and loader
---@field mlua string the version of mlua inside
---@field rustc string the compiler that built it
---@field target string the target triple it is built for

---Loads a plugin and returns its table of functions. Loading a loaded file again returns the same
---table.
---
---A string with a directory separator, or with the ending of a library (`.so`, `.dll`, `.dylib`),
---is a path. Any other string is a bare name and is looked up through `cygnixy.path`.
---
---Raises an error that names the file, the step, what was expected and what was found, if the
---plugin is not found, does not fit or fails to start; nothing is loaded then, and no code of a
---file that does not fit is run.
---@param path string
---@return cygnixy.Plugin
function cygnixy.load(path) end

---Unloads a plugin: its functions raise `plugin 'NAME' has been unloaded` from now on, wherever
---they are held, and its `on_unload` has run. The library stays mapped until the process ends.
---
---Raises an error if no such plugin is loaded, or, before anything has changed, if one of its
---functions is still running further up the call stack. If `on_unload` fails, the plugin is
---unloaded all the same and the error is raised.
---@param plugin cygnixy.Plugin|string the table that `load` returned, or the plugin's name
---@return true
function cygnixy.unload(plugin) end

---The table of the loaded plugin of that name, or `nil`.
---@param name string
---@return cygnixy.Plugin?
function cygnixy.get(name) end

---The loaded plugins, in the order in which they were loaded.
---@return cygnixy.Loaded[]
function cygnixy.list() end

---Reads what a plugin file says of itself, without running any code of it. The plugin may be built
---for another Lua ABI. Raises an error if the file is no plugin.
---@param path string a path; bare names are not looked up
---@return cygnixy.Manifest
function cygnixy.inspect(path) end

return cygnixy
