//! Going through the matches in a text, one after the other, in the manner of the crate's own iterators but
//! without borrowing the text, which Lua owns.

use regex::bytes::{CaptureLocations, Regex};

/// A place in a text between two matches.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    at: usize,
    /// Where the last match ended: an empty one is not found there again.
    ended: Option<usize>,
}

impl Cursor {
    /// The next match as a pair of offsets. `search` gives the first match from an offset on.
    fn step(
        &mut self,
        length: usize,
        mut search: impl FnMut(usize) -> Option<(usize, usize)>,
    ) -> Option<(usize, usize)> {
        if self.at > length {
            return None;
        }
        let mut found = search(self.at);
        if let Some((start, end)) = found
            && start == end
            && self.ended == Some(end)
        {
            found = if end < length { search(end + 1) } else { None };
        }
        match found {
            Some((_, end)) => (self.at, self.ended) = (end, Some(end)),
            None => self.at = length + 1,
        }
        found
    }

    /// The next match.
    pub(crate) fn next(&mut self, regex: &Regex, text: &[u8]) -> Option<(usize, usize)> {
        self.step(text.len(), |from| {
            regex
                .find_at(text, from)
                .map(|found| (found.start(), found.end()))
        })
    }

    /// The next match with its groups.
    pub(crate) fn next_with_groups(
        &mut self,
        regex: &Regex,
        text: &[u8],
        groups: &mut CaptureLocations,
    ) -> Option<(usize, usize)> {
        self.step(text.len(), |from| {
            regex
                .captures_read_at(groups, text, from)
                .map(|found| (found.start(), found.end()))
        })
    }
}

/// The offset at which a search begins, of a position as `string.find` takes it; `None` behind the end.
pub(crate) fn start(position: Option<i64>, length: usize) -> Option<usize> {
    let offset = match position {
        None => 0,
        Some(position) if position > 0 => usize::try_from(position - 1).ok()?,
        Some(position) => {
            let back = usize::try_from(position.unsigned_abs()).ok()?;
            if back == 0 {
                0
            } else {
                length.saturating_sub(back)
            }
        }
    };
    (offset <= length).then_some(offset)
}
