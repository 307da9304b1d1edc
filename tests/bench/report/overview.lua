-- All calls in all Luas: a panel for each ABI, a line for each row, a dot for each side, on a logarithmic
-- scale of times the C module's cost.
local results = require "results"
local svg = require "svg"

local overview = {}

local width, columns, label_width, row_height, step = 860, 3, 166, 34, 10
local sides = { "mlua", "cygnixy, create_function", "cygnixy, fast" }

-- What is beyond the scale is drawn at its end.
local low, high = 0.5, 16

-- The sides that were measured.
local function present(measured)
  local found = {}
  for _, side in ipairs(sides) do
    if measured[1].result.groups.calls[1][side] then found[#found + 1] = side end
  end
  return found
end

function overview.draw(measured)
  local drawing = svg.new(width)
  local top = drawing:heading("How much longer does a call take than into a module in C?",
    "times the cost of the same call into a hand-written C module (the line at 1); less is better", present(measured))
  local rows = measured[1].result.groups.calls
  local panel_width = (width - label_width - 10) / columns
  local panel_height = #rows * row_height
  for i, one in ipairs(measured) do
    local x0 = label_width + (i - 1) % columns * panel_width
    local x1 = x0 + panel_width - 16
    local y1 = top + math.floor((i - 1) / columns) * (panel_height + 58) + 22
    local x = svg.log_scale(low, high, x0, x1 - 30)
    drawing:text(x0, y1 - 8, svg.abi_names[one.abi], { ["font-weight"] = "bold" })
    local tick = low
    while tick <= high do
      drawing:line(x(tick), y1, x(tick), y1 + panel_height, tick == 1 and "#6b7280" or svg.pale)
      drawing:text(x(tick), y1 + panel_height + 14, ("%g"):format(tick),
        { ["text-anchor"] = "middle", ["font-size"] = 10 })
      tick = tick * 2
    end
    for k, row in ipairs(rows) do
      local y = y1 + (k - 1) * row_height
      if k > 1 then drawing:line(x0, y, x1, y) end
      if (i - 1) % columns == 0 then
        drawing:text(label_width - 12, y + row_height / 2 + 4, row.name, { ["text-anchor"] = "end" })
      end
      for s, side in ipairs(sides) do
        local ratio = results.ratio(one.result.groups.calls[row.name], side, "C")
        if ratio then
          local middle = y + 7 + (s - 1) * step
          drawing:line(x(1), middle, x(ratio), middle, svg.colours[side], { ["stroke-opacity"] = "0.45" })
          drawing:dot(x(ratio), middle, 3.4, svg.colours[side])
          drawing:text(x(math.max(ratio, 1)) + 7, middle + 3.5,
            (ratio > high and "› " or "") .. svg.times(ratio), { ["font-size"] = 9.5 })
        end
      end
    end
  end
  return drawing:finish(top + math.ceil(#measured / columns) * (panel_height + 58) + 4)
end

return overview
