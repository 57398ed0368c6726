//! The docker CLI's credential helpers: programs that keep logins in a keychain or fetch them from a cloud.
//!
//! The protocol: the server on standard input, JSON on standard output; a refusal is text on standard output and an exit
//! code. See <https://github.com/docker/docker-credential-helpers>.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{CredentialsError, RegistryAuth};
use crate::config::Env;
use crate::model::Secret;
use crate::model::ids::shorten;

/// The user under which a helper keeps an identity token.
const TOKEN_USER: &str = "<token>";
/// How a helper says that it has nothing.
const NOTHING: &str = "credentials not found in native keychain";
/// So many characters of its words are told.
const WORDS: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// Asks `docker-credential-NAME` for the login that it keeps under `key`.
pub(super) async fn ask(
    name: &str,
    key: &str,
    env: &Env,
    patience: Duration,
) -> Result<Option<RegistryAuth>, CredentialsError> {
    let helper = format!("docker-credential-{}", shorten(name));
    let failed = |why: String| CredentialsError::Helper {
        helper: helper.clone(),
        registry: key.to_owned(),
        why,
    };
    let program = find(name, env).ok_or_else(|| CredentialsError::NoHelper {
        helper: helper.clone(),
        registry: key.to_owned(),
    })?;
    let output = tokio::time::timeout(patience, run(program, key, env))
        .await
        .map_err(|_| failed(format!("no answer within {} s", patience.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        if said.trim() == NOTHING {
            return Ok(None);
        }
        return Err(failed(last_words(&said, &output)));
    }
    let answer: Answer = serde_json::from_slice(&output.stdout)
        // The error might quote a secret.
        .map_err(|_| failed("its answer is not the JSON of a credential helper".to_owned()))?;
    Ok(login(key, answer))
}

async fn run(program: PathBuf, key: &str, env: &Env) -> std::io::Result<Output> {
    let variables = env
        .names()
        .filter_map(|name| Some((name, env.get_even_empty(name)?)));
    let mut child = Command::new(program)
        .arg("get")
        .env_clear()
        .envs(variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that knows only one login need not read.
        let _ = input.write_all(key.as_bytes()).await;
    }
    child.wait_with_output().await
}

/// The program in PATH. One with a slash in its name would not be looked for there.
fn find(name: &str, env: &Env) -> Option<PathBuf> {
    if name.contains('/') {
        return None;
    }
    let file = format!("docker-credential-{name}");
    std::env::split_paths(env.get("PATH")?)
        .map(|directory| directory.join(&file))
        .find(|path| {
            std::fs::metadata(path)
                .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
        })
}

/// What a helper that failed said, in a line.
fn last_words(said: &str, output: &Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    let mut lines = said.lines().chain(complaint.lines()).map(str::trim);
    let line = lines.find(|line| !line.is_empty());
    line.map_or_else(
        || output.status.to_string(),
        |line| {
            line.chars()
                .filter(|c| !c.is_control())
                .take(WORDS)
                .collect()
        },
    )
}

fn login(key: &str, answer: Answer) -> Option<RegistryAuth> {
    if answer.secret.is_empty() && answer.username.is_empty() {
        return None;
    }
    let is_token = answer.username == TOKEN_USER;
    let secret = Secret::new(answer.secret);
    Some(RegistryAuth {
        server: key.to_owned(),
        user: if is_token {
            String::new()
        } else {
            answer.username
        },
        password: if is_token {
            Secret::new("")
        } else {
            secret.clone()
        },
        identity_token: is_token.then_some(secret),
        registry_token: None,
    })
}
