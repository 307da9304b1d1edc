//! The dispatcher of the library, and what it has on the heap.
//!
//! `tracing` keeps a list of all dispatchers in a static, which is never dropped: that is right for a
//! program, and in a library that is unmapped it would be lost each time. No function of `tracing` gives it
//! back. So it is looked for among the library's statics, by what its last entry has to be: a reference to
//! the dispatcher that was made just before. That is done while the library is being opened, as later its
//! own statics may have come to lead near the list. If it is not found, or if there are two, it is lost.

use std::alloc::{Layout, dealloc};
use std::ffi::c_void;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use tracing::dispatcher::{Dispatch, WeakDispatch, set_global_default};

use super::forward::Forward;
use crate::image::{self, Image};

/// The subscriber, in the `Arc` that the dispatcher has made of it.
static SUBSCRIBER: AtomicPtr<Forward> = AtomicPtr::new(ptr::null_mut());

/// Where the list is.
static LIST: OnceLock<List> = OnceLock::new();

/// What a `Vec` consists of, in the order in which it is at present: capacity, address and length.
const WORDS: usize = 3;

/// The list grows by doubling, and few plugins have a second dispatcher.
const MOST: usize = 1024;

/// An entry of the list, as words.
type Entry = [usize; size_of::<WeakDispatch>() / size_of::<usize>()];

/// The list of dispatchers.
struct List {
    /// The address of the `Vec`, which is a static.
    address: usize,
    /// The entry of the dispatcher that is known.
    entry: Entry,
}

/// Makes the loader the receiver of events, unless an initialiser of the library has chosen another.
pub(super) fn install() {
    let dispatch = Dispatch::new(Forward);
    let subscriber = dispatch.downcast_ref::<Forward>().map(ptr::from_ref);
    // What `tracing` has put into the list.
    let weak = dispatch.downgrade();
    let list = entry_at(ptr::from_ref(&weak).addr()).and_then(List::find);
    drop(weak);
    if set_global_default(dispatch).is_ok() {
        let subscriber = subscriber.unwrap_or(ptr::null());
        SUBSCRIBER.store(subscriber.cast_mut(), Ordering::Relaxed);
        if let Some(list) = list {
            let _ = LIST.set(list);
        }
    }
}

/// Frees what the dispatcher has on the heap.
///
/// # Safety
///
/// - The library is going to be unmapped. No code of it runs any more, and none that logs.
pub(super) unsafe fn free() {
    let subscriber = SUBSCRIBER.swap(ptr::null_mut(), Ordering::Relaxed);
    let found = LIST.get().and_then(List::allocation);
    let Some((list, capacity)) = found.filter(|_| !subscriber.is_null()) else {
        return;
    };
    let Ok(layout) = Layout::array::<WeakDispatch>(capacity) else {
        return;
    };
    // SAFETY: the list has this allocation, of entries that are what a `WeakDispatch` is, and nobody
    // looks at it again. The subscriber was made by `Dispatch::new`, as an `Arc` to which the global
    // dispatcher has the only strong reference and the list a weak one; both go here.
    unsafe {
        dealloc(ptr::with_exposed_provenance_mut(list), layout);
        let weak = Weak::from_raw(subscriber.cast_const());
        drop(Arc::from_raw(subscriber.cast_const()));
        drop(weak);
    }
}

impl List {
    /// Looks for the list whose last entry is the given one.
    fn find(entry: Entry) -> Option<Self> {
        let here = (&raw const SUBSCRIBER).cast();
        let (statics, image) = (image::writable_around(here)?, Image::containing(here)?);
        // What is protected after relocation cannot change.
        let relro = image.relro.map_or(0, |relro| relro.end);
        let start = statics
            .start
            .max(relro)
            .next_multiple_of(size_of::<usize>());
        // A copy: some of the library's own words were never written to, and are not to be looked at.
        let words = copy(start, statics.end.checked_sub(start)? / size_of::<usize>())?;
        let ends_with_entry = |window: &&[usize]| {
            allocation(window, &image.addresses).is_some_and(|(list, len)| {
                let last = list.checked_add((len - 1) * size_of::<Entry>());
                last.and_then(entry_at) == Some(entry)
            })
        };
        let mut places = words
            .windows(WORDS)
            .zip((start..).step_by(size_of::<usize>()));
        let mut found = places
            .by_ref()
            .filter(|(window, _)| ends_with_entry(window))
            .map(|(_, address)| address);
        let address = found.next()?;
        found.next().is_none().then_some(Self { address, entry })
    }

    /// The address and the capacity of its allocation, if it is still as it should be.
    fn allocation(&self) -> Option<(usize, usize)> {
        let words = copy(self.address, WORDS)?;
        let (list, len) = allocation(&words, &(0..0))?;
        let entries = copy(list, len * self.entry.len())?;
        let is_in = entries
            .chunks(self.entry.len())
            .any(|entry| *entry == self.entry);
        is_in.then_some((list, words[0]))
    }
}

/// The address and the length of what words may be the `Vec` of, outside of a library.
fn allocation(words: &[usize], library: &Range<usize>) -> Option<(usize, usize)> {
    let &[capacity, list, len] = words else {
        return None;
    };
    let is_list = (1..=MOST).contains(&capacity)
        && (1..=capacity).contains(&len)
        && list != 0
        && list.is_multiple_of(align_of::<WeakDispatch>())
        && !library.contains(&list);
    is_list.then_some((list, len))
}

/// The words of an entry at an address, if there is anything at all.
fn entry_at(address: usize) -> Option<Entry> {
    copy(address, size_of::<Entry>() / size_of::<usize>())?
        .try_into()
        .ok()
}

/// Words at an address, by way of the kernel, which says whether there is anything.
fn copy(start: usize, count: usize) -> Option<Vec<usize>> {
    let mut words = vec![0_usize; count];
    let size = size_of_val(&*words);
    let local = libc::iovec {
        iov_base: words.as_mut_ptr().cast(),
        iov_len: size,
    };
    let remote = libc::iovec {
        iov_base: ptr::without_provenance_mut::<c_void>(start),
        iov_len: size,
    };
    let (one, no_flags): (libc::c_ulong, libc::c_ulong) = (1, 0);
    // SAFETY: the kernel writes to the words only, and checks the address that it reads from.
    let read = unsafe {
        libc::syscall(
            libc::SYS_process_vm_readv,
            libc::getpid(),
            &raw const local,
            one,
            &raw const remote,
            one,
            no_flags,
        )
    };
    (usize::try_from(read) == Ok(size)).then_some(words)
}
