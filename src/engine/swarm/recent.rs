//! Which pieces of a log came already, where it is read in two goes that overlap. Pure.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{LogChunk, Output};

/// By how much the second go overlaps the first. The times of a log go backwards by much less than this.
const OVERLAP: SignedDuration = SignedDuration::from_secs(2);

/// What a piece is known by: time, output and length. Of several that have these in common, those that came first in one go
/// do so in the other.
type Piece = (Timestamp, Output, usize);

/// The latest pieces of a log.
#[derive(Debug, Default)]
pub(super) struct Recent {
    pieces: VecDeque<Piece>,
    /// The latest time of any.
    at: Option<Timestamp>,
    /// Whether they come again.
    again: bool,
}

impl Recent {
    /// Whether a piece is to be passed on.
    pub(super) fn is_new(&mut self, chunk: &LogChunk) -> bool {
        let piece = (chunk.at, chunk.output, chunk.bytes.len());
        if self.again {
            let known = self.pieces.iter().position(|known| *known == piece);
            return known.and_then(|place| self.pieces.remove(place)).is_none();
        }
        let latest = self.at.map_or(chunk.at, |at| at.max(chunk.at));
        self.at = Some(latest);
        self.pieces.push_back(piece);
        while let Some((at, _, _)) = self.pieces.front()
            && latest.duration_since(*at) > OVERLAP
        {
            self.pieces.pop_front();
        }
        true
    }

    /// From when on it is to be read again.
    pub(super) fn since(&self) -> Option<Timestamp> {
        // The oldest that is remembered need not be the earliest.
        let at = self.at?.checked_sub(OVERLAP).ok()?;
        self.pieces
            .iter()
            .map(|(at, _, _)| *at)
            .min()
            .map(|earliest| earliest.max(at))
    }

    /// From now on pieces that came already are not new.
    pub(super) fn expect_again(&mut self) {
        self.again = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn chunk(millis: i64, text: &'static str) -> LogChunk {
        LogChunk {
            at: Timestamp::from_millisecond(millis).unwrap(),
            output: Output::Stdout,
            bytes: Bytes::from_static(text.as_bytes()),
        }
    }

    #[test]
    fn every_piece_is_passed_on_once() {
        let all = [
            chunk(0, "a"),
            chunk(4000, "b"),
            chunk(4000, "b"),
            chunk(3999, "out of order"),
            chunk(5000, "c"),
            chunk(5001, "c"),
        ];
        let mut recent = Recent::default();
        for seen in &all[..5] {
            assert!(recent.is_new(seen));
        }
        let since = recent.since().unwrap();
        recent.expect_again();
        let rest: Vec<_> = all
            .iter()
            .filter(|chunk| chunk.at >= since)
            .filter(|chunk| recent.is_new(chunk))
            .collect();
        assert_eq!(rest, [&all[5]]);
    }

    #[test]
    fn what_said_nothing_is_read_from_its_beginning() {
        assert_eq!(Recent::default().since(), None);
    }
}
