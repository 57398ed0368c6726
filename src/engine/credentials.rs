//! Who zoe is to a registry: the login that the docker CLI would use, found as it finds it.
//!
//! In this order: `DOCKER_AUTH_CONFIG`; then, as `config.json` in the docker CLI's directory says, the helper program
//! that is named for the registry, the one that is named for all (`credsStore`), or what the file holds itself. Zoe
//! logs in nowhere and stores nothing: `docker login` does. A login that can't be read never stops what would work
//! without one: the trouble is kept, and told when the registry refuses.

mod file;
mod helper;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use futures_util::future::join_all;
use hyper::header::HeaderValue;
use serde::Serialize;
use thiserror::Error;

use super::EngineError;
use super::docker_cli::{self, Unusable};
use crate::apps;
use crate::config::{Env, Surroundings};
use crate::model::Secret;
use file::{Logins, Source};

/// What Docker Hub is called in image names, and in the docker CLI's files.
const HUB: &str = "docker.io";
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// The variable that may hold logins, in the form of `config.json`.
const VARIABLE: &str = "DOCKER_AUTH_CONFIG";
/// How long a helper may take: it may have to ask a server, or a person.
const HELPER_PATIENCE: Duration = Duration::from_secs(30);

/// Why a login could not be found out. No message holds anything of a login.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CredentialsError {
    /// `config.json`, or the variable, is not what it should be.
    #[error("{place}: {problem}")]
    Unreadable {
        /// The file or variable.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A helper program is named that is not there.
    #[error(
        "the credential helper {helper}, which config.json names for {registry}, is not in PATH"
    )]
    NoHelper {
        /// The program.
        helper: String,
        /// Whose login was looked for.
        registry: String,
    },
    /// The helper program did not do its work.
    #[error("the credential helper {helper} gives no login for {registry}: {why}")]
    Helper {
        /// The program.
        helper: String,
        /// Whose login was looked for.
        registry: String,
        /// Its own words, or what was wrong with its answer.
        why: String,
    },
}

impl From<Unusable> for CredentialsError {
    fn from(Unusable { path, problem }: Unusable) -> Self {
        Self::Unreadable {
            place: path.display().to_string(),
            problem,
        }
    }
}

/// A login. `Debug` shows neither password nor tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryAuth {
    /// The registry, as the docker CLI's files call it.
    pub server: String,
    /// Who; empty where a token says it.
    pub user: String,
    /// The user's password; empty where a token takes its place.
    pub password: Secret,
    /// A token that the registry gave at login.
    pub identity_token: Option<Secret>,
    /// A token that goes to the registry as it is.
    pub registry_token: Option<Secret>,
}

/// A login as the Engine API wants it.
#[derive(Serialize)]
struct Wire<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    username: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    password: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identitytoken: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registrytoken: Option<&'a str>,
    serveraddress: &'a str,
}

impl RegistryAuth {
    fn wire(&self) -> Wire<'_> {
        Wire {
            username: &self.user,
            password: self.password.reveal(),
            identitytoken: self.identity_token.as_ref().map(Secret::reveal),
            registrytoken: self.registry_token.as_ref().map(Secret::reveal),
            serveraddress: &self.server,
        }
    }
}

/// Where logins are looked for. The default knows of none.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    config: Option<PathBuf>,
    env: Env,
}

impl Credentials {
    /// Those of the user who runs zoe. Nothing is read before a login is needed.
    pub fn of(around: &Surroundings) -> Self {
        Self {
            config: docker_cli::directory(around).map(|directory| directory.join("config.json")),
            env: around.env.clone(),
        }
    }

    /// How to get at this image's registry.
    pub(in crate::engine) async fn access(&self, image: &str) -> Access {
        let registry = registry_of(image).to_owned();
        let (auth, trouble) = match self.for_registry(&registry).await {
            Ok(auth) => (auth, None),
            Err(trouble) => (None, Some(trouble)),
        };
        Access {
            registry,
            auth,
            trouble,
        }
    }

    /// The login for a registry: its host, with the port if it has one, or `docker.io`.
    pub async fn for_registry(
        &self,
        registry: &str,
    ) -> Result<Option<RegistryAuth>, CredentialsError> {
        let key = if registry == HUB { HUB_KEY } else { registry };
        if let Some(auth) = self.in_variable()?.entry(key)? {
            return Ok(Some(auth));
        }
        self.look_up(&self.in_file()?, key).await
    }

