//! What is asked of a file before any of its code runs, beyond that it fits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::{Entry, LoadedPlugins, Origin};
use crate::Error;
use crate::library::Library;
use crate::load_options::LoadOptions;
use crate::lock::lock;
use crate::plugin_file::PluginFile;
use crate::sha256::Sha256;
use crate::trust::{self, Trusted};

/// What is asked of every file that is to be loaded.
#[derive(Debug, Default)]
pub(super) struct Admission {
    /// Files that have to be as hard to change for others when they are loaded again.
    trusting: Mutex<HashMap<PathBuf, Trusted>>,
}

impl LoadedPlugins {
    /// Reads a file that is to be loaded.
    pub(super) fn read(&self, path: &Path, options: &LoadOptions) -> Result<PluginFile, Error> {
        let opened = match &options.trusted {
            Some(trusted) => Some(trust::open(path, trusted)?),
            None => None,
        };
        let file = PluginFile::read(path, opened, options.sha256.is_some())?;
        check_hash(path, options, file.sha256)?;
        if let Some(trusted) = &options.trusted {
            let mut trusting = lock(&self.admission.trusting);
            trusting.insert(file.path.clone(), trusted.clone());
        }
        Ok(file)
    }

    /// Reads the file of a loaded plugin again.
    pub(super) fn read_again(&self, path: &Path) -> Result<PluginFile, Error> {
        let trusted = lock(&self.admission.trusting).get(path).cloned();
        let opened = trusted.map(|trusted| trust::open(path, &trusted));
        PluginFile::read(path, opened.transpose()?, false)
    }

    /// Checks that a plugin that is loaded already is what is asked for.
    pub(super) fn check_loaded(&self, entry: &Entry, options: &LoadOptions) -> Result<(), Error> {
        match (options.sha256, entry.origin()) {
            (Some(_), Origin::File(library)) => {
                let found = self.sha256_of(library)?;
                check_hash(&library.path, options, Some(found))
            }
            _ => Ok(()),
        }
    }

    /// The SHA-256 of the content that a library was mapped from. If nobody has asked before, the file
    /// is read again: it has to be the same.
    fn sha256_of(&self, library: &Arc<Library>) -> Result<Sha256, Error> {
        if let Some(sha256) = library.sha256() {
            return Ok(sha256);
        }
        let changed = || Error::Changed {
            plugin: library.manifest.name.clone(),
            path: library.path.clone(),
        };
        let file = PluginFile::read(&library.path, None, true)?;
        if !library.is_from(&file) {
            return Err(changed());
        }
        library.note_sha256(&file);
        file.sha256.ok_or_else(changed)
    }
}

fn check_hash(path: &Path, options: &LoadOptions, found: Option<Sha256>) -> Result<(), Error> {
    match (options.sha256, found) {
        (Some(expected), Some(found)) if expected != found => Err(Error::WrongHash {
            path: path.to_owned(),
            expected,
            found,
        }),
        _ => Ok(()),
    }
}
