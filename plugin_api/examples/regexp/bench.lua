-- Regular expressions next to lrexlib's PCRE2, as it comes and with its patterns compiled to machine code
-- (`jit_compile`), and LPeg: `bench.lua PLUGIN.so SCRATCH`, run by tests/bench.sh. The text is a web
-- server's log of some megabytes, the same in every run. LPeg takes part where a grammar says the same.
local samples = require "samples"
local cygnixy = require "cygnixy"

local regexp, rex, lpeg = cygnixy.load(arg[1]), require "rex_pcre2", samples.peer "lpeg"

local seed = 20261123
local function random(limit)
  seed = (seed * 16807) % 2147483647
  return seed % limit
end

local paths = { "/", "/docs/install", "/blog/2026/unloading", "/static/app.js", "/api/v1/items/", "/search?q=lua+rust" }
local agents = { "curl/8.14.1", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101", "LuaSocket 3.1" }
local statuses = { 200, 200, 200, 200, 301, 304, 404, 500 }
local lines = {}
for i = 1, 40000 do
  lines[i] = ("%d.%d.%d.%d - - [20/Nov/2026:%02d:%02d:%02d +0000] \"GET %s HTTP/1.1\" %d %d \"-\" \"%s\"\n"):format(
    random(223) + 1, random(256), random(256), random(256), random(24), random(60), random(60),
    paths[random(#paths) + 1], statuses[random(#statuses) + 1], random(100000), agents[random(#agents) + 1])
end
local text = table.concat(lines)

local function compiled(pattern)
  local native = rex.new(pattern)
  assert(native:jit_compile())
  return regexp.compile(pattern, { unicode = false }), { rex.new(pattern), native }
end

local status, rex_status = compiled [["\s(?:404|500)\s]]
local agent, rex_agent = compiled [[(?i)mozilla|luasocket|wget]]
local request, rex_request = compiled [["(GET|HEAD|POST) ([^ ?"]*)[^"]*" (\d{3})]]
local address, rex_address = compiled [[\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}]]
local time, rex_time = compiled [[\[(\d+)/(\w+)/(\d+):([\d:]+) ]]
local short, rex_short = compiled [["\s(\d{3})\s(\d+)]]

local lpeg_status
if lpeg then
  local one = lpeg.P "\" " * (lpeg.P "404" + "500") * " "
  local counted = lpeg.Cf(lpeg.Cc(0) * (one * lpeg.Cc(1) + 1) ^ 0, function(sum, found) return sum + found end)
  lpeg_status = function() return counted:match(text) end
end

local function total(iterator)
  local count, bytes = 0, 0
  for a, b, c in iterator do
    count, bytes = count + 1, bytes + #a + (b and #b or 0) + (c and #c or 0)
  end
  return count .. " " .. bytes
end

local function each_line(find)
  local sum = 0
  for i = 1, #lines do
    local _, last, code = find(lines[i])
    sum = sum + last + code
  end
  return sum
end

local function digest(made, count)
  return count .. " " .. #made .. " " .. made:sub(1, 200) .. made:sub(-200)
end

local function shout(word) return word:upper() end

-- Each row has what the plugin does, what lrexlib does with a pattern of its own, and that pattern.
local rows = {
  { "count rare matches", function() return status:count(text) end,
    function(pattern) return rex.count(text, pattern) end, rex_status, lpeg_status },
  { "count words, any case", function() return agent:count(text) end,
    function(pattern) return rex.count(text, pattern) end, rex_agent },
  { "gmatch", function() return total(address:gmatch(text)) end,
    function(pattern) return total(rex.gmatch(text, pattern)) end, rex_address },
  { "gmatch, three groups", function() return total(request:gmatch(text)) end,
    function(pattern) return total(rex.gmatch(text, pattern)) end, rex_request },
  { "find in each line", function() return each_line(function(line) return short:find(line) end) end,
    function(pattern) return each_line(function(line) return pattern:find(line) end) end, rex_short },
  { "gsub, a text", function() return digest(address:gsub(text, "-")) end,
    function(pattern) return digest(rex.gsub(text, pattern, "-")) end, rex_address },
  { "gsub, groups", function() return digest(time:gsub(text, "[$3 $2 $1 $4 ")) end,
    function(pattern) return digest(rex.gsub(text, pattern, "[%3 %2 %1 %4 ")) end, rex_time },
  { "gsub, a function", function() return digest(agent:gsub(text, shout)) end,
    function(pattern) return digest(rex.gsub(text, pattern, shout)) end, rex_agent },
}

for _, row in ipairs(rows) do
  local name, mine, theirs, patterns, grammar = row[1], row[2], row[3], row[4], row[5]
  local sides = {
    { "cygnixy: regexp", mine },
    { "lrexlib-pcre2", function() return theirs(patterns[1]) end },
    { "lrexlib-pcre2, jit", function() return theirs(patterns[2]) end },
  }
  if grammar then sides[4] = { "lpeg", grammar } end
  local expected = tostring(mine())
  for repetition = 0, math.min(samples.repetitions, 15) do
    for _, side in ipairs(sides) do
      collectgarbage()
      collectgarbage()
      local found
      local seconds = samples.time(function() found = side[2]() end)
      assert(tostring(found) == expected, side[1] .. " finds something else: " .. name)
      -- The first is for warming up.
      if repetition > 0 then samples.add("examples", "regexp: " .. name, side[1], "ms", seconds * 1e3) end
    end
  end
end
