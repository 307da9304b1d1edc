-- `cygnixy run`, with and without `--watch`.

local support = require("support")

local command, output, complaint = support.command, support.command_output, support.command_complaint

describe("cygnixy run", function()
  local function script(text)
    return support.new_file("script.lua", text)
  end

  it("runs a script with its arguments, in the interpreter of the rock", function()
    local path = script([[
      local cygnixy = require("cygnixy")
      assert(select("#", ...) == 3 and select(2, ...) == "--help")
      print(cygnixy.abi, arg[0], arg[1], arg[2], #arg[3], #arg, arg[-1] ~= nil)
    ]])
    assert.equal(
      ("%s\t%s\tone\t--help\t0\t3\ttrue\n"):format(support.abi, path),
      output({ "run", path, "one", "--help", "" })
    )
  end)

  it("runs what standard input has", function()
    local text = "print(arg[0], arg[1], ..., 'x')"
    local stdout, stderr, status = support.command_in_shell("echo " .. support.quote(text) .. " | cygnixy run - one")
    assert.equal("-\tone\tone\tx\n", stdout)
    assert.equal("0 ", status .. " " .. stderr)
  end)

  it("gives the script's status", function()
    assert.equal(0, (select(3, command({ "run", script("") }))))
    assert.equal(7, (select(3, command({ "run", script("os.exit(7)") }))))
    support.has(complaint(1, { "run", script("local x\nerror('it failed')") }), "script.lua:2: it failed", "traceback")
    support.has(complaint(1, { "run", script("error({})") }), "(error object is a table value)")
    support.has(complaint(1, { "run", script("error(42)") }), "42\nstack traceback:")
    local object = "error(setmetatable({}, { __tostring = function() return 'an object' end }))"
    assert.equal("cygnixy: an object\n", complaint(1, { "run", script(object) }))
    support.has(complaint(1, { "run", script("x =") }), "script.lua:1:")
    support.has(complaint(1, { "run", "/nowhere/script.lua" }), "/nowhere/script.lua")
  end)

  it("tells what failed whatever the script has done to the library", function()
    local path = script([[
      local fail = error
      debug, io, os, math, type, tostring, getmetatable, pcall, ipairs, rawget, error = nil
      fail("it failed")
    ]])
    for _, arguments in ipairs({ { "run", path }, { "run", "--watch", path } }) do
      support.has(complaint(1, arguments), "cygnixy: ", "script.lua:3: it failed", "stack traceback")
    end
  end)

  it("gives the status of a script that it watches", function()
    support.has(complaint(1, { "run", "--watch", script("error('it failed')") }), "script.lua:1: it failed")
    assert.equal(7, (select(3, command({ "run", "--watch", script("os.exit(7)") }))))
    assert.equal("1\n", output({ "run", "--watch", script("print(1)") }))
  end)

  it("ends plugins with the script, also if it fails", function()
    local journal = support.new_path("journal")
    local path = script("require('cygnixy').load((...))\nerror('it failed')")
    complaint(1, { "run", path, support.fixture("journal") }, { env = { CYGNIXY_TEST_JOURNAL = journal } })
    support.has(support.read(journal), "on_unload")
  end)

  -- Calls a function until the rebuilt file was tried, for half a minute at most.
  local waiting = [[
    local cygnixy = require("cygnixy")
    local poll, tried = cygnixy.poll, false
    function cygnixy.poll()
      local results = poll()
      tried = tried or results[1] ~= nil and not results[1].pending
      return results
    end
    local number = cygnixy.load((...)).number
    assert(number() == 1)
    local file = assert(io.open("begun", "w"))
    file:close()
    local begin = os.time()
    while not tried and os.time() - begin < 30 do number() %s end
    print(number())
  ]]

  local function watched(text, ...)
    local path = support.copy(support.version("1"), "version.so")
    local folder = path:match("^(.*)/")
    local replace = ("while [ ! -e %s/begun ]; do sleep 0.05; done; sleep 0.3; cp %s %s.new; mv %s.new %s"):format(
      folder, support.quote((...)), path, path, path
    )
    -- The builder ends by itself, when the script has begun.
    support.shell("sh -c " .. support.quote(replace) .. " >" .. folder .. "/builder 2>&1 &")
    return command({ "run", "--watch", script(text), path }, { cwd = folder })
  end

  it("reloads plugins that were rebuilt, while the script computes", function()
    local stdout, stderr, status = watched(waiting:format(""), support.version("2"))
    assert.equal("2\n", stdout)
    assert.equal("cygnixy: reloaded plugin 'version'\n", stderr)
    assert.equal(0, status)
  end)

  it("reloads plugins that were rebuilt, while the script mostly waits", function()
    local stdout, stderr = watched(waiting:format("os.execute('sleep 0.1')"), support.version("2"))
    assert.equal("2\n", stdout)
    assert.equal("cygnixy: reloaded plugin 'version'\n", stderr)
  end)

  it("says why one is not reloaded, and goes on", function()
    local stdout, stderr, status = watched(waiting:format(""), support.version("load_fails"))
    assert.equal("1\n", stdout)
    support.has(stderr, "cygnixy: plugin 'version' is not reloaded: ")
    assert.equal(0, status)
  end)
end)
