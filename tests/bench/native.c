/* The benchmark's functions as a Lua module in C: the limit of what a call can cost. */
#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>

static int noop(lua_State *L) {
    (void)L;
    return 0;
}

static int add(lua_State *L) {
    lua_pushnumber(L, luaL_checknumber(L, 1) + luaL_checknumber(L, 2));
    return 1;
}

static int length(lua_State *L) {
    size_t size;
    luaL_checklstring(L, 1, &size);
    lua_pushinteger(L, (lua_Integer)size);
    return 1;
}

static int fail(lua_State *L) {
    return luaL_error(L, "no");
}

/* Maps a library and unmaps it: the least that loading and unloading can cost. */
static int map(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL || dlsym(handle, "cygnixy_plugin_entry") == NULL)
        return luaL_error(L, "%s", dlerror());
    dlclose(handle);
    lua_pushboolean(L, dlopen(path, RTLD_NOW | RTLD_NOLOAD) == NULL);
    return 1;
}

static void set(lua_State *L, const char *name, lua_CFunction function) {
    lua_pushcfunction(L, function);
    lua_setfield(L, -2, name);
}

int luaopen_bench_native(lua_State *L) {
    lua_newtable(L);
    set(L, "noop", noop);
    set(L, "add", add);
    set(L, "length", length);
    set(L, "fail", fail);
    set(L, "map", map);
    return 1;
}
