-- A bar chart as SVG: a group of bars for each row, a bar for each side, whiskers for quartiles.
local plot = {}

local colours = { "#7f8c8d", "#c0703c", "#2d6fa3" }
local width, label, bar, gap = 760, 230, 16, 14

local function escape(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

-- bars(title, rows): rows as the benchmark makes them, each with `name` and cells of `side`,
-- `median`, `low`, `high`. Each row has a scale of its own, as an error costs a hundred calls.
function plot.bars(title, rows)
  local out, y = {}, 50
  local function add(text, ...) out[#out + 1] = text:format(...) end
  for _, row in ipairs(rows) do
    local largest = 0
    for _, cell in ipairs(row) do largest = math.max(largest, cell.high) end
    local scale = (width - label - 110) / largest
    local height = bar * #row / 2
    add('<text x="%d" y="%d" text-anchor="end">%s</text>', label - 10, y + height + 4, escape(row.name))
    for i, cell in ipairs(row) do
      local middle = y + bar / 2 - 1
      add('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>',
        label, y, cell.median * scale, bar - 2, colours[i])
      add('<path d="M%.1f %.1fH%.1f" stroke="#222"/>', label + cell.low * scale, middle, label + cell.high * scale)
      add('<text x="%.1f" y="%d">%.0f ns</text>', label + cell.high * scale + 6, y + bar - 4, cell.median)
      y = y + bar
    end
    y = y + gap
  end
  local legend = {}
  for i, cell in ipairs(rows[1]) do
    legend[i] = ('<tspan fill="%s" font-weight="bold">%s</tspan>'):format(colours[i], escape(cell.side))
  end
  return ([[
<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">
<rect width="100%%" height="100%%" fill="white"/>
<text x="20" y="26" font-size="15">%s</text>
<text x="%d" y="26" xml:space="preserve">%s</text>
%s
</svg>
]]):format(width, y + 10, escape(title), label + 150, table.concat(legend, "   "), table.concat(out, "\n"))
end

return plot
