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
---directory, in the folder of libraries of the tree that the module is installed in, and in the
---system's data directories; and, after the tree's, the folder `cygnixy_plugins` beside the module,
---where the rocks of plugins put them. The current directory is not in it.
---@field path string
---
---Files and directories that are trusted as they are, though others can change them: a list of absolute
---paths, separated by `;`. A path stands for itself and the directories above it, for files that are
---reached through it; with `/**` at its end also for all that is below. It begins as the environment
---variable `CYGNIXY_TRUSTED`.
---@field trusted string
local cygnixy = {}

---A plugin's functions by name. Functions that return one return `any`, so that a script can say which
---class it is: `cygnixy stubs` writes a class for each plugin.
---@alias cygnixy.Plugin table<string, function>

---A loaded plugin, as `list` describes it.
---@class cygnixy.Loaded
---@field name string the name the plugin gave itself
---@field version string the version of its crate
---@field path string the file it is from, absolute
---@field functions string[] the names of its functions, sorted
---@field signatures table<string, string> the types of functions by name, where known: `(a: number, string?) -> number`
---@field docs table<string, string> what functions do, by name, where their author says it

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

---The functions of a plugin as LuaJIT's compiled code can call them: directly, through the FFI, where
---the plugin's author allows it (`create_ffi_function`), and the ordinary functions otherwise. With
---another Lua, or if the program has taken the FFI away, it is the plugin's own table.
---
---The results, errors and conversions are those of the ordinary functions. The functions can be held
---across a reload and an unload, and keep no library mapped. They are worth it in loops that LuaJIT
---compiles; in interpreted code a call through the FFI costs more than an ordinary one.
---@param plugin string|cygnixy.Plugin the name of a loaded plugin, or its table
---@return any functions a table as that of `load`
function cygnixy.ffi(plugin) end

---The functions of a plugin, a line each and sorted, with their types and the names of parameters where
---they are known: `greet.add(a: number, b: number) -> number`, and `greet.hello(...)` otherwise. What their
---author says of them stands below, indented.
---@param plugin string|cygnixy.Plugin the name of a loaded plugin, or its table
---@param name? string only this function; an error if there is none
---@return string
function cygnixy.help(plugin, name) end

---What is asked of a file before any of its code runs.
---@class cygnixy.LoadOptions
---The SHA-256 that its content has to have, 64 hexadecimal digits. What is hashed is what is mapped. A
---plugin that is loaded already has to have been loaded from such content. A reload has to find it as well,
---until the plugin is unloaded.
---@field sha256? string
---Whether to refuse a file that others can change, as it is done for bare names.
---@field trusted? boolean

---Loads a plugin and returns its table of functions. Loading a loaded file again returns the same
---table.
---
---A string with a directory separator, or with the ending of a library (`.so`, `.dll`, `.dylib`),
---is a path. Any other string is a bare name and is looked up through `cygnixy.path`. A file that is
---found so is refused if somebody other than root and the user of the process owns it or a directory on
---the way to it, or can write to it, unless `cygnixy.trusted` lists it; so it is when it is reloaded.
---
---Raises an error that names the file, the step, what was expected and what was found, if the
---plugin is not found, does not fit or fails to start; nothing is loaded then, and no code of a
---file that does not fit is run.
---@param path string
---@param options? cygnixy.LoadOptions
---@return any plugin a `cygnixy.Plugin`
function cygnixy.load(path, options) end

---Where the file of a bare name is, answered like `package.searchpath` does: the first that exists, or `nil`
---and the places that were tried, `no file '…'` in a line each. Nothing is loaded.
---@param name string
---@param path? string templates; `cygnixy.path` if not given
---@return string? path
---@return string? tried
function cygnixy.searchpath(name, path) end

---The searcher for `require`, once `cygnixy.searcher` was required.
---@type (fun(name: string): function|string, string?)?
cygnixy.searcher = nil

---Lock files: text with a line for each plugin that a program may load: the name and the version of its
---crate, the Lua ABI, and the SHA-256 of its content. The first line is `cygnixy-lock 1`; empty lines and
---lines that begin with `#` are for people.
---@class cygnixy.lock
cygnixy.lock = {}

---Writes a lock file that lists what is loaded, in place of one that is there. Raises an error, and writes
---nothing, if the file of a plugin has changed since it was loaded.
---@param path string
function cygnixy.lock.write(path) end

---From now on, nothing is loaded that the lock file does not list with this version and content: by path,
---by name, or in a reload. What is loaded already has to be listed. It stays in use, and there cannot be
---another.
---
---Raises an error that names the file and the line if the lock file is wrong; then it is not in use.
---@param path string
function cygnixy.lock.use(path) end

---Seals the Lua state for good: no further plugin is loaded or reloaded in it, by nobody. Calls go on
---working, and so does `unload`. Lua code cannot undo it; what the debug library can do is in the README.
function cygnixy.seal() end

---Which kind of reason it is; the README has a table of what each means.
---@alias cygnixy.ReasonKind
---| "function" | "object" | "reference"
---| "thread" | "thread_local"
---| "hook" | "warn" | "panic_handler" | "allocator"
---| "exit_handler" | "signal_handler"
---| "state" | "closed_state" | "failed" | "not_collected"
---| "linker" | "platform"

---Why a library stays mapped.
---@class cygnixy.Reason
---@field kind cygnixy.ReasonKind
---@field name string? a function's name in the plugin's table, or a type of objects
---@field count integer? how many there are
---@field text string a phrase for people

