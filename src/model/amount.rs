//! Amounts of processor and memory in fixed point, so that sums are exact and decisions repeat.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use thiserror::Error;

use super::ids::shorten;

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AmountError {
    /// Not a size in bytes.
    #[error(
        "'{0}' is not a size; write a number and a unit, such as 512m, 2g or 1.5g (units: b, k, m, g, t, powers of 1024)"
    )]
    Bytes(String),
    /// Not a number of cores.
    #[error(
        "'{0}' is not a number of cores; write a number such as 2 or 0.5, with at most three decimals"
    )]
    Cores(String),
    /// Too big to be counted.
    #[error("'{0}' is too big")]
    TooBig(String),
}

/// Processor time, in thousandths of a core.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cores(u64);

impl Cores {
    /// No processor at all.
    pub const ZERO: Self = Self(0);

    /// From thousandths of a core.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// In thousandths of a core.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// In billionths of a core, as Docker counts.
    pub const fn nanos(self) -> u64 {
        self.0.saturating_mul(1_000_000)
    }

    /// Whole cores, rounded up, at least one: how many tasks fit side by side.
    pub const fn slots(self) -> u64 {
        let whole = self.0.div_ceil(1000);
        if whole == 0 { 1 } else { whole }
    }

    /// What is left after taking `other`, never below zero.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `n` times as much.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }
}

impl FromStr for Cores {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        match decimal(text.trim(), 3, 1000) {
            Decimal::Value(millis) => Ok(Self(millis)),
            Decimal::TooBig => Err(AmountError::TooBig(shorten(text))),
            Decimal::Not => Err(AmountError::Cores(shorten(text))),
        }
    }
}

impl Cores {
    /// With the noun: `1 core`, `2.5 cores`.
    pub fn in_words(self) -> String {
        let noun = if self.0 == 1000 { "core" } else { "cores" };
        format!("{self} {noun}")
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        if rest == 0 {
            write!(f, "{whole}")
        } else {
            let decimals = format!("{rest:03}");
            write!(f, "{whole}.{}", decimals.trim_end_matches('0'))
        }
    }
}

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(u64);

impl Bytes {
    /// No memory at all.
    pub const ZERO: Self = Self(0);

    /// From bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// From mebibytes (2²⁰ bytes).
    pub const fn from_mib(mib: u64) -> Self {
        Self(mib.saturating_mul(1 << 20))
    }

    /// In bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// In whole mebibytes, rounded down.
    pub const fn mib(self) -> u64 {
        self.0 >> 20
    }

    /// What is left after taking `other`, never below zero.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `n` times as much.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }
}

impl FromStr for Bytes {
    type Err = AmountError;

    /// Reads `2g`, `512m`, `1.5GiB`, `1048576`: a number and an optional unit, powers of 1024 as Docker and Spark have it.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let no = || AmountError::Bytes(shorten(text));
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit: u64 = match lower.strip_prefix(digits).unwrap_or_default() {
            "" | "b" => 1,
            "k" | "kb" | "kib" => 1 << 10,
            "m" | "mb" | "mib" => 1 << 20,
            "g" | "gb" | "gib" => 1 << 30,
            "t" | "tb" | "tib" => 1 << 40,
            _ => return Err(no()),
        };
        match decimal(digits, 9, unit) {
            Decimal::Value(bytes) => Ok(Self(bytes)),
            Decimal::TooBig => Err(AmountError::TooBig(shorten(text))),
            Decimal::Not => Err(no()),
        }
    }
}

impl fmt::Display for Bytes {
    /// The largest unit that shows the amount with at most one decimal: `1.4 GiB`, `384 MiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u32, &str); 4] = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
        for (shift, name) in UNITS {
            if self.0 >> shift > 0 {
                let tenths = (u128::from(self.0) * 10) >> shift;
                return if tenths.is_multiple_of(10) {
                    write!(f, "{} {name}", tenths / 10)
                } else {
                    write!(f, "{}.{} {name}", tenths / 10, tenths % 10)
                };
            }
        }
        write!(f, "{} B", self.0)
    }
}

/// What a text is as a decimal number.
enum Decimal {
    /// This much, rounded down.
    Value(u64),
    /// A number that does not fit 64 bits.
    TooBig,
    /// No number.
    Not,
}

