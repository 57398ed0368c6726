//! Every setting there is: one row each, and everything else about settings is made from the rows: the file's
//! and the environment's keys, the sample, `config show`, the table in the README, the suggestions for typing slips.

mod apache;
mod db;
mod filesystem;
mod quota;
mod smtp;

use std::path::Path;

use super::Config;
use super::docker_url::DockerUrl;
use super::kinds::Given;
use super::values::Backend;
use crate::model::{AGEING_TEXT, Deployment, Mode, Order};

/// Reads the text of one setting into its place and returns it as `config show` may show it: resolved, secrets masked.
type Set = fn(&mut Config, &Given<'_>) -> Result<String, String>;

/// One setting.
pub struct Key {
    /// Of the file.
    pub section: &'static str,
    /// In the section.
    pub name: &'static str,
    /// What holds when nobody says anything, as it would be written in the file. Empty: what `doc` says.
    pub default: &'static str,
    /// A sentence or two for the sample and the README.
    pub doc: &'static str,
    /// The feature that will use it, when this version has it not yet: read and checked, without effect.
    pub later: Option<&'static str>,
    pub(super) set: Set,
}

impl Key {
    /// The environment variable that overrides the file: `ZOE_<SECTION>_<KEY>`; for the section `zoe`, `ZOE_<KEY>`.
    pub fn variable(&self) -> String {
        match self.section {
            "zoe" => format!("ZOE_{}", self.name.to_uppercase()),
            section => format!(
                "ZOE_{}_{}",
                section.to_uppercase(),
                self.name.to_uppercase()
            ),
        }
    }
}

/// The sections, each once, in the order of the table.
pub(super) fn sections() -> impl Iterator<Item = &'static str> {
    let mut last = None;
    KEYS.iter()
        .map(|key| key.section)
        .filter(move |section| last.replace(*section) != Some(*section))
}

/// The text itself is what is shown.
macro_rules! as_given {
    ($field:ident . $name:ident, $read:expr) => {
        |config, given| {
            config.$field.$name = $read(given)?;
            Ok(given.text.to_owned())
        }
    };
}

/// What became of the text is shown.
macro_rules! as_read {
    ($field:ident . $name:ident, $read:expr, $show:expr) => {
        |config, given| {
            config.$field.$name = $read(given)?;
            Ok($show(&config.$field.$name))
        }
    };
}

/// Empty is `None`, and shown as such.
macro_rules! optional {
    ($field:ident . $name:ident, $read:expr, $show:expr) => {
        |config, given| {
            config.$field.$name = given.optional($read)?;
            Ok(config.$field.$name.as_ref().map($show).unwrap_or_default())
        }
    };
}

