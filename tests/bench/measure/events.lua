-- What a `tracing` event in a plugin costs: `events.lua PLUGIN.so`. The loops are in the plugin; the time
-- of one without an event is taken off. At the default level a `debug!` event is disabled, and a `warn!`
-- event is written to standard error, which is /dev/null here, or given to a function of the script if
-- the loader has `on_log`.
local samples = require "samples"

if rawget(_G, "jit") then jit.off() end

local cygnixy = require "cygnixy"
local loaded = cygnixy.load(arg[1])

-- The seconds of one round of the loop.
local function round(name, count)
  collectgarbage()
  return samples.time(loaded["events_" .. name], count) / count
end

local function measure(row, event, count)
  for repetition = 0, samples.repetitions do
    local without, with = round("none", 1e6), round(event, count)
    if repetition > 0 then samples.add("events", row, "cygnixy", "ns", (with - without) * 1e9) end
  end
end

measure("disabled (debug!)", "debug", 1e6)
measure("to standard error (warn!)", "warn", 5000)
if cygnixy.on_log then
  local seen = 0
  cygnixy.on_log(function() seen = seen + 1 end)
  measure("to a Lua function (warn!)", "warn", 5000)
  assert(seen > 0, "no event has reached the function that on_log was given")
end
