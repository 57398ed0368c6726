//! All runs of a story within its budget: each run is made anew from the beginning up to the point where it goes another way,
//! as what the actors are in the middle of can't be copied; and no further than to where another run has been.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::acts::Act;
use crate::check;
use crate::run::{Choice, Run};
use crate::site::{Saved, Site, name_of};
use crate::story::{Budget, Happens, Story};

/// A run that is longer does not come to an end.
const LONGEST: usize = 800;

/// How much of a run is printed.
const MOST_LINES: usize = 120;

/// A way to a point, from the end to the beginning.
struct Way {
    before: Option<Rc<Way>>,
    choice: Choice,
    /// What is left to be spent there.
    left: Budget,
    /// Where this is, if it was known before anybody has been there.
    leads_to: Option<u64>,
    /// What the digest was before the choice.
    from: u64,
}

impl Way {
    /// The choices from the beginning on.
    fn choices(this: Option<&Rc<Self>>) -> Vec<Choice> {
        let ways = std::iter::successors(this, |way| way.before.as_ref());
        let mut choices: Vec<Choice> = ways.map(|way| way.choice).collect();
        choices.reverse();
        choices
    }
}

/// A run at whose end something was wrong.
#[derive(Debug, Clone)]
pub struct Trace {
    pub wrongs: Vec<String>,
    pub lines: Vec<String>,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, line) in self.lines.iter().enumerate() {
            if n < MOST_LINES || n + 5 > self.lines.len() {
                writeln!(f, "{:4}  {line}", n + 1)?;
            } else if n == MOST_LINES {
                writeln!(f, "   …")?;
            }
        }
        for wrong in &self.wrongs {
            writeln!(f, "   ⇒ {wrong}")?;
        }
        Ok(())
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    pub runs: usize,
    pub states: usize,
    pub ends: usize,
    pub steps: usize,
    pub took: Duration,
    /// The shortest of those with something wrong.
    pub wrong: Option<Trace>,
    pub wrong_runs: usize,
    /// Whether it was given up before all was seen.
    pub cut: bool,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs, {} states, {} different ends, {} steps in {:.1} s",
            self.runs,
            self.states,
            self.ends,
            self.steps,
            self.took.as_secs_f64()
        )
    }
}

pub struct Explorer<'s> {
    story: &'s Story,
    site: Site,
    saved: Saved,
    _directory: tempfile::TempDir,
    runtime: Rc<tokio::runtime::Runtime>,
    seen: HashMap<u64, Vec<Budget>>,
    /// Ways that are still to be gone, by what was spent on them: who comes to a point with more left has seen all that
    /// comes after it.
    ahead: Vec<Vec<Rc<Way>>>,
    /// The ends that were looked at.
    ends: HashSet<u64>,
    found: Found,
}

