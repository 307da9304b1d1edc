local cygnixy = require "cygnixy"

-- The tests of cygnixy tell where the plugins are; elsewhere a bare name finds the installed one.
local folder = os.getenv "CYGNIXY_TEST_PLUGINS"
local file = folder and folder .. "/regexp.so" or "regexp"

local function message_of(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return message
end

local function says(what, f, ...)
  local message = message_of(f, ...)
  assert.truthy(message:find(what, 1, true), message)
end

-- What an iterator gives, each time as one text.
local function all(iterator)
  local found = {}
  for a, b, c in iterator do found[#found + 1] = tostring(a) .. "|" .. tostring(b) .. "|" .. tostring(c) end
  return found
end

describe("regexp", function()
  local regexp

  before_each(function() regexp = cygnixy.load(file) end)
  after_each(function()
    cygnixy.unload(regexp)
    -- What a test has held is garbage by now, and leaves nothing behind.
    for _, report in ipairs(cygnixy.collect()) do
      assert.is_true(report.unmapped or report.name ~= "regexp", report.text)
    end
  end)

  it("tells whether a pattern occurs", function()
    local word = regexp.compile [[\bcat\b]]
    assert.is_true(word:is_match "a cat")
    assert.is_false(word:is_match "concatenate")
    assert.is_false(word:is_match("cat", 2))
    assert.equal([[regexp: \bcat\b]], tostring(word))
  end)

  it("finds as string.find does", function()
    local digits = regexp.compile "[0-9]+"
    for _, case in ipairs {
      { "ab12c" }, { "" }, { "12", 2 }, { "12", 3 }, { "12", 4 }, { "12", -1 }, { "12", -9 }, { "12", 0 },
      { "1\0002", 2 }, { "a\0\25512" },
    } do
      assert.same({ case[1]:find("[0-9]+", case[2]) }, { digits:find(case[1], case[2]) })
      assert.same({ case[1]:match("[0-9]+", case[2]) }, { digits:match(case[1], case[2]) })
    end
    local pair = regexp.compile "(\\w+)=(\\w*)"
    assert.same({ 3, 7, "key", "v" }, { pair:find "; key=v;" })
    assert.same({ "key", "" }, { pair:match "key=" })
    assert.is_nil(pair:find "none")
    -- What is before the position is seen all the same.
    assert.is_nil(regexp.compile "^b":find("ab", 2))
  end)

  it("gives groups by number and by name", function()
    local date = regexp.compile [[(?<year>\d{4})-(?<month>\d\d)(-\d\d)?]]
    assert.same({ [0] = "2026-11", "2026", "11", false, year = "2026", month = "11" }, date:captures "on 2026-11.")
    assert.same({ "2026", "11", false }, { date:match "2026-11" })
    assert.is_nil(date:captures "never")
  end)

  it("goes through all matches", function()
    local empty_too = regexp.compile "a*"
    assert.same({ "aa|nil|nil", "|nil|nil", "a|nil|nil" }, all(empty_too:gmatch "aabba"))
    assert.equal(3, empty_too:count "aabba")
    assert.equal(1, empty_too:count "")
    assert.same({ "|nil|nil" }, all(empty_too:gmatch ""))
    -- A group that took no part does not end the loop.
    local either = regexp.compile "(x)|(y)|z"
    assert.same({ "x|false|nil", "false|y|nil", "false|false|nil" }, all(either:gmatch "xyz"))
  end)

  it("replaces by a text, a table or a function", function()
    local pair, digits = regexp.compile [[(?<key>\w+)=(\w*)]], regexp.compile "[0-9]"
    local text = "a=1, b=, c"
    assert.same({ "1:a$, :b$, c", 2 }, { pair:gsub(text, "$2:${key}$$") })
    assert.same({ "[a=1], b=, c", 1 }, { pair:gsub(text, "[$0]", 1) })
    assert.same({ text, 0 }, { pair:gsub(text, "x", 0) })
    assert.same({ text, 0 }, { pair:gsub(text, "x", -1) })
    assert.same({ text, 0 }, { pair:gsub(text, function() error "none is called" end, -1) })
    assert.same({ "[1], b=, c", 1 }, { pair:gsub(text, function(_, value) return "[" .. value .. "]" end, 1) })
    assert.same({ "7-7-", 2 }, { regexp.compile "x":gsub("x-x-", 7) })
    assert.same({ "1.5", 1 }, { regexp.compile "x":gsub("x", 1.5) })
    assert.same({ "<1><2>", 2 }, { regexp.compile "[0-9]":gsub(12, function(digit) return "<" .. digit .. ">" end) })
    assert.same({ "A, b=, c", 2 }, { pair:gsub(text, { a = "A", b = false }) })
    assert.same({ "1a, b, c", 2 }, { pair:gsub(text, function(key, value) return value .. key end) })
    assert.same({ "a=1, b=, c", 2 }, { pair:gsub(text, function() end) })
    assert.same({ "7-7-", 2 }, { regexp.compile "x":gsub("x-x-", function() return 7 end) })
    assert.same({ "-a-b-", 3 }, { regexp.compile "":gsub("ab", "-") })
    assert.same({ "-a-b-", 3 }, { regexp.compile "":gsub("ab", function() return "-" end) })
    -- Texts are bytes.
    assert.same({ "-\195-\169-", 3 }, { regexp.compile "":gsub("\195\169", "-") })
    local doubled = setmetatable({}, { __index = function(_, key) return key .. key end })
    assert.same({ "aa, bb, c", 2 }, { pair:gsub(text, doubled) })
    assert.same({ "a=1, b=, c", 2 }, { pair:gsub(text, setmetatable({}, { __metatable = false })) })
    local counts = {}
    pair:gsub(text, function(...) counts[#counts + 1] = select("#", ...) end)
    assert.same({ 2, 2 }, counts)
    -- One group of several may be missing, and the only one.
    assert.same({ "[x|false][false|y]", 2 }, { regexp.compile "(x)|(y)":gsub("xy", function(x, y)
      return "[" .. tostring(x) .. "|" .. tostring(y) .. "]"
    end) })
    assert.same({ "x[false]", 2 }, { regexp.compile "(x)|y":gsub("xy", function(x) return x or "[false]" end) })
    says("bad replacement: the pattern has no group 'value'", pair.gsub, pair, text, "${value}")
    says("bad replacement: the pattern has no group '3'", pair.gsub, pair, text, "$3")
    says("bad replacement: '${' without '}'", pair.gsub, pair, text, "${key")
    says("bad replacement (string, table or function expected, got boolean)", pair.gsub, pair, text, true)
    says("invalid replacement value (a table)", pair.gsub, pair, text, function() return {} end)
    says("invalid replacement value (a boolean)", pair.gsub, pair, text, function() return true end)
    says("invalid replacement value (a table)", digits.gsub, digits, "1", function() return {} end)
    says("invalid replacement value (a table)", digits.gsub, digits, "1", { ["1"] = {} })
  end)

  it("splits", function()
    local comma = regexp.compile [[\s*,\s*]]
    assert.same({ "a", "b", "", "c" }, comma:split "a , b,,c")
    assert.same({ "a", "b,,c" }, comma:split("a , b,,c", 2))
    assert.same({ "" }, comma:split "")
    assert.same({}, comma:split("a,b", 0))
    assert.same({}, comma:split("a,b", -1))
  end)

  it("works on bytes", function()
    local bytes = regexp.compile([[(?-u:\xff)\x00(.)]], { unicode = false, dot_all = true })
    assert.same({ 2, 4, "\254" }, { bytes:find "a\255\0\254" })
    local unicode = regexp.compile "^.$"
    assert.is_true(unicode:is_match "é")
    assert.is_false(regexp.compile("^.$", { unicode = false }):is_match "é")
  end)

  it("takes options", function()
    assert.is_true(regexp.compile("STRASSE", { ignore_case = true }):is_match "strasse")
    assert.equal(2, regexp.compile("^a", { multi_line = true }):count "a\na")
    assert.is_true(regexp.compile("a.b", { dot_all = true }):is_match "a\nb")
    assert.is_true(regexp.compile("a b # both", { extended = true }):is_match "ab")
    says("size limit of 100", regexp.compile, [[\w{100}]], { size_limit = 100 })
    says("unknown option 'ignorecase'", regexp.compile, "a", { ignorecase = true })
    says("option 'dot_all': a boolean expected, got string", regexp.compile, "a", { dot_all = "yes" })
    says("option 'size_limit': a number of bytes expected", regexp.compile, "a", { size_limit = -1 })
    assert.equal([[a\.b\*]], regexp.escape "a.b*")
  end)

  it("shows where a pattern is wrong", function()
    local message = message_of(regexp.compile, "ab(c")
    assert.truthy(message:find("    ab(c\n      ^\nerror: unclosed group", 1, true), message)
    says("look-around, including look-ahead and look-behind, is not supported", regexp.compile, "a(?=b)")
    says("backreferences are not supported", regexp.compile, [[(a)\1]])
  end)

  it("answers where backtracking would not end", function()
    local text = ("a"):rep(5000)
    for _, pattern in ipairs { "^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)x" } do
      assert.is_false(regexp.compile(pattern):is_match(text .. "!"))
    end
    -- Even the worst for those that do not backtrack: optional ones before as many that are not.
    local optional = regexp.compile("^" .. ("a?"):rep(500) .. ("a"):rep(500) .. "$")
    assert.is_true(optional:is_match(("a"):rep(500)))
    assert.is_false(optional:is_match(("a"):rep(499)))
  end)

  -- Not so all matches of a text, one after the other: counting them here would take the square of its length.
  it("takes linear time for one search, however far it looks for a match that is short", function()
    local text = ("A"):rep(1000000)
    local pattern = regexp.compile ".*[^A-Z]|([A-Z])"
    assert.same({ 1, 1, "A" }, { pattern:find(text) })
    assert.same({ 500000, 500000, "A" }, { pattern:find(text, 500000) })
    assert.equal("A", pattern:match(text))
    assert.equal("A", pattern:captures(text)[1])
    assert.is_true(pattern:is_match(text))
    assert.equal("A", pattern:gmatch(text)())
    assert.equal(1, select(2, pattern:gsub(text, "B", 1)))
  end)

  it("names the argument that does not fit, without counting the pattern", function()
    local pattern = regexp.compile "a"
    local function refuses(what, f)
      local message = message_of(f)
      assert.truthy(message:find("^[^\n]*regexp_spec%.lua:%d+: "), message)
      assert.truthy(message:find(what, 1, true), message)
    end
    refuses("bad argument #1 to 'find' (string expected, got table)", function() return (pattern:find {}) end)
    refuses("bad argument #1 to 'captures' (string expected, got table)", function() return (pattern:captures {}) end)
    refuses("bad argument #2 to 'captures' (number expected, got table)", function()
      return (pattern:captures("a", {}))
    end)
    refuses("bad argument #1 to 'gmatch' (string expected, got no value", function() return (pattern:gmatch()) end)
    refuses("bad argument #1 to 'gsub' (string expected, got table", function() return (pattern:gsub {}) end)
    refuses("bad argument #3 to 'gsub' (number expected, got table)", function()
      return (pattern:gsub("a", "b", {}))
    end)
    refuses("bad argument #1 to 'split' (string expected, got nil)", function() return (pattern:split(nil)) end)
    refuses("bad argument #2 to 'split' (number expected, got string)", function()
      return (pattern:split("a", "many"))
    end)
    refuses("calling 'gsub' on bad self (Pattern expected, got string)", function() return (pattern.gsub("a", "b")) end)
  end)

  it("refuses what is not its own", function()
    local pattern = regexp.compile "a"
    says("Pattern", pattern.find, io.stdout, "a")
    assert.is_false(pcall(pattern.find, "a"))
    assert.is_false(pcall(pattern.find, pattern))
    says("unfinished", pattern.gsub, pattern, "a", function() error("unfinished", 0) end)
  end)

  it("passes a callback's error on as it is, and can be used again", function()
    local pattern = regexp.compile "."
    local ok, message = pcall(function()
      return pattern:gsub("abc", function(c) if c == "b" then error "no b" end end)
    end)
    assert.is_false(ok)
    assert.truthy(message:find "^[^\n]*regexp_spec%.lua:%d+: no b$", message)
    local problem = setmetatable({}, { __tostring = function() return "a problem" end })
    local function fail() error(problem) end
    for _, failing in ipairs { fail, setmetatable({}, { __index = fail }) } do
      for _, failed in ipairs { pattern, regexp.compile "(.)(.)" } do
        ok, message = pcall(failed.gsub, failed, "abc", failing)
        assert.is_false(ok)
        assert.is_true(rawequal(problem, message))
      end
    end
    for _, text in ipairs { "", "a\nstack traceback:\n\tb" } do
      ok, message = pcall(pattern.gsub, pattern, "abc", function() error(text, 0) end)
      assert.is_false(ok)
      assert.equal(text, message)
    end
    assert.equal("xxx", (pattern:gsub("abc", "x")))
    -- A pattern may be used while it replaces.
    local inner = {}
    pattern:gsub("abc", function(c) inner[#inner + 1] = pattern:gsub(c .. c, "-") end)
    assert.same({ "--", "--", "--" }, inner)
  end)

  it("lets a callback yield", function()
    for _, pattern in ipairs { regexp.compile ".", regexp.compile "(.)()" } do
      local step = coroutine.wrap(function() return pattern:gsub("abc", coroutine.yield) end)
      assert.same({ "a", "b", "c" }, { (step()), (step "x"), (step()) })
      assert.same({ "xbz", 3 }, { step "z" })
      step = coroutine.wrap(function()
        for c in pattern:gmatch "abc" do coroutine.yield(c) end
      end)
      assert.same({ "a", "b", "c" }, { step(), step(), step() })
    end
  end)

  it("may be unloaded or reloaded from a callback", function()
    local pattern = regexp.compile "."
    local report
    assert.equal("xyy", (pattern:gsub("abc", function(c)
      if c ~= "a" then return "y" end
      report = cygnixy.unload(regexp)
      return "x"
    end)))
    assert.is_false(report.unmapped)
    regexp = cygnixy.load(file)
    pattern = regexp.compile "."
    assert.equal("xx", (pattern:gsub("ab", function()
      cygnixy.reload(regexp)
      return "x"
    end)))
  end)

  it("keeps the library as long as a pattern or an iterator is held", function()
    local pattern, iterator = regexp.compile "(.)(.)", regexp.compile ".":gmatch "abcd"
    assert.equal("a", iterator())
    local report = cygnixy.unload(regexp)
    assert.is_false(report.unmapped)
    assert.truthy(report.text:find "Pattern", report.text)
    assert.same({ "x", "y" }, { pattern:match "xy" })
    assert.equal("b", iterator())
    says("plugin 'regexp' has been unloaded", regexp.compile, "a")
    regexp = cygnixy.load(file)
    -- The new plugin takes the old one's objects for foreign, if its library is another.
    assert.same({ "c", "d" }, { iterator(), iterator() })
    assert.is_nil(iterator())
    assert.is_nil(iterator())
    assert.is_true(regexp.compile "a":is_match "a")
    pattern, iterator = nil, nil
    assert.is_nil(pattern or iterator)
    local last = cygnixy.unload(regexp)
    assert.is_true(last.unmapped, last.text)
    regexp = cygnixy.load(file)
  end)

  it("goes on after a reload", function()
    local pattern, compile = regexp.compile "a", regexp.compile
    local iterator = pattern:gmatch "aa"
    assert.equal("a", iterator())
    cygnixy.reload(regexp)
    assert.equal("a", iterator())
    assert.is_true(pattern:is_match "a")
    assert.is_true(compile "b":is_match "b")
  end)

  it("may be used by finalisers that run while it makes strings", function()
    local pattern, runs = regexp.compile "([a-z])([0-9])", 0
    local function finalise()
      runs = runs + 1
      assert(pattern:match "x1" == "x")
      for letter in pattern:gmatch "a1b2" do assert(#letter == 1) end
    end
    local text = ("a1b2-"):rep(200)
    for _ = 1, 200 do
      if newproxy then
        getmetatable(newproxy(true)).__gc = finalise
      else
        setmetatable({}, { __gc = finalise })
      end
      local count = 0
      for letter, digit in pattern:gmatch(text) do
        assert.truthy(letter == "a" and digit == "1" or letter == "b" and digit == "2")
        count = count + 1
      end
      assert.equal(400, count)
    end
    for _ = 1, 2 do collectgarbage() end
    assert.is_true(runs > 100)
  end)

  it("is described for editors", function()
    local folder_of_spec = debug.getinfo(1, "S").source:match "^@(.*)/spec/[^/]*$"
    local meta = assert(io.open(folder_of_spec .. "/meta/regexp.lua"))
    local text = meta:read "*a"
    meta:close()
    local pattern, described = regexp.compile "a", 0
    for name in text:gmatch "function Pattern:([%w_]+)" do
      assert.equal("function", type(pattern[name]), name)
      described = described + 1
    end
    assert.equal(8, described)
  end)

  it("agrees with Lua's patterns on random texts", function()
    local seed = 20261123
    local function random(limit)
      seed = (seed * 16807) % 2147483647
      return seed % limit
    end
    local pairs_of = {
      { "[a-c]+", "[a-c]+" }, { "a*", "a*" }, { "(a)(b*)", "(a)(b*)" }, { "^a", "^a" }, { "[^a]", "[^a]" },
      { "b$", "b$" }, { "(?s-u)a.c", "a.c" }, { "a*?b", "a-b" }, { "()b", "()b" },
    }
    for _ = 1, 300 do
      local bytes = {}
      for i = 1, random(30) do bytes[i] = ("abcd\0\255"):sub(random(6) + 1):sub(1, 1) end
      local text = table.concat(bytes)
      for _, pair in ipairs(pairs_of) do
        local pattern = regexp.compile(pair[1], { unicode = false })
        local first, last = pattern:find(text)
        assert.same({ first, last }, { (text:find(pair[2])), (select(2, text:find(pair[2]))) })
        assert.equal(text, table.concat(regexp.compile("()", { unicode = false }):split(text)))
        local replaced = pattern:gsub(text, "$0")
        assert.equal(text, replaced)
      end
    end
  end)
end)
