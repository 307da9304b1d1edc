-- `cygnixy doctor`.

local support = require("support")

local command, output = support.command, support.command_output

describe("cygnixy doctor", function()
  it("shows what is where", function()
    local text = output({ "doctor" }, { env = { CYGNIXY_PATH = support.plugin("?") } })
    support.has(text, _VERSION, "ABI:     " .. support.abi, "CYGNIXY_PATH=", "cygnixy.so", "greet ", "fits")
  end)

  it("says so if the module cannot be loaded, with status 1", function()
    local folder = support.new_path(""):gsub("/$", "")
    local path = support.new_file("script.lua", [[
      package.preload.cygnixy = function() error("it is broken") end
      os.exit(require("cygnixy.command").main({ "doctor" }))
    ]])
    local stdout, _, status = command({ "run", path }, { cwd = folder })
    assert.equal(1, status)
    support.has(stdout, "cannot be loaded", "it is broken")
  end)

  -- The part of its output that begins with a line.
  local function section(text, name)
    return (text .. "\n"):match("\n" .. name .. ":\n(.-)\n\n")
  end

  it("shows the environment of this Lua, and what is trusted", function()
    local version = _VERSION:match("5%.[2-9]")
    local suffix = version and "_" .. version:gsub("%.", "_") or ""
    local text = output({ "doctor" }, { env = {
      CYGNIXY_TRUSTED = "/srv/a/**;/srv/b", XDG_DATA_HOME = "/data", XDG_DATA_DIRS = "/one:/two",
      ["LUA_INIT" .. suffix] = "--", ["LUA_PATH" .. suffix] = "/p/?.lua;;", ["LUA_CPATH" .. suffix] = "/c/?.so;;",
      LUA_PATH_5_1 = "none of this", LUA_PATH_5_9 = "nor of this",
    } })
    local environment = section(text, "environment")
    for name, value in pairs({
      CYGNIXY_TRUSTED = "/srv/a/**;/srv/b", XDG_DATA_HOME = "/data", XDG_DATA_DIRS = "/one:/two",
      ["LUA_INIT" .. suffix] = "--", ["LUA_PATH" .. suffix] = "/p/?.lua;;", ["LUA_CPATH" .. suffix] = "/c/?.so;;",
    }) do
      support.has(environment .. "\n", "  " .. name .. "=" .. value .. "\n")
    end
    assert.is_nil(environment:find("of this"))
    assert.equal("  /srv/a/**\n  /srv/b", section(text, "cygnixy.trusted"))
    text = output({ "doctor" }, { env = { CYGNIXY_TRUSTED = false } })
    assert.equal("  nothing", section(text, "cygnixy.trusted"))
  end)

  describe("about a folder", function()
    local listing = io.popen("id -u; id -un; id -gn")
    local user, user_name, group_name = listing:read("*l", "*l", "*l")
    listing:close()
    -- Without rustup, which makes a folder in whatever home it is told.
    local path = "/usr/bin:/bin"
    local outer, inner

    before_each(function()
      outer = support.new_path("outer")
      inner = outer .. "/inner"
      support.shell("mkdir -m 0755", outer, inner)
      support.shell("chmod 0755", (outer:match("^(.*)/")))
    end)

    -- What it says of one, and whether what is there can be loaded by name.
    local function said(folder)
      return section(output({ "doctor" }, { env = {
        CYGNIXY_PATH = folder .. "/?.so", CYGNIXY_TRUSTED = support.scratch, HOME = "/nowhere", PATH = path,
      } }), "its folders")
    end

    local function refused(place, found)
      return (", refused by name: expected '%s' to be writable by root and user %s alone, found %s"):format(
        place, user, found
      )
    end

    it("tells its mode, owner and group", function()
      assert.equal(("  %s: drwxr-xr-x %s %s"):format(inner, user_name, group_name), said(inner))
      support.shell("ln -s", inner, outer .. "/link")
      assert.equal(("  %s: drwxr-xr-x %s %s"):format(outer .. "/link", user_name, group_name), said(outer .. "/link"))
      assert.equal("  " .. inner .. "/none: is not there", said(inner .. "/none"))
    end)

    it("tells what keeps plugins there from being loaded by name", function()
      for mode, shown in pairs({ ["0775"] = "drwxrwxr-x", ["0757"] = "drwxr-xrwx", ["1777"] = "drwxrwxrwt" }) do
        support.shell("chmod " .. mode, inner)
        local reason = refused(inner, "mode " .. mode .. " and owner " .. user)
        assert.equal(("  %s: %s %s %s%s"):format(inner, shown, user_name, group_name, reason), said(inner))
      end
      support.shell("chmod 0755", inner)
      support.shell("ln -s", inner, (outer:match("^(.*)/")) .. "/link")
      support.shell("chmod 0775", outer)
      for _, folder in ipairs({ inner, (outer:match("^(.*)/")) .. "/link" }) do
        local reason = refused(outer, "mode 0775 and owner " .. user)
        assert.equal(("  %s: drwxr-xr-x %s %s%s"):format(folder, user_name, group_name, reason), said(folder))
      end
    end)

    if user == "0" then
      it("tells if it belongs to somebody else", function()
        for _, place in ipairs({ inner, outer }) do
          support.shell("chown 12345", place)
          support.has(said(inner), refused(place, "mode 0755 and owner 12345"))
          support.shell("chown 0", place)
        end
      end)
    end

    it("writes the home directory as ~, and no other", function()
      local function shown(home, folder)
        local env = { CYGNIXY_PATH = folder .. "/?.so;;", HOME = home, XDG_DATA_HOME = home .. "/data", PATH = path }
        return output({ "doctor" }, { env = env })
      end
      for _, home in ipairs({ outer, outer .. "/" }) do
        local text = shown(home, inner)
        support.has(text, "CYGNIXY_PATH=~/inner/?.so;;\n", "\n  ~/inner/?.so\n", "\n  ~/inner: drwx", "=~/")
        assert.is_nil(text:find(outer, 1, true))
      end
      for _, home in ipairs({ outer:sub(1, -2), "/inner", "/", "outer" }) do
        local text = shown(home, inner)
        support.has(text, "\n  " .. inner .. "/?.so\n")
        assert.is_nil(section(text, "its folders"):find(inner:gsub("%p", "%%%0") .. "~"))
      end
    end)

    it("writes the home directory as ~ if HOME does not tell", function()
      for _, home in ipairs({ false, "" }) do
        local text = output({ "doctor" }, { env = { HOME = home, XDG_DATA_HOME = false, PATH = path } })
        support.has(text, "\n  ~/.local/share/cygnixy/" .. support.abi .. "/?.so\n")
      end
    end)
  end)

  it("cannot change the terminal, or look like more lines", function()
    local text = output({ "doctor" }, { env = { CYGNIXY_PATH = "/a\27b\nABI: x/?.so", LUA_INIT = "--\27[31m\n" } })
    support.has(text, [[LUA_INIT=--\x1b[31m\x0a]], [[  /a\x1bb\x0aABI: x/?.so]], [[  /a\x1bb\x0aABI: x: is not there]])
    assert.is_nil(text:find("\27", 1, true))
  end)

  it("is quiet about what the shell does not find", function()
    local text = output({ "run", support.new_file("script.lua", [[
      os.exit(require("cygnixy.command").main({ "doctor" }))
    ]]) }, { env = { CYGNIXY_PATH = support.plugin("?"), CYGNIXY_TRUSTED = false, PATH = "/nowhere" } })
    support.has(text, "\nsystem:  unknown\n", "\nrustc:   not found\n")
    support.has(section(text, "its folders"), "/plugins: is there")
  end)
end)
