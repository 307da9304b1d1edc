local cygnixy = require "cygnixy"

-- The tests of cygnixy tell where the plugins are; elsewhere a bare name finds the installed one.
local folder = os.getenv "CYGNIXY_TEST_PLUGINS"
local file = folder and folder .. "/greet.so" or "greet"

describe("greet", function()
  local greet

  before_each(function() greet = cygnixy.load(file) end)
  after_each(function() cygnixy.unload(greet) end)

  it("greets by name", function()
    assert.equal("Hello, world!", greet.hello("world"))
    assert.equal("Hello, Zoë!", greet.hello("Zoë"))
  end)

  it("has nobody to greet", function()
    local ok, message = pcall(function() return greet.hello "" .. "" end)
    assert.is_false(ok)
    assert.truthy(message:find "greet_spec%.lua:%d+: there is nobody to greet$", message)
  end)
end)
