-- The command `cygnixy`, run as LuaRocks has installed it: what is about plugin files.

local support = require("support")

local command, output, complaint = support.command, support.command_output, support.command_complaint

local other_abi = support.abi == "lua54" and "lua53" or "lua54"

describe("cygnixy", function()
  it("lists its commands, each of which has its own help", function()
    local help = output({ "--help" })
    for _, name in ipairs({ "new", "run", "check", "inspect", "list", "stubs", "doctor" }) do
      support.has(help, "\n  " .. name .. " ")
      local text = output({ name, "--help" })
      support.has(text, "usage: cygnixy " .. name)
      assert.equal(text, output({ name, "-h" }))
    end
  end)

  it("tells its version and which plugins it takes", function()
    local cygnixy = require("cygnixy")
    support.has(output({ "--version" }), cygnixy._VERSION, support.abi)
  end)

  it("says what is wrong with its usage, with status 2", function()
    support.has(complaint(2, {}), "a command is missing", "usage: cygnixy")
    support.has(complaint(2, { "frobnicate" }), "unknown command 'frobnicate'")
    support.has(complaint(2, { "../command" }), "unknown command")
    support.has(complaint(2, { "list", "x" }), "unexpected argument 'x'", "usage: cygnixy list\n")
    support.has(complaint(2, { "check", "--fast", "x" }), "unknown option '--fast'")
    support.has(complaint(2, { "run", "--watch=1", "x" }), "takes no value")
    support.has(complaint(2, { "stubs", "x", "--output" }), "option '--output' needs a value, STUBS")
    for _, name in ipairs({ "check", "inspect", "stubs", "run", "new" }) do
      support.has(complaint(2, { name }), "expected ", "usage: cygnixy " .. name)
    end
  end)
end)

describe("what a command writes", function()
  local greet = support.quote(support.plugin("greet"))

  it("is missed if it does not arrive, with status 1", function()
    for _, arguments in ipairs({
      "--help", "--version", "list --help", "list", "check " .. greet, "inspect " .. greet, "stubs " .. greet, "doctor",
      "new hello",
    }) do
      local _, stderr, status = support.command_in_shell("cygnixy " .. arguments .. " >/dev/full", {
        env = { CYGNIXY_PATH = support.plugin("?") },
      })
      assert.equal("1 cygnixy: cannot write to standard output: No space left on device\n", status .. " " .. stderr)
    end
  end)

  it("does not hide what else went wrong", function()
    local script = "cygnixy check /nowhere >/dev/full; echo $? >&2; cygnixy >/dev/full"
    local _, stderr, status = support.command_in_shell(script)
    assert.equal(2, status)
    support.has(stderr, "cannot write to standard output", "\n1\n", "a command is missing")
  end)

  it("may be more than is read", function()
    local script = "trap '' PIPE; { sleep 0.3; cygnixy --help; echo $? >&2; } | true; cygnixy --help | head -n 1"
    local stdout, stderr = support.command_in_shell(script)
    assert.equal("usage: cygnixy COMMAND [ARGUMENTS]\n", stdout)
    assert.equal("1\n", stderr)
  end)

  it("is a script's own if it runs one", function()
    local path = support.new_file("script.lua", "print(1)\nio.stdout:close()")
    assert.equal("1\n", output({ "run", path }))
  end)
end)

describe("cygnixy inspect", function()
  it("shows what a file says of itself", function()
    local text = output({ "inspect", support.plugin_of(other_abi, "greet") })
    assert.truthy(text:find("\nabi: +" .. other_abi .. "\n"))
    assert.truthy(text:find("^name: +greet\nversion: +0.1.0\n"))
  end)

  it("fails for what is no plugin", function()
    local path = support.new_file("text.so", "hello")
    support.has(complaint(1, { "inspect", path }), path, "expected a shared library")
  end)
end)

describe("cygnixy check", function()
  it("succeeds if all files fit, and runs none", function()
    local journal = support.new_path("journal")
    local text = output(
      { "check", support.plugin("greet"), support.fixture("journal") },
      { env = { CYGNIXY_TEST_JOURNAL = journal } }
    )
    support.has(text, support.plugin("greet") .. ": fits " .. support.abi .. "\n", support.fixture("journal"))
    assert.is_false(support.exists(journal))
  end)

  it("fails with the reason if one does not", function()
    local wrong = support.plugin_of(other_abi, "greet")
    local stdout, stderr, status = command({ "check", support.plugin("greet"), wrong, "nowhere" })
    assert.equal(1, status)
    assert.equal("", stderr)
    support.has(stdout, support.plugin("greet") .. ": fits", "Lua ABI: expected")
    support.has(stdout, "nowhere: cannot load", "cannot be read")
  end)
end)

describe("cygnixy list", function()
  it("shows the plugins of the path, and which fit", function()
    local path = support.plugin_of(other_abi, "greet"):gsub("greet", "?") .. ";" .. support.plugin("?")
    local text = output({ "list" }, { env = { CYGNIXY_PATH = path } })
    assert.truthy(text:find("greet +0.1.0 +" .. other_abi .. " +does not fit +"))
    assert.truthy(text:find("logscan +0.1.0 +" .. support.abi .. " +hidden +"))
    support.has(text, "'logscan' leads to ", "Lua ABI: expected")
  end)

  it("says where it has looked if there are none", function()
    local stdout, stderr, status = command({ "list" }, { env = { CYGNIXY_PATH = "/nowhere/?.so;elsewhere/?.so" } })
    assert.equal(0, status)
    assert.equal("", stdout)
    support.has(stderr, "no plugins", "/nowhere/?.so", "elsewhere/?.so")
    stderr = select(2, command({ "list" }, { env = { CYGNIXY_PATH = "/no\27where/?.so" } }))
    support.has(stderr, [[/no\x1bwhere/?.so]])
  end)
end)

