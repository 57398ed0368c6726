//! By how much an execution is over its owner's quota, in words.

use std::fmt;

use crate::model::OverQuota;

use super::reasons::{amount, apart, unit};

impl fmt::Display for OverQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Executions { running, most } => {
                write!(f, "{running} of at most {most} executions run")
            }
            Self::AtOnce {
                resource,
                held,
                needed,
                most,
            } => {
                let (needed, most) = apart(*resource, *needed, *most);
                let what = unit(*resource, &needed);
                write!(f, "it needs {needed}{what} of at most {most}")?;
                match amount(*resource, *held).as_str() {
                    "0" | "0 B" => Ok(()),
                    held => write!(f, ", and {held} are in use"),
                }
            }
            Self::Behind { execution } => write!(f, "{execution} comes first, and waits for it"),
            Self::Hours { used, needed, most } => {
                write!(f, "{} of {most} core-hours are used up", hours(*used))?;
                match needed {
                    0 => Ok(()),
                    needed => write!(f, ", and it may take {}", hours(*needed)),
                }
            }
        }
    }
}

/// Core-seconds as core-hours, with one decimal, rounded up.
fn hours(seconds: u64) -> String {
    let tenths = seconds.div_ceil(360);
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}.{rest}", tenths / 10),
    }
}
