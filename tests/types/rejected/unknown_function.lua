-- expected: Undefined field `subtract`
local cygnixy = require("cygnixy")
---@type documented
local documented = cygnixy.load("documented")
documented.noop()
documented.subtract(1, 2)
