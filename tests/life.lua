-- One life of the module and its plugins: load, call, fail, panic, unload, load again, and leave
-- something for the end of the state. Run with any Lua: `life.lua FOLDER [ROUNDS]`, where FOLDER
-- is build/ABI. Sets the globals `cygnixy`, `probe` and `kept`, and returns the ABI.

-- luacheck: globals cygnixy probe kept newproxy
local folder, rounds = ...
rounds = tonumber(rounds) or 20
package.cpath = folder .. "/?.so"

-- Made before anything of ours: its finaliser runs after all of ours when the state is closed.
local function finalised(finaliser)
  if rawget(_G, "newproxy") then
    local object = newproxy(true)
    getmetatable(object).__gc = finaliser
    return object
  end
  return setmetatable({}, { __gc = finaliser })
end
kept = {}
kept.first = finalised(function()
  for _, f in ipairs(kept) do pcall(f) end
  pcall(cygnixy.list)
  pcall(cygnixy.load, folder .. "/probe.so")
  pcall(cygnixy.unload, "probe")
  for _, f in ipairs(kept) do pcall(f, 1) end
end)

cygnixy = require "cygnixy"
assert(require "cygnixy" == cygnixy)
probe = cygnixy.load(folder .. "/probe.so")
local greet = cygnixy.load(folder .. "/plugins/greet.so")
assert(probe.add(40, 2) == 42)
assert(greet.hello("world") == "Hello, world!")

local function fails(text, f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok, "no error, but expected: " .. text)
  assert(type(message) == "string", "an error of type " .. type(message))
  assert(message:find(text, 1, true), message .. "\nlacks: " .. text)
  assert(not message:find("traceback", 1, true), message)
end

local function here()
  local info = debug.getinfo(2, "Sl")
  return info.short_src .. ":" .. info.currentline .. ": "
end

for _ = 1, rounds do
  fails(here() .. "the probe failed: no signal", function() probe.fail() end)
  fails(here(), function() probe.panic("no luck") end)
  fails("no luck", probe.panic, "no luck")
  fails("the probe failed", coroutine.wrap(function() probe.fail() end))
  fails("bad argument #2", probe.add, 1, {})
  fails("the probe failed", probe.object(1).fail, probe.object(1))
  collectgarbage()
end
assert(probe.catch(function() probe.fail() end).is_probe_error)
assert(coroutine.wrap(function() return probe.object(7):value() end)() == 7)
fails("no/such/plugin.so", cygnixy.load, "no/such/plugin.so")

-- Unloaded from under a coroutine that is suspended inside of it, and from under what is held.
local held, object = probe.add, probe.object(5)
local suspended = coroutine.create(function() coroutine.yield(probe.add(1, 2)) probe.add(1, 2) end)
assert(select(2, coroutine.resume(suspended)) == 3)
cygnixy.unload(greet)
cygnixy.unload("probe")
fails("plugin 'probe' has been unloaded", held, 1, 2)
fails("plugin 'greet' has been unloaded", greet.hello, "you")
local ok, message = coroutine.resume(suspended)
assert(not ok and message:find("has been unloaded", 1, true), message)
for _ = 1, 3 do collectgarbage() end

probe = cygnixy.load(folder .. "/probe.so")
assert(probe.count() == 1, "the counter of another object was seen")
assert(held ~= probe.add)
for _, name in ipairs { "fail", "panic", "count", "add", "echo" } do
  table.insert(kept, probe[name])
end
table.insert(kept, function() return object:value() end)
table.insert(kept, function() return kept.object:fail() end)
kept.object, kept.held = probe.object(1), held
-- And one whose finaliser runs before.
kept.last = finalised(function()
  for _, f in ipairs(kept) do pcall(f) end
end)
return cygnixy.abi
