//! An event with all that belongs to it, to be told later or to a Lua function.

use std::fmt::{self, Debug};
use std::sync::Arc;

use plugin_api::mlua::{self, IntoLua, Lua, Table};
use tracing::field::{Field, Visit, display};
use tracing::span::Id;
use tracing::{Event, Metadata, dispatcher};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::Registry;

/// An event.
#[derive(Debug)]
pub(super) struct Record {
    metadata: &'static Metadata<'static>,
    fields: Fields,
    /// The plugin it is from; none if it is the loader's own.
    plugin: Option<Arc<str>>,
    /// The spans it is in, the outermost first, as they were.
    spans: Vec<(&'static Metadata<'static>, Fields)>,
    span: Option<HeldSpan>,
}

impl Record {
    pub(super) fn new(
        event: &Event<'_>,
        context: &Context<'_, Registry>,
        plugin: Option<Arc<str>>,
    ) -> Self {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let scope = context.event_scope(event);
        let spans = scope.into_iter().flat_map(|scope| scope.from_root());
        let spans = spans.map(|span| {
            let fields = span.extensions().get::<Fields>().cloned();
            (span.metadata(), fields.unwrap_or_default())
        });
        Self {
            metadata: event.metadata(),
            fields,
            plugin,
            spans: spans.collect(),
            span: context
                .event_span(event)
                .map(|span| HeldSpan::new(&span.id())),
        }
    }

    /// A record of the loader about logging itself.
    pub(super) fn notice(metadata: &'static Metadata<'static>, values: Vec<Value>) -> Self {
        let fields = metadata.fields().iter();
        Self {
            metadata,
            fields: Fields(fields.zip(values).collect()),
            plugin: None,
            spans: Vec::new(),
            span: None,
        }
    }

    /// What a log function gets.
    pub(super) fn table(&self, lua: &Lua) -> mlua::Result<Table> {
        let (metadata, table) = (self.metadata, lua.create_table()?);
        table.raw_set("level", metadata.level().as_str().to_lowercase())?;
        table.raw_set("target", metadata.target())?;
        let message = self.fields.0.iter().find(|(field, _)| is_message(field));
        table.raw_set("message", message.map_or("", |(_, value)| value.text()))?;
        table.raw_set("fields", self.fields.table(lua)?)?;
        table.raw_set("plugin", self.plugin.as_deref())?;
        table.raw_set("file", metadata.file())?;
        table.raw_set("line", metadata.line())?;
        let spans = lua.create_table()?;
        for (metadata, fields) in &self.spans {
            let span = lua.create_table()?;
            span.raw_set("name", metadata.name())?;
            span.raw_set("target", metadata.target())?;
            span.raw_set("fields", fields.table(lua)?)?;
            spans.raw_push(span)?;
        }
        table.raw_set("spans", spans)?;
        Ok(table)
    }

    /// Makes the event again. Filters are not asked.
    pub(super) fn dispatch(&self) {
        let fields = self.metadata.fields();
        let others: Vec<_> = self
            .fields
            .0
            .iter()
            .map(|(_, value)| value.shown())
            .collect();
        let mut values: Vec<Option<&dyn tracing::Value>> = vec![None; fields.len()];
        for ((field, value), other) in self.fields.0.iter().zip(&others) {
            if let Some(slot) = values.get_mut(field.index()) {
                *slot = Some(value.as_value(other));
            }
        }
        let parent = self.span.as_ref().map(|span| span.0.clone());
        Event::child_of(parent, self.metadata, &fields.value_set_all(&values));
    }
}

/// The event in one line, without time and spans.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>5} {}:",
            self.metadata.level(),
            self.metadata.target()
        )?;
        for (field, value) in &self.fields.0 {
            if is_message(field) {
                write!(f, " {}", value.text())?;
            } else {
                write!(f, " {field}={value:?}")?;
            }
        }
        Ok(())
    }
}

/// A span that does not end while this is there.
#[derive(Debug)]
struct HeldSpan(Id);

impl HeldSpan {
    fn new(id: &Id) -> Self {
        Self(dispatcher::get_default(|dispatch| dispatch.clone_span(id)))
    }
}

impl Drop for HeldSpan {
    fn drop(&mut self) {
        dispatcher::get_default(|dispatch| dispatch.try_close(self.0.clone()));
    }
}

/// The value of a field.
#[derive(Clone)]
pub(super) enum Value {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Boolean(bool),
    String(String),
    /// The text of something else.
    Other(String),
}

impl Value {
    fn text(&self) -> &str {
        match self {
            Self::String(text) | Self::Other(text) => text,
            _ => "",
        }
    }

    fn shown(&self) -> tracing::field::DisplayValue<&str> {
        display(self.text())
    }

    fn as_value<'a>(
        &'a self,
        shown: &'a tracing::field::DisplayValue<&'a str>,
    ) -> &'a dyn tracing::Value {
        match self {
            Self::Signed(value) => value,
            Self::Unsigned(value) => value,
            Self::Float(value) => value,
            Self::Boolean(value) => value,
            Self::String(value) => value,
            Self::Other(_) => shown,
        }
    }

    fn into_lua(self, lua: &Lua) -> mlua::Result<mlua::Value> {
        match self {
            Self::Signed(value) => value.into_lua(lua),
            Self::Unsigned(value) => value.into_lua(lua),
            Self::Float(value) => value.into_lua(lua),
            Self::Boolean(value) => value.into_lua(lua),
            Self::String(value) | Self::Other(value) => value.into_lua(lua),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signed(value) => value.fmt(f),
            Self::Unsigned(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Boolean(value) => value.fmt(f),
            Self::String(text) => fmt::Debug::fmt(text, f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// The values of fields, in the order in which they were recorded first.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(Field, Value)>);

impl Fields {
    fn set(&mut self, field: &Field, value: Value) {
        match self.0.iter_mut().find(|(known, _)| known == field) {
            Some((_, known)) => *known = value,
            None => self.0.push((field.clone(), value)),
        }
    }

    /// Those that are no message, by name.
    fn table(&self, lua: &Lua) -> mlua::Result<Table> {
        let table = lua.create_table()?;
        for (field, value) in self.0.iter().filter(|(field, _)| !is_message(field)) {
            table.raw_set(field.name(), value.clone().into_lua(lua)?)?;
        }
        Ok(table)
    }
}

fn is_message(field: &Field) -> bool {
    field.name() == "message"
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field, Value::Other(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, Value::String(value.to_owned()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, Value::Signed(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, Value::Unsigned(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, Value::Float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, Value::Boolean(value));
    }
}
