//! Whether somebody still uses an execution: what tells, and for how long it may be idle.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use thiserror::Error;

use super::ids::{ComponentName, shorten};

/// How an application's use is seen, and for how long it may be idle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// For how long it may be idle; without it for as long as the site says.
    pub idle_timeout: Option<IdleTimeout>,
    /// Where a Jupyter server is.
    pub jupyter: Option<PortName>,
    /// Where a Spark master's pages are.
    pub spark: Option<PortName>,
    /// Where the driver's own pages are; others are asked through the master.
    pub driver: Option<PortName>,
    /// Whether requests through the web server count.
    pub http: bool,
}

impl Activity {
    /// Whether anything tells.
    pub fn has_signs(&self) -> bool {
        self.jupyter.is_some() || self.spark.is_some() || self.http
    }
}

/// For how long an execution may be idle before it is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleTimeout {
    /// For ever.
    Never,
    /// For so long: whole seconds, at least one.
    After(SignedDuration),
}

/// A port of a component: `master/web`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortName {
    /// The component.
    pub component: ComponentName,
    /// The port's name.
    pub port: String,
}

/// A text is no such thing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ActivityError {
    /// It is no length of time.
    #[error("'{0}' is not a length of time; write one such as 30s, 10m, 2h, 1h30m or 1d, or never")]
    Timeout(String),
    /// It names no port.
    #[error("'{0}' names no port; write COMPONENT/PORT")]
    Port(String),
}

/// Reads `30s`, `10m`, `2h`, `1h30m`, `1d`, or a number of seconds; more than nothing, and at the most a century.
pub fn length(text: &str) -> Option<SignedDuration> {
    let mut total: i64 = 0;
    let mut rest = text.trim();
    if rest.bytes().all(|b| b.is_ascii_digit()) && !rest.is_empty() {
        total = rest.parse().ok()?;
        rest = "";
    }
    let mut last = i64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit = match tail.chars().next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            _ => return None,
        };
        // Units go from large to small, so that 1m2h is a slip and not two hours and a minute.
        if unit >= last {
            return None;
        }
        last = unit;
        let seconds = number.parse::<i64>().ok()?.checked_mul(unit)?;
        total = total.checked_add(seconds)?;
        rest = tail.get(1..).unwrap_or_default();
    }
    // A century is more than any job needs and keeps all sums with times of day in range.
    (1..=3_155_760_000)
        .contains(&total)
        .then(|| SignedDuration::from_secs(total))
}

impl fmt::Display for IdleTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::After(length) => {
                let seconds = length.as_secs();
                let units = [(86_400, 'd'), (3600, 'h'), (60, 'm')];
                let whole = units.into_iter().find(|(size, _)| seconds % size == 0);
                let (size, unit) = whole.unwrap_or((1, 's'));
                write!(f, "{}{unit}", seconds / size)
            }
        }
    }
}

impl FromStr for IdleTimeout {
    type Err = ActivityError;

    fn from_str(text: &str) -> Result<Self, ActivityError> {
        if text == "never" {
            return Ok(Self::Never);
        }
        let wrong = || ActivityError::Timeout(shorten(text));
        length(text).map(Self::After).ok_or_else(wrong)
    }
}

impl fmt::Display for PortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.component, self.port)
    }
}

impl FromStr for PortName {
    type Err = ActivityError;

    fn from_str(text: &str) -> Result<Self, ActivityError> {
        let wrong = || ActivityError::Port(shorten(text));
        let (component, port) = text.split_once('/').ok_or_else(wrong)?;
        Ok(Self {
            component: component.parse().map_err(|_| wrong())?,
            port: port.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_and_ports_are_read_back() {
        for text in ["never", "1d", "36h", "90m", "61s"] {
            assert_eq!(text.parse::<IdleTimeout>().unwrap().to_string(), text);
        }
        assert_eq!("1h30m".parse::<IdleTimeout>(), "90m".parse());
        for bad in [
            "",
            "0",
            "0s",
            "Never",
            "-1h",
            "2h1d",
            "1.5h",
            "99999999999d",
        ] {
            assert!(bad.parse::<IdleTimeout>().is_err(), "{bad}");
        }
        let port: PortName = "master/web".parse().unwrap();
        assert_eq!(
            (port.component.as_str(), port.port.as_str()),
            ("master", "web")
        );
        assert_eq!(port.to_string(), "master/web");
        assert!("web".parse::<PortName>().is_err() && "../web".parse::<PortName>().is_err());
    }
}
