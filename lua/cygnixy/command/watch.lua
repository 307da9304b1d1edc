-- Reloads the plugins of a running script when their files are rebuilt, by a count hook.
--
-- The hook runs on the main thread between instructions of the script, so a function of a plugin is
-- running only if it has called Lua; the loader refuses then, and it is tried again.

local watch = {}

-- The script may change what there is of these.
local ipairs, pcall, tostring, clock, time = ipairs, pcall, tostring, os.clock, os.time
local sethook, max, min, floor = debug.sethook, math.max, math.min, math.floor

-- How many instructions there are between two calls of the hook.
local FEWEST, MOST = 10, 1000

-- How much processor time there is between two looks, in seconds. A script that waits is looked at each
-- second, as far as it executes instructions.
local INTERVAL = 0.2

-- Watches what was loaded since the last time. A plugin that was loaded anew has another table.
local function watch_new(cygnixy, watched)
  for _, loaded in ipairs(cygnixy.list()) do
    local plugin = cygnixy.get(loaded.name)
    if plugin and watched[loaded.name] ~= plugin then
      watched[loaded.name] = plugin
      cygnixy.watch(plugin)
    end
  end
end

local function look(cygnixy, watched, say)
  watch_new(cygnixy, watched)
  for _, result in ipairs(cygnixy.poll()) do
    if result.ok then
      say(("reloaded plugin '%s'"):format(result.name))
    elseif not result.pending then
      say(("plugin '%s' is not reloaded: %s"):format(result.name, result.error))
    end
  end
end

-- Begins to watch; `say` takes what happens. Ends with `debug.sethook()`.
function watch.begin(say)
  local cygnixy = require("cygnixy")
  local watched = setmetatable({}, { __mode = "v" })
  local last_clock, last_time, count = clock(), time(), FEWEST
  local hook_clock = last_clock
  -- Compiled code calls no hooks.
  local jit = rawget(_G, "jit")
  if jit then
    jit.off()
    jit.flush()
  end

  local hook
  -- A script that waits executes few instructions, and one that computes should not be held up.
  local function adapt(now, second)
    local wanted = count
    if second ~= last_time and now - hook_clock < INTERVAL then
      wanted = max(FEWEST, floor(count / 4))
    elseif now - hook_clock < INTERVAL / 100 then
      wanted = min(MOST, count * 2)
    end
    if wanted ~= count then
      count = wanted
      sethook(hook, "", count)
    end
  end

  function hook()
    local now, second = clock(), time()
    adapt(now, second)
    hook_clock = now
    if second == last_time and now - last_clock < INTERVAL then return end
    last_clock, last_time = now, second
    local looked, err = pcall(look, cygnixy, watched, say)
    if not looked then say(tostring(err)) end
  end
  sethook(hook, "", count)
end

return watch
