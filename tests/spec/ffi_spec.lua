-- Fast functions that are reloaded, and their calls through LuaJIT's FFI.

local support = require("support")
local cygnixy = require("cygnixy")

local is_luajit = cygnixy.abi == "luajit"
local out_of_range = math.type and "value out of range" or "invalid value"
local not_integral = "number has no integer representation"
local failure = support.failure_of

describe("a fast function that is reloaded", function()
  local path, f

  before_each(function()
    path = support.copy(support.fixture("fast"))
    f = cygnixy.load(path)
  end)
  after_each(function() cygnixy.unload("fast") end)

  it("runs the new code, wherever it is held", function()
    local add, byte, hello, trim, counter = f.add, f.ffi_byte, f.hello, f.trim, f.counter(3)
    support.replace(path, support.fixture("fast_second"))
    cygnixy.reload("fast")
    assert.equal(203, f.add(1, 2))
    assert.equal(203, add(1, 2))
    assert.equal("Good day, you.", hello("you"))
    assert.equal(100, byte(200))
    assert.is_nil(f.trim)
    local ok, err = pcall(trim, " x ")
    assert.is_false(ok)
    assert.matches("has no function 'trim' since it was reloaded", err)
    assert.equal(3, counter:get())
  end)
end)

describe("cygnixy.ffi", function()
  support.with_witness(cygnixy)
  local path, f, direct

  before_each(function()
    path = support.copy(support.fixture("fast"))
    f = cygnixy.load(path)
    direct = cygnixy.ffi(f)
  end)
  after_each(function() if cygnixy.get("fast") then cygnixy.unload("fast") end end)

  -- Long enough for LuaJIT to compile it.
  local function often(body)
    for i = 1, 300 do body(i) end
  end

  it("gives all functions", function()
    assert.equal(direct, cygnixy.ffi("fast"))
    for name in pairs(f) do assert.equal("function", type(direct[name]), name) end
    assert.equal(is_luajit, direct.ffi_add ~= f.ffi_add)
    assert.equal(f.add, direct.add)
  end)

  it("calls them with the same results", function()
    often(function(i)
      assert.equal(0, select("#", direct.ffi_noop()))
      assert.equal(i + 0.5, direct.ffi_add(i, 0.5))
      assert.equal(i % 256, direct.ffi_byte(i % 256))
      assert.equal(i % 2 == 0, direct.ffi_both(i % 2 == 0, true))
      assert.equal(3, direct.ffi_length("a\0b"))
      assert.equal(4, direct.ffi_characters("Grüße", 1))
      assert.is_true(direct.ffi_refuse(-i))
      assert.equal(i, direct.ffi_count())
    end)
    assert.equal(301, f.ffi_count())
  end)

  it("converts and refuses like the ordinary functions", function()
    often(function(i)
      assert.equal(i + 1, direct.ffi_add(tostring(i), 1))
      assert.equal(#tostring(i), direct.ffi_length(i))
      assert.is_true(direct.ffi_both(1, "x"))
      assert.is_false(direct.ffi_both(nil, "x"))
    end)
    assert.equal("bad argument #1 to 'ffi_byte' (" .. out_of_range .. ")", failure(direct, "ffi_byte", 256))
    assert.equal("bad argument #1 to 'ffi_byte' (" .. not_integral .. ")", failure(direct, "ffi_byte", 1.5))
    assert.equal("bad argument #2 to 'ffi_add' (number expected, got table)", failure(direct, "ffi_add", 1, {}))
    assert.equal("bad argument #1 to 'ffi_characters' (string is not valid UTF-8)",
      failure(direct, "ffi_characters", "\255", 0))
  end)

  it("raises errors and panics with the caller's position", function()
    assert.equal("refused with code 7", failure(direct, "ffi_refuse", 7))
    assert.equal("the function panicked: no 7", failure(direct, "ffi_panics", 7))
    local caught = 0
    often(function(i)
      local ok, err = pcall(direct.ffi_refuse, i)
      if not ok and err:find("refused with code " .. i, 1, true) then caught = caught + 1 end
    end)
    assert.equal(300, caught)
  end)

  it("raises an error after the unload, and keeps nothing mapped", function()
    local add, length = direct.ffi_add, direct.ffi_length
    often(function(i) assert.equal(i + 1, add(i, 1)) end)
    f = nil
    if not is_luajit then add, length = nil, nil end
    local report = cygnixy.unload("fast")
    assert.is_true(report.unmapped)
    if is_luajit then
      for _ = 1, 3 do
        assert.equal("plugin 'fast' has been unloaded", select(2, pcall(add, 1, 2)))
        assert.equal("plugin 'fast' has been unloaded", select(2, pcall(length, "x")))
      end
    end
    assert.equal("plugin 'fast' has been unloaded", failure(direct, "ffi_add", 1, 2))
    assert.equal("plugin 'fast' has been unloaded", failure(direct, "add", 1, 2))
  end)

  it("unloads in the middle of a compiled loop", function()
    local add, results = direct.ffi_add, {}
    f = nil
    if is_luajit then direct = nil end
    for i = 1, 400 do
      if i == 300 then cygnixy.unload("fast") end
      local ok, result = pcall(add, i, 1)
      results[i] = ok and result or tostring(result):match("unloaded")
    end
    assert.equal(300, results[299])
    assert.equal("unloaded", results[300])
    assert.equal("unloaded", results[400])
  end)

  -- Runs a body with a debug hook at each of its instructions in turn, compiled code aside.
  local function interrupted(body, by)
    local compiler = rawget(_G, "jit")
    if compiler then compiler.off() end
    for at = 1, 60 do
      local count = 0
      debug.sethook(function()
        count = count + 1
        if count == at then by() end
      end, "", 1)
      local ok, err = pcall(body)
      debug.sethook()
      assert(ok, err)
    end
    if compiler then compiler.on() end
  end

  it("is not disturbed by calls that come in between", function()
    local add, length = direct.ffi_add, direct.ffi_length
    interrupted(function()
      assert.equal(3, add(1, 2))
      assert.equal(2, length("ab"))
    end, function()
      add(1000, 2000)
      length(("x"):rep(100))
      pcall(direct.ffi_refuse, 3)
    end)
  end)

  it("finishes a call in whose middle the plugin is unloaded", function()
    f, direct = nil, nil
    interrupted(function()
      if not cygnixy.get("fast") then cygnixy.load(path) end
      local ok, found = pcall(cygnixy.ffi, "fast")
      if not ok then return end
      local refuse, add = found.ffi_refuse, found.ffi_add
      local result
      ok, result = pcall(add, 1, 2)
      assert(ok and result == 3 or tostring(result):find("unloaded", 1, true), result)
      ok, result = pcall(refuse, 7)
      assert(not ok and (result:find("code 7", 1, true) or result:find("unloaded", 1, true)), result)
    end, function()
      if cygnixy.get("fast") then cygnixy.unload("fast") end
      collectgarbage()
      collectgarbage()
    end)
  end)

  it("follows a reload", function()
    local add, byte, length, both = direct.ffi_add, direct.ffi_byte, direct.ffi_length, direct.ffi_both
    often(function(i) assert.equal(i + 1, add(i, 1)) end)
    support.replace(path, support.fixture("fast_second"))
    local report = cygnixy.reload("fast")
    often(function(i)
      assert.equal(100 + i + 1, add(i, 1))
      assert.equal(100 + i + 1, direct.ffi_add(i, 1))
      assert.equal(100, byte(200))
      assert.equal(4, direct.ffi_length("ab", 2))
      assert.equal(4, length("ab", 2))
      assert.equal(2 * i, direct.ffi_new(i))
    end)
    assert.equal(is_luajit, report.unmapped)
    assert.equal(direct, cygnixy.ffi("fast"))
    assert.is_nil(direct.ffi_both)
    assert.matches("has no function 'ffi_both' since it was reloaded", select(2, pcall(both, true, true)))
    support.replace(path, support.fixture("fast"))
    cygnixy.reload("fast")
    often(function(i)
      assert.equal(i + 1, add(i, 1))
      assert.equal(2, length("ab"))
      assert.equal(i % 2 == 0, both(i % 2 == 0, true))
    end)
  end)

  it("names a plugin that is not loaded", function()
    cygnixy.unload("fast")
    assert.matches("no plugin named 'fast' is loaded", select(2, pcall(cygnixy.ffi, "fast")))
    assert.matches("bad argument #1 to 'ffi'", select(2, pcall(cygnixy.ffi)))
  end)
end)
