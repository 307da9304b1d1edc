-- What scripts hold of a store goes on working after a reload.

local cygnixy = require "cygnixy"
local support = require "support"

describe("a store that is reloaded", function()
  local plugin, content, store, path, db

  before_each(function()
    content = support.read(support.plugin "store")
    plugin = support.new_file("store.so", content)
    store = cygnixy.load(plugin)
    path = support.new_path "a.redb"
    db = store.open(path)
    db:set("key", "value")
  end)

  after_each(function()
    db = nil
    assert.is_true(cygnixy.unload(store).unmapped)
  end)

  -- Another file with the same code: what stands behind a library is not looked at.
  local function rebuild(number)
    support.write(plugin .. ".new", content .. number)
    assert(os.rename(plugin .. ".new", plugin))
  end

  it("goes on a hundred times, and the old library is unmapped each time", function()
    local other = store.open(support.new_path "b.redb")
    for number = 1, 100 do
      rebuild(number)
      local report = cygnixy.reload(store)
      assert.is_true(report.unmapped, report.text)
      db:set("number", tostring(number))
      other:write(function(tx) tx:set("number " .. number, "") end)
    end
    assert.equal("value", db:get "key")
    assert.equal("100", db:get "number")
    assert.equal(100, other:count())
  end)

  it("goes on in the middle of a loop", function()
    for i = 1, 9 do db:set("k" .. i, tostring(i)) end
    local seen = {}
    for key in db:prefix "k" do
      seen[#seen + 1] = key
      rebuild(key)
      assert.is_true(cygnixy.reload(store).unmapped)
    end
    assert.equal(10, #seen)
  end)

  it("goes on if the file of the plugin has not changed", function()
    cygnixy.reload(store)
    assert.equal("value", db:get "key")
  end)

  it("finds files again whose paths have other bytes than text", function()
    local other = store.open(support.new_path "b\254\195.redb")
    other:set("key", "other")
    rebuild(1)
    assert.is_true(cygnixy.reload(store).unmapped)
    assert.equal("other", other:get "key")
    assert.equal("value", db:get "key")
  end)

  it("gives new handles new numbers", function()
    local closed = store.open(support.new_path "b.redb")
    closed:close()
    rebuild(1)
    cygnixy.reload(store)
    local other = store.open(support.new_path "c.redb")
    other:set("key", "other")
    assert.equal("value", db:get "key")
    support.has(support.failure(closed.get, closed, "key"), "the store is closed")
  end)

  it("has the files still to itself", function()
    rebuild(1)
    cygnixy.reload(store)
    support.has(support.failure(store.open, path), "this Lua state has it open")
    db:close()
    store.open(path):close()
  end)

  it("is refused while a transaction is open, which goes on", function()
    local tx = db:begin()
    tx:set("key", "other")
    rebuild(1)
    support.has(support.failure(cygnixy.reload, store), "save_state failed", path, "commit it or roll it back first")
    tx:commit()
    assert.equal("other", db:get "key")
    assert.is_true(cygnixy.reload(store).unmapped)
    assert.equal("other", db:get "key")
  end)

  it("is refused inside of a transaction's function", function()
    db:write(function(tx)
      tx:set("key", "other")
      support.has(support.failure(cygnixy.reload, store), "store", "still running")
    end)
    assert.equal("other", db:get "key")
  end)

  it("goes on with the old version if the new one does not take it", function()
    support.replace(plugin, support.fixture "store_restore_fails")
    support.has(support.failure(cygnixy.reload, store), "restore_state failed", "this version counts otherwise")
    assert.equal("value", db:get "key")
    db:set("key", "other")
    -- Also if it is not used between two attempts.
    for _ = 1, 3 do support.failure(cygnixy.reload, store) end
    rebuild(1)
    cygnixy.reload(store)
    assert.equal("other", db:get "key")
  end)

  it("is refused if its file was moved or replaced, as it could not be opened again", function()
    assert(os.rename(path, path .. ".moved"))
    rebuild(1)
    support.has(support.failure(cygnixy.reload, store), path, "does not lead to the open file any more")
    db:set("key", "other")
    assert(os.rename(path .. ".moved", path))
    cygnixy.reload(store)
    assert.equal("other", db:get "key")
  end)
end)
