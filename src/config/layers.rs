//! Defaults, file, environment and flags → [`Config`], or everything that is wrong with them.
//!
//! Pure: [`super::find`] finds and reads the file for it.

use std::path::{Path, PathBuf};

use super::error::{ConfigError, ConfigErrors};
use super::keys::{KEYS, Key};
use super::kinds::{Given, deployment_of_user};
use super::known::{of_file, unknown_variables};
use super::surroundings::Surroundings;
use super::{Config, Origin};

/// What the command line says of the configuration; `None` where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--config FILE`: the file to read, which must exist.
    pub config: Option<PathBuf>,
    /// `--host URL`: `[docker] swarm_manager_url`.
    pub host: Option<String>,
    /// `--deployment NAME`: `[zoe] deployment`.
    pub deployment: Option<String>,
    /// `--registry R`: `[docker] private_registry`.
    pub registry: Option<String>,
}

impl Overrides {
    fn of(&self, key: &Key) -> Option<(&str, &'static str)> {
        let (value, flag) = match (key.section, key.name) {
            ("docker", "swarm_manager_url") => (&self.host, "--host"),
            ("docker", "private_registry") => (&self.registry, "--registry"),
            ("zoe", "deployment") => (&self.deployment, "--deployment"),
            _ => return None,
        };
        value.as_deref().map(|value| (value, flag))
    }
}

/// Puts all layers together; `file` is the configuration file's absolute path and its text.
///
/// # Errors
/// All that is wrong, at once. Of a key that several layers set, the value that counts is judged.
pub fn assemble(
    file: Option<(&Path, &str)>,
    around: &Surroundings,
    overrides: &Overrides,
) -> Result<Config, ConfigErrors> {
    let mut errors = Vec::new();
    let of_file = file
        .map(|(path, text)| of_file(path, text, &mut errors))
        .unwrap_or_default();
    unknown_variables(&around.env, &mut errors);

    let placeholder =
        deployment_of_user(&around.os_user).map_err(|problem| ConfigError::Invalid {
            origin: Origin::Default,
            section: "zoe",
            key: "deployment",
            problem,
        })?;
    let mut config = Config::unfilled(placeholder);
    config.file = file.map(|(path, _)| path.to_owned());
    let beside_file = config
        .file
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(&around.cwd)
        .to_owned();
    for key in KEYS {
        let variable = key.variable();
        let (text, origin) = if let Some((text, flag)) = overrides.of(key) {
            (text, Origin::Flag(flag))
        } else if let Some(text) = around.env.get_even_empty(&variable) {
            (text, Origin::Variable(variable))
        } else if let Some((text, origin)) = of_file.get(&(key.section, key.name)) {
            (text.as_str(), origin.clone())
        } else {
            (key.default, Origin::Default)
        };
        let base = if matches!(origin, Origin::File(..)) {
            &beside_file
        } else {
            &around.cwd
        };
        // An empty value is the default, so that a commented-out line and an emptied one mean the same.
        let text = if text.trim().is_empty() {
            key.default
        } else {
            text.trim()
        };
        match read(key, &mut config, &Given { text, base, around }) {
            Ok(shown) => {
                config
                    .shown
                    .insert((key.section, key.name), (shown, origin));
            }
            Err(problem) => {
                errors.push(ConfigError::Invalid {
                    origin,
                    section: key.section,
                    key: key.name,
                    problem,
                });
            }
        }
    }
    between_keys(&mut config, &mut errors);
    // Found in several looks; the reader wants the file's from top to bottom, then the others.
    errors.sort_by_key(line_of);
    if errors.is_empty() {
        Ok(config)
    } else {
        Err(ConfigErrors(errors))
    }
}

fn read(key: &Key, config: &mut Config, given: &Given<'_>) -> Result<String, String> {
    if given.text.contains('\n') {
        return Err("goes on over several lines, because a line that begins with a space continues the one before; \
                    write it in one line, and begin the next key at the line's start"
            .to_owned());
    }
    if given.text.contains(char::is_control) {
        return Err("has a control character in it; write plain text".to_owned());
    }
    (key.set)(config, given)
}

fn line_of(error: &ConfigError) -> usize {
    match error {
        ConfigError::Syntax { line, .. }
        | ConfigError::NoValue { line, .. }
        | ConfigError::DuplicateSection { line, .. }
        | ConfigError::DuplicateKey { line, .. }
        | ConfigError::UnknownSection { line, .. }
        | ConfigError::UnknownKey { line, .. }
        | ConfigError::Invalid {
            origin: Origin::File(_, line),
            ..
        } => *line,
        ConfigError::Unreadable { .. }
        | ConfigError::UnknownVariable { .. }
        | ConfigError::Invalid { .. } => usize::MAX,
    }
}

/// What no key can judge alone.
fn between_keys(config: &mut Config, errors: &mut Vec<ConfigError>) {
    let mut fault = |config: &Config, section, key, problem: &str| {
        let origin = config.origin(section, key).clone();
        errors.push(ConfigError::Invalid {
            origin,
            section,
            key,
            problem: problem.to_owned(),
        });
    };
    if let (Some(warning), Some(end)) = (
        config.intervals.notebook_warning_age,
        config.intervals.notebook_max_age,
    ) && warning >= end
    {
        let problem = "is not before notebook_max_age_no_activity, so that nobody would be warned in time; make it smaller, or 0";
        fault(
            config,
            "intervals",
            "notebook_warning_age_no_activity",
            problem,
        );
    }
    if config.smtp.password.is_some() && config.smtp.user.is_none() {
        fault(
            config,
            "smtp",
            "password",
            "is set, but `user` is not; set both, or none to send without a login",
        );
    }
    if config.smtp.password_file.is_some() && config.smtp.user.is_none() {
        fault(
            config,
            "smtp",
            "password_file",
            "is set, but `user` is not; set both, or none to send without a login",
        );
    }
    if config.smtp.sender.is_none() {
        config.smtp.sender = config.smtp.user.clone().filter(|user| user.contains('@'));
    }
    if config.smtp.server.is_some() && config.smtp.sender.is_none() {
        fault(
            config,
            "smtp",
            "sender",
            "is empty, and `user` is no address either; set the address that mails come from",
        );
    }
}
