-- What an attack on the loader found: each of these once crashed, hung or lied.

local support = require("support")
local cygnixy = require("cygnixy")

describe("an error whose own code misbehaves", function()
  support.with_witness(cygnixy)
  local hostile

  before_each(function()
    hostile = cygnixy.load(support.fixture("hostile"))
  end)

  it("is a message if it panics when asked for its text", function()
    support.has(support.failure(hostile.mute), "its error's text panicked", "no words")
  end)

  it("ends if it is its own cause", function()
    assert.equal("it is a circle", support.failure(hostile.circle))
  end)
end)

describe("a handle to a Lua value", function()
  it("may outlive the state", function()
    assert.equal("", support.output(support.prelude .. [[
      local hostile = cygnixy.load(fixtures .. "/hostile.so")
      hostile.hold(function() return greet end)
    ]]))
  end)
end)

describe("a file that is not what it seems", function()
  support.with_witness(cygnixy)

  it("is refused without being read if it is huge", function()
    local path = support.new_path("huge.so")
    support.shell("truncate -s 8T", path)
    support.has(support.failure(cygnixy.load, path), path, "expected a shared library", "8796093022208 bytes")
    support.shell("truncate -s 0", path)
  end)

  it("is no text file if it is all zeros", function()
    support.has(support.failure(cygnixy.load, support.new_file("zeros.so", ("\0"):rep(4096))),
      "expected a shared library, found a file of an unknown format")
  end)
end)

describe("an error deep in a recursion", function()
  support.with_witness(cygnixy)

  -- A walk through the whole stack for each error took minutes for these.
  it("does not take a walk through all of it", function()
    local misbehave = cygnixy.load(support.fixture("misbehave"))
    local function deep(n)
      if n > 0 then return 1 + deep(n - 1) end
      for _ = 1, 200 do
        local ok, err = pcall(misbehave.runtime, "deep")
        assert(not ok and err == "deep")
      end
      return 0
    end
    assert.equal(15000, deep(15000))
  end)
end)

describe("a finaliser that fails while a plugin is loaded and unloaded", function()
  -- Before Lua 5.4 such a finaliser fails in whatever runs the collector. In Lua 5.2 calling any C
  -- function may do so, `pcall` itself too, so a round that is broken off is followed by the next.
  it("may make that fail, but ends nothing and leaves no function behind", function()
    local stdout, stderr, status = support.run(support.finalised .. [[
      local plugins = ...
      local cygnixy = require("cygnixy")
      local path = plugins .. "/greet.so"
      local hello
      local function fail() error("finaliser fails") end
      local function trap() for _ = 1, 40 do finalised(fail) end end
      local function load() hello = cygnixy.load(path).hello end
      local function look(round)
        if cygnixy.get("greet") then print("greet is still loaded", round) end
        if hello and pcall(hello, "you") then print("hello lives on", round) end
      end
      local function calm() collectgarbage() collectgarbage() end
      local round = 0
      local function rounds() while round < 60 do
        round = round + 1
        pcall(trap)
        pcall(load)
        pcall(trap)
        pcall(cygnixy.unload, "greet")
        pcall(cygnixy.unload, "greet")
        for _ = 1, 200 do if pcall(calm) then break end end
        pcall(look, round)
        hello = nil
      end end
      pcall(function() repeat pcall(rounds) until round == 60 end)
    ]])
    -- A hook of the plugin that panics for it is reported on standard error too.
    assert.equal("", stdout)
    assert(status == 0, "exit status " .. tostring(status) .. ": " .. stderr)
  end)
end)

describe("a finaliser that calls a plugin", function()
  it("may come at any time in calls of the same plugin, and of the loader", function()
    assert.equal("done\n", support.output(support.prelude .. support.finalised .. [[
      local function work()
        assert(misbehave.thing("x"):label() == "x")
        assert(misbehave.call(function(a) return a end, 7) == 7)
        assert(misbehave.prove(7) == 7)
        assert(not pcall(misbehave.deny, 7))
      end
      for _ = 1, 2000 do
        finalised(work)
        work()
        assert(#cygnixy.list() == 2)
      end
      print("done")
    ]]))
  end)

  it("may come each time that the collector can go on", function()
    assert.equal("done\n", support.output(support.prelude .. support.finalised .. [[
      local json = cygnixy.load(plugins .. "/json.so")
      pcall(collectgarbage, "setpause", 0)
      pcall(collectgarbage, "setstepmul", 0)
      local left = 5000
      local function again()
        misbehave.thing("x")
        json.array()
        left = left - 1
        if left > 0 then finalised(again) end
      end
      finalised(again)
      for _ = 1, 300 do
        assert(misbehave.thing("y"):label() == "y")
        assert(json.encode(json.array()) == "[]")
      end
      print("done")
    ]]))
  end)
end)
