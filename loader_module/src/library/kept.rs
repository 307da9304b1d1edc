//! Copies of plugin files in memory that are kept for when the same content is loaded again.
//!
//! Making a copy is most of the cost of loading, so the copies of the libraries that were opened last
//! outlive them, a few and up to a size. A kept copy can no longer be changed (it is sealed), and it is
//! taken by the content of the file that was just read, never by its path or times.

use std::fs::File;
use std::sync::Mutex;

use crate::lock::lock;
use crate::plugin_file::Identity;

/// How many copies are kept. Each is an open file.
const MOST_COPIES: usize = 8;

/// How much all copies may have together, in bytes.
const MOST_BYTES: usize = 16 << 20;

/// A copy, the oldest first.
struct Kept {
    identity: Identity,
    memory: File,
    /// Whether its library is mapped. The dynamic linker knows files by their numbers too, and would
    /// find that library.
    is_mapped: bool,
}

static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// Takes out the copy of a content, if there is one that is not mapped.
#[cfg(target_os = "linux")]
pub(super) fn take(identity: Identity) -> Option<File> {
    let mut kept = lock(&KEPT);
    let index = kept
        .iter()
        .position(|copy| copy.identity == identity && !copy.is_mapped)?;
    Some(kept.remove(index).memory)
}

/// Keeps the copy of a library that was just mapped, in place of the oldest if there are too many.
pub(super) fn put(identity: Identity, memory: File) {
    if identity.length() > MOST_BYTES {
        return;
    }
    let mut kept = lock(&KEPT);
    kept.push(Kept {
        identity,
        memory,
        is_mapped: true,
    });
    let size = |kept: &[Kept]| -> usize { kept.iter().map(|copy| copy.identity.length()).sum() };
    while kept.len() > MOST_COPIES || size(&kept) > MOST_BYTES {
        kept.remove(0);
    }
}

/// Notes that the library of a content was unmapped: its copy can be mapped again.
pub(super) fn note_unmapped(identity: Identity) {
    for copy in lock(&KEPT).iter_mut() {
        if copy.identity == identity {
            copy.is_mapped = false;
        }
    }
}
