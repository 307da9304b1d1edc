-- Names that are harder than `greet`.

local support = require("support")
local cygnixy = require("cygnixy")

describe("a plugin's name", function()
  support.with_witness(cygnixy)

  it("may have spaces, quotes and letters that are not ASCII", function()
    local name = "Grüße an 'alle' 🦀"
    local plugin = cygnixy.load(support.fixture("odd_name"))
    assert.equal("ja", plugin["sag ja"]())
    assert.equal(plugin, cygnixy.get(name))
    assert.equal(name, cygnixy.list()[2].name)
    assert.same({ "sag ja" }, cygnixy.list()[2].functions)
    assert.is_table(cygnixy.unload(name))
    assert.equal("plugin '" .. name .. "' has been unloaded", support.failure(plugin["sag ja"]))
  end)

  it("may have 300 characters", function()
    local name = ("n"):rep(300)
    local plugin = cygnixy.load(support.fixture("long_name"))
    assert.equal(plugin, cygnixy.get(name))
    local other = support.copy(support.fixture("long_name"))
    support.write(other, support.read(other) .. "\n")
    support.has(support.failure(cygnixy.load, other), "plugin '" .. name .. "'")
    assert.is_table(cygnixy.unload(name))
    assert.equal("plugin '" .. name .. "' has been unloaded", support.failure(plugin.ping))
  end)

  it("is matched as a whole", function()
    for _, other in ipairs({ "gree", "greet ", "greett", "Greet", "greet\0", "" }) do
      assert.is_nil(cygnixy.get(other))
      support.has(support.failure(cygnixy.unload, other), "no plugin named '" .. other .. "' is loaded")
    end
  end)
end)

describe("a plugin's path", function()
  support.with_witness(cygnixy)

  local function loads(path)
    assert.equal("a", cygnixy.load(path).which())
    assert.equal(path, cygnixy.list()[2].path)
    cygnixy.unload("twin")
  end

  it("may have spaces, quotes and letters that are not ASCII", function()
    for _, name in ipairs({ "my plug in.so", "Grüße 🦀.so", "it's.so", "100%s;?.so", "-rf.so", "a\nb.so" }) do
      loads(support.copy(support.fixture("twin_a"), name))
    end
  end)

  it("may be bytes that are no text", function()
    local path = support.copy(support.fixture("twin_a"), "\255\254.so")
    assert.equal("a", cygnixy.load(path).which())
    cygnixy.unload("twin")
    support.has(support.failure(cygnixy.load, path .. "/missing\255.so"), "cannot load plugin", "cannot be read")
  end)

  it("may have a name of 255 characters in a long directory", function()
    local directory = support.new_path(("d"):rep(200) .. "/" .. ("e"):rep(200))
    support.shell("mkdir -p", directory)
    loads(support.write(directory .. "/" .. ("f"):rep(252) .. ".so", support.read(support.fixture("twin_a"))))
  end)

  it("may not have a name of 300 characters", function()
    local path = support.scratch .. "/" .. ("g"):rep(297) .. ".so"
    support.has(support.failure(cygnixy.load, path), path, "cannot be read: File name too long")
  end)

  it("may be absurdly long and is then refused", function()
    local path = ("/long"):rep(100000) .. ".so"
    support.has(support.failure(cygnixy.load, path), "cannot be read: File name too long")
  end)

  it("may not contain a zero byte", function()
    support.has(support.failure(cygnixy.load, support.plugin("greet") .. "\0.so"),
      "cannot load plugin", "cannot be read")
  end)

  it("needs no ending", function()
    loads(support.copy(support.fixture("twin_a"), "twin"))
    loads(support.copy(support.fixture("twin_a"), "twin.so.1.2"))
  end)
end)
