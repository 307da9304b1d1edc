-- How a process and a Lua state end, with plugins loaded and finalisers waiting.

local support = require("support")

-- Runs a script after the prelude; it has to end well and print the given lines.
local function prints(expected, script, options)
  local output = support.output(support.prelude .. script, options)
  assert.equal(expected, output)
end

-- The lines that journals wrote in a run of a script.
local function journal(script)
  local path = support.new_path("journal")
  local stdout, stderr, status = support.run(support.prelude .. script, { env = { CYGNIXY_TEST_JOURNAL = path } })
  return support.exists(path) and support.read(path) or "", status, stdout .. stderr
end

describe("a finaliser at the end of a state", function()
  -- What was freed and is read is no pointer.
  local env = { MALLOC_PERTURB_ = "165" }

  it("may call what makes more than there was", function()
    prints("survived\n", support.finalised .. [[
      local json, fast = cygnixy.load(plugins .. "/json.so"), cygnixy.load(fixtures .. "/fast.so")
      local text = "[" .. ("[1,2],"):rep(19999) .. "[3]" .. "]"
      local function fill()
        local made = {}
        for i = 1, 20000 do made[i] = { i } end
        return 1
      end
      for _ = 1, 20 do finalised(fill) end
      -- Lua 5.1 itself does not survive it in the middle of a collection.
      collectgarbage()
      collectgarbage()
      -- The first of these calls may be the last that is possible.
      local function try(f, ...)
        local ok, message = pcall(f, ...)
        assert(ok or message:find("this function was called after it was collected", 1, true), message)
      end
      local function deep(f, levels)
        if levels == 0 then return f() end
        return (deep(f, levels - 1))
      end
      last = finalised(function()
        -- The running function is on the stack of another coroutine, or far below.
        coroutine.wrap(function()
          try(fast.apply, function() return coroutine.wrap(fill)() end, 1)
          try(misbehave.call, function() return coroutine.wrap(fill)() end)
        end)()
        try(fast.apply, function() return deep(fill, 300) end, 1)
        try(misbehave.call, function() return deep(fill, 300) end)
        for _ = 1, 20 do
          try(fast.apply, fill, 1)
          try(json.decode, text)
          try(misbehave.call, fill)
          try(function() for _ = 1, 100 do fast.join(",", misbehave.thing("x"):label()) end end)
        end
        print("survived")
      end)
    ]], { env = env })
  end)

  it("may call what was made while others ran", function()
    local said = support.output(support.finalised .. [[
      local iterator
      early = finalised(function() print(pcall(iterator)) end)
      local plugins = ...
      local pattern = require("cygnixy").load(plugins .. "/regexp.so").compile("a")
      late = finalised(function() iterator = pattern:gmatch("aa") end)
    ]], { env = env })
    support.has(said, "false\t", "this function was called after it was collected\n")
  end)
end)

describe("the end of a process", function()
  local load_two = [[
    local first = cygnixy.load(fixtures .. "/journal.so")
    local second = cygnixy.load(fixtures .. "/journal_second.so")
  ]]
  local loaded = table.concat({
    "journal new", "journal name", "journal on_load", "journal get_lua_functions",
    "journal_second new", "journal_second name", "journal_second on_load", "journal_second get_lua_functions", "",
  }, "\n")
  local ended = table.concat({
    "journal_second on_unload", "journal_second drop", "journal on_unload", "journal drop", "",
  }, "\n")

  it("unloads each plugin once, the last loaded first", function()
    local lines, status, output = journal(load_two)
    assert.equal("", output)
    assert.equal(0, status)
    assert.equal(loaded .. ended, lines)
  end)

  it("does so after an error too", function()
    local lines, status, output = journal(load_two .. "error('the script failed')")
    support.has(output, "the script failed")
    assert.equal(1, status)
    assert.equal(loaded .. ended, lines)
  end)

  it("does not unload again what was unloaded", function()
    local lines, status, output = journal(load_two .. "cygnixy.unload(first)")
    assert.equal("", output)
    assert.equal(0, status)
    assert.equal(loaded .. table.concat({
      "journal on_unload", "journal drop", "journal_second on_unload", "journal_second drop", "",
    }, "\n"), lines)
  end)

  it("does so when nothing refers to the module any more", function()
    local lines, status, output = journal(load_two .. [[
      first, second, cygnixy, greet, misbehave = nil
      package.loaded.cygnixy = nil
      collectgarbage() collectgarbage()
      collectgarbage()
    ]])
    assert.equal("", output)
    assert.equal(0, status)
    assert.equal(loaded .. ended, lines)
  end)

  it("by os.exit that does not close the state is silent and clean", function()
    local lines, status, output = journal(load_two .. "os.exit(3)")
    assert.equal("", output)
    assert.equal(3, status)
    assert.equal(loaded, lines)
  end)

  it("by os.exit that closes the state unloads", function()
    local lines, status, output = journal(load_two .. "os.exit(0, true)")
    assert.equal("", output)
    assert.equal(0, status)
    if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
      -- Lua 5.1 has no such argument.
      assert.equal(loaded, lines)
    else
      assert.equal(loaded .. ended, lines)
    end
  end)

  it("from inside a call into a plugin is clean", function()
    local _, status, output = journal(load_two .. "misbehave.call(function() os.exit(4) end)")
    assert.equal("", output)
    assert.equal(4, status)
  end)

  it("from inside a call into a plugin that closes the state is clean", function()
    local _, status, output = journal(load_two .. "misbehave.call(function() os.exit(4, true) end)")
    assert.equal("", output)
    assert.equal(4, status)
  end)

  it("is clean with a plugin's values everywhere", function()
    prints("", [[
      things = {}
      for i = 1, 100 do things[i] = misbehave.thing("thing " .. i) end
      registry = debug.getregistry()
      registry.kept = { misbehave.counter(1), misbehave.thing("kept") }
      suspended = coroutine.wrap(function() local t = misbehave.thing("suspended") coroutine.yield(t) end)
      suspended()
      cycle = setmetatable({}, { __index = misbehave.add, __gc = misbehave.add })
      cycle.cycle = cycle
      cygnixy.unload(greet)
    ]])
  end)

  it("is clean when plugins fail to unload", function()
    local _, stderr, status = support.run(support.prelude .. [[
      for _, name in ipairs({ "unload_fails", "unload_panics", "drop_panics" }) do
        cygnixy.load(fixtures .. "/" .. name .. ".so")
      end
    ]])
    assert.equal(0, status, stderr)
  end)

  it("is clean when plugins failed to load", function()
    prints("", [[
      for _, name in ipairs({ "constructor_panics", "name_panics", "load_fails", "load_panics", "functions_panic" }) do
        assert(not pcall(cygnixy.load, fixtures .. "/" .. name .. ".so"))
      end
    ]])
  end)
end)

