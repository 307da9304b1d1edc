//! What is asked of a file before any of its code runs, beyond that it fits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use plugin_api::mlua::Lua;

use super::{Entry, LoadedPlugins, Origin};
use crate::library::Library;
use crate::load_options::LoadOptions;
use crate::lock::lock;
use crate::lock_file::{self, LockFile, Locked};
use crate::plugin_file::PluginFile;
use crate::seal;
use crate::sha256::Sha256;
use crate::trust::{self, Trusted};
use crate::{Error, LockFileError};

/// What is asked of every file that is to be loaded.
#[derive(Debug, Default)]
pub(super) struct Admission {
    /// Files that have to be as hard to change for others when they are loaded again.
    trusting: Mutex<HashMap<PathBuf, Trusted>>,
    /// Files that have to have this content when they are loaded again.
    pinned: Mutex<HashMap<PathBuf, Sha256>>,
    /// The lock file in use.
    lock_file: Mutex<Option<Arc<LockFile>>>,
    /// Whether nothing more is loaded.
    is_sealed: AtomicBool,
}

impl Admission {
    fn lock_file(&self) -> Option<Arc<LockFile>> {
        lock(&self.lock_file).clone()
    }
}

impl LoadedPlugins {
    /// Reads a file that is to be loaded.
    pub(super) fn read(&self, path: &Path, options: &LoadOptions) -> Result<PluginFile, Error> {
        let opened = match &options.trusted {
            Some(trusted) => Some(trust::open(path, trusted)?),
            None => None,
        };
        let is_hashed = options.sha256.is_some() || self.admission.lock_file().is_some();
        let file = PluginFile::read(path, opened, is_hashed)?;
        check_hash(path, options.sha256, file.sha256)?;
        if let Some(trusted) = &options.trusted {
            let mut trusting = lock(&self.admission.trusting);
            trusting.insert(file.path.clone(), trusted.clone());
        }
        Ok(file)
    }

    /// Notes what is asked of a file for as long as it is loaded, in the place of what was asked of an earlier
    /// one.
    pub(super) fn pin(&self, path: &Path, sha256: Option<Sha256>) {
        let mut pinned = lock(&self.admission.pinned);
        match sha256 {
            Some(sha256) => pinned.insert(path.to_owned(), sha256),
            None => pinned.remove(path),
        };
    }

    /// Judges a file that is loaded already, `absolute` without symbolic links, as one that is to be
    /// loaded: it may have been loaded before without a question, and may be loaded again.
    pub(super) fn judge(
        &self,
        path: &Path,
        absolute: &Path,
        options: &LoadOptions,
    ) -> Result<(), Error> {
        if let Some(trusted) = &options.trusted {
            trust::open(path, trusted)?;
            lock(&self.admission.trusting).insert(absolute.to_owned(), trusted.clone());
        }
        Ok(())
    }

    /// Reads the file of a loaded plugin again.
    pub(super) fn read_again(&self, path: &Path) -> Result<PluginFile, Error> {
        let trusted = lock(&self.admission.trusting).get(path).cloned();
        let opened = trusted.map(|trusted| trust::open(path, &trusted));
        let pinned = lock(&self.admission.pinned).get(path).copied();
        let is_hashed = pinned.is_some() || self.admission.lock_file().is_some();
        let file = PluginFile::read(path, opened.transpose()?, is_hashed)?;
        check_hash(path, pinned, file.sha256)?;
        Ok(file)
    }

    /// Checks a file as a load into a state would, without loading it. Others must not be able to change it
    /// other than as it says.
    #[cfg(feature = "module")]
    pub(crate) fn check(
        &self,
        path: &Path,
        trusted: Option<&Trusted>,
        lua: &Lua,
    ) -> Result<(), Error> {
        let opened = trusted.map(|trusted| trust::open(path, trusted));
        let is_hashed = self.admission.lock_file().is_some();
        let file = PluginFile::read(path, opened.transpose()?, is_hashed)?;
        file.check()?;
        self.admit(&file, std::slice::from_ref(lua))
    }

