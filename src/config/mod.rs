//! Layers of configuration (defaults, file, environment, flags) become one [`Config`]; all errors at once.
//!
//! The file is the first of `./zoe.conf`, `$XDG_CONFIG_HOME/zoe/zoe.conf` (`~/.config/zoe/zoe.conf`) and
//! `/etc/zoe/zoe.conf` that exists, and only that one; `--config` or `ZOE_CONFIG` names another. A variable
//! `ZOE_<SECTION>_<KEY>` overrides the file, a flag overrides the variable. Relative paths are relative to the
//! directory of the file that says them, those of variables and flags to the working directory.
//!
//! What is left out: which Docker endpoint follows from it (`engine::endpoint`), and whether what it names
//! (servers, directories) is there.

mod docker_url;
mod error;
pub mod files;
mod find;
mod ini_file;
mod keys;
mod kinds;
mod known;
mod layers;
mod mysql_url;
mod sample;
mod surroundings;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

pub use docker_url::DockerUrl;
pub use error::{ConfigError, ConfigErrors};
pub use find::{find_file, load};
pub use keys::{KEYS, Key};
pub use layers::{Overrides, assemble};
pub use sample::{SampleError, markdown_table, render_sample, write_sample};
pub use surroundings::{Env, Surroundings};
pub use values::{Backend, Database, MailSecurity, MysqlUrl, ProxyMode, Scheme, TlsMode};

use crate::model::{self, Bytes, Deployment, MailOn, Mode, Order, Secret};

/// A complete, valid configuration. `Debug` shows no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file that was read, if there was one.
    pub file: Option<PathBuf>,
    /// `[zoe]`
    pub zoe: Zoe,
    /// `[docker]`
    pub docker: Docker,
    /// `[db]`
    pub db: Db,
    /// `[apache]`
    pub apache: Apache,
    /// `[smtp]`
    pub smtp: Smtp,
    /// `[filesystem]`
    pub filesystem: Filesystem,
    /// `[intervals]`
    pub intervals: Intervals,
    /// `[scheduler]`
    pub scheduler: Scheduler,
    /// `[quota]`
    pub quota: Quota,
    /// By section and key: the value as it may be shown, and where it comes from.
    shown: BTreeMap<(&'static str, &'static str), (String, Origin)>,
}

/// `[zoe]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zoe {
    /// Every object of this installation carries it.
    pub deployment: Deployment,
}

/// `[docker]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Docker {
    /// Where Docker is, when it is not left to the docker CLI's rules.
    pub swarm_manager_url: Option<DockerUrl>,
    /// What stands before the `/` and the name of an image that has no registry; `None` is Docker Hub.
    pub private_registry: Option<String>,
    /// Web ports are published on it.
    pub publish_address: IpAddr,
    /// The kind of Docker to expect.
    pub backend: Backend,
    /// How long Docker may take to begin an answer.
    pub api_timeout: Duration,
    /// Where the Engine of a node of a Swarm is: a URL with `{address}` or `{name}` in it.
    pub node_url: Option<String>,
}

/// `[db]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Db {
    /// Where history is kept.
    pub url: Database,
    /// The password, in place of the URL's.
    pub password: Option<Secret>,
    /// A file whose first line is the password, absolute; counts where `password` is not set.
    pub password_file: Option<PathBuf>,
}

/// `[apache]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Apache {
    /// `host` or `host:port`; with `*.` before it, executions have names of their own.
    pub web_server_name: Option<String>,
    /// What URLs begin with.
    pub scheme: Scheme,
    /// How the web server learns the routes.
    pub proxy_mode: ProxyMode,
    /// Absolute; `None`: no routes are written from here.
    pub proxy_config_file: Option<PathBuf>,
    /// Begins with `/` and doesn't end with one.
    pub proxy_path_prefix: String,
    /// For the shell: says whether the web server would take a fragment.
    pub configtest_command: String,
    /// For the shell: makes the web server read its configuration again.
    pub reload_command: String,
    /// Absolute.
    pub access_log: Option<PathBuf>,
}

