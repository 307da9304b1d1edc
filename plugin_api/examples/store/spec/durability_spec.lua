-- Data survive whatever ends the process, and failures of the disk.

local cygnixy = require "cygnixy"
local support = require "support"

-- A script for a process of its own, with `store` and the path of the file.
local prelude = [[
local plugins, _, path = ...
local cygnixy = require "cygnixy"
local store = cygnixy.load(plugins .. "/store.so")
]]

describe("a store's data", function()
  local store, path

  before_each(function()
    store = cygnixy.load(support.plugin "store")
    path = support.new_path "a.redb"
  end)

  after_each(function()
    assert.is_true(cygnixy.unload(store).unmapped)
  end)

  -- Runs kill.lua for some rounds.
  local function kill(rounds, mode)
    local script = support.read "plugin_api/examples/store/kill.lua"
    local file = support.new_file("kill.lua", script)
    local folder = file:match "^(.*)/"
    local output = support.output(("arg = {%q, %q, '%d', %q, %q, [0] = %q} %s"):format(support.plugin "store", folder,
      rounds, os.getenv "CYGNIXY_TEST_LUA", mode, file, script))
    support.has(output, rounds .. " kills", "none lost")
  end

  it("survive the end of the writer at any moment", function() kill(100, "") end)

  it("survive the end of the writer in the middle of a reload", function() kill(20, "reload") end)

  it("survive a state that is not closed", function()
    support.output(prelude .. [[
      local db = store.open(path)
      db:set("a", "1")
      db:begin():set("b", "1")
      os.exit(0)
    ]], { args = { path } })
    local db = store.open(path)
    assert.equal("1", db:get "a")
    assert.equal(1, db:count())
  end)

  it("survive a state that is closed with the handle open, and in use by finalisers", function()
    support.output(prelude .. support.finalised .. [[
      db = store.open(path)
      db:set("a", "1")
      last = finalised(function() pcall(db.set, db, "b", "1") end)
    ]], { args = { path } })
    assert.equal("1", store.open(path):get "a")
  end)

  -- Lua cannot make a limit for itself, a shell can. The kernel then refuses to let the file grow.
  it("survive a disk that is full", function()
    local script = support.new_file("full.lua", prelude .. [[
      local db = store.open(path)
      db:set("a", "1")
      local written, ok, message = 0, nil, nil
      repeat
        ok, message = pcall(db.set, db, "key " .. written, ("x"):rep(100000))
        if ok then written = written + 1 end
      until not ok
      assert(message:find("cannot ", 1, true) and message:find(path, 1, true), message)
      assert(message:find("File too large", 1, true), message)
      -- The store goes on, by what is in the file.
      assert(db:get "a" == "1")
      assert(db:get("key " .. written) == nil)
      ok, message = pcall(db.write, db, function(tx)
        for i = 1, 100 do tx:set("more " .. i, ("x"):rep(100000)) end
      end)
      assert(not ok and message:find("File too large", 1, true), message)
      assert(db:count() == written + 1)
      assert(db:delete "a")
      assert(db:get "a" == nil)
      print(written)
    ]])
    local command = ("trap '' XFSZ; ulimit -f 8192; exec %s %s %s - %s"):format(os.getenv "CYGNIXY_TEST_LUA",
      support.quote(script), support.quote((support.plugin "store":gsub("/[^/]*$", ""))), support.quote(path))
    local run = assert(io.popen(command .. " 2>&1"))
    local output = run:read "*a"
    run:close()
    local written = assert(tonumber(output), output)
    local db = store.open(path)
    assert.equal(written, db:count())
    assert.equal(("x"):rep(100000), db:get("key " .. written - 1))
  end)

  it("are not there, with a reason, if the file is damaged", function()
    local db = store.open(path)
    db:write(function(tx)
      for i = 1, 20000 do tx:set(("%08d"):format(i), ("x"):rep(100)) end
    end)
    db:close()
    local content = support.read(path)
    -- The library panics over some of it, which is logged, and becomes an error.
    cygnixy.on_log(function() end)
    local noticed = 0
    -- From the first page on, which says how to read the rest.
    for _, from in ipairs { 0, 64, 4096, 65536, 1000000, 2000000 } do
      local damaged = support.new_file("b.redb", content:sub(1, from) .. ("\170"):rep(4096) .. content:sub(from + 4097))
      local ok, message = pcall(function()
        local other = store.open(damaged)
        for i = 1, 20000 do assert(#other:get(("%08d"):format(i)) == 100) end
      end)
      if not ok then
        support.has(support.is_message(message), damaged)
        noticed = noticed + 1
      end
    end
    assert.is_true(noticed >= 3)
    local cut = support.new_file("c.redb", content:sub(1, #content / 2))
    local ok, message = pcall(store.open, cut)
    assert.is_false(ok)
    support.has(support.is_message(message), cut)
    cygnixy.on_log(nil)
  end)
end)

-- Only LuaJIT can fork without a C module.
if rawget(_G, "jit") then
  it("a store that was opened before a fork is the parent's", function()
    local path = support.new_path "a.redb"
    local output = support.output(prelude .. [[
      local ffi = require "ffi"
      ffi.cdef "int fork(void); int waitpid(int, int *, int);"
      local db = store.open(path)
      db:set("a", "1")
      local tx = db:begin()
      tx:set("b", "1")
      local child = ffi.C.fork()
      if child == 0 then
        print(pcall(db.get, db, "a"))
        print(pcall(tx.commit, tx))
        print(pcall(cygnixy.reload, store))
        db:close()
        cygnixy.unload(store)
        print(pcall(cygnixy.load(plugins .. "/store.so").open, path))
        io.flush()
        os.exit(0, true)
      end
      ffi.C.waitpid(child, nil, 0)
      tx:commit()
      print(db:get "b")
    ]], { args = { path } })
    local lines = {}
    for line in output:gmatch "[^\n]+" do lines[#lines + 1] = line end
    support.has(lines[1], "false", path, "this one is a child")
    support.has(lines[2], "false", path, "this one is a child")
    support.has(lines[3], "false", path, "this one is a child")
    support.has(lines[4], "false", path, "another process has it open")
    assert.equal("1", lines[5])
  end)
end
