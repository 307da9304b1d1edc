//! Finds the manifest in the bytes of a library file.

use std::path::Path;
use std::sync::Arc;

use object::read::NameOrOrdinal;
use object::{Object as _, ObjectSection as _, ObjectSegment as _, ReadRef};
use plugin_api::abi::ENTRY_SYMBOL;
use plugin_api::manifest::{self, Manifest};

use crate::Error;

/// The largest manifest that is read, in bytes.
const LARGEST_MANIFEST: u64 = 1 << 20;

/// What was read of a library file.
pub(super) struct Found {
    pub(super) manifest: Manifest,
    /// The manifest as it is in the file.
    pub(super) bytes: Arc<[u8]>,
    /// Whether the library exports the function that the loader is going to call.
    pub(super) has_entry: bool,
}

/// Reads the manifest of a library file, given with its first bytes and its length.
pub(super) fn read<'a, R: ReadRef<'a>>(
    path: &Path,
    data: R,
    start: &[u8],
    length: u64,
) -> Result<Found, Error> {
    let not_a_library = |found: String| Error::NotALibrary {
        path: path.to_owned(),
        found,
    };
    let broken = |error: object::Error| not_a_library(describe(start, &error.to_string()));
    let object = object::File::parse(data).map_err(broken)?;
    check_target(path, &object)?;
    if object.kind() != object::ObjectKind::Dynamic {
        let kind = object.kind();
        return Err(not_a_library(format!(
            "an object file of another kind ({kind:?})"
        )));
    }
    check_length(&object, length).map_err(not_a_library)?;
    let Some(section) = object.section_by_name(manifest::SECTION) else {
        return Err(Error::NotAPlugin {
            path: path.to_owned(),
        });
    };
    if section.size() > LARGEST_MANIFEST {
        let size = section.size();
        return Err(not_a_library(format!(
            "one with a manifest of {size} bytes"
        )));
    }
    let bytes = section.data().map_err(broken)?;
    let manifest = Manifest::parse(bytes).map_err(|source| Error::Manifest {
        path: path.to_owned(),
        source,
    })?;
    Ok(Found {
        manifest,
        bytes: bytes.into(),
        has_entry: has_entry(&object).map_err(broken)?,
    })
}

fn has_entry<'a>(object: &object::File<'a, impl ReadRef<'a>>) -> Result<bool, object::Error> {
    let entry = ENTRY_SYMBOL.to_bytes();
    // There the names of C have an underscore in front of them.
    let is_mach_o = object.format() == object::BinaryFormat::MachO;
    let is_entry = |name: &[u8]| match name.strip_prefix(b"_") {
        Some(rest) if is_mach_o => rest == entry,
        _ => name == entry,
    };
    for export in object.exports()? {
        if let NameOrOrdinal::Name(name) = export?.name()
            && is_entry(name)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the first bytes may be those of a library, so that it is worth reading the rest.
pub(super) fn may_be_library(start: &[u8]) -> bool {
    object::FileKind::parse(start).is_ok()
}

/// What a file that cannot be parsed looks like, by its first bytes.
pub(super) fn describe(start: &[u8], error: &str) -> String {
    if start.is_empty() {
        return "an empty file".to_owned();
    }
    if start.starts_with(b"\x7fELF") {
        return format!("a truncated or damaged library ({error})");
    }
    let is_text = std::str::from_utf8(start).is_ok() || start.is_ascii();
    if is_text && !start.contains(&0) {
        return "a text file".to_owned();
    }
    format!("a file of an unknown format ({error})")
}

/// Compares the processor and the file format with those of this process.
fn check_target<'a>(path: &Path, file: &object::File<'a, impl ReadRef<'a>>) -> Result<(), Error> {
    let expected = (
        std::env::consts::ARCH.to_owned(),
        object::BinaryFormat::native_object(),
        if cfg!(target_endian = "little") {
            object::Endianness::Little
        } else {
            object::Endianness::Big
        },
        cfg!(target_pointer_width = "64"),
    );
    let found = (
        architecture_name(file.architecture()),
        file.format(),
        file.endianness(),
        file.is_64(),
    );
    if expected == found {
        return Ok(());
    }
    let text = |(arch, format, endianness, is_64): &(
        String,
        object::BinaryFormat,
        object::Endianness,
        bool,
    )| {
        let bits = if *is_64 { 64 } else { 32 };
        format!("{arch} ({format:?}, {bits} bit, {endianness:?} endian)").replace(" Endian", "")
    };
    Err(Error::WrongTarget {
        path: path.to_owned(),
        expected: text(&expected),
        found: text(&found),
    })
}

/// The processor by the name that Rust gives it.
fn architecture_name(architecture: object::Architecture) -> String {
    match architecture {
        object::Architecture::X86_64 => "x86_64".to_owned(),
        object::Architecture::I386 => "x86".to_owned(),
        object::Architecture::Aarch64 => "aarch64".to_owned(),
        object::Architecture::Arm => "arm".to_owned(),
        object::Architecture::Unknown => "an unknown processor".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// Checks that the file has all the bytes that the dynamic linker would map: touching a page
/// beyond the end of the file kills the process.
fn check_length<'a>(file: &object::File<'a, impl ReadRef<'a>>, length: u64) -> Result<(), String> {
    for segment in file.segments() {
        let (offset, size) = segment.file_range();
        let end = offset.saturating_add(size);
        if end > length {
            return Err(format!(
                "a truncated library ({length} bytes, a segment ends at {end})"
            ));
        }
    }
    Ok(())
}
