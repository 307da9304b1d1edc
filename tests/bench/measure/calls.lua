-- The cost of calls: `calls.lua PLUGIN.so [BARE.so]`. The repetitions are interleaved, so that a slow
-- moment of the machine meets all sides. With BARE.so, the library in C without Lua, the LuaJIT of this
-- process compiles, and the functions are also called through its FFI; without, it interprets, as all
-- other rows are about the C API. Figures include the loop around the calls.
local samples = require "samples"

local plugin, bare = arg[1], arg[2]
if rawget(_G, "jit") and not bare then jit.off() end

local cygnixy = require "cygnixy"
local loaded = cygnixy.load(plugin)

-- The plugin's functions that were made in one way, or nil if it has none.
local function made(way)
  local functions = {}
  for name, f in pairs(loaded) do
    local short = name:match("^" .. way .. "_(.*)")
    if short then functions[short] = f end
  end
  return next(functions) and functions
end

local native, plain, created, fast = require "bench_native", require "bench_plain", made "create", made "fast"
native.methods, plain.methods, created.methods = true, true, true
if fast then fast.counter = created.counter end

-- The bare library as a C programmer would declare it, behind functions that take Lua's values.
local function through_ffi()
  local ffi = require "ffi"
  ffi.cdef [[
    void bench_noop(void);
    double bench_add(double, double);
    int bench_increment(int);
    int bench_length(const char *, size_t);
    int bench_look(const char *, size_t);
  ]]
  local C = ffi.load(bare)
  return {
    noop = function() C.bench_noop() end,
    add = function(a, b) return C.bench_add(a, b) end,
    increment = function(n) return C.bench_increment(n) end,
    length = function(text) return C.bench_length(text, #text) end,
    look = function(bytes) return C.bench_look(bytes, #bytes) end,
  }
end

local group, sides = "calls", {
  { name = "C", functions = native },
  { name = "mlua", functions = plain },
  { name = "cygnixy, create_function", functions = created },
  { name = "cygnixy, fast", functions = fast },
}
if bare then
  group, sides = "ffi", {
    { name = "C, through the C API", functions = native },
    { name = "C, through the FFI", functions = through_ffi() },
    { name = "cygnixy, fast", functions = fast },
  }
  -- `ffi` gives the functions under the names that they have in the plugin's table.
  local ok, functions = pcall(function() return cygnixy.ffi "bench" end)
  local of_ffi = {}
  for name, f in pairs(ok and functions or {}) do
    local short = name:match "^ffi_(.*)"
    if short then of_ffi[short] = f end
  end
  if next(of_ffi) then sides[#sides + 1] = { name = "cygnixy, ffi", functions = of_ffi } end
end

local taking_part = {}
for _, side in ipairs(sides) do
  if side.functions then
    side.rows = dofile(arg[0]:gsub("calls%.lua$", "rows.lua"))
    taking_part[#taking_part + 1] = side
  end
end

-- On the FFI's path, a row is shown if a bare function has it.
local function has(side, row)
  return side.functions[row.uses] and (not bare or taking_part[2].functions[row.uses])
end

for index in ipairs(taking_part[1].rows) do
  for repetition = 0, samples.repetitions do
    for _, side in ipairs(taking_part) do
      local row = side.rows[index]
      if has(side, row) then
        assert(row.check(side.functions), side.name .. " does something else: " .. row.name)
        collectgarbage()
        local seconds = samples.time(row.run, side.functions, row.calls)
        -- The first is for warming up.
        if repetition > 0 then samples.add(group, row.name, side.name, "ns", seconds / row.calls * 1e9) end
      end
    end
  end
end
