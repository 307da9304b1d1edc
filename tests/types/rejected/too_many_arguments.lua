-- expected: expected 0 parameters but found 1
local cygnixy = require("cygnixy")
---@type documented
local documented = cygnixy.load("documented")
documented.noop()
documented.noop(1)
