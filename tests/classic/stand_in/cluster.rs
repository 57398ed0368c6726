//! What a manager knows of its Engines: as they are if they answer, otherwise as they were; and where it puts containers.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::http::{Answer, ask};

/// How long an Engine may take to tell what is on it.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long one that did not answer is left alone.
const PAUSE: Duration = Duration::from_secs(5);

/// An Engine of the cluster.
pub struct Engine {
    /// `10.0.0.1:2375`.
    pub address: String,
    seen: Mutex<Seen>,
}

/// What was last seen of an Engine.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub address: String,
    pub info: Value,
    pub containers: Vec<Value>,
    /// What each container reserves, as the Engine has it: shares of its processors, bytes.
    pub reserved: BTreeMap<String, (u64, u64)>,
    pub images: Vec<Value>,
    pub networks: Vec<Value>,
    pub healthy: bool,
    /// When it did not answer.
    failed_at: Option<Instant>,
    pub error: String,
    pub updated_at: String,
}

impl Engine {
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            seen: Mutex::default(),
        }
    }

    /// What is on it.
    pub async fn look(&self) -> Seen {
        let mut seen = self.seen.lock().await;
        if seen.failed_at.is_some_and(|at| at.elapsed() < PAUSE) {
            return seen.clone();
        }
        seen.address.clone_from(&self.address);
        seen.updated_at = jiff::Timestamp::now()
            .round(jiff::Unit::Second)
            .unwrap()
            .to_string();
        let looked = tokio::time::timeout(PATIENCE, self.refresh(&mut seen)).await;
        seen.healthy = matches!(looked, Ok(Ok(())));
        seen.failed_at = (!seen.healthy).then(Instant::now);
        if !seen.healthy {
            seen.error = format!(
                "Cannot connect to the Docker daemon at tcp://{}. Is the docker daemon running?",
                self.address
            );
        }
        seen.clone()
    }

    async fn refresh(&self, seen: &mut Seen) -> std::io::Result<()> {
        let get = |path: &'static str| async move {
            let answer = ask(&self.address, "GET", path, &[], b"").await?;
            Ok::<_, std::io::Error>(answer.value())
        };
        let list = |value: Value| value.as_array().cloned().unwrap_or_default();
        seen.info = get("/info").await?;
        seen.images = list(get("/images/json?all=1").await?);
        seen.networks = list(get("/networks").await?);
        seen.containers = list(get("/containers/json?all=1").await?);
        let ids: Vec<String> = seen.containers.iter().map(|c| text(&c["Id"])).collect();
        seen.reserved.retain(|id, _| ids.contains(id));
        for id in ids {
            if let Entry::Vacant(entry) = seen.reserved.entry(id) {
                let id = entry.key();
                let path = format!("/containers/{id}/json");
                let found = ask(&self.address, "GET", &path, &[], b"").await?.value();
                let host = &found["HostConfig"];
                let amount = |key: &str| host[key].as_u64().unwrap_or(0);
                entry.insert((amount("CpuShares"), amount("Memory")));
            }
        }
        Ok(())
    }
}

impl Seen {
    /// Whether it was reached at any time.
    pub fn known(&self) -> bool {
        self.info.is_object()
    }

    pub fn name(&self) -> String {
        text(&self.info["Name"])
    }

    pub fn ip(&self) -> &str {
        self.address.rsplit_once(':').unwrap().0
    }

    pub fn cpus(&self) -> u64 {
        self.info["NCPU"].as_u64().unwrap_or(0)
    }

    /// Processors and memory with the twentieth that may be given away twice.
    pub fn total(&self) -> (u64, u64) {
        let memory = self.info["MemTotal"].as_u64().unwrap_or(0);
        (
            self.cpus() + self.cpus() * 5 / 100,
            memory + memory * 5 / 100,
        )
    }

    pub fn used(&self) -> (u64, u64) {
        self.reserved
            .values()
            .fold((0, 0), |sum, (shares, memory)| {
                (sum.0 + shares * self.cpus() / 1024, sum.1 + memory)
            })
    }

    pub fn labels(&self) -> BTreeMap<String, String> {
        let labels = self.info["Labels"].as_array().cloned().unwrap_or_default();
        let pair = |label: &Value| {
            let label = label.as_str()?;
            let (key, value) = label.split_once('=')?;
            Some((key.to_owned(), value.to_owned()))
        };
        let mut labels: BTreeMap<_, _> = labels.iter().filter_map(pair).collect();
        labels.insert(
            "operatingsystem".to_owned(),
            text(&self.info["OperatingSystem"]),
        );
        labels
    }

    /// The container of this id, prefix of one, or name.
    pub fn container(&self, wanted: &str) -> Option<&Value> {
        let node = self.name();
        let called = |c: &&Value| {
            let names = c["Names"].as_array().cloned().unwrap_or_default();
            let names = names
                .iter()
                .filter_map(Value::as_str)
                .map(|name| name.trim_start_matches('/'));
            let mut names = names.map(str::to_owned);
            names.any(|name| name == wanted || format!("{node}/{name}") == wanted)
        };
        let by_name = self.containers.iter().find(called);
        let by_id = |c: &&Value| wanted.len() >= 12 && text(&c["Id"]).starts_with(wanted);
        by_name.or_else(|| self.containers.iter().find(by_id))
    }