---What became of an unloaded plugin.
---@class cygnixy.Report
---@field name string the plugin's name
---@field path string the file it was loaded from, absolute
---@field reloaded boolean whether a newer version took its place; then this is about the older one
---@field unmapped boolean whether its library is no longer mapped, as the dynamic linker says
---@field reasons cygnixy.Reason[] why the library is still mapped; empty if it is not
---@field text string a sentence for people

---@class cygnixy.UnloadOptions
---If false, the full collections are left out, which take time in proportion to the heap: the library
---stays mapped for now, and a coroutine that is suspended in the plugin is not noticed.
---@field collect? boolean

---Unloads a plugin: its functions raise `plugin 'NAME' has been unloaded` from now on, wherever
---they are held, and its `on_unload` has run. Its library is unmapped if nothing can call into it any
---more, which takes full collections to find out; the report says so, or why not.
---
---Raises an error if no such plugin is loaded, or, before anything has changed, if one of its
---functions is still running further up the call stack or a coroutine is suspended in it. If
---`on_unload` fails, the plugin is unloaded all the same, its library stays mapped, and the error is
---raised.
---@param plugin cygnixy.Plugin|string the table that `load` returned, or the plugin's name
---@param options? cygnixy.UnloadOptions
---@return cygnixy.Report
function cygnixy.unload(plugin, options) end

---Loads the plugin's file again, which may have changed, and lets the new version take the place of
---the old one: it gets the state that the old one saves; the plugin's table keeps its identity and
---gets the new functions; functions that were put away run the new ones of the same name, or raise
---an error if there is none. The report is about the old version.
---
---Raises an error if the new version cannot be loaded; the old one goes on as if nothing had happened.
---Also in the cases in which `unload` does.
---@param plugin cygnixy.Plugin|string
---@return cygnixy.Report
function cygnixy.reload(plugin) end

---Watches the plugin's file, until the unload or `unwatch`: `poll` reloads the plugin after the file
---was rebuilt. It goes on in a process that is forked later. An error where no thread may be started.
---@param plugin cygnixy.Plugin|string
---@param options? { quiet?: number } for how many seconds nobody must have changed the file; 0.1 by default
function cygnixy.watch(plugin, options) end

---Ends the watch over a plugin's file; tells whether there was one.
---@param plugin cygnixy.Plugin|string
---@return boolean
function cygnixy.unwatch(plugin) end

---What `poll` did about one plugin.
---@class cygnixy.PollResult
---@field name string the plugin's name
---@field ok boolean whether it was reloaded
---@field pending boolean whether it is tried again, as the plugin is in use at this moment
---@field report cygnixy.Report? if it was reloaded
---@field error string? why it was not; the old version goes on. A file is tried once

---Reloads the watched plugins whose files were rebuilt.
---@return cygnixy.PollResult[]
function cygnixy.poll() end

---Looks again at unloaded plugins whose libraries could not be unmapped, by full collections, and
---unmaps those that nothing refers to any more.
---@return cygnixy.Report[]
function cygnixy.collect() end

---A span that an event is in.
---@class cygnixy.LogSpan
---@field name string
---@field target string
---@field fields table<string, string|number|boolean>

---An event that a plugin, or the loader, has logged.
---@class cygnixy.LogRecord
---@field level "error"|"warn"|"info"|"debug"|"trace"
---@field target string usually the Rust module it is from
---@field message string empty if there is none
---@field fields table<string, string|number|boolean> without the message
---@field plugin string? the plugin's name; nil if the event is the loader's own
---@field file string? the source file it is from
---@field line integer? the line there
---@field spans cygnixy.LogSpan[] the outermost first

---Sets the function that is called with what is logged in this Lua state, or with `nil` sends it to
---standard error again.
---
---It is called at once for events of plugins that run in this state. Events of other threads wait, up to
---1000, for the next event, the end of the next call into the loader, or `flush_log`; so do events of a
---call into the loader, which are told before it returns. If it fails, the event and the error go to
---standard error. What is logged while it runs goes there too.
---
---Raises an error if the filter is none.
---@param fn fun(record: cygnixy.LogRecord)|nil
---@param filter? string as in `CYGNIXY_LOG`, whose value is the default, or else `warn`
function cygnixy.on_log(fn, filter) end

---Calls the log function with the events that wait for it; returns how many there were.
---@return integer
function cygnixy.flush_log() end

---The table of the loaded plugin of that name, or `nil`.
---@param name string
---@return any plugin a `cygnixy.Plugin`, or nil
function cygnixy.get(name) end

---The loaded plugins, in the order in which they were loaded.
---@return cygnixy.Loaded[]
function cygnixy.list() end

---Reads what a plugin file says of itself, without running any code of it. The plugin may be built
---for another Lua ABI. Raises an error if the file is no plugin.
---@param path string a path; bare names are not looked up
---@return cygnixy.Manifest
function cygnixy.inspect(path) end

---Whether a plugin file would be loaded here and now: `true`, or `nil` and the error that `load` would raise
---before it runs any code of the file. It is read, parsed, compared with this processor, Lua and plugin API, and
---with the lock file in use; a sealed state loads nothing. What the dynamic linker says then is not known before:
---whether there are the libraries and the symbols that the file needs.
---@param path string a path or a bare name, as for `load`
---@return true? fits
---@return string? reason
function cygnixy.check(path) end

---A plugin file that a bare name leads to.
---@class cygnixy.Available
---@field name string the bare name
---@field path string the file
---@field manifest cygnixy.Manifest? what it says of itself; `nil` if it is no plugin
---@field problem string? why it does not fit, as `check` says it
---@field hidden_by string? the file that the name leads to instead of this one

---The files that bare names lead to by `cygnixy.path`, in its order. No code of them is run.
---@return cygnixy.Available[]
function cygnixy.available() end

return cygnixy
