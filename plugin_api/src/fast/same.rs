//! Choosing by type inside of a generic function. The comparison is known when the function is
//! compiled, and the branches that are not taken leave no code.

use std::mem::{ManuallyDrop, transmute_copy};

/// Whether two types are the same, lifetimes aside.
#[inline(always)]
pub(super) fn same<T, U>() -> bool {
    typeid::of::<T>() == typeid::of::<U>()
}

/// Gives a value back as what it is.
///
/// # Panics
///
/// If the types differ.
#[inline(always)]
pub(super) fn cast<T: 'static, U: 'static>(value: T) -> U {
    assert!(same::<T, U>());
    // SAFETY: the types are the same one, without lifetimes, and the original is not dropped.
    unsafe { transmute_copy(&ManuallyDrop::new(value)) }
}

/// Borrows a value as what it is, or `None` if it is something else.
///
/// # Safety
///
/// - Lifetimes in `U` are not longer than the borrow.
#[inline(always)]
pub(super) unsafe fn borrow<T, U>(value: &T) -> Option<&U> {
    // SAFETY: the types are the same one but for lifetimes. Those in `T` outlast the borrow, and
    // those in `U` do not.
    same::<T, U>().then(|| unsafe { &*std::ptr::from_ref(value).cast() })
}
