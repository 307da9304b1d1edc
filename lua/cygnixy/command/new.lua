-- `cygnixy new NAME`: a plugin that builds and passes its own test as it stands.

local output = require("cygnixy.command.output")
local template = require("cygnixy.command.template")

local new = {
  summary = "make a new plugin: a crate that builds and passes its own test",
  usage = "[--api PATH] NAME",
  options = { api = "PATH" },
  help = [[
Makes the folder NAME with a plugin of that name: Cargo.toml, src/lib.rs, a busted spec in spec/, a Makefile,
a rockspec, what `require "NAME"` finds of it in lua/, a README, .cargo/config.toml and .gitignore. A name is
of small letters, digits and `_`, begins with a letter, and is not that of a library of Lua or of cygnixy.
`make test` there builds the plugin and runs its spec; it needs cargo, make and busted.

  --api PATH   a checkout of cygnixy, or its folder plugin_api, for the plugin to depend on

Without --api, the environment variable CYGNIXY_PLUGIN_API gives the path; without that, the plugin depends
on version 0.1 of cygnixy-plugin-api from crates.io.
]],
}

local windows = package.config:sub(1, 1) == "\\"

local function set(words)
  local result = {}
  for word in words:gmatch("%S+") do
    result[word] = true
  end
  return result
end

-- Words of Rust and Lua, and crates that a plugin meets.
local taken = set([[abstract alloc and as async await become box break const continue core crate do
  dyn else elseif end enum extern false final fn for function gen global goto if impl in let local loop
  macro match mlua mod move mut nil not or override plugin_api priv proc_macro pub ref repeat return self
  static std struct super test then trait true try type typeof unsafe unsized until use virtual where while
  yield]])

-- What `require` finds before it looks for files, and the module itself.
local libraries = set([[bit bit32 coroutine cygnixy debug ffi io jit math os package string table utf8]])

local function fail(text)
  io.stderr:write("cygnixy new: ", text, "\n")
  return 1
end

local function read(path)
  local file = io.open(path, "rb")
  local content = file and file:read("*a")
  if file then file:close() end
  return content
end

local function quote(text)
  if windows then return '"' .. text .. '"' end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Lua 5.1 returns a number, later versions `true` or nothing.
local function execute(command)
  local result = os.execute(command)
  return result == true or result == 0
end

local function make_folder(path)
  if windows then return execute("mkdir " .. quote((path:gsub("/", "\\")))) end
  return execute("mkdir -p " .. quote(path))
end

-- A folder as an absolute path, or nil.
local function absolute(folder)
  local command = windows and "cd %s 2>NUL && cd" or "cd -- %s 2>/dev/null && pwd"
  local pipe = io.popen(command:format(quote(folder)))
  local path = pipe and pipe:read("*l")
  if pipe then pipe:close() end
  return path and path:gsub("\\", "/")
end

local function is_api(folder)
  local manifest = read(folder .. "/Cargo.toml")
  return manifest and manifest:find('name%s*=%s*"cygnixy%-plugin%-api"') ~= nil
end

-- What stands in Cargo.toml for a path that the user gave, or nil and what is wrong with it.
local function dependency(path, from)
  for _, folder in ipairs({ path, path .. "/plugin_api" }) do
    if is_api(folder) then
      return ('{ path = "%s" }'):format((absolute(folder):gsub('[\\"]', "\\%0")))
    end
  end
  return nil, ("%s: '%s' has no package cygnixy-plugin-api, and no folder plugin_api that has"):format(from, path)
end

local function find_dependency(given)
  if given then return dependency(given, "--api") end
  local variable = os.getenv("CYGNIXY_PLUGIN_API")
  if variable and variable ~= "" then return dependency(variable, "CYGNIXY_PLUGIN_API") end
  return '"0.1"'
end

-- The interpreter that runs this command, by its name if that is enough to find it.
local function interpreter(arg)
  local at = 0
  while arg[at - 1] do
    at = at - 1
  end
  local path = at < 0 and arg[at] or "lua"
  local name = path:match("[^/\\]*$")
  if name == path or windows then return name end
  if execute("command -v " .. quote(name) .. " >/dev/null 2>&1") then return name end
  return path
end

-- The Lua ABI of this interpreter, as the module calls it.
local function abi()
  if rawget(_G, "jit") then return "luajit" end
  return (_VERSION:gsub("[^%d]", ""):gsub("^", "lua"))
end

function new.run(given, operands, arg)
  local name = operands[1]
  if #operands ~= 1 then return nil, "expected a name" end
  if not name:find("^[a-z][a-z0-9_]*$") then
    return nil, ("'%s' is not a name of small letters, digits and '_' that begins with a letter"):format(name)
  elseif libraries[name] then
    return nil, ("'%s' is a library: `require \"%s\"` would never find the plugin"):format(name, name)
  elseif taken[name] then
    return nil, ("'%s' means something else in Rust or Lua"):format(name)
  end
  local api, problem = find_dependency(given.api)
  if not api then return fail(problem) end
  -- A folder, even an empty one, cannot be renamed to a name in itself; a file is seen as well.
  if os.rename(name, name) then return fail(("'%s' exists already"):format(name)) end

  local values = { name = name, api = api, abi = abi(), lua = interpreter(arg) }
  values.other = values.abi == "luajit" and "lua5.4" or "luajit"
  values.type = ("_" .. name):gsub("_+(%w?)", string.upper)
  if template.has_word(values.type) then values.type = values.type .. "Plugin" end
  for _, file in ipairs(template.files(values)) do
    local path = name .. "/" .. file.path
    local folder = path:match("^(.*)/")
    if not os.rename(folder, folder) and not make_folder(folder) then
      return fail(("cannot make the folder '%s'"):format(folder))
    end
    local saved, err = output.save(path, file.content)
    if not saved then return fail("cannot write: " .. err) end
  end
  output.write(("made the plugin '%s'; `cd %s && make test` builds and tests it\n"):format(name, name))
  return 0
end

return new
