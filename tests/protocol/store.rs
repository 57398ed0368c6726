//! A history that is only a value, with the semantics of the real one: the test below holds it against `SQLite`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use zoe::model::{Deployment, ExecutionId};
use zoe::ops::OpenStore;
use zoe::store::accounts::{Usage, UsageQuery, User};
use zoe::store::rows::sort_events;
use zoe::store::{
    Bodies, Event, Lease, Letter, LetterChange, LetterClaim, LetterQuery, LetterState, Posted,
    Query, Record, Result, Store, StoreError,
};

use crate::site::name_of;
use crate::table::{Table, Verdict, Wants, fold};

/// Why a call fails whose answer gets lost: it was made all the same.
pub const NO_ANSWER: &str = "no answer";

/// All that is kept, of one deployment.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub down: bool,
    pub users: BTreeMap<String, User>,
    /// The mails that are to be sent.
    pub letters: BTreeMap<String, (Posted, Bodies)>,
    pub records: BTreeMap<String, Record>,
    pub events: BTreeSet<(String, i64, String, String)>,
    /// Who holds the lease, and until when.
    pub lease: (String, i64),
}

impl Rows {
    pub fn digest(&self) -> u64 {
        let records: Vec<String> = self.records.values().map(|r| format!("{r:?}")).collect();
        let letters: Vec<&String> = self.letters.keys().collect();
        fold((self.down, records, &self.events, &self.lease, letters))
    }

    pub fn events_of(&self, id: &str, kind: &str) -> Vec<&str> {
        let events = self.events.iter();
        let of_it = events.filter(|(of, _, is, _)| of == id && is == kind);
        of_it.map(|(.., detail)| detail.as_str()).collect()
    }

    /// Whether an execution is held, as far as somebody has said so.
    pub fn held(&self, id: &str) -> Option<bool> {
        let of_it = self.events.iter().filter(|(of, ..)| of == id);
        let said = of_it.filter_map(|(_, at, kind, _)| match kind.as_str() {
            "held" => Some((at, true)),
            "released" => Some((at, false)),
            _ => None,
        });
        said.max_by_key(|(at, _)| **at).map(|(_, held)| held)
    }

    /// What a call that changes nothing shows: the one that asks for a lease which another has is such a call.
    pub fn shown(&self, call: &str, holder: &str, now: i64) -> Option<u64> {
        if call == "ask for the lease" {
            let (other, until) = &self.lease;
            let taken = !other.is_empty() && other != holder && *until > now;
            return taken.then(|| fold(&self.lease));
        }
        if let Some(id) = call.strip_prefix("read the events of ") {
            let events = self.events.iter();
            let asked = |of: &str| id.split(", ").any(|id| id == of);
            return Some(fold(
                events.filter(|(of, ..)| asked(of)).collect::<Vec<_>>(),
            ));
        }
        if let Some(ids) = call.strip_prefix("read ") {
            let found: Vec<_> = ids.split(", ").map(|id| self.records.get(id)).collect();
            return Some(fold(format!("{found:?}")));
        }
        let all = || fold(format!("{:?}", self.records));
        (call == "find executions").then(all)
    }

    fn record(&mut self, record: &Record) {
        let mut new = record.clone();
        let whole = |at: Timestamp| Timestamp::from_millisecond(at.as_millisecond()).unwrap();
        new.submitted_at = whole(new.submitted_at);
        new.started_at = new.started_at.map(whole);
        new.end = new.end.map(|(at, outcome)| (whole(at), outcome));
        let Some(old) = self.records.get_mut(record.id.as_str()) else {
            self.records.insert(record.id.to_string(), new);
            return;
        };
        for (old, new) in [
            (&mut old.name, new.name),
            (&mut old.user, new.user),
            (&mut old.application, new.application),
            (&mut old.description, new.description),
        ] {
            if old.is_empty() {
                *old = new;
            }
        }
        old.key = old.key.take().or(new.key);
        old.started_at = old.started_at.into_iter().chain(new.started_at).min();
        old.allocated = match old.end {
            None => new.allocated.or(old.allocated),
            Some(_) => old.allocated.or(new.allocated),
        };
        old.used = match old.end {
            None => new.used.or(old.used),
            Some(_) => old.used.or(new.used),
        };
        old.terms = old.terms.take().or(new.terms);
        old.end = old.end.take().or(new.end);
        old.logs = old.logs.take().or(new.logs);
    }

    fn lease(&mut self, holder: &str, now: i64, until: i64, displace: Option<&str>) -> Lease {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let (other, expires) = &self.lease;
        let free = other.is_empty() || *expires <= now;
        if free || other == holder || displace == Some(other) {
            self.lease = (holder.to_owned(), until);
            return Lease::Held { until: at(until) };
        }
        Lease::Taken {
            holder: other.clone(),
            until: at(*expires),
        }
    }
}

