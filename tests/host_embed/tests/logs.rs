//! What plugins log, as the subscriber of a Rust program sees it.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::io::{self, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};

use cygnixy::PluginManager;
use cygnixy_host_embed::own_copy;
use mlua::Lua;
use tempfile::TempPath;
use tracing::{Subscriber, info_span};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

const TARGET: &str = "cygnixy_test_fixtures::logging";

/// Text that a subscriber writes.
#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    /// What was written since the last time.
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Text {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A subscriber that writes what a filter lets pass.
fn subscriber(filter: &str, text: &Text) -> impl Subscriber + Send + Sync + use<> {
    fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(text.clone())
        .with_ansi(false)
        .without_time()
        .finish()
}

/// A program with the plugin, which is a library of its own for each test.
struct Program {
    lua: Lua,
    manager: PluginManager,
    _file: TempPath,
}

impl Program {
    fn new() -> Self {
        let file = own_copy("fixtures", "logging");
        let lua = Lua::new();
        let mut manager = PluginManager::new();
        manager.load_plugin(&file).unwrap();
        manager.register_all_plugins(&lua).unwrap();
        Self {
            lua,
            manager,
            _file: file,
        }
    }

    fn run(&self, code: &str) {
        self.lua.load(code).exec().unwrap();
    }
}

#[test]
fn events_arrive_with_their_fields_and_in_their_spans() {
    let text = Text::default();
    tracing::subscriber::with_default(
        subscriber(&format!("{TARGET}=debug,fixture=warn"), &text),
        || {
            let program = Program::new();
            assert_eq!(text.take(), format!(" INFO {TARGET}: on_load\n"));
            program.run("logging.fields()");
            let fields = r#"signed=-5 unsigned=7 float=1.5 yes=true text="a \"b\"" shown=2 debug=Point { x: 3 } cause=no luck"#;
            assert_eq!(text.take(), format!(" WARN fixture: all kinds {fields}\n"));
            program.run("logging.spans()");
            let lines = text.take();
            let lines: Vec<&str> = lines.lines().collect();
            let (outer, inner) = (r#"outer{user="ann""#, "inner{step=1}");
            assert_eq!(
                lines,
                [
                    format!(" WARN {outer}}}:{inner}: {TARGET}: in two"),
                    format!(" WARN {outer} sum=3}}: {TARGET}: in one"),
                    format!(" WARN {outer} sum=3}}:{inner}: {TARGET}: in a given one"),
                    format!(" WARN {TARGET}: in none"),
                    format!(" WARN {TARGET}: after"),
                ]
            );
        },
    );
}

#[test]
fn events_are_in_the_spans_of_the_program() {
    let text = Text::default();
    tracing::subscriber::with_default(
        subscriber("warn,logs=info,cygnixy_test_fixtures=info", &text),
        || {
            let program = Program::new();
            text.take();
            let request = info_span!("request", id = 4);
            request.in_scope(|| program.run("logging.spans()"));
            assert!(text.take().contains(&format!(
                r#"request{{id=4}}:outer{{user="ann" sum=3}}: {TARGET}: in one"#
            )),);
            program.run("logging.log('warn', 'outside')");
            assert_eq!(text.take(), format!(" WARN {TARGET}: outside\n"));
        },
    );
}

#[test]
fn metadata_are_those_of_the_plugin() {
    let text = Text::default();
    let subscriber = fmt()
        .with_writer(text.clone())
        .with_ansi(false)
        .without_time()
        .with_file(true)
        .with_line_number(true)
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let program = Program::new();
        text.take();
        program.run("logging.log('info', 'here') logging.records()");
        let lines = text.take();
        let lines: Vec<&str> = lines.lines().collect();
        let place = format!(" INFO {TARGET}: tests/fixtures/src/logging.rs:");
        assert!(
            lines[0].starts_with(&place) && lines[0].ends_with(": here"),
            "{lines:?}"
        );
        let place = "ERROR cygnixy_test_fixtures::logging: tests/fixtures/src/logging.rs:";
        assert!(
            lines[1].starts_with(place) && lines[1].ends_with(": an error of log"),
            "{lines:?}"
        );
        let place = " WARN elsewhere: tests/fixtures/src/logging.rs:";
        assert!(
            lines[2].starts_with(place) && lines[2].ends_with(": a warning of log"),
            "{lines:?}"
        );
        assert_eq!(lines.len(), 3, "{lines:?}");
    });
}

