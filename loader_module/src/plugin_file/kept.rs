//! Copies of plugin files in memory that are kept for when the same content is read again.
//!
//! Making a copy is most of the cost of loading, so the copies of the libraries that were opened last
//! outlive them, a few and up to a size. A kept copy can no longer be changed (it is sealed), and it is
//! found by all of the content that was just read from the file, never by its times or numbers.

use std::ffi::{OsStr, OsString};
use std::sync::{Arc, Mutex};

use plugin_api::manifest::Manifest;

use super::{Identity, Memory, PluginFile};
use crate::lock::lock;

/// How many copies are kept. Each is an open file.
const MOST_COPIES: usize = 8;

/// How much all copies may have together, in bytes.
const MOST_BYTES: usize = 16 << 20;

struct Kept {
    identity: Identity,
    /// The file's own name, which the process's map of memory shows.
    name: OsString,
    manifest: (Manifest, Arc<[u8]>),
    memory: Arc<Memory>,
}

/// The copies, the one that was opened last at the end.
static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// Whether there is a copy of a file with that first piece, so that it is worth reading the rest before
/// making another.
pub(super) fn begins_with(first: u64) -> bool {
    lock(&KEPT).iter().any(|copy| copy.memory.first == first)
}

/// A copy, and the manifest in it with its bytes.
type Found = (Arc<Memory>, (Manifest, Arc<[u8]>));

/// The copy of a content that was in a file of that name.
pub(super) fn find(identity: Identity, name: &OsStr) -> Option<Found> {
    let kept = lock(&KEPT);
    let found = kept
        .iter()
        .find(|copy| copy.identity == identity && copy.name == name)?;
    Some((Arc::clone(&found.memory), found.manifest.clone()))
}

/// Keeps the copy of a library that was just opened, in place of the oldest if there are too many.
pub(crate) fn keep(file: &PluginFile, memory: Arc<Memory>) {
    if !memory.is_sealed || file.identity.length > MOST_BYTES {
        return;
    }
    let mut kept = lock(&KEPT);
    // One of each content and name: where the hash was asked for, another copy was made.
    let (identity, name) = (file.identity, file.file_name());
    kept.retain(|copy| {
        let is_same = copy.identity == identity && copy.name == name;
        !is_same && !Arc::ptr_eq(&copy.memory, &memory)
    });
    kept.push(Kept {
        identity: file.identity,
        name: file.file_name().to_owned(),
        manifest: (file.manifest.clone(), Arc::clone(&file.manifest_bytes)),
        memory,
    });
    let bytes = |kept: &[Kept]| -> usize { kept.iter().map(|copy| copy.identity.length).sum() };
    while kept.len() > MOST_COPIES || bytes(&kept) > MOST_BYTES {
        kept.remove(0);
    }
}

/// Notes what became of the library of a content when it was closed. If it is still mapped, its copy
/// cannot be mapped again.
pub(crate) fn note_closed(identity: Identity, is_mapped: bool) {
    let mut kept = lock(&KEPT);
    if is_mapped {
        kept.retain(|copy| copy.identity != identity);
    }
    for copy in kept.iter().filter(|copy| copy.identity == identity) {
        copy.memory.end_mapping();
    }
}
