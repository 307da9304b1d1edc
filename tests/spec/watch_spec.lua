-- A file watcher notices rebuilt files, and `poll` reloads at a moment that the script chooses.

local support = require("support")
local cygnixy = require("cygnixy")

local version = support.version

describe("a watched plugin", function()
  local path, plugin
  local quiet = { quiet = 0.05 }

  support.with_version(cygnixy, function(its_path, its_plugin)
    path, plugin = its_path, its_plugin
  end)

  -- Polls until something happens, for ten seconds at most.
  local function poll()
    for _ = 1, 200 do
      local results = cygnixy.poll()
      if #results > 0 then
        assert.equal(1, #results)
        assert.equal("version", results[1].name)
        return results[1]
      end
      support.shell("sleep 0.05")
    end
    error("nothing happened")
  end

  -- Nothing happens, however often one asks.
  local function nothing()
    for _ = 1, 5 do
      assert.same({}, cygnixy.poll())
      support.shell("sleep 0.05")
    end
  end

  it("is reloaded after its file was replaced", function()
    cygnixy.watch(plugin, quiet)
    nothing()
    support.replace(path, version("2"))
    local result = poll()
    assert.is_true(result.ok, result.error)
    assert.is_true(result.report.unmapped, result.report.text)
    assert.is_false(result.pending)
    assert.equal(2, plugin.number())
    nothing()
    support.replace(path, version("1"))
    assert.is_true(poll().ok)
    assert.equal(1, plugin.number())
  end)

  it("is reloaded after its file was overwritten in place", function()
    cygnixy.watch("version", quiet)
    support.write(path, support.read(version("2")))
    assert.is_true(poll().ok)
    assert.equal(2, plugin.number())
  end)

  it("is reloaded if its file changed before it was watched", function()
    support.replace(path, version("2"))
    cygnixy.watch(plugin, quiet)
    assert.is_true(poll().ok)
    assert.equal(2, plugin.number())
  end)

  it("is reloaded when its whole directory is made anew", function()
    local directory = path:match("^(.*)/")
    cygnixy.watch(plugin, quiet)
    support.shell("rm -r", directory)
    nothing()
    assert.equal(1, plugin.number())
    support.shell("mkdir", directory)
    support.shell("cp", version("2"), path)
    assert.is_true(poll().ok)
    assert.equal(2, plugin.number())
  end)

  it("is left alone when its file is touched or written with the same content", function()
    cygnixy.watch(plugin, quiet)
    support.shell("touch", path)
    support.write(path, support.read(version("1")))
    nothing()
  end)

  it("goes on when the new file cannot be loaded, and tries each file once", function()
    cygnixy.watch(plugin, quiet)
    plugin.count()
    support.replace(path, version("restore_fails"))
    local result = poll()
    assert.is_false(result.ok)
    support.has(result.error, "cannot reload plugin 'version'", "this version counts otherwise")
    assert.equal(1, plugin.number())
    assert.equal(2, plugin.count())
    support.shell("touch", path)
    nothing()
    support.replace(path, version("2"))
    assert.is_true(poll().ok)
    assert.equal(3, plugin.count())
  end)

  it("is not reloaded while its file is still being written", function()
    cygnixy.watch(plugin, { quiet = 0.4 })
    nothing()
    local content = support.read(version("2"))
    local file = assert(io.open(path, "wb"))
    local size = math.ceil(#content / 20)
    for part = 1, 20 do
      file:write(content:sub((part - 1) * size + 1, part * size))
      file:flush()
      assert.same({}, cygnixy.poll())
      support.shell("sleep 0.03")
    end
    file:close()
    assert.is_true(poll().ok)
    assert.equal(2, plugin.number())
  end)

  it("is reloaded once after a storm of rebuilds", function()
    cygnixy.watch(plugin, { quiet = 0.3 })
    for round = 1, 20 do
      support.replace(path, version(round % 2 == 0 and "2" or "1"))
      assert.same({}, cygnixy.poll())
    end
    assert.is_true(poll().ok)
    assert.equal(2, plugin.number())
    nothing()
  end)

  it("waits for the end of a call", function()
    cygnixy.watch(plugin, { quiet = 0 })
    support.replace(path, version("2"))
    local result = plugin.call(poll)
    assert.is_false(result.ok)
    assert.is_true(result.pending)
    support.has(result.error, "one of its functions is still running")
    assert.is_true(poll().ok)
    assert.equal(2, plugin.number())
  end)

  it("is forgotten when it is unloaded, or on request", function()
    cygnixy.watch(plugin, quiet)
    assert.is_true(cygnixy.unwatch(plugin))
    assert.is_false(cygnixy.unwatch(plugin))
    support.replace(path, version("2"))
    nothing()
    cygnixy.watch(plugin, quiet)
    cygnixy.unload(plugin)
    nothing()
  end)

  it("takes a plugin and a time", function()
    support.has(support.failure(cygnixy.watch), "bad argument #1 to 'watch'")
    support.has(support.failure(cygnixy.watch, "nobody"), "no plugin named 'nobody'")
    support.has(support.failure(cygnixy.watch, plugin, 1), "bad argument #2 to 'watch' (table expected, got number)")
    support.has(support.failure(cygnixy.watch, plugin, { quiet = "long" }), "number expected, got string")
    support.has(support.failure(cygnixy.watch, plugin, { quiet = -1 }), "expected seconds, got -1")
    support.has(support.failure(cygnixy.unload, plugin, { collect = 1 }), "boolean expected, got number")
  end)
end)

describe("a process that watches", function()
  it("has a thread for it, and no other has", function()
    assert.equal("1 2 1 2 1\n", support.output([[
      local cygnixy = require("cygnixy")
      local function threads()
        return io.open("/proc/self/status"):read("*a"):match("Threads:%s*(%d+)")
      end
      local plugin = cygnixy.load(arg[2] .. "/version_1.so")
      local seen = { threads() }
      local function watched_until(stop)
        cygnixy.watch(plugin)
        seen[#seen + 1] = threads()
        stop(plugin)
        for _ = 1, 100 do
          if threads() == "1" then break end
          os.execute("sleep 0.02")
        end
        seen[#seen + 1] = threads()
      end
      watched_until(cygnixy.unwatch)
      watched_until(cygnixy.unload)
      print(table.concat(seen, " "))
    ]]))
  end)
end)
