rockspec_format = "3.0"
package = "cygnixy"
version = "0.1.0-1"

-- There is no public repository yet: install from a checkout, with
-- `luarocks make rockspec/cygnixy-0.1.0-1.rockspec` in its top directory.
source = {
   url = "git+https://cygnixy.com/cygnixy.git",
   tag = "v0.1.0",
}

description = {
   summary = "Load plugins written in Rust into any Lua",
   detailed = [[
      Loads Rust libraries at run time and hands their functions to Lua: safely, on
      Lua 5.1 to 5.5 and LuaJIT, and in Rust programs that embed Lua.
   ]],
   homepage = "https://cygnixy.com",
   license = "MIT",
   labels = { "rust", "plugin", "binding" },
}

dependencies = { "lua >= 5.1, < 5.6" }

-- Needs cargo, and nothing else. The helper runs in the Lua that the rock is for, and so
-- knows which build to make; see there for what goes where.
build = {
   type = "command",
   build_command = '"$(LUA)" rockspec/build.lua build',
   install_command = '"$(LUA)" rockspec/build.lua install "$(PREFIX)" "$(LIBDIR)" "$(LUADIR)"',
   -- LuaRocks makes a program of it that finds the module.
   install = { bin = { cygnixy = "bin/cygnixy" } },
}
