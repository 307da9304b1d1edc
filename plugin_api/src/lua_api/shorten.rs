//! Takes the stubs out of the way of most calls of the Lua API.
//!
//! The compiler calls a function of another crate by its address in a table of the library, which the
//! dynamic linker has filled with the address of the stub. Once the slots are filled, these entries are
//! replaced by where the stubs lead. A call is then what it is in a library that is linked to Lua: one
//! indirect call instead of two.
//!
//! The table lies in the part of the library that is written to before its code runs, and then
//! protected (RELRO). Every word there that is the address of a stub may be replaced: whatever it is
//! for, calling the function itself does the same. What is not found, or cannot be written to, goes
//! through the stubs as before. The stubs are recognised by their one instruction, so this is for
//! x86-64.

use std::mem::size_of;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bind::is_placeholder;
use super::slots;
use crate::errors::own_image;

/// Their slots change later: the first once a function was collected, see [`late`](crate::late), the
/// second around the storing of values in the registry, see `residence/records.rs`.
const CHANGING: [&str; 2] = ["lua_touserdata", "lua_rawset"];

/// `jmp qword ptr [rip + offset]`, without the offset.
const JUMP: [u8; 2] = [0xff, 0x25];
const JUMP_SIZE: usize = 6;
/// The stubs are aligned to this, one after the other.
const STUB_SIZE: usize = 16;

/// Replaces the addresses of stubs, once.
///
/// # Safety
///
/// - The slots are filled, and what stands in for functions of the runtime is in its place.
/// - No other thread runs code of this library.
pub(crate) unsafe fn shorten() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    let Some(image) = own_image() else { return };
    let (Some(table), Some(code)) = (image.relro.clone(), image.code.clone()) else {
        return;
    };
    let mut targets: Vec<(usize, usize)> = slots::ALL
        .iter()
        .filter(|(name, slot)| !CHANGING.contains(name) && !is_placeholder(slot))
        .map(|(_, slot)| {
            let target = slot.load(Ordering::Relaxed).addr();
            (std::ptr::from_ref(*slot).addr(), target)
        })
        .collect();
    targets.sort_unstable();
    let stubs = around_a_stub(&code);
    let Some(page) = page() else { return };
    // Like the dynamic linker: of the last page, only a whole one is protected. What shares a page with
    // the rest stays writable.
    let end = table.end & !(page - 1);
    let words = table.start.next_multiple_of(size_of::<usize>())..end;
    let mut found = Vec::new();
    for word in words.step_by(size_of::<usize>()) {
        // SAFETY: the word lies in a segment of this library that is mapped and readable.
        let value = unsafe { std::ptr::with_exposed_provenance::<usize>(word).read() };
        if !stubs.contains(&value) {
            continue;
        }
        // SAFETY: the value is the address of code of this library, which reaches at least as far.
        let slot = unsafe { slot_of_stub(value) };
        let target = slot.and_then(|slot| targets.binary_search_by_key(&slot, |pair| pair.0).ok());
        if let Some(index) = target {
            found.push((word, targets[index].1));
        }
    }
    // SAFETY: these words hold addresses of stubs; the new ones are those of the functions behind them.
    unsafe { replace(&found, page) };
}

/// Where stubs are, within the code: a range about any one of them.
fn around_a_stub(code: &Range<usize>) -> Range<usize> {
    let one = mlua::ffi::lua_gettop as *const () as usize;
    let reach = slots::ALL.len() * STUB_SIZE;
    let (start, end) = (one.saturating_sub(reach), one.saturating_add(reach));
    start.max(code.start)..end.min(code.end.saturating_sub(JUMP_SIZE))
}

/// The slot that a stub jumps through, if there is a stub at the address.
unsafe fn slot_of_stub(address: usize) -> Option<usize> {
    // SAFETY: the caller gives an address in the library's code.
    let instruction =
        unsafe { std::ptr::with_exposed_provenance::<[u8; JUMP_SIZE]>(address).read() };
    let [first, second, offset @ ..] = instruction;
    let next = address + JUMP_SIZE;
    ([first, second] == JUMP).then(|| next.wrapping_add_signed(i32::from_le_bytes(offset) as isize))
}

/// The size of a page.
fn page() -> Option<usize> {
    // SAFETY: asking for the size of a page does nothing else.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()
}

/// Writes to protected words.
unsafe fn replace(found: &[(usize, usize)], page: usize) {
    let (Some(first), Some(last)) = (found.first(), found.last()) else {
        return;
    };
    let start = first.0 & !(page - 1);
    let size = (last.0 + size_of::<usize>()).next_multiple_of(page) - start;
    let pages = std::ptr::with_exposed_provenance_mut::<libc::c_void>(start);
    // SAFETY: the pages are this library's, and nobody relies on a write to them failing. If the
    // protection cannot be restored they stay writable, as in a library without RELRO.
    unsafe {
        if libc::mprotect(pages, size, libc::PROT_READ | libc::PROT_WRITE) != 0 {
            return;
        }
        for (word, target) in found {
            std::ptr::with_exposed_provenance_mut::<usize>(*word).write_volatile(*target);
        }
        libc::mprotect(pages, size, libc::PROT_READ);
    }
}
