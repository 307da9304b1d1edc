/* The smallest module in C: one function. */
#include <lauxlib.h>
#include <lua.h>

static int answer(lua_State *L) {
    lua_pushliteral(L, "answer 0");
    return 1;
}

int luaopen_bench_minimal(lua_State *L) {
    lua_newtable(L);
    lua_pushcfunction(L, answer);
    lua_setfield(L, -2, "answer");
    return 1;
}
