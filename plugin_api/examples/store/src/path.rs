//! Paths as Lua has them: strings of any bytes.

use std::borrow::Cow;
use std::path::Path;

use plugin_api::mlua;

/// The path that a script gives.
#[cfg(unix)]
pub(crate) fn of(bytes: &[u8]) -> mlua::Result<Cow<'_, Path>> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(Path::new(std::ffi::OsStr::from_bytes(bytes)).into())
}

/// The path that a script gives.
#[cfg(not(unix))]
pub(crate) fn of(bytes: &[u8]) -> mlua::Result<Cow<'_, Path>> {
    let text = std::str::from_utf8(bytes).map_err(mlua::Error::external)?;
    Ok(Path::new(text).into())
}

/// A path for a script.
pub(crate) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}
