-- A long run of load, call, fail, unload: `soak.lua CYCLES PLUGIN.so...`. Prints what the process
-- holds along the way, and fails if it holds more at the end than it did after a tenth of the run.
-- Linux only: it reads /proc.
local cygnixy = require "cygnixy"

local cycles = tonumber(arg[1]) or 10000
local paths = { (table.unpack or unpack)(arg, 2) }
assert(#paths > 0, "usage: soak.lua CYCLES PLUGIN.so...")
local allowed_kib = 256

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function resident_kib()
  return tonumber(read("/proc/self/status"):match "VmRSS:%s*(%d+)")
end

local function mapped_libraries()
  local seen, count = {}, 0
  for path in read("/proc/self/maps"):gmatch "(/[^\n]*%.so[^\n]*)" do
    if not seen[path] then
      seen[path], count = true, count + 1
    end
  end
  return count
end

-- Calls every function with arguments that none of them takes: each has to fail with a string.
local function fail(plugin)
  for name, f in pairs(plugin) do
    local ok, message = pcall(f, {}, {}, {})
    assert(not ok and type(message) == "string", name)
  end
end

local function cycle()
  for _, path in ipairs(paths) do
    local plugin = cygnixy.load(path)
    fail(plugin)
    if plugin.hello then assert(plugin.hello "soak" == "Hello, soak!") end
    local _, held = next(plugin)
    cygnixy.unload(plugin)
    local ok, message = pcall(held)
    assert(not ok and message:find("has been unloaded", 1, true))
  end
end

local function sample(n, seconds)
  collectgarbage()
  collectgarbage()
  local now = {
    resident = resident_kib(),
    heap = collectgarbage "count",
    libraries = mapped_libraries(),
  }
  print(("%8d cycles  %8d KiB resident  %8.1f KiB Lua heap  %3d libraries  %6.1f us per cycle")
    :format(n, now.resident, now.heap, now.libraries, seconds * 1e6))
  return now
end

local tenth = math.max(1, math.floor(cycles / 10))
local base, last
for step = 1, 10 do
  local started = os.clock()
  for _ = 1, tenth do cycle() end
  last = sample(step * tenth, (os.clock() - started) / tenth)
  base = base or last
end

local grown = last.resident - base.resident
print(("grown since the first tenth: %d KiB resident (allowed %d), %.1f KiB Lua heap, %d libraries")
  :format(grown, allowed_kib, last.heap - base.heap, last.libraries - base.libraries))
assert(grown < allowed_kib, "the resident memory grows")
assert(last.heap - base.heap < 16, "the Lua heap grows")
assert(last.libraries == base.libraries, "mapped libraries pile up")
