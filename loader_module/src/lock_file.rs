//! Lock files: which plugins a program may load, by name, version, Lua ABI and content.
//!
//! A lock file is text, a plugin in each line, sorted, so that a change shows as a change of lines:
//!
//! ```text
//! cygnixy-lock 1
//! # name version abi sha256
//! greet 0.1.0 lua54 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ```
//!
//! The first line tells the format. Empty lines and lines that begin with `#` are for people. A name may
//! be in several lines, for several Luas or contents.

use std::fmt;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::plugin_file::{self, PluginFile};
use crate::{Error, LockFileError, Sha256};

/// The first line.
const HEADER: &str = "cygnixy-lock 1";

/// What the fields of a line are.
const FIELDS: &str = "name version abi sha256";

/// A lock file that was read.
#[derive(Debug)]
pub(crate) struct LockFile {
    /// Its path, absolute.
    pub(crate) path: PathBuf,
    plugins: Vec<Locked>,
}

/// A line of a lock file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Locked {
    /// The name of the plugin's crate.
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) lua_abi: String,
    pub(crate) sha256: Sha256,
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            version,
            lua_abi,
            sha256,
        } = self;
        write!(f, "{name} {version} {lua_abi} {sha256}")
    }
}

impl Locked {
    /// What a line has to say of a file; `None` if its hash was not taken.
    pub(crate) fn of(file: &PluginFile) -> Option<Self> {
        let manifest = &file.manifest;
        file.sha256.map(|sha256| Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            lua_abi: manifest.lua_abi.clone(),
            sha256,
        })
    }

    fn parse(line: &str) -> Result<Self, String> {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [name, version, lua_abi, sha256] = fields[..] else {
            let count = fields.len();
            return Err(format!("expected '{FIELDS}', found {count} fields"));
        };
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            lua_abi: lua_abi.to_owned(),
            sha256: sha256.parse().map_err(|error| format!("sha256: {error}"))?,
        })
    }
}

impl LockFile {
    /// Reads a lock file.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = read_text(path).map_err(|source| LockFileError::Read {
            path: path.to_owned(),
            source,
        })?;
        let plugins = parse(&text).map_err(|(line, problem)| LockFileError::Line {
            path: path.to_owned(),
            line,
            problem,
        })?;
        Ok(Self {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            plugins,
        })
    }

    /// Checks that a plugin of a file is listed.
    pub(crate) fn check(&self, plugin: &Locked, path: &Path) -> Result<(), Error> {
        if self.plugins.contains(plugin) {
            return Ok(());
        }
        let same = |line: &&Locked| line.name == plugin.name && line.lua_abi == plugin.lua_abi;
        let mut lines = self.plugins.iter().filter(same);
        let version = |line: &&Locked| line.version == plugin.version;
        let Some(line) = lines.clone().find(version).or_else(|| lines.next()) else {
            return Err(Error::NotLocked {
                plugin: plugin.name.clone(),
                path: path.to_owned(),
                abi: plugin.lua_abi.clone(),
                lock_file: self.path.clone(),
            });
        };
        let (what, expected, found) = if line.version == plugin.version {
            let (expected, found) = (line.sha256.to_string(), plugin.sha256.to_string());
            ("SHA-256", expected, found)
        } else {
            ("version", line.version.clone(), plugin.version.clone())
        };
        Err(Error::OtherThanLocked {
            plugin: plugin.name.clone(),
            path: path.to_owned(),
            lock_file: self.path.clone(),
            what,
            expected: expected.into(),
            found: found.into(),
        })
    }
}

/// Reads a regular file: another thing might make the reader wait for ever.
fn read_text(path: &Path) -> io::Result<String> {
    check_kind(&fs::metadata(path)?)?;
    // Another thing may be there by now.
    let mut file = plugin_file::open(path)?;
    check_kind(&file.metadata()?)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn check_kind(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(io::Error::other("it is no regular file"))
}

/// Reads the lines; what is wrong comes with the number of the line.
fn parse(text: &str) -> Result<Vec<Locked>, (usize, String)> {
    let mut lines = text.lines().zip(1..);
    match lines.next() {
        Some((HEADER, _)) => {}
        other => {
            let found = other.map_or("nothing", |(line, _)| line);
            let found: String = found.chars().take(80).collect();
            // A mark of the byte order, as some editors write it, would not be seen.
            let found = found.escape_debug();
            return Err((1, format!("expected '{HEADER}', found '{found}'")));
        }
    }
    lines
        .filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(line, number)| Locked::parse(line).map_err(|problem| (number, problem)))
        .collect()
}

