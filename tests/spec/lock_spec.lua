-- Lock files. One that is in use stays in use, so that each case is an interpreter of its own.

local support = require("support")

local greet, twin_a, twin_b = support.plugin("greet"), support.fixture("twin_a"), support.fixture("twin_b")

-- A lock file that lists some plugins, written by a program that has them loaded.
local function written(...)
  local lock = support.new_path("plugins.lock")
  support.output([[
    local cygnixy = require("cygnixy")
    for index = 4, select("#", ...) do cygnixy.load((select(index, ...))) end
    cygnixy.lock.write((select(3, ...)))
  ]], { args = { lock, ... } })
  return lock
end

-- Runs a script in which `lock` is the path of a lock file and `failure(f, ...)` gives an error's text.
local function run(script, lock, ...)
  return support.output([[
    local plugins, fixtures, lock = ...
    local cygnixy = require("cygnixy")
    local function failure(f, ...)
      local ok, message = pcall(f, ...)
      assert(not ok, "it did not fail")
      io.write(message, "\n")
    end
    local greet, twin_a, twin_b = plugins .. "/greet.so", fixtures .. "/twin_a.so", fixtures .. "/twin_b.so"
  ]] .. script, { args = { lock, ... }, env = { CYGNIXY_PATH = greet:gsub("greet%.so$", "?.so") } })
end

local function line(name, path)
  return ("%s 0.1.0 %s %s"):format(name, require("cygnixy").inspect(path).abi, support.sha256(path))
end

