//! The functions of the C API that mlua declares for Lua 5.5, by name.

/// Calls the macro `$callback` with the name of every bound function.
#[doc(hidden)]
#[macro_export]
macro_rules! __lua_api_names {
    ($($callback:tt)*) => {
        $($callback)* ! {
            luaL_addgsub luaL_addlstring luaL_addstring luaL_addvalue luaL_alloc
            luaL_argerror luaL_buffinit luaL_buffinitsize luaL_callmeta luaL_checkany
            luaL_checkinteger luaL_checklstring luaL_checknumber luaL_checkoption
            luaL_checkstack luaL_checktype luaL_checkudata luaL_checkversion_ luaL_error
            luaL_execresult luaL_fileresult luaL_getmetafield luaL_getsubtable luaL_gsub
            luaL_len luaL_loadbufferx luaL_loadfilex luaL_loadstring luaL_makeseed
            luaL_newmetatable luaL_newstate luaL_openselectedlibs luaL_optinteger
            luaL_optlstring luaL_optnumber luaL_prepbuffsize luaL_pushresult
            luaL_pushresultsize luaL_ref luaL_requiref luaL_setfuncs luaL_setmetatable
            luaL_testudata luaL_tolstring luaL_traceback luaL_unref luaL_where lua_absindex
            lua_arith lua_atpanic lua_callk lua_checkstack lua_close lua_closeslot
            lua_closethread lua_compare lua_concat lua_copy lua_createtable lua_dump
            lua_error lua_gc lua_getallocf lua_getfield lua_getglobal lua_gethook
            lua_gethookcount lua_gethookmask lua_geti lua_getinfo lua_getiuservalue
            lua_getlocal lua_getmetatable lua_getstack lua_gettable lua_gettop
            lua_getupvalue lua_iscfunction lua_isinteger lua_isnumber lua_isstring
            lua_isuserdata lua_isyieldable lua_len lua_load lua_newstate lua_newthread
            lua_newuserdatauv lua_next lua_numbertocstring lua_pcallk lua_pushboolean
            lua_pushcclosure lua_pushexternalstring lua_pushfstring lua_pushinteger
            lua_pushlightuserdata lua_pushlstring lua_pushnil lua_pushnumber
            lua_pushstring lua_pushthread lua_pushvalue lua_rawequal lua_rawget
            lua_rawgeti lua_rawgetp lua_rawlen lua_rawset lua_rawseti lua_rawsetp
            lua_resume lua_rotate lua_setallocf lua_setfield lua_setglobal lua_sethook
            lua_seti lua_setiuservalue lua_setlocal lua_setmetatable lua_settable
            lua_settop lua_setupvalue lua_setwarnf lua_status lua_stringtonumber
            lua_toboolean lua_tocfunction lua_toclose lua_tointegerx lua_tolstring
            lua_tonumberx lua_topointer lua_tothread lua_touserdata lua_type lua_typename
            lua_upvalueid lua_upvaluejoin lua_version lua_warning lua_xmove lua_yieldk
            luaopen_base luaopen_coroutine luaopen_debug luaopen_io luaopen_math luaopen_os
            luaopen_package luaopen_string luaopen_table luaopen_utf8
        }
    };
}
