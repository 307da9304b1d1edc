-- After an unload, whoever still holds a function of the plugin gets an error that says so.

local support = require("support")
local cygnixy = require("cygnixy")

describe("a function of an unloaded plugin", function()
  support.with_witness(cygnixy)
  local revoked = "plugin 'misbehave' has been unloaded"
  local m

  before_each(function()
    m = cygnixy.load(support.fixture("misbehave"))
  end)

  it("says so from a local, a table and an upvalue", function()
    local add, holder = m.add, { deep = { add = m.add } }
    local function through_upvalue(...)
      local result = add(...)
      return result
    end
    assert.equal(3, through_upvalue(1, 2))
    cygnixy.unload(m)
    assert.equal(revoked, support.failure(add, 1, 2))
    assert.equal(revoked, support.failure(holder.deep.add, 1, 2))
    assert.equal(revoked, support.failure(m.add, 1, 2))
    local ok, err = pcall(through_upvalue, 1, 2)
    assert.is_false(ok)
    support.has(support.is_message(err), "revocation_spec.lua:", revoked)
  end)

  it("says so with the position of the call", function()
    local add = m.add
    cygnixy.unload(m)
    local line
    local _, err = pcall(function()
      line = debug.getinfo(1, "l").currentline + 1
      add(1, 2)
    end)
    support.has(err, ("revocation_spec.lua:%d: %s"):format(line, revoked))
  end)

  it("says so in a coroutine that was started before", function()
    local thread = coroutine.create(function(f, ...)
      coroutine.yield(f(1, 2))
      f(...)
    end)
    local ok, result = coroutine.resume(thread, m.add, 3, 4)
    assert.is_true(ok, result)
    assert.equal(3, result)
    cygnixy.unload(m)
    local err
    ok, err = coroutine.resume(thread)
    assert.is_false(ok)
    support.has(support.is_message(err), "revocation_spec.lua:", revoked)
  end)

  it("says so as a metamethod and an iterator", function()
    local object = setmetatable({}, { __call = m.add, __index = m.add })
    cygnixy.unload(m)
    for _, use in ipairs({
      function() object() end,
      function() return object.x end,
      function() for _ in m.add do error("not reached") end end,
    }) do
      local ok, err = pcall(use)
      assert.is_false(ok)
      support.has(support.is_message(err), revoked)
    end
  end)

  if support.has_c_bodies then
    it("says so as the body of a coroutine", function()
      local thread = coroutine.create(m.add)
      cygnixy.unload(m)
      local ok, err = coroutine.resume(thread, 1, 2)
      assert.is_false(ok)
      assert.equal(revoked, err)
    end)
  end

  it("says so to Rust code of another plugin", function()
    local which = cygnixy.load(support.fixture("twin_a")).which
    cygnixy.unload("twin")
    support.has(m.catch(which), "other: ", "plugin 'twin' has been unloaded")
    local ok, err = pcall(m.call, which)
    assert.is_false(ok)
    assert.equal("plugin 'twin' has been unloaded", err)
  end)

  it("says so whatever the arguments", function()
    local names = {}
    for name in pairs(m) do
      names[#names + 1] = name
    end
    assert.is_true(#names > 10)
    cygnixy.unload(m)
    for _, name in ipairs(names) do
      assert.equal(revoked, support.failure(m[name]))
      assert.equal(revoked, support.failure(m[name], {}, print, nil, 12, "text"))
    end
  end)

  it("says so after the table was changed or emptied", function()
    local add = m.add
    m.extra, m.add = print, nil
    cygnixy.unload(m)
    assert.equal(revoked, support.failure(add, 1, 2))
    assert.equal(print, m.extra)
  end)

  it("stays revoked when the plugin is loaded again", function()
    local add = m.add
    cygnixy.unload(m)
    local again = cygnixy.load(support.fixture("misbehave"))
    assert.equal(revoked, support.failure(add, 1, 2))
    assert.equal(3, again.add(1, 2))
    assert.are_not.equal(m, again)
  end)

  it("can be collected", function()
    cygnixy.unload(m)
    local weak = setmetatable({ m, m.add }, { __mode = "v" })
    m = nil
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak[1])
    assert.equal(3, cygnixy.load(support.fixture("misbehave")).add(1, 2))
  end)

  it("does not touch functions of other plugins", function()
    local a = cygnixy.load(support.fixture("twin_a"))
    cygnixy.unload(m)
    assert.equal("a", a.which())
    assert.equal("Hello, you!", cygnixy.get("greet").hello("you"))
  end)

  it("survives many cycles", function()
    cygnixy.unload(m)
    for _ = 1, 200 do
      m = cygnixy.load(support.fixture("misbehave"))
      assert.equal(3, m.add(1, 2))
      assert.is_false((pcall(m.deny, 1)))
      cygnixy.unload(m)
      assert.is_false((pcall(m.add, 1, 2)))
    end
  end)
end)

describe("an unload from inside a call into the plugin", function()
  support.with_witness(cygnixy)
  local m

  before_each(function()
    m = cygnixy.load(support.fixture("misbehave"))
  end)

  local function assert_refused(ok, err)
    assert.is_false(ok)
    support.has(support.is_message(err), "cannot unload plugin 'misbehave'", support.fixture("misbehave"),
      "one of its functions is still running")
    assert.equal(m, cygnixy.get("misbehave"))
    assert.equal(3, m.add(1, 2))
  end

  it("is refused, and the plugin goes on working", function()
    m.call(function()
      assert_refused(pcall(cygnixy.unload, m))
      assert_refused(pcall(cygnixy.unload, "misbehave"))
    end)
    assert.equal(3, m.add(1, 2))
    assert.is_table(cygnixy.unload(m))
  end)

  it("is refused where the call itself is the function that Rust calls", function()
    local ok, err = pcall(m.call, cygnixy.unload, m)
    assert_refused(ok, err)
    assert.is_table(cygnixy.unload(m))
  end)

  it("is refused from a coroutine that the call has started", function()
    m.call(function()
      local ok, err = coroutine.resume(coroutine.create(function()
        cygnixy.unload(m)
      end))
      assert_refused(ok, err)
    end)
  end)

  it("is refused from a coroutine in which the call runs", function()
    local thread = coroutine.create(function()
      m.call(function()
        assert_refused(pcall(cygnixy.unload, m))
      end)
      return "done"
    end)
    local ok, result = coroutine.resume(thread)
    assert.is_true(ok, result)
    assert.equal("done", result)
    assert.is_table(cygnixy.unload(m))
  end)

  it("is refused through another plugin", function()
    local a = cygnixy.load(support.fixture("reenter"))
    assert.equal("nobody asked", a.answer())
    m.call(function()
      rawset(_G, "reenter", function()
        local ok, err = pcall(cygnixy.unload, m)
        return tostring(ok) .. " " .. tostring(err)
      end)
      cygnixy.unload(a)
      a = cygnixy.load(support.fixture("reenter"))
    end)
    support.has(a.answer(), "false ", "one of its functions is still running")
  end)

  it("is no matter for other plugins", function()
    local a = cygnixy.load(support.fixture("twin_a"))
    m.call(function()
      assert.is_table(cygnixy.unload(a))
    end)
    assert.equal("plugin 'twin' has been unloaded", support.failure(a.which))
  end)
end)
