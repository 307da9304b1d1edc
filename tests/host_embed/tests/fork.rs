//! A process that forks after loading. The only test of its file: nothing else runs beside it.
#![cfg(unix)]

use cygnixy_host_embed::{EndLog, with_probe};

/// Runs `body` in a child process and gives the child's wait status.
fn in_child(body: impl FnOnce() -> bool) -> i32 {
    // SAFETY: the child runs `body` and ends without returning into the test harness. glibc makes
    // `malloc` usable in the child of a program with threads, and no other thread of this program
    // holds a lock: this is its only test.
    unsafe {
        let child = libc::fork();
        assert!(child >= 0, "fork failed");
        if child == 0 {
            let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            libc::_exit(i32::from(!matches!(worked, Ok(true))));
        }
        let mut status = -1;
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        status
    }
}

#[test]
fn a_child_goes_on_with_the_plugin_and_so_does_its_parent() {
    let (lua, mut manager) = with_probe();
    let log = EndLog::of(&lua);
    lua.load("probe.count()").exec().unwrap();

    // The child calls, fails, and ends without closing anything.
    let status = in_child(|| {
        lua.load("assert(probe.count() == 2) assert(not pcall(probe.fail)) assert(not pcall(probe.panic))")
            .exec()
            .is_ok()
    });
    assert_eq!(status, 0, "wait status {status:#x}");
    assert!(log.lines().is_empty());

    // This child also unloads and loads again.
    let status = in_child(|| {
        let unloaded = manager.unload_plugin("probe").is_ok();
        let (lua, manager) = with_probe();
        let called = lua
            .load("probe.count()")
            .eval::<i64>()
            .is_ok_and(|count| count == 1);
        drop((lua, manager));
        unloaded && called
    });
    assert_eq!(status, 0, "wait status {status:#x}");
    assert_eq!(log.lines(), ["on_unload", "drop"]);

    // What children did is not seen here.
    assert_eq!(lua.load("probe.count()").eval::<i64>().unwrap(), 2);
    manager.unload_plugin("probe").unwrap();
    assert_eq!(log.lines(), ["on_unload", "drop", "on_unload", "drop"]);
}
