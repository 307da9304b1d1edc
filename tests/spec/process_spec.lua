-- What needs a process of its own: how it starts, how it ends, and what would crash it.

local support = require("support")

-- Runs a script after the prelude; it has to end well and print the given lines.
local function prints(expected, script, options)
  local output = support.output(support.prelude .. script, options)
  assert.equal(expected, output)
end

-- The lines that journals wrote in a run of a script.
local function journal(script)
  local path = support.new_path("journal")
  local stdout, stderr, status = support.run(support.prelude .. script, { env = { CYGNIXY_TEST_JOURNAL = path } })
  return support.exists(path) and support.read(path) or "", status, stdout .. stderr
end

-- In scripts: an object whose finaliser runs when it is collected, at the latest when the state
-- is closed.
local finalised = [[
local function finalised(f)
  if newproxy then
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = f
    return proxy
  end
  return setmetatable({}, { __gc = f })
end
]]

describe("an uncaught error", function()
  -- Checks what the interpreter prints before it fails.
  local function dies_with(message, script)
    local stdout, stderr, status = support.run(support.prelude .. script)
    assert.equal("", stdout)
    assert.equal(1, status)
    support.has(stderr, message)
    assert.is_nil(stderr:find("error object is", 1, true), stderr)
    return stderr
  end

  it("of a plugin function prints its message and position", function()
    dies_with("script.lua:5: no such user", "misbehave.runtime('no such user')")
    dies_with("script.lua:6: access denied with code 7: the guard is asleep", "\nmisbehave.deny(7)")
  end)

  it("that is a panic prints its message", function()
    dies_with("script.lua:5: the function panicked: a plain panic", "misbehave.panic_str()")
  end)

  it("of the loader prints its message", function()
    dies_with("script.lua:5: cannot load plugin '/no/such.so': the file cannot be read", "cygnixy.load('/no/such.so')")
  end)

  it("of an unloaded plugin prints its message", function()
    dies_with("script.lua:5: plugin 'greet' has been unloaded", "cygnixy.unload(greet) greet.hello('you')")
  end)

  it("has one traceback, which the interpreter adds", function()
    local stderr = dies_with("no such user", "misbehave.runtime('no such user')")
    local _, count = stderr:gsub("stack traceback", "")
    assert.is_true(count <= 1, stderr)
  end)
end)

describe("a coroutine that is collected", function()
  local abuse = [[
    for _ = 1, 20 do
      collectgarbage()
      -- Reuses the memory of what was collected.
      local threads = {}
      for i = 1, 50 do threads[i] = coroutine.wrap(function() coroutine.yield(i) end) threads[i]() end
      assert(greet.hello("you") == "Hello, you!")
      local ok, err = pcall(greet.hello, "")
      assert(not ok and err == "there is nobody to greet", err)
      ok, err = pcall(misbehave.panic_str)
      assert(not ok and err == "the function panicked: a plain panic", err)
      ok, err = pcall(cygnixy.load, "/no/such.so")
      assert(not ok and type(err) == "string", err)
      ok, err = pcall(misbehave.call, function() misbehave.deny(3) end)
      assert(not ok and err:find("access denied with code 3", 1, true), err)
      misbehave.thing("x")
    end
    cygnixy.unload("greet")
    cygnixy.unload("misbehave")
    collectgarbage()
    print("done")
  ]]

  it("may be the one in which the module was first required", function()
    assert.equal("done\n", support.output([[
      local plugins, fixtures = ...
      local cygnixy
      do
        local thread = coroutine.create(function() cygnixy = require("cygnixy") end)
        assert(coroutine.resume(thread))
      end
      collectgarbage() collectgarbage()
      local greet = cygnixy.load(plugins .. "/greet.so")
      local misbehave = cygnixy.load(fixtures .. "/misbehave.so")
    ]] .. abuse))
  end)

  it("may be the one in which plugins were first loaded", function()
    assert.equal("done\n", support.output([[
      local plugins, fixtures = ...
      local cygnixy, greet, misbehave
      do
        local thread = coroutine.create(function()
          cygnixy = require("cygnixy")
          greet = cygnixy.load(plugins .. "/greet.so")
        end)
        assert(coroutine.resume(thread))
        thread = coroutine.create(function()
          misbehave = cygnixy.load(fixtures .. "/misbehave.so")
          pcall(misbehave.deny, 1)
        end)
        assert(coroutine.resume(thread))
      end
      collectgarbage() collectgarbage()
    ]] .. abuse))
  end)

  if support.has_c_bodies then
    it("may have had require and load themselves as its body", function()
      assert.equal("done\n", support.output([[
        local plugins, fixtures = ...
        local cygnixy = coroutine.wrap(require)("cygnixy")
        collectgarbage() collectgarbage()
        local greet = coroutine.wrap(cygnixy.load)(plugins .. "/greet.so")
        collectgarbage() collectgarbage()
        local misbehave = coroutine.wrap(cygnixy.load)(fixtures .. "/misbehave.so")
      ]] .. abuse))
    end)
  end

  it("may be suspended with a plugin's values on its stack", function()
    prints("done\n", [[
      do
        local thread = coroutine.create(function()
          local thing = misbehave.thing("held")
          coroutine.yield(thing)
        end)
        assert(coroutine.resume(thread))
      end
      collectgarbage() collectgarbage()
      assert(misbehave.dropped() == 1)
    ]] .. abuse)
  end)

  it("may have failed in the loader", function()
    assert.equal("done\n", support.output([[
      local plugins, fixtures = ...
      do
        local thread = coroutine.create(function() require("cygnixy").load("/no/such.so") end)
        local ok, err = coroutine.resume(thread)
        assert(not ok and type(err) == "string", err)
      end
      collectgarbage() collectgarbage()
      local cygnixy = require("cygnixy")
      local greet = cygnixy.load(plugins .. "/greet.so")
      local misbehave = cygnixy.load(fixtures .. "/misbehave.so")
    ]] .. abuse))
  end)
end)

