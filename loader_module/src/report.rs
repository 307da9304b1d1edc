//! What became of an unloaded plugin's library.

use std::fmt;
use std::path::PathBuf;

/// What unloading a plugin did.
///
/// The plugin is gone for Lua in any case: its functions raise an error. Whether its library could
/// be unmapped too is told here; if not, it stays mapped, so that nothing that still refers to it
/// can crash, and is looked at again at each later unload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnloadReport {
    /// The plugin's name.
    pub name: String,
    /// The file it was loaded from, absolute; `None` if it was part of the program.
    pub path: Option<PathBuf>,
    /// Whether a newer version took its place; then this is about the older one.
    pub reloaded: bool,
    /// Whether the library is no longer mapped, as the dynamic linker's list of loaded objects
    /// says.
    pub unmapped: bool,
    /// Why the library is still mapped; empty if it is not.
    pub reasons: Vec<Reason>,
}

impl fmt::Display for UnloadReport {
    /// One sentence for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (done, library) = if self.reloaded {
            ("reloaded", "the old library")
        } else {
            ("unloaded", "its library")
        };
        write!(f, "plugin '{}' is {done}", self.name)?;
        if self.unmapped {
            return write!(f, ", and {library} is unmapped");
        }
        write!(f, "; {library} stays mapped")?;
        for (index, reason) in self.reasons.iter().enumerate() {
            f.write_str(if index == 0 { ": " } else { "; " })?;
            write!(f, "{reason}")?;
        }
        Ok(())
    }
}

/// Why a library stays mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// Which kind of reason it is.
    pub kind: ReasonKind,
    /// What it is about: a function's name in the plugin's table, or a type of objects.
    pub name: Option<String>,
    /// How many there are, if that is known.
    pub count: Option<usize>,
    text: String,
}

impl Reason {
    pub(crate) fn new(kind: ReasonKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            name: None,
            count: None,
            text: text.into(),
        }
    }

    /// A reason that is there `count` times; in `many` the letter N stands for the number.
    pub(crate) fn counted(kind: ReasonKind, count: usize, one: &str, many: &str) -> Self {
        let text = if count == 1 {
            one.to_owned()
        } else {
            many.replacen('N', &count.to_string(), 1)
        };
        Self {
            count: Some(count),
            ..Self::new(kind, text)
        }
    }

    pub(crate) fn named(self, name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..self
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The kinds of reasons for which a library stays mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReasonKind {
    /// A function of it is still referenced by Lua code.
    Function,
    /// An object of it is still referenced by Lua code.
    Object,
    /// Something of it is still referenced, out of sight.
    Reference,
    /// A thread that it started is still running.
    Thread,
    /// Another thread has thread-local values of it whose destructors are to run.
    ThreadLocal,
    /// A debug hook of it is installed, or may be.
    Hook,
    /// The state's warn function is one of it.
    Warn,
    /// The state's panic function is one of it.
    PanicHandler,
    /// The state's allocator is one of it.
    Allocator,
    /// A function of it is to run when the process exits.
    ExitHandler,
    /// A function of it handles a signal.
    SignalHandler,
    /// It is used elsewhere in the process, in another Lua state for example.
    State,
    /// A Lua state that it was used in was closed before it was unloaded.
    ClosedState,
    /// A plugin of it failed to end.
    Failed,
    /// This platform does not unmap libraries, or does not tell.
    Platform,
    /// The dynamic linker keeps it.
    Linker,
    /// What Lua still has of it was not looked at: a collection was not wanted, or not possible.
    NotCollected,
    /// It is part of the program.
    Program,
}

impl ReasonKind {
    /// The kind as Lua code sees it: `"thread_local"` for [`ThreadLocal`](Self::ThreadLocal).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Object => "object",
            Self::Reference => "reference",
            Self::Thread => "thread",
            Self::ThreadLocal => "thread_local",
            Self::Hook => "hook",
            Self::Warn => "warn",
            Self::PanicHandler => "panic_handler",
            Self::Allocator => "allocator",
            Self::ExitHandler => "exit_handler",
            Self::SignalHandler => "signal_handler",
            Self::State => "state",
            Self::ClosedState => "closed_state",
            Self::Failed => "failed",
            Self::Platform => "platform",
            Self::Linker => "linker",
            Self::NotCollected => "not_collected",
            Self::Program => "program",
        }
    }
}

impl fmt::Display for ReasonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
