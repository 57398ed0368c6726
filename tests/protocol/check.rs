//! What must hold when all is done, whatever has happened: nothing is lost, nothing is left, nothing has run twice, and
//! history says what was.

use std::path::{Path, PathBuf};

use zoe::logs::{Archive, archive_path};
use zoe::model::{Outcome, RequiredEnd, Ticket};
use zoe::store::Record;

use crate::acts::{Act, Came};
use crate::facts::{execution, is_ticket};
use crate::jobs::code_of;
use crate::run::Run;
use crate::store::Rows;
use crate::story::{Happens, Story};
use crate::table::Facts;

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
    nothing_is_lost(run);
}

/// At any time: what was submitted is in Docker, or it is over and history has it.
pub fn nothing_is_lost(run: &Run<'_>) {
    let table = &run.site.table;
    let facts = table.lock().facts.clone();
    if facts.history_broken {
        return;
    }
    let there = run.site.world.edit(|world| {
        let tickets = world.containers.values().filter(|row| is_ticket(row));
        let tickets: Vec<String> = tickets.map(|row| execution(row).to_owned()).collect();
        tickets
    });
    let there = there.unwrap();
    let rows = run.site.rows.lock().unwrap();
    for id in &facts.order {
        let ended = rows.records.get(id).is_some_and(|row| row.end.is_some());
        if !ended && !there.contains(id) {
            table.wrong(format!(
                "{id} is lost: neither Docker nor history has its end"
            ));
        }
    }
}

/// When somebody has brought everything to its end.
pub fn in_the_end(run: &Run<'_>, story: &Story, finisher: usize) {
    let table = &run.site.table;
    if let Some(Came::Failed(why)) = run.came(finisher) {
        table.wrong(run.site.readable(why));
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
    for id in &facts.order {
        let mut wrongs = Vec::new();
        match rows.records.get(id) {
            Some(record) => {
                let case = Case {
                    kept_in: &run.site.directory,
                    story,
                    facts: &facts,
                    rows: &rows,
                    record,
                    ticket: &facts.terms[id],
                };
                wrongs.extend(case.ended_wrong());
                wrongs.extend(case.counted_wrong());
                wrongs.extend(case.kept_wrong());
            }
            None if facts.history_broken => {}
            None => wrongs.push("it is lost: history knows nothing of it".to_owned()),
        }
        for wrong in wrongs {
            table.wrong(run.site.readable(&format!("{id}: {wrong}")));
        }
    }
    for id in rows.records.keys() {
        if !facts.tickets.contains_key(id) {
            table.wrong(format!("{id} is in the history, and never was"));
        }
    }
}

/// An execution that is over.
struct Case<'a> {
    kept_in: &'a Path,
    story: &'a Story,
    facts: &'a Facts,
    rows: &'a Rows,
    record: &'a Record,
    ticket: &'a Ticket,
}

