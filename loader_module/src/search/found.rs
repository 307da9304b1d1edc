//! Which plugin files the templates for bare names lead to.

use std::fs;
use std::path::{self, Path, PathBuf};

use super::search;
use crate::paths::to_path;

/// A file that a bare name leads to, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: Vec<u8>,
    pub(crate) path: PathBuf,
    /// The file that the name leads to instead, if it is not this one.
    pub(crate) hidden_by: Option<PathBuf>,
}

/// The files that the templates lead to, in their order, those of one template sorted; whether they are
/// plugins is not looked at. Names with dots, which stand for folders, are not among them. A file that
/// has two names, as `libgreet.so` where templates end in `?.so` and `lib?.so`, has the shorter.
pub(crate) fn all(templates: &[u8]) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for template in templates.split(|byte| *byte == b';') {
        if !template.contains(&b'?') {
            continue;
        }
        let mut here = Vec::new();
        follow(Path::new(""), &parts(template), None, &mut here);
        here.sort();
        for (name, path) in here {
            match all.iter_mut().find(|known| known.path == path) {
                Some(known) if known.name.len() > name.len() => known.name = name,
                Some(_) => {}
                None => all.push(Found {
                    name,
                    path,
                    hidden_by: None,
                }),
            }
        }
    }
    for found in &mut all {
        let first = search(&found.name, templates).ok();
        found.hidden_by = first.filter(|first| *first != found.path);
    }
    all
}

/// The parts of a template between separators; an absolute one begins with the separator.
fn parts(template: &[u8]) -> Vec<Vec<u8>> {
    let is_separator = |byte: &u8| path::is_separator(char::from(*byte));
    let mut parts: Vec<Vec<u8>> = template
        .split(is_separator)
        .filter(|part| !part.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    if template.first().is_some_and(is_separator) {
        parts.insert(0, path::MAIN_SEPARATOR_STR.into());
    }
    parts
}

/// Goes down from `folder` along the parts that are left. The first `?` stands for any name, which is
/// the same in later ones.
fn follow(
    folder: &Path,
    parts: &[Vec<u8>],
    name: Option<&[u8]>,
    found: &mut Vec<(Vec<u8>, PathBuf)>,
) {
    let Some((part, rest)) = parts.split_first() else {
        if let Some(name) = name
            && folder.is_file()
        {
            found.push((name.to_vec(), folder.to_owned()));
        }
        return;
    };
    let known = match (part.contains(&b'?'), name) {
        (false, _) => Some(part.clone()),
        (true, Some(name)) => Some(super::replace(part, b'?', name)),
        (true, None) => None,
    };
    if let Some(known) = known {
        return follow(&folder.join(to_path(&known)), rest, name, found);
    }
    let listed = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    for entry in fs::read_dir(listed).into_iter().flatten().flatten() {
        let entry = entry.file_name();
        if let Some(name) = stands_for(part, entry.as_encoded_bytes()) {
            follow(&folder.join(&entry), rest, Some(&name), found);
        }
    }
}

/// What `?` stands for in a part of a template, if it is to become `text`.
fn stands_for(part: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let at = part.iter().position(|byte| *byte == b'?')?;
    let after = part[at + 1..].split(|byte| *byte == b'?').next()?;
    let rest = text.strip_prefix(&part[..at])?;
    // With another `?` in the same part, the shortest name that fits is tried.
    (1..=rest.len())
        .map(|length| &rest[..length])
        .find(|name| {
            rest[name.len()..].starts_with(after) && super::replace(part, b'?', name) == text
        })
        .filter(|name| !name.contains(&b'.'))
        .map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[Found]) -> Vec<String> {
        let text = |found: &Found| String::from_utf8_lossy(&found.name).into_owned();
        all.iter().map(text).collect()
    }

    #[test]
    fn a_name_is_what_stands_for_the_question_mark() {
        assert_eq!(stands_for(b"?.so", b"greet.so"), Some(b"greet".to_vec()));
        assert_eq!(
            stands_for(b"lib?.so", b"libgreet.so"),
            Some(b"greet".to_vec())
        );
        assert_eq!(stands_for(b"?-?.so", b"a-a.so"), Some(b"a".to_vec()));
        for not in ["greet.so.old", ".so", "a.b.so", "greet"] {
            assert_eq!(stands_for(b"?.so", not.as_bytes()), None, "{not}");
        }
    }

    #[test]
    fn files_are_found_in_the_order_of_the_templates() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let at = |file: &str| folder.path().join(file);
        for file in ["b/greet.so", "b/libzoo.so", "a/greet/greet.so", "b/x.txt"] {
            fs::create_dir_all(at(file).parent().expect("it has a folder"))?;
            fs::write(at(file), "")?;
        }
        let root = folder.path().display();
        let templates =
            format!("{root}/b/?.so;;{root}/b/lib?.so;{root}/a/?/?.so;nowhere/?.so;plain");
        let all = all(templates.as_bytes());
        assert_eq!(names(&all), ["greet", "zoo", "greet"]);
        assert_eq!(all[0].path, at("b/greet.so"));
        assert_eq!(all[0].hidden_by, None);
        assert_eq!(all[1].path, at("b/libzoo.so"));
        assert_eq!(all[2].path, at("a/greet/greet.so"));
        assert_eq!(all[2].hidden_by.as_deref(), Some(&*at("b/greet.so")));
        Ok(())
    }
}
