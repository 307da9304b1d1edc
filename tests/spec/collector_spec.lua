-- The collector is as the script has set it, whatever the module did meanwhile.

local support = require("support")

-- Prints the settings, uses the module in all ways that pause or run the collector, and prints them again.
local function settings_before_and_after(setting)
  local lines = {}
  local output = support.output([[
    local function running()
      local ok, is = pcall(collectgarbage, "isrunning")
      return ok and tostring(is) or "unknown"
    end
    local function settings()
      local all = { running() }
      for _, name in ipairs({ "pause", "stepmul", "stepsize", "minormul", "majorminor", "minormajor" }) do
        local ok, value = pcall(collectgarbage, "param", name)
        if ok then all[#all + 1] = name .. "=" .. value end
      end
      for _, name in ipairs({ "setpause", "setstepmul" }) do
        local ok, value = pcall(collectgarbage, name, 150)
        if ok then
          collectgarbage(name, value)
          all[#all + 1] = name .. "=" .. value
        end
      end
      -- Lua 5.2 does not tell the mode.
      if _VERSION > "Lua 5.3" then
        local mode = collectgarbage("generational")
        collectgarbage(mode)
        all[#all + 1] = mode
      end
      print(table.concat(all, " "))
    end
    local plugins, fixtures = ...
  ]] .. setting .. [[
    settings()
    local cygnixy = require("cygnixy")
    settings()
    local greet = cygnixy.load(plugins .. "/greet.so")
    settings()
    local misbehave = cygnixy.load(fixtures .. "/misbehave.so")
    pcall(misbehave.panic_str)
    pcall(cygnixy.load, fixtures .. "/functions_panic.so")
    settings()
    cygnixy.reload("greet")
    settings()
    greet = nil
    cygnixy.unload("greet")
    misbehave = nil
    cygnixy.unload("misbehave")
    cygnixy.collect()
    settings()
  ]])
  for line in output:gmatch("[^\n]+") do lines[#lines + 1] = line end
  assert.equal(6, #lines, output)
  return lines
end

describe("the collector", function()
  local function stays(setting)
    local lines = settings_before_and_after(setting)
    for i = 2, #lines do assert.equal(lines[1], lines[i]) end
    return lines[1]
  end

  it("goes on as before", function()
    stays("")
    if support.abi ~= "lua55" then stays('collectgarbage("setpause", 170) collectgarbage("setstepmul", 250)\n') end
  end)

  it("keeps its parameters", function()
    if support.abi ~= "lua55" then return end
    -- Lua keeps them as short numbers, so not all exactly.
    local line = stays([[
      for i, name in ipairs({ "pause", "stepmul", "stepsize", "minormul", "majorminor", "minormajor" }) do
        collectgarbage("param", name, 40 + 8 * i)
      end
    ]])
    assert.matches("minormul=7[12] ", line)
  end)

  it("stays stopped where Lua tells that it is", function()
    -- In Lua 5.1 it runs after a load, as after any full collection.
    if support.abi == "lua51" then return end
    assert.matches("^false", stays('collectgarbage("stop")\n'))
  end)

  it("stays generational", function()
    if _VERSION > "Lua 5.3" then stays('collectgarbage("generational")\n') end
  end)
end)
