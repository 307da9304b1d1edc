-- What every host does with cygnixy, as a module: `require "service" (STEP, ARGUMENT)` does a step and
-- returns in a line what came of it. The folder of the plugins is in HOSTS_PLUGINS.
local cygnixy = require "cygnixy"

local folder = os.getenv("HOSTS_PLUGINS")
local greet = cygnixy.load(folder .. "/greet.so")
local held = greet.hello

local steps = {}

function steps.lua()
  local jit = rawget(_G, "jit")
  return ("%s%s, ABI %s"):format(_VERSION, jit and " of " .. jit.version or "", cygnixy.abi)
end

function steps.hello(name)
  return greet.hello(name)
end

-- Through a function that was put away before any reload.
function steps.held(name)
  return held(name)
end

function steps.fail()
  local ok, message = pcall(greet.hello, "")
  return ("%s, %s: %s"):format(tostring(ok), type(message), message)
end

function steps.panic()
  local ok, message = pcall(cygnixy.load(folder .. "/misbehave.so").panic_str)
  return ("%s, %s: %s"):format(tostring(ok), type(message), message)
end

-- A plugin for another Lua.
function steps.other()
  return select(2, pcall(cygnixy.load, folder .. "/other.so"))
end

-- By a bare name: the plugin that is loaded already, from the path of its file.
function steps.named()
  return cygnixy.load("greet") == greet and "the same plugin" or "another plugin"
end

function steps.watch()
  cygnixy.watch(greet, { quiet = 0 })
  return "watched"
end

function steps.poll()
  local texts = {}
  for _, result in ipairs(cygnixy.poll()) do
    texts[#texts + 1] = result.ok and result.report.text or result.error or "pending"
  end
  return table.concat(texts, "\n")
end

function steps.reload()
  return cygnixy.reload(greet).text
end

-- What was put away is let go of, also what an earlier reload has left.
function steps.unload()
  held = nil
  local text = cygnixy.unload(greet).text
  for _, report in ipairs(cygnixy.collect()) do
    text = text .. "; then: " .. report.text
  end
  return text .. "; a call: " .. select(2, pcall(greet.hello, "you"))
end

return function(step, argument)
  local ok, said = pcall(steps[step], argument)
  return ok and tostring(said) or ("step '%s' failed: %s"):format(step, tostring(said))
end
