-- Curves, in a panel for each ABI, on a logarithmic scale of counts.
local svg = require "svg"

local panels = {}

local width, columns, panel_height, left, right = 860, 3, 200, 52, 14

-- 1, 10, 100, ... as "1", "1,000", "10⁷".
local function count_text(value)
  if value < 1e5 then return (("%d"):format(value):gsub("^(%d+)(%d%d%d)$", "%1,%2")) end
  local digits = { "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" }
  return "10" .. digits[math.floor(math.log(value, 10) + 0.5)]
end

local function round_up(value)
  local power = 10 ^ math.floor(math.log(value, 10))
  for _, step in ipairs { 1, 2, 3, 4, 5, 6, 8, 10 } do
    if step * power >= value then return step * power end
  end
end

local function bounds(measured)
  local first, last, lowest, highest = math.huge, 0, math.huge, 0
  for _, panel in ipairs(measured) do
    for _, curve in ipairs(panel.curves) do
      for _, point in ipairs(curve.points) do
        first, last = math.min(first, point.at), math.max(last, point.at)
        lowest, highest = math.min(lowest, point.low), math.max(highest, point.high)
      end
    end
  end
  return first, last, lowest, highest
end

-- A plot of `measured`, each with `name`, `note` and `curves` of `name` and `points` (`at`, `median`, `low`,
-- `high`). With `logarithmic`, figures are as well; if not, they begin at zero.
function panels.draw(question, explanation, sides, measured, axis, unit, logarithmic)
  local drawing = svg.new(width)
  local top = drawing:heading(question, explanation, sides)
  local first, last, lowest, highest = bounds(measured)
  local panel_width = width / columns
  for i, panel in ipairs(measured) do
    local x0 = (i - 1) % columns * panel_width + left
    local x1 = x0 + panel_width - left - right
    local y1 = top + math.floor((i - 1) / columns) * (panel_height + 74) + 24
    local y0 = y1 + panel_height
    local x = svg.log_scale(first, math.max(last, first * 10), x0 + 4, x1 - 4)
    local y
    drawing:text(x0, y1 - 10, panel.name, { ["font-weight"] = "bold" })
    drawing:text(x1, y1 - 10, panel.note, { ["text-anchor"] = "end", ["font-size"] = 10.5 })
    local function level(value, text)
      drawing:line(x0, y(value), x1, y(value))
      drawing:text(x0 - 6, y(value) + 4, text, { ["text-anchor"] = "end", ["font-size"] = 10 })
    end
    if logarithmic then
      local low, high = 10 ^ math.floor(math.log(lowest, 10)), 10 ^ math.ceil(math.log(highest, 10))
      y = svg.log_scale(low, high, y0, y1)
      local value = low
      while value <= high * 1.01 do
        level(value, value < 1 and ("%g %s"):format(value, unit) or svg.quantity(value, unit):gsub("%.0", ""))
        value = value * 10
      end
    else
      local high = round_up(highest)
      y = function(value) return y0 - value / high * panel_height end
      for step = 0, 4 do level(high * step / 4, svg.quantity(high * step / 4, unit):gsub("%.0", "")) end
    end
    local tick = first
    while tick <= last do
      drawing:line(x(tick), y0, x(tick), y0 + 4, svg.ink)
      drawing:text(x(tick), y0 + 16, count_text(tick), { ["text-anchor"] = "middle", ["font-size"] = 10 })
      tick = tick * 10
    end
    drawing:text((x0 + x1) / 2, y0 + 31, axis, { ["text-anchor"] = "middle", ["font-size"] = 10.5 })
    for _, curve in ipairs(panel.curves) do
      local colour, band, line = svg.colours[curve.name], {}, {}
      for _, point in ipairs(curve.points) do
        line[#line + 1] = { x(point.at), y(point.median) }
        band[#band + 1] = { x(point.at), y(point.high) }
      end
      for k = #curve.points, 1, -1 do
        band[#band + 1] = { x(curve.points[k].at), y(curve.points[k].low) }
      end
      drawing:path(band, { fill = colour, ["fill-opacity"] = "0.18" }, true)
      drawing:path(line, { fill = "none", stroke = colour, ["stroke-width"] = 2 })
      for _, point in ipairs(line) do drawing:dot(point[1], point[2], 2.3, colour) end
    end
  end
  return drawing:finish(top + math.ceil(#measured / columns) * (panel_height + 74))
end

return panels
