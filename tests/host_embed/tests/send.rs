//! mlua's feature `send`: a Lua state with plugins moves from thread to thread.
#![cfg(feature = "send")]

use cygnixy::PluginManager;
use cygnixy_host_embed::{EndLog, error_of, with_probe};

const fn is_send<T: Send>() {}

#[test]
fn a_manager_can_move() {
    is_send::<PluginManager>();
    is_send::<mlua::Lua>();
}

#[test]
fn a_state_is_used_and_closed_on_another_thread() {
    let (lua, mut manager) = with_probe();
    let log = EndLog::of(&lua);
    lua.load("probe.count() pcall(probe.fail)").exec().unwrap();
    std::thread::spawn(move || {
        assert_eq!(lua.load("probe.count()").eval::<i64>().unwrap(), 2);
        assert!(error_of(&lua, "probe.fail()").contains("the probe failed"));
        assert!(error_of(&lua, "probe.panic()").contains("the probe panicked"));
        manager.unload_plugin("probe").unwrap();
        assert!(error_of(&lua, "probe.count()").contains("has been unloaded"));
    })
    .join()
    .unwrap();
    assert_eq!(log.lines(), ["on_unload", "drop"]);
}

#[test]
fn threads_take_turns_on_one_state() {
    let (lua, _manager) = with_probe();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    lua.load("probe.count()").exec().unwrap();
                }
            });
        }
    });
    assert_eq!(lua.load("probe.count()").eval::<i64>().unwrap(), 401);
}
