-- Compares the cost of a call: a module in C, a module written with mlua alone, and a cygnixy
-- plugin, in one run; and that of loading, calling, unloading and verifying a plugin with a bare
-- `dlopen` and `dlclose` of the same file. `run.lua ABI PLUGIN.so OUTPUT-PREFIX` prints a table and
-- writes OUTPUT-PREFIX.json and OUTPUT-PREFIX.svg. The repetitions are interleaved, so that a noisy
-- moment of the machine meets all sides; figures are medians with the quartiles.
local abi, plugin, prefix = arg[1], arg[2], arg[3]
local repetitions = tonumber(os.getenv "BENCH_REPETITIONS") or 31

if rawget(_G, "jit") then jit.off() end -- the rows are about the C API

local plot = require "plot"
local cygnixy = require "cygnixy"
local native = require "bench_native"

-- The cycle comes first, while nothing else has the plugin.
local lives = {
  { name = "dlopen + dlclose", functions = function() assert(native.map(plugin)) end },
  { name = "cygnixy", functions = function()
    local loaded = cygnixy.load(plugin)
    loaded.noop()
    assert(cygnixy.unload(loaded).unmapped)
  end },
}
local life = { name = "load, call, unload, verify", calls = 20, run = function(f, n)
  for _ = 1, n do f() end
end }

local sides = {
  { name = "C", functions = native },
  { name = "mlua", functions = require "bench_plain" },
}

local rows = {
  { name = "a call without arguments", calls = 20000, run = function(t, n)
    local f = t.noop
    for _ = 1, n do f() end
  end },
  { name = "two numbers", calls = 20000, run = function(t, n)
    local f = t.add
    for i = 1, n do f(i, 0.5) end
  end },
  { name = "length of a short string", calls = 20000, run = function(t, n)
    local f = t.length
    for _ = 1, n do f("a short string") end
  end },
  { name = "an error, raised and caught", calls = 2000, run = function(t, n)
    local f = t.fail
    for _ = 1, n do pcall(f) end
  end },
}

local function quantile(sorted, q)
  return sorted[math.max(1, math.ceil(#sorted * q))]
end

local function measure(row, of)
  local samples = {}
  for i = 1, #of do samples[i] = {} end
  for _ = 1, repetitions do
    for i, side in ipairs(of) do
      collectgarbage()
      local started = os.clock()
      row.run(side.functions, row.calls)
      table.insert(samples[i], (os.clock() - started) / row.calls * 1e9)
    end
  end
  local result = { name = row.name }
  for i, side in ipairs(of) do
    table.sort(samples[i])
    result[i] = {
      side = side.name,
      median = quantile(samples[i], 0.5),
      low = quantile(samples[i], 0.25),
      high = quantile(samples[i], 0.75),
    }
  end
  return result
end

local function json(results)
  local lines = {}
  for _, row in ipairs(results) do
    for _, cell in ipairs(row) do
      local form = '  {"abi": "%s", "row": "%s", "side": "%s", "median_ns": %.2f, "q1_ns": %.2f, "q3_ns": %.2f}'
      lines[#lines + 1] = form:format(abi, row.name, cell.side, cell.median, cell.low, cell.high)
    end
  end
  return "[\n" .. table.concat(lines, ",\n") .. "\n]\n"
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  file:close()
end

local life_result = measure(life, lives)
sides[3] = { name = "cygnixy", functions = cygnixy.load(plugin) }

print(("%s: ns per call, median of %d interleaved repetitions (quartiles)"):format(abi, repetitions))
print(("%-28s %22s %22s %22s %10s"):format("", "C", "mlua", "cygnixy", "to mlua"))
local results = {}
for i, row in ipairs(rows) do
  local result = measure(row, sides)
  results[i] = result
  local line = { ("%-28s"):format(row.name) }
  for _, cell in ipairs(result) do
    line[#line + 1] = ("%7.1f (%5.1f - %5.1f)"):format(cell.median, cell.low, cell.high)
  end
  line[#line + 1] = ("%9.2fx"):format(result[3].median / result[2].median)
  print(table.concat(line, " "))
end
local bare, whole = life_result[1], life_result[2]
print(("%-28s %22s %22s %22s %10s"):format("", bare.side, "", whole.side, "to bare"))
print(("%-28s %7.0f (%5.0f - %5.0f) %22s %6.0f (%5.0f - %5.0f) %9.2fx"):format(life.name,
  bare.median, bare.low, bare.high, "", whole.median, whole.low, whole.high, whole.median / bare.median))
results[#results + 1] = life_result
write(prefix .. ".json", json(results))
write(prefix .. ".svg", plot.bars("ns per call, " .. abi, results))
print(("written: %s.json, %s.svg"):format(prefix, prefix))
