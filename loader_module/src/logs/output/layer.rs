//! The subscriber of the process: gives each event to its destination.

use std::cell::Cell;
use std::io::{IsTerminal as _, Stderr, Write as _, stderr};
use std::sync::{Arc, OnceLock};

use tracing::span::{Attributes, Id};
use tracing::subscriber::{Interest, set_global_default};
use tracing::{Event, Metadata};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::fmt::format::Format;
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;

use super::delivery;
use super::filters::{self, Filters};
use super::printable::{Printable, PrintableFields};
use super::record::{Fields, Record};
use super::route::{Route, route};
use super::whereabouts::with_source;

/// See the module.
#[derive(Debug)]
pub(super) struct Output {
    filters: Filters,
    /// That of standard error.
    filter: Arc<EnvFilter>,
    standard_error:
        tracing_subscriber::fmt::Layer<Registry, PrintableFields, Format, fn() -> Stderr>,
}

static OUTPUT: OnceLock<Output> = OnceLock::new();

thread_local! {
    /// Whether what the thread makes goes to standard error, unasked.
    static IS_PRINTING: Cell<bool> = const { Cell::new(false) };
    /// Tells whether the thread has run the destructors of its thread-locals. Those of a plugin run
    /// after those of the module, and may log.
    static HAS_LOCALS: WithDestructor = const { WithDestructor };
}

struct WithDestructor;

impl Drop for WithDestructor {
    fn drop(&mut self) {}
}

/// The output of the process.
pub(super) fn output() -> &'static Output {
    OUTPUT.get_or_init(Output::new)
}

/// Makes the output the subscriber of the process. Does nothing the second time.
pub(super) fn install() {
    static IS_INSTALLED: OnceLock<()> = OnceLock::new();
    IS_INSTALLED.get_or_init(|| {
        // This copy of `tracing` is the module's own: nobody was first.
        let _ = set_global_default(Registry::default().with(Front(output())));
    });
}

impl Output {
    fn new() -> Self {
        let text = filters::default_text();
        let filter = filters::parse(&text).or_else(|error| {
            let (variable, default) = (filters::VARIABLE, filters::DEFAULT);
            let text = Printable(&text);
            // There is nobody else to tell, and the module works without.
            let _ = writeln!(
                stderr(),
                "cygnixy: {variable} is '{text}': {error}; it is taken to be '{default}'"
            );
            filters::parse(default)
        });
        let filter = Arc::new(filter.unwrap_or_default());
        let filters = Filters::default();
        filters.add(&filter);
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            filters,
            filter,
            standard_error: tracing_subscriber::fmt::layer()
                .fmt_fields(PrintableFields)
                .with_writer(stderr as fn() -> Stderr)
                .with_ansi(stderr().is_terminal() && !no_colour),
        }
    }

    pub(super) fn filters(&self) -> &Filters {
        &self.filters
    }

    /// Writes a record to standard error.
    pub(super) fn print(&self, record: &Record) {
        struct Restore(bool);
        impl Drop for Restore {
            fn drop(&mut self) {
                IS_PRINTING.set(self.0);
            }
        }
        let _restore = Restore(IS_PRINTING.replace(true));
        record.dispatch();
    }

    fn write(&self, event: &Event<'_>, context: Context<'_, Registry>) {
        if HAS_LOCALS.try_with(|_| ()).is_ok() {
            self.standard_error.on_event(event, context);
        } else {
            // The format has a thread-local of its own, which is gone by now.
            let record = Record::new(event, &context, None);
            // There is nobody to tell that it cannot be written.
            let _ = writeln!(stderr(), "{}", Printable(record));
        }
    }

    fn tell(&self, event: &Event<'_>, context: Context<'_, Registry>) {
        if IS_PRINTING.get() {
            self.write(event, context);
            return;
        }
        let (route, plugin) = with_source(|source| (route(source), source.map(|s| s.plugin())));
        let Route::Functions { states, is_now } = route else {
            if Filter::enabled(&*self.filter, event.metadata(), &context) {
                self.write(event, context);
            }
            return;
        };
        let wants =
            |filter: &Arc<EnvFilter>| Filter::enabled(&**filter, event.metadata(), &context);
        let mut takers = states;
        takers.retain(|log| log.filter().as_ref().is_some_and(wants));
        if takers.is_empty() {
            return;
        }
        // An event of a log function is not told to a log function.
        if delivery::is_delivering() {
            self.write(event, context);
            return;
        }
        for log in takers {
            let record = Record::new(event, &context, plugin.clone());
            if is_now {
                // What waits comes first, and must not take the place of this one.
                delivery::deliver(&log);
            }
            if let Some(refused) = log.push(record, is_now) {
                self.print(&refused);
            }
            if is_now {
                delivery::deliver(&log);
            }
        }
    }
}

/// The output as a part of the subscriber, which wants to own its parts.
struct Front(&'static Output);

impl Layer<Registry> for Front {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.0.filters.interest(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, Registry>) -> bool {
        self.0.filters.enabled(metadata, &context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.filters.max_level()
    }

    fn on_new_span(&self, span: &Attributes<'_>, id: &Id, context: Context<'_, Registry>) {
        self.0.filters.on_new_span(span, id, &context);
        let mut fields = Fields::default();
        span.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
        self.0.standard_error.on_new_span(span, id, context);
    }

    fn on_record(
        &self,
        id: &Id,
        values: &tracing::span::Record<'_>,
        context: Context<'_, Registry>,
    ) {
        self.0.filters.on_record(id, values, &context);
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
        self.0.standard_error.on_record(id, values, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, Registry>) {
        self.0.filters.on_enter(id, &context);
        self.0.standard_error.on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, Registry>) {
        self.0.filters.on_exit(id, &context);
        self.0.standard_error.on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, Registry>) {
        self.0.filters.on_close(&id, &context);
        self.0.standard_error.on_close(id, context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, Registry>) {
        self.0.tell(event, context);
    }
}
