-- The plots: which question each answers, and with which figures.
local bars = require "bars"
local examples = require "examples"
local loading = require "loading"
local overview = require "overview"
local panels = require "panels"
local results = require "results"
local svg = require "svg"

local plots = {}

-- A group of bars for a row; the base has no ratio.
local function bars_of(name, row, base, to, sides)
  local group = { name = name }
  for _, side in ipairs(sides) do
    local cell = row[side]
    if cell then
      local ratio = side ~= base and results.ratio(row, side, base)
      group[#group + 1] = bars.of_cell(cell, ratio or nil, to)
    end
  end
  return group
end

-- The sides that a row of some result has.
local function present(rows, sides)
  local found = {}
  for _, side in ipairs(sides) do
    for _, row in ipairs(rows) do
      if row[side] then
        found[#found + 1] = side
        break
      end
    end
  end
  return found
end

local function calls(one)
  local rows, groups = one.result.groups.calls, {}
  local sides = present(rows, { "C", "mlua", "cygnixy, create_function", "cygnixy, fast" })
  for i, row in ipairs(rows) do groups[i] = bars_of(row.name, row, "C", "C", sides) end
  return bars.draw(("What does a call cost in %s?"):format(svg.abi_names[one.abi]),
    "processor time of a call, median with quartiles; each group has a scale of its own", sides, groups, true)
end

local function ffi(one)
  local rows, groups = one.result.groups.ffi, {}
  local sides = present(rows, { "C, through the C API", "C, through the FFI", "cygnixy, fast", "cygnixy, ffi" })
  for i, row in ipairs(rows) do groups[i] = bars_of(row.name, row, "C, through the C API", "the C API", sides) end
  return bars.draw("What does LuaJIT's FFI save?",
    "processor time of a call in compiled code, median with quartiles; each group has a scale of its own",
    sides, groups, true)
end

-- A panel for each ABI.
local function panel_for_each(measured, make)
  local list = {}
  for _, one in ipairs(measured) do
    local panel = make(one.result)
    panel.name = svg.abi_names[one.abi]
    list[#list + 1] = panel
  end
  return list
end

local function loads(measured)
  local list = panel_for_each(measured, function(result)
    local rows = loading.summary(result)
    return {
      curves = loading.curves(result),
      note = ("the first: %.2f × mlua"):format(results.ratio(rows.first, "cygnixy", "mlua")),
    }
  end)
  return panels.draw("Does the next plugin cost more than the first?",
    "time to load one more module or plugin, by how many the state has; median with quartiles",
    { "C", "mlua", "cygnixy" }, list, "modules or plugins loaded", "us", true)
end

local function unloads(measured)
  local sides = { "one collectgarbage()", "cygnixy: unload" }
  local list = panel_for_each(measured, function(result)
    local group, curves = result.groups.heap, {}
    for i, side in ipairs(sides) do
      curves[i] = { name = side, points = {} }
      for k, row in ipairs(group) do
        local cell = row[side]
        curves[i].points[k] = { at = tonumber(row.name), median = cell.median, low = cell.low, high = cell.high }
      end
    end
    local ratio = results.ratio(group[#group], sides[2], sides[1])
    return { curves = curves, note = ("at the largest: %.2f collections"):format(ratio) }
  end)
  return panels.draw("How long does an unload stop the script?",
    "time to unload a plugin, next to one full collection, by what is in the heap; median with quartiles",
    sides, list, "small tables in the Lua heap", "ms", true)
end

local function cycle(measured)
  local sides, groups = { "dlopen + dlclose", "cygnixy: load, call, unload", "cygnixy: reload" }, {}
  for i, one in ipairs(measured) do
    groups[i] = bars_of(svg.abi_names[one.abi], one.result.groups.cycle[1], sides[1], "bare", sides)
  end
  return bars.draw("What does the life of a plugin cost?",
    "a plugin with one function, next to the least that mapping its file costs; median with quartiles",
    sides, groups)
end

local function footprint(measured)
  local sides, groups = { "C", "mlua", "cygnixy" }, {}
  for _, one in ipairs(measured) do
    local memory = results.row(one.result, "memory", "resident, private")
    local size = results.row(one.result, "size", "a minimal one, stripped")
    local name = svg.abi_names[one.abi]
    if memory then groups[#groups + 1] = bars_of(name .. ", resident", memory, "mlua", "mlua", sides) end
    groups[#groups + 1] = bars_of(name .. ", file", size, "mlua", "mlua", sides)
  end
  return bars.draw("How large is a module or plugin with one function?",
    "private resident memory for each of many loaded, and the size of the stripped file", sides, groups)
end

-- All plots by file name.
function plots.all(measured)
  local files = {
    ["calls.svg"] = overview.draw(measured),
    ["loading.svg"] = loads(measured),
    ["unload.svg"] = unloads(measured),
    ["cycle.svg"] = cycle(measured),
    ["footprint.svg"] = footprint(measured),
    ["examples.svg"] = examples.draw(measured),
  }
  for _, one in ipairs(measured) do
    files[("calls-%s.svg"):format(one.abi)] = calls(one)
    if one.result.groups.ffi then files["ffi.svg"] = ffi(one) end
  end
  return files
end

return plots