    /// Every login whose registry is known by name, for a build: nobody knows which it will ask.
    pub(in crate::engine) async fn all_header(&self) -> HeaderValue {
        let (Ok(variable), Ok(file)) = (self.in_variable(), self.in_file()) else {
            return header(&BTreeMap::<String, Wire<'_>>::new());
        };
        let look_up = async |key: String| {
            let auth = self.look_up(&file, &key).await;
            Some((key, auth.ok()??))
        };
        // All at once, as helpers may be slow.
        let found = join_all(file.keys().into_iter().map(look_up)).await;
        let mut known: BTreeMap<String, RegistryAuth> = found.into_iter().flatten().collect();
        for key in variable.keys() {
            if let Ok(Some(auth)) = variable.entry(&key) {
                known.insert(key, auth);
            }
        }
        let wires: BTreeMap<_, _> = known.iter().map(|(key, auth)| (key, auth.wire())).collect();
        header(&wires)
    }

    async fn look_up(
        &self,
        logins: &Logins,
        key: &str,
    ) -> Result<Option<RegistryAuth>, CredentialsError> {
        match logins.source(key) {
            Source::Own => logins.entry(key),
            Source::Helper(name) => helper::ask(name, key, &self.env, HELPER_PATIENCE).await,
        }
    }

    fn in_variable(&self) -> Result<Logins, CredentialsError> {
        let Some(text) = self.env.get(VARIABLE) else {
            return Ok(Logins::default());
        };
        let value = serde_json::from_str(text).map_err(|error| CredentialsError::Unreadable {
            place: VARIABLE.to_owned(),
            problem: format!("is no JSON: {error}"),
        })?;
        Ok(Logins::of(value, VARIABLE))
    }

    fn in_file(&self) -> Result<Logins, CredentialsError> {
        let Some(path) = &self.config else {
            return Ok(Logins::default());
        };
        let value = docker_cli::read(path)?.unwrap_or_default();
        Ok(Logins::of(value, &path.display().to_string()))
    }
}

/// How to get at an image's registry: as whom, if as anybody.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Access {
    registry: String,
    auth: Option<RegistryAuth>,
    trouble: Option<CredentialsError>,
}

impl Access {
    /// `X-Registry-Auth`. Old Engines want it even from nobody.
    pub(in crate::engine) fn header(&self) -> HeaderValue {
        match &self.auth {
            Some(auth) => header(&auth.wire()),
            None => header(&serde_json::json!({})),
        }
    }

    /// The error with what is to be done, where the registry wants another login, or any.
    pub(in crate::engine) fn explain(&self, error: EngineError) -> EngineError {
        match error {
            // Whether the image is there is not known.
            EngineError::NoImage { image, why } if wants_login(&why) => EngineError::Refused {
                what: format!("getting the image {image}"),
                why: self.refusal(&why),
            },
            EngineError::Refused { what, why } if wants_login(&why) => EngineError::Refused {
                what,
                why: self.refusal(&why),
            },
            other @ (EngineError::Unreachable { .. }
            | EngineError::Gone { .. }
            | EngineError::NoImage { .. }
            | EngineError::Refused { .. }
            | EngineError::Conflict { .. }
            | EngineError::NotNow { .. }
            | EngineError::OutOfReach { .. }
            | EngineError::Withheld { .. }
            | EngineError::Garbled { .. }) => other,
        }
    }

    fn refusal(&self, words: &str) -> String {
        let registry = &self.registry;
        let login = Login(registry);
        let words = plain(words);
        match (&self.auth, &self.trouble) {
            (Some(auth), _) => {
                let who = if auth.user.is_empty() {
                    "the token it gave at login".to_owned()
                } else {
                    format!("the user '{}'", auth.user)
                };
                format!(
                    "the registry {registry} refuses {who} ({words}); run `{login}` as one who may do this"
                )
            }
            (None, Some(trouble)) => format!(
                "the registry {registry} wants a login ({words}), and {trouble}; correct that, or run `{login}`"
            ),
            (None, None) => format!(
                "the registry {registry} wants a login and there is none for it ({words}); run `{login}`"
            ),
        }
    }
}

/// The command that logs in.
struct Login<'a>(&'a str);

impl fmt::Display for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == HUB {
            f.write_str("docker login")
        } else {
            write!(f, "docker login {}", self.0)
        }
    }
}

/// Whether these words of a daemon or registry say that the login is at fault. Where the image may as well not exist, as
/// Docker Hub puts it, they speak for themselves.
fn wants_login(words: &str) -> bool {
    const SIGNS: [&str; 6] = [
        "no basic auth credentials",
        "unauthorized",
        "authentication required",
        "incorrect username or password",
        "access to the resource is denied",
        "403 forbidden",
    ];
    let words = words.to_ascii_lowercase();
    !words.contains("may require 'docker login'") && SIGNS.iter().any(|sign| words.contains(sign))
}

/// The words without the request that the daemon puts before them.
fn plain(words: &str) -> &str {
    const LAST: &str = "no basic auth credentials";
    let words = words.trim();
    if words.ends_with(LAST) { LAST } else { words }
}

/// The registry that an image's name says, `docker.io` where it says none.
pub(in crate::engine) fn registry_of(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if apps::names_registry(image) && host != "index.docker.io" => host,
        Some(_) | None => HUB,
    }
}

/// JSON in the URL-safe base64 that the Engine reads. (The ordinary one, which bollard writes, it takes for no login at
/// all as soon as there is a `+` or `/` in it.)
fn header(content: &impl Serialize) -> HeaderValue {
    let json = serde_json::to_vec(content).unwrap_or_default();
    let value = HeaderValue::try_from(URL_SAFE.encode(json));
    // Base64 can always be a header.
    let mut value = value.unwrap_or_else(|_| HeaderValue::from_static("e30="));
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests;
