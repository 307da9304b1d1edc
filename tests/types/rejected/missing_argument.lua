-- expected: missing parameter: b
local cygnixy = require("cygnixy")
---@type documented
local documented = cygnixy.load("documented")
documented.noop()
documented.add(1)
