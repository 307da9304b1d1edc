-- The calls that are compared: what a row is named, the function it uses, how often it is called for one
-- sample, a check that the side does the work, and the loop. Loading this file anew gives new loops:
-- LuaJIT compiles a loop for the function it first sees in it.
local items = {}
for i = 1, 100 do items[i] = i + 0.5 end
local megabyte = ("x"):rep(1024 * 1024)

local function successor(x) return x + 1 end

return {
  {
    name = "no arguments", uses = "noop", calls = 50000,
    check = function(t) return select("#", t.noop()) == 0 end,
    run = function(t, n)
      local f = t.noop
      for _ = 1, n do f() end
    end,
  },
  {
    name = "two numbers", uses = "add", calls = 50000,
    check = function(t) return t.add(1, 0.5) == 1.5 end,
    run = function(t, n)
      local f = t.add
      for i = 1, n do f(i, 0.5) end
    end,
  },
  {
    name = "an integer", uses = "increment", calls = 50000,
    check = function(t) return t.increment(41) == 42 end,
    run = function(t, n)
      local f = t.increment
      for i = 1, n do f(i) end
    end,
  },
  {
    name = "a short string", uses = "length", calls = 50000,
    check = function(t) return t.length("a short string") == 14 end,
    run = function(t, n)
      local f = t.length
      for _ = 1, n do f("a short string") end
    end,
  },
  {
    name = "a string in and out", uses = "hello", calls = 20000,
    check = function(t) return t.hello("world") == "Hello, world!" end,
    run = function(t, n)
      local f = t.hello
      for _ = 1, n do f("world") end
    end,
  },
  {
    name = "a buffer of 1 MiB", uses = "look", calls = 50000,
    check = function(t) return t.look(megabyte) == 1024 * 1024 + ("x"):byte() end,
    run = function(t, n)
      local f = t.look
      for _ = 1, n do f(megabyte) end
    end,
  },
  {
    name = "a table of 100 numbers", uses = "sum", calls = 2000,
    check = function(t) return t.sum(items) == 5100 end,
    run = function(t, n)
      local f = t.sum
      for _ = 1, n do f(items) end
    end,
  },
  {
    name = "an object", uses = "get", calls = 50000,
    check = function(t) return t.get(t.counter(7)) == 7 end,
    run = function(t, n)
      local f, object = t.get, t.counter(7)
      for _ = 1, n do f(object) end
    end,
  },
  {
    name = "an object's method", uses = "methods", calls = 50000,
    check = function(t) return t.counter(7):get() == 7 end,
    run = function(t, n)
      local object = t.counter(7)
      for _ = 1, n do object:get() end
    end,
  },
  {
    name = "a call back into Lua", uses = "apply", calls = 20000,
    check = function(t) return t.apply(successor, 1) == 2 end,
    run = function(t, n)
      local f = t.apply
      for i = 1, n do f(successor, i) end
    end,
  },
  {
    name = "an error, caught", uses = "fail", calls = 2000,
    check = function(t)
      local ok, message = pcall(t.fail)
      return not ok and tostring(message):find "%f[%w]no%f[%W]"
    end,
    run = function(t, n)
      local f = t.fail
      for _ = 1, n do pcall(f) end
    end,
  },
}