describe("the end of a process", function()
  local load_two = [[
    local first = cygnixy.load(fixtures .. "/journal.so")
    local second = cygnixy.load(fixtures .. "/journal_second.so")
  ]]
  local loaded = table.concat({
    "journal new", "journal name", "journal on_load", "journal get_lua_functions",
    "journal_second new", "journal_second name", "journal_second on_load", "journal_second get_lua_functions", "",
  }, "\n")
  local ended = table.concat({
    "journal_second on_unload", "journal_second drop", "journal on_unload", "journal drop", "",
  }, "\n")

  it("unloads each plugin once, the last loaded first", function()
    local lines, status, output = journal(load_two)
    assert.equal("", output)
    assert.equal(0, status)
    assert.equal(loaded .. ended, lines)
  end)

  it("does so after an error too", function()
    local lines, status, output = journal(load_two .. "error('the script failed')")
    support.has(output, "the script failed")
    assert.equal(1, status)
    assert.equal(loaded .. ended, lines)
  end)

  it("does not unload again what was unloaded", function()
    local lines, status, output = journal(load_two .. "cygnixy.unload(first)")
    assert.equal("", output)
    assert.equal(0, status)
    assert.equal(loaded .. table.concat({
      "journal on_unload", "journal drop", "journal_second on_unload", "journal_second drop", "",
    }, "\n"), lines)
  end)

  it("does so when nothing refers to the module any more", function()
    local lines, status, output = journal(load_two .. [[
      first, second, cygnixy, greet, misbehave = nil
      package.loaded.cygnixy = nil
      collectgarbage() collectgarbage()
      collectgarbage()
    ]])
    assert.equal("", output)
    assert.equal(0, status)
    assert.equal(loaded .. ended, lines)
  end)

  it("by os.exit that does not close the state is silent and clean", function()
    local lines, status, output = journal(load_two .. "os.exit(3)")
    assert.equal("", output)
    assert.equal(3, status)
    assert.equal(loaded, lines)
  end)

  it("by os.exit that closes the state unloads", function()
    local lines, status, output = journal(load_two .. "os.exit(0, true)")
    assert.equal("", output)
    assert.equal(0, status)
    if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
      -- Lua 5.1 has no such argument.
      assert.equal(loaded, lines)
    else
      assert.equal(loaded .. ended, lines)
    end
  end)

  it("from inside a call into a plugin is clean", function()
    local _, status, output = journal(load_two .. "misbehave.call(function() os.exit(4) end)")
    assert.equal("", output)
    assert.equal(4, status)
  end)

  it("from inside a call into a plugin that closes the state is clean", function()
    local _, status, output = journal(load_two .. "misbehave.call(function() os.exit(4, true) end)")
    assert.equal("", output)
    assert.equal(4, status)
  end)

  it("is clean with a plugin's values everywhere", function()
    prints("", [[
      things = {}
      for i = 1, 100 do things[i] = misbehave.thing("thing " .. i) end
      registry = debug.getregistry()
      registry.kept = { misbehave.counter(1), misbehave.thing("kept") }
      suspended = coroutine.wrap(function() local t = misbehave.thing("suspended") coroutine.yield(t) end)
      suspended()
      cycle = setmetatable({}, { __index = misbehave.add, __gc = misbehave.add })
      cycle.cycle = cycle
      cygnixy.unload(greet)
    ]])
  end)

  it("is clean when plugins fail to unload", function()
    local _, stderr, status = support.run(support.prelude .. [[
      for _, name in ipairs({ "unload_fails", "unload_panics", "drop_panics" }) do
        cygnixy.load(fixtures .. "/" .. name .. ".so")
      end
    ]])
    assert.equal(0, status, stderr)
  end)

  it("is clean when plugins failed to load", function()
    prints("", [[
      for _, name in ipairs({ "constructor_panics", "name_panics", "load_fails", "load_panics", "functions_panic" }) do
        assert(not pcall(cygnixy.load, fixtures .. "/" .. name .. ".so"))
      end
    ]])
  end)
end)

