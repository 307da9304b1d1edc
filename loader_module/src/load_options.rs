//! What is asked of a plugin file before it is loaded.

use crate::{Sha256, Trusted};

/// What is asked of a plugin file before any of its code runs. The default is nothing more than that
/// it fits.
///
/// ```
/// use cygnixy::{LoadOptions, Trusted};
///
/// let options = LoadOptions::new().trusted(Trusted::from_environment());
/// # let _ = options;
/// ```
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    pub(crate) sha256: Option<Sha256>,
    pub(crate) trusted: Option<Trusted>,
}

impl LoadOptions {
    /// Nothing is asked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The content has to have this hash. What is hashed is what is mapped, whatever happens to the
    /// file meanwhile. So it is for every reload of the file, until the plugin is unloaded.
    #[must_use]
    pub fn sha256(mut self, hash: Sha256) -> Self {
        self.sha256 = Some(hash);
        self
    }

    /// Nobody but root and the user of the process may be able to change the file, or any directory
    /// on the way to it, other than what `trusted` lists. So it is for every reload of the file.
    /// Asked on Unix systems alone.
    #[must_use]
    pub fn trusted(mut self, trusted: Trusted) -> Self {
        self.trusted = Some(trusted);
        self
    }
}
