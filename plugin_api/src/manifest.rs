//! What a plugin file says of itself, readable without running it.
//!
//! [`export_plugin!`](crate::export_plugin) places the manifest as plain bytes in an object-file
//! section of its own ([`SECTION`]). The loader reads it from the file and decides before any code
//! of the file runs. The bytes are:
//!
//! | bytes | content |
//! | --- | --- |
//! | 8 | [`MAGIC`] |
//! | 4 | [`FORMAT_VERSION`], little endian |
//! | 4 | length of what follows, little endian |
//! | rest | `key=value` entries in UTF-8, each ended by a zero byte |
//!
//! Unknown keys are kept out of the way, so that a newer plugin can say more.

use std::collections::BTreeMap;

/// The section that holds the manifest.
pub const SECTION: &str = if cfg!(target_vendor = "apple") {
    "__cygnixy"
} else {
    ".cygnixy"
};

/// The first eight bytes of a manifest.
pub const MAGIC: [u8; 8] = *b"\x7fCYGNIXY";

/// The version of the layout above.
pub const FORMAT_VERSION: u32 = 1;

/// The release of mlua that this crate is built with: it is pinned in `Cargo.toml`.
pub const MLUA_VERSION: &str = "0.12.2";

/// The compiler that built this crate, as `rustc --version` prints it.
pub const RUSTC_VERSION: &str = env!("CYGNIXY_RUSTC");

/// The target triple that this crate is built for.
pub const TARGET: &str = env!("CYGNIXY_TARGET");

/// What is wrong with the bytes of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The section does not begin with [`MAGIC`].
    #[error("the section does not begin with the manifest's mark")]
    Magic,
    /// The layout is of a version that this loader does not know.
    #[error("manifest format {found}, expected {FORMAT_VERSION}")]
    Format {
        /// The version in the file.
        found: u32,
    },
    /// The section is shorter than its header says.
    #[error("{found} bytes, expected {expected}")]
    Length {
        /// The bytes that the header announces, header included.
        expected: usize,
        /// The bytes in the section.
        found: usize,
    },
    /// An entry is not UTF-8, or has no `=`.
    #[error("an entry cannot be read: {entry:?}")]
    Entry {
        /// The entry, with replacement characters where it is not UTF-8.
        entry: String,
    },
    /// A required entry is missing or not of its form.
    #[error("the entry {key:?} is missing or malformed")]
    Missing {
        /// The entry's key.
        key: &'static str,
    },
}

/// The manifest of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// The name of the crate.
    pub name: String,
    /// The version of the crate.
    pub version: String,
    /// The crate's authors, separated by colons as Cargo gives them; may be empty.
    pub authors: String,
    /// The crate's description; may be empty.
    pub description: String,
    /// The Lua ABI it is built for, see [`LUA_ABIS`](crate::lua_abi::LUA_ABIS).
    pub lua_abi: String,
    /// The version of the boundary, see [`API_VERSION`](crate::abi::API_VERSION).
    pub api_version: u32,
    /// The version of mlua inside.
    pub mlua: String,
    /// The compiler that built it.
    pub rustc: String,
    /// The target triple it is built for.
    pub target: String,
}

impl Manifest {
    /// Reads a manifest from the bytes of its section; bytes after its end are ignored.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] says what is wrong with the bytes.
    pub fn parse(section: &[u8]) -> Result<Self, ManifestError> {
        let word = |at: usize| {
            let bytes = section.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_le_bytes(bytes))
        };
        if !section.starts_with(&MAGIC) {
            return Err(ManifestError::Magic);
        }
        let short = |expected| ManifestError::Length {
            expected,
            found: section.len(),
        };
        let format = word(8).ok_or_else(|| short(HEADER))?;
        if format != FORMAT_VERSION {
            return Err(ManifestError::Format { found: format });
        }
        let length = word(12).ok_or_else(|| short(HEADER))? as usize;
        let body = section
            .get(HEADER..HEADER.saturating_add(length))
            .ok_or_else(|| short(HEADER.saturating_add(length)))?;
        Self::from_entries(&entries(body)?)
    }

    fn from_entries(entries: &BTreeMap<&str, &str>) -> Result<Self, ManifestError> {
        let text = |key: &'static str| {
            let value = entries.get(key).ok_or(ManifestError::Missing { key })?;
            Ok::<_, ManifestError>((*value).to_owned())
        };
        Ok(Self {
            name: text("name")?,
            version: text("version")?,
            authors: text("authors")?,
            description: text("description")?,
            lua_abi: text("lua_abi")?,
            api_version: text("api_version")?
                .parse()
                .map_err(|_| ManifestError::Missing { key: "api_version" })?,
            mlua: text("mlua")?,
            rustc: text("rustc")?,
            target: text("target")?,
        })
    }
}