describe("a lock file", function()
  it("lists what is loaded, sorted, a line each", function()
    local fixture = line("cygnixy-test-fixtures", twin_a)
    local text = "cygnixy-lock 1\n# name version abi sha256\n" .. fixture .. "\n" .. line("greet", greet) .. "\n"
    assert.equal(text, support.read(written(greet, twin_a)))
    assert.equal(text, support.read(written(twin_a, greet)))
    assert.equal("cygnixy-lock 1\n# name version abi sha256\n", support.read(written()))
  end)

  it("takes the place of another at once", function()
    local lock = written(greet)
    support.shell("chmod 0600", lock)
    run("cygnixy.load(twin_a) cygnixy.lock.write(lock)", lock)
    support.has(support.read(lock), "cygnixy-test-fixtures")
    assert.is_nil(support.read(lock):find("greet", 1, true))
    local listing = io.popen("ls -A " .. support.quote((lock:match("^(.*)/"))))
    local files = listing:read("*a")
    listing:close()
    assert.equal("plugins.lock\n", files)
  end)

  it("in use lets what it lists be loaded, by path and by name", function()
    assert.equal("Hello, you!\na\n", run([[
      cygnixy.lock.use(lock)
      local greet = cygnixy.load("greet")
      print(greet.hello("you"))
      cygnixy.unload(greet)
      assert(cygnixy.load(plugins .. "/greet.so") == cygnixy.load("greet"))
      assert(cygnixy.reload("greet").reloaded)
      print(cygnixy.load(twin_a).which())
    ]], written(greet, twin_a)))
  end)

  it("in use refuses what it does not list, by path and by name", function()
    local lock = written(twin_a)
    local message = run([[
      cygnixy.lock.use(lock)
      failure(cygnixy.load, greet)
      failure(cygnixy.load, "greet")
      failure(cygnixy.load, greet, { sha256 = "]] .. support.sha256(greet) .. [[" })
      io.write(select(2, cygnixy.check(greet)), "\n", select(2, cygnixy.check("greet")), "\n")
      assert(cygnixy.check(twin_a))
      assert(#cygnixy.list() == 0)
    ]], lock)
    local expected = ("cannot load plugin 'greet' (%s): the lock file '%s' does not list it for %s; "
      .. "no code of it was run\n"):format(greet, lock, require("cygnixy").inspect(greet).abi)
    assert.equal(expected:rep(5), message)
  end)

  it("in use refuses another content or version, with both", function()
    local lock = written(twin_a)
    support.has(run("cygnixy.lock.use(lock) failure(cygnixy.load, twin_b)", lock),
      "SHA-256: expected " .. support.sha256(twin_a) .. ", as the lock file '" .. lock .. "' has it, found "
      .. support.sha256(twin_b))
    support.write(lock, (support.read(lock):gsub(" 0%.1%.0 ", " 9.9.9 ")))
    support.has(run("cygnixy.lock.use(lock) failure(cygnixy.load, twin_a)", lock), "version: expected 9.9.9, as ",
      "found 0.1.0; no code of it was run")
  end)

  it("may list several contents of one plugin", function()
    local lock = written(twin_a)
    support.write(lock, support.read(lock) .. "\n# by hand\n" .. line("cygnixy-test-fixtures", twin_b) .. "\r\n")
    assert.equal("ab", run([[
      cygnixy.lock.use(lock)
      for _, path in ipairs({ twin_a, twin_b }) do
        io.write(cygnixy.load(path).which())
        cygnixy.unload("twin")
      end
    ]], lock))
  end)

  it("in use refuses a reload to another content, and the loaded version goes on", function()
    local first, second = support.version("1"), support.version("2")
    local path = support.copy(first, "version.so")
    local lock = written(first)
    support.has(run([[
      local path, second = select(4, ...)
      local function replace(from)
        local input, output = assert(io.open(from, "rb")), assert(io.open(path .. ".new", "wb"))
        output:write(input:read("*a"))
        input:close()
        output:close()
        assert(os.rename(path .. ".new", path))
      end
      cygnixy.lock.use(lock)
      local version = cygnixy.load(path)
      cygnixy.watch(version, { quiet = 0 })
      assert(#cygnixy.poll() == 0)
      replace(second)
      failure(cygnixy.reload, version)
      local results
      repeat results = cygnixy.poll() until #results > 0
      assert(not results[1].ok and not results[1].pending)
      io.write(results[1].error, "\n")
      replace(fixtures .. "/version_1.so")
      assert(cygnixy.reload(version).reloaded)
    ]], lock, path, second), "cannot reload plugin 'version' from " .. path .. "; the version that is loaded goes on: ",
      "found " .. support.sha256(second) .. "; no code of it was run\ncannot reload plugin 'version'")
  end)

  it("is not used if something else is loaded already", function()
    support.has(run([[
      local plugin = cygnixy.load(greet)
      failure(cygnixy.lock.use, lock)
      -- Nothing has changed.
      assert(cygnixy.load(twin_b) and plugin.hello("you"))
      cygnixy.unload(plugin)
      cygnixy.unload("twin")
      cygnixy.load(twin_a)
      cygnixy.lock.use(lock)
      failure(cygnixy.load, greet)
    ]], written(twin_a)), "plugin 'greet'", "does not list it")
  end)

  it("stays in use", function()
    local lock = written(twin_a)
    support.has(run([[
      cygnixy.lock.use(lock)
      os.rename(lock, lock .. ".other")
      failure(cygnixy.lock.use, lock .. ".other")
      package.loaded.cygnixy = nil
      cygnixy = require("cygnixy")
      failure(cygnixy.load, greet)
      assert(cygnixy.load(twin_a))
    ]], lock), ("lock file '%s.other': the lock file '%s' is in use already, and stays in use\n"):format(lock, lock),
      "does not list it")
  end)

  it("is not written if a loaded plugin's file has changed", function()
    local path = support.copy(twin_a)
    support.has(run([[
      local path = select(4, ...)
      cygnixy.load(path)
      io.open(path, "wb"):close()
      os.remove(path)
      os.rename(select(5, ...), path)
      failure(cygnixy.lock.write, lock)
      assert(not io.open(lock))
    ]], support.new_path("plugins.lock"), path, support.copy(twin_b)), "its SHA-256 cannot be told")
  end)

  it("that is wrong is named with the line", function()
    local hash = ("0"):rep(64)
    for text, problem in pairs({
      [""] = "line 1: expected 'cygnixy-lock 1', found 'nothing'",
      ["cygnixy-lock 2\n"] = "line 1: expected 'cygnixy-lock 1', found 'cygnixy-lock 2'",
      ["cygnixy-lock 1\n\n# x\ngreet 0.1.0 lua54\n"] = "line 4: expected 'name version abi sha256', found 3 fields",
      ["cygnixy-lock 1\ngreet 0.1.0 lua54 " .. hash .. " x\n"] = "line 2: expected 'name version abi sha256', found 5",
      ["cygnixy-lock 1\ngreet 0.1.0 lua54 12\n"] = "line 2: sha256: expected 64 hexadecimal digits, found '12'",
    }) do
      local lock = support.new_file("plugins.lock", text)
      support.has(run("failure(cygnixy.lock.use, lock) assert(cygnixy.load(greet))", lock), "lock file '" .. lock
        .. "', " .. problem)
    end
  end)

  it("is neither read from nor written in place of what is no file", function()
    local pipe = support.new_path("pipe")
    support.shell("mkfifo", pipe)
    support.has(run("failure(cygnixy.lock.use, lock) failure(cygnixy.lock.write, lock)", pipe),
      "': it cannot be read: it is no regular file\n", "': it cannot be written: it is no regular file\n")
    support.shell("test -p", pipe)
  end)

  it("that cannot be read or written is named", function()
    local lock = support.new_path("plugins.lock")
    support.has(run("failure(cygnixy.lock.use, lock)", lock), "lock file '" .. lock .. "': it cannot be read: No such")
    support.has(run("failure(cygnixy.lock.write, lock)", lock .. "/x"), "': it cannot be written: ")
    support.has(run("failure(cygnixy.lock.use) failure(cygnixy.lock.write, 12)", lock),
      "bad argument #1 to 'use' (string expected, got no value)",
      "bad argument #1 to 'write' (string expected, got number)")
  end)
end)
