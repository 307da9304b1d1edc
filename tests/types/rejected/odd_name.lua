-- expected: expected `integer`
local cygnixy = require("cygnixy")
---@type documented
local documented = cygnixy.load("documented")
documented.noop()
documented["odd name"]("one")
