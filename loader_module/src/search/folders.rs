//! Where plugins are installed: the folders that the default path looks in.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where rocks put their plugins, beside the module.
const OF_ROCKS: &str = "cygnixy_plugins";

/// The folders, in the order in which they are looked in: `cygnixy/ABI` of the user's data directory and of
/// the tree that the Lua module was installed in, what rocks have put into that tree, and `cygnixy/ABI` of
/// the system's data directories. One whose name would not be itself in a template is left out.
pub(super) fn all(module: Option<&Path>, abis: &[&str]) -> Vec<PathBuf> {
    let by_abi = |folder: PathBuf| abis.iter().map(move |abi| folder.join("cygnixy").join(abi));
    // A home that is no absolute path would let the current directory be searched.
    let own = dirs::data_dir().filter(|folder| folder.is_absolute());
    let mut folders: Vec<PathBuf> = own.into_iter().flat_map(by_abi).collect();
    if let Some((tree, modules)) = module.and_then(tree) {
        folders.extend(by_abi(tree));
        folders.push(modules.join(OF_ROCKS));
    }
    let system = system(env::var_os("XDG_DATA_DIRS"));
    folders.extend(system.into_iter().flat_map(by_abi));
    let is_plain = |folder: &PathBuf| {
        let bytes = folder.as_os_str().as_encoded_bytes();
        !bytes.iter().any(|byte| matches!(byte, b';' | b'?'))
    };
    folders.retain(is_plain);
    folders
}

/// The folders of an installed tree, such as a LuaRocks tree, for libraries and for modules written in C:
/// `TREE/lib` and `TREE/lib/lua/5.4` for a module in the latter. What is installed in another manner is in
/// no tree.
fn tree(module: &Path) -> Option<(PathBuf, PathBuf)> {
    let modules = module.parent()?;
    let lua = modules.parent()?;
    let libraries = lua.parent()?;
    (lua.file_name()? == "lua").then(|| (libraries.to_owned(), modules.to_owned()))
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
            Some(("/t/lib".into(), "/t/lib/lua/5.4".into()))
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
    fn a_tree_has_folders_by_abi_and_what_rocks_have_put_there() {
        let folders = all(
            Some(Path::new("/t/lib/lua/5.1/cygnixy.so")),
            &["luajit", "lua51"],
        );
        let in_tree = folders.iter().filter(|folder| folder.starts_with("/t"));
        let expected = ["cygnixy/luajit", "cygnixy/lua51", "lua/5.1/cygnixy_plugins"];
        let expected = expected.map(|folder| Path::new("/t/lib").join(folder));
        assert_eq!(in_tree.cloned().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_folder_with_a_semicolon_is_left_out() {
        let folders = all(Some(Path::new("/t;/lib/lua/5.4/cygnixy.so")), &["lua54"]);
        let is_odd = |folder: &PathBuf| folder.starts_with("/t;");
        assert!(!folders.iter().any(is_odd), "{folders:?}");
    }
}
