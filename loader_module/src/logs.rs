//! What plugins log, brought to where the program's own events go.
//!
//! A plugin's copy of `tracing` asks and tells this loader (`receive`), which has a copy of its own:
//! the host's in a Rust program, the module's in the Lua module. For each place in a plugin's code that
//! makes events or spans there is one here (`mirror`), with the same target, level, file, line and
//! fields; what the plugin makes is made again from it (`source`, `spans`, `values`). So the filters,
//! formats and spans are those of the subscriber here. A Rust host brings its own. The Lua module
//! installs one (`output`), which writes to standard error or calls Lua functions.
//!
//! Nothing of a mirror refers to the plugin's memory, and there is one for all that are equal. Mirrors
//! stay for ever, as callsites do in `tracing`.

mod mirror;
mod receive;
mod source;
mod spans;
mod values;

#[cfg(feature = "module")]
mod output;
#[cfg(not(feature = "module"))]
#[path = "logs/host.rs"]
mod output;

pub(crate) use output::state_closes;
#[cfg(feature = "module")]
pub(crate) use output::{SetError, call, flush, open, set_function};
pub(crate) use source::Source;
