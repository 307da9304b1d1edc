-- What the single loads say together: the cost of the first, and of a plugin by how many there are.
local results = require "results"

local loading = {}

-- Loads are put together in groups that grow, as the scale of the plot does.
local bounds = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 9999 }

-- For each side, points of `at` (the last load of the group), `median`, `low`, `high`.
function loading.curves(result)
  local group = result.groups.loading or {}
  local curves = {}
  for _, side in ipairs { "C", "mlua", "cygnixy" } do
    local points, from = {}, 1
    for _, bound in ipairs(bounds) do
      local values = {}
      for i = from, bound do
        local row = group[tostring(i)]
        if row and row[side] then table.move(row[side].samples, 1, #row[side].samples, #values + 1, values) end
      end
      if #values > 0 then
        local point = results.spread(values)
        point.at = math.min(bound, #group)
        points[#points + 1] = point
      end
      from = bound + 1
    end
    curves[#curves + 1] = { name = side, points = points }
    curves[side] = points
  end
  return curves
end

-- Rows for the tables: the first load, the next ones, the last ones, and the mean of all but the first.
function loading.summary(result)
  local group, rows = result.groups.loading, {}
  if not group then return rows end
  local count = #group
  local function row(name, from, to, whole)
    local made = { name = name }
    for _, side in ipairs { "C", "mlua", "cygnixy" } do
      local values = {}
      for i = from, to do
        local samples = group[tostring(i)][side].samples
        table.move(samples, 1, #samples, #values + 1, values)
      end
      local cell = results.spread(values)
      if whole then
        local total = 0
        for _, value in ipairs(values) do total = total + value end
        cell = { median = total / #values, low = total / #values, high = total / #values, count = 1 }
      end
      cell.name, cell.unit, cell.samples = side, "us", values
      made[#made + 1], made[side] = cell, cell
    end
    rows[#rows + 1], rows[name] = made, made
  end
  row("first", 1, 1)
  if count > 10 then
    row("next", 2, 10)
    row("last", math.max(2, math.ceil(count * 0.95)), count)
    row("mean", 2, count, true)
  end
  rows.count = count
  return rows
end

return loading