/// Writes a lock file in place of another, completely or not at all.
pub(crate) fn write(path: &Path, mut plugins: Vec<Locked>) -> Result<(), Error> {
    plugins.sort();
    plugins.dedup();
    let mut text = format!("{HEADER}\n# {FIELDS}\n");
    for plugin in &plugins {
        let line = plugin.to_string();
        if Locked::parse(&line).as_ref() != Ok(plugin) || line.starts_with('#') {
            let problem = format!("'{}' cannot be the name of a plugin", plugin.name);
            return Err(unwritable(path, io::Error::other(problem)));
        }
        text.push_str(&line);
        text.push('\n');
    }
    replace(path, &text).map_err(|source| unwritable(path, source))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    // Of a symbolic link that leads somewhere, what is there is replaced.
    let (absolute, present) = match fs::metadata(path) {
        Ok(present) => (fs::canonicalize(path)?, Some(present)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (std::path::absolute(path)?, None),
        Err(error) => return Err(error),
    };
    if let Some(present) = &present {
        check_kind(present)?;
    }
    let folder = absolute.parent().unwrap_or(&absolute);
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Less what the user's mask takes away, as for any other file.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.prefix(".cygnixy-lock-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Some(present) = present {
        file.as_file().set_permissions(present.permissions())?;
    }
    file.persist(&absolute)?;
    Ok(())
}

fn unwritable(path: &Path, source: io::Error) -> Error {
    Error::LockFile(LockFileError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, version: &str) -> Locked {
        Locked {
            name: name.to_owned(),
            version: version.to_owned(),
            lua_abi: "lua54".to_owned(),
            sha256: Sha256([7; 32]),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let path = folder.path().join("lock");
        write(&path, vec![line("b", "2"), line("a", "1"), line("b", "2")]).expect("it is ours");
        let text = fs::read_to_string(&path).expect("it was written");
        assert_eq!(text.lines().count(), 4, "{text}");
        let read = LockFile::read(&path).expect("it was written");
        assert_eq!(read.plugins, [line("a", "1"), line("b", "2")]);
        for name in ["a b", "#a", ""] {
            assert!(write(&path, vec![line(name, "1")]).is_err(), "{name}");
        }
        assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_in_the_way_stays_what_it_is() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let (path, link) = (folder.path().join("lock"), folder.path().join("link"));
        fs::write(&path, "").expect("it is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        symlink(&path, &link).expect("it is ours");
        write(&link, vec![line("a", "1")]).expect("it is ours");
        assert!(link.is_symlink());
        let read = LockFile::read(&path).expect("it was written");
        assert_eq!(read.plugins, [line("a", "1")]);
        let mode = fs::metadata(&path).expect("it is there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        for other in [folder.path(), Path::new("/dev/null")] {
            assert!(write(other, vec![line("a", "1")]).is_err(), "{other:?}");
            assert!(LockFile::read(other).is_err(), "{other:?}");
        }
        assert!(!fs::metadata("/dev/null").expect("it is there").is_file());
    }

    #[test]
    fn a_wrong_line_is_named() {
        let hash = Sha256([7; 32]);
        let text = format!("{HEADER}\r\n\n# a b\na 1 lua54 {hash}\n");
        assert_eq!(parse(&text), Ok(vec![line("a", "1")]));
        assert_eq!(parse("").map_err(|(line, _)| line), Err(1));
        assert_eq!(parse("cygnixy-lock 2").map_err(|(line, _)| line), Err(1));
        let problem = "expected 'cygnixy-lock 1', found '\\u{feff}cygnixy-lock 1'";
        assert_eq!(
            parse("\u{feff}cygnixy-lock 1\n"),
            Err((1, problem.to_owned()))
        );
        let short = parse(&format!("{text}a 1 lua54\n"));
        let problem = "expected 'name version abi sha256', found 3 fields";
        assert_eq!(short, Err((5, problem.to_owned())));
        let wrong = parse(&format!("{text}\na 1 lua54 12\n"));
        let problem = "sha256: expected 64 hexadecimal digits, found '12'";
        assert_eq!(wrong, Err((6, problem.to_owned())));
    }
}
