/* The benchmark's functions as a Lua module in C: the limit of what a call can cost. */
#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM < 502
#define lua_rawlen lua_objlen
#endif

#define COUNTER "bench.counter"

static int noop(lua_State *L) {
    (void)L;
    return 0;
}

static int add(lua_State *L) {
    lua_pushnumber(L, luaL_checknumber(L, 1) + luaL_checknumber(L, 2));
    return 1;
}

static int increment(lua_State *L) {
    lua_pushinteger(L, luaL_checkinteger(L, 1) + 1);
    return 1;
}

static int length(lua_State *L) {
    size_t size;
    luaL_checklstring(L, 1, &size);
    lua_pushinteger(L, (lua_Integer)size);
    return 1;
}

/* The length and the byte in the middle, added. */
static int look(lua_State *L) {
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    lua_Integer middle = size == 0 ? 0 : (unsigned char)bytes[size / 2];
    lua_pushinteger(L, (lua_Integer)size + middle);
    return 1;
}

static int hello(lua_State *L) {
    size_t size;
    const char *name = luaL_checklstring(L, 1, &size);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    luaL_addlstring(&text, "Hello, ", 7);
    luaL_addlstring(&text, name, size);
    luaL_addchar(&text, '!');
    luaL_pushresult(&text);
    return 1;
}

static int sum(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Number total = 0;
    int count = (int)lua_rawlen(L, 1);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i);
        lua_Number item = lua_tonumber(L, -1);
        if (item == 0 && !lua_isnumber(L, -1))
            return luaL_error(L, "item %d is a %s", i, luaL_typename(L, -1));
        total += item;
        lua_pop(L, 1);
    }
    lua_pushnumber(L, total);
    return 1;
}

static int counter(lua_State *L) {
    lua_Integer value = luaL_checkinteger(L, 1);
    *(lua_Integer *)lua_newuserdata(L, sizeof(lua_Integer)) = value;
    luaL_getmetatable(L, COUNTER);
    lua_setmetatable(L, -2);
    return 1;
}

static int get(lua_State *L) {
    lua_pushinteger(L, *(lua_Integer *)luaL_checkudata(L, 1, COUNTER));
    return 1;
}

static int fail(lua_State *L) {
    return luaL_error(L, "no");
}

static int apply(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_Number argument = luaL_checknumber(L, 2);
    lua_pushvalue(L, 1);
    lua_pushnumber(L, argument);
    lua_call(L, 1, 1);
    lua_Number result = lua_tonumber(L, -1);
    if (result == 0 && !lua_isnumber(L, -1))
        return luaL_error(L, "the function returned a %s", luaL_typename(L, -1));
    lua_pushnumber(L, result);
    return 1;
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
    luaL_newmetatable(L, COUNTER);
    lua_newtable(L);
    set(L, "get", get);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);

    lua_newtable(L);
    set(L, "noop", noop);
    set(L, "add", add);
    set(L, "increment", increment);
    set(L, "length", length);
    set(L, "look", look);
    set(L, "hello", hello);
    set(L, "sum", sum);
    set(L, "counter", counter);
    set(L, "get", get);
    set(L, "fail", fail);
    set(L, "apply", apply);
    set(L, "map", map);
    return 1;
}
