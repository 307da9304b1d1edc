-- expected: Cannot assign `number` to `string`
local cygnixy = require("cygnixy")
---@type documented
local documented = cygnixy.load("documented")
documented.noop()
---@type string
local text = documented.add(1, 2)
print(text)
