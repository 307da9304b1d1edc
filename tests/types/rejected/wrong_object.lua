-- expected: expected `documented.Counter`
local cygnixy = require("cygnixy")
---@type documented
local documented = cygnixy.load("documented")
documented.noop()
documented.get(5)
