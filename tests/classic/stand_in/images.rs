//! Images: each Engine has its own; the manager groups, pulls, names and removes them on all.

use serde_json::{Value, json};

use super::cluster::{Seen, ask_engine, look};
use super::http::{Answer, Request, ask};
use super::{Manager, Outcome, filters, hand_back, has_labels, refuse, tell};

impl Manager {
    /// By id, with the names that any Engine has for it.
    pub(super) async fn images(&self, request: &Request) -> Outcome {
        let filters = filters(request);
        let nodes = filters.get("node").cloned().unwrap_or_default();
        let mut images: Vec<Value> = Vec::new();
        for engine in look(&self.engines).await {
            if !nodes.is_empty() && !nodes.contains(&engine.name()) {
                continue;
            }
            for image in engine
                .images
                .iter()
                .filter(|image| has_labels(&filters, &image["Labels"]))
            {
                match images.iter_mut().find(|known| known["Id"] == image["Id"]) {
                    Some(known) => {
                        for key in ["RepoTags", "RepoDigests"] {
                            let more = image[key].as_array().cloned().unwrap_or_default();
                            let mut names = known[key].as_array().cloned().unwrap_or_default();
                            names.extend(more);
                            names.dedup();
                            known[key] = Value::Array(names);
                        }
                    }
                    None => images.push(image.clone()),
                }
            }
        }
        tell(&Value::Array(images))
    }

    /// On all Engines; one that fails makes the whole fail.
    pub(super) async fn pull(&self, request: &Request) -> Outcome {
        let image = request.parameter("fromImage").unwrap_or_default();
        let tag = request.parameter("tag").unwrap_or_default();
        let image = match tag {
            "" => image.to_owned(),
            digest if digest.contains(':') => format!("{image}@{digest}"),
            tag => format!("{image}:{tag}"),
        };
        let auth = request.header("x-registry-auth").unwrap_or_default();
        let seen = look(&self.engines).await;
        let pulls = seen
            .iter()
            .filter(|engine| engine.known())
            .map(|engine| async { (engine.name(), pull_on(engine, &image, auth).await) });
        let mut lines = Vec::new();
        let mut error = None;
        for (node, pulled) in futures_util::future::join_all(pulls).await {
            let status = pulled
                .clone()
                .err()
                .map_or(String::new(), |why| format!(" : {why}"));
            lines.push(
                json!({"id": node, "status": format!("Pulling {image}...{status}")}).to_string(),
            );
            error = error.or(pulled.err());
        }
        if let Some(why) = error {
            lines.push(
                json!({"error": why, "errorDetail": {"code": 1, "message": why}}).to_string(),
            );
        }
        let body = lines.join("\n") + "\n";
        Outcome::Answer(Answer {
            status: 200,
            body: body.into_bytes(),
        })
    }

    pub(super) async fn remove_image(&self, name: &str) -> Outcome {
        let (mut removed, mut errors) = (Vec::new(), Vec::new());
        for engine in look(&self.engines)
            .await
            .iter()
            .filter(|engine| engine.has_image(name))
        {
            let told =
                ask_engine(engine, "DELETE", &format!("/images/{name}?noprune=0"), b"").await;
            if told.status == 200 {
                removed.extend(told.value().as_array().cloned().unwrap_or_default());
            } else {
                errors.push(format!(
                    "{}: Error response from daemon: {}",
                    engine.name(),
                    told.message()
                ));
            }
        }
        match (errors.is_empty(), removed.is_empty()) {
            (false, _) => refuse(500, errors.join("\n")),
            (true, true) => refuse(404, format!("No such image {name}")),
            (true, false) => tell(&Value::Array(removed)),
        }
    }

    /// To the first Engine that has an image; one that does not answer makes an empty answer.
    pub(super) async fn with_image(&self, name: &str, path: &str) -> Outcome {
        let seen = look(&self.engines).await;
        match seen.iter().find(|engine| engine.has_image(name)) {
            Some(engine) if engine.healthy => {
                Outcome::Pass(engine.address.clone(), path.to_owned())
            }
            Some(_) => Outcome::Answer(Answer {
                status: 200,
                body: Vec::new(),
            }),
            None => refuse(404, format!("No such image: {name}")),
        }
    }

    pub(super) async fn push(&self, request: &Request, name: &str, path: &str) -> Outcome {
        let tag = request.parameter("tag").unwrap_or("latest");
        self.with_image(&format!("{name}:{tag}"), path).await
    }

    pub(super) async fn tag(&self, request: &Request, name: &str, path: &str) -> Outcome {
        let value = |key: &str| request.parameter(key).unwrap_or_default();
        let path = format!("{path}?repo={}&tag={}", value("repo"), value("tag"));
        let mut told = None;
        for engine in look(&self.engines)
            .await
            .iter()
            .filter(|engine| engine.has_image(name))
        {
            told = Some(ask_engine(engine, "POST", &path, b"").await);
        }
        told.map_or_else(|| refuse(404, format!("No such image: {name}")), hand_back)
    }
}

/// Has an Engine pull an image.
pub(super) async fn pull_on(engine: &Seen, image: &str, auth: &str) -> Result<(), String> {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("fromImage", image)
        .finish();
    let path = format!("/images/create?{query}");
    let told = ask(
        &engine.address,
        "POST",
        &path,
        &[("X-Registry-Auth", auth)],
        b"",
    )
    .await;
    let told = told.map_err(|_| {
        format!(
            "Cannot connect to the Docker daemon at tcp://{}. Is the docker daemon running?",
            engine.address
        )
    })?;
    if told.status >= 400 {
        return Err(format!("Error response from daemon: {}", told.message()));
    }
    let body = String::from_utf8_lossy(&told.body).into_owned();
    let error = body.lines().find_map(|line| {
        serde_json::from_str::<Value>(line).ok()?["error"]
            .as_str()
            .map(str::to_owned)
    });
    error.map_or(Ok(()), |why| Err(format!("Failed to load {image}: {why}")))
}
