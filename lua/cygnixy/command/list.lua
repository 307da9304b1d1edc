-- `cygnixy list`: the plugins that bare names lead to.

local options = require("cygnixy.command.options")
local output = require("cygnixy.command.output")
local text = require("cygnixy.command.text")

local list = {
  summary = "list the plugins that can be loaded by name",
  usage = "",
  help = [[
Lists the plugin files in the places where `cygnixy.load "NAME"` looks (`cygnixy.path`; the environment
variable CYGNIXY_PATH changes it): the name, the version, the Lua ABI it is built for, whether it fits the
Lua that runs this command, and the file. The reason for one that does not stands below it. No code of
them is run.
]],
}

local function row(plugin)
  local manifest = plugin.manifest or {}
  local state = "fits"
  if plugin.problem then
    state = "does not fit"
  elseif plugin.hidden_by then
    state = "hidden"
  end
  return { plugin.name, manifest.version or "-", manifest.abi or "-", state, plugin.path }
end

-- The plugins on `cygnixy.path` as lines of text.
function list.lines(cygnixy)
  local rows, widths, lines = {}, {}, {}
  for _, plugin in ipairs(cygnixy.available()) do
    local cells = row(plugin)
    for column, cell in ipairs(cells) do
      cells[column] = text.one_line(cell)
    end
    rows[#rows + 1] = { cells = cells, plugin = plugin }
    for column, cell in ipairs(cells) do
      widths[column] = math.max(widths[column] or 0, #cell)
    end
  end
  for _, one in ipairs(rows) do
    local cells = {}
    for column, cell in ipairs(one.cells) do
      cells[column] = column == #one.cells and cell or cell .. (" "):rep(widths[column] - #cell)
    end
    lines[#lines + 1] = table.concat(cells, "  ")
    if one.plugin.problem then lines[#lines + 1] = "    " .. text.printable(one.plugin.problem):gsub("\n", "\n    ") end
    if one.plugin.hidden_by then
      local name, path = text.one_line(one.plugin.name), text.one_line(one.plugin.hidden_by)
      lines[#lines + 1] = ("    '%s' leads to %s"):format(name, path)
    end
  end
  return lines
end

function list.run(_, operands)
  local problem = options.none(operands)
  if problem then return nil, problem end
  local cygnixy = require("cygnixy")
  local lines = list.lines(cygnixy)
  if #lines == 0 then
    io.stderr:write("no plugins are in\n    ", (text.one_line(cygnixy.path):gsub(";+", "\n    ")), "\n")
    return 0
  end
  output.write(table.concat(lines, "\n"), "\n")
  return 0
end

return list
