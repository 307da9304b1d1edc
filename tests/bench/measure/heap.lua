-- Unloading with many objects in the Lua state, next to one full collection of them: `heap.lua PLUGIN.so`.
-- The objects are small tables, from a thousand to BENCH_HEAP (ten million if it is not set), as far as
-- there is memory for them.
local samples = require "samples"

local plugin = arg[1]
local largest = tonumber(os.getenv "BENCH_HEAP") or 1e7
if rawget(_G, "jit") then jit.off() end

local cygnixy = require "cygnixy"

local function has_memory_for(objects)
  local available = tonumber(samples.read("/proc/meminfo"):match "\nMemAvailable:%s*(%d+)")
  return objects * 200 / 1024 < available / 2
end

local heap = {}
local size = 1000
while size <= largest do
  if not has_memory_for(size) then
    io.stderr:write(("heap.lua: no memory for %d objects; fewer are measured\n"):format(size))
    break
  end
  for i = #heap + 1, size do heap[i] = { i } end
  local repetitions = math.max(3, math.min(samples.repetitions, 3e6 / size))
  for _ = 1, repetitions do
    local loaded = cygnixy.load(plugin)
    loaded.answer()
    collectgarbage()
    samples.add("heap", tostring(#heap), "one collectgarbage()", "ms", samples.time(collectgarbage) * 1e3)
    local started = os.clock()
    local report = cygnixy.unload(loaded)
    samples.add("heap", tostring(#heap), "cygnixy: unload", "ms", (os.clock() - started) * 1e3)
    assert(report.unmapped, report.text)
  end
  size = size * 10
end
