-- Plugins whose hooks fail: the caller is told which hook of which plugin, and why; the plugin is
-- not there, and everything else goes on.

local support = require("support")
local cygnixy = require("cygnixy")

describe("a failing hook:", function()
  support.with_witness(cygnixy)

  -- Checks that loading fails with the given parts, again and again.
  local function load_fails(name, ...)
    local path = support.fixture(name)
    for _ = 1, 3 do
      local message = support.failure(cygnixy.load, path)
      support.has(message, path, ...)
      assert.equal(1, #cygnixy.list())
      assert.is_nil(cygnixy.get(name))
    end
  end

  -- Checks that unloading fails with the given parts, and that the plugin is gone all the same.
  local function unload_fails(name, ...)
    local path = support.fixture(name)
    for _ = 1, 3 do
      local plugin = cygnixy.load(path)
      assert.equal("pong", plugin.ping())
      local message = support.failure(cygnixy.unload, plugin)
      support.has(message, "plugin '" .. name .. "'", path, ...)
      assert.equal("plugin '" .. name .. "' has been unloaded", support.failure(plugin.ping))
      assert.is_nil(cygnixy.get(name))
      assert.equal(1, #cygnixy.list())
    end
  end

  it("a constructor that panics", function()
    load_fails("constructor_panics", "plugin 'cygnixy-test-fixtures'", "its constructor failed: panic: out of bricks")
  end)

  it("a name that panics", function()
    load_fails("name_panics", "plugin 'cygnixy-test-fixtures'", "its constructor failed: panic: I forgot my name")
  end)

  it("on_load that returns an error, with its causes", function()
    load_fails("load_fails", "plugin 'load_fails'",
      "on_load failed: cannot open the store: the settings are unreadable: disk on fire")
  end)

  it("on_load that panics", function()
    load_fails("load_panics", "plugin 'load_panics'", "on_load failed: panic: the fuel tank is empty")
  end)

  it("get_lua_functions that panics", function()
    load_fails("functions_panic", "plugin 'functions_panic'", "get_lua_functions failed: panic: no functions today")
  end)

  it("on_unload that returns an error", function()
    unload_fails("unload_fails", "on_unload failed: the door is stuck")
  end)

  it("on_unload that panics", function()
    unload_fails("unload_panics", "on_unload failed: panic: the door fell off")
  end)

  it("a destructor that panics", function()
    unload_fails("drop_panics", "its destructor failed: panic: I will not go")
  end)

  it("names the plugin once in a message", function()
    local message = support.failure(cygnixy.load, support.fixture("load_fails"))
    local _, count = message:gsub("load_fails%.so", "")
    assert.equal(1, count)
  end)
end)
