//! Where plugins are installed: the folders whose `cygnixy/ABI` the default path looks in.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The folders, in the order in which they are looked in: the user's data directory, the tree that
/// the Lua module was installed in, the system's data directories. One whose name would not be
/// itself in a template is left out.
pub(super) fn all(module: Option<&Path>) -> Vec<PathBuf> {
    // A home that is no absolute path would let the current directory be searched.
    let own = dirs::data_dir().filter(|folder| folder.is_absolute());
    let mut folders: Vec<PathBuf> = own.into_iter().collect();
    folders.extend(module.and_then(tree));
    folders.extend(system(env::var_os("XDG_DATA_DIRS")));
    let is_plain = |folder: &PathBuf| {
        let bytes = folder.as_os_str().as_encoded_bytes();
        !bytes.iter().any(|byte| matches!(byte, b';' | b'?'))
    };
    folders.retain(is_plain);
    folders
}

/// The folder of libraries of an installed tree, such as a LuaRocks tree: `TREE/lib` for a module in
/// `TREE/lib/lua/5.4/`. What is installed in another manner is in no tree.
fn tree(module: &Path) -> Option<PathBuf> {
    let lua = module.parent()?.parent()?;
    (lua.file_name()? == "lua").then(|| lua.parent().map(Path::to_owned))?
}

/// The system's data directories, as the XDG Base Directory Specification has them: paths that are
/// not absolute are left out, and nothing set means the default.
#[cfg(unix)]
fn system(variable: Option<OsString>) -> Vec<PathBuf> {
    let variable = variable.filter(|variable| !variable.is_empty());
    let variable = variable.unwrap_or_else(|| "/usr/local/share:/usr/share".into());
    env::split_paths(&variable)
        .filter(|folder| folder.is_absolute())
        .collect()
}

/// There are none.
#[cfg(not(unix))]
fn system(_variable: Option<OsString>) -> Vec<PathBuf> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_told_by_the_folders_for_c_modules() {
        let tree = |path: &str| tree(Path::new(path));
        assert_eq!(
            tree("/t/lib/lua/5.4/cygnixy.so"),
            Some(PathBuf::from("/t/lib"))
        );
        assert_eq!(tree("/t/build/lua54/cygnixy.so"), None);
        assert_eq!(tree("cygnixy.so"), None);
    }

    #[cfg(unix)]
    #[test]
    fn the_systems_folders_are_absolute() {
        let system = |text: &str| system(Some(text.into()));
        let default = [Path::new("/usr/local/share"), Path::new("/usr/share")];
        assert_eq!(system("/a:b:/c"), [Path::new("/a"), Path::new("/c")]);
        assert_eq!(system(""), default);
        assert_eq!(super::system(None), default);
    }

    #[test]
    fn a_folder_with_a_semicolon_is_left_out() {
        let folders = all(Some(Path::new("/t;/lib/lua/5.4/cygnixy.so")));
        assert!(!folders.contains(&PathBuf::from("/t;/lib")), "{folders:?}");
    }
}
