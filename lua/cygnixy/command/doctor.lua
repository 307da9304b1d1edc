-- `cygnixy doctor`: what is where, to be put into a bug report.

local list = require("cygnixy.command.list")
local options = require("cygnixy.command.options")
local output = require("cygnixy.command.output")

local doctor = {
  summary = "show the Lua, the paths and what is found where, for a bug report",
  usage = "",
  help = [[
Prints the versions, the system, the environment variables that matter, where the module and plugins are
looked for, who may write there, and which plugins are found. Home directories are written as `~`. Nothing
is changed, and no plugin is run.

Exit status: 1 if the module cannot be loaded.
]],
}

local variables = {
  "CYGNIXY_PATH", "CYGNIXY_LOG", "CYGNIXY_IN_PLACE", "CYGNIXY_PLUGIN_API",
  "LUA_INIT", "LUA_PATH", "LUA_CPATH",
}

local windows = package.config:sub(1, 1) == "\\"

local function write(...)
  local home = os.getenv("HOME")
  local text = table.concat({ ... })
  if home and #home > 1 then text = text:gsub(home:gsub("%p", "%%%0"), "~") end
  output.write(text, "\n")
end

-- The first line that a command of the shell writes, or nil.
local function ask(command)
  local started, pipe = pcall(io.popen, command)
  if not started or not pipe then return nil end
  local line = pipe:read("*l")
  pipe:close()
  return line
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function exists(path)
  local file = io.open(path, "rb")
  return file ~= nil and file:close()
end

-- Where a template would find the module.
local function module_files()
  local found = {}
  for template in package.cpath:gmatch("[^;]+") do
    local path = template:gsub("%?", "cygnixy")
    if exists(path) then found[#found + 1] = path end
  end
  return found
end

-- The folder of a template up to its first `?`, and who may do what there.
local function folder_state(template)
  local folder = template:match("^([^?]*)[/\\][^/\\?]*%?") or "."
  if windows then return folder end
  local listed = ask("ls -ld -- " .. quote(folder) .. " 2>/dev/null")
  if not listed then return folder .. ": is not there" end
  local mode, owner, group = listed:match("^(%S+)%s+%S+%s+(%S+)%s+(%S+)")
  local text = ("%s: %s %s %s"):format(folder, tostring(mode), tostring(owner), tostring(group))
  if mode and mode:sub(9, 9) == "w" and not mode:find("[tT]", 10) then text = text .. ", anyone may write there" end
  return text
end

local function templates(path, show)
  local shown = {}
  for template in path:gmatch("[^;]+") do
    local text = show(template)
    if not shown[text] then write("  ", text) end
    shown[text] = true
  end
end

function doctor.run(_, operands)
  local problem = options.none(operands)
  if problem then return nil, problem end
  local found, cygnixy = pcall(require, "cygnixy")
  local jit = rawget(_G, "jit")
  write("module:  ", found and cygnixy._VERSION or "cannot be loaded: " .. tostring(cygnixy))
  write("Lua:     ", _VERSION, jit and (", " .. jit.version) or "")
  write("ABI:     ", found and cygnixy.abi or "unknown")
  write("system:  ", not windows and ask("uname -srm") or (jit and jit.os .. " " .. jit.arch) or "Windows")
  write("rustc:   ", ask(windows and "rustc --version" or "rustc --version 2>/dev/null") or "not found")
  write("")
  write("module files on package.cpath, the first is taken:")
  for _, path in ipairs(module_files()) do
    write("  ", path)
  end
  write("")
  write("environment:")
  for _, name in ipairs(variables) do
    local value = os.getenv(name)
    if value then write("  ", name, "=", value) end
  end
  if not found then return 1 end
  write("")
  write("cygnixy.path:")
  templates(cygnixy.path, function(template)
    return template
  end)
  write("")
  write("its folders:")
  templates(cygnixy.path, folder_state)
  write("")
  write("plugins there:")
  local lines = list.lines(cygnixy)
  if #lines == 0 then lines = { "none" } end
  for _, line in ipairs(lines) do
    write("  ", line)
  end
  return 0
end

return doctor
