-- Bare names, looked up in `cygnixy.path`.

local support = require("support")
local cygnixy = require("cygnixy")

local plugins = support.plugin("greet"):match("^(.*)/")
local fixtures = support.fixture("twin_a"):match("^(.*)/")

describe("a bare name", function()
  local path = cygnixy.path

  after_each(function()
    cygnixy.path = path
    support.unload_all(cygnixy)
  end)

  it("is looked up in cygnixy.path", function()
    cygnixy.path = plugins .. "/?.so"
    local greet = cygnixy.load("greet")
    assert.equal("Hello, you!", greet.hello("you"))
    assert.equal(greet, cygnixy.load(support.plugin("greet")))
  end)

  it("is found in the first place that has it", function()
    local directory = support.new_path("libtwin.so"):match("^(.*)/")
    support.write(directory .. "/libtwin.so", support.read(support.fixture("twin_b")))
    cygnixy.path = "/no/such/?.so;" .. directory .. "/lib?.so;" .. fixtures .. "/?_a.so"
    assert.equal("b", cygnixy.load("twin").which())
    cygnixy.unload("twin")
    cygnixy.path = fixtures .. "/?_a.so;" .. directory .. "/lib?.so"
    assert.equal("a", cygnixy.load("twin").which())
  end)

  it("has its dots made directories", function()
    cygnixy.path = plugins:match("^(.*)/") .. "/?.so"
    assert.equal("Hello, you!", cygnixy.load("plugins.greet").hello("you"))
  end)

  it("does not have to be the plugin's name", function()
    cygnixy.path = fixtures .. "/?.so"
    cygnixy.load("twin_b")
    assert.equal("b", cygnixy.get("twin").which())
    assert.is_nil(cygnixy.get("twin_b"))
  end)

  it("that is not found lists every place tried", function()
    cygnixy.path = "/no/where/?.so;;/else/lib?.so;" .. plugins .. "/?/?.so"
    assert.equal(table.concat({
      "plugin 'greet' not found:",
      "no file '/no/where/greet.so'",
      "no file '/else/libgreet.so'",
      "no file '" .. plugins .. "/greet/greet.so'",
    }, "\n\t"), support.failure(cygnixy.load, "greet"))
  end)

  it("is not found when the path is empty", function()
    cygnixy.path = ""
    support.has(support.failure(cygnixy.load, "greet"), "plugin 'greet' not found")
  end)

  it("may be empty, long or odd, and is then not found", function()
    cygnixy.path = "/no/where/?.so"
    assert.equal("bad argument #1 to 'load' (the name is empty)", support.failure(cygnixy.load, ""))
    local long = ("x"):rep(300)
    support.has(support.failure(cygnixy.load, long), "plugin '" .. long .. "' not found", "/no/where/" .. long .. ".so")
    support.has(support.failure(cygnixy.load, "Grüße an alle"), "no file '/no/where/Grüße an alle.so'")
    support.has(support.failure(cygnixy.load, "%d%s?"), "plugin '%d%s?' not found", "no file '/no/where/%d%s?.so'")
    support.has(support.failure(cygnixy.load, "a\0b"), "plugin 'a\0b' not found")
    support.has(support.failure(cygnixy.load, "\255"), "not found")
  end)

  it("does not find a directory", function()
    cygnixy.path = support.scratch .. "/../?"
    support.has(support.failure(cygnixy.load, support.abi), "plugin '" .. support.abi .. "' not found")
  end)

  it("is told when the path is no string", function()
    for _, wrong in ipairs({ {}, 12, true }) do
      cygnixy.path = wrong
      assert.equal("'cygnixy.path' must be a string", support.failure(cygnixy.load, "greet"))
    end
    cygnixy.path = nil
    assert.equal("'cygnixy.path' must be a string", support.failure(cygnixy.load, "greet"))
    assert.equal("Hello, you!", cygnixy.load(support.plugin("greet")).hello("you"))
  end)

  it("reports a bad file that it finds", function()
    local file = support.new_file("broken.so", "text")
    cygnixy.path = file:match("^(.*)/") .. "/?.so;" .. plugins .. "/?.so"
    support.has(support.failure(cygnixy.load, "broken"), file, "expected a shared library, found a text file")
  end)
end)

