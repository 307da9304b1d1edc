//! The face of `dispatcher` where libraries are never unmapped.

use tracing::dispatcher::{Dispatch, set_global_default};

use super::forward::Forward;

/// Makes the loader the receiver of events, unless an initialiser of the library has chosen another.
pub(super) fn install() {
    // That choice stays.
    let _ = set_global_default(Dispatch::new(Forward));
}

/// Does nothing.
pub(super) unsafe fn free() {}
