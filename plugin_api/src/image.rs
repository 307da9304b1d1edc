//! Which loaded object file an address belongs to.
//!
//! Asked of the dynamic linker (`dl_iterate_phdr`), so it is for Unix systems with ELF files.

use std::ffi::{CStr, CString, c_int, c_void};
use std::ops::Range;

/// A loaded object file: the program itself or a shared library.
#[derive(Debug, Clone)]
pub struct Image {
    /// The addresses it covers, from its first mapped byte to its last.
    pub addresses: Range<usize>,
    /// The addresses of its code; `None` if there are several parts or none.
    pub code: Option<Range<usize>>,
    /// The addresses that were protected after relocation.
    pub relro: Option<Range<usize>>,
    /// The file's path as the dynamic linker knows it; `None` for the program itself.
    pub path: Option<CString>,
}

impl Image {
    /// The image that contains `address`, or `None` if no loaded object does.
    #[must_use]
    pub fn containing(address: *const c_void) -> Option<Self> {
        let mut search = Search {
            address: address.addr(),
            index: 0,
            found: None,
        };
        // SAFETY: `visit` only runs during the call and gets a pointer to `search`, which outlives
        // it; it does not unwind, as it neither indexes nor asserts.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
        search.found
    }

    /// Whether `address` lies in this image.
    #[must_use]
    pub fn contains(&self, address: *const c_void) -> bool {
        self.addresses.contains(&address.addr())
    }

    /// The path to show to people.
    #[must_use]
    pub fn display(&self) -> String {
        self.path.as_ref().map_or_else(
            || "the program itself".to_owned(),
            |path| path.to_string_lossy().into_owned(),
        )
    }
}

/// The addresses of the writable memory of a loaded object that contains `address`: of its statics, if
/// that is the address of one that can change.
#[cfg(bound_lua_api)]
pub(crate) fn writable_around(address: *const c_void) -> Option<Range<usize>> {
    struct Wanted {
        address: usize,
        found: Option<Range<usize>>,
    }
    unsafe extern "C" fn visit(
        info: *mut libc::dl_phdr_info,
        _size: libc::size_t,
        data: *mut c_void,
    ) -> c_int {
        // SAFETY: as in the other `visit`.
        let (wanted, info) = unsafe { (&mut *data.cast::<Wanted>(), &*info) };
        for header in 0..usize::from(info.dlpi_phnum) {
            // SAFETY: the object has `dlpi_phnum` program headers at `dlpi_phdr`.
            let header = unsafe { &*info.dlpi_phdr.add(header) };
            let start = (info.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize);
            let range = start..start.wrapping_add(header.p_memsz as usize);
            let is_writable = header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W != 0;
            if is_writable && range.contains(&wanted.address) {
                wanted.found = Some(range);
                return 1;
            }
        }
        0
    }
    let mut wanted = Wanted {
        address: address.addr(),
        found: None,
    };
    // SAFETY: as in `Image::containing`.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut wanted).cast()) };
    wanted.found
}

struct Search {
    address: usize,
    index: usize,
    found: Option<Image>,
}

unsafe extern "C" fn visit(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `data` is the `Search` that `Image::containing` passed, borrowed by nobody else
    // during the iteration; `info` is valid for this call.
    let (search, info) = unsafe { (&mut *data.cast::<Search>(), &*info) };
    let index = search.index;
    search.index += 1;

    let mut addresses: Option<Range<usize>> = None;
    let (mut code, mut code_parts, mut relro) = (None, 0, None);
    let mut inside = false;
    for header in 0..usize::from(info.dlpi_phnum) {
        // SAFETY: the object has `dlpi_phnum` program headers at `dlpi_phdr`.
        let header = unsafe { &*info.dlpi_phdr.add(header) };
        let start = (info.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize);
        let end = start.wrapping_add(header.p_memsz as usize);
        if header.p_type == libc::PT_GNU_RELRO {
            relro = Some(start..end);
        }
        if header.p_type != libc::PT_LOAD {
            continue;
        }
        if header.p_flags & libc::PF_X != 0 {
            code = Some(start..end);
            code_parts += 1;
        }
        inside |= (start..end).contains(&search.address);
        addresses = Some(match addresses {
            Some(range) => range.start.min(start)..range.end.max(end),
            None => start..end,
        });
    }
    let (true, Some(addresses)) = (inside, addresses) else {
        return 0;
    };
    // The first object is the program; glibc gives it an empty name, musl its path.
    let program = index == 0 || info.dlpi_name.is_null();
    let path = if program {
        None
    } else {
        // SAFETY: the name is a C string that lives as long as the object is loaded.
        Some(unsafe { CStr::from_ptr(info.dlpi_name) }.to_owned())
    };
    search.found = Some(Image {
        addresses,
        code: code.filter(|_| code_parts == 1),
        relro,
        path: path.filter(|path| !path.is_empty()),
    });
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_this_program_is_found() {
        let here = code_of_this_program_is_found as *const c_void;
        let image = Image::containing(here).expect("this code is loaded");
        assert!(image.contains(here));
        assert_eq!(image.path, None);
    }

    #[test]
    fn code_of_a_library_has_a_path() {
        let image = Image::containing(libc::strlen as *const c_void).expect("libc is loaded");
        let path = image.path.expect("a shared library has a path");
        assert!(path.to_string_lossy().contains("libc"));
    }

    #[test]
    fn an_address_outside_is_not_found() {
        assert!(Image::containing(std::ptr::dangling()).is_none());
    }
}
