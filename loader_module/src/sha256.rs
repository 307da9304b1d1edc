//! SHA-256 of the content of a plugin file.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

/// The SHA-256 of a plugin file's content. As text it is 64 hexadecimal digits.
///
/// ```
/// let text = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// let hash: cygnixy::Sha256 = text.parse().unwrap();
/// assert_eq!(hash.to_string(), text);
/// assert!("9f86".parse::<cygnixy::Sha256>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

/// A text is no SHA-256: it has to be 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits, found {found}")]
pub struct NoSha256 {
    found: String,
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl FromStr for Sha256 {
    type Err = NoSha256;

    fn from_str(text: &str) -> Result<Self, NoSha256> {
        let no_hash = || NoSha256 {
            found: match text.len() {
                0..=64 => format!("'{text}'"),
                length => format!("{length} bytes"),
            },
        };
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(no_hash());
        }
        let mut hash = [0; 32];
        for (byte, digits) in hash.iter_mut().zip(digits.chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| no_hash())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| no_hash())?;
        }
        Ok(Self(hash))
    }
}

/// Takes the hash of what is read piece by piece.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hasher(sha2::Sha256);

impl Hasher {
    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub(crate) fn finish(self) -> Sha256 {
        Sha256(self.0.finalize().into())
    }
}
