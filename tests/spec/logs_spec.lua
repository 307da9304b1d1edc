-- What plugins and the loader log, on standard error under CYGNIXY_LOG.

local support = require("support")
local logging = require("logging")

local lines, prelude, target, work = logging.lines, logging.prelude, logging.target, logging.work

describe("standard error", function()
  it("gets warnings and errors if nothing else is said", function()
    local found, text = lines(work .. [[
      p.log("error", "one") p.log("warn", "two") p.log("info", "three") p.log("debug", "four") p.log("trace", "five")
    ]])
    assert.equal(2, #found, text)
    support.has(found[1], " ERROR " .. target .. ": one")
    support.has(found[2], " WARN " .. target .. ": two")
  end)

  it("gets what CYGNIXY_LOG lets pass", function()
    local script = work .. [[p.log("info", "one") p.log("trace", "two") p.records()]]
    assert.equal(0, #lines(script, "off"))
    assert.equal(0, #lines(script, "elsewhere=error"))
    local found, text = lines(script, "elsewhere=warn," .. target .. "=info")
    assert.equal(6, #found, text)
    support.has(text, "on_load", ": one", ": an error of log", " WARN elsewhere: a warning of log")
    assert.is_true(select(2, lines(script, "trace")):find(": two", 1, true) ~= nil)
  end)

  it("takes a filter without a word in it for the default, and spaces around one for nothing", function()
    local script = work .. [[p.log("warn", "one") p.log("info", "two")]]
    for filter, count in pairs({ [""] = 1, ["  "] = 1, [" off , " .. target .. "=info\t"] = 5, [" error\t"] = 0 }) do
      local found, text = lines(script, filter)
      assert.equal(count, #found, filter .. ": " .. text)
    end
  end)

  it("may be full when a wrong filter is told of", function()
    local script = support.new_file("script.lua", "require('cygnixy') print('there')")
    local said = support.output([[
      local lua, script = select(3, ...)
      local pipe = io.popen("CYGNIXY_LOG=warn=loud=very " .. lua .. " " .. script .. " 2>/dev/full")
      io.write(pipe:read("*a"))
    ]], { args = { os.getenv("CYGNIXY_TEST_LUA"), script } })
    assert.equal("there\n", said)
  end)

  it("takes a filter that is none for the default, and says so", function()
    local found, text = lines(work .. [[p.log("warn", "one") p.log("info", "two")]], "warn=loud=very")
    assert.equal(2, #found, text)
    support.has(found[1], "cygnixy: CYGNIXY_LOG is 'warn=loud=very': ", "it is taken to be 'warn'")
    support.has(found[2], ": one")
  end)

  it("gets fields of all kinds, without colours", function()
    local found, text = lines(work .. "p.fields()")
    assert.equal(1, #found, text)
    support.has(found[1], [[fixture: all kinds signed=-5 unsigned=7 float=1.5 yes=true text="a \"b\"" shown=2 ]]
      .. "debug=Point { x: 3 } cause=no luck")
    assert.is_nil(text:find("\27", 1, true))
  end)

  it("gets colours if it is a terminal", function()
    local script = support.new_file("coloured.lua", prelude .. work .. [[p.log("warn", "one")]])
    local lua = support.quote(os.getenv("CYGNIXY_TEST_LUA"))
    local function on_terminal(variables)
      local plugin_folders = support.quote(support.plugin("x"):match("^(.*)/")) .. " " ..
        support.quote(support.fixture("x"):match("^(.*)/"))
      local command = ("env %s %s %s %s"):format(variables, lua, support.quote(script), plugin_folders)
      local shown = script .. ".shown"
      support.shell("script -qec " .. support.quote(command) .. " /dev/null >" .. support.quote(shown))
      return support.read(shown)
    end
    support.has(on_terminal("CYGNIXY_LOG=warn"), "\27[33m WARN\27[0m", " one")
    support.has(on_terminal("NO_COLOR=1"), " WARN " .. target .. ": one")
  end)

  it("gets control characters escaped, and lines after the first indented", function()
    local _, text = lines(work .. [[
      p.log("error", "one\27[31m\r\n2026 ERROR two\7\194\155")
      cygnixy.on_log(function() error("three\27[32m\nfour", 0) end)
      p.log("error", "five")
    ]])
    support.has(text, [[: one\u{1b}[31m\r]] .. "\n    2026 ERROR two" .. [[\u{7}\u{9b}]] .. "\n",
      [[error=three\u{1b}[32m]] .. "\n    four\n")
    assert.is_nil(text:find("\27", 1, true), text)
  end)

  it("gets spans with their fields", function()
    local found, text = lines(work .. "p.spans() p.carry()", target .. "=debug")
    assert.equal(9, #found, text)
    support.has(found[2], 'outer{user="ann"}:inner{step=1}: ' .. target .. ": in two")
    support.has(found[3], 'outer{user="ann" sum=3}: ' .. target .. ": in one")
    support.has(found[4], 'outer{user="ann" sum=3}:inner{step=1}: ' .. target .. ": in a given one")
    support.has(found[5], " WARN " .. target .. ": in none")
    support.has(found[6], " WARN " .. target .. ": after")
    support.has(found[7], "carried{job=9}: " .. target .. ": carried over")
  end)

  it("gets spans by their fields, if the filter says so", function()
    local found, text = lines(work .. "p.spans()", "[outer{user=ann}]=trace")
    assert.is_true(#found >= 2, text)
    support.has(text, "in two", "in one")
    assert.is_nil(text:find("after", 1, true), text)
  end)

  it("gets the loader's own events", function()
    local _, text = lines([[cygnixy.unload(cygnixy.load(path))]], "cygnixy=debug,cygnixy_test_fixtures=off")
    support.has(text, "DEBUG load{", " cygnixy::", "mapped the library", 'step="open"', " INFO ", "unloaded")
    assert.is_nil(text:find(target .. ":", 1, true), text)
  end)

  it("gets events of other threads", function()
    local found, text = lines(work .. [[p.in_thread(3, "from a thread")]])
    assert.equal(3, #found, text)
    support.has(found[3], ": from a thread number=2")
  end)

  it("gets what thread-locals log when their thread ends", function()
    local found, text = lines(work .. "p.at_thread_end()")
    assert.equal(2, #found, text)
    support.has(found[2], " WARN " .. target .. ": the thread ends")
  end)

  it("gets panics with their place, and nothing else of them", function()
    local found, text = lines(work .. [[
      local ok, message = pcall(p.panic, "boom")
      assert(not ok and message:find("boom", 1, true))
      p.panic_in_thread("in a thread")
    ]])
    assert.equal(2, #found, text)
    support.has(found[1], " ERROR ", "cygnixy_test_fixtures: panicked: boom plugin=logging location=", "logging.rs:")
    support.has(found[2], "panicked: in a thread plugin=logging")
  end)

  it("gets a panic's backtrace if there is one", function()
    local _, stderr, status = support.run(prelude .. work .. [[pcall(p.panic, "boom")]], {
      env = { RUST_BACKTRACE = "1" },
    })
    assert.equal(0, status, stderr)
    support.has(stderr, "panicked: boom", "backtrace=")
  end)

  it("gets nothing of a plugin that was unloaded, and all of one that was reloaded", function()
    local _, text = lines([[
      local copy = os.tmpname()
      local function put(name)
        local from, to = io.open(fixtures .. "/" .. name .. ".so", "rb"), io.open(copy .. ".so", "wb")
        to:write(from:read("*a")) from:close() to:close()
      end
      put("logging")
      local p = cygnixy.load(copy .. ".so")
      p.log("info", "before") p.spans()
      put("logging_second")
      local report = cygnixy.reload(p)
      assert(report.unmapped, report.text)
      p.log("info", "after") p.spans() p.records()
      pcall(p.panic, "at last")
      report = cygnixy.unload(p)
      assert(report.unmapped, report.text)
      collectgarbage()
      for _ = 1, 3 do
        p = cygnixy.load(copy .. ".so")
        p.log("info", "again")
        assert(cygnixy.unload(p).unmapped)
      end
      os.remove(copy) os.remove(copy .. ".so")
    ]], "cygnixy_test_fixtures=info,logging_second=info")
    support.has(text, ": before", "the second version is made", ": after\n", "panicked: at last", ": again")
    assert.equal(5, select(2, text:gsub(": on_load\n", "")), text)
    assert.equal(5, select(2, text:gsub(": on_unload\n", "")), text)
    assert.equal(5, select(2, text:gsub(": drop\n", "")), text)
    assert.equal(3, select(2, text:gsub(": again\n", "")), text)
  end)

  it("gets what is told while the state is closed", function()
    local _, text = lines([[
      cygnixy.load(path)
      cygnixy.on_log(function() error("too late") end, "info")
      cygnixy.on_log(nil)
    ]], target .. "=info")
    support.has(text, ": on_load", ": on_unload", ": drop")
  end)
end)
