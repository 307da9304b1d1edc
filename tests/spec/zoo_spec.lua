-- A zoo of plugins, each made to break the unload, and the verdict on each. A row is a script of its
-- own, in a process of its own: `before` runs with the plugin `p` loaded, then `p` is unloaded, which
-- has to give `verdict`; then `after` runs, and looking again has to give `later`. At the end the state
-- is closed. A verdict is "unmapped", or what keeps the library: kinds of reasons, with name and number
-- where there are any. Whether the library is mapped is also read from /proc/self/maps, and if it is
-- not, the registry has to be as it was.

local support = require("support")

local harness = [[
  local zoo, name, path = arg[3], arg[4], arg[5]
  local cygnixy = require("cygnixy")
  hold = {}
  weak = setmetatable({}, { __mode = "kv" })
  function collect() for _ = 1, 3 do collectgarbage() end end
  function fails(text, f, ...)
    local ok, message = pcall(f, ...)
    assert(not ok and type(message) == "string" and message:find(text, 1, true),
      tostring(message) .. "\nlacks: " .. text)
  end
  function sleep(seconds) os.execute("sleep " .. seconds) end
  local function mapped()
    local file = io.open("/proc/self/maps")
    local text = file:read("*a")
    file:close()
    return text:find("cygnixy:" .. name .. ".so", 1, true) ~= nil
  end
  local function registry()
    local found = {}
    for key, value in pairs(debug.getregistry()) do
      -- Numbers that were given back lead to each other; Lua's own libraries keep things too.
      local is_free = type(key) == "number" and type(value) == "number"
      if not is_free and not tostring(key):find("^cygnixy") and not tostring(key):find("^_[A-Z]+%*?$") then
        found[tostring(key)] = true
      end
    end
    return found
  end
  local function verdict(report)
    assert(report.name == name or report.name == "zoo", report.name)
    assert(type(report.text) == "string")
    assert(report.unmapped == (#report.reasons == 0))
    if report.unmapped then
      assert(not mapped(), "it is said to be unmapped, and is mapped")
      for key in pairs(registry()) do
        assert(before[key], "left in the registry: " .. key)
      end
      return "unmapped"
    end
    assert(mapped(), "it is said to be mapped, and is not")
    local parts = {}
    for _, reason in ipairs(report.reasons) do
      assert(#reason.text > 10, reason.text)
      local part = reason.kind
      if reason.name then part = part .. " " .. reason.name end
      if reason.count then part = part .. " " .. reason.count end
      parts[#parts + 1] = part
    end
    table.sort(parts)
    return table.concat(parts, ", ")
  end
  function again()
    local reports = cygnixy.collect()
    assert(#reports <= 1, #reports)
    return reports[1] and verdict(reports[1]) or "nothing"
  end
  debug.sethook()
  before = registry()
  ok, p = pcall(cygnixy.load, path)
]]

local function script(row)
  if row.load_fails then
    return harness .. ([[
      assert(not ok and type(p) == "string" and p:find(%q, 1, true), p)
      assert(not cygnixy.get(name))
      if mapped() then cygnixy.collect() end
      print(mapped() and "mapped" or "unmapped")
    ]]):format(row.load_fails)
  end
  return harness .. [[
    assert(ok, p)
    assert(p.ping() == "pong")
    do ]] .. (row.before or "") .. [[ end
    local ok, report = pcall(cygnixy.unload, p)
    ]] .. (row.unload_fails and ([[
      assert(not ok and report:find(%q, 1, true), report)
      report = cygnixy.collect()[1]
    ]]):format(row.unload_fails) or "assert(ok, report)") .. [[
    fails("has been unloaded", p.ping)
    print(verdict(report))
    do ]] .. (row.after or "") .. [[ end
    collect()
    print(again())
    -- A new start, whatever is left of the old.
    ]] .. (row.ends and "" or [[
    p = cygnixy.load(path)
    assert(p.ping() == "pong")
    ]])
end

-- Holds the plugin's `ping` in a place of one kind, and lets go of it later.
local function held(where, code, release)
  return {
    "plain", where, before = code .. " p = p", verdict = "function ping 1",
    after = "fails('has been unloaded', get()) " .. (release or "hold = {} get = nil"), later = "unmapped",
  }
end

local is_51 = support.abi == "lua51"
local is_jit = support.abi == "luajit"
local has_warnings = support.abi == "lua54" or support.abi == "lua55"

local rows = {
  { "plain", "nothing held", verdict = "unmapped" },
  { "plain", "called and failed",
    before = "assert(p.add(1, 2) == 3) fails('bad argument', p.add, {})",
    verdict = "unmapped" },
  { "plain", "without collecting",
    before = "local unload = cygnixy.unload function cygnixy.unload(x) return unload(x, { collect = false }) end",
    verdict = "not_collected", later = "unmapped" },
  { "plain", "called until the loop is compiled",
    before = "local add, sum = p.add, 0 for i = 1, 20000 do sum = add(sum, i) end assert(sum == 200010000)",
    verdict = "unmapped" },
  { "plain", "while the collector is stopped", before = "collectgarbage('stop')", verdict = "unmapped" },
  { "plain", "with other modes of the collector",
    before = "pcall(collectgarbage, 'generational') pcall(collectgarbage, 'setpause', 100)",
    verdict = "unmapped" },
  held("a function in a table", "hold.f = p.ping function get() return hold.f end"),
  held("a function in an upvalue", "local f = p.ping function get() return f end"),
  held("a function as a table key", "hold[p.ping] = true function get() return next(hold) end"),
  held("a function in a metatable",
    "hold.o = setmetatable({}, { __index = p.ping }) function get() return getmetatable(hold.o).__index end"),
  held("a function in the registry",
    "debug.getregistry().zoo = p.ping function get() return debug.getregistry().zoo end",
    "debug.getregistry().zoo = nil get = nil"),
  held("a function in a suspended coroutine's local", [[
    hold.co = coroutine.wrap(function(f) coroutine.yield() while true do coroutine.yield(f) end end)
    hold.co(p.ping)
    get = hold.co]]),
  held("a function that a coroutine will begin with", [[
    hold.co = coroutine.create(function(...) return ... end)
    hold.f = p.ping
    function get() return hold.f end]]),
  { "plain", "a function in a suspended coroutine's vararg", before = [[
      hold.co = coroutine.wrap(function(...) coroutine.yield() while true do coroutine.yield((...)) end end)
      hold.co(p.ping)]],
    verdict = "function ping 1", after = "fails('has been unloaded', hold.co()) hold = {}", later = "unmapped" },
  { "plain", "a function only in weak tables", before = "weak[1] = p.ping weak[p.add] = 1", verdict = "unmapped" },
  { "plain", "a function that is the reference of another C library", before = [[
      hold.other = require("cygnixy").load(zoo .. "/named_registry.so")
      hold.other.reference(p.ping)
      function again()
        local kinds = {}
        for _, report in ipairs(cygnixy.collect()) do
          if report.name == name then kinds[1] = verdict(report) end
        end
        return kinds[1] or "nothing"
      end]],
    verdict = "function ping 1", after = [[
      fails('has been unloaded', hold.other.recall())
      -- mlua gives a number back when it needs the next.
      hold.other.reference(1) hold.other.reference(2)
      before = setmetatable({}, { __index = function() return true end })]],
    later = "unmapped" },
  { "captured", "captured state", before = "hold.n = p.held() hold.count = p.counter() hold.count()",
    verdict = "function 1", after = "assert(hold.count() == 2) hold = {}", later = "unmapped" },
  { "objects", "objects kept, used and dropped", before = "hold.a, hold.b = p.object(1), p.object(2)",
    verdict = "object Object 2",
      after = [[
        assert(hold.a:value() == 1 and hold.a.double == 2)
        hold.b:set(5)
        assert(hold.b:value() == 5)
        hold = {}]],
    later = "unmapped" },
  { "objects", "a method kept",
    before = "hold.f = p.object(1).value",
    verdict = "function 1",
    after = "hold = {}",
    later = "unmapped" },
  { "objects", "a metatable kept",
    before = "hold.m = debug.getmetatable(p.object(1))",
    verdict = "KEPT",
    after = "hold = {}",
    later = "unmapped" },
  { "finaliser", "a finaliser that calls back into Lua", before = "p.on_drop(function() hold.ran = true end)",
    verdict = "unmapped", after = "assert(hold.ran)" },
  { "finaliser", "a finaliser that calls a function of the plugin",
    before = "local ping = p.ping p.on_drop(function() hold.ran = pcall(ping) end)",
    verdict = "unmapped", after = "assert(hold.ran == false)" },
  { "finaliser", "a finaliser that keeps a function",
    before = "local ping = p.ping p.on_drop(function() hold.f = ping end)",
    verdict = "function ping 1", after = "fails('has been unloaded', hold.f) hold = {}", later = "unmapped" },
  { "finaliser", "an object whose finaliser is still to come",
    before = "hold.o = p.on_drop(function() ran = true end)",
    verdict = "KEPT", after = "hold = {} collect() assert(ran)", later = "unmapped" },
  { "callback_errors", "callbacks that fail",
    before = "fails('no luck', p.call, function() error('no luck') end) p.catch(error, {}) p.keep(p.ping)",
    verdict = "unmapped" },
  { "coroutine", "a coroutine made by the plugin",
    before = "hold.co = p.make(function() coroutine.yield(1) end) coroutine.resume(hold.co)",
    verdict = "unmapped" },
  { "thread_local", "thread-locals", before = "p.touch() p.touch_in_thread()", verdict = "unmapped" },
  { "current_thread", "the current thread's handle", before = "p.name()", verdict = "unmapped" },
  { "spans", "tracing", before = "p.work(3)", verdict = "unmapped" },
  { "random", "random numbers", before = "p.number()", verdict = "unmapped" },
  { "patterns", "regular expressions", before = "p.matches('a+', 'aaa') p.is_word('word')", verdict = "unmapped" },
  { "runtime", "a runtime that was shut down", before = "p.work(3)", verdict = "unmapped" },
  { "detached", "a thread that ends later",
    before = "p.start(400)",
    verdict = "thread 1",
    after = "sleep(1)",
    later = "unmapped" },
  { "endless", "threads that never end", before = "p.start() p.start()", verdict = "thread 2", later = "thread 2" },
  { "pool", "a pool of threads that stays", before = "p.sum(100)", verdict = "THREADS", later = "THREADS" },
  { "statics", "statics", before = "p.next() p.list()", verdict = "unmapped" },
  { "words", "statics with slices of what is on the heap, around what the library itself has there",
    before = [[
      assert(cygnixy.unload(p).unmapped)
      local held = {}
      for i = 1, 3000 do held[i] = ("x"):rep(i % 700) .. i end
      for i = 1, 3000, 2 do held[i] = nil end
      collect()
      for round = 1, 10 do
        p = cygnixy.load(path)
        assert(p.learn() == 512)
        if round < 10 then assert(cygnixy.unload(p).unmapped) end
      end
    ]],
    verdict = "unmapped" },
  { "strings", "strings",
    before = "hold.a = p.big(100000) hold.b = p.external and p.external(100000)",
    verdict = "unmapped",
    after = "assert(#hold.a == 100000) assert(not hold.b or #hold.b == 100000) hold = {} collect()" },
  { "named_registry", "values in the registry",
    before = "p.store(p.ping) p.reference(p.ping)",
    verdict = "unmapped" },
  { "c_function", "C functions", before = "assert(p.bare()() == 42)", verdict = "unmapped" },
  { "c_function", "a C function kept",
    before = "hold.f = p.bare()",
    verdict = "function 1",
    after = "assert(hold.f() == 42) hold = {}",
    later = "unmapped" },
  { "big_state", "a large state of its own", verdict = "unmapped" },
  { "at_exit", "an exit handler",
    before = "p.register()",
    verdict = "exit_handler 1",
    later = "exit_handler 1",
    prints = "handler ran" },
  { "signal", "a signal handler", before = "p.install()", verdict = "signal_handler 1", later = "signal_handler 1" },
  { "signal", "a signal handler that was removed", before = "p.install() p.remove()", verdict = "unmapped" },
  { "hook", "a debug hook",
    before = "p.install()",
    verdict = "hook",
    after = "for _ = 1, 1e5 do hold[1] = {} end debug.sethook()",
    later = is_51 and "hook" or "unmapped" },
  { "hook", "a debug hook that was removed",
    before = "p.install() p.remove()",
    verdict = is_51 and "hook" or "unmapped",
    later = is_51 and "hook" or nil },
  { "hook", "a debug hook in a coroutine", before = [[
      hold.co = coroutine.wrap(function() p.install() coroutine.yield() for _ = 1, 1e5 do hold[1] = {} end end)
      hold.co()]],
    verdict = "hook",
      after = is_jit and "debug.sethook()" or "hold.co() hold = {}",
      later = is_51 and "hook" or "unmapped" },
  { fixture = "constructor_panics", "a panic when it is made",
    load_fails = "panic: out of bricks",
    verdict = "unmapped" },
  { fixture = "name_panics", "a panic in its name", load_fails = "panic: I forgot my name", verdict = "unmapped" },
  { fixture = "load_panics", "a panic in on_load", load_fails = "panic: the fuel tank is empty", verdict = "unmapped" },
  { fixture = "functions_panic", "a panic in get_lua_functions",
    load_fails = "panic: no functions today",
    verdict = "unmapped" },
  { "panic_call", "panics in calls",
    before = "fails('', p.boom) local b = p.bomb() fails('', b.boom, b)",
    verdict = "unmapped" },
  { fixture = "unload_panics", "a panic in on_unload",
    unload_fails = "panic: the door fell off",
    verdict = "failed",
    later = "failed" },
  { fixture = "drop_panics", "a panic in its destructor",
    unload_fails = "panic: I will not go",
    verdict = "failed",
    later = "failed" },
  { fixture = "unload_fails", "an error of on_unload",
    unload_fails = "the door is stuck",
    verdict = "failed",
    later = "failed" },
  { "no_delete", "a library that must not be unmapped", verdict = "linker" },
}

if has_warnings then
  rows[#rows + 1] = { "warner", "a warn function",
    before = "p.install() warn('@on') warn('hot')",
    verdict = "warn",
    later = "warn",
    after = "warn('still there')" }
  rows[#rows + 1] = { "warner", "a warn function that was removed",
    before = "p.install() warn('hot') p.remove()",
    verdict = "unmapped" }
end

-- Where what is found depends on more than the plugin.
local function matches(expected, found)
  if expected == "KEPT" then
    return found:find("function", 1, true) ~= nil or found:find("object", 1, true) ~= nil
      or found:find("reference", 1, true) ~= nil
  elseif expected == "THREADS" then
    return found:find("^thread %d+$") ~= nil
  end
  return expected == found
end

describe("the zoo:", function()
  for _, row in ipairs(rows) do
    local plugin, what = row.fixture or row[1], row[#row]
    local path = row.fixture and support.fixture(plugin) or support.zoo .. "/" .. plugin .. ".so"
    it(plugin .. ", " .. what, function()
      local stdout, stderr, status = support.run(script(row), { args = { support.zoo, plugin, path } })
      assert(status == 0, "exit status " .. tostring(status) .. ": " .. stderr .. stdout)
      local verdicts, printed = {}, nil
      for line in stdout:gmatch("[^\n]+") do
        if line == row.prints then
          printed = line
        else
          verdicts[#verdicts + 1] = line
        end
      end
      assert.equal(row.prints, printed)
      assert(matches(row.verdict, verdicts[1]), ("expected %s, found %s"):format(row.verdict, verdicts[1]))
      if not row.load_fails then
        local later = row.later or "nothing"
        assert(matches(later, verdicts[2]), ("later: expected %s, found %s"):format(later, verdicts[2]))
      end
    end)
  end
end)
