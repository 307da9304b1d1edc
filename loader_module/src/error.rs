//! What can go wrong, one variant for each step.

use std::io;
use std::path::PathBuf;

use plugin_api::instance::Failure;
use plugin_api::lua_abi::display_name;
use plugin_api::manifest::ManifestError;

use crate::Sha256;

pub use hook::Hook;
pub use lock_file::LockFileError;

mod hook;
mod lock_file;

/// An error of the loader. Its text names the file, the step, what was expected and what was
/// found; [`source`](std::error::Error::source) has the cause. [`Error::report`] is both.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot load plugin '{}': the file cannot be read", path.display())]
    Read {
        /// The path as it was given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is something at the path, but no file.
    #[error("cannot load plugin '{}': expected a file, found {found}", path.display())]
    NotAFile {
        /// The path as it was given.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// The file was looked up by name, or trust was asked for, and somebody other than root and the user
    /// of the process can change it or a directory on the way to it.
    #[error(
        "cannot load plugin '{}': expected '{}' to be writable by root and user {user} alone, found mode \
         {mode:04o} and owner {owner}; no code of it was run (take the right to write from others \
         with chmod, or list the directory in CYGNIXY_TRUSTED or cygnixy.trusted to trust it as it is)", path.display(), place.display()
    )]
    Untrusted {
        /// The path as it was given or found.
        path: PathBuf,
        /// The file, or a directory on the way to it.
        place: PathBuf,
        /// Its permissions, as `chmod` has them.
        mode: u32,
        /// The number of the user who owns it.
        owner: u32,
        /// The number of the user of the process.
        user: u32,
    },
    /// The content of the file is another than was asked for.
    #[error(
        "cannot load plugin '{}': SHA-256: expected {expected}, found {found}; no code of it was run",
        path.display()
    )]
    WrongHash {
        /// The path as it was given.
        path: PathBuf,
        /// The hash that was asked for.
        expected: Sha256,
        /// The hash of the file, or of what is loaded from it.
        found: Sha256,
    },
    /// The lock file in use does not list the plugin.
    #[error(
        "cannot load plugin '{plugin}' ({}): the lock file '{}' does not list it for {abi}; no code of it \
         was run", path.display(), lock_file.display()
    )]
    NotLocked {
        /// The plugin's crate.
        plugin: String,
        /// The file.
        path: PathBuf,
        /// The Lua ABI that it is built for.
        abi: String,
        /// The lock file.
        lock_file: PathBuf,
    },
    /// The lock file in use lists another version or content of the plugin.
    #[error(
        "cannot load plugin '{plugin}' ({}): {what}: expected {expected}, as the lock file '{}' has it, \
         found {found}; no code of it was run", path.display(), lock_file.display()
    )]
    OtherThanLocked {
        /// The plugin's crate.
        plugin: String,
        /// The file.
        path: PathBuf,
        /// The lock file.
        lock_file: PathBuf,
        /// What differs: `version` or `SHA-256`.
        what: &'static str,
        /// What the lock file says.
        expected: Box<str>,
        /// What the plugin file has.
        found: Box<str>,
    },
    /// The Lua state or the manager was sealed.
    #[error(
        "cannot load plugin '{plugin}' ({}): the Lua state or the manager is sealed, so that no further \
         plugin is loaded; no code of it was run", path.display()
    )]
    Sealed {
        /// The plugin.
        plugin: String,
        /// The file, or `the program itself`.
        path: PathBuf,
    },
    /// A lock file cannot be read, written or used.
    #[error(transparent)]
    LockFile(#[from] LockFileError),
    /// The hash of a loaded plugin cannot be told: its file is another by now.
    #[error(
        "plugin '{plugin}' ({}): its SHA-256 cannot be told, as the file has changed since it was \
         loaded; reload it", path.display()
    )]
    Changed {
        /// The plugin.
        plugin: String,
        /// The file.
        path: PathBuf,
    },
    /// The file is no shared library, or it is damaged.
    #[error("cannot load plugin '{}': expected a shared library, found {found}", path.display())]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        found: String,
    },
    /// The library is for another processor or system.
    #[error("cannot load plugin '{}': expected a library for {expected}, found one for {found}", path.display())]
    WrongTarget {
        /// The file.
        path: PathBuf,
        /// What this process runs.
        expected: String,
        /// What the file is for.
        found: String,
    },
    /// The file is a library without a manifest.
    #[error(
        "cannot load plugin '{}': expected a cygnixy plugin, found a library without a plugin \
         manifest (is export_plugin! missing?); no code of it was run",
        path.display()
    )]
    NotAPlugin {
        /// The file.
        path: PathBuf,
    },
    /// The manifest cannot be read.
    #[error("cannot load plugin '{}': its manifest is damaged or from another time", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ManifestError,
    },
    /// The plugin is built for another Lua.
    #[error(
        "cannot load plugin '{plugin}' ({}): Lua ABI: expected '{expected}' ({}), found '{found}' \
         ({}); no code of it was run",
        path.display(), display_name(expected), display_name(found)
    )]
    WrongLua {
        /// The plugin's crate.
        plugin: String,
        /// The file.
        path: PathBuf,
        /// The ABI of the running Lua.
        expected: String,
        /// The ABI in the manifest.
        found: String,
    },
    /// The plugin speaks another version of the boundary.
    #[error(
        "cannot load plugin '{plugin}' ({}): plugin API version: expected {expected}, found \
         {found}; no code of it was run", path.display()
    )]
    WrongApi {
        /// The plugin's crate.
        plugin: String,
        /// The file.
        path: PathBuf,
        /// The version that this loader speaks.
        expected: u32,
        /// The version in the manifest.
        found: u32,
    },
    /// The dynamic linker refuses the file.
    #[error("cannot load plugin '{plugin}' ({}): the library cannot be opened", path.display())]
    Open {
        /// The plugin's crate.
        plugin: String,
        /// The file.
        path: PathBuf,
        /// What the dynamic linker says.
        source: libloading::Error,
    },
    /// A private copy of the file, which is what gets mapped, cannot be made.
    #[error("cannot load plugin '{plugin}' ({}): a private copy of the file cannot be made", path.display())]
    Copy {
        /// The plugin's crate.
        plugin: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file changed while it was being loaded.
    #[error(
        "cannot load plugin '{plugin}' ({}): the mapped library is another one than the file that \
         was checked", path.display()
    )]
    Replaced {
        /// The plugin's crate.
        plugin: String,
        /// The file.
        path: PathBuf,
    },
    /// The library does not export what its manifest promises.
    #[error(
        "cannot load plugin '{plugin}' ({}): expected an entry point of plugin API {expected}, \
         found {found}", path.display()
    )]
    Entry {
        /// The plugin's crate.
        plugin: String,
        /// The file.
        path: PathBuf,
        /// The version in the manifest.
        expected: u32,
        /// What the library has.
        found: String,
    },
    /// The plugin's Lua API cannot be bound to the running Lua.
    #[error("cannot load plugin '{plugin}' ({}): its Lua API cannot be bound: {reason}", path.display())]
    Bind {
        /// The plugin's crate.
        plugin: String,
        /// The file.
        path: PathBuf,
        /// What the plugin says.
        reason: String,
    },
    /// Another plugin of the same name is loaded.
    #[error(
        "cannot load plugin '{name}' ({}): a plugin of that name is loaded already, from {loaded}",
        path.display()
    )]
    NameTaken {
        /// The name both gave.
        name: String,
        /// The file that was to be loaded.
        path: PathBuf,
        /// Where the loaded one is from.
        loaded: String,
    },
    /// The file is being loaded at this moment, further up the call stack.
    #[error("cannot load plugin '{}': it is being loaded already, further up the call stack", path.display())]
    Loading {
        /// The file.
        path: PathBuf,
    },
    /// A hook of the plugin is running at this moment, further up the call stack.
    #[error("plugin '{plugin}' ({}) is busy: {hook} is still running", path.display())]
    Busy {
        /// The plugin.
        plugin: String,
        /// The file, or `the program itself`.
        path: PathBuf,
        /// The hook that is running.
        hook: Hook,
    },
    /// The plugin was to be unloaded from inside a call into it. Nothing has changed.
    #[error(
        "cannot unload plugin '{plugin}' ({}): one of its functions is still running, further up \
         the call stack", path.display()
    )]
    InUse {
        /// The plugin.
        plugin: String,
        /// The file.
        path: PathBuf,
    },
    /// The plugin was to be unloaded while a coroutine is suspended in it. Nothing has changed.
    #[error(
        "cannot unload plugin '{plugin}' ({}): a coroutine is suspended in one of its functions; let \
         it finish, or let go of it and collect garbage", path.display()
    )]
    Suspended {
        /// The plugin.
        plugin: String,
        /// The file.
        path: PathBuf,
    },
    /// A plugin could not be reloaded. The version that is loaded goes on as if nothing had happened.
    #[error(
        "cannot reload plugin '{plugin}' from {}; the version that is loaded goes on", path.display()
    )]
    Reload {
        /// The plugin.
        plugin: String,
        /// The file of the new version.
        path: PathBuf,
        /// What went wrong.
        source: Box<Error>,
    },
    /// The new version of a plugin has another name.
    #[error(
        "plugin '{plugin}' ({}): the new version calls itself '{found}'", path.display()
    )]
    Renamed {
        /// The name of the loaded version.
        plugin: String,
        /// The file of the new version.
        path: PathBuf,
        /// The name of the new version.
        found: String,
    },
    /// A plugin that is part of the program cannot be reloaded or watched: it has no file.
    #[error("plugin '{plugin}' is part of the program: it has no file")]
    NotFromFile {
        /// The plugin.
        plugin: String,
    },
    /// A plugin's file cannot be watched.
    #[error("plugin '{plugin}': its file {} cannot be watched", path.display())]
    Watch {
        /// The plugin.
        plugin: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A plugin is being unloaded and garbage collected for it; a finaliser tried to load one.
    #[error(
        "cannot load plugin '{plugin}' ({}): another plugin is just being unloaded; load it after \
         that, not in a finaliser", path.display()
    )]
    Collecting {
        /// The plugin.
        plugin: String,
        /// The file, or `the program itself`.
        path: PathBuf,
    },
    /// The Lua state is being closed; a finaliser tried to load a plugin.
    #[error("cannot load plugin '{plugin}' ({}): the Lua state is being closed", path.display())]
    Closing {
        /// The plugin.
        plugin: String,
        /// The file, or `the program itself`.
        path: PathBuf,
    },
    /// A hook of the plugin failed.
    #[error("plugin '{plugin}' ({}): {hook} failed", path.display())]
    Hook {
        /// The plugin's name, or its crate if it has not said its name.
        plugin: String,
        /// The file, or `the program itself`.
        path: PathBuf,
        /// Which hook.
        hook: Hook,
        /// The error it returned, or its panic.
        source: Failure,
    },
    /// No plugin of that name is loaded.
    #[error("no plugin named '{name}' is loaded{}", known(loaded))]
    NotLoaded {
        /// The name that was asked for.
        name: String,
        /// The names of the loaded plugins.
        loaded: Vec<String>,
    },
    /// No file was found for a bare name.
    #[error("plugin '{name}' not found:{}", places(tried))]
    NotFound {
        /// The name that was looked up.
        name: String,
        /// The places tried, in order.
        tried: Vec<PathBuf>,
    },
    /// Lua itself failed, for lack of memory for example.
    #[error("plugin '{plugin}': Lua could not {step}")]
    Lua {
        /// The plugin's name.
        plugin: String,
        /// What was being done.
        step: &'static str,
        /// Lua's error.
        source: plugin_api::mlua::Error,
    },
}

impl Error {
    /// The text of the error and of all its causes, on one line where they are.
    ///
    /// ```
    /// let error = cygnixy::inspect("no/such/file.so").unwrap_err();
    /// assert!(error.report().contains("'no/such/file.so': the file cannot be read: "));
    /// ```
    #[must_use]
    pub fn report(&self) -> String {
        plugin_api::errors::chain(self)
    }
}

fn places(tried: &[PathBuf]) -> String {
    if tried.is_empty() {
        return " the path has no template to look in".to_owned();
    }
    let line = |path: &PathBuf| format!("\n\tno file '{}'", path.display());
    tried.iter().map(line).collect()
}

fn known(loaded: &[String]) -> String {
    if loaded.is_empty() {
        return String::new();
    }
    format!(" (loaded: {})", loaded.join(", "))
}
