-- Errors of plugin functions as Lua code sees them: strings with the position of the call.

local support = require("support")
local cygnixy = require("cygnixy")

-- The line of the call that follows.
local function next_line()
  return debug.getinfo(2, "l").currentline + 1
end

-- Checks a message's position and text.
local function at(line, text, err)
  support.is_message(err)
  local file, found, message = err:match("^(.-):(%d+): (.*)$")
  assert.equal("errors_spec.lua", (file or ""):match("[^/]*$"))
  assert.equal(line, tonumber(found))
  assert.equal(text, message)
end

describe("an error of a plugin function", function()
  support.with_witness(cygnixy)
  local m

  before_each(function()
    m = cygnixy.load(support.fixture("misbehave"))
  end)

  it("is a string with the position of the call", function()
    local line
    local ok, err = pcall(function()
      line = next_line()
      m.runtime("no such user")
      error("not reached")
    end)
    assert.is_false(ok)
    at(line, "no such user", err)
  end)

  it("is a string without a position where no Lua code called", function()
    local ok, err = pcall(m.runtime, "no such user")
    assert.is_false(ok)
    assert.equal("no such user", err)
  end)

  it("has the chain of its causes", function()
    assert.equal("access denied with code 7: the guard is asleep", support.failure(m.deny, 7))
  end)

  it("has its context before it", function()
    assert.equal("while opening the gate: access denied with code 5: the guard is asleep", support.failure(m.context))
  end)

  it("names a bad argument", function()
    assert.equal("bad argument #2 'width' to 'crop' (must be positive)", support.failure(m.bad_argument))
  end)

  it("keeps lines, quotes and letters that are not ASCII", function()
    for _, text in ipairs({ "a\nb", "'\"\\", "Grüße 🦀", "", "%s %d", "x:1: y" }) do
      assert.equal(text, support.failure(m.runtime, text))
    end
  end)

  it("may be long", function()
    local text = ("long "):rep(20000)
    assert.equal(text, support.failure(m.runtime, text))
  end)

  it("is a string for xpcall's handler", function()
    local line, seen
    local function call()
      line = next_line()
      m.runtime("no such user")
    end
    local ok, result = xpcall(call, function(err)
      seen = err
      return "handled"
    end)
    assert.is_false(ok)
    assert.equal("handled", result)
    at(line, "no such user", seen)
  end)

  it("is a string in a coroutine", function()
    local line
    local thread = coroutine.create(function()
      line = next_line()
      m.runtime("no such user")
    end)
    local ok, err = coroutine.resume(thread)
    assert.is_false(ok)
    at(line, "no such user", err)
    assert.equal("dead", coroutine.status(thread))
  end)

  if support.has_c_bodies then
    it("is a string as the body of a coroutine", function()
      local ok, err = coroutine.resume(coroutine.create(m.runtime), "no such user")
      assert.is_false(ok)
      assert.equal("no such user", err)
    end)
  end

  it("is a string out of coroutine.wrap", function()
    local ok, err = pcall(coroutine.wrap(function()
      coroutine.yield()
      m.runtime("no such user")
    end))
    assert.is_true(ok, err)
    local resume = coroutine.wrap(function()
      m.runtime("no such user")
    end)
    ok, err = pcall(resume)
    assert.is_false(ok)
    support.has(support.is_message(err), "errors_spec.lua:", "no such user")
  end)

  it("is a string out of metamethods", function()
    local function fail()
      m.runtime("from a metamethod")
    end
    local object = setmetatable({}, {
      __index = fail, __newindex = fail, __call = fail, __add = fail, __concat = fail, __unm = fail,
      __eq = fail, __lt = fail, __le = fail, __tostring = fail,
    })
    local other = setmetatable({}, getmetatable(object))
    local uses = {
      index = function() return object.x end,
      newindex = function() object.x = 1 end,
      call = function() object() end,
      add = function() return object + 1 end,
      concat = function() return object .. "x" end,
      unm = function() return -object end,
      eq = function() return object == other end,
      lt = function() return object < other end,
      le = function() return object <= other end,
      tostring = function() return (tostring(object)) end,
    }
    for name, use in pairs(uses) do
      local ok, err = pcall(use)
      assert.is_false(ok, name)
      support.has(support.is_message(err), "errors_spec.lua:", "from a metamethod")
    end
  end)

  it("is a string when the function is the metamethod", function()
    local object = setmetatable({}, {
      __index = function(_, key) return m.runtime(key) end,
      __call = m.add,
      __concat = m.add,
    })
    for _, use in ipairs({
      function() return object.x end,
      function() object() end,
      function() return object .. "x" end,
    }) do
      local ok, err = pcall(use)
      assert.is_false(ok)
      support.is_message(err)
    end
  end)

  it("is a string out of an iterator, a comparison and a replacement", function()
    for _, use in ipairs({
      function() for _ in m.runtime, "next" do error("not reached") end end,
      function() table.sort({ 3, 1, 2 }, m.deny) end,
      function() return (("abc"):gsub("b", m.runtime)) end,
    }) do
      local ok, err = pcall(use)
      assert.is_false(ok)
      support.is_message(err)
    end
    -- The outermost handler would see an error inside `load`, hence `pcall`.
    local _, chunk, err = pcall(load, m.panic_str)
    assert.is_nil(chunk)
    assert.equal("the function panicked: a plain panic", err)
  end)

  it("leaves the function usable", function()
    for _ = 1, 1000 do
      assert.is_false((pcall(m.deny, 1)))
    end
    collectgarbage()
    assert.equal(3, m.add(1, 2))
    support.has(support.failure(m.deny, 2), "access denied with code 2")
  end)
end)

