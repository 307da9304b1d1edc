-- What the specs share: where things are, files to break, errors, and processes of their own.

local support = {}

local function variable(name)
  return assert(os.getenv(name), name .. " is not set; run the specs with tests/busted.sh")
end

support.abi = variable("CYGNIXY_TEST_ABI")
support.scratch = variable("CYGNIXY_TEST_SCRATCH")

local plugins = variable("CYGNIXY_TEST_PLUGINS")
local fixtures = variable("CYGNIXY_TEST_FIXTURES")
local interpreter = variable("CYGNIXY_TEST_LUA")
local installed_command = variable("CYGNIXY_TEST_COMMAND")

-- The folder of plugins that are made to break the unload.
support.zoo = variable("CYGNIXY_TEST_ZOO")

-- One of several versions of the fixture plugin `version`.
function support.version(name)
  return support.fixture("version_" .. name)
end

function support.plugin(name)
  return plugins .. "/" .. name .. ".so"
end

function support.fixture(name)
  return fixtures .. "/" .. name .. ".so"
end

-- An example plugin that was built for another Lua ABI.
function support.plugin_of(abi, name)
  local path = plugins .. "/../../" .. abi .. "/plugins/" .. name .. ".so"
  assert(support.exists(path), path .. " is missing: run tests/build.sh " .. abi .. " plugins")
  return path
end

-- The file of the module under test.
function support.module_file()
  for template in package.cpath:gmatch("[^;]+") do
    local file = template:gsub("%?", "cygnixy")
    if support.exists(file) then return file end
  end
end

-- Whether a coroutine's body may be a C function: not in Lua 5.1.
support.has_c_bodies = pcall(coroutine.create, print)

-- Files -----------------------------------------------------------------------------------

function support.exists(path)
  local file = io.open(path, "rb")
  return file ~= nil and file:close()
end

function support.read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read("*a")
  file:close()
  return content
end

function support.write(path, content)
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  return path
end

function support.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Runs a command of the shell; returns its exit status.
local function execute(command)
  local result, _, status = os.execute(command)
  -- Lua 5.1 returns what the system does, with the status in the high byte.
  return type(result) == "number" and result / 256 or status
end

function support.shell(command, ...)
  local quoted = {}
  for index = 1, select("#", ...) do
    quoted[index] = support.quote((select(index, ...)))
  end
  command = command .. " " .. table.concat(quoted, " ")
  local status = execute(command)
  if status ~= 0 then
    error(("exit status %s of: %s"):format(status, command), 2)
  end
end

local paths = 0

-- A path where nothing is yet, in a directory of its own.
function support.new_path(name)
  paths = paths + 1
  local directory = ("%s/%s-%d"):format(support.scratch, tostring(os.time()), paths)
  while support.exists(directory) do
    paths = paths + 1
    directory = ("%s/%s-%d"):format(support.scratch, tostring(os.time()), paths)
  end
  support.shell("mkdir -p", directory)
  return directory .. "/" .. name
end

-- A new file with the given content.
function support.new_file(name, content)
  return support.write(support.new_path(name), content)
end

-- A new file with the content of another.
function support.copy(from, name)
  return support.new_file(name or from:match("[^/]*$"), support.read(from))
end

-- The SHA-256 of a file, as the system's own program tells it.
function support.sha256(path)
  local listing = io.popen("sha256sum " .. support.quote(path))
  local hash = listing:read("*l"):match("^%x+")
  listing:close()
  return hash
end

-- Puts another file where one may be mapped: as a build does it, under a new inode.
function support.replace(path, from)
  support.write(path .. ".new", support.read(from))
  assert(os.rename(path .. ".new", path))
end

