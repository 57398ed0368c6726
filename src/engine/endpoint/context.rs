//! The docker CLI's contexts, as its files keep them: `config.json` names the current one, and each has a
//! directory that is called by the SHA-256 of its name.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::EndpointError;
use crate::config::Surroundings;
use crate::engine::docker_cli::{self, read};

/// A context that exists and has a Docker endpoint.
pub(super) struct Found {
    pub name: String,
    pub host: String,
    pub skip_verify: bool,
    /// Has the PEM files; is not there for a context without TLS.
    pub tls_dir: PathBuf,
}

/// `config.json`, as far as it matters here.
#[derive(Deserialize)]
struct CliConfig {
    #[serde(rename = "currentContext", default)]
    current_context: Option<String>,
}

/// `meta.json` of a context, likewise.
#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Endpoints", default)]
    endpoints: HashMap<String, MetaEndpoint>,
}

#[derive(Deserialize)]
struct MetaEndpoint {
    #[serde(rename = "Host", default)]
    host: String,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_tls_verify: bool,
}

/// The context in force; `None` when it is the default one, which is the local socket.
pub(super) fn current(around: &Surroundings) -> Result<Option<Found>, EndpointError> {
    let directory = docker_cli::directory(around);
    let (name, by) = if let Some(name) = around.env.get("DOCKER_CONTEXT") {
        (name.to_owned(), "DOCKER_CONTEXT".to_owned())
    } else {
        let Some(path) = directory
            .as_ref()
            .map(|directory| directory.join("config.json"))
        else {
            return Ok(None);
        };
        let name = read::<CliConfig>(&path)?
            .and_then(|config| config.current_context)
            .unwrap_or_default();
        (name, path.display().to_string())
    };
    if name.is_empty() || name == "default" {
        return Ok(None);
    }
    let contexts = directory.unwrap_or_default().join("contexts");
    let hash = format!("{:x}", Sha256::digest(&name));
    let path = contexts.join("meta").join(&hash).join("meta.json");
    let Some(mut meta) = read::<Meta>(&path)? else {
        return Err(EndpointError::NoContext { name, by, path });
    };
    let endpoint = meta
        .endpoints
        .remove("docker")
        .filter(|endpoint| !endpoint.host.is_empty());
    let Some(MetaEndpoint {
        host,
        skip_tls_verify: skip_verify,
    }) = endpoint
    else {
        let problem = format!("the docker context {name:?} has no Docker endpoint");
        return Err(EndpointError::DockerFile { path, problem });
    };
    let tls_dir = contexts.join("tls").join(hash).join("docker");
    Ok(Some(Found {
        name,
        host,
        skip_verify,
        tls_dir,
    }))
}