describe("a failed load", function()
  it("runs on_unload at once if on_load had succeeded", function()
    local lines, status, output = journal([[
      assert(not pcall(cygnixy.load, fixtures .. "/functions_panic.so"))
      assert(cygnixy.get("functions_panic") == nil)
      os.exit(5)
    ]])
    assert.equal("", output)
    assert.equal(5, status)
    assert.equal("functions_panic on_unload\n", lines)
  end)

  it("runs no on_unload if on_load had failed", function()
    local lines, status, output = journal('assert(not pcall(cygnixy.load, fixtures .. "/load_fails.so"))')
    assert.equal("", output)
    assert.equal(0, status)
    assert.equal("", lines)
  end)
end)

describe("a finaliser that runs when the state is closed", function()
  local uses = [[
    local function try(what, f, ...)
      local ok, result = pcall(f, ...)
      if not ok and type(result) ~= "string" then
        print(what .. ": " .. type(result))
      end
    end
    function use_everything()
      try("hello", greet.hello, "you")
      try("hello fails", greet.hello, "")
      try("panic", misbehave.panic_str)
      try("call", misbehave.call, function() return misbehave.add(1, 2) end)
      try("closure", next_number)
      try("method", function() return thing:label() end)
      try("thing", misbehave.thing, "late")
      try("load", cygnixy.load, plugins .. "/greet.so")
      try("load another", cygnixy.load, fixtures .. "/twin_a.so")
      try("load a bad one", cygnixy.load, "/no/such.so")
      try("get", cygnixy.get, "greet")
      try("list", cygnixy.list)
      try("inspect", cygnixy.inspect, plugins .. "/greet.so")
      try("unload", cygnixy.unload, "misbehave")
      try("unload again", cygnixy.unload, "misbehave")
      try("require", function() package.loaded.cygnixy = nil require("cygnixy") end)
      collectgarbage()
      print("finalised")
    end
  ]]
  local load_all = [[
    plugins, fixtures = ...
    cygnixy = require("cygnixy")
    greet = cygnixy.load(plugins .. "/greet.so")
    misbehave = cygnixy.load(fixtures .. "/misbehave.so")
    thing = misbehave.thing("old")
    next_number = misbehave.counter(1)
  ]]

  it("may use plugins if its object is older than the module", function()
    assert.equal("finalised\n", support.output(
      finalised .. uses .. "early = finalised(function() use_everything() end)\n" .. load_all))
  end)

  it("may use plugins if its object is younger than the module", function()
    assert.equal("finalised\n", support.output(
      finalised .. uses .. load_all .. "late = finalised(function() use_everything() end)\n"))
  end)

  it("may use plugins if there is one of each age", function()
    assert.equal("finalised\nfinalised\n", support.output(
      finalised .. uses .. "early = finalised(function() use_everything() end)\n" .. load_all
        .. "late = finalised(function() use_everything() end)\n"))
  end)

  it("may load the module for the first time", function()
    assert.equal("Hello, late!\n", support.output(finalised .. [[
      local plugins = ...
      early = finalised(function()
        print(require("cygnixy").load(plugins .. "/greet.so").hello("late"))
      end)
    ]]))
  end)

  it("may be a plugin function itself", function()
    assert.equal("", support.output(finalised .. [[
      early = finalised(function(...) if hello then pcall(hello, "x") end end)
    ]] .. load_all .. [[
      hello = greet.hello
      direct = finalised(misbehave.counter(1))
      failing = finalised(misbehave.dropped)
    ]]))
  end)
end)

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
