//! Points and lengths of virtual time, in whole nanoseconds: sums are exact, and equal moments are equal.

use std::fmt;
use std::str::FromStr;

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;
/// The longest that a workload may name, in seconds: a hundred years.
const LONGEST: u64 = 3_155_760_000;

/// A moment since the beginning, or a length of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The beginning, and no time at all.
    pub const ZERO: Self = Self(0);

    /// From nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// From whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// In nanoseconds.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// In seconds, for people and pictures; decisions are made on whole nanoseconds.
    #[allow(
        clippy::cast_precision_loss,
        reason = "shown, and exact to a microsecond for years"
    )]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }

    /// Later by so much; `None` beyond the end of the clock, after five centuries.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// So many times as long, to the nanosecond, and no less than one; `None` if that is longer than a workload may name.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "it is within what was checked"
    )]
    pub fn times(self, factor: f64) -> Option<Self> {
        let nanos = (self.0 as f64 * factor).round();
        let fits = (0.0..=LONGEST as f64 * SECOND as f64).contains(&nanos);
        fits.then(|| Self((nanos as u64).max(1)))
    }

    /// From `earlier` to this; nothing if it is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

/// As seconds, with as many decimals as it takes.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / SECOND, self.0 % SECOND);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let decimals = format!("{rest:09}");
        write!(f, "{whole}.{}", decimals.trim_end_matches('0'))
    }
}

/// Reads seconds: `12`, `0.25`, `1.5e3`. What is beyond nine decimals is rounded.
impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        exact(text).or_else(|| rounded(text)).ok_or_else(|| {
            format!(
                "'{}' is not a number of seconds from 0 to {LONGEST}",
                crate::model::ids::shorten(text)
            )
        })
    }
}

/// Digits, and up to nine decimals.
fn exact(text: &str) -> Option<Time> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 9 {
        return None;
    }
    let seconds: u64 = whole.parse().ok()?;
    let nanos: u64 = format!("{decimals:0<9}").parse().ok()?;
    let time = seconds.checked_mul(SECOND)?.checked_add(nanos)?;
    (time <= LONGEST * SECOND).then_some(Time(time))
}

/// Any other way to write a number.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "it is within what was checked"
)]
fn rounded(text: &str) -> Option<Time> {
    let seconds: f64 = text.parse().ok()?;
    let fits = (0.0..=LONGEST as f64).contains(&seconds);
    fits.then(|| Time((seconds * SECOND as f64).round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn seconds_are_read_exactly_and_other_numbers_rounded() {
        for (text, nanos) in [
            ("0", 0),
            ("10", 10_000_000_000),
            ("0.1", 100_000_000),
            ("1234567890.123456789", 1_234_567_890_123_456_789),
            ("1.5e3", 1_500_000_000_000),
            ("0.0000000004", 0),
            (" 2.0 ", 2_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Time(nanos)), "{text}");
        }
        for text in [
            "",
            "-1",
            "x",
            "NaN",
            "inf",
            "1e12",
            "3155760001",
            "1,5",
            "0x1",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in 0..LONGEST * SECOND) {
            let time = Time(nanos);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
}
