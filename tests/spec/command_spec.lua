-- The command `cygnixy`, run as LuaRocks has installed it.

local support = require("support")

local command = support.command

-- What a command writes that has to succeed without a complaint.
local function output(arguments, options)
  local stdout, stderr, status = command(arguments, options)
  if status ~= 0 or stderr ~= "" then
    error(("exit status %s\nstdout: %s\nstderr: %s"):format(status, stdout, stderr), 2)
  end
  return stdout
end

-- What a command complains of that has to fail with a status.
local function complaint(expected, arguments, options)
  local stdout, stderr, status = command(arguments, options)
  if status ~= expected then
    error(("exit status %s\nstdout: %s\nstderr: %s"):format(status, stdout, stderr), 2)
  end
  return stderr
end

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

describe("cygnixy run", function()
  local function script(text)
    return support.new_file("script.lua", text)
  end

  it("runs a script with its arguments, in the interpreter of the rock", function()
    local path = script([[
      local cygnixy = require("cygnixy")
      assert(select("#", ...) == 3 and select(2, ...) == "--help")
      print(cygnixy.abi, arg[0], arg[1], arg[2], #arg[3], #arg, arg[-1] ~= nil)
    ]])
    assert.equal(
      ("%s\t%s\tone\t--help\t0\t3\ttrue\n"):format(support.abi, path),
      output({ "run", path, "one", "--help", "" })
    )
  end)

  it("runs what standard input has", function()
    local text = "print(arg[0], arg[1], ..., 'x')"
    local stdout, stderr, status = support.command_in_shell("echo " .. support.quote(text) .. " | cygnixy run - one")
    assert.equal("-\tone\tone\tx\n", stdout)
    assert.equal("0 ", status .. " " .. stderr)
  end)

  it("gives the script's status", function()
    assert.equal(0, (select(3, command({ "run", script("") }))))
    assert.equal(7, (select(3, command({ "run", script("os.exit(7)") }))))
    support.has(complaint(1, { "run", script("local x\nerror('it failed')") }), "script.lua:2: it failed", "traceback")
    support.has(complaint(1, { "run", script("error({})") }), "(error object is a table value)")
    support.has(complaint(1, { "run", script("error(42)") }), "42\nstack traceback:")
    local object = "error(setmetatable({}, { __tostring = function() return 'an object' end }))"
    assert.equal("cygnixy: an object\n", complaint(1, { "run", script(object) }))
    support.has(complaint(1, { "run", script("x =") }), "script.lua:1:")
    support.has(complaint(1, { "run", "/nowhere/script.lua" }), "/nowhere/script.lua")
  end)

  it("tells what failed whatever the script has done to the library", function()
    local path = script([[
      local fail = error
      debug, io, os, math, type, tostring, getmetatable, pcall, ipairs, rawget, error = nil
      fail("it failed")
    ]])
    for _, arguments in ipairs({ { "run", path }, { "run", "--watch", path } }) do
      support.has(complaint(1, arguments), "cygnixy: ", "script.lua:3: it failed", "stack traceback")
    end
  end)

  it("gives the status of a script that it watches", function()
    support.has(complaint(1, { "run", "--watch", script("error('it failed')") }), "script.lua:1: it failed")
    assert.equal(7, (select(3, command({ "run", "--watch", script("os.exit(7)") }))))
    assert.equal("1\n", output({ "run", "--watch", script("print(1)") }))
  end)

  it("ends plugins with the script, also if it fails", function()
    local journal = support.new_path("journal")
    local path = script("require('cygnixy').load((...))\nerror('it failed')")
    complaint(1, { "run", path, support.fixture("journal") }, { env = { CYGNIXY_TEST_JOURNAL = journal } })
    support.has(support.read(journal), "on_unload")
  end)

  -- Calls a function until the rebuilt file was tried, for half a minute at most.
  local waiting = [[
    local cygnixy = require("cygnixy")
    local poll, tried = cygnixy.poll, false
    function cygnixy.poll()
      local results = poll()
      tried = tried or results[1] ~= nil and not results[1].pending
      return results
    end
    local number = cygnixy.load((...)).number
    assert(number() == 1)
    local file = assert(io.open("begun", "w"))
    file:close()
    local begin = os.time()
    while not tried and os.time() - begin < 30 do number() %s end
    print(number())
  ]]

  local function watched(text, ...)
    local path = support.copy(support.version("1"), "version.so")
    local folder = path:match("^(.*)/")
    local replace = ("while [ ! -e %s/begun ]; do sleep 0.05; done; sleep 0.3; cp %s %s.new; mv %s.new %s"):format(
      folder, support.quote((...)), path, path, path
    )
    -- The builder ends by itself, when the script has begun.
    support.shell("sh -c " .. support.quote(replace) .. " >" .. folder .. "/builder 2>&1 &")
    return command({ "run", "--watch", script(text), path }, { cwd = folder })
  end

  it("reloads plugins that were rebuilt, while the script computes", function()
    local stdout, stderr, status = watched(waiting:format(""), support.version("2"))
    assert.equal("2\n", stdout)
    assert.equal("cygnixy: reloaded plugin 'version'\n", stderr)
    assert.equal(0, status)
  end)

  it("reloads plugins that were rebuilt, while the script mostly waits", function()
    local stdout, stderr = watched(waiting:format("os.execute('sleep 0.1')"), support.version("2"))
    assert.equal("2\n", stdout)
    assert.equal("cygnixy: reloaded plugin 'version'\n", stderr)
  end)

  it("says why one is not reloaded, and goes on", function()
    local stdout, stderr, status = watched(waiting:format(""), support.version("load_fails"))
    assert.equal("1\n", stdout)
    support.has(stderr, "cygnixy: plugin 'version' is not reloaded: ")
    assert.equal(0, status)
  end)
end)

describe("cygnixy doctor", function()
  it("shows what is where", function()
    local text = output({ "doctor" }, { env = { CYGNIXY_PATH = support.plugin("?") } })
    support.has(text, _VERSION, "ABI:     " .. support.abi, "CYGNIXY_PATH=", "cygnixy.so", "greet ", "fits")
  end)

  it("says so if the module cannot be loaded, with status 1", function()
    local folder = support.new_path(""):gsub("/$", "")
    local path = support.new_file("script.lua", [[
      package.preload.cygnixy = function() error("it is broken") end
      os.exit(require("cygnixy.command").main({ "doctor" }))
    ]])
    local stdout, _, status = command({ "run", path }, { cwd = folder })
    assert.equal(1, status)
    support.has(stdout, "cannot be loaded", "it is broken")
  end)

  -- The part of its output that begins with a line.
  local function section(text, name)
    return (text .. "\n"):match("\n" .. name .. ":\n(.-)\n\n")
  end

  it("shows the environment of this Lua, and what is trusted", function()
    local version = _VERSION:match("5%.[2-9]")
    local suffix = version and "_" .. version:gsub("%.", "_") or ""
    local text = output({ "doctor" }, { env = {
      CYGNIXY_TRUSTED = "/srv/a/**;/srv/b", XDG_DATA_HOME = "/data", XDG_DATA_DIRS = "/one:/two",
      ["LUA_INIT" .. suffix] = "--", ["LUA_PATH" .. suffix] = "/p/?.lua;;", ["LUA_CPATH" .. suffix] = "/c/?.so;;",
      LUA_PATH_5_1 = "none of this", LUA_PATH_5_9 = "nor of this",
    } })
    local environment = section(text, "environment")
    for name, value in pairs({
      CYGNIXY_TRUSTED = "/srv/a/**;/srv/b", XDG_DATA_HOME = "/data", XDG_DATA_DIRS = "/one:/two",
      ["LUA_INIT" .. suffix] = "--", ["LUA_PATH" .. suffix] = "/p/?.lua;;", ["LUA_CPATH" .. suffix] = "/c/?.so;;",
    }) do
      support.has(environment .. "\n", "  " .. name .. "=" .. value .. "\n")
    end
    assert.is_nil(environment:find("of this"))
    assert.equal("  /srv/a/**\n  /srv/b", section(text, "cygnixy.trusted"))
    text = output({ "doctor" }, { env = { CYGNIXY_TRUSTED = false } })
    assert.equal("  nothing", section(text, "cygnixy.trusted"))
  end)

  describe("about a folder", function()
    local listing = io.popen("id -u; id -un; id -gn")
    local user, user_name, group_name = listing:read("*l", "*l", "*l")
    listing:close()
    -- Without rustup, which makes a folder in whatever home it is told.
    local path = "/usr/bin:/bin"
    local outer, inner

    before_each(function()
      outer = support.new_path("outer")
      inner = outer .. "/inner"
      support.shell("mkdir -m 0755", outer, inner)
      support.shell("chmod 0755", (outer:match("^(.*)/")))
    end)

    -- What it says of one, and whether what is there can be loaded by name.
    local function said(folder)
      return section(output({ "doctor" }, { env = {
        CYGNIXY_PATH = folder .. "/?.so", CYGNIXY_TRUSTED = support.scratch, HOME = "/nowhere", PATH = path,
      } }), "its folders")
    end

    local function refused(place, found)
      return (", refused by name: expected '%s' to be writable by root and user %s alone, found %s"):format(
        place, user, found
      )
    end

    it("tells its mode, owner and group", function()
      assert.equal(("  %s: drwxr-xr-x %s %s"):format(inner, user_name, group_name), said(inner))
      support.shell("ln -s", inner, outer .. "/link")
      assert.equal(("  %s: drwxr-xr-x %s %s"):format(outer .. "/link", user_name, group_name), said(outer .. "/link"))
      assert.equal("  " .. inner .. "/none: is not there", said(inner .. "/none"))
    end)

    it("tells what keeps plugins there from being loaded by name", function()
      for mode, shown in pairs({ ["0775"] = "drwxrwxr-x", ["0757"] = "drwxr-xrwx", ["1777"] = "drwxrwxrwt" }) do
        support.shell("chmod " .. mode, inner)
        local reason = refused(inner, "mode " .. mode .. " and owner " .. user)
        assert.equal(("  %s: %s %s %s%s"):format(inner, shown, user_name, group_name, reason), said(inner))
      end
      support.shell("chmod 0755", inner)
      support.shell("ln -s", inner, (outer:match("^(.*)/")) .. "/link")
      support.shell("chmod 0775", outer)
      for _, folder in ipairs({ inner, (outer:match("^(.*)/")) .. "/link" }) do
        local reason = refused(outer, "mode 0775 and owner " .. user)
        assert.equal(("  %s: drwxr-xr-x %s %s%s"):format(folder, user_name, group_name, reason), said(folder))
      end
    end)

    if user == "0" then
      it("tells if it belongs to somebody else", function()
        for _, place in ipairs({ inner, outer }) do
          support.shell("chown 12345", place)
          support.has(said(inner), refused(place, "mode 0755 and owner 12345"))
          support.shell("chown 0", place)
        end
      end)
    end

    it("writes the home directory as ~, and no other", function()
      local function shown(home, folder)
        local env = { CYGNIXY_PATH = folder .. "/?.so;;", HOME = home, XDG_DATA_HOME = home .. "/data", PATH = path }
        return output({ "doctor" }, { env = env })
      end
      for _, home in ipairs({ outer, outer .. "/" }) do
        local text = shown(home, inner)
        support.has(text, "CYGNIXY_PATH=~/inner/?.so;;\n", "\n  ~/inner/?.so\n", "\n  ~/inner: drwx", "=~/")
        assert.is_nil(text:find(outer, 1, true))
      end
      for _, home in ipairs({ outer:sub(1, -2), "/inner", "/", "outer" }) do
        local text = shown(home, inner)
        support.has(text, "\n  " .. inner .. "/?.so\n")
        assert.is_nil(section(text, "its folders"):find(inner:gsub("%p", "%%%0") .. "~"))
      end
    end)

    it("writes the home directory as ~ if HOME does not tell", function()
      for _, home in ipairs({ false, "" }) do
        local text = output({ "doctor" }, { env = { HOME = home, XDG_DATA_HOME = false, PATH = path } })
        support.has(text, "\n  ~/.local/share/cygnixy/" .. support.abi .. "/?.so\n")
      end
    end)
  end)

  it("cannot change the terminal, or look like more lines", function()
    local text = output({ "doctor" }, { env = { CYGNIXY_PATH = "/a\27b\nABI: x/?.so", LUA_INIT = "--\27[31m\n" } })
    support.has(text, [[LUA_INIT=--\x1b[31m\x0a]], [[  /a\x1bb\x0aABI: x/?.so]], [[  /a\x1bb\x0aABI: x: is not there]])
    assert.is_nil(text:find("\27", 1, true))
  end)

  it("is quiet about what the shell does not find", function()
    local text = output({ "run", support.new_file("script.lua", [[
      os.exit(require("cygnixy.command").main({ "doctor" }))
    ]]) }, { env = { CYGNIXY_PATH = support.plugin("?"), CYGNIXY_TRUSTED = false, PATH = "/nowhere" } })
    support.has(text, "\nsystem:  unknown\n", "\nrustc:   not found\n")
    support.has(section(text, "its folders"), "/plugins: is there")
  end)
end)

describe("cygnixy new", function()
  local folder

  before_each(function()
    folder = support.new_path(""):gsub("/$", "")
  end)

  -- A folder that looks like a checkout.
  local function checkout()
    local manifest = support.new_path("Cargo.toml")
    local top = manifest:match("^(.*)/")
    support.shell("mkdir", top .. "/plugin_api")
    support.write(top .. "/plugin_api/Cargo.toml", '[package]\nname = "cygnixy-plugin-api"\n')
    return top
  end

  it("makes a crate, with what Lua can read", function()
    output({ "new", "my_plugin2" }, { cwd = folder })
    local crate = folder .. "/my_plugin2"
    support.has(
      support.read(crate .. "/Cargo.toml"),
      'name = "my_plugin2"',
      'cygnixy-plugin-api = "0.1"\n',
      ('default = ["%s"]'):format(support.abi)
    )
    support.has(support.read(crate .. "/src/lib.rs"), "export_plugin!(MyPlugin2);")
    support.has(support.read(crate .. "/.cargo/config.toml"), "dynamic_lookup")
    for _, file in ipairs({ "README.md", ".gitignore", "Makefile", "lua/my_plugin2.lua" }) do
      assert.is_nil(support.read(crate .. "/" .. file):find("@%l+@"))
    end
    assert(loadfile(crate .. "/spec/my_plugin2_spec.lua"))
    assert(loadfile(crate .. "/my_plugin2-scm-1.rockspec"))
    assert(loadfile(crate .. "/lua/my_plugin2.lua"))
  end)

  it("gives the type another name than what the source uses already", function()
    for name, expected in pairs({
      lua = "LuaPlugin", error = "ErrorPlugin", hash_map = "HashMapPlugin", result = "ResultPlugin",
      strings = "Strings", ok = "OkPlugin", vec = "VecPlugin", function_doc = "FunctionDocPlugin",
      lua_ = "LuaPlugin", luas = "Luas",
    }) do
      output({ "new", name }, { cwd = folder })
      local source = support.read(folder .. "/" .. name .. "/src/lib.rs")
      support.has(source, "\nstruct " .. expected .. ";\n", "\nimpl PluginLua for " .. expected .. " {\n",
        "\nexport_plugin!(" .. expected .. ");\n")
    end
  end)

  it("makes a spec that needs no name of busted for the plugin", function()
    for _, name in ipairs({ "it", "setup", "describe" }) do
      output({ "new", name }, { cwd = folder })
      local spec = support.read(folder .. "/" .. name .. "/spec/" .. name .. "_spec.lua")
      assert.is_nil(spec:find("local " .. name, 1, true))
      support.has(spec, 'describe("' .. name .. '", function()', "plugin.greet(")
    end
  end)

  it("depends on the API that is given, or that the environment names", function()
    local top = checkout()
    local expected = ('cygnixy-plugin-api = { path = "%s/plugin_api" }\n'):format(top)
    output({ "new", "--api", top, "one" }, { cwd = folder })
    output({ "new", "two", "--api=" .. top .. "/plugin_api" }, { cwd = folder })
    output({ "new", "three" }, { cwd = folder, env = { CYGNIXY_PLUGIN_API = top } })
    output({ "new", "--api", ".", "four" }, { cwd = top })
    output({ "new", "five" }, { cwd = folder, env = { CYGNIXY_PLUGIN_API = "" } })
    support.has(support.read(folder .. "/five/Cargo.toml"), 'cygnixy-plugin-api = "0.1"\n')
    for _, crate in ipairs({ folder .. "/one", folder .. "/two", folder .. "/three", top .. "/four" }) do
      support.has(support.read(crate .. "/Cargo.toml"), expected)
    end
  end)

  it("makes nothing where the API is not", function()
    support.has(complaint(1, { "new", "--api", "/nowhere", "one" }, { cwd = folder }), "--api: '/nowhere'")
    local options = { cwd = folder, env = { CYGNIXY_PLUGIN_API = "/nowhere" } }
    support.has(complaint(1, { "new", "one" }, options), "CYGNIXY_PLUGIN_API: '/nowhere'")
    assert.is_false(support.exists(folder .. "/one/Cargo.toml"))
  end)

  it("refuses names that are none, and what exists", function()
    for _, name in ipairs({ "Hello", "1st", "my-plugin", "a/b", "../x", "", "fn", "end", "mlua" }) do
      complaint(2, { "new", name }, { cwd = folder })
    end
    support.write(folder .. "/taken", "")
    support.has(complaint(1, { "new", "taken" }, { cwd = folder }), "'taken' exists already")
    assert.equal("", support.read(folder .. "/taken"))
    support.shell("mkdir", folder .. "/empty")
    support.has(complaint(1, { "new", "empty" }, { cwd = folder }), "'empty' exists already")
    support.shell("rmdir", folder .. "/empty")
  end)

  it("refuses names under which Lua has something else", function()
    for name in ([[string io os table math debug package coroutine utf8 bit bit32 jit ffi cygnixy]]):gmatch("%S+") do
      local text = complaint(2, { "new", name }, { cwd = folder })
      support.has(text, ("'%s' is a library: `require \"%s\"` would never find the plugin\n"):format(name, name))
      assert.is_false(support.exists(folder .. "/" .. name .. "/Cargo.toml"))
    end
  end)

  it("fails if the disk is full", function()
    local script = "trap '' XFSZ; ulimit -f 1; cygnixy new hello"
    local stdout, stderr, status = support.command_in_shell(script, { cwd = folder })
    assert.equal("1 ", status .. " " .. stdout)
    support.has(stderr, "cygnixy new: cannot write: hello/", "File too large")
  end)

  it("names everything that it makes", function()
    output({ "new", "hello" }, { cwd = folder })
    local help = output({ "new", "--help" })
    local listing = io.popen("cd " .. support.quote(folder) .. "/hello && find . -type f")
    for path in listing:lines() do
      local file = path:gsub("^%./", "")
      local name = file:match("%.rockspec$") and "rockspec" or file:match("^README") or file:match("^spec/")
        or file:match("^lua/") or file
      support.has(help, name)
    end
    listing:close()
  end)

  it("offers another Lua than this one", function()
    output({ "new", "hello" }, { cwd = folder })
    local other = support.abi == "luajit" and "lua5.4" or "luajit"
    support.has(support.read(folder .. "/hello/README.md"), "make test LUA=" .. other .. "     # for another Lua")
  end)
end)
