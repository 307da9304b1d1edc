-- Uses functions of each example plugin as they are meant to be used.

local cygnixy = require("cygnixy")

---@type greet
local greet = cygnixy.load("greet")
---@type string
local greeting = greet.hello("you")

---@type hashtree
local hashtree = cygnixy.load("hashtree")
local job = hashtree.start(".", { threads = 2, ignore = true })
for _, result in ipairs(job:wait()) do
  print(result.path, result.sha256)
end

---@type json
local json = cygnixy.load("json")
---@type string
local text = json.encode({ json.null(), json.array(), json.object({}) }, { pretty = "  ", sorted = true })
print(greeting, text, json.decode(text)[1])

---@type logscan
local logscan = cygnixy.load("logscan")
local counts, lines = logscan.tally("access.log", "[a-z]+")
print(counts["a"] + lines, logscan.scan("access.log", "x", function(match) return match.line < 10 end))

---@type regexp
local regexp = cygnixy.load("regexp")
local pattern = regexp.compile(regexp.escape("a.b"), { ignore_case = true })
print(pattern:find("A.B"), pattern:count(text))

---@type store
local store = cygnixy.load("store")
local db = store.open("file")
store.set(db, "key", "value")
---@type string?
local value = store.get(db, "key")
for key, found in store.range(db, "a") do
  print(key, found, value)
end
print(store.write(db, function(transaction) return store.count(transaction) end))
db:close()
