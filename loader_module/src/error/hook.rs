//! The steps of a plugin's life that errors name.

use std::fmt;

/// A step in the life of a plugin that runs its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hook {
    /// The expression given to `export_plugin!`, and `name`.
    Create,
    /// `on_load`.
    OnLoad,
    /// `get_lua_functions`.
    GetLuaFunctions,
    /// Taking the functions back.
    Revoke,
    /// `on_unload`.
    OnUnload,
    /// `save_state`.
    SaveState,
    /// `restore_state`.
    RestoreState,
    /// The plugin is being reloaded.
    Reload,
    /// The plugin's destructor.
    Drop,
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "its constructor",
            Self::OnLoad => "on_load",
            Self::GetLuaFunctions => "get_lua_functions",
            Self::Revoke => "revoking its functions",
            Self::OnUnload => "on_unload",
            Self::SaveState => "save_state",
            Self::RestoreState => "restore_state",
            Self::Reload => "a reload",
            Self::Drop => "its destructor",
        })
    }
}