impl Case<'_> {
    fn id(&self) -> &str {
        self.ticket.id.as_str()
    }

    /// How it was marked first.
    fn mark(&self) -> &str {
        self.facts.marks.get(self.id()).map_or("", String::as_str)
    }

    fn events(&self, kind: &str) -> usize {
        self.rows.events_of(self.id(), kind).len()
    }

    fn happened(&self, is: impl Fn(&Happens) -> bool) -> bool {
        self.story.happens.iter().any(is)
    }

    /// How often members of a component were set going.
    fn starts(&self, component: &str) -> u64 {
        let names = format!("zoe-lab-{}-{component}-", self.id());
        let starts = self.facts.starts.iter();
        let starts = starts.filter(|(name, _)| name.starts_with(&names));
        starts.map(|(_, times)| *times as u64).sum()
    }

    /// What is wrong with how it ended, as history has it.
    fn ended_wrong(&self) -> Option<String> {
        let broken = self.facts.history_broken;
        let Some((_, outcome)) = &self.record.end else {
            return (!broken).then(|| "history has no end of it".to_owned());
        };
        let code = code_of(&self.ticket.application);
        let stopped = self.facts.restarted;
        let right = match (self.mark(), outcome) {
            ("cancelled", Outcome::Cancelled { by }) => by.as_deref() == Some("ann") || broken,
            // One that was cancelled may have ended before: whoever saw that first wrote down what is true.
            ("ending" | "cancelled", Outcome::Finished) => code == Some(0),
            ("ending" | "cancelled", Outcome::Failed { exit_code, .. }) => {
                Some(*exit_code) == code && code != Some(0) || stopped && *exit_code == 143
            }
            ("timed-out" | "cancelled", Outcome::TimedOut) => self.ticket.timeout.is_some(),
            ("failed", Outcome::Failed { exit_code, .. }) => {
                let hopeless = self.is_hopeless() && self.starts("main") == 0;
                let disturbed = !self.story.happens.is_empty() || self.facts.faults > 0;
                *exit_code == 125 && (hopeless || disturbed)
            }
            ("lost", Outcome::Failed { exit_code, .. }) => {
                *exit_code == 125 && self.happened(|what| *what == Happens::NodeLost)
            }
            _ => false,
        };
        let mark = self.mark();
        if !right {
            return Some(format!(
                "it was marked as '{mark}', and history says {outcome:?}"
            ));
        }
        let told = self.events("ended");
        (told > 1 && !broken).then(|| format!("its end is told {told} times"))
    }

    /// Whether one that had to end well before it did not.
    fn is_hopeless(&self) -> bool {
        let mut after = self.ticket.terms.after.iter();
        after.any(|dependency| {
            let record = self.rows.records.get(dependency.execution.as_str());
            let end = record.and_then(|record| record.end.as_ref());
            dependency.end == RequiredEnd::Ok
                && end.is_some_and(|(_, outcome)| *outcome != Outcome::Finished)
        })
    }

    /// What is wrong with how often its program has run.
    fn counted_wrong(&self) -> Option<String> {
        if self.facts.history_broken {
            return None;
        }
        let starts = self.starts("main");
        let (failed, attempts) = (self.events("start-failed"), self.events("attempt-failed"));
        if starts > (1 + failed + attempts) as u64 {
            return Some(format!(
                "its program was started {starts} times, {failed} starts and {attempts} attempts failed"
            ));
        }
        let most = self.ticket.terms.retries.most as usize;
        if attempts > most {
            return Some(format!("{attempts} attempts failed, of {most} that may"));
        }
        let gave_up = matches!(self.record.end, Some((_, Outcome::Failed { .. })))
            && self.mark() == "ending"
            && attempts < most;
        gave_up.then(|| format!("it was given up after {attempts} failures of {most} that may be"))
    }

    /// What is wrong with the logs that are kept of it.
    fn kept_wrong(&self) -> Vec<String> {
        let mut wrongs = Vec::new();
        let starts = self.starts("main");
        if starts == 0 || self.record.end.is_none() {
            return wrongs;
        }
        let attempts = self.events("attempt-failed");
        // All that ran may have been attempts, each with logs of its own.
        let cleared = (attempts + self.events("start-failed")) as u64;
        if self.record.logs.is_none() && starts > cleared {
            return vec!["its logs are lost".to_owned()];
        }
        let Ticket {
            id,
            deployment,
            submitted_at,
            ..
        } = self.ticket;
        let logs = &archive_path(self.kept_in, deployment, *id, *submitted_at);
        if logs.with_extension("removed").exists() {
            wrongs.push("what was kept of removed members is still there".to_owned());
        }
        let by_itself = self.mark() == "ending";
        let lost = self.happened(|what| *what == Happens::NodeLost);
        let broken = self.facts.history_broken;
        let earlier: Vec<PathBuf> = (1..=attempts + 1)
            .map(|n| logs.with_extension(format!("attempt-{n}.zip")))
            .collect();
        let each = earlier.iter().map(|path| said(path, "main")).enumerate();
        for (n, said) in each.filter(|_| !broken) {
            if n == attempts && said > 0 {
                wrongs.push(format!("there are logs of attempt {}", n + 1));
            } else if n < attempts && by_itself && !lost && said == 0 {
                wrongs.push(format!("the logs of attempt {} are lost", n + 1));
            }
        }
        let total = |component| {
            let earlier = earlier.iter().map(|path| said(path, component));
            earlier.sum::<u64>() + said(logs, component)
        };
        // The logs of a start that failed may be kept as well.
        let least = if broken { 1 } else { attempts as u64 + 1 };
        let times = total("main");
        if times > starts || (by_itself && !lost && times < least) {
            wrongs.push(format!(
                "its program said {times} times in the logs that it ran, and was started {starts} times"
            ));
        }
        let (times, starts) = (total("extra"), self.starts("extra"));
        let all = self.facts.faults == 0 && !broken && !lost;
        if times > starts || (all && times < starts) {
            wrongs.push(format!(
                "its elastic members said {times} times in the logs that they ran, and were started {starts} times"
            ));
        }
        wrongs
    }
}

/// How many lines the members of a component have in an archive.
fn said(archive: &Path, component: &str) -> u64 {
    let Ok(archive) = Archive::open(archive) else {
        return 0;
    };
    let logs = archive.manifest().instances.iter();
    let of_it = logs.filter(|log| log.component.as_str() == component);
    of_it.map(|log| log.lines).sum()
}
