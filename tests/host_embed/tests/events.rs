//! What the loader tells `tracing`: an event for each step, with plugin, path and step.

use cygnixy::PluginManager;
use cygnixy_host_embed::{Local, Record, Recorder, Trouble, probe};
use mlua::Lua;
use tracing::Level;

/// The steps of the records, in order, without repetition.
fn steps(records: &[Record]) -> Vec<String> {
    let mut steps: Vec<String> = records
        .iter()
        .filter_map(|r| r.fields.get("step").cloned())
        .collect();
    steps.dedup();
    steps
}

#[test]
fn every_step_of_a_life_is_told() {
    // A file of its own content, which no other test of this process has opened already.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("probe.so");
    let content = [std::fs::read(probe()).unwrap(), b"\n".to_vec()].concat();
    std::fs::write(&file, content).unwrap();
    let recorder = Recorder::default();
    recorder.during(|| {
        let lua = Lua::new();
        let mut manager = PluginManager::new();
        manager.load_plugin(&file).unwrap();
        manager.load_plugin(&file).unwrap();
        manager.register_all_plugins(&lua).unwrap();
        manager.unload_plugin("probe").unwrap();
    });
    let records = recorder.records();
    let steps = steps(&records);
    for step in [
        "read",
        "check",
        "open",
        "bind",
        "its constructor",
        "on_load",
        "load",
        "found",
        "get_lua_functions",
        "revoking its functions",
        "on_unload",
        "its destructor",
        "leave",
        "close",
        "unload",
    ] {
        assert!(
            steps.contains(&step.to_owned()),
            "no event for {step}: {steps:?}"
        );
    }
    let path = file.canonicalize().unwrap();
    for record in &records {
        let fields = &record.fields;
        assert!(fields.contains_key("step"), "no step: {record:?}");
        assert!(fields.contains_key("plugin"), "no plugin: {record:?}");
        let told = fields
            .get("path")
            .unwrap_or_else(|| panic!("no path: {record:?}"));
        let told = std::path::Path::new(told).canonicalize().unwrap();
        assert_eq!(told, path, "{record:?}");
        assert!(!record.spans.is_empty(), "in no span: {record:?}");
        assert!(record.level > Level::WARN, "{record:?}");
    }
}

#[test]
fn the_spans_tell_the_operation() {
    let recorder = Recorder::default();
    recorder.during(|| {
        let lua = Lua::new();
        let mut manager = PluginManager::new();
        manager.load_plugin(probe()).unwrap();
        manager.register_all_plugins(&lua).unwrap();
        manager.unload_plugin("probe").unwrap();
    });
    let records = recorder.records();
    let in_span = |step: &str, span: &str| {
        let spans = records
            .iter()
            .filter(|r| r.fields.get("step").is_some_and(|s| s == step));
        assert!(spans.clone().count() > 0, "no step {step}");
        for record in spans {
            assert_eq!(
                record.spans.first().map(String::as_str),
                Some(span),
                "{record:?}"
            );
        }
    };
    in_span("read", "load");
    in_span("on_load", "load");
    in_span("get_lua_functions", "register");
    in_span("on_unload", "unload");
}

#[test]
fn failures_that_nobody_is_told_are_logged_as_errors() {
    let recorder = Recorder::default();
    recorder.during(|| {
        let mut manager = PluginManager::new();
        let (plugin, _) = Local::new("clinging", Trouble::UnloadPanics);
        manager.register_plugin_instance(plugin).unwrap();
        drop(manager);
    });
    let records = recorder.records();
    let error = records
        .iter()
        .find(|record| record.level == Level::ERROR)
        .expect("an error event");
    assert_eq!(
        error.fields.get("plugin").map(String::as_str),
        Some("clinging")
    );
    assert!(error.fields.contains_key("step"), "{error:?}");
    assert!(error.fields["error"].contains("cannot let go"), "{error:?}");
}

#[test]
fn a_failed_load_is_told_too() {
    let recorder = Recorder::default();
    recorder.during(|| {
        let _ = PluginManager::new().load_plugin("/no/such/plugin.so");
    });
    let records = recorder.records();
    let told = |r: &Record| {
        r.fields
            .get("path")
            .is_some_and(|path| path == "/no/such/plugin.so")
    };
    assert!(records.iter().any(told), "{records:?}");
}
