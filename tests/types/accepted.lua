-- Uses the module and the functions of the fixture plugin `documented` as they are meant to be used.

local cygnixy = require("cygnixy")

---@type documented
local documented = cygnixy.load("documented")

---@type number
local sum = documented.add(1, 2)
---@type string?
local letter = documented.first("text")
---@type string
local joined = documented.join("-", "a", "b", "c")
---@type integer
local count = documented.get(documented.counter(1))
local low, high = documented.both(1, 2)
local words, pick = documented.typed("two words", "letters")
documented.noop()
print(sum, letter, joined, count, high - low, words["two"], documented.get(pick("two")))
print(documented.plain(1, "x", {}), documented.named({}), documented["odd name"](1), documented["end"](2))

print(cygnixy.help(documented, "add"), cygnixy.abi, cygnixy._VERSION, cygnixy.get("documented"))
for _, plugin in ipairs(cygnixy.list()) do
  print(plugin.name, plugin.docs.add, plugin.signatures.add)
end
for _, plugin in ipairs(cygnixy.available()) do
  print(plugin.name, plugin.path, plugin.manifest and plugin.manifest.version, plugin.problem, plugin.hidden_by)
end
local fits, problem = cygnixy.check("documented.so")
print(fits, problem, cygnixy.inspect("documented.so").rustc)

cygnixy.watch("documented", { quiet = 0.5 })
for _, result in ipairs(cygnixy.poll()) do
  print(result.ok and result.report and result.report.text or result.error)
end
for _, reason in ipairs(cygnixy.unload(documented, { collect = false }).reasons) do
  print(reason.kind, reason.name, reason.count, reason.text)
end
