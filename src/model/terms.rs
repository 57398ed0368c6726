//! On which terms an execution is run: how it stands to others in the queue, and what happens when it fails.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::activity::IdleTimeout;
use super::ids::{ExecutionId, IdError, shorten};
use super::mail::MailOn;

/// The terms of an execution, written down at its submission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// The greater goes first; executions of one priority are ordered by the site's policy.
    pub priority: i32,
    /// The executions that have to be over before this one starts.
    pub after: Vec<Dependency>,
    /// Its place in an array, if it belongs to one.
    pub array: Option<ArrayPlace>,
    /// What happens when its program fails.
    pub retries: Retries,
    /// Whether it was submitted to wait until somebody releases it.
    pub held: bool,
    /// When its owner is written to, if that was said.
    pub mail_on: Option<MailOn>,
    /// For how long it may be idle, if that was said.
    pub idle_timeout: Option<IdleTimeout>,
}

/// An execution that has to be over before another starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// Which.
    pub execution: ExecutionId,
    /// How it has to have ended.
    pub end: RequiredEnd,
}

/// How an execution has to have ended for another to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequiredEnd {
    /// Its monitor exited with 0.
    Ok,
    /// In any way.
    Any,
}

/// An execution's place among those that were submitted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrayPlace {
    /// The array: the id of its member with the smallest index.
    pub array: ExecutionId,
    /// Its index, as the user gave it; `ZOE_ARRAY_INDEX` of its members.
    pub index: u32,
    /// How many of the array run at once at the most, if that is limited; at least 1.
    pub at_once: Option<u32>,
}

/// How often a program that failed is run again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retries {
    /// How often at the most.
    pub most: u32,
    /// With which exit codes; empty: with any but 0.
    pub codes: BTreeSet<i64>,
}

impl Retries {
    /// Whether a program that ended with this code for the `failed`th time (from 1) is run again.
    pub fn allow(&self, code: i64, failed: u32) -> bool {
        failed <= self.most && code != 0 && (self.codes.is_empty() || self.codes.contains(&code))
    }
}

/// Why terms can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TermsError {
    /// A dependency is not written as `ID`, `ID:ok` or `ID:any`.
    #[error("'{0}' is not how another has to end: write EXEC, EXEC:ok or EXEC:any")]
    End(String),
    /// An id in it is none.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A place in an array is not written as `ID INDEX` or `ID INDEX AT_ONCE`.
    #[error("it is no place in an array: an id, an index and perhaps how many run at once")]
    Array,
    /// Retries are not written as a number and exit codes.
    #[error("these are no retries: a number, and perhaps exit codes")]
    Retries,
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.execution, self.end)
    }
}

impl fmt::Display for RequiredEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Any => "any",
        })
    }
}

impl FromStr for RequiredEnd {
    type Err = TermsError;

    fn from_str(text: &str) -> Result<Self, TermsError> {
        match text {
            "ok" => Ok(Self::Ok),
            "any" => Ok(Self::Any),
            other => Err(TermsError::End(shorten(other))),
        }
    }
}

impl FromStr for Dependency {
    type Err = TermsError;

    fn from_str(text: &str) -> Result<Self, TermsError> {
        let (id, end) = text.split_once(':').unwrap_or((text, "ok"));
        Ok(Self {
            execution: id.parse()?,
            end: end.parse()?,
        })
    }
}

/// As labels have it: `ID INDEX` or `ID INDEX AT_ONCE`.
impl fmt::Display for ArrayPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.array, self.index)?;
        self.at_once.map_or(Ok(()), |most| write!(f, " {most}"))
    }
}

impl FromStr for ArrayPlace {
    type Err = TermsError;

    fn from_str(text: &str) -> Result<Self, TermsError> {
        let number = |text: &str| text.parse::<u32>().map_err(|_| TermsError::Array);
        let words: Vec<&str> = text.split(' ').collect();
        let (array, index, at_once) = match words.as_slice() {
            [array, index] => (array, index, None),
            [array, index, most] => (array, index, Some(number(most)?)),
            _ => return Err(TermsError::Array),
        };
        if at_once == Some(0) {
            return Err(TermsError::Array);
        }
        Ok(Self {
            array: array.parse()?,
            index: number(index)?,
            at_once,
        })
    }
}

/// As labels have it: the number, and after it the exit codes.
impl fmt::Display for Retries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.most)?;
        self.codes.iter().try_for_each(|code| write!(f, " {code}"))
    }
}

impl FromStr for Retries {
    type Err = TermsError;

    fn from_str(text: &str) -> Result<Self, TermsError> {
        let mut words = text.split(' ');
        let most = words.next().and_then(|word| word.parse().ok());
        let codes = words.map(str::parse).collect::<Result<_, _>>();
        Ok(Self {
            most: most.ok_or(TermsError::Retries)?,
            codes: codes.map_err(|_| TermsError::Retries)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_run_again_as_often_as_was_said_and_only_with_the_codes_that_were() {
        let any = Retries {
            most: 2,
            ..Retries::default()
        };
        assert!(any.allow(1, 1) && any.allow(137, 2));
        assert!(!any.allow(1, 3) && !any.allow(0, 1));
        let some: Retries = "2 75 111".parse().unwrap();
        assert!(some.allow(75, 1) && !some.allow(1, 1));
        assert!(!Retries::default().allow(1, 1));
    }

    #[test]
    fn what_labels_have_is_read_back() {
        let id = ExecutionId::from_bits(7);
        let after = Dependency {
            execution: id,
            end: RequiredEnd::Any,
        };
        assert_eq!(after.to_string().parse(), Ok(after));
        assert_eq!(
            id.to_string().parse::<Dependency>().unwrap().end,
            RequiredEnd::Ok
        );
        assert!(format!("{id}:later").parse::<Dependency>().is_err());
        for at_once in [None, Some(3)] {
            let place = ArrayPlace {
                array: id,
                index: 9,
                at_once,
            };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        assert!(format!("{id} 1 0").parse::<ArrayPlace>().is_err());
        assert!("1 x".parse::<Retries>().is_err());
    }
}
