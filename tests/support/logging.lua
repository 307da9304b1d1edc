-- What the specs of logs share: scripts about the fixture plugin `logging`.

local support = require("support")

local logging = {}

-- The beginning of a script.
logging.prelude = [[
  local _, fixtures = ...
  local cygnixy = require("cygnixy")
  local path = fixtures .. "/logging.so"
]]

-- The rest of the beginning, if the plugin is to be loaded.
logging.work = "local p = cygnixy.load(path) "

-- The target of the plugin's events.
logging.target = "cygnixy_test_fixtures::logging"

-- What a script writes to standard error, as lines; it has to succeed.
function logging.lines(script, log, env)
  env = env or {}
  env.CYGNIXY_LOG, env.RUST_BACKTRACE = log, "0"
  local _, stderr, status = support.run(logging.prelude .. script, { env = env })
  assert(status == 0, "exit status " .. tostring(status) .. ": " .. stderr)
  local found = {}
  for line in stderr:gmatch("[^\n]+") do found[#found + 1] = line end
  return found, stderr
end

return logging
