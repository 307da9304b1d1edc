-- `cygnixy check FILE…`: whether files would be loaded.

local options = require("cygnixy.command.options")
local output = require("cygnixy.command.output")
local text = require("cygnixy.command.text")

local check = {
  summary = "tell whether plugin files fit this Lua, without running them",
  usage = "FILE...",
  help = [[
Checks of each file all that a load checks before it runs anything: that it can be read, is a whole shared
library for this system and processor, has a manifest, and is made for this plugin API and the Lua that
runs this command. Prints a line for each that fits, and the reason for each that does not. Libraries that
the file itself needs are not looked for. `cygnixy list` tells which files bare names lead to.

Exit status: 0 if all fit, 1 if one does not.
]],
}

function check.run(_, operands)
  if #operands == 0 then return nil, "expected a file" end
  local cygnixy = require("cygnixy")
  local status = 0
  for _, file in ipairs(operands) do
    local fits, reason = cygnixy.check(options.path(file))
    if not fits then status = 1 end
    output.write(text.printable(file .. ": " .. (fits and "fits " .. cygnixy.abi or reason)), "\n")
  end
  return status
end

return check
