//! The filters of all destinations.

use std::sync::{Arc, PoisonError, RwLock};

use tracing::Metadata;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, ParseError};
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::Registry;

/// The variable that has the filter of standard error, and of functions that are set without one.
pub(super) const VARIABLE: &str = "CYGNIXY_LOG";

/// What holds if nothing is said.
pub(super) const DEFAULT: &str = "warn";

/// Makes a filter of a text. Space around its parts does not count, and one that says nothing is [`DEFAULT`].
pub(super) fn parse(text: &str) -> Result<EnvFilter, ParseError> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let text = parts.join(",");
    EnvFilter::builder().parse(if text.is_empty() { DEFAULT } else { &text })
}

/// The text of [`VARIABLE`], empty if it is not set.
pub(super) fn default_text() -> String {
    let text = std::env::var_os(VARIABLE).unwrap_or_default();
    // What is no text is no filter either, which is told when it is parsed.
    text.to_string_lossy().into_owned()
}

/// All filters that there are. An event is made if one of them lets it pass; each destination asks its
/// own once more.
#[derive(Debug, Default)]
pub(super) struct Filters(RwLock<Arc<Vec<Arc<EnvFilter>>>>);

impl Filters {
    pub(super) fn add(&self, filter: &Arc<EnvFilter>) {
        self.change(|filters| filters.push(Arc::clone(filter)));
    }

    pub(super) fn remove(&self, filter: &Arc<EnvFilter>) {
        self.change(|filters| filters.retain(|other| !Arc::ptr_eq(other, filter)));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<EnvFilter>>)) {
        let mut filters = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = filters.to_vec();
        change(&mut changed);
        *filters = Arc::new(changed);
    }

    fn all(&self) -> Arc<Vec<Arc<EnvFilter>>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How much a callsite is wanted by any.
    pub(super) fn interest(&self, metadata: &'static Metadata<'static>) -> Interest {
        let interests: Vec<Interest> = self
            .all()
            .iter()
            .map(|filter| Filter::<Registry>::callsite_enabled(&**filter, metadata))
            .collect();
        if interests.iter().all(Interest::is_never) {
            Interest::never()
        } else if interests.iter().any(Interest::is_always) {
            Interest::always()
        } else {
            Interest::sometimes()
        }
    }

    pub(super) fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, Registry>) -> bool {
        let all = self.all();
        all.iter()
            .any(|filter| Filter::enabled(&**filter, metadata, context))
    }

    /// The most verbose level that any lets pass.
    pub(super) fn max_level(&self) -> Option<LevelFilter> {
        let all = self.all();
        all.iter()
            .map(|filter| Filter::<Registry>::max_level_hint(&**filter))
            .try_fold(LevelFilter::OFF, |max, hint| hint.map(|hint| max.max(hint)))
    }

    pub(super) fn on_new_span(
        &self,
        span: &Attributes<'_>,
        id: &Id,
        context: &Context<'_, Registry>,
    ) {
        for filter in self.all().iter() {
            Filter::on_new_span(&**filter, span, id, context.clone());
        }
    }

    pub(super) fn on_record(&self, id: &Id, values: &Record<'_>, context: &Context<'_, Registry>) {
        for filter in self.all().iter() {
            Filter::on_record(&**filter, id, values, context.clone());
        }
    }

    pub(super) fn on_enter(&self, id: &Id, context: &Context<'_, Registry>) {
        for filter in self.all().iter() {
            Filter::on_enter(&**filter, id, context.clone());
        }
    }

    pub(super) fn on_exit(&self, id: &Id, context: &Context<'_, Registry>) {
        for filter in self.all().iter() {
            Filter::on_exit(&**filter, id, context.clone());
        }
    }

    pub(super) fn on_close(&self, id: &Id, context: &Context<'_, Registry>) {
        for filter in self.all().iter() {
            Filter::on_close(&**filter, id.clone(), context.clone());
        }
    }
}
