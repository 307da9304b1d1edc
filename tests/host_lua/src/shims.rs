//! Stand-ins for the C rocks that busted needs: `lfs`, `system.core` and `term.core`.
//!
//! They exist to run busted where no such rock exists, as for Lua 5.5, and hold just what busted,
//! penlight and luassert call. They are found by a searcher that comes last: a real module wins.

use std::fs::{self, Metadata};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mlua::{Function, IntoLuaMulti, Lua, LuaString, MultiValue, Table, Value};

/// Adds the searcher behind those that Lua has.
pub(crate) fn install(lua: &Lua) -> mlua::Result<()> {
    let package: Table = lua.globals().raw_get("package")?;
    let searchers: Table = match package.raw_get("searchers")? {
        Value::Table(table) => table,
        _ => package.raw_get("loaders")?,
    };
    searchers.raw_push(lua.create_function(|lua, name: LuaString| {
        let open = match &*name.as_bytes() {
            b"lfs" => lua.create_function(|lua, _: MultiValue| lfs(lua))?,
            b"system.core" => lua.create_function(|lua, _: MultiValue| system(lua))?,
            b"term.core" => lua.create_function(|lua, _: MultiValue| term(lua))?,
            _ => return Ok(Value::Nil),
        };
        Ok(Value::Function(open))
    })?)
}

/// What luafilesystem offers, as far as penlight asks for it.
fn lfs(lua: &Lua) -> mlua::Result<Table> {
    let lfs = lua.create_table()?;
    lfs.raw_set("attributes", attributes(lua, |path| fs::metadata(path))?)?;
    lfs.raw_set(
        "symlinkattributes",
        attributes(lua, |path| fs::symlink_metadata(path))?,
    )?;
    lfs.raw_set(
        "currentdir",
        lua.create_function(|lua, ()| match std::env::current_dir() {
            Ok(dir) => lua
                .create_string(dir.as_os_str().as_encoded_bytes())?
                .into_lua_multi(lua),
            Err(error) => failure(lua, &error),
        })?,
    )?;
    lfs.raw_set(
        "chdir",
        on_path(lua, |path| std::env::set_current_dir(path))?,
    )?;
    lfs.raw_set("mkdir", on_path(lua, |path| fs::create_dir(path))?)?;
    lfs.raw_set("rmdir", on_path(lua, |path| fs::remove_dir(path))?)?;
    lfs.raw_set("dir", lua.create_function(dir)?)?;
    Ok(lfs)
}

/// A function of a path that returns `true`, or `nil`, a message and the error's number.
fn on_path(lua: &Lua, act: fn(&Path) -> io::Result<()>) -> mlua::Result<Function> {
    lua.create_function(
        move |lua, path: LuaString| match act(Path::new(&*path.to_str()?)) {
            Ok(()) => true.into_lua_multi(lua),
            Err(error) => failure(lua, &error),
        },
    )
}

/// `attributes(path)` gives a table, `attributes(path, name)` one field of it.
fn attributes(lua: &Lua, read: fn(&Path) -> io::Result<Metadata>) -> mlua::Result<Function> {
    lua.create_function(move |lua, (path, field): (LuaString, Option<LuaString>)| {
        let metadata = match read(Path::new(&*path.to_str()?)) {
            Ok(metadata) => metadata,
            Err(error) => return failure(lua, &error),
        };
        let kind = metadata.file_type();
        let mode = match () {
            () if kind.is_file() => "file",
            () if kind.is_dir() => "directory",
            () if kind.is_symlink() => "link",
            () => "other",
        };
        let all = lua.create_table()?;
        all.raw_set("mode", mode)?;
        all.raw_set("size", metadata.len())?;
        all.raw_set("access", seconds(metadata.accessed()))?;
        all.raw_set("modification", seconds(metadata.modified()))?;
        match field {
            Some(name) => all.raw_get::<Value>(name)?.into_lua_multi(lua),
            None => all.into_lua_multi(lua),
        }
    })
}

/// `for name in lfs.dir(path)`, with `.` and `..` first, as C libraries give them.
fn dir(lua: &Lua, path: LuaString) -> mlua::Result<Function> {
    let entries = fs::read_dir(&*path.to_str()?).map_err(mlua::Error::external)?;
    let mut names = vec![b".".to_vec(), b"..".to_vec()];
    for entry in entries {
        let name = entry.map_err(mlua::Error::external)?.file_name();
        names.push(name.into_encoded_bytes());
    }
    let mut names = names.into_iter();
    lua.create_function_mut(move |lua, _: MultiValue| {
        names.next().map(|name| lua.create_string(name)).transpose()
    })
}

/// What lua-system offers: the clocks, and a pause.
fn system(lua: &Lua) -> mlua::Result<Table> {
    let system = lua.create_table()?;
    let start = Instant::now();
    system.raw_set(
        "gettime",
        lua.create_function(|_, ()| Ok(seconds(Ok(SystemTime::now()))))?,
    )?;
    system.raw_set(
        "monotime",
        lua.create_function(move |_, ()| Ok(start.elapsed().as_secs_f64()))?,
    )?;
    system.raw_set(
        "sleep",
        lua.create_function(|_, pause: f64| {
            std::thread::sleep(Duration::try_from_secs_f64(pause).unwrap_or_default());
            Ok(())
        })?,
    )?;
    Ok(system)
}

/// What lua-term offers: whether a standard stream is a terminal.
fn term(lua: &Lua) -> mlua::Result<Table> {
    let io: Table = lua.globals().raw_get("io")?;
    let (stdin, stdout, stderr): (Value, Value, Value) = (
        io.raw_get("stdin")?,
        io.raw_get("stdout")?,
        io.raw_get("stderr")?,
    );
    let term = lua.create_table()?;
    term.raw_set(
        "isatty",
        lua.create_function(move |_, file: Value| {
            Ok(match file {
                file if file == stdin => io::stdin().is_terminal(),
                file if file == stdout => io::stdout().is_terminal(),
                file if file == stderr => io::stderr().is_terminal(),
                _ => false,
            })
        })?,
    )?;
    Ok(term)
}

/// A time as Lua counts it; what the system does not know is zero.
fn seconds(time: io::Result<SystemTime>) -> f64 {
    time.ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or(0.0, |t| t.as_secs_f64())
}

/// `nil`, a message and a number, the way Lua's own libraries report what the system refused.
fn failure(lua: &Lua, error: &io::Error) -> mlua::Result<MultiValue> {
    (
        Value::Nil,
        error.to_string(),
        error.raw_os_error().unwrap_or(0),
    )
        .into_lua_multi(lua)
}