fn list(executions: &[ExecutionId]) -> String {
    let ids: Vec<&str> = executions.iter().map(ExecutionId::as_str).collect();
    ids.join(", ")
}

/// What is learnt by a call that changes nothing.
pub fn learns(call: &str, shown: u64) -> (&str, u64) {
    (call, shown)
}

/// The history as one actor has it.
#[derive(Clone)]
pub struct MemoryStore {
    pub rows: Arc<Mutex<Rows>>,
    pub table: Arc<Table>,
    /// Nobody where it is only compared with another.
    pub actor: Option<usize>,
}

impl MemoryStore {
    pub fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call when it is its turn.
    async fn call<T: std::fmt::Debug>(
        &self,
        call: &str,
        what: &'static str,
        effect: bool,
        work: impl FnOnce(&mut Rows) -> T,
    ) -> Result<T> {
        let no = |why: &str| StoreError::Query {
            what,
            why: why.to_owned(),
        };
        let Some(actor) = self.actor else {
            return Ok(work(&mut self.rows()));
        };
        let wants = Wants::Call {
            call: call.to_owned(),
            effect,
        };
        let turn = self.table.turn(actor, wants.clone());
        let line = turn.line();
        let verdict = turn.await;
        let mut rows = self.rows();
        let shown = rows.shown(call, &name_of(actor), self.table.lock().now);
        if rows.down || verdict == Verdict::Refused {
            self.table.learn(&line, "no database");
            self.table.told("no database");
            self.table.lock().facts.history_broken = true;
            return Err(no("it is gone"));
        }
        let value = work(&mut rows);
        if self.table.loses(actor) {
            self.table.learn(&line, "no answer");
            self.table.told("the answer is lost");
            self.table.lock().facts.history_broken = true;
            return Err(no(NO_ANSWER));
        }
        let said = format!("{value:?}");
        match shown {
            Some(shown) => self.table.learn(&line, learns(call, shown)),
            None => self.table.learn(&line, &said),
        }
        if call == "renew the lease" {
            self.table
                .told(if said == "None" { "lapsed" } else { "held" });
        } else if call.contains("the lease") && !call.starts_with("give") {
            self.table.told(if said.starts_with("Held") {
                "held"
            } else {
                "taken"
            });
        }
        Ok(value)
    }
}

#[async_trait]
impl OpenStore for MemoryStore {
    async fn open(&self) -> Result<Arc<dyn Store>> {
        let waits = self.table.lock().opens;
        if let (true, Some(_)) = (waits, self.actor) {
            self.call("open the database", "open", false, |_| ())
                .await?;
        }
        Ok(Arc::new(self.clone()))
    }
}

impl zoe::store::Activities for MemoryStore {}

#[async_trait]
impl Store for MemoryStore {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    async fn record(&self, _: &Deployment, record: &Record) -> Result<()> {
        let end = if record.end.is_some() {
            "the end of "
        } else {
            ""
        };
        let call = format!("record {end}{}", record.id);
        self.call(&call, "record an execution", true, |rows| {
            rows.record(record);
        })
        .await
    }

    async fn event(&self, _: &Deployment, event: &Event) -> Result<()> {
        let call = format!("record that {} was {}", event.execution, event.kind);
        let row = (
            event.execution.to_string(),
            event.at.as_millisecond(),
            event.kind.clone(),
            event.detail.clone(),
        );
        self.call(&call, "record an event", true, |rows| {
            rows.events.insert(row);
        })
        .await
    }

