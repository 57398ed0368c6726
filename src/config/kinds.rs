//! Text → typed value, for each kind of setting. An error says what the text is not and what to write.
//!
//! Every function takes what was [`Given`] for one key. Which key has which kind is in [`super::keys`].

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::docker_url::{DockerUrl, is_host_name};
use super::mysql_url;
use super::surroundings::Surroundings;
use super::values::Database;
use crate::model::ids::shorten;
use crate::model::{Deployment, IdError};

/// The text of one setting and what it may depend on.
pub(super) struct Given<'a> {
    /// Trimmed; empty means "as if not configured" for every key that allows it.
    pub text: &'a str,
    /// What a relative path is relative to: the directory of the file, or the working directory.
    pub base: &'a Path,
    /// For the home directory and the user's name.
    pub around: &'a Surroundings,
}

impl Given<'_> {
    fn quoted(&self) -> String {
        format!("`{}`", shorten(self.text))
    }

    /// `None` when the text is empty, else what `read` makes of it.
    pub fn optional<T>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        if self.text.is_empty() {
            Ok(None)
        } else {
            read(self).map(Some)
        }
    }

    /// A whole number between `least` and `most`.
    pub fn number(&self, least: u32, most: u32) -> Result<u32, String> {
        match self.text.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(format!(
                "{} is no whole number from {least} to {most}",
                self.quoted()
            )),
        }
    }

    /// A duration in whole seconds, at least one, at most a day.
    pub fn seconds(&self) -> Result<Duration, String> {
        let seconds = self
            .number(1, 86_400)
            .map_err(|problem| format!("{problem}; it is a time in seconds"))?;
        Ok(Duration::from_secs(seconds.into()))
    }

    /// A duration in whole hours, at most a year; 0 is "never".
    pub fn hours(&self) -> Result<Option<Duration>, String> {
        let problem = |problem| format!("{problem}; it is a time in hours, 0 for never");
        let hours = self.number(0, 8_784).map_err(problem)?;
        Ok((hours > 0).then(|| Duration::from_hours(hours.into())))
    }

    /// A path, made absolute.
    #[allow(clippy::unnecessary_wraps)] // the same shape as the other kinds
    pub fn path(&self) -> Result<PathBuf, String> {
        Ok(self.around.resolve(self.text, self.base))
    }

    /// A path, or `below` in zoe's data directory when the text is empty.
    pub fn path_or_data(&self, below: &str) -> Result<PathBuf, String> {
        if !self.text.is_empty() {
            return self.path();
        }
        let home = self.around.data_home().ok_or(
            "its default is in your home directory, and there is none; set HOME or XDG_DATA_HOME, or give the path",
        )?;
        Ok(home.join("zoe").join(below))
    }

    /// One of `words`, with the value it stands for.
    pub fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, String> {
        words
            .iter()
            .find(|(word, _)| *word == self.text)
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                format!("{} is none of {}", self.quoted(), known.join(", "))
            })
    }

    /// An IP address of this machine to publish ports on.
    pub fn ip(&self) -> Result<IpAddr, String> {
        let problem = || {
            format!(
                "{} is no IP address; write 127.0.0.1 for this machine only, 0.0.0.0 for all",
                self.quoted()
            )
        };
        self.text.parse().map_err(|_| problem())
    }

    /// `host` or `host:port`, perhaps with `*.` before it.
    pub fn web_server(&self) -> Result<String, String> {
        let bare = Given {
            text: self.text.strip_prefix("*.").unwrap_or(self.text),
            ..*self
        };
        let host = bare.host().map_err(|_| {
            format!(
                "{} is no name of a web server; write `host`, `host:port`, or `*.domain` for a name for each execution, without \
                 `http://` and without a path",
                self.quoted()
            )
        })?;
        Ok(if bare.text.len() < self.text.len() {
            format!("*.{host}")
        } else {
            host
        })
    }

    /// The path under which the applications are.
    pub fn proxy_prefix(&self) -> Result<String, String> {
        const LONGEST: usize = 100;
        let path = self.url_path()?;
        if path
            .split('/')
            .any(|part| part == "proxy" || part == "history")
        {
            return Err(format!(
                "{} can't be it: Spark's pages take the parts `proxy` and `history` of a path for their own; write for example \
                 `/zoe`",
                self.quoted()
            ));
        }
        if path.len() > LONGEST {
            return Err(format!(
                "{} is longer than {LONGEST} characters",
                self.quoted()
            ));
        }
        Ok(path)
    }

    /// `host` or `host:port`.
    pub fn host(&self) -> Result<String, String> {
        let (host, port) = self
            .text
            .split_once(':')
            .map_or((self.text, None), |(host, port)| (host, Some(port)));
        let port_ok = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if is_host_name(host) && port_ok {
            return Ok(self.text.to_owned());
        }
        Err(format!(
            "{} is no host name; write `host` or `host:port`, without `http://` and without a path",
            self.quoted()
        ))
    }

    /// A bare host name.
    pub fn host_only(&self) -> Result<String, String> {
        if is_host_name(self.text) {
            return Ok(self.text.to_owned());
        }
        Err(format!(
            "{} is no host name; the port is a key of its own",
            self.quoted()
        ))
    }

    /// Where Docker is.
    pub fn docker_url(&self) -> Result<DockerUrl, String> {
        DockerUrl::parse(self.text, |path| self.around.resolve(path, self.base))
    }

    /// A URL for any node: `tcp://{address}:2375`.
    pub fn node_url(&self) -> Result<String, String> {
        let names_a_node = self.text.contains("{address}") || self.text.contains("{name}");
        if self.text.starts_with("tcp://") && names_a_node {
            Ok(self.text.to_owned())
        } else {
            Err("it must begin with tcp:// and have {address} or {name} in it, such as tcp://{address}:2375".to_owned())
        }
    }

    /// `registry[:port][/path]`, as it stands before an image's name.
    pub fn registry(&self) -> Result<String, String> {
        let text = self.text.trim_end_matches('/');
        let (host, path) = text
            .split_once('/')
            .map_or((text, None), |(host, path)| (host, Some(path)));
        let name = host.split(':').next().unwrap_or_default();
        let port_ok = host
            .split_once(':')
            .is_none_or(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0));
        // Docker takes the first part for a registry only when it looks like one; otherwise it asks Docker Hub.
        let looks_like_one = host.contains(['.', ':']) || host == "localhost";
        let piece_ok = |piece: &str| {
            let plain = |c: char| {
                c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-')
            };
            !piece.is_empty() && piece.chars().all(plain)
        };
        let path_ok = path.is_none_or(|path| path.split('/').all(piece_ok));
        if is_host_name(name) && port_ok && looks_like_one && path_ok {
            return Ok(text.to_owned());
        }
        Err(format!(
            "{} is no registry; write `host:port` or `host.domain/path`, without `https://`, or leave it empty for Docker Hub",
            self.quoted()
        ))
    }

    /// The path part of a URL, without `/` at its end.
    pub fn url_path(&self) -> Result<String, String> {
        let piece_ok = |piece: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '~');
            !matches!(piece, "" | "." | "..") && piece.chars().all(plain)
        };
        let text = self.text.trim_end_matches('/');
        match text.strip_prefix('/') {
            Some(rest) if rest.split('/').all(piece_ok) => Ok(text.to_owned()),
            _ => Err(format!(
                "{} is no path of a URL; write for example `/zoe`",
                self.quoted()
            )),
        }
    }

    /// The address that mails come from.
    pub fn mail_address(&self) -> Result<String, String> {
        let plain = |c: char| {
            c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | ',' | ';' | '(' | ')' | '\\')
        };
        match self.text.split_once('@') {
            Some((user, host))
                if !user.is_empty() && user.chars().all(plain) && is_host_name(host) =>
            {
                Ok(self.text.to_owned())
            }
            _ => Err(format!(
                "{} is no mail address; write `name@host`",
                self.quoted()
            )),
        }
    }

    /// The name of a deployment; empty: the operating-system user's.
    pub fn deployment(&self) -> Result<Deployment, String> {
        if self.text.is_empty() {
            return deployment_of_user(&self.around.os_user);
        }
        self.text
            .parse()
            .map_err(|error: IdError| error.to_string())
    }

    /// Where history is kept; empty: a file in zoe's data directory. No message shows the text: it may hold a password.
    pub fn database(&self) -> Result<Database, String> {
        if self.text.is_empty() {
            return self.path_or_data("zoe.db").map(Database::Sqlite);
        }
        let (scheme, rest) = self.text.split_once(':').unwrap_or(("", ""));
        match scheme.split('+').next() {
            Some("sqlite") => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.is_empty() || path.contains(['?', '#']) || path == ":memory:" {
                    return Err("a SQLite URL names one file and has no options; write `sqlite:///path/to/zoe.db`".to_owned());
                }
                Ok(Database::Sqlite(self.around.resolve(path, self.base)))
            }
            // `mysql+driver` is how the original's files say it.
            Some("mysql" | "mariadb") => {
                let resolve = |path: &str| self.around.resolve(path, self.base);
                mysql_url::parse(rest, resolve).map(Database::Mysql)
            }
            _ => Err(
                "it is no database that zoe knows; write `mysql://user:password@host/database`, \
                      `sqlite:///path/to/zoe.db`, or leave it empty"
                    .to_owned(),
            ),
        }
    }
}

/// A user's name as a deployment's: what Docker names can't hold becomes `-`. A name that is too long keeps a
/// hash of the whole, so that two long names that begin alike stay apart.
pub(super) fn deployment_of_user(user: &str) -> Result<Deployment, String> {
    const LONGEST: usize = 20;
    let lower = user.to_lowercase();
    let pieces = lower.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
    let mut name = pieces
        .filter(|piece| !piece.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    if name.is_empty() {
        "user".clone_into(&mut name);
    }
    if name.len() > LONGEST {
        let hash: String = format!("{:x}", Sha256::digest(user))
            .chars()
            .take(6)
            .collect();
        let kept: String = name.chars().take(LONGEST - hash.len() - 1).collect();
        name = format!("{}-{hash}", kept.trim_end_matches('-'));
    }
    name.parse().map_err(|error: IdError| error.to_string())
}

#[cfg(test)]
#[path = "kinds_tests.rs"]
mod tests;
