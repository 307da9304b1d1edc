//! What there is to know of a loaded plugin.

use std::collections::BTreeMap;
use std::path::PathBuf;

use plugin_api::manifest::Manifest;

use crate::loaded::{Entry, Origin};

/// What is known of a loaded plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginInfo {
    /// The name it gave itself.
    pub name: String,
    /// The file it is from, absolute; `None` if it is part of the program.
    pub path: Option<PathBuf>,
    /// What the file says of itself; `None` if the plugin is part of the program.
    pub manifest: Option<Manifest>,
    /// The names of its functions, sorted; empty until it is registered in a state.
    pub functions: Vec<String>,
    /// The types of those of its functions of which they are known, by name, as in
    /// `(number, string?) -> number`, or `(a: number, b: string?) -> number` if parameters have names.
    pub signatures: BTreeMap<String, String>,
    /// What its functions do, by name, of those that are documented.
    pub docs: BTreeMap<String, String>,
}

impl PluginInfo {
    pub(crate) fn of(entry: &Entry) -> Self {
        let (path, manifest) = match entry.origin() {
            Origin::File(library) => (Some(library.path.clone()), Some(library.manifest.clone())),
            Origin::Program => (None, None),
        };
        let facts = entry.facts();
        let docs = facts.iter().cloned();
        let docs = docs.filter_map(|one| Some((one.name, one.doc?)));
        Self {
            name: entry.name().to_owned(),
            path,
            manifest,
            functions: entry.functions(),
            docs: docs.collect(),
            signatures: facts
                .into_iter()
                .filter_map(|one| Some((one.name, one.signature?)))
                .collect(),
        }
    }
}