impl<'s> Explorer<'s> {
    pub fn new(story: &'s Story) -> Self {
        // No clock and no network: whoever waits for anything else than a turn is found out.
        let runtime = Rc::new(
            tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
        );
        let fast = std::path::Path::new("/dev/shm");
        let directory = if fast.is_dir() {
            tempfile::tempdir_in(fast).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        let mut site = Site::new(story.cores, directory.path().to_owned());
        site.sees = story.sees;
        let database =
            |happens: &Happens| matches!(happens, Happens::DatabaseDown | Happens::DatabaseLost);
        site.table.lock().opens = story.happens.iter().any(database);
        let plain = Story {
            mutant: None,
            ..story.clone()
        };
        let saved = runtime.block_on(async {
            let mut run = Run::new(site.clone(), &plain);
            run.skip(story.actors.len() + 1);
            for act in &story.before {
                run.begin(act);
                by_itself(&mut run).await;
            }
            run.site.save()
        });
        Self {
            story,
            site,
            saved,
            _directory: directory,
            runtime,
            seen: HashMap::new(),
            ahead: Vec::new(),
            ends: HashSet::new(),
            found: Found::default(),
        }
    }

    /// Makes all runs, at the most so many.
    pub fn explore(mut self, most: usize) -> Found {
        let begun = Instant::now();
        let mut next = None;
        loop {
            self.one(next.as_ref());
            self.found.runs += 1;
            next = self.next();
            if next.is_none() {
                break;
            }
            if self.found.runs >= most {
                self.found.cut = true;
                break;
            }
        }
        self.found.took = begun.elapsed();
        self.found.states = self.seen.len();
        self.found.ends = self.ends.len();
        self.found
    }

    fn next(&mut self) -> Option<Rc<Way>> {
        loop {
            let ways = self.ahead.iter_mut().find(|ways| !ways.is_empty())?;
            let way = ways.pop()?;
            if !way.leads_to.is_some_and(|to| self.covers(to, way.left)) {
                return Some(way);
            }
        }
    }

    /// One run, along the way and then wherever it goes by itself.
    fn one(&mut self, way: Option<&Rc<Way>>) {
        let site = self.site.again(&self.saved);
        let story = self.story;
        let mut run = Run::new(site, story);
        for act in &story.actors {
            run.begin(act);
        }
        let runtime = Rc::clone(&self.runtime);
        runtime.block_on(async {
            run.settle().await;
            if self.along(&mut run, way).await {
                self.look_at_end(&mut run).await;
            }
        });
        self.found.steps += run.steps;
        // What is written for those who were cut off must not be in the next one's way.
        let table = Arc::clone(&run.site.table);
        drop(run);
        table.join();
    }

    /// Goes along the way and on from there to the end; not where another run has been.
    async fn along(&mut self, run: &mut Run<'_>, way: Option<&Rc<Way>>) -> bool {
        let mut left = self.story.budget;
        let mut way = way.cloned();
        if let Some(way) = &way {
            let choices = Way::choices(Some(way));
            let (last, before) = choices.split_last().unwrap();
            for choice in before {
                run.take(*choice).await;
            }
            assert_eq!(run.digest(), way.from, "the same choices led elsewhere");
            run.take(*last).await;
            left = way.left;
        }
        while !run.is_over() {
            let base = run.base();
            let digest = run.digest_of(&base);
            if run.steps > LONGEST {
                run.site.table.wrong("it goes on for ever".to_owned());
                break;
            }
            if self.is_known(digest, left) {
                return false;
            }
            let choices = run.choices(left);
            if choices.is_empty() {
                run.site
                    .table
                    .wrong("nobody goes on, and not all is done".to_owned());
                break;
            }
            let spent = |left: Budget| usize::from(self.story.budget.sum() - left.sum());
            let mut ways: Vec<Rc<Way>> = choices
                .into_iter()
                .map(|(choice, cost)| {
                    Rc::new(Way {
                        before: way.clone(),
                        choice,
                        left: left.less(cost).unwrap(),
                        leads_to: run.leads_to(&base, choice),
                        from: digest,
                    })
                })
                .collect();
            ways.retain(|way| !way.leads_to.is_some_and(|to| self.covers(to, way.left)));
            let mut on = None;
            for (place, next) in ways.into_iter().enumerate() {
                if place == 0 && next.left == left {
                    on = Some(next);
                    continue;
                }
                let spent = spent(next.left);
                self.ahead
                    .resize_with(self.ahead.len().max(spent + 1), Vec::new);
                self.ahead[spent].push(next);
            }
            let Some(on) = on else { return false };
            run.take(on.choice).await;
            way = Some(on);
        }
        true
    }

    /// Whether somebody has been there with as much left.
    fn covers(&self, digest: u64, left: Budget) -> bool {
        let known = self.seen.get(&digest);
        known.is_some_and(|budgets| budgets.iter().any(|known| known.covers(left)))
    }

    fn is_known(&mut self, digest: u64, left: Budget) -> bool {
        let known = self.covers(digest, left);
        if !known {
            let budgets = self.seen.entry(digest).or_default();
            budgets.retain(|known| !left.covers(*known));
            budgets.push(left);
        }
        known
    }

    /// Somebody else comes, brings everything to its end, and looks whether all is right.
    async fn look_at_end(&mut self, run: &mut Run<'_>) {
        if !self.ends.insert(run.digest()) {
            return;
        }
        run.happen(Happens::DatabaseUp);
        run.happen(Happens::NodeStarts);
        let told = run.site.table.lock().trace.len();
        check::as_they_end(run, self.story);
        run.begin(&Act::Finish);
        by_itself(run).await;
        check::in_the_end(run, self.story, self.story.actors.len());
        let inner = run.site.table.lock();
        if inner.facts.wrongs.is_empty() {
            return;
        }
        self.found.wrong_runs += 1;
        let shorter = self
            .found
            .wrong
            .as_ref()
            .is_none_or(|known| told < known.lines.len());
        if shorter {
            let mut lines = inner.trace.clone();
            let finisher = name_of(self.story.actors.len());
            lines.truncate(if std::env::var_os("ZOE_PROTOCOL_WHOLE").is_some() {
                lines.len()
            } else {
                told - 2
            });
            lines.push(format!(
                "          … and then {finisher} brings everything to its end"
            ));
            self.found.wrong = Some(Trace {
                wrongs: inner.facts.wrongs.iter().cloned().collect(),
                lines,
            });
        }
    }
}

/// Lets everybody go on as they would by themselves until all is done.
pub async fn by_itself(run: &mut Run<'_>) {
    run.settle().await;
    for _ in 0..LONGEST {
        if run.is_over() {
            return;
        }
        let choices = run.choices(Budget::default());
        let goes = |(choice, _): &&(Choice, Budget)| matches!(choice, Choice::Go(_));
        let Some((choice, _)) = choices.iter().find(goes) else {
            run.site
                .table
                .wrong("nobody goes on, and not all is done".to_owned());
            return;
        };
        run.take(*choice).await;
    }
    run.site.table.wrong("it goes on for ever".to_owned());
}
