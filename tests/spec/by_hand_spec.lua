-- Fast functions that read their arguments and push their results by Lua's C API.

local support = require("support")
local cygnixy = require("cygnixy")

local function pack(...) return { n = select("#", ...), ... } end

describe("a fast function by hand", function()
  support.with_witness(cygnixy)
  local f

  before_each(function() f = cygnixy.load(support.fixture("by_hand")) end)
  after_each(function() if cygnixy.get("by_hand") then cygnixy.unload("by_hand") end end)

  for _, way in ipairs({ "", "_by_mlua" }) do
    it("reads tables" .. way, function()
      local entries = f["entries" .. way]
      assert.equal(0, entries({}))
      assert.equal(3, entries({ 1, 2, x = {} }))
      assert.equal(3, coroutine.wrap(function() return entries({ 1, 2, 3 }) end)())
      -- What else is passed is not in the way.
      assert.equal(1, entries({ 1 }, {}, nil))
      assert.equal("no argument", support.failure(entries))
      assert.equal("no table, but type 0", support.failure(entries, nil))
    end)

    it("makes room on the stack" .. way, function()
      local reserve = f["reserve" .. way]
      for _, count in ipairs({ 1, 10, 100, 3000 }) do assert.is_true((reserve({}, count))) end
      assert.is_false((reserve({}, 2000000)))
      assert.is_true((reserve({}, 3000)))
      assert.is_true(coroutine.wrap(function() return (reserve({}, 3000)) end)())
    end)

    it("pushes tables" .. way, function()
      local squares, several = f["squares" .. way], f["several" .. way]
      assert.same({ 1, 4, 9 }, squares(3))
      assert.same({}, squares(0))
      assert.equal(10000, #squares(10000))
      assert.same({ n = 4, "before", { 1 }, 1, "after" }, pack(several(1)))
      local many = pack(several(200))
      assert.equal(203, many.n)
      assert.equal(200, #many[2])
      assert.same({ "before", 1, 200, "after" }, { many[1], many[3], many[202], many[203] })
      support.has(support.failure(squares, -1), "fewer than none")
      support.has(support.failure(several, -1), "fewer than none")
    end)
  end

  it("leaves the stack as it was", function()
    assert.same({ n = 2, true, 2 }, pack(f.reserve({}, 3000)))
    assert.same({ n = 2, false, 2 }, pack(f.reserve({}, 2000000)))
  end)

  it("tells what was not passed from nil", function()
    assert.same({ n = 2, false, 0 }, pack(f.passed()))
    assert.same({ n = 2, true, 0 }, pack(f.passed(nil)))
    assert.same({ n = 2, true, 2 }, pack(f.passed(nil, nil, nil)))
  end)

  it("survives collections, hooks and finalisers between all of it", function()
    assert.equal("done\n", support.output(support.finalised .. [[
      local plugins, fixtures = ...
      local cygnixy = require("cygnixy")
      local f, json = cygnixy.load(fixtures .. "/by_hand.so"), cygnixy.load(plugins .. "/json.so")
      local deep = {}
      for _ = 1, 900 do deep = { deep } end
      local function work()
        assert(#f.squares(100) == 100 and f.entries({ 1, 2 }) == 2 and f.reserve({}, 500))
        assert(f.entries_by_mlua({ 1 }) == 1 and #f.squares_by_mlua(9) == 9)
      end
      debug.sethook(function() finalised(work) end, "", 50)
      pcall(collectgarbage, "setpause", 10)
      local expected = ("["):rep(900) .. "{}" .. ("]"):rep(900)
      for _ = 1, 200 do
        pcall(collectgarbage, "step", 1)
        work()
        assert(json.encode(deep) == expected)
        assert(json.decode(expected)[1][1])
      end
      debug.sethook()
      print("done")
    ]]))
  end)

  it("is gone without a trace", function()
    f.squares(10)
    local report = cygnixy.unload(f)
    assert.is_true(report.unmapped, report.text)
  end)
end)