    /// Lets nothing be loaded any more.
    pub(crate) fn seal(&self) {
        self.admission.is_sealed.store(true, Ordering::Relaxed);
    }

    /// Checks that plugins are still loaded, here and in Lua states.
    pub(super) fn check_unsealed(
        &self,
        plugin: &str,
        path: &Path,
        states: &[Lua],
    ) -> Result<(), Error> {
        if self.admission.is_sealed.load(Ordering::Relaxed) {
            return Err(seal::refusal(plugin, path));
        }
        states
            .iter()
            .try_for_each(|lua| seal::check(plugin, path, lua))
    }

    /// Checks that a file that was read may be loaded, or take the place of a loaded one, for some
    /// states.
    pub(super) fn admit(&self, file: &PluginFile, states: &[Lua]) -> Result<(), Error> {
        self.check_unsealed(&file.manifest.name, &file.path, states)?;
        let Some(lock_file) = self.admission.lock_file() else {
            return Ok(());
        };
        match Locked::of(file) {
            Some(plugin) => lock_file.check(&plugin, &file.path),
            // It was read before the lock file came into use.
            None => Err(Error::Changed {
                plugin: file.manifest.name.clone(),
                path: file.path.clone(),
            }),
        }
    }

    /// Writes a lock file that lists what is loaded from files.
    pub(crate) fn write_lock_file(&self, path: &Path) -> Result<(), Error> {
        let plugins = self.libraries().into_iter();
        let plugins = plugins.map(|library| self.locked(&library));
        lock_file::write(path, plugins.collect::<Result<_, Error>>()?)
    }

    /// Lets nothing be loaded from now on but what a lock file lists. What is loaded from files already
    /// has to be listed too; otherwise nothing has changed.
    pub(crate) fn use_lock_file(&self, path: &Path) -> Result<(), Error> {
        let lock_file = Arc::new(LockFile::read(path)?);
        {
            let mut slot = lock(&self.admission.lock_file);
            if let Some(present) = &*slot {
                return Err(Error::LockFile(LockFileError::InUse {
                    path: path.to_owned(),
                    lock_file: present.path.clone(),
                }));
            }
            *slot = Some(Arc::clone(&lock_file));
        }
        // It is in use by now, so that nothing is loaded meanwhile that is not listed.
        let check = |library: &Arc<Library>| {
            let plugin = self.locked(library)?;
            lock_file.check(&plugin, &library.path)
        };
        let checked = self.libraries().iter().try_for_each(check);
        checked.inspect_err(|_| *lock(&self.admission.lock_file) = None)
    }

    fn libraries(&self) -> Vec<Arc<Library>> {
        let entries = self.entries();
        let libraries = entries.iter().filter_map(|entry| match entry.origin() {
            Origin::File(library) => Some(Arc::clone(library)),
            Origin::Program => None,
        });
        libraries.collect()
    }

    /// What a lock file has to say of a loaded plugin.
    fn locked(&self, library: &Arc<Library>) -> Result<Locked, Error> {
        Ok(Locked {
            name: library.manifest.name.clone(),
            version: library.manifest.version.clone(),
            lua_abi: library.manifest.lua_abi.clone(),
            sha256: self.sha256_of(library)?,
        })
    }

    /// Checks that a plugin that is loaded already is what is asked for.
    pub(super) fn check_loaded(&self, entry: &Entry, options: &LoadOptions) -> Result<(), Error> {
        match (options.sha256, entry.origin()) {
            (Some(expected), Origin::File(library)) => {
                let found = self.sha256_of(library)?;
                check_hash(&library.path, options.sha256, Some(found))?;
                self.pin(&library.path, Some(expected));
                Ok(())
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

fn check_hash(path: &Path, expected: Option<Sha256>, found: Option<Sha256>) -> Result<(), Error> {
    match (expected, found) {
        (Some(expected), Some(found)) if expected != found => Err(Error::WrongHash {
            path: path.to_owned(),
            expected,
            found,
        }),
        _ => Ok(()),
    }
}
