-- The results as JSON.
local dkjson = require "dkjson"
local loading = require "loading"
local thresholds = require "thresholds"

local json = {}

local order = {
  "machine", "results", "abi", "facts", "groups", "loading_curves", "thresholds",
  "group", "row", "side", "unit", "median", "q1", "q3", "samples",
}

local function by_name(facts)
  local map = {}
  for _, fact in ipairs(facts) do map[fact.name] = fact.value end
  return setmetatable(map, { __jsontype = "object" })
end

-- Six digits are more than the measurement has.
local function number(value)
  return tonumber(("%.6g"):format(value))
end

-- The cells of all groups but the single loads, whose curves say the same in fewer figures.
local function cells(result)
  local list = {}
  for _, group in ipairs(result.groups) do
    for _, row in ipairs(group.name == "loading" and {} or group) do
      for _, cell in ipairs(row) do
        list[#list + 1] = {
          group = group.name, row = row.name, side = cell.name, unit = cell.unit,
          median = number(cell.median), q1 = number(cell.low), q3 = number(cell.high), samples = cell.count,
        }
      end
    end
  end
  return list
end

local function curves(result)
  local list = {}
  for _, curve in ipairs(loading.curves(result)) do
    for _, point in ipairs(curve.points) do
      list[#list + 1] = {
        side = curve.name, plugins = point.at, unit = "us",
        median = number(point.median), q1 = number(point.low), q3 = number(point.high), samples = point.count,
      }
    end
  end
  return list
end

-- The whole run: what is known of the machine, and each ABI's results in order.
function json.encode(machine, measured)
  local list = {}
  for i, one in ipairs(measured) do
    list[i] = {
      abi = one.abi,
      facts = by_name(one.result.facts),
      groups = cells(one.result),
      loading_curves = curves(one.result),
      thresholds = thresholds.verdicts(one.abi, one.result),
    }
  end
  return dkjson.encode({ machine = by_name(machine.facts), results = list }, { indent = true, keyorder = order })
end

return json