    /// Whether it has an image of this id or name.
    pub fn has_image(&self, wanted: &str) -> bool {
        let tagged = if wanted.rsplit('/').next().unwrap().contains([':', '@']) {
            wanted.to_owned()
        } else {
            format!("{wanted}:latest")
        };
        let names = |image: &Value, key: &str| image[key].as_array().cloned().unwrap_or_default();
        self.images.iter().any(|image| {
            let id = text(&image["Id"]);
            let bare = id.trim_start_matches("sha256:");
            (wanted.len() > 2 && (id.starts_with(wanted) || bare.starts_with(wanted)))
                || names(image, "RepoTags").iter().any(|tag| *tag == tagged)
                || names(image, "RepoDigests")
                    .iter()
                    .any(|digest| *digest == wanted)
        })
    }

    /// The rows of `/info`.
    pub fn rows(&self) -> Vec<Value> {
        let name = if self.known() {
            self.name()
        } else {
            "(unknown)".to_owned()
        };
        let status = match (self.healthy, self.known()) {
            (true, _) => "Healthy",
            (false, true) => "Unhealthy",
            (false, false) => "Pending",
        };
        let ((used, held), (cpus, memory)) = (self.used(), self.total());
        let labels: Vec<_> = self
            .labels()
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let mut rows = vec![
            json!([format!(" {name}"), self.address]),
            json!([
                "  └ ID",
                format!("{}|{}", text(&self.info["ID"]), self.address)
            ]),
            json!(["  └ Status", status]),
            json!(["  └ Containers", self.containers.len().to_string()]),
            json!(["  └ Reserved CPUs", format!("{used} / {cpus}")]),
            json!([
                "  └ Reserved Memory",
                format!("{} / {}", size(held), size(memory))
            ]),
            json!(["  └ Labels", labels.join(", ")]),
        ];
        if !self.healthy {
            rows.push(json!(["  └ Error", self.error]));
        }
        rows.push(json!(["  └ UpdatedAt", self.updated_at]));
        rows.push(json!(["  └ ServerVersion", self.info["ServerVersion"]]));
        rows
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Four digits and a unit.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    let digits = (size.max(1.0).log10().floor() as usize) + 1;
    let text = format!("{size:.*}", 4_usize.saturating_sub(digits));
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text} {}", units[unit])
}

/// Where a container may go that reserves so much and has this to say.
pub fn place<'a>(
    seen: &'a [Seen],
    expressions: &[(String, String)],
    needs: (u64, u64),
) -> Result<&'a Seen, String> {
    let mut left: Vec<&Seen> = seen.iter().filter(|node| node.healthy).collect();
    if left.is_empty() {
        return Err("No healthy node available in the cluster".to_owned());
    }
    for (kind, expression) in expressions {
        let (key, value) = expression
            .split_once("==")
            .ok_or("One of operator ==, != is expected")?;
        if value.contains('@') {
            return Err(format!("Value '{value}' is invalid"));
        }
        left.retain(|node| match (kind.as_str(), key) {
            ("affinity", "image") => node.has_image(value),
            (_, "node") => node.name() == value || text(&node.info["ID"]) == value,
            _ => node.labels().get(key).is_some_and(|own| own == value),
        });
        if left.is_empty() {
            return Err(format!(
                "unable to find a node that satisfies the {kind} {key}=={value}"
            ));
        }
    }
    left.retain(|node| {
        let ((used, held), (cpus, memory)) = (node.used(), node.total());
        let fits = |used: u64, needs: u64, total: u64| {
            needs <= total && (needs == 0 || (used + needs) * 100 / total.max(1) <= 100)
        };
        fits(used, needs.0, cpus) && fits(held, needs.1, memory)
    });
    let spread = left.into_iter().min_by_key(|node| {
        (
            node.used().1 * 100 / node.total().1.max(1),
            node.containers.len(),
        )
    });
    spread.ok_or_else(|| "no resources available to schedule container".to_owned())
}

/// All Engines, looked at together.
pub async fn look(engines: &[Engine]) -> Vec<Seen> {
    join_all(engines.iter().map(Engine::look)).await
}

/// What an Engine that can be reached says; one that can't is an error in the manager's words.
pub async fn ask_engine(engine: &Seen, method: &str, path: &str, body: &[u8]) -> Answer {
    ask(&engine.address, method, path, &[], body)
        .await
        .unwrap_or_else(|_| {
            let words = "Cannot connect to the Docker daemon at";
            Answer::error(
                500,
                &format!(
                    "{words} tcp://{}. Is the docker daemon running?",
                    engine.address
                ),
            )
        })
}
