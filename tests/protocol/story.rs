//! A story: who does what to what was there before, what may happen to them, and how much of it is looked at.

use crate::acts::Act;
use crate::mutants::Mutant;

/// Something that happens around the actors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Happens {
    /// So many milliseconds pass while everybody stands still: programs end, leases lapse.
    Passes(i64),
    /// The database can't be had.
    DatabaseDown,
    /// It is there again, with all that it held.
    DatabaseUp,
    /// All that it held is lost.
    DatabaseLost,
    /// The node starts nothing that it is told to start.
    NodeRejects,
    /// It does again.
    NodeStarts,
    /// What did not answer when it was asked whether it is ready does from now on.
    Answers,
    /// A node does not answer any more.
    NodeLost,
    /// It answers again; what ran on it was killed meanwhile, or has run on.
    NodeBack { killed: bool },
    /// Docker is restarted: all that runs is stopped.
    DockerRestarts,
}

/// What may be spent on one run: how often something may go otherwise than it would by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Budget {
    /// How often an actor that could go on is kept waiting while another does.
    pub switches: u8,
    /// How many actors die.
    pub deaths: u8,
    /// How many calls are refused, or lose their answer.
    pub faults: u8,
}

impl Budget {
    pub fn new(switches: u8, deaths: u8, faults: u8) -> Self {
        Self {
            switches,
            deaths,
            faults,
        }
    }

    pub fn sum(self) -> u8 {
        self.switches + self.deaths + self.faults
    }

    pub fn covers(self, other: Self) -> bool {
        self.switches >= other.switches
            && self.deaths >= other.deaths
            && self.faults >= other.faults
    }

    pub fn less(self, cost: Self) -> Option<Self> {
        self.covers(cost).then(|| Self {
            switches: self.switches - cost.switches,
            deaths: self.deaths - cost.deaths,
            faults: self.faults - cost.faults,
        })
    }
}

/// A story.
#[derive(Debug, Clone)]
pub struct Story {
    pub name: &'static str,
    /// How many members there is room for.
    pub cores: u64,
    /// What was done before, one after the other, undisturbed.
    pub before: Vec<Act>,
    /// Who is at work.
    pub actors: Vec<Act>,
    /// What happens around them, each once, at any time.
    pub happens: Vec<Happens>,
    pub budget: Budget,
    /// Whether an actor sees that another has died; those on other machines don't.
    pub sees: bool,
    /// An actor who is not as it should be, and how.
    pub mutant: Option<(usize, Mutant)>,
}

impl Story {
    pub fn new(name: &'static str, cores: u64) -> Self {
        Self {
            name,
            cores,
            before: Vec::new(),
            actors: Vec::new(),
            happens: Vec::new(),
            budget: Budget::default(),
            sees: true,
            mutant: None,
        }
    }

    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub fn before(mut self, acts: impl IntoIterator<Item = Act>) -> Self {
        self.before.extend(acts);
        self
    }

    pub fn actors(mut self, acts: impl IntoIterator<Item = Act>) -> Self {
        self.actors.extend(acts);
        self
    }

    pub fn happens(mut self, what: impl IntoIterator<Item = Happens>) -> Self {
        self.happens.extend(what);
        self
    }

    pub fn budget(mut self, switches: u8, deaths: u8, faults: u8) -> Self {
        self.budget = Budget::new(switches, deaths, faults);
        self
    }

    pub fn strangers(mut self) -> Self {
        self.sees = false;
        self
    }

    pub fn mutant(mut self, actor: usize, mutant: Mutant) -> Self {
        self.mutant = Some((actor, mutant));
        self
    }
}
