//! The options of `encode`.

use plugin_api::fast::StackArgument;
use plugin_api::mlua::ffi::{self, lua_State};

use super::read::text;
use super::unfit::type_name;
use crate::encode::Style;

/// Reads the options. What is not known is an error, lest a misspelt one is overlooked.
pub(crate) fn style(options: StackArgument<'_>) -> Result<Style, String> {
    let mut style = Style::default();
    let Some(index) = options.index() else {
        return Ok(style);
    };
    let state = options.state();
    // SAFETY: nothing raises, as the table is not changed meanwhile; there is room for a key and a value, and
    // they are taken off.
    unsafe {
        match ffi::lua_type(state, index) {
            ffi::LUA_TNIL => return Ok(style),
            ffi::LUA_TTABLE => {}
            other => {
                let found = type_name(other);
                return Err(format!("options: a table expected, got {found}"));
            }
        }
        let top = ffi::lua_gettop(state);
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, index) != 0 {
            let set = set(state, &mut style);
            ffi::lua_settop(state, if set.is_ok() { top + 1 } else { top });
            set?;
        }
    }
    Ok(style)
}

/// What JSON takes for white space.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Sets the option on top of the stack: its name, and above it its value.
///
/// # Safety
///
/// - The two are on the stack of `state`.
unsafe fn set(state: *mut lua_State, style: &mut Style) -> Result<(), String> {
    // SAFETY: as the caller promises; types are looked at first, and nothing raises.
    unsafe {
        let name = match ffi::lua_type(state, -2) {
            ffi::LUA_TSTRING => text(state, -2).unwrap_or("?"),
            other => {
                let found = type_name(other);
                return Err(format!("options: names are strings, got a {found}"));
            }
        };
        let misfit = |expected: &str| {
            let found = type_name(ffi::lua_type(state, -1));
            Err(format!("option '{name}': {expected} expected, got {found}"))
        };
        let flag = (ffi::lua_type(state, -1) == ffi::LUA_TBOOLEAN)
            .then(|| ffi::lua_toboolean(state, -1) != 0);
        match (name, flag) {
            ("pretty", Some(pretty)) => style.indent = pretty.then(|| "  ".to_owned()),
            ("pretty", None) if ffi::lua_type(state, -1) == ffi::LUA_TSTRING => {
                style.indent = match text(state, -1) {
                    Ok(indent) if indent.bytes().all(is_space) => Some(indent.to_owned()),
                    _ => return Err("option 'pretty': an indentation is white space".to_owned()),
                }
            }
            ("pretty", None) => return misfit("a boolean or a string"),
            ("sorted", Some(sorted)) => style.sorted = sorted,
            ("sorted", None) => return misfit("a boolean"),
            (other, _) => {
                return Err(format!(
                    "unknown option '{other}'; there are 'pretty' and 'sorted'"
                ));
            }
        }
    }
    Ok(())
}
