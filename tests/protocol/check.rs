//! What must hold when all is done, whatever has happened: nothing is lost, nothing is left, nothing has run twice.

use std::path::Path;

use zoe::logs::Archive;
use zoe::model::Outcome;
use zoe::store::Record;

use crate::run::Run;
use crate::site::{Act, CODE, Came};
use crate::story::Story;

/// When the actors are through or dead.
pub fn as_they_end(run: &Run<'_>, story: &Story) {
    let facts = run.site.table.lock().facts.clone();
    for (number, act) in story.actors.iter().enumerate() {
        let made = facts.tickets.iter().find(|(_, by)| **by == number);
        if let (Act::Submit(_), Some(Came::Failed(why)), Some(_)) = (act, run.came(number), made)
            && facts.faults == 0
        {
            run.site
                .table
                .wrong(format!("the submission failed and left a ticket: {why}"));
        }
    }
}

/// When somebody has brought everything to its end.
pub fn in_the_end(run: &Run<'_>, story: &Story) {
    let table = &run.site.table;
    if let Some(Came::Failed(why)) = run.came(story.actors.len()) {
        table.wrong(why.clone());
    }
    let left = run.site.world.edit(|world| {
        let names = world.containers.values().map(|row| row.name.clone());
        let networks = world.networks.values().map(|row| row.name.clone());
        names.chain(networks).collect::<Vec<_>>()
    });
    for name in left.unwrap() {
        table.wrong(format!("{name} is left"));
    }
    let facts = table.lock().facts.clone();
    let rows = run.site.rows.lock().unwrap().clone();
    for id in facts.tickets.keys() {
        let wrong = match rows.records.get(id) {
            Some(record) => ended_right(run, story, record),
            None if facts.history_broken => None,
            None => Some("it is lost: history knows nothing of it".to_owned()),
        };
        let monitor = format!("zoe-lab-{id}-main-0");
        let starts = facts.starts.get(&monitor).copied().unwrap_or_default();
        let failed = rows.events_of(id, "start-failed").len();
        let twice = starts > 1 + failed && !facts.history_broken;
        let twice = twice
            .then(|| format!("its program was started {starts} times, {failed} starts failed"));
        for wrong in wrong.into_iter().chain(twice) {
            table.wrong(run.site.readable(&format!("{id}: {wrong}")));
        }
    }
    for id in rows.records.keys() {
        if !facts.tickets.contains_key(id) {
            table.wrong(format!("{id} is in the history, and never was"));
        }
    }
}

/// What is wrong with what history says of an execution.
fn ended_right(run: &Run<'_>, story: &Story, record: &Record) -> Option<String> {
    let facts = run.site.table.lock().facts.clone();
    let id = record.id.to_string();
    let Some((_, outcome)) = &record.end else {
        return (!facts.history_broken).then(|| "history has no end of it".to_owned());
    };
    let mark = facts.marks.get(&id).map_or("", String::as_str);
    let by = Some("ann".to_owned());
    let right = match (mark, outcome) {
        ("cancelled", Outcome::Cancelled { by: who }) => *who == by || facts.history_broken,
        // One that was cancelled may have ended before: whoever saw that first wrote down what is true.
        ("ending" | "cancelled", Outcome::Failed { exit_code, .. }) => *exit_code == CODE,
        ("timed-out", Outcome::TimedOut) => true,
        ("failed", Outcome::Failed { exit_code, .. }) => {
            *exit_code == 125 && (!story.happens.is_empty() || facts.faults > 0)
        }
        _ => false,
    };
    if !right {
        return Some(format!(
            "it was marked as '{mark}', and history says {outcome:?}"
        ));
    }
    let starts = facts.starts.get(&format!("zoe-lab-{id}-main-0"));
    if starts.is_none() || mark != "ending" {
        return None;
    }
    let Some(logs) = &record.logs else {
        return Some("its logs are lost".to_owned());
    };
    let said = said(Path::new(logs));
    let rows = run.site.rows.lock().unwrap();
    let most = 1 + rows.events_of(&id, "start-failed").len() as u64;
    // The logs of a start that failed are kept as well.
    (!(1..=most).contains(&said))
        .then(|| format!("its program said {said} times in the logs that it ran"))
}

/// How many lines the monitor's log has.
fn said(archive: &Path) -> u64 {
    let Ok(archive) = Archive::open(archive) else {
        return 0;
    };
    let logs = archive.manifest().instances.iter();
    let main = logs.filter(|log| log.component.as_str() == "main");
    main.map(|log| log.lines).sum()
}
