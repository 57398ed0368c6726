//! One run of an application, and where it stands.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::amount::Resources;
use super::application::{Application, Component};
use super::ids::{ComponentName, Deployment, ExecutionId, ExecutionName};
use super::instance::{Instance, InstanceState};
use super::proxy_path::ProxyPath;
use super::secret::Secret;
use super::terms::Terms;

/// What submission writes down, once and whole: the execution itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Which execution.
    pub id: ExecutionId,
    /// The deployment it belongs to.
    pub deployment: Deployment,
    /// What people call it.
    pub name: ExecutionName,
    /// Whether the user chose the name (then it is claimed: no other live execution may have it).
    pub name_claimed: bool,
    /// Who it belongs to.
    pub user: String,
    /// What is run.
    pub application: Application,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// The user's own key, which makes submission idempotent.
    pub key: Option<String>,
    /// How long it may run.
    pub timeout: Option<SignedDuration>,
    /// How it stands to others, and what happens when it fails.
    pub terms: Terms,
    /// Where it is on the web server, if it was submitted to be behind one.
    pub proxy: Option<ProxyPath>,
    /// The image with the submitted files, if there are any.
    pub job_image: Option<String>,
    /// The site's registry, put before images that name none; empty for Docker Hub.
    pub registry: String,
}

/// What belongs to an execution and must not be seen in labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Private {
    /// The execution's secrets by name.
    pub secrets: BTreeMap<String, Secret>,
    /// The user's own environment, given to every component.
    pub env: BTreeMap<String, Secret>,
}

/// Why an execution is to end: kept in Docker by the ticket's name, and final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Its monitor has exited, or a core member without which it can't go on.
    Ending,
    /// Somebody asked for it.
    Cancelled,
    /// It ran longer than it may.
    TimedOut,
    /// It could not be started.
    Failed,
    /// A member without which it can't go on was on a node that is gone.
    Lost,
}

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing of it exists but the ticket.
    Queued,
    /// Some, not all, of its core members were started.
    Starting,
    /// All its core members were started.
    Running {
        /// When the last of them was made.
        since: Timestamp,
    },
    /// It is to be torn down.
    Ending(Mark),
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its monitor exited with 0.
    Finished,
    /// It ended otherwise by itself.
    Failed {
        /// The monitor's exit code, or 125 where zoe could not run it.
        exit_code: i64,
        /// A sentence for people.
        reason: String,
    },
    /// It ran longer than it may.
    TimedOut,
    /// Somebody ended it.
    Cancelled {
        /// Who, where that is known.
        by: Option<String>,
    },
}

impl Outcome {
    /// The exit code `zoe wait` and an attached `zoe submit` end with: the job's own, 124 timed out, 143 cancelled.
    pub fn exit_code(&self) -> i64 {
        match self {
            Self::Finished => 0,
            Self::Failed { exit_code, .. } => *exit_code,
            Self::TimedOut => 124,
            Self::Cancelled { .. } => 143,
        }
    }
}

/// An execution as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// What was submitted.
    pub ticket: Ticket,
    /// Whether it is to end, and why.
    pub mark: Option<Mark>,
    /// Its members, by component (in the order of the description) and index.
    pub instances: Vec<Instance>,
}

impl Execution {
    /// The members of the component of that name.
    pub fn members<'a>(&'a self, component: &'a str) -> impl Iterator<Item = &'a Instance> {
        self.instances
            .iter()
            .filter(move |i| i.key.component.as_str() == component)
    }

    /// What its members hold.
    pub fn held(&self) -> Resources {
        let holding = self.instances.iter().filter(|i| i.holds());
        holding.map(|i| i.reservation).sum()
    }

    /// Where it stands, from what Docker shows alone.
    ///
    /// A member that is missing or was never started makes it `Starting`, unless it is one of a replaceable component and
    /// everything that is not is there: nothing is started before everything exists, so that member was there and was lost.
    /// An execution whose monitor has ended well is ending even if other members were never started; one whose monitor
    /// failed before they were is not: its start has failed.
    pub fn phase(&self) -> Phase {
        self.survey().phase
    }

    /// Whether some of its core members don't exist.
    pub fn lacks_core(&self) -> bool {
        self.survey().lacks_core
    }

    /// One look at all of its members.
    pub fn survey(&self) -> Survey {
        if self.instances.is_empty() {
            return Survey {
                phase: self.mark.map_or(Phase::Queued, Phase::Ending),
                lacks_core: true,
                is_well: false,
                held: Resources::ZERO,
            };
        }
        let application = &self.ticket.application;
        let components = &application.components;
        let mut tally = Tally::new(components);
        let mut component = components.first();
        for instance in &self.instances {
            // They come in the order of the description.
            if component.is_none_or(|c| c.name != instance.key.component) {
                component = components.iter().find(|c| c.name == instance.key.component);
            }
            tally.count(instance, component, application.monitor.as_ref());
        }
        Survey {
            phase: match self.mark {
                Some(mark) => Phase::Ending(mark),
                None => tally.phase(application.monitor.is_some()),
            },
            lacks_core: tally.absent > 0,
            is_well: self.mark.is_none() && tally.absent == 0 && tally.all_run,
            held: tally.held,
        }
    }

