---Lets `require` find plugins: `require "greet"` loads what `cygnixy.load "greet"` would load, after all
---other searchers have found nothing. The module's value is the searcher, which this has put at the end
---of `package.searchers` (`package.loaders` in Lua 5.1 and LuaJIT), once.

local cygnixy = require("cygnixy")

-- How a searcher's message begins: in 5.4 and later `require` itself begins the line. It is asked of
-- `package.searchpath`, whose messages are made for searchers; Lua 5.1 has none.
local function beginning()
  if package.searchpath then
    local _, message = package.searchpath("none", "/dev/null/?")
    if message and message:sub(1, 1) ~= "\n" then
      return ""
    end
  end
  return "\n\t"
end

---@param name string
---@return function|string # a function that loads the plugin, or the places that were tried
---@return string? path the plugin's file
local function searcher(name)
  local path, tried = cygnixy.searchpath(name)
  if not path then
    return tried == "" and "" or beginning() .. tried
  end
  return function()
    -- What has such a path is no longer a name; others can still not be allowed to change it.
    return cygnixy.load(path, { trusted = true })
  end, path
end

-- A second run of this file finds the searcher of the first here.
if not cygnixy.searcher then
  local searchers = assert(package.searchers or package.loaders, "package.searchers is missing")
  searchers[#searchers + 1] = searcher
  cygnixy.searcher = searcher
end

return cygnixy.searcher
