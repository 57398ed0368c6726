//! Jobs that flow: submitted by processes that die at once, so that everything else is left to `zoe watch`; and what must be
//! true of all of them in the end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::place::{Place, until};

/// Jobs in a place.
pub struct Flow<'a> {
    place: &'a Place,
    /// The submission dies before this of its calls that change something: the ticket is there then, and nothing else.
    dies_at: usize,
    /// The exit code of each, by name.
    codes: RefCell<BTreeMap<String, i64>>,
}

impl<'a> Flow<'a> {
    /// None so far.
    pub fn new(place: &'a Place) -> Self {
        let file = place.job("first", 0, Duration::ZERO);
        let (ran, calls) = place.calls(&["run", "--name", "first", &file]);
        ran.expect(0);
        let effects = calls.iter().filter_map(|call| call.strip_prefix("effect "));
        let is_ticket = |call: &str| {
            [
                "create ticket",
                "POST /containers/create",
                "POST /configs/create",
            ]
            .iter()
            .any(|ticket| call.starts_with(ticket))
        };
        let dies_at = effects.take_while(|call| !is_ticket(call)).count() + 2;
        Self {
            place,
            dies_at,
            codes: RefCell::new([("first".to_owned(), 0)].into()),
        }
    }

    /// Submits one more, which lasts so long, and gives its name.
    #[track_caller]
    pub fn submit(&self, length: Duration) -> String {
        self.submit_with(|name, code| self.place.job(name, code, length))
    }

    /// Likewise one that goes on until [`Flow::end`].
    #[track_caller]
    pub fn submit_open(&self) -> String {
        self.submit_with(|name, code| self.place.open_job(name, code))
    }

    /// The program of an open one comes to its end.
    pub fn end(&self, name: &str) {
        self.place.end(name, self.codes.borrow()[name]);
    }

    #[track_caller]
    fn submit_with(&self, write: impl FnOnce(&str, i64) -> String) -> String {
        let number = self.codes.borrow().len();
        let (name, code) = (
            format!("job{number}"),
            i64::try_from(number % 5).unwrap() * 11,
        );
        let file = write(&name, code);
        let gate = format!("kill:{}", self.dies_at);
        let ran = self
            .place
            .gated(&gate, &["run", "-d", "--name", &name, &file]);
        // It may have found nothing to do, where the watch was faster.
        assert!(
            ran.signal == Some(9) || ran.code == 0,
            "{} {}",
            ran.code,
            ran.stderr
        );
        self.codes.borrow_mut().insert(name.clone(), code);
        name
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.codes.borrow().len()
    }

    /// Waits until none is alive.
    #[track_caller]
    pub fn until_over(&self) {
        until("all are over", || self.place.ps().is_empty());
    }

    /// Asserts that each ended once, as it was to; that its program ran once and its log is there; and that nothing is left.
    #[track_caller]
    pub fn assert_all_right(&self) {
        self.place.until_nothing_is_left();
        let history = self.place.history();
        let codes = self.codes.borrow();
        assert_eq!(history.len(), codes.len(), "{history:#?}");
        for (name, code) in codes.iter() {
            let records: Vec<_> = history.iter().filter(|one| one["name"] == *name).collect();
            assert_eq!(records.len(), 1, "{name}: {records:#?}");
            let record = records[0];
            assert_eq!(record["exit_code"], *code, "{name}: {record:#}");
            for key in ["started_at", "finished_at"] {
                assert!(record[key].is_string(), "{name}: {record:#}");
            }
            let log = self.place.run(&["logs", name]).expect(0);
            assert_eq!(log, format!("{name}\n"), "{name}");
            if let Some(runs) = self.place.runs(name) {
                assert_eq!(runs, 1, "{name}");
            }
        }
    }
}
