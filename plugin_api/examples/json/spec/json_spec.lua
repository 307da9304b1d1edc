local cygnixy = require "cygnixy"

-- The tests of cygnixy tell where the plugins are; elsewhere a bare name finds the installed one.
local folder = os.getenv "CYGNIXY_TEST_PLUGINS"
local file = folder and folder .. "/json.so" or "json"

local has_integers = math.type ~= nil

-- Numbers that are the same in every Lua and every run.
local seed
local function random(limit)
  seed = (seed * 16807) % 2147483647
  return seed % limit
end

local function message_of(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return message
end

describe("json", function()
  local json

  before_each(function()
    seed = 20261123
    json = cygnixy.load(file)
  end)
  after_each(function() cygnixy.unload(json) end)

  local function refuses(text, what)
    local message = message_of(json.decode, text)
    assert.truthy(message:find("cannot decode JSON: " .. what, 1, true), message)
  end

  local function cannot_encode(value, what)
    local message = message_of(json.encode, value)
    assert.truthy(message:find("cannot encode value" .. what, 1, true), message)
  end

  it("decodes every kind of value", function()
    local value = json.decode [[ {"text": "a\u00e9\n\ud83d\ude00\\", "list": [1, 2.5, true, false, null], "": {}} ]]
    assert.equal("aé\n😀\\", value.text)
    assert.equal(5, #value.list)
    assert.equal(1, value.list[1])
    assert.equal(2.5, value.list[2])
    assert.is_true(value.list[3])
    assert.is_false(value.list[4])
    assert.equal(json.null(), value.list[5])
    assert.same({}, value[""])
    assert.equal(7, json.decode "7")
    assert.equal("x", json.decode [["x"]])
  end)

  it("encodes what it has decoded to the same text", function()
    for _, text in ipairs {
      "[]", "{}", "[[],{},[{}]]", "null", "[null,null]", "true", [["\u0000\u001f\"\\/é"]], "[1,-2,2.5,1e+300]",
      [=[{"a":{"b":{"c":[[[1]]]}}}]=], "-9007199254740991", "0.1", "1.7976931348623157e+308",
    } do
      assert.equal(text, json.encode(json.decode(text)))
    end
  end)

  it("keeps integers and floats apart where Lua does", function()
    assert.equal(has_integers and "[1,1.0]" or "[1,1]", json.encode(json.decode "[1, 1.0]"))
    assert.equal(-math.huge, 1 / json.decode "-0")
    assert.equal(9223372036854775807, json.decode "9223372036854775807")
    if has_integers then
      assert.equal("9223372036854775807", json.encode(json.decode "9223372036854775807"))
    end
    assert.equal(18446744073709551615, json.decode "18446744073709551615")
    assert.equal(1.5e30, json.decode "1500000000000000000000000000000")
    assert.equal(0, json.decode "1e-999")
    refuses("[1e999]", "number out of range at line 1 column 6")
  end)

  it("tells where a text is wrong", function()
    refuses("", "EOF while parsing a value at line 1 column 0")
    refuses("{\"a\":\n  tru}", "expected ident at line 2 column 6")
    refuses("[1, 2,]", "trailing comma at line 1 column 7")
    refuses("[1] 2", "trailing characters at line 1 column 5")
    refuses("{1: 2}", "key must be a string at line 1 column 2")
    refuses("[01]", "invalid number at line 1 column 3")
    refuses("[NaN]", "expected value at line 1 column 2")
    refuses("\"a\0b\"", "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 3")
    refuses("\0", "expected value at line 1 column 1")
    refuses("[\"\255\"]", "invalid unicode code point at line 1 column 3")
    refuses([["\ud800"]], "unexpected end of hex escape at line 1 column 8")
    refuses([["\udc00"]], "lone leading surrogate in hex escape at line 1 column 7")
    local message = message_of(function() return json.decode "[" .. "" end)
    assert.truthy(message:find "json_spec%.lua:%d+: cannot decode JSON: EOF", message)
  end)

  it("takes the last of equal keys", function()
    assert.same({ a = 2 }, json.decode [[{"a": 1, "a": 2}]])
  end)

  it("tells which value is no JSON", function()
    local loop = { 1, { x = {} } }
    loop[2].x.y = loop
    cannot_encode(loop, "[2].x.y[2].x.y[2]")
    assert.truthy(message_of(json.encode, loop):find "%.%.%.: the table contains itself$")
    cannot_encode({ 1, { a = { 0 / 0 } } }, "[2].a[1]: the number NaN")
    cannot_encode({ math.huge }, "[1]: the number inf")
    cannot_encode(print, ": a function cannot be written as JSON")
    cannot_encode({ a = { {}, { b = io.stdout } } }, ".a[2].b: a userdata")
    cannot_encode({ ["a b"] = { "x", "y\255" } }, "[\"a b\"][2]: the string is not valid UTF-8 from its byte 2 on")
    cannot_encode({ { ["\255"] = 1 } }, "[1]: a key that is not valid UTF-8")
    cannot_encode({ a = { 1, nil, 3 } }, ".a: a")
    cannot_encode({ 1, 2, x = 3 }, ": a table with elements 1 to 2 and other keys")
    cannot_encode({ { [3] = 1 } }, "[1]: a")
    cannot_encode({ { [true] = 1 } }, "[1]: a key of type boolean")
    cannot_encode(json.array { x = 1 }, ": an array without an element 1")
    cannot_encode(json.object { 1 }, ": a key of type number")
  end)

  it("encodes nil and its own null", function()
    assert.equal("null", json.encode(nil))
    assert.equal("[null]", json.encode { json.null() })
  end)

  it("tells arrays and objects apart", function()
    assert.equal("{}", json.encode {})
    assert.equal("[]", json.encode(json.array()))
    assert.equal("[]", json.encode(json.array {}))
    assert.equal("{}", json.encode(json.object(json.array {})))
    local list = json.decode "[1]"
    list[1] = nil
    assert.equal("[]", json.encode(list))
    -- Elements that are not in the array part of the table, in any order.
    local backwards = {}
    for i = 40, 1, -1 do backwards[i] = i end
    local forwards = {}
    for i = 1, 40 do forwards[i] = i end
    assert.equal(json.encode(forwards), json.encode(backwards))
    local message = message_of(json.array, setmetatable({}, {}))
    assert.truthy(message:find("the table has another metatable", 1, true), message)
  end)

  it("gives a negative zero back as one", function()
    for _, text in ipairs { "-0", "-0.0", "-0e3" } do
      local zero = json.decode(text)
      assert.equal("-0.0", json.encode(zero))
      assert.equal(-math.huge, 1 / zero)
    end
    assert.equal("0", json.encode(0))
  end)

  it("writes keys in order, and on many lines", function()
    local value = { b = json.array {}, a = { 1, { x = 2 } }, ["é"] = {} }
    assert.equal([[{"a":[1,{"x":2}],"b":[],"é":{}}]], json.encode(value, { sorted = true }))
    assert.equal('{\n\t"a": [\n\t\t1\n\t]\n}', json.encode({ a = { 1 } }, { pretty = "\t" }))
    assert.equal('[\n  1\n]', json.encode({ 1 }, { pretty = true }))
    assert.equal("[1]", json.encode({ 1 }, { pretty = false }))
    assert.truthy(message_of(json.encode, {}, { prety = true }):find("unknown option 'prety'", 1, true))
    assert.truthy(message_of(json.encode, {}, { sorted = 1 }):find("option 'sorted': a boolean expected", 1, true))
    assert.truthy(message_of(json.encode, {}, { pretty = 1 }):find("option 'pretty': a boolean or a string", 1, true))
    for _, indent in ipairs { "--", "\255", " x" } do
      assert.truthy(message_of(json.encode, {}, { pretty = indent }):find("an indentation is white space", 1, true))
    end
    assert.truthy(message_of(json.encode, {}, 7):find("options: a table expected, got number", 1, true))
    assert.truthy(message_of(json.encode, {}, { "pretty" }):find("options: names are strings, got a number", 1, true))
    assert.equal("[1]", json.encode({ 1 }, nil))
    -- What else is passed is not in the way.
    assert.equal("[1]", json.encode({ 1 }, nil, {}, {}, {}))
  end)

  it("goes a thousand levels deep and no further, in coroutines too", function()
    local function deep(levels) return ("["):rep(levels) .. ("]"):rep(levels) end
    local function check()
      assert.equal(deep(1000), json.encode(json.decode(deep(1000))))
      refuses(deep(1001), "nested deeper than 1000 levels at line 1 column 100")
      refuses(("["):rep(100000), "nested deeper than 1000 levels")
      refuses(('{"a":'):rep(100000), "nested deeper than 1000 levels")
      local value = {}
      for _ = 1, 1000 do value = { value } end
      local message = message_of(json.encode, value)
      assert.truthy(message:find("[1]...: nested deeper than 1000 levels", 1, true), message)
      return true
    end
    assert.is_true(check())
    assert.is_true(coroutine.wrap(check)())
  end)

  it("gives back random values", function()
    local function value(levels)
      local kind = random(levels > 0 and 8 or 6)
      if kind == 0 then return random(2) == 0 end
      if kind == 1 then return json.null() end
      if kind == 2 then return random(2 ^ 30) - 2 ^ 29 end
      if kind == 3 then return (random(2 ^ 30) - 2 ^ 29) / (random(2 ^ 20) + 1) * 10 ^ (random(200) - 100) end
      if kind < 6 then
        local characters = { "a", "\"", "\\", "\n", "\0", "é", "😀", "\127", "/", " " }
        local parts = {}
        for i = 1, random(12) do parts[i] = characters[random(#characters) + 1] end
        return table.concat(parts)
      end
      local made = kind == 6 and json.array() or json.object()
      for i = 1, random(6) do
        made[kind == 6 and i or ("k%d"):format(random(100))] = value(levels - 1)
      end
      return made
    end
    for _ = 1, 300 do
      local original = value(5)
      local style = { sorted = random(2) == 0, pretty = random(2) == 0 }
      local text = json.encode(original, style)
      local again = json.decode(text)
      assert.same(original, again)
      assert.equal(json.encode(original, { sorted = true }), json.encode(again, { sorted = true }))
    end
  end)

  it("survives texts with random changes", function()
    local text = [=[{"a": [1, -2.5e3, "x\u00e9\n", null, true], "b": {"c": [[], {}, false]}, "": "é\\\""}]=]
    local bytes = { "{", "}", "[", "]", "\"", "\\", ",", ":", "e", "-", "0", "u", "\0", "\255", "\195", " " }
    local decoded, refused = 0, 0
    for _ = 1, 5000 do
      local changed = text
      for _ = 1, random(3) + 1 do
        local at = random(#changed)
        local kind = random(3)
        local new = kind == 0 and "" or bytes[random(#bytes) + 1]
        changed = changed:sub(1, at) .. new .. changed:sub(at + (kind == 2 and 1 or 2))
      end
      local ok, value = pcall(json.decode, changed)
      if ok then
        decoded = decoded + 1
        local again = json.encode(value, { sorted = true })
        assert.equal(again, json.encode(json.decode(again), { sorted = true }))
      else
        refused = refused + 1
        assert.truthy(value:find "cannot decode JSON: .* at line %d+ column %d+$", value)
      end
    end
    assert.is_true(decoded > 100 and refused > 100)
  end)

  it("may be used by finalisers that run while it makes tables", function()
    local text = "[" .. ("{\"a\":[1,2,3]},"):rep(2000) .. "0]"
    local runs, may_fail = 0, false
    local function finalise()
      runs = runs + 1
      assert(json.encode(json.decode "[[1],{}]") == "[[1],{}]")
      if may_fail and runs % 2 == 0 then error "a finaliser fails" end
    end
    local function litter()
      if newproxy then
        getmetatable(newproxy(true)).__gc = finalise
      else
        setmetatable({}, { __gc = finalise })
      end
    end
    for _ = 1, 50 do
      litter()
      -- A failing finaliser may be an error of whoever makes tables; in Lua 5.2 of whoever calls `pcall`.
      may_fail = _VERSION ~= "Lua 5.2"
      pcall(json.decode, text)
      may_fail = false
    end
    for _ = 1, 200 do collectgarbage() end
    assert.is_true(runs > 10)
    assert.equal(2001, #json.decode(text))
  end)

  it("leaves nothing behind that keeps the library, and values stay", function()
    local value = json.decode [=[{"list": [1, [2]], "none": null}]=]
    local report = cygnixy.unload(json)
    assert.equal(2, #value.list)
    assert.is_true(report.unmapped, report.text)
    assert.truthy(message_of(json.decode, "1"):find "plugin 'json' has been unloaded")
    json = cygnixy.load(file)
    assert.equal("[]", json.encode(setmetatable({}, getmetatable(value.list))))
  end)

  it("says what its functions take", function()
    assert.truthy(cygnixy.help(json, "encode"):find("sorted", 1, true))
    assert.truthy(message_of(json.decode):find "bad argument #1 to '.-' %(string expected, got no value%)")
    assert.truthy(message_of(json.decode, {}):find "string expected, got table")
  end)
end)
