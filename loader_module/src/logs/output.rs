//! Where events go in the Lua module: to standard error, or to a Lua function.
//!
//! The module's copy of `tracing` has one subscriber for the process (`layer`). Each event has one
//! destination (`route`): the function that `cygnixy.on_log` has set in the Lua state the event belongs
//! to, or else standard error. Each destination has a filter of its own (`filters`).
//!
//! A function is called on the state's own thread, and where code of the script may run. Events of other
//! threads, those of a call into the loader, and the reports of panics wait in the state's queue
//! (`queue`) until then (`delivery`): the end of the call, the next event, or `cygnixy.flush_log`.

mod delivery;
mod filters;
mod layer;
mod printable;
mod queue;
mod record;
mod route;
mod states;
mod whereabouts;

pub(super) use delivery::deliver_here;
pub(crate) use delivery::{SetError, call, flush, set_function};
pub(crate) use states::{open, state_closes};
pub(super) use whereabouts::{Whereabouts, telling};