    /// The member whose exit ends the execution, if it has exited: the monitor, or without one any core member.
    pub fn decisive_exit(&self) -> Option<&Instance> {
        let application = &self.ticket.application;
        self.instances.iter().find(|instance| {
            let decisive = match &application.monitor {
                Some(monitor) => instance.key.component == *monitor,
                None => application
                    .component(&instance.key.component)
                    .is_some_and(|component| instance.key.index < component.core),
            };
            decisive && matches!(instance.state, InstanceState::Exited { .. })
        })
    }

    /// Whether its program has ended, and only has to be cleared away: its monitor has exited. One without a monitor is not
    /// over before its members are stopped.
    pub fn is_over(&self) -> bool {
        self.ticket.application.monitor.is_some()
            && self.decisive_exit().is_some()
            && matches!(self.phase(), Phase::Ending(_))
    }

    /// The exit code of an execution that this member's exit ends: one without a monitor is not to end by itself.
    pub fn exit_code_of(&self, decisive: &Instance) -> Option<i64> {
        let code = decisive.exit_code()?;
        let monitored = self.ticket.application.monitor.is_some();
        Some(if code == 0 && !monitored { 125 } else { code })
    }

    /// When it began: when the first of its members did, or was made, where that is all that is known.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.instances
            .iter()
            .filter_map(|i| i.started_at.or(i.was_started().then_some(i.created_at)))
            .min()
    }

    /// When it may not run any longer.
    pub fn deadline(&self) -> Option<Timestamp> {
        let timeout = self.ticket.timeout?;
        self.started_at()?.checked_add(timeout).ok()
    }
}

/// What one look at all members of an execution tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Survey {
    /// Where it stands.
    pub phase: Phase,
    /// Whether some of its core members don't exist.
    pub lacks_core: bool,
    /// Whether all core members exist, and all members that do are running.
    pub is_well: bool,
    /// What its members hold.
    pub held: Resources,
}

/// The members as they are counted.
struct Tally {
    /// Core members that were not started, of components that are not replaceable and of those that are.
    fixed: u64,
    replaceable: u64,
    /// Core members that don't exist.
    absent: u64,
    /// Whether there are core members that can't be replaced.
    needs_fixed: bool,
    /// Whether a core member exists that was never started.
    unstarted: bool,
    all_run: bool,
    /// The exit code of the first member whose exit ends the execution.
    decisive: Option<i64>,
    newest: Option<Timestamp>,
    held: Resources,
}

impl Tally {
    fn new(components: &[Component]) -> Self {
        let core = |replaceable: bool| -> u64 {
            let some = components.iter().filter(|c| c.replaceable == replaceable);
            some.map(|c| u64::from(c.core)).sum()
        };
        let (fixed, replaceable) = (core(false), core(true));
        Self {
            fixed,
            replaceable,
            absent: fixed + replaceable,
            needs_fixed: fixed > 0,
            unstarted: false,
            all_run: true,
            decisive: None,
            newest: None,
            held: Resources::ZERO,
        }
    }

    fn count(
        &mut self,
        instance: &Instance,
        component: Option<&Component>,
        monitor: Option<&ComponentName>,
    ) {
        self.all_run &= instance.state == InstanceState::Running;
        self.newest = self.newest.max(Some(instance.created_at));
        if instance.holds() {
            self.held += instance.reservation;
        }
        let Some(component) = component else { return };
        let core = instance.key.index < component.core;
        let decides = monitor.map_or(core, |monitor| component.name == *monitor);
        if decides && self.decisive.is_none() {
            self.decisive = instance.exit_code();
        }
        if !core {
            return;
        }
        self.absent = self.absent.saturating_sub(1);
        match (instance.was_started(), component.replaceable) {
            (true, false) => self.fixed = self.fixed.saturating_sub(1),
            (true, true) => self.replaceable = self.replaceable.saturating_sub(1),
            (false, _) => self.unstarted = true,
        }
    }

    fn phase(&self, monitored: bool) -> Phase {
        let replaceable = self.replaceable == 0 || self.needs_fixed;
        let complete = self.fixed == 0 && replaceable && !self.unstarted;
        match (self.decisive, self.newest) {
            (Some(0), _) if monitored => Phase::Ending(Mark::Ending),
            (Some(_), _) if complete => Phase::Ending(Mark::Ending),
            (None, Some(since)) if complete => Phase::Running { since },
            _ => Phase::Starting,
        }
    }
}
