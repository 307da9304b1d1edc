-- What plugins and the loader log, told to a Lua function.

local support = require("support")
local logging = require("logging")

local lines, target, work = logging.lines, logging.target, logging.work

describe("on_log", function()
  local cygnixy = require("cygnixy")
  local p, got

  -- Collects what is told.
  local function listen(filter)
    got = {}
    cygnixy.on_log(function(record) got[#got + 1] = record end, filter)
  end

  local function messages()
    local all = {}
    for index, record in ipairs(got) do all[index] = record.message end
    return table.concat(all, ", ")
  end

  before_each(function()
    p = cygnixy.load(support.fixture("logging"))
  end)
  after_each(function()
    cygnixy.on_log(nil)
    support.unload_all(cygnixy)
  end)

  it("is told an event at once, with all that belongs to it", function()
    listen()
    p.fields()
    assert.equal(1, #got)
    local record = got[1]
    assert.equal("warn", record.level)
    assert.equal("fixture", record.target)
    assert.equal("all kinds", record.message)
    assert.equal("logging", record.plugin)
    support.has(record.file, "logging.rs")
    assert.is_true(record.line > 10)
    assert.same({}, record.spans)
    assert.same({
      signed = -5, unsigned = 7, float = 1.5, yes = true, text = 'a "b"',
      shown = "2", debug = "Point { x: 3 }", cause = "no luck",
    }, record.fields)
  end)

  it("is told the spans, the outermost first", function()
    listen(target .. "=debug")
    p.spans()
    assert.equal("in two, in one, in a given one, in none, after", messages())
    assert.same({
      { name = "outer", target = target, fields = { user = "ann" } },
      { name = "inner", target = target, fields = { step = 1 } },
    }, got[1].spans)
    assert.same({ { name = "outer", target = target, fields = { user = "ann", sum = 3 } } }, got[2].spans)
    assert.equal(2, #got[3].spans)
    assert.same({}, got[4].spans)
    assert.same({}, got[5].spans)
  end)

  it("is told records of the crate log", function()
    listen()
    p.records()
    assert.equal("an error of log, a warning of log", messages())
    assert.equal("error", got[1].level)
    assert.equal(target, got[1].target)
    assert.equal("elsewhere", got[2].target)
    support.has(got[2].file, "logging.rs")
  end)

  it("is told what its filter lets pass, which may change", function()
    listen(target .. "=info")
    p.log("info", "one") p.log("debug", "two")
    listen("off")
    p.log("error", "three") p.records()
    assert.equal("", messages())
    listen("trace")
    p.log("trace", "four")
    assert.is_true(messages():find("four", 1, true) ~= nil)
    listen("warn")
    p.log("info", "five") p.log("warn", "six")
    assert.equal("six", messages())
  end)

  it("is told the loader's own events when the call ends", function()
    listen("cygnixy=debug")
    cygnixy.unload(p)
    local last = got[#got]
    assert.equal("unloaded", last.message)
    assert.equal("cygnixy::loaded", last.target)
    assert.equal("info", last.level)
    assert.is_nil(last.plugin)
    assert.equal("logging", last.fields.plugin)
    assert.equal("unload", last.spans[1].name)
    assert.equal("logging", last.spans[1].fields.plugin)
  end)

  it("is told what hooks log, in order", function()
    listen(target .. "=info")
    cygnixy.unload(p)
    assert.equal("on_unload, drop", messages())
    listen(target .. "=info")
    cygnixy.load(support.fixture("logging"))
    assert.equal("on_load", messages())
  end)

  it("is told what both versions log when a plugin is reloaded", function()
    cygnixy.unload(p)
    local path = support.copy(support.fixture("logging"))
    p = cygnixy.load(path)
    local log = p.log
    listen("cygnixy_test_fixtures=info,logging_second=info")
    log("info", "old")
    support.replace(path, support.fixture("logging_second"))
    cygnixy.reload(p)
    log("info", "new")
    assert.equal("old, the second version is made, on_load, on_unload, drop, new", messages())
    listen("warn")
    log("info", "three") log("warn", "four")
    assert.equal("four", messages())
  end)

  it("may be called from a coroutine, and in one", function()
    listen(target .. "=info")
    local co = coroutine.wrap(function()
      p.log("info", "one")
      coroutine.yield()
      p.log("info", "two")
    end)
    co() co()
    assert.equal("one, two", messages())
  end)

  it("is told what is logged deep in coroutines, with coroutines as arguments", function()
    listen(target .. "=info")
    local outer = coroutine.create(function()
      local self = coroutine.running()
      local inner = coroutine.wrap(function()
        p.call(function() return self end, self)
        p.noisy(self)
      end)
      inner()
    end)
    assert(coroutine.resume(outer))
    assert.equal("before the call, after the call", (messages():gsub(", dropped", "")))
  end)

  it("is told what destructors log while the collector runs", function()
    listen(target .. "=info")
    p.noisy()
    collectgarbage() collectgarbage()
    assert.equal("dropped", messages())
  end)

  it("is told events of other threads later, on its own", function()
    listen(target .. "=info")
    p.in_thread(3, "there")
    assert.equal("", messages())
    p.log("info", "here")
    assert.equal("there, there, there, here", messages())
    assert.equal(2, got[3].fields.number)
    assert.equal("logging", got[3].plugin)
    p.in_thread(2, "there")
    assert.equal(2, cygnixy.flush_log())
    assert.equal(6, #got)
    assert.equal(0, cygnixy.flush_log())
    p.in_thread(1, "there")
    cygnixy.list()
    assert.equal(7, #got)
    p.in_thread(1, "last")
    cygnixy.on_log(nil)
    assert.equal("last", got[8].message)
  end)

  it("is told how many events were dropped", function()
    listen()
    p.in_thread(1500, "many")
    assert.equal(1001, cygnixy.flush_log())
    assert.equal(999, got[1000].fields.number)
    local last = got[1001]
    assert.equal("500 events were dropped, as nobody took them", last.message)
    assert.equal(500, last.fields.dropped)
    assert.equal("cygnixy", last.target)
    assert.equal("warn", last.level)
    listen()
    p.in_thread(1, "more")
    assert.equal(1, cygnixy.flush_log())
  end)

  it("is told what comes while it runs the next time, so that there is an end", function()
    local count = 0
    cygnixy.on_log(function()
      count = count + 1
      if count <= 2000 then p.in_thread(1, "again") end
    end)
    p.in_thread(1, "first")
    for round = 1, 5 do
      assert.equal(1, cygnixy.flush_log())
      assert.equal(round, count)
    end
    count = 2000
  end)

  it("is told of dropped events where they are missing", function()
    cygnixy.on_log(function(record)
      got[#got + 1] = record
      if #got == 1 then p.in_thread(1, "late") end
    end)
    got = {}
    p.in_thread(1002, "early")
    assert.equal(1001, cygnixy.flush_log())
    assert.equal(999, got[1000].fields.number)
    assert.equal(2, got[1001].fields.dropped)
    assert.equal(1, cygnixy.flush_log())
    assert.equal("late", got[1002].message)
  end)

  it("is told panics, after they have been caught", function()
    listen()
    local message = support.failure(p.panic, "boom")
    support.has(message, "boom")
    assert.equal("panicked: boom", messages())
    assert.equal("error", got[1].level)
    assert.equal("logging", got[1].plugin)
    assert.equal("logging", got[1].fields.plugin)
    support.has(got[1].fields.location, "logging.rs:" .. got[1].line .. ":")
    support.has(got[1].file, "logging.rs")
  end)

  it("may call functions of the plugin that panic when it is told a panic", function()
    local found, text = lines(work .. [[
      local count = 0
      cygnixy.on_log(function()
        count = count + 1
        pcall(p.panic, "in the log function")
      end)
      pcall(p.panic, "boom")
      assert(count == 1)
    ]])
    assert.equal(1, #found, text)
    support.has(found[1], "panicked: in the log function")
  end)

  it("can be set and removed while it runs", function()
    local count = 0
    cygnixy.on_log(function()
      count = count + 1
      cygnixy.on_log(nil)
      listen(target .. "=info")
    end, target .. "=info")
    p.log("info", "one") p.log("info", "two")
    assert.equal(1, count)
    assert.equal("two", messages())
  end)

  it("is not missed by what waits when it takes itself away", function()
    local found, text = lines(work .. [[
      cygnixy.on_log(function() cygnixy.on_log(nil) end)
      p.in_thread(3, "waiting")
      cygnixy.flush_log()
    ]])
    assert.equal(2, #found, text)
    support.has(found[1], ": waiting number=1")
    support.has(found[2], ": waiting number=2")
  end)

  it("is told all that is logged in calls through LuaJIT's FFI, later", function()
    local is_luajit = support.abi == "luajit"
    local fast = cygnixy.load(support.fixture("fast"))
    local direct = cygnixy.ffi(fast)
    listen()
    for number = 1, 900 do direct.ffi_log(number) end
    assert.equal(is_luajit and 0 or 900, #got)
    fast.ffi_log(901)
    for number = 902, 950 do direct.ffi_log(number) end
    assert.equal(is_luajit and 49 or 0, cygnixy.flush_log())
    assert.equal(950, #got)
    for number, record in ipairs(got) do
      assert.equal(number, record.fields.number)
      assert.equal("fast", record.plugin)
    end
    for number = 1, 1500 do direct.ffi_log(number) end
    cygnixy.flush_log()
    local last = got[#got]
    assert.equal(950 + (is_luajit and 1001 or 1500), #got)
    assert.equal(is_luajit and 500 or nil, last.fields.dropped)
  end)

  it("cannot unload the plugin that is telling", function()
    local message
    cygnixy.on_log(function()
      local ok, err = pcall(cygnixy.unload, p)
      message = not ok and err
    end, target .. "=info")
    p.log("info", "one")
    support.has(message, "logging", "running")
    assert.equal(p, cygnixy.get("logging"))
  end)

  it("keeps a library mapped if it is a function of it, and else does not", function()
    listen("trace")
    p.spans() p.stay()
    assert.is_true(cygnixy.unload(p).unmapped)
    p = cygnixy.load(support.fixture("logging"))
    cygnixy.on_log(p.log, "error")
    local report = cygnixy.unload(p)
    assert.equal("function", report.reasons[1].kind)
    assert.equal("log", report.reasons[1].name)
    cygnixy.on_log(nil)
    local found
    for _, one in ipairs(cygnixy.collect()) do
      if one.name == "logging" then found = one end
    end
    assert.is_true(found.unmapped, found.text)
  end)

  it("takes a function or nil, and a filter", function()
    local function fails(text, ...)
      support.has(support.failure(cygnixy.on_log, ...), "bad argument " .. text)
    end
    fails("#1 to 'on_log' (function or nil expected, got number)", 7)
    fails("#1 to 'on_log' (function or nil expected, got no value)")
    fails("#2 to 'on_log' (string expected, got number)", print, 7)
    fails("#2 to 'on_log' (", print, "a=b=c")
  end)
end)

describe("a log function that", function()
  it("fails loses nothing", function()
    local found, text = lines(work .. [[
      cygnixy.on_log(function(record) error("no ink for " .. record.message) end)
      p.log("warn", "one")
      p.in_thread(1, "two")
      p.spans()
      cygnixy.on_log(nil)
      p.log("warn", "three")
    ]])
    support.has(found[1], " WARN " .. target .. ": one")
    support.has(found[2], " ERROR cygnixy: the log function failed", "error=", "no ink for one")
    support.has(found[3], " WARN " .. target .. ": two number=0")
    support.has(found[4], "no ink for two")
    assert.equal(15, #found, text)
    support.has(found[15], ": three")
  end)

  it("fails with an object, or yields, loses nothing", function()
    local _, text = lines(work .. [[
      cygnixy.on_log(function() error({}) end)
      p.log("warn", "one")
      cygnixy.on_log(function() coroutine.yield() end)
      coroutine.wrap(function() p.log("warn", "two") end)()
    ]])
    support.has(text, ": one", ": two", "the log function failed", "yield")
  end)

  it("is called before an error leaves machine code of LuaJIT whole", function()
    local _, text = lines(work .. [[
      local told, numbers = 0, {}
      cygnixy.on_log(function() told = told + 1 end, "info")
      local function sum(limit)
        local result = 0
        for i = 1, limit do
          if numbers[i] then result = result + numbers[i] else result = result - 1 end
        end
        return result
      end
      for i = 1, 1000 do numbers[i] = 1 end
      for _ = 1, 200 do assert(sum(1000) == 1000) end
      local function fail() error("no") end
      local function body() return sum(500), p.call(fail) end
      local file = fixtures .. "/load_fails.so"
      for i = 1, 300 do
        assert(not pcall(p.panic, "boom"))
        assert(sum(1000 + i % 7) == 1000 - i % 7)
        assert(not pcall(p.call, fail))
        assert(sum(1000 + i % 5) == 1000 - i % 5)
        assert(not coroutine.wrap(function() return pcall(body), sum(1000) end)())
        assert(sum(1000 + i % 3) == 1000 - i % 3)
        assert(not pcall(p.log, "warn", i % 2 == 0 and p or nil))
        assert(sum(1000 + i % 2) == 1000 - i % 2)
        if i % 10 == 0 then
          assert(not pcall(cygnixy.load, file))
          assert(sum(1000 + i % 4) == 1000 - i % 4)
        end
      end
      assert(told > 1000, told)
    ]])
    assert.equal("", text)
  end)

  it("logs does not loop", function()
    local found, text = lines(work .. [[
      local count = 0
      cygnixy.on_log(function(record)
        count = count + 1
        p.log("warn", "because of " .. record.message)
        cygnixy.list()
      end)
      p.log("warn", "one") p.in_thread(1, "two")
      cygnixy.flush_log()
      assert(count == 2, count)
    ]])
    assert.equal(2, #found, text)
    support.has(found[1], ": because of one")
    support.has(found[2], ": because of two")
  end)

  it("is still there when the state is closed is not called any more", function()
    local _, text = lines([[
      local p = cygnixy.load(path)
      local function tell(record) io.stderr:write("told: ", record.message, "\n") end
      cygnixy.on_log(tell, "cygnixy_test_fixtures=info")
      p.log("info", "one")
      p.in_thread(1, "waiting")
      p, keep = nil, p
    ]], target .. "=info")
    support.has(text, "told: one", ": waiting", ": on_unload", ": drop")
    assert.is_nil(text:find("told: on_unload", 1, true), text)
  end)
end)
