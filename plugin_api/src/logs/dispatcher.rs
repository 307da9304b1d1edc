//! The dispatcher of the library, and what it has on the heap.
//!
//! `tracing` keeps a list of all dispatchers in a static, which is never dropped: that is right for a
//! program, and in a library that is unmapped it would be lost each time. No function of `tracing` gives it
//! back. So it is looked for among the library's statics, by what it has to contain: a reference to the one
//! dispatcher that is known. If it is not found, it is lost.

use std::alloc::{Layout, dealloc};
use std::ffi::c_void;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Weak};

use tracing::dispatcher::{Dispatch, WeakDispatch, set_global_default};

use super::forward::Forward;
use crate::image;

/// The subscriber, in the `Arc` that the dispatcher has made of it.
static SUBSCRIBER: AtomicPtr<Forward> = AtomicPtr::new(ptr::null_mut());

/// What a `Vec` consists of, in the order in which it is at present.
const WORDS: usize = 3;

/// The list grows by doubling, and few plugins have a second dispatcher.
const MOST: usize = 1024;

/// Makes the loader the receiver of events, unless an initialiser of the library has chosen another.
pub(super) fn install() {
    let dispatch = Dispatch::new(Forward);
    let subscriber = dispatch.downcast_ref::<Forward>().map(ptr::from_ref);
    if set_global_default(dispatch).is_ok() {
        let subscriber = subscriber.unwrap_or(ptr::null());
        SUBSCRIBER.store(subscriber.cast_mut(), Ordering::Relaxed);
    }
}

/// Frees what the dispatcher has on the heap.
///
/// # Safety
///
/// - The library is going to be unmapped. No code of it runs any more, and none that logs.
pub(super) unsafe fn free() {
    let subscriber = SUBSCRIBER.swap(ptr::null_mut(), Ordering::Relaxed);
    if subscriber.is_null() {
        return;
    }
    // The list refers to the allocation of the `Arc`, which begins with its two counts.
    let shared = subscriber.addr() - size_of::<[usize; 2]>();
    let statics = image::writable_around((&raw const SUBSCRIBER).cast());
    let Some((list, capacity)) = statics.and_then(|statics| find_list(statics, shared)) else {
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

/// The address and the capacity of the list in which there is a reference to `shared`.
fn find_list(statics: Range<usize>, shared: usize) -> Option<(usize, usize)> {
    let start = statics.start.next_multiple_of(size_of::<usize>());
    // A copy: some of the library's own words were never written to, and are not to be looked at.
    let words = copy(start, statics.end.checked_sub(start)? / size_of::<usize>())?;
    words.windows(WORDS).find_map(|window| {
        let &[capacity, list, len] = window else {
            return None;
        };
        let is_list = (1..=MOST).contains(&capacity)
            && (1..=capacity).contains(&len)
            && list != 0
            && list.is_multiple_of(align_of::<WeakDispatch>())
            && !statics.contains(&list);
        (is_list && refers_to(list, len, shared)).then_some((list, capacity))
    })
}

/// Whether one of the entries at an address, if there is anything at all, has a reference to `shared`.
fn refers_to(list: usize, len: usize, shared: usize) -> bool {
    let words = copy(list, len * size_of::<WeakDispatch>() / size_of::<usize>());
    words.is_some_and(|words| words.contains(&shared))
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