#[test]
fn a_filter_can_change() {
    let text = Text::default();
    let (filter, handle) = reload::Layer::new(EnvFilter::new("off"));
    let written = fmt::layer()
        .with_writer(text.clone())
        .with_ansi(false)
        .without_time();
    let subscriber = Registry::default().with(filter).with(written);
    tracing::subscriber::with_default(subscriber, || {
        let program = Program::new();
        let both = "logging.log('debug', 'one') logging.log('info', 'two') logging.records()";
        program.run(both);
        assert_eq!(text.take(), "");
        for _ in 0..3 {
            handle
                .reload(EnvFilter::new(format!("{TARGET}=debug")))
                .unwrap();
            program.run(both);
            let lines = text.take();
            assert_eq!(lines.lines().count(), 4, "{lines}");
            handle
                .reload(EnvFilter::new(format!("{TARGET}=info")))
                .unwrap();
            program.run(both);
            let lines = text.take();
            assert_eq!(lines.lines().count(), 2, "{lines}");
            handle.reload(EnvFilter::new("off")).unwrap();
            program.run(both);
            assert_eq!(text.take(), "");
        }
    });
}

#[test]
fn a_panic_is_an_event() {
    let text = Text::default();
    tracing::subscriber::with_default(subscriber("error", &text), || {
        let program = Program::new();
        let error = program
            .lua
            .load("logging.panic('boom')")
            .exec()
            .unwrap_err();
        assert!(error.to_string().contains("boom"), "{error}");
        let line = text.take();
        let begin = "ERROR cygnixy_test_fixtures: panicked: boom plugin=logging location=tests/fixtures/src/logging.rs:";
        assert!(line.starts_with(begin), "{line}");
    });
}

/// Without a subscriber, Rust reports a plugin's panic as it reports the program's own, which is not
/// touched in any case. Looked at from outside, by `panics_are_reported_if_nobody_takes_them`.
#[test]
fn panics_without_a_subscriber() {
    let program = Program::new();
    let error = program
        .lua
        .load("logging.panic('of the plugin')")
        .exec()
        .unwrap_err();
    assert!(error.to_string().contains("of the plugin"), "{error}");
    let own = std::panic::catch_unwind(|| assert_eq!(1, 2, "of the program"));
    assert!(own.is_err());
}

#[test]
fn panics_are_reported_if_nobody_takes_them() {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "panics_without_a_subscriber", "--nocapture"])
        .output()
        .unwrap();
    let report = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.success(), "{report}");
    for part in ["logging.rs:", "of the plugin", "of the program"] {
        assert_eq!(report.matches(part).count(), 1, "{part}: {report}");
    }
}

#[test]
fn spans_end_with_the_library() {
    let text = Text::default();
    tracing::subscriber::with_default(subscriber("warn,cygnixy_test_fixtures=info", &text), || {
        let mut program = Program::new();
        program.run("logging.stay()");
        assert!(
            text.take()
                .ends_with(&format!(" WARN stays: {TARGET}: inside\n"))
        );
        let report = program.manager.unload_plugin("logging").unwrap();
        assert!(report.unmapped, "{report}");
        text.take();
        tracing::warn!(target: "program", "after");
        assert_eq!(text.take(), " WARN program: after\n");
    });
}

#[test]
fn threads_of_a_plugin_have_the_subscriber_that_such_threads_have() {
    // One for a single thread does not see others, be they the program's or a plugin's.
    let text = Text::default();
    tracing::subscriber::with_default(subscriber("warn,cygnixy_test_fixtures=info", &text), || {
        let program = Program::new();
        text.take();
        program.run("logging.in_thread(2, 'there')");
        assert_eq!(text.take(), "");
        program.run("logging.log('warn', 'here')");
        assert_eq!(text.take(), format!(" WARN {TARGET}: here\n"));
    });
}
