-- For hosts that run a script and end: `require "script" ()` does the steps of service.lua one after another,
-- with the plugin's file replaced in between, and writes what came of them to the file HOSTS_SAID.
local service = require "service"

local plugins = os.getenv("HOSTS_PLUGINS")

-- As a build does it: another file takes the place of the old one.
local function replace()
  local from, to = assert(io.open(plugins .. "/../second.so", "rb")), assert(io.open(plugins .. "/new", "wb"))
  to:write((from:read("*a")))
  to:close()
  from:close()
  assert(os.rename(plugins .. "/new", plugins .. "/greet.so"))
end

return function()
  local said = assert(io.open(os.getenv("HOSTS_SAID"), "w"))
  local function say(step, argument, name)
    said:write(name or step, ": ", service(step, argument), "\n")
  end
  say "lua"
  say("hello", "you")
  say "fail"
  say "panic"
  say "named"
  say "other"
  replace()
  say "reload"
  say("hello", "you", "rebuilt")
  say("held", "you")
  say "unload"
  said:close()
end
