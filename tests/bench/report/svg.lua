-- A drawing as SVG, and the parts that all plots have.
local svg = {}

svg.colours = {
  ["C"] = "#6b7280",
  ["C, through the C API"] = "#6b7280",
  ["C, through the FFI"] = "#a8b0bd",
  ["dlopen + dlclose"] = "#6b7280",
  ["one collectgarbage()"] = "#6b7280",
  ["mlua"] = "#d97706",
  ["cygnixy"] = "#1d4ed8",
  ["cygnixy, create_function"] = "#6aa3ee",
  ["cygnixy, fast"] = "#1d4ed8",
  ["cygnixy, ffi"] = "#0d8a72",
  ["cygnixy: load, call, unload"] = "#1d4ed8",
  ["cygnixy: reload"] = "#6aa3ee",
  ["cygnixy: unload"] = "#1d4ed8",
}
local ink, pale = "#1f2937", "#e5e7eb"
svg.ink, svg.pale = ink, pale

local function escape(text)
  return (tostring(text):gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }))
end

-- Attributes in a fixed order, so that the same figures give the same file.
local function attributes(given)
  local names = {}
  for name in pairs(given) do names[#names + 1] = name end
  table.sort(names)
  local parts = {}
  for _, name in ipairs(names) do
    local value = given[name]
    if math.type(value) == "float" then value = ("%.1f"):format(value):gsub("%.0$", "") end
    parts[#parts + 1] = (' %s="%s"'):format(name, escape(value))
  end
  return table.concat(parts)
end

local drawing = {}
drawing.__index = drawing

function svg.new(width)
  return setmetatable({ width = width, parts = {} }, drawing)
end

function drawing:add(tag, given, content)
  local text = content and (">%s</%s>"):format(escape(content), tag) or "/>"
  self.parts[#self.parts + 1] = ("<%s%s%s"):format(tag, attributes(given), text)
end

-- Text at a point; `more` has further attributes, such as `text-anchor`.
function drawing:text(x, y, content, more)
  local given = { x = x, y = y, fill = ink }
  for name, value in pairs(more or {}) do given[name] = value end
  self:add("text", given, content)
end

function drawing:line(x1, y1, x2, y2, colour, more)
  local given = { x1 = x1, y1 = y1, x2 = x2, y2 = y2, stroke = colour or pale }
  for name, value in pairs(more or {}) do given[name] = value end
  self:add("line", given)
end

function drawing:rect(x, y, width, height, colour)
  self:add("rect", { x = x, y = y, width = math.max(width, 0.5), height = height, fill = colour, rx = 1.5 })
end

function drawing:dot(x, y, radius, colour)
  self:add("circle", { cx = x, cy = y, r = radius, fill = colour })
end

-- A path through points, each `{ x, y }`; `more` has its attributes.
function drawing:path(points, more, closed)
  local steps = {}
  for i, point in ipairs(points) do
    steps[i] = ("%s%.1f %.1f"):format(i == 1 and "M" or "L", point[1], point[2])
  end
  local given = { d = table.concat(steps) .. (closed and "Z" or "") }
  for name, value in pairs(more) do given[name] = value end
  self:add("path", given)
end

-- The question a plot answers, how to read it, and which colour is what. Returns where the plot begins.
function drawing:heading(question, explanation, sides)
  self:text(20, 28, question, { ["font-size"] = 17, ["font-weight"] = "bold" })
  self:text(20, 47, explanation, { fill = "#4b5563" })
  local x, y = 20, 60
  for _, side in ipairs(sides) do
    local room = 34 + 7 * #side
    if x > 20 and x + room > self.width then x, y = 20, y + 18 end
    self:rect(x, y, 11, 11, svg.colours[side])
    self:text(x + 16, y + 10, side)
    x = x + room
  end
  return y + 32
end

function drawing:finish(height)
  local head = '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" '
    .. 'font-family="DejaVu Sans, Verdana, sans-serif" font-size="12">'
  return table.concat({
    head:format(self.width, height, self.width, height),
    '<rect width="100%" height="100%" fill="white"/>',
    table.concat(self.parts, "\n"),
    "</svg>\n",
  }, "\n")
end

-- A function from a logarithmic scale, from `low` to `high`, to positions.
function svg.log_scale(low, high, from, to)
  local span = math.log(high / low)
  return function(value)
    value = math.max(low, math.min(high, value))
    return from + math.log(value / low) / span * (to - from)
  end
end

-- A number with the digits that matter.
function svg.figure(value)
  local digits = math.abs(value) < 9.95 and 1 or 0
  return ("%." .. digits .. "f"):format(value)
end

-- A ratio with two digits behind the point, or none if it is large.
function svg.times(ratio)
  return (ratio < 19.95 and "%.2f" or "%.0f"):format(ratio)
end

-- Seconds or bytes as the unit that suits: `svg.quantity(1234, "us")` is "1.2 ms".
local units = { ns = { 1000, "us" }, us = { 1000, "ms" }, ms = { 1000, "s" }, KiB = { 1024, "MiB" } }
local shown = { us = "µs" }
function svg.quantity(value, unit)
  while units[unit] and value >= units[unit][1] do
    value, unit = value / units[unit][1], units[unit][2]
  end
  return ("%s %s"):format(svg.figure(value), shown[unit] or unit)
end

-- The names of the ABIs, for people.
svg.abi_names = {
  lua51 = "Lua 5.1", luajit = "LuaJIT", lua52 = "Lua 5.2", lua53 = "Lua 5.3", lua54 = "Lua 5.4", lua55 = "Lua 5.5",
}

return svg
