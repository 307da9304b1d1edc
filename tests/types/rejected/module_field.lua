-- expected: Undefined field `frobnicate`
local cygnixy = require("cygnixy")
---@type documented
local documented = cygnixy.load("documented")
documented.noop()
cygnixy.frobnicate()
