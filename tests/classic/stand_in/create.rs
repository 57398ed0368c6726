//! Making a container: its name is the cluster's, its node is chosen, and what it says of that is taken out of its environment.

use serde_json::{Value, json};

use super::cluster::{ask_engine, look, place, text};
use super::http::{Answer, Request};
use super::images::pull_on;
use super::{Manager, Outcome, hand_back, refuse};

impl Manager {
    pub(super) async fn create(&self, request: &Request, body: &[u8]) -> Outcome {
        let name = request.parameter("name").unwrap_or_default().to_owned();
        let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
        let expressions = take_expressions(&mut body);
        let _held = self.making.lock().await;
        let seen = look(&self.engines).await;
        if !name.is_empty() && seen.iter().any(|engine| engine.container(&name).is_some()) {
            return refuse(
                409,
                format!(
                    "Conflict: The name {name} is already assigned. You have to delete (or rename) that container to be able to assign {name} to a container again."
                ),
            );
        }
        let amount = |key: &str| body["HostConfig"][key].as_u64().unwrap_or(0);
        let needs = (amount("CpuShares"), amount("Memory"));
        let engine = match place(&seen, &expressions, needs) {
            Ok(engine) => engine,
            Err(why) => return refuse(500, why),
        };
        body["HostConfig"]["CpuShares"] = json!((needs.0 * 1024).div_ceil(engine.cpus().max(1)));
        let path = if name.is_empty() {
            "/containers/create".to_owned()
        } else {
            format!("/containers/create?name={name}")
        };
        let body = body.to_string();
        let mut made = ask_engine(engine, "POST", &path, body.as_bytes()).await;
        if made.status == 404 {
            let image = serde_json::from_str::<Value>(&body).unwrap()["Image"].clone();
            let auth = request.header("x-registry-auth").unwrap_or_default();
            if let Err(why) = pull_on(engine, &text(&image), auth).await {
                return refuse(500, why);
            }
            made = ask_engine(engine, "POST", &path, body.as_bytes()).await;
        }
        if made.status == 201 {
            return Outcome::Answer(Answer::json(201, &json!({"Id": made.value()["Id"]})));
        }
        hand_back(made)
    }
}

/// Takes constraints and affinities out of the environment, into labels.
fn take_expressions(body: &mut Value) -> Vec<(String, String)> {
    let env = body["Env"].as_array().cloned().unwrap_or_default();
    let mut expressions = Vec::new();
    let mut rest = Vec::new();
    for entry in env {
        match entry.as_str().and_then(|entry| entry.split_once(':')) {
            Some((kind @ ("constraint" | "affinity"), expression)) => {
                expressions.push((kind.to_owned(), expression.to_owned()));
            }
            _ => rest.push(entry),
        }
    }
    body["Env"] = Value::Array(rest);
    if body["Labels"].is_null() {
        body["Labels"] = json!({});
    }
    body["Labels"]["com.docker.swarm.id"] = json!(format!("{:032x}", rand::random::<u128>()));
    for (kind, label) in [("constraint", "constraints"), ("affinity", "affinities")] {
        let own: Vec<_> = expressions
            .iter()
            .filter(|(k, _)| k == kind)
            .map(|(_, e)| e)
            .collect();
        if !own.is_empty() {
            body["Labels"][format!("com.docker.swarm.{label}")] =
                json!(serde_json::to_string(&own).unwrap());
        }
    }
    expressions
}
