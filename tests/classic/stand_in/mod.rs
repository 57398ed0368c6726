//! Stands in for a classic Swarm manager (docker/swarm 1.2.9), over real Engines: what such a manager answers differently from
//! an Engine, and what it hands on. Written after its documentation and behaviour; it remembers nothing but how an Engine was
//! that does not answer any more, so that it never is behind as the real one can be for a moment.

mod cluster;
mod create;
mod http;
mod images;

use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex};

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use cluster::{Engine, Seen, ask_engine, look, text};
use http::{Answer, Request, answer};

/// A manager that runs until this is dropped.
pub struct StandIn {
    url: String,
    task: JoinHandle<()>,
}

struct Manager {
    engines: Vec<Engine>,
    /// Held while a container is made, so that names and room are given away once.
    making: Mutex<()>,
    /// On which Engine each command runs.
    commands: StdMutex<HashMap<String, String>>,
}

impl StandIn {
    /// One over the Engines at these addresses, `tcp://…`.
    pub async fn over(urls: impl IntoIterator<Item = &str>) -> Self {
        let engines = urls
            .into_iter()
            .map(|url| Engine::new(url.trim_start_matches("tcp://")));
        let manager = Arc::new(Manager {
            engines: engines.collect(),
            making: Mutex::default(),
            commands: StdMutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("tcp://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&manager).serve(stream));
            }
        });
        Self { url, task }
    }

