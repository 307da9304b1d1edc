-- The module's face: what each function returns when all goes well.

local support = require("support")
local cygnixy = require("cygnixy")

describe("the module", function()
  after_each(function()
    support.unload_all(cygnixy)
  end)

  it("says its version and the running interpreter's ABI", function()
    assert.equal("cygnixy 0.1.0", cygnixy._VERSION)
    assert.equal(support.abi, cygnixy.abi)
    assert.equal("string", type(cygnixy.path))
  end)

  it("is a table and sets no global", function()
    assert.equal("table", type(cygnixy))
    assert.is_nil(rawget(_G, "cygnixy"))
  end)

  it("loads a plugin and returns its functions", function()
    local greet = cygnixy.load(support.plugin("greet"))
    assert.equal("table", type(greet))
    assert.equal("Hello, world!", greet.hello("world"))
    assert.is_nil(rawget(_G, "greet"))
  end)

  it("returns the same table for the same file", function()
    local greet = cygnixy.load(support.plugin("greet"))
    assert.equal(greet, cygnixy.load(support.plugin("greet")))
    local detour = support.plugin("greet"):gsub("/plugins/", "/plugins/../plugins/./")
    assert.equal(greet, cygnixy.load(detour))
    assert.equal(1, #cygnixy.list())
  end)

  it("returns the same table through a symbolic link", function()
    local greet = cygnixy.load(support.plugin("greet"))
    local link = support.new_path("link.so")
    support.shell("ln -s", support.plugin("greet"), link)
    assert.equal(greet, cygnixy.load(link))
  end)

  it("returns the same table through a hard link", function()
    local original = support.copy(support.plugin("greet"))
    local greet = cygnixy.load(original)
    local link = support.new_path("link.so")
    support.shell("ln", original, link)
    assert.equal(greet, cygnixy.load(link))
    assert.equal(1, #cygnixy.list())
  end)

  it("loads by a path relative to the current directory", function()
    local directory = support.plugin("greet"):match("^(.*)/")
    local output = support.output(
      [[print(require("cygnixy").load("./greet.so").hello("you"))]],
      { cwd = directory }
    )
    assert.equal("Hello, you!\n", output)
  end)

  it("gets a loaded plugin by its name", function()
    local greet = cygnixy.load(support.plugin("greet"))
    assert.equal(greet, cygnixy.get("greet"))
    assert.is_nil(cygnixy.get("nobody"))
    cygnixy.unload("greet")
    assert.is_nil(cygnixy.get("greet"))
  end)

  it("lists what is loaded, in the order of loading", function()
    assert.same({}, cygnixy.list())
    cygnixy.load(support.fixture("misbehave"))
    cygnixy.load(support.plugin("greet"))
    local list = cygnixy.list()
    assert.equal(2, #list)
    assert.equal("misbehave", list[1].name)
    assert.same({
      name = "greet",
      version = "0.1.0",
      path = support.plugin("greet"),
      functions = { "hello" },
      signatures = { hello = "(name: string) -> string" },
      docs = { hello = "Greets somebody; an empty name is an error." },
    }, list[2])
  end)

  it("unloads by the table and by the name", function()
    assert.is_table(cygnixy.unload(cygnixy.load(support.plugin("greet"))))
    assert.same({}, cygnixy.list())
    cygnixy.load(support.plugin("greet"))
    assert.is_table(cygnixy.unload("greet"))
    assert.same({}, cygnixy.list())
  end)

  it("inspects a file without running or loading it", function()
    local manifest = cygnixy.inspect(support.fixture("constructor_panics"))
    assert.equal("cygnixy-test-fixtures", manifest.name)
    assert.equal("0.1.0", manifest.version)
    assert.equal("The cygnixy authors", manifest.authors)
    assert.equal("Plugins that only tests load: most of them misbehave", manifest.description)
    assert.equal(support.abi, manifest.abi)
    assert.equal(1, manifest.api_version)
    assert.truthy(manifest.mlua:find("^%d+%.%d+%.%d+$"))
    assert.truthy(manifest.rustc:find("^rustc %d"))
    assert.truthy(manifest.target:find("%-"))
    assert.same({}, cygnixy.list())
  end)

  it("runs no code of a file that it inspects", function()
    local journal = support.new_path("journal")
    local output = support.output(
      [[print(require("cygnixy").inspect((select(2, ...)) .. "/journal.so").version)]],
      { env = { CYGNIXY_TEST_JOURNAL = journal } }
    )
    assert.equal("0.1.0\n", output)
    assert.is_false(support.exists(journal))
  end)

  it("is the same module at a second require", function()
    local greet = cygnixy.load(support.plugin("greet"))
    local before = package.loaded.cygnixy
    package.loaded.cygnixy = nil
    local again = require("cygnixy")
    package.loaded.cygnixy = before
    assert.equal(cygnixy, again)
    assert.equal(greet, again.get("greet"))
  end)

  it("takes a plugin of every shape that the export macro takes", function()
    assert.equal("pong", cygnixy.load(support.fixture("forbidding")).ping())
    assert.same({ "new", "name", "on_load", "get_lua_functions" }, cygnixy.load(support.fixture("journal")).events())
    local limited = cygnixy.load(support.fixture("limited"))
    assert.same({ 1, 2, 3 }, { limited.take(), limited.take(), limited.take() })
    assert.equal("only 3 are left", support.failure(limited.take))
  end)

  it("makes a fresh object when a plugin is loaded again", function()
    local limited = cygnixy.load(support.fixture("limited"))
    limited.take()
    assert.equal(2, limited.take())
    cygnixy.unload(limited)
    local again = cygnixy.load(support.fixture("limited"))
    assert.are_not.equal(limited, again)
    assert.equal(1, again.take())
  end)

  it("runs each hook once for each load", function()
    local journal = cygnixy.load(support.fixture("journal_second"))
    journal.note("use")
    -- The list of events is in the library, which is not unmapped while one of its functions is held.
    local held = journal.note
    cygnixy.load(support.fixture("journal_second"))
    cygnixy.unload(journal)
    assert.same({
      "new", "name", "on_load", "get_lua_functions", "use", "on_unload", "drop",
      "new", "name", "on_load", "get_lua_functions",
    }, cygnixy.load(support.fixture("journal_second")).events())
    assert.equal("plugin 'journal_second' has been unloaded", support.failure(held, "late"))
  end)

  it("sees a rebuilt file at the same path after an unload", function()
    local path = support.copy(support.fixture("twin_a"))
    local twin = cygnixy.load(path)
    assert.equal("a", twin.which())
    cygnixy.unload(twin)
    support.replace(path, support.fixture("twin_b"))
    local rebuilt = cygnixy.load(path)
    assert.equal("b", rebuilt.which())
    assert.equal("plugin 'twin' has been unloaded", support.failure(twin.which))
    cygnixy.unload(rebuilt)
    support.replace(path, support.fixture("twin_a"))
    assert.equal("a", cygnixy.load(path).which())
  end)

  it("goes on with the loaded plugin when its file is rebuilt or removed", function()
    local path = support.copy(support.fixture("twin_a"))
    local twin = cygnixy.load(path)
    support.replace(path, support.fixture("twin_b"))
    assert.equal(twin, cygnixy.load(path))
    assert.equal("a", twin.which())
    os.remove(path)
    collectgarbage()
    assert.equal("a", twin.which())
    assert.is_table(cygnixy.unload("twin"))
  end)

  it("loads many copies of one file's content, one after another", function()
    for _ = 1, 20 do
      local twin = cygnixy.load(support.copy(support.fixture("twin_a")))
      assert.equal("a", twin.which())
      cygnixy.unload(twin)
    end
    collectgarbage()
  end)

  it("takes functions that mlua did not make as callbacks", function()
    local plugin = cygnixy.load(support.fixture("non_callbacks"))
    assert.same({ 2, 1 }, { plugin.swap(1, 2) })
    assert.equal("12", plugin.text(12))
    assert.equal("Hello, you", plugin.greet("you"))
    local original = tostring
    cygnixy.unload(plugin)
    assert.equal("12", original(12))
    for _, name in ipairs({ "swap", "text", "greet" }) do
      assert.equal("plugin 'non_callbacks' has been unloaded", support.failure(plugin[name], 1, 2))
    end
  end)
end)

describe("a plugin that calls back while it is being loaded", function()
  local path = support.fixture("reenter")

  -- Loads the fixture, whose `get_lua_functions` calls `reenter`; returns that call's answer.
  local function answer(reenter)
    rawset(_G, "reenter", reenter)
    return cygnixy.load(path).answer()
  end

  local function message_of(f, ...)
    local ok, err = pcall(f, ...)
    return ok and "no error" or support.is_message(err)
  end

  after_each(function()
    support.unload_all(cygnixy)
  end)

  it("is told that it is being loaded", function()
    local text = answer(function()
      return message_of(cygnixy.load, path)
    end)
    support.has(text, "reenter.so", "get_lua_functions is still running")
  end)

  it("cannot unload itself", function()
    local text = answer(function()
      return message_of(cygnixy.unload, "reenter")
    end)
    support.has(text, "plugin 'reenter'", "reenter.so", "get_lua_functions is still running")
    assert.equal(1, #cygnixy.list())
  end)

  it("may load and unload others", function()
    local text = answer(function()
      local greet = cygnixy.load(support.plugin("greet"))
      local greeting = greet.hello("from inside")
      cygnixy.unload(greet)
      return greeting
    end)
    assert.equal("Hello, from inside!", text)
    assert.equal(1, #cygnixy.list())
  end)

  it("may list and inspect", function()
    local text = answer(function()
      return #cygnixy.list() .. " " .. cygnixy.inspect(path).version
    end)
    assert.equal("1 0.1.0", text)
  end)

  it("may fail", function()
    support.has(answer(function() error("no way") end), "error: ", "no way")
  end)
end)
