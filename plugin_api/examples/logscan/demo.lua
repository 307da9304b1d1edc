-- What happened on this web server? A log file, read with Rust's linear-time regular expressions.
-- Run by `make demo`, or: lua demo.lua DIRECTORY-OF-THE-PLUGIN
local cygnixy = require "cygnixy"

local here = arg[0]:match "^(.*)[/\\]" or "."
local logscan = cygnixy.load((arg[1] or ".") .. "/logscan.so")
local log = here .. "/access.log"

local function ranked(counts, limit)
  local keys = {}
  for key in pairs(counts) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  local rest = {}
  for i = 1, math.min(limit, #keys) do rest[i] = keys[i] end
  return rest
end

local function show(title, counts, limit)
  print("\n" .. title)
  for _, key in ipairs(ranked(counts, limit)) do
    print(("  %6d  %s"):format(counts[key], key))
  end
end

print(("%s, plugin 'logscan' %s, on %s")
  :format(cygnixy._VERSION, cygnixy.list()[1].version, _VERSION))

local statuses, lines = logscan.tally(log, [[" (\d{3}) \d+ ]])
print(("%s: %d lines"):format(log:match "[^/\\]+$", lines))
show("Answers by status", statuses, 10)
show("Most wanted pages", logscan.tally(log, [["(?:GET|HEAD) (/[^ ?"]*)]]), 5)

-- Alternation, repeated groups, case-insensitive: three things that Lua's patterns do not have.
local attack = [[(?i)(?<ip>^\S+).*"(?<request>[^"]*(?:\.\./|union(?:\s|%20|\+)+select|<script|/wp-login\.php)[^"]*)"]]
local attackers, examples = {}, {}
logscan.scan(log, attack, function(m)
  attackers[m.ip] = (attackers[m.ip] or 0) + 1
  examples[#examples + 1] = ("  line %5d  %s"):format(m.line, m.request:sub(1, 60))
end)
show("Addresses that probe for weaknesses", attackers, 5)
print("\nWhat they tried (the first three)")
print(table.concat(examples, "\n", 1, math.min(3, #examples)))

-- The classic trap for backtracking engines: a nested repetition on a line that almost matches.
local started = os.clock()
logscan.tally(log, [[^(\w+\W?)+\d{9}$]])
print(("\nA pattern that a backtracking engine may never finish: %.0f ms"):format((os.clock() - started) * 1000))

-- An error of the plugin is an ordinary Lua error, and the plugin goes on working.
local ok, message = pcall(logscan.tally, log, "(unclosed")
print("\nA wrong pattern raises an error, and the plugin goes on working:")
print((ok and "accepted?!" or message:gsub("[^\n]+", "  %0")))

cygnixy.unload(logscan)
print(select(2, pcall(logscan.tally, log, "x")))
