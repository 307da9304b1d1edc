//! Where a library is in memory, and whether it still is there.

use std::ffi::c_void;

/// The addresses of a library's code and data, and the name that the dynamic linker knows it by.
#[derive(Debug, Clone)]
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(crate) struct Addresses(Option<plugin_api::image::Image>);

#[cfg(all(unix, not(target_vendor = "apple")))]
impl Addresses {
    /// Those of the library that contains an address.
    pub(super) fn around(address: *const c_void) -> Self {
        Self(plugin_api::image::Image::containing(address))
    }

    /// Whether they are known, and the library takes part in what unmapping needs.
    pub(super) fn are_known(&self) -> bool {
        cfg!(target_os = "linux") && plugin_api::lua_api::CAN_BE_BOUND && self.0.is_some()
    }

    /// Whether an address is in the library; false if that is not known.
    pub(crate) fn contains(&self, address: *const c_void) -> bool {
        self.0.as_ref().is_some_and(|image| image.contains(address))
    }
}

/// Whether the library is mapped, as the dynamic linker lists it now. Another library may have got
/// its addresses meanwhile, but not with its name.
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(super) fn is_mapped(addresses: &Addresses) -> bool {
    let Some(image) = &addresses.0 else {
        return true;
    };
    let start = std::ptr::without_provenance(image.addresses.start);
    plugin_api::image::Image::containing(start).is_some_and(|found| found.path == image.path)
}

/// Nothing is known about addresses here.
#[derive(Debug, Clone)]
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
pub(crate) struct Addresses;

#[cfg(not(all(unix, not(target_vendor = "apple"))))]
impl Addresses {
    pub(super) fn around(_address: *const c_void) -> Self {
        Self
    }

    pub(super) fn are_known(&self) -> bool {
        false
    }

    pub(crate) fn contains(&self, _address: *const c_void) -> bool {
        false
    }
}

#[cfg(not(all(unix, not(target_vendor = "apple"))))]
pub(super) fn is_mapped(_addresses: &Addresses) -> bool {
    true
}
