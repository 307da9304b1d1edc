-- JSON next to lua-cjson: `bench.lua PLUGIN.so SCRATCH`, run by tests/bench.sh. Two documents of some
-- megabytes, the same in every run: records as a web service sends them, and a grid of numbers. And many
-- small messages, where the cost of the call itself counts.
local samples = require "samples"
local cygnixy = require "cygnixy"

local json, cjson = cygnixy.load(arg[1]), require "cjson"

-- lua-cjson writes at most 14 digits of a number; the documents have fewer.
cjson.encode_number_precision(14)

-- Numbers that are the same in every Lua.
local seed = 20261123
local function random(limit)
  seed = (seed * 16807) % 2147483647
  return seed % limit
end

-- A number with so many decimals, the last of which is a 5: no integer, and no more digits than that.
local function decimal(limit, digits)
  return tonumber(("%d.%0" .. digits .. "d5"):format(random(limit), random(10 ^ digits)))
end

local words = { "amber", "basalt", "cobalt", "dune", "ember", "fjord", "grove", "harbour", "île", "jäger" }

local function sentence(length)
  local parts = {}
  for i = 1, length do parts[i] = words[random(#words) + 1] end
  return table.concat(parts, " ")
end

local function record(id)
  local tags, history = {}, {}
  for i = 1, random(5) + 1 do tags[i] = words[random(#words) + 1] end
  for i = 1, 3 do history[i] = { at = 1700000000 + random(9999999), amount = decimal(1000, 1) } end
  return {
    id = id, guid = ("%08x-%08x"):format(random(2 ^ 30), random(2 ^ 30)), active = random(2) == 0,
    name = sentence(2), address = { street = sentence(3), number = random(200), city = sentence(1) },
    latitude = decimal(90, 5), balance = decimal(10000, 1),
    about = sentence(25) .. "\n\"" .. sentence(4) .. "\"", tags = tags, history = history,
  }
end

local records, grid = {}, {}
for id = 1, 6000 do records[id] = record(id) end
for row = 1, 1500 do
  grid[row] = {}
  for column = 1, 200 do
    grid[row][column] = column % 4 == 0 and random(1000000) or decimal(1000, 4)
  end
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

-- One small document, over and over.
local message = { id = 17, name = "Zoë", tags = { "a", "b" }, ok = true }
local function repeated(f)
  return function(value)
    for _ = 1, 20000 do f(value) end
  end
end

local function sample(row, side, f, value, keep)
  collectgarbage()
  collectgarbage()
  local seconds = samples.time(f, value)
  if keep then samples.add("examples", row, side, "ms", seconds * 1e3) end
end

local repetitions = math.min(samples.repetitions, 15)
for _, document in ipairs {
  { name = "records", value = records },
  { name = "numbers", value = grid },
  { name = "messages", value = message, many = true },
} do
  local text = json.encode(document.value)
  assert(same(document.value, json.decode(text)) and same(document.value, cjson.decode(text)))
  assert(same(document.value, json.decode(cjson.encode(document.value))))
  for repetition = 0, repetitions do
    -- The first is for warming up.
    for _, way in ipairs { "decode", "encode" } do
      local row = ("json: %s %s"):format(way, document.name)
      local value = way == "decode" and text or document.value
      for _, side in ipairs { { "cygnixy: json", json[way] }, { "lua-cjson", cjson[way] } } do
        sample(row, side[1], document.many and repeated(side[2]) or side[2], value, repetition > 0)
      end
    end
  end
end
