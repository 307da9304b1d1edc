-- Raw samples, read and summed up: the result of an ABI has facts and groups; a group has rows in the order
-- measured; a row has a cell for each side, with the median and the quartiles of its samples.
local results = {}

function results.quantile(sorted, q)
  return sorted[math.max(1, math.ceil(#sorted * q))]
end

-- The median and the quartiles of numbers, as `median`, `low`, `high`.
function results.spread(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  return {
    median = results.quantile(sorted, 0.5),
    low = results.quantile(sorted, 0.25),
    high = results.quantile(sorted, 0.75),
    count = #sorted,
  }
end

-- The entry of a list with that name; it is made if there is none.
local function entry(list, name)
  if not list[name] then
    list[name] = { name = name }
    list[#list + 1] = list[name]
  end
  return list[name]
end

-- The lines of a file by their fields.
local function fields(path)
  local lines = {}
  for line in io.lines(path) do
    local parts = {}
    for part in (line .. "\t"):gmatch "(.-)\t" do parts[#parts + 1] = part end
    lines[#lines + 1] = parts
  end
  return lines
end

-- The results in a file of samples.
function results.read(path)
  local result = { facts = {}, groups = {} }
  for _, part in ipairs(fields(path)) do
    local group, row, side, unit, value = table.unpack(part)
    if group == "fact" then
      result.facts[#result.facts + 1] = { name = row, value = side }
      result.facts[row] = side
    else
      local cell = entry(entry(entry(result.groups, group), row), side)
      cell.unit, cell.samples = unit, cell.samples or {}
      table.insert(cell.samples, tonumber(value))
    end
  end
  for _, group in ipairs(result.groups) do
    for _, row in ipairs(group) do
      for _, cell in ipairs(row) do
        for key, value in pairs(results.spread(cell.samples)) do cell[key] = value end
      end
    end
  end
  return result
end

-- A row of a group, or nil.
function results.row(result, group, row)
  return result.groups[group] and result.groups[group][row]
end

-- How many times the base a side's figure is, or nil if one is missing or the base is zero. Samples that were
-- taken in turns are compared pair by pair, so that a slow moment of the machine meets both.
function results.ratio(row, side, base)
  side, base = row and row[side], row and row[base]
  if not (side and base and base.median > 0) then return nil end
  if side.count ~= base.count or side.count < 3 then return side.median / base.median end
  local ratios = {}
  for i, value in ipairs(side.samples) do ratios[i] = value / base.samples[i] end
  return results.spread(ratios).median
end

return results
