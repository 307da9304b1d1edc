-- Carries out a command line: `actions` in order, `arg` as the script's table.
-- Returns nothing, or the text of the first error that nothing caught.
local actions, arg = ...

local debug, require, tostring, type = debug, require, tostring, type
local load = loadstring or load
local loadfile, print, xpcall, ipairs = loadfile, print, xpcall, ipairs
local unpack = table.unpack or unpack
local environment = _G
local version = jit and jit.version or _VERSION

-- The text of an error value, with the calls that led to it, less the frames of this file.
local function explain(value)
  local text = value
  if type(text) == "number" then
    text = tostring(text)
  elseif type(text) ~= "string" then
    local meta = debug.getmetatable(value)
    if meta and meta.__tostring then
      return tostring(value)
    end
    text = "(error object is a " .. type(value) .. " value)"
  end
  local traced = debug.traceback(text, 2)
  return (traced:gsub("\n[^\n]*tail call[^\n]*(\n[^\n]*xpcall'?\n\tlua%-host:)", "%1")
    :gsub("\n[^\n]*xpcall'?\n\tlua%-host:.*$", "\n\t[C]: in ?"))
end

-- Calls `chunk` in protected mode; returns nothing, or the error's text.
local function call(chunk, ...)
  local args, count = { ... }, select("#", ...)
  local ok, text = xpcall(function() return chunk(unpack(args, 1, count)) end, explain)
  if not ok then return tostring(text) end
end

local run = {}

function run.version()
  print(version .. "  (lua-host, vendored by mlua)")
end

function run.execute(text)
  local chunk, err = load(text, "=(command line)")
  if not chunk then return err end
  return call(chunk)
end

function run.require(text)
  local name, module = text:match("^([%a_][%w_]*)=(.+)$")
  return call(function()
    environment[name or text] = require(module or text)
  end)
end

function run.script(path)
  local chunk, err = loadfile(path)
  if not chunk then return err end
  return call(chunk, unpack(arg, 1, #arg))
end

environment.arg = arg
for _, action in ipairs(actions) do
  local text = run[action.kind](action.operand)
  if text then return text end
end
