//! What the tests of this folder share: where the plugins are, a plugin that is part of the
//! program, and a recorder of tracing events.
#![expect(clippy::panic, reason = "a helper that fails is a test that fails")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use cygnixy::PluginManager;
use mlua::Lua;
use tempfile::TempPath;

mod local;
mod recorder;

pub use local::{Local, Trouble};
pub use recorder::{Record, Recorder};

/// The folder `build`, where `tests/rust.sh` has put the plugins.
#[must_use]
pub fn build_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../build")
}

/// The probe plugin, built for the Lua of this program.
#[must_use]
pub fn probe() -> PathBuf {
    probe_for(cygnixy::plugin_api::lua_abi::LUA_ABI)
}

/// The probe plugin, built for the given Lua ABI.
#[must_use]
pub fn probe_for(abi: &str) -> PathBuf {
    let path = build_dir().join(abi).join("probe.so");
    assert!(
        path.is_file(),
        "{} is missing: run tests/rust.sh",
        path.display()
    );
    path
}

/// A copy of a plugin in a folder of `build/ABI`, with a content and a name that no other test has, as
/// libraries of equal content are one for the whole process. It is there for as long as the result.
///
/// # Panics
///
/// If the copy cannot be made.
#[must_use]
pub fn own_copy(folder: &str, name: &str) -> TempPath {
    static SERIAL: AtomicUsize = AtomicUsize::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let abi = cygnixy::plugin_api::lua_abi::LUA_ABI;
    let original = build_dir()
        .join(abi)
        .join(folder)
        .join(format!("{name}.so"));
    let copy = || {
        let mut content = std::fs::read(&original)?;
        content.extend(format!("{name} {serial}").bytes());
        let mut file = tempfile::Builder::new()
            .prefix(name)
            .suffix(".so")
            .tempfile()?;
        file.write_all(&content)?;
        Ok::<_, std::io::Error>(file.into_temp_path())
    };
    copy().unwrap_or_else(|error| panic!("{}: {error}: run tests/rust.sh", original.display()))
}

/// A Lua state and a manager with the probe registered in it.
///
/// # Panics
///
/// If the probe cannot be loaded.
#[must_use]
pub fn with_probe() -> (Lua, PluginManager) {
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    manager
        .load_plugin(probe())
        .unwrap_or_else(|error| panic!("{}", error.report()));
    manager
        .register_all_plugins(&lua)
        .unwrap_or_else(|error| panic!("{}", error.report()));
    (lua, manager)
}

/// The text of the error that a piece of Lua code ends with, as Rust sees it.
///
/// # Panics
///
/// If the code succeeds.
#[must_use]
pub fn error_of(lua: &Lua, code: &str) -> String {
    match lua.load(code).set_name("=test").exec() {
        Ok(()) => panic!("no error: {code}"),
        Err(error) => error.to_string(),
    }
}

/// A file for the probe to write its end to, and the lines in it.
#[derive(Debug)]
pub struct EndLog(tempfile::TempPath);

impl EndLog {
    /// Makes the probe that is registered in `lua` write its end here.
    ///
    /// # Panics
    ///
    /// If the probe is not there.
    #[must_use]
    pub fn of(lua: &Lua) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap_or_else(|error| panic!("{error}"));
        let path = file.into_temp_path();
        let call = lua.load("probe.log_to(...)").call::<()>(path.to_str());
        call.unwrap_or_else(|error| panic!("{error}"));
        Self(path)
    }

    /// What was written, in order.
    ///
    /// # Panics
    ///
    /// If the file cannot be read.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_else(|error| panic!("{error}"));
        text.lines().map(str::to_owned).collect()
    }
}
