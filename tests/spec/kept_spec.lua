-- A copy of a plugin file is kept in memory after the unload, for when the same content is loaded
-- again. Nobody can tell but by the time that it takes.

local support = require("support")
local cygnixy = require("cygnixy")

local path = support.scratch .. "/kept.so"

-- The open files of this process: a number and what it refers to.
local function open_files()
  local pid = assert(support.read("/proc/self/stat"):match("^%d+"))
  local listing = assert(io.popen("ls -l /proc/" .. pid .. "/fd"))
  local files, count = {}, 0
  for line in listing:lines() do
    local number, target = line:match("(%d+) %-> (.*)$")
    if number then
      files[number], count = target, count + 1
    end
  end
  listing:close()
  return files, count
end

local function life(expected)
  local plugin = cygnixy.load(path)
  assert.equal(expected, plugin.number())
  local report = cygnixy.unload(plugin)
  assert.is_true(report.unmapped, report.text)
end

describe("a copy that is kept", function()
  -- Of one length.
  local versions = { support.read(support.version("1")), support.read(support.version("2")) }
  for i = 1, 2 do
    versions[i] = versions[i] .. ("\n"):rep(math.max(#versions[1], #versions[2]) - #versions[i])
  end

  it("does not hide that the file has changed, whatever its length and times say", function()
    local reference = support.write(support.scratch .. "/reference", "")
    for round = 1, 4 do
      local which = round % 2 + 1
      support.write(path, versions[which])
      assert(os.execute(("touch -r '%s' '%s'"):format(reference, path)))
      life(which)
    end
  end)

  it("does not hide a change of one byte at the end", function()
    support.write(path, versions[1] .. "a")
    life(1)
    support.write(path, versions[1] .. "b")
    local plugin = cygnixy.load(path)
    support.write(path, versions[1] .. "a")
    assert.is_true(cygnixy.reload(plugin).unmapped)
    support.write(path, versions[1]:sub(1, -2) .. "\255")
    assert.is_true(cygnixy.reload(plugin).unmapped)
    assert.equal(1, plugin.number())
    assert.is_true(cygnixy.unload(plugin).unmapped)
  end)

  it("begins anew each time", function()
    support.write(path, versions[1])
    for _ = 1, 5 do
      local plugin = cygnixy.load(path)
      assert.equal(1, plugin.count())
      assert.equal(2, plugin.count())
      assert.is_true(cygnixy.unload(plugin).unmapped)
    end
  end)

  it("cannot be changed by anybody", function()
    support.write(path, versions[2])
    life(2)
    local found = 0
    for number, target in pairs((open_files())) do
      if target:find("memfd:cygnixy:kept.so", 1, true) then
        found = found + 1
        local file = assert(io.open("/proc/self/fd/" .. number, "r+b"))
        file:setvbuf("no")
        local written, problem = file:write("no library")
        file:close()
        assert.is_nil(written)
        support.has(problem, "not permitted")
      end
    end
    assert.is_true(found > 0, "no copy was kept")
    life(2)
  end)

  it("is the only one of its content, whatever was asked for", function()
    local function lives(count)
      for _ = 1, count do
        cygnixy.unload(cygnixy.load(path, { sha256 = support.sha256(path) }))
        life(2)
      end
      local number = 0
      for _, target in pairs((open_files())) do
        if target:find("/memfd:cygnixy:kept.so", 1, true) then number = number + 1 end
      end
      return number
    end
    support.write(path, versions[2])
    local before = lives(1)
    assert.equal(before, lives(5))
  end)

  it("is one of a few", function()
    local function lives(first, last)
      for number = first, last do
        support.write(path, versions[1] .. number)
        life(1)
      end
      -- Files that were opened and forgotten elsewhere count in neither, nor do libraries that stayed mapped
      -- for what was garbage.
      collectgarbage()
      cygnixy.collect()
      return select(2, open_files())
    end
    local before = lives(1, 10)
    assert.equal(before, lives(11, 30))
  end)
end)
