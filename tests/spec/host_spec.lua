-- What hosts do: require twice, take libraries away, set hooks, forbid globals.

local support = require("support")

-- Runs a script after the prelude; it has to end well and print the given lines.
local function prints(expected, script, options)
  local output = support.output(support.prelude .. script, options)
  assert.equal(expected, output)
end

describe("a second require", function()
  it("after package.loaded was cleared gives the same module", function()
    prints("true\ttrue\tHello, you!\n", [[
      package.loaded.cygnixy = nil
      collectgarbage()
      local again = require("cygnixy")
      print(again == cygnixy, again.load(plugins .. "/greet.so") == greet, again.get("greet").hello("you"))
    ]])
  end)

  it("many times, with collections in between, starts no second world", function()
    prints("2\n", [[
      for _ = 1, 50 do
        package.loaded.cygnixy = nil
        cygnixy = require("cygnixy")
        collectgarbage()
        assert(not pcall(cygnixy.load, "/no/such.so"))
      end
      print(#cygnixy.list())
    ]])
  end)

  it("of a copy of the module's file gives the same module", function()
    local copy = support.new_path("cygnixy.so")
    prints("true\n", [[
      local path = package.cpath:match("([^;]*)%?%.so") .. "cygnixy.so"
      local file = assert(io.open(path, "rb"))
      local content = file:read("*a")
      file:close()
      file = assert(io.open(arg[3], "wb"))
      file:write(content)
      file:close()
      local open = assert(package.loadlib(arg[3], "luaopen_cygnixy"))
      print(open() == cygnixy)
      collectgarbage()
      assert(greet.hello("you") == "Hello, you!")
    ]], { args = { copy } })
  end)
end)

describe("a host", function()
  it("may set a debug hook while the module and plugins are loaded", function()
    local output = support.output([[
      local plugins, fixtures = ...
      local count = 0
      debug.sethook(function() count = count + 1 end, "crl", 1)
      local cygnixy = require("cygnixy")
      local greet = cygnixy.load(plugins .. "/greet.so")
      local misbehave = cygnixy.load(fixtures .. "/misbehave.so")
      assert(greet.hello("you") == "Hello, you!")
      assert(not pcall(misbehave.deny, 1))
      assert(not pcall(misbehave.panic_str))
      assert(misbehave.call(misbehave.add, 1, 2) == 3)
      cygnixy.unload(greet)
      assert(not pcall(greet.hello, "you"))
      collectgarbage()
      debug.sethook()
      -- LuaJIT calls no hook for C functions.
      print(count > 5)
    ]])
    assert.equal("true\n", output)
  end)

  it("may have a debug hook that fails while a plugin is loaded", function()
    prints("done\n", [[
      for limit = 1, 60 do
        local count = 0
        local function hook()
          count = count + 1
          if count == limit then
            debug.sethook()
            error("hooked")
          end
        end
        pcall(cygnixy.unload, "twin")
        local ok, err = pcall(function()
          debug.sethook(hook, "crl", 1)
          cygnixy.load(fixtures .. "/twin_a.so")
          debug.sethook()
        end)
        debug.sethook()
        assert(ok or type(err) == "string", err)
      end
      collectgarbage()
      pcall(cygnixy.unload, "twin")
      assert(cygnixy.load(fixtures .. "/twin_a.so").which() == "a")
      assert(greet.hello("you") == "Hello, you!")
      print("done")
    ]])
  end)

  it("may have removed io, os, debug and most of the rest", function()
    local output = support.output([[
      local plugins, fixtures = ...
      local require, pcall, write, assert, type, collect = require, pcall, io.write, assert, type, collectgarbage
      local names = { "io", "os", "debug", "string", "table", "math", "coroutine", "package", "utf8", "bit", "bit32",
        "jit", "ffi", "load", "loadstring", "loadfile", "dofile", "pcall", "xpcall", "error", "tostring", "tonumber",
        "setmetatable", "getmetatable", "rawget", "rawset", "rawequal", "rawlen", "pairs", "ipairs", "next", "select",
        "print", "type", "assert", "collectgarbage", "require", "module", "newproxy", "unpack" }
      for _, name in ipairs(names) do _G[name] = nil end
      local cygnixy = require("cygnixy")
      local greet = cygnixy.load(plugins .. "/greet.so")
      local misbehave = cygnixy.load(fixtures .. "/misbehave.so")
      assert(greet.hello("you") == "Hello, you!")
      local ok, err = pcall(greet.hello, "")
      assert(not ok and err == "there is nobody to greet", err)
      ok, err = pcall(misbehave.call, misbehave.panic_str)
      assert(not ok and type(err) == "string")
      ok, err = pcall(cygnixy.load, "nothing")
      assert(not ok and type(err) == "string")
      cygnixy.unload(greet)
      ok, err = pcall(greet.hello, "you")
      assert(not ok and err == "plugin 'greet' has been unloaded", err)
      collect()
      write("done\n")
    ]])
    assert.equal("done\n", output)
  end)

  it("may forbid undeclared globals", function()
    local output = support.output([[
      local plugins, fixtures = ...
      local function forbidden(_, name) error("undeclared global " .. tostring(name), 2) end
      setmetatable(_G, { __index = forbidden, __newindex = forbidden, __metatable = false })
      local cygnixy = require("cygnixy")
      local greet = cygnixy.load(plugins .. "/greet.so")
      local twin = cygnixy.load(fixtures .. "/twin_a.so")
      local limited = cygnixy.load(fixtures .. "/limited.so")
      local lua = cygnixy.load(fixtures .. "/non_callbacks.so")
      assert(greet.hello("you") == "Hello, you!" and twin.which() == "a" and limited.take() == 1)
      assert(lua.swap(1, 2) == 2)
      assert(not pcall(greet.hello, ""))
      for _, plugin in ipairs(cygnixy.list()) do cygnixy.unload(plugin.name) end
      assert(select(2, pcall(greet.hello, "you")) == "plugin 'greet' has been unloaded")
      print("done")
    ]])
    assert.equal("done\n", output)
  end)

  it("may guard the strings' metatable and package.loaded", function()
    prints("done\n", [[
      local strings = getmetatable("")
      strings.__index = function(_, key) error("no string methods: " .. key) end
      package.loaded.string, package.loaded._G, package.loaded.coroutine = nil
      assert(not pcall(greet.hello, ""))
      assert(not pcall(cygnixy.load, "/no/such.so"))
      assert(cygnixy.load(fixtures .. "/twin_a.so").which() == "a")
      print("done")
    ]])
  end)

  it("may collect without pause", function()
    prints("done\n", [[
      -- What each Lua calls it.
      pcall(collectgarbage, "setpause", 0)
      pcall(collectgarbage, "setstepmul", 10000)
      pcall(collectgarbage, "param", "pause", 0)
      if _VERSION == "Lua 5.4" or _VERSION == "Lua 5.5" then collectgarbage("generational") end
      for i = 1, 50 do
        local twin = cygnixy.load(fixtures .. "/twin_a.so")
        assert(twin.which() == "a")
        assert(not pcall(misbehave.deny, i))
        misbehave.call(function() misbehave.thing("x") collectgarbage("step") end)
        cygnixy.unload(twin)
        assert(not pcall(twin.which))
      end
      print("done")
    ]])
  end)

  it("may call plugin functions in a hot loop", function()
    prints("500000500000\n", [[
      if jit then jit.on() end
      local add, sum = misbehave.add, 0
      for i = 1, 1000000 do
        sum = add(sum, i)
      end
      print(("%.0f"):format(sum))
    ]])
  end)

  it("may fail and unload in a hot loop", function()
    prints("50000\t50000\tplugin 'misbehave' has been unloaded\n", [[
      if jit then jit.on() end
      local failures, revoked, last = 0, 0
      local deny = misbehave.deny
      for i = 1, 100000 do
        if i == 50001 then cygnixy.unload(misbehave) end
        local ok, err = pcall(deny, i)
        if not ok then
          last = err
          if err:find("access denied", 1, true) then failures = failures + 1 else revoked = revoked + 1 end
        end
      end
      print(failures, revoked, last)
    ]])
  end)
end)
