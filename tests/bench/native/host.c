/* Runs a script: `host SCRIPT ARGS...`. Lua 5.5 has no Debian package; its benchmark runs in this,
 * built with the sources that mlua brings, as the distribution's interpreters are: the Lua library
 * inside of the program, and its symbols exported for modules. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

int main(int argc, char **argv) {
    lua_State *L = luaL_newstate();
    if (L == NULL || argc < 2) {
        fprintf(stderr, "usage: %s script [args]\n", argv[0]);
        return 1;
    }
    luaL_openlibs(L);
    lua_createtable(L, argc, 0);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - 1);
    }
    lua_setglobal(L, "arg");
    int failed = luaL_dofile(L, argv[1]);
    if (failed)
        fprintf(stderr, "%s: %s\n", argv[0], lua_tostring(L, -1));
    lua_close(L);
    return failed;
}
