-- `cygnixy stubs FILE`: annotations of a plugin's functions.

local annotations = require("cygnixy.command.annotations")
local output = require("cygnixy.command.output")
local text = require("cygnixy.command.text")

local stubs = {
  summary = "write annotations of a plugin's functions for editors",
  usage = "[--output STUBS] FILE",
  options = { output = "STUBS" },
  help = [[
Loads the plugin, a path or a bare name, and writes annotations for the Lua language servers: a class with
the plugin's name, its functions with their types and documentation, and a class for each type of the
plugin's own. The plugin's code runs; `on_load` and `on_unload` are called.

  --output STUBS   the file to write; standard output if it is not given. It should be where `require`
                   does not look

A script says which class a plugin is of:

  ---@type greet
  local greet = require("cygnixy").load("greet")

The types of fast functions are known. Others, and the names of parameters, are as the plugin's `docs`
gives them; of what it does not say, every type is accepted.
]],
}

local function describe(cygnixy, plugin)
  for _, loaded in ipairs(cygnixy.list()) do
    if cygnixy.get(loaded.name) == plugin then return loaded end
  end
end

function stubs.run(given, operands)
  if #operands ~= 1 then return nil, "expected one plugin" end
  local cygnixy = require("cygnixy")
  local loaded, plugin = pcall(cygnixy.load, operands[1])
  if not loaded then
    io.stderr:write("cygnixy stubs: ", text.printable(plugin), "\n")
    return 1
  end
  local content = annotations.of(describe(cygnixy, plugin))
  if not given.output then
    output.write(content)
    return 0
  end
  local saved, problem = output.save(given.output, content)
  if not saved then
    io.stderr:write("cygnixy stubs: cannot write: ", problem, "\n")
    return 1
  end
  return 0
end

return stubs
