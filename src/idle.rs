//! Whether somebody still uses an execution, and what becomes of one that nobody does: a warning, and later its end.
//!
//! Pure: what was answered and what is known go in, a decision comes out. Asking is `ops::idle::signs`, doing is `ops::idle::culling`.
//!
//! An execution is idle if every sign could be read and says so. A sign that can't be read counts as use. An idle period is
//! known by its beginning, which is when it was used last.

mod decide;
pub mod jupyter;
pub mod spark;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Activity, IdleTimeout};

pub use decide::{Decision, Known, Told, Warned, decide, ends_at};

/// What tells whether an execution is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// A Jupyter server: its kernels and terminals.
    Jupyter,
    /// A Spark master: the applications on it, and whether they have jobs.
    Spark,
    /// Requests through the web server.
    Http,
}

impl Sign {
    const ALL: [Self; 3] = [Self::Jupyter, Self::Spark, Self::Http];

    /// The word for it, in descriptions, rows and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Jupyter => "jupyter",
            Self::Spark => "spark",
            Self::Http => "http",
        }
    }

    /// The one with that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sign| sign.word() == word)
    }
}

/// What a sign says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is not used now.
    Idle,
    /// It can't be read.
    Unreadable,
    /// It is used now.
    Used,
}

impl Verdict {
    const ALL: [Self; 3] = [Self::Idle, Self::Unreadable, Self::Used];

    /// The word for it, in rows and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Unreadable => "unreadable",
            Self::Used => "used",
        }
    }

    /// The one with that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.word() == word)
    }
}

/// What a sign said when it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Whether it is used.
    pub verdict: Verdict,
    /// When it was used last, as far as it knows.
    pub at: Option<Timestamp>,
    /// In words: what it said, or why it can't be read.
    pub text: String,
    /// What is to be compared with the next time: something was done meanwhile if it is another one then.
    pub count: Option<String>,
}

impl Said {
    /// It can't be read.
    pub fn unreadable(why: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Unreadable,
            at: None,
            text: why.into(),
            count: None,
        }
    }

    /// It says that nobody uses it now, and when somebody did last.
    pub fn idle(at: Option<Timestamp>, text: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Idle,
            at,
            text: text.into(),
            count: None,
        }
    }

    /// What several members said, as one: used if one of them is.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (counts, at) = ([&self.count, &other.count], self.at.max(other.at));
        let counts: Vec<&str> = counts.into_iter().flatten().map(String::as_str).collect();
        let count = (!counts.is_empty()).then(|| counts.join(" "));
        let worse = if other.verdict > self.verdict {
            other
        } else {
            self
        };
        Self { at, count, ..worse }
    }
}

/// After how long the site warns and ends; `None` for never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ages {
    /// The warning.
    pub warning: Option<SignedDuration>,
    /// The end.
    pub end: Option<SignedDuration>,
}

/// After how long one execution is ended when it is idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// When its owner is warned, which is before the end; `None` for never.
    pub warning: Option<SignedDuration>,
    /// When it is ended.
    pub end: SignedDuration,
}

impl Rule {
    /// What holds for an execution: what was said at its submission, otherwise what its application says, otherwise the site. `None`
    /// if it is never ended.
    ///
    /// With a time of its own it is warned when the site warns, or after half of that time where that is sooner.
    pub fn of(asked: Option<IdleTimeout>, activity: Option<&Activity>, site: Ages) -> Option<Self> {
        let activity = activity?;
        match asked.or(activity.idle_timeout) {
            Some(IdleTimeout::Never) => None,
            Some(IdleTimeout::After(end)) => Some(Self {
                warning: site.warning.map(|warning| warning.min(end / 2)),
                end,
            }),
            None => site.end.map(|end| Self {
                warning: site.warning.filter(|warning| *warning < end),
                end,
            }),
        }
    }

    /// How much time there is at the least from a warning to the end: as long as from the last use to the warning, unless less is
    /// left by the rule itself.
    pub fn grace(self) -> SignedDuration {
        let after = |warning: SignedDuration| warning.min(self.end.saturating_sub(warning));
        self.warning.map_or(SignedDuration::ZERO, after)
    }
}

/// What all signs of an execution come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When it was used last.
    pub used_at: Timestamp,
    /// What says so; `None` for its start, or what was known before.
    pub by: Option<Sign>,
    /// Whether it is used now.
    pub verdict: Verdict,
}

/// Adds up what the signs said: of an execution that runs since then, and was used at a time that is known.
pub fn add_up(
    since: Timestamp,
    used_at: Option<Timestamp>,
    said: &[(Sign, Said)],
    now: Timestamp,
) -> Seen {
    let known = used_at.filter(|at| *at > since);
    let mut seen = Seen {
        used_at: known.unwrap_or(since).min(now),
        by: None,
        verdict: Verdict::Idle,
    };
    if said.is_empty() {
        seen.verdict = Verdict::Unreadable;
        seen.used_at = now;
    }
    for (sign, said) in said {
        // Another machine's clock may be ahead.
        let at = match said.verdict {
            Verdict::Used | Verdict::Unreadable => Some(now),
            Verdict::Idle => said.at.map(|at| at.min(now)),
        };
        if let Some(at) = at.filter(|at| *at > seen.used_at) {
            seen.used_at = at;
            seen.by = Some(*sign);
        }
        seen.verdict = seen.verdict.max(said.verdict);
    }
    // As rows have it.
    let ms = seen.used_at.as_millisecond();
    seen.used_at = Timestamp::from_millisecond(ms).unwrap_or(seen.used_at);
    seen
}

/// A length of time in one unit, as little as it may be: `45s`, `12m`, `3h`, `4d`.
pub fn short(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests;
