//! Reads single values of the command line; each error is a sentence that says what would be right.

use jiff::{SignedDuration, Timestamp};

use crate::apps;
use crate::model::{Bytes, Cores, ExecutionName, Volume, activity, ids::shorten};

/// `30s`, `10m`, `2h`, `1h30m`, `1d`, or a number of seconds; more than nothing.
pub fn duration(text: &str) -> Result<SignedDuration, String> {
    activity::length(text).ok_or_else(|| {
        format!(
            "'{}' is not a length of time; write one such as 30s, 10m, 2h, 1h30m or 1d",
            shorten(text)
        )
    })
}

/// The same for what may be shorter than a second, too: `250ms`.
pub fn short_duration(text: &str) -> Result<std::time::Duration, String> {
    let milliseconds = text.trim().strip_suffix("ms").map(str::parse);
    match milliseconds {
        Some(Ok(number @ 1..)) => Ok(std::time::Duration::from_millis(number)),
        Some(_) | None => duration(text).map(SignedDuration::unsigned_abs),
    }
}

/// A moment: a length of time before now, or a time in RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// So long before now.
    Ago(SignedDuration),
    /// Exactly then.
    At(Timestamp),
}

impl Moment {
    /// The time that is meant.
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(length) => now.checked_sub(length).unwrap_or(Timestamp::MIN),
        }
    }
}

/// `10m` (ago), `2026-11-22`, or `2026-11-22T10:00:00Z`.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(length) = duration(text) {
        return Ok(Moment::Ago(length));
    }
    let day = text
        .parse::<jiff::civil::Date>()
        .ok()
        .and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let time = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| day.map(|zoned| zoned.timestamp()));
    time.map(Moment::At).ok_or_else(|| {
        format!("'{}' is not a time; write how long ago (10m, 2h), a day (2026-11-22) or a time (2026-11-22T10:00:00Z)", shorten(text))
    })
}

/// A size in bytes that is more than nothing.
pub fn size(text: &str) -> Result<Bytes, String> {
    let size: Bytes = text
        .parse()
        .map_err(|error: crate::model::AmountError| error.to_string())?;
    if size == Bytes::ZERO {
        Err("it must be more than 0".to_owned())
    } else {
        Ok(size)
    }
}

/// A number of cores that is more than nothing.
pub fn cores(text: &str) -> Result<Cores, String> {
    let cores: Cores = text
        .parse()
        .map_err(|error: crate::model::AmountError| error.to_string())?;
    if cores == Cores::ZERO {
        Err("it must be more than 0".to_owned())
    } else {
        Ok(cores)
    }
}

/// An execution's name.
pub fn name(text: &str) -> Result<ExecutionName, String> {
    text.parse()
        .map_err(|error: crate::model::IdError| error.to_string())
}

/// A key that makes a submission idempotent. An empty one is what a script has whose variable is not set.
pub fn key(text: &str) -> Result<String, String> {
    const LONGEST: usize = 200;
    if text.trim().is_empty() {
        return Err("it is empty; is a variable of your script not set?".to_owned());
    }
    if text.chars().any(char::is_control) || text.chars().count() > LONGEST {
        return Err(format!(
            "'{}' is not a key; use at most {LONGEST} characters on one line",
            shorten(text)
        ));
    }
    Ok(text.to_owned())
}

/// A number of members.
pub fn members(text: &str) -> Result<u32, String> {
    const MOST: u32 = 10_000;
    match text.parse() {
        Ok(number @ 1..=MOST) => Ok(number),
        _ => Err(format!(
            "'{}' is not a number from 1 to {MOST}",
            shorten(text)
        )),
    }
}

/// `KEY=VALUE`, the key not empty.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err(format!("'{}' is not of the form KEY=VALUE", shorten(text))),
    }
}

/// `KEY=VALUE`, or `KEY` alone for the caller's own value; the key is a variable's name.
pub fn variable(text: &str) -> Result<(String, Option<String>), String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value.to_owned())),
        None => (text, None),
    };
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.is_empty() || !key.chars().all(good) || key.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!(
            "'{}' is not a variable's name; write NAME=VALUE or NAME",
            shorten(key)
        ));
    }
    Ok((key.to_owned(), value))
}

/// `SRC:DST[:ro]`: a directory of the host (absolute) or a volume's name, and where it is seen. Checked, and kept as it is.
pub fn volume(text: &str) -> Result<String, String> {
    let wrong = |why: &str| {
        format!(
            "'{}' is not a volume: {why}; write SRC:DST or SRC:DST:ro",
            shorten(text)
        )
    };
    let Volume { source, target, .. } = apps::volume(text)?;
    if source.is_empty() || (source.contains('/') && !source.starts_with('/')) {
        return Err(wrong(
            "the source must be an absolute path or a volume's name",
        ));
    }
    if !target.starts_with('/') || target == "/" {
        return Err(wrong("the target must be an absolute path, and not /"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_of_time_are_read() {
        let seconds = |text: &str| duration(text).map(|d| d.as_secs()).ok();
        assert_eq!(
            ["30s", "10m", "2h", "1h30m", "1d", "90"].map(seconds),
            [30, 600, 7200, 5400, 86_400, 90].map(Some)
        );
        for bad in [
            "",
            "0",
            "0s",
            "-1",
            "1x",
            "s",
            "1m2h",
            "1.5h",
            "1h30",
            "99999999999999999999s",
            "9999999999d",
        ] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn moments_are_ago_or_at() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let at = |text: &str| moment(text).unwrap().at(now).to_string();
        assert_eq!(at("1h"), "2026-11-22T09:00:00Z");
        assert_eq!(at("2026-11-01"), "2026-11-01T00:00:00Z");
        assert_eq!(at("2026-11-01T01:02:03Z"), "2026-11-01T01:02:03Z");
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn pairs_variables_and_volumes_are_read() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(pair("a").is_err() && pair("=a").is_err());
        assert_eq!(variable("A_1=x"), Ok(("A_1".into(), Some("x".into()))));
        assert_eq!(variable("HOME"), Ok(("HOME".into(), None)));
        assert!(variable("1A=x").is_err() && variable("a b").is_err());
        assert!(volume("/data:/data:ro").is_ok() && volume("cache:/c").is_ok());
        assert!(volume("/data:/data:rw,group=2000").is_ok());
        for bad in [
            "/data",
            "data/x:/y",
            "/a:b",
            "/a:/",
            "/a:/b:rx",
            "/a:/b:rw,group=staff",
            ":/b",
            "a:b:c:d",
        ] {
            assert!(volume(bad).is_err(), "{bad}");
        }
        assert!(size("2x").unwrap_err().contains("512m"));
        assert!(size("0").is_err() && cores("0").is_err());
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(text in "\\PC*") {
            let _ = (duration(&text), moment(&text), pair(&text), variable(&text), volume(&text));
        }
    }
}