-- Replaces the only occurrence of `what` in `content` by text of the same length.
function support.patch(content, what, by)
  assert(#what == #by)
  local at = assert(content:find(what, 1, true), "the file does not contain " .. what)
  assert(not content:find(what, at + 1, true), "the file contains more than one " .. what)
  return content:sub(1, at - 1) .. by .. content:sub(at + #what)
end

-- Errors ----------------------------------------------------------------------------------

-- Checks that a text has all the given parts.
function support.has(text, ...)
  if type(text) ~= "string" then
    error("expected a string, got " .. type(text) .. ": " .. tostring(text), 2)
  end
  for index = 1, select("#", ...) do
    local part = select(index, ...)
    if not text:find(part, 1, true) then
      error(("expected a text with\n  %s\ngot\n  %s"):format(part, text), 2)
    end
  end
  return text
end

-- Checks that an error is one that Lua code can print: a string without a traceback.
function support.is_message(err)
  if type(err) ~= "string" then
    error("expected an error message, got a " .. type(err) .. ": " .. tostring(err), 2)
  end
  if err:find("stack traceback", 1, true) then
    error("expected a message without a traceback, got\n" .. err, 2)
  end
  return err
end

-- Calls a function that has to fail, from Lua code; returns its message without the position.
function support.failure(f, ...)
  local arguments, count = { ... }, select("#", ...)
  local unpack = table.unpack or unpack
  local ok, err = pcall(function()
    local result = f(unpack(arguments, 1, count))
    return result
  end)
  if ok then
    error("expected an error, got " .. tostring(err), 2)
  end
  support.is_message(err)
  local position, message = err:match("^(.-:%d+: )(.*)$")
  if position == nil or not position:find("support.lua:", 1, true) then
    error("expected a message with the caller's position, got\n" .. err, 2)
  end
  return message
end

-- Calls a field of a table, so that Lua knows the function's name, and gives the message without
-- its position, which is that of this line.
function support.failure_of(t, name, ...)
  local arguments, count = { ... }, select("#", ...)
  local unpack = table.unpack or unpack
  local call = (loadstring or load)(("local t, unpack, a, n = ... ; local r = t.%s(unpack(a, 1, n)) ; return r")
    :format(name), "=call")
  local ok, err = pcall(call, t, unpack, arguments, count)
  assert(not ok, "it did not fail")
  support.is_message(err)
  local message = err:match("^call:1: (.*)$")
  assert(message, err)
  return message
end

-- Loading ---------------------------------------------------------------------------------

-- Unloads every plugin, however it takes that.
function support.unload_all(cygnixy)
  for _, plugin in ipairs(cygnixy.list()) do
    pcall(cygnixy.unload, plugin.name)
  end
  assert(#cygnixy.list() == 0)
  rawset(_G, "reenter", nil)
end

-- Checks around each test of a block that a plugin loaded before goes on working, and with it
-- the Lua state. The collector runs, so that what dangles is used.
function support.with_witness(cygnixy)
  local busted = require("busted")
  local greet
  busted.before_each(function()
    greet = cygnixy.load(support.plugin("greet"))
  end)
  busted.after_each(function()
    collectgarbage()
    assert(greet.hello("you") == "Hello, you!")
    support.has(support.failure(greet.hello, ""), "there is nobody to greet")
    assert(cygnixy.get("greet") == greet)
    assert(cygnixy.load(support.plugin("greet")) == greet)
    support.unload_all(cygnixy)
    collectgarbage()
  end)
end

-- In each test of a block, loads the first version from a file of its own; `set` is given the file's
-- path and the plugin.
function support.with_version(cygnixy, set)
  local busted = require("busted")
  busted.before_each(function()
    local path = support.copy(support.version("1"))
    set(path, cygnixy.load(path))
  end)
  busted.after_each(function()
    if cygnixy.get("version") then cygnixy.unload("version") end
  end)
end

-- Processes -------------------------------------------------------------------------------

-- Runs the words of a command in a directory, with variables set, or unset where the value is false;
-- what it writes is kept in `folder`.
-- Returns what it wrote to standard output and to standard error, and its exit status; a signal counts
-- as 128 and its number.
local function capture(words, directory, env, folder)
  local command = { "cd", support.quote(directory), "&&", "env" }
  for name, value in pairs(env) do
    if not value then command[#command + 1] = "-u " .. name end
  end
  for name, value in pairs(env) do
    if value then command[#command + 1] = name .. "=" .. support.quote(value) end
  end
  for _, word in ipairs(words) do
    command[#command + 1] = support.quote(word)
  end
  command[#command + 1] = ">" .. support.quote(folder .. "/stdout")
  command[#command + 1] = "2>" .. support.quote(folder .. "/stderr")
  -- A crash is reported by a shell; the outer one has its own standard error.
  local status = execute("sh -c " .. support.quote(table.concat(command, " ")) .. " 2>/dev/null")
  return support.read(folder .. "/stdout"), support.read(folder .. "/stderr"), status
end

-- Runs words of which one is the installed command.
local function run_command(words, options)
  options = options or {}
  local folder = support.new_path(""):gsub("/$", "")
  local env = { LUA_PATH = false, LUA_CPATH = false }
  for name, value in pairs(options.env or {}) do
    env[name] = value
  end
  return capture(words, options.cwd or folder, env, folder)
end

-- Runs the command `cygnixy` of the installed rock, which has to find its own modules; `options` and the
-- results are those of `run`.
function support.command(arguments, options)
  local words = { installed_command }
  for _, argument in ipairs(arguments) do
    words[#words + 1] = argument
  end
  return run_command(words, options)
end

-- Runs a script of the shell, in which `cygnixy` is that command.
function support.command_in_shell(script, options)
  return run_command({ "sh", "-c", 'cygnixy() { "$0" "$@"; }\n' .. script, installed_command }, options)
end

-- What the command writes that has to succeed without a complaint.
function support.command_output(arguments, options)
  local stdout, stderr, status = support.command(arguments, options)
  if status ~= 0 or stderr ~= "" then
    error(("exit status %s\nstdout: %s\nstderr: %s"):format(status, stdout, stderr), 2)
  end
  return stdout
end

-- What the command complains of that has to fail with a status.
function support.command_complaint(expected, arguments, options)
  local stdout, stderr, status = support.command(arguments, options)
  if status ~= expected then
    error(("exit status %s\nstdout: %s\nstderr: %s"):format(status, stdout, stderr), 2)
  end
  return stderr
end

-- Runs a script with the same interpreter and paths. `options.env` holds variables to set,
-- `options.cwd` the directory to start in, `options.args` the script's arguments. Returns what
-- it wrote to standard output and to standard error, and its exit status; a signal counts as
-- 128 and its number.
function support.run(script, options)
  options = options or {}
  local path = support.new_file("script.lua", script)
  local directory = path:match("^(.*)/")
  local words = { interpreter, path, plugins, fixtures }
  for _, argument in ipairs(options.args or {}) do
    words[#words + 1] = argument
  end
  return capture(words, options.cwd or directory, options.env or {}, directory)
end

-- Runs a script that has to succeed silently; returns its standard output.
function support.output(script, options)
  local stdout, stderr, status = support.run(script, options)
  if status ~= 0 or stderr ~= "" then
    error(("exit status %s\nstdout: %s\nstderr: %s"):format(status, stdout, stderr), 2)
  end
  return stdout
end

-- The beginning of a script for `run`: `cygnixy`, `greet` and `misbehave` loaded.
support.prelude = [[
local plugins, fixtures = ...
local cygnixy = require("cygnixy")
local greet = cygnixy.load(plugins .. "/greet.so")
local misbehave = cygnixy.load(fixtures .. "/misbehave.so")
]]

-- In scripts: an object whose finaliser runs when it is collected, at the latest when the state
-- is closed.
support.finalised = [[
local function finalised(f)
  if newproxy then
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = f
    return proxy
  end
  return setmetatable({}, { __gc = f })
end
]]

return support
