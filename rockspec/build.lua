-- Builds and installs the rock; LuaRocks runs it with the Lua that the rock is for.
--
--   build.lua build                           compiles the C module with cargo
--   build.lua install PREFIX LIBDIR LUADIR    copies it, and what lua/ holds, into the rock
--
-- Everything in lua/ is installed under LUADIR, save lua/meta: these annotations are for the
-- language server, stay in the rock's own directory (PREFIX/meta), and are never `require`d.

local windows = package.config:sub(1, 1) == "\\"

-- LuaJIT calls itself 5.1 too, and shares the 5.1 tree: the 5.1 build runs in both.
local abi = "lua" .. _VERSION:match("(%d+%.%d+)"):gsub("%.", "")

local target_dir = (os.getenv("CARGO_TARGET_DIR") or "target") .. "/" .. abi

local function fail(message, ...)
  io.stderr:write("rockspec/build.lua: ", message:format(...), "\n")
  os.exit(1)
end

local function quote(text)
  if windows then
    return '"' .. text .. '"'
  end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Lua 5.1 returns a number, later versions `true` or nothing.
local function execute(command)
  local result = os.execute(command)
  return result == true or result == 0
end

local function read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local content = file:read("*a")
  file:close()
  return content
end

local function make_directory(path)
  if windows then
    path = path:gsub("/", "\\")
    execute("if not exist " .. quote(path) .. " mkdir " .. quote(path))
  else
    execute("mkdir -p " .. quote(path))
  end
end

local function copy(from, to)
  local content = read(from) or fail("cannot read '%s'", from)
  make_directory(to:match("^(.*)/[^/]*$"))
  local file, err = io.open(to, "wb")
  if not file then
    fail("cannot write: %s", err)
  end
  file:write(content)
  file:close()
end

-- The Lua files below a directory, as paths relative to it, with forward slashes.
local function lua_files(directory)
  local command, prefix = "find " .. directory .. " -type f", directory .. "/"
  if windows then
    -- `dir` gives absolute paths.
    local here = io.popen("cd")
    command, prefix = "dir /b /s /a-d " .. directory, here:read("*l") .. "/" .. prefix
    here:close()
  end
  local files = {}
  local listing = io.popen(command)
  for line in listing:lines() do
    local file = line:gsub("\\", "/"):sub(#prefix + 1)
    if file:match("%.lua$") then
      files[#files + 1] = file
    end
  end
  listing:close()
  table.sort(files)
  return files
end

-- The built module, whatever the system calls it.
local function built_module()
  local triple = os.getenv("CARGO_BUILD_TARGET")
  local release = target_dir .. (triple and "/" .. triple or "") .. "/release/"
  for _, name in ipairs({ "libcygnixy.so", "libcygnixy.dylib", "cygnixy.dll" }) do
    if read(release .. name) then
      return release .. name
    end
  end
  fail("cargo left no cygnixy library in '%s'", release)
end

local steps = {}

function steps.build()
  local command = "cargo build --release -p cygnixy --no-default-features --features module,%s --target-dir %s"
  if not execute(command:format(abi, quote(target_dir))) then
    fail("cargo could not build the module: see above. It needs Rust 1.88 or newer (https://rustup.rs)")
  end
end

function steps.install(prefix, libdir, luadir)
  copy(built_module(), libdir .. (windows and "/cygnixy.dll" or "/cygnixy.so"))
  for _, file in ipairs(lua_files("lua")) do
    local annotation = file:match("^meta/")
    copy("lua/" .. file, (annotation and prefix or luadir) .. "/" .. file)
  end
end

local step = steps[arg[1]] or fail("unknown step '%s'", tostring(arg[1]))
step(arg[2], arg[3], arg[4])