describe("what a file says of itself", function()
  it("cannot change the terminal, or look like more lines", function()
    local bad = "The\27[31m\nabi:    \194\155"
    local content = support.patch(support.read(support.plugin("greet")), "The smallest useful", bad)
    local path = support.new_file("greet.so", content)
    local shown = output({ "inspect", path })
    support.has(shown, [[description: The\x1b[31m\x0aabi:    \x9b plugin]])
    local odd = support.new_file("odd\27\n.so", "no library")
    local stdout, _, status = command({ "check", odd })
    assert.equal(1, status)
    support.has(stdout, "odd\\x1b\n.so': expected a shared library")
    support.has(output({ "list" }, { env = { CYGNIXY_PATH = odd:gsub("odd", "?") } }), "odd  -  ", [[\x1b\x0a.so]])
    for _, text in ipairs({ shown, stdout }) do assert.is_nil(text:find("\27", 1, true)) end
  end)
end)

describe("cygnixy stubs", function()
  local function stubs()
    return output({ "stubs", support.fixture("documented") })
  end

  it("writes what Lua can read", function()
    local path = support.new_file("stubs.lua", stubs())
    local names = {}
    for name in pairs(dofile(path)) do
      names[#names + 1] = name
    end
    table.sort(names)
    assert.same({ "add", "both", "counter", "first", "get", "join", "named", "noop", "plain", "typed" }, names)
  end)

  it("annotates functions with types, names and documentation", function()
    support.has(
      stubs(),
      "---@meta\n",
      "---@class documented\n",
      "\n---Adds two numbers.\n---\n---In floating point.\n---@param a number\n---@param b number\n"
        .. "---@return number\nfunction documented.add(a, b) end\n",
      "---@param text string\n---@param end_? integer\n---@return string?\nfunction documented.first(text, end_) end\n",
      "---@param separator string\n---@param ... string\n---@return string\n"
        .. "function documented.join(separator, ...) end\n",
      "---@return integer\n---@return integer\nfunction documented.both(arg1, arg2) end\n",
      "\n\nfunction documented.noop() end\n"
    )
  end)

  it("writes nothing that Lua would run, whatever the plugin says of itself", function()
    local annotations = require("cygnixy.command.annotations")
    local breaks = { "\n", "\r", "\r\n", "\n\r" }
    for _, line in ipairs(breaks) do
      local bad = line .. "error('it runs')" .. line .. "--"
      local text = annotations.of({
        name = "odd" .. bad, version = bad, functions = { "plain", "]]" .. bad },
        signatures = { plain = "(a: x" .. bad .. ") -> y" .. bad, ["]]" .. bad] = "(x" .. bad .. ")" },
        docs = { plain = "]] -- \"" .. bad },
      })
      local read = assert((loadstring or load)(text, "=stubs"))
      assert.equal("function", type(read().plain))
    end
  end)

  -- The annotations of a plugin with a function, by its name, signature and documentation.
  local function annotated(name, signature, doc)
    return require("cygnixy.command.annotations").of({
      name = "p", version = "1", functions = { name }, signatures = { [name] = signature }, docs = { [name] = doc },
    })
  end

  it("takes quoted text in a type for itself", function()
    local text = annotated("f", [[(mode: 'fast'|"slow"|'say "a b"', b: Box) -> 'it'|Box]])
    support.has(text, [[---@param mode 'fast'|"slow"|'say "a b"'
---@param b p.Box
---@return 'it'|p.Box
]])
    assert.equal(2, select(2, text:gsub("%-%-%-@class ", "")))
  end)

  it("documents functions that are no names, too", function()
    support.has(annotated("end", "(n: integer)", "Ends it.\n\nFor good."), [[
---@class p
---Ends it.
---
---For good.
---@field ["end"] fun(n: integer)
]])
  end)

  it("makes no tags of documentation", function()
    for _, name in ipairs({ "f", "end" }) do
      local text = annotated(name, "()", "@deprecated\n @see x@y\nmail@there")
      support.has(text, "---\\@deprecated\n--- \\@see x@y\n---mail@there\n")
    end
  end)

  it("makes a class of each type of the plugin", function()
    support.has(
      stubs(),
      "---@class documented.Counter\n",
      "---@return documented.Counter\nfunction documented.counter(arg1) end\n",
      "---@param arg1 documented.Counter\n",
      "---@return fun(word: string): documented.Counter\n",
      "---@return table<string, integer>\n"
    )
  end)

  it("accepts everything where nothing is known", function()
    support.has(
      stubs(),
      "---@param ... any\n---@return any ...\nfunction documented.plain(...) end\n",
      "---@param text any\n---@return any ...\nfunction documented.named(text) end\n",
      '---@field ["end"] fun(arg1: integer): integer\n',
      '---@field ["odd name"] fun(arg1: integer): integer\n'
    )
  end)

  it("writes to a file", function()
    local path = support.new_path("documented.lua")
    assert.equal("", output({ "stubs", support.fixture("documented"), "--output", path }))
    assert.equal(stubs(), support.read(path))
  end)

  it("fails for a plugin that cannot be loaded, and for a file that cannot be written", function()
    support.has(complaint(1, { "stubs", support.fixture("load_fails") }), "load_fails")
    support.has(complaint(1, { "stubs", "--output=/nowhere/x.lua", support.plugin("greet") }), "cannot write")
    local full = { "stubs", "--output=/dev/full", support.plugin("greet") }
    support.has(complaint(1, full), "cannot write: /dev/full: No space left on device")
  end)
end)
