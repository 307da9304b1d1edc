-- expected: { quiet: number? }
local cygnixy = require("cygnixy")
---@type documented
local documented = cygnixy.load("documented")
documented.noop()
cygnixy.watch(documented, { quiet = "long" })
