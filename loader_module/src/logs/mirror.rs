//! Callsites of plugins, made again in this copy of `tracing`.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use plugin_api::logs::wire::{Key, interest};
use tracing::callsite::{self, Callsite, Identifier};
use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};

use crate::lock::lock;

/// What tells a callsite from others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Description {
    pub(super) is_span: bool,
    /// As the boundary has it: 1 for an error.
    pub(super) level: u32,
    pub(super) name: String,
    pub(super) target: String,
    pub(super) module: Option<String>,
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) fields: Vec<String>,
}

/// A callsite that stands for one in a plugin, or for equal ones in several.
pub(super) struct Mirror {
    metadata: OnceLock<Metadata<'static>>,
    interest: AtomicU8,
    attached: Mutex<Vec<Attached>>,
}

/// A plugin's callsite that a mirror stands for.
pub(super) struct Attached {
    pub(super) key: Key,
    /// The library's function that makes it ask each time.
    pub(super) loosen: unsafe extern "C" fn(Key),
    /// What tells the library that it has to ask for all of its callsites.
    pub(super) is_changed: Arc<AtomicBool>,
}

// SAFETY: the key is only handed to `loosen`, which any thread may call.
unsafe impl Send for Attached {}

/// All mirrors. None is ever removed: subscribers know them by address.
static MIRRORS: LazyLock<Mutex<HashMap<Description, &'static Mirror>>> =
    LazyLock::new(Mutex::default);

/// The interest of a mirror that is not registered yet.
const UNKNOWN: u8 = u8::MAX;

impl Mirror {
    /// The mirror for a description, made now or before.
    pub(super) fn of(description: &Description) -> &'static Self {
        Self::of_few(description, usize::MAX).unwrap_or_else(|| Self::make(description))
    }

    /// The same; none if it would have to be made and there are `limit` already.
    pub(super) fn of_few(description: &Description, limit: usize) -> Option<&'static Self> {
        let mirror = {
            let mut mirrors = lock(&MIRRORS);
            if let Some(mirror) = mirrors.get(description) {
                return Some(mirror);
            }
            if mirrors.len() >= limit {
                return None;
            }
            let mirror = Self::make(description);
            mirrors.insert(description.clone(), mirror);
            mirror
        };
        // Without the lock: this asks the subscribers.
        callsite::register(mirror);
        Some(mirror)
    }

    fn make(description: &Description) -> &'static Self {
        let mirror: &'static Self = Box::leak(Box::new(Self {
            metadata: OnceLock::new(),
            interest: AtomicU8::new(UNKNOWN),
            attached: Mutex::default(),
        }));
        let fields: Vec<&'static str> = description.fields.iter().map(|name| leak(name)).collect();
        mirror.metadata.get_or_init(|| {
            Metadata::new(
                leak(&description.name),
                leak(&description.target),
                level(description.level),
                description.file.as_deref().map(leak),
                description.line,
                description.module.as_deref().map(leak),
                FieldSet::new(fields.leak(), Identifier(mirror)),
                if description.is_span {
                    Kind::SPAN
                } else {
                    Kind::EVENT
                },
            )
        });
        mirror
    }

    /// How much it is wanted, as the boundary has it.
    pub(super) fn interest(&self) -> u32 {
        match self.interest.load(Ordering::Relaxed) {
            UNKNOWN => interest::SOMETIMES,
            known => known.into(),
        }
    }

    pub(super) fn metadata(&self) -> &'static Metadata<'static>
    where
        Self: 'static,
    {
        #[expect(clippy::expect_used, reason = "`make` has set it")]
        let metadata: &Metadata<'static> = self.metadata.get().expect("a mirror has metadata");
        // SAFETY: mirrors are made by `make` alone, which leaks them, and the metadata is set once.
        unsafe { &*std::ptr::from_ref(metadata) }
    }

    /// Tells a plugin's callsite from now on when the interest changes.
    pub(super) fn attach(&self, attached: Attached) {
        lock(&self.attached).push(attached);
    }

    /// Ends that.
    pub(super) fn detach(&self, key: Key) {
        lock(&self.attached).retain(|attached| attached.key != key);
    }
}

impl Callsite for Mirror {
    /// Called with locks of `tracing` held, so the plugin is not asked to look at its callsites here:
    /// those that are concerned are made to ask each time, and the first that does so learns that
    /// something has changed.
    fn set_interest(&self, interest: Interest) {
        let new = if interest.is_never() {
            0
        } else if interest.is_always() {
            2
        } else {
            1
        };
        let old = self.interest.swap(new, Ordering::SeqCst);
        if old != new && old != UNKNOWN {
            for attached in lock(&self.attached).iter() {
                attached.is_changed.store(true, Ordering::SeqCst);
                // SAFETY: the library is mapped: it is detached before it goes. The key is its own.
                unsafe { (attached.loosen)(attached.key) };
            }
        }
    }

    fn metadata(&self) -> &Metadata<'_> {
        #[expect(clippy::expect_used, reason = "`make` has set it")]
        self.metadata.get().expect("a mirror has metadata")
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror")
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// The level that the boundary has as a number.
pub(super) fn level(level: u32) -> Level {
    match level {
        0 | 1 => Level::ERROR,
        2 => Level::WARN,
        3 => Level::INFO,
        4 => Level::DEBUG,
        _ => Level::TRACE,
    }
}

fn leak(text: &str) -> &'static str {
    Box::leak(Box::from(text))
}
