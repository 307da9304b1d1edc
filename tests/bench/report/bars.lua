-- Groups of horizontal bars with their figures.
local svg = require "svg"

local bars = {}

local width, label_width, figure_width, bar, gap = 860, 190, 150, 15, 13

-- A plot of `groups`, each with `name` and bars of `side`, `median`, `low`, `high`, `text`. Each group has
-- a scale of its own if `own_scale` is set.
function bars.draw(question, explanation, sides, groups, own_scale)
  local drawing = svg.new(width)
  local y = drawing:heading(question, explanation, sides)
  local room = width - label_width - figure_width
  local function largest_of(group)
    local largest = 0
    for _, one in ipairs(group) do largest = math.max(largest, one.high) end
    return largest
  end
  local common = 0
  for _, group in ipairs(groups) do common = math.max(common, largest_of(group)) end
  for _, group in ipairs(groups) do
    local scale = room / (own_scale and largest_of(group) or common)
    drawing:text(label_width - 12, y + bar * #group / 2 + 4, group.name, { ["text-anchor"] = "end" })
    for _, one in ipairs(group) do
      local middle = y + bar / 2 - 1
      drawing:rect(label_width, y, one.median * scale, bar - 2, svg.colours[one.side])
      if one.high > one.low then
        drawing:line(label_width + one.low * scale, middle, label_width + one.high * scale, middle, svg.ink)
      end
      drawing:text(label_width + one.high * scale + 6, y + bar - 4, one.text, { ["font-size"] = 11 })
      y = y + bar
    end
    y = y + gap
  end
  return drawing:finish(y + 4)
end

-- A bar for a cell of a row, with its ratio to another.
function bars.of_cell(cell, ratio, to)
  local text = svg.quantity(cell.median, cell.unit)
  if ratio then text = ("%s (%s × %s)"):format(text, svg.times(ratio), to) end
  return { side = cell.name, median = cell.median, low = cell.low, high = cell.high, text = text }
end

return bars
