-- Fast functions: types, errors, ownership and unloading.

local support = require("support")
local cygnixy = require("cygnixy")

local has_integers = math.type ~= nil
local out_of_range = math.type and "value out of range" or "invalid value"
local not_integral = "number has no integer representation"
local failure = support.failure_of

local function pack(...) return { n = select("#", ...), ... } end

describe("a fast function", function()
  support.with_witness(cygnixy)
  local f

  before_each(function() f = cygnixy.load(support.fixture("fast")) end)
  after_each(function() if cygnixy.get("fast") then cygnixy.unload("fast") end end)

  it("takes and gives numbers", function()
    assert.equal(3, f.add(1, 2))
    assert.equal(7.5, f.add("3", 4.5))
    assert.equal(1.5, f.half(3))
    assert.equal(8, f.increment(7))
    assert.equal(8, f.increment("7"))
    assert.equal(4, f.increment(3.0))
    assert.equal(255, f.byte(255))
    assert.equal(-128, f.signed_byte(-128))
    assert.equal(4294967295, f.word(4294967295))
    assert.equal(36.5, f.eight(1, 2, 3, 4, 5, 6, 7, 8.5))
    assert.equal(2 ^ 64, f.big())
    assert.same({ n = 2, 2, 1 }, pack(f.pair(1, 2)))
    assert.same({ n = 2, 7, "nm" }, pack(f.greetings(7)))
    assert.equal(-2 ^ 63, f.increment(-2 ^ 63) - 1)
    if has_integers then
      assert.equal("integer", math.type(f.increment(1)))
      assert.equal("integer", math.type(f.increment(1.0)))
      assert.equal("float", math.type(f.add(1, 2)))
    end
  end)

  it("gives more values than a C function has room for", function()
    local unpack = table.unpack or unpack
    local nested = f.nested
    local body = support.has_c_bodies and nested or function(...) return nested(...) end
    for count = 1, 30 do
      local arguments = {}
      for i = 1, count do arguments[i] = i end
      local results = pack(coroutine.wrap(body)(unpack(arguments)))
      assert.equal(32, results.n)
      for i = 1, 32 do assert.equal(1, results[i]) end
    end
  end)

  it("takes and gives booleans", function()
    assert.is_true(f.invert(false))
    assert.is_false(f.invert(true))
    assert.is_false(f.invert(0))
    assert.is_true(f.invert())
  end)

  it("takes and gives strings", function()
    assert.equal(3, f.length("a\0b"))
    assert.equal(0, f.length(""))
    assert.equal(2, f.length(12))
    assert.equal(5, f.characters("Grüße"))
    assert.equal("x", f.trim("  x "))
    assert.equal("", f.trim("  "))
    assert.equal("a", f.first("a=b", "="))
    assert.is_nil(f.first("ab", "="))
    assert.equal("minus", f.sign(-1))
    assert.equal("Hello, you!", f.hello("you"))
    assert.equal("ÄB", f.upper("äb"))
    assert.equal("c\0a", f.reverse("a\0c"))
    for _, length in ipairs({ 0, 1, 1023, 1024, 1025, 100000 }) do
      assert.equal(("x"):rep(length), f.repeated("x", length))
      assert.equal("Hello, " .. ("x"):rep(length) .. "!", f.greeting(("x"):rep(length), "!"))
    end
  end)

  it("takes and gives nothing", function()
    assert.equal(0, select("#", f.noop()))
    assert.equal(0, select("#", f.noop(1, 2, 3)))
    assert.same({ n = 2, -1, "none" }, pack(f.or_else()))
    assert.same({ n = 2, -1, "x" }, pack(f.or_else(nil, "x")))
    assert.same({ n = 2, 3, "none" }, pack(f.or_else(3, nil)))
    assert.same({ n = 1 }, pack(f.maybe(0)))
    assert.equal(4, f.maybe(4))
    assert.is_nil(f.maybe_text(0))
    assert.equal("5", f.maybe_text(5))
  end)

  it("takes any number of arguments", function()
    assert.equal(0, f.sum())
    assert.equal(6, f.sum(1, "2", 3))
    assert.equal("", f.join(","))
    assert.equal("a,1,c", f.join(",", "a", 1, "c"))
    local many = {}
    for i = 1, 200 do many[i] = i end
    assert.equal(20100, f.sum((table.unpack or unpack)(many)))
    assert.equal("bad argument #3 to 'sum' (number expected, got string)", failure(f, "sum", 1, 2, "x"))
    assert.equal("bad argument #3 to 'join' (string expected, got table)", failure(f, "join", ",", "a", {}))
  end)

  it("takes and gives what only mlua converts", function()
    assert.equal(5, f.norm({ x = 3, y = 4 }))
    assert.equal("12 1 2", f.at(12, { x = 1, y = 2 }))
    assert.is_nil(f.at("x"))
    assert.equal(6, f.total({ 1, 2, 3 }))
    assert.equal(2, f.size({ 1, 2 }))
    assert.equal(8, f.apply(function(x) return x * 2 end, 4))
    assert.same({ key = 3 }, f.table("key", 3))
    assert.same({ n = 3, 1, nil, "x" }, pack(f.all(1, nil, "x")))
    assert.same({ n = 3, 1, "x", nil }, pack(f.echo(1, "x", nil)))
  end)

  it("takes references to userdata", function()
    local counter = f.counter(5)
    assert.equal(5, f.get(counter))
    assert.equal(8, f.add_to(counter, 3))
    assert.equal(8, counter:get())
    assert.equal(12, counter:add(4))
    assert.equal(17, f.hold("abc", counter, "xy"))
    assert.equal(24, f.both(counter, counter))
    assert.same({ n = 2, nil, nil }, pack(f.any()))
    assert.same({ n = 2, 2, 12 }, pack(f.any("ab", counter)))
    assert.equal(("x 12"):rep(300), counter:held("x"))
    local other = f.counter(1)
    f.swap(counter, other)
    assert.same({ 1, 12 }, { counter:get(), other:get() })
    assert.equal(26, f.sum_of(counter, other, counter, other))
    assert.equal(0, f.sum_of())
  end)

  it("takes references to userdata in coroutines, and while others are at work", function()
    local counter = f.counter(5)
    local co = coroutine.wrap(function()
      for _ = 1, 3 do coroutine.yield(counter:add(1), f.get(counter)) end
    end)
    assert.same({ 6, 6 }, { co() })
    local inner = {}
    -- A callback of mlua is at work on this thread.
    assert.equal(5, f.apply(function(n)
      inner = { co() }
      coroutine.wrap(function()
        f.apply(function() inner[3] = f.add_to(counter, 1) return 1 end, n)
        coroutine.wrap(function() inner[4] = counter:get() end)()
      end)()
      return n
    end, 5))
    assert.same({ 7, 7, 8, 8 }, inner)
    assert.same({ 9, 9 }, { co() })
    if support.has_c_bodies then
      assert.equal(9, coroutine.wrap(f.get)(counter))
      assert.equal(10, coroutine.wrap(counter.add)(counter, 1))
      assert.is_false(pcall(coroutine.wrap(f.get), 1))
    end
    -- What was put on the stack of another thread is gone.
    for _ = 1, 1000 do coroutine.wrap(function() counter:add(1) end)() end
    for _ = 1, 1000 do
      coroutine.wrap(function() assert(not pcall(f.get, io.stdout)) end)()
    end
  end)

  it("does with userdata from a coroutine what it does from the main thread", function()
    local counter, other = f.counter(5), f.counter(7)
    local finalised = f.counter(1)
    debug.getmetatable(finalised).__gc(finalised)
    local long = ("x"):rep(5000)
    -- In a coroutine that code below a callback of mlua resumes.
    local function below(body)
      local result
      f.apply(function() result = coroutine.wrap(body)() return 1 end, 1)
      return result
    end
    for _, case in ipairs({
      { "get", counter }, { "get" }, { "get", 1 }, { "get", io.stdout }, { "get", f.thing() }, { "get", finalised },
      { "both", counter, other }, { "both", counter, finalised }, { "swap", counter, counter }, { "sum_of" },
      { "sum_of", counter, other, counter }, { "sum_of", counter, nil }, { "sum_of", counter, f.thing() },
      { "any", long, counter }, { "any", long }, { "any", long, 1 }, { "any", {}, counter },
      { "hold", "abc", counter, "xy" }, { "hold", 12, counter, 34 }, { "hold", "abc", counter, {} },
      { "look", counter, "fail" }, { "look", counter, "panic" }, { "look", counter, long },
      { "add_to", counter, "0" }, { "add_to", counter, 1.5 },
    }) do
      local name = case[1]
      local function body() return pack(pcall(function() return (f[name](case[2], case[3], case[4])) end)) end
      local function whole() return pack(f[name](case[2], case[3], case[4])) end
      local here = body()
      assert.same(here, coroutine.wrap(body)(), name)
      assert.same(here, below(body), name)
      if here[1] then
        assert.same(whole(), coroutine.wrap(whole)(), name)
        assert.same(whole(), below(whole), name)
      end
    end
    local function method() return { pcall(function() counter.get(1) end) } end
    assert.same(method(), coroutine.wrap(method)())
    assert.same(method(), below(method))
    assert.same({ 5, 7 }, { counter:get(), other:get() })
  end)

  it("refuses userdata that are in use, finalised, or of another type", function()
    local counter = f.counter(5)
    assert.equal("bad argument #2 to 'swap' (userdata is in use)", failure(f, "swap", counter, counter))
    local message
    assert.equal(7, counter:apply(function(n)
      assert.equal(5, n)
      message = select(2, pcall(function()
        local got = counter:get()
        return got
      end))
      assert.is_false(pcall(f.sum_of, f.counter(1), counter))
      assert.is_false(pcall(f.any, "text", counter))
      return 7
    end))
    assert.matches("calling 'get' on bad self %(userdata is in use%)$", message)
    assert.equal(5, counter:get())
    local expected = "bad argument #2 to 'both' (Counter expected, got "
    assert.equal(expected .. "Thing)", failure(f, "both", counter, f.thing()))
    assert.equal(expected .. (has_integers and "FILE*" or "userdata") .. ")", failure(f, "both", counter, io.stdout))
    assert.equal(expected .. "no value)", failure(f, "both", counter))
    assert.equal(expected .. "table)", failure(f, "both", counter, {}))
    assert.equal("bad argument #3 to 'sum_of' (Counter expected, got nil)", failure(f, "sum_of", counter, counter, nil))
    local finaliser = debug.getmetatable(counter).__gc
    finaliser(counter)
    assert.matches("finalised", failure(f, "get", counter))
  end)

  it("gives any number of results, of types that depend on the data", function()
    assert.same({ n = 0 }, pack(f.words("")))
    assert.same({ n = 6, 12, nil, "ab", true, 0.5, nil }, pack(f.words("12 - ab yes half -")))
    local line = ("w "):rep(3000)
    assert.equal(3000, select("#", f.words(line)))
    assert.equal(3000, (coroutine.wrap(function() return select("#", f.words(line)) end)()))
    for _, n in ipairs({ 0, 1, 7, 40, 2000 }) do
      local results = pack(f.times(("x"):rep(n), n))
      assert.equal(n + 5, results.n)
      assert.equal(n, results[1])
      assert.equal(n, results[n + 5])
      for i = 2, n + 2 do assert.equal(("x"):rep(n), results[i]) end
    end
    assert.equal("unlucky", failure(f, "times", "x", 13))
    -- More than fit on Lua's stack.
    local ok, err = pcall(f.times, "x", 2000000)
    assert.is_false(ok)
    assert.matches("too many results", err)
    for n = 0, 400 do
      for _, name in ipairs({ "nest", "nest_by_mlua" }) do
        local count, last = coroutine.wrap(function()
          return select("#", f[name](n)), (select(-1, f[name](n)))
        end)()
        assert.same({ n + 56, 8 }, { count, last })
      end
    end
    assert.same({ n = 3, "a\0", "a\0", "a\0" }, pack(f.bytes("a\0")))
    assert.same({ n = 3, "a\0", "a\0", "a\0" }, pack(f.bytes_by_mlua("a\0")))
    assert.same({ n = 1 }, pack(f.scalar("abc", 0)))
    assert.is_false(f.scalar("abc", 1))
    assert.equal(3, f.scalar("abc", 2))
    assert.equal(1.5, f.scalar("abc", 3))
    assert.equal(("abc"):rep(1000), f.scalar("abc", 1000))
    assert.equal("a\0b", f.scalar_by_mlua("a\0b"))
  end)

  it("that is a method goes on working after the unload, as its object does, and keeps the library mapped", function()
    local counter = f.counter(5)
    local get = counter.get
    assert.equal(5, get(counter))
    assert.is_false(cygnixy.unload("fast").unmapped)
    assert.equal(6, counter:add(1))
    assert.equal(6, get(counter))
    assert.is_false(pcall(get, 6))
    counter = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.equal(1, #cygnixy.collect())
    assert.is_false(pcall(get, io.stdout))
    get = nil -- luacheck: ignore
    assert.is_true(cygnixy.collect()[1].unmapped)
  end)

  it("is like any other function", function()
    assert.equal("function", type(f.add))
    assert.equal(3, select(2, pcall(f.add, 1, 2)))
    assert.equal(3, coroutine.wrap(function() return f.add(1, 2) end)())
    assert.same({ 1, 2, 3 }, { f.count(), f.count(), f.count() })
    assert.same({ n = 2, 7, 0 }, pack(f.aligned()))
    assert.equal(7, f.plain(7))
  end)

  it("says what Lua's own library says of a bad argument", function()
    assert.equal("bad argument #2 to 'add' (number expected, got string)", failure(f, "add", 1, "x"))
    assert.equal("bad argument #2 to 'add' (number expected, got no value)", failure(f, "add", 1))
    assert.equal("bad argument #1 to 'add' (number expected, got no value)", failure(f, "add"))
    assert.equal("bad argument #1 to 'add' (number expected, got nil)", failure(f, "add", nil, 1))
    assert.equal("bad argument #1 to 'hello' (string expected, got table)", failure(f, "hello", {}))
    assert.equal("bad argument #1 to 'length' (string expected, got boolean)", failure(f, "length", true))
    assert.equal("bad argument #2 to 'or_else' (string expected, got table)", failure(f, "or_else", nil, {}))
    assert.equal("bad argument #8 to 'eight' (number expected, got no value)",
      failure(f, "eight", 1, 2, 3, 4, 5, 6, 7))
    local file = has_integers and "FILE*" or "userdata"
    assert.equal("bad argument #1 to 'add' (number expected, got " .. file .. ")", failure(f, "add", io.stdout))
  end)

  it("refuses numbers that do not fit", function()
    for _, case in ipairs({
      { "increment", 1.5, not_integral }, { "increment", 0 / 0, not_integral },
      { "increment", "1.5", not_integral }, { "byte", 256, out_of_range }, { "byte", -1, out_of_range },
      { "signed_byte", 128, out_of_range }, { "word", 2 ^ 32, out_of_range }, { "unsigned", -1, out_of_range },
      { "characters", "\255", "string is not valid UTF-8" }, { "upper", "a\255", "string is not valid UTF-8" },
    }) do
      assert.equal(("bad argument #1 to '%s' (%s)"):format(case[1], case[3]), failure(f, case[1], case[2]))
    end
    support.is_message(select(2, pcall(f.increment, 2 ^ 63)))
    support.is_message(select(2, pcall(f.increment, math.huge)))
  end)

  it("says the same by way of mlua", function()
    assert.equal("bad argument #1 to 'norm' (Point expected, got number)", failure(f, "norm", 7))
    assert.equal("bad argument #1 to 'norm' (Point expected, got no value)", failure(f, "norm"))
    assert.equal("bad argument #1 to 'get' (Counter expected, got number)", failure(f, "get", 5))
    assert.equal("bad argument #2 to 'add_to' (" .. not_integral .. ")", failure(f, "add_to", f.counter(1), 1.5))
    assert.equal("bad argument #2 to 'add_to' (number expected, got no value)", failure(f, "add_to", f.counter(1)))
    assert.equal("bad argument #1 to 'at' (string expected, got nil)", failure(f, "at", nil, {}))
    assert.matches("number", failure(f, "norm", { x = 3 }))
    local counter = f.counter(1)
    local ok, err = pcall(function() counter:add("z") end)
    assert.is_false(ok)
    assert.matches("bad argument #1 to 'add' %(number expected, got string%)$", err)
    ok, err = pcall(function() counter.get(1) end)
    assert.is_false(ok)
    assert.matches("bad argument #1 to 'get' %(Counter expected, got number%)$", err)
  end)

  it("raises errors and panics as strings with the caller's position", function()
    assert.equal("refused with code 7", failure(f, "refuse", 7))
    assert.equal("invalid float literal", failure(f, "parse", "x1"))
    assert.equal(1.5, f.parse("1.5"))
    assert.equal("by mlua", failure(f, "fail_by_mlua"))
    assert.equal("the function panicked: no luck", failure(f, "panics", "luck"))
    for _, length in ipairs({ 0, 1, 1024, 1025, 70000 }) do
      local text = ("y"):rep(length)
      assert.equal(text, failure(f, "fail", text))
    end
    assert.equal("inner", select(2, pcall(f.apply, function() error("inner", 0) end, 1)))
  end)

  it("drops what it owns whatever happens", function()
    local before = f.alive()
    local counter = f.counter(1)
    for _ = 1, 50 do
      f.hold("abc", counter, "x")
      assert.is_false(pcall(f.hold, "abc", 5))
      assert.is_false(pcall(f.hold, "abc", counter, {}))
      assert.is_false(pcall(f.hold, "abc", counter))
      assert.is_false(pcall(f.hold_and_fail, "abc"))
      assert.is_false(pcall(f.hold_and_panic, "abc"))
    end
    assert.equal(before, f.alive())
  end)

  it("drops what it captured when it is collected", function()
    assert.equal(1, f.alive())
    assert.equal(0, f.guarded())
    local alive = f.alive
    f.guarded = nil
    collectgarbage()
    collectgarbage()
    -- The manager keeps the plugin's functions until the plugin is unloaded.
    assert.equal(1, alive())
    alive, f = nil, nil -- luacheck: ignore
    assert.is_true(cygnixy.unload("fast").unmapped)
  end)

  it("raises an error after the unload, and the library is unmapped without it", function()
    local held = {}
    for name, function_ in pairs(f) do held[name] = function_ end
    local report = cygnixy.unload("fast")
    assert.is_false(report.unmapped)
    for name in pairs(held) do
      assert.equal("plugin 'fast' has been unloaded", failure(held, name, 1, 2), name)
      assert.equal("plugin 'fast' has been unloaded", failure(f, name, 1, 2), name)
    end
    for name in pairs(held) do held[name] = nil end
    local reports = cygnixy.collect()
    assert.equal(1, #reports)
    assert.is_true(reports[1].unmapped)
  end)

  it("is not unloaded while it runs", function()
    local ok, err = pcall(f.apply, function() cygnixy.unload("fast") end, 1)
    assert.is_false(ok)
    assert.matches("fast", err)
    assert.equal(3, f.add(1, 2))
  end)

  it("has a signature", function()
    local list = cygnixy.list()
    local signatures
    for _, plugin in ipairs(list) do
      if plugin.name == "fast" then signatures = plugin.signatures end
    end
    assert.equal("(number, number) -> number", signatures.add)
    assert.equal("()", signatures.noop)
    assert.equal("(integer?, string?) -> integer, string", signatures.or_else)
    assert.equal("(string, ...string) -> string", signatures.join)
    assert.equal("(...any) -> ...any", signatures.all)
    assert.equal("(Counter, integer) -> integer", signatures.add_to)
    assert.equal("(string, integer) -> table", signatures.table)
    assert.equal("(number[]) -> number", signatures.total)
    assert.equal("(function, number) -> number", signatures.apply)
    assert.equal("(string, Point?) -> string?", signatures.at)
    assert.equal("(string) -> string", signatures.reverse)
    assert.equal("(integer)", signatures.refuse)
    assert.is_nil(signatures.plain)
    local help = "\n" .. cygnixy.help(f) .. "\n"
    assert.truthy(help:find("\nfast.add(number, number) -> number\n", 1, true))
    assert.truthy(help:find("\nfast.plain(...)\n", 1, true))
    assert.equal(cygnixy.help(f), cygnixy.help("fast"))
  end)
end)
