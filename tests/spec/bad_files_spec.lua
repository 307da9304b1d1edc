-- Files that cannot be loaded: each gets a message with the file, what was expected and what was
-- found; nothing else happens.

local support = require("support")
local cygnixy = require("cygnixy")

local abis = { "lua51", "luajit", "lua52", "lua53", "lua54", "lua55" }
local spoken = {
  lua51 = "Lua 5.1", luajit = "LuaJIT", lua52 = "Lua 5.2",
  lua53 = "Lua 5.3", lua54 = "Lua 5.4", lua55 = "Lua 5.5",
}

-- Checks that loading and inspecting a path fail with the given parts.
local function refuses(path, ...)
  for _, f in ipairs({ cygnixy.load, cygnixy.inspect }) do
    support.has(support.failure(f, path), "cannot load plugin", path, ...)
  end
  assert(#cygnixy.list() == 1, "something was loaded")
end

-- Checks that loading fails with the given parts, of a file that can be inspected.
local function refuses_to_load(path, ...)
  support.has(support.failure(cygnixy.load, path), "cannot load plugin", path, ...)
  cygnixy.inspect(path)
  assert(#cygnixy.list() == 1, "something was loaded")
end

describe("a bad file:", function()
  support.with_witness(cygnixy)

  it("a missing file", function()
    refuses(support.new_path("missing.so"), "cannot be read: No such file or directory")
  end)

  it("a file in a missing directory", function()
    refuses("/no/such/directory/plugin.so", "cannot be read: No such file or directory")
  end)

  it("a file below a file", function()
    refuses(support.plugin("greet") .. "/plugin.so", "cannot be read: Not a directory")
  end)

  it("a dangling symbolic link", function()
    local link = support.new_path("link.so")
    support.shell("ln -s", "/no/such/file", link)
    refuses(link, "cannot be read: No such file or directory")
  end)

  it("symbolic links in a circle", function()
    local link = support.new_path("link.so")
    support.shell("ln -s", link, link)
    refuses(link, "cannot be read: ", "symbolic links")
  end)

  it("a directory", function()
    refuses(support.scratch, "expected a file, found a directory")
    refuses("/", "expected a file, found a directory")
  end)

  it("a device", function()
    refuses("/dev/zero", "expected a file, found something that is no regular file")
  end)

  it("a pipe", function()
    local pipe = support.new_path("pipe.so")
    support.shell("mkfifo", pipe)
    refuses(pipe, "expected a file, found something that is no regular file")
  end)

  it("an empty file", function()
    refuses(support.new_file("empty.so", ""), "expected a shared library, found an empty file")
  end)

  it("a text file", function()
    refuses(support.new_file("text.so", "-- a Lua script\nreturn {}\n"), "expected a shared library, found a text file")
    refuses(support.new_file("utf8.so", "Grüße\n"), "expected a shared library, found a text file")
  end)

  it("a file of random bytes", function()
    local bytes = {}
    for index = 1, 4096 do
      bytes[index] = string.char((index * 7919 + index * index * 31) % 256)
    end
    refuses(support.new_file("noise.so", "\200\1\254" .. table.concat(bytes)),
      "expected a shared library, found a file of an unknown format")
  end)

  it("a file that may not be read", function()
    local path = support.copy(support.plugin("greet"))
    support.shell("chmod 000", path)
    if io.open(path) then
      -- Root reads everything; the kernel still has a file that nobody reads as a whole.
      support.has(support.failure(cygnixy.load, "/proc/self/mem"), "cannot load plugin", "/proc/self/mem")
      return
    end
    refuses(path, "cannot be read: Permission denied")
  end)

  it("a library that is no plugin", function()
    for _, directory in ipairs({ "/lib/x86_64-linux-gnu/", "/lib/aarch64-linux-gnu/", "/lib64/", "/usr/lib/" }) do
      if support.exists(directory .. "libm.so.6") then
        return refuses(directory .. "libm.so.6",
          "expected a cygnixy plugin, found a library without a plugin manifest (is export_plugin! missing?)",
          "no code of it was run")
      end
    end
    error("this machine keeps its libm elsewhere")
  end)

  it("the loader itself", function()
    refuses(assert(package.searchpath and package.searchpath("cygnixy", package.cpath)
        or package.cpath:match("^[^?]*") .. "cygnixy.so"),
      "expected a cygnixy plugin, found a library without a plugin manifest")
  end)

  it("a program", function()
    refuses("/bin/sh", "expected a ")
  end)

  it("an object file of another kind", function()
    -- The type in the header says "relocatable".
    local content = support.read(support.plugin("greet"))
    refuses(support.new_file("object.so", content:sub(1, 16) .. "\1\0" .. content:sub(19)),
      "expected a shared library, found an object file of another kind")
  end)
end)

describe("a truncated library", function()
  support.with_witness(cygnixy)
  local content = support.read(support.plugin("greet"))

  local function cut(length)
    local path = support.new_file("cut.so", content:sub(1, length))
    refuses(path, length == 0 and "found an empty file" or "expected a shared library, found ")
    os.remove(path)
  end

  it("is refused wherever the cut is", function()
    local count = 64
    for index = 0, count - 1 do
      cut(math.floor(#content * index / count))
    end
  end)

  it("is refused when cut in its header", function()
    for length = 1, 64, 7 do
      cut(length)
    end
    cut(64)
  end)

  it("is refused when cut close to its end", function()
    for _, missing in ipairs({ 1, 2, 63, 64, 65, 128, 512, 4096 }) do
      cut(#content - missing)
    end
  end)

  it("says so", function()
    refuses(support.new_file("half.so", content:sub(1, math.floor(#content / 2))),
      "expected a shared library, found a truncated or damaged library")
  end)
end)

describe("a damaged library", function()
  support.with_witness(cygnixy)

  it("is refused when its section table is overwritten", function()
    local content = support.read(support.plugin("greet"))
    local path = support.new_file("sections.so", content:sub(1, #content - 256) .. ("\255"):rep(256))
    refuses(path, "expected a")
  end)

  it("is refused when its program headers are overwritten", function()
    local content = support.read(support.plugin("greet"))
    local path = support.new_file("segments.so", content:sub(1, 64) .. ("\255"):rep(512) .. content:sub(577))
    refuses_to_load(path, "plugin 'greet'", "the library cannot be opened: ")
  end)

  it("is refused when bytes are added before it", function()
    refuses(support.new_file("shifted.so", "x" .. support.read(support.plugin("greet"))),
      "expected a shared library, found a file of an unknown format")
  end)
end)

describe("a damaged manifest", function()
  support.with_witness(cygnixy)
  local content = support.read(support.plugin("greet"))
  local mark = "\127CYGNIXY\1\0\0\0"

  local function manifest_with(what, by)
    return support.new_file("manifest.so", support.patch(content, what, by))
  end

  it("is refused without its mark", function()
    refuses(manifest_with(mark, "\127CYGNIXX\1\0\0\0"),
      "its manifest is damaged or from another time: the section does not begin with the manifest's mark")
  end)

  it("is refused in another format", function()
    refuses(manifest_with(mark, "\127CYGNIXY\7\0\0\0"),
      "its manifest is damaged or from another time: manifest format 7, expected 1")
  end)

  it("is refused when it is longer than its section", function()
    local at = content:find(mark, 1, true) + #mark
    local path = support.new_file("long.so", content:sub(1, at - 1) .. "\255\255\255\127" .. content:sub(at + 4))
    refuses(path, "its manifest is damaged or from another time: ", " bytes, expected 2147483663")
  end)

  it("is refused without an entry that it must have", function()
    refuses(manifest_with("\0lua_abi=", "\0lua_abj="),
      'its manifest is damaged or from another time: the entry "lua_abi" is missing or malformed')
    refuses(manifest_with("\0api_version=1\0", "\0api_version=x\0"),
      'the entry "api_version" is missing or malformed')
  end)

  it("is refused when an entry is no text", function()
    refuses(manifest_with("\0version=0.1.0\0", "\0version=0.1.\255\0"),
      "its manifest is damaged or from another time: an entry cannot be read")
  end)
end)

describe("a plugin for another", function()
  support.with_witness(cygnixy)
  local content = support.read(support.plugin("greet"))

  it("plugin API is refused with both versions", function()
    local newer = support.patch(content, "\0api_version=1\0", "\0api_version=9\0")
    refuses_to_load(support.new_file("newer.so", newer),
      "plugin 'greet'", "plugin API version: expected 1, found 9; no code of it was run")
  end)

  it("processor is refused with both names", function()
    local machines = { ["\183\0"] = "aarch64", ["\40\0"] = "arm", ["\243\0"] = "riscv" }
    local own = content:sub(19, 20)
    for code, name in pairs(machines) do
      if code ~= own then
        refuses(support.new_file("machine.so", content:sub(1, 18) .. code .. content:sub(21)),
          "expected a library for " .. (own == "\62\0" and "x86_64" or "aarch64"), "found one for " .. name)
      end
    end
  end)

  it("word size or byte order is refused", function()
    -- The headers of the other layout do not fit the rest of the file.
    refuses(support.new_file("bits.so", content:sub(1, 4) .. "\1" .. content:sub(6)), "expected a ")
    refuses(support.new_file("order.so", content:sub(1, 5) .. "\2" .. content:sub(7)), "expected a ")
  end)

  for _, abi in ipairs(abis) do
    if abi ~= support.abi and not (support.abi == "luajit" and abi == "lua51") then
      it("Lua is refused with both names: " .. abi, function()
        local path = support.plugin_of(abi, "greet")
        local message = support.failure(cygnixy.load, path)
        support.has(message, "cannot load plugin 'greet'", abi .. "/plugins/greet.so",
          ("Lua ABI: expected '%s' (%s), found '%s' (%s); no code of it was run")
            :format(support.abi, spoken[support.abi], abi, spoken[abi]))
        assert.equal(abi, cygnixy.inspect(path).abi)
      end)
    end
  end

  it("Lua that nobody knows is refused by its name", function()
    local unknown = support.patch(content, "\0lua_abi=" .. support.abi .. "\0",
      "\0lua_abi=" .. ("x"):rep(#support.abi) .. "\0")
    refuses_to_load(support.new_file("unknown.so", unknown),
      "Lua ABI: expected '" .. support.abi .. "'", "found '" .. ("x"):rep(#support.abi) .. "'")
  end)
end)

if support.abi == "luajit" then
  describe("a plugin for Lua 5.1", function()
    it("is taken by LuaJIT", function()
      local greet = cygnixy.load(support.plugin_of("lua51", "greet"))
      assert.equal("Hello, 5.1!", greet.hello("5.1"))
      assert.equal("there is nobody to greet", support.failure(greet.hello, ""))
      assert.equal("lua51", cygnixy.inspect(support.plugin_of("lua51", "greet")).abi)
      cygnixy.unload(greet)
      assert.equal("plugin 'greet' has been unloaded", support.failure(greet.hello, "5.1"))
    end)
  end)
end

describe("two files whose plugins have one name", function()
  support.with_witness(cygnixy)

  it("are not loaded both", function()
    local a = cygnixy.load(support.fixture("twin_a"))
    local message = support.failure(cygnixy.load, support.fixture("twin_b"))
    support.has(message, "cannot load plugin 'twin'", support.fixture("twin_b"),
      "a plugin of that name is loaded already, from " .. support.fixture("twin_a"))
    assert.equal("a", a.which())
    assert.equal(a, cygnixy.get("twin"))
    cygnixy.unload(a)
    assert.equal("b", cygnixy.load(support.fixture("twin_b")).which())
  end)

  it("are one plugin when they are equal", function()
    local a = cygnixy.load(support.fixture("twin_a"))
    assert.equal(a, cygnixy.load(support.copy(support.fixture("twin_a"))))
  end)

  it("are not loaded both when they differ by a byte", function()
    local a = cygnixy.load(support.fixture("twin_a"))
    local copy = support.copy(support.fixture("twin_a"))
    support.write(copy, support.read(copy) .. "\n")
    support.has(support.failure(cygnixy.load, copy), "cannot load plugin 'twin'", copy, "is loaded already")
    assert.equal("a", a.which())
  end)
end)

describe("a limit for the size of files", function()
  it("is an error where a plugin is larger, not the end of the process", function()
    local script = support.new_file("limited.lua", [[
      local path = ...
      local ok, message = pcall(require("cygnixy").load, path)
      io.write(tostring(ok), " ", message)
    ]])
    local plugin, words = support.plugin("greet"), {}
    for index, word in ipairs({ os.getenv("CYGNIXY_TEST_LUA"), script, plugin }) do
      words[index] = support.quote(word)
    end
    local command = "ulimit -f 100 && exec " .. table.concat(words, " ") .. " 2>&1"
    local pipe = io.popen(command)
    local said = pipe:read("*a")
    pipe:close()
    support.has(said, "false cannot load plugin 'greet' (" .. plugin .. "): a private copy of the file cannot be made",
      "ulimit -f")
  end)
end)