    /// Where it answers, `tcp://…`.
    pub fn url(&self) -> String {
        self.url.clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What is to become of a request.
enum Outcome {
    Answer(Answer),
    /// To the Engine at this address, for this path.
    Pass(String, String),
    Events,
}

fn refuse(status: u16, words: impl AsRef<str>) -> Outcome {
    Outcome::Answer(Answer::error(status, words.as_ref()))
}

fn tell(value: &Value) -> Outcome {
    Outcome::Answer(Answer::json(200, value))
}

/// An Engine's refusal, as 500 with its words; its other answers as they are.
fn hand_back(from: Answer) -> Outcome {
    if from.status < 400 {
        return Outcome::Answer(from);
    }
    refuse(
        500,
        format!("Error response from daemon: {}", from.message()),
    )
}

impl Manager {
    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let Some(mut request) = Request::read(&mut stream).await else {
            return;
        };
        match self.handle(&mut request, &mut stream).await {
            Outcome::Answer(told) => answer(stream, &told).await,
            Outcome::Pass(address, path) => request.pass(stream, &address, &path).await,
            Outcome::Events => self.events(stream).await,
        }
    }

    async fn handle(&self, request: &mut Request, stream: &mut TcpStream) -> Outcome {
        let path = request.path.clone();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["_ping"]) => refuse(200, "OK"),
            ("GET", ["version"]) => {
                tell(&json!({"Version": "swarm/1.2.9", "ApiVersion": "1.30", "Os": "linux"}))
            }
            ("GET", ["info"]) => tell(&self.info().await),
            ("GET", ["events"]) => Outcome::Events,
            ("GET", ["containers", "json"]) => self.containers(request).await,
            ("GET", ["images", "json"]) => self.images(request).await,
            ("GET", ["networks"]) => self.networks(request).await,
            ("POST", ["containers", "create"]) => {
                let body = request.body(stream).await;
                self.create(request, &body).await
            }
            ("DELETE", ["containers", name]) => {
                let query = ["force", "v"]
                    .map(|key| format!("{key}={}", request.parameter(key).unwrap_or("0")));
                self.on_container(name, "DELETE", &format!("?{}", query.join("&")))
                    .await
            }
            ("GET", ["containers", name, "json"]) => self.on_container(name, "GET", "/json").await,
            ("POST", ["containers", name, "start"]) => {
                self.on_container(name, "POST", "/start").await
            }
            ("POST", ["containers", name, "rename"]) => self.rename(name, request).await,
            ("POST", ["containers", name, "exec"]) => {
                let body = request.body(stream).await;
                self.prepare(name, &body).await
            }
            (_, ["containers", name, rest @ ..]) if !rest.is_empty() => match self.find(name).await
            {
                Ok((engine, id)) => Outcome::Pass(
                    engine.address,
                    format!("/containers/{id}/{}", rest.join("/")),
                ),
                Err(refusal) => refusal,
            },
            (_, ["exec", id, _]) => {
                let address = self.commands.lock().unwrap().get(*id).cloned();
                address.map_or_else(
                    || refuse(404, format!("Exec {id} not found")),
                    |address| Outcome::Pass(address, path.clone()),
                )
            }
            ("POST", ["commit"]) => match self
                .find(request.parameter("container").unwrap_or_default())
                .await
            {
                Ok((engine, _)) => Outcome::Pass(engine.address, path.clone()),
                Err(refusal) => refusal,
            },
            ("POST", ["images", "create"]) => self.pull(request).await,
            ("DELETE", ["images", name @ ..]) => self.remove_image(&name.join("/")).await,
            (_, ["images", name @ .., "push"]) => self.push(request, &name.join("/"), &path).await,
            ("GET", ["images", name @ .., "json"]) => self.with_image(&name.join("/"), &path).await,
            ("POST", ["images", name @ .., "tag"]) => {
                self.tag(request, &name.join("/"), &path).await
            }
            ("POST", ["networks", "create"]) => self.to_any(path.clone()).await,
            (_, ["networks", id]) => self.on_network(request, id).await,
            _ => refuse(404, "404 page not found"),
        }
    }

    async fn info(&self) -> Value {
        let seen = look(&self.engines).await;
        let mut rows = vec![
            json!(["Role", "primary"]),
            json!(["Strategy", "spread"]),
            json!([
                "Filters",
                "health, port, containerslots, dependency, affinity, constraint, whitelist"
            ]),
            json!(["Nodes", seen.len().to_string()]),
        ];
        rows.extend(seen.iter().flat_map(Seen::rows));
        json!({"ID": "", "Name": "manager", "ServerVersion": "swarm/1.2.9", "SystemStatus": rows})
    }

    async fn containers(&self, request: &Request) -> Outcome {
        let all = request
            .parameter("all")
            .is_some_and(|all| all == "1" || all == "true");
        let filters = filters(request);
        let mut listed = Vec::new();
        for engine in look(&self.engines).await {
            for mut container in engine.containers.clone() {
                let runs = container["State"] == "running" || container["State"] == "paused";
                let shown = all || (runs && engine.healthy);
                if !shown || !has_labels(&filters, &container["Labels"]) {
                    continue;
                }
                if !engine.healthy {
                    container["Status"] = json!("Host Down");
                }
                for name in container["Names"].as_array_mut().into_iter().flatten() {
                    *name = json!(format!("/{}{}", engine.name(), text(name)));
                }
                for port in container["Ports"].as_array_mut().into_iter().flatten() {
                    if port["IP"] == "0.0.0.0" || port["IP"] == "::" {
                        port["IP"] = json!(engine.ip());
                    }
                }
                listed.push(container);
            }
        }
        tell(&Value::Array(listed))
    }

    async fn networks(&self, request: &Request) -> Outcome {
        let filters = filters(request);
        let mut listed: Vec<Value> = Vec::new();
        for engine in look(&self.engines).await {
            for mut network in engine.networks.clone() {
                if has_labels(&filters, &network["Labels"])
                    && !listed.iter().any(|n| n["Id"] == network["Id"])
                {
                    if network["Scope"] == "local" {
                        network["Name"] =
                            json!(format!("{}/{}", engine.name(), text(&network["Name"])));
                    }
                    listed.push(network);
                }
            }
        }
        tell(&Value::Array(listed))
    }

    /// The container's Engine and id.
    async fn find(&self, name: &str) -> Result<(Seen, String), Outcome> {
        for engine in look(&self.engines).await {
            if let Some(container) = engine.container(name) {
                let id = text(&container["Id"]);
                if engine.healthy {
                    return Ok((engine, id));
                }
                let node = engine.name();
                return Err(refuse(
                    500,
                    format!("Container {name} running on unhealthy node {node}"),
                ));
            }
        }
        Err(refuse(404, format!("No such container: {name}")))
    }

    /// What is not passed on but asked by the manager itself: an Engine's refusal becomes the manager's.
    async fn on_container(&self, name: &str, method: &str, rest: &str) -> Outcome {
        let (engine, id) = match self.find(name).await {
            Ok(found) => found,
            Err(refusal) => return refusal,
        };
        let path = format!("/containers/{id}{rest}");
        let mut told = ask_engine(&engine, method, &path, b"").await;
        // The client that it asks with does not tell 304 from 204.
        if told.status == 304 {
            told.status = 204;
        }
        if told.status == 200 {
            let mut value = told.value();
            value["Node"] = json!({"Name": engine.name(), "IP": engine.ip(), "Addr": engine.address, "Cpus": engine.cpus()});
            return tell(&value);
        }
        hand_back(told)
    }

    async fn rename(&self, name: &str, request: &Request) -> Outcome {
        let new = request.parameter("name").unwrap_or_default();
        let _held = self.making.lock().await;
        if look(&self.engines)
            .await
            .iter()
            .any(|engine| engine.container(new).is_some())
        {
            return refuse(
                409,
                format!("Conflict: The name {new} is already assigned."),
            );
        }
        self.on_container(name, "POST", &format!("/rename?name={new}"))
            .await
    }

    async fn prepare(&self, name: &str, body: &[u8]) -> Outcome {
        let (engine, id) = match self.find(name).await {
            Ok(found) => found,
            Err(refusal) => return refusal,
        };
        let made = ask_engine(&engine, "POST", &format!("/containers/{id}/exec"), body).await;
        if made.status == 201 {
            let command = text(&made.value()["Id"]);
            self.commands
                .lock()
                .unwrap()
                .insert(command, engine.address);
        }
        hand_back(made)
    }

    async fn to_any(&self, path: String) -> Outcome {
        let seen = look(&self.engines).await;
        let any = seen.into_iter().find(|engine| engine.healthy);
        any.map_or_else(
            || refuse(500, "No healthy node available in the cluster"),
            |engine| Outcome::Pass(engine.address, path.clone()),
        )
    }

    async fn on_network(&self, request: &Request, id: &str) -> Outcome {
        for engine in look(&self.engines).await {
            if engine.networks.iter().any(|network| network["Id"] == id) {
                let told =
                    ask_engine(&engine, &request.method, &format!("/networks/{id}"), b"").await;
                return hand_back(told);
            }
        }
        refuse(404, format!("No such network: {id}"))
    }

    /// What happens on all Engines, whatever was asked for, each line with its node.
    async fn events(&self, stream: TcpStream) {
        use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
        let (mut reader, writer) = stream.into_split();
        let writer = Arc::new(Mutex::new(writer));
        let head =
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
        let _ = writer.lock().await.write_all(head).await;
        let copies = self.engines.iter().map(|engine| {
            let writer = Arc::clone(&writer);
            async move {
                let name = engine.look().await.name();
                let mut from = TcpStream::connect(&engine.address).await.ok()?;
                let ask = format!("GET /events HTTP/1.0\r\nHost: {}\r\n\r\n", engine.address);
                from.write_all(ask.as_bytes()).await.ok()?;
                let mut lines = BufReader::new(from).lines();
                while let Some(line) = lines.next_line().await.ok()? {
                    let Ok(mut event) = serde_json::from_str::<Value>(&line) else {
                        continue;
                    };
                    event["Actor"]["Attributes"]["node.name"] = json!(name);
                    let line = format!("{event}\n");
                    writer.lock().await.write_all(line.as_bytes()).await.ok()?;
                }
                Some(())
            }
        });
        let closed = async {
            let _ = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await;
        };
        tokio::select! {
            _ = futures_util::future::join_all(copies) => {}
            () = closed => {}
        }
    }
}

/// Filters, in both ways that clients write them.
fn filters(request: &Request) -> HashMap<String, Vec<String>> {
    let filters = request.parameter("filters").unwrap_or("{}");
    let all: HashMap<String, Value> = serde_json::from_str(filters).unwrap_or_default();
    let values = |value: Value| match value {
        Value::Array(values) => values.iter().map(text).collect(),
        Value::Object(values) => values.keys().cloned().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    all.into_iter()
        .map(|(key, value)| (key, values(value)))
        .collect()
}

fn has_labels(filters: &HashMap<String, Vec<String>>, labels: &Value) -> bool {
    filters
        .get("label")
        .into_iter()
        .flatten()
        .all(|wanted| match wanted.split_once('=') {
            Some((key, value)) => labels[key] == value,
            None => !labels[wanted.as_str()].is_null(),
        })
}
