//! The stores that are open in one Lua state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plugin_api::mlua::{self, FromLua, Lua, Value};

use crate::error::StoreError;
use crate::file::StoreFile;
use crate::path;

/// What a script holds of a store, or of a transaction in it: a table with these numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handle {
    pub(crate) store: u64,
    pub(crate) transaction: Option<u64>,
}

impl Handle {
    /// The number of the transaction.
    pub(crate) fn in_transaction(self) -> Result<u64, StoreError> {
        self.transaction.ok_or(StoreError::NoTransaction)
    }
}

impl FromLua for Handle {
    fn from_lua(value: Value, _: &Lua) -> mlua::Result<Self> {
        let numbers = match &value {
            Value::Table(table) => (table.raw_get(1), table.raw_get(2)),
            _ => (Ok(None), Ok(None)),
        };
        match numbers {
            (Ok(Some(store)), Ok(transaction)) => Ok(Self { store, transaction }),
            _ => Err(mlua::Error::runtime(format!(
                "expected a store, got {}",
                value.type_name()
            ))),
        }
    }
}

/// The open stores by number. No number is used twice.
#[derive(Default)]
pub(crate) struct Stores {
    last: u64,
    open: BTreeMap<u64, StoreFile>,
}

impl Stores {
    /// Opens a file that is not open here yet.
    pub(crate) fn open(&mut self, path: &Path) -> Result<(Handle, PathBuf), StoreError> {
        if self.open.values().any(|file| file.is_at(path)) {
            let real = path.canonicalize();
            return Err(StoreError::OpenHere(real.unwrap_or(path.to_owned())));
        }
        let file = StoreFile::open(path)?;
        let path = file.path().to_owned();
        let store = self.number();
        self.open.insert(store, file);
        let transaction = None;
        Ok((Handle { store, transaction }, path))
    }

    /// Begins a transaction in a store.
    pub(crate) fn begin(&mut self, handle: Handle) -> Result<(Handle, PathBuf), StoreError> {
        let number = self.number();
        let file = self.of(handle)?;
        if handle.transaction.is_some() {
            return Err(StoreError::Nested(file.path().to_owned()));
        }
        file.begin(number)?;
        let transaction = Some(number);
        let path = file.path().to_owned();
        Ok((
            Handle {
                transaction,
                ..handle
            },
            path,
        ))
    }

    /// Closes a store, or gives a transaction up. Does nothing the second time.
    pub(crate) fn close(&mut self, handle: Handle) {
        match (handle.transaction, self.open.get_mut(&handle.store)) {
            (Some(transaction), Some(file)) => file.roll_back(transaction),
            (None, Some(_)) => drop(self.open.remove(&handle.store)),
            (_, None) => {}
        }
    }

    /// Closes all.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
    }

    /// The file of a handle.
    pub(crate) fn of(&mut self, handle: Handle) -> Result<&mut StoreFile, StoreError> {
        self.open.get_mut(&handle.store).ok_or(StoreError::Closed)
    }

    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// What another version of the plugin has to know; the files are closed for it. If any of them is in
    /// use, an error, and nothing has changed.
    ///
    /// The form: `1`, the last number, and number and path of each store, separated by zeros.
    pub(crate) fn hand_over(&mut self) -> Result<Vec<u8>, StoreError> {
        self.open.values().try_for_each(StoreFile::check_handover)?;
        let mut state = format!("1\0{}", self.last).into_bytes();
        for (number, file) in &mut self.open {
            file.hand_over();
            state.extend_from_slice(format!("\0{number}\0").as_bytes());
            state.extend_from_slice(path::bytes(file.path()));
        }
        Ok(state)
    }

    /// Opens the files of another version of the plugin under the same numbers.
    pub(crate) fn take(state: &[u8]) -> Result<Self, StoreError> {
        let mut words = state.split(|byte| *byte == 0);
        let number = |word: Option<&[u8]>| str::from_utf8(word?).ok()?.parse().ok();
        if words.next() != Some(b"1") {
            return Err(StoreError::Unknown);
        }
        let last = number(words.next()).ok_or(StoreError::Unknown)?;
        let mut open = BTreeMap::new();
        while let Some(word) = words.next() {
            let store = number(Some(word)).ok_or(StoreError::Unknown)?;
            let path = words.next().ok_or(StoreError::Unknown)?;
            let path = path::of(path).map_err(|_| StoreError::Unknown)?;
            open.insert(store, StoreFile::take(path.into_owned())?);
        }
        Ok(Self { last, open })
    }
}
