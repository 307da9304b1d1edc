-- Long runs: `soak.lua CYCLES RELOADS FOLDER SCRATCH`, where FOLDER is build/ABI and SCRATCH a folder to
-- write to. First CYCLES times load, call, fail and unload of three plugins of the zoo; then RELOADS
-- reloads of a plugin whose file changes each time, with the script calling it throughout. Prints
-- what the process holds along the way, and fails if it holds more at the end than after the first
-- tenth (of a thousand rounds or more), if a library was not unmapped, or if an answer is wrong. Linux
-- only: it reads /proc.
local cygnixy = require "cygnixy"

local cycles, reloads = tonumber(arg[1]) or 10000, tonumber(arg[2]) or 1000
local folder, scratch = assert(arg[3], "which folder?"), assert(arg[4], "where to write?")
local allowed_kib = 256

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function resident_kib()
  return tonumber(read("/proc/self/status"):match "VmRSS:%s*(%d+)")
end

-- Libraries, also those that are in memory only.
local function mapped_libraries()
  local seen, count = {}, 0
  for path in read("/proc/self/maps"):gmatch "(/[^\n]*%.so[^\n]*)" do
    if not seen[path] then
      seen[path], count = true, count + 1
    end
  end
  return count
end

local function fails(f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok and type(message) == "string", message)
end

local uses = {
  captured = function(plugin)
    local counter = plugin.counter()
    assert(counter() == 1 and counter() == 2)
  end,
  objects = function(plugin)
    local object = plugin.object(20)
    object:set(object:value() + 1)
    assert(object:value() == 21 and object.double == 42)
    fails(object.set, object, {})
    fails(plugin.object, "no number")
  end,
  spans = function(plugin)
    plugin.work(3)
    fails(plugin.work, "no number")
  end,
}

local function cycle()
  for name, use in pairs(uses) do
    local plugin = cygnixy.load(folder .. "/zoo/" .. name .. ".so")
    assert(plugin.ping() == "pong")
    use(plugin)
    local report = cygnixy.unload(plugin)
    assert(report.unmapped, report.text)
    fails(plugin.ping)
  end
end

local function sample(what, n, seconds)
  collectgarbage()
  collectgarbage()
  local now = {
    resident = resident_kib(),
    heap = collectgarbage "count",
    libraries = mapped_libraries(),
    seconds = seconds,
  }
  print(("%8d %s  %8d KiB resident  %8.1f KiB Lua heap  %3d libraries  %7.1f us each")
    :format(n, what, now.resident, now.heap, now.libraries, seconds * 1e6))
  return now
end

-- Runs `one` so many times, and compares what is held after a tenth of them and at the end.
local function soak(what, count, one)
  local tenth = math.max(1, math.floor(count / 10))
  local base, last
  for step = 1, 10 do
    local started = os.clock()
    for _ = 1, tenth do one() end
    last = sample(what, step * tenth, (os.clock() - started) / tenth)
    base = base or last
  end
  if count < 1000 then
    print("too few to compare what is held; only answers and unmapping were checked")
    return
  end
  local grown = last.resident - base.resident
  print(("grown since the first tenth: %d KiB resident (allowed %d), %.1f KiB Lua heap, %d libraries")
    :format(grown, allowed_kib, last.heap - base.heap, last.libraries - base.libraries))
  assert(grown < allowed_kib, "the resident memory grows")
  assert(last.heap - base.heap < 16, "the Lua heap grows")
  assert(last.libraries == base.libraries, "mapped libraries pile up")
  -- Processor time on a machine that others use too: this finds what grows with the number of cycles.
  assert(last.seconds < 3 * base.seconds, "each takes longer and longer")
end

soak("cycles", cycles, cycle)

-- A new file each time, as a build makes it; never the same twice in a row.
local contents = { read(folder .. "/fixtures/version_1.so"), read(folder .. "/fixtures/version_2.so") }
local path = scratch .. "/version.so"
local function build(which)
  local file = assert(io.open(path .. ".new", "wb"))
  assert(file:write(contents[which]))
  file:close()
  assert(os.rename(path .. ".new", path))
end

build(1)
local plugin = cygnixy.load(path)
local which, count = 1, 0
local caller = coroutine.wrap(function()
  while true do
    coroutine.yield(plugin.number(), plugin.written_in_lua(), plugin.count())
  end
end)
local function ask()
  for _ = 1, 5 do
    count = count + 1
    local number, written_in_lua, counted = caller()
    assert(number == which and written_in_lua == which, "an answer of another version")
    assert(counted == count, "a call was not counted")
    fails(plugin.fail, "as it should")
    assert(plugin.call(plugin.number) == which)
  end
end
if reloads > 0 then
  soak("reloads", reloads, function()
    ask()
    -- Held for a while: it runs the new code, and lets go of the old library later.
    local held = plugin.number
    which = 3 - which
    build(which)
    cygnixy.reload(plugin)
    assert(held() == which)
    held = nil -- luacheck: ignore
    ask()
    for _, report in ipairs(cygnixy.collect()) do
      assert(report.unmapped, report.text)
    end
  end)
end
local report = cygnixy.unload(plugin)
assert(report.unmapped, report.text)