describe("wrong arguments", function()
  support.with_witness(cygnixy)
  local m

  before_each(function()
    m = cygnixy.load(support.fixture("misbehave"))
  end)

  it("are errors that name the argument and the type", function()
    support.has(support.failure(m.add, 1, {}), "bad argument #2", "table", "f64")
    support.has(support.failure(m.add), "bad argument #1", "nil", "f64")
    support.has(support.failure(m.runtime, {}), "bad argument #1", "table", "String")
    support.has(support.failure(m.call, 12), "bad argument #1", "function")
    support.has(support.failure(m.deny, -1), "bad argument #1", "out of range")
    support.has(support.failure(m.runtime, "\255\254"), "bad argument #1", "utf-8")
  end)

  it("have the position of the call", function()
    local line
    local _, err = pcall(function()
      line = next_line()
      m.add({}, {})
    end)
    support.has(support.is_message(err), ("errors_spec.lua:%d: "):format(line))
  end)
end)

describe("a panic of a plugin function", function()
  support.with_witness(cygnixy)
  local m

  before_each(function()
    m = cygnixy.load(support.fixture("misbehave"))
  end)

  it("is an error with its message and the position of the call", function()
    local line
    local _, err = pcall(function()
      line = next_line()
      m.panic_str()
    end)
    at(line, "the function panicked: a plain panic", err)
    assert.equal("the function panicked: panic number 12", support.failure(m.panic_string, 12))
  end)

  it("is an error even if it has no message", function()
    assert.equal("the function panicked: a panic without a message", support.failure(m.panic_other))
  end)

  it("leaves the plugin usable", function()
    for index = 1, 100 do
      assert.equal("the function panicked: panic number " .. index, support.failure(m.panic_string, index))
    end
    collectgarbage()
    assert.equal(3, m.add(1, 2))
  end)

  it("is an error in a coroutine", function()
    local ok, err = coroutine.resume(coroutine.create(function() m.panic_str() end))
    assert.is_false(ok)
    support.has(support.is_message(err), "errors_spec.lua:", "the function panicked: a plain panic")
  end)

  it("is an error through a call from Rust", function()
    support.has(support.failure(m.call, m.panic_str), "a plain panic")
    support.has(support.failure(m.call, function() m.panic_str() end), "a plain panic")
    assert.equal(3, m.add(1, 2))
  end)
end)

