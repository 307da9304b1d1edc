-- Sealed states. A seal is for good, so that each case is an interpreter of its own.

local support = require("support")

-- Runs a script in which `sealed(f, ...)` checks that the seal is what makes a call fail.
local function run(script, ...)
  return support.output([[
    local plugins, fixtures = ...
    local cygnixy = require("cygnixy")
    local greet, twin_a, twin_b = plugins .. "/greet.so", fixtures .. "/twin_a.so", fixtures .. "/twin_b.so"
    local function sealed(f, ...)
      local ok, message = pcall(f, ...)
      assert(not ok, "it is not sealed")
      local expected = "the Lua state or the manager is sealed, so that no further plugin is loaded"
      assert(message:find(expected, 1, true), message)
      assert(not message:find("stack traceback", 1, true))
    end
    local function open(file)
      return assert(package.loadlib(file, "luaopen_cygnixy"))()
    end
  ]] .. script, {
    args = { support.module_file(), support.copy(support.module_file(), "other.so"), ... },
    env = { CYGNIXY_PATH = support.plugin("?") },
  })
end

describe("a sealed state", function()
  it("loads nothing, by path, by name or with options", function()
    run([[
      cygnixy.seal()
      sealed(cygnixy.load, greet)
      sealed(cygnixy.load, "greet")
      sealed(cygnixy.load, greet, { trusted = true })
      sealed(function() error(select(2, cygnixy.check(greet)), 0) end)
      sealed(function() error(cygnixy.available()[1].problem, 0) end)
      assert(#cygnixy.list() == 0)
      cygnixy.seal()
      sealed(cygnixy.load, twin_a)
    ]])
  end)

  it("says which file was refused", function()
    support.has(run([[
      cygnixy.seal()
      io.write(select(2, pcall(cygnixy.load, greet)))
    ]]), "cannot load plugin 'greet' (" .. support.plugin("greet") .. "): ", "; no code of it was run")
  end)

  it("goes on with what is loaded, and unloads it", function()
    assert.equal("Hello, you!\nunmapped\n", run([[
      local plugin = cygnixy.load(greet)
      cygnixy.seal()
      print(plugin.hello("you"))
      assert(cygnixy.load(greet) == plugin and cygnixy.load("greet") == plugin and cygnixy.get("greet") == plugin)
      local report = cygnixy.unload(plugin)
      print(report.unmapped and "unmapped" or report.text)
      sealed(cygnixy.load, greet)
    ]]))
  end)

  it("reloads nothing", function()
    local path = support.copy(support.version("1"), "version.so")
    run([[
      local path = select(5, ...)
      local plugin = cygnixy.load(path)
      cygnixy.watch(plugin, { quiet = 0 })
      assert(#cygnixy.poll() == 0)
      cygnixy.seal()
      sealed(cygnixy.reload, plugin)
      local input, output = assert(io.open(fixtures .. "/version_2.so", "rb")), assert(io.open(path .. ".new", "wb"))
      output:write(input:read("*a"))
      input:close()
      output:close()
      assert(os.rename(path .. ".new", path))
      local results
      repeat results = cygnixy.poll() until #results > 0
      assert(not results[1].ok and results[1].error:find("is sealed", 1, true))
      assert(cygnixy.get("version") == plugin)
    ]], path)
  end)

  it("finds nothing for require", function()
    run([[
      require("cygnixy.searcher")
      cygnixy.seal()
      sealed(require, "greet")
    ]])
  end)

  it("stays sealed when the module is required again, or its table changed", function()
    run([[
      local load = cygnixy.load
      cygnixy.seal()
      for key in pairs(cygnixy) do
        if key ~= "load" and key ~= "path" and key ~= "trusted" then cygnixy[key] = nil end
      end
      sealed(load, greet)
      package.loaded.cygnixy = nil
      sealed(require("cygnixy").load, greet)
    ]])
  end)

  it("stays sealed for another copy of the module", function()
    run([[
      cygnixy.seal()
      local other = open((select(4, ...)))
      assert(other == cygnixy)
      sealed(other.load, greet)
    ]])
  end)

  it("stays sealed if the mark's finaliser is called by means of the debug library", function()
    run([[
      cygnixy.seal()
      local mark = debug.getregistry()["cygnixy.seal"]
      local finalise = debug.getmetatable(mark).__gc
      finalise(mark)
      sealed(cygnixy.load, greet)
      -- In Lua 5.1 the body of a coroutine is a function in Lua.
      pcall(function() coroutine.wrap(finalise)(mark) end)
      sealed(cygnixy.load, greet)
      finalise()
      -- As the finaliser of something else.
      if newproxy then
        getmetatable(newproxy(true)).__gc = finalise
      else
        setmetatable({}, { __gc = finalise })
      end
      collectgarbage()
      collectgarbage()
      sealed(cygnixy.load, greet)
    ]])
  end)

  it("stays sealed if the registry is cleared by the debug library", function()
    run([[
      local plugin = cygnixy.load(twin_a)
      cygnixy.seal()
      local registry = debug.getregistry()
      local function clear()
        for key in pairs(registry) do
          if type(key) == "string" and key:find("^cygnixy%.[ms]e?[oa]") then registry[key] = nil end
        end
      end
      clear()
      assert(registry["cygnixy.seal"] == nil and registry["cygnixy.module"] == nil)
      collectgarbage()
      sealed(cygnixy.load, greet)
      clear()
      local again = open((select(3, ...)))
      assert(again ~= cygnixy)
      sealed(again.load, greet)
      clear()
      collectgarbage()
      clear()
      local other = open((select(4, ...)))
      assert(other ~= cygnixy and other ~= again)
      sealed(other.load, greet)
      assert(plugin.which() == "a")
      -- The mark comes back.
      collectgarbage()
      collectgarbage()
      assert(registry["cygnixy.seal"] ~= nil)
    ]])
  end)

  it("stays sealed for a copy of the module that cannot open the files that would tell it", function()
    run([[
      -- Kept, as Lua would close them.
      local files = {}
      local function exhaust()
        repeat
          local file = io.open("/dev/null")
          files[#files + 1] = file
        until not file
      end
      local function relax()
        for _, file in ipairs(files) do file:close() end
        files = {}
      end
      collectgarbage("stop")
      cygnixy.seal()
      local luaopen = assert(package.loadlib((select(4, ...)), "luaopen_cygnixy"))
      local registry = debug.getregistry()
      registry["cygnixy.module"], registry["cygnixy.seal"] = nil, nil
      exhaust()
      local ok, message = pcall(luaopen)
      relax()
      assert(not ok and tostring(message):find("cannot see whether the state is sealed", 1, true), message)
      sealed(luaopen().load, greet)
    ]])
  end)

  it("is sealed, and says so, if other copies cannot be told", function()
    run([[
      local files = {}
      repeat
        local file = io.open("/dev/null")
        files[#files + 1] = file
      until not file
      local ok, message = pcall(cygnixy.seal)
      assert(not ok and message:find("the state is sealed, but copies of the module", 1, true), message)
      for _, file in ipairs(files) do file:close() end
      sealed(cygnixy.load, greet)
      -- Once more, and now they are told.
      cygnixy.seal()
      local registry = debug.getregistry()
      registry["cygnixy.module"], registry["cygnixy.seal"] = nil, nil
      sealed(open((select(4, ...))).load, greet)
    ]])
  end)

  it("stays sealed if the mark's finaliser is called, in a coroutine too", function()
    run([[
      cygnixy.seal()
      local mark = debug.getregistry()["cygnixy.seal"]
      local finaliser = debug.getmetatable(mark).__gc
      finaliser(mark)
      coroutine.wrap(function() finaliser(mark) end)()
      if pcall(coroutine.create, print) then coroutine.wrap(finaliser)(mark) end
      debug.getregistry()["cygnixy.seal"] = nil
      finaliser(mark)
      sealed(cygnixy.load, greet)
    ]])
  end)

  it("ends as others do", function()
    for _, last in ipairs({ "", "os.exit(0)", _VERSION == "Lua 5.1" and "" or "os.exit(0, true)" }) do
      assert.equal("Hello, you!\n", run([[
        local plugin = cygnixy.load(greet)
        cygnixy.seal()
        print(plugin.hello("you"))
        io.stdout:flush()
      ]] .. last))
    end
  end)
end)
