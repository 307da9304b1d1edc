-- A store next to SQLite, which is Debian's lua-sql-sqlite3: `bench.lua PLUGIN.so SCRATCH`, run by
-- tests/bench.sh. Both keep the same keys and values, and both have a commit on the disk when it returns:
-- SQLite with `synchronous = FULL` and its write-ahead log, in a table with a primary key and no row
-- numbers. Figures are of processor time, and those of commits, which wait for the disk, of elapsed time.
local samples = require "samples"
local cygnixy = require "cygnixy"

local plugin, scratch = arg[1], arg[2]
local store = cygnixy.load(plugin)

local has_sqlite, sqlite = pcall(require, "luasql.sqlite3")
if not has_sqlite then
  print "fact\tstore: SQLite\tthere is no lua-sql-sqlite3 for this Lua, so its rows are missing"
end

local count = 20000
local keys, values = {}, {}
local seed = 20261123
for i = 1, count do
  seed = (seed * 16807) % 2147483647
  keys[i] = ("key %08d %d"):format(seed % 1e8, i)
  values[i] = ("value %d "):format(seed):rep(6)
end

-- The time that has passed, in hundredths of a second: no other clock of that kind is in every Lua. So commits
-- go on for a second, of which that is one in a hundred.
local function elapsed()
  local file = io.open "/proc/uptime"
  local seconds = file:read "*n"
  file:close()
  return seconds
end

local sides = {}

-- Each side makes a new file and returns its three jobs: all pairs in one transaction, each key read by
-- itself, and one more pair with a commit.
sides[1] = { name = "cygnixy: store", open = function(path)
  local db = store.open(path)
  return {
    fill = function()
      db:write(function(tx)
        for i = 1, count do tx:set(keys[i], values[i]) end
      end)
    end,
    read = function()
      for i = 1, count do assert(db:get(keys[i]) == values[i]) end
    end,
    commit = function(i) db:set(("commit %d"):format(i), values[i % count + 1]) end,
    close = function() db:close() end,
  }
end }

sides[2] = has_sqlite and { name = "lua-sql-sqlite3", open = function(path)
  local environment = assert(sqlite.sqlite3())
  local db = assert(environment:connect(path))
  local function pragma(text)
    local cursor = assert(db:execute("PRAGMA " .. text))
    local value = type(cursor) == "userdata" and cursor:fetch()
    if type(cursor) == "userdata" then cursor:close() end
    return value
  end
  assert(pragma "journal_mode = WAL" == "wal")
  pragma "synchronous = FULL"
  assert(tonumber(pragma "synchronous") == 2)
  assert(db:execute "CREATE TABLE store (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
  -- The rock has no parameters of statements: all goes through the text.
  local function set(key, value)
    assert(db:execute("INSERT OR REPLACE INTO store VALUES ('" .. db:escape(key) .. "', '" .. db:escape(value) .. "')"))
  end
  return {
    fill = function()
      db:setautocommit(false)
      for i = 1, count do set(keys[i], values[i]) end
      assert(db:commit())
      db:setautocommit(true)
    end,
    read = function()
      for i = 1, count do
        local cursor = assert(db:execute("SELECT value FROM store WHERE key = '" .. db:escape(keys[i]) .. "'"))
        assert(cursor:fetch() == values[i])
        cursor:close()
      end
    end,
    commit = function(i) set(("commit %d"):format(i), values[i % count + 1]) end,
    close = function()
      db:close()
      environment:close()
    end,
  }
end } or nil

local function sample(row, side, job)
  samples.add("examples", row, side, "us", samples.time(job) / count * 1e6)
end

local function sample_commits(side, commit)
  local started, done, seconds = elapsed(), 0
  repeat
    for _ = 1, 20 do
      done = done + 1
      commit(done)
    end
    seconds = elapsed() - started
  until seconds >= 1
  samples.add("examples", "store: a durable commit, elapsed", side, "us", seconds / done * 1e6)
end

local repetitions = math.min(samples.repetitions, 9)
for round = 1, repetitions do
  for number, side in ipairs(sides) do
    local path = ("%s/store-%d-%d"):format(scratch, number, round)
    local jobs = side.open(path)
    sample(("store: one of %d pairs in a transaction"):format(count), side.name, jobs.fill)
    sample("store: reading one key", side.name, jobs.read)
    sample_commits(side.name, jobs.commit)
    jobs.close()
    os.remove(path)
    os.remove(path .. "-wal")
    os.remove(path .. "-shm")
  end
end