describe("an error that passes through Rust", function()
  support.with_witness(cygnixy)
  local m

  before_each(function()
    m = cygnixy.load(support.fixture("misbehave"))
  end)

  it("stays structured there", function()
    assert.equal(7, m.prove(7))
    assert.equal("denied, code 8", m.catch(m.deny, 8))
  end)

  it("stays structured through Lua code in between", function()
    assert.equal("denied, code 9", m.catch(function() m.deny(9) end))
    assert.equal("denied, code 9", m.catch(function() m.call(m.deny, 9) end))
  end)

  it("is a string once Lua code has caught it", function()
    local caught
    local result = m.catch(function()
      caught = select(2, pcall(m.deny, 10))
      error(caught, 0)
    end)
    assert.equal("access denied with code 10: the guard is asleep", caught)
    support.has(result, "other: ", "access denied with code 10")
  end)

  it("of a Lua callback keeps the callback's position", function()
    local line
    local ok, err = pcall(function()
      m.call(function()
        line = next_line()
        error("callback failed")
      end)
    end)
    assert.is_false(ok)
    at(line, "callback failed", err)
  end)

  it("goes through plugin, Lua and plugin again", function()
    local function nested()
      m.call(function()
        m.call(function()
          m.runtime("deep inside")
        end)
      end)
    end
    local ok, err = pcall(nested)
    assert.is_false(ok)
    support.has(support.is_message(err), "deep inside")
    local _, count = err:gsub("deep inside", "")
    assert.equal(1, count)
  end)

  it("goes from one plugin to another as a string", function()
    local greet = cygnixy.get("greet")
    support.has(m.catch(greet.hello, ""), "other: ", "there is nobody to greet")
    local _, err = pcall(m.call, greet.hello, "")
    assert.equal("there is nobody to greet", err)
    local line
    _, err = pcall(function()
      m.call(function()
        line = next_line()
        greet.hello("")
      end)
    end)
    at(line, "there is nobody to greet", err)
  end)

  it("may be a table, which Lua code then sees as text", function()
    for _, value in ipairs({ {}, true, 12, function() end }) do
      local ok, err = pcall(m.call, function() error(value) end)
      assert.is_false(ok)
      support.is_message(err)
    end
  end)

  it("may be one of the loader", function()
    local _, err = pcall(m.call, cygnixy.load, "/no/such.so")
    support.has(support.is_message(err), "cannot load plugin '/no/such.so'")
    support.has(m.catch(cygnixy.load, "/no/such.so"), "other: ", "cannot load plugin '/no/such.so'")
  end)

  it("is one of Lua's when it yields across Rust", function()
    local ok, err = coroutine.resume(coroutine.create(function()
      m.call(coroutine.yield)
    end))
    assert.is_false(ok)
    support.has(support.is_message(err), "attempt to yield across")
  end)

  -- LuaJIT has no limit for calls between C and Lua: its own `string.gsub` crashes so too.
  if not rawget(_G, "jit") then
    it("is one of Lua's when the stack overflows", function()
      local function deeper()
        return 1 + m.call(deeper)
      end
      local ok, err = pcall(deeper)
      assert.is_false(ok)
      support.is_message(err)
      assert.equal(3, m.add(1, 2))
    end)
  end
end)

describe("an error of the loader", function()
  support.with_witness(cygnixy)

  it("is a string with the position of the call", function()
    local line
    local _, err = pcall(function()
      line = next_line()
      cygnixy.load("/no/such.so")
    end)
    at(line, "cannot load plugin '/no/such.so': the file cannot be read: No such file or directory (os error 2)", err)
    _, err = pcall(function()
      line = next_line()
      cygnixy.unload("nobody")
    end)
    at(line, "no plugin named 'nobody' is loaded (loaded: greet)", err)
  end)

  it("is a string in a coroutine, in xpcall and out of coroutine.wrap", function()
    local function fail()
      cygnixy.load("/no/such.so")
    end
    local _, err = coroutine.resume(coroutine.create(fail))
    support.has(support.is_message(err), "errors_spec.lua:", "cannot load plugin '/no/such.so'")
    xpcall(fail, function(seen) err = seen end)
    support.has(support.is_message(err), "errors_spec.lua:", "cannot load plugin '/no/such.so'")
    _, err = pcall(coroutine.wrap(fail))
    support.has(support.is_message(err), "errors_spec.lua:", "cannot load plugin '/no/such.so'")
  end)
end)

describe("objects and closures of a plugin", function()
  support.with_witness(cygnixy)
  local m

  before_each(function()
    m = cygnixy.load(support.fixture("misbehave"))
  end)

  it("work", function()
    local next_number = m.counter(5)
    assert.same({ 5, 6, 7 }, { next_number(), next_number(), next_number() })
    assert.equal("my label", m.thing("my label"):label())
  end)

  it("fail with strings", function()
    local thing = m.thing("lamp")
    assert.equal("lamp is broken", support.failure(thing.fail, thing))
    for _, use in ipairs({
      function() return thing + 1 end,
      function() return #thing end,
      function() thing.label() end,
      function() thing.label(12) end,
      function() thing:nothing() end,
      function() thing.x = 1 end,
    }) do
      local ok, err = pcall(use)
      assert.is_false(ok)
      support.has(support.is_message(err), "errors_spec.lua:")
    end
  end)

  it("are dropped when they are collected", function()
    local before = m.dropped()
    for _ = 1, 100 do
      m.thing("short-lived")
    end
    collectgarbage()
    collectgarbage()
    assert.equal(before + 100, m.dropped())
  end)

  it("outlive an unload", function()
    local thing, next_number = m.thing("lamp"), m.counter(1)
    cygnixy.unload(m)
    collectgarbage()
    assert.equal("lamp", thing:label())
    assert.equal(1, next_number())
    assert.equal("lamp is broken", support.failure(thing.fail, thing))
  end)
end)
