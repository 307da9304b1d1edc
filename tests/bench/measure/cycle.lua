-- The life of a plugin: `cycle.lua PLUGIN.so MINIMAL.so SCRATCH`. A whole life next to a bare `dlopen` and
-- `dlclose` of the same file, and a reload between two versions of one.
local samples = require "samples"

local plugin, minimal, scratch = arg[1], arg[2], arg[3]
if rawget(_G, "jit") then jit.off() end

local cygnixy = require "cygnixy"
local native = require "bench_native"

local function bare(path)
  assert(native.map(path), "the library stays mapped")
end

local function life(path, name)
  local loaded = cygnixy.load(path)
  loaded[name]()
  local report = cygnixy.unload(loaded)
  assert(report.unmapped, report.text)
end

local kinds = {
  { name = "a plugin with one function", path = minimal, calls = "answer" },
  { name = "the benchmark's plugin", path = plugin, calls = "create_noop" },
}
local times = 10
for repetition = 0, samples.repetitions do
  for _, kind in ipairs(kinds) do
    local function sample(side, f, ...)
      collectgarbage()
      local started = os.clock()
      for _ = 1, times do f(...) end
      local seconds = (os.clock() - started) / times
      if repetition > 0 then samples.add("cycle", kind.name, side, "us", seconds * 1e6) end
    end
    sample("dlopen + dlclose", bare, kind.path)
    sample("cygnixy: load, call, unload", life, kind.path, kind.calls)
  end
end

-- The file changes each time, as a build makes it.
local content = samples.read(minimal)
local answers = { "answer 1", "answer 2" }
local versions = {}
for i, answer in ipairs(answers) do versions[i] = samples.patch(content, "answer 0", answer) end
local path = scratch .. "/reloaded.so"

local function build(i)
  samples.write(path .. ".new", versions[i])
  assert(os.rename(path .. ".new", path))
end

build(1)
local loaded = cygnixy.load(path)
for repetition = 0, samples.repetitions do
  for _ = 1, times do
    local i = loaded.answer() == answers[1] and 2 or 1
    build(i)
    local seconds = samples.time(cygnixy.reload, loaded)
    assert(loaded.answer() == answers[i])
    if repetition > 0 then samples.add("cycle", kinds[1].name, "cygnixy: reload", "us", seconds * 1e6) end
  end
end
