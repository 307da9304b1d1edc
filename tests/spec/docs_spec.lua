-- What plugins say of their functions, and how `help` and `list` show it.

local support = require("support")
local cygnixy = require("cygnixy")

describe("documentation", function()
  local documented

  before_each(function()
    documented = cygnixy.load(support.fixture("documented"))
  end)

  after_each(function()
    support.unload_all(cygnixy)
  end)

  local function loaded()
    for _, plugin in ipairs(cygnixy.list()) do
      if plugin.name == "documented" then return plugin end
    end
  end

  it("gives names to the parameters of fast functions", function()
    local signatures = loaded().signatures
    assert.equal("(a: number, b: number) -> number", signatures.add)
    assert.equal("(text: string, end: integer?) -> string?", signatures.first)
    assert.equal("(separator: string, ...string) -> string", signatures.join)
    assert.equal("(Counter) -> integer", signatures.get)
  end)

  it("gives types to other functions", function()
    local signatures = loaded().signatures
    assert.equal(
      '(text: string, how: "words"|"letters"?) -> table<string, integer>, fun(word: string): Counter',
      signatures.typed
    )
    assert.equal("(text: any) -> ...any", signatures.named)
    assert.is_nil(signatures.plain)
  end)

  it("is listed by function, without those that do not exist", function()
    assert.same({ add = "Adds two numbers.\n\nIn floating point.", typed = "Counts words." }, loaded().docs)
  end)

  it("is shown by help, below its function", function()
    local help = cygnixy.help(documented)
    support.has(
      "\n" .. help,
      "\ndocumented.add(a: number, b: number) -> number\n    Adds two numbers.\n    \n    In floating point.\n"
        .. "documented.both(",
      "\ndocumented.plain(...)\n"
    )
    assert.is_nil(help:find("missing", 1, true))
  end)

  it("is shown by help for one function", function()
    assert.equal("documented.noop()", cygnixy.help("documented", "noop"))
    assert.equal(
      "documented.add(a: number, b: number) -> number\n    Adds two numbers.\n    \n    In floating point.",
      cygnixy.help(documented, "add")
    )
    assert.equal(
      "bad argument #2 to 'help' (plugin 'documented' has no function 'missing')",
      support.failure(cygnixy.help, documented, "missing")
    )
    assert.equal(
      "bad argument #2 to 'help' (string expected, got boolean)",
      support.failure(cygnixy.help, documented, false)
    )
  end)

  it("is that of the new version after a reload", function()
    local path = support.copy(support.fixture("documented"))
    cygnixy.unload(documented)
    documented = cygnixy.load(path)
    assert.equal("documented.noop()", cygnixy.help(documented, "noop"))
    cygnixy.reload(documented)
    assert.equal("(a: number, b: number) -> number", loaded().signatures.add)
  end)

  it("that panics makes the load fail", function()
    local message = support.failure(cygnixy.load, support.fixture("docs_panic"))
    support.has(message, "docs_panic", "no words")
    assert.is_nil(cygnixy.get("docs_panic"))
  end)
end)

describe("a plugin file", function()
  it("is checked without being loaded", function()
    assert.is_true(cygnixy.check(support.plugin("greet")))
    assert.is_true(cygnixy.check(support.fixture("load_fails")))
    assert.same({}, cygnixy.list())
  end)

  it("that does not fit is told with the reason", function()
    local other = support.abi == "lua54" and "lua53" or "lua54"
    local fits, reason = cygnixy.check(support.plugin_of(other, "greet"))
    assert.is_nil(fits)
    support.has(reason, "cannot load plugin 'greet'", "Lua ABI", other, "no code of it was run")
    -- It is what a load would say.
    assert.equal(reason, support.failure(cygnixy.load, support.plugin_of(other, "greet")))
  end)

  it("that is cut off, no plugin or missing is told with the reason", function()
    local whole = support.read(support.plugin("greet"))
    local cut = support.new_file("cut.so", whole:sub(1, math.floor(#whole / 2)))
    for path, what in pairs({
      [cut] = "truncated",
      [support.new_file("text.so", "hello")] = "expected a shared library",
      [support.scratch .. "/nowhere.so"] = "cannot be read",
    }) do
      local fits, reason = cygnixy.check(path)
      assert.is_nil(fits)
      support.is_message(reason)
      support.has(reason, path, what)
    end
  end)

  it("is refused without the function that the loader is going to call", function()
    local content = support.read(support.plugin("greet"))
    local path = support.new_file("greet.so", support.patch(content, "cygnixy_plugin_entry", "cygnixy_plugin_entrx"))
    local problem = 'expected an entry point of plugin API 1, found no function "cygnixy_plugin_entry"'
    local fits, reason = cygnixy.check(path)
    assert.is_nil(fits)
    support.has(reason, problem)
    support.has(support.failure(cygnixy.load, path), problem)
    assert.equal("greet", cygnixy.inspect(path).name)
  end)

  it("is checked by its bare name, too", function()
    local before = cygnixy.path
    cygnixy.path = support.plugin("?")
    local found = cygnixy.check("greet")
    local missing, reason = cygnixy.check("nobody")
    cygnixy.path = before
    assert.is_true(found)
    assert.is_nil(missing)
    support.has(reason, "plugin 'nobody' not found")
  end)

  it("is found by its name on the path", function()
    local folder = support.new_path("")
    support.write(folder .. "/lib_text.so", "hello")
    support.write(folder .. "/greet.so", support.read(support.plugin("greet")))
    local before = cygnixy.path
    cygnixy.path = folder .. "lib?.so;" .. folder .. "?.so;" .. support.plugin("?")
    local all = cygnixy.available()
    cygnixy.path = before

    local by_path = {}
    for _, one in ipairs(all) do
      by_path[one.path] = one
    end
    local text = assert(by_path[folder .. "lib_text.so"])
    assert.equal("_text", text.name)
    assert.is_nil(text.manifest)
    support.has(text.problem, "expected a shared library")
    local greet = assert(by_path[folder .. "greet.so"])
    assert.equal("greet", greet.name)
    assert.equal("0.1.0", greet.manifest.version)
    assert.is_nil(greet.problem)
    assert.is_nil(greet.hidden_by)
    local hidden = assert(by_path[support.plugin("greet")])
    assert.equal(folder .. "greet.so", hidden.hidden_by)
    assert.is_nil(by_path[support.plugin("logscan")].hidden_by)
  end)
end)
