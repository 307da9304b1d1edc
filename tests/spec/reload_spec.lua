-- A plugin is replaced by a newer version of it while scripts go on using it.

local support = require("support")
local cygnixy = require("cygnixy")

local version = support.version

-- Looks again at what is left of this plugin; others may have left something for good.
local function collect()
  local found = {}
  for _, report in ipairs(cygnixy.collect()) do
    if report.name == "version" then found[#found + 1] = report end
  end
  return found
end

describe("a reload", function()
  local path, plugin

  support.with_version(cygnixy, function(its_path, its_plugin)
    path, plugin = its_path, its_plugin
  end)

  -- What the test has held is let go of, so that the next finds nothing of it.
  after_each(function()
    collectgarbage()
    cygnixy.collect()
  end)

  local function rebuild(name)
    support.replace(path, version(name))
  end

  it("puts the new functions into the same table", function()
    assert.equal(1, plugin.number())
    rebuild("2")
    local report = cygnixy.reload(plugin)
    assert.equal(plugin, cygnixy.get("version"))
    assert.equal(2, plugin.number())
    assert.equal(2, plugin.written_in_lua())
    assert.equal(2, plugin.only_2())
    assert.is_nil(plugin.only_1)
    assert.is_true(report.reloaded)
    assert.is_true(report.unmapped, report.text)
    assert.equal("version", report.name)
    support.has(report.text, "plugin 'version' is reloaded, and the old library is unmapped")
  end)

  it("takes the name too", function()
    rebuild("2")
    assert.is_true(cygnixy.reload("version").unmapped)
    assert.equal(2, plugin.number())
  end)

  it("lets functions that are held run the new code", function()
    local number, written_in_lua, fail = plugin.number, plugin.written_in_lua, plugin.fail
    rebuild("2")
    local report = cygnixy.reload(plugin)
    assert.equal(2, number())
    assert.equal(2, written_in_lua())
    local ok, err = pcall(fail, "no luck")
    assert.is_false(ok)
    support.has(support.is_message(err), "no luck")
    -- They still are of the old library.
    assert.is_false(report.unmapped)
    assert.equal("function", report.reasons[1].kind)
    rebuild("1")
    cygnixy.reload(plugin)
    assert.equal(1, number())
    assert.equal(1, written_in_lua())
    cygnixy.unload(plugin)
    support.has(support.failure(number), "plugin 'version' has been unloaded")
    support.has(support.failure(written_in_lua), "plugin 'version' has been unloaded")
    number, written_in_lua, fail = nil, nil, nil -- luacheck: ignore
    for _, left in ipairs(collect()) do
      assert.is_true(left.unmapped, left.text)
    end
  end)

  it("lets held functions yield as before", function()
    local pause = plugin.pause
    rebuild("2")
    cygnixy.reload(plugin)
    local thread = coroutine.create(pause)
    assert.same({ true, 2 }, { coroutine.resume(thread) })
    assert.same({ true, 2 }, { coroutine.resume(thread) })
  end)

  it("has a clear error for a held function that the new version lacks", function()
    local only = plugin.only_1
    rebuild("2")
    cygnixy.reload(plugin)
    support.has(support.failure(only), "plugin 'version' has no function 'only_1' since it was reloaded")
    rebuild("1")
    cygnixy.reload(plugin)
    assert.equal(1, only())
  end)

  it("leaves objects as they were made", function()
    local object = plugin.object()
    rebuild("2")
    local report = cygnixy.reload(plugin)
    assert.equal(1, object:number())
    assert.equal(2, plugin.object():number())
    assert.is_false(report.unmapped)
    assert.equal("object", report.reasons[1].kind)
    object = nil -- luacheck: ignore
    local left = collect()[1]
    assert.is_true(left.unmapped)
    assert.is_true(left.reloaded)
    support.has(left.text, "is reloaded, and the old library is unmapped")
  end)

  it("leaves what a script has put into the table", function()
    local original = plugin.number
    plugin.number = function() return original() * 10 end
    plugin.mine = "mine"
    rebuild("2")
    cygnixy.reload(plugin)
    assert.equal(20, plugin.number())
    assert.equal("mine", plugin.mine)
  end)

  it("hands the state over", function()
    plugin.count()
    assert.equal(2, plugin.count())
    rebuild("2")
    cygnixy.reload(plugin)
    assert.equal(3, plugin.count())
  end)

  it("starts anew where there is no state", function()
    rebuild("2")
    cygnixy.reload(plugin)
    assert.equal(1, plugin.count())
  end)

  it("of an unchanged file starts the same code anew", function()
    plugin.count()
    local report = cygnixy.reload(plugin)
    assert.equal(2, plugin.count())
    assert.is_false(report.unmapped)
    assert.equal("state", report.reasons[1].kind)
    assert.is_true(cygnixy.unload(plugin).unmapped)
  end)

  it("sees a file that is overwritten in place", function()
    local file = assert(io.open(path, "r+b"))
    file:write(support.read(version("2")))
    file:close()
    assert.equal(1, plugin.number())
    collectgarbage()
    assert.equal(1, plugin.written_in_lua())
    cygnixy.reload(plugin)
    assert.equal(2, plugin.number())
  end)

  it("that fails at the end of the old version still is one", function()
    rebuild("unload_fails")
    cygnixy.reload(plugin)
    rebuild("2")
    local report = cygnixy.reload(plugin)
    assert.equal(2, plugin.number())
    assert.equal("failed", report.reasons[1].kind)
    support.has(report.text, "this version does not end well")
  end)

  describe("leaves the old version working", function()
    local held

    before_each(function()
      held = plugin.number
      plugin.count()
    end)

    local function refused(...)
      local number, table_before = plugin.number, {}
      for name, value in pairs(plugin) do table_before[name] = value end
      local message = support.failure(cygnixy.reload, plugin)
      support.has(message, "cannot reload plugin 'version'", "goes on", ...)
      assert.equal(plugin, cygnixy.get("version"))
      assert.equal(number, plugin.number)
      assert.same(table_before, plugin)
      assert.equal(1, plugin.number())
      assert.equal(1, held())
      assert.equal(1, plugin.only_1())
      assert.equal(2, plugin.count())
      -- And it can be reloaded after all.
      rebuild("2")
      cygnixy.reload(plugin)
      assert.equal(2, held())
      assert.equal(3, plugin.count())
      held = nil
    end

    it("if the file is missing", function()
      os.remove(path)
      refused(path, "the file cannot be read")
    end)

    it("if the file is half-written", function()
      support.write(path, support.read(version("2")):sub(1, 50000))
      refused(path, "truncated")
    end)

    it("if the file is no library", function()
      support.write(path, "this is text")
      refused(path, "found a text file")
    end)

    it("if on_load fails", function()
      rebuild("load_fails")
      refused("on_load failed", "this version does not load")
    end)

    it("if its functions cannot be made", function()
      rebuild("functions_panic")
      refused("get_lua_functions failed", "panic: this version has no functions")
    end)

    it("if it does not take the state", function()
      rebuild("restore_fails")
      refused("restore_state failed", "this version counts otherwise")
    end)

    it("if it panics over the state", function()
      rebuild("restore_panics")
      refused("restore_state failed", "panic: this version cannot count")
    end)

    it("if it has another name", function()
      rebuild("renamed")
      refused("calls itself 'another_version'")
    end)

    it("if it is for another Lua", function()
      local other = support.abi == "lua54" and "lua53" or "lua54"
      support.replace(path, support.plugin_of(other, "greet"))
      refused("Lua ABI", other)
    end)
  end)

  it("is given up if the old version does not give its state", function()
    plugin.refuse()
    rebuild("2")
    support.has(support.failure(cygnixy.reload, plugin), "save_state failed", "the state is not to be had")
    assert.equal(1, plugin.number())
  end)

  it("that is given up over an unchanged file leaves the plugin loaded", function()
    plugin.refuse()
    support.failure(cygnixy.reload, plugin)
    local file = cygnixy.list()[#cygnixy.list()].path
    local function is_left()
      for _, report in ipairs(collect()) do
        if report.path == file then return true end
      end
      return false
    end
    assert.is_false(is_left())
    local number = plugin.number
    for name in pairs(plugin) do plugin[name] = nil end
    assert.is_false(is_left())
    assert.equal(1, number())
    number = nil -- luacheck: ignore
    assert.is_true(cygnixy.unload(plugin).unmapped)
  end)

  it("is not disturbed by a hook that unloads", function()
    -- How many calls a reload makes; in the middle of them the hook tries to unload.
    local function reload(hook)
      local calls = 0
      debug.sethook(function()
        calls = calls + 1
        hook(calls)
      end, "c")
      local ok, report = pcall(cygnixy.reload, plugin)
      debug.sethook()
      assert.is_true(ok, report)
      return calls
    end
    rebuild("2")
    local middle = math.floor(reload(function() end) / 2)
    rebuild("1")
    local attempts = {}
    reload(function(call)
      if call >= middle and #attempts < 10 then
        attempts[#attempts + 1] = select(2, pcall(cygnixy.unload, "version", { collect = false }))
      end
    end)
    assert.equal(plugin, cygnixy.get("version"))
    assert.equal(1, plugin.number())
    assert.equal(10, #attempts)
    for _, attempt in ipairs(attempts) do
      support.has(attempt, "plugin 'version'", "is busy")
    end
  end)

  it("is refused from inside a call into the plugin", function()
    rebuild("2")
    plugin.call(function()
      support.has(support.failure(cygnixy.reload, plugin), "one of its functions is still running")
    end)
    assert.equal(1, plugin.number())
  end)

  it("is refused while a coroutine is suspended in the plugin", function()
    local thread = coroutine.wrap(function() return plugin.pause() end)
    assert.equal(1, thread())
    rebuild("2")
    support.has(support.failure(cygnixy.reload, plugin), "a coroutine is suspended")
    assert.equal(1, thread())
    cygnixy.reload(plugin)
    assert.equal(2, plugin.number())
  end)

  it("takes what unload takes", function()
    support.has(support.failure(cygnixy.reload), "bad argument #1 to 'reload'", "got no value")
    support.has(support.failure(cygnixy.reload, "nobody"), "no plugin named 'nobody' is loaded")
    support.has(support.failure(cygnixy.reload, {}), "not that of a loaded plugin")
  end)
end)

describe("an unload from inside a call into the plugin", function()
  it("is refused where a log function and coroutines are in between", function()
    assert.equal("refused\nHello, you!\n", support.output(support.prelude .. [[
      local logging, fast = cygnixy.load(fixtures .. "/logging.so"), cygnixy.load(fixtures .. "/fast.so")
      cygnixy.on_log(function()
        coroutine.wrap(function()
          fast.apply(function()
            coroutine.wrap(function()
              local ok, message = pcall(cygnixy.unload, fast)
              assert(not ok and message:find("cannot unload plugin 'fast'", 1, true), message)
              print("refused")
            end)()
            return 1
          end, 1)
        end)()
      end, "warn")
      logging.log("warn", "x")
      print(fast.hello("you"))
      cygnixy.on_log(nil)
      cygnixy.unload(fast)
    ]]))
  end)
end)

describe("an unload while a coroutine is suspended in the plugin", function()
  it("is refused, and nothing has changed", function()
    local plugin = cygnixy.load(version("1"))
    local thread = coroutine.create(function() return plugin.pause() end)
    assert.same({ true, 1 }, { coroutine.resume(thread) })
    support.has(support.failure(cygnixy.unload, plugin), "cannot unload plugin 'version'", "a coroutine is suspended")
    assert.equal(plugin, cygnixy.get("version"))
    assert.equal(1, plugin.number())
    assert.same({ true, 1 }, { coroutine.resume(thread) })
    assert.is_true(cygnixy.unload(plugin).unmapped)
  end)

  it("is refused if it is suspended in a C function", function()
    local plugin = cygnixy.load(support.zoo .. "/yielding.so")
    local thread = coroutine.create(function(f) return f(7) end)
    assert.same({ true, 7 }, { coroutine.resume(thread, plugin.bare()) })
    support.has(support.failure(cygnixy.unload, plugin), "a coroutine is suspended")
    assert.same({ true, 8 }, { coroutine.resume(thread, 8) })
    thread = nil -- luacheck: ignore
    assert.is_true(cygnixy.unload(plugin).unmapped)
  end)

  it("is possible once nobody has the coroutine", function()
    local plugin = cygnixy.load(version("1"))
    local thread = coroutine.create(function() return plugin.pause() end)
    coroutine.resume(thread)
    thread = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_true(cygnixy.unload(plugin).unmapped)
  end)
end)