/// `[smtp]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    /// `None`: no mail is sent.
    pub server: Option<String>,
    /// Its TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// `None`: no login.
    pub user: Option<String>,
    /// `None`: no password, or one in a file.
    pub password: Option<Secret>,
    /// Absolute; it has the password. Not read here.
    pub password_file: Option<PathBuf>,
    /// Absolute; a certificate to trust in addition. Not read here.
    pub ca_file: Option<PathBuf>,
    /// An address; `None` when neither `sender` nor `user` gives one.
    pub sender: Option<String>,
    /// When owners are written to who don't say otherwise.
    pub mail_on: MailOn,
    /// For so long sending a mail is tried; `None`: for ever.
    pub give_up: Option<Duration>,
}

/// `[filesystem]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filesystem {
    /// Absolute; need not exist yet.
    pub history_path: PathBuf,
    /// How long the archives there are kept; `None`: for ever.
    pub history_max_age: Option<Duration>,
    /// How much they may take together; `None`: any amount.
    pub history_max_size: Option<Bytes>,
    /// Absolute; `None`: no workspaces.
    pub workspace_path: Option<PathBuf>,
}

/// `[intervals]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intervals {
    /// Between two passes of the scheduler.
    pub scheduler_task: Duration,
    /// Between two checks for ended containers.
    pub check_terminated: Duration,
    /// Between two readings of the access log.
    pub proxy_update_accesses: Duration,
    /// From one reload of the web server to the next, at the least.
    pub proxy_reload: Duration,
    /// Without activity for so long, the owner is warned; `None`: never. Less than `notebook_max_age`.
    pub notebook_warning_age: Option<Duration>,
    /// Without activity for so long, the notebook is ended; `None`: never.
    pub notebook_max_age: Option<Duration>,
}

/// `[scheduler]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scheduler {
    /// How those that wait are ordered.
    pub policy: Order,
    /// How executions share what there is.
    pub mode: Mode,
    /// How long an execution without a time limit is assumed to run.
    pub runtime: Duration,
    /// How many seconds of waiting take a second of the whole cluster off a size. At least 1.
    pub ageing: u32,
    /// At least 1.
    pub start_tries: u32,
    /// From the first step of a start until all core members are ready.
    pub start_deadline: Duration,
    /// How long a node may be silent before what ran on it is given up.
    pub node_grace: Duration,
}

/// `[quota]`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// What every user may have for whom nothing else was entered.
    pub limits: model::Quota,
    /// So far back what was used counts for the core-hours.
    pub window: Duration,
    /// After this what was used counts half.
    pub half_life: Duration,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A line of the configuration file, counted from 1.
    File(PathBuf, usize),
    /// An environment variable.
    Variable(String),
    /// A flag of the command line, with its dashes.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// One line of `zoe config show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Without brackets.
    pub section: &'static str,
    /// In the section.
    pub key: &'static str,
    /// Resolved (paths absolute, defaults filled in), a secret as `***`; empty when there is none.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// All settings in the order of the table.
pub fn show(config: &Config) -> Vec<Row> {
    KEYS.iter()
        .map(|key| {
            let (value, origin) = config
                .shown
                .get(&(key.section, key.name))
                .cloned()
                .unwrap_or((String::new(), Origin::Default));
            Row {
                section: key.section,
                key: key.name,
                value,
                origin,
            }
        })
        .collect()
}

impl Config {
    /// Where the value of a key comes from; [`Origin::Default`] for a key that does not exist.
    pub fn origin(&self, section: &'static str, key: &'static str) -> &Origin {
        self.shown
            .get(&(section, key))
            .map_or(&Origin::Default, |(_, origin)| origin)
    }

    /// Places for the values, to be filled by every row of the table; never seen outside of this module.
    fn unfilled(deployment: Deployment) -> Self {
        Self {
            file: None,
            zoe: Zoe { deployment },
            docker: Docker {
                swarm_manager_url: None,
                private_registry: None,
                publish_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                backend: Backend::Auto,
                api_timeout: Duration::default(),
                node_url: None,
            },
            db: Db {
                url: Database::Sqlite(PathBuf::new()),
                password: None,
                password_file: None,
            },
            apache: Apache::default(),
            smtp: Smtp {
                server: None,
                port: 0,
                security: MailSecurity::Starttls,
                user: None,
                password: None,
                password_file: None,
                ca_file: None,
                sender: None,
                mail_on: MailOn::default(),
                give_up: None,
            },
            filesystem: Filesystem::default(),
            intervals: Intervals::default(),
            scheduler: Scheduler::default(),
            quota: Quota::default(),
            shown: BTreeMap::new(),
        }
    }
}
