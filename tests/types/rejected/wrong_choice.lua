-- expected: expected
local cygnixy = require("cygnixy")
---@type documented
local documented = cygnixy.load("documented")
documented.noop()
documented.typed("text", "lines")
