//! Users with their quotas: what `user` prints.

use serde::Serialize;

use super::Look;
use super::grid::{Cell, Fit, Grid};
use super::schema::{cores, pretty};
use crate::model::MailOn;
use crate::ops::accounts::UserView;

#[derive(Debug, Serialize)]
struct Document<'a> {
    name: &'a str,
    entered: bool,
    mail: Option<&'a str>,
    mail_on: Option<&'static str>,
    role: &'static str,
    quota: Quota,
    running: u32,
    queued: u32,
    held: Held,
    core_hours_used: serde_json::Number,
    usage: u64,
}

#[derive(Debug, Serialize)]
struct Quota {
    executions: Option<u32>,
    cores: Option<serde_json::Number>,
    memory_bytes: Option<u64>,
    core_hours: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Held {
    cores: serde_json::Number,
    memory_bytes: u64,
}

fn document(user: &UserView) -> Document<'_> {
    let quota = &user.quota;
    Document {
        name: &user.name,
        entered: user.is_entered,
        mail: user.mail.as_deref(),
        mail_on: user.mail_on.map(MailOn::word),
        role: user.role.word(),
        quota: Quota {
            executions: quota.executions,
            cores: quota.cores.map(cores),
            memory_bytes: quota.memory.map(crate::model::Bytes::get),
            core_hours: quota.hours,
        },
        running: user.running,
        queued: user.queued,
        held: Held {
            cores: cores(user.held.cores),
            memory_bytes: user.held.memory.get(),
        },
        core_hours_used: hours(user.used).parse().unwrap_or_else(|_| 0.into()),
        usage: user.usage,
    }
}

/// Users as one JSON array.
pub fn json(users: &[UserView]) -> String {
    pretty(&users.iter().map(document).collect::<Vec<_>>())
}

/// One user as a JSON object.
pub fn one_json(user: &UserView) -> String {
    pretty(&document(user))
}

/// Users as a table: what each has of what each may have.
pub fn table(users: &[UserView], look: &Look) -> String {
    let mut grid = Grid::new(&[
        ("NAME", Fit::Whole),
        ("ROLE", Fit::Whole),
        ("RUNNING", Fit::Whole),
        ("QUEUED", Fit::Number),
        ("CORES", Fit::Whole),
        ("MEMORY", Fit::Whole),
        ("CORE-HOURS", Fit::Whole),
        ("MAIL ON", Fit::Whole),
        ("MAIL", Fit::Wrap),
    ]);
    for user in users {
        let quota = &user.quota;
        let of = |have: String, most: Option<String>| match most {
            Some(most) => format!("{have} of {most}"),
            None => have,
        };
        grid.row(vec![
            Cell::plain(&user.name),
            Cell::plain(user.role.word()),
            Cell::plain(of(
                user.running.to_string(),
                quota.executions.map(|most| most.to_string()),
            )),
            Cell::plain(user.queued.to_string()),
            Cell::plain(of(
                user.held.cores.to_string(),
                quota.cores.map(|most| most.to_string()),
            )),
            Cell::plain(of(
                user.held.memory.to_string(),
                quota.memory.map(|most| most.to_string()),
            )),
            Cell::plain(of(
                hours(user.used),
                quota.hours.map(|most| most.to_string()),
            )),
            Cell::maybe(user.mail_on.map(MailOn::word)),
            Cell::maybe(user.mail.as_ref()),
        ]);
    }
    grid.render(look)
}

/// Core-seconds as core-hours, with two decimals at the most.
fn hours(seconds: u64) -> String {
    let hundredths = seconds / 36;
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    match (rest, rest % 10) {
        (0, _) => whole.to_string(),
        (_, 0) => format!("{whole}.{}", rest / 10),
        _ => format!("{whole}.{rest:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::hours;

    #[test]
    fn hours_are_shown_short() {
        assert_eq!(
            [0, 3600, 5400, 3636, 35].map(hours),
            ["0", "1", "1.5", "1.01", "0"]
        );
    }
}
