//! What is to be run: an application and its components.
//!
//! Texts may hold variables (`${worker.core}`); they are checked when a description is read and filled in when
//! an instance is made (`apps::expand`).

use std::collections::BTreeMap;

use super::activity::Activity;
use super::amount::{Bytes, Cores, Resources};
use super::ids::ComponentName;
use super::policy::Mode;

/// A validated description of what to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// What the application is called, such as `spark-submit`.
    pub name: String,
    /// One sentence for people.
    pub description: String,
    /// The component whose exit ends the execution and gives it its exit code.
    /// Without one an execution runs until it is killed or one of its core members exits.
    pub monitor: Option<ComponentName>,
    /// Names of the secrets made for each execution.
    pub secrets: Vec<String>,
    /// How to see whether somebody uses it; without it, it is never ended for being idle.
    pub activity: Option<Activity>,
    /// The parts, in the order of the description; at least one, names unique.
    pub components: Vec<Component>,
}

/// One part of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its name, which is also its host name in the execution's network.
    pub name: ComponentName,
    /// The image as written, without the site's registry.
    pub image: String,
    /// Members it must have before the application can do any work.
    pub core: u32,
    /// Members it may have in addition.
    pub elastic: u32,
    /// Whether a core member that is lost may be made anew, on another node too, while the others go on. Elastic ones
    /// always may.
    pub replaceable: bool,
    /// Processor for one member: limit and reservation.
    pub cores: Cores,
    /// Memory for one member that its software may use.
    pub memory: Bytes,
    /// What the container is given on top of `memory`.
    pub overhead: Overhead,
    /// Arguments in place of the image's own; `None` leaves those.
    pub command: Option<Vec<String>>,
    /// Environment, variables not yet filled in.
    pub env: BTreeMap<String, String>,
    /// Which of the application's secrets it gets, as files `/run/secrets/NAME`.
    pub secrets: Vec<String>,
    /// Directories of the host it sees.
    pub volumes: Vec<Volume>,
    /// Where submitted files are put, if this component gets them.
    pub files: Option<String>,
    /// What it listens on.
    pub ports: Vec<Port>,
    /// How to see that it is ready.
    pub ready: Option<Ready>,
    /// Labels a node must have to hold it.
    pub placement: BTreeMap<String, String>,
}

/// Memory on top of what the software may use: the larger of a share and a minimum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overhead {
    /// Share of `memory`, in percent.
    pub percent: u32,
    /// The least it may be.
    pub at_least: Bytes,
}

/// A directory of the host, seen in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Absolute path on the host, or a volume's name.
    pub source: String,
    /// Absolute path in the container.
    pub target: String,
    /// Whether it can only be read there.
    pub read_only: bool,
    /// A group, by number, that the container's processes are in beside their own: the one that may write there.
    pub group: Option<u32>,
}

/// What a port speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// A web interface: published, and listed as a URL.
    Http,
    /// Anything else: reachable inside the execution's network.
    Tcp,
}

/// A port a component listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name, unique in the component.
    pub name: String,
    /// Its number in the container.
    pub container: u16,
    /// What it speaks.
    pub protocol: Protocol,
    /// Where its pages begin.
    pub path: String,
    /// A query its owner needs, such as a token; may name secrets and is shown to the owner only.
    pub query: Option<String>,
    /// Whether it belongs behind the reverse proxy.
    pub proxy: bool,
    /// Whether it serves below the path that it has there, which it was told; otherwise it serves from `/` on, and the proxy
    /// takes the path off.
    pub base_path: bool,
}

/// A question whose answer says that a component is ready, asked over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The port to ask, by name.
    pub port: String,
    /// The path to ask for.
    pub path: String,
    /// What the JSON answer must hold; without it any answer below 400 will do.
    pub threshold: Option<Threshold>,
}

/// A number in a JSON answer and the least it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    /// Where the number is (RFC 6901).
    pub pointer: String,
    /// The least it must be: a number or a variable.
    pub at_least: String,
}

impl Overhead {
    /// The overhead for `memory`.
    pub fn of(self, memory: Bytes) -> Bytes {
        let share = u128::from(memory.get()) * u128::from(self.percent) / 100;
        Bytes::new(u64::try_from(share).unwrap_or(u64::MAX)).max(self.at_least)
    }
}

impl Port {
    /// What people call this port of a member: `master/web`, and with its number where there may be several: `worker-0/web`.
    pub fn name_at(&self, component: &Component, index: u32) -> String {
        if component.members() > 1 {
            format!("{}-{index}/{}", component.name, self.name)
        } else {
            format!("{}/{}", component.name, self.name)
        }
    }
}

impl Component {
    /// One of an image alone: so many core members of that size, and nothing else.
    pub fn bare(name: ComponentName, image: String, core: u32, member: Resources) -> Self {
        Self {
            name,
            image,
            core,
            elastic: 0,
            replaceable: false,
            cores: member.cores,
            memory: member.memory,
            overhead: Overhead::default(),
            command: None,
            env: BTreeMap::new(),
            secrets: Vec::new(),
            volumes: Vec::new(),
            files: None,
            ports: Vec::new(),
            ready: None,
            placement: BTreeMap::new(),
        }
    }

    /// What one member is limited to and counted as: cores, and memory with its overhead.
    pub fn reservation(&self) -> Resources {
        let memory = self
            .memory
            .get()
            .saturating_add(self.overhead.of(self.memory).get());
        Resources {
            cores: self.cores,
            memory: Bytes::new(memory),
        }
    }

    /// Members it has at the most.
    pub fn members(&self) -> u32 {
        self.core.saturating_add(self.elastic)
    }

    /// The port of that name.
    pub fn port(&self, name: &str) -> Option<&Port> {
        self.ports.iter().find(|port| port.name == name)
    }
}

impl Application {
    /// The component of that name.
    pub fn component(&self, name: &ComponentName) -> Option<&Component> {
        self.components
            .iter()
            .find(|component| component.name == *name)
    }

    /// Whether some component can be asked whether it is ready.
    pub fn can_be_asked(&self) -> bool {
        let mut components = self.components.iter();
        components.any(|component| component.ready.is_some())
    }

    /// What all core members together are counted as.
    pub fn core_reservation(&self) -> Resources {
        Mode::Flexible.needed(self)
    }

    /// The component whose image stands for the application: the monitor, or the first.
    pub fn principal(&self) -> Option<&Component> {
        self.monitor
            .as_ref()
            .and_then(|name| self.component(name))
            .or(self.components.first())
    }
}
