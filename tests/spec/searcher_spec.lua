-- `require` for plugins, in interpreters of their own: it changes `package`.

local support = require("support")

local plugins = support.plugin("greet"):match("^(.*)/")

-- Runs a script in which plugins are found in the given folder.
local function with_searcher(script, options)
  local env = { CYGNIXY_PATH = plugins .. "/?.so" }
  return support.output([[
    local cygnixy = require("cygnixy")
    require("cygnixy.searcher")
  ]] .. script, { env = options or env })
end

describe("require, after cygnixy.searcher,", function()
  it("finds a plugin", function()
    assert.equal("Hello, you!\ntrue\n", with_searcher([[
      local greet = require("greet")
      print(greet.hello("you"))
      print(greet == require("greet") and greet == package.loaded.greet and greet == cygnixy.get("greet"))
    ]]))
  end)

  it("is told the path, as by other searchers", function()
    local path = plugins .. "/greet.so"
    assert.equal(path .. "\n", with_searcher([[
      print(select(2, require("cygnixy.searcher")("greet")))
    ]]))
    assert.equal("true\n", with_searcher([[
      -- From 5.4 on, require passes it on.
      local _, path = require("greet")
      local minor = tonumber(_VERSION:match("5%.(%d)"))
      print(minor < 4 or path == "]] .. path .. [[")
    ]]))
  end)

  it("adds the places to the list of those that were tried", function()
    local message = with_searcher([[
      cygnixy.path = "/no/where/?.so;/else/lib?.so"
      io.write(select(2, pcall(require, "absent.one")))
    ]])
    local before = "module 'absent.one' not found:\n\tno field package.preload['absent.one']\n"
    assert.equal(1, (message:find(before, 1, true)))
    assert.equal("\n\tno file '/no/where/absent/one.so'\n\tno file '/else/libabsent/one.so'",
      message:sub(message:find("\n\tno file '/no/where", 1, true), -1))
    assert.is_nil(message:find("\n\n", 1, true))
    assert.is_nil(message:find("\t\n", 1, true))
  end)

  it("has nothing to add when the path is empty", function()
    support.has(with_searcher([[
      cygnixy.path = ""
      io.write(select(2, pcall(require, "absent")))
    ]]), "module 'absent' not found:")
  end)

  it("prefers modules to plugins", function()
    assert.equal("a module\n", with_searcher([[
      package.preload.greet = function() return "a module" end
      print((require("greet")))
    ]]))
  end)

  it("is as before when it is required a second time", function()
    assert.equal("1\ntrue\n", with_searcher([[
      local searchers = package.searchers or package.loaders
      local first, count = require("cygnixy.searcher"), #searchers
      package.loaded["cygnixy.searcher"] = nil
      print(require("cygnixy.searcher") == first and #searchers == count and 1)
      print(searchers[count] == first)
    ]]))
  end)

  it("passes on why a plugin cannot be loaded", function()
    local file = support.new_file("broken.so", "text")
    local folder = file:match("^(.*)/")
    support.has(with_searcher([[
      io.write(select(2, pcall(require, "broken")))
    ]], { CYGNIXY_PATH = folder .. "/?.so" }), file, "found a text file")
  end)

  it("finds one that was unloaded again, once package.loaded is clear", function()
    assert.equal("Hello, you!\n", with_searcher([[
      cygnixy.unload((require("greet")))
      package.loaded.greet = nil
      print(require("greet").hello("you"))
    ]]))
  end)
end)