describe("a failed load", function()
  it("runs on_unload at once if on_load had succeeded", function()
    local lines, status, output = journal([[
      assert(not pcall(cygnixy.load, fixtures .. "/functions_panic.so"))
      assert(cygnixy.get("functions_panic") == nil)
      os.exit(5)
    ]])
    assert.equal("", output)
    assert.equal(5, status)
    assert.equal("functions_panic on_unload\n", lines)
  end)

  it("runs no on_unload if on_load had failed", function()
    local lines, status, output = journal('assert(not pcall(cygnixy.load, fixtures .. "/load_fails.so"))')
    assert.equal("", output)
    assert.equal(0, status)
    assert.equal("", lines)
  end)
end)

describe("a finaliser that runs when the state is closed", function()
  local uses = [[
    local function try(what, f, ...)
      local ok, result = pcall(f, ...)
      if not ok and type(result) ~= "string" then
        print(what .. ": " .. type(result))
      end
    end
    function use_everything()
      try("hello", greet.hello, "you")
      try("hello fails", greet.hello, "")
      try("panic", misbehave.panic_str)
      try("call", misbehave.call, function() return misbehave.add(1, 2) end)
      try("closure", next_number)
      try("method", function() return thing:label() end)
      try("thing", misbehave.thing, "late")
      try("load", cygnixy.load, plugins .. "/greet.so")
      try("load another", cygnixy.load, fixtures .. "/twin_a.so")
      try("load a bad one", cygnixy.load, "/no/such.so")
      try("get", cygnixy.get, "greet")
      try("list", cygnixy.list)
      try("inspect", cygnixy.inspect, plugins .. "/greet.so")
      try("unload", cygnixy.unload, "misbehave")
      try("unload again", cygnixy.unload, "misbehave")
      try("require", function() package.loaded.cygnixy = nil require("cygnixy") end)
      -- Lua 5.3 itself may never return from a collection that a finaliser asks for while the
      -- state is closed.
      if _VERSION ~= "Lua 5.3" then collectgarbage() end
      print("finalised")
    end
  ]]
  local load_all = [[
    plugins, fixtures = ...
    cygnixy = require("cygnixy")
    greet = cygnixy.load(plugins .. "/greet.so")
    misbehave = cygnixy.load(fixtures .. "/misbehave.so")
    thing = misbehave.thing("old")
    next_number = misbehave.counter(1)
  ]]

  it("may use plugins if its object is older than the module", function()
    assert.equal("finalised\n", support.output(
      support.finalised .. uses .. "early = finalised(function() use_everything() end)\n" .. load_all))
  end)

  it("may use plugins if its object is younger than the module", function()
    assert.equal("finalised\n", support.output(
      support.finalised .. uses .. load_all .. "late = finalised(function() use_everything() end)\n"))
  end)

  it("may use plugins if there is one of each age", function()
    assert.equal("finalised\nfinalised\n", support.output(
      support.finalised .. uses .. "early = finalised(function() use_everything() end)\n" .. load_all
        .. "late = finalised(function() use_everything() end)\n"))
  end)

  it("may load the module for the first time", function()
    assert.equal("Hello, late!\n", support.output(support.finalised .. [[
      local plugins = ...
      early = finalised(function()
        print(require("cygnixy").load(plugins .. "/greet.so").hello("late"))
      end)
    ]]))
  end)

  it("may be a plugin function itself", function()
    assert.equal("", support.output(support.finalised .. [[
      early = finalised(function(...) if hello then pcall(hello, "x") end end)
    ]] .. load_all .. [[
      hello = greet.hello
      direct = finalised(misbehave.counter(1))
      failing = finalised(misbehave.dropped)
    ]]))
  end)
end)
