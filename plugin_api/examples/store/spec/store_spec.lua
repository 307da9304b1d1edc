-- Reading and writing, transactions, and what is refused.

local cygnixy = require "cygnixy"
local support = require "support"

describe("store", function()
  local store, path, db

  before_each(function()
    store = cygnixy.load(support.plugin "store")
    path = support.new_path "a.redb"
    db = store.open(path)
  end)

  after_each(function()
    db = nil
    assert.is_true(cygnixy.unload(store).unmapped)
  end)

  local function fails(f, ...)
    return support.failure(f, ...)
  end

  -- What an iterator gives, as text.
  local function listed(...)
    local parts = {}
    for key, value in ... do
      parts[#parts + 1] = key .. "=" .. value
    end
    return table.concat(parts, " ")
  end

  -- Lets go of everything that nothing refers to.
  local function collect()
    for _ = 1, 3 do collectgarbage() end
  end

  it("keeps what it is given", function()
    assert.is_nil(db:get "key")
    db:set("key", "value")
    assert.equal("value", db:get "key")
    db:set("key", "other")
    assert.equal("other", db:get "key")
    assert.equal(1, db:count())
    assert.is_true(db:delete "key")
    assert.is_false(db:delete "key")
    assert.is_nil(db:get "key")
    assert.equal(0, db:count())
  end)

  it("takes any bytes", function()
    for _, text in ipairs { "", "\0", "a\0b", "\255\254", ("x"):rep(300000) } do
      db:set(text, text .. "!")
      assert.equal(text .. "!", db:get(text))
    end
    db:set(12, 34)
    assert.equal("34", db:get "12")
  end)

  it("takes a path of any bytes", function()
    local other = store.open(path .. "\254\195")
    assert.equal("store: " .. path .. "\254\195", tostring(other))
    assert.equal(path .. "\254\195", other.path)
    assert.equal("transaction: " .. path .. "\254\195", tostring(other:begin()))
  end)

  it("keeps it in a file", function()
    db:set("key", "value")
    db:close()
    assert.equal("value", store.open(path):get "key")
  end)

  it("iterates in the order of bytes", function()
    for _, key in ipairs { "b", "a\255", "a", "", "B", "a\0", "\255", "\255\255" } do db:set(key, "1") end
    assert.equal("=1 B=1 a=1 a\0=1 a\255=1 b=1 \255=1 \255\255=1", listed(db:range()))
    assert.equal("a=1 a\0=1 a\255=1 b=1 \255=1 \255\255=1", listed(db:range "a"))
    assert.equal("a=1 a\0=1 a\255=1", listed(db:range("a", "b")))
    assert.equal("=1 B=1", listed(db:range(nil, "a")))
    assert.equal("", listed(db:range("b", "a")))
    assert.equal("a=1 a\0=1 a\255=1", listed(db:prefix "a"))
    assert.equal("a\255=1", listed(db:prefix "a\255"))
    assert.equal("\255=1 \255\255=1", listed(db:prefix "\255"))
    assert.equal(listed(db:range()), listed(db:prefix ""))
    assert.equal("", listed(db:prefix(12)))
    assert.is_false(pcall(db.prefix, db))
    assert.same({ "a", "1" }, { db:seek "C" })
    assert.same({ "a\0", "1" }, { db:next "a" })
    assert.is_nil(db:next("a", "a\0"))
  end)

  it("may be written to in a loop", function()
    for i = 1, 9 do db:set("k" .. i, "v") end
    for key in db:prefix "k" do
      db:delete(key)
      if key == "k3" then db:delete "k4" db:set("k95", "v") end
      assert.not_equal("k4", key)
    end
    assert.equal(0, db:count())
  end)

  describe("a transaction", function()
    it("is written as a whole", function()
      local results = { db:write(function(tx)
        tx:set("a", "1")
        tx:set("b", "2")
        tx:delete "a"
        assert.equal("2", tx:get "b")
        assert.equal("b=2", listed(tx:range()))
        assert.equal(1, tx:count())
        -- Outside of it, nothing has happened yet.
        assert.is_nil(db:get "b")
        return "first", nil, 3
      end) }
      assert.equal("first", results[1])
      assert.equal(3, results[3])
      assert.equal("b=2", listed(db:range()))
    end)

    it("is rolled back by an error, which is raised again as it was", function()
      local problem = {}
      local ok, err = pcall(db.write, db, function(tx)
        tx:set("a", "1")
        error(problem)
      end)
      assert.is_false(ok)
      assert.equal(problem, err)
      assert.equal(0, db:count())
      db:set("a", "2")
    end)

    it("can be ended by hand", function()
      local tx = db:begin()
      tx:set("a", "1")
      tx:commit()
      assert.equal("1", db:get "a")
      tx = db:begin()
      tx:set("a", "2")
      tx:rollback()
      tx:rollback()
      assert.equal("1", db:get "a")
      support.has(fails(tx.set, tx, "a", "3"), "the transaction in '", path, "has ended")
      support.has(fails(tx.commit, tx), "has ended")
      support.has(fails(tx.get, tx, "a"), "has ended")
      support.has(fails(db.commit, db), "this is no transaction")
    end)

    it("can be ended by hand in its function", function()
      for number, finish in ipairs { "commit", "rollback", "close" } do
        local result = db:write(function(tx)
          tx:set("a", finish)
          tx[finish](tx)
          return number
        end)
        assert.equal(number, result)
        assert.equal("commit", db:get "a")
      end
      assert.equal("done", db:write(function(tx)
        tx:commit()
        db:close()
        return "done"
      end))
      db = store.open(path)
      -- What a failure has ended was not written.
      local ok, err = pcall(db.write, db, function(tx)
        tx:commit()
        tx:commit()
      end)
      assert.is_false(ok)
      support.has(err, "has ended")
    end)

    it("is the only one", function()
      local tx = db:begin()
      support.has(fails(db.begin, db), path, "a transaction is open")
      support.has(fails(tx.begin, tx), path, "a transaction is open")
      support.has(fails(db.set, db, "a", "1"), path, "a transaction is open")
      support.has(fails(db.delete, db, "a"), path, "a transaction is open")
      local ok, err = pcall(db.write, tx, function() end)
      assert.is_false(ok)
      support.has(err, "a transaction is open")
      tx:set("a", "1")
      tx:commit()
      assert.equal(1, db:count())
    end)

    it("is rolled back when it is collected", function()
      local tx = db:begin()
      tx:set("a", "1")
      tx = nil -- luacheck: ignore
      collect()
      db:set("b", "1")
      assert.equal("b=1", listed(db:range()))
    end)

    it("is rolled back when the store is closed in it", function()
      local ok, err = pcall(db.write, db, function(tx)
        tx:set("a", "1")
        db:close()
      end)
      assert.is_false(ok)
      support.has(err, "the store is closed")
      assert.equal(0, store.open(path):count())
    end)

    it("may last while a coroutine waits, where Lua can yield in it", function()
      local thread = coroutine.create(function()
        return db:write(function(tx)
          tx:set("a", "1")
          coroutine.yield "inside"
          tx:set("b", "1")
          return "done"
        end)
      end)
      local ok, result = coroutine.resume(thread)
      if support.abi == "lua51" then
        -- `pcall` cannot be yielded across there; the error ends the transaction like any other.
        assert.is_false(ok)
        support.has(result, "attempt to yield")
        assert.equal(0, db:count())
      else
        assert.equal("inside", result)
        assert.equal(0, db:count())
        support.has(fails(cygnixy.reload, store), "store", "a coroutine is suspended")
        ok, result = coroutine.resume(thread)
        assert.is_true(ok)
        assert.equal("done", result)
        assert.equal(2, db:count())
      end
    end)
  end)

  describe("refuses", function()
    it("a file that is open here", function()
      support.has(fails(store.open, path), "cannot open '" .. path, "this Lua state has it open already")
      support.has(fails(store.open, path:gsub("/([^/]*)$", "/./%1")), path, "this Lua state")
    end)

    it("a file that is open here under another name", function()
      local link = path .. ".link"
      support.shell("ln", path, link)
      support.has(fails(store.open, link), "cannot open '" .. link, "this Lua state has it open already")
      support.shell("ln -sf", path, link)
      support.has(fails(store.open, link), path, "this Lua state has it open already")
    end)

    it("no other file at the path of one that is open here", function()
      db:set("key", "value")
      assert(os.rename(path, path .. ".moved"))
      local other = store.open(path)
      assert.is_nil(other:get "key")
      assert.equal("value", db:get "key")
    end)

    it("a file that another process has open", function()
      local script = [[
        local plugins, _, path = ...
        print(pcall(require("cygnixy").load(plugins .. "/store.so").open, path))
      ]]
      local output = support.output(script, { args = { path } })
      support.has(output, "false", "cannot open '" .. path, "another Lua state or another process has it open")
      db:set("a", "1")
      db:close()
      support.has(support.output(script, { args = { path } }), "true")
    end)

    it("a file that is no store, and leaves it alone", function()
      local text = ("this is text\n"):rep(1000)
      for _, content in ipairs { "", "t", "this is text", text } do
        local other = support.new_file("b.redb", content)
        support.has(fails(store.open, other), "cannot open '" .. other, "it is no store, or it is damaged")
        assert.equal(content, support.read(other))
      end
    end)

    it("a path that leads nowhere", function()
      support.has(fails(store.open, path .. "/b"), "cannot open '" .. path .. "/b'", "Not a directory")
      local missing = support.new_path "no/b.redb"
      support.has(fails(store.open, missing), missing, "No such file or directory")
      local folder = path:match "^(.*)/"
      support.has(fails(store.open, folder), folder, "Is a directory")
    end)

    it("what is no store", function()
      support.has(fails(store.get, 12, "key"), "expected a store, got")
      support.has(fails(store.get, {}, "key"), "expected a store, got table")
      support.has(fails(store.begin, "text"), "expected a store, got string")
      support.has(fails(db.get, db), "string expected")
      support.has(fails(db.set, db, "key"), "string expected")
      support.has(fails(db.set, db, "key", {}), "string expected")
      support.has(fails(store.get, { 99 }, "key"), "the store is closed")
    end)
  end)

  it("can have several files open", function()
    local others = {}
    for i = 1, 20 do
      others[i] = store.open(support.new_path "b.redb")
      others[i]:set("number", tostring(i))
    end
    for i = 1, 20 do assert.equal(tostring(i), others[i]:get "number") end
  end)

  it("is closed once", function()
    db:close()
    db:close()
    support.has(fails(db.get, db, "key"), "the store is closed")
    support.has(fails(db.begin, db), "the store is closed")
  end)

  it("is closed when its handle is collected", function()
    db:set("key", "value")
    db = nil
    collect()
    assert.equal("value", store.open(path):get "key")
  end)

  it("lets go of handles at any moment, while others are written to", function()
    -- Lua 5.5 has no such option.
    pcall(collectgarbage, "setpause", 0)
    for i = 1, 2000 do
      local tx = db:begin()
      tx:set("key " .. i, ("x"):rep(100))
      tx:rollback()
    end
    pcall(collectgarbage, "setpause", 200)
    assert.equal(0, db:count())
  end)

  it("is closed by an unload, and keeps nothing mapped", function()
    db:set("key", "value")
    local tx, step = db:begin(), db:range()
    tx:set("other", "value")
    assert.is_true(cygnixy.unload(store).unmapped)
    support.has(fails(db.get, db, "key"), "plugin 'store' has been unloaded")
    support.has(fails(tx.commit, tx), "plugin 'store' has been unloaded")
    assert.is_false(pcall(step))
    store = cygnixy.load(support.plugin "store")
    assert.equal("key=value", listed(store.open(path):range()))
    -- The old handles are collected now, and have nothing to do with the new stores.
    db, tx, step = store.open(support.new_path "b.redb"), nil, nil -- luacheck: ignore
    collect()
    db:set("key", "value")
  end)

  it("is described for editors", function()
    local methods, described = support.read "plugin_api/examples/store/meta/store.lua", {}
    for class, name in methods:gmatch "function (%w+):(%w+)" do
      assert.equal("function", type(db[name]), name)
      described[class .. ":" .. name] = true
    end
    for _, loaded in ipairs(cygnixy.list()) do
      for _, name in ipairs(loaded.name == "store" and loaded.functions or {}) do
        assert.is_true(name == "open" or described["Store:" .. name], name)
      end
    end
  end)

  it("describes itself", function()
    assert.equal("store: " .. path, tostring(db))
    support.has(cygnixy.help(store, "prefix"), "store.prefix(", "string", "begin with a text")
    for _, loaded in ipairs(cygnixy.list()) do
      for _, name in ipairs(loaded.name == "store" and loaded.functions or {}) do
        assert.truthy(loaded.docs[name], name)
      end
    end
  end)
end)