fn entries(body: &[u8]) -> Result<BTreeMap<&str, &str>, ManifestError> {
    body.split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            std::str::from_utf8(entry)
                .ok()
                .and_then(|entry| entry.split_once('='))
                .ok_or_else(|| ManifestError::Entry {
                    entry: String::from_utf8_lossy(entry).into_owned(),
                })
        })
        .collect()
}

const HEADER: usize = MAGIC.len() + 4 + 4;

/// The number of bytes that [`encode`] needs for `entries`.
#[must_use]
pub const fn encoded_len(entries: &[(&str, &str)]) -> usize {
    let mut length = HEADER;
    let mut index = 0;
    while index < entries.len() {
        length += entries[index].0.len() + 1 + entries[index].1.len() + 1;
        index += 1;
    }
    length
}

/// Writes a manifest, at compile time.
///
/// # Panics
///
/// If `N` is not [`encoded_len`] of the same entries, or if it exceeds 4 GiB. In a constant this
/// is a compile error.
#[must_use]
pub const fn encode<const N: usize>(entries: &[(&str, &str)]) -> [u8; N] {
    assert!(N == encoded_len(entries) && N <= u32::MAX as usize);
    let mut bytes = [0; N];
    let mut at = put(&mut bytes, 0, &MAGIC);
    at = put(&mut bytes, at, &FORMAT_VERSION.to_le_bytes());
    at = put(&mut bytes, at, &((N - HEADER) as u32).to_le_bytes());
    let mut index = 0;
    while index < entries.len() {
        at = put(&mut bytes, at, entries[index].0.as_bytes());
        at = put(&mut bytes, at, b"=");
        at = put(&mut bytes, at, entries[index].1.as_bytes());
        at = put(&mut bytes, at, b"\0");
        index += 1;
    }
    bytes
}

const fn put<const N: usize>(bytes: &mut [u8; N], at: usize, part: &[u8]) -> usize {
    let mut index = 0;
    while index < part.len() {
        bytes[at + index] = part[index];
        index += 1;
    }
    at + part.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRIES: &[(&str, &str)] = &[
        ("name", "greet"),
        ("version", "1.2.3"),
        ("authors", ""),
        ("description", "says a=b, héllo\nin two lines"),
        ("lua_abi", "lua54"),
        ("api_version", "1"),
        ("mlua", "0.12.2"),
        ("rustc", "rustc 1.88.0"),
        ("target", "x86_64-unknown-linux-gnu"),
        ("later", "unknown to us"),
    ];
    const BYTES: [u8; encoded_len(ENTRIES)] = encode(ENTRIES);

    #[test]
    fn what_is_written_is_read() {
        let manifest = Manifest::parse(&BYTES).expect("it is valid");
        assert_eq!(manifest.name, "greet");
        assert_eq!(manifest.description, "says a=b, héllo\nin two lines");
        assert_eq!(manifest.api_version, 1);
    }

    #[test]
    fn padding_after_the_end_is_ignored() {
        let mut padded = BYTES.to_vec();
        padded.extend([0; 40]);
        assert!(Manifest::parse(&padded).is_ok());
    }

    #[test]
    fn every_cut_is_an_error() {
        for length in 0..BYTES.len() {
            assert!(
                Manifest::parse(&BYTES[..length]).is_err(),
                "cut at {length}"
            );
        }
    }

    #[test]
    fn another_format_is_named() {
        let mut bytes = BYTES;
        bytes[8] = 9;
        assert_eq!(
            Manifest::parse(&bytes),
            Err(ManifestError::Format { found: 9 })
        );
    }

    #[test]
    fn a_missing_entry_is_named() {
        const FEW: &[(&str, &str)] = &[("name", "x")];
        const FEW_BYTES: [u8; encoded_len(FEW)] = encode(FEW);
        assert_eq!(
            Manifest::parse(&FEW_BYTES),
            Err(ManifestError::Missing { key: "version" })
        );
    }

    #[test]
    fn the_stated_mlua_is_the_one_in_the_lock_file() {
        let lock = include_str!("../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"mlua\"\nversion = \"{MLUA_VERSION}\"")));
    }
}
