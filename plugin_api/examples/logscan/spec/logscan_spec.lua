local cygnixy = require "cygnixy"

-- The tests of cygnixy tell where the plugins are; elsewhere a bare name finds the installed one.
local folder = os.getenv "CYGNIXY_TEST_PLUGINS"
local file = folder and folder .. "/logscan.so" or "logscan"

describe("logscan", function()
  local logscan, path

  setup(function()
    path = os.tmpname()
    local log = assert(io.open(path, "w"))
    log:write 'ann "GET /a" 200\nbob "GET /b" 404\nann "GET /a" 404\n\nlast "GET /a" 200'
    log:close()
  end)
  teardown(function() os.remove(path) end)
  before_each(function() logscan = cygnixy.load(file) end)
  after_each(function() assert.is_true(cygnixy.unload(logscan).unmapped) end)

  it("counts what the first group has matched, or the whole pattern", function()
    local counts, lines = logscan.tally(path, [[" (\d{3})$]])
    assert.same({ ["200"] = 2, ["404"] = 2 }, counts)
    assert.equal(5, lines)
    assert.same({ ann = 2, bob = 1 }, (logscan.tally(path, "^(?:ann|bob)")))
    assert.same({}, (logscan.tally(path, "no such text")))
  end)

  it("calls a function with the groups of each match", function()
    local found = {}
    local lines = logscan.scan(path, [[^(?<who>\w+) "(GET) (?<page>\S+)"]], function(m) found[#found + 1] = m end)
    assert.equal(5, lines)
    assert.equal(4, #found)
    assert.same({ [0] = 'bob "GET /b"', "bob", "GET", "/b", who = "bob", page = "/b", line = 2 }, found[2])
  end)

  it("stops when the function says so, and raises its error", function()
    assert.equal(2, logscan.scan(path, "bob", function() return false end))
    local ok, message = pcall(logscan.scan, path, "bob", function() error("enough", 0) end)
    assert.is_false(ok)
    assert.truthy(tostring(message):find("enough", 1, true))
  end)

  it("says what is wrong with a pattern or a file", function()
    local ok, message = pcall(logscan.tally, path, "(unclosed")
    assert.is_false(ok)
    assert.truthy(message:find("unclosed group", 1, true), message)
    ok, message = pcall(logscan.tally, path .. ".missing", "x")
    assert.is_false(ok)
    assert.truthy(message:find(path .. ".missing", 1, true), message)
  end)
end)
