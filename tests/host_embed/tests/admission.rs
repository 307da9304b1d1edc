//! What is asked of a file before it is loaded: its hash, who can change it, a lock file, no seal.

use std::path::Path;

use cygnixy::{Error, LoadOptions, LockFileError, PluginManager, Sha256, Trusted};
use cygnixy_host_embed::{Local, Trouble, own_copy};
use mlua::Lua;

/// The hash of a loaded plugin, as a lock file has it.
fn hash_of(manager: &PluginManager, name: &str) -> Option<Sha256> {
    let folder = tempfile::tempdir().ok()?;
    let lock_file = folder.path().join("lock");
    manager.write_lock_file(&lock_file).ok()?;
    let text = std::fs::read_to_string(lock_file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name));
    let field = line.and_then(|line| line.split(' ').nth(3));
    field?.parse().ok()
}

#[test]
fn a_hash_is_asked_of_the_content() {
    let path = own_copy("plugins", "greet");
    let mut manager = PluginManager::new();
    manager.load_plugin(&path).expect("it fits");
    let hash = hash_of(&manager, "greet").expect("it is listed");
    manager.unload_plugin("greet").expect("it is loaded");
    let wrong = LoadOptions::new().sha256(Sha256([7; 32]));
    match manager.load_plugin_with(&path, &wrong) {
        Err(Error::WrongHash {
            expected, found, ..
        }) => assert_eq!((expected, found), (Sha256([7; 32]), hash)),
        other => panic!("expected a refusal, got {other:?}"),
    }
    assert_eq!(manager.plugins().count(), 0);
    let right = LoadOptions::new().sha256(hash);
    manager.load_plugin_with(&path, &right).expect("it is that");
    let again = manager.load_plugin_with(&path, &wrong);
    assert!(matches!(again, Err(Error::WrongHash { .. })));
}

#[test]
fn a_hash_holds_for_reloads_until_the_unload() {
    let path = own_copy("fixtures", "twin_a");
    let replace = |by: &Path| std::fs::rename(by, &path).expect("both are ours");
    let mut manager = PluginManager::new();
    manager.load_plugin(&path).expect("it fits");
    let hash = hash_of(&manager, "cygnixy-test-fixtures").expect("it is listed");
    let options = LoadOptions::new().sha256(hash);
    manager.load_plugin_with(&path, &options).expect("it is it");
    manager.reload_plugin("twin").expect("it has not changed");
    replace(&own_copy("fixtures", "twin_b"));
    match manager.reload_plugin("twin") {
        Err(Error::Reload { source, .. }) => {
            assert!(
                matches!(*source, Error::WrongHash { expected, .. } if expected == hash),
                "{source:?}"
            );
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
    manager.unload_plugin("twin").expect("it is loaded");
    manager.load_plugin(&path).expect("nothing is asked");
    replace(&own_copy("fixtures", "twin_a"));
    manager.reload_plugin("twin").expect("nothing is asked");
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_change_is_refused_where_it_is_asked() {
    use std::os::unix::fs::PermissionsExt as _;

    let path = own_copy("plugins", "greet");
    let folder = path.parent().expect("it is a file").canonicalize();
    let folder = folder.expect("it exists");
    let mode = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(&path, mode).expect("it is ours");
    let mut manager = PluginManager::new();
    let asked = LoadOptions::new().trusted(Trusted::parse(&folder));
    match manager.load_plugin_with(&path, &asked) {
        Err(Error::Untrusted { place, mode, .. }) => {
            assert_eq!(place, path.canonicalize().expect("it exists"));
            assert_eq!(mode, 0o666);
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
    manager.load_plugin(&path).expect("nothing is asked");
}

#[test]
fn a_lock_file_is_the_managers() {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let lock_file = folder.path().join("lock");
    let greet = own_copy("plugins", "greet");
    let twin = own_copy("fixtures", "twin_a");
    let mut manager = PluginManager::new();
    manager.load_plugin(&greet).expect("it fits");
    manager.write_lock_file(&lock_file).expect("it is ours");
    manager.use_lock_file(&lock_file).expect("it lists all");
    let refused = manager.load_plugin(&twin);
    assert!(
        matches!(refused, Err(Error::NotLocked { .. })),
        "{refused:?}"
    );
    manager.reload_plugin("greet").expect("it is listed");
    let second = manager.use_lock_file(&lock_file);
    assert!(matches!(
        second,
        Err(Error::LockFile(LockFileError::InUse { .. }))
    ));

    let mut other = PluginManager::new();
    other
        .load_plugin(&twin)
        .expect("another manager has no lock file");
    let refused = other.use_lock_file(&lock_file);
    assert!(matches!(refused, Err(Error::NotLocked { .. })));
    other.load_plugin(&greet).expect("it has none still");
}

#[test]
fn a_sealed_state_gets_no_plugin_from_any_manager() {
    let (greet, twin) = (own_copy("plugins", "greet"), own_copy("fixtures", "twin_a"));
    let (lua, open) = (Lua::new(), Lua::new());
    let mut manager = PluginManager::new();
    let table = manager.load_plugin_into(&greet, &lua).expect("it fits");
    cygnixy::seal_state(&lua).expect("there is memory");
    let refused = manager.load_plugin_into(&twin, &lua);
    assert!(matches!(refused, Err(Error::Sealed { .. })), "{refused:?}");
    assert_eq!(manager.plugins().count(), 1);
    let refused = manager.reload_plugin("greet");
    assert!(matches!(refused, Err(Error::Reload { .. })), "{refused:?}");
    let again = manager.load_plugin_into(&greet, &lua).expect("it is there");
    assert_eq!(again, table);

    manager
        .load_plugin(&twin)
        .expect("the manager is not sealed");
    let refused = manager.register_plugin("twin", &lua);
    assert!(matches!(refused, Err(Error::Sealed { .. })), "{refused:?}");
    manager
        .register_plugin("twin", &open)
        .expect("the other state is not sealed");
    let hello = table.get::<mlua::Function>("hello").expect("it is there");
    assert_eq!(
        hello.call::<String>("you").expect("it works"),
        "Hello, you!"
    );
    let report = manager.unload_plugin("greet").expect("it is loaded");
    assert_eq!(report.name, "greet");
}

#[test]
fn a_sealed_manager_loads_nothing() {
    let (greet, twin) = (own_copy("plugins", "greet"), own_copy("fixtures", "twin_a"));
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    manager.load_plugin(&greet).expect("it fits");
    manager.seal();
    let refused = manager.load_plugin(&twin);
    assert!(matches!(refused, Err(Error::Sealed { .. })), "{refused:?}");
    let refused = manager.register_plugin_instance(Local::new("local", Trouble::None).0);
    assert!(matches!(refused, Err(Error::Sealed { .. })), "{refused:?}");
    manager.register_all_plugins(&lua).expect("it is loaded");
    lua.load("assert(greet.hello('you') == 'Hello, you!')")
        .exec()
        .expect("it works");
    manager.unload_plugin("greet").expect("it is loaded");
}
