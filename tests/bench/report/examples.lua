-- The example plugins next to rocks that do the same: a row has one side of the plugin's, "cygnixy: NAME", and
-- others by the names of the rocks, or by those of other ways of the plugin's, "cygnixy: NAME, WAY".
local results = require "results"
local svg = require "svg"

local examples = {}

local function is_ours(side) return side:find "^cygnixy: [^,]+$" ~= nil end

-- The comparisons in a result: `row`, `unit`, `ours` and `theirs` (cells), `ratio`; one for each rock of each row.
function examples.comparisons(result)
  local list = {}
  for _, row in ipairs(result.groups.examples or {}) do
    local ours
    for _, cell in ipairs(row) do
      if is_ours(cell.name) then ours = cell end
    end
    for _, cell in ipairs(ours and row or {}) do
      if cell ~= ours then
        list[#list + 1] = {
          row = row.name, unit = cell.unit, ours = ours, theirs = cell,
          ratio = results.ratio(row, ours.name, cell.name),
        }
      end
    end
  end
  return list
end

-- The ratios of a plugin to a rock, as thresholds take them.
function examples.ratios(result, plugin, rock)
  local found = {}
  for _, one in ipairs(examples.comparisons(result)) do
    if one.ours.name == "cygnixy: " .. plugin and one.theirs.name == rock and one.ratio then
      found[#found + 1] = { name = one.row, value = one.ratio }
    end
  end
  return found
end

local width, columns, label_width, step, padding = 900, 3, 268, 11, 9
local palette = { "#1d4ed8", "#d97706", "#0d8a72", "#9333ea", "#dc2626", "#6b7280", "#0891b2", "#a16207" }

-- What is beyond the scale is drawn at its end.
local low, high = 1 / 16, 8

-- The rows of all results and the rocks in each, in the order measured; and all rocks.
local function layout(measured)
  local rows, rocks = {}, {}
  for _, one in ipairs(measured) do
    for _, comparison in ipairs(examples.comparisons(one.result)) do
      local name, rock = comparison.row, comparison.theirs.name
      if not rows[name] then
        rows[name] = { name = name }
        rows[#rows + 1] = rows[name]
      end
      if not rows[name][rock] then
        rows[name][rock] = true
        table.insert(rows[name], rock)
      end
      if not rocks[rock] then
        rocks[rock] = true
        rocks[#rocks + 1] = rock
        svg.colours[rock] = svg.colours[rock] or palette[(#rocks - 1) % #palette + 1]
      end
    end
  end
  return rows, rocks
end

local function height_of(row) return #row * step + padding end

-- A panel for each ABI, a line for each row, a dot for each rock. Nil if nothing was measured.
function examples.draw(measured)
  local shown = {}
  for _, one in ipairs(measured) do
    if #examples.comparisons(one.result) > 0 then shown[#shown + 1] = one end
  end
  if #shown == 0 then return nil end
  local rows, rocks = layout(shown)
  local drawing = svg.new(width)
  local top = drawing:heading("What do the example plugins take, next to rocks that do the same?",
    "times the time that the rock takes for the same (the line at 1), by rock; less is better", rocks)
  local panel_width, panel_height = (width - label_width - 10) / columns, 0
  for _, row in ipairs(rows) do panel_height = panel_height + height_of(row) end
  for i, one in ipairs(shown) do
    local x0 = label_width + (i - 1) % columns * panel_width
    local x1 = x0 + panel_width - 16
    local y1 = top + math.floor((i - 1) / columns) * (panel_height + 58) + 22
    local x = svg.log_scale(low, high, x0, x1 - 30)
    drawing:text(x0, y1 - 8, svg.abi_names[one.abi], { ["font-weight"] = "bold" })
    local tick = low
    while tick <= high do
      drawing:line(x(tick), y1, x(tick), y1 + panel_height, tick == 1 and "#6b7280" or svg.pale)
      drawing:text(x(tick), y1 + panel_height + 14, tick < 1 and "1/" .. ("%g"):format(1 / tick) or ("%g"):format(tick),
        { ["text-anchor"] = "middle", ["font-size"] = 10 })
      tick = tick * 2
    end
    local by_row = {}
    for _, comparison in ipairs(examples.comparisons(one.result)) do
      by_row[comparison.row] = by_row[comparison.row] or {}
      by_row[comparison.row][comparison.theirs.name] = comparison.ratio
    end
    local y = y1
    for k, row in ipairs(rows) do
      if k > 1 then drawing:line(x0, y, x1, y) end
      if (i - 1) % columns == 0 then
        drawing:text(label_width - 12, y + height_of(row) / 2 + 4, row.name,
          { ["text-anchor"] = "end", ["font-size"] = 11 })
      end
      for s, rock in ipairs(row) do
        local ratio = by_row[row.name] and by_row[row.name][rock]
        if ratio then
          local middle = y + padding / 2 + (s - 0.5) * step
          drawing:line(x(1), middle, x(ratio), middle, svg.colours[rock], { ["stroke-opacity"] = "0.45" })
          drawing:dot(x(ratio), middle, 3.2, svg.colours[rock])
          drawing:text(x(math.max(ratio, 1)) + 7, middle + 3.5, svg.times(ratio), { ["font-size"] = 9.5 })
        end
      end
      y = y + height_of(row)
    end
  end
  return drawing:finish(top + math.ceil(#shown / columns) * (panel_height + 58) + 4)
end

return examples