describe("searchpath", function()
  local path = cygnixy.path

  after_each(function()
    cygnixy.path = path
  end)

  it("gives the file that load would load, without loading it", function()
    cygnixy.path = "/no/such/?.so;" .. plugins .. "/?.so"
    assert.equal(support.plugin("greet"), (cygnixy.searchpath("greet")))
    assert.equal(0, #cygnixy.list())
  end)

  it("gives nil and the places that were tried, a line each", function()
    cygnixy.path = "/no/where/?.so;/else/lib?.so"
    local found, tried = cygnixy.searchpath("a.b")
    assert.is_nil(found)
    assert.equal("no file '/no/where/a/b.so'\n\tno file '/else/liba/b.so'", tried)
    cygnixy.path = ""
    assert.same({ n = 2, nil, "" }, { n = 2, cygnixy.searchpath("greet") })
  end)

  it("takes another path", function()
    cygnixy.path = {}
    assert.equal(support.fixture("twin_a"), (cygnixy.searchpath("twin", fixtures .. "/?_a.so")))
    assert.is_nil((cygnixy.searchpath("twin", "")))
  end)

  it("takes strings alone", function()
    assert.equal("bad argument #1 to 'searchpath' (string expected, got no value)", support.failure(cygnixy.searchpath))
    assert.equal("bad argument #2 to 'searchpath' (string expected, got number)",
      support.failure(cygnixy.searchpath, "greet", 12))
    cygnixy.path = 12
    assert.equal("'cygnixy.path' must be a string", support.failure(cygnixy.searchpath, "greet"))
  end)
end)

describe("the default path", function()
  local script = "io.write(require('cygnixy').path)"
  local data = support.scratch .. "/data"

  local function path_with(variable)
    return support.output(script, { env = { XDG_DATA_HOME = data, CYGNIXY_PATH = variable } })
  end

  it("is in the user's data directory, by ABI", function()
    local template = data .. "/cygnixy/" .. support.abi .. "/?.so"
    assert.equal(1, (path_with(nil):find(template, 1, true)))
  end)

  it("has no folder of a home that is no absolute path", function()
    local path = support.output(script, { env = { HOME = "somewhere", XDG_DATA_HOME = false } })
    assert.is_nil(path:find("somewhere", 1, true), path)
  end)

  it("is replaced by CYGNIXY_PATH", function()
    assert.equal("/a/?.so;/b/?.so", path_with("/a/?.so;/b/?.so"))
  end)

  it("stands where CYGNIXY_PATH has two semicolons", function()
    local default = path_with(nil)
    assert.equal("/a/?.so;" .. default .. ";", path_with("/a/?.so;;"))
    assert.equal(";" .. default .. ";/b/?.so", path_with(";;/b/?.so"))
    assert.equal("/a/?.so;" .. default .. ";/b/?.so", path_with("/a/?.so;;/b/?.so"))
  end)

  it("finds plugins", function()
    local directory = data .. "/cygnixy/" .. support.abi
    support.shell("mkdir -p", directory)
    support.write(directory .. "/libtwin.so", support.read(support.fixture("twin_b")))
    local find = "io.write(require('cygnixy').load('twin').which())"
    assert.equal("b", support.output(find, { env = { XDG_DATA_HOME = data } }))
    assert.equal("a", support.output(find, {
      env = { XDG_DATA_HOME = data, CYGNIXY_PATH = fixtures .. "/?_a.so;;" },
    }))
  end)

  it("is not the current directory", function()
    local stdout, stderr, status = support.run("require('cygnixy').load('greet')", {
      cwd = plugins, env = { XDG_DATA_HOME = "/no/where" },
    })
    assert.equal("", stdout)
    assert.equal(1, status)
    support.has(stderr, "plugin 'greet' not found", "no file '/no/where/cygnixy/" .. support.abi .. "/greet.so'")
    assert.is_nil(stderr:find("no file './", 1, true))
    assert.is_nil(stderr:find("no file 'greet", 1, true))
  end)

  it("goes on to the system's data directories", function()
    local system = support.new_path("share")
    local path = support.output(script, {
      env = { XDG_DATA_HOME = data, XDG_DATA_DIRS = system .. ":relative:/other" },
    })
    local file = "/cygnixy/" .. support.abi .. "/?.so"
    local first = assert(path:find(system .. file, 1, true), path)
    local second = assert(path:find(";/other" .. file, 1, true), path)
    assert(path:find(data .. file, 1, true) < first and first < second, path)
    assert.is_nil(path:find("relative", 1, true))
    support.has(support.output(script, { env = { XDG_DATA_DIRS = "" } }),
      "/usr/local/share" .. file, "/usr/share" .. file)
  end)

  it("goes on to the tree that the module was installed in", function()
    local module = assert(support.module_file())
    local lib = assert(module:match("^(.*)/lua/[^/]*/cygnixy%.so$"), module)
    support.has(path_with(nil), ";" .. lib .. "/cygnixy/" .. support.abi .. "/?.so;")
    -- The same file elsewhere is in another tree, or in none.
    local copy = support.new_path("lib/lua/x/cygnixy.so")
    support.shell("mkdir -p", (copy:match("^(.*)/")))
    support.write(copy, support.read(module))
    local with_copy = ("package.cpath = %q "):format(copy) .. script
    support.has(support.output(with_copy), copy:match("^(.*)/lua/x/") .. "/cygnixy/" .. support.abi .. "/lib?.so")
    -- What rocks have put beside it comes after what is there for this Lua alone.
    local beside = copy:match("^(.*)/") .. "/cygnixy_plugins"
    support.has(support.output(with_copy), "/cygnixy/" .. (support.abi == "luajit" and "lua51" or support.abi)
      .. "/lib?.so;" .. beside .. "/?.so;" .. beside .. "/lib?.so;")
    support.shell("mkdir", beside)
    support.write(beside .. "/twin.so", support.read(support.fixture("twin_b")))
    local find = ("package.cpath = %q "):format(copy) .. "io.write(require('cygnixy').load('twin').which())"
    assert.equal("b", support.output(find, { env = { XDG_DATA_HOME = "/no/where" } }))
    local lone = support.copy(module, "cygnixy.so")
    assert.is_nil(support.output(("package.cpath = %q "):format(lone) .. script):find(lone:match("^(.*)/"), 1, true))
  end)

  it("makes one where there is no home", function()
    assert.equal("string", support.output("io.write(type(require('cygnixy').path))", {
      env = { HOME = "", XDG_DATA_HOME = "" },
    }))
  end)
end)
