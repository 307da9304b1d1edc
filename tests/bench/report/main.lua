-- What was measured, as tables, JSON and plots: `main.lua RESULTS ABI...`, where RESULTS/raw has the
-- samples. Run with Lua 5.4, in this folder. Prints the tables and writes RESULTS/bench.txt, bench.json
-- and the plots.
local json = require "json"
local plots = require "plots"
local results = require "results"
local tables = require "tables"

local folder = arg[1]

local function write(name, text)
  local path = folder .. "/" .. name
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
  print("written: " .. path)
end

local machine = results.read(folder .. "/raw/machine.tsv")
local measured, texts = {}, {}
for i = 2, #arg do
  local abi = arg[i]
  local result = results.read(("%s/raw/%s.tsv"):format(folder, abi))
  measured[#measured + 1] = { abi = abi, result = result }
end
assert(#measured > 0, "nothing was measured")

texts[1] = "Medians with quartiles, of interleaved repetitions, in processor time, or in elapsed time "
  .. "where the rows of hashtree and of durable commits say so; ratios are of these.\n"
for _, fact in ipairs(machine.facts) do texts[#texts + 1] = ("%-13s%s\n"):format(fact.name, fact.value) end
for _, one in ipairs(measured) do texts[#texts + 1] = "\n" .. tables.of(one.abi, one.result) end
local text = table.concat(texts)
io.write(text, "\n")

write("bench.txt", text)
write("bench.json", json.encode(machine, measured))
local names = {}
local files = plots.all(measured)
for name in pairs(files) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do write(name, files[name]) end
