-- `load` with the SHA-256 of the file.

local support = require("support")
local cygnixy = require("cygnixy")

describe("load with a hash", function()
  local path, hash_a, hash_b

  before_each(function()
    path = support.copy(support.fixture("twin_a"), "twin.so")
    hash_a, hash_b = support.sha256(support.fixture("twin_a")), support.sha256(support.fixture("twin_b"))
  end)

  after_each(function()
    support.unload_all(cygnixy)
  end)

  it("loads a file of that content", function()
    assert.equal("a", cygnixy.load(path, { sha256 = hash_a }).which())
    support.unload_all(cygnixy)
    assert.equal("a", cygnixy.load(path, { sha256 = hash_a:upper() }).which())
  end)

  it("refuses another with both hashes, and loads nothing", function()
    support.has(support.failure(cygnixy.load, path, { sha256 = hash_b }), "cannot load plugin '" .. path,
      "SHA-256: expected " .. hash_b .. ", found " .. hash_a, "no code of it was run")
    assert.equal(0, #cygnixy.list())
    -- Also after the content was loaded and kept.
    cygnixy.unload(cygnixy.load(path))
    support.has(support.failure(cygnixy.load, path, { sha256 = hash_b }), "found " .. hash_a)
    assert.equal("a", cygnixy.load(path, { sha256 = hash_a }).which())
  end)

  it("says what is no hash", function()
    for _, wrong in ipairs({ "", "abc", hash_a .. "0", "g" .. hash_a:sub(2) }) do
      support.has(support.failure(cygnixy.load, path, { sha256 = wrong }),
        "bad argument #2 to 'load' (field 'sha256': expected 64 hexadecimal digits, found ")
    end
    assert.equal("bad argument #2 to 'load' (field 'sha256': string expected, got number)",
      support.failure(cygnixy.load, path, { sha256 = 12 }))
    assert.equal("bad argument #2 to 'load' (table expected, got string)", support.failure(cygnixy.load, path, hash_a))
  end)

  it("checks what is loaded already", function()
    local twin = cygnixy.load(path)
    assert.equal(twin, cygnixy.load(path, { sha256 = hash_a }))
    support.has(support.failure(cygnixy.load, path, { sha256 = hash_b }), "expected " .. hash_b .. ", found " .. hash_a)
    support.replace(path, support.fixture("twin_b"))
    assert.equal(twin, cygnixy.load(path, { sha256 = hash_a }))
    support.has(support.failure(cygnixy.load, path, { sha256 = hash_b }), "expected " .. hash_b .. ", found " .. hash_a)
  end)

  it("does not guess what was loaded from a file that has changed", function()
    local twin = cygnixy.load(path)
    support.replace(path, support.fixture("twin_b"))
    for _, hash in ipairs({ hash_a, hash_b }) do
      support.has(support.failure(cygnixy.load, path, { sha256 = hash }), "its SHA-256 cannot be told",
        "the file has changed since it was loaded")
    end
    assert.equal("a", twin.which())
  end)

  it("holds for reloads, until the plugin is unloaded", function()
    for _, asked in ipairs({ "at once", "later" }) do
      support.replace(path, support.fixture("twin_a"))
      local twin = cygnixy.load(path, asked == "at once" and { sha256 = hash_a } or nil)
      cygnixy.load(path, { sha256 = hash_a })
      assert.is_true(cygnixy.reload(twin).reloaded)
      cygnixy.watch(twin, { quiet = 0 })
      support.replace(path, support.fixture("twin_b"))
      local problem = "SHA-256: expected " .. hash_a .. ", found " .. hash_b
      support.has(support.failure(cygnixy.reload, twin), "cannot reload plugin 'twin' from ", problem)
      local results
      repeat results = cygnixy.poll() until #results > 0
      assert.is_false(results[1].ok)
      support.has(results[1].error, problem)
      assert.equal("a", twin.which())
      cygnixy.unload(twin)
      local other = cygnixy.load(path)
      support.replace(path, support.fixture("twin_a"))
      assert.is_true(cygnixy.reload(other).reloaded)
      cygnixy.unload(other)
    end
  end)

  it("refuses options that there are not", function()
    local wrong = { { sha265 = hash_a }, { SHA256 = hash_a }, { sha256 = hash_a, trust = true }, { hash_a } }
    for _, options in ipairs(wrong) do
      support.has(support.failure(cygnixy.load, path, options), "bad argument #2 to 'load' (unknown field '",
        "', expected 'sha256' or 'trusted')")
    end
    assert.equal(0, #cygnixy.list())
    local twin = cygnixy.load(path)
    support.has(support.failure(cygnixy.watch, twin, { quite = 1 }), "unknown field 'quite', expected 'quiet'")
    support.has(support.failure(cygnixy.unload, twin, { colect = false }), "unknown field 'colect', expected 'collect'")
    assert.equal("a", twin.which())
  end)

  it("maps a copy even if the file itself is to be mapped", function()
    local script = ([[
      require("cygnixy").load(%q, %s)
      for line in io.lines("/proc/self/maps") do
        if line:find(%q, 1, true) then io.write("in place") break end
      end
    ]])
    local options = { env = { CYGNIXY_IN_PLACE = "1" } }
    assert.equal("in place", support.output(script:format(path, "nil", path), options))
    assert.equal("", support.output(script:format(path, ("{ sha256 = %q }"):format(hash_a), path), options))
  end)

  it("takes nothing but that content while the file is being changed", function()
    local go = support.new_file("go", "")
    -- Renames one over the other, and overwrites in place, until `go` is gone.
    local swapping = io.popen(([[
      while [ -e %s ]; do
        ln -f %s %s && mv -f %s %s
        ln -f %s %s && mv -f %s %s
        cp -f %s %s && mv -f %s %s
        cat %s > %s
      done]]):gsub("%%s", (function()
        local a, b = support.copy(support.fixture("twin_a")), support.copy(support.fixture("twin_b"))
        local new = path .. ".new"
        local words = { go, a, new, new, path, b, new, new, path, a, new, new, path, b, path }
        local at = 0
        return function()
          at = at + 1
          return support.quote(words[at])
        end
      end)()), "r")
    local taken, refused = 0, 0
    repeat
      local ok, result = pcall(cygnixy.load, path, { sha256 = hash_a })
      if ok then
        taken = taken + 1
        local which = result.which()
        if which ~= "a" then break end
        cygnixy.unload(result)
      else
        refused = refused + 1
      end
    until (taken >= 30 and refused >= 30) or taken + refused > 20000
    os.remove(go)
    swapping:close()
    assert(taken >= 30 and refused >= 30, taken .. " taken, " .. refused .. " refused")
  end)
end)