/// The table, sections together, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    Key {
        section: "zoe",
        name: "deployment",
        default: "",
        doc: "A name that keeps two installations of zoe on one Docker apart. Empty: your user name.",
        later: None,
        set: as_read!(zoe.deployment, Given::deployment, Deployment::to_string),
    },
    Key {
        section: "docker",
        name: "swarm_manager_url",
        default: "",
        doc: "Where Docker is: `unix:///path`, `tcp://host:port`. Empty: where the docker CLI finds it (DOCKER_HOST, \
              the current context, the local socket).",
        later: None,
        set: optional!(
            docker.swarm_manager_url,
            Given::docker_url,
            DockerUrl::to_string
        ),
    },
    Key {
        section: "docker",
        name: "private_registry",
        default: "",
        doc: "The registry that images without one come from, `host:port` or `host.domain/path`. Empty: Docker Hub.",
        later: None,
        set: optional!(docker.private_registry, Given::registry, String::clone),
    },
    Key {
        section: "docker",
        name: "publish_address",
        default: "127.0.0.1",
        doc: "The address on which web ports are published: 127.0.0.1 for this machine only, 0.0.0.0 for everybody \
              who reaches it.",
        later: None,
        set: as_given!(docker.publish_address, Given::ip),
    },
    Key {
        section: "docker",
        name: "backend",
        default: "auto",
        doc: "What kind of Docker it is: `engine`, `swarm`, `classic`, or `auto` to ask it.",
        later: None,
        set: as_given!(docker.backend, |g: &Given<'_>| g.one_of(&[
            ("auto", Backend::Auto),
            ("engine", Backend::Engine),
            ("swarm", Backend::Swarm),
            ("classic", Backend::Classic),
        ])),
    },
    Key {
        section: "docker",
        name: "api_timeout",
        default: "60",
        doc: "How many seconds Docker may take to begin an answer before zoe gives the call up.",
        later: None,
        set: as_given!(docker.api_timeout, Given::seconds),
    },
    Key {
        section: "docker",
        name: "node_url",
        default: "",
        doc: "Where the Engines of a Swarm's nodes are, for `zoe exec`, `zoe top` and `zoe status`: a URL with `{address}` or \
              `{name}` in it, such as `tcp://{address}:2375`. Empty: only the manager's own Engine is asked.",
        later: None,
        set: optional!(docker.node_url, Given::node_url, String::clone),
    },
    db::URL,
    db::PASSWORD,
    db::PASSWORD_FILE,
    apache::WEB_SERVER_NAME,
    apache::SCHEME,
    apache::PROXY_MODE,
    apache::PROXY_CONFIG_FILE,
    apache::PROXY_PATH_PREFIX,
    apache::CONFIGTEST_COMMAND,
    apache::RELOAD_COMMAND,
    apache::ACCESS_LOG,
    smtp::SERVER,
    smtp::PORT,
    smtp::SECURITY,
    smtp::CA_FILE,
    smtp::USER,
    smtp::PASSWORD,
    smtp::PASSWORD_FILE,
    smtp::SENDER,
    smtp::MAIL_ON,
    smtp::GIVE_UP,
    Key {
        section: "filesystem",
        name: "history_path",
        default: "",
        doc: "The directory for the logs of ended executions. Empty: `$XDG_DATA_HOME/zoe/history` \
              (`~/.local/share/zoe/history`).",
        later: None,
        set: as_read!(
            filesystem.history_path,
            |g: &Given<'_>| g.path_or_data("history"),
            shown_path
        ),
    },
    filesystem::MAX_AGE,
    filesystem::MAX_SIZE,
    Key {
        section: "filesystem",
        name: "workspace_path",
        default: "",
        doc: "The directory in which each user has a workspace that all their components see as `/mnt/workspace`, on this machine \
              and on every node. Empty: no workspaces.",
        later: None,
        set: optional!(filesystem.workspace_path, Given::path, shown_path),
    },
    Key {
        section: "intervals",
        name: "scheduler_task",
        default: "10",
        doc: "Seconds between two passes of `zoe watch` where nothing happens; events of Docker wake it at once.",
        later: None,
        set: as_given!(intervals.scheduler_task, Given::seconds),
    },
    Key {
        section: "intervals",
        name: "check_terminated",
        default: "30",
        doc: "Seconds between two checks for executions whose containers have ended. A pass does that too: the shorter of the two \
              intervals counts.",
        later: None,
        set: as_given!(intervals.check_terminated, Given::seconds),
    },
    Key {
        section: "intervals",
        name: "proxy_update_accesses",
        default: "300",
        doc: "Seconds between two looks at what is used: notebooks are asked, and the web server's access log is read on.",
        later: None,
        set: as_given!(intervals.proxy_update_accesses, Given::seconds),
    },
    Key {
        section: "intervals",
        name: "proxy_reload",
        default: "10",
        doc: "Under `[apache] proxy_mode = fragment`: seconds from one reload of the web server to the next, at the least.",
        later: None,
        set: as_given!(intervals.proxy_reload, Given::seconds),
    },
    Key {
        section: "intervals",
        name: "notebook_warning_age_no_activity",
        default: "2",
        doc: "Hours without activity after which a notebook's owner is warned by mail; 0 for never. See docs/notebooks.md.",
        later: None,
        set: as_given!(intervals.notebook_warning_age, Given::hours),
    },
    Key {
        section: "intervals",
        name: "notebook_max_age_no_activity",
        default: "24",
        doc: "Hours without activity after which a notebook is ended; 0 for never.",
        later: None,
        set: as_given!(intervals.notebook_max_age, Given::hours),
    },
    Key {
        section: "scheduler",
        name: "policy",
        default: "fifo",
        doc: "In which order executions of one priority are started: `fifo` (first come, first served), `size` (the smallest \
              first), `dynsize` (the same, but waiting makes smaller), `hrrn` (the highest response ratio), `fair` (who has \
              used least). See docs/scheduler.md.",
        later: None,
        set: as_given!(scheduler.policy, |g: &Given<'_>| g.one_of(&Order::NAMED)),
    },
    Key {
        section: "scheduler",
        name: "mode",
        default: "flexible",
        doc: "`flexible`: an execution starts with its core members and gets elastic ones where there is room. `rigid`: it \
              gets all its members or waits.",
        later: None,
        set: as_given!(scheduler.mode, |g: &Given<'_>| g.one_of(&Mode::NAMED)),
    },
    Key {
        section: "scheduler",
        name: "assumed_runtime",
        default: "3600",
        doc: "How many seconds an execution without a time limit is assumed to run, for the policies that look at that.",
        later: None,
        set: as_given!(scheduler.runtime, Given::seconds),
    },
    Key {
        section: "scheduler",
        name: "ageing",
        default: AGEING_TEXT,
        doc: "Under `dynsize`: how many seconds of waiting make an execution smaller by what the whole cluster does in one. \
              The less, the sooner a large one gets its turn.",
        later: None,
        set: as_given!(scheduler.ageing, |g: &Given<'_>| g.number(1, 1_000_000)),
    },
    Key {
        section: "scheduler",
        name: "start_tries",
        default: "3",
        doc: "How many times a start is tried before the execution is given up.",
        later: None,
        set: as_given!(scheduler.start_tries, |g: &Given<'_>| g.number(1, 1_000)),
    },
    Key {
        section: "scheduler",
        name: "start_deadline",
        default: "600",
        doc: "How many seconds a start may take until all core members are ready, before it counts as failed.",
        later: None,
        set: as_given!(scheduler.start_deadline, Given::seconds),
    },
    Key {
        section: "scheduler",
        name: "node_grace",
        default: "60",
        doc: "How many seconds a node of a Swarm may be known to be down before what ran on it is replaced or given up.",
        later: None,
        set: as_given!(scheduler.node_grace, Given::seconds),
    },
    quota::EXECUTIONS,
    quota::CORES,
    quota::MEMORY,
    quota::HOURS,
    quota::WINDOW,
    quota::HALF_LIFE,
];

fn shown_path(path: impl AsRef<Path>) -> String {
    path.as_ref().display().to_string()
}
