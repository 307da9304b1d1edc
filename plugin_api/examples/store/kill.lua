-- Whether data survive: `kill.lua PLUGIN.so FOLDER ROUNDS INTERPRETER [reload]`. In each round a process
-- writes and says what it has written, after each write has returned; it is killed at some moment (SIGKILL).
-- With `reload` it reloads the plugin after each write, so that most moments are in a reload. Then
-- the store has to open, to have all that was acknowledged, and of a transaction all or nothing. Each file
-- is used for ten rounds; in the first of them, the process is killed about when it makes the file.
local cygnixy = require "cygnixy"

local plugin, folder, rounds, interpreter, mode = arg[1], arg[2], arg[3], arg[4], arg[5] or ""

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- What is written under a number: one key, or a transaction of three keys. A value that grows makes the
-- file change its form.
local function pairs_of(number)
  local value = ("%d "):format(number):rep(number % 97 + 1)
  if number % 3 ~= 0 then return { ["single/" .. number] = value } end
  return { ["a/" .. number] = value, ["b/" .. number] = value, ["c/" .. number] = value }
end

if rounds == "write" then
  local store = cygnixy.load(plugin)
  -- The Lua versions have no function for the process's own number in common.
  local stat = assert(io.open "/proc/self/stat")
  io.write(stat:read "*l":match "^%d+", "\n")
  io.flush()
  local db = store.open(arg[7])
  for number = tonumber(arg[6]), math.huge do
    local written = pairs_of(number)
    if number % 3 ~= 0 then
      local key, value = next(written)
      db:set(key, value)
    else
      db:write(function(tx)
        for key, value in pairs(written) do tx:set(key, value) end
      end)
    end
    io.write(("%d\n"):format(number))
    io.flush()
    if mode == "reload" then cygnixy.reload(store) end
  end
end

-- Kills a process at some moment within the next milliseconds.
local function kill(process)
  local moment = os.clock() + math.random() * 0.005
  repeat until os.clock() >= moment
  os.execute("kill -KILL " .. process)
end

-- Starts a process that writes from a number on, waits for `count` acknowledgements, kills it, and
-- returns the last number that was acknowledged.
local function run(file, from, count)
  local words = { interpreter, arg[0], plugin, folder, "write", interpreter, mode, ("%d"):format(from), file }
  for index, word in ipairs(words) do words[index] = quote(word) end
  -- A shell that stays would report the signal.
  local writer = assert(io.popen("exec " .. table.concat(words, " ")))
  local process = assert(writer:read "*l", "the writer has not started")
  local last = from - 1
  if count == 0 then kill(process) end
  for line in writer:lines() do
    local number = assert(tonumber(line), line)
    assert(number == last + 1)
    last = number
    if last == from + count - 1 then kill(process) end
  end
  -- Lua 5.1 and LuaJIT do not tell how it has ended.
  local _, how, signal = writer:close()
  assert(last >= from + count - 1 and (not how or how == "signal" and signal == 9), "the writer has ended by itself")
  return last
end

math.randomseed(os.time())
local store = cygnixy.load(plugin)
local file, last
local writes, unacknowledged = 0, 0
for round = 1, tonumber(rounds) do
  local is_new = round % 10 == 1
  if is_new then file, last = ("%s/killed-%d.redb"):format(folder, round), 0 end
  local before = last
  last = run(file, last + 1, is_new and 0 or math.random(20))
  local db = store.open(file)
  for number = 1, last do
    for key, value in pairs(pairs_of(number)) do
      if db:get(key) ~= value then
        error(("round %d: '%s' was acknowledged, and is not there"):format(round, key))
      end
    end
  end
  -- The write in which it was killed.
  local present, absent = 0, 0
  for key, value in pairs(pairs_of(last + 1)) do
    local found = db:get(key)
    assert(found == nil or found == value, key)
    if found then present = present + 1 else absent = absent + 1 end
  end
  assert(present == 0 or absent == 0, "half of a transaction is there")
  if present > 0 then
    last, unacknowledged = last + 1, unacknowledged + 1
  end
  writes = writes + last - before
  db:close()
end
print(("%d kills, %d writes, none lost; %d were there that had not been acknowledged")
  :format(tonumber(rounds), writes, unacknowledged))
