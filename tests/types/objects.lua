-- Objects of the example plugins, as they are meant to be used.
local cygnixy = require("cygnixy")

---@type regexp
local regexp = cygnixy.load("regexp")
local pattern = regexp.compile("(a)(?<name>b)?", { ignore_case = true })
local first, last, group = pattern:find("abc", 2)
if first and last then print(first + last, group and group:upper()) end
local made, count = pattern:gsub("a", function(whole) return whole end, 3)
print(made:upper(), count + 1, (pattern:gsub("a", "b")), (pattern:gsub("a", 1)), (pattern:gsub("a", { a = "b" })))
for a, b in pattern:gmatch("abc") do print(a, b) end
local captures = pattern:captures("a")
if captures then print(captures[0], captures.name) end
print(#pattern:split("a,b", 2), pattern:count("a") + 1, pattern:is_match("a") == true, pattern:match("a"))

---@type store
local store = cygnixy.load("store")
local db = store.open("app.redb")
db:set("key", 1)
local value = db:get("key")
if value then print(value:upper()) end
local done = db:write(function(tx)
  if tx:delete("key") then tx:rollback() end
  return "done"
end)
print(done:upper(), db:count() + 1, db.path:upper(), db:seek(nil, "z"), db:next("key"))
for key, found in db:prefix("k") do print(key, found) end
local transaction = db:begin()
transaction:commit()
db:close()

---@type hashtree
local hashtree = cygnixy.load("hashtree")
local job = hashtree.start("/usr/share", { threads = 4 })
local results, is_finished = job:wait(1, function(progress) print(progress.files + 1) end)
for _, result in ipairs(results) do print(result.path:upper()) end
print(is_finished == true, job:progress().is_running)
for result in job:results() do print(result.size, result.error) end