/// `text`, with at most so many decimals, times `unit`.
fn decimal(text: &str, decimals: usize, unit: u64) -> Decimal {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && rest.is_empty())
        || text.ends_with('.')
        || !is_number(whole)
        || !is_number(rest)
        || rest.len() > decimals
    {
        return Decimal::Not;
    }
    let parse = |s: &str| {
        if s.is_empty() {
            Some(0)
        } else {
            s.parse::<u128>().ok()
        }
    };
    let value = || {
        let scale = 10u128.checked_pow(u32::try_from(rest.len()).ok()?)?;
        let digits = parse(whole)?
            .checked_mul(scale)?
            .checked_add(parse(rest)?)?;
        u64::try_from(digits.checked_mul(u128::from(unit))? / scale).ok()
    };
    value().map_or(Decimal::TooBig, Decimal::Value)
}

/// An amount of each thing that is handed out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Resources {
    /// Processor.
    pub cores: Cores,
    /// Memory.
    pub memory: Bytes,
}

impl Resources {
    /// Nothing.
    pub const ZERO: Self = Self {
        cores: Cores::ZERO,
        memory: Bytes::ZERO,
    };

    /// Whether `self` holds in `room`.
    pub fn fits(self, room: Self) -> bool {
        self.cores <= room.cores && self.memory <= room.memory
    }

    /// What is left after taking `other`, never below zero.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            cores: self.cores.minus(other.cores),
            memory: self.memory.minus(other.memory),
        }
    }

    /// `n` times as much.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        Self {
            cores: self.cores.times(n),
            memory: self.memory.times(n),
        }
    }
}

impl Add for Resources {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            cores: Cores(self.cores.0.saturating_add(other.cores.0)),
            memory: Bytes(self.memory.0.saturating_add(other.memory.0)),
        }
    }
}

impl AddAssign for Resources {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Resources {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_as_docker_and_spark_read_them() {
        for (text, bytes) in [
            ("2g", 2 << 30),
            ("512m", 512 << 20),
            ("1.5GiB", 3 << 29),
            ("1024", 1024),
            ("0.5k", 512),
            (" 1T ", 1 << 40),
        ] {
            assert_eq!(text.parse(), Ok(Bytes::new(bytes)), "{text}");
        }
        for text in ["", "2x", "g", "-1g", "1e3", "1..5g", "1.g", "2 g", "∞"] {
            assert_eq!(
                text.parse::<Bytes>(),
                Err(AmountError::Bytes(shorten(text)))
            );
        }
        assert_eq!(
            "99999999999t".parse::<Bytes>(),
            Err(AmountError::TooBig("99999999999t".to_owned()))
        );
    }

    #[test]
    fn cores_are_read_to_the_thousandth() {
        assert_eq!("0.5".parse(), Ok(Cores::from_millis(500)));
        assert_eq!(".25".parse(), Ok(Cores::from_millis(250)));
        assert_eq!("2".parse(), Ok(Cores::from_millis(2000)));
        for text in ["", ".", "two", "0.1234", "-1", "1,5", "NaN"] {
            assert!(text.parse::<Cores>().is_err(), "{text}");
        }
        assert_eq!(
            [0, 1, 1000, 1001].map(|m| Cores::from_millis(m).slots()),
            [1, 1, 1, 2]
        );
    }

    #[test]
    fn amounts_are_shown_short() {
        assert_eq!(Bytes::from_mib(384).to_string(), "384 MiB");
        assert_eq!(Bytes::from_mib(1408).to_string(), "1.3 GiB");
        assert_eq!(Bytes::new(12).to_string(), "12 B");
        assert_eq!(Cores::from_millis(1250).to_string(), "1.25");
        assert_eq!(Cores::from_millis(2000).to_string(), "2");
    }

    proptest! {
        #[test]
        fn what_is_shown_of_cores_reads_back(millis in 0..u64::from(u32::MAX)) {
            let cores = Cores::from_millis(millis);
            prop_assert_eq!(cores.to_string().parse(), Ok(cores));
        }

        #[test]
        fn reading_never_panics(text in "\\PC*") {
            let _ = text.parse::<Bytes>();
            let _ = text.parse::<Cores>();
        }
    }
}
