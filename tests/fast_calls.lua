-- Calls fast functions in all the ways they can end, for valgrind: `fast_calls.lua PLUGIN.so BY_HAND.so JSON.so`.
local plugin, by_hand, json = arg[1], arg[2], arg[3]
local cygnixy = require "cygnixy"
local fast = cygnixy.load(plugin)
by_hand, json = cygnixy.load(by_hand), cygnixy.load(json)
local counter = fast.counter(1)

local long, short = ("x"):rep(5000), "abc"
local function round()
  assert(fast.add(1, "2") == 3 and fast.hello("you") == "Hello, you!" and #fast.repeated(long, 3) == 15000)
  assert(fast.upper(short) == "ABC" and #fast.upper(long) == 5000 and fast.greeting(long, "!"))
  assert(fast.join(",", "a", 1, long) and fast.sum(1, 2, 3) == 6 and fast.or_else(1, long))
  assert(fast.norm({ x = 3, y = 4 }) == 5 and fast.apply(function(x) return x end, 1) == 1)
  assert(fast.hold(short, counter, long) and counter:get() and fast.all(1, nil, long))
  local other = fast.counter(2)
  fast.swap(counter, other)
  assert(fast.both(counter, other) and fast.sum_of(counter, other, other) and #counter:held(long) > 5000)
  assert(fast.any(long, counter) == 5000 and select("#", fast.words("a 1 - yes half")) == 5)
  assert(select("#", fast.times(long, 40)) == 45 and #fast.scalar(long, 4) == 20000 and fast.scalar_by_mlua(long))
  assert(by_hand.entries({ 1, x = 2 }) == 2 and by_hand.entries_by_mlua({ 1 }) == 1 and by_hand.reserve({}, 3000))
  assert(#by_hand.squares(9) == 9 and #by_hand.squares_by_mlua(9) == 9 and select("#", by_hand.several(30)) == 33)
  assert(not pcall(by_hand.squares, -1) and not pcall(by_hand.squares_by_mlua, -1) and not pcall(by_hand.entries, 1))
  assert(not by_hand.reserve({}, 2000000))
  local deep = ("["):rep(300) .. "]" .. ("]"):rep(299)
  assert(json.encode(json.decode(deep)) == deep and json.encode(json.decode '{"a":[1,"\\n"]}') == '{"a":[1,"\\n"]}')
  assert(not pcall(json.decode, long) and not pcall(json.encode, { { {}, print } }))
  assert(not pcall(json.encode, {}, { x = 1 }))
  for n = 0, 60 do
    coroutine.wrap(function() return fast.nest(n) end)()
    coroutine.wrap(function() return fast.nest_by_mlua(n) end)()
  end
  coroutine.wrap(function() counter:add(1) fast.times(short, 9) end)()
  counter:apply(function() assert(not pcall(counter.get, counter)) return 1 end)
  fast.apply(function()
    coroutine.wrap(function()
      assert(counter:get() and fast.any(long, counter) == 5000 and #fast.look(counter, short) == 1200)
      assert(not pcall(fast.both, counter, 1) and not pcall(fast.look, counter, "panic"))
    end)()
    return 1
  end, 1)
  for _, case in ipairs({
    { "look", counter, "fail" }, { "look", counter, "panic" },
    { "swap", counter, counter }, { "both", counter, fast.thing() }, { "sum_of", counter, 1 }, { "any", long, 1 },
    { "times", long, 13 }, { "get", io.stdout },
    { "add", 1, {} }, { "hello" }, { "upper", {} }, { "upper", "\255" }, { "byte", 300 }, { "increment", 1.5 },
    { "join", ",", {} }, { "parse", long }, { "fail", short }, { "fail", long }, { "fail_by_mlua" },
    { "panics", short }, { "panics", long }, { "norm", 1 }, { "at", short, 3 }, { "get", 1 },
    { "hold", short, 1 }, { "hold", short, counter, {} }, { "hold_and_fail", long }, { "hold_and_panic", long },
    { "apply", function() error(long) end, 1 }, { "apply", function() return {} end, 1 }, { "refuse", 7 },
  }) do
    assert(not pcall(fast[case[1]], case[2], case[3], case[4]), case[1])
  end
end

-- A finaliser that fails, and one that calls fast functions, at any allocation.
local function trouble(finalise)
  if newproxy then
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = finalise
  else
    setmetatable({}, { __gc = finalise })
  end
end

assert(not pcall(fast.times, short, 1100000)) -- more than a Lua stack may hold; slow here, so only once
for _ = 1, 20 do round() end
pcall(collectgarbage, "setpause", 100) -- not in Lua 5.5
for i = 1, 200 do
  trouble(i % 2 == 0 and function() error("from a finaliser") end or function()
    assert(fast.hello("finaliser") and #fast.repeated("x", 2000) == 2000)
    assert(fast.times("y", 20) == 20 and (not pcall(counter.get, counter) or counter:add(1)))
  end)
  pcall(collectgarbage, "step", 1)
  pcall(round)
end
for _ = 1, 20 do pcall(collectgarbage) end
assert(fast.alive() == 1)
local hello, count = fast.hello, fast.count
counter = nil
cygnixy.unload("fast")
cygnixy.unload("by_hand")
cygnixy.unload("json")
assert(not pcall(hello, "you") and not pcall(count) and not pcall(fast.noop))
