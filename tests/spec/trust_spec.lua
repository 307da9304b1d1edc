-- Files that others can change are not loaded by name. The scratch directory may itself be where others
-- can write, so it is listed as trusted: what is below it is judged.

local support = require("support")
local cygnixy = require("cygnixy")

local listing = io.popen("id -u")
local user = listing:read("*l")
listing:close()

describe("a plugin that is found by name", function()
  local path, trusted = cygnixy.path, cygnixy.trusted
  local outer, inner, file

  before_each(function()
    outer = support.new_path("outer")
    inner, file = outer .. "/inner", outer .. "/inner/greet.so"
    support.shell("mkdir -p", inner)
    support.write(file, support.read(support.plugin("greet")))
    support.shell("chmod 0755", (outer:match("^(.*)/")), outer, inner, file)
    cygnixy.path, cygnixy.trusted = inner .. "/?.so", support.scratch
  end)

  after_each(function()
    cygnixy.path, cygnixy.trusted = path, trusted
    support.unload_all(cygnixy)
  end)

  -- Checks that loading is refused because of a place with a mode.
  local function refused(place, mode, ...)
    local message = support.failure(cygnixy.load, ...)
    support.has(message, "cannot load plugin '", "expected '" .. place .. "' to be writable by root and user "
      .. user .. " alone", "found mode " .. mode, "no code of it was run", "CYGNIXY_TRUSTED")
    assert.equal(0, #cygnixy.list())
  end

  local function loaded()
    assert.equal("Hello, you!", cygnixy.load("greet").hello("you"))
    support.unload_all(cygnixy)
  end

  it("is loaded if nobody else can change it", function()
    loaded()
    support.shell("chmod 0700", outer, inner)
    support.shell("chmod 0400", file)
    loaded()
  end)

  it("is refused if a group or the world can write to it", function()
    for _, mode in ipairs({ "0775", "0646", "0620" }) do
      support.shell("chmod " .. mode, file)
      refused(file, mode, "greet")
    end
  end)

  it("is refused if they can write to a directory on the way, the sticky bit or not", function()
    for _, directory in ipairs({ inner, outer }) do
      for _, mode in ipairs({ "0775", "0757", "1777" }) do
        support.shell("chmod " .. mode, directory)
        refused(directory, mode, "greet")
      end
      support.shell("chmod 0755", directory)
    end
    loaded()
  end)

  if user == "0" then
    it("is refused if it or a directory on the way belongs to another user", function()
      for _, place in ipairs({ file, inner, outer }) do
        support.shell("chown 12345", place)
        refused(place, "0755 and owner 12345", "greet")
        support.shell("chown 0", place)
      end
      loaded()
    end)
  end

  it("is what was judged while it is being exchanged", function()
    local a, b = support.copy(support.fixture("twin_a")), support.copy(support.fixture("twin_b"))
    support.shell("chmod 0644", a)
    support.shell("chmod 0666", b)
    local go, twin = support.new_file("go", ""), inner .. "/twin.so"
    -- Puts one and the other there, and another folder in the place of the folder, until `go` is gone.
    local elsewhere = outer .. "/elsewhere"
    support.shell("mkdir -m 0777", elsewhere)
    support.shell("chmod 0777", elsewhere)
    support.shell("cp", b, elsewhere .. "/twin.so")
    support.shell("chmod 0644", elsewhere .. "/twin.so")
    local script = support.new_file("exchange.sh", [[
      while [ -e "$1" ]; do
        ln -f "$2" "$4.new" && mv -f "$4.new" "$4"
        ln -f "$3" "$4.new" && mv -f "$4.new" "$4"
        mv "$5" "$5.away" && ln -s "$6" "$5" && rm "$5" && mv "$5.away" "$5"
      done
    ]])
    local exchanging = io.popen("sh " .. table.concat({
      support.quote(script), support.quote(go), support.quote(a), support.quote(b), support.quote(twin),
      support.quote(inner), support.quote(elsewhere),
    }, " "), "r")
    local taken, refused_ones = 0, 0
    repeat
      local ok, result = pcall(cygnixy.load, "twin")
      if ok then
        taken = taken + 1
        if result.which() ~= "a" then break end
        cygnixy.unload(result)
      elseif result:find("to be writable by", 1, true) then
        refused_ones = refused_ones + 1
      end
    until (taken >= 30 and refused_ones >= 30) or taken + refused_ones > 20000
    os.remove(go)
    exchanging:close()
    assert(taken >= 30 and refused_ones >= 30, taken .. " taken, " .. refused_ones .. " refused")
    assert.equal(0, #cygnixy.list())
  end)

  it("is judged where a symbolic link leads", function()
    local links = support.new_path("links")
    support.shell("mkdir -m 0755", links)
    support.shell("chmod 0755", (links:match("^(.*)/")))
    support.shell("ln -s", file, links .. "/greet.so")
    cygnixy.path = links .. "/?.so"
    loaded()
    support.shell("chmod 0775", inner)
    refused(inner, "0775", "greet")
  end)

  it("is judged where a symbolic link is", function()
    local links = support.new_path("links")
    support.shell("mkdir -m 0755", links, links .. "/free", links .. "/fixed")
    support.shell("chmod 0755", (links:match("^(.*)/")))
    support.shell("ln -s", file, links .. "/fixed/second.so")
    support.shell("ln -s ../fixed/second.so", links .. "/free/greet.so")
    support.shell("ln -s", links .. "/free", links .. "/folder")
    cygnixy.path = links .. "/folder/?.so"
    loaded()
    for _, directory in ipairs({ "/free", "/fixed", "" }) do
      support.shell("chmod 0777", links .. directory)
      refused(links .. directory, "0777", "greet")
      support.shell("chmod 0755", links .. directory)
    end
    loaded()
  end)

  it("is refused without an end if links lead in a circle", function()
    support.shell("ln -s greet.so", inner .. "/other.so")
    support.shell("ln -sf other.so", file)
    support.has(support.failure(cygnixy.load, "greet"), "plugin 'greet' not found")
    support.has(support.failure(cygnixy.load, file, { trusted = true }), "the file cannot be read", "symbolic links")
  end)

  it("is loaded by its path all the same", function()
    support.shell("chmod 0777", outer, inner, file)
    assert.equal("Hello, you!", cygnixy.load(file).hello("you"))
  end)

  it("is judged too when a path is given and trust asked for", function()
    assert.equal("Hello, you!", cygnixy.load(file, { trusted = true }).hello("you"))
    support.unload_all(cygnixy)
    support.shell("chmod 0777", outer)
    refused(outer, "0777", file, { trusted = true })
    support.shell("chmod 0755", outer)
    support.has(support.failure(cygnixy.load, inner, { trusted = true }), "expected a file, found a directory")
    support.shell("mkfifo", inner .. "/pipe.so")
    support.has(support.failure(cygnixy.load, inner .. "/pipe.so", { trusted = true }), "no regular file")
    assert.equal("bad argument #2 to 'load' (field 'trusted': boolean expected, got string)",
      support.failure(cygnixy.load, file, { trusted = "yes" }))
  end)

  it("is loaded where a listed directory is on the way, for what is above it", function()
    support.shell("chmod 0777", outer, inner)
    cygnixy.trusted = inner
    loaded()
    cygnixy.trusted = "/no/where;" .. inner .. "/;;"
    loaded()
    cygnixy.trusted = outer
    refused(inner, "0777", "greet")
    support.shell("chmod 0777", file)
    cygnixy.trusted = inner
    refused(file, "0777", "greet")
    cygnixy.trusted = file
    loaded()
  end)

  it("is loaded where all below a directory is listed", function()
    support.shell("chmod 0777", outer, inner, file)
    for _, list in ipairs({ outer .. "/**", support.scratch .. "/**", "/**" }) do
      cygnixy.trusted = list
      loaded()
    end
    cygnixy.trusted = support.scratch .. ";" .. inner .. "/x/**"
    refused(outer, "0777", "greet")
  end)

  it("is not loaded where what is listed is beside the way, or no absolute path", function()
    support.shell("chmod 0777", outer)
    support.shell("mkdir", outer .. "/beside")
    for _, list in ipairs({ outer .. "/beside", "build", "outer/**", "" }) do
      cygnixy.trusted = support.scratch .. ";" .. list
      refused(outer, "0777", "greet")
    end
  end)

  it("is judged by what the environment lists, to begin with", function()
    support.shell("chmod 0777", outer)
    local script = ("io.write(tostring(pcall(require('cygnixy').load, 'greet')))")
    for list, expected in pairs({ [inner] = "true", [support.scratch] = "false" }) do
      assert.equal(expected, support.output(script, {
        env = { CYGNIXY_PATH = cygnixy.path, CYGNIXY_TRUSTED = list },
      }))
    end
  end)

  it("is not loaded while the list is no string", function()
    cygnixy.trusted = { inner }
    assert.equal("'cygnixy.trusted' must be a string", support.failure(cygnixy.load, "greet"))
  end)

  it("is judged again when it is reloaded", function()
    local greet = cygnixy.load("greet")
    assert.is_true(cygnixy.reload(greet).reloaded)
    support.shell("chmod 0777", inner)
    support.has(support.failure(cygnixy.reload, greet), "cannot reload plugin 'greet'",
      "the version that is loaded goes on", "expected '" .. inner .. "'", "found mode 0777")
    assert.equal("Hello, you!", greet.hello("you"))
    support.shell("chmod 0755", inner)
    assert.is_true(cygnixy.reload(greet).reloaded)
  end)

  it("is said not to fit, if it would be refused", function()
    assert.is_true(cygnixy.check("greet"))
    support.shell("chmod 0777", inner)
    local fits, reason = cygnixy.check("greet")
    assert.is_nil(fits)
    support.has(reason, "expected '" .. inner .. "' to be writable by root", "found mode 0777")
    support.has(cygnixy.available()[1].problem, "found mode 0777")
    assert.is_true(cygnixy.check(file))
    cygnixy.trusted = inner
    assert.is_true(cygnixy.check("greet"))
    assert.is_nil(cygnixy.available()[1].problem)
  end)

  it("is judged though it is loaded already, and when it is reloaded then", function()
    local greet = cygnixy.load(file)
    support.shell("chmod 0777", inner)
    for _, arguments in ipairs({ { "greet" }, { file, { trusted = true } } }) do
      support.has(support.failure(cygnixy.load, arguments[1], arguments[2]), "found mode 0777")
    end
    assert.equal(greet, cygnixy.load(file))
    assert.is_true(cygnixy.reload(greet).reloaded)
    support.shell("chmod 0755", inner)
    assert.equal(greet, cygnixy.load("greet"))
    support.shell("chmod 0777", inner)
    support.has(support.failure(cygnixy.reload, greet), "found mode 0777")
  end)
end)
