//! Finding a plugin file by a bare name.
//!
//! Names and templates are bytes, as Lua's strings are. Where the default looks is in `folders`.

use std::env;
use std::ffi::OsString;
use std::path::{self, Path, PathBuf};

use plugin_api::lua_abi::accepted_by;

use crate::Error;
use crate::paths::to_path;

mod folders;

pub(crate) mod found;

/// The environment variable that replaces the default path, or adds to it with `;;`.
const VARIABLE: &str = "CYGNIXY_PATH";

/// The endings of plugin files.
const EXTENSIONS: [&str; 3] = ["so", "dylib", "dll"];

/// Whether a string given to `load` is a path: it has a separator or the ending of a library.
pub(crate) fn is_path(text: &[u8]) -> bool {
    let has_separator = text
        .iter()
        .any(|byte| path::is_separator(char::from(*byte)));
    let path = to_path(text);
    let extension = path.extension().and_then(|extension| extension.to_str());
    has_separator || extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
}

/// The templates for an interpreter of the given ABI: those of `CYGNIXY_PATH`, where `;;` stands
/// for the default, or the default alone. `module` is the file of the Lua module.
pub(crate) fn initial_path(runtime: &str, module: Option<&Path>) -> Vec<u8> {
    let folders = folders::all(module, &accepted_by(runtime));
    with_default(env::var_os(VARIABLE), default_path(&folders))
}

fn with_default(variable: Option<OsString>, default: Vec<u8>) -> Vec<u8> {
    let Some(variable) = variable else {
        return default;
    };
    let variable = variable.as_encoded_bytes();
    match variable.windows(2).position(|pair| pair == b";;") {
        Some(at) => [&variable[..at], b";", &default, b";", &variable[at + 2..]].concat(),
        None => variable.to_vec(),
    }
}

/// The templates for folders of plugins.
fn default_path(folders: &[PathBuf]) -> Vec<u8> {
    let mut templates = Vec::new();
    for folder in folders {
        for file in ["?", "lib?"] {
            let template = folder.join(format!("{file}.{}", env::consts::DLL_EXTENSION));
            templates.push(template.into_os_string().into_encoded_bytes());
        }
    }
    templates.join(&b';')
}

/// The file for a bare name: the first that exists, looked up as `package.searchpath` does it.
pub(crate) fn search(name: &[u8], path: &[u8]) -> Result<PathBuf, Error> {
    let separator = path::MAIN_SEPARATOR_STR.as_bytes();
    let file = replace(name, b'.', separator);
    let templates = path
        .split(|byte| *byte == b';')
        .filter(|template| !template.is_empty());
    let mut tried = Vec::new();
    for template in templates {
        let candidate = to_path(&replace(template, b'?', &file));
        if candidate.is_file() {
            return Ok(candidate);
        }
        tried.push(candidate);
    }
    Err(Error::NotFound {
        name: String::from_utf8_lossy(name).into_owned(),
        tried,
    })
}

fn replace(text: &[u8], what: u8, with: &[u8]) -> Vec<u8> {
    text.split(|byte| *byte == what)
        .collect::<Vec<_>>()
        .join(with)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_bare_names_are_told_apart() {
        for path in ["./greet", "/a/greet.so", "libgreet.so", "a/b", "greet.dll"] {
            assert!(is_path(path.as_bytes()), "{path}");
        }
        for name in ["greet", "my_plugin", "a.b", ""] {
            assert!(!is_path(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn two_semicolons_stand_for_the_default() {
        let path = |text: &str| with_default(Some(text.into()), b"D/?.so".to_vec());
        assert_eq!(path("a/?;;"), b"a/?;D/?.so;");
        assert_eq!(path(";;"), b";D/?.so;");
        assert_eq!(path("a/?"), b"a/?");
        assert_eq!(with_default(None, b"D".to_vec()), b"D");
    }

    #[test]
    fn the_path_begins_as_the_default_or_the_variable() {
        let default = default_path(&folders::all(None, &accepted_by("lua54")));
        let expected = with_default(env::var_os(VARIABLE), default);
        assert_eq!(initial_path("lua54", None), expected);
    }

    #[test]
    fn a_miss_lists_every_place() {
        let Err(Error::NotFound { tried, .. }) = search(b"a.b", b"x/?.so;;y/lib?.so") else {
            panic!("nothing is there to be found");
        };
        assert_eq!(tried, [Path::new("x/a/b.so"), Path::new("y/liba/b.so")]);
    }

    #[test]
    fn luajit_also_looks_where_lua51_plugins_are() {
        let path = default_path(&folders::all(None, &accepted_by("luajit")));
        let path = String::from_utf8(path).expect("a test's path is text");
        assert!(path.contains("luajit") && path.contains("lua51"), "{path}");
    }
}
