//! The web server as it is configured, and the URLs that follow from that.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::ExecutionId;

/// The web server that people reach the applications through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Whether its URLs begin with `https`.
    pub secure: bool,
    /// `host` or `host:port`; with `*.` before it each execution has a name of its own there.
    pub name: String,
    /// Under which the applications are: begins with `/` and doesn't end with one.
    pub prefix: String,
    /// The file that routes are written to; `None` where another zoe does that.
    pub file: Option<PathBuf>,
    /// How the web server learns them.
    pub way: Way,
}

/// How the web server learns the routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// The file is a map that it looks into at every request.
    Map,
    /// The file is a piece of its configuration.
    Fragment {
        /// For the shell: says whether it would take the file `$ZOE_FRAGMENT`.
        configtest: String,
        /// For the shell: makes it read its configuration again.
        reload: String,
        /// From one reload to the next, at the least.
        interval: Duration,
    },
}

impl Site {
    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// The name behind `*.`, if executions have names of their own.
    pub fn domain(&self) -> Option<&str> {
        self.name.strip_prefix("*.")
    }

    /// The name under which an execution is, with the port where one is configured.
    pub fn authority(&self, execution: ExecutionId) -> String {
        match self.domain() {
            Some(domain) => format!("{execution}.{domain}"),
            None => self.name.clone(),
        }
    }

    /// What the URLs of an execution begin with, up to the path.
    pub fn origin(&self, execution: ExecutionId) -> String {
        format!("{}://{}", self.scheme(), self.authority(execution))
    }
}

#[cfg(test)]
impl Site {
    /// One that writes a map, or a fragment that nobody tests and reloads.
    pub(super) fn example(name: &str, is_map: bool) -> Self {
        Self {
            secure: false,
            name: name.to_owned(),
            prefix: "/zoe".to_owned(),
            file: None,
            way: if is_map {
                Way::Map
            } else {
                Way::Fragment {
                    configtest: String::new(),
                    reload: String::new(),
                    interval: Duration::ZERO,
                }
            },
        }
    }
}
