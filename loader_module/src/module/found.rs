//! What a search has found, as Lua's own `package.searchpath` tells it.

use plugin_api::mlua::{self, Error, IntoLuaMulti as _, Lua, MultiValue, Value};

use crate::Error as LoaderError;
use crate::search;

/// The file for a bare name; or nil and the places that were tried, a line each.
pub(super) fn searchpath(lua: &Lua, name: &[u8], path: &[u8]) -> mlua::Result<MultiValue> {
    match search::search(name, path) {
        Ok(found) => lua
            .create_string(found.into_os_string().into_encoded_bytes())?
            .into_lua_multi(lua),
        Err(LoaderError::NotFound { tried, .. }) => {
            let lines = tried
                .iter()
                .map(|path| [b"no file '", path.as_os_str().as_encoded_bytes(), b"'"].concat());
            let lines = lines.collect::<Vec<_>>().join(&b"\n\t"[..]);
            (Value::Nil, lua.create_string(lines)?).into_lua_multi(lua)
        }
        Err(error) => Err(Error::external(error)),
    }
}
