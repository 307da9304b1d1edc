-- `cygnixy doctor`: what is where, to be put into a bug report.

local list = require("cygnixy.command.list")
local options = require("cygnixy.command.options")
local output = require("cygnixy.command.output")
local text = require("cygnixy.command.text")

local doctor = {
  summary = "show the Lua, the paths and what is found where, for a bug report",
  usage = "",
  help = [[
Prints the versions, the system, the environment variables that matter, where the module and plugins are
looked for, who may write there, whether plugins there are refused because of that, and which plugins are
found. The home directory is written as `~`. Nothing is changed, and no plugin is run.

Exit status: 1 if the module cannot be loaded.
]],
}

local windows = package.config:sub(1, 1) == "\\"

-- The environment variables that this Lua and the module read, as far as they are set.
local function variables()
  local names = {
    "CYGNIXY_PATH", "CYGNIXY_TRUSTED", "CYGNIXY_LOG", "CYGNIXY_IN_PLACE", "CYGNIXY_PLUGIN_API",
    "XDG_DATA_HOME", "XDG_DATA_DIRS",
  }
  -- Since 5.2 the one with the version is read instead, if it is set.
  local version = _VERSION:match("5%.([2-9])")
  for _, name in ipairs({ "LUA_INIT", "LUA_PATH", "LUA_CPATH" }) do
    if version then names[#names + 1] = name .. "_5_" .. version end
    names[#names + 1] = name
  end
  return names
end

-- The first line that a command of the shell writes, or nil.
local function ask(command)
  local started, pipe = pcall(io.popen, command)
  if not started or not pipe then return nil end
  local line = pipe:read("*l")
  pipe:close()
  return line
end

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- The home directory without a separator at its end, or nil. Without HOME it is what the system knows.
local function find_home()
  local home = os.getenv(windows and "USERPROFILE" or "HOME")
  if (not home or home == "") and not windows then home = ask([[eval "echo ~$(id -un 2>/dev/null)"]]) end
  home = home and home:gsub("[/\\]+$", "")
  return home and home:find("^%a?:?[/\\]") and home
end

-- Replaces the home directory where a path begins with it.
local function abbreviate(given, home)
  if not home then return given end
  local whole = "%f[^%z%s;:=,'\"()]" .. home:gsub("%p", "%%%0") .. "%f[/\\%s;:=,'\"()%z]"
  return (given:gsub(whole, "~"))
end

local home

-- A line, in which nothing changes the terminal.
local function write(...)
  output.write(text.one_line(abbreviate(table.concat({ ... }), home)), "\n")
end

-- What may have several lines.
local function write_lines(given)
  for line in given:gsub("\t", "  "):gmatch("[^\n]+") do
    write(line)
  end
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

-- Why the loader refuses by name what is in a folder, or nil. It judges the way to a file; one through the
-- folder and back leads to a file that is always there.
local function refusal(cygnixy, folder)
  local path = cygnixy.path
  cygnixy.path = folder .. ("/.."):rep(100) .. "/etc/passwd"
  local _, reason = cygnixy.check("x")
  cygnixy.path = path
  return reason:match("expected ('.-' to be writable by .-, found mode .-); no code")
end

-- The folder of a template up to its first `?`, and who may do what there.
local function folder_state(cygnixy, template)
  local folder = template:match("^([^?]*)[/\\][^/\\?]*%?") or "."
  if folder == "" then folder = "/" end
  if windows then return folder end
  local listed = ask("ls -ld -- " .. quote(folder) .. "/ 2>/dev/null")
  if not listed and not exists(folder .. "/.") then return folder .. ": is not there" end
  local mode, owner, group = (listed or ""):match("^(%S+)%s+%S+%s+(%S+)%s+(%S+)")
  local state = folder .. ": " .. (mode and table.concat({ mode, owner, group }, " ") or "is there")
  local reason = refusal(cygnixy, folder)
  return reason and state .. ", refused by name: expected " .. reason or state
end

local function templates(path, show)
  local shown = {}
  for template in path:gmatch("[^;]+") do
    local state = show(template)
    if not shown[state] then write("  ", state) end
    shown[state] = true
  end
end

local function system(jit)
  if jit and windows then return jit.os .. " " .. jit.arch end
  return windows and "Windows" or ask("uname -srm 2>/dev/null") or "unknown"
end

function doctor.run(_, operands)
  local problem = options.none(operands)
  if problem then return nil, problem end
  home = find_home()
  local found, cygnixy = pcall(require, "cygnixy")
  local jit = rawget(_G, "jit")
  write_lines("module:  " .. (found and cygnixy._VERSION or "cannot be loaded: " .. tostring(cygnixy)))
  write("Lua:     ", _VERSION, jit and (", " .. jit.version) or "")
  write("ABI:     ", found and cygnixy.abi or "unknown")
  write("system:  ", system(jit))
  write("rustc:   ", ask(windows and "rustc --version" or "rustc --version 2>/dev/null") or "not found")
  write("")
  write("module files on package.cpath, the first is taken:")
  for _, path in ipairs(module_files()) do
    write("  ", path)
  end
  write("")
  write("environment:")
  for _, name in ipairs(variables()) do
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
  templates(cygnixy.path, function(template)
    return folder_state(cygnixy, template)
  end)
  write("")
  write("cygnixy.trusted:")
  templates(cygnixy.trusted == "" and "nothing" or cygnixy.trusted, function(entry)
    return entry
  end)
  write("")
  write("plugins there:")
  local lines = list.lines(cygnixy)
  if #lines == 0 then lines = { "none" } end
  for _, line in ipairs(lines) do
    for part in line:gmatch("[^\n]+") do
      write("  ", part)
    end
  end
  return 0
end

return doctor
