-- `cygnixy inspect FILE`: what a plugin file says of itself.

local options = require("cygnixy.command.options")
local output = require("cygnixy.command.output")
local text = require("cygnixy.command.text")

local inspect = {
  summary = "show what a plugin file says of itself, without running it",
  usage = "FILE",
  help = [[
Prints a line for each thing that the file says of itself: the name of its crate, version, authors,
description, the Lua ABI and the plugin API it is built for, and what built it. No code of it is run, and
it need not fit this Lua.
]],
}

local fields = { "name", "version", "authors", "description", "abi", "api_version", "mlua", "rustc", "target" }

function inspect.run(_, operands)
  if #operands ~= 1 then return nil, "expected one file" end
  local cygnixy = require("cygnixy")
  local found, manifest = pcall(cygnixy.inspect, options.path(operands[1]))
  if not found then
    io.stderr:write("cygnixy inspect: ", text.printable(manifest), "\n")
    return 1
  end
  for _, field in ipairs(fields) do
    output.write(("%-12s %s"):format(field .. ":", text.one_line(tostring(manifest[field]))):gsub("%s+$", ""), "\n")
  end
  return 0
end

return inspect
