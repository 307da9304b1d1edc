-- `cygnixy new`; tests/new.sh builds what it makes.

local support = require("support")

local output, complaint = support.command_output, support.command_complaint

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
