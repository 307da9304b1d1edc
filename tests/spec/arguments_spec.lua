-- Arguments that make no sense, to the loader's own functions.

local support = require("support")
local cygnixy = require("cygnixy")

describe("a wrong argument", function()
  support.with_witness(cygnixy)

  -- Checks a function with arguments of every wrong type.
  local function takes_only_strings(name)
    local f = cygnixy[name]
    local function got(expected, ...)
      assert.equal(
        ("bad argument #1 to '%s' (string expected, got %s)"):format(name, expected),
        support.failure(f, ...)
      )
    end
    got("no value")
    got("nil", nil)
    got("number", 42)
    got("number", 4.5)
    got("table", {})
    got("boolean", true)
    got("function", print)
    got("thread", coroutine.create(function() end))
    got("userdata", io.stdout)
  end

  it("to load is named", function()
    takes_only_strings("load")
  end)

  it("to get is named", function()
    takes_only_strings("get")
  end)

  it("to inspect is named", function()
    takes_only_strings("inspect")
  end)

  it("to unload is named", function()
    local function got(expected, ...)
      assert.equal(
        ("bad argument #1 to 'unload' (plugin table or name expected, got %s)"):format(expected),
        support.failure(cygnixy.unload, ...)
      )
    end
    got("no value")
    got("nil", nil)
    got("number", 42)
    got("boolean", false)
    got("function", print)
  end)

  it("to unload may be a table of something else", function()
    for _, other in ipairs({ {}, _G, cygnixy, setmetatable({}, { __index = cygnixy.get("greet") }) }) do
      assert.equal("bad argument #1 to 'unload' (this table is not that of a loaded plugin)",
        support.failure(cygnixy.unload, other))
    end
  end)

  it("is taken from method calls as it comes", function()
    assert.equal("bad argument #1 to 'load' (string expected, got table)",
      support.failure(cygnixy.load, cygnixy, "x.so"))
  end)

  it("beyond those that are known is ignored", function()
    assert.equal(cygnixy.get("greet"), cygnixy.load(support.plugin("greet"), {}, 1, print))
    assert.equal(1, #cygnixy.list(1, 2, 3))
  end)
end)

describe("unloading", function()
  support.with_witness(cygnixy)

  it("twice by name fails and names what is loaded", function()
    cygnixy.load(support.fixture("twin_a"))
    assert.is_table(cygnixy.unload("twin"))
    assert.equal("no plugin named 'twin' is loaded (loaded: greet)", support.failure(cygnixy.unload, "twin"))
  end)

  it("twice by table fails", function()
    local twin = cygnixy.load(support.fixture("twin_a"))
    assert.is_table(cygnixy.unload(twin))
    assert.equal("bad argument #1 to 'unload' (this table is not that of a loaded plugin)",
      support.failure(cygnixy.unload, twin))
  end)

  it("what was never loaded fails", function()
    assert.equal("no plugin named 'nobody' is loaded (loaded: greet)", support.failure(cygnixy.unload, "nobody"))
    assert.equal("no plugin named '' is loaded (loaded: greet)", support.failure(cygnixy.unload, ""))
  end)

  it("by a path or a crate's name fails", function()
    support.has(support.failure(cygnixy.unload, support.plugin("greet")), "no plugin named '", "greet.so' is loaded")
  end)
end)

it("unloading when nothing is loaded fails", function()
  assert.equal("no plugin named 'greet' is loaded", support.failure(cygnixy.unload, "greet"))
end)
