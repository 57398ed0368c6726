//! Names and identifiers: what may be one, decided once, at the door.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

/// Letters of an execution's id: no capitals, nothing that looks like something else.
const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
const SYMBOLS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Why a text is no name or id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    /// Not an execution's id.
    #[error("'{0}' is not an execution id; it has 8 characters, a–z and 2–7, the first a letter")]
    Execution(String),
    /// Not a name.
    #[error("{what} '{shown}' is not allowed: {why}")]
    Name {
        /// What was to be named.
        what: &'static str,
        /// The text, cut to a length that can be shown.
        shown: String,
        /// The rule it breaks.
        why: &'static str,
    },
}

/// Identifies one execution in its deployment: 8 characters, `[a-z][a-z2-7]{7}` (2³⁹·⁷ of them).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId([u8; 8]);

impl ExecutionId {
    /// The id made of 64 bits, random ones for a fresh execution or those of a hash for one with a key.
    pub fn from_bits(mut bits: u64) -> Self {
        let mut id = [b'a'; 8];
        for (position, byte) in id.iter_mut().enumerate() {
            let symbols: &[u8] = if position == 0 { LETTERS } else { SYMBOLS };
            let n = symbols.len() as u64;
            if let Some(symbol) = usize::try_from(bits % n).ok().and_then(|i| symbols.get(i)) {
                *byte = *symbol;
            }
            bits /= n;
        }
        Self(id)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for ExecutionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let no = || IdError::Execution(shorten(text));
        let bytes: [u8; 8] = text.as_bytes().try_into().map_err(|_| no())?;
        let good = bytes.iter().enumerate().all(|(i, b)| {
            if i == 0 {
                LETTERS.contains(b)
            } else {
                SYMBOLS.contains(b)
            }
        });
        if good { Ok(Self(bytes)) } else { Err(no()) }
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExecutionId({self})")
    }
}

/// At most as much of a hostile text as a message can bear, with control characters shown as escapes.
pub fn shorten(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut short: String = text
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().count() > SHOWN {
        short.push('…');
    }
    short
}

fn check(
    what: &'static str,
    text: &str,
    longest: usize,
    extra: &str,
    rule: &'static str,
) -> Result<(), IdError> {
    let no = |why| {
        Err(IdError::Name {
            what,
            shown: shorten(text),
            why,
        })
    };
    if text.is_empty() {
        return no("it is empty");
    }
    if text.len() > longest {
        return no("it is too long");
    }
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !text.chars().all(|c| alphanumeric(c) || extra.contains(c))
        || !text.starts_with(alphanumeric)
        || !text.ends_with(alphanumeric)
    {
        return no(rule);
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $longest:literal, $extra:literal, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                check($what, text, $longest, $extra, $rule)?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// Keeps two zoe installations on one Docker apart; at most 20 characters, as Docker object names are made of it.
    Deployment,
    "the deployment",
    20,
    "-",
    "use at most 20 of a–z, 0–9 and '-', a letter or digit at both ends"
);

name!(
    /// A component's name inside its application; it is a DNS name in the execution's network.
    ComponentName,
    "the component name",
    24,
    "-",
    "use at most 24 of a–z, 0–9 and '-', a letter or digit at both ends"
);

name!(
    /// What people call an execution; unique among those alive in a deployment.
    ExecutionName,
    "the name",
    40,
    "-_.",
    "use at most 40 of a–z, 0–9, '-', '_' and '.', a letter or digit at both ends"
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_checked_at_the_door() {
        assert!("nightly-2026.11_22".parse::<ExecutionName>().is_ok());
        for bad in [
            "",
            "a b",
            "Ab",
            "-a",
            "a-",
            "ä",
            "a/b",
            "a\nb",
            &"x".repeat(300),
        ] {
            assert!(bad.parse::<ExecutionName>().is_err(), "{bad}");
        }
        assert!("a.b".parse::<ComponentName>().is_err());
        let error = "x\u{1b}[31m y"
            .parse::<ExecutionName>()
            .unwrap_err()
            .to_string();
        assert!(!error.contains('\u{1b}'), "{error}");
    }

    proptest! {
        #[test]
        fn every_number_makes_an_id_that_reads_back(bits: u64) {
            let id = ExecutionId::from_bits(bits);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}
