//! Unmapping and reloading, as a Rust program sees them: several states, threads and managers.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use cygnixy::{Error, PluginManager, ReasonKind, UnloadReport};
use cygnixy_host_embed::own_copy;
use mlua::{Function, Lua};
use tempfile::TempPath;

fn load(manager: &mut PluginManager, lua: &Lua, path: &Path) {
    manager.load_plugin(path).unwrap();
    manager.register_all_plugins(lua).unwrap();
}

fn kinds(report: &UnloadReport) -> Vec<ReasonKind> {
    report.reasons.iter().map(|reason| reason.kind).collect()
}

/// Whether a file's private copy is in the process's map of memory.
fn is_mapped(path: &Path) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.contains(path.file_name().unwrap().to_str().unwrap())
}

#[test]
fn an_unload_unmaps() {
    let copy = own_copy("zoo", "plain");
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    load(&mut manager, &lua, &copy);
    assert!(is_mapped(&copy));
    let report = manager.unload_plugin("plain").unwrap();
    assert!(report.unmapped, "{report}");
    assert_eq!(report.name, "plain");
    assert_eq!(report.path, Some(copy.canonicalize().unwrap()));
    assert!(!is_mapped(&copy));
    let ping = lua.load("plain.ping()").exec().unwrap_err().to_string();
    assert!(ping.contains("plugin 'plain' has been unloaded"), "{ping}");
}

#[test]
fn a_plugin_that_was_never_registered_is_unmapped() {
    let copy = own_copy("zoo", "thread_local");
    let mut manager = PluginManager::new();
    manager.load_plugin(&copy).unwrap();
    assert!(manager.unload_plugin("thread_local").unwrap().unmapped);
    assert!(!is_mapped(&copy));
}

#[test]
fn a_function_held_in_rust_keeps_the_library() {
    let copy = own_copy("zoo", "plain");
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    load(&mut manager, &lua, &copy);
    let ping: Function = lua.load("return plain.ping").eval().unwrap();
    let report = manager.unload_plugin("plain").unwrap();
    assert_eq!(kinds(&report), [ReasonKind::Function]);
    assert_eq!(report.reasons[0].name.as_deref(), Some("ping"));
    assert!(ping.call::<()>(()).is_err());
    drop(ping);
    let reports = manager.collect();
    assert!(reports.len() == 1 && reports[0].unmapped, "{reports:?}");
    assert!(manager.collect().is_empty());
    assert!(!is_mapped(&copy));
}

#[test]
fn without_a_collection_it_stays_for_now() {
    let copy = own_copy("zoo", "objects");
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    load(&mut manager, &lua, &copy);
    let report = manager.unload_plugin_without_collecting("objects").unwrap();
    assert_eq!(kinds(&report), [ReasonKind::NotCollected]);
    // A later unload of another plugin looks again.
    load(&mut manager, &lua, &own_copy("zoo", "plain"));
    assert!(manager.unload_plugin("plain").unwrap().unmapped);
    assert!(!is_mapped(&copy));
}

#[test]
fn every_state_is_looked_at() {
    let copy = own_copy("zoo", "objects");
    let (one, two) = (Lua::new(), Lua::new());
    let mut manager = PluginManager::new();
    load(&mut manager, &one, &copy);
    manager.register_all_plugins(&two).unwrap();
    two.load("held = objects.object(7)").exec().unwrap();
    let report = manager.unload_plugin("objects").unwrap();
    assert_eq!(kinds(&report), [ReasonKind::Object], "{report}");
    two.load("assert(held:value() == 7) held = nil")
        .exec()
        .unwrap();
    assert!(manager.collect()[0].unmapped);
    assert!(!is_mapped(&copy));
}

#[test]
fn what_another_manager_uses_stays() {
    let copy = own_copy("zoo", "plain");
    let (one, two) = (Lua::new(), Lua::new());
    let (mut first, mut second) = (PluginManager::new(), PluginManager::new());
    load(&mut first, &one, &copy);
    load(&mut second, &two, &copy);
    let report = first.unload_plugin("plain").unwrap();
    assert_eq!(kinds(&report), [ReasonKind::State], "{report}");
    two.load("assert(plain.ping() == 'pong')").exec().unwrap();
    assert!(second.unload_plugin("plain").unwrap().unmapped);
    assert!(first.collect().iter().all(|report| report.unmapped));
}

#[test]
fn two_managers_in_one_state_do_not_take_from_each_other() {
    let copy = own_copy("zoo", "objects");
    let lua = Lua::new();
    let (mut first, mut second) = (PluginManager::new(), PluginManager::new());
    load(&mut first, &lua, &copy);
    load(&mut second, &lua, &copy);
    let report = first.unload_plugin("objects").unwrap();
    assert_eq!(kinds(&report), [ReasonKind::State], "{report}");
    // The global table is the second's.
    lua.load("assert(objects.object(3):value() == 3)")
        .exec()
        .unwrap();
    let report = second.unload_plugin("objects").unwrap();
    first.collect();
    second.collect();
    assert!(!is_mapped(&copy), "{report}");
}

#[test]
fn a_state_that_was_closed_before_keeps_the_library() {
    let copy = own_copy("zoo", "plain");
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    load(&mut manager, &lua, &copy);
    drop(lua);
    let report = manager.unload_plugin("plain").unwrap();
    assert_eq!(kinds(&report), [ReasonKind::ClosedState]);
    assert!(is_mapped(&copy));
}