    async fn events_of(
        &self,
        _: &Deployment,
        executions: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Vec<Event>>> {
        let call = format!("read the events of {}", list(executions));
        self.call(&call, "read events", false, |rows| {
            let mut found: BTreeMap<ExecutionId, Vec<Event>> = BTreeMap::new();
            for (of, at, kind, detail) in &rows.events {
                if let Some(execution) = executions.iter().find(|id| id.as_str() == of) {
                    found.entry(*execution).or_default().push(Event {
                        execution: *execution,
                        at: Timestamp::from_millisecond(*at).unwrap(),
                        kind: kind.clone(),
                        detail: detail.clone(),
                    });
                }
            }
            for events in found.values_mut() {
                sort_events(events);
            }
            found
        })
        .await
    }

    async fn get_all(
        &self,
        _: &Deployment,
        executions: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Record>> {
        let call = format!("read {}", list(executions));
        self.call(&call, "read executions", false, |rows| {
            let record = |id: &ExecutionId| Some((*id, rows.records.get(id.as_str())?.clone()));
            executions.iter().filter_map(record).collect()
        })
        .await
    }

    async fn find(&self, _: &Deployment, query: &Query) -> Result<Vec<Record>> {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        };
        self.call("find executions", "read executions", false, |rows| {
            let all = rows.records.values().filter(|r| {
                is(&query.user, &r.user)
                    && is(&query.application, &r.application)
                    && is(&query.name, &r.name)
                    && query
                        .name_prefix
                        .as_ref()
                        .is_none_or(|p| r.name.starts_with(p))
                    && query.since.is_none_or(|at| r.submitted_at >= at)
                    && query.until.is_none_or(|at| r.submitted_at < at)
                    && query
                        .id_prefix
                        .as_ref()
                        .is_none_or(|p| r.id.as_str().starts_with(p))
            });
            let mut found: Vec<Record> = all.cloned().collect();
            found.sort_by_key(|r| std::cmp::Reverse((r.submitted_at, r.id)));
            found.truncate(query.limit.map_or(usize::MAX, |n| n as usize));
            found
        })
        .await
    }

    async fn forget(&self, _: &Deployment, execution: ExecutionId) -> Result<()> {
        let id = execution.to_string();
        self.call(
            &format!("forget {id}"),
            "forget an execution",
            true,
            |rows| {
                rows.records.remove(&id);
                rows.events.retain(|(of, ..)| *of != id);
                rows.letters
                    .retain(|_, (posted, _)| posted.cover.execution.as_str() != id);
            },
        )
        .await
    }

    async fn users(&self, _: &Deployment) -> Result<Vec<User>> {
        Ok(self.rows().users.values().cloned().collect())
    }

    async fn enter(&self, _: &Deployment, user: &User) -> Result<()> {
        self.rows().users.insert(user.name.clone(), user.clone());
        Ok(())
    }

    async fn expel(&self, _: &Deployment, name: &str) -> Result<bool> {
        Ok(self.rows().users.remove(name).is_some())
    }

    /// Nobody's quota is in any of the stories.
    async fn usage(&self, _: &Deployment, _: &UsageQuery) -> Result<BTreeMap<String, Usage>> {
        Ok(BTreeMap::new())
    }

    async fn post(&self, _: &Deployment, letter: &Letter) -> Result<()> {
        let Letter { cover, bodies } = letter.clone();
        let call = format!("queue the mail {}", cover.id);
        self.call(&call, "queue a mail", true, |rows| {
            let posted = Posted {
                state: LetterState::Waiting,
                since: cover.created_at,
                tries: 0,
                next_at: cover.created_at,
                claim: None,
                last_error: None,
                cover,
            };
            let id = posted.cover.id.clone();
            rows.letters.entry(id).or_insert((posted, bodies));
        })
        .await
    }

    async fn outbox(&self, _: &Deployment, _: &LetterQuery) -> Result<Vec<Posted>> {
        let rows = self.rows();
        let letters = rows.letters.values();
        Ok(letters.map(|(posted, _)| posted.clone()).collect())
    }

    /// Nothing is sent in any of the stories.
    async fn claim(&self, _: &Deployment, _: &str, _: LetterClaim<'_>) -> Result<Option<Bodies>> {
        Ok(None)
    }

    async fn settle(&self, _: &Deployment, _: &str, _: LetterChange<'_>) -> Result<bool> {
        Ok(false)
    }

    async fn clear_outbox(&self, _: &Deployment, _: Timestamp) -> Result<()> {
        Ok(())
    }

    async fn lease(
        &self,
        _: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
        displace: Option<&str>,
    ) -> Result<Lease> {
        let until = now.checked_add(length).unwrap().as_millisecond();
        let call = match displace {
            None => "ask for the lease".to_owned(),
            Some(dead) => format!("ask for the lease of {dead}, who is dead"),
        };
        self.call(&call, "ask for the lease", true, |rows| {
            rows.lease(holder, now.as_millisecond(), until, displace)
        })
        .await
    }

    async fn renew(
        &self,
        _: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
    ) -> Result<Option<Timestamp>> {
        let until = now.checked_add(length).unwrap().as_millisecond();
        self.call("renew the lease", "renew the lease", true, |rows| {
            let (by, expires) = &mut rows.lease;
            let has = by == holder && *expires > now.as_millisecond();
            has.then(|| {
                *expires = until;
                Timestamp::from_millisecond(until).unwrap()
            })
        })
        .await
    }

    async fn release(&self, _: &Deployment, holder: &str) -> Result<()> {
        self.call("give the lease back", "give the lease back", true, |rows| {
            if rows.lease.0 == holder {
                rows.lease = (String::new(), 0);
            }
        })
        .await
    }
}
