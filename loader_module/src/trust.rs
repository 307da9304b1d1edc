//! Whether others can change a plugin file: by themselves, or through a directory on the way to it.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::paths::to_path;

#[cfg(unix)]
mod way;
#[cfg(unix)]
pub(crate) use way::open;

/// The environment variable with the directories that are trusted as they are.
const VARIABLE: &str = "CYGNIXY_TRUSTED";

/// The ending of an entry that is about all that is below a directory, too.
const BELOW: &[u8] = b"/**";

/// Directories and files that are trusted as they are, though others than root and the user of the
/// process may be able to change them.
///
/// As text, it is a list of paths, separated by `;`. A path stands for itself and the directories above
/// it, for files that are reached through it. With `/**` at its end it also stands for all that is
/// below. Entries that are not absolute, or do not exist, count for nothing.
///
/// ```
/// let trusted = cygnixy::Trusted::parse("/srv/plugins/**;/opt/shared");
/// # let _ = trusted;
/// ```
#[derive(Debug, Clone, Default)]
pub struct Trusted {
    entries: Vec<Listed>,
}

/// A path that is trusted, absolute and without symbolic links.
#[derive(Debug, Clone)]
struct Listed {
    path: PathBuf,
    and_below: bool,
}

impl Trusted {
    /// Nothing is trusted as it is.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// What the environment variable `CYGNIXY_TRUSTED` lists.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::parse(initial_list())
    }

    /// What a list says.
    #[must_use]
    pub fn parse(list: impl AsRef<OsStr>) -> Self {
        let bytes = list.as_ref().as_encoded_bytes();
        let entries = bytes.split(|byte| *byte == b';').filter_map(|entry| {
            let below = entry.strip_suffix(BELOW);
            let path = to_path(match below {
                Some(b"") => b"/",
                Some(path) => path,
                None => entry,
            });
            let path = path.is_absolute().then(|| path.canonicalize().ok())??;
            Some(Listed {
                path,
                and_below: below.is_some(),
            })
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// Whether a place on a way is trusted as it is; `way` are all the places that the way led to.
    #[cfg_attr(not(unix), expect(dead_code, reason = "nothing is asked there"))]
    fn excuses(&self, place: &Path, way: &[PathBuf]) -> bool {
        self.entries.iter().any(|entry| {
            let is_above = entry.path.starts_with(place) && way.contains(&entry.path);
            is_above || (entry.and_below && place.starts_with(&entry.path))
        })
    }
}

/// The list in the environment; empty if there is none.
pub(crate) fn initial_list() -> std::ffi::OsString {
    env::var_os(VARIABLE).unwrap_or_default()
}

/// Nothing is asked here.
#[cfg(not(unix))]
pub(crate) fn open(
    path: &Path,
    _trusted: &Trusted,
) -> Result<(std::fs::File, PathBuf), crate::Error> {
    let unreadable = |source| crate::Error::Read {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    Ok((file, path.canonicalize().map_err(unreadable)?))
}