#[test]
fn a_manager_that_is_dropped_unmaps_too() {
    let copy = own_copy("zoo", "spans");
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    load(&mut manager, &lua, &copy);
    lua.load("spans.work(2)").exec().unwrap();
    drop(manager);
    assert!(!is_mapped(&copy));
    assert!(lua.load("spans.work(2)").exec().is_err());
}

#[test]
fn a_thread_may_end_after_it_unloaded() {
    // Rust has a handle of the thread, in the plugin's copy of it, whose destructor is the plugin's.
    for plugin in ["current_thread", "thread_local", "random", "spans"] {
        let copy = own_copy("zoo", plugin);
        thread::spawn(move || {
            let lua = Lua::new();
            let mut manager = PluginManager::new();
            load(&mut manager, &lua, &copy);
            let calls = format!("for _, f in pairs({plugin}) do pcall(f) end");
            lua.load(calls).exec().unwrap();
            assert!(manager.unload_plugin(plugin).unwrap().unmapped);
            assert!(!is_mapped(&copy));
        })
        .join()
        .unwrap();
    }
}

#[test]
fn thread_locals_of_a_thread_that_lives_keep_the_library() {
    let copy = own_copy("zoo", "thread_local");
    let mut manager = PluginManager::new();
    manager.load_plugin(&copy).unwrap();
    let path = copy.to_path_buf();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let other = thread::spawn(move || {
        let lua = Lua::new();
        let mut manager = PluginManager::new();
        load(&mut manager, &lua, &path);
        lua.load("thread_local.touch()").exec().unwrap();
        let report = manager.unload_plugin("thread_local").unwrap();
        ready.send(kinds(&report)).unwrap();
        is_done.recv().unwrap();
    });
    assert_eq!(is_ready.recv().unwrap(), [ReasonKind::State]);
    let report = manager.unload_plugin("thread_local").unwrap();
    assert_eq!(kinds(&report), [ReasonKind::ThreadLocal], "{report}");
    done.send(()).unwrap();
    other.join().unwrap();
    // The thread is gone for Rust a moment before it is for the kernel.
    let is_unmapped = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(20));
        manager.collect().iter().all(|report| report.unmapped)
    });
    assert!(is_unmapped && !is_mapped(&copy));
}

#[test]
fn many_threads_load_and_unload_one_file() {
    let copy = own_copy("zoo", "objects");
    let unmapped = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let lua = Lua::new();
                    let mut manager = PluginManager::new();
                    load(&mut manager, &lua, &copy);
                    lua.load("assert(objects.object(2):value() == 2)")
                        .exec()
                        .unwrap();
                    let report = manager.unload_plugin("objects").unwrap();
                    unmapped.fetch_add(usize::from(report.unmapped), Ordering::Relaxed);
                }
            });
        }
    });
    let mut manager = PluginManager::new();
    manager.load_plugin(&copy).unwrap();
    let report = manager.unload_plugin("objects").unwrap();
    assert!(report.unmapped, "{report}");
    assert!(!is_mapped(&copy));
}

fn rebuilt(path: &Path, version: &str) {
    let next = path.with_extension("new");
    std::fs::copy(own_copy("fixtures", version), &next).unwrap();
    std::fs::rename(next, path).unwrap();
}

fn with_version() -> (Lua, PluginManager, TempPath) {
    let path = own_copy("fixtures", "version_1");
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    load(&mut manager, &lua, &path);
    (lua, manager, path)
}

#[test]
fn a_reload_reaches_every_state() {
    let (one, mut manager, path) = with_version();
    let two = Lua::new();
    manager.register_all_plugins(&two).unwrap();
    for lua in [&one, &two] {
        lua.load("held = version.number assert(held() == 1) version.count()")
            .exec()
            .unwrap();
    }
    one.load("version.count()").exec().unwrap();
    rebuilt(&path, "version_2");
    let report = manager.reload_plugin("version").unwrap();
    assert!(report.reloaded && !report.unmapped, "{report}");
    for (lua, count) in [(&one, 3), (&two, 2)] {
        let calls = "return held() + version.number(), version.count()";
        assert_eq!(lua.load(calls).eval::<(i64, i64)>().unwrap(), (4, count));
        lua.load("held = nil").exec().unwrap();
    }
    assert!(manager.collect()[0].unmapped);
    assert_eq!(manager.get_plugin("version").unwrap().functions.len(), 9);
}

#[test]
fn a_reload_that_fails_changes_nothing() {
    let (lua, mut manager, path) = with_version();
    rebuilt(&path, "version_load_fails");
    let error = manager.reload_plugin("version").unwrap_err();
    assert!(matches!(error, Error::Reload { .. }), "{error:?}");
    assert!(error.report().contains("this version does not load"));
    assert_eq!(
        lua.load("return version.number()").eval::<i64>().unwrap(),
        1
    );
    assert!(manager.unload_plugin("version").unwrap().unmapped);
}

#[test]
fn a_watched_file_is_reloaded_when_polled() {
    let (lua, mut manager, path) = with_version();
    manager
        .watch_plugin("version", Duration::from_millis(30))
        .unwrap();
    assert!(manager.poll().is_empty());
    rebuilt(&path, "version_2");
    let result = (0..200).find_map(|_| {
        thread::sleep(Duration::from_millis(20));
        manager.poll().pop()
    });
    assert!(result.unwrap().outcome.unwrap().unmapped);
    assert_eq!(
        lua.load("return version.number()").eval::<i64>().unwrap(),
        2
    );
    assert!(manager.unwatch_plugin("version"));
}
