-- expected: expected `(cygnixy.Plugin|string)`
local cygnixy = require("cygnixy")
---@type documented
local documented = cygnixy.load("documented")
documented.noop()
cygnixy.unload(5)
