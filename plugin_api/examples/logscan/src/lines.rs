//! The lines of a file that match a regular expression.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};

use regex::bytes::{Captures, Regex};

/// What can go wrong.
#[derive(Debug)]
pub(crate) enum ScanError {
    /// The pattern is no regular expression.
    Pattern(regex::Error),
    /// The file cannot be opened or read.
    File(String, io::Error),
}

impl std::fmt::Display for ScanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pattern(_) => f.write_str("the pattern is no regular expression"),
            Self::File(path, _) => write!(f, "cannot read '{path}'"),
        }
    }
}

impl std::error::Error for ScanError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Pattern(error) => Some(error),
            Self::File(_, error) => Some(error),
        }
    }
}

/// Reads a file line by line and keeps the lines that match.
pub(crate) struct MatchingLines {
    path: String,
    file: BufReader<File>,
    regex: Regex,
    line: Vec<u8>,
    number: u64,
}

/// A line that matched.
pub(crate) struct Match<'a> {
    /// Its number, from 1.
    pub(crate) line: u64,
    /// The groups of the pattern; 0 is the whole match.
    pub(crate) captures: Captures<'a>,
}

impl MatchingLines {
    pub(crate) fn open(path: &str, pattern: &str) -> Result<Self, ScanError> {
        let regex = Regex::new(pattern).map_err(ScanError::Pattern)?;
        let file = File::open(path).map_err(|error| ScanError::File(path.to_owned(), error))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufReader::new(file),
            regex,
            line: Vec::new(),
            number: 0,
        })
    }

    /// The names of the groups, in order, the whole match first.
    pub(crate) fn group_names(&self) -> impl Iterator<Item = Option<&str>> {
        self.regex.capture_names()
    }

    pub(crate) fn lines_read(&self) -> u64 {
        self.number
    }

    /// The next line that matches; `None` at the end of the file.
    pub(crate) fn next_match(&mut self) -> Result<Option<Match<'_>>, ScanError> {
        loop {
            self.line.clear();
            let length = self
                .file
                .read_until(b'\n', &mut self.line)
                .map_err(|error| ScanError::File(self.path.clone(), error))?;
            if length == 0 {
                return Ok(None);
            }
            self.number += 1;
            while self.line.last().is_some_and(|end| b"\r\n".contains(end)) {
                self.line.pop();
            }
            // The search is repeated for the result, as a borrow may not leave a loop early.
            if self.regex.is_match(&self.line) {
                break;
            }
        }
        let line = self.number;
        Ok(self
            .regex
            .captures(&self.line)
            .map(|captures| Match { line, captures }))
    }
}
