-- What needs a process of its own: errors that nobody catches, and coroutines that are gone.

local support = require("support")

-- Runs a script after the prelude; it has to end well and print the given lines.
local function prints(expected, script, options)
  local output = support.output(support.prelude .. script, options)
  assert.equal(expected, output)
end

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
