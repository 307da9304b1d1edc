-- Loads COUNT different files of one kind, one after the other, in a fresh process: `loading.lua SIDE
-- FOLDER COUNT`, where FOLDER has what copies.lua makes. What is compared is, for each file, the time
-- from its name to its table of functions:
--
-- - C and mlua: `require`, with nothing to search but the one folder; that is `dlopen` and the call of
--   `luaopen_...`. Each copy of the mlua module has an mlua of its own, as different modules have.
-- - cygnixy: `load` of a path; reading and checking the file, a private copy, `dlopen`, binding, `on_load`.
--
-- All have the same one function, no file is opened twice in a process, and all are in the system's
-- cache. cygnixy itself is required before, once, and that is timed apart; with it come libraries of the
-- system which the first mlua module brings itself. If COUNT is more than one, the memory is read before
-- and after.
local samples = require "samples"

local side, folder, count = arg[1], arg[2], tonumber(arg[3])
if rawget(_G, "jit") then jit.off() end

local load = require
if side == "cygnixy" then
  samples.add("require", "require of the loader", side, "us", samples.time(require, "cygnixy") * 1e6)
  load = require "cygnixy".load
end

local form = _VERSION == "Lua 5.1" and "%04d-bench_minimal" or "bench_minimal-%04d"
if side == "cygnixy" then form = folder .. "/bench_%04d.so" end
package.path, package.cpath = "", folder .. "/?.so"

-- KiB in a file of /proc, the sum of the fields named.
local function kib(file, ...)
  local text, total = samples.read(file), 0
  for _, field in ipairs { ... } do
    total = total + tonumber(text:match("\n" .. field .. ":%s*(%d+)"))
  end
  return total
end

-- What a plugin that is loaded takes: pages of the process that no other process has, those of them that
-- were written to, and files that exist in memory only (of the whole system), as private copies are.
-- Pages of a file on disk that were not written to can be taken back by the system.
local function memory()
  collectgarbage()
  collectgarbage()
  return {
    { "resident, private", kib("/proc/self/smaps_rollup", "Private_Clean", "Private_Dirty") },
    { "of these, written to", kib("/proc/self/smaps_rollup", "Anonymous") },
    { "files in memory", kib("/proc/meminfo", "Shmem") },
    { "Lua heap", collectgarbage "count" },
  }
end

local names, plugins, seconds = {}, {}, {}
for i = 1, count do names[i], plugins[i], seconds[i] = form:format(i), false, 0 end

local before = memory()
for i = 1, count do
  local started = os.clock()
  plugins[i] = load(names[i])
  seconds[i] = os.clock() - started
end
local after = memory()

for i = 1, count do
  assert(plugins[i].answer() == "answer 0")
  samples.add("loading", tostring(i), side, "us", seconds[i] * 1e6)
end
if count > 1 then
  for i, entry in ipairs(after) do
    samples.add("memory", entry[1], side, "KiB", (entry[2] - before[i][2]) / count)
  end
end
